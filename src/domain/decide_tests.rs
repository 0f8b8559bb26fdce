//! Tests of deciding: from consent events to a grant.

use std::collections::{BTreeMap, BTreeSet};

use super::consent::{ConsentEvent, ConsentScope, LegalBasis, Place, TimeRange, TurnRange, state_at};
use super::consent_turns::{LeftOut, Speaker, TurnVerdict};
use super::decide::*;
use super::policy::Policies;
use super::policy_tests::party;
use crate::base::Kind;
use crate::base::id::*;
use crate::base::secret::Key;
use crate::base::time::{Date, Moment};
use crate::crypto::sign::SigningSeed;
use crate::ledger::event::{ConsentAct, DecisionFacts, Digest, ItemList, Module, ModuleState, Scope, Tier};

const A: ParticipantId = ParticipantId::from_bytes([1; 16]);
const B: ParticipantId = ParticipantId::from_bytes([2; 16]);
const INTERVIEW: InterviewId = InterviewId::from_bytes([3; 16]);
const VERSION: TranscriptId = TranscriptId::from_bytes([4; 16]);
const ITEM: Token = Token::from_bytes([5; 16]);
const SITE: SiteId = SiteId::from_bytes([6; 16]);
const PASSAGE: Token = Token::from_bytes([7; 16]);

fn moment(text: &str) -> Moment {
    text.parse::<Date>().unwrap().start()
}

fn event(
    participant: ParticipantId,
    act: ConsentAct,
    scope: ConsentScope,
    day: &str,
    said: &[(Module, ModuleState)],
) -> ConsentEvent {
    ConsentEvent {
        id: ConsentEventId::from_bytes([0; 16]),
        participant,
        act,
        scope,
        from: moment(day),
        recorded: moment(day),
        form: Some(Digest([1; 32])),
        modules: said.iter().copied().collect(),
        tier: Some(Tier::RoleCountry),
        embargo: None,
        expiry: None,
        review_by: None,
        condition: None,
        condition_mapped: false,
        language: Some("hy".to_owned()),
        basis: LegalBasis::Consent,
        evidence: None,
    }
}

fn yes(participant: ParticipantId) -> ConsentEvent {
    let said = [Module::Archive, Module::Reuse, Module::Abroad].map(|module| (module, ModuleState::Granted));
    event(participant, ConsentAct::Given, ConsentScope::All, "2024-01-01", &said)
}

fn passage(turns: &[(u32, u32)], times: &[(u64, u64)]) -> ConsentScope {
    ConsentScope::Passage {
        interview: INTERVIEW,
        passage: PASSAGE,
        turns: turns
            .iter()
            .map(|(first, last)| TurnRange { transcript: VERSION, first: *first, last: *last })
            .collect(),
        times: times.iter().map(|(from, to)| TimeRange { from: *from, to: *to }).collect(),
    }
}

fn setting() -> Setting {
    Setting {
        now: moment("2026-05-10"),
        recipient: party(1),
        requester: party(1),
        project_active: true,
        in_project: true,
        purpose_covered: true,
        stewards_needed: 1,
    }
}

fn facts() -> DecisionFacts {
    DecisionFacts {
        request: RequestId::from_bytes([1; 16]),
        project: ProjectId::from_bytes([1; 16]),
        recipient: party(1).id,
        requester: party(1).id,
        granted: true,
        level: 2,
        sites: None,
        items: None,
        needs: vec![Module::Reuse],
        approvals: vec![],
        until: "2027-05-10".parse().unwrap(),
        conditions: Digest([2; 32]),
        country: "EE".to_owned(),
        steward: party(3).id,
        time: moment("2026-05-09"),
    }
}

fn decided(facts: DecisionFacts) -> Decided {
    decided_with(facts, None)
}

fn decided_with(facts: DecisionFacts, list: Option<ItemList>) -> Decided {
    let seed = SigningSeed::from_key(&Key::random().unwrap());
    let signature = sign_decision(&facts, &seed).unwrap();
    Decided::verify(facts, list, &signature, &seed.public(), party(3), None).unwrap()
}

