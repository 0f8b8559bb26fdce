//! The fold of consent against an independent reference, and what must hold of every decision.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use subrosa::base::id::{ConsentEventId, InterviewId, ParticipantId, PersonId, Token, TranscriptId};
use subrosa::base::time::{Date, Moment};
use subrosa::domain::consent::{ConsentEvent, ConsentScope, LegalBasis, Place, TurnRange, state_at};
use subrosa::domain::policy::{
    Action, Party, Policies, Question, ReleaseTerms, Terms, VoiceFacts, WorkTerms, decide_voice,
};
use subrosa::ledger::event::{ConsentAct, Module, ModuleState, Tier};

const MODULES: [Module; 8] = Module::ALL;
const TIERS: [Tier; 4] = [Tier::FullName, Tier::RoleCountry, Tier::ParaphraseOnly, Tier::Never];
const BASE: i64 = 1_700_000_000;
const DAY: i64 = 86_400;

fn moment(days: i64) -> Moment {
    Moment::from_seconds(BASE + days * DAY).unwrap()
}

fn date(days: i64) -> Date {
    moment(days).date()
}

fn id(n: u8) -> [u8; 16] {
    [n; 16]
}

fn place(interview: u8, transcript: u8, turn: u32) -> Place {
    Place::Turn {
        interview: InterviewId::from_bytes(id(interview)),
        transcript: TranscriptId::from_bytes(id(transcript)),
        turn,
        time: None,
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Events at random: few interviews, passages and days, so that they meet.

fn scope() -> impl Strategy<Value = ConsentScope> {
    prop_oneof![
        3 => Just(ConsentScope::All),
        3 => (0u8..2).prop_map(|n| ConsentScope::Interview { interview: InterviewId::from_bytes(id(n)) }),
        3 => (0u8..2, 0u8..2).prop_map(|(interview, passage)| {
            // The bounds go with the token, as they do in a vault.
            let first = u32::from(passage) * 2;
            ConsentScope::Passage {
                interview: InterviewId::from_bytes(id(interview)),
                passage: Token::from_bytes(id(interview * 2 + passage)),
                turns: vec![TurnRange { transcript: TranscriptId::from_bytes(id(1)), first, last: first + 2 }],
                times: vec![],
            }
        }),
    ]
}

fn agreed() -> impl Strategy<Value = BTreeMap<Module, ModuleState>> {
    let state = prop_oneof![
        4 => Just(ModuleState::Granted),
        1 => Just(ModuleState::Refused),
        1 => Just(ModuleState::NotAsked),
    ];
    prop::collection::btree_map(prop::sample::select(MODULES.to_vec()), state, 0..6)
}

fn event() -> impl Strategy<Value = ConsentEvent> {
    let act = prop_oneof![
        4 => Just(ConsentAct::Given),
        3 => Just(ConsentAct::Amended),
        2 => Just(ConsentAct::Withdrawn),
    ];
    let dates = (prop::option::weighted(0.2, -5i64..25), prop::option::weighted(0.2, -5i64..25));
    let said =
        (prop::option::weighted(0.1, Just(())), any::<bool>(), prop::option::of(prop::sample::select(TIERS.to_vec())));
    (act, scope(), -3i64..18, 0i64..15, agreed(), dates, said).prop_map(
        |(act, scope, from, recorded, mut modules, (embargo, expiry), (condition, mapped, tier))| {
            if act == ConsentAct::Withdrawn {
                modules.values_mut().for_each(|state| *state = ModuleState::Withdrawn);
            }
            ConsentEvent {
                id: ConsentEventId::from_bytes(id(0)),
                participant: ParticipantId::from_bytes(id(0)),
                act,
                scope,
                from: moment(from),
                recorded: moment(recorded),
                form: None,
                modules,
                tier,
                embargo: embargo.map(date),
                expiry: expiry.map(date),
                review_by: None,
                condition: condition.map(|()| "only after we have spoken".to_owned()),
                condition_mapped: mapped,
                language: None,
                basis: LegalBasis::Consent,
                evidence: None,
            }
        },
    )
}

fn events() -> impl Strategy<Value = Vec<ConsentEvent>> {
    prop::collection::vec(event(), 0..12)
}

fn any_place() -> impl Strategy<Value = Place> {
    prop_oneof![
        1 => Just(Place::Everything),
        1 => (0u8..2).prop_map(|n| Place::Interview(InterviewId::from_bytes(id(n)))),
        4 => (0u8..2, 0u32..7).prop_map(|(interview, turn)| place(interview, 1, turn)),
    ]
}

// ---------------------------------------------------------------------------------------------------------------------
// The reference: rule by rule, backwards where the fold goes forwards, without any of its code.

#[derive(PartialEq, Debug)]
struct Reference {
    modules: BTreeMap<Module, ModuleState>,
    tier: Tier,
    embargo: Option<Date>,
    expiry: Option<Date>,
    unmapped: bool,
    withdrawn: bool,
}

fn covers(scope: &ConsentScope, place: &Place) -> bool {
    let at = match place {
        Place::Everything => None,
        Place::Interview(interview) => Some((*interview, None)),
        Place::Turn { interview, turn, .. } => Some((*interview, Some(*turn))),
    };
    match (scope, at) {
        (ConsentScope::All, _) => true,
        (ConsentScope::Interview { interview }, Some((asked, _))) => *interview == asked,
        (ConsentScope::Passage { interview, turns, .. }, Some((asked, Some(turn)))) => {
            *interview == asked && turns.iter().any(|range| range.first <= turn && turn <= range.last)
        }
        _ => false,
    }
}

fn barrier(event: &ConsentEvent) -> Moment {
    event.from.max(event.recorded)
}

fn altogether(event: &ConsentEvent) -> bool {
    event.act == ConsentAct::Withdrawn && (event.modules.is_empty() || event.modules.contains_key(&Module::Archive))
}

fn takes(event: &ConsentEvent, module: Module) -> bool {
    altogether(event) || event.act == ConsentAct::Withdrawn && event.modules.contains_key(&module)
}

/// Withdrawn altogether after the first `n` events: some withdrawal that no later agreement answers.
fn closed(layer: &[&ConsentEvent], n: usize) -> bool {
    (0..n)
        .filter(|i| altogether(layer[*i]))
        .any(|i| !(i + 1..n).any(|j| layer[j].act == ConsentAct::Given && layer[j].from > barrier(layer[i])))
}

fn module_in(layer: &[&ConsentEvent], module: Module) -> Option<ModuleState> {
    (0..layer.len()).rev().find_map(|j| {
        let event = layer[j];
        if takes(event, module) {
            return Some(ModuleState::Withdrawn);
        }
        let said = event.modules.get(&module).filter(|_| event.act != ConsentAct::Withdrawn)?;
        let answered = (0..j).filter(|k| takes(layer[*k], module)).all(|k| event.from > barrier(layer[k]));
        (answered && !closed(layer, j + 1)).then_some(*said)
    })
}

fn reference(events: &[ConsentEvent], at: Moment, place: &Place) -> Reference {
    let mut ordered: Vec<&ConsentEvent> = events.iter().filter(|event| covers(&event.scope, place)).collect();
    ordered.retain(|event| match event.act {
        ConsentAct::Withdrawn => event.recorded.min(event.from) <= at,
        _ => event.recorded.max(event.from) <= at,
    });
    ordered.sort_by_key(|event| event.recorded);
    let mut scopes: Vec<&ConsentScope> = Vec::new();
    for event in &ordered {
        if !scopes.contains(&&event.scope) {
            scopes.push(&event.scope);
        }
    }
    let layers: Vec<Vec<&ConsentEvent>> =
        scopes.iter().map(|scope| ordered.iter().copied().filter(|event| event.scope == **scope).collect()).collect();

    let (mut embargo, mut expiry): (Option<Date>, Option<Date>) = (None, None);
    let (mut tier, mut floor): (Option<Tier>, Option<Tier>) = (None, None);
    let mut unmapped = false;
    for layer in &layers {
        let (mut e, mut x, mut t, mut f, mut u) = (None::<Date>, None::<Date>, None, None, false);
        for (j, event) in layer.iter().enumerate() {
            let milder_too = event.act != ConsentAct::Withdrawn && !closed(layer, j + 1);
            if let Some(day) = event.embargo {
                e = Some(if milder_too { day } else { e.map_or(day, |known| known.max(day)) });
            }
            if let Some(day) = event.expiry {
                x = Some(if milder_too { day } else { x.map_or(day, |known| known.min(day)) });
            }
            if let Some(tier) = event.tier {
                if milder_too { (t, f) = (Some(tier), None) } else { f = f.max(Some(tier)) }
            }
            if event.condition_mapped && milder_too {
                u = false;
            }
            u |= event.condition.is_some();
        }
        embargo = embargo.max(e);
        expiry = [expiry, x].into_iter().flatten().min();
        tier = tier.max(t);
        floor = floor.max(f);
        unmapped |= u;
    }
    let withdrawn = layers.iter().any(|layer| closed(layer, layer.len()));
    let severity = |state: &ModuleState| match state {
        ModuleState::Granted => 0,
        ModuleState::NotAsked => 1,
        ModuleState::Refused => 2,
        ModuleState::Expired => 3,
        ModuleState::Withdrawn => 4,
    };
    let modules = MODULES.into_iter().map(|module| {
        let said = layers.iter().filter_map(|layer| module_in(layer, module)).max_by_key(severity);
        let state = match said.unwrap_or(ModuleState::NotAsked) {
            _ if withdrawn => ModuleState::Withdrawn,
            ModuleState::Granted if expiry.is_some_and(|day| at > day.end()) => ModuleState::Expired,
            state => state,
        };
        (module, state)
    });
    Reference {
        modules: modules.collect(),
        tier: tier.map_or(Tier::Never, |tier| floor.map_or(tier, |floor| floor.max(tier))),
        embargo,
        expiry,
        unmapped,
        withdrawn,
    }
}

fn last(mut event: ConsentEvent, events: &[ConsentEvent]) -> Vec<ConsentEvent> {
    event.recorded = events.iter().map(|event| event.recorded).max().unwrap_or(event.recorded).max(event.recorded);
    events.iter().cloned().chain([event]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fold_is_the_reference(events in events(), at in -4i64..26, place in any_place()) {
        let at = moment(at);
        let folded = state_at(&events, at, &place);
        let folded = Reference {
            modules: folded.modules,
            tier: folded.tier,
            embargo: folded.embargo,
            expiry: folded.expiry,
            unmapped: folded.unmapped,
            withdrawn: folded.withdrawn,
        };
        prop_assert_eq!(folded, reference(&events, at, &place));
    }

    #[test]
    fn a_withdrawal_always_denies(
        events in events(), mut withdrawal in event(), module in prop::sample::select(MODULES.to_vec()),
        place in any_place(), later in 0i64..30, whole in any::<bool>(),
    ) {
        withdrawal.act = ConsentAct::Withdrawn;
        withdrawal.modules = if whole { BTreeMap::new() } else { BTreeMap::from([(module, ModuleState::Withdrawn)]) };
        withdrawal.scope = ConsentScope::All;
        let events = last(withdrawal, &events);
        // From the moment of recording on, whatever day it names.
        let at = events.last().unwrap().recorded.plus_days(later);
        prop_assume!(events[..events.len() - 1].iter().all(|event| event.recorded <= at));
        let state = state_at(&events, at, &place);
        prop_assert!(!state.permits(&[Module::Archive, module], at.date()));
        prop_assert_ne!(state.module(module), ModuleState::Granted);
    }

    #[test]
    fn a_restriction_never_permits_more(
        events in events(), mut restriction in event(), place in any_place(), other_version in any::<bool>(), at in 0i64..26,
    ) {
        let place = match place {
            // Another version of the transcript, of which no passage knows the turns.
            Place::Turn { interview, turn, time, .. } if other_version => {
                Place::Turn { interview, transcript: TranscriptId::from_bytes(id(2)), turn, time }
            }
            place => place,
        };
        match restriction.act {
            ConsentAct::Withdrawn => {}
            ConsentAct::Given => restriction.act = ConsentAct::Withdrawn,
            ConsentAct::Amended => {
                restriction.modules.values_mut().for_each(|state| *state = ModuleState::Refused);
                (restriction.embargo, restriction.expiry, restriction.tier) = (None, None, None);
                restriction.condition_mapped = false;
            }
        }
        if restriction.act == ConsentAct::Withdrawn {
            restriction.modules.values_mut().for_each(|state| *state = ModuleState::Withdrawn);
        }
        let at = moment(at);
        let before = state_at(&events, at, &place);
        let after = state_at(&last(restriction, &events), at, &place);
        for module in MODULES {
            if after.permits(&[module], at.date()) {
                prop_assert!(before.permits(&[module], at.date()));
            }
        }
        prop_assert!(after.tier >= before.tier);
    }

    #[test]
    fn the_order_in_the_list_does_not_matter(mut events in events(), at in -4i64..26, place in any_place(), turn in 0usize..12) {
        for (i, event) in events.iter_mut().enumerate() {
            event.recorded = Moment::from_seconds(event.recorded.seconds() + i64::try_from(i).unwrap()).unwrap();
        }
        let state = state_at(&events, moment(at), &place);
        let n = events.len();
        if n > 0 {
            events.rotate_left(turn % n);
        }
        prop_assert_eq!(state, state_at(&events, moment(at), &place));
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Decisions.

fn often() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.96)
}

fn seldom() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.04)
}

fn party() -> impl Strategy<Value = Party> {
    (often(), seldom(), often(), often(), prop::sample::select(vec!["EE", "AM"])).prop_map(
        |(enrolled, removed, conditions_accepted, steward, country)| Party {
            id: PersonId::from_bytes(id(0)),
            enrolled,
            removed,
            conditions_accepted,
            steward,
            country: country.to_owned(),
        },
    )
}

fn modules(p: f64) -> impl Strategy<Value = BTreeSet<Module>> {
    prop::collection::vec(prop::bool::weighted(p), MODULES.len())
        .prop_map(|set| MODULES.into_iter().zip(set).filter(|(_, in_it)| *in_it).map(|(module, _)| module).collect())
}

fn voice() -> impl Strategy<Value = VoiceFacts> {
    let days = (prop::option::weighted(0.2, -3i64..3), prop::option::weighted(0.2, -3i64..3));
    ((seldom(), modules(0.93), seldom()), days, (seldom(), seldom(), often(), often(), often())).prop_map(
        |(
            (withdrawn, granted, unmapped_condition),
            (embargo, expiry),
            (bystander, hold, reviewed, fieldwork, usage),
        )| {
            VoiceFacts {
                withdrawn,
                granted,
                unmapped_condition,
                embargo: embargo.map(date),
                expiry: expiry.map(date),
                bystander,
                hold,
                reviewed,
                fieldwork_covered: fieldwork,
                use_covered: usage,
                country: "AM".to_owned(),
            }
        },
    )
}

fn question() -> impl Strategy<Value = Question> {
    let people = (party(), party(), party(), 0u8..3, 0u8..3);
    let project = (often(), often(), often(), prop::sample::select(vec![0u8, 1, 2, 3, 3, 2, 1, 4]));
    let action = (prop::bool::weighted(0.6), often());
    let until = prop::sample::select(vec![-1i64, 0, 1, 30, 365, 3_653, 3_654]);
    (people, project, action, (often(), modules(0.2), until), voice()).prop_map(
        |(
            (mut recipient, mut requester, mut decider, r, q),
            (active, inside, purpose, level),
            (release, helper),
            (signed, needs, until),
            voice,
        )| {
            decider.id = PersonId::from_bytes(id(9));
            recipient.id = PersonId::from_bytes(id(if r == 0 { 9 } else { 1 }));
            requester.id = PersonId::from_bytes(id(match q {
                0 => 9,
                1 => 1,
                _ => 2,
            }));
            // One truth about one person.
            if recipient.id == decider.id {
                recipient = decider.clone();
            }
            if requester.id == decider.id {
                requester = decider.clone();
            } else if requester.id == recipient.id {
                requester = recipient.clone();
            }
            let terms = ReleaseTerms { level, project_active: active, in_project: inside, purpose_covered: purpose };
            Question {
                terms: Terms {
                    action: if release { Action::Release(terms) } else { Action::WorkOrder(WorkTerms { helper }) },
                    recipient,
                    requester,
                    decider,
                    decision_signed: signed,
                    needs,
                    now: moment(0),
                    until: date(until),
                },
                voice,
            }
        },
    )
}

/// The specification once more, in Rust.
fn may(question: &Question) -> bool {
    let (t, v) = (&question.terms, &question.voice);
    let consent = !v.withdrawn
        && !v.unmapped_condition
        && !v.bystander
        && !t.needs.is_empty()
        && v.granted.contains(&Module::Archive)
        && t.needs.is_subset(&v.granted)
        && v.embargo.is_none_or(|day| t.now >= day.start())
        && v.expiry.is_none_or(|day| t.now <= day.end());
    let abroad = t.recipient.country == v.country || v.granted.contains(&Module::Abroad);
    let recipient = t.recipient.enrolled && !t.recipient.removed && t.recipient.conditions_accepted && abroad;
    let days = (t.until.start().seconds() - t.now.date().start().seconds()) / DAY;
    let decision = t.decision_signed
        && t.decider.steward
        && t.decider.id != t.requester.id
        && t.decider.id != t.recipient.id
        && (1..=3_653).contains(&days);
    let action = match t.action {
        Action::WorkOrder(work) => work.helper,
        Action::Release(r) => {
            v.reviewed && r.project_active && r.in_project && r.purpose_covered && (1..=3).contains(&r.level)
        }
    };
    consent && !v.hold && v.fieldwork_covered && v.use_covered && recipient && decision && action
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_decision_is_the_specification(question in question()) {
        let policies = Policies::load(&[]).unwrap();
        let verdict = decide_voice(&policies, &question);
        prop_assert_eq!(verdict.permit, may(&question), "{:?}", verdict.reasons);
        prop_assert_eq!(verdict.permit, verdict.reasons.is_empty());
        prop_assert!(verdict.reasons.iter().all(|reason| !reason.words.is_empty()));
    }

    #[test]
    fn no_site_can_let_more_through(question in question()) {
        let policies = Policies::load(&["@id(\"everything\") permit(principal, action, resource);"]).unwrap();
        prop_assert_eq!(decide_voice(&policies, &question).permit, may(&question));
    }

    #[test]
    fn adding_a_forbid_never_permits(question in question(), module in prop::sample::select(vec!["reuse", "teaching", "abroad"])) {
        let site = format!(
            "@id(\"site\") @reason(\"the site says no\") forbid(principal, action, resource) when {{ context.needs.contains(\"{module}\") }};"
        );
        let without = decide_voice(&Policies::load(&[]).unwrap(), &question);
        let with = decide_voice(&Policies::load(&[&site]).unwrap(), &question);
        prop_assert!(!with.permit || without.permit);
    }

    #[test]
    fn an_erroring_policy_denies(question in question()) {
        // Within the schema, and yet it fails when it runs.
        let site = "@id(\"broken\") permit(principal, action, resource) when { context.now + 9223372036854775807 > 0 };";
        let policies = Policies::load(&[site]).unwrap();
        prop_assert!(!decide_voice(&policies, &question).permit);
    }
}
