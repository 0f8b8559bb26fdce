//! The last look at all that leaves.

use std::collections::BTreeMap;

use super::guard::{Guard, Place};
use super::manifest::{MANIFEST, Manifest};
use super::render::{self, Rendered};
use crate::base::{Error, Result, canonical};
use crate::ops::plan::Facts;
use crate::session::Act;

/// A name, a contact or an archive code in any file stops the release.
pub(super) fn refuse_what_may_not_leave(
    act: &Act<'_>,
    known: &Facts,
    rendered: &Rendered,
    files: &BTreeMap<String, Vec<u8>>,
    manifest: &Manifest,
) -> Result<()> {
    let stop = |place: &str| {
        // The place goes to the screen only: a citation code has no business in the ledger.
        Error::denied(
            "a name, a contact or an archive code would have left with the extract; nothing was built",
            format!(
                "It stands in {place}. Mark it with `subrosa redact mark`, or keep it there with a reason, and review the transcript again."
            ),
        )
    };
    if let Some((citation, place)) = &rendered.found {
        return Err(stop(&match place {
            Place::Turn(turn) => format!("turn {turn} of {citation}"),
            Place::File => format!("the file {citation}"),
        }));
    }
    let guard = Guard::new(&known.study, render::people(&rendered.scripts.register, &rendered.others));
    if guard.in_title(&known.project.title).first(act)?.is_some() {
        return Err(stop("the title of the project"));
    }
    let manifest = canonical::to_vec(manifest)?;
    let texts = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    for (name, bytes) in texts.chain([(MANIFEST, manifest.as_slice())]) {
        let text = String::from_utf8_lossy(bytes);
        if guard.in_text(&text).first(act)?.is_some() || guard.in_text(name).first(act)?.is_some() {
            return Err(stop(&format!("the file {name}")));
        }
    }
    for facts in &rendered.files {
        if guard.in_text(&facts.path).first(act)?.is_some() {
            return Err(stop("the name of a transcript"));
        }
    }
    Ok(())
}
