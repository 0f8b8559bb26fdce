//! The checks: what has to be proved of the floor, for each action and each rule.

use std::time::Instant;

use cedar_policy::{Decision, Effect, Policy};
use cedar_policy_symcc::Env;
use serde_json::Value;

use crate::Texts;
use crate::prover::{Fault, Prover, Question, decide, rule, rules, schema, shown};
use crate::report::{Check, Report};

/// The most permissive rules that there can be.
const EVERYTHING: &str = "permit (principal, action, resource);";
/// Rules of which nothing is known: what they say about a question are two more facts of it, free to be anything.
const UNKNOWN: [(&str, &str, &str); 2] = [
    ("site-permits", "site_permits", "permit (principal, action, resource) when { context.site_permits };"),
    ("site-forbids", "site_forbids", "forbid (principal, action, resource) when { context.site_forbids };"),
];

/// The texts as Cedar has them.
struct Read {
    schema: cedar_policy::Schema,
    floor: Vec<Policy>,
    permits: Vec<Policy>,
    spec: Vec<Policy>,
}

/// What came of one check: why it failed if it did, and an example if there is one.
type Outcome = Result<(Option<String>, Option<Value>), Fault>;

/// Every check, in order. A text that cannot be read, and a question that the solver cannot answer, is a check that failed.
pub async fn prove(texts: &Texts, prover: &mut Prover) -> Report {
    let mut report = Report::default();
    let start = Instant::now();
    let same = same_cedar().map(|()| (None, None));
    note(
        &mut report,
        None,
        None,
        "The program decides with the version of Cedar that the proof is about.",
        start,
        same,
    );
    let start = Instant::now();
    let (read, outcome) = match read(texts, &texts.schema) {
        Ok(read) => (Some(read), Ok((None, None))),
        Err(fault) => (None, Err(fault)),
    };
    let says =
        "All texts keep to the schema; the floor only forbids, the specification only permits, and no rule is empty.";
    note(&mut report, None, None, says, start, outcome);
    let Some(read) = read else { return report };
    let questions = Question::all(&read.schema);
    let mut needed = vec![false; read.floor.len()];
    for at in &questions {
        about_action(&mut report, prover, texts, &read, at).await;
        for (n, forbid) in read.floor.iter().enumerate() {
            needed[n] |= about_rule(&mut report, prover, &read, at, forbid).await;
        }
    }
    let start = Instant::now();
    let idle: Vec<String> =
        read.floor.iter().zip(&needed).filter(|(_, needed)| !**needed).map(|(rule, _)| rule.id().to_string()).collect();
    let outcome = Ok(((!idle.is_empty()).then(|| format!("needed nowhere: {}", idle.join(", "))), None));
    note(&mut report, None, None, "Every rule of the floor is needed for some action.", start, outcome);
    report
}

/// How `permit everything` with the floor differs from the specification: the first difference, by action. None if both allow exactly the same.
pub async fn difference(texts: &Texts, prover: &mut Prover) -> Result<Option<String>, Fault> {
    let read = read(texts, &texts.schema)?;
    let floored = with(&read.floor, vec![rule("everything", EVERYTHING)?]);
    for at in &Question::all(&read.schema) {
        for (less, more, wrong) in
            [(&floored, &read.spec, "lets too much through"), (&read.spec, &floored, "forbids too much")]
        {
            if prover.implies(at, less, more).await?.is_some() {
                return Ok(Some(format!("{}: the floor {wrong}", at.action())));
            }
        }
    }
    Ok(None)
}

fn read(texts: &Texts, schema_text: &str) -> Result<Read, Fault> {
    let schema = schema(schema_text)?;
    Ok(Read {
        floor: rules(&texts.floor, Effect::Forbid, &schema)?,
        permits: rules(&texts.permits, Effect::Permit, &schema)?,
        spec: rules(&texts.spec, Effect::Permit, &schema)?,
        schema,
    })
}

async fn about_action(report: &mut Report, prover: &mut Prover, texts: &Texts, read: &Read, at: &Question<'_>) {
    let action = at.action();
    let mut tell = |says: &str, start, outcome| note(report, Some(&action), None, says, start, outcome);
    let everything = rule("everything", EVERYTHING).map(|all| with(&read.floor, vec![all]));

    let start = Instant::now();
    let outcome = match &everything {
        Ok(floored) => prover
            .implies(at, floored, &read.spec)
            .await
            .map(|case| counter(case, "allowed, and not by the specification")),
        Err(fault) => Err(fault.clone()),
    };
    tell(
        "`permit everything` with the floor lets nothing through that the specification does not allow.",
        start,
        outcome,
    );

    let start = Instant::now();
    let outcome = unknown_rules(prover, texts, &action).await;
    tell(
        "Rules of which nothing is known, permitting and forbidding at will, with the floor: neither do they.",
        start,
        outcome,
    );

    let start = Instant::now();
    let outcome = match &everything {
        Ok(floored) => prover
            .implies(at, &read.spec, floored)
            .await
            .map(|case| counter(case, "allowed by the specification, and forbidden")),
        Err(fault) => Err(fault.clone()),
    };
    tell("The floor forbids nothing that the specification allows.", start, outcome);

    for (says, policies) in [
        ("The floor does not forbid everything: something is allowed, and the authorizer allows it.", everything),
        ("So with the permits that the program ships with.", Ok(with(&read.floor, read.permits.clone()))),
    ] {
        let start = Instant::now();
        let outcome = match &policies {
            Ok(policies) => possible(prover, at, policies).await,
            Err(fault) => Err(fault.clone()),
        };
        tell(says, start, outcome);
    }
}

