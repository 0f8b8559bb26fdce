//! The ledger's storage: entries, the tree's tiles and the checkpoints, in `ledger.db`.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::db::{self, Kind, failed};
use crate::base::secret::Key;
use crate::base::time::Moment;
use crate::base::{Error, Result};
use crate::ledger::entry::Entry;
use crate::ledger::event::{Digest, Event};
use crate::ledger::tiles::{self, TileStore};

/// The ledger database, open.
pub struct LedgerDb {
    db: Connection,
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

impl LedgerDb {
    /// Makes the database of a new vault.
    pub fn create(path: &Path, key: &Key) -> Result<Self> {
        Ok(Self { db: db::create(path, Kind::Ledger, key)? })
    }

    /// Opens it with the first of `keys` that fits; says which.
    pub fn open(path: &Path, keys: &[&Key]) -> Result<(Self, usize)> {
        let (db, which) = db::open(path, Kind::Ledger, keys)?;
        Ok((Self { db }, which))
    }

    /// Gives it a new key.
    pub fn rekey(&self, key: &Key) -> Result<()> {
        db::rekey(&self.db, Kind::Ledger, key)
    }

    /// How many entries there are.
    pub fn size(&self) -> Result<u64> {
        let last: Option<i64> = self.db.query_row("SELECT max(seq) FROM entry", [], |r| r.get(0)).map_err(sql)?;
        Ok(last.map_or(0, |seq| seq.unsigned_abs() + 1))
    }

    /// Size, root and time of the last entry, by reading O(log n).
    pub fn head(&self) -> Result<Head> {
        let size = self.size()?;
        let time = match size {
            0 => None,
            _ => Some(self.entry(size - 1)?.time),
        };
        Ok(Head { size, root: tiles::root(size, &Tiles(&self.db))?, time })
    }

    /// The root over the first `size` entries.
    pub fn root(&self, size: u64) -> Result<Digest> {
        tiles::root(size, &Tiles(&self.db))
    }

    /// The proof that entry `index` is in the tree of `size` entries.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Digest>> {
        tiles::inclusion(index, size, &Tiles(&self.db))
    }

    /// The proof that the tree of `new` entries begins with that of `old`.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>> {
        tiles::consistency(old, new, &Tiles(&self.db))
    }

    /// One entry, parsed.
    pub fn entry(&self, seq: u64) -> Result<Entry> {
        Entry::parse(&self.leaf(seq)?)
    }

    /// One entry's bytes.
    pub fn leaf(&self, seq: u64) -> Result<Vec<u8>> {
        let mut query = self.db.prepare_cached("SELECT leaf FROM entry WHERE seq = ?1").map_err(sql)?;
        let leaf = query.query_row([number(seq)?], |r| r.get(0)).optional().map_err(sql)?;
        leaf.ok_or_else(|| Error::damage("an entry of the ledger is missing", "Run `subrosa audit verify`."))
    }

    /// Calls `each` with the bytes of every entry from `from` on, in order.
    pub fn each(&self, from: u64, mut each: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        let mut query = self.db.prepare_cached("SELECT seq, leaf FROM entry WHERE seq >= ?1 ORDER BY seq").map_err(sql)?;
        let mut rows = query.query([number(from)?]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let seq: i64 = row.get(0).map_err(sql)?;
            let leaf = row.get_ref(1).map_err(sql)?;
            each(seq.unsigned_abs(), leaf.as_blob().map_err(|_| Error::bug("an entry is not a blob"))?)?;
        }
        Ok(())
    }

    /// Appends an entry, or finds that it is there already, and syncs. Refuses another entry at the same place, and a gap.
    pub fn append(&mut self, seq: u64, leaf: &[u8]) -> Result<()> {
        let size = self.size()?;
        if seq < size {
            if self.leaf(seq)? == leaf {
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
        let entry = Entry::parse(leaf)?;
        let tx = self.db.transaction().map_err(sql)?;
        tx.execute("INSERT INTO entry VALUES (?1, ?2)", params![number(seq)?, leaf]).map_err(sql)?;
        tiles::append(&[crate::ledger::tree::leaf_hash(leaf)], size, &mut Tiles(&tx))?;
        for event in &entry.events {
            if let Event::Keyring { digest, .. } = event {
                set_meta(&tx, "keyring", &digest.0)?;
            }
        }
        tx.commit().map_err(sql)
    }

    /// The digest of the roster that the ledger last recorded.
    pub fn keyring_digest(&self) -> Result<Option<Digest>> {
        let bytes = self.meta("keyring")?;
        Ok(bytes.and_then(|b| b.try_into().ok()).map(Digest))
    }

    /// The newest checkpoint that was signed.
    pub fn checkpoint(&self) -> Result<Option<(u64, String)>> {
        let text = "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1";
        let row = self.db.query_row(text, [], |r| Ok((r.get::<_, i64>(0)?, r.get(1)?))).optional().map_err(sql)?;
        Ok(row.map(|(size, note)| (size.unsigned_abs(), note)))
    }

    /// The checkpoint over exactly `size` entries, if one was signed.
    pub fn checkpoint_at(&self, size: u64) -> Result<Option<String>> {
        let mut query = self.db.prepare_cached("SELECT note FROM checkpoint WHERE size = ?1").map_err(sql)?;
        query.query_row([number(size)?], |r| r.get(0)).optional().map_err(sql)
    }

    /// Keeps a checkpoint; a note for the same size is replaced (it may carry more cosignatures).
    pub fn keep_checkpoint(&self, size: u64, note: &str) -> Result<()> {
        let text = "INSERT INTO checkpoint VALUES (?1, ?2) ON CONFLICT DO UPDATE SET note = ?2";
        self.db.execute(text, params![number(size)?, note]).map(drop).map_err(sql)
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let text = "SELECT value FROM meta WHERE name = ?1";
        self.db.query_row(text, [name], |r| r.get(0)).optional().map_err(sql)
    }
}

/// The tiles of the tree, for the log mathematics.
struct Tiles<'c>(&'c Connection);

impl TileStore for Tiles<'_> {
    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>> {
        let mut query = self.0.prepare_cached("SELECT data FROM tile WHERE level = ?1 AND idx = ?2").map_err(sql)?;
        query.query_row(params![level, number(index)?], |r| r.get(0)).optional().map_err(sql)
    }

    fn put_tile(&mut self, level: u8, index: u64, data: &[u8]) -> Result<()> {
        let text = "INSERT INTO tile VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET data = ?3";
        let mut statement = self.0.prepare_cached(text).map_err(sql)?;
        statement.execute(params![level, number(index)?, data]).map(drop).map_err(sql)
    }
}

fn set_meta(db: &Connection, name: &str, value: &[u8]) -> Result<()> {
    let text = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2";
    db.execute(text, params![name, value]).map(drop).map_err(sql)
}

fn number(n: u64) -> Result<i64> {
    i64::try_from(n).map_err(|_| Error::bug("a sequence number is too large"))
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn sql(error: rusqlite::Error) -> Error {
    failed(Kind::Ledger, &error)
}
