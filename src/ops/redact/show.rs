//! A version with its marks, for reading.

use serde::Serialize;

use super::words::slice;
use super::{Version, Which, open_marks, standing_checks};
use crate::base::Result;
use crate::redact::{Class, Mark, State, Strength};
use crate::session::{Unlocked, Vault};

/// Which turns to show.
#[derive(Clone, Copy, Default)]
pub struct Selection {
    /// From and to, counted from 1, both included.
    pub turns: Option<(u32, u32)>,
    /// Only turns with marks that nobody has decided on.
    pub open_only: bool,
}

/// A transcript version with its marks. Content.
#[derive(Serialize)]
pub struct Shown {
    /// The archive code.
    pub code: String,
    /// The version.
    pub transcript: u32,
    /// The engine whose suggestions are in it.
    pub engine: Option<String>,
    /// Whether a review is recorded.
    pub reviewed: bool,
    /// Suggestions that nobody has decided on, in the whole version.
    pub open: u32,
    /// The turns.
    pub turns: Vec<TurnShown>,
}

/// A turn. Content.
#[derive(Serialize)]
pub struct TurnShown {
    /// Counted from 1.
    pub turn: u32,
    /// The speaker's label.
    pub label: Option<String>,
    /// From, in milliseconds.
    pub start_ms: Option<u64>,
    /// The words.
    pub text: String,
    /// A person has checked it although a neighbour may not go, and no consent in the interview has changed since.
    pub checked: bool,
    /// The marks on it, in order.
    pub marks: Vec<MarkShown>,
}

/// A mark. Content.
#[derive(Serialize)]
pub struct MarkShown {
    /// Its number.
    pub id: u32,
    /// First code point of the turn.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// What it tells about.
    pub class: Class,
    /// How strongly it identifies.
    pub strength: Strength,
    /// What found it.
    pub layer: String,
    /// The words under it.
    pub words: String,
    /// What is written instead.
    pub replacement: String,
    /// `suggested`, `accepted` or `kept`.
    pub state: &'static str,
    /// Why the words stay.
    pub reason: Option<String>,
}

/// Shows turns of a version. The ledger has it before it is shown.
pub fn show(vault: &mut Vault<Unlocked>, which: &Which, selection: Selection) -> Result<Shown> {
    vault.commit("redact show", |act| {
        let version = Version::open(act, which)?;
        if let Some((first, last)) = selection.turns {
            version.turn(first)?;
            version.turn(last)?;
        }
        act.event(version.opened("transcript"));
        let standing = standing_checks(act, &version.interview, &version.outline, act.now())?;
        let mut turns = Vec::new();
        for ((number, text), facts) in (1u32..).zip(&version.content.texts).zip(&version.outline.turns) {
            let outside = selection.turns.is_some_and(|(first, last)| number < first || number > last);
            let marks: Vec<&Mark> = version.marks.marks.iter().filter(|m| m.turn + 1 == number).collect();
            if outside || (selection.open_only && marks.iter().all(|m| m.state != State::Suggested)) {
                continue;
            }
            turns.push(TurnShown {
                turn: number,
                label: facts.label.clone(),
                start_ms: facts.start_ms,
                text: text.clone(),
                checked: standing.contains(&(number - 1)),
                marks: marks.into_iter().map(|m| shown(m, text)).collect(),
            });
        }
        Ok(Shown {
            code: version.interview.body.code.clone(),
            transcript: version.row.version,
            engine: version.marks.engine.clone(),
            reviewed: version.outline.review.is_some(),
            open: open_marks(&version.marks),
            turns,
        })
    })
}

/// The text of a turn with its marks in it: `⟦words→[person 1]⟧#12`, `⟦words?→[person 1]⟧#12` while undecided, `⟦words=kept⟧#12`.
pub fn inline(turn: &TurnShown) -> String {
    let mut out = String::with_capacity(turn.text.len() + 32 * turn.marks.len());
    let mut at = 0;
    for mark in &turn.marks {
        out.push_str(&slice(&turn.text, at, mark.start as usize));
        let (sign, instead) = match mark.state {
            "kept" => ("=", "kept"),
            "suggested" => ("?→", mark.replacement.as_str()),
            _ => ("→", mark.replacement.as_str()),
        };
        out.push_str(&format!("⟦{}{sign}{instead}⟧#{}", mark.words, mark.id));
        at = mark.end as usize;
    }
    out.push_str(&slice(&turn.text, at, usize::MAX));
    out
}

fn shown(mark: &Mark, text: &str) -> MarkShown {
    let (state, reason) = match &mark.state {
        State::Suggested => ("suggested", None),
        State::Accepted => ("accepted", None),
        State::Kept(reason) => ("kept", Some(reason.clone())),
    };
    MarkShown {
        id: mark.id,
        start: mark.start,
        end: mark.end,
        class: mark.class,
        strength: mark.strength,
        layer: mark.layer.clone(),
        words: slice(text, mark.start as usize, mark.end as usize),
        replacement: mark.replacement.clone(),
        state,
        reason,
    }
}