/// A site's rules, if none of them errs, answer a question with two bits: some permit applies, some forbid applies. (One that errs is a denial in the program.)
async fn unknown_rules(prover: &mut Prover, texts: &Texts, action: &str) -> Outcome {
    let more = UNKNOWN.map(|(_, name, _)| format!("{name}: Bool,")).concat();
    let read = read(texts, &texts.schema.replace("context: {", &format!("context: {{ {more}")))?;
    let site = UNKNOWN.iter().map(|(id, _, text)| rule(id, text)).collect::<Result<Vec<_>, _>>()?;
    let policies = with(&read.floor, site);
    let questions = Question::all(&read.schema);
    let at = questions.iter().find(|at| at.action() == action).ok_or_else(|| Fault("the action is gone".to_owned()))?;
    let case = prover.implies(at, &policies, &read.spec).await?;
    // Not because they could never permit anything.
    if case.is_none() && prover.allowed(at, &policies).await?.is_none() {
        return Err(Fault("nothing is allowed at all".to_owned()));
    }
    Ok(counter(case, "allowed, and not by the specification"))
}

async fn possible(prover: &mut Prover, at: &Question<'_>, policies: &[Policy]) -> Outcome {
    let Some(case) = prover.allowed(at, policies).await? else {
        return Ok((Some("nothing is allowed at all".to_owned()), None));
    };
    let (decision, _) = decide(&case, policies)?;
    let wrong = (decision != Decision::Allow).then(|| "the authorizer denies the solver's example".to_owned());
    Ok((wrong, Some(shown(&case))))
}

/// Both checks of one rule for one action; whether it is needed there.
async fn about_rule(report: &mut Report, prover: &mut Prover, read: &Read, at: &Question<'_>, forbid: &Policy) -> bool {
    let (action, id) = (at.action(), forbid.id().to_string());
    let start = Instant::now();
    let outcome = match prover.never_matches(at, forbid).await {
        Ok(true) => return false,
        Ok(false) => prover
            .never_errors(at, forbid)
            .await
            .map(|never| ((!never).then(|| "there is a case in which it does".to_owned()), None)),
        Err(fault) => Err(fault),
    };
    note(report, Some(&action), Some(&id), &format!("{id} never errs."), start, outcome);
    let start = Instant::now();
    let outcome = necessary(prover, read, at, forbid).await;
    let needed = matches!(outcome, Ok((None, _)));
    let says =
        format!("{id} is needed: without it the proof fails, and the authorizer lets the counterexample through.");
    note(report, Some(&action), Some(&id), &says, start, outcome);
    needed
}

/// Without the rule there is a counterexample; the authorizer lets it through without the rule, and denies it for this rule alone with the whole floor.
async fn necessary(prover: &mut Prover, read: &Read, at: &Question<'_>, forbid: &Policy) -> Outcome {
    let everything = rule("everything", EVERYTHING)?;
    let rest: Vec<Policy> = read.floor.iter().filter(|rule| rule.id() != forbid.id()).cloned().collect();
    let (without, whole) = (with(&rest, vec![everything.clone()]), with(&read.floor, vec![everything]));
    let Some(case) = prover.implies(at, &without, &read.spec).await? else {
        return Ok((Some("the proof holds without it".to_owned()), None));
    };
    let wrong = if decide(&case, &without)?.0 != Decision::Allow {
        Some("the authorizer denies the counterexample without the rule")
    } else if decide(&case, &whole)? != (Decision::Deny, vec![forbid.id().to_string()]) {
        Some("the authorizer does not deny the counterexample for this rule alone")
    } else if decide(&case, &read.spec)?.0 != Decision::Deny {
        Some("the specification allows the counterexample")
    } else {
        None
    };
    Ok((wrong.map(str::to_owned), Some(shown(&case))))
}

fn counter(case: Option<Env>, what: &str) -> (Option<String>, Option<Value>) {
    match case {
        Some(case) => (Some(format!("a case is {what}: {}", shown(&case))), Some(shown(&case))),
        None => (None, None),
    }
}

fn with(floor: &[Policy], more: Vec<Policy>) -> Vec<Policy> {
    floor.iter().cloned().chain(more).collect()
}

/// Holds the lock file of the program against that of the proof.
fn same_cedar() -> Result<(), Fault> {
    let version = |lock: &str, name: &str| {
        let at = lock.find(&format!("name = \"{name}\"\nversion = \""))?;
        lock.get(at..)?.split('"').nth(3).map(str::to_owned)
    };
    for name in ["cedar-policy", "cedar-policy-core"] {
        let program = version(include_str!("../../Cargo.lock"), name);
        let proof = version(include_str!("../Cargo.lock"), name);
        if program.is_none() || program != proof {
            return Err(Fault(format!(
                "{name}: the program has {program:?}, the proof {proof:?}; see proof/Cargo.toml"
            )));
        }
    }
    Ok(())
}

fn note(report: &mut Report, action: Option<&str>, rule: Option<&str>, says: &str, start: Instant, outcome: Outcome) {
    let (failed, example) = outcome.unwrap_or_else(|fault| (Some(fault.to_string()), None));
    report.checks.push(Check {
        action: action.map(str::to_owned),
        rule: rule.map(str::to_owned),
        says: says.to_owned(),
        failed,
        example,
        took: start.elapsed(),
    });
}
