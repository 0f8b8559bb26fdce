//! The texts of policies: read, held against the schema, and explained fault by fault and rule by rule.

use std::collections::BTreeSet;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{Effect, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use serde::Serialize;

use super::policy::{FLOOR, PERMIT, SCHEMA};
use super::policy_words::{allowance, sentence};
use crate::base::{Error, Result, text};

/// The largest text of policies that is read, the floor included, in bytes: a hundred pages.
const MAX_TEXT: usize = 256 * 1024;
/// How many faults of one text are told.
const MAX_FAULTS: usize = 50;
/// The deepest nesting of brackets in a rule, and the most words and signs of one.
const DEEPEST: usize = 50;
const MOST_TOKENS: usize = 1_000;
/// The longest `@id`, in bytes.
const MAX_ID: usize = 64;

/// Something wrong in a text of policies, or worth a second look.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PolicyFault {
    /// Counted from 1; none if it concerns the whole text.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// What is found in a site's text on top of the floor.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Explained {
    /// Why it cannot be put in force; none if it can.
    pub faults: Vec<PolicyFault>,
    /// What can be put in force and will hardly do what was meant, such as a rule that never applies.
    pub warnings: Vec<PolicyFault>,
}

/// Whose rule it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The floor's: nobody can take it away.
    Floor,
    /// The program's own permits.
    Default,
    /// The vault's own.
    Own,
}

/// A rule, for showing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Rule {
    /// Its `@id`.
    pub id: String,
    /// Whose it is.
    pub part: Part,
    /// It forbids; otherwise it permits.
    pub forbids: bool,
    /// In words: for a forbid why it refuses, as a decision tells it. None for a permit without `@reason`.
    pub words: Option<String>,
    /// In Cedar.
    pub text: String,
}

impl Rule {
    pub(super) fn of(id: &str, policy: &Policy) -> Self {
        let part = match (sentence(id), allowance(id)) {
            (Some(_), _) => Part::Floor,
            (_, Some(_)) => Part::Default,
            _ => Part::Own,
        };
        let forbids = policy.effect() == Effect::Forbid;
        let words = sentence(id).or_else(|| allowance(id)).or_else(|| policy.annotation("reason"));
        let words = words.map(str::to_owned).or_else(|| forbids.then(|| format!("the site's rule {id} forbids it")));
        Self { id: id.to_owned(), part, forbids, words, text: policy.to_string() }
    }
}

impl PolicyFault {
    /// As an error.
    pub fn error(&self) -> Error {
        let place = self.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        Error::user(format!("{place}{}", self.what), self.remedy.clone())
    }
}

/// Every fault of a site's text as it would stand on the floor, by line.
pub fn explain(site: &str) -> Result<Explained> {
    let room = MAX_TEXT.saturating_sub(FLOOR.len() + PERMIT.len() + 2);
    let rules = match rules(site, room) {
        Ok(rules) => rules,
        Err(faults) => return Ok(Explained { faults, warnings: Vec::new() }),
    };
    let mut faults = taken(&rules);
    let mut set = PolicySet::new();
    for rule in &rules {
        // Two of one id were named already.
        let _ = set.add(rule.policy.new_id(PolicyId::new(&rule.id)));
    }
    let result = Validator::new(schema()?).validate(&set, ValidationMode::Strict);
    let remedy = "Correct the rule; schema/policy/subrosa.cedarschema lists what there is.";
    faults.extend(result.validation_errors().map(|e| fault(site, &e.into(), remedy)));
    faults.sort_by_key(|fault| fault.line);
    faults.truncate(MAX_FAULTS);
    let remedy = "It can stay, but see that the rule says what was meant.";
    let mut warnings: Vec<_> = result.validation_warnings().map(|w| fault(site, &w.into(), remedy)).collect();
    warnings.truncate(MAX_FAULTS);
    Ok(Explained { faults, warnings })
}

/// The rules of a text with their ids, in the order of their ids; the first fault if there is one.
pub(super) fn parse(text: &str) -> Result<Vec<(String, Policy)>> {
    let rules = rules(text, MAX_TEXT).map_err(|faults| match faults.first() {
        Some(first) => first.error(),
        None => Error::bug("a policy text was refused without a fault"),
    })?;
    let mut rules: Vec<_> = rules.into_iter().map(|rule| (rule.id, rule.policy)).collect();
    rules.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(rules)
}

pub(super) fn schema() -> Result<Schema> {
    let (schema, _) =
        Schema::from_cedarschema_str(SCHEMA).map_err(|_| Error::bug("the policy schema does not parse"))?;
    Ok(schema)
}

struct Read {
    id: String,
    line: Option<usize>,
    policy: Policy,
}