fn case(speakers: &[Speaker<ParticipantId>], events: &[ConsentEvent]) -> ItemCase {
    let of = |id: ParticipantId| events.iter().filter(|event| event.participant == id).cloned().collect();
    ItemCase {
        interview: INTERVIEW,
        item: ITEM,
        site: SITE,
        country: "AM".to_owned(),
        transcript: VERSION,
        transcript_token: Token::from_bytes([8; 16]),
        turns: speakers.iter().map(|speaker| TurnCase { speakers: vec![*speaker], time: None }).collect(),
        checked: BTreeSet::new(),
        participants: BTreeMap::from([
            (A, (Token::from_bytes([11; 16]), of(A))),
            (B, (Token::from_bytes([12; 16]), of(B))),
        ]),
        hold: false,
        reviewed: true,
        fieldwork_covered: true,
        use_covered: true,
        fieldwork: vec![],
    }
}

const TALK: [Speaker<ParticipantId>; 7] = [
    Speaker::Aside,
    Speaker::Participant(A),
    Speaker::Aside,
    Speaker::Participant(A),
    Speaker::Aside,
    Speaker::Participant(B),
    Speaker::Aside,
];

fn plan(case: ItemCase) -> Plan {
    let policies = Policies::load(&[]).unwrap();
    release(&policies, &[decided(facts())], &setting(), &[case]).unwrap()
}

#[test]
fn all_goes_where_all_agreed() {
    let plan = plan(case(&TALK, &[yes(A), yes(B)]));
    assert!(plan.items()[0].turns.iter().all(|turn| turn.goes()));
    assert_eq!(plan.withheld(), 0);
    let grant = plan.grant().unwrap();
    let released = grant.released();
    assert_eq!(released[0].voices, vec![Token::from_bytes([11; 16]), Token::from_bytes([12; 16])]);
}

#[test]
fn one_voice_goes_without_the_other_and_says_why() {
    let withdrawn = event(B, ConsentAct::Withdrawn, ConsentScope::All, "2026-01-01", &[]);
    let plan = plan(case(&TALK, &[yes(A), yes(B), withdrawn]));
    let item = &plan.items()[0];
    assert_eq!(item.turns[5], TurnVerdict::LeftOut(LeftOut::Voice));
    assert_eq!(item.turns[4], TurnVerdict::LeftOut(LeftOut::Neighbour));
    assert!(item.turns[..4].iter().all(|turn| turn.goes()));
    assert!(item.voices[&B].reasons.keys().any(|reason| reason.rule == "floor-withdrawn"));
    assert!(item.voices[&A].reasons.is_empty());
    assert_eq!(plan.grant().unwrap().released()[0].voices, vec![Token::from_bytes([11; 16])]);
}

#[test]
fn a_passage_is_left_out_by_its_turns() {
    let silence =
        event(A, ConsentAct::Amended, passage(&[(2, 3)], &[]), "2026-01-01", &[(Module::Reuse, ModuleState::Refused)]);
    let plan = plan(case(&TALK, &[yes(A), yes(B), silence]));
    let item = &plan.items()[0];
    let going: Vec<bool> = item.turns.iter().map(|turn| turn.goes()).collect();
    assert_eq!(going, [true, true, false, false, false, true, true]);
    assert!(item.passages.is_empty());
}

#[test]
fn a_passage_that_cannot_be_placed_silences_the_voice() {
    // Bounded by time, in a transcript without times.
    let silence =
        event(A, ConsentAct::Amended, passage(&[], &[(0, 9)]), "2026-01-01", &[(Module::Reuse, ModuleState::Refused)]);
    let plan = plan(case(&TALK, &[yes(A), yes(B), silence]));
    assert_eq!(plan.items()[0].voices[&A].turns_going, 0);
    assert!(plan.items()[0].voices[&B].turns_going > 0);
}

#[test]
fn what_a_passage_grants_holds_there_only_and_only_where_it_is_sure() {
    let said = [Module::Archive, Module::Reuse, Module::Abroad].map(|module| (module, ModuleState::Granted));
    let grant = event(A, ConsentAct::Given, passage(&[(1, 1)], &[]), "2024-01-01", &said);
    let plan = plan(case(&TALK, &[grant.clone(), yes(B)]));
    assert_eq!(plan.items()[0].voices[&A].turns_going, 1);
    assert_eq!(plan.items()[0].passages, vec![PASSAGE]);
    let other =
        Place::Turn { interview: INTERVIEW, transcript: TranscriptId::from_bytes([9; 16]), turn: 1, time: None };
    assert!(!state_at(&[grant], moment("2026-05-10"), &other).permits(&[Module::Reuse], "2026-05-10".parse().unwrap()));
}

