//! The policies: Cedar text, the floor under everything, and the deciding of one question (DESIGN, section 7).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Effect, Entities, Entity, EntityUid, Policy, PolicyId, PolicySet, Request,
    RestrictedExpression as Value, Schema, ValidationMode, Validator,
};

use super::policy_words::sentence;
use crate::base::id::PersonId;
use crate::base::time::{Date, Moment};
use crate::base::{Error, Result};
use crate::ledger::event::{Digest, Module};

/// The Cedar schema that every policy must keep to.
pub const SCHEMA: &str = include_str!("../../schema/policy/subrosa.cedarschema");
/// The floor: the forbids that nobody can take away.
pub const FLOOR: &str = include_str!("../../schema/policy/floor.cedar");
/// The permits that the program ships with.
pub const PERMIT: &str = include_str!("../../schema/policy/permit.cedar");
/// The written specification of a release and of a work order, for the proof; never used for deciding.
pub const SPEC: &str = include_str!("../../schema/policy/spec.cedar");

/// The largest text of a site's policies that is read, in bytes.
const MAX_TEXT: usize = 256 * 1024;

/// A day that never comes: `expires` of a consent without expiry.
const NEVER: i64 = 4_000_000;

/// The policies in force, compiled once: the floor, the permits, and the site's own.
pub struct Policies {
    text: String,
    schema: Schema,
    set: PolicySet,
    words: BTreeMap<String, String>,
    authorizer: Authorizer,
    release: EntityUid,
    work_order: EntityUid,
}

/// What is to leave.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// An extract, for one person and project.
    Release(ReleaseTerms),
    /// One piece of work by one helper.
    WorkOrder,
}

/// What only a release has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ReleaseTerms {
    /// How far it is pseudonymised: 1, 2 or 3.
    pub level: u8,
    /// Today lies in the project's period.
    pub project_active: bool,
    /// The recipient is one of the project's people.
    pub in_project: bool,
    /// The use asked for is the project's purpose.
    pub purpose_covered: bool,
}

/// A person, as far as deciding goes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Party {
    /// Who.
    pub id: PersonId,
    /// On the roster.
    pub enrolled: bool,
    /// Was on the roster and is no longer.
    pub removed: bool,
    /// Signed the conditions of use.
    pub conditions_accepted: bool,
    /// A steward (for the one who decides: when deciding).
    pub steward: bool,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// What holds for all voices of one decision.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Terms {
    /// What is to leave.
    pub action: Action,
    /// Who gets it.
    pub recipient: Party,
    /// Who asked.
    pub requester: Party,
    /// Who decided.
    pub decider: Party,
    /// The decider's signature over the decision was verified.
    pub decision_signed: bool,
    /// The modules of consent that this use needs.
    pub needs: BTreeSet<Module>,
    /// The moment of deciding.
    pub now: Moment,
    /// The recipient may keep it until the end of this day.
    pub until: Date,
}

/// A voice in a passage, as far as deciding goes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VoiceFacts {
    /// Withdrawn altogether.
    pub withdrawn: bool,
    /// The modules that are granted.
    pub granted: BTreeSet<Module>,
    /// A condition waits for a steward.
    pub unmapped_condition: bool,
    /// Nothing leaves before this day.
    pub embargo: Option<Date>,
    /// Nothing leaves after this day.
    pub expiry: Option<Date>,
    /// Heard by chance, never asked.
    pub bystander: bool,
    /// The site, class or item is on hold.
    pub hold: bool,
    /// This transcript version has a recorded review.
    pub reviewed: bool,
    /// Every board demanded approved the day of the interview.
    pub fieldwork_covered: bool,
    /// Every board demanded approves this use today.
    pub use_covered: bool,
    /// The country of the site, ISO 3166-1 alpha-2.
    pub country: String,
}

/// One question: may this voice in this passage leave on these terms?
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Question {
    /// The terms.
    pub terms: Terms,
    /// The voice.
    pub voice: VoiceFacts,
}

/// Why something may not leave.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reason {
    /// The id of the rule.
    pub rule: String,
    /// The rule in words.
    pub words: String,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Whether it may leave.
    pub permit: bool,
    /// If not: every rule that says no, sorted by id. Empty if it may.
    pub reasons: Vec<Reason>,
}

