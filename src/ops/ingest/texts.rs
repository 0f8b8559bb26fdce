//! Transcripts made ready to be written: read, packed and sealed on all cores, while the rows before them are being written.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::delivery::Delivery;
use super::words;
use super::work::{Job, NewTranscript, Ref};
use super::write::{Open, file};
use crate::base::id::{SlotId, Token, TranscriptId, VaultId};
use crate::base::secret::Key;
use crate::base::time::Moment;
use crate::base::{Error, Result};
use crate::domain::transcript::{Outline, TranscriptContent, TranscriptKind, TurnFacts};
use crate::redact;
use crate::redact::mark::Marks;
use crate::session::Act;
use crate::store::catalogue::{TranscriptParts, TranscriptRow};
use crate::store::keyfile::Class;

/// How many interviews are made ready at once: enough for all cores …
const MOST_INTERVIEWS: usize = 64;
/// … and how many bytes their transcripts may have as files, unless it is one interview: what is ready, and what is being made ready, is in memory.
const MOST_BYTES: u64 = 8 << 20;

/// A transcript version with all that only the act could give it.
pub(super) struct Draft<'j> {
    new: &'j NewTranscript,
    id: TranscriptId,
    slot: SlotId,
    key: Key,
    parent: Option<TranscriptId>,
    /// Words and marks of the version that it corrects.
    before: Option<(Vec<String>, Marks)>,
}

/// A transcript version that only has to be written.
pub(super) struct Ready {
    pub(super) row: TranscriptRow,
    pub(super) token: Token,
    pub(super) kind: TranscriptKind,
    pub(super) hash: blake3::Hash,
    /// Marks that went along.
    pub(super) carried: usize,
    /// Marks that stayed behind.
    pub(super) to_look_at: usize,
}

/// The jobs in groups that are made ready at once.
pub(super) fn groups<'j>(jobs: &'j [Job], delivery: &Delivery) -> Vec<&'j [Job]> {
    let bytes = |job: &Job| -> u64 {
        job.transcripts.iter().filter_map(|t| delivery.files.get(&t.file)).map(|facts| facts.length).sum()
    };
    let (mut groups, mut rest) = (Vec::new(), jobs);
    while !rest.is_empty() {
        let mut sum = 0u64;
        let fits = rest.iter().take(MOST_INTERVIEWS).take_while(|job| {
            sum = sum.saturating_add(bytes(job));
            sum <= MOST_BYTES
        });
        let (group, after) = rest.split_at(fits.count().clamp(1, rest.len()));
        groups.push(group);
        rest = after;
    }
    groups
}

/// Gives the transcripts of an interview their ids and keys.
pub(super) fn drafts<'j>(act: &mut Act<'_>, open: &Open<'_>, job: &'j Job) -> Result<Vec<Draft<'j>>> {
    let mut drafts: Vec<Draft<'j>> = Vec::with_capacity(job.transcripts.len());
    for new in &job.transcripts {
        let (slot, key) = act.new_key(Class::Content(open.site))?;
        let parent = match new.parent {
            None => None,
            Some(Ref::Known(id)) => Some(id),
            Some(Ref::New(at)) => {
                let id = drafts.get(at).map(|draft| draft.id);
                Some(id.ok_or_else(|| Error::bug("a transcript comes before the one that it was made from"))?)
            }
        };
        let before = match (new.parent, new.kind) {
            (Some(Ref::Known(parent)), TranscriptKind::Corrected) => before(act, open, parent)?,
            _ => None,
        };
        drafts.push(Draft { new, id: TranscriptId::random()?, slot, key, parent, before });
    }
    Ok(drafts)
}

/// Words and marks of a version that the vault has.
fn before(act: &Act<'_>, open: &Open<'_>, parent: TranscriptId) -> Result<Option<(Vec<String>, Marks)>> {
    let rows = act.transcripts(open.id)?;
    let Some(row) = rows.iter().find(|r| r.id == parent) else { return Ok(None) };
    let (key, old) = act.transcript_content(row, open.site)?;
    Ok(Some((old.texts, row.marks.open(&key)?)))
}

/// Makes the transcripts of a group of interviews ready: a list for each interview.
pub(super) fn ready(group: &[Open<'_>], delivery: &Delivery, vault: VaultId, now: Moment) -> Result<Vec<Vec<Ready>>> {
    let of_one = |open: &Open<'_>| open.drafts.iter().map(|draft| one(draft, open, delivery, vault, now)).collect();
    group.par_iter().map(of_one).collect()
}

fn one(draft: &Draft<'_>, open: &Open<'_>, delivery: &Delivery, vault: VaultId, now: Moment) -> Result<Ready> {
    let new = draft.new;
    let facts = file(delivery, &new.file)?;
    let text = words::parse(delivery, facts, &open.job.labels)?;
    let token = Token::random()?;
    let mut outline = Outline {
        token,
        kind: new.kind,
        language: new.language.clone(),
        parent: draft.parent,
        ingested: now,
        turns: Vec::with_capacity(text.turns.len()),
        checked: BTreeMap::new(),
        review: None,
    };
    let mut content = TranscriptContent {
        maker: new.maker.clone(),
        file: facts.path.as_str().to_owned(),
        texts: Vec::with_capacity(text.turns.len()),
    };
    for turn in text.turns {
        outline.turns.push(TurnFacts { label: turn.label, start_ms: turn.start_ms, end_ms: turn.end_ms });
        content.texts.push(turn.text);
    }
    let (mut marks, mut to_look_at) = (Marks::default(), 0);
    if let Some((texts, old)) = &draft.before {
        // Where the words are still the same, the marks go along.
        let over = redact::carry_over(texts, &content.texts, &old.marks);
        to_look_at = over.for_review.len();
        marks = Marks { engine: None, next: old.next, marks: over.carried };
    }
    let parts = TranscriptParts {
        interview_key: &open.key,
        outline: &outline,
        key: &draft.key,
        turns: &content,
        marks: &marks,
    };
    let row = TranscriptRow::seal(vault, draft.id, open.id, new.version, draft.slot, &parts)?;
    Ok(Ready { row, token, kind: new.kind, hash: facts.hash, carried: marks.marks.len(), to_look_at })
}