#[test]
fn a_later_version_knows_where_a_passage_is_once_somebody_has_said_so() {
    let other = TranscriptId::from_bytes([9; 16]);
    let silence =
        event(A, ConsentAct::Amended, passage(&[(2, 3)], &[]), "2026-01-01", &[(Module::Reuse, ModuleState::Refused)]);
    let turns = vec![TurnRange { transcript: other, first: 5, last: 6 }];
    let scope = ConsentScope::Passage { interview: INTERVIEW, passage: PASSAGE, turns, times: vec![] };
    let placed = event(A, ConsentAct::Amended, scope, "2026-02-01", &[]);
    let may = |events: &[ConsentEvent], turn| {
        let place = Place::Turn { interview: INTERVIEW, transcript: other, turn, time: None };
        state_at(events, moment("2026-05-10"), &place).permits(&[Module::Reuse], "2026-05-10".parse().unwrap())
    };
    assert!(!may(&[yes(A), silence.clone()], 1));
    assert!(may(&[yes(A), silence.clone(), placed.clone()], 1));
    assert!(!may(&[yes(A), silence, placed], 5));
}

#[test]
fn agreement_to_one_form_is_never_shown_as_agreement_to_another() {
    let first = yes(A);
    let mut second =
        event(A, ConsentAct::Given, ConsentScope::All, "2025-01-01", &[(Module::Teaching, ModuleState::Granted)]);
    second.form = Some(Digest([9; 32]));
    let state = state_at(&[first, second], moment("2026-01-01"), &Place::Everything);
    assert_eq!(state.forms.get(&Module::Reuse), Some(&Digest([1; 32])));
    assert_eq!(state.forms.get(&Module::Teaching), Some(&Digest([9; 32])));
    assert_eq!(state.module(Module::QuoteText), ModuleState::NotAsked);
}

#[test]
fn an_older_form_that_turns_up_undoes_no_withdrawal() {
    let mut withdrawn = event(A, ConsentAct::Withdrawn, ConsentScope::All, "2025-03-01", &[]);
    withdrawn.recorded = moment("2025-03-10");
    let mut late = yes(A);
    late.recorded = moment("2025-04-01");
    let at = moment("2026-01-01");
    let state = state_at(&[yes(A), withdrawn.clone(), late.clone()], at, &Place::Everything);
    assert!(state.withdrawn);
    late.from = moment("2025-04-01");
    assert!(!state_at(&[yes(A), withdrawn, late], at, &Place::Everything).withdrawn);
}

#[test]
fn a_preview_is_the_same_and_gives_no_grant() {
    let policies = Policies::load(&[]).unwrap();
    let proposed = [Decided::proposed(facts(), None, party(3), None)];
    let preview = release(&policies, &proposed, &setting(), &[case(&TALK, &[yes(A), yes(B)])]).unwrap();
    assert_eq!(preview.items(), plan(case(&TALK, &[yes(A), yes(B)])).items());
    assert_eq!(preview.grant().err().unwrap().kind(), Kind::Denied);
}

#[test]
fn nothing_to_give_is_no_grant() {
    for item in [
        case(&TALK, &[]),
        case(&[], &[yes(A), yes(B)]),
        ItemCase { reviewed: false, ..case(&TALK, &[yes(A), yes(B)]) },
        ItemCase { hold: true, ..case(&TALK, &[yes(A), yes(B)]) },
        ItemCase { use_covered: false, ..case(&TALK, &[yes(A), yes(B)]) },
    ] {
        let plan = plan(item);
        assert!(plan.items()[0].turns.iter().all(|turn| !turn.goes()));
        assert_eq!(plan.withheld(), 1);
        assert_eq!(plan.grant().err().unwrap().kind(), Kind::Denied);
    }
}

