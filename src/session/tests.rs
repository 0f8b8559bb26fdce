//! A vault founded, unlocked, committed to, and its membership changed.

use std::path::Path;

use super::*;
use crate::base::Kind;
use crate::base::role::{Role, RoleGrant};
use crate::base::time::Moment;
use crate::crypto::identity::Identity;
use crate::domain::study::Study;
use crate::ledger::event::Event;
use crate::store::keyfile::Class;
use crate::store::state::StateFolder;

const STUDY: &str = include_str!("../sample/study.toml");

fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

fn person(name: &str) -> Identity {
    Identity::generate(name, "EE".parse().unwrap(), moment("2026-01-01T00:00:00Z")).unwrap()
}

/// The same keys once more: an identity can only be used by value.
fn again(identity: &Identity) -> Identity {
    let passphrase = || crate::base::secret::Passphrase::new("correct horse battery staple 9".into());
    let params = crate::crypto::kdf::KdfParams::new(19_456, 1, 1).unwrap();
    let bytes = identity.seal(&passphrase(), params).unwrap();
    crate::crypto::identity::LockedIdentity::parse(&bytes).unwrap().unlock(&passphrase()).unwrap()
}

fn unlock(dir: &Path, who: &Identity, now: &str) -> crate::base::Result<Vault<Unlocked>> {
    let state = StateFolder::beside(&dir.join(format!("{}.id", who.card().name())));
    Vault::open(&dir.join("vault"), None)?.unlock(again(who), state, Box::new(moment(now)))
}

fn found(dir: &Path, steward: &Identity) {
    let study = Study::read(STUDY).unwrap();
    let founding = Founding {
        steward,
        study: (STUDY, &study),
        boards: vec![],
        trustees: (vec![], 0),
        now: moment("2026-01-01T00:00:00Z"),
    };
    create(&dir.join("vault"), &dir.join("vault.keys"), &founding).unwrap();
}

fn grant(role: Role) -> Vec<RoleGrant> {
    vec![RoleGrant { role, sites: None }]
}

#[test]
fn people_come_and_go_and_keys_follow() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (ada, ben, cid, eve) = (person("Ada"), person("Ben"), person("Cid"), person("Eve"));
    found(dir, &ada);
    assert_eq!(unlock(dir, &ben, "2026-01-02T00:00:00Z").err().unwrap().kind(), Kind::Denied);

    let mut vault = unlock(dir, &ada, "2026-01-02T00:00:00Z").unwrap();
    change_membership(&mut vault, Change::Enrol(ben.card().clone(), grant(Role::Archivist))).unwrap();
    change_membership(&mut vault, Change::Enrol(eve.card().clone(), grant(Role::Auditor))).unwrap();
    let sites: Vec<_> = vault.view().unwrap().sites().unwrap().into_keys().collect();
    drop(vault);

    // The archivist makes a key that the steward cannot open.
    let mut vault = unlock(dir, &ben, "2026-01-03T00:00:00Z").unwrap();
    let slot = vault
        .commit("test", |act| {
            act.event(Event::Checked { faults: 0 });
            Ok(act.new_key(Class::Content(sites[0]))?.0)
        })
        .unwrap();
    let key = vault.view().unwrap().key(slot, Class::Content(sites[0])).unwrap();
    drop(vault);
    let mut vault = unlock(dir, &ada, "2026-01-03T00:00:00Z").unwrap();
    assert!(vault.view().unwrap().key(slot, Class::Content(sites[0])).is_err());

    // A second archivist waits until the first has unlocked once.
    change_membership(&mut vault, Change::Enrol(cid.card().clone(), grant(Role::Archivist))).unwrap();
    drop(vault);
    let vault = unlock(dir, &cid, "2026-01-03T00:00:00Z").unwrap();
    assert!(vault.view().unwrap().key(slot, Class::Content(sites[0])).is_err());
    drop(vault);
    drop(unlock(dir, &ben, "2026-01-03T00:00:00Z").unwrap());
    let vault = unlock(dir, &cid, "2026-01-03T00:00:00Z").unwrap();
    assert_eq!(vault.view().unwrap().key(slot, Class::Content(sites[0])).unwrap().expose(), key.expose());
    drop(vault);

    // Ben goes: he opens nothing any more, not even with the old keyring put back; the others go on.
    let old_keyring = std::fs::read(dir.join("vault/keyring.json")).unwrap();
    let mut vault = unlock(dir, &ada, "2026-01-04T00:00:00Z").unwrap();
    let ben_id = ben.person_id();
    change_membership(&mut vault, Change::Remove(ben_id)).unwrap();
    let error = change_membership(&mut vault, Change::Remove(ada.person_id())).err().unwrap();
    assert!(error.what().contains("last steward"), "{error:?}");
    drop(vault);
    assert_eq!(unlock(dir, &ben, "2026-01-04T00:00:00Z").err().unwrap().kind(), Kind::Denied);
    let new_keyring = std::fs::read(dir.join("vault/keyring.json")).unwrap();
    std::fs::write(dir.join("vault/keyring.json"), &old_keyring).unwrap();
    assert_eq!(unlock(dir, &ben, "2026-01-04T00:00:00Z").err().unwrap().kind(), Kind::Damage);
    std::fs::write(dir.join("vault/keyring.json"), &new_keyring).unwrap();
    let vault = unlock(dir, &cid, "2026-01-05T00:00:00Z").unwrap();
    assert_eq!(vault.view().unwrap().key(slot, Class::Content(sites[0])).unwrap().expose(), key.expose());
    // A key file from before the removal no longer opens what is made after it.
    assert_eq!(unlock(dir, &ben, "2026-01-05T00:00:00Z").err().unwrap().kind(), Kind::Denied);
    let auditor = unlock(dir, &eve, "2026-01-05T00:00:00Z").unwrap();
    assert_eq!(auditor.view().err().unwrap().kind(), Kind::Denied);
    assert!(auditor.log().head().unwrap().size > 5);
}

