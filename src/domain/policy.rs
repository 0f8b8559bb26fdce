//! The policies: Cedar text, the floor under everything, and the deciding of one question (DESIGN, section 7).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cedar_policy::{Authorizer, Decision, PolicyId, PolicySet, Schema, ValidationMode, Validator};

use super::policy_facts::translate;
pub use super::policy_facts::{
    Action, Party, Question, Reason, ReleaseTerms, Terms, Verdict, VoiceFacts, WorkTerms, module_word,
};
pub use super::policy_text::{Explained, Part, PolicyFault, Rule, explain};
use super::policy_text::{parse, schema};
use crate::base::{Error, Result};
use crate::ledger::event::Digest;

/// The Cedar schema that every policy must keep to.
pub const SCHEMA: &str = include_str!("../../schema/policy/subrosa.cedarschema");
/// The floor: the forbids that nobody can take away.
pub const FLOOR: &str = include_str!("../../schema/policy/floor.cedar");
/// The permits that the program ships with.
pub const PERMIT: &str = include_str!("../../schema/policy/permit.cedar");
/// The written specification of a release and of a work order, for the proof; never used for deciding.
pub const SPEC: &str = include_str!("../../schema/policy/spec.cedar");

/// The policies in force, compiled once: the floor, the permits, and the site's own.
pub struct Policies {
    text: String,
    schema: Schema,
    set: PolicySet,
    rules: BTreeMap<String, Rule>,
    authorizer: Authorizer,
}

impl Policies {
    /// The floor, the permits, and the site's own texts on top.
    ///
    /// Refuses a text that does not parse, is larger than 256 KiB, has a template, a rule without an `@id` of small letters, digits and dashes, an id that is
    /// taken, or does not keep to the schema (Cedar's strict validation).
    pub fn load(site_texts: &[&str]) -> Result<Self> {
        let mut text = format!("{FLOOR}\n{PERMIT}");
        for site in site_texts {
            if let Some(fault) = explain(site)?.faults.first() {
                return Err(fault.error());
            }
            text.push('\n');
            text.push_str(site);
        }
        Self::compile(text)
    }

    /// The policies from a text that [`Self::text`] gave and the ledger recorded. Refuses a text without the floor.
    pub fn recorded(text: &str) -> Result<Self> {
        let rest = text.strip_prefix(FLOOR);
        if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('\n')) {
            return Err(Error::damage(
                "the policies recorded in the ledger do not stand on the floor",
                "They were not written by this version of Subrosa. Compare versions, and ask the steward.",
            ));
        }
        Self::compile(text.to_owned())
    }

    fn compile(text: String) -> Result<Self> {
        let schema = schema()?;
        let policies = parse(&text)?;
        let mut rules = BTreeMap::new();
        let mut set = PolicySet::new();
        for (id, policy) in policies {
            rules.insert(id.clone(), Rule::of(&id, &policy));
            set.add(policy.new_id(PolicyId::new(&id))).map_err(|_| {
                Error::user(
                    format!("two policies have the id {id}"),
                    "Give each rule an @id of its own; the floor's are taken.",
                )
            })?;
        }
        let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        if let Some(fault) = result.validation_errors().next() {
            return Err(Error::user(
                format!("a policy does not keep to the schema: {fault}"),
                "Correct the rule; schema/policy/subrosa.cedarschema lists what there is.",
            ));
        }
        Ok(Self { text, schema, set, rules, authorizer: Authorizer::new() })
    }

    /// The whole text, as the ledger records it; [`Self::recorded`] reads it back.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of [`Self::text`].
    pub fn digest(&self) -> Digest {
        use sha2::Digest as _;
        Digest(sha2::Sha256::digest(self.text.as_bytes()).into())
    }

    /// The ids of all rules.
    pub fn ids(&self) -> BTreeSet<String> {
        self.rules.keys().cloned().collect()
    }

    /// All rules, by id.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Policies({:?})", self.digest())
    }
}

/// Decides one question. Any error on the way is a refusal.
pub fn decide_voice(policies: &Policies, question: &Question) -> Verdict {
    policies.answer(&question.terms, &question.voice)
}

/// Decides many voices on the same terms, each set of facts once.
pub struct Decider<'a> {
    policies: &'a Policies,
    terms: &'a Terms,
    known: HashMap<VoiceFacts, Verdict>,
}

impl<'a> Decider<'a> {
    /// For these terms.
    pub fn new(policies: &'a Policies, terms: &'a Terms) -> Self {
        Self { policies, terms, known: HashMap::new() }
    }

    /// As [`decide_voice`].
    pub fn decide(&mut self, voice: &VoiceFacts) -> &Verdict {
        let Self { policies, terms, known } = self;
        known.entry(voice.clone()).or_insert_with(|| policies.answer(terms, voice))
    }
}

impl Policies {
    fn answer(&self, terms: &Terms, voice: &VoiceFacts) -> Verdict {
        self.ask(terms, voice).unwrap_or_else(|reason| Verdict { permit: false, reasons: vec![reason] })
    }

    fn ask(&self, terms: &Terms, voice: &VoiceFacts) -> std::result::Result<Verdict, Reason> {
        let undecided = |_: ()| Reason {
            rule: "undecided".to_owned(),
            words: "it could not be decided, which is a refusal".to_owned(),
        };
        let (request, entities) = translate(&self.schema, terms, voice).ok_or(()).map_err(undecided)?;
        let response = self.authorizer.is_authorized(&request, &self.set, &entities);
        if response.diagnostics().errors().next().is_some() {
            return Err(undecided(()));
        }
        if response.decision() == Decision::Allow {
            return Ok(Verdict { permit: true, reasons: Vec::new() });
        }
        let mut reasons: Vec<Reason> = response
            .diagnostics()
            .reason()
            .map(|id| {
                let rule = id.to_string();
                let words = self.rules.get(&rule).and_then(|rule| rule.words.clone()).unwrap_or_default();
                Reason { rule, words }
            })
            .collect();
        reasons.sort();
        if reasons.is_empty() {
            reasons.push(Reason { rule: "no-permit".to_owned(), words: "no rule allows it".to_owned() });
        }
        Ok(Verdict { permit: false, reasons })
    }
}
