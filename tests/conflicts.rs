//! Checks that outlive what they were about, archivists of one site, and people on both sides of a release.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "release/world.rs"]
mod world;

use subrosa::base::id::{PersonId, SiteId};
use subrosa::base::progress::Silent;
use subrosa::base::role::{Role, RoleGrant};
use subrosa::base::{Kind, Result};
use subrosa::crypto::card::VaultCard;
use subrosa::crypto::identity::Identity;
use subrosa::domain::replay::{Entry, Replay};
use subrosa::ledger::event::{ConsentAct, Event, Module, ModuleState};
use subrosa::ops::build::{self, Built};
use subrosa::ops::decide::{self, Preview, Terms};
use subrosa::ops::redact::{self, Selection, Which};
use subrosa::ops::request::{self, Wish};
use subrosa::session::{Change, Unlocked, Vault, change_membership};
use world::{OTAR, PROJECT, Put, VARYA, World, date, moment, person};

const ASKED: &str = "2026-02-01T00:00:00Z";
const LATER: &str = "2026-02-03T00:00:00Z";

const TALK: [(&str, &str); 9] = [
    ("I", "Where were you?"),
    ("R", "At home."),
    ("I", "And you?"),
    ("R2", "I will not say."),
    ("R", "He was there."),
    ("R", "It was winter."),
    ("R", "It snowed."),
    ("R", "The door was open."),
    ("R", "We closed it."),
];

fn ask(world: &World, who: &Identity, codes: &[&str]) -> u32 {
    let card = VaultCard::parse(&std::fs::read(world.path("vault/vault.card")).unwrap()).unwrap();
    let wish = Wish {
        project: PROJECT,
        level: 2,
        until: date("2027-06-30"),
        sites: vec![],
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        purpose: "To compare how people tell of leaving.".into(),
    };
    let sealed = request::write(who, &card, wish, moment(ASKED)).unwrap();
    let listed = request::receive(&mut world.open(&world.ben, ASKED), &sealed).unwrap();
    listed.request[4..].parse().unwrap()
}

fn preview(world: &World, who: &Identity, request: u32) -> Preview {
    decide::preview(&mut world.open(who, LATER), request, &Terms::default()).unwrap()
}

fn build(world: &World, who: &Identity, request: u32, name: &str) -> Result<Built> {
    build::build(&mut world.unlock(who, LATER)?, request, &world.path(name), &Silent)
}

fn enrol(world: &World, who: &Identity, roles: &[(Role, Option<SiteId>)]) {
    let grant = |(role, site): &(Role, Option<SiteId>)| RoleGrant { role: *role, sites: site.map(|site| vec![site]) };
    let roles = roles.iter().map(grant).collect();
    let mut vault = world.open(&world.ada, "2026-01-02T00:00:00Z");
    change_membership(&mut vault, Change::Enrol(who.card().clone(), roles)).unwrap();
}

fn last_events(vault: &Vault<Unlocked>) -> Vec<Event> {
    let size = vault.log().head().unwrap().size;
    vault.log().entry(size - 1).unwrap().draft.events
}

fn findings(world: &World) -> Vec<String> {
    let vault = world.open(&world.ada, "2026-12-01T00:00:00Z");
    let mut replay = Replay::new();
    for seq in 0..vault.log().head().unwrap().size {
        let entry = vault.log().entry(seq).unwrap();
        let draft = &entry.draft;
        replay.apply(&Entry { seq, time: draft.time, actor: entry.actor, events: &draft.events });
    }
    replay.into_findings().into_iter().map(|finding| finding.words).collect()
}

/// Turns that `redact show` calls checked.
fn checked(world: &World, now: &str) -> Vec<u32> {
    let which = Which { code: "AM-01".into(), transcript: None };
    let shown = redact::show(&mut world.open(&world.ben, now), &which, Selection::default()).unwrap();
    let status = redact::status(&mut world.open(&world.ben, now), None).unwrap();
    let checked: Vec<u32> = shown.turns.iter().filter(|turn| turn.checked).map(|turn| turn.turn).collect();
    assert_eq!(status[0].checked, checked.len());
    checked
}

/// A world with one interview of two voices, its review, and these turns checked when everybody had agreed.
fn talked(checks: &[u32]) -> (World, Put) {
    let world = World::new();
    world.approve();
    let put = world.put("AM-01", &[&VARYA, &OTAR], &TALK);
    world.review(&put, checks);
    (world, put)
}

#[test]
fn a_check_ends_with_the_next_change_of_consent() {
    let all: Vec<u32> = (0..9).collect();
    let going = |checks: &[u32]| {
        let (world, put) = talked(checks);
        if !checks.is_empty() {
            assert_eq!(checked(&world, "2026-01-06T00:00:00Z").len(), 9);
        }
        world.consent(&put, 1, "2026-01-10T00:00:00Z", |event| event.act = ConsentAct::Withdrawn);
        let request = ask(&world, &world.dora, &[]);
        (preview(&world, &world.sue, request).turns_going, world, put, request)
    };
    let (unchecked, ..) = going(&[]);
    let (before, world, put, request) = going(&all);
    assert_eq!(before, unchecked);
    assert_eq!(checked(&world, LATER), [0u32; 0]);
    // Read again after it, turns beside the silence go.
    world.review(&put, &[4]);
    assert_eq!(checked(&world, LATER), [5]);
    assert_eq!(preview(&world, &world.sue, request).turns_going, unchecked + 1);
    assert_eq!(findings(&world), [""; 0]);
}

