//! What crashes left that was once told as damage. The crashes themselves are tried by the package in `trials/` (docs/trials.md).

#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

mod common;

use std::fs;

use common::{enrol, found, person, unlock};
use subrosa::base::id::VaultId;
use subrosa::base::progress::Silent;
use subrosa::base::role::Role;
use subrosa::base::secret::Key;
use subrosa::ops::check::{self, Options};
use subrosa::store::catalogue::Catalogue;
use subrosa::store::db;

const DAY: &str = "2026-02-01T00:00:00Z";

/// An enrolment that was killed after the key file was written: the vault is as before, and sound, and the enrolment can be done again.
#[test]
fn keys_of_sites_without_an_archivist_are_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (ada, ben) = (person("Ada"), person("Ben"));
    found(dir, &ada, vec![]);
    drop(unlock(dir, &ada, DAY).unwrap());
    let names = ["catalogue.db", "ledger.db", "keyring.json", "vault.card"];
    let before: Vec<_> = names.iter().map(|name| fs::read(dir.join("vault").join(name)).unwrap()).collect();
    let seen = dir.join("Ada.state");
    let kept = dir.join("kept");
    fs::rename(&seen, &kept).unwrap();
    enrol(&mut unlock(dir, &ada, DAY).unwrap(), &ben, Role::Archivist);
    // Everything but the key file goes back to what it was.
    names.iter().zip(before).for_each(|(name, bytes)| fs::write(dir.join("vault").join(name), bytes).unwrap());
    fs::remove_dir_all(&seen).unwrap();
    fs::rename(&kept, &seen).unwrap();

    let mut vault = unlock(dir, &ada, DAY).unwrap();
    let report = check::check(&mut vault, Options::default(), &Silent).unwrap();
    assert!(report.sound, "{:?}", report.faults);
    assert!(report.notices.iter().any(|n| n.contains("left over from an enrolment")), "{:?}", report.notices);
    enrol(&mut vault, &ben, Role::Archivist);
    drop(vault);
    let report = check::check(&mut unlock(dir, &ben, DAY).unwrap(), Options::default(), &Silent).unwrap();
    assert!(report.sound && report.unseen.is_empty(), "{:?} {:?}", report.faults, report.unseen);
}

/// A checkpoint of SQLite that was killed leaves half a page in the database; the whole one is in its log.
#[test]
fn a_page_half_written_that_the_log_still_has_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (vault, key) = (VaultId::random().unwrap(), Key::random().unwrap());
    drop(Catalogue::create(&path("a.db"), vault, &key).unwrap());
    let (open, _) = Catalogue::open(&path("a.db"), vault, &[&key]).unwrap();
    let writer = open.begin().unwrap();
    writer.set_meta("filling", &[7; 30_000]).unwrap();
    writer.commit().unwrap();
    // A copy as the machine would leave it: the log whole, the database with the first half of a new page at its end.
    fs::copy(path("a.db-wal"), path("b.db-wal")).unwrap();
    let mut torn = fs::read(path("a.db")).unwrap();
    torn.extend_from_slice(&[1; 2_048]);
    fs::write(path("b.db"), torn).unwrap();
    assert!(db::is_sound(&path("b.db"), db::Kind::Catalogue, &[&key], true).unwrap());
    let (copy, _) = Catalogue::open(&path("b.db"), vault, &[&key]).unwrap();
    assert_eq!(copy.reader().meta("filling").unwrap().unwrap(), [7; 30_000]);
}
