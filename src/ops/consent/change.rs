//! Consent given, changed or confirmed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::prepare::{Plan, ScopeAsked, Subject, blank, evidence, years_after};
use super::{StateShown, from_word, word};
use crate::base::id::{ConsentEventId, Token};
use crate::base::role::Role;
use crate::base::time::{Date, Moment};
use crate::base::{Error, Result, text};
use crate::domain::consent::{ConsentEvent, Evidence, TimeRange};
use crate::ledger::event::{ConsentAct, Event, Module, ModuleState, Tier};
use crate::session::{Unlocked, Vault, View};

/// A change that somebody asks for. With a form it is a consent given, else one amended.
#[derive(Clone, Default)]
pub struct Change {
    /// The archive code, as typed.
    pub code: String,
    /// Whose consent: label or token; may be left out if only one participant speaks.
    pub participant: Option<String>,
    /// The form version agreed to.
    pub form: Option<String>,
    /// Modules and their states; with a form, the exceptions from it.
    pub modules: BTreeMap<Module, ModuleState>,
    /// The attribution tier.
    pub tier: Option<Tier>,
    /// Nothing leaves before.
    pub embargo: Option<Bound>,
    /// Nothing leaves after.
    pub expiry: Option<Date>,
    /// The archive looks at it again by.
    pub review_by: Option<Date>,
    /// What it covers; by default what the consent that it changes covers.
    pub scope: Option<ScopeAsked>,
    /// The day from which it holds; by default now.
    pub from: Option<Date>,
    /// A condition in free words.
    pub condition: Option<String>,
    /// The conditions said so far are mapped to what this change sets. For stewards.
    pub map_condition: bool,
    /// The language in which consent was asked.
    pub language: Option<String>,
    /// What shows it.
    pub evidence: Option<EvidenceAsked>,
    /// A note, kept with the interview. For archivists.
    pub note: Option<String>,
}

/// A day, or none any more.
#[derive(Clone, Copy)]
pub enum Bound {
    /// This day.
    Day(Date),
    /// What stood so far ends. It is recorded as the day from which the change holds.
    Lifted,
}

/// What shows a consent.
#[derive(Clone)]
pub enum EvidenceAsked {
    /// A member of staff heard it.
    Witnessed,
    /// A recording or a scan kept with the interview, by its token; of a recording also where in it.
    Object(Token, Option<TimeRange>),
}

/// An event was recorded.
#[derive(Serialize)]
pub struct Recorded {
    /// Its id.
    pub id: ConsentEventId,
    /// What was planned, and is done.
    pub plan: Plan,
}

/// Module and state out of `quote_text=granted`. `withdrawn` and `expired` are no answers that somebody gives here.
pub fn parse_module(text: &str) -> Result<(Module, ModuleState)> {
    let pair = text.split_once('=').and_then(|(m, s)| Some((from_word(m)?, from_word(s)?)));
    match pair {
        Some((module, state @ (ModuleState::Granted | ModuleState::Refused | ModuleState::NotAsked))) => {
            Ok((module, state))
        }
        _ => Err(Error::user(
            "a module is not given as MODULE=STATE",
            "Modules: archive, analyse, reuse, teaching, quote_text, quote_audio, recontact, abroad. States: granted, refused, not_asked. \
             What is taken back goes through `subrosa consent withdraw`.",
        )),
    }
}

/// What a change would come to. Records only that somebody looked.
pub fn plan_change(vault: &mut Vault<Unlocked>, change: &Change) -> Result<Plan> {
    vault.commit("consent plan", |act| {
        let now = act.now();
        let (subject, event, _) = prepare(act, change, now)?;
        let plan = planned(act, &subject, &event, now)?;
        let tokens = vec![subject.interview.body.token, plan.participant];
        act.event(Event::Opened { what: "consent".to_owned(), tokens });
        Ok(plan)
    })
}

/// Records the change, as it was planned.
pub fn change(vault: &mut Vault<Unlocked>, change: &Change, plan: &Plan) -> Result<Recorded> {
    vault.commit("consent set", |act| {
        let now = act.now();
        let (mut subject, event, new_passage) = prepare(act, change, now)?;
        subject.still(plan)?;
        let plan = planned(act, &subject, &event, now)?;
        subject.record(act, &event, new_passage)?;
        if let Some(note) = &change.note {
            let (key, mut content) = act.interview_content(&subject.interview.row)?;
            content.notes.push(format!("{}{}", note_mark(event.id), text::page("the note", note)?));
            act.tables().set_interview_content(subject.interview.row.id, &key, &content)?;
        }
        Ok(Recorded { id: event.id, plan })
    })
}

/// What a note about a consent event begins with.
pub(super) fn note_mark(id: ConsentEventId) -> String {
    format!("consent {id}: ")
}

