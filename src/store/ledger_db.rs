//! The ledger's storage: entries, the tree's tiles and the checkpoints, in `ledger.db`. Bytes only: what they mean is `ledger`'s business,
//! and `session` brings the two together.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::db::{self, Kind, failed};
use crate::base::secret::Key;
use crate::base::{Error, Result};

/// The ledger database, open.
pub struct LedgerDb {
    db: Connection,
}

/// A transaction that appends. Rolled back unless [`Appending::commit`] is called.
pub struct Appending<'c> {
    db: &'c LedgerDb,
    done: bool,
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

    /// Says that it is the right one ([`db::trust`]).
    pub fn trust(&self) -> Result<()> {
        db::trust(&self.db, Kind::Ledger)
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

    /// One entry's bytes.
    pub fn leaf(&self, seq: u64) -> Result<Vec<u8>> {
        let mut query = self.db.prepare_cached("SELECT leaf FROM entry WHERE seq = ?1").map_err(sql)?;
        let leaf = query.query_row([number(seq)?], |r| r.get(0)).optional().map_err(sql)?;
        leaf.ok_or_else(|| Error::damage("an entry of the ledger is missing", "Run `subrosa audit verify`."))
    }

    /// The first entry at or after `from`: its number and bytes.
    pub fn next(&self, from: u64) -> Result<Option<(u64, Vec<u8>)>> {
        let text = "SELECT seq, leaf FROM entry WHERE seq >= ?1 ORDER BY seq LIMIT 1";
        let mut query = self.db.prepare_cached(text).map_err(sql)?;
        let row = query.query_row([number(from)?], |r| Ok((r.get::<_, i64>(0)?, r.get(1)?))).optional().map_err(sql)?;
        Ok(row.map(|(seq, leaf)| (seq.unsigned_abs(), leaf)))
    }

    /// Calls `each` with the number and bytes of every entry from `from` on, in order.
    pub fn each(&self, from: u64, mut each: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        let text = "SELECT seq, leaf FROM entry WHERE seq >= ?1 ORDER BY seq";
        let mut query = self.db.prepare_cached(text).map_err(sql)?;
        let mut rows = query.query([number(from)?]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let seq: i64 = row.get(0).map_err(sql)?;
            let leaf = row.get_ref(1).map_err(sql)?;
            each(seq.unsigned_abs(), leaf.as_blob().map_err(|_| Error::bug("an entry is not a blob"))?)?;
        }
        Ok(())
    }

    /// A tile of the tree.
    pub fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>> {
        let mut query = self.db.prepare_cached("SELECT data FROM tile WHERE level = ?1 AND idx = ?2").map_err(sql)?;
        query.query_row(params![level, number(index)?], |r| r.get(0)).optional().map_err(sql)
    }

    /// How many tiles there are.
    pub fn tile_count(&self) -> Result<u64> {
        let count: i64 = self.db.query_row("SELECT count(*) FROM tile", [], |r| r.get(0)).map_err(sql)?;
        Ok(count.unsigned_abs())
    }

    /// Calls `each` with the size and the note of every checkpoint that is kept, smallest first.
    pub fn each_checkpoint(&self, mut each: impl FnMut(u64, &str) -> Result<()>) -> Result<()> {
        let mut query = self.db.prepare_cached("SELECT size, note FROM checkpoint ORDER BY size").map_err(sql)?;
        let mut rows = query.query([]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let (size, note): (i64, String) = (row.get(0).map_err(sql)?, row.get(1).map_err(sql)?);
            each(size.unsigned_abs(), &note)?;
        }
        Ok(())
    }

    /// The newest checkpoint that was signed, with its size.
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

    /// The newest checkpoint over fewer than `size` entries.
    pub fn checkpoint_before(&self, size: u64) -> Result<Option<(u64, String)>> {
        let text = "SELECT size, note FROM checkpoint WHERE size < ?1 ORDER BY size DESC LIMIT 1";
        let mut query = self.db.prepare_cached(text).map_err(sql)?;
        let row = query.query_row([number(size)?], |r| Ok((r.get::<_, i64>(0)?, r.get(1)?))).optional().map_err(sql)?;
        Ok(row.map(|(size, note)| (size.unsigned_abs(), note)))
    }

    /// Keeps a checkpoint; a note for the same size is replaced (it may carry more cosignatures).
    pub fn keep_checkpoint(&self, size: u64, note: &str) -> Result<()> {
        let text = "INSERT INTO checkpoint VALUES (?1, ?2) ON CONFLICT DO UPDATE SET note = ?2";
        self.db.execute(text, params![number(size)?, note]).map(drop).map_err(sql)
    }

    /// A small value by name.
    pub fn meta(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let text = "SELECT value FROM meta WHERE name = ?1";
        self.db.query_row(text, [name], |r| r.get(0)).optional().map_err(sql)
    }

    /// Begins to append.
    pub fn begin(&self) -> Result<Appending<'_>> {
        self.db.execute_batch("BEGIN IMMEDIATE").map_err(sql)?;
        Ok(Appending { db: self, done: false })
    }
}

impl std::ops::Deref for Appending<'_> {
    type Target = LedgerDb;
    fn deref(&self) -> &LedgerDb {
        self.db
    }
}

impl Appending<'_> {
    /// Adds an entry at its place.
    pub fn add(&self, seq: u64, leaf: &[u8]) -> Result<()> {
        let mut statement = self.db.db.prepare_cached("INSERT INTO entry VALUES (?1, ?2)").map_err(sql)?;
        statement.execute(params![number(seq)?, leaf]).map(drop).map_err(sql)
    }

    /// Writes a tile.
    pub fn put_tile(&self, level: u8, index: u64, data: &[u8]) -> Result<()> {
        let text = "INSERT INTO tile VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET data = ?3";
        let mut statement = self.db.db.prepare_cached(text).map_err(sql)?;
        statement.execute(params![level, number(index)?, data]).map(drop).map_err(sql)
    }

    /// Sets a small value.
    pub fn set_meta(&self, name: &str, value: &[u8]) -> Result<()> {
        let text = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2";
        self.db.db.execute(text, params![name, value]).map(drop).map_err(sql)
    }

    /// Makes it durable.
    pub fn commit(mut self) -> Result<()> {
        self.db.db.execute_batch("COMMIT").map_err(sql)?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Appending<'_> {
    fn drop(&mut self) {
        if !self.done {
            // Nothing was committed; SQLite also rolls back by itself when the connection closes.
            let _ = self.db.db.execute_batch("ROLLBACK");
        }
    }
}

fn number(n: u64) -> Result<i64> {
    i64::try_from(n).map_err(|_| Error::bug("a sequence number is too large"))
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn sql(error: rusqlite::Error) -> Error {
    failed(Kind::Ledger, &error)
}