/// The rules of a text of at most `most` bytes in their order, or every fault of its form.
fn rules(text: &str, most: usize) -> std::result::Result<Vec<Read>, Vec<PolicyFault>> {
    let whole =
        |what: &str, remedy: &str| vec![PolicyFault { line: None, what: what.to_owned(), remedy: remedy.to_owned() }];
    if text.len() > most {
        return Err(whole("the policies are larger than 256 KiB with the floor", "Check that it is the right file."));
    }
    if let Some(line) = overgrown(text) {
        return Err(vec![PolicyFault {
            line: Some(line),
            what: format!("a rule nests deeper than {DEEPEST} or is longer than {MOST_TOKENS} words and signs"),
            remedy: "Write several rules: each forbid stands by itself.".to_owned(),
        }]);
    }
    let set: PolicySet = text.parse().map_err(|errors: cedar_policy::ParseErrors| {
        let remedy = "Correct the text; docs.cedarpolicy.com describes the language.";
        errors.iter().take(MAX_FAULTS).map(|e| fault(text, &e.into(), remedy)).collect::<Vec<_>>()
    })?;
    if set.num_of_templates() > 0 {
        return Err(whole("a policy is a template", "Write it without ?principal and ?resource."));
    }
    let starts = starts(text);
    // Cedar numbers the rules of a text: policy0, policy1, …
    let number = |policy: &Policy| policy.id().to_string().strip_prefix("policy").and_then(|n| n.parse().ok());
    let mut policies: Vec<(Option<usize>, Policy)> = set.policies().map(|p| (number(p), p.clone())).collect();
    policies.sort_by_key(|(n, _)| *n);
    let mut faults = Vec::new();
    let mut rules = Vec::new();
    for (number, policy) in policies {
        let line = number.and_then(|n| starts.get(n)).copied();
        let mut wrong = |what: &str, remedy: &str| {
            faults.push(PolicyFault { line, what: what.to_owned(), remedy: remedy.to_owned() });
        };
        let id = policy.annotation("id").unwrap_or_default().to_owned();
        let plain = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if id.is_empty() || id.len() > MAX_ID || !plain {
            wrong(
                "a rule has no @id, or one that is not of small letters, digits and dashes",
                "Put a line such as @id(\"no-teaching\") before it.",
            );
        }
        if policy.annotation("reason").is_some_and(|reason| text::line("the @reason", reason).is_err()) {
            wrong("the @reason of a rule is not one plain line of at most 500 characters", "Write it as one sentence.");
        }
        rules.push(Read { id, line, policy });
    }
    faults.truncate(MAX_FAULTS);
    if faults.is_empty() { Ok(rules) } else { Err(faults) }
}

/// Ids that the floor, the program's permits or an earlier rule of the same text have.
fn taken(rules: &[Read]) -> Vec<PolicyFault> {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let mut faults = Vec::new();
    for rule in rules {
        let (what, remedy) = if rule.id.starts_with("floor-") {
            ("the @id of a rule begins with floor-", "Only the floor's own rules are called so; choose another @id.")
        } else if allowance(&rule.id).is_some() || !known.insert(&rule.id) {
            ("the @id of a rule is taken", "Give each rule an @id of its own; the program's are taken.")
        } else {
            continue;
        };
        faults.push(PolicyFault { line: rule.line, what: format!("{what} ({})", rule.id), remedy: remedy.to_owned() });
    }
    faults
}

/// A fault that Cedar found, on one line, with Cedar's own help if it has any.
fn fault(text: &str, found: &DetailedError, remedy: &str) -> PolicyFault {
    let plain = |words: &str| -> String { words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect() };
    let line = found.source_locations.first().map(|place| line_of(text, place.loc.start));
    let help = found.help.as_deref().map(|help| plain(help).trim_end_matches(['.', '?']).to_owned() + ". ");
    let what = plain(&found.message);
    PolicyFault { line, what, remedy: format!("{}{remedy}", help.unwrap_or_default()) }
}

/// The line, counted from 1, of a byte of the text.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|b| *b == b'\n').count()
}

/// The line on which a rule is found too large, if one is: reading, validating and deciding go as deep as the rule does.
fn overgrown(text: &str) -> Option<usize> {
    let (mut line, mut depth, mut tokens, mut word) = (1, 0usize, 0usize, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let was = std::mem::replace(&mut word, c.is_alphanumeric() || c == '_');
        match c {
            '\n' => line += 1,
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            '"' => {
                tokens += 1;
                // What is escaped cannot end the string.
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    let escaped = if c == '\\' { chars.next() } else { None };
                    line += usize::from(c == '\n') + usize::from(escaped == Some('\n'));
                }
            }
            ';' => (depth, tokens) = (0, 0),
            '(' | '[' | '{' => (depth, tokens) = (depth + 1, tokens + 1),
            ')' | ']' | '}' => (depth, tokens) = (depth.saturating_sub(1), tokens + 1),
            c if c.is_whitespace() => {}
            _ => tokens += usize::from(!(was && word)),
        }
        if depth > DEEPEST || tokens > MOST_TOKENS {
            return Some(line);
        }
    }
    None
}

