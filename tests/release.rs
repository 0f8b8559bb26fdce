//! From a request to an opened extract, and everything that must stop on the way.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "release/join.rs"]
mod join;
#[path = "release/world.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use subrosa::base::id::{HoldId, Token};
use subrosa::base::progress::{Progress, Silent};
use subrosa::base::role::{Role, RoleGrant};
use subrosa::base::{Error, Kind, Result};
use subrosa::crypto::card::{VaultCard, VaultFacts};
use subrosa::crypto::identity::Identity;
use subrosa::crypto::padding::Padding;
use subrosa::crypto::stream;
use subrosa::domain::consent::{ConsentScope, TurnRange};
use subrosa::domain::hold::Hold;
use subrosa::domain::replay::{Entry, Replay};
use subrosa::formats::package::{Limits, PackageWriter, read};
use subrosa::ledger::event::{ConsentAct, Event, Module, ModuleState};
use subrosa::ops::build::{self, Built, Released};
use subrosa::ops::check::{self, Options};
use subrosa::ops::decide::{self, Outcome, Preview, Standing, Terms};
use subrosa::ops::open::{self, Opened, Opening, Pinned};
use subrosa::ops::request::{self, Wish};
use subrosa::redact::mark::{Mark, Marks, State};
use subrosa::redact::{Class, Strength};
use subrosa::session::{Change, change_membership};
use subrosa::store::catalogue::RecordKind;
use world::{OTAR, PROJECT, Put, VARYA, World, again, date, moment};

const ASKED: &str = "2026-02-01T00:00:00Z";
const DECIDED: &str = "2026-02-02T00:00:00Z";
const BUILT: &str = "2026-02-03T00:00:00Z";

const TALK: &[(&str, &str)] = &[
    ("I", "How did you leave?"),
    ("R", "We left at night, by bus."),
    ("I", "And then?"),
    ("R", "Then we waited a year."),
];

fn wish(codes: &[&str]) -> Wish {
    Wish {
        project: PROJECT,
        level: 2,
        until: date("2027-06-30"),
        sites: vec![],
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        purpose: "To compare how people tell of leaving.".into(),
    }
}

impl World {
    fn card(&self) -> VaultCard {
        VaultCard::parse(&std::fs::read(self.path("vault/vault.card")).unwrap()).unwrap()
    }

    fn ask_as(&self, who: &Identity, wish: Wish) -> Result<u32> {
        let sealed = request::write(who, &self.card(), wish, moment(ASKED))?;
        let listed = request::receive(&mut self.open(&self.ben, ASKED), &sealed)?;
        Ok(listed.request[4..].parse().unwrap())
    }

    fn ask(&self, codes: &[&str]) -> u32 {
        self.ask_as(&self.dora, wish(codes)).unwrap()
    }

    fn agree(&self, request: u32) -> Outcome {
        decide::approve(&mut self.open(&self.ada, DECIDED), request, &Terms::default()).unwrap()
    }

    fn preview(&self, request: u32) -> Preview {
        decide::preview(&mut self.open(&self.sue, DECIDED), request, &Terms::default()).unwrap()
    }

    fn build(&self, request: u32, name: &str, now: &str) -> Result<Built> {
        build::build(&mut self.unlock(&self.ben, now)?, request, &self.path(name), &Silent)
    }

    fn open_as(&self, who: &Identity, file: &str, to: &str, now: &str) -> Result<Opened> {
        let (extract, to) = (self.path(file), self.path(to));
        let card = self.card();
        let opening = Opening {
            identity: who,
            extract: &extract,
            to: &to,
            card: Some(&card),
            state: &self.state(who),
            now: moment(now),
        };
        open::open(&opening, &Silent)
    }

    /// What was sealed.
    fn plain(&self, who: &Identity, file: &str) -> Vec<u8> {
        let sealed = std::fs::read(self.path(file)).unwrap();
        let mut out = Vec::new();
        stream::open(who.as_age(), &sealed[..], &mut out, None, &Silent).unwrap();
        out
    }

    /// Asks for everything, decides, builds and opens.
    fn whole(&self) -> Result<(Built, Opened)> {
        let request = self.ask(&[]);
        self.agree(request);
        let built = self.build(request, "x.age", BUILT)?;
        let opened = self.open_as(&self.dora, "x.age", "work", "2026-02-04T00:00:00Z")?;
        Ok((built, opened))
    }

    /// Everything in the ledger decided again: nothing should not have been.
    fn replayed(&self) {
        let vault = self.open(&self.ada, "2026-12-01T00:00:00Z");
        let mut replay = Replay::new();
        for seq in 0..vault.log().head().unwrap().size {
            let entry = vault.log().entry(seq).unwrap();
            let draft = &entry.draft;
            replay.apply(&Entry { seq, time: draft.time, actor: entry.actor, events: &draft.events });
        }
        assert_eq!(replay.findings(), []);
    }
}

