//! The study amended in a vault: what comes into force, for whom, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

mod common;
#[path = "common/house.rs"]
mod house;

use common::{STUDY, person};
use house::House;
use subrosa::base::progress::Silent;
use subrosa::base::{Kind, Result};
use subrosa::domain::replay::{Entry, replay};
use subrosa::domain::study::{Study, verify_study};
use subrosa::ledger::event::Event;
use subrosa::ops::audit::{self, Against};
use subrosa::ops::check::{self, Options};
use subrosa::ops::study::{self, Amendment};
use subrosa::session::{Unlocked, Vault};
use subrosa::store::keyfile::Class;

const NOW: &str = "2026-02-01T09:00:00Z";

const MORE: &str = r#"
[[site]]
prefix = "KZ"
name = "Kazakhstan"
country = "KZ"
boards = ["university"]

[[form]]
version = "v3"
language = "en"
basis = "consent"
text = """
I have been told what this study is for. I agree that my interview is recorded and kept in a closed archive. My name will not be published.
"""
tier = "code_only"
[form.grants]
archive = "granted"
"#;

fn amend(vault: &mut Vault<Unlocked>, text: &str) -> Result<Amendment> {
    let (text, study) = study::read(text.as_bytes().to_vec())?;
    study::amend(vault, &text, &study)
}

/// Whether somebody can make content of a site.
fn makes_content(vault: &mut Vault<Unlocked>, prefix: &str) -> Result<()> {
    vault.commit("test", |act| {
        let site = act.site_by_prefix(prefix)?.unwrap().id;
        let (slot, key) = act.new_key(Class::Content(site))?;
        // What was made can be opened again.
        let again = act.key(slot, Class::Content(site))?;
        assert!(again.expose() == key.expose());
        act.event(Event::Checked { faults: 0 });
        Ok(())
    })
}

fn clean(house: &House) {
    let mut vault = house.unlock(&house.ada, NOW);
    let size = vault.log().head().unwrap().size;
    let entries: Vec<_> = (0..size).map(|seq| vault.log().entry(seq).unwrap()).collect();
    let told =
        (0..).zip(&entries).map(|(seq, e)| Entry { seq, time: e.draft.time, actor: e.actor, events: &e.draft.events });
    assert_eq!(replay(told), []);
    let against = Against { all: true, ..Against::default() };
    let report = audit::verify_vault(&mut vault, &against, &Silent).unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    drop(vault);
    let report = check::check(&mut house.unlock(&house.ben, NOW), Options { fast: false }, &Silent).unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
}

