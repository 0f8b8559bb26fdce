//! Consent: what each participant agreed to, as events; and what they come to (docs/adr/0004-consent-fold.md).
//!
//! # The rules
//!
//! 1. **Nothing asked is refused.** A module that no event names is `NotAsked`. Only `Granted` permits; nothing leaves without `Archive`.
//! 2. **Order.** Events follow one another as they were recorded; of two recorded in the same second, the later in the list is the later.
//! 3. **In force.** An agreement or a change counts once it is recorded and the moment `from` has come. A withdrawal counts from the
//!    earlier of the two: asked is taken, and a back-dated one holds from its date.
//! 4. **Within one scope the latest event wins**, module by module; what an event does not name stays as it was. Tier, embargo
//!    and expiry likewise.
//! 5. **A form grants what it granted.** Each module remembers the form it was agreed on. Agreement to another version sets only the modules that this event
//!    names; it never moves the others to the new form.
//! 6. **Scopes are laid over one another**: for a place, the strictest of everything, its interview and its passages. A narrower scope can restrict a wider one
//!    and never widen it; it can grant what no wider one speaks of. From mild to strict: granted, not asked, refused, expired, withdrawn.
//! 7. **A withdrawal takes and never gives.** Its modules become `Withdrawn`, whatever it says beside them; naming `Archive` or no module takes all of
//!    them: withdrawn altogether. Its tier and dates count only where they are stricter.
//! 8. **Coming back.** What was taken comes back only by an event whose `from` is later than both the recording and the `from` of the withdrawal, so that an older
//!    form that turns up afterwards undoes nothing; what was withdrawn altogether, only by such a `Given`.
//! 9. **Dates.** On the day of the embargo and on the day of expiry something may leave; before the one and after the other nothing may. Days are UTC.
//!    After expiry, `Granted` reads `Expired`.
//! 10. **A condition in free words refuses** within its scope until an event says that a steward has mapped it.
//! 11. **Passages** are bounded by turns of one transcript version and by milliseconds of the recording. Where it cannot be told whether a turn lies inside (another
//!     version, no times), what the passage refuses counts and what it grants does not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::consent_fold::{Cover, Layer, Statement, fold, in_force};
use crate::base::id::{ConsentEventId, InterviewId, ObjectId, ParticipantId, Token, TranscriptId};
use crate::base::time::{Date, Moment};
use crate::base::{Error, Result, text};
use crate::ledger::event::{self, ConsentAct, ConsentFacts, Digest, Module, ModuleState, Tier};

pub use super::consent_fold::Effective;

/// The most modules, ranges or bounds that one event may have.
const MAX_BOUNDS: usize = 1_000;

/// What a consent event covers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ConsentScope {
    /// Everything of the participant.
    All,
    /// One interview.
    Interview {
        /// Which.
        interview: InterviewId,
    },
    /// A passage of one interview ("leave out the part about my brother").
    Passage {
        /// The interview.
        interview: InterviewId,
        /// What the ledger calls the passage.
        passage: Token,
        /// Its turns, by transcript version.
        turns: Vec<TurnRange>,
        /// Its time in the recording.
        times: Vec<TimeRange>,
    },
}

/// Some turns of one transcript version, counted from 0, first and last included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnRange {
    /// The version.
    pub transcript: TranscriptId,
    /// The first turn.
    pub first: u32,
    /// The last turn.
    pub last: u32,
}

/// Some time of a recording in milliseconds, `from` included, `to` not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRange {
    /// The first millisecond.
    pub from: u64,
    /// The first one after it.
    pub to: u64,
}

/// What shows that consent was given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Evidence {
    /// Said on the tape.
    Oral {
        /// The recording.
        recording: ObjectId,
        /// Where in it.
        time: TimeRange,
    },
    /// A scan of a signed form, a letter, an e-mail.
    Written {
        /// The scan.
        scan: ObjectId,
    },
    /// A member of staff heard it.
    Witnessed,
}

/// Why the law lets the archive hold this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalBasis {
    /// Consent (GDPR, article 6(1)(a)).
    Consent,
    /// A task in the public interest (GDPR, article 6(1)(e)).
    PublicInterest,
}

