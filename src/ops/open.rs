//! Opening an extract, by whoever it is sealed to, without a vault: everything is verified before the folder gets its name.

mod verify;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, ErrorKind, PipeWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::build::manifest::{FileFacts, Withheld};
use crate::base::id::ReleaseId;
use crate::base::progress::Progress;
use crate::base::time::{Date, Moment};
use crate::base::{Error, Kind, Result};
use crate::crypto::card::VaultCard;
use crate::crypto::identity::Identity;
use crate::crypto::stream;
use crate::formats::package::{self, Limits, PackageFile};
use crate::store::files;
use crate::store::state::StateFolder;

pub use verify::Pinned;

/// What an extract holds at most: a hundred thousand transcripts of 64 MiB, 16 GiB in all.
const LIMITS: Limits = Limits { files: 100_000, file_bytes: 64 << 20, all_bytes: 16 << 30 };

/// What was opened.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Opened {
    /// The folder.
    pub folder: PathBuf,
    /// The release.
    pub release: ReleaseId,
    /// The title of the project.
    pub project: String,
    /// The level.
    pub level: u8,
    /// All copies are destroyed by then.
    pub until: Date,
    /// Transcripts in it.
    pub transcripts: usize,
    /// Participants who are heard.
    pub participants: u64,
    /// How much was left out.
    pub withheld: Withheld,
    /// The stewards who decided.
    pub decided_by: Vec<String>,
    /// How it is known that this is the vault's ledger.
    pub pinned: Pinned,
    /// The number of the entry with the release's receipt.
    pub entry: u64,
    /// How many entries the ledger had.
    pub ledger_size: u64,
    /// The conditions that were accepted.
    pub conditions: String,
}

crate::base::text::hidden!(Opened);

/// How an extract is opened.
pub struct Opening<'a> {
    /// Whose keys.
    pub identity: &'a Identity,
    /// The extract.
    pub extract: &'a Path,
    /// The folder to make; it may not exist yet.
    pub to: &'a Path,
    /// The vault's card, if there is one from a source that is trusted.
    pub card: Option<&'a VaultCard>,
    /// Where this person keeps what they saw of vaults.
    pub state: &'a StateFolder,
    /// Now.
    pub now: Moment,
}

/// Opens an extract into a new folder. Errors: `Kind::Locked` if it is sealed to somebody else; `Kind::Denied` if it was released to somebody else, or its end
/// date has passed; `Kind::Damage` if anything in it was altered or is missing, or it comes from another vault than the card or the last extract said.
pub fn open(opening: &Opening<'_>, progress: &dyn Progress) -> Result<Opened> {
    if opening.to.symlink_metadata().is_ok() {
        return Err(Error::user("that folder is there already", "Choose a new one with --to."));
    }
    let scratch = Scratch::create(opening.to)?;
    let folder = scratch.0.join("files");
    let found = unseal(opening, &folder, progress)?;
    let verified = verify::verify(&folder, &found, opening)?;
    let io = |e: std::io::Error| Error::io("make the folder of the extract", &e);
    if opening.to.symlink_metadata().is_ok() {
        return Err(Error::user("that folder has appeared meanwhile", "Choose a new one with --to."));
    }
    opening.state.save(&verified.seen)?;
    files::sync_folders(&folder).map_err(io)?;
    fs::rename(&folder, opening.to).map_err(io)?;
    files::sync_folder(opening.to).map_err(io)?;
    Ok(Opened { folder: opening.to.to_owned(), ..verified.opened })
}

