//! The vault's own policies: put in force, obeyed by previews and builds, replayed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "release/world.rs"]
mod world;

use subrosa::base::id::Token;
use subrosa::base::progress::Silent;
use subrosa::base::role::{Role, RoleGrant};
use subrosa::base::{Kind, Result};
use subrosa::crypto::card::VaultCard;
use subrosa::crypto::identity::Identity;
use subrosa::domain::policy::Part;
use subrosa::domain::replay::{Entry, Finding, Replay};
use subrosa::ledger::event::{ConsentAct, Event};
use subrosa::ops::audit::{self, Against};
use subrosa::ops::build::{self, Built};
use subrosa::ops::check::{self, Options};
use subrosa::ops::decide::{self, Terms};
use subrosa::ops::policy::{self, Plan};
use subrosa::ops::request::{self, Wish};
use subrosa::session::{Change, Unlocked, Vault, change_membership};
use subrosa::store::catalogue::RecordKind;
use world::{PROJECT, Put, VARYA, World, date, moment, person};

const ASKED: &str = "2026-02-01T00:00:00Z";
const BUILT: &str = "2026-02-03T00:00:00Z";

const TALK: &[(&str, &str)] = &[("I", "How did you leave?"), ("R", "We left at night, by bus.")];

const NO_LEVEL_2: &str = r#"// Armenia gives out level 3 only.
@id("armenia-level-3")
@reason("Armenia gives out level 3 only")
forbid (principal, action == Action::"release", resource)
when { resource.country == "AM" && context.level < 3 };
"#;

const NOBODY_IN_ARMENIA: &str = r#"@id("not-to-armenia")
forbid (principal, action, resource)
when { principal.country == "AM" };
"#;

impl World {
    fn set(&self, who: &Identity, text: &str, now: &str) -> Result<Plan> {
        let mut vault = self.open(who, now);
        let plan = policy::plan(&vault, text)?;
        policy::set(&mut vault, text, &plan)
    }

    fn ask(&self, level: u8) -> u32 {
        let wish = Wish {
            project: PROJECT,
            level,
            until: date("2027-06-30"),
            sites: vec![],
            codes: vec![],
            purpose: "To compare how people tell of leaving.".into(),
        };
        let card = VaultCard::parse(&std::fs::read(self.path("vault/vault.card")).unwrap()).unwrap();
        let sealed = request::write(&self.dora, &card, wish, moment(ASKED)).unwrap();
        let listed = request::receive(&mut self.open(&self.ben, ASKED), &sealed).unwrap();
        let number = listed.request[4..].parse().unwrap();
        decide::approve(&mut self.open(&self.ada, ASKED), number, &Terms::default()).unwrap();
        number
    }

    fn build(&self, request: u32, name: &str) -> Result<Built> {
        build::build(&mut self.open(&self.ben, BUILT), request, &self.path(name), &Silent)
    }

    /// The rules for which a preview leaves something out.
    fn why(&self, request: u32) -> Vec<(String, String)> {
        let preview = decide::preview(&mut self.open(&self.ada, BUILT), request, &Terms::default()).unwrap();
        let voices = preview.items.into_iter().flat_map(|item| item.voices);
        voices.flat_map(|voice| voice.reasons).map(|why| (why.rule, why.words)).collect()
    }

    fn findings(&self) -> Vec<Finding> {
        let vault = self.open(&self.ada, BUILT);
        let mut replay = Replay::new();
        for seq in 0..vault.log().head().unwrap().size {
            let entry = vault.log().entry(seq).unwrap();
            replay.apply(&Entry { seq, time: entry.draft.time, actor: entry.actor, events: &entry.draft.events });
        }
        replay.into_findings()
    }

    /// Replay, `audit verify` and `check` find nothing.
    fn clean(&self) {
        assert_eq!(self.findings(), []);
        let against = Against { all: true, ..Against::default() };
        let report = audit::verify_vault(&mut self.open(&self.ada, BUILT), &against, &Silent).unwrap();
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        let report = check::check(&mut self.open(&self.ben, BUILT), Options { fast: true }, &Silent).unwrap();
        let ours: Vec<_> = report.faults.iter().filter(|fault| fault.hurt.contains("polic")).collect();
        assert!(ours.is_empty(), "{ours:?}");
    }
}

