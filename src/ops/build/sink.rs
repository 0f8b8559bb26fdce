//! The file that an extract is sealed into.

use std::fs::{self, File, OpenOptions};
use std::io::PipeWriter;
use std::path::{Path, PathBuf};
use std::thread;

use crate::base::progress::Progress;
use crate::base::{Error, Result};
use crate::crypto::padding::Padding;
use crate::crypto::stream::{self, AgeRecipient};
use crate::formats::package::PackageWriter;
use crate::store::files;

/// A file in the making beside its place; gone again unless it was finished.
pub(super) struct Sink {
    file: File,
    tmp: PathBuf,
    out: PathBuf,
}

impl Sink {
    /// Makes the file, so that a folder that cannot be written to is told before anything is recorded.
    pub(super) fn create(out: &Path) -> Result<Self> {
        let tmp = files::sibling(out);
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&tmp);
        let file = file.map_err(|e| Error::io("write the extract", &e))?;
        Ok(Self { file, tmp, out: out.to_owned() })
    }

    /// Seals what `write` writes, about `length` bytes, as it comes; syncs, and gives the file its name, unless that was taken meanwhile. Gives its length.
    pub(super) fn seal(
        self,
        to: &AgeRecipient,
        length: u64,
        progress: &dyn Progress,
        write: impl FnOnce(&mut PackageWriter<PipeWriter>) -> Result<()>,
    ) -> Result<u64> {
        let io = |e: std::io::Error| Error::io("write the extract", &e);
        let (source, feed) = std::io::pipe().map_err(io)?;
        progress.begin("Sealing the extract", length);
        let (written, sealed) = thread::scope(|scope| {
            // Sealed on the other side of a pipe: the vault is read on this one.
            let sealing = scope.spawn(|| stream::seal(&[to.as_age()], source, &self.file, Padding::Padme, progress));
            let mut package = PackageWriter::new(feed);
            let written = write(&mut package).and_then(|()| package.finish()).map(drop);
            (written, sealing.join())
        });
        progress.end();
        // A disk that is full ends the writing too, but only the sealing knows why.
        let sealed = sealed.map_err(|_| Error::bug("the sealing of an extract ended by itself"))??;
        written?;
        self.file.sync_all().map_err(io)?;
        if self.out.symlink_metadata().is_ok() {
            return Err(Error::user(
                "a file of that name has appeared meanwhile",
                "The release is recorded. Build it again under another name with --out.",
            ));
        }
        fs::rename(&self.tmp, &self.out).map_err(io)?;
        files::sync_folder(&self.out).map_err(io)?;
        Ok(sealed.sealed_len)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // After the rename there is nothing of that name any more.
        let _ = fs::remove_file(&self.tmp);
    }
}
