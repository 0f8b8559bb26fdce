//! Transcripts of a delivery: read and checked in parallel before anything is written, and read again when they are.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::delivery::{Delivery, FileFacts};
use super::plan::Faults;
use crate::base::progress::Progress;
use crate::base::{Error, Result};
use crate::formats::transcript::{self, TranscriptFormat};
use crate::formats::turn::TranscriptText;
use crate::formats::{Fault, fault};

/// The largest file that a transcript comes in: a document with pictures in it.
const MOST_BYTES: usize = 64_000_000;
/// How many unknown labels of one file are told.
const MOST_LABELS: usize = 20;

/// What is kept of a transcript between checking and writing; its words are not.
pub(super) struct Summary {
    pub(super) turns: u64,
    /// The labels that speak in it.
    pub(super) labels: BTreeSet<String>,
    /// How its bytes were taken.
    pub(super) encoding: Option<&'static str>,
}

/// A transcript to be read.
pub(super) struct Asked<'a> {
    pub(super) facts: &'a FileFacts,
    /// The line of the manifest that names it.
    pub(super) line: u64,
    /// The labels of its interview.
    pub(super) labels: &'a [String],
}

/// The turns of a transcript. Fails if its bytes are no longer the ones that were checked.
pub(super) fn parse(delivery: &Delivery, facts: &FileFacts, labels: &[String]) -> Result<TranscriptText> {
    let format = facts.path.extension().and_then(|e| TranscriptFormat::from_extension(&e)).ok_or_else(|| {
        Error::user(
            "the file is no transcript of a kind that is taken (txt, docx, odt, vtt, srt)",
            "Save it as one of these; a recording belongs into column recording.",
        )
    })?;
    let bytes = zeroize::Zeroizing::new(delivery.folder.bytes(&facts.path, MOST_BYTES)?);
    if blake3::hash(&bytes) != facts.hash {
        return Err(changed());
    }
    transcript::read(format, &bytes, labels)
}

/// A file is not what it was when it was checked.
pub(super) fn changed() -> Error {
    Error::user(
        "a file of the delivery changed while it was being taken in; nothing was taken in",
        "Wait until nobody writes to the folder any more, then run the command again.",
    )
}

/// Reads every transcript once, on all cores. By [`crate::formats::DeliveryPath::key`].
pub(super) fn check(
    delivery: &Delivery,
    asked: &[Asked<'_>],
    faults: &mut Faults,
    progress: &dyn Progress,
) -> BTreeMap<String, Summary> {
    progress.begin("Reading transcripts", asked.len() as u64);
    let read: Vec<_> = asked
        .par_iter()
        .map(|ask| {
            let read = parse(delivery, ask.facts, ask.labels).map(|text| summary(delivery, ask, text));
            progress.advance(1);
            read
        })
        .collect();
    progress.end();
    let mut summaries = BTreeMap::new();
    for (ask, read) in asked.iter().zip(read) {
        let place = delivery.place(ask.line, "transcript");
        match read {
            Err(error) => faults.push(Fault::new(place, error.what(), error.remedy())),
            Ok((summary, notices, unknown)) => {
                for notice in notices {
                    faults.notice(format!("{place}: {notice}"));
                }
                faults.extend(unknown);
                summaries.insert(ask.facts.path.key(), summary);
            }
        }
    }
    summaries
}

fn summary(delivery: &Delivery, ask: &Asked<'_>, text: TranscriptText) -> (Summary, Vec<String>, Vec<fault::Fault>) {
    let place = delivery.place(ask.line, "transcript");
    let remedy = "Add a row with this label and its role to the manifest, or correct the label in the transcript.";
    let mut unknown: Vec<Fault> = text
        .unknown_labels
        .iter()
        .take(MOST_LABELS)
        .map(|u| {
            let what = "a speaker is named whom the manifest does not know";
            Fault::new(format!("{place}, line {} of the file", u.line), what, remedy)
        })
        .collect();
    if text.unknown_labels.len() > MOST_LABELS {
        let more = text.unknown_labels.len() - MOST_LABELS;
        unknown.push(Fault::new(place, format!("{more} lines more of the file name unknown speakers"), remedy));
    }
    let summary = Summary {
        turns: text.turns.len() as u64,
        labels: text.turns.iter().filter_map(|t| t.label.clone()).collect(),
        encoding: text.encoding.map(|t| t.encoding.name()),
    };
    (summary, text.notices, unknown)
}