impl Policies {
    /// The floor, the permits, and the site's own texts on top.
    ///
    /// Refuses a text that does not parse, is larger than 256 KiB, has a template, a rule without an `@id` of small letters, digits and dashes, an id that is
    /// taken, or does not keep to the schema (Cedar's strict validation).
    pub fn load(site_texts: &[&str]) -> Result<Self> {
        let mut text = format!("{FLOOR}\n{PERMIT}");
        for (i, site) in site_texts.iter().enumerate() {
            let rules = parse(site).map_err(|e| e.at(format!("policy text {}", i + 1)))?;
            if rules.iter().any(|(id, _)| id.starts_with("floor-")) {
                return Err(Error::user(
                    format!("policy text {} has a rule whose @id begins with floor-", i + 1),
                    "Only the floor's own rules are called so; choose another @id.",
                ));
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
        let (schema, _) =
            Schema::from_cedarschema_str(SCHEMA).map_err(|_| Error::bug("the policy schema does not parse"))?;
        let policies = parse(&text)?;
        let mut words = BTreeMap::new();
        let mut set = PolicySet::new();
        for (id, policy) in policies {
            if policy.effect() == Effect::Forbid {
                let own = sentence(&id).or_else(|| policy.annotation("reason"));
                words.insert(id.clone(), own.map_or_else(|| format!("the site's rule {id} forbids it"), str::to_owned));
            }
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
        let uid = |name: &str| uid("Action", name);
        Ok(Self {
            text,
            schema,
            set,
            words,
            authorizer: Authorizer::new(),
            release: uid("release")?,
            work_order: uid("work_order")?,
        })
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
        self.set.policies().map(|policy| policy.id().to_string()).collect()
    }
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Policies({:?})", self.digest())
    }
}

/// The rules of a text with their ids.
fn parse(text: &str) -> Result<Vec<(String, Policy)>> {
    if text.len() > MAX_TEXT {
        return Err(Error::user("a policy text is larger than 256 KiB", "Check that it is the right file."));
    }
    let set: PolicySet = text.parse().map_err(|e: cedar_policy::ParseErrors| {
        Error::user(
            format!("the policies do not parse: {e}"),
            "Correct the text; docs.cedarpolicy.com describes the language.",
        )
    })?;
    if set.num_of_templates() > 0 {
        return Err(Error::user("a policy is a template", "Write it without ?principal and ?resource."));
    }
    let mut policies = Vec::new();
    for policy in set.policies() {
        let id = policy.annotation("id").unwrap_or_default();
        let plain = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if id.is_empty() || id.len() > 64 || !plain {
            return Err(Error::user(
                "a policy has no @id, or one that is not of small letters, digits and dashes",
                "Put a line such as @id(\"no-teaching\") before it.",
            ));
        }
        policies.push((id.to_owned(), policy.clone()));
    }
    policies.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(policies)
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
        let (request, entities) = self.translate(terms, voice).ok_or(()).map_err(undecided)?;
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
                let words = self.words.get(&rule).cloned().unwrap_or_default();
                Reason { rule, words }
            })
            .collect();
        reasons.sort();
        if reasons.is_empty() {
            reasons.push(Reason { rule: "no-permit".to_owned(), words: "no rule allows it".to_owned() });
        }
        Ok(Verdict { permit: false, reasons })
    }

    fn translate(&self, terms: &Terms, voice: &VoiceFacts) -> Option<(Request, Entities)> {
        let people = [&terms.recipient, &terms.requester, &terms.decider];
        let mut entities: Vec<Entity> = Vec::with_capacity(4);
        let mut seen: Vec<&Party> = Vec::with_capacity(3);
        for party in people {
            match seen.iter().find(|known| known.id == party.id) {
                Some(known) if *known == party => {}
                // Two truths about one person: nothing can be decided.
                Some(_) => return None,
                None => {
                    seen.push(party);
                    entities.push(person(party)?);
                }
            }
        }
        let resource = uid("Voice", "voice").ok()?;
        entities.push(voice_entity(&resource, voice)?);
        let uid_of = |party: &Party| uid("Person", &party.id.to_string()).ok();
        let now = day(terms.now.date());
        let mut context = vec![
            ("needs".to_owned(), set_of(&terms.needs)),
            ("now".to_owned(), Value::new_long(now)),
            ("days".to_owned(), Value::new_long(day(terms.until) - now)),
            ("requester".to_owned(), Value::new_entity_uid(uid_of(&terms.requester)?)),
            ("decider".to_owned(), Value::new_entity_uid(uid_of(&terms.decider)?)),
            ("decision_signed".to_owned(), Value::new_bool(terms.decision_signed)),
        ];
        let action = match terms.action {
            Action::WorkOrder => &self.work_order,
            Action::Release(release) => {
                context.push(("level".to_owned(), Value::new_long(i64::from(release.level))));
                context.push(("project_active".to_owned(), Value::new_bool(release.project_active)));
                context.push(("in_project".to_owned(), Value::new_bool(release.in_project)));
                context.push(("purpose_covered".to_owned(), Value::new_bool(release.purpose_covered)));
                &self.release
            }
        };
        let context = Context::from_pairs(context).ok()?;
        let principal = uid_of(&terms.recipient)?;
        let request = Request::new(principal, action.clone(), resource, context, Some(&self.schema)).ok()?;
        let entities = Entities::from_entities(entities, Some(&self.schema)).ok()?;
        Some((request, entities))
    }
}

