//! Tests of the replay: a good story passes, and each kind of bad one is named.

use super::decide::sign_decision;
use super::policy::Policies;
use super::replay::*;
use crate::base::id::*;
use crate::base::secret::Key;
use crate::base::time::{Date, Moment};
use crate::crypto::sign::SigningSeed;
use crate::ledger::event::*;

const STEWARD: PersonId = PersonId::from_bytes([1; 16]);
const SECOND: PersonId = PersonId::from_bytes([2; 16]);
const ARCHIVIST: PersonId = PersonId::from_bytes([3; 16]);
const ANALYST: PersonId = PersonId::from_bytes([4; 16]);
const SITE: SiteId = SiteId::from_bytes([5; 16]);
const ITEM: Token = Token::from_bytes([6; 16]);
const VOICE: Token = Token::from_bytes([7; 16]);
const VERSION: Token = Token::from_bytes([8; 16]);
const PASSAGE: Token = Token::from_bytes([9; 16]);
const PROJECT: ProjectId = ProjectId::from_bytes([10; 16]);
const REQUEST: RequestId = RequestId::from_bytes([11; 16]);
const APPROVAL: ApprovalId = ApprovalId::from_bytes([12; 16]);
const RELEASE: ReleaseId = ReleaseId::from_bytes([13; 16]);
const HOLD: HoldId = HoldId::from_bytes([14; 16]);

/// Entries of one event each, a minute apart.
struct Story {
    entries: Vec<(PersonId, Event)>,
    seed: SigningSeed,
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn grant(role: Role) -> Vec<RoleGrant> {
    vec![RoleGrant { role, sites: None }]
}

fn consent(act: ConsentAct, scope: Scope, modules: &[(Module, ModuleState)]) -> Event {
    Event::Consent(ConsentFacts {
        participant: VOICE,
        act,
        scope,
        from: date("2026-01-01").start(),
        form: None,
        modules: modules.iter().copied().collect(),
        tier: None,
        embargo: None,
        expiry: None,
        unmapped_condition: false,
        condition_mapped: false,
    })
}

const YES: [(Module, ModuleState); 3] = [
    (Module::Archive, ModuleState::Granted),
    (Module::Reuse, ModuleState::Granted),
    (Module::Abroad, ModuleState::Granted),
];

impl Story {
    /// Up to just before the decision.
    fn begin() -> Self {
        let seed = SigningSeed::from_key(&Key::random().unwrap());
        let sign = seed.public();
        let policies = Policies::load(&[]).unwrap();
        let person = |person, country: &str, roles| Event::Person { person, sign, country: country.to_owned(), roles };
        let days = (date("2020-01-01"), date("2030-01-01"));
        let entries = vec![
            (
                STEWARD,
                Event::Genesis {
                    origin: "subrosa.invalid/test".to_owned(),
                    steward: sign,
                    steward_id: STEWARD,
                    log_key: sign,
                    boards: vec![],
                    trustees: vec![],
                    threshold: 0,
                },
            ),
            (STEWARD, person(STEWARD, "EE", grant(Role::Steward))),
            (STEWARD, person(SECOND, "EE", grant(Role::Steward))),
            (STEWARD, person(ARCHIVIST, "EE", grant(Role::Archivist))),
            (STEWARD, person(ANALYST, "EE", grant(Role::Analyst))),
            (STEWARD, Event::Site { site: SITE, country: "AM".to_owned(), boards: vec!["host".to_owned()] }),
            (STEWARD, Event::Policy { digest: policies.digest(), text: policies.text().to_owned() }),
            (
                STEWARD,
                Event::Approval(ApprovalFacts {
                    approval: APPROVAL,
                    board: "host".to_owned(),
                    sites: Some(vec![SITE]),
                    fieldwork: days,
                    usage: days,
                    purposes: vec!["DUO:0000042".to_owned()],
                    document: None,
                }),
            ),
            (
                STEWARD,
                Event::Project {
                    project: PROJECT,
                    purpose: "DUO:0000042".to_owned(),
                    people: vec![ANALYST],
                    from: days.0,
                    until: days.1,
                },
            ),
            (ARCHIVIST, Event::Participant { participant: VOICE }),
            (ARCHIVIST, Event::Item { item: ITEM, site: SITE, voices: vec![VOICE] }),
            (ARCHIVIST, Event::Transcript { transcript: VERSION, item: ITEM, version: 1, kind: "verbatim".to_owned() }),
            (ARCHIVIST, Event::Passage { passage: PASSAGE, item: ITEM }),
            (ARCHIVIST, consent(ConsentAct::Given, Scope::All, &YES)),
            (
                ARCHIVIST,
                Event::Review { transcript: VERSION, engine: "1".to_owned(), marks: 0, digest: Digest([0; 32]) },
            ),
            (
                ARCHIVIST,
                Event::Request { request: REQUEST, project: PROJECT, requester: ANALYST, digest: Digest([0; 32]) },
            ),
        ];
        Self { entries, seed }
    }

