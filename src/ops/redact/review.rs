//! The review: a person has read the whole version and its marks. Without it nothing of the version leaves.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Change, Version, Which, open_marks, review_digest};
use crate::base::{Error, Result, text};
use crate::domain::transcript::Review;
use crate::ledger::event::Event;
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

/// Turns were checked.
#[derive(Serialize)]
pub struct CheckedTurns {
    /// The archive code.
    pub code: String,
    /// The version.
    pub transcript: u32,
    /// All turns checked so far, counted from 1.
    pub checked: Vec<u32>,
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

/// Records that a person has read these turns (counted from 1) although a turn beside them may not go, and that they give nothing of it away.
pub fn check_turns(vault: &mut Vault<Unlocked>, which: &Which, turns: &[u32]) -> Result<CheckedTurns> {
    vault.commit("redact check-turns", |act| {
        let mut version = Version::open(act, which)?;
        let mut checked: BTreeSet<u32> = version.outline.checked.clone();
        for turn in turns {
            version.turn(*turn)?;
            checked.insert(*turn - 1);
        }
        version.outline.checked = checked;
        version.save_outline(act)?;
        act.event(version.opened("turns checked"));
        Ok(CheckedTurns {
            code: version.interview.body.code.clone(),
            transcript: version.row.version,
            checked: version.outline.checked.iter().map(|t| t + 1).collect(),
        })
    })
}
