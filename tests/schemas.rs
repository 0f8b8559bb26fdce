//! Released schemas never change, and a database brought through all migrations is like a fresh one.

#![expect(clippy::unwrap_used, reason = "a test that panics fails")]

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use subrosa::base::secret::Key;
use subrosa::store::db::{self, Kind};

/// The SHA-256 of every released file of `schema/sql`, in the order in which they are applied. Vaults were made with these: a change of a
/// schema is a new file with the next number, and a new line here. (Until the first release a line may be brought up to date instead.)
const FROZEN: [(Kind, &str, &str); 2] = [
    (Kind::Catalogue, "catalogue-0001.sql", "eace7c3a747038f0b7448a6aad4fe5ae2787bedc7c705705f09ac14e7fbe05d5"),
    (Kind::Ledger, "ledger-0001.sql", "5e7c7215f56ad7c44a81ddb53a6b872f048858bcaa4134c114aaba3c49795cb5"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/sql")
}

#[test]
fn released_schemas_are_frozen() {
    for (kind, name, digest) in FROZEN {
        let sql = fs::read_to_string(folder().join(name)).unwrap();
        let found = HEXLOWER.encode(&Sha256::digest(&sql));
        assert_eq!(found, digest, "{name} has changed: vaults made with it exist, so add a new migration instead");
        let applied = kind.migrations().contains(&sql.as_str());
        assert!(applied, "{name} is not among the migrations of {}", kind.file());
    }
}

#[test]
fn every_schema_is_released_and_applied_in_order() {
    let mut files: Vec<_> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let mut frozen: Vec<_> = FROZEN.iter().map(|(_, name, _)| (*name).to_owned()).collect();
    frozen.sort();
    assert_eq!(files, frozen, "schema/sql and the table here differ");
    for kind in [Kind::Catalogue, Kind::Ledger] {
        let texts: Vec<_> = FROZEN
            .iter()
            .filter(|(of, ..)| *of == kind)
            .map(|(_, name, _)| fs::read_to_string(folder().join(name)).unwrap())
            .collect();
        assert_eq!(kind.migrations(), texts, "the migrations of {} are in another order", kind.file());
    }
}

#[test]
fn migrated_is_like_fresh() {
    let dir = tempfile::tempdir().unwrap();
    let key = Key::random().unwrap();
    for kind in [Kind::Catalogue, Kind::Ledger] {
        let fresh = db::create(&dir.path().join(kind.file()), kind, &key).unwrap();
        let newest = kind.migrations().len();
        assert_eq!(db::version(&fresh, kind).unwrap(), newest);
        for from in 1..=newest {
            let path = dir.path().join(format!("{from}-{}", kind.file()));
            released(&path, &key, &kind.migrations()[..from]);
            let (migrated, _) = db::open(&path, kind, &[&key]).unwrap();
            assert_eq!(db::version(&migrated, kind).unwrap(), newest);
            assert!(db::is_sound(&path, kind, &[&key], true).unwrap());
            assert_eq!(shape(&migrated), shape(&fresh), "{} from version {from} on", kind.file());
        }
    }
}

#[test]
fn every_table_is_strict() {
    let dir = tempfile::tempdir().unwrap();
    let key = Key::random().unwrap();
    for kind in [Kind::Catalogue, Kind::Ledger] {
        let db = db::create(&dir.path().join(kind.file()), kind, &key).unwrap();
        let mut query = db.prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0").unwrap();
        let loose: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect();
        assert!(loose.iter().all(|name| name.starts_with("sqlite_")), "{loose:?}");
    }
}

/// A database as the release that knew these migrations left it.
fn released(path: &Path, key: &Key, migrations: &[&str]) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(&format!("PRAGMA key = \"x'{}'\";", HEXLOWER.encode(key.expose()))).unwrap();
    for sql in migrations {
        db.execute_batch(sql).unwrap();
    }
    db.pragma_update(None, "user_version", migrations.len() as i64).unwrap();
}

/// Every table, index, view and trigger with its columns; neither spaces nor the order of making count.
fn shape(db: &Connection) -> Vec<(String, String, Vec<String>)> {
    let mut query = db.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name").unwrap();
    let rows: Vec<(String, String, String)> = query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(|row| row.unwrap())
        .collect();
    rows.into_iter()
        .map(|(of, name, sql)| {
            let mut columns = db
                .prepare("SELECT name || '|' || type || '|' || \"notnull\" || '|' || pk || '|' || coalesce(dflt_value, '') FROM pragma_table_xinfo(?1)")
                .unwrap();
            let columns = columns.query_map([&name], |row| row.get(0)).unwrap().map(|column| column.unwrap()).collect();
            (format!("{of} {name}"), sql.split_whitespace().collect::<Vec<_>>().join(" "), columns)
        })
        .collect()
}
