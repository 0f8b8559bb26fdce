//! The catalogue: governance records, and sealed rows about participants and items.
//!
//! A [`Reader`] reads. A [`Writer`] also writes; only a transaction gives one out ([`Catalogue::begin`]), so that no row changes
//! outside a commit. Every byte about a participant or an item crosses [`Cell`]: there is no way to write one in clear.

mod kinds;
mod pack;
mod read;
mod rows;
mod write;

use rusqlite::{Connection, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use zeroize::Zeroizing;

use super::db::{self, Kind, failed};
use crate::base::id::VaultId;
use crate::base::secret::Key;
use crate::base::{Error, Result};
use crate::crypto::seal;

pub use kinds::{RecordKind, TagKind};
pub use read::Reader;
pub use rows::{
    ConsentRow, InterviewHead, InterviewRow, ObjectRow, OutlineRow, ParticipantRow, RecordRow, TranscriptParts,
    TranscriptRow,
};
pub use write::Writer;

/// The catalogue database, open.
pub struct Catalogue {
    db: Connection,
    vault: VaultId,
}

/// A blind tag: its kind's number, the tag, and what it points to.
pub type Tag = (i64, [u8; 16], [u8; 16]);

/// A sealed column of one row: opens under its key only, and only as what it is.
pub struct Cell {
    vault: VaultId,
    place: Place,
    sealed: Vec<u8>,
}

/// Where a sealed column stands.
struct Place {
    table: &'static str,
    id: [u8; 16],
    column: &'static str,
}

impl Catalogue {
    /// Makes the database of a new vault.
    pub fn create(path: &Path, vault: VaultId, key: &Key) -> Result<Self> {
        Ok(Self { db: db::create(path, Kind::Catalogue, key)?, vault })
    }

    /// Opens it with the first of `keys` that fits; says which.
    pub fn open(path: &Path, vault: VaultId, keys: &[&Key]) -> Result<(Self, usize)> {
        let (db, which) = db::open(path, Kind::Catalogue, keys)?;
        Ok((Self { db, vault }, which))
    }

    /// Says that it is the right one ([`db::trust`]).
    pub fn trust(&self) -> Result<()> {
        db::trust(&self.db, Kind::Catalogue)
    }

    /// Gives it a new key.
    pub fn rekey(&self, key: &Key) -> Result<()> {
        db::rekey(&self.db, Kind::Catalogue, key)
    }

    /// For reading.
    pub fn reader(&self) -> Reader<'_> {
        Reader { db: &self.db, vault: self.vault }
    }

    /// Begins the one write transaction.
    pub fn begin(&self) -> Result<Writer<'_>> {
        self.db.execute_batch("BEGIN IMMEDIATE").map_err(sql)?;
        Ok(Writer { reader: self.reader(), done: false })
    }
}

impl Cell {
    /// Seals `body` for its place.
    fn seal<T: Serialize + ?Sized>(vault: VaultId, place: Place, key: &Key, body: &T) -> Result<Self> {
        let plain = serde_json::to_vec(body).map(Zeroizing::new);
        let mut plain = plain.map_err(|_| Error::bug("a row cannot be written as JSON"))?;
        if place.is_packed() {
            plain = pack::pack(&plain)?;
        }
        let sealed = seal::seal(key, &place.aad(vault), &plain)?;
        Ok(Self { vault, place, sealed })
    }

    /// What is in it.
    pub fn open<T: DeserializeOwned>(&self, key: &Key) -> Result<T> {
        let mut plain = seal::open(key, &self.place.aad(self.vault), &self.sealed)?;
        if self.place.is_packed() {
            plain = pack::unpack(&plain)?;
        }
        serde_json::from_slice(&plain).map_err(|_| {
            Error::damage("a row of the catalogue has an unknown form", "Use the version of Subrosa that wrote it.")
        })
    }
}

impl Place {
    /// Whether what stands there is deflated before it is sealed.
    fn is_packed(&self) -> bool {
        matches!((self.table, self.column), ("transcript", "outline" | "turns"))
    }

    fn aad(&self, vault: VaultId) -> Vec<u8> {
        let id = data_encoding::HEXLOWER.encode(&self.id);
        format!("subrosa/row/1\n{vault}\n{}\n{id}\n{}", self.table, self.column).into_bytes()
    }
}

fn blob(row: &Row<'_>, column: usize) -> Result<Vec<u8>> {
    row.get(column).map_err(sql)
}

fn number(seq: u64) -> Result<i64> {
    i64::try_from(seq).map_err(|_| Error::bug("a sequence number is too large"))
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn sql(error: rusqlite::Error) -> Error {
    failed(Kind::Catalogue, &error)
}