fn person(party: &Party) -> Option<Entity> {
    let attributes = HashMap::from([
        ("enrolled".to_owned(), Value::new_bool(party.enrolled)),
        ("removed".to_owned(), Value::new_bool(party.removed)),
        ("conditions_accepted".to_owned(), Value::new_bool(party.conditions_accepted)),
        ("steward".to_owned(), Value::new_bool(party.steward)),
        ("country".to_owned(), Value::new_string(party.country.clone())),
    ]);
    Entity::new(uid("Person", &party.id.to_string()).ok()?, attributes, HashSet::new()).ok()
}

fn voice_entity(uid: &EntityUid, voice: &VoiceFacts) -> Option<Entity> {
    let attributes = HashMap::from([
        ("withdrawn".to_owned(), Value::new_bool(voice.withdrawn)),
        ("granted".to_owned(), set_of(&voice.granted)),
        ("unmapped_condition".to_owned(), Value::new_bool(voice.unmapped_condition)),
        // No embargo ends before any day that a decision may be taken on, even one before 1970.
        ("embargo_until".to_owned(), Value::new_long(voice.embargo.map_or(0, day))),
        ("expires".to_owned(), Value::new_long(voice.expiry.map_or(NEVER, day))),
        ("bystander".to_owned(), Value::new_bool(voice.bystander)),
        ("hold".to_owned(), Value::new_bool(voice.hold)),
        ("reviewed".to_owned(), Value::new_bool(voice.reviewed)),
        ("fieldwork_covered".to_owned(), Value::new_bool(voice.fieldwork_covered)),
        ("use_covered".to_owned(), Value::new_bool(voice.use_covered)),
        ("country".to_owned(), Value::new_string(voice.country.clone())),
    ]);
    Entity::new(uid.clone(), attributes, HashSet::new()).ok()
}

fn set_of(modules: &BTreeSet<Module>) -> Value {
    Value::new_set(modules.iter().map(|module| Value::new_string(module_word(*module).to_owned())))
}

/// The word by which policies call a module: the same as in the ledger and in `study.toml`.
pub fn module_word(module: Module) -> &'static str {
    match module {
        Module::Archive => "archive",
        Module::Analyse => "analyse",
        Module::Reuse => "reuse",
        Module::Teaching => "teaching",
        Module::QuoteText => "quote_text",
        Module::QuoteAudio => "quote_audio",
        Module::Recontact => "recontact",
        Module::Abroad => "abroad",
    }
}

/// Days since 1970-01-01.
fn day(date: Date) -> i64 {
    date.start().seconds().div_euclid(86_400)
}

fn uid(kind: &str, id: &str) -> Result<EntityUid> {
    let kind = kind.parse().map_err(|_| Error::bug("a policy entity type does not parse"))?;
    Ok(EntityUid::from_type_name_and_id(kind, cedar_policy::EntityId::new(id)))
}
