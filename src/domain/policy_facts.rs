//! What a decision is asked about: the facts of people, project and voice, and their translation into Cedar's words.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{Context, Entities, Entity, EntityId, EntityUid, Request, RestrictedExpression as Value, Schema};

use crate::base::id::PersonId;
use crate::base::time::{Date, Moment};
use crate::ledger::event::Module;

/// A day that never comes: `expires` of a consent without expiry.
const NEVER: i64 = 4_000_000;

/// What is to leave.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// An extract, for one person and project.
    Release(ReleaseTerms),
    /// One piece of work by one helper.
    WorkOrder(WorkTerms),
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

/// What only a work order has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct WorkTerms {
    /// The recipient is enrolled as a helper for the site of the item.
    pub helper: bool,
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

/// What holds for all voices of one decision. Where one person stands in two places, the facts about them must be the same, else everything is refused.
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

/// The request and the entities that Cedar is asked about; `None` if the facts contradict one another.
pub(crate) fn translate(schema: &Schema, terms: &Terms, voice: &VoiceFacts) -> Option<(Request, Entities)> {
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
    let resource = uid("Voice", "voice")?;
    entities.push(voice_entity(&resource, voice)?);
    let uid_of = |party: &Party| uid("Person", &party.id.to_string());
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
        Action::WorkOrder(work) => {
            context.push(("helper".to_owned(), Value::new_bool(work.helper)));
            "work_order"
        }
        Action::Release(release) => {
            context.push(("level".to_owned(), Value::new_long(i64::from(release.level))));
            context.push(("project_active".to_owned(), Value::new_bool(release.project_active)));
            context.push(("in_project".to_owned(), Value::new_bool(release.in_project)));
            context.push(("purpose_covered".to_owned(), Value::new_bool(release.purpose_covered)));
            "release"
        }
    };
    let context = Context::from_pairs(context).ok()?;
    let principal = uid_of(&terms.recipient)?;
    let request = Request::new(principal, uid("Action", action)?, resource, context, Some(schema)).ok()?;
    let entities = Entities::from_entities(entities, Some(schema)).ok()?;
    Some((request, entities))
}

fn person(party: &Party) -> Option<Entity> {
    let attributes = HashMap::from([
        ("enrolled".to_owned(), Value::new_bool(party.enrolled)),
        ("removed".to_owned(), Value::new_bool(party.removed)),
        ("conditions_accepted".to_owned(), Value::new_bool(party.conditions_accepted)),
        ("steward".to_owned(), Value::new_bool(party.steward)),
        ("country".to_owned(), Value::new_string(party.country.clone())),
    ]);
    Entity::new(uid("Person", &party.id.to_string())?, attributes, HashSet::new()).ok()
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

/// Days since 1970-01-01.
fn day(date: Date) -> i64 {
    date.start().seconds().div_euclid(86_400)
}

fn uid(kind: &str, id: &str) -> Option<EntityUid> {
    Some(EntityUid::from_type_name_and_id(kind.parse().ok()?, EntityId::new(id)))
}
