//! Tests of the policies: each rule of the floor alone, and what a site's text may be.

use std::collections::BTreeSet;

use super::policy::*;
use super::policy_words::FLOOR_WORDS;
use crate::base::id::PersonId;
use crate::base::time::{Date, Moment};
use crate::ledger::event::Module;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn party(n: u8) -> Party {
    Party {
        id: PersonId::from_bytes([n; 16]),
        enrolled: true,
        removed: false,
        conditions_accepted: true,
        steward: n == 3,
        country: "EE".to_owned(),
    }
}

/// A question to which the answer is yes.
fn good() -> Question {
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
            embargo: Some(date("2026-05-10")),
            expiry: Some(date("2026-05-10")),
            bystander: false,
            hold: false,
            reviewed: true,
            fieldwork_covered: true,
            use_covered: true,
            country: "AM".to_owned(),
        },
    }
}

fn release(question: &mut Question) -> &mut ReleaseTerms {
    match &mut question.terms.action {
        Action::Release(release) => release,
        Action::WorkOrder(_) => panic!("not a release"),
    }
}

/// Breaks exactly one rule of the floor.
fn break_only(rule: &str, q: &mut Question) {
    match rule {
        "floor-consent" => drop(q.voice.granted.remove(&Module::Reuse)),
        "floor-withdrawn" => q.voice.withdrawn = true,
        "floor-condition" => q.voice.unmapped_condition = true,
        "floor-embargo" => q.voice.embargo = Some(date("2026-05-11")),
        "floor-expired" => q.voice.expiry = Some(date("2026-05-09")),
        "floor-bystander" => q.voice.bystander = true,
        "floor-hold" => q.voice.hold = true,
        "floor-review" => q.voice.reviewed = false,
        "floor-fieldwork" => q.voice.fieldwork_covered = false,
        "floor-use" => q.voice.use_covered = false,
        "floor-enrolled" => q.terms.recipient.enrolled = false,
        "floor-removed" => q.terms.recipient.removed = true,
        "floor-conditions" => q.terms.recipient.conditions_accepted = false,
        "floor-country" => drop(q.voice.granted.remove(&Module::Abroad)),
        "floor-project" => release(q).project_active = false,
        "floor-project-people" => release(q).in_project = false,
        "floor-purpose" => release(q).purpose_covered = false,
        "floor-helper" => q.terms.action = Action::WorkOrder(WorkTerms { helper: false }),
        "floor-signature" => q.terms.decision_signed = false,
        "floor-steward" => q.terms.decider.steward = false,
        "floor-own-request" => q.terms.requester = q.terms.decider.clone(),
        "floor-own-gift" => q.terms.recipient = q.terms.decider.clone(),
        "floor-end" => q.terms.until = date("2026-05-10"),
        "floor-never-public" => release(q).level = 0,
        other => panic!("no test for {other}"),
    }
}

/// The rules that concern one action alone.
const RELEASE_ONLY: [&str; 5] =
    ["floor-review", "floor-project", "floor-project-people", "floor-purpose", "floor-never-public"];
const WORK_ONLY: [&str; 1] = ["floor-helper"];

/// The same as a piece of work.
fn work() -> Question {
    let mut question = good();
    question.terms.action = Action::WorkOrder(WorkTerms { helper: true });
    question
}

#[test]
fn each_rule_of_the_floor_is_needed_and_speaks_for_itself() {
    let policies = Policies::load(&["@id(\"all\") permit(principal, action, resource);"]).unwrap();
    let floor: BTreeSet<String> = policies.ids().into_iter().filter(|id| id.starts_with("floor-")).collect();
    assert_eq!(floor, FLOOR_WORDS.iter().map(|(id, _)| (*id).to_owned()).collect());
    for (start, not_here) in [(good as fn() -> Question, &WORK_ONLY[..]), (work, &RELEASE_ONLY[..])] {
        assert!(decide_voice(&policies, &start()).permit);
        for (rule, words) in FLOOR_WORDS.iter().filter(|(rule, _)| !not_here.contains(rule)) {
            let mut question = start();
            break_only(rule, &mut question);
            let verdict = decide_voice(&policies, &question);
            assert!(!verdict.permit, "{rule}");
            let expected = vec![Reason { rule: (*rule).to_owned(), words: (*words).to_owned() }];
            assert_eq!(verdict.reasons, expected, "{rule}");
        }
    }
}

#[test]
fn a_work_order_needs_no_review_and_no_project() {
    let policies = Policies::load(&[]).unwrap();
    let mut question = work();
    question.voice.reviewed = false;
    assert!(decide_voice(&policies, &question).permit);
    // The work of a helper is for this participant's archive: somebody who withdrew being kept gets no transcript made.
    question.voice.granted.remove(&Module::Archive);
    assert_eq!(decide_voice(&policies, &question).reasons[0].rule, "floor-consent");
}

