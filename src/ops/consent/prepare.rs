//! A consent event made ready: who, where, from when, and what it would come to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ScopeShown, StateShown};
use crate::base::id::{InterviewId, ObjectId, Token, TranscriptId};
use crate::base::time::{Date, Moment};
use crate::base::{Error, Result};
use crate::domain::consent::{ConsentEvent, ConsentScope, Evidence, Place, TimeRange, TurnRange, state_at};
use crate::domain::interview::{Interview, Object, ObjectKind};
use crate::domain::study::Study;
use crate::ledger::event::{ConsentAct, Event};
use crate::ops::register::{self, Voice};
use crate::session::{Act, Loaded, View};
use crate::store::catalogue::InterviewRow;

/// What a change is to cover.
#[derive(Clone)]
pub enum ScopeAsked {
    /// Everything of the participant.
    All,
    /// The interview named.
    Interview,
    /// A passage of it.
    Passage {
        /// One that has been spoken of before; none for a new one.
        token: Option<Token>,
        /// Turns, counted from 1, both included.
        turns: Vec<(u32, u32)>,
        /// The version that the turns are of; the newest if none is given.
        transcript: Option<u32>,
        /// Milliseconds of the recording.
        times: Vec<TimeRange>,
    },
}

/// What a consent event would do. Shown before it is confirmed.
#[derive(Clone, Serialize)]
pub struct Plan {
    /// The archive code.
    pub code: String,
    /// Whose consent, by their label in the interview.
    pub label: String,
    /// What the ledger calls them.
    pub participant: Token,
    /// Given, amended or withdrawn.
    pub act: ConsentAct,
    /// What it covers.
    pub scope: ScopeShown,
    /// From when it holds.
    pub from: Moment,
    /// What it comes to before, within the scope.
    pub before: StateShown,
    /// And after.
    pub after: StateShown,
    /// What to know about it.
    pub remarks: Vec<String>,
    /// The events that the plan was made on.
    pub(super) events: usize,
}

/// An interview, one of its voices, and what that voice has said so far.
pub(super) struct Subject {
    pub(super) interview: Loaded<InterviewRow, Interview>,
    pub(super) voice: Voice,
    pub(super) events: Vec<ConsentEvent>,
    pub(super) study: Study,
}

impl Subject {
    pub(super) fn find(view: &View<'_>, code: &str, participant: Option<&str>) -> Result<Self> {
        let interview = view.find_interview(code)?;
        register::require_keeper(view, &interview.row)?;
        let voice = register::find_voice(view, &interview.body, participant)?;
        let events = view.consent_events(&voice.participant)?;
        let (_, study) = view.study()?;
        Ok(Self { interview, voice, events, study })
    }

    /// The scope in which they agreed for this interview, or the interview itself.
    pub(super) fn usual_scope(&self) -> ScopeAsked {
        let id = self.interview.row.id;
        let given = self.events.iter().rev().filter(|e| e.act == ConsentAct::Given);
        let found = given.map(|e| &e.scope).find_map(|scope| match scope {
            ConsentScope::All => Some(ScopeAsked::All),
            ConsentScope::Interview { interview } if *interview == id => Some(ScopeAsked::Interview),
            _ => None,
        });
        found.unwrap_or(ScopeAsked::Interview)
    }

