//! The export: a folder that proves itself, without the vault.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::source::{CARD, CHECKPOINT, ENTRIES};
use super::{listed, record_reading};
use crate::base::progress::Progress;
use crate::base::{Error, Result};
use crate::ledger::event::Digest;
use crate::ledger::export::{self, Sink};
use crate::session::{Unlocked, Vault};
use crate::store::files;

/// What was exported.
#[derive(Clone, Serialize)]
pub struct ExportReport {
    /// The folder.
    pub folder: PathBuf,
    /// How many entries.
    pub entries: u64,
    /// The root over them.
    pub root: Digest,
    /// Entries at the end that no checkpoint vouches for yet were left out.
    pub left_for_later: u64,
    /// The paths of entry bundles that were left out, since an entry in them is longer than 65,535 bytes.
    pub bundles_left_out: Vec<String>,
}

crate::base::text::hidden!(ExportReport);

/// Exports the ledger up to its newest checkpoint into a new folder: `entries.jsonl`, `checkpoint`, `vault.card` and `tile/`. The folder
/// is there whole or not at all. Whoever could write entries leaves one, which is in the export.
pub fn export(vault: &mut Vault<Unlocked>, out: &Path, progress: &dyn Progress) -> Result<ExportReport> {
    if out.exists() {
        return Err(Error::user(
            "there is something of that name already",
            "Choose a new folder; an export never writes into an old one.",
        ));
    }
    record_reading(vault, "audit export", listed("ledger export", Vec::new(), 0))?;
    let card = vault.layout().read(CARD, 1 << 20)?;
    let tmp = files::sibling(out);
    let io = |e: std::io::Error| Error::io("write the export", &e);
    fs::create_dir_all(&tmp).map_err(io)?;
    let done = write(vault, &tmp, &card, progress).and_then(|report| {
        files::sync_folders(&tmp).map_err(io)?;
        fs::rename(&tmp, out).map_err(io)?;
        files::sync_folder(out).map_err(io)?;
        Ok(ExportReport { folder: out.to_path_buf(), ..report })
    });
    if done.is_err() {
        // The first error is the one that is told.
        let _ = fs::remove_dir_all(&tmp);
    }
    done
}

fn write(vault: &Vault<Unlocked>, dir: &Path, card: &[u8], progress: &dyn Progress) -> Result<ExportReport> {
    let log = vault.log();
    let (size, note) = log.db().checkpoint()?.ok_or_else(|| {
        Error::user(
            "the ledger has no checkpoint yet",
            "Ask an archivist or a steward to open the vault once; it is signed then.",
        )
    })?;
    let head = log.head()?.size;
    let mut folder = Folder { dir };
    let lines = File::create(dir.join(ENTRIES)).map_err(|e| Error::io("write the export", &e))?;
    let mut lines = BufWriter::with_capacity(1 << 20, lines);
    progress.begin("Exporting the ledger", size);
    let count = usize::try_from(size).map_err(|_| Error::bug("the ledger is larger than this machine can count"))?;
    let leaves = log.leaves(0).take(count).inspect(|_| progress.advance(1));
    let done = export::write_entries(leaves, &mut lines, &mut folder)?;
    let synced = lines.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all());
    synced.map_err(|e| Error::io("write the export", &e))?;
    progress.end();
    if done.entries != size {
        return Err(Error::damage(
            "the ledger has fewer entries than its checkpoint",
            "Run `subrosa audit verify`: it says which are missing.",
        ));
    }
    export::write_tiles(size, &log.tiles(), &mut folder)?;
    folder.file(CHECKPOINT, note.as_bytes())?;
    folder.file(CARD, card)?;
    let width = |index: u64| (size - index * 256).min(256);
    Ok(ExportReport {
        folder: dir.to_path_buf(),
        entries: size,
        root: log.root(size)?,
        left_for_later: head.saturating_sub(size),
        bundles_left_out: done.left_out.iter().map(|i| export::bundle_path(*i, width(*i))).collect(),
    })
}

/// Files inside a folder, synced one by one.
struct Folder<'a> {
    dir: &'a Path,
}

impl Sink for Folder<'_> {
    fn file(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let path = self.dir.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| Error::io("write the export", &e))?;
        }
        files::write_whole(&path, bytes, "the export")
    }
}
