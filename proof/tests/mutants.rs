//! The proof notices every small change of a rule of the floor: a condition negated, one of several dropped, a comparison or a bound moved, an action
//! left out. Needs cvc5.

#![allow(clippy::unwrap_used, reason = "a test")]

use cedar_policy::{Policy, PolicyId, PolicySet};
use serde_json::{Value, json};
use subrosa_proof::{Prover, Texts, difference, prove};

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The floor with one rule written otherwise.
fn texts(change: impl Fn(&str) -> String) -> Texts {
    let texts = Texts::embedded();
    let floor = change(&texts.floor);
    assert_ne!(floor, texts.floor, "nothing was changed");
    Texts { floor, ..texts }
}

/// Every way to change one node of an expression (Cedar's JSON of policies) a little.
fn mutants(node: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    let Some(map) = node.as_object() else { return out };
    for (key, inner) in map {
        let other: &[&str] = match key.as_str() {
            "&&" => &["||"],
            "||" => &["&&"],
            "<" | "<=" | ">" | ">=" => &["<", "<=", ">", ">=", "=="],
            "==" => &["!="],
            "!=" => &["=="],
            "containsAll" => &["containsAny"],
            _ => &[],
        };
        out.extend(other.iter().filter(|other| *other != key).map(|other| json!({*other: inner})));
        match key.as_str() {
            "&&" | "||" => out.extend([inner["left"].clone(), inner["right"].clone()]),
            "!" => out.push(inner["arg"].clone()),
            "Value" => {
                if let Some(n) = inner.as_i64() {
                    out.extend([json!({"Value": n + 1}), json!({"Value": n - 1})]);
                }
                if inner.is_string() {
                    out.push(json!({"Value": "teaching"}));
                }
            }
            _ => {}
        }
        for side in ["left", "right", "arg"] {
            for changed in inner.get(side).map(mutants).unwrap_or_default() {
                let mut inner = inner.clone();
                inner[side] = changed;
                out.push(json!({key: inner}));
            }
        }
    }
    out
}

/// Every small change of a rule, as Cedar text.
fn changed(rule: &Policy) -> Vec<String> {
    let whole = rule.to_json().unwrap();
    let mut out = Vec::new();
    for (n, condition) in whole["conditions"].as_array().unwrap().iter().enumerate() {
        let mut with = |condition: Value| {
            let mut changed = whole.clone();
            changed["conditions"][n] = condition;
            out.push(changed);
        };
        let (kind, body) = (condition["kind"].as_str().unwrap(), &condition["body"]);
        with(json!({"kind": if kind == "when" { "unless" } else { "when" }, "body": body}));
        mutants(body).into_iter().for_each(|body| with(json!({"kind": kind, "body": body})));
    }
    if let Some(actions) = whole["action"]["entities"].as_array() {
        for left in actions {
            let mut changed = whole.clone();
            changed["action"] = json!({"op": "==", "entity": left});
            out.push(changed);
        }
    }
    let id = rule.annotation("id").unwrap();
    out.into_iter().map(|json| Policy::from_json(Some(PolicyId::new(id)), json).unwrap().to_string()).collect()
}

#[test]
fn every_small_change_of_a_rule_is_noticed() {
    let whole = Texts::embedded();
    let rules: PolicySet = whole.floor.parse().unwrap();
    run(async {
        let mut prover = Prover::start().unwrap();
        assert_eq!(difference(&whole, &mut prover).await, Ok(None));
        let mut tried = 0;
        for rule in rules.policies() {
            let rest: Vec<String> =
                rules.policies().filter(|other| other.id() != rule.id()).map(ToString::to_string).collect();
            let changes = changed(rule);
            assert!(!changes.is_empty(), "{rule}");
            for changed in changes {
                let floor = format!("{}\n{changed}", rest.join("\n"));
                let texts = Texts { floor, ..whole.clone() };
                let found = difference(&texts, &mut prover).await;
                assert!(matches!(found, Ok(Some(_))), "not noticed: {found:?}\n{changed}");
                tried += 1;
            }
        }
        assert!(tried >= 80, "only {tried}");
    });
}

/// What the whole report says of a changed floor: which statements fail.
fn failures(texts: &Texts) -> Vec<String> {
    let report = run(async { prove(texts, &mut Prover::start().unwrap()).await });
    assert_eq!(report.failed() == 0, report.sound());
    report.checks.iter().filter(|check| check.failed.is_some()).map(|check| check.says.clone()).collect()
}

#[test]
fn all_is_proved_of_the_floor_as_it_is() {
    assert_eq!(failures(&Texts::embedded()), [""; 0]);
}

#[test]
fn a_weakened_rule_fails_the_proof() {
    for (from, to) in [
        ("when { resource.withdrawn }", "unless { resource.withdrawn }"),
        ("resource.granted.contains(\"archive\") &&", ""),
        ("context.days >= 1 && ", ""),
        ("context.now > resource.expires", "context.now > resource.expires + 1"),
    ] {
        let failed = failures(&texts(|floor| floor.replacen(from, to, 1)));
        assert!(failed.iter().any(|says| says.contains("lets nothing through")), "{from}: {failed:?}");
        assert!(failed.iter().any(|says| says.contains("nothing is known")), "{from}: {failed:?}");
    }
}

#[test]
fn a_rule_that_can_err_or_is_needless_is_named() {
    let overflow =
        texts(|floor| floor.replace("context.now > resource.expires", "context.now - 1 >= resource.expires"));
    assert!(failures(&overflow).iter().any(|says| says == "floor-expired never errs."), "{:?}", failures(&overflow));
    let twice =
        "\n@id(\"floor-twice\") forbid (principal, action, resource) when { resource.hold && resource.withdrawn };";
    let failed = failures(&texts(|floor| floor.to_owned() + twice));
    assert!(failed.iter().any(|says| says.starts_with("floor-twice is needed")), "{failed:?}");
}

#[test]
fn a_floor_that_forbids_everything_proves_nothing() {
    let all = "\n@id(\"floor-all\") forbid (principal, action, resource);";
    let failed = failures(&texts(|floor| floor.to_owned() + all));
    assert!(failed.iter().any(|says| says.starts_with("The floor does not forbid everything")), "{failed:?}");
}

#[test]
fn texts_of_another_kind_are_refused() {
    let permits = texts(|floor| floor.to_owned() + "\n@id(\"floor-x\") permit (principal, action, resource);");
    let unknown = texts(|floor| floor.replace("resource.hold", "resource.held"));
    let nothing = texts(|_| String::new());
    for texts in [permits, unknown, nothing] {
        assert_eq!(failures(&texts).len(), 1);
    }
}