    /// The scope as it is stored, and whether its passage is new.
    pub(super) fn scope(&self, view: &View<'_>, asked: &ScopeAsked) -> Result<(ConsentScope, bool)> {
        let interview = self.interview.row.id;
        let (token, turns, transcript, times) = match asked {
            ScopeAsked::All => return Ok((ConsentScope::All, false)),
            ScopeAsked::Interview => return Ok((ConsentScope::Interview { interview }, false)),
            ScopeAsked::Passage { token, turns, transcript, times } => (token, turns, transcript, times),
        };
        let mut ranges = self.turn_ranges(view, turns, *transcript)?;
        let mut times = times.clone();
        let Some(token) = token else {
            return Ok((ConsentScope::Passage { interview, passage: Token::random()?, turns: ranges, times }, true));
        };
        let known = self.events.iter().rev().find_map(|event| match &event.scope {
            ConsentScope::Passage { interview: i, passage, turns, times } if *i == interview && passage == token => {
                Some((turns, times))
            }
            _ => None,
        });
        let Some((known_turns, known_times)) = known else {
            return Err(Error::user(
                "this participant has said nothing of that passage",
                "`subrosa consent show` lists the passages.",
            ));
        };
        if ranges.is_empty() && times.is_empty() {
            (ranges, times) = (known_turns.clone(), known_times.clone());
        }
        Ok((ConsentScope::Passage { interview, passage: *token, turns: ranges, times }, false))
    }

    fn turn_ranges(&self, view: &View<'_>, turns: &[(u32, u32)], transcript: Option<u32>) -> Result<Vec<TurnRange>> {
        if turns.is_empty() {
            return Ok(Vec::new());
        }
        let rows = view.transcripts(self.interview.row.id)?;
        let row = match transcript {
            Some(number) => rows.iter().find(|r| r.version == number),
            None => rows.last(),
        };
        let row = row.ok_or_else(|| {
            Error::user("the interview has no such transcript version", "`subrosa interview show` lists its versions.")
        })?;
        let count = view.outline(row, &self.interview.key)?.turns.len();
        let range = |&(first, last): &(u32, u32)| {
            if first == 0 || first > last || last as usize > count {
                return Err(Error::user(
                    "the passage does not lie within the transcript",
                    format!("Its turns are counted from 1 to {count}; give the first and the last."),
                ));
            }
            Ok(TurnRange { transcript: row.id, first: first - 1, last: last - 1 })
        };
        turns.iter().map(range).collect()
    }

    /// The evidence with a token among what is kept with the interview.
    pub(super) fn object(&self, view: &View<'_>, token: Token) -> Result<(ObjectId, Object)> {
        for row in view.objects(self.interview.row.id)? {
            let object: Object = row.body.open(&self.interview.key)?;
            if object.token == token {
                return Ok((row.id, object));
            }
        }
        Err(Error::user(
            "nothing kept with this interview has that token",
            "`subrosa interview show` lists what is kept.",
        ))
    }

    /// What the events, and one more, come to within its scope, at the later of `now` and the day from which it holds.
    pub(super) fn plan(&self, view: &View<'_>, event: &ConsentEvent, now: Moment) -> Result<Plan> {
        let place = self.place(&event.scope);
        let at = now.max(event.from);
        let before = state_at(&self.events, at, &place);
        let mut events = self.events.clone();
        events.push(event.clone());
        let after = state_at(&events, at, &place);
        Ok(Plan {
            code: self.interview.body.code.clone(),
            label: self.voice.label.clone(),
            participant: self.voice.participant.body.token,
            act: event.act,
            scope: ScopeShown::new(view, &event.scope)?,
            from: event.from,
            before: StateShown::new(before, &self.study),
            after: StateShown::new(after, &self.study),
            remarks: Vec::new(),
            events: self.events.len(),
        })
    }

    /// A place that the scope covers for sure.
    fn place(&self, scope: &ConsentScope) -> Place {
        let interview = self.interview.row.id;
        match scope {
            ConsentScope::All | ConsentScope::Interview { .. } => Place::Interview(interview),
            ConsentScope::Passage { turns, times, .. } => {
                let first = turns.first();
                let transcript = first.map_or(TranscriptId::from_bytes([0; 16]), |r| r.transcript);
                Place::Turn { interview, transcript, turn: first.map_or(0, |r| r.first), time: times.first().copied() }
            }
        }
    }

    /// Refuses if somebody else changed this consent since the plan was shown.
    pub(super) fn still(&self, plan: &Plan) -> Result<()> {
        if plan.events == self.events.len() && plan.participant == self.voice.participant.body.token {
            return Ok(());
        }
        Err(Error::user("this consent was changed by somebody else just now", "Run the command again."))
    }

