//! Each voice's consent: what it comes to, and the events that made it so.

use std::collections::BTreeMap;

use serde::Serialize;

use super::change::note_mark;
use super::{ScopeShown, StateShown, form_name};
use crate::base::Result;
use crate::base::id::{ConsentEventId, InterviewId, ObjectId, Token};
use crate::base::role::Role;
use crate::base::time::{Date, Moment};
use crate::domain::consent::{ConsentEvent, ConsentScope, Evidence, LegalBasis, Place, state_at};
use crate::domain::interview::{Interview, Object};
use crate::domain::study::Study;
use crate::ledger::event::{ConsentAct, Event, Module, ModuleState, Tier};
use crate::ops::register::{self, Voice};
use crate::session::{Loaded, Unlocked, Vault, View};
use crate::store::catalogue::InterviewRow;

/// The consent of an interview's participants.
#[derive(Serialize)]
pub struct Shown {
    /// The archive code.
    pub code: String,
    /// The moment that it is shown for.
    pub at: Moment,
    /// Each participant.
    pub voices: Vec<VoiceShown>,
}

/// Stands for words that are not for a pipe.
const WITHHELD: &str = "(words: on a terminal, or with --to-pipe)";

impl Shown {
    /// Puts a remark in the place of conditions and notes, which are somebody's words.
    pub fn withhold_words(&mut self) {
        let events = self.voices.iter_mut().flat_map(|voice| &mut voice.events);
        for words in events.flat_map(|event| [&mut event.condition, &mut event.note]).flatten() {
            *words = WITHHELD.to_owned();
        }
    }
}

/// One participant's.
#[derive(Serialize)]
pub struct VoiceShown {
    /// The label in the interview.
    pub label: String,
    /// What the ledger calls them.
    pub participant: Token,
    /// What it comes to for the interview at large; passages come on top.
    pub state: StateShown,
    /// The events about everything and about this interview, oldest first.
    pub events: Vec<EventShown>,
    /// How many further events are about other interviews.
    pub elsewhere: usize,
}

/// One event.
#[derive(Serialize)]
pub struct EventShown {
    /// Its id.
    pub id: ConsentEventId,
    /// What sort.
    pub act: ConsentAct,
    /// What it covers.
    pub scope: ScopeShown,
    /// From when it holds.
    pub from: Moment,
    /// When it was recorded.
    pub recorded: Moment,
    /// The form version agreed to.
    pub form: Option<String>,
    /// The modules that it sets.
    pub modules: BTreeMap<Module, ModuleState>,
    /// The tier that it sets.
    pub tier: Option<Tier>,
    /// The embargo that it sets.
    pub embargo: Option<Date>,
    /// The expiry that it sets.
    pub expiry: Option<Date>,
    /// The review that it sets.
    pub review_by: Option<Date>,
    /// A condition in free words.
    pub condition: Option<String>,
    /// It maps the conditions said so far.
    pub condition_mapped: bool,
    /// The language in which it was asked.
    pub language: Option<String>,
    /// Why the law lets the archive hold this.
    pub basis: LegalBasis,
    /// What shows it, in words.
    pub evidence: Option<String>,
    /// A note; for archivists.
    pub note: Option<String>,
}

/// The consent of every participant of an interview, or of one; as of the end of `at`, by default now.
pub fn show(vault: &mut Vault<Unlocked>, code: &str, participant: Option<&str>, at: Option<Date>) -> Result<Shown> {
    vault.commit("consent show", |act| {
        let interview = act.find_interview(code)?;
        register::require_keeper(act, &interview.row)?;
        let (_, study) = act.study()?;
        let voices = match participant {
            Some(_) => vec![register::find_voice(act, &interview.body, participant)?],
            None => register::voices(act, &interview.body)?,
        };
        let at = at.map_or(act.now(), Date::end);
        let context = Context::new(act, &interview, &study)?;
        let shown: Vec<VoiceShown> = voices.iter().map(|v| context.voice(v, at)).collect::<Result<_>>()?;
        let mut tokens = vec![interview.body.token];
        tokens.extend(shown.iter().map(|v| v.participant));
        act.event(Event::Opened { what: "consent".to_owned(), tokens });
        Ok(Shown { code: interview.body.code, at, voices: shown })
    })
}

struct Context<'a> {
    view: &'a View<'a>,
    study: &'a Study,
    id: InterviewId,
    objects: BTreeMap<ObjectId, Token>,
    notes: Vec<String>,
}

impl<'a> Context<'a> {
    fn new(view: &'a View<'a>, interview: &Loaded<InterviewRow, Interview>, study: &'a Study) -> Result<Self> {
        let mut objects = BTreeMap::new();
        for row in view.objects(interview.row.id)? {
            objects.insert(row.id, row.body.open::<Object>(&interview.key)?.token);
        }
        let site = interview.row.site;
        let reads = view.has(Role::Archivist, Some(site)) && view.opens(site);
        let notes = if reads { view.interview_content(&interview.row)?.1.notes } else { Vec::new() };
        Ok(Self { view, study, id: interview.row.id, objects, notes })
    }

    fn voice(&self, voice: &Voice, at: Moment) -> Result<VoiceShown> {
        let events = self.view.consent_events(&voice.participant)?;
        let state = StateShown::new(state_at(&events, at, &Place::Interview(self.id)), self.study);
        let here = |event: &&ConsentEvent| match &event.scope {
            ConsentScope::All => true,
            ConsentScope::Interview { interview } | ConsentScope::Passage { interview, .. } => *interview == self.id,
        };
        let shown: Vec<EventShown> = events.iter().filter(here).map(|e| self.event(e)).collect::<Result<_>>()?;
        Ok(VoiceShown {
            label: voice.label.clone(),
            participant: voice.participant.body.token,
            state,
            elsewhere: events.len() - shown.len(),
            events: shown,
        })
    }

    fn event(&self, event: &ConsentEvent) -> Result<EventShown> {
        let mark = note_mark(event.id);
        Ok(EventShown {
            id: event.id,
            act: event.act,
            scope: ScopeShown::new(self.view, &event.scope)?,
            from: event.from,
            recorded: event.recorded,
            form: event.form.as_ref().map(|form| form_name(self.study, form)),
            modules: event.modules.clone(),
            tier: event.tier,
            embargo: event.embargo,
            expiry: event.expiry,
            review_by: event.review_by,
            condition: event.condition.clone(),
            condition_mapped: event.condition_mapped,
            language: event.language.clone(),
            basis: event.basis,
            evidence: event.evidence.as_ref().map(|e| self.evidence(e)),
            note: self.notes.iter().find_map(|n| n.strip_prefix(&mark)).map(str::to_owned),
        })
    }

    fn evidence(&self, evidence: &Evidence) -> String {
        let token = |id: &ObjectId| match self.objects.get(id) {
            Some(token) => token.to_string(),
            None => "of another interview".to_owned(),
        };
        match evidence {
            Evidence::Oral { recording, time } => {
                format!(
                    "said in recording {}, seconds {}-{}",
                    token(recording),
                    time.from / 1_000,
                    time.to.div_ceil(1_000)
                )
            }
            Evidence::Written { scan } => format!("written, scan {}", token(scan)),
            Evidence::Witnessed => "witnessed".to_owned(),
        }
    }
}
