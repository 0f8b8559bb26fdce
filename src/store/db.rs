//! Opening a SQLCipher database with the vault's settings, and its migrations.

use std::path::Path;

use rusqlite::config::DbConfig;
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

/// The size of a database with nothing in it: one page.
const SMALLEST: u64 = 4096;

/// Makes a new database. The file must not exist.
pub fn create(path: &Path, kind: Kind, key: &Key) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags).map_err(|e| failed(kind, &e))?;
    settings(&db, kind, key).map_err(|e| failed(kind, &e))?;
    migrate(&mut db, kind)?;
    Ok(db)
}

/// Opens a database with the first of `keys` that fits; says which one it was. Until [`trust`] is called, closing it leaves the write-ahead log
/// as it was found: a log that is hurt reads as a shorter one, and would be gone with what can still be had of it.
pub fn open(path: &Path, kind: Kind, keys: &[&Key]) -> Result<(Connection, usize)> {
    if !path.is_file() {
        return Err(Error::damage(
            format!("{} is missing from the vault", kind.file()),
            "Restore it from a backup; nothing was changed.",
        ));
    }
    // An empty file would pass for a new database, and be filled.
    if std::fs::metadata(path).is_ok_and(|meta| meta.len() < SMALLEST) {
        return Err(corrupt(kind));
    }
    std::fs::OpenOptions::new().write(true).open(path).map_err(|_| read_only(kind))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Until it is known to be the right one, nothing that a log beside it holds goes into it; without one there is nothing to keep.
    let keep = log_of(path).is_some();
    let mut last = None;
    for (i, key) in keys.iter().enumerate() {
        let mut db = Connection::open_with_flags(path, flags).map_err(|e| failed(kind, &e))?;
        keep_log(&db, keep).map_err(|e| failed(kind, &e))?;
        match settings(&db, kind, key) {
            Ok(()) if version(&db, kind)? == 0 => return Err(corrupt(kind)),
            Ok(()) => {
                migrate(&mut db, kind)?;
                return Ok((db, i));
            }
            // A key that does not fit shows in what is read; a disk that fails says nothing about the key.
            Err(error) if disk_failed(&error) => return Err(failed(kind, &error)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| Error::bug("a database is opened without a key"), |e| failed(kind, &e)))
}

/// Says that the database is the right one: closing it brings the write-ahead log into it.
pub fn trust(db: &Connection, kind: Kind) -> Result<()> {
    keep_log(db, false).map_err(|e| failed(kind, &e))
}

/// Gives the database a new key. Durable when it returns, and under the old or the new key if interrupted.
pub fn rekey(db: &Connection, kind: Kind, key: &Key) -> Result<()> {
    let run = || -> rusqlite::Result<()> {
        db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;")?;
        db.execute_batch(&Zeroizing::new(format!("PRAGMA rekey = \"{}\";", *raw(key))))?;
        db.execute_batch("PRAGMA journal_mode = WAL;")
    };
    // SQLCipher tells a disk that fails meanwhile as an error of its own, without saying which.
    run().map_err(|e| match e.sqlite_error_code() {
        Some(ErrorCode::Unknown) => Error::user(
            format!("the disk failed or is full while {} was given its new key", kind.file()),
            "Free some space and check the disk; nothing is lost.",
        ),
        _ => failed(kind, &e),
    })
}

/// The schema version of a database.
pub fn version(db: &Connection, kind: Kind) -> Result<usize> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|e| failed(kind, &e))?;
    usize::try_from(version)
        .map_err(|_| Error::damage("a database has a version that cannot be", "Run `subrosa check`."))
}

/// Whether every page has its right mac and every index agrees with its table. Opens the database apart: a page that does not open makes a
/// connection useless for everything else. Unless the database is `trusted` (see [`trust`]) nothing is written, and where a log lies beside it the pages
/// are looked at as they are read through it.
pub fn is_sound(path: &Path, kind: Kind, keys: &[&Key], trusted: bool) -> Result<bool> {
    let logged = log_of(path).is_some_and(|length| length > 0);
    let (db, _) = open(path, kind, keys)?;
    let run = || -> rusqlite::Result<bool> {
        // The check of macs reads the file itself, in which a crash may have left pages half written that are whole in the log.
        let apart = if trusted {
            db.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get::<_, bool>(0))?
        } else {
            logged
        };
        let mut pages = db.prepare("PRAGMA cipher_integrity_check")?;
        let damaged = if apart { 0 } else { pages.query_map([], |_| Ok(()))?.count() };
        let quick: String = db.query_row("PRAGMA quick_check(1)", [], |r| r.get(0))?;
        Ok(damaged == 0 && quick == "ok")
    };
    match run().map_err(|e| failed(kind, &e)) {
        Err(error) if error.kind() == crate::base::Kind::Damage => Ok(false),
        sound => sound,
    }
}

