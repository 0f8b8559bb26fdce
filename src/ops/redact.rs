//! Redaction of a transcript version: suggestions, marks by hand, decisions, and the review that lets it leave.
//!
//! Turns are counted from 1 wherever people read or type them, places within a turn in Unicode code points from 0. All of it is for
//! archivists of the site, and all of it is in the ledger before it is shown.

mod decide;
mod edit;
mod list;
mod mark;
mod review;
mod show;
mod status;
mod suggest;
mod words;

pub use decide::{Choice, Decided, Verdict, decide, unmark};
pub use list::{List, Listed, MOST_REVIEWS, follow, parse_list};
pub use mark::{Batch, Marked, Place, Request, Words, mark, mark_all, parse_batch};
pub use review::{CheckedTurn, CheckedTurns, MOST_CHECKED, Reviewed, check_turns, review};
pub use show::{MarkShown, Selection, Shown, TurnShown, inline, show};
pub use status::{Progress, status};
pub use suggest::{ClassCount, Suggested, suggest};

use std::collections::BTreeSet;

use serde::Serialize;

use crate::base::role::Role;
use crate::base::secret::Key;
use crate::base::time::Moment;
use crate::base::{Error, Result, canonical};
use crate::domain::interview::Interview;
use crate::domain::transcript::{Outline, TranscriptContent};
use crate::ledger::event::{Digest, Event};
use crate::ops::plan;
use crate::redact::Mark;
use crate::redact::State;
use crate::redact::mark::Marks;
use crate::session::{Act, Loaded, View};
use crate::store::catalogue::{InterviewRow, TranscriptRow};

/// The turns, counted from 0, whose check still stands, as of now.
fn standing_checks(
    view: &View<'_>,
    interview: &Loaded<InterviewRow, Interview>,
    outline: &Outline,
    now: Moment,
) -> Result<BTreeSet<u32>> {
    if outline.checked.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut events = Vec::new();
    for participant in plan::heard(view, interview)? {
        events.extend(view.consent_events(&view.load_participant(participant)?)?);
    }
    Ok(outline.standing_checks(events.iter(), now))
}

/// Which transcript version.
#[derive(Clone, PartialEq, Eq)]
pub struct Which {
    /// The archive code, as typed.
    pub code: String,
    /// The version; the newest if none is given.
    pub transcript: Option<u32>,
}

/// A transcript version, open.
struct Version {
    interview: Loaded<InterviewRow, Interview>,
    row: TranscriptRow,
    outline: Outline,
    key: Key,
    content: TranscriptContent,
    marks: Marks,
}

/// What a change did to the marks.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// Marks added.
    pub added: u32,
    /// Marks changed.
    pub changed: u32,
    /// Marks removed.
    pub removed: u32,
}

impl Change {
    fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// What a review is over: SHA-256 of the canonical JSON `{"format":"subrosa-review/1","marks":[…],"texts":[…]}`, the marks whole and in the
/// order of their places, the texts of all turns in theirs.
pub fn review_digest(texts: &[String], marks: &Marks) -> Result<Digest> {
    #[derive(Serialize)]
    struct Reviewable<'a> {
        format: &'static str,
        marks: Vec<&'a Mark>,
        texts: &'a [String],
    }
    let mut sorted: Vec<&Mark> = marks.marks.iter().collect();
    sorted.sort_by_key(|m| (m.turn, m.start, m.id));
    let bytes = canonical::to_vec(&Reviewable { format: "subrosa-review/1", marks: sorted, texts })?;
    Ok(Digest::of(&bytes))
}

/// Whether a review is recorded and is over exactly these words and marks.
pub fn review_stands(outline: &Outline, texts: &[String], marks: &Marks) -> Result<bool> {
    match &outline.review {
        Some(review) => Ok(review.digest == review_digest(texts, marks)?.to_base64()),
        None => Ok(false),
    }
}

/// How many marks nobody has decided on.
fn open_marks(marks: &Marks) -> u32 {
    count(marks.marks.iter().filter(|m| m.state == State::Suggested).count())
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Version {
    fn open(view: &View<'_>, which: &Which) -> Result<Self> {
        let interview = view.find_interview(&which.code)?;
        let site = interview.row.site;
        view.require(Role::Archivist, Some(site))?;
        let mut rows = view.transcripts(interview.row.id)?;
        let row = match which.transcript {
            Some(number) => rows.into_iter().find(|r| r.version == number),
            None => rows.pop(),
        };
        let row = row.ok_or_else(|| match which.transcript {
            Some(_) => {
                Error::user("the interview has no such transcript version", "`subrosa redact status CODE` lists them.")
            }
            None => Error::user("the interview has no transcript yet", "Take one in with `subrosa ingest`."),
        })?;
        let outline = view.outline(&row, &interview.key)?;
        let (key, content) = view.transcript_content(&row, site)?;
        let marks: Marks = row.marks.open(&key)?;
        if outline.turns.len() != content.texts.len() || !marks.marks.iter().all(|m| m.fits(&content.texts)) {
            return Err(Error::damage("a transcript and its marks do not fit each other", "Run `subrosa check`."));
        }
        Ok(Self { interview, row, outline, key, content, marks })
    }

    /// The event of somebody having read something of it.
    fn opened(&self, what: &str) -> Event {
        Event::Opened { what: what.to_owned(), tokens: vec![self.interview.body.token, self.outline.token] }
    }

    /// Writes the marks and says so in the ledger. Any change voids a recorded review; says whether it did.
    fn save(&mut self, act: &mut Act<'_>, change: Change) -> Result<bool> {
        self.marks.marks.sort_by_key(|m| (m.turn, m.start, m.id));
        act.tables().set_marks(self.row.id, &self.key, &self.marks)?;
        act.event(Event::Marks {
            transcript: self.outline.token,
            added: change.added.into(),
            changed: change.changed.into(),
            removed: change.removed.into(),
        });
        let voided = !change.is_empty() && self.outline.review.take().is_some();
        if voided {
            self.save_outline(act)?;
        }
        Ok(voided)
    }

    /// Writes the outline, and what a list shows of the interview's reviews.
    fn save_outline(&mut self, act: &Act<'_>) -> Result<()> {
        act.tables().set_outline(self.row.id, &self.interview.key, &self.outline)?;
        let mut newest = 0;
        for row in act.transcripts(self.interview.row.id)? {
            if act.outline(&row, &self.interview.key)?.review.is_some() {
                newest = newest.max(row.version);
            }
        }
        if self.interview.body.state.reviewed != newest {
            self.interview.body.state.reviewed = newest;
            act.tables().set_interview(self.interview.row.id, &self.interview.key, &self.interview.body)?;
        }
        Ok(())
    }

    /// The index of a turn that somebody counted from 1.
    fn turn(&self, number: u32) -> Result<usize> {
        let index = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
        index.filter(|i| *i < self.content.texts.len()).ok_or_else(|| {
            Error::user(
                format!("there is no turn {number} in this version"),
                format!("Its turns are counted from 1 to {}.", self.content.texts.len()),
            )
        })
    }
}