#[test]
fn what_was_not_decided_on_stays() {
    let policies = Policies::load(&[]).unwrap();
    let list = |item| ItemList::new([item].into()).unwrap();
    let naming = |list: &ItemList| DecisionFacts { items: Some(list.digest().unwrap()), ..facts() };
    let (elsewhere, here) = (list(Token::from_bytes([99; 16])), list(ITEM));
    for (named, goes) in [(elsewhere, false), (here.clone(), true)] {
        let decided = decided_with(naming(&named), Some(named));
        let plan = release(&policies, &[decided], &setting(), &[case(&TALK, &[yes(A), yes(B)])]).unwrap();
        assert_eq!((plan.items()[0].in_decision, plan.grant().is_ok()), (goes, goes));
    }
    // Another list than the one that was signed, or the same with another salt.
    let seed = SigningSeed::from_key(&Key::random().unwrap());
    let verify = |facts: DecisionFacts, list: Option<ItemList>| {
        let signature = sign_decision(&facts, &seed).unwrap();
        Decided::verify(facts, list, &signature, &seed.public(), party(3), None)
    };
    assert!(verify(naming(&here), Some(here.clone())).is_ok());
    for other in [None, Some(list(ITEM)), Some(ItemList { items: vec![], ..here.clone() })] {
        assert_eq!(verify(naming(&here), other).err().unwrap().kind(), Kind::Damage);
    }
    assert!(verify(facts(), Some(here.clone())).is_err());
    let unordered = ItemList { items: vec![ITEM, ITEM], ..here };
    assert!(verify(naming(&unordered), Some(unordered)).is_err());

    let of_another_site = [Decided::proposed(facts(), None, party(3), Some(vec![SiteId::from_bytes([99; 16])]))];
    let plan = release(&policies, &of_another_site, &setting(), &[case(&TALK, &[yes(A), yes(B)])]).unwrap();
    assert!(!plan.items()[0].in_decision);
}

#[test]
fn decisions_that_do_not_hold_are_refused() {
    let policies = Policies::load(&[]).unwrap();
    let ask = |decisions: &[Decided], setting: &Setting| release(&policies, decisions, setting, &[]).map(|_| ());
    assert!(ask(&[], &setting()).is_err());
    assert!(ask(&[decided(DecisionFacts { granted: false, ..facts() })], &setting()).is_err());
    assert!(ask(&[decided(DecisionFacts { time: moment("2026-06-01"), ..facts() })], &setting()).is_err());
    assert!(ask(&[decided(facts())], &Setting { recipient: party(2), ..setting() }).is_err());
    assert!(ask(&[decided(facts())], &Setting { stewards_needed: 2, ..setting() }).is_err());
    assert!(ask(&[decided(facts()), decided(facts())], &Setting { stewards_needed: 2, ..setting() }).is_err());
    assert!(ask(&[decided(facts()), decided(DecisionFacts { level: 1, ..facts() })], &setting()).is_err());
    assert!(ask(&[decided(facts())], &setting()).is_ok());

    let seed = SigningSeed::from_key(&Key::random().unwrap());
    let signature = sign_decision(&facts(), &seed).unwrap();
    let changed = DecisionFacts { level: 1, ..facts() };
    assert!(Decided::verify(changed, None, &signature, &seed.public(), party(3), None).is_err());
    assert!(Decided::verify(facts(), None, &signature, &seed.public(), party(4), None).is_err());
}

#[test]
fn an_event_keeps_its_words_out_of_debug_and_the_ledger() {
    let mut event = yes(A);
    event.condition = Some("not before my mother has died".to_owned());
    event.check().unwrap();
    assert!(!format!("{event:?}").contains("mother"));
    let facts = event.facts(Token::from_bytes([11; 16]), None).unwrap();
    assert!(facts.unmapped_condition && facts.scope == Scope::All);
    assert!(!serde_json::to_string(&facts).unwrap().contains("mother"));
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<ConsentEvent>(&text).unwrap(), event);
}

#[test]
fn an_event_that_contradicts_itself_is_refused() {
    let taken =
        event(A, ConsentAct::Given, ConsentScope::All, "2024-01-01", &[(Module::Reuse, ModuleState::Withdrawn)]);
    assert!(taken.check().is_err());
    let given =
        event(A, ConsentAct::Withdrawn, ConsentScope::All, "2024-01-01", &[(Module::Reuse, ModuleState::Granted)]);
    assert!(given.check().is_err());
    assert!(event(A, ConsentAct::Given, passage(&[(3, 2)], &[]), "2024-01-01", &[]).check().is_err());
    assert!(event(A, ConsentAct::Given, passage(&[], &[]), "2024-01-01", &[]).check().is_err());
}
