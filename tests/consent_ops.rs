//! Consent on a whole vault: given, changed, mapped, withdrawn, due.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics fails")]

mod common;
#[path = "common/house.rs"]
mod house;

use std::collections::BTreeSet;

use common::person;
use house::{House, interview, participant, transcript};
use subrosa::base::id::{ParticipantId, ReleaseId};
use subrosa::base::time::Date;
use subrosa::base::{Kind, Result};
use subrosa::domain::interview::SpeakerRole::{Interviewer, Participant};
use subrosa::ledger::entry::Entry;
use subrosa::ledger::event::{ConsentAct, Event, Module, ModuleState, Scope, Tier};
use subrosa::ops::consent::{
    Bound, Change, Plan, ScopeAsked, Withdrawal, change, due, parse_module, plan_change, plan_withdrawal, show,
    withdraw,
};
use subrosa::session::{Unlocked, Vault};
use subrosa::store::catalogue::RecordKind;

const NOW: &str = "2026-02-01T09:00:00Z";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// AM-01 with Vera (R1) and Lev (R2), AM-02 with Vera alone.
fn furnished() -> (House, Vault<Unlocked>, ParticipantId) {
    let house = House::found();
    let mut vault = house.unlock(&house.ben, NOW);
    let vera = participant(&mut vault, "AM", &["Vera Sheglova"], &[]);
    let lev = participant(&mut vault, "AM", &["Lev Brandt"], &[]);
    let two = interview(
        &mut vault,
        "AM-01",
        &[("R1", Participant, Some(vera)), ("R2", Participant, Some(lev)), ("I", Interviewer, None)],
    );
    interview(&mut vault, "AM-02", &[("R", Participant, Some(vera))]);
    transcript(&mut vault, two, &[("R1", "one"), ("R2", "two"), ("R1", "three")]);
    (house, vault, vera)
}

fn asked(code: &str, who: &str) -> Change {
    Change { code: code.into(), participant: Some(who.into()), ..Change::default() }
}

fn do_change(vault: &mut Vault<Unlocked>, asked: &Change) -> Result<Plan> {
    let plan = plan_change(vault, asked)?;
    change(vault, asked, &plan).map(|done| done.plan)
}

fn give(vault: &mut Vault<Unlocked>, code: &str, who: &str, form: &str) {
    let all = Some(ScopeAsked::All);
    do_change(vault, &Change { form: Some(form.into()), scope: all, ..asked(code, who) }).unwrap();
}

fn taking(code: &str, who: Option<&str>) -> Withdrawal {
    Withdrawal {
        code: code.into(),
        participant: who.map(str::to_owned),
        modules: BTreeSet::new(),
        scope: None,
        from: None,
    }
}

fn state(vault: &mut Vault<Unlocked>, code: &str, who: &str, module: Module) -> ModuleState {
    show(vault, code, Some(who), None).unwrap().voices[0].state.modules[&module]
}

fn last_events(vault: &Vault<Unlocked>) -> Vec<Event> {
    let head = vault.log().head().unwrap();
    Entry::parse(&vault.log().db().leaf(head.size - 1).unwrap()).unwrap().draft.events
}

fn is_withdrawn(vault: &Vault<Unlocked>, code: &str) -> bool {
    vault.view().unwrap().find_interview(code).unwrap().body.state.withdrawn
}