fn ready() -> (World, Put) {
    let world = World::new();
    world.approve();
    let put = world.put("AM-01", &[&VARYA], TALK);
    world.review(&put, &[]);
    (world, put)
}

fn last_events(vault: &Vault<Unlocked>) -> (String, Vec<Event>) {
    let head = vault.log().head().unwrap();
    let draft = vault.log().entry(head.size - 1).unwrap().draft;
    (draft.command, draft.events)
}

#[test]
fn a_rule_of_the_vault_stops_a_build_that_went_before() {
    let (world, _) = ready();
    let (second, third) = (world.ask(2), world.ask(3));
    world.build(second, "before.age").unwrap();
    let plan = world.set(&world.ada, NO_LEVEL_2, BUILT).unwrap();
    assert_eq!((plan.version, plan.added.len(), plan.changed.len(), plan.removed.len()), (1, 1, 0, 0));

    let vault = world.open(&world.ada, BUILT);
    let (command, events) = last_events(&vault);
    drop(vault);
    assert_eq!(command, "policy set");
    assert!(matches!(&events[..], [Event::Policy { text, .. }] if text.ends_with(NO_LEVEL_2)), "{events:?}");

    assert_eq!(world.why(second), [("armenia-level-3".into(), "Armenia gives out level 3 only".into())]);
    // A decision taken before, and even an extract built before, are judged by what is in force now.
    assert_eq!(world.build(second, "after.age").unwrap_err().kind(), Kind::Denied);
    assert!(!world.path("after.age").exists());
    assert_eq!(world.why(third), []);
    world.build(third, "third.age").unwrap();
    world.clean();

    let plan = world.set(&world.ada, NOBODY_IN_ARMENIA, BUILT).unwrap();
    assert_eq!(
        (plan.version, &plan.added[0].id[..], &plan.removed[0].id[..]),
        (2, "not-to-armenia", "armenia-level-3")
    );
    let words = "the site's rule not-to-armenia forbids it";
    assert_eq!(world.why(second), [("not-to-armenia".into(), words.into())]);
    assert_eq!(world.build(third, "fourth.age").unwrap_err().kind(), Kind::Denied);

    // Taken away, everything is as it was.
    let plan = world.set(&world.ada, "", BUILT).unwrap();
    assert_eq!((plan.version, plan.removed.len()), (3, 1));
    assert!(world.build(second, "again.age").unwrap().again);
    world.clean();
}

#[test]
fn the_replay_judges_by_the_policy_of_the_time() {
    let (world, _) = ready();
    let request = world.ask(2);
    let built = world.build(request, "x.age").unwrap();
    world.set(&world.ada, NO_LEVEL_2, BUILT).unwrap();
    // Somebody who writes the release once more past the program is found out; the first one stands.
    let forged = Event::ReleaseAgain { release: built.release, manifest: built.manifest };
    world
        .open(&world.ben, BUILT)
        .commit("extract build", |act| {
            act.event(forged);
            Ok(())
        })
        .unwrap();
    let found = world.findings();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].seq > built.entry && found[0].words.contains("Armenia gives out level 3 only"), "{found:?}");
}

#[test]
fn a_permit_opens_nothing_that_the_floor_forbids() {
    let (world, put) = ready();
    let all = "@id(\"everything\") permit (principal, action, resource);";
    world.set(&world.ada, all, ASKED).unwrap();
    world.consent(&put, 0, ASKED, |event| event.act = ConsentAct::Withdrawn);
    let request = world.ask(2);
    assert!(world.why(request).iter().any(|(rule, _)| rule == "floor-withdrawn"));
    assert_eq!(world.build(request, "x.age").unwrap_err().kind(), Kind::Denied);
    world.clean();
}

#[test]
fn a_rule_that_fails_denies() {
    let (world, _) = ready();
    let overflow = "@id(\"fails\") forbid (principal, action == Action::\"release\", resource)
        when { 9223372036854775807 + context.level < 0 };";
    world.set(&world.ada, overflow, ASKED).unwrap();
    let request = world.ask(2);
    assert_eq!(world.why(request)[0].0, "undecided");
    assert_eq!(world.build(request, "x.age").unwrap_err().kind(), Kind::Denied);
}

