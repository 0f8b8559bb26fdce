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

/// Makes a key of a site's content, as the person given, and says in which slot.
fn make_content(vault: &mut Vault<Unlocked>, site: crate::base::id::SiteId) -> crate::base::id::SlotId {
    vault
        .commit("test", |act| {
            act.event(Event::Checked { faults: 0 });
            Ok(act.new_key(Class::Content(site))?.0)
        })
        .unwrap()
}

#[test]
fn many_changes_in_a_row_lose_no_content() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (ada, ben, cid, eve, fay) = (person("Ada"), person("Ben"), person("Cid"), person("Eve"), person("Fay"));
    found(dir, &ada);
    let mut vault = unlock(dir, &ada, "2026-01-02T00:00:00Z").unwrap();
    change_membership(&mut vault, Change::Enrol(ben.card().clone(), grant(Role::Archivist))).unwrap();
    let site = *vault.view().unwrap().sites().unwrap().keys().next().unwrap();
    drop(vault);
    let slot = make_content(&mut unlock(dir, &ben, "2026-01-03T00:00:00Z").unwrap(), site);

    let mut vault = unlock(dir, &ada, "2026-01-04T00:00:00Z").unwrap();
    for who in [&cid, &eve, &fay] {
        change_membership(&mut vault, Change::Enrol(who.card().clone(), grant(Role::Archivist))).unwrap();
    }
    change_membership(&mut vault, Change::Remove(cid.person_id())).unwrap();
    drop(vault);
    assert!(
        unlock(dir, &eve, "2026-01-05T00:00:00Z").unwrap().view().unwrap().key(slot, Class::Content(site)).is_err()
    );
    for who in [&ben, &eve, &fay] {
        let vault = unlock(dir, who, "2026-01-05T00:00:00Z").unwrap();
        vault.view().unwrap().key(slot, Class::Content(site)).unwrap();
    }
}

#[test]
fn the_last_archivist_of_a_site_with_interviews_cannot_go() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (ada, ben, cid) = (person("Ada"), person("Ben"), person("Cid"));
    found(dir, &ada);
    let mut vault = unlock(dir, &ada, "2026-01-02T00:00:00Z").unwrap();
    change_membership(&mut vault, Change::Enrol(ben.card().clone(), grant(Role::Archivist))).unwrap();
    // Nothing is in the vault yet: an archivist enrolled by mistake can go, and the next one starts afresh.
    change_membership(&mut vault, Change::Remove(ben.person_id())).unwrap();
    change_membership(&mut vault, Change::Enrol(cid.card().clone(), grant(Role::Archivist))).unwrap();
    let site = *vault.view().unwrap().sites().unwrap().keys().next().unwrap();
    drop(vault);
    let mut vault = unlock(dir, &cid, "2026-01-03T00:00:00Z").unwrap();
    vault
        .commit("test", |act| {
            let (slot, key) = act.new_key(Class::Meta)?;
            let (content_slot, content_key) = act.new_key(Class::Content(site))?;
            let id = crate::base::id::InterviewId::random()?;
            act.tables().add_interview(id, site, slot, &key, &"body", content_slot, &content_key, &"content")?;
            act.event(Event::Checked { faults: 0 });
            Ok(())
        })
        .unwrap();
    drop(vault);
    let mut vault = unlock(dir, &ada, "2026-01-04T00:00:00Z").unwrap();
    let error = change_membership(&mut vault, Change::Remove(cid.person_id())).err().unwrap();
    assert!(error.what().contains("nobody would be left"), "{error:?}");
    // A successor who has not got the key yet does not count; one who has does.
    change_membership(&mut vault, Change::Enrol(person("Dan").card().clone(), grant(Role::Archivist))).unwrap();
    assert!(change_membership(&mut vault, Change::Remove(cid.person_id())).is_err());
    drop(vault);
    drop(unlock(dir, &cid, "2026-01-05T00:00:00Z").unwrap());
    let mut vault = unlock(dir, &ada, "2026-01-06T00:00:00Z").unwrap();
    change_membership(&mut vault, Change::Remove(cid.person_id())).unwrap();
}