#[test]
fn a_check_ends_when_consent_expires_or_a_change_comes_into_force() {
    let (world, put) = talked(&[]);
    world.consent(&put, 1, "2026-01-10T00:00:00Z", |event| event.expiry = Some(date("2026-01-20")));
    drop(world.open(&world.ben, "2026-01-11T00:00:00Z"));
    world.review(&put, &[4]);
    assert_eq!(checked(&world, "2026-01-20T12:00:00Z"), [5]);
    assert_eq!(checked(&world, "2026-01-21T00:00:00Z"), [0u32; 0]);

    let (world, put) = talked(&[]);
    world.consent(&put, 1, "2026-01-10T00:00:00Z", |event| {
        event.from = moment("2026-01-20T00:00:00Z");
        event.modules.insert(Module::Analyse, ModuleState::Refused);
    });
    drop(world.open(&world.ben, "2026-01-11T00:00:00Z"));
    world.review(&put, &[4]);
    assert_eq!(checked(&world, "2026-01-19T00:00:00Z"), [5]);
    assert_eq!(checked(&world, "2026-01-20T00:00:00Z"), [0u32; 0]);
}

#[test]
fn an_archivist_of_one_site_sees_counts_of_the_others() {
    let (world, put) = talked(&[]);
    let other = world.put("GE-02", &[&VARYA], &TALK);
    let gia = person("Gia", "GE");
    enrol(&world, &gia, &[(Role::Archivist, Some(other.site))]);
    let request = ask(&world, &world.dora, &["AM-01", "GE-02"]);
    let whole = preview(&world, &world.sue, request);
    assert_eq!((whole.items.len(), whole.interviews_elsewhere), (2, 0));

    let seen = preview(&world, &gia, request);
    let codes: Vec<&str> = seen.items.iter().map(|item| item.code.as_str()).collect();
    assert_eq!((codes, seen.interviews_elsewhere), (vec!["GE-02"], 1));
    assert_eq!((seen.interviews_going, seen.turns_left_out), (whole.interviews_going, whole.turns_left_out));
    let mut vault = world.open(&gia, LATER);
    let opened = |vault: &Vault<Unlocked>| {
        last_events(vault).into_iter().find_map(|event| match event {
            Event::Opened { tokens, .. } => Some(tokens),
            _ => None,
        })
    };
    assert_eq!(opened(&vault), Some(vec![other.item]));
    let shown = request::show(&mut vault, request).unwrap();
    assert_eq!((shown.codes, shown.codes_elsewhere), (vec!["GE-02".to_owned()], 1));
    assert_eq!(opened(&vault), Some(vec![other.item]));
    drop(vault);
    let shown = request::show(&mut world.open(&world.ada, LATER), request).unwrap();
    assert_eq!((shown.codes.len(), shown.codes_elsewhere), (2, 0));
    assert_ne!(put.site, other.site);
}

#[test]
fn nobody_builds_or_reviews_what_goes_to_themselves() {
    let (world, put) = talked(&[]);
    let ana = person("Ana", "EE");
    enrol(&world, &ana, &[(Role::Archivist, None), (Role::Analyst, None)]);
    let people: Vec<PersonId> = vec![world.dora.person_id(), ana.person_id()];
    world.project(people);
    let request = ask(&world, &ana, &[]);
    decide::approve(&mut world.open(&world.ada, LATER), request, &Terms::default()).unwrap();
    let error = build(&world, &ana, request, "x.age").unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.what().contains("own request") && !world.path("x.age").exists(), "{error:?}");
    build(&world, &world.ben, request, "x.age").unwrap();
    assert_eq!(findings(&world), [""; 0]);

    // Her own review is no review for her, and one for others.
    world.review_by(&ana, &put, &[]);
    let seen = preview(&world, &world.sue, request);
    let rules: Vec<&str> =
        seen.items.iter().flat_map(|i| &i.voices).flat_map(|v| &v.reasons).map(|why| why.rule.as_str()).collect();
    assert_eq!((seen.turns_going, rules.contains(&"floor-review")), (0, true));
    assert_eq!(build(&world, &world.ben, request, "y.age").unwrap_err().kind(), Kind::Denied);
    let request = ask(&world, &world.dora, &[]);
    decide::approve(&mut world.open(&world.ada, LATER), request, &Terms::default()).unwrap();
    build(&world, &ana, request, "z.age").unwrap();
    assert_eq!(findings(&world), [""; 0]);
}

#[test]
fn what_the_recipient_checked_does_not_count() {
    let (world, put) = talked(&[]);
    let ana = person("Ana", "EE");
    enrol(&world, &ana, &[(Role::Archivist, None), (Role::Analyst, None)]);
    world.project(vec![world.dora.person_id(), ana.person_id()]);
    world.consent(&put, 1, "2026-01-10T00:00:00Z", |event| event.act = ConsentAct::Withdrawn);
    let (hers, doras) = (ask(&world, &ana, &[]), ask(&world, &world.dora, &[]));
    let before = preview(&world, &world.sue, hers).turns_going;
    let which = Which { code: "AM-01".into(), transcript: None };
    let done = redact::check_turns(&mut world.open(&ana, LATER), &which, &[5], "Nothing of it.").unwrap();
    assert_eq!((done.checked, done.turns[0].beside), (vec![5], 2));
    assert_eq!(preview(&world, &world.sue, hers).turns_going, before);
    assert_eq!(preview(&world, &world.sue, doras).turns_going, before + 1);
}
