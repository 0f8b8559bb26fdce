//! Where entries come from: the vault's ledger, or an exported folder.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::base::{Error, Result};
use crate::ledger::export;
use crate::session::Log;

/// A file of an export.
pub(super) const ENTRIES: &str = "entries.jsonl";
/// A file of an export.
pub(super) const CHECKPOINT: &str = "checkpoint";
/// A file of an export.
pub(super) const CARD: &str = "vault.card";

/// Where entries come from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// The ledger of an unlocked vault.
    Vault(&'a Log),
    /// A folder that `audit export` wrote.
    Export(&'a Path),
}

/// Entries one after the other, as bytes.
pub(super) type Leaves<'a> = Box<dyn Iterator<Item = Result<Vec<u8>>> + 'a>;

impl<'a> Source<'a> {
    /// The entries from the first on, in order.
    pub(super) fn leaves(self) -> Result<Leaves<'a>> {
        Ok(match self {
            Self::Vault(log) => Box::new(log.leaves(0)),
            Self::Export(dir) => {
                let file = File::open(dir.join(ENTRIES)).map_err(|e| {
                    let error = Error::io("open entries.jsonl of the export", &e);
                    Error::new(error.kind(), error.what(), "Give the folder that `subrosa audit export` wrote.")
                })?;
                Box::new(export::read_lines(BufReader::with_capacity(1 << 20, file)))
            }
        })
    }
}
