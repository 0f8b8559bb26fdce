//! The ledger of a vault: the log mathematics of `ledger` over the storage of `store`.

use std::path::Path;

use crate::base::secret::Key;
use crate::base::time::Moment;
use crate::base::{Error, Result};
use crate::ledger::checkpoint::SignedCheckpoint;
use crate::ledger::entry::Entry;
use crate::ledger::event::{Digest, Event};
use crate::ledger::proof::Proof;
use crate::ledger::tiles::{self, TileStore};
use crate::ledger::tree;
use crate::store::ledger_db::{Appending, LedgerDb};

/// The ledger, open.
pub struct Log {
    db: LedgerDb,
}

/// Where the ledger ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// How many entries there are.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// The time of the last one.
    pub time: Option<Moment>,
}

impl Log {
    /// Makes the ledger of a new vault.
    pub fn create(path: &Path, key: &Key) -> Result<Self> {
        Ok(Self { db: LedgerDb::create(path, key)? })
    }

    /// Opens it with the first of `keys` that fits; says which.
    pub fn open(path: &Path, keys: &[&Key]) -> Result<(Self, usize)> {
        let (db, which) = LedgerDb::open(path, keys)?;
        Ok((Self { db }, which))
    }

    /// The storage: bytes of entries, checkpoints.
    pub fn db(&self) -> &LedgerDb {
        &self.db
    }

    /// Size, root and time of the last entry, by reading O(log n).
    pub fn head(&self) -> Result<Head> {
        let size = self.db.size()?;
        let time = match size {
            0 => None,
            _ => {
                let leaf = self.db.leaf(size - 1)?;
                Some(match Entry::time_of(&leaf) {
                    Some(time) => time,
                    None => Entry::parse(&leaf)?.time,
                })
            }
        };
        Ok(Head { size, root: self.root(size)?, time })
    }

    /// One entry, parsed.
    pub fn entry(&self, seq: u64) -> Result<Entry> {
        Entry::parse(&self.db.leaf(seq)?)
    }

    /// The root over the first `size` entries.
    pub fn root(&self, size: u64) -> Result<Digest> {
        tiles::root(size, &Stored(&self.db))
    }

    /// The proof that the tree of `new` entries begins with that of `old`.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>> {
        tiles::consistency(old, new, &Stored(&self.db))
    }

    /// The proof that entry `index` is below `head`.
    pub fn proof(&self, index: u64, head: &SignedCheckpoint) -> Result<Proof> {
        Proof::make(index, head, &Stored(&self.db))
    }

    /// The tiles of the tree, for reading.
    pub fn tiles(&self) -> impl TileStore + '_ {
        Stored(&self.db)
    }

    /// The entries from `from` on, one at a time, so that other commands can go on writing.
    pub fn leaves(&self, from: u64) -> impl Iterator<Item = Result<Vec<u8>>> + '_ {
        let mut at = Some(from);
        std::iter::from_fn(move || match self.db.next(at?) {
            Ok(found) => {
                at = found.as_ref().map(|(seq, _)| seq + 1);
                found.map(|(_, leaf)| Ok(leaf))
            }
            Err(error) => {
                at = None;
                Some(Err(error))
            }
        })
    }

    /// The digest of the roster that the ledger last recorded.
    pub fn keyring_digest(&self) -> Result<Option<Digest>> {
        let bytes = self.db.meta("keyring")?;
        Ok(bytes.and_then(|b| b.try_into().ok()).map(Digest))
    }

    /// Appends an entry, or finds that it is there already, and syncs. Refuses another entry at the same place, and a gap.
    pub fn append(&self, seq: u64, leaf: &[u8]) -> Result<()> {
        let size = self.db.size()?;
        if seq < size {
            if self.db.leaf(seq)? == leaf {
                return Ok(());
            }
            return Err(Error::damage(
                "the ledger holds another entry than the catalogue at the same place",
                "One of the two databases was rolled back. Run `subrosa check` before anything else.",
            ));
        }
        if seq > size {
            return Err(Error::damage(
                "the ledger lacks entries that the catalogue has",
                "ledger.db was rolled back or replaced. Restore it from a backup, then run `subrosa check`.",
            ));
        }
        let keyring = keyring_of(leaf)?;
        let appending = self.db.begin()?;
        appending.add(seq, leaf)?;
        tiles::append(&[tree::leaf_hash(leaf)], size, &mut Growing(&appending))?;
        if let Some(digest) = keyring {
            appending.set_meta("keyring", &digest.0)?;
        }
        appending.commit()
    }
}

/// The digest of the roster that an entry records, if it does. An entry of a large ingest is megabytes of events, so it is read only if it may have such
/// an event: within a JSON string these quotes would have backslashes before them.
fn keyring_of(leaf: &[u8]) -> Result<Option<Digest>> {
    let text = std::str::from_utf8(leaf).ok().filter(|_| Entry::time_of(leaf).is_some());
    let text = text.ok_or_else(|| Error::damage("the outbox holds what is no entry", "Run `subrosa check`."))?;
    if !text.contains(r#""event":"keyring""#) {
        return Ok(None);
    }
    let mut events = Entry::parse(leaf)?.draft.events.into_iter().rev();
    Ok(events.find_map(|e| if let Event::Keyring { digest, .. } = e { Some(digest) } else { None }))
}

/// The tiles of the tree, for reading.
struct Stored<'c>(&'c LedgerDb);

impl TileStore for Stored<'_> {
    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>> {
        self.0.tile(level, index)
    }

    fn put_tile(&mut self, _level: u8, _index: u64, _data: &[u8]) -> Result<()> {
        Err(Error::bug("a tile is written outside a transaction"))
    }
}

/// The tiles of the tree, for appending.
struct Growing<'c>(&'c Appending<'c>);

impl TileStore for Growing<'_> {
    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>> {
        self.0.tile(level, index)
    }

    fn put_tile(&mut self, level: u8, index: u64, data: &[u8]) -> Result<()> {
        self.0.put_tile(level, index, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{PersonId, VaultId};
    use crate::crypto::sign::SigningSeed;
    use crate::ledger::entry::Draft;

    fn leaf(events: Vec<Event>) -> Vec<u8> {
        let draft = Draft {
            vault: VaultId::from_bytes([1; 16]),
            seq: 3,
            time: "2026-11-23T09:30:00Z".parse().unwrap(),
            root: Digest([9; 32]),
            command: "person add".into(),
            events,
        };
        let seed = SigningSeed::from_key(&Key::from_slice(&[7; 32]).unwrap());
        Entry::sign_to_bytes(draft, PersonId::from_bytes([2; 16]), &seed).unwrap()
    }

    #[test]
    fn a_keyring_is_found_in_its_event_and_nowhere_else() {
        let keyring = |n| Event::Keyring { version: 2, digest: Digest([n; 32]) };
        let words = Event::Denied { what: r#"{"event":"keyring"}"#.into(), reason: r#""event":"keyring""#.into() };
        assert_eq!(keyring_of(&leaf(vec![words.clone()])).unwrap(), None);
        assert_eq!(keyring_of(&leaf(vec![keyring(4), words, keyring(5)])).unwrap(), Some(Digest([5; 32])));
        let good = leaf(vec![keyring(4)]);
        assert!(keyring_of(&good[..good.len() - 1]).is_err());
        assert!(keyring_of(b"").is_err());
    }
}
