//! Decisions on marks: replace, keep, remove.

use std::collections::BTreeSet;

use serde::Serialize;

use super::edit::MANUAL;
use super::{Change, Version, Which, open_marks};
use crate::base::{Error, Result, text};
use crate::redact::{Class, State};
use crate::session::{Unlocked, Vault};

/// Which marks are decided on.
#[derive(Clone)]
pub enum Choice {
    /// These, by their numbers; decided ones among them are decided anew.
    Ids(Vec<u32>),
    /// All that nobody has decided on, of one class or of every.
    Open(Option<Class>),
}

/// What is decided.
#[derive(Clone)]
pub enum Verdict {
    /// The words are replaced.
    Replace,
    /// The words may stay, for this reason.
    Keep(String),
}

/// What came of it.
#[derive(Serialize)]
pub struct Decided {
    /// The archive code.
    pub code: String,
    /// The version.
    pub transcript: u32,
    /// What it did to the marks.
    pub change: Change,
    /// Suggestions that nobody has decided on.
    pub open: u32,
    /// A recorded review is void now.
    pub review_voided: bool,
}

/// Decides on marks. Refused as a whole if a number is unknown.
pub fn decide(vault: &mut Vault<Unlocked>, which: &Which, choice: &Choice, verdict: &Verdict) -> Result<Decided> {
    let state = match verdict {
        Verdict::Replace => State::Accepted,
        Verdict::Keep(reason) => State::Kept(text::line("the reason", reason)?),
    };
    vault.commit("redact decide", |act| {
        let mut version = Version::open(act, which)?;
        if let Choice::Ids(ids) = choice {
            known(&version, ids)?;
        }
        let mut change = Change::default();
        for mark in &mut version.marks.marks {
            let chosen = match choice {
                Choice::Ids(ids) => ids.contains(&mark.id),
                Choice::Open(class) => mark.state == State::Suggested && class.is_none_or(|c| c == mark.class),
            };
            if chosen && mark.state != state {
                (mark.state, mark.by, mark.at) = (state.clone(), Some(act.person()), Some(act.now()));
                change.changed += 1;
            }
        }
        let review_voided = version.save(act, change)?;
        Ok(decided(&version, change, review_voided))
    })
}

/// Removes marks that people made. What the engine found is kept with a reason instead, so that it is not suggested again.
pub fn unmark(vault: &mut Vault<Unlocked>, which: &Which, ids: &[u32]) -> Result<Decided> {
    vault.commit("redact unmark", |act| {
        let mut version = Version::open(act, which)?;
        known(&version, ids)?;
        let found = |m: &&crate::redact::Mark| ids.contains(&m.id) && m.layer != MANUAL;
        if let Some(mark) = version.marks.marks.iter().find(found) {
            return Err(Error::user(
                format!("mark #{} was found by the engine and cannot be removed", mark.id),
                "Keep the words with `subrosa redact keep CODE ID --reason TEXT`.",
            ));
        }
        let before = version.marks.marks.len();
        version.marks.marks.retain(|m| !ids.contains(&m.id));
        let change = Change { removed: super::count(before - version.marks.marks.len()), ..Change::default() };
        let review_voided = version.save(act, change)?;
        Ok(decided(&version, change, review_voided))
    })
}

fn decided(version: &Version, change: Change, review_voided: bool) -> Decided {
    Decided {
        code: version.interview.body.code.clone(),
        transcript: version.row.version,
        change,
        open: open_marks(&version.marks),
        review_voided,
    }
}

fn known(version: &Version, ids: &[u32]) -> Result<()> {
    let there: BTreeSet<u32> = version.marks.marks.iter().map(|m| m.id).collect();
    match ids.iter().find(|id| !there.contains(id)) {
        Some(id) => Err(Error::user(
            format!("this version has no mark #{id}"),
            "Numbers are shown by `subrosa redact show`; they differ from version to version.",
        )),
        None => Ok(()),
    }
}
