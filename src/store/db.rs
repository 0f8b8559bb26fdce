//! Opening a SQLCipher database with the vault's settings, and its migrations.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use zeroize::Zeroizing;

use crate::base::secret::Key;
use crate::base::{Error, Result};

/// One of the two databases of a vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `catalogue.db`.
    Catalogue,
    /// `ledger.db`.
    Ledger,
}

impl Kind {
    /// Its file name.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue.db",
            Self::Ledger => "ledger.db",
        }
    }

    /// What the raw key is derived for (docs/format.md, section 5).
    pub const fn info(self) -> &'static str {
        match self {
            Self::Catalogue => "subrosa/sqlcipher/catalogue/1",
            Self::Ledger => "subrosa/sqlcipher/ledger/1",
        }
    }

    /// How much of it is kept in memory at most, in KiB. The catalogue's rows lie in the order of random ids, so a large ingest comes back to its pages again and
    /// again; the ledger is written and read in order.
    const fn cache_kib(self) -> u32 {
        match self {
            Self::Catalogue => 24 << 10,
            Self::Ledger => 4 << 10,
        }
    }

    /// Every released schema, oldest first. Files in `schema/sql` never change once released.
    pub const fn migrations(self) -> &'static [&'static str] {
        match self {
            Self::Catalogue => &[include_str!("../../schema/sql/catalogue-0001.sql")],
            Self::Ledger => &[include_str!("../../schema/sql/ledger-0001.sql")],
        }
    }
}

/// Makes a new database. The file must not exist.
pub fn create(path: &Path, kind: Kind, key: &Key) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags).map_err(|e| failed(kind, &e))?;
    settings(&db, kind, key).map_err(|e| failed(kind, &e))?;
    migrate(&mut db, kind)?;
    Ok(db)
}

/// Opens a database with the first of `keys` that fits; says which one it was.
pub fn open(path: &Path, kind: Kind, keys: &[&Key]) -> Result<(Connection, usize)> {
    if !path.is_file() {
        return Err(Error::damage(
            format!("{} is missing from the vault", kind.file()),
            "Restore it from a backup; nothing was changed.",
        ));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut last = None;
    for (i, key) in keys.iter().enumerate() {
        let mut db = Connection::open_with_flags(path, flags).map_err(|e| failed(kind, &e))?;
        match settings(&db, kind, key) {
            Ok(()) => {
                migrate(&mut db, kind)?;
                return Ok((db, i));
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| Error::bug("a database is opened without a key"), |e| failed(kind, &e)))
}

/// Gives the database a new key. Durable when it returns, and under the old or the new key if interrupted.
pub fn rekey(db: &Connection, kind: Kind, key: &Key) -> Result<()> {
    let run = || -> rusqlite::Result<()> {
        db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;")?;
        db.execute_batch(&Zeroizing::new(format!("PRAGMA rekey = \"{}\";", *raw(key))))?;
        db.execute_batch("PRAGMA journal_mode = WAL;")
    };
    run().map_err(|e| failed(kind, &e))
}

/// The schema version of a database.
pub fn version(db: &Connection, kind: Kind) -> Result<usize> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|e| failed(kind, &e))?;
    usize::try_from(version)
        .map_err(|_| Error::damage("a database has a version that cannot be", "Run `subrosa check`."))
}

/// Whether every page has its right mac and every index agrees with its table.
pub fn is_sound(db: &Connection, kind: Kind) -> Result<bool> {
    let run = || -> rusqlite::Result<bool> {
        let mut pages = db.prepare("PRAGMA cipher_integrity_check")?;
        let damaged = pages.query_map([], |_| Ok(()))?.count();
        let quick: String = db.query_row("PRAGMA quick_check(1)", [], |r| r.get(0))?;
        Ok(damaged == 0 && quick == "ok")
    };
    run().map_err(|e| failed(kind, &e))
}