/// Opens the seal and unpacks what is in it as it comes, into a new folder; gives name, digest and length of each file. Whether the seal holds to its end
/// is told before anything that is wrong inside.
fn unseal(opening: &Opening<'_>, folder: &Path, progress: &dyn Progress) -> Result<Found> {
    let source = File::open(opening.extract).map_err(|e| Error::io("open the extract", &e))?;
    let total = source.metadata().map_or(0, |meta| meta.len());
    let (inside, outlet) = std::io::pipe().map_err(|e| Error::io("open the extract", &e))?;
    progress.begin("Opening the extract", total);
    let (opened, found) = thread::scope(|scope| {
        let opened = scope.spawn(|| {
            let sink = Outlet(Some(outlet));
            stream::open(opening.identity.as_age(), BufReader::new(source), sink, None, progress)
        });
        let found = unpack(inside, folder);
        (opened.join(), found)
    });
    progress.end();
    let opened = opened.map_err(|_| Error::bug("the opening of an extract ended by itself"))?;
    opened.map_err(|error| match error.kind() {
        Kind::Locked => Error::locked(
            "this extract is sealed to somebody else",
            "Use the identity that wrote the request, with --identity FILE. Extracts are not passed on: others ask for their own.",
        ),
        Kind::Damage => Error::damage(
            "the extract was altered or is not whole",
            "Copy it again; if that does not help, ask the archivist to build it again.",
        ),
        _ => error.at("the extract"),
    })?;
    found
}

/// The way to whoever unpacks. Once they have stopped, the rest goes nowhere, so that the seal is still verified to its end.
struct Outlet(Option<PipeWriter>);

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.0.as_mut().map(|pipe| pipe.write(bytes)) {
            Some(Err(error)) if error.kind() == ErrorKind::BrokenPipe => self.0 = None,
            Some(done) => return done,
            None => {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The files of an extract, by name.
type Found = BTreeMap<String, FileFacts>;

/// Unpacks the plain files of a package into a new folder.
fn unpack(package: impl Read, folder: &Path) -> Result<Found> {
    let io = |e: std::io::Error| Error::io("write into the temporary folder", &e);
    for dir in [folder, &folder.join("transcripts")] {
        private_folder(dir).map_err(io)?;
    }
    let mut found = Found::new();
    package::read(package, LIMITS, &mut |file: PackageFile<'_>| {
        if !verify::may_be_there(&file.name) {
            return Err(Error::damage(
                "the extract holds a file that no vault would put there",
                "It was not made by a vault, or was altered. Do not use it; tell the archivist.",
            ));
        }
        let sink = BufWriter::new(private_file(&folder.join(&file.name)).map_err(io)?);
        let mut sink = Digesting { sink, sha256: Sha256::new() };
        std::io::copy(&mut file.content.take(file.len), &mut sink).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::Other => {
                Error::damage("the extract is not whole", "Ask the archivist to build it again.")
            }
            _ => io(e),
        })?;
        sink.flush().map_err(io)?;
        let facts = FileFacts::new(&file.name, sink.sha256.finalize().as_slice(), file.len);
        found.insert(file.name, facts);
        Ok(())
    })?;
    // All at the end: the first takes most of the others with it.
    for name in found.keys() {
        let file = fs::OpenOptions::new().write(true).open(folder.join(name)).map_err(io)?;
        file.sync_all().map_err(io)?;
    }
    Ok(found)
}

/// A file that is hashed while it is written.
struct Digesting<W> {
    sink: W,
    sha256: Sha256,
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.sink.write(bytes)?;
        self.sha256.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.sink.flush()
    }
}

/// Makes a folder that only its owner can look into.
fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a file that only its owner can read.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A folder beside the one to be made, readable by its owner only; gone again with all that is left in it.
struct Scratch(PathBuf);

impl Scratch {
    fn create(to: &Path) -> Result<Self> {
        let mut name = std::ffi::OsString::from(".");
        name.push(to.file_name().unwrap_or_default());
        name.push(".opening");
        let path = to.with_file_name(name);
        // What an interrupted opening left behind is plaintext: it goes before anything else.
        if path.symlink_metadata().is_ok() {
            fs::remove_dir_all(&path).map_err(|e| Error::io("clear what an interrupted opening left", &e))?;
        }
        private_folder(&path).map_err(|e| Error::io("make a temporary folder beside the one asked for", &e))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is plaintext of an extract that did not verify, or nothing.
        let _ = fs::remove_dir_all(&self.0);
    }
}
