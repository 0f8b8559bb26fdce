//! Objects: age files, streamed in under a temporary name, synced, renamed, and only then referred to.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::PathBuf;

use super::files::{self, Layout};
use crate::base::id::ObjectId;
use crate::base::progress::Progress;
use crate::base::secret::Key;
use crate::base::{Error, Kind, Result};
use crate::crypto::padding::Padding;
use crate::crypto::stream::{self, AgeIdentity, SealedStream};

/// An object written and synced under a temporary name; gone again unless [`Staged::keep`] is called.
pub struct Staged {
    tmp: PathBuf,
    target: PathBuf,
    kept: bool,
    /// Lengths and digest.
    pub sealed: SealedStream,
}

/// Seals `source` to `key` into the vault's temporary folder.
pub fn stage(
    layout: &Layout,
    id: ObjectId,
    key: &Key,
    source: impl Read + Send,
    progress: &dyn Progress,
) -> Result<Staged> {
    let tmp = layout.tmp().join(format!("{id}.part"));
    let io = |e: std::io::Error| Error::io("write a recording into the vault", &e);
    // Programs that copy folders leave empty ones out.
    files::make_folder(&layout.tmp()).map_err(io)?;
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&tmp).map_err(io)?;
    let recipient = AgeIdentity::from_key(key)?.recipient();
    let sealed = stream::seal(&[recipient.as_age()], source, &file, Padding::Padme, progress)
        .and_then(|sealed| file.sync_all().map(|()| sealed).map_err(io));
    match sealed {
        Ok(sealed) => Ok(Staged { tmp, target: layout.object(id), kept: false, sealed }),
        Err(error) => {
            let _ = fs::remove_file(&tmp);
            Err(error)
        }
    }
}

impl Staged {
    /// Moves it to its place for good. After this a row may refer to it.
    pub fn keep(mut self) -> Result<()> {
        let io = |e: std::io::Error| Error::io("move a recording to its place in the vault", &e);
        if let Some(parent) = self.target.parent() {
            files::make_folder(parent).map_err(io)?;
        }
        fs::rename(&self.tmp, &self.target).map_err(io)?;
        self.kept = true;
        files::sync_folder(&self.target).map_err(io)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.tmp);
        }
    }
}

/// Opens an object into `sink`: `length` bytes, each verified before it is written.
pub fn read(
    layout: &Layout,
    id: ObjectId,
    key: &Key,
    length: u64,
    sink: impl Write + Send,
    progress: &dyn Progress,
) -> Result<()> {
    let file = open(layout, id)?;
    let identity = AgeIdentity::from_key(key)?;
    let mut sink = Watched { sink, failed: false };
    let read = stream::open(identity.as_age(), file, &mut sink, Some(length), progress).map(drop);
    read.map_err(|error| match error.kind() {
        // Sealed to another key, or no sealed file at all: it was one when it was kept.
        Kind::Locked | Kind::User if !sink.failed => Error::damage(
            format!("the file of an object is damaged, or another one in its place: {}", error.what()),
            "`subrosa check` names it. Restore it from a backup.",
        ),
        _ => error,
    })
}

/// A sink that knows whether it was at fault.
struct Watched<W> {
    sink: W,
    failed: bool,
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.sink.write(bytes).inspect_err(|_| self.failed = true)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.sink.flush().inspect_err(|_| self.failed = true)
    }
}

/// The BLAKE3 digest of the sealed file, read once.
pub fn digest(layout: &Layout, id: ObjectId) -> Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(open(layout, id)?).map_err(|e| Error::io("read an object", &e))?;
    Ok(*hasher.finalize().as_bytes())
}

/// Whether the object's file is there.
pub fn exists(layout: &Layout, id: ObjectId) -> bool {
    layout.object(id).is_file()
}

/// The ids of all object files in the vault folder, and how many other files lie among them.
pub fn list(layout: &Layout) -> Result<(Vec<ObjectId>, u64)> {
    let io = |e: std::io::Error| Error::io("list the vault's objects", &e);
    let (mut ids, mut strangers) = (Vec::new(), 0);
    let shelves = match fs::read_dir(layout.path("objects")) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((ids, strangers)),
        shelves => shelves.map_err(io)?,
    };
    for folder in shelves {
        let folder = folder.map_err(io)?;
        if !folder.file_type().map_err(io)?.is_dir() {
            strangers += 1;
            continue;
        }
        for file in fs::read_dir(folder.path()).map_err(io)? {
            let name = file.map_err(io)?.file_name();
            let id = name.to_str().and_then(|n| n.strip_suffix(".age")).and_then(|n| n.parse().ok());
            match id {
                Some(id) => ids.push(id),
                None => strangers += 1,
            }
        }
    }
    ids.sort_unstable();
    Ok((ids, strangers))
}

fn open(layout: &Layout, id: ObjectId) -> Result<File> {
    File::open(layout.object(id)).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::damage(
            "the file of an object is missing from the vault",
            "Restore it from a backup; `subrosa check` names every one that is missing.",
        ),
        _ => Error::io("open an object", &e),
    })
}
