//! The files of objects.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::ledger::Told;
use super::{Findings, Options};
use crate::base::id::ObjectId;
use crate::base::progress::Progress;
use crate::crypto::padding::padded_len;
use crate::ledger::event::Digest;
use crate::store::files::Layout;
use crate::store::objects;

/// Bytes of plaintext in a chunk of an age file, and what sealing adds to each.
const CHUNK: u64 = 64 << 10;
const TAG: u64 = 16;
/// The most that header and nonce of a file of ours take.
const HEAD: u64 = 1_024;

/// A file that must be there.
pub(super) struct Expected {
    pub(super) id: ObjectId,
    pub(super) digest: Option<Digest>,
    /// The true length of what is in it.
    pub(super) length: u64,
    /// The code of its interview.
    pub(super) hurt: String,
    pub(super) what: &'static str,
}

/// How a file is.
enum State {
    Good,
    Missing,
    Size,
    Changed([u8; 32]),
    Unreadable(String),
}

/// Every file that a row names, and those that none does.
pub(super) fn check(
    layout: &Layout,
    files: &[Expected],
    options: Options,
    found: &mut Findings,
    progress: &dyn Progress,
) {
    found.part(if options.fast { "files (presence and size)" } else { "files (every byte)" }, files.len() as u64);
    let total = files.iter().filter_map(|f| size(layout, f.id)).sum();
    progress.begin("Checking files", total);
    let states: Vec<State> = files.par_iter().map(|file| look(layout, file, options, progress)).collect();
    progress.end();
    let own: BTreeMap<Digest, &Expected> = files.iter().filter_map(|f| f.digest.map(|digest| (digest, f))).collect();
    for (file, state) in files.iter().zip(states) {
        let what = match state {
            State::Good => continue,
            State::Missing => "is missing".to_owned(),
            State::Size => "has another size than it should have".to_owned(),
            State::Changed(digest) => match own.get(&Digest(digest)) {
                Some(other) => {
                    format!("is in truth {} of {}: files were exchanged or copied over", other.what, other.hurt)
                }
                None => "was changed or is damaged".to_owned(),
            },
            State::Unreadable(why) => format!("cannot be read: {why}"),
        };
        let path = layout.object(file.id);
        let name = path.strip_prefix(layout.root()).unwrap_or(&path).display().to_string();
        let rest = format!("Restore {name} from a backup. Its transcripts and the other files are not hurt.");
        found.fault(&file.hurt, format!("{} {what}", file.what), rest);
    }
    let known: BTreeSet<_> = files.iter().map(|f| f.id).collect();
    strays(layout, |id| known.contains(&id), found);
}

/// Without the rows: every file against the digests in the ledger.
pub(super) fn check_blind(
    layout: &Layout,
    told: &Told,
    options: Options,
    found: &mut Findings,
    progress: &dyn Progress,
) {
    let Ok((ids, _)) = objects::list(layout) else {
        return found.fault("the files", "the folder objects/ cannot be read", "Check the disk.");
    };
    let mut wanted: BTreeMap<Digest, u64> = BTreeMap::new();
    told.objects.values().for_each(|(_, digest)| *wanted.entry(*digest).or_default() += 1);
    if options.fast {
        found.part("files (how many)", ids.len() as u64);
        if (ids.len() as u64) < wanted.values().sum() {
            found.fault(
                "the files",
                "there are fewer than the ledger tells of",
                "Restore those that are missing from a backup.",
            );
        }
        return;
    }
    found.part("files (every byte)", ids.len() as u64);
    progress.begin("Checking files", ids.iter().filter_map(|id| size(layout, *id)).sum());
    let digests: Vec<_> = ids
        .par_iter()
        .map(|id| {
            let digest = objects::digest(layout, *id).ok();
            progress.advance(size(layout, *id).unwrap_or(0));
            digest
        })
        .collect();
    progress.end();
    let there: BTreeSet<_> = digests.iter().flatten().map(|d| Digest(*d)).collect();
    let missing = wanted.keys().filter(|digest| !there.contains(digest)).count();
    if missing > 0 && told.destroyed {
        found.notice(format!(
            "{missing} files that the ledger tells of are not here: destroyed on purpose, damaged or lost"
        ));
    } else if missing > 0 {
        let text = format!("{missing} that the ledger tells of are missing, changed or damaged");
        found.fault("the files", text, "An archivist's `subrosa check` says which. The others are whole.");
    }
    let others = there.iter().filter(|digest| !wanted.contains_key(digest)).count();
    if others > 0 {
        found.notice(format!(
            "{others} files are not as the ledger tells of any: damaged ones, or left over from an interrupted command"
        ));
    }
}

fn look(layout: &Layout, file: &Expected, options: Options, progress: &dyn Progress) -> State {
    let Some(size) = size(layout, file.id) else { return State::Missing };
    let padded = padded_len(file.length);
    let least = padded.saturating_add(padded.div_ceil(CHUNK).saturating_mul(TAG));
    let right = size >= least && size <= least.saturating_add(HEAD);
    if options.fast {
        return if right { State::Good } else { State::Size };
    }
    let state = match objects::digest(layout, file.id) {
        Ok(digest) if file.digest == Some(Digest(digest)) && right => State::Good,
        Ok(digest) if file.digest == Some(Digest(digest)) => State::Size,
        Ok(digest) => State::Changed(digest),
        Err(error) => State::Unreadable(error.what().to_owned()),
    };
    progress.advance(size);
    state
}

fn strays(layout: &Layout, known: impl Fn(ObjectId) -> bool, found: &mut Findings) {
    match objects::list(layout) {
        Ok((ids, others)) => {
            let spare = ids.into_iter().filter(|id| !known(*id)).count();
            if spare > 0 {
                found.notice(format!("{spare} files belong to no row: left over from a command that was interrupted, or from damaged rows"));
            }
            if others > 0 {
                found.notice(format!("{others} files in objects/ are none of the vault's"));
            }
        }
        Err(error) => found.error("the files", &error),
    }
    let (mut left, mut folders) = (0, 0);
    for entry in std::fs::read_dir(layout.tmp()).into_iter().flatten().flatten() {
        *if entry.file_type().is_ok_and(|kind| kind.is_dir()) { &mut folders } else { &mut left } += 1;
    }
    if left > 0 {
        found.notice(format!("{left} unfinished files in tmp/: the next command that writes removes them"));
    }
    if folders > 0 {
        found.notice(format!("{folders} folders in tmp/ are none of the vault's"));
    }
}

fn size(layout: &Layout, id: ObjectId) -> Option<u64> {
    std::fs::metadata(layout.object(id)).ok().filter(std::fs::Metadata::is_file).map(|m| m.len())
}
