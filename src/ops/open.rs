//! Opening an extract, by whoever it is sealed to, without a vault: everything is verified before the folder gets its name.

mod verify;

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use zeroize::Zeroizing;

use super::build::manifest::Withheld;
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
    let (tar, folder) = (scratch.0.join("package.tar"), scratch.0.join("files"));
    unseal(opening, &tar, progress)?;
    let names = unpack(&tar, &folder)?;
    fs::remove_file(&tar).map_err(|e| Error::io("clear the temporary folder", &e))?;
    let verified = verify::verify(&folder, &names, opening)?;
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

fn unseal(opening: &Opening<'_>, tar: &Path, progress: &dyn Progress) -> Result<()> {
    let source = File::open(opening.extract).map_err(|e| Error::io("open the extract", &e))?;
    let total = source.metadata().map_or(0, |meta| meta.len());
    let sink = private_file(tar).map_err(|e| Error::io("write into the temporary folder", &e))?;
    progress.begin("Opening the extract", total);
    let opened = stream::open(opening.identity.as_age(), BufReader::new(source), sink, None, progress);
    progress.end();
    opened.map(drop).map_err(|error| match error.kind() {
        Kind::Locked => Error::locked(
            "this extract is sealed to somebody else",
            "Use the identity that wrote the request, with --identity FILE. Extracts are not passed on: others ask for their own.",
        ),
        Kind::Damage => Error::damage(
            "the extract was altered or is not whole",
            "Copy it again; if that does not help, ask the archivist to build it again.",
        ),
        _ => error.at("the extract"),
    })
}

/// Unpacks the plain files of a package into a new folder; gives their names.
fn unpack(tar: &Path, folder: &Path) -> Result<Vec<String>> {
    let io = |e: std::io::Error| Error::io("write into the temporary folder", &e);
    for dir in [folder, &folder.join("transcripts")] {
        private_folder(dir).map_err(io)?;
    }
    let source = File::open(tar).map_err(io)?;
    let mut names = Vec::new();
    package::read(BufReader::new(source), LIMITS, &mut |file: PackageFile<'_>| {
        if !verify::may_be_there(&file.name) {
            return Err(Error::damage(
                "the extract holds a file that no vault would put there",
                "It was not made by a vault, or was altered. Do not use it; tell the archivist.",
            ));
        }
        let mut sink = private_file(&folder.join(&file.name)).map_err(io)?;
        // Apart, so that a full disk is not told as an extract that is not whole. LIMITS bounds a file.
        let mut content = Zeroizing::new(Vec::new());
        file.content
            .take(file.len)
            .read_to_end(&mut content)
            .map_err(|_| Error::damage("the extract is not whole", "Ask the archivist to build it again."))?;
        sink.write_all(&content).and_then(|()| sink.sync_all()).map_err(io)?;
        names.push(file.name);
        Ok(())
    })?;
    Ok(names)
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
