//! The review: a person has read the whole version and its marks. Without it nothing of the version leaves.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Change, Version, Which, open_marks, review_digest, standing_checks};
use crate::base::{Error, Result, text};
use crate::domain::consent_turns::Speaker;
use crate::domain::transcript::{Check, Review};
use crate::ledger::event::Event;
use crate::ops::plan;
use crate::redact::{ENGINE, State};
use crate::session::{Unlocked, Vault};

/// A review was recorded.
#[derive(Serialize)]
pub struct Reviewed {
    /// The archive code.
    pub code: String,
    /// The version.
    pub transcript: u32,
    /// Turns read.
    pub turns: usize,
    /// Marks whose words are replaced.
    pub marks: u32,
    /// Marks whose words stay, each with a reason.
    pub kept: u32,
    /// Suggestions accepted with the review.
    pub accepted: u32,
    /// The engine whose suggestions were decided.
    pub engine: String,
    /// Another version of the engine is in use now.
    pub engine_outdated: bool,
    /// Base64 SHA-256 over turns and marks.
    pub digest: String,
}

/// The most turns that are checked at once: whoever has read them can say why for each few.
pub const MOST_CHECKED: usize = 20;

/// Turns were checked.
#[derive(Serialize)]
pub struct CheckedTurns {
    /// The archive code.
    pub code: String,
    /// The version.
    pub transcript: u32,
    /// The turns checked now.
    pub turns: Vec<CheckedTurn>,
    /// All turns whose check stands, counted from 1.
    pub checked: Vec<u32>,
}

/// A turn that was checked.
#[derive(Serialize)]
pub struct CheckedTurn {
    /// Counted from 1.
    pub turn: u32,
    /// How many of the turns right before and after it are not an interviewer's or interpreter's: 0, 1 or 2.
    pub beside: u8,
}

/// Records that whoever is at the keyboard has read the whole version. Refused while suggestions are undecided (unless `accept_rest`
/// accepts them), and if the engine has never looked at this version. Any later change of a mark voids it.
pub fn review(vault: &mut Vault<Unlocked>, which: &Which, statement: &str, accept_rest: bool) -> Result<Reviewed> {
    let statement = text::page("the statement", statement.trim())?;
    if statement.is_empty() {
        return Err(Error::user(
            "the statement is empty",
            "Say what you did, as in --statement \"Read from start to end.\"",
        ));
    }
    vault.commit("redact review", |act| {
        let mut version = Version::open(act, which)?;
        let Some(engine) = version.marks.engine.clone() else {
            return Err(Error::user(
                "nothing has looked for what identifies in this version yet",
                "Run `subrosa redact suggest CODE` first.",
            ));
        };
        let open = open_marks(&version.marks);
        if open > 0 && !accept_rest {
            return Err(Error::user(
                format!("{open} suggestions are undecided"),
                "Decide with `subrosa redact accept` and `keep`, or accept them all with --accept-rest.",
            ));
        }
        if open > 0 {
            for mark in version.marks.marks.iter_mut().filter(|m| m.state == State::Suggested) {
                (mark.state, mark.by, mark.at) = (State::Accepted, Some(act.person()), Some(act.now()));
            }
            version.save(act, Change { changed: open, ..Change::default() })?;
        }
        let digest = review_digest(&version.content.texts, &version.marks)?;
        let kept = version.marks.marks.iter().filter(|m| matches!(m.state, State::Kept(_))).count();
        let marks = super::count(version.marks.marks.len() - kept);
        version.outline.review = Some(Review {
            by: act.person(),
            at: act.now(),
            engine: engine.clone(),
            digest: digest.to_base64(),
            statement: statement.clone(),
        });
        version.save_outline(act)?;
        act.event(Event::Review {
            transcript: version.outline.token,
            engine: engine.clone(),
            marks: marks.into(),
            digest,
        });
        Ok(Reviewed {
            code: version.interview.body.code.clone(),
            transcript: version.row.version,
            turns: version.content.texts.len(),
            marks,
            kept: super::count(kept),
            accepted: open,
            engine_outdated: engine != ENGINE,
            engine,
            digest: digest.to_base64(),
        })
    })
}

/// Records that a person has read these turns (counted from 1, at most [`MOST_CHECKED`]) although a turn beside them may not go, and that they give nothing
/// of it away; `reason` says why. A later change of consent in the interview ends it.
pub fn check_turns(vault: &mut Vault<Unlocked>, which: &Which, turns: &[u32], reason: &str) -> Result<CheckedTurns> {
    let reason = text::page("the reason", reason.trim())?;
    if reason.is_empty() {
        return Err(Error::user("a check needs a reason", "Say why the turns give nothing away with --reason."));
    }
    let turns: BTreeSet<u32> = turns.iter().copied().collect();
    if turns.len() > MOST_CHECKED {
        return Err(Error::user(
            format!("at most {MOST_CHECKED} turns are checked at once"),
            "Check only turns that stand beside what stays, each after reading it.",
        ));
    }
    vault.commit("redact check-turns", |act| {
        let mut version = Version::open(act, which)?;
        let check = Check { by: act.person(), at: act.now(), reason: reason.clone() };
        let mut report = Vec::with_capacity(turns.len());
        for turn in &turns {
            version.turn(*turn)?;
            version.outline.checked.insert(*turn - 1, check.clone());
            report.push(CheckedTurn { turn: *turn, beside: beside(&version, *turn) });
        }
        version.save_outline(act)?;
        act.event(Event::Checks { transcript: version.outline.token, turns: super::count(turns.len()).into() });
        let standing = standing_checks(act, &version.interview, &version.outline, act.now())?;
        Ok(CheckedTurns {
            code: version.interview.body.code.clone(),
            transcript: version.row.version,
            turns: report,
            checked: standing.into_iter().map(|turn| turn + 1).collect(),
        })
    })
}

/// How many of the two turns beside one (counted from 1) somebody's consent decides on.
fn beside(version: &Version, turn: u32) -> u8 {
    let decided = |number: u32| {
        let turn = usize::try_from(number).ok().and_then(|index| version.outline.turns.get(index));
        turn.is_some_and(|turn| plan::speaker(&version.interview.body, turn.label.as_deref()) != Speaker::Aside)
    };
    u8::from(turn.checked_sub(2).is_some_and(decided)) + u8::from(decided(turn))
}