/// A world with one reviewed interview that may go.
fn ready() -> (World, Put) {
    let world = World::new();
    world.approve();
    let put = world.put("AM-01", &[&VARYA], TALK);
    world.review(&put, &[]);
    (world, put)
}

fn transcripts(folder: &Path) -> Vec<String> {
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(folder.join("transcripts")).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    names.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

fn why(preview: &Preview) -> Vec<&str> {
    let voices = preview.items.iter().flat_map(|item| &item.voices);
    let mut rules: Vec<&str> = voices.flat_map(|voice| &voice.reasons).map(|why| why.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// Policy refuses for this reason and no other, the preview says so, and nothing can be built.
fn refused(world: &World, rule: &str) -> Error {
    let request = world.ask(&[]);
    let preview = world.preview(request);
    assert_eq!(why(&preview), [rule]);
    assert_eq!((preview.interviews_going, preview.turns_going), (0, 0));
    world.agree(request);
    let error = world.build(request, "x.age", BUILT).unwrap_err();
    assert_eq!(error.kind(), Kind::Denied, "{error:?}");
    assert!(!world.path("x.age").exists());
    error
}

#[test]
fn what_was_asked_decided_and_built_is_opened() {
    let (world, _) = ready();
    let (built, opened) = world.whole().unwrap();
    assert_eq!((built.interviews, built.participants, built.again), (1, 1, false));
    assert_eq!((opened.transcripts, opened.pinned, opened.level), (1, Pinned::Card, 2));
    assert_eq!(opened.decided_by, ["Ada"]);
    let text = transcripts(&opened.folder).remove(0);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("# C-") && lines[0].ends_with(" en"), "{text}");
    assert_eq!(lines[2], "I: How did you leave?");
    assert!(lines[3].starts_with("P-") && lines[3].ends_with(": We left at night, by bus."), "{text}");
    assert_eq!(std::fs::read_to_string(opened.folder.join("participants.csv")).unwrap(), "pseudonym,site,gender,age\n");
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(opened.folder.join("manifest.json")).unwrap()).unwrap();
    let schema = serde_json::from_str(include_str!("../schema/json/manifest.schema.json")).unwrap();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&manifest).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for entry in walk(&opened.folder) {
        let bytes = std::fs::read(&entry).unwrap();
        for secret in ["AM-01", "Shcheglova", "varya_shcheg", "2023-05-17", "final.docx"] {
            assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{secret}");
        }
    }
    world.replayed();
    let shown = request::show(&mut world.open(&world.ada, BUILT), 1).unwrap();
    assert_eq!((shown.releases, shown.listed.standing), (1, Standing::Approved));
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn a_withdrawn_voice_does_not_go() {
    let (world, put) = ready();
    world.consent(&put, 0, "2026-01-10T00:00:00Z", |event| event.act = ConsentAct::Withdrawn);
    let request = world.ask(&[]);
    assert!(why(&world.preview(request)).contains(&"floor-withdrawn"));
    world.agree(request);
    assert_eq!(world.build(request, "x.age", BUILT).unwrap_err().kind(), Kind::Denied);
    world.replayed();
}

#[test]
fn a_withdrawal_after_the_decision_counts() {
    let (world, put) = ready();
    let request = world.ask(&[]);
    world.agree(request);
    world.consent(&put, 0, "2026-02-02T12:00:00Z", |event| event.act = ConsentAct::Withdrawn);
    assert_eq!(world.build(request, "x.age", BUILT).unwrap_err().kind(), Kind::Denied);
}

#[test]
fn a_refused_module_an_embargo_and_a_hold_refuse() {
    let (world, put) = ready();
    world.consent(&put, 0, "2026-01-10T00:00:00Z", |event| {
        event.modules.insert(Module::Analyse, ModuleState::Refused);
    });
    refused(&world, "floor-consent");

    let (world, put) = ready();
    world.consent(&put, 0, "2026-01-10T00:00:00Z", |event| event.embargo = Some(date("2030-01-01")));
    refused(&world, "floor-embargo");

    let (world, put) = ready();
    let hold = Hold {
        id: HoldId::from_bytes([3; 16]),
        sites: vec![],
        interviews: vec![put.interview],
        reason: "a complaint".into(),
        by: world.ada.person_id(),
        set: moment("2026-01-10T00:00:00Z"),
        lifting: vec![],
    };
    let mut vault = world.open(&world.ada, "2026-01-10T00:00:00Z");
    vault
        .commit("hold set", |act| {
            act.tables().put_record(RecordKind::Hold, hold.id.as_bytes(), act.seq(), &hold)?;
            act.event(Event::HoldSet { hold: hold.id, sites: vec![], items: vec![put.item] });
            Ok(())
        })
        .unwrap();
    drop(vault);
    refused(&world, "floor-hold");
    world.replayed();
}

#[test]
fn a_missing_approval_and_a_missing_review_refuse() {
    let world = World::new();
    world.approval(1, "university", None, "2030-12-31");
    let put = world.put("AM-01", &[&VARYA], TALK);
    world.review(&put, &[]);
    let request = world.ask(&[]);
    assert_eq!(why(&world.preview(request)), ["floor-fieldwork", "floor-use"]);

    let world = World::new();
    world.approve();
    world.put("AM-01", &[&VARYA], TALK);
    refused(&world, "floor-review");
}

#[test]
fn an_approval_that_ran_out_or_was_not_named_refuses() {
    let world = World::new();
    world.approval(1, "university", None, "2026-02-02");
    world.approval(2, "host", None, "2030-12-31");
    let put = world.put("AM-01", &[&VARYA], TALK);
    world.review(&put, &[]);
    let request = world.ask(&[]);
    world.agree(request);
    world.approval(3, "university", None, "2030-12-31");
    assert_eq!(world.build(request, "x.age", BUILT).unwrap_err().kind(), Kind::Denied);
    // Decided again, on the new approval too, it goes.
    decide::approve(&mut world.open(&world.ada, BUILT), request, &Terms::default()).unwrap();
    world.build(request, "x.age", BUILT).unwrap();
    world.replayed();
}

#[test]
fn nobody_decides_their_own_request() {
    let (world, _) = ready();
    world.project(vec![world.ada.person_id(), world.dora.person_id()]);
    let request = world.ask_as(&world.ada, wish(&[])).unwrap();
    let error = decide::approve(&mut world.open(&world.ada, DECIDED), request, &Terms::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.what().contains("own request"), "{error:?}");
    assert!(decide::deny(&mut world.open(&world.ada, DECIDED), request, "no").is_err());
    assert!(decide::approve(&mut world.open(&world.ben, DECIDED), request, &Terms::default()).is_err());
    decide::deny(&mut world.open(&world.sue, DECIDED), request, "Not now.").unwrap();
    assert_eq!(world.build(request, "x.age", BUILT).unwrap_err().kind(), Kind::Denied);
    let shown = request::show(&mut world.open(&world.sue, BUILT), request).unwrap();
    assert_eq!((shown.listed.standing, shown.decisions[0].reason.as_deref()), (Standing::Denied, Some("Not now.")));
    assert!(request::list(&mut world.open(&world.sue, BUILT), true).unwrap().is_empty());
}

#[test]
fn requests_are_refused_each_for_its_own_reason() {
    let (world, _) = ready();
    let receive = |sealed: &[u8], now: &str| request::receive(&mut world.open(&world.ben, now), sealed).unwrap_err();
    let card = world.card();
    let sealed = request::write(&world.dora, &card, wish(&[]), moment(ASKED)).unwrap();
    let dated = |until: &str| Wish { until: date(until), ..wish(&[]) };
    assert!(request::write(&world.dora, &card, dated("2026-01-31"), moment(ASKED)).is_err());
    let short = request::write(&world.dora, &card, dated("2026-02-05"), moment(ASKED)).unwrap();
    assert!(receive(&short, "2026-02-06T00:00:00Z").what().contains("end date"));
    let stranger = world::person("Zoe", "EE");
    let strange = request::write(&stranger, &card, wish(&[]), moment(ASKED)).unwrap();
    assert!(receive(&strange, ASKED).what().contains("not enrolled"));
    let other = request::write(&world.dora, &World::new().card(), wish(&[]), moment(ASKED)).unwrap();
    assert!(receive(&other, ASKED).what().contains("not sealed to this vault's desk"));
    let elsewhere = Wish { project: subrosa::base::id::ProjectId::from_bytes([9; 16]), ..wish(&[]) };
    let elsewhere = request::write(&world.dora, &card, elsewhere, moment(ASKED)).unwrap();
    assert!(receive(&elsewhere, ASKED).what().contains("no such project"));
    let outside = request::write(&world.sue, &card, wish(&[]), moment(ASKED)).unwrap();
    assert!(receive(&outside, ASKED).what().contains("project's people"));
    let unknown = request::write(&world.dora, &card, wish(&["AM-01", "AM-99"]), moment(ASKED)).unwrap();
    let error = receive(&unknown, ASKED);
    assert!(error.what().contains("number 2") && !error.what().contains("99"), "{error:?}");
    let mut bent = sealed.clone();
    *bent.last_mut().unwrap() ^= 1;
    assert_eq!(receive(&bent, ASKED).kind(), Kind::Damage);
    request::receive(&mut world.open(&world.ben, ASKED), &sealed).unwrap();
    assert!(receive(&sealed, ASKED).what().contains("before"));
    let one = request::list(&mut world.open(&world.ada, ASKED), true).unwrap();
    assert_eq!((one.len(), one[0].request.as_str(), one[0].standing), (1, "REQ-1", Standing::Open));
}

#[test]
fn an_archive_code_and_a_citation_code_ask_for_the_same() {
    let (world, _) = ready();
    world.put("AM-02", &[&VARYA], TALK);
    let first = world.ask(&["am_1"]);
    world.agree(first);
    world.build(first, "x.age", BUILT).unwrap();
    let opened = world.open_as(&world.dora, "x.age", "work", BUILT).unwrap();
    let citation = transcripts(&opened.folder)[0][2..13].to_owned();
    let sealed = request::write(&world.dora, &world.card(), wish(&[&citation]), moment(BUILT)).unwrap();
    request::receive(&mut world.open(&world.ben, BUILT), &sealed).unwrap();
    let shown = request::show(&mut world.open(&world.ada, BUILT), 2).unwrap();
    assert_eq!(shown.codes, ["AM-01"]);
}

#[test]
fn what_has_ended_is_neither_built_nor_opened() {
    let (world, _) = ready();
    let request = world.ask_as(&world.dora, Wish { until: date("2026-06-30"), ..wish(&[]) }).unwrap();
    world.agree(request);
    world.build(request, "x.age", BUILT).unwrap();
    let error = world.open_as(&world.dora, "x.age", "work", "2026-07-01T00:00:00Z").unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(error.what().contains("over") && !world.path("work").exists(), "{error:?}");
    assert_eq!(world.build(request, "y.age", "2026-07-01T00:00:00Z").unwrap_err().kind(), Kind::Denied);
}

#[test]
fn of_two_voices_one_can_go_without_the_other() {
    let world = World::new();
    world.approve();
    let turns = [
        ("I", "Where were you?"),
        ("R", "At home."),
        ("I", "And you?"),
        ("R2", "I will not say."),
        ("R", "He was there."),
        ("R", "It was winter."),
        ("", "Somebody laughs."),
        ("R", "The door was open."),
        ("R", "We closed it."),
    ];
    let put = world.put("AM-01", &[&VARYA, &OTAR], &turns);
    world.review(&put, &[]);
    world.consent(&put, 1, "2026-01-10T00:00:00Z", |event| {
        event.modules.insert(Module::Analyse, ModuleState::Refused);
    });
    let (built, opened) = world.whole().unwrap();
    let text = transcripts(&opened.folder).remove(0);
    let words = |text: &str| -> Vec<String> {
        text.lines()
            .skip(2)
            .map(|line| line.split_once(": ").filter(|_| !line.starts_with('[')).map_or(line, |(_, w)| w).to_owned())
            .collect()
    };
    // The turn of the other voice, its question, and the neighbours; the unattributed turn is everybody's.
    assert_eq!(words(&text), ["Where were you?", "At home.", "[left out: 6 turns]", "We closed it."]);
    assert_eq!((built.participants, opened.withheld.turns), (1, 6));
    world.replayed();

    // A person has checked what stands beside.
    world.review(&put, &[4, 5]);
    let request = world.ask(&[]);
    world.agree(request);
    world.build(request, "y.age", BUILT).unwrap();
    let opened = world.open_as(&world.dora, "y.age", "work2", BUILT).unwrap();
    let text = transcripts(&opened.folder).remove(0);
    assert!(text.contains("He was there.") && text.contains("It was winter.") && !text.contains("open"), "{text}");
}

#[test]
fn a_passage_can_be_taken_out() {
    let (world, put) = ready();
    let passage = Token::random().unwrap();
    let range = TurnRange { transcript: put.transcript, first: 3, last: 3 };
    world.consent(&put, 0, "2026-01-10T00:00:00Z", |event| {
        event.scope = ConsentScope::Passage { interview: put.interview, passage, turns: vec![range], times: vec![] };
        event.modules.insert(Module::Archive, ModuleState::Refused);
    });
    let (_, opened) = world.whole().unwrap();
    let text = transcripts(&opened.folder).remove(0);
    assert!(text.contains("by bus") && !text.contains("waited a year") && text.contains("[left out"), "{text}");
    world.replayed();
}

fn mark(turn: u32, text: &str, word: &str, class: Class, strength: Strength, replacement: &str) -> Mark {
    let start = text[..text.find(word).unwrap()].chars().count() as u32;
    Mark {
        id: turn,
        turn,
        start,
        end: start + word.chars().count() as u32,
        class,
        strength,
        layer: "manual".into(),
        replacement: replacement.into(),
        state: State::Accepted,
        by: None,
        at: None,
    }
}

const NAMED: &str = "I am Shcheglova, from the tram depot of Gyumri.";

fn marked(kept: bool) -> (World, Put) {
    let world = World::new();
    world.approve();
    let put = world.put("AM-01", &[&VARYA], &[("I", "Who are you?"), ("R", NAMED)]);
    let mut name = mark(1, NAMED, "Shcheglova", Class::Person, Strength::Direct, "[person 1]");
    if kept {
        name.state = State::Kept("the name of a street".into());
    }
    let marks = vec![
        name,
        mark(1, NAMED, "tram depot", Class::Organisation, Strength::StrongIndirect, "[employer]"),
        mark(1, NAMED, "Gyumri", Class::Place, Strength::Indirect, "[Shirak]"),
    ];
    world.marks(&put, Marks { engine: Some("test".into()), next: 4, marks });
    world.review(&put, &[]);
    (world, put)
}

#[test]
fn the_level_says_how_far_marks_reach() {
    let (world, _) = marked(false);
    let spoken = |level: u8, name: &str| {
        let request = world.ask_as(&world.dora, Wish { level, ..wish(&[]) }).unwrap();
        world.agree(request);
        world.build(request, name, BUILT).unwrap();
        let opened = world.open_as(&world.dora, name, &format!("work{level}"), BUILT).unwrap();
        let text = transcripts(&opened.folder).remove(0);
        text.lines().last().unwrap().split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(spoken(1, "1.age"), "I am [person 1], from the tram depot of Gyumri.");
    assert_eq!(spoken(2, "2.age"), "I am [person 1], from the [employer] of Gyumri.");
    assert_eq!(spoken(3, "3.age"), "I am [person 1], from the [employer] of [Shirak].");
}

#[test]
fn a_steward_grants_less_and_never_more() {
    let (world, _) = marked(false);
    world.put("GE-01", &[&OTAR], TALK);
    let request = world.ask(&[]);
    let try_with = |terms: Terms| decide::approve(&mut world.open(&world.ada, DECIDED), request, &terms);
    assert_eq!(try_with(Terms { level: Some(1), ..Terms::default() }).unwrap_err().kind(), Kind::Denied);
    assert_eq!(
        try_with(Terms { until: Some(date("2027-07-01")), ..Terms::default() }).unwrap_err().kind(),
        Kind::Denied
    );
    try_with(Terms { level: Some(3), until: Some(date("2026-12-31")), sites: vec!["AM".into()], codes: vec![] })
        .unwrap();
    let preview = world.preview(request);
    assert_eq!((preview.level, preview.interviews_going, preview.interviews_left_out), (3, 1, 1));
    let built = world.build(request, "x.age", BUILT).unwrap();
    assert_eq!((built.level, built.until, built.withheld.interviews), (3, date("2026-12-31"), 1));
    let narrow = world.ask(&["AM-01"]);
    let error = decide::approve(
        &mut world.open(&world.ada, DECIDED),
        narrow,
        &Terms { codes: vec!["GE-01".into()], ..Terms::default() },
    );
    assert!(error.unwrap_err().what().contains("not asked for"));
    world.replayed();
}

#[test]
fn a_name_left_unmarked_stops_the_build_and_writes_nothing() {
    for canary in [
        "I am Shcheglova, from Gyumri.",
        "They called me SHCHEGLOVA there.",
        "Write to @varya_shcheg.",
        "You are Quennell, I know.",
        "This is AM-01, is it not?",
        "this is am_01.",
        "This is ЕЕ, no, АМ 1.",
    ] {
        let world = World::new();
        world.approve();
        let put = world.put("AM-01", &[&VARYA], &[("I", "Yes?"), ("R", canary)]);
        world.review(&put, &[]);
        let request = world.ask(&[]);
        world.agree(request);
        let size = world.open(&world.ada, BUILT).log().head().unwrap().size;
        let error = world.build(request, "x.age", BUILT).unwrap_err();
        assert_eq!(error.kind(), Kind::Denied, "{canary}");
        assert!(error.remedy().contains("turn 2 of C-") && !error.what().contains("C-"), "{error:?}");
        assert_eq!(world.open(&world.ada, BUILT).log().head().unwrap().size, size);
        let left = std::fs::read_dir(world.dir.path())
            .unwrap()
            .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().contains("x.age"));
        assert_eq!(left.count(), 0);
    }
    // What a person decided may stay is no canary.
    let (world, _) = marked(true);
    world.whole().unwrap();
}

#[test]
fn building_again_gives_the_same_bytes_and_one_release() {
    let (world, put) = ready();
    let plain = |name: &str| world.plain(&world.dora, name);
    let request = world.ask(&[]);
    world.agree(request);
    let first = world.build(request, "x.age", BUILT).unwrap();
    assert!(world.build(request, "x.age", BUILT).unwrap_err().what().contains("already"));
    let second = world.build(request, "y.age", "2026-03-01T00:00:00Z").unwrap();
    assert_eq!((second.again, second.release, second.entry), (true, first.release, first.entry));
    assert!(plain("x.age") == plain("y.age"));
    // The vault's card is issued anew with its people, and heads are cosigned: neither changes what was released.
    let roles = vec![RoleGrant { role: Role::Steward, sites: None }];
    change_membership(
        &mut world.open(&world.ada, "2026-03-01T00:00:00Z"),
        Change::Enrol(newcomer().card().clone(), roles),
    )
    .unwrap();
    world.build(request, "w.age", "2026-03-01T00:00:00Z").unwrap();
    assert!(plain("x.age") == plain("w.age"));
    world.open_as(&world.dora, "y.age", "work", "2026-03-02T00:00:00Z").unwrap();
    // Something changed: another release.
    let passage = Token::random().unwrap();
    let range = TurnRange { transcript: put.transcript, first: 3, last: 3 };
    world.consent(&put, 0, "2026-03-02T00:00:00Z", |event| {
        event.scope = ConsentScope::Passage { interview: put.interview, passage, turns: vec![range], times: vec![] };
        event.modules.insert(Module::Archive, ModuleState::Refused);
    });
    let third = world.build(request, "z.age", "2026-03-03T00:00:00Z").unwrap();
    assert!(!third.again && third.release != first.release);
    world.replayed();
}

/// More than are written in one go: each under its own name with its own words, as the manifest says.
#[test]
fn an_extract_of_many_holds_each_transcript_once_and_in_order() {
    let world = World::new();
    world.approve();
    let mut said: Vec<String> = (1..=18).map(|n| format!("We were {n} on the bus.")).collect();
    for (n, words) in said.iter().enumerate() {
        let put = world.put(&format!("AM-{:02}", n + 1), &[&VARYA], &[("I", "How many?"), ("R", words)]);
        world.review(&put, &[]);
    }
    let (built, opened) = world.whole().unwrap();
    assert_eq!((built.interviews, opened.transcripts), (18, 18));
    let mut names = Vec::new();
    read(&world.plain(&world.dora, "x.age")[..], Limits::default(), &mut |file| {
        names.push(file.name);
        Ok(())
    })
    .unwrap();
    assert!(names.is_sorted());
    assert_eq!(names.iter().filter(|name| name.starts_with("transcripts/")).count(), 18);
    let texts = transcripts(&opened.folder);
    let mut found: Vec<String> =
        texts.iter().filter_map(|text| text.trim_end().rsplit(": ").next()).map(str::to_owned).collect();
    found.sort();
    said.sort();
    assert_eq!(found, said);
    world.replayed();
}

/// Takes all marks off a transcript as soon as its extract begins to be sealed.
struct Meddler(Mutex<(World, Put)>);

impl Progress for Meddler {
    fn begin(&self, _what: &str, _total: u64) {
        let held = self.0.lock().unwrap();
        let (world, put) = &*held;
        let mut vault = world.open(&world.ben, BUILT);
        vault
            .commit("redact mark", |act| {
                let row = act.transcripts(put.interview)?.remove(0);
                let (key, _) = act.transcript_content(&row, put.site)?;
                let none = Marks { engine: None, next: 1, marks: vec![] };
                act.tables().set_marks(row.id, &key, &none)?;
                act.event(Event::Marks { transcript: put.item, added: 0, changed: 0, removed: 3 });
                Ok(())
            })
            .unwrap();
    }

    fn advance(&self, _units: u64) {}

    fn end(&self) {}
}

#[test]
fn what_changes_while_an_extract_is_written_does_not_leave() {
    let (world, put) = marked(false);
    let request = world.ask(&[]);
    world.agree(request);
    let mut vault = world.open(&world.ben, BUILT);
    let out = world.path("x.age");
    let meddler = Meddler(Mutex::new((world, put)));
    let error = build::build(&mut vault, request, &out, &meddler).unwrap_err();
    assert!(error.what().contains("was changed by another command"), "{error:?}");
    let left = std::fs::read_dir(out.parent().unwrap()).unwrap();
    assert!(left.flatten().all(|entry| !entry.file_name().to_string_lossy().contains("x.age")));
}

fn newcomer() -> Identity {
    world::person("Nell", "EE")
}

#[test]
fn only_stewards_whom_the_card_names_decide_and_opened_files_are_private() {
    let (world, _) = ready();
    let request = world.ask(&[]);
    world.agree(request);
    world.build(request, "x.age", BUILT).unwrap();
    // A card of the same vault that names other stewards: Ada's decision is nobody's.
    let other = newcomer();
    let facts = VaultFacts { stewards: vec![*other.card().sign()], ..world.card().facts().clone() };
    let card = VaultCard::issue(facts, other.signer()).unwrap();
    let (extract, to) = (world.path("x.age"), world.path("work"));
    let state = world.state(&world.dora);
    let opening = Opening {
        identity: &world.dora,
        extract: &extract,
        to: &to,
        card: Some(&card),
        state: &state,
        now: moment(BUILT),
    };
    let error = open::open(&opening, &Silent).unwrap_err();
    assert!(error.kind() == Kind::Damage && error.what().contains("does not name"), "{error:?}");
    assert!(!to.exists());
    // What an interrupted opening left goes with the next one.
    std::fs::create_dir(world.path(".work.opening")).unwrap();
    std::fs::write(world.path(".work.opening/left"), "words").unwrap();
    world.open_as(&world.dora, "x.age", "work", BUILT).unwrap();
    assert!(!world.path(".work.opening").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o077;
        assert_eq!((mode(&to), mode(&to.join("transcripts")), mode(&to.join("README.txt"))), (0, 0, 0));
    }
}

/// How often the check of the vault finds a receipt that is not the ledger's.
fn receipt_faults(world: &World) -> usize {
    let report = check::check(&mut world.open(&world.ben, BUILT), Options { fast: true }, &Silent).unwrap();
    report.faults.iter().filter(|fault| fault.what.contains("receipt")).count()
}

#[test]
fn a_release_without_its_receipt_gets_one() {
    let (world, _) = ready();
    let request = world.ask(&["AM-01"]);
    world.agree(request);
    let first = world.build(request, "x.age", BUILT).unwrap();
    // As it is after a kill between the two entries.
    let mut vault = world.open(&world.ben, BUILT);
    vault
        .commit("test", |act| {
            let mut record: Released = act.record(RecordKind::Release, first.release.as_bytes())?.unwrap();
            assert_eq!((record.seq + 1, record.receipt), (first.entry, Some(first.entry)));
            record.receipt = None;
            act.tables().put_record(RecordKind::Release, first.release.as_bytes(), act.seq(), &record)?;
            act.event(Event::Listed { what: "test".into(), filters: vec![], count: 0 });
            Ok(())
        })
        .unwrap();
    drop(vault);
    assert_eq!(receipt_faults(&world), 1);
    let second = world.build(request, "y.age", BUILT).unwrap();
    assert_eq!(receipt_faults(&world), 0);
    assert!(second.again && second.release == first.release && second.entry > first.entry);
    let opened = world.open_as(&world.dora, "y.age", "work", BUILT).unwrap();
    assert_eq!((opened.release, opened.entry), (first.release, second.entry));
    let third = world.build(request, "z.age", BUILT).unwrap();
    assert_eq!(third.entry, second.entry);
    assert!(world.plain(&world.dora, "y.age") == world.plain(&world.dora, "z.age"));
    world.replayed();
}

#[test]
fn two_stewards_who_name_the_same_interviews_agree() {
    let text = subrosa::sample::STUDY.replace("stewards = 1", "stewards = 2");
    let world = World::with_study(&text);
    world.approve();
    for code in ["AM-01", "AM-02"] {
        let put = world.put(code, &[&VARYA], TALK);
        world.review(&put, &[]);
    }
    let request = world.ask(&[]);
    let terms = || Terms { codes: vec!["AM-01".into()], ..Terms::default() };
    decide::approve(&mut world.open(&world.ada, DECIDED), request, &terms()).unwrap();
    let outcome = decide::approve(&mut world.open(&world.sue, DECIDED), request, &terms()).unwrap();
    assert_eq!(outcome.standing, Standing::Approved);
    assert_eq!(world.build(request, "x.age", BUILT).unwrap().interviews, 1);
    world.open_as(&world.dora, "x.age", "work", BUILT).unwrap();
    world.replayed();
}

#[test]
fn two_stewards_where_the_study_says_so() {
    let text = subrosa::sample::STUDY.replace("stewards = 1", "stewards = 2");
    let world = World::with_study(&text);
    world.approve();
    let put = world.put("AM-01", &[&VARYA], TALK);
    world.review(&put, &[]);
    let request = world.ask(&[]);
    let first = Terms { level: Some(3), ..Terms::default() };
    let outcome = decide::approve(&mut world.open(&world.ada, DECIDED), request, &first).unwrap();
    assert_eq!((outcome.standing, outcome.approvals, outcome.needed), (Standing::Half, 1, 2));
    assert_eq!(world.build(request, "x.age", BUILT).unwrap_err().kind(), Kind::Denied);
    let mut sue = world.open(&world.sue, DECIDED);
    let other = Terms { until: Some(date("2026-12-31")), ..Terms::default() };
    assert!(decide::approve(&mut sue, request, &other).unwrap_err().what().contains("other terms"));
    assert_eq!(decide::approve(&mut sue, request, &Terms::default()).unwrap().standing, Standing::Approved);
    drop(sue);
    world.build(request, "x.age", BUILT).unwrap();
    let opened = world.open_as(&world.dora, "x.age", "work", BUILT).unwrap();
    assert_eq!((opened.level, opened.decided_by.len()), (3, 2));
    world.replayed();
}

#[test]
fn the_table_shows_only_what_k_have_in_common() {
    let world = World::new();
    world.approve();
    let people = [("AM-01", &VARYA), ("AM-02", &VARYA), ("AM-03", &VARYA), ("AM-04", &OTAR), ("GE-01", &OTAR)];
    for (code, person) in people {
        let turns: Vec<(&str, &str)> =
            TALK.iter().map(|(l, t)| (if *l == "R" { person.label } else { *l }, *t)).collect();
        let put = world.put(code, &[person], &turns);
        world.review(&put, &[]);
    }
    let (built, opened) = world.whole().unwrap();
    let table = std::fs::read_to_string(opened.folder.join("participants.csv")).unwrap();
    let rows: Vec<&str> = table.lines().skip(1).map(|row| &row[11..]).collect();
    // A fourth by himself would be told by his row, and with him starred the others are too few to hide him: all of the site share what they can.
    assert!(rows.iter().all(|row| rows.iter().filter(|other| other == &row).count() >= 3), "{table}");
    assert!(!table.contains(",GE,") && !table.contains("man,65"), "{table}");
    assert_eq!((built.participants, built.rows_left_out), (5, 5 - rows.len()));
    let order: Vec<String> = transcripts(&opened.folder).iter().map(|text| text[2..13].to_owned()).collect();
    assert!(order.is_sorted());
    world.replayed();
}

#[test]
fn abroad_only_with_leave() {
    let (world, put) = ready();
    world.consent(&put, 0, "2026-01-10T00:00:00Z", |event| {
        event.modules.insert(Module::Abroad, ModuleState::Refused);
    });
    let request = world.ask_as(&world.emil, wish(&[])).unwrap();
    assert_eq!(why(&world.preview(request)), ["floor-country"]);
    assert!(why(&world.preview(world.ask(&[]))).is_empty());
}

#[test]
fn an_extract_opens_for_its_recipient_alone_and_only_as_it_was_built() {
    let (world, _) = ready();
    let request = world.ask(&[]);
    world.agree(request);
    world.build(request, "x.age", BUILT).unwrap();
    let error = world.open_as(&world.emil, "x.age", "work", BUILT).unwrap_err();
    assert_eq!(error.kind(), Kind::Locked);
    assert!(error.what().contains("somebody else"));

    // A byte of the sealed file.
    let sealed = std::fs::read(world.path("x.age")).unwrap();
    let mut bent = sealed.clone();
    let at = bent.len() - 100;
    bent[at] ^= 1;
    std::fs::write(world.path("bent.age"), &bent).unwrap();
    let error = world.open_as(&world.dora, "bent.age", "work", BUILT).unwrap_err();
    assert_eq!((error.kind(), error.what()), (Kind::Damage, "the extract was altered or is not whole"));

    // Opened, altered and sealed again.
    let mut tar = Vec::new();
    stream::open(world.dora.as_age(), &sealed[..], &mut tar, None, &Silent).unwrap();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    read(&tar[..], Limits::default(), &mut |file| {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(file.content, &mut bytes).unwrap();
        files.push((file.name, bytes));
        Ok(())
    })
    .unwrap();
    let reseal = |to: &Identity, files: &[(String, Vec<u8>)]| {
        let mut writer = PackageWriter::new(Vec::new());
        for (name, bytes) in files {
            writer.file(name, bytes).unwrap();
        }
        let tar = writer.finish().unwrap();
        let mut out = Vec::new();
        stream::seal(&[to.card().recipient().as_age()], &tar[..], &mut out, Padding::Padme, &Silent).unwrap();
        std::fs::write(world.path("again.age"), out).unwrap();
        world.open_as(to, "again.age", "work", BUILT)
    };
    let change = |name: &str, with: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = files.clone();
        let file = changed.iter_mut().find(|(n, _)| n.starts_with(name)).unwrap();
        with(&mut file.1);
        reseal(&world.dora, &changed).unwrap_err()
    };
    let flip = |bytes: &mut Vec<u8>| {
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
    };
    for name in [
        "README",
        "decision",
        "manifest.json",
        "manifest.sig",
        "participants",
        "release.json",
        "release.tlog",
        "transcripts",
        "vault.card",
    ] {
        let error = change(name, &flip);
        assert_eq!(error.kind(), Kind::Damage, "{name}: {error:?}");
    }
    let less: Vec<_> = files.iter().filter(|(name, _)| name != "release.tlog-proof").cloned().collect();
    assert!(reseal(&world.dora, &less).unwrap_err().what().contains("lacks the proof"));
    let less: Vec<_> = files.iter().filter(|(name, _)| !name.starts_with("transcripts")).cloned().collect();
    assert!(reseal(&world.dora, &less).unwrap_err().what().contains("missing"));
    let mut more = files.clone();
    more.insert(0, ("A.txt".into(), vec![]));
    assert_eq!(reseal(&world.dora, &more).unwrap_err().kind(), Kind::Damage);
    let passed_on = reseal(&world.emil, &files).unwrap_err();
    assert_eq!(passed_on.kind(), Kind::Denied);
    assert!(passed_on.what().contains("released to somebody else"));
    assert!(!world.path("work").exists());
    reseal(&world.dora, &files).unwrap();
}

#[test]
fn the_vault_is_remembered_from_the_first_extract() {
    let (world, _) = ready();
    let request = world.ask(&[]);
    world.agree(request);
    world.build(request, "x.age", BUILT).unwrap();
    let open = |to: &str, card: Option<&VaultCard>| {
        let opening = Opening {
            identity: &again(&world.dora),
            extract: &world.path("x.age"),
            to: &world.path(to),
            card,
            state: &world.state(&world.dora),
            now: moment(BUILT),
        };
        open::open(&opening, &Silent)
    };
    assert!(open("other", Some(&World::new().card())).unwrap_err().what().contains("another vault"));
    assert_eq!(open("one", None).unwrap().pinned, Pinned::FirstUse);
    assert_eq!(open("two", None).unwrap().pinned, Pinned::Remembered);
    assert!(open("two", None).is_err());
}