#[test]
fn what_would_not_hold_is_refused_with_its_line() {
    let refused = |text: &str, words: &str| {
        let error = policy::read(text.as_bytes().to_vec()).unwrap_err();
        assert!(error.what().contains(words), "{error:?}");
    };
    let floor = NO_LEVEL_2.replace("armenia-level-3", "floor-withdrawn");
    refused(&floor, "line 2: the @id of a rule begins with floor-");
    refused(&NO_LEVEL_2.replace("armenia-level-3", "release-on-decision"), "line 2: the @id of a rule is taken");
    refused(&NO_LEVEL_2.replace("context.level", "context.colour"), "line 5: ");
    refused(&NO_LEVEL_2.replace("when {", "when ["), "line 5: ");
    refused("// nothing yet\n", "no rule");
    assert!(policy::read(vec![0xff]).unwrap_err().what().contains("UTF-8"));

    let checked = policy::check(NO_LEVEL_2.as_bytes().to_vec()).unwrap();
    assert!(checked.sound && checked.rules.len() == 1 && checked.warnings.is_empty());
    let checked = policy::check(floor.into_bytes()).unwrap();
    assert!(!checked.sound && checked.faults[0].line == Some(2));

    // What nobody read first is refused in the vault, too.
    let world = World::new();
    assert!(world.set(&world.ada, "permit everything;", ASKED).is_err());
    assert!(world.set(&world.ada, "", ASKED).unwrap_err().what().contains("no policies of its own"));
    world.clean();
}

#[test]
fn stewards_of_all_sites_and_nobody_else() {
    let world = World::new();
    assert_eq!(world.set(&world.ben, NO_LEVEL_2, ASKED).unwrap_err().kind(), Kind::Denied);
    let tom = person("Tom", "EE");
    let mut vault = world.open(&world.ada, ASKED);
    let site = vault.view().unwrap().site_by_prefix("AM").unwrap().unwrap().id;
    let roles = vec![RoleGrant { role: Role::Steward, sites: Some(vec![site]) }];
    change_membership(&mut vault, Change::Enrol(tom.card().clone(), roles)).unwrap();
    drop(vault);
    let error = world.set(&tom, NO_LEVEL_2, ASKED).unwrap_err();
    assert!(error.kind() == Kind::Denied && error.what().contains("all sites"), "{error:?}");

    // Two at once: the second looks again.
    let plan = policy::plan(&world.open(&world.sue, ASKED), NO_LEVEL_2).unwrap();
    world.set(&world.ada, NOBODY_IN_ARMENIA, ASKED).unwrap();
    let error = policy::set(&mut world.open(&world.sue, ASKED), NO_LEVEL_2, &plan).unwrap_err();
    assert!(error.what().contains("somebody else"), "{error:?}");

    let shown = policy::show(&mut world.open(&world.ben, ASKED)).unwrap();
    assert_eq!((shown.version, shown.steward.as_deref(), &shown.text[..]), (1, Some("Ada"), NOBODY_IN_ARMENIA));
    let of = |part| shown.rules.iter().filter(|rule| rule.part == part).count();
    assert_eq!((of(Part::Floor), of(Part::Default), of(Part::Own)), (24, 2, 1));
    assert!(shown.rules.iter().all(|rule| rule.words.is_some()));
    assert!(matches!(last_events(&world.open(&world.ben, ASKED)).1[..], [Event::Listed { .. }]));
    world.clean();
}

#[test]
fn a_record_that_the_ledger_does_not_tell_of_is_found() {
    let (world, _) = ready();
    let request = world.ask(2);
    world.set(&world.ada, NO_LEVEL_2, ASKED).unwrap();
    let mut vault = world.open(&world.ben, ASKED);
    vault
        .commit("test", |act| {
            let mut record = policy::versions(act)?.remove(0);
            record.text = NOBODY_IN_ARMENIA.into();
            let mut id = [0; 16];
            id[15] = 1;
            act.tables().put_record(RecordKind::Policy, &id, act.seq(), &record)?;
            act.event(Event::Opened { what: "test".into(), tokens: vec![Token::random()?] });
            Ok(())
        })
        .unwrap();
    drop(vault);
    assert_eq!(world.build(request, "x.age").unwrap_err().kind(), Kind::Damage);
    let report = check::check(&mut world.open(&world.ben, BUILT), Options { fast: true }, &Silent).unwrap();
    assert!(report.faults.iter().any(|fault| fault.hurt == "the policies"), "{:?}", report.faults);
}
