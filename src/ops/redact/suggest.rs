//! Suggestions: the engine looks at every turn.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Change, Version, Which, edit, open_marks};
use crate::base::progress::Progress;
use crate::base::{Error, Result};
use crate::ops::register;
use crate::redact::{Class, Detector, ENGINE, State};
use crate::session::{Unlocked, Vault};

/// Marks of one class.
#[derive(Clone, Copy, Default, Serialize)]
pub struct ClassCount {
    /// All of them.
    pub marks: u32,
    /// Those that nobody has decided on.
    pub open: u32,
}

/// What the engine found.
#[derive(Serialize)]
pub struct Suggested {
    /// The archive code.
    pub code: String,
    /// The version.
    pub transcript: u32,
    /// The engine.
    pub engine: String,
    /// Turns looked at.
    pub turns: usize,
    /// People whose names and contacts were looked for.
    pub known: usize,
    /// What it did to the marks.
    pub change: Change,
    /// Suggestions that nobody has decided on.
    pub open: u32,
    /// Marks by class.
    pub classes: BTreeMap<Class, ClassCount>,
    /// A recorded review is void now.
    pub review_voided: bool,
}

/// Runs the engine over every turn, with the names of everybody who speaks in the interview. New finds become suggestions; what was decided stays.
pub fn suggest(vault: &mut Vault<Unlocked>, which: &Which, progress: &dyn Progress) -> Result<Suggested> {
    vault.commit("redact suggest", |act| {
        let mut version = Version::open(act, which)?;
        let known = register::known_entities(act, &version.interview)?;
        let detector = Detector::new(&known);
        progress.begin("Looking through the turns", version.content.texts.len() as u64);
        let mut change = Change::default();
        for (turn, text) in version.content.texts.iter().enumerate() {
            let turn = u32::try_from(turn).map_err(|_| Error::bug("a transcript has too many turns"))?;
            let found = edit::take_in(&mut version.marks, turn, text, &detector.detect(text))?;
            change.added += found.added;
            change.changed += found.changed;
            change.removed += found.removed;
            progress.advance(1);
        }
        progress.end();
        version.marks.engine = Some(ENGINE.to_owned());
        act.event(version.opened("transcript"));
        let review_voided = version.save(act, change)?;
        let mut classes: BTreeMap<Class, ClassCount> = BTreeMap::new();
        for mark in &version.marks.marks {
            let count = classes.entry(mark.class).or_default();
            count.marks += 1;
            count.open += u32::from(mark.state == State::Suggested);
        }
        Ok(Suggested {
            code: version.interview.body.code.clone(),
            transcript: version.row.version,
            engine: ENGINE.to_owned(),
            turns: version.content.texts.len(),
            known: known.iter().map(|k| &k.key).collect::<std::collections::BTreeSet<_>>().len(),
            change,
            open: open_marks(&version.marks),
            classes,
            review_voided,
        })
    })
}