/// One consent event, as the catalogue keeps it sealed. Events are never changed; a change is a further event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentEvent {
    /// Its id.
    pub id: ConsentEventId,
    /// Whose consent.
    pub participant: ParticipantId,
    /// What sort of event.
    pub act: ConsentAct,
    /// What it covers.
    pub scope: ConsentScope,
    /// From when it holds.
    pub from: Moment,
    /// When it was recorded: the time of its ledger entry.
    pub recorded: Moment,
    /// SHA-256 of the form's text, if a form was agreed to.
    pub form: Option<Digest>,
    /// The modules that it sets; others stay as they were.
    pub modules: BTreeMap<Module, ModuleState>,
    /// The attribution tier, if it sets one.
    pub tier: Option<Tier>,
    /// Nothing leaves before this day.
    pub embargo: Option<Date>,
    /// Nothing leaves after this day.
    pub expiry: Option<Date>,
    /// The archive looks at it again by this day.
    pub review_by: Option<Date>,
    /// A condition in free words that no steward has mapped: refuses.
    pub condition: Option<String>,
    /// A steward has mapped the conditions said so far in this scope to what this event sets.
    pub condition_mapped: bool,
    /// The language in which consent was asked (BCP 47).
    pub language: Option<String>,
    /// Why the law lets the archive hold this.
    pub basis: LegalBasis,
    /// What shows it.
    pub evidence: Option<Evidence>,
}

/// What is asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The participant at large: only events about everything count.
    Everything,
    /// An interview at large; passages do not count.
    Interview(InterviewId),
    /// One turn of an interview.
    Turn {
        /// The interview.
        interview: InterviewId,
        /// The transcript version.
        transcript: TranscriptId,
        /// The turn, counted from 0.
        turn: u32,
        /// Its time in the recording, where known.
        time: Option<TimeRange>,
    },
}

impl ConsentEvent {
    /// Refuses an event that says what its act cannot mean: an agreement that takes back, a withdrawal that grants, bounds that end before they begin,
    /// an embargo after its expiry.
    pub fn check(&self) -> Result<()> {
        let withdrawal = self.act == ConsentAct::Withdrawn;
        for state in self.modules.values() {
            if withdrawal != (*state == ModuleState::Withdrawn) || *state == ModuleState::Expired {
                return Err(Error::user(
                    "a consent event sets a module to a state that does not go with what it is",
                    "An agreement grants, refuses or notes that nobody asked; only a withdrawal takes back; expiry is a date.",
                ));
            }
        }
        if matches!((self.embargo, self.expiry), (Some(embargo), Some(expiry)) if embargo > expiry) {
            return Err(Error::user("the embargo ends after the consent does", "Correct one of the two dates."));
        }
        if let ConsentScope::Passage { turns, times, .. } = &self.scope {
            let bad = turns.iter().any(|r| r.first > r.last) || times.iter().any(|r| r.from >= r.to);
            if bad || turns.is_empty() && times.is_empty() || turns.len() + times.len() > MAX_BOUNDS {
                return Err(Error::user(
                    "a passage has no bounds, or bounds that end before they begin",
                    "Give its turns or its time in the recording, first and last.",
                ));
            }
        }
        if let Some(condition) = &self.condition {
            text::page("the condition", condition)?;
        }
        if let Some(language) = &self.language {
            text::line("the language", language)?;
        }
        Ok(())
    }

    /// What the ledger keeps of it: `participant` and `interview` are its tokens there; `interview` is needed unless the scope is everything or a passage.
    pub fn facts(&self, participant: Token, interview: Option<Token>) -> Result<ConsentFacts> {
        let scope = match (&self.scope, interview) {
            (ConsentScope::All, _) => event::Scope::All,
            (ConsentScope::Passage { passage, .. }, _) => event::Scope::Passage(*passage),
            (ConsentScope::Interview { .. }, Some(token)) => event::Scope::Interview(token),
            (ConsentScope::Interview { .. }, None) => {
                return Err(Error::bug("a consent event about an interview was given no token of the interview"));
            }
        };
        Ok(ConsentFacts {
            participant,
            act: self.act,
            scope,
            from: self.from,
            form: self.form,
            modules: self.modules.clone(),
            tier: self.tier,
            embargo: self.embargo,
            expiry: self.expiry,
            unmapped_condition: self.condition.is_some(),
            condition_mapped: self.condition_mapped,
        })
    }

    fn layer(&self) -> Layer {
        match &self.scope {
            ConsentScope::All => Layer::All,
            ConsentScope::Interview { interview } => Layer::Interview(*interview.as_bytes()),
            ConsentScope::Passage { passage, .. } => Layer::Passage(*passage.as_bytes()),
        }
    }
}