    /// Writes the event, its number, what interviews show of it, and the ledger's facts.
    pub(super) fn record(&mut self, act: &mut Act<'_>, event: &ConsentEvent, new_passage: bool) -> Result<()> {
        event.check()?;
        let participant = &mut self.voice.participant;
        let number = participant.body.consents.checked_add(1).ok_or_else(|| Error::bug("too many consent events"))?;
        act.tables().add_consent(event.id, participant.row.id, number, &participant.key, event)?;
        participant.body.consents = number;
        act.tables().set_participant_meta(participant.row.id, &participant.key, &participant.body)?;
        let item = self.interview.body.token;
        if let (ConsentScope::Passage { passage, .. }, true) = (&event.scope, new_passage) {
            act.event(Event::Passage { passage: *passage, item });
        }
        act.event(Event::Consent(event.facts(participant.body.token, Some(item))?));
        for id in act.heard_in(participant.row.id)? {
            let mut interview = act.load_interview(id)?;
            let withdrawn = all_withdrawn(act, &interview, act.now())?;
            if interview.body.state.withdrawn != withdrawn {
                interview.body.state.withdrawn = withdrawn;
                act.tables().set_interview(id, &interview.key, &interview.body)?;
            }
        }
        Ok(())
    }
}

/// Whether every participant of the interview has withdrawn altogether.
fn all_withdrawn(view: &View<'_>, interview: &Loaded<InterviewRow, Interview>, at: Moment) -> Result<bool> {
    let voices = register::voices(view, &interview.body)?;
    for voice in &voices {
        let events = view.consent_events(&voice.participant)?;
        if !state_at(&events, at, &Place::Interview(interview.row.id)).withdrawn {
            return Ok(false);
        }
    }
    Ok(!voices.is_empty())
}

/// Whether a participant would have withdrawn from an interview altogether with these events.
pub(super) fn withdrawn_from(events: &[ConsentEvent], interview: InterviewId, at: Moment) -> bool {
    state_at(events, at, &Place::Interview(interview)).withdrawn
}

/// The evidence that an object gives: a passage of a recording, or a scan.
pub(super) fn evidence(id: ObjectId, object: &Object, time: Option<TimeRange>) -> Result<Evidence> {
    match (object.kind, time) {
        (ObjectKind::Recording, Some(time)) => Ok(Evidence::Oral { recording: id, time }),
        (ObjectKind::Recording, None) => Err(Error::user(
            "it is not said where in the recording the consent is given",
            "Give first and last second with --evidence-at 5-40.",
        )),
        (_, None) => Ok(Evidence::Written { scan: id }),
        (_, Some(_)) => Err(Error::user("a scan has no seconds", "Leave --evidence-at out.")),
    }
}

/// The same day `years` later; the 28th for a 29th of February.
pub(super) fn years_after(day: Date, years: u8) -> Option<Date> {
    let year = day.year().checked_add(i16::from(years))?;
    Date::new(year, day.month(), day.day()).or_else(|| Date::new(year, day.month(), 28))
}

/// An event with nothing in it but what it is about.
pub(super) fn blank(
    subject: &Subject,
    act: ConsentAct,
    scope: ConsentScope,
    from: Moment,
    now: Moment,
) -> Result<ConsentEvent> {
    let basis = subject.events.last().map_or(crate::domain::consent::LegalBasis::Consent, |e| e.basis);
    Ok(ConsentEvent {
        id: crate::base::id::ConsentEventId::random()?,
        participant: subject.voice.participant.row.id,
        act,
        scope,
        from,
        recorded: now,
        form: None,
        modules: BTreeMap::new(),
        tier: None,
        embargo: None,
        expiry: None,
        review_by: None,
        condition: None,
        condition_mapped: false,
        language: None,
        basis,
        evidence: None,
    })
}
