//! What a house holds: every byte of its files, and every row of its catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use subrosa::base::secret::Key;
use subrosa::crypto::keyring::Compartment;
use subrosa::crypto::seal;

use crate::house::House;

/// Every file under a folder by its digest, every other thing by its kind.
pub(crate) fn snapshot(dir: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, dir: &Path, out: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let kind = meta.file_type();
            let what = if kind.is_dir() {
                walk(root, &path, out);
                "folder".to_owned()
            } else if kind.is_symlink() {
                format!("link {}", fs::read_link(&path).unwrap().display())
            } else if kind.is_fifo() || kind.is_char_device() || kind.is_socket() {
                "pipe, socket or device".to_owned()
            } else {
                // What its owner may not read either is told by its mode.
                fs::read(&path).map_or_else(
                    |_| format!("closed, {:o}", meta.mode()),
                    |bytes| blake3::hash(&bytes).to_hex().to_string(),
                )
            };
            out.insert(path.strip_prefix(root).unwrap().display().to_string(), what);
        }
    }
    let mut out = BTreeMap::new();
    walk(dir, dir, &mut out);
    out
}

/// What differs between two snapshots. A folder for what a person has seen is made before anything else, and says nothing while it is empty.
pub(crate) fn differences(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let empty = |n: &str| n.ends_with(".state") && after.get(n).is_some_and(|what| what == "folder");
    let differ = names.into_iter().filter(|n| before.get(*n) != after.get(*n) && !empty(n));
    differ
        .map(|n| match (before.get(n), after.get(n)) {
            (None, _) => format!("{n} came"),
            (_, None) => format!("{n} went"),
            _ => format!("{n} changed"),
        })
        .collect()
}

/// A database of the house, opened with the stewards' keys.
pub(crate) fn open_database(house: &House, which: &str) -> rusqlite::Connection {
    let vault = house.unlock("ada");
    let name = if which == "ledger" { Compartment::Ledger } else { Compartment::Catalogue };
    let key = vault.held(name).first().map(|k| Key::from_slice(k.expose()).unwrap()).unwrap();
    let raw = seal::derive(&key, vault.layout().vault().as_bytes(), &format!("subrosa/sqlcipher/{which}/1")).unwrap();
    drop(vault);
    let db = rusqlite::Connection::open(house.path(&format!("vault/{which}.db"))).unwrap();
    let hex = data_encoding::HEXLOWER.encode(raw.expose());
    db.execute_batch(&format!("PRAGMA key = \"x'{hex}'\";")).unwrap();
    db
}

/// Everything that the catalogue says, the outbox aside, table by table; and how many entries the ledger has.
pub(crate) fn content(house: &House, who: &str) -> (BTreeMap<String, Vec<String>>, u64) {
    let size = house.unlock(who).log().head().unwrap().size;
    let db = open_database(house, "catalogue");
    let mut tables = BTreeMap::new();
    let names: Vec<String> = {
        let mut found = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'outbox'").unwrap();
        found.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
    };
    for name in names {
        let but = if name == "meta" { " WHERE name <> 'entries'" } else { "" };
        let mut rows = db.prepare(&format!("SELECT * FROM {name}{but}")).unwrap();
        let width = rows.column_count();
        let text = |r: &rusqlite::Row<'_>| {
            Ok((0..width).map(|i| format!("{:?}", r.get_ref(i).unwrap())).collect::<Vec<_>>().join("|"))
        };
        tables.insert(name, rows.query_map([], text).unwrap().map(Result::unwrap).collect());
    }
    (tables, size)
}