impl std::fmt::Debug for ConsentEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsentEvent").field("id", &self.id).field("act", &self.act).finish_non_exhaustive()
    }
}

impl ConsentScope {
    /// How surely this scope covers `place`.
    fn covers(&self, place: &Place) -> Cover {
        let inside = |interview: &InterviewId| match place {
            Place::Everything => false,
            Place::Interview(asked) | Place::Turn { interview: asked, .. } => asked == interview,
        };
        match (self, place) {
            (Self::All, _) => Cover::Yes,
            (Self::Interview { interview }, _) if inside(interview) => Cover::Yes,
            (Self::Passage { interview, turns, times, .. }, Place::Turn { transcript, turn, time, .. })
                if inside(interview) =>
            {
                passage_covers(turns, times, *transcript, *turn, *time)
            }
            _ => Cover::No,
        }
    }
}

fn passage_covers(
    turns: &[TurnRange],
    times: &[TimeRange],
    transcript: TranscriptId,
    turn: u32,
    time: Option<TimeRange>,
) -> Cover {
    let mut of_version = turns.iter().filter(|range| range.transcript == transcript).peekable();
    let told_by_turns = of_version.peek().is_some();
    let told_by_times = !times.is_empty() && time.is_some();
    let by_turns = of_version.any(|range| (range.first..=range.last).contains(&turn));
    let by_times = time.is_some_and(|t| {
        times.iter().any(|range| t.from < range.to && range.from < t.to.max(t.from.saturating_add(1)))
    });
    if by_turns || by_times {
        Cover::Yes
    } else if told_by_turns || told_by_times {
        Cover::No
    } else {
        Cover::Unsure
    }
}

/// What the events of **one** participant come to for `place` at `at`, by the rules above. `events` may be in any order; of those recorded in the same second
/// the later in the slice is the later.
pub fn state_at(events: &[ConsentEvent], at: Moment, place: &Place) -> Effective {
    let mut ordered: Vec<&ConsentEvent> = events.iter().collect();
    ordered.sort_by_key(|event| event.recorded);
    let statements: Vec<Statement<'_>> = ordered.iter().map(|e| statement(e, cover(e, events, at, place))).collect();
    fold(statements, at)
}

/// How surely `event` covers `place`. Where its own bounds cannot tell, a change of the same passage that bounds it in the version asked about can tell that the place lies
/// outside; never that it lies inside, and a withdrawal never tells.
fn cover(event: &ConsentEvent, events: &[ConsentEvent], at: Moment, place: &Place) -> Cover {
    let own = event.scope.covers(place);
    if own != Cover::Unsure {
        return own;
    }
    let mut told = events
        .iter()
        .filter(|other| other.layer() == event.layer() && other.act != ConsentAct::Withdrawn)
        .filter(|other| in_force(other.act, other.from, other.recorded, at))
        .map(|other| other.scope.covers(place))
        .filter(|cover| *cover != Cover::Unsure)
        .peekable();
    if told.peek().is_some() && told.all(|cover| cover == Cover::No) { Cover::No } else { Cover::Unsure }
}

fn statement<'a>(event: &'a ConsentEvent, cover: Cover) -> Statement<'a> {
    Statement {
        layer: event.layer(),
        cover,
        act: event.act,
        from: event.from,
        recorded: event.recorded,
        form: event.form,
        modules: &event.modules,
        tier: event.tier,
        embargo: event.embargo,
        expiry: event.expiry,
        review_by: event.review_by,
        unmapped: event.condition.is_some(),
        mapped: event.condition_mapped,
    }
}

/// The passages that may bear on `place`, by what the ledger calls them: those of which it is not certain that they lie elsewhere.
pub fn passages_at(events: &[ConsentEvent], at: Moment, place: &Place) -> Vec<Token> {
    let mut found: Vec<Token> = events
        .iter()
        .filter(|event| cover(event, events, at, place) != Cover::No)
        .filter_map(
            |event| if let ConsentScope::Passage { passage, .. } = &event.scope { Some(*passage) } else { None },
        )
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether any event speaks of a passage of `interview`.
pub fn has_passages(events: &[ConsentEvent], interview: InterviewId) -> bool {
    events.iter().any(|event| matches!(&event.scope, ConsentScope::Passage { interview: i, .. } if *i == interview))
}