fn prepare(view: &View<'_>, change: &Change, now: Moment) -> Result<(Subject, ConsentEvent, bool)> {
    let subject = Subject::find(view, &change.code, change.participant.as_deref())?;
    let site = subject.interview.row.site;
    if change.map_condition {
        view.require(Role::Steward, Some(site))?;
    }
    if change.note.is_some() {
        view.require(Role::Archivist, Some(site))?;
    }
    let asked = change.scope.clone().unwrap_or_else(|| subject.usual_scope());
    let (scope, new_passage) = subject.scope(view, &asked)?;
    let kind = if change.form.is_some() { ConsentAct::Given } else { ConsentAct::Amended };
    let from = change.from.map_or(now, Date::start);
    let mut event = blank(&subject, kind, scope, from, now)?;
    event.language = change.language.as_deref().map(|l| text::line("the language", l)).transpose()?;
    if let Some(version) = &change.form {
        agree(&subject, &mut event, version.trim())?;
    }
    event.modules.extend(change.modules.iter().map(|(m, s)| (*m, *s)));
    event.tier = change.tier.or(event.tier);
    event.embargo = change.embargo.map(|bound| match bound {
        Bound::Day(day) => day,
        Bound::Lifted => from.date(),
    });
    event.expiry = change.expiry.or(event.expiry);
    event.review_by = change.review_by.or(event.review_by);
    event.condition = change.condition.as_deref().map(|c| text::line("the condition", c)).transpose()?;
    event.condition_mapped = change.map_condition;
    if event.condition.is_some() && event.condition_mapped {
        return Err(Error::user(
            "a new condition cannot be mapped by the same change",
            "Record it first; a steward maps it.",
        ));
    }
    event.evidence = match &change.evidence {
        None => None,
        Some(EvidenceAsked::Witnessed) => Some(Evidence::Witnessed),
        Some(EvidenceAsked::Object(token, time)) => {
            let (id, object) = subject.object(view, *token)?;
            Some(evidence(id, &object, *time)?)
        }
    };
    let says = !event.modules.is_empty()
        || event.tier.is_some()
        || event.embargo.is_some()
        || event.expiry.is_some()
        || event.review_by.is_some()
        || event.condition.is_some()
        || event.condition_mapped
        || event.language.is_some()
        || event.evidence.is_some();
    if !says {
        return Err(Error::user(
            "it is not said what changes",
            "Give --module, --tier, --form or another change; see --help.",
        ));
    }
    event.check()?;
    Ok((subject, event, new_passage))
}

/// What agreeing to a form version sets.
fn agree(subject: &Subject, event: &mut ConsentEvent, version: &str) -> Result<()> {
    let form = subject.study.form(version, event.language.as_deref()).ok_or_else(|| {
        Error::user(
            "the study has no consent form of that version",
            "Its versions stand in study.toml, under [[form]].",
        )
    })?;
    event.form = Some(form.digest());
    event.modules = form.grants.clone();
    event.tier = Some(form.tier);
    event.expiry = form.expiry_years.and_then(|years| years_after(event.from.date(), years));
    event.review_by = form.review_years.and_then(|years| years_after(event.from.date(), years));
    event.language = event.language.take().or_else(|| Some(form.language.clone()));
    event.basis = form.basis;
    Ok(())
}

/// The plan, with a remark on all that does not come out as asked.
fn planned(view: &View<'_>, subject: &Subject, event: &ConsentEvent, now: Moment) -> Result<Plan> {
    let mut plan = subject.plan(view, event, now)?;
    let StateShown { modules, tier, unmapped, withdrawn, .. } = &plan.after;
    let mut remarks = Vec::new();
    if *withdrawn {
        remarks.push(
            "it stays withdrawn altogether: only a new consent (--form) for as much as was withdrawn (--scope), beginning after it, brings it back".to_owned(),
        );
    } else {
        for (module, asked) in &event.modules {
            let comes = modules.get(module).copied().unwrap_or(ModuleState::NotAsked);
            if comes != *asked {
                remarks.push(format!(
                    "{} comes out as {}, not {}: a wider or a later word is stricter",
                    word(module),
                    word(comes),
                    word(asked)
                ));
            }
        }
        if event.tier.is_some_and(|asked| asked != *tier) {
            remarks.push(format!("the tier comes out as {}: a wider or a later word is stricter", word(tier)));
        }
    }
    if *unmapped {
        remarks.push("nothing leaves until a steward has mapped the condition (--map-condition)".to_owned());
    }
    if event.from > now {
        remarks.push(format!("it holds from {} on; until then everything stays as it is", event.from.date()));
    }
    plan.remarks = remarks;
    Ok(plan)
}
