//! Rules: what identifies in a transcript, what a consent comes to, what policies say.

use std::collections::BTreeSet;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use subrosa::base::id::{ConsentEventId, InterviewId, ParticipantId, PersonId};
use subrosa::base::time::{Date, Moment};
use subrosa::domain::consent::{ConsentEvent, ConsentScope, LegalBasis, Place, state_at};
use subrosa::domain::policy::{
    Action, Decider, Party, Policies, Question, ReleaseTerms, Terms, VoiceFacts, decide_voice,
};
use subrosa::ledger::event::{ConsentAct, Module, ModuleState, Tier};
use subrosa::redact::{Class, Detector, KnownEntity};
use subrosa_benches::material;

fn moment(text: &str) -> Moment {
    text.parse().expect("a moment")
}

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

pub(crate) fn detect(c: &mut Criterion) {
    let text = material::transcript(3, 60_000);
    let lines: Vec<&str> = text.lines().collect();
    let characters = text.chars().count() as u64;
    let known: Vec<KnownEntity> = [(3, "participant"), (4, "interviewer")]
        .map(|(n, key)| KnownEntity {
            key: key.into(),
            class: Class::Person,
            forms: vec![material::name(n)],
            pseudonym: None,
        })
        .into();
    let mut group = c.benchmark_group("detect");
    group.bench_function("make ready for two people", |b| b.iter(|| Detector::new(&known)));
    let detector = Detector::new(&known);
    assert!(lines.iter().map(|line| detector.detect(line).len()).sum::<usize>() > 10);
    group.sample_size(20).throughput(Throughput::Elements(characters));
    group.bench_function("a Russian transcript of 60,000 characters, turn by turn", |b| {
        b.iter(|| lines.iter().map(|line| detector.detect(line).len()).sum::<usize>());
    });
    group.finish();
}

pub(crate) fn consent(c: &mut Criterion) {
    let (participant, interview) = (ParticipantId::from_bytes([1; 16]), InterviewId::from_bytes([2; 16]));
    let modules = [Module::Archive, Module::Analyse, Module::Reuse, Module::QuoteText, Module::Abroad];
    let event = |n: u8, act, scope| ConsentEvent {
        id: ConsentEventId::from_bytes([n; 16]),
        participant,
        act,
        scope,
        from: moment(&format!("2025-0{n}-01T00:00:00Z")),
        recorded: moment(&format!("2025-0{n}-01T00:00:00Z")),
        form: None,
        modules: modules.into_iter().map(|m| (m, ModuleState::Granted)).collect(),
        tier: Some(Tier::RoleCountry),
        embargo: None,
        expiry: Some(date("2040-01-01")),
        review_by: None,
        condition: None,
        condition_mapped: false,
        language: None,
        basis: LegalBasis::Consent,
        evidence: None,
    };
    let events = [
        event(1, ConsentAct::Given, ConsentScope::All),
        event(2, ConsentAct::Given, ConsentScope::Interview { interview }),
        event(3, ConsentAct::Amended, ConsentScope::Interview { interview }),
    ];
    let now = moment("2026-02-01T00:00:00Z");
    c.bench_function("consent: fold of three events", |b| {
        b.iter(|| state_at(black_box(&events), now, &Place::Interview(interview)));
    });
}

fn question() -> Question {
    let party = |n: u8| Party {
        id: PersonId::from_bytes([n; 16]),
        enrolled: true,
        removed: false,
        conditions_accepted: true,
        steward: n == 3,
        country: "EE".into(),
    };
    let release = ReleaseTerms { level: 2, project_active: true, in_project: true, purpose_covered: true };
    Question {
        terms: Terms {
            action: Action::Release(release),
            recipient: party(1),
            requester: party(2),
            decider: party(3),
            decision_signed: true,
            needs: BTreeSet::from([Module::Reuse]),
            now: date("2026-05-10").start(),
            until: date("2027-05-10"),
        },
        voice: VoiceFacts {
            withdrawn: false,
            granted: BTreeSet::from([Module::Archive, Module::Reuse, Module::Abroad]),
            unmapped_condition: false,
            embargo: None,
            expiry: Some(date("2040-01-01")),
            bystander: false,
            hold: false,
            reviewed: true,
            fieldwork_covered: true,
            use_covered: true,
            country: "AM".into(),
        },
    }
}

pub(crate) fn policy(c: &mut Criterion) {
    let policies = Policies::load(&[]).expect("the floor");
    let yes = question();
    let mut no = question();
    no.voice.withdrawn = true;
    assert!(decide_voice(&policies, &yes).permit && !decide_voice(&policies, &no).permit);
    let mut group = c.benchmark_group("policy");
    group.bench_function("load and validate the floor", |b| b.iter(|| Policies::load(&[])));
    group.bench_function("a decision, yes", |b| b.iter(|| decide_voice(&policies, black_box(&yes))));
    group.bench_function("a decision, no", |b| b.iter(|| decide_voice(&policies, black_box(&no))));
    let mut decider = Decider::new(&policies, &yes.terms);
    group.bench_function("the same facts again", |b| b.iter(|| decider.decide(black_box(&yes.voice)).permit));
    group.finish();
}