#[test]
fn given_changed_and_shown() {
    let (_house, mut vault, _) = furnished();
    assert!(
        plan_change(&mut vault, &Change { code: "AM-01".into(), form: Some("v1".into()), ..Change::default() })
            .err()
            .unwrap()
            .what()
            .contains("several participants")
    );
    give(&mut vault, "AM-01", "R1", "v2");
    let shown = show(&mut vault, "am 1", Some("R1"), None).unwrap();
    let (voice, event) = (&shown.voices[0], &shown.voices[0].events[0]);
    assert_eq!(voice.state.modules[&Module::Reuse], ModuleState::Granted);
    assert_eq!(voice.state.modules[&Module::Teaching], ModuleState::NotAsked);
    assert_eq!((voice.state.forms[&Module::Reuse].as_str(), event.form.as_deref()), ("v2", Some("v2")));
    assert_eq!((voice.state.tier, voice.state.expiry), (Tier::RoleCountry, Some(day("2046-02-01"))));
    assert_eq!((event.act, event.recorded.to_string().as_str()), (ConsentAct::Given, NOW));
    assert!(
        matches!(&last_events(&vault)[..], [Event::Opened { what, tokens }] if what == "consent" && tokens.len() == 2)
    );
    assert_eq!(
        show(&mut vault, "AM-01", Some("R1"), Some(day("2026-01-31"))).unwrap().voices[0].state.tier,
        Tier::Never
    );

    // A change amends what was agreed for everything.
    let no = Change { modules: [parse_module("quote-text=refused").unwrap()].into(), ..asked("AM-02", "R") };
    let plan = plan_change(&mut vault, &no).unwrap();
    assert_eq!(plan.after.modules[&Module::QuoteText], ModuleState::Refused);
    change(&mut vault, &no, &plan).unwrap();
    assert!(
        matches!(&last_events(&vault)[..], [Event::Consent(facts)] if facts.scope == Scope::All && facts.act == ConsentAct::Amended)
    );
    assert_eq!(state(&mut vault, "AM-01", "R1", Module::QuoteText), ModuleState::Refused);
    // The plan that was shown no longer holds.
    assert!(change(&mut vault, &no, &plan).err().unwrap().what().contains("somebody else"));

    // An embargo comes and goes; a note stays with it.
    let mut embargo = Change { embargo: Some(Bound::Day(day("2030-01-01"))), ..asked("AM-01", "R1") };
    embargo.note = Some("by telephone".into());
    assert_eq!(do_change(&mut vault, &embargo).unwrap().after.embargo, Some(day("2030-01-01")));
    let lifted = do_change(&mut vault, &Change { embargo: Some(Bound::Lifted), note: None, ..embargo }).unwrap();
    assert_eq!(lifted.after.embargo, Some(day("2026-02-01")));
    let shown = show(&mut vault, "AM-01", Some("R1"), None).unwrap();
    assert_eq!(shown.voices[0].events[2].note.as_deref(), Some("by telephone"));

    // What a narrower word cannot give back is said.
    let wider = Change {
        modules: [(Module::QuoteText, ModuleState::Granted)].into(),
        scope: Some(ScopeAsked::Interview),
        ..asked("AM-01", "R1")
    };
    let plan = do_change(&mut vault, &wider).unwrap();
    assert!(plan.remarks[0].contains("quote_text comes out as refused"), "{:?}", plan.remarks);
    assert_eq!(show(&mut vault, "AM-02", None, None).unwrap().voices[0].elsewhere, 1);
    assert!(do_change(&mut vault, &asked("AM-01", "R1")).err().unwrap().what().contains("what changes"));
    for bad in ["quote_text", "quote_text=withdrawn", "quotes=granted", "=", "reuse=expired"] {
        assert!(parse_module(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_passage_and_a_condition() {
    let (house, mut vault, _) = furnished();
    give(&mut vault, "AM-01", "R1", "v1");
    let passage = |token, turns| ScopeAsked::Passage { token, turns, transcript: None, times: vec![] };
    let mut no = Change { modules: [(Module::Archive, ModuleState::Refused)].into(), ..asked("AM-01", "R1") };
    no.scope = Some(passage(None, vec![(3, 4)]));
    assert!(do_change(&mut vault, &no).err().unwrap().remedy().contains("1 to 3"));
    no.scope = Some(passage(None, vec![(3, 3)]));
    let plan = do_change(&mut vault, &no).unwrap();
    assert_eq!(plan.after.modules[&Module::Archive], ModuleState::Refused);
    let events = last_events(&vault);
    let [Event::Passage { passage: token, .. }, Event::Consent(facts)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(facts.scope, Scope::Passage(*token));
    assert_eq!(state(&mut vault, "AM-01", "R1", Module::Archive), ModuleState::Granted);
    // The same passage once more, by its token.
    no.scope = Some(passage(Some(*token), vec![]));
    no.modules = [(Module::Archive, ModuleState::Granted)].into();
    do_change(&mut vault, &no).unwrap();
    assert!(matches!(&last_events(&vault)[..], [Event::Consent(facts)] if facts.scope == Scope::Passage(*token)));

    // A condition refuses until a steward has mapped it.
    let condition = Change { condition: Some("only after the wedding".into()), ..asked("AM-01", "R1") };
    let plan = do_change(&mut vault, &condition).unwrap();
    assert!(plan.after.unmapped && plan.remarks[0].contains("--map-condition"));
    let map = Change { map_condition: true, embargo: Some(Bound::Day(day("2027-07-01"))), ..asked("AM-01", "R1") };
    assert_eq!(plan_change(&mut vault, &map).err().unwrap().kind(), Kind::Denied);
    drop(vault);
    let mut steward = house.unlock(&house.ada, NOW);
    assert!(!do_change(&mut steward, &map).unwrap().after.unmapped);
    let noted = Change { note: Some("x".into()), ..condition };
    assert_eq!(plan_change(&mut steward, &noted).err().unwrap().kind(), Kind::Denied);
    drop(steward);
    let gia = person("Gia");
    house.enrol_at(&gia, "GE", NOW);
    let mut vault = house.unlock(&gia, NOW);
    assert_eq!(show(&mut vault, "AM-01", None, None).err().unwrap().kind(), Kind::Denied);
    assert_eq!(plan_withdrawal(&mut vault, &taking("AM-01", Some("R1"))).err().unwrap().kind(), Kind::Denied);
}

#[test]
fn withdrawn_everywhere_at_once() {
    let (house, mut vault, vera) = furnished();
    give(&mut vault, "AM-01", "R1", "v2");
    give(&mut vault, "AM-01", "R2", "v2");
    // An extract with Vera's voice is out there, and one without.
    let token = vault.view().unwrap().load_participant(vera).unwrap().body.token;
    let ben = house.ben.person_id();
    vault
        .commit("test", |act| {
            for (voices, until) in [(vec![token.to_string()], "2027-01-01"), (vec![], "2027-01-01")] {
                let id = ReleaseId::random()?;
                let body =
                    serde_json::json!({"release": id, "recipient": ben, "until": until, "items": [{"voices": voices}]});
                act.tables().put_record(RecordKind::Release, id.as_bytes(), act.seq(), &body)?;
            }
            act.event(Event::Checked { faults: 0 });
            Ok(())
        })
        .unwrap();

    // One module first.
    let mut some = taking("AM-01", Some("R1"));
    some.modules = [Module::Reuse].into();
    let plan = plan_withdrawal(&mut vault, &some).unwrap();
    withdraw(&mut vault, &some, &plan).unwrap();
    assert_eq!(state(&mut vault, "AM-02", "R", Module::Reuse), ModuleState::Withdrawn);
    assert_eq!(state(&mut vault, "AM-02", "R", Module::Analyse), ModuleState::Granted);
    assert!(!is_withdrawn(&vault, "AM-02"));

    // Altogether: AM-02 has nobody left, AM-01 has Lev.
    let all = taking("AM-01", Some(&token.to_string()));
    let plan = plan_withdrawal(&mut vault, &all).unwrap();
    let reach: Vec<_> =
        plan.interviews.iter().map(|i| (i.code.as_str(), i.others, i.withdrawn, i.transcripts)).collect();
    assert_eq!(reach, [("AM-01", 1, false, 1), ("AM-02", 0, true, 0)]);
    assert_eq!(plan.out_there.len(), 1);
    assert_eq!((plan.out_there[0].name.as_deref(), plan.out_there[0].in_use), (Some("Ben"), true));
    assert!(!is_withdrawn(&vault, "AM-02"));
    withdraw(&mut vault, &all, &plan).unwrap();
    assert!(
        matches!(&last_events(&vault)[..], [Event::Consent(f)] if f.act == ConsentAct::Withdrawn && f.modules.is_empty())
    );
    assert!(is_withdrawn(&vault, "AM-02") && !is_withdrawn(&vault, "AM-01"));
    let shown = show(&mut vault, "AM-02", None, None).unwrap();
    assert!(shown.voices[0].state.withdrawn);
    assert!(shown.voices[0].state.modules.values().all(|s| *s == ModuleState::Withdrawn));
    assert_eq!(state(&mut vault, "AM-01", "R2", Module::Analyse), ModuleState::Granted);

    // A change brings nothing back, and says so; a new consent later does.
    let again = Change { modules: [(Module::Reuse, ModuleState::Granted)].into(), ..asked("AM-02", "R") };
    assert!(do_change(&mut vault, &again).unwrap().remarks[0].contains("stays withdrawn"));
    drop(vault);
    let mut vault = house.unlock(&house.ben, "2026-03-01T09:00:00Z");
    give(&mut vault, "AM-02", "R", "v1");
    assert!(!is_withdrawn(&vault, "AM-02"));
    assert_eq!(state(&mut vault, "AM-02", "R", Module::Analyse), ModuleState::Granted);
}

#[test]
fn what_is_due() {
    let (_house, mut vault, _) = furnished();
    give(&mut vault, "AM-01", "R1", "v2");
    let soon = Change { expiry: Some(day("2026-03-01")), ..asked("AM-01", "R1") };
    do_change(&mut vault, &soon).unwrap();
    assert!(due(&mut vault, 10).unwrap().is_empty());
    let found = due(&mut vault, 90).unwrap();
    let shown: Vec<_> = found.iter().map(|d| (d.code.as_str(), d.label.as_str(), d.recontact, d.overdue)).collect();
    assert_eq!(shown, [("AM-01", "R1", true, false), ("AM-02", "R", true, false)]);
    assert_eq!((found[0].expiry, found[0].review_by), (Some(day("2026-03-01")), None));
    assert!(matches!(&last_events(&vault)[..], [Event::Listed { what, count: 2, .. }] if what == "consents due"));
    let far = due(&mut vault, 6 * 366).unwrap();
    assert_eq!(far[0].review_by, Some(day("2031-02-01")));
    assert!(due(&mut vault, u32::MAX).is_err());
}