#[test]
fn ends_in_ten_years_at_most() {
    let policies = Policies::load(&[]).unwrap();
    for (until, may) in [
        ("2026-05-11", true),
        ("2036-05-10", true),
        ("2036-05-11", false),
        ("9998-01-01", false),
        ("0001-01-01", false),
    ] {
        let mut question = good();
        question.terms.until = date(until);
        assert_eq!(decide_voice(&policies, &question).permit, may, "{until}");
    }
}

#[test]
fn a_use_that_needs_nothing_is_refused() {
    let policies = Policies::load(&[]).unwrap();
    let mut question = good();
    question.terms.needs.clear();
    assert!(!decide_voice(&policies, &question).permit);
}

#[test]
fn two_truths_about_one_person_are_refused() {
    let policies = Policies::load(&[]).unwrap();
    let mut question = good();
    question.terms.requester = Party { removed: true, ..question.terms.recipient.clone() };
    assert_eq!(decide_voice(&policies, &question).reasons[0].rule, "undecided");
}

#[test]
fn a_site_adds_rules_with_words_of_its_own() {
    let site = "@id(\"no-reuse\") @reason(\"this site does not share\") forbid(principal, action, resource) when { context.needs.contains(\"reuse\") };\n// and no more";
    let policies = Policies::load(&[site, "// nothing"]).unwrap();
    let verdict = decide_voice(&policies, &good());
    let reason = Reason { rule: "no-reuse".to_owned(), words: "this site does not share".to_owned() };
    assert_eq!(verdict, Verdict { permit: false, reasons: vec![reason] });
}

#[test]
fn refuses_texts_that_would_not_hold() {
    for (why, text) in [
        ("not Cedar", "permit everything"),
        ("no id", "forbid(principal, action, resource);"),
        ("bad id", "@id(\"No Reuse\") forbid(principal, action, resource);"),
        ("the floor's id", "@id(\"floor-hold\") permit(principal, action, resource);"),
        ("looks like the floor's", "@id(\"floor-x\") permit(principal, action, resource);"),
        ("a permit's id", "@id(\"release-on-decision\") forbid(principal, action, resource);"),
        ("twice", "@id(\"a\") forbid(principal, action, resource); @id(\"a\") forbid(principal, action, resource);"),
        ("unknown attribute", "@id(\"a\") forbid(principal, action, resource) when { resource.colour == 1 };"),
        ("of one action only", "@id(\"a\") forbid(principal, action, resource) when { context.level > 2 };"),
        ("no such action", "@id(\"a\") permit(principal, action == Action::\"publish\", resource);"),
        ("template", "@id(\"a\") permit(principal == ?principal, action, resource);"),
    ] {
        assert!(Policies::load(&[text]).is_err(), "{why}");
    }
    let large = format!("// {}", "x".repeat(300_000));
    assert!(Policies::load(&[&large]).is_err());
}

#[test]
fn the_recorded_text_reads_back_and_must_have_the_floor() {
    let policies = Policies::load(&["@id(\"a\") forbid(principal, action, resource) when { resource.hold };"]).unwrap();
    let again = Policies::recorded(policies.text()).unwrap();
    assert_eq!(again.digest(), policies.digest());
    assert_eq!(again.ids(), policies.ids());
    assert!(Policies::recorded(PERMIT).is_err());
    assert!(Policies::recorded(&policies.text().replace("resource.withdrawn", "resource.bystander")).is_err());
}

#[test]
fn the_specification_keeps_to_the_schema() {
    let text = SPEC.replace("spec-", "site-spec-");
    assert!(Policies::load(&[&text]).is_ok());
}

#[test]
fn many_voices_on_the_same_terms_are_decided_once_each() {
    let policies = Policies::load(&[]).unwrap();
    let question = good();
    let mut decider = Decider::new(&policies, &question.terms);
    let start = std::time::Instant::now();
    for _ in 0..10_000 {
        assert!(decider.decide(&question.voice).permit);
    }
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn a_moment_late_in_the_day_counts_as_that_day() {
    let policies = Policies::load(&[]).unwrap();
    let mut question = good();
    question.terms.now = date("2026-05-10").end();
    assert!(decide_voice(&policies, &question).permit);
    question.terms.now = Moment::from_seconds(date("2026-05-10").end().seconds() + 1).unwrap();
    assert_eq!(decide_voice(&policies, &question).reasons[0].rule, "floor-expired");
}