    fn list() -> ItemList {
        ItemList { items: vec![ITEM], salt: "AAAAAAAAAAAAAAAAAAAAAA==".to_owned() }
    }

    fn facts() -> DecisionFacts {
        DecisionFacts {
            request: REQUEST,
            project: PROJECT,
            recipient: ANALYST,
            requester: ANALYST,
            granted: true,
            level: 2,
            sites: None,
            items: Some(Self::list().digest().unwrap()),
            needs: vec![Module::Reuse],
            approvals: vec![APPROVAL],
            until: date("2027-01-01"),
            conditions: Digest([0; 32]),
            country: "EE".to_owned(),
            steward: STEWARD,
            time: date("2026-05-01").start(),
        }
    }

    fn then(mut self, actor: PersonId, event: Event) -> Self {
        self.entries.push((actor, event));
        self
    }

    /// Without the events that `unwanted` picks.
    fn without(mut self, unwanted: impl Fn(&Event) -> bool) -> Self {
        self.entries.retain(|(_, event)| !unwanted(event));
        self
    }

    fn decide(self, facts: DecisionFacts) -> Self {
        self.decide_on(facts, Self::list())
    }

    fn decide_on(self, facts: DecisionFacts, list: ItemList) -> Self {
        let sig = sign_decision(&facts, &self.seed).unwrap();
        let (items, salt) = (Some(list.items), Some(list.salt));
        self.then(facts.steward, Event::Decision { decision: facts, sig, items, salt })
    }

    fn item() -> ReleasedItem {
        ReleasedItem {
            item: ITEM,
            site: SITE,
            transcript: VERSION,
            voices: vec![VOICE],
            passages: vec![],
            fieldwork: vec![APPROVAL],
        }
    }

    fn release(self, item: ReleasedItem) -> Self {
        self.release_until(item, "2027-01-01")
    }

    fn release_until(self, item: ReleasedItem, until: &str) -> Self {
        let event = Event::Release {
            release: RELEASE,
            request: REQUEST,
            recipient: ANALYST,
            until: date(until),
            manifest: Digest([0; 32]),
            items: vec![item],
            withheld: 0,
        };
        self.then(ARCHIVIST, event)
    }

    fn findings(&self) -> Vec<String> {
        self.findings_from("2026-05-01")
    }

