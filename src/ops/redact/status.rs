//! How far the transcript versions are.

use serde::Serialize;

use super::{open_marks, standing_checks};
use crate::base::Result;
use crate::base::id::{PersonId, SiteId};
use crate::base::role::Role;
use crate::base::time::Moment;
use crate::domain::interview::Interview;
use crate::domain::transcript::TranscriptKind;
use crate::ledger::event::Event;
use crate::ops::listing::Listing;
use crate::redact::State;
use crate::redact::mark::Marks;
use crate::session::{Loaded, Unlocked, Vault, View};
use crate::store::catalogue::InterviewRow;
use crate::store::keyfile::Class as KeyClass;

/// How far one version is.
#[derive(Serialize)]
pub struct Progress {
    /// The archive code.
    pub code: String,
    /// The version.
    pub transcript: u32,
    /// What sort.
    pub kind: TranscriptKind,
    /// BCP 47.
    pub language: String,
    /// Its turns.
    pub turns: usize,
    /// The engine whose suggestions are in it.
    pub engine: Option<String>,
    /// Marks whose words are replaced, undecided ones among them.
    pub marks: u32,
    /// Suggestions that nobody has decided on.
    pub open: u32,
    /// Turns checked beside left-out ones.
    pub checked: usize,
    /// Who recorded the review.
    pub reviewed_by: Option<PersonId>,
    /// When.
    pub reviewed_at: Option<Moment>,
    /// What they stated.
    pub statement: Option<String>,
}

impl Progress {
    /// In a word: `reviewed`, `to review`, `to decide` or `to suggest`.
    pub fn word(&self) -> &'static str {
        match self {
            Self { reviewed_at: Some(_), .. } => "reviewed",
            Self { engine: None, .. } => "to suggest",
            Self { open: 1.., .. } => "to decide",
            _ => "to review",
        }
    }
}

/// All versions of one interview, or of every interview of the archivist's sites, by code; of the latter those that are damaged are left out and counted.
pub fn status(vault: &mut Vault<Unlocked>, code: Option<&str>) -> Result<Listing<Progress>> {
    vault.commit("redact status", |act| {
        let (interviews, hurt) = match code {
            Some(code) => {
                let one = act.find_interview(code)?;
                act.require(Role::Archivist, Some(one.row.site))?;
                (vec![one], 0)
            }
            None => {
                act.require(Role::Archivist, None)?;
                let mine = |site: &SiteId| act.has(Role::Archivist, Some(*site)) && act.opens(*site);
                let (mut all, hurt) = act.readable_interviews()?;
                all.retain(|interview| mine(&interview.row.site));
                (all, hurt.into_iter().filter(mine).count())
            }
        };
        let one = |interview: &Loaded<InterviewRow, Interview>, found: &mut Vec<Progress>| {
            versions(act, interview, act.now(), found)
        };
        let mut found = match code {
            None => Listing::gather(&interviews, hurt, one)?,
            Some(_) => {
                let mut rows = Vec::new();
                interviews.iter().try_for_each(|interview| one(interview, &mut rows))?;
                Listing { rows, hurt: 0 }
            }
        };
        found.rows.sort_by(|a, b| (&a.code, a.transcript).cmp(&(&b.code, b.transcript)));
        let filters = if code.is_some() { vec!["code".to_owned()] } else { Vec::new() };
        let count = i64::from(super::count(found.len()));
        act.event(Event::Listed { what: "redaction".to_owned(), filters, count });
        Ok(found)
    })
}

fn versions(
    view: &View<'_>,
    interview: &Loaded<InterviewRow, Interview>,
    now: Moment,
    out: &mut Vec<Progress>,
) -> Result<()> {
    for row in view.transcripts(interview.row.id)? {
        let outline = view.outline(&row, &interview.key)?;
        let marks: Marks = row.marks.open(&view.key(row.slot, KeyClass::Content(interview.row.site))?)?;
        let checked = standing_checks(view, interview, &outline, now)?.len();
        let replaced = marks.marks.iter().filter(|m| !matches!(m.state, State::Kept(_))).count();
        out.push(Progress {
            code: interview.body.code.clone(),
            transcript: row.version,
            kind: outline.kind,
            language: outline.language,
            turns: outline.turns.len(),
            open: open_marks(&marks),
            engine: marks.engine,
            marks: super::count(replaced),
            checked,
            reviewed_by: outline.review.as_ref().map(|r| r.by),
            reviewed_at: outline.review.as_ref().map(|r| r.at),
            statement: outline.review.map(|r| r.statement),
        });
    }
    Ok(())
}