#[test]
fn a_keyring_changed_while_the_passphrase_is_typed_is_no_alarm() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (ada, ben) = (person("Ada"), person("Ben"));
    found(dir, &ada);
    let waiting = Vault::open(&dir.join("vault"), None).unwrap();
    let mut vault = unlock(dir, &ada, "2026-01-02T00:00:00Z").unwrap();
    change_membership(&mut vault, Change::Enrol(ben.card().clone(), grant(Role::Auditor))).unwrap();
    drop(vault);
    let state = StateFolder::beside(&dir.join("Ada.id"));
    let vault = waiting.unlock(again(&ada), state, Box::new(moment("2026-01-02T00:00:00Z"))).unwrap();
    assert_eq!(vault.roster().people.len(), 2);
}

#[test]
fn an_auditor_who_writes_entries_or_a_keyring_of_their_own_is_found_out() {
    use crate::crypto::keyring::{Compartment, KeyringFile, digest};
    use crate::ledger::entry::{Draft, Entry};
    use crate::ledger::event::Digest;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (ada, eve) = (person("Ada"), person("Eve"));
    found(dir, &ada);
    let mut vault = unlock(dir, &ada, "2026-01-02T00:00:00Z").unwrap();
    change_membership(&mut vault, Change::Enrol(eve.card().clone(), grant(Role::Auditor))).unwrap();
    drop(vault);

    // Eve holds the ledger's key: she can append to ledger.db, and write a roster that makes her a steward.
    let vault = unlock(dir, &eve, "2026-01-03T00:00:00Z").unwrap();
    let mut roster = vault.roster().clone();
    roster.version += 1;
    roster.people.iter_mut().find(|m| m.id == eve.person_id()).unwrap().roles = grant(Role::Steward);
    let file = KeyringFile::parse(&std::fs::read(dir.join("vault/keyring.json")).unwrap()).unwrap();
    let ledger_key = vault.held(Compartment::Ledger)[0];
    let forged = KeyringFile::build(&roster, file.wraps().clone(), ledger_key, eve.person_id(), eve.signer()).unwrap();
    let head = vault.log().head().unwrap();
    let draft = Draft {
        vault: roster.vault,
        seq: head.size,
        time: head.time.unwrap(),
        root: head.root,
        command: "person role".into(),
        events: vec![Event::Keyring { version: i64::from(roster.version), digest: Digest(digest(&roster).unwrap()) }],
    };
    let leaf = Entry::sign_to_bytes(draft, eve.person_id(), eve.signer()).unwrap();
    let kept = std::fs::read(dir.join("vault/keyring.json")).unwrap();
    vault.log().append(head.size, &leaf).unwrap();
    drop(vault);
    for keyring in [kept, forged.to_bytes().unwrap()] {
        std::fs::write(dir.join("vault/keyring.json"), &keyring).unwrap();
        let error = unlock(dir, &ada, "2026-01-04T00:00:00Z").err().unwrap();
        assert_eq!(error.kind(), Kind::Damage, "{error:?}");
    }
}

#[test]
fn what_somebody_saw_never_moves_back() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (ada, eve) = (person("Ada"), person("Eve"));
    found(dir, &ada);
    let mut vault = unlock(dir, &ada, "2026-01-02T00:00:00Z").unwrap();
    change_membership(&mut vault, Change::Enrol(eve.card().clone(), grant(Role::Auditor))).unwrap();
    drop(vault);
    let before = unlock(dir, &eve, "2026-01-03T00:00:00Z").unwrap().seen().checkpoint.clone();
    // Somebody with the ledger's key removes the newest heads from the database.
    let vault = unlock(dir, &eve, "2026-01-03T00:00:00Z").unwrap();
    let older = vault.log().db().checkpoint_before(vault.log().head().unwrap().size).unwrap();
    if let Some((size, note)) = older {
        vault.log().db().keep_checkpoint(vault.log().head().unwrap().size, &note).unwrap();
        assert!(size < vault.log().head().unwrap().size);
    }
    drop(vault);
    let after = unlock(dir, &eve, "2026-01-04T00:00:00Z").map(|v| v.seen().checkpoint.clone());
    assert!(after.is_err() || after.unwrap() == before);
}