    fn findings_from(&self, day: &str) -> Vec<String> {
        let start = date(day).start().seconds();
        let entries = self.entries.iter().enumerate().map(|(i, (actor, event))| {
            let time = Moment::from_seconds(start + 60 * i64::try_from(i).unwrap()).unwrap();
            Entry { seq: u64::try_from(i).unwrap(), time, actor: *actor, events: std::slice::from_ref(event) }
        });
        replay(entries).into_iter().map(|finding| finding.words).collect()
    }
}

fn good() -> Story {
    Story::begin().decide(Story::facts()).release(Story::item())
}

/// Asserts that some finding has `words` in it.
fn named(story: &Story, words: &str) {
    let findings = story.findings();
    assert!(findings.iter().any(|finding| finding.contains(words)), "{words}: {findings:?}");
}

#[test]
fn a_good_story_passes() {
    assert_eq!(good().findings(), Vec::<String>::new());
}

#[test]
fn a_release_without_consent_is_named() {
    let asked = |event: &Event| matches!(event, Event::Consent(_));
    named(&good().without(asked), "has not agreed");
    let taken = |scope| consent(ConsentAct::Withdrawn, scope, &[]);
    for scope in [Scope::All, Scope::Interview(ITEM)] {
        let story = Story::begin().then(ARCHIVIST, taken(scope)).decide(Story::facts()).release(Story::item());
        named(&story, "withdrawn");
    }
    // Elsewhere it does not matter; a passage matters where it went out.
    let story = Story::begin().then(ARCHIVIST, taken(Scope::Passage(PASSAGE))).decide(Story::facts());
    assert!(story.release(Story::item()).findings().is_empty());
    let story = Story::begin().then(ARCHIVIST, taken(Scope::Passage(PASSAGE))).decide(Story::facts());
    named(&story.release(ReleasedItem { passages: vec![PASSAGE], ..Story::item() }), "withdrawn");
}

#[test]
fn a_passage_agreed_to_alone_may_go() {
    let asked = |event: &Event| matches!(event, Event::Consent(_));
    let story =
        Story::begin().without(asked).then(ARCHIVIST, consent(ConsentAct::Given, Scope::Passage(PASSAGE), &YES));
    let story = story.decide(Story::facts()).release(ReleasedItem { passages: vec![PASSAGE], ..Story::item() });
    assert_eq!(story.findings(), Vec::<String>::new());
}

#[test]
fn a_second_building_is_decided_again() {
    let again = Event::ReleaseAgain { release: RELEASE, manifest: Digest([0; 32]) };
    assert!(good().then(ARCHIVIST, again.clone()).findings().is_empty());
    let story = good().then(ARCHIVIST, consent(ConsentAct::Withdrawn, Scope::All, &[]));
    named(&story.then(ARCHIVIST, again), "withdrawn");
}

#[test]
fn a_receipt_says_what_its_release_says() {
    let receipt = |release, recipient, until: &str, manifest| Event::Receipt {
        release,
        recipient,
        until: date(until),
        manifest: Digest([manifest; 32]),
    };
    let right = || receipt(RELEASE, ANALYST, "2027-01-01", 0);
    assert!(good().then(ARCHIVIST, right()).then(ARCHIVIST, right()).findings().is_empty());
    for wrong in [
        receipt(RELEASE, SECOND, "2027-01-01", 0),
        receipt(RELEASE, ANALYST, "2027-01-02", 0),
        receipt(RELEASE, ANALYST, "2027-01-01", 1),
    ] {
        named(&good().then(ARCHIVIST, wrong.clone()), "something else than its release");
        named(&good().then(ARCHIVIST, right()).then(ARCHIVIST, wrong), "something else than its release");
    }
    let never = receipt(ReleaseId::from_bytes([99; 16]), ANALYST, "2027-01-01", 0);
    named(&good().then(ARCHIVIST, never), "never was");
    named(&good().then(ANALYST, right()), "a receipt was written by somebody");
}

#[test]
fn the_recipient_must_be_enrolled_and_of_the_project() {
    let enrolled = |event: &Event| matches!(event, Event::Person { person, .. } if *person == ANALYST);
    named(&good().without(enrolled), "not enrolled");
    let sign = SigningSeed::from_key(&Key::random().unwrap()).public();
    let gone = Event::Person { person: ANALYST, sign, country: "EE".to_owned(), roles: vec![] };
    let story = Story::begin().decide(Story::facts()).then(STEWARD, gone).release(Story::item());
    named(&story, "was removed");
    let project = |event: &Event| matches!(event, Event::Project { .. });
    named(&good().without(project), "project's people");
    let moved = DecisionFacts { country: "RU".to_owned(), ..Story::facts() };
    named(&Story::begin().decide(moved).release(Story::item()), "country is not the one");
}

#[test]
fn decisions_must_be_signed_by_a_steward_who_did_not_ask() {
    named(&Story::begin().release(Story::item()), "nobody had decided");
    let mut story = Story::begin().decide(Story::facts());
    if let Some((_, Event::Decision { decision, .. })) = story.entries.last_mut() {
        decision.level = 1;
    }
    named(&story, "signature on a decision does not hold");
    named(&story.release(Story::item()), "the decision is not signed");

    let by_archivist = DecisionFacts { steward: ARCHIVIST, ..Story::facts() };
    let story = Story::begin().decide(by_archivist).release(Story::item());
    named(&story, "not a steward");
    let own = DecisionFacts { requester: STEWARD, ..Story::facts() };
    let story = Story::begin().decide(own).release(Story::item());
    named(&story, "own request");
    named(&story, "never recorded, or was another");
    let no = DecisionFacts { granted: false, steward: SECOND, ..Story::facts() };
    named(&Story::begin().decide(Story::facts()).decide(no).release(Story::item()), "had said no");
    let asked = |event: &Event| matches!(event, Event::Request { .. });
    named(&good().without(asked), "never recorded");
}

#[test]
fn a_steward_of_another_site_decides_nothing_here() {
    let story = Story::begin();
    let roles = vec![RoleGrant { role: Role::Steward, sites: Some(vec![SiteId::from_bytes([99; 16])]) }];
    let sign = story.seed.public();
    let event = Event::Person { person: SECOND, sign, country: "EE".to_owned(), roles };
    let facts = DecisionFacts { steward: SECOND, ..Story::facts() };
    named(&story.then(STEWARD, event).decide(facts).release(Story::item()), "not a steward");
}

#[test]
fn more_than_was_decided_is_named() {
    let level = DecisionFacts { level: 4, ..Story::facts() };
    named(&Story::begin().decide(level).release(Story::item()), "no such level");
    named(&Story::begin().decide(Story::facts()).release_until(Story::item(), "2028-01-01"), "later than was decided");
    let none = ItemList { items: vec![], ..Story::list() };
    let other = DecisionFacts { items: Some(none.digest().unwrap()), ..Story::facts() };
    named(&Story::begin().decide_on(other, none.clone()).release(Story::item()), "not decided on");
    // A list that is not the one signed covers nothing.
    for list in [none, ItemList { salt: String::new(), ..Story::list() }] {
        let story = Story::begin().decide_on(Story::facts(), list).release(Story::item());
        named(&story, "not those that were signed");
        named(&story, "not decided on");
    }
    let expired = good();
    let findings = expired.findings_from("2027-01-01");
    assert!(findings.iter().any(|finding| finding.contains("has ended")), "{findings:?}");
}

#[test]
fn review_hold_and_approvals_are_held_against_it() {
    let reviewed = |event: &Event| matches!(event, Event::Review { .. });
    named(&good().without(reviewed), "no person has recorded a review");
    let marks = Event::Marks { transcript: VERSION, added: 0, changed: 0, removed: 1 };
    named(&Story::begin().then(ARCHIVIST, marks).decide(Story::facts()).release(Story::item()), "recorded a review");

    let set = Event::HoldSet { hold: HOLD, sites: vec![SITE], items: vec![] };
    let lift = |lifted| Event::HoldLift { hold: HOLD, lifted };
    let held = || Story::begin().then(STEWARD, set.clone()).then(STEWARD, lift(false));
    named(&held().decide(Story::facts()).release(Story::item()), "on hold");
    named(&held().then(STEWARD, lift(true)), "before two stewards");
    assert!(held().then(SECOND, lift(true)).decide(Story::facts()).release(Story::item()).findings().is_empty());

    let fieldwork = ReleasedItem { fieldwork: vec![], ..Story::item() };
    named(&Story::begin().decide(Story::facts()).release(fieldwork), "day of the interview");
    let approvals = DecisionFacts { approvals: vec![], ..Story::facts() };
    named(&Story::begin().decide(approvals).release(Story::item()), "covers this use today");
    let mut other = good();
    for (_, event) in &mut other.entries {
        if let Event::Approval(facts) = event {
            facts.purposes = vec!["DUO:0000007".to_owned()];
        }
    }
    named(&other, "covers this use today");
}

#[test]
fn governance_by_the_wrong_hands_is_named() {
    let policies = |event: &Event| matches!(event, Event::Policy { .. });
    named(&good().without(policies), "no policies were in force");
    let text = "@id(\"all\") permit(principal, action, resource);".to_owned();
    named(&Story::begin().then(STEWARD, Event::Policy { digest: Digest([0; 32]), text }), "do not stand on the floor");
    let sign = SigningSeed::from_key(&Key::random().unwrap()).public();
    let crown = Event::Person { person: ANALYST, sign, country: "EE".to_owned(), roles: grant(Role::Steward) };
    named(&Story::begin().then(ARCHIVIST, crown), "roles were changed by somebody");
    named(
        &Story::begin().then(ANALYST, consent(ConsentAct::Given, Scope::All, &YES)),
        "consent was changed by somebody",
    );
    let two = Event::Study {
        version: 1,
        digest: Digest([0; 32]),
        text: "[thresholds]\nstewards = 2".to_owned(),
        sig: SigningSeed::from_key(&Key::random().unwrap()).sign("x", b""),
    };
    named(&Story::begin().then(STEWARD, two).decide(Story::facts()).release(Story::item()), "fewer stewards");
}

#[test]
fn only_archivists_take_in_and_only_archivists_and_stewards_write() {
    let says = |actor, event: Event| Story::begin().then(actor, event);
    let taken_in = [
        Event::Participant { participant: VOICE },
        Event::Item { item: ITEM, site: SITE, voices: vec![VOICE] },
        Event::Object { object: VERSION, item: ITEM, kind: "recording".to_owned(), digest: Digest([0; 32]) },
        Event::Transcript { transcript: VERSION, item: ITEM, version: 1, kind: "verbatim".to_owned() },
        Event::Passage { passage: PASSAGE, item: ITEM },
        Event::Marks { transcript: VERSION, added: 1, changed: 0, removed: 0 },
        Event::Checks { transcript: VERSION, turns: 1 },
    ];
    for event in taken_in {
        named(&says(STEWARD, event.clone()), "by somebody who may not do that");
        assert!(says(ARCHIVIST, event).findings().is_empty());
    }
    let opened = Event::Opened { what: "transcript".to_owned(), tokens: vec![VERSION] };
    named(&says(ANALYST, opened.clone()), "neither archivist nor steward");
    assert!(says(STEWARD, opened).findings().is_empty());
}

#[test]
fn a_release_to_its_builder_or_its_reviewer_is_named() {
    let both = [grant(Role::Archivist), grant(Role::Analyst)].concat();
    let person = |story: &Story| Event::Person {
        person: ANALYST,
        sign: story.seed.public(),
        country: "EE".to_owned(),
        roles: both.clone(),
    };
    let story = || {
        let story = Story::begin();
        let event = person(&story);
        story.then(STEWARD, event)
    };
    assert!(story().decide(Story::facts()).release(Story::item()).findings().is_empty());
    let mut own = story().decide(Story::facts()).release(Story::item());
    own.entries.last_mut().unwrap().0 = ANALYST;
    named(&own, "for their own request");
    let review = Event::Review { transcript: VERSION, engine: "1".to_owned(), marks: 0, digest: Digest([0; 32]) };
    named(&story().then(ANALYST, review).decide(Story::facts()).release(Story::item()), "recorded a review");
}

#[test]
fn a_condition_refuses_until_a_steward_maps_it() {
    let says = |unmapped, mapped| {
        let Event::Consent(facts) = consent(ConsentAct::Amended, Scope::All, &[]) else { panic!() };
        Event::Consent(ConsentFacts { unmapped_condition: unmapped, condition_mapped: mapped, ..facts })
    };
    let waiting = || Story::begin().then(ARCHIVIST, says(true, false));
    named(&waiting().decide(Story::facts()).release(Story::item()), "no steward has mapped");
    let by_archivist = waiting().then(ARCHIVIST, says(false, true)).decide(Story::facts()).release(Story::item());
    named(&by_archivist, "mapped by somebody who is not a steward");
    named(&by_archivist, "no steward has mapped");
    let by_steward = waiting().then(STEWARD, says(false, true)).decide(Story::facts()).release(Story::item());
    assert!(by_steward.findings().is_empty());
}