/// Turns an error of SQLite into words.
pub fn failed(kind: Kind, error: &rusqlite::Error) -> Error {
    let file = kind.file();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => corrupt(kind),
        // What SQLite sees when SQLCipher cannot open a page in the middle of a change.
        Some(ErrorCode::OutOfMemory) => Error::damage(
            format!("a part of {file} cannot be read: it is damaged, or there was no memory left"),
            "`subrosa check` says what is hurt; restore it from a backup. Nothing was changed.",
        ),
        Some(ErrorCode::DiskFull) => {
            Error::user(format!("the disk is full while writing {file}"), "Free some space and run the command again.")
        }
        Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => read_only(kind),
        // SQLCipher writes nothing more after a page that did not open. That the file can be written was seen when it was opened.
        Some(ErrorCode::ReadOnly) => Error::damage(
            format!("{file} can no longer be written: a part of it is damaged"),
            "`subrosa check` says what is hurt; restore it from a backup. If it finds nothing, see whether the disk has become read-only.",
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::user(
            format!("{file} is in use by another program"),
            "Wait until the other command has ended, then run yours again.",
        ),
        Some(ErrorCode::SystemIoFailure) => Error::user(
            format!("the disk failed or is full while using {file}"),
            "Free some space and check the disk, then run `subrosa check`.",
        ),
        _ => match error {
            rusqlite::Error::QueryReturnedNoRows => Error::damage(
                format!("{file} lacks a row that it should have"),
                "Run `subrosa check` and restore the database from a backup.",
            ),
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => Error::damage(
                format!("{file} holds a value that cannot be"),
                "Run `subrosa check`, which says where, and restore the database from a backup.",
            ),
            _ => Error::bug(format!("{file} refused a query: {:?}", error.sqlite_error_code())),
        },
    }
}

fn read_only(kind: Kind) -> Error {
    Error::user(
        format!("{} cannot be written here", kind.file()),
        "Check that you may write in the vault folder and that the disk is not read-only.",
    )
}

/// The length of the write-ahead log beside a database, if there is one.
fn log_of(path: &Path) -> Option<u64> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).ok().map(|meta| meta.len())
}

fn keep_log(db: &Connection, keep: bool) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
}

fn corrupt(kind: Kind) -> Error {
    Error::damage(
        format!("{} is damaged, or belongs to another vault", kind.file()),
        "Restore it from a backup; `subrosa check` says what else is hurt. Nothing was changed.",
    )
}

/// Whether the disk or the system is to blame, whatever is in the file.
fn disk_failed(error: &rusqlite::Error) -> bool {
    use ErrorCode as E;
    let code = error.sqlite_error_code();
    code.is_some_and(|code| {
        matches!(
            code,
            E::SystemIoFailure | E::DiskFull | E::CannotOpen | E::ReadOnly | E::PermissionDenied | E::DatabaseBusy
        )
    })
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
    fn an_emptied_database_is_damage_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalogue.db");
        let key = Key::random().unwrap();
        for bytes in [vec![], vec![0; 100], vec![0; 4096]] {
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(open(&path, Kind::Catalogue, &[&key]).unwrap_err().kind(), crate::base::Kind::Damage);
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
        std::fs::remove_file(&path).unwrap();
        drop(
            Connection::open(&path)
                .unwrap()
                .execute_batch(&format!("PRAGMA key = \"{}\"; CREATE TABLE x (y);", *raw(&key))),
        );
        assert_eq!(open(&path, Kind::Catalogue, &[&key]).unwrap_err().kind(), crate::base::Kind::Damage);
    }

    #[test]
    fn a_turned_bit_is_damage_wherever_it_stands() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalogue.db");
        let key = Key::random().unwrap();
        let db = create(&path, Kind::Catalogue, &key).unwrap();
        db.execute("INSERT INTO meta VALUES ('a', zeroblob(100000))", []).unwrap();
        drop(db);
        let whole = std::fs::read(&path).unwrap();
        let mut found = 0;
        for at in (100..whole.len()).step_by(4096) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            let read = open(&path, Kind::Catalogue, &[&key]).and_then(|(db, _)| {
                let all = db.query_row("SELECT sum(length(hex(value))) FROM meta", [], |r| r.get::<_, i64>(0));
                assert!(!is_sound(&path, Kind::Catalogue, &[&key], true)?, "byte {at}");
                // After a page that did not open nothing more is written.
                if all.is_err() {
                    let begun = db.execute_batch("BEGIN IMMEDIATE; INSERT INTO meta VALUES ('b', x'00'); COMMIT;");
                    let error = failed(Kind::Catalogue, &begun.unwrap_err());
                    assert_eq!(error.kind(), crate::base::Kind::Damage, "byte {at}: {error:?}");
                }
                all.map_err(|e| failed(Kind::Catalogue, &e))
            });
            if let Err(error) = read {
                assert_eq!(error.kind(), crate::base::Kind::Damage, "byte {at}: {error:?}");
                found += 1;
            }
        }
        assert!(found > 5);
        std::fs::write(&path, []).unwrap();
        assert_eq!(open(&path, Kind::Catalogue, &[&key]).unwrap_err().kind(), crate::base::Kind::Damage);
        assert_eq!(std::fs::read(&path).unwrap(), b"");
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
