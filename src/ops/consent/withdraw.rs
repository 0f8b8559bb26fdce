//! Consent taken back: denied everywhere at once. Destroying what was said is a later act.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::change::Recorded;
use super::prepare::{Plan, ScopeAsked, Subject, blank, withdrawn_from};
use crate::base::Result;
use crate::base::id::{ParticipantId, PersonId};
use crate::base::time::{Date, Moment};
use crate::domain::consent::{ConsentEvent, ConsentScope};
use crate::ledger::event::{ConsentAct, Event, Module, ModuleState};
use crate::ops::register;
use crate::session::{Unlocked, Vault, View};
use crate::store::catalogue::RecordKind;

/// A withdrawal that somebody asks for.
#[derive(Clone)]
pub struct Withdrawal {
    /// The archive code, as typed.
    pub code: String,
    /// Whose consent: label or token; may be left out if only one participant speaks.
    pub participant: Option<String>,
    /// The modules; none: altogether.
    pub modules: BTreeSet<Module>,
    /// What it covers; by default everything of the participant.
    pub scope: Option<ScopeAsked>,
    /// The day on which it was asked for; by default now.
    pub from: Option<Date>,
}

/// What a withdrawal reaches.
#[derive(Clone, Serialize)]
pub struct WithdrawalPlan {
    /// What happens to the consent.
    pub plan: Plan,
    /// The interviews that they are heard in and that it reaches.
    pub interviews: Vec<Heard>,
    /// What has left with their voice in it: to be recalled.
    pub out_there: Vec<Copy>,
}

/// An interview that a withdrawal reaches.
#[derive(Clone, Serialize)]
pub struct Heard {
    /// The archive code.
    pub code: String,
    /// Recordings kept.
    pub recordings: u32,
    /// Transcript versions kept.
    pub transcripts: u32,
    /// Documents kept.
    pub documents: u32,
    /// Other participants who speak in it, and whose consent goes on.
    pub others: u32,
    /// Nobody's consent would be left.
    pub withdrawn: bool,
}

/// An extract that has left.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Copy {
    /// The release.
    pub release: String,
    /// Who has it.
    pub recipient: Option<PersonId>,
    /// Their name, if they are enrolled.
    pub name: Option<String>,
    /// They may keep it until.
    pub until: Option<Date>,
    /// That day has not passed.
    pub in_use: bool,
}

/// What a withdrawal would reach. Records only that somebody looked.
pub fn plan_withdrawal(vault: &mut Vault<Unlocked>, asked: &Withdrawal) -> Result<WithdrawalPlan> {
    vault.commit("consent plan", |act| {
        let now = act.now();
        let (subject, event, _) = prepare(act, asked, now)?;
        let plan = planned(act, &subject, &event, now)?;
        let tokens = vec![subject.interview.body.token, plan.plan.participant];
        act.event(Event::Opened { what: "consent".to_owned(), tokens });
        Ok(plan)
    })
}

/// Records the withdrawal, as it was planned. From then on everything that it covers is refused.
pub fn withdraw(
    vault: &mut Vault<Unlocked>,
    asked: &Withdrawal,
    plan: &WithdrawalPlan,
) -> Result<(Recorded, WithdrawalPlan)> {
    vault.commit("consent withdraw", |act| {
        let now = act.now();
        let (mut subject, event, new_passage) = prepare(act, asked, now)?;
        subject.still(&plan.plan)?;
        let plan = planned(act, &subject, &event, now)?;
        subject.record(act, &event, new_passage)?;
        Ok((Recorded { id: event.id, plan: plan.plan.clone() }, plan))
    })
}

fn prepare(view: &View<'_>, asked: &Withdrawal, now: Moment) -> Result<(Subject, ConsentEvent, bool)> {
    let subject = Subject::find(view, &asked.code, asked.participant.as_deref())?;
    let (scope, new_passage) = subject.scope(view, asked.scope.as_ref().unwrap_or(&ScopeAsked::All))?;
    let from = asked.from.map_or(now, Date::start).min(now);
    let mut event = blank(&subject, ConsentAct::Withdrawn, scope, from, now)?;
    event.modules = asked.modules.iter().map(|m| (*m, ModuleState::Withdrawn)).collect::<BTreeMap<_, _>>();
    event.check()?;
    Ok((subject, event, new_passage))
}