#[test]
fn a_failed_act_changes_nothing_and_an_act_without_an_event_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ada = person("Ada");
    found(dir.path(), &ada);
    let mut vault = unlock(dir.path(), &ada, "2026-01-02T00:00:00Z").unwrap();
    let head = vault.log().head().unwrap();
    let failed: crate::base::Result<()> = vault.commit("test", |act| {
        act.tables().set_meta("x", b"y")?;
        act.new_key(Class::Meta)?;
        act.event(Event::Checked { faults: 0 });
        Err(crate::base::Error::user("no", ""))
    });
    assert!(failed.is_err());
    assert!(vault.commit("test", |act| act.tables().set_meta("x", b"y")).is_err());
    assert_eq!(vault.log().head().unwrap(), head);
    assert_eq!(vault.view().unwrap().meta("x").unwrap(), None);
}

#[test]
fn a_vault_rolled_back_or_a_clock_gone_wrong_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let ada = person("Ada");
    found(dir, &ada);
    let act = |now: &str| {
        unlock(dir, &ada, now)?.commit("test", |act| {
            act.event(Event::Checked { faults: 0 });
            Ok(())
        })
    };
    act("2026-01-02T00:00:00Z").unwrap();
    let copy = |from: &str, to: &str| {
        for name in
            ["catalogue.db", "ledger.db", "catalogue.db-wal", "ledger.db-wal", "catalogue.db-shm", "ledger.db-shm"]
        {
            let (from, to) = (dir.join(from).join(name), dir.join(to).join(name));
            if from.exists() {
                std::fs::copy(from, to).unwrap();
            } else {
                let _ = std::fs::remove_file(to);
            }
        }
    };
    std::fs::create_dir(dir.join("old")).unwrap();
    copy("vault", "old");
    act("2026-01-03T00:00:00Z").unwrap();
    assert!(act("2026-01-02T00:00:00Z").unwrap_err().what().contains("clock"));
    assert!(act("2046-01-02T00:00:00Z").unwrap_err().what().contains("clock"));
    copy("old", "vault");
    let error = act("2026-01-04T00:00:00Z").unwrap_err();
    assert_eq!(error.kind(), Kind::Damage, "{error:?}");
}

#[test]
fn a_clock_that_is_right_after_all_is_accepted_by_two_people() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (ada, ben) = (person("Ada"), person("Ben"));
    found(dir, &ada);
    let mut vault = unlock(dir, &ada, "2026-01-02T00:00:00Z").unwrap();
    change_membership(&mut vault, Change::Enrol(ben.card().clone(), grant(Role::Steward))).unwrap();
    drop(vault);
    for later in ["2028-01-01T00:00:00Z", "2027-12-31T00:00:00Z"] {
        let note = |vault: &mut Vault<Unlocked>| {
            vault.commit("test", |act| {
                act.event(Event::Checked { faults: 0 });
                Ok(())
            })
        };
        let mut vault = unlock(dir, &ada, later).unwrap();
        assert!(note(&mut vault).is_err());
        let first = vault.sign_clock().unwrap();
        assert!(vault.accept_clock([&first, &first]).is_err());
        let second = unlock(dir, &ben, later).unwrap().sign_clock().unwrap();
        let mut forged = second.clone();
        forged[20] ^= 1;
        assert!(vault.accept_clock([&first, &forged]).is_err());
        vault.accept_clock([&first, &second]).unwrap();
        note(&mut vault).unwrap();
        let last = vault.log().head().unwrap().time.unwrap();
        assert_eq!(last.to_string(), "2028-01-01T00:00:00Z");
    }
}