/// The line on which each rule begins. For a text that parses: a rule ends with a semicolon outside strings and comments.
fn starts(text: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let (mut line, mut inside, mut string) = (1, false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            // What is escaped cannot end the string.
            '\\' if string => line += usize::from(chars.next() == Some('\n')),
            '"' => string = !string,
            _ if string => {}
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            ';' => inside = false,
            c if !inside && !c.is_whitespace() => {
                inside = true;
                starts.push(line);
            }
            _ => {}
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_would_exhaust_the_stack_are_refused() {
        let rule = |when: &str| format!("@id(\"a\")\nforbid(principal, action, resource)\nwhen {{ {when} }};\n");
        let nest = |n: usize| rule(&format!("{}true{}", "(".repeat(n), ")".repeat(n)));
        assert!(explain(&nest(DEEPEST - 2)).unwrap().faults.is_empty());
        assert_eq!(lines(&nest(DEEPEST)), [Some(3)]);
        let long = |n: usize| rule(&["true"; 5_000][..n].join(" && "));
        assert!(explain(&long(300)).unwrap().faults.is_empty());
        for text in [
            long(5_000),
            rule(&format!("1{} > 1", "+1".repeat(50_000))),
            rule(&format!("{}true", "!".repeat(50_000))),
            rule(&format!("{}true", "if true then true else ".repeat(5_000))),
            rule(&format!("resource{}", ".a".repeat(50_000))),
            rule(&format!("[{}]", "[".repeat(50_000))),
        ] {
            assert_eq!(lines(&text), [Some(3)]);
        }
        let words = format!(
            "@id(\"a\") @reason(\"{}\")\nforbid(principal, action, resource); // {}\n",
            "(".repeat(200),
            "(".repeat(200)
        );
        assert!(explain(&words).unwrap().faults.is_empty());
    }

    fn lines(text: &str) -> Vec<Option<usize>> {
        explain(text).unwrap().faults.iter().map(|fault| fault.line).collect()
    }

    #[test]
    fn rules_begin_where_they_begin() {
        let text = "// a; comment\n@id(\"a\")\nforbid(principal, action, resource)\nwhen { principal.country == \"x;\\\";\" };\n\n@id(\"b\") forbid(principal, action, resource); @id(\"c\")\nforbid(principal, action, resource);\n";
        assert_eq!(starts(text), [2, 6, 6]);
        assert!(lines(text).is_empty());
    }

    #[test]
    fn each_fault_is_told_with_its_line() {
        let good = "@id(\"a\")\nforbid(principal, action, resource);\n";
        for (text, line) in [
            (format!("{good}forbid everything;"), Some(3)),
            (format!("{good}\nforbid(principal, action, resource);"), Some(4)),
            (format!("{good}{good}"), Some(3)),
            (format!("{good}@id(\"floor-x\")\nforbid(principal, action, resource);"), Some(3)),
            (format!("{good}@id(\"release-on-decision\")\nforbid(principal, action, resource);"), Some(3)),
            (
                format!("{good}@id(\"b\")\nforbid(principal, action, resource)\nwhen {{ resource.colour == 1 }};"),
                Some(5),
            ),
            (format!("{good}@id(\"b\") @reason(\"two\\nlines\")\nforbid(principal, action, resource);"), Some(3)),
            ("x".repeat(MAX_TEXT + 1), None),
        ] {
            assert_eq!(lines(&text), [line], "{}", &text[..text.len().min(200)]);
        }
    }

    #[test]
    fn all_faults_are_told_and_none_has_control_characters() {
        let text = "forbid(principal, action, resource);\n@id(\"B\") forbid(principal, action, resource);";
        assert_eq!(lines(text), [Some(1), Some(2)]);
        let found = explain("@id(\"a\")\nforbid(\n\u{1b}[2J").unwrap();
        assert!(found.faults.iter().all(|fault| !fault.what.contains(char::is_control)), "{found:?}");
        assert!(!found.faults.is_empty());
    }

    #[test]
    fn a_rule_that_never_applies_is_a_warning() {
        let text = "@id(\"a\")\nforbid(principal, action, resource)\nwhen { resource.hold && !resource.hold };\n@id(\"b\")\nforbid(principal, action, resource)\nwhen { false };";
        let found = explain(text).unwrap();
        assert!(found.faults.is_empty());
        assert!(found.warnings.iter().any(|warning| warning.line >= Some(4)), "{found:?}");
    }
}