/// Turns an error of SQLite into words.
pub fn failed(kind: Kind, error: &rusqlite::Error) -> Error {
    let file = kind.file();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Error::damage(
            format!("{file} is damaged, or belongs to another vault"),
            "Restore it from a backup; `subrosa check` says what else is hurt. Nothing was changed.",
        ),
        Some(ErrorCode::DiskFull) => {
            Error::user(format!("the disk is full while writing {file}"), "Free some space and run the command again.")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => Error::user(
            format!("{file} cannot be written here"),
            "Check that you may write in the vault folder and that the disk is not read-only.",
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::user(
            format!("{file} is in use by another program"),
            "Wait until the other command has ended, then run yours again.",
        ),
        Some(ErrorCode::SystemIoFailure) => {
            Error::user(format!("the disk failed while using {file}"), "Check the disk, then run `subrosa check`.")
        }
        _ => match error {
            rusqlite::Error::QueryReturnedNoRows => Error::damage(
                format!("{file} lacks a row that it should have"),
                "Run `subrosa check` and restore the database from a backup.",
            ),
            _ => Error::bug(format!("{file} refused a query: {:?}", error.sqlite_error_code())),
        },
    }
}

fn settings(db: &Connection, kind: Kind, key: &Key) -> rusqlite::Result<()> {
    db.execute_batch("PRAGMA cipher_log_level = NONE;")?;
    db.execute_batch(&Zeroizing::new(format!("PRAGMA key = \"{}\";", *raw(key))))?;
    // SQLCipher locks and wipes its keys in any case. To lock and wipe every page as well (`cipher_memory_security`, off by default) took a quarter of
    // the time of an ingest; what pages say of people is sealed once more, under keys that SQLCipher does not know (docs/threat-model.md, section 3).
    db.execute_batch(&format!("PRAGMA cache_size = -{};", kind.cache_kib()))?;
    db.execute_batch(
        "PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA busy_timeout = 5000;",
    )?;
    let _: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    db.execute_batch("PRAGMA synchronous = FULL;")?;
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).map(drop)
}

fn migrate(db: &mut Connection, kind: Kind) -> Result<()> {
    let have = version(db, kind)?;
    let want = kind.migrations();
    if have > want.len() {
        return Err(Error::user(
            format!("{} was written by a newer version of Subrosa", kind.file()),
            "Install the newer version; this one leaves the vault untouched.",
        ));
    }
    for (number, sql) in want.iter().enumerate().skip(have) {
        let mut run = || -> rusqlite::Result<()> {
            let tx = db.transaction()?;
            tx.execute_batch(sql)?;
            tx.pragma_update(None, "user_version", number as i64 + 1)?;
            tx.commit()
        };
        run().map_err(|e| failed(kind, &e))?;
    }
    Ok(())
}

/// The raw-key literal of SQLCipher: no key derivation of its own.
fn raw(key: &Key) -> Zeroizing<String> {
    Zeroizing::new(format!("x'{}'", *Zeroizing::new(data_encoding::HEXLOWER.encode(key.expose()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_with_the_right_key_only_and_hides_everything() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalogue.db");
        let (key, other) = (Key::random().unwrap(), Key::random().unwrap());
        let db = create(&path, Kind::Catalogue, &key).unwrap();
        db.execute("INSERT INTO meta VALUES ('planted-name', x'00')", []).unwrap();
        drop(db);
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(12).any(|w| w == b"planted-name"));
        assert!(!bytes.starts_with(b"SQLite"));
        assert_eq!(open(&path, Kind::Catalogue, &[&other]).unwrap_err().kind(), crate::base::Kind::Damage);
        let (db, which) = open(&path, Kind::Catalogue, &[&other, &key]).unwrap();
        assert_eq!(which, 1);
        rekey(&db, Kind::Catalogue, &other).unwrap();
        drop(db);
        assert!(open(&path, Kind::Catalogue, &[&key]).is_err());
        assert!(open(&path, Kind::Catalogue, &[&other]).is_ok());
    }

    #[test]
    fn a_newer_database_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let key = Key::random().unwrap();
        create(&path, Kind::Ledger, &key).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = open(&path, Kind::Ledger, &[&key]).unwrap_err();
        assert!(error.what().contains("newer"), "{error:?}");
    }
}