#[test]
fn a_site_and_a_form_come_with_an_amendment() {
    let house = House::found();
    let cleo = person("Cleo");
    house.enrol_at(&cleo, "AM", "2026-01-02T00:00:00Z");
    let text = format!("{STUDY}{MORE}");
    let before = house.unlock(&house.ada, NOW).log().head().unwrap().size;
    let done = amend(&mut house.unlock(&house.ada, NOW), &text).unwrap();
    assert_eq!(
        (done.version, &done.new_sites[..], &done.new_forms[..]),
        (2, &["KZ".into()][..], &["v3 (en)".into()][..])
    );

    // The entry tells it all, with the steward's signature.
    let vault = house.unlock(&house.ada, NOW);
    let entry = vault.log().entry(before).unwrap();
    assert_eq!((&entry.draft.command[..], entry.actor), ("study amend", house.ada.person_id()));
    entry.verify_signature().unwrap();
    let Some(Event::Study { version: 2, text: told, sig, .. }) = entry.draft.events.first() else {
        unreachable!("{:?}", entry.draft.events)
    };
    assert_eq!(*told, text);
    verify_study(told, house.ada.card().sign(), sig).unwrap();
    assert!(verify_study(STUDY, house.ada.card().sign(), sig).is_err());
    let view = vault.view().unwrap();
    let sites = view.sites().unwrap();
    let site = |event: &Event| if let Event::Site { site, .. } = event { Some(*site) } else { None };
    let told: Vec<_> = entry.draft.events.iter().filter_map(site).collect();
    assert_eq!((told.len(), sites.len()), (5, 5));
    assert!(told.iter().all(|id| sites.contains_key(id)));
    let (record, study) = view.study().unwrap();
    assert_eq!((record.version, record.steward), (2, house.ada.person_id()));
    assert!(study.site("KZ").is_some() && study.form("v3", None).is_some() && study.form("v2", Some("ru")).is_some());
    drop(vault);

    // The archivist of all sites has the new key; the one of Armenia, and the steward, have none.
    let mut ben = house.unlock(&house.ben, NOW);
    makes_content(&mut ben, "KZ").unwrap();
    makes_content(&mut ben, "AM").unwrap();
    drop(ben);
    makes_content(&mut house.unlock(&cleo, NOW), "AM").unwrap();
    let kazakhstan = sites.values().find(|site| site.prefix == "KZ").unwrap().id;
    for who in [&cleo, &house.ada] {
        let mut vault = house.unlock(who, NOW);
        assert!(!vault.view().unwrap().opens(kazakhstan));
        assert!(makes_content(&mut vault, "KZ").is_err());
    }
    // Somebody can be enrolled for the new site alone.
    let kim = person("Kim");
    house.enrol_at(&kim, "KZ", NOW);
    drop(house.unlock(&house.ben, NOW));
    makes_content(&mut house.unlock(&kim, NOW), "KZ").unwrap();
}

#[test]
fn after_an_amendment_everything_holds() {
    let house = House::found();
    amend(&mut house.unlock(&house.ada, NOW), &format!("{STUDY}{MORE}")).unwrap();
    drop(house.unlock(&house.ben, NOW));
    clean(&house);
    // Once more, with nothing but a place.
    let place = "\n[[place]]\nname = \"Almaty\"\nforms = [\"Almaty\"]\nregion = \"Almaty\"\ncountry = \"KZ\"\n";
    let done = amend(&mut house.unlock(&house.ada, NOW), &format!("{STUDY}{MORE}{place}")).unwrap();
    assert_eq!((done.version, done.new_sites.len(), done.new_forms.len()), (3, 0, 0));
    assert_eq!(house.unlock(&house.ben, NOW).view().unwrap().sites().unwrap().len(), 5);
    clean(&house);
}

#[test]
fn what_somebody_agreed_to_is_never_rewritten() {
    let house = House::found();
    let size = house.unlock(&house.ada, NOW).log().head().unwrap().size;
    for text in [
        STUDY.replace("My name will not be published.", "My name may be published."),
        STUDY.replace("reuse = \"granted\"", "reuse = \"granted\"\nteaching = \"granted\""),
        STUDY.replace("prefix = \"PL\"", "prefix = \"PO\""),
    ] {
        assert!(Study::read(&text).is_ok());
        let mut vault = house.unlock(&house.ada, NOW);
        let error = amend(&mut vault, &text).unwrap_err();
        assert_eq!(error.kind(), Kind::User, "{error:?}");
        assert_eq!((vault.view().unwrap().study().unwrap().0.version, vault.log().head().unwrap().size), (1, size));
    }
}

#[test]
fn only_a_steward_amends() {
    let house = House::found();
    let text = format!("{STUDY}{MORE}");
    let study = Study::read(&text).unwrap();
    let mut vault = house.unlock(&house.ben, NOW);
    // Refused before anything is shown, and when it is tried all the same.
    assert_eq!(study::plan_amendment(&vault, &study).err().map(|e| e.kind()), Some(Kind::Denied));
    assert_eq!(amend(&mut vault, &text).unwrap_err().kind(), Kind::Denied);
    assert_eq!(vault.view().unwrap().study().unwrap().0.version, 1);
}