fn planned(view: &View<'_>, subject: &Subject, event: &ConsentEvent, now: Moment) -> Result<WithdrawalPlan> {
    let mut plan = subject.plan(view, event, now)?;
    if plan.before == plan.after {
        plan.remarks.push("it was withdrawn already".to_owned());
    }
    let participant = &subject.voice.participant;
    let mut events = subject.events.clone();
    events.push(event.clone());
    let mut interviews = Vec::new();
    for id in view.heard_in(participant.row.id)? {
        let reached = matches!(event.scope, ConsentScope::All) || id == subject.interview.row.id;
        if !reached {
            continue;
        }
        let interview = view.load_interview(id)?;
        let mut withdrawn = withdrawn_from(&events, id, now);
        let mut others = 0;
        for voice in register::voices(view, &interview.body)? {
            if voice.participant.row.id == participant.row.id {
                continue;
            }
            if !withdrawn_from(&view.consent_events(&voice.participant)?, id, now) {
                others += 1;
                withdrawn = false;
            }
        }
        let state = interview.body.state;
        interviews.push(Heard {
            code: interview.body.code,
            recordings: state.recordings,
            transcripts: state.transcripts,
            documents: state.documents,
            others,
            withdrawn,
        });
    }
    interviews.sort_by(|a, b| a.code.cmp(&b.code));
    let token = participant.body.token.to_string();
    let out_there = copies(view, participant.row.id, &token, now.date())?;
    Ok(WithdrawalPlan { plan, interviews, out_there })
}

/// Releases in whose record the participant stands, by id or token.
fn copies(view: &View<'_>, participant: ParticipantId, token: &str, today: Date) -> Result<Vec<Copy>> {
    let id = participant.to_string();
    let mut found = Vec::new();
    for record in view.records::<Value>(RecordKind::Release)? {
        if !names(&record, &id) && !names(&record, token) {
            continue;
        }
        let text = |names: &[&str]| names.iter().find_map(|name| find(&record, name)?.as_str()).map(str::to_owned);
        let recipient: Option<PersonId> = text(&["recipient"]).and_then(|t| t.parse().ok());
        let person = recipient.map(|r| view.person(r)).transpose()?.flatten();
        let until: Option<Date> = text(&["until"]).and_then(|t| t.parse().ok());
        found.push(Copy {
            release: text(&["release", "id"]).unwrap_or_default(),
            recipient,
            name: person.map(|p| p.card.name().to_owned()),
            until,
            in_use: until.is_none_or(|day| day >= today),
        });
    }
    Ok(found)
}

/// Whether a text stands anywhere in a record, as a value or as a key.
fn names(value: &Value, text: &str) -> bool {
    match value {
        Value::String(s) => s == text,
        Value::Array(items) => items.iter().any(|v| names(v, text)),
        Value::Object(map) => map.iter().any(|(k, v)| k == text || names(v, text)),
        _ => false,
    }
}

/// The value of a field: of the record itself, else of what is nested in it.
fn find<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let map = value.as_object()?;
    map.get(name).filter(|v| v.is_string()).or_else(|| map.values().find_map(|v| find(v, name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn release_records_are_read_whatever_their_form() {
        let record =
            json!({"facts": {"recipient": "r", "until": "2027-01-01"}, "items": [{"voices": ["tok"]}], "id": "x"});
        assert!(names(&record, "tok") && !names(&record, "to"));
        assert_eq!(find(&record, "recipient"), Some(&json!("r")));
        assert_eq!(find(&record, "id"), Some(&json!("x")));
        assert_eq!(find(&record, "nothing"), None);
        assert!(names(&json!({"participants": {"tok": 1}}), "tok"));
    }
}
