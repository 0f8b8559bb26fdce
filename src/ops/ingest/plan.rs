//! What an ingest found and would do, for a person to read.

use serde::Serialize;

use super::delivery::line_of;
use crate::formats::Fault;

/// The most faults that are listed.
const MOST_FAULTS: usize = 1_000;
/// The most notices that are kept.
const MOST_NOTICES: usize = 10_000;

/// One fault of a delivery: where, what, and how to mend it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FaultLine {
    /// Where: `manifest.csv line 7, column date`.
    pub place: String,
    /// What is wrong there.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// What a delivery would bring into the vault. Names codes, so it is an answer, not a message.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// All that is wrong; with a single one nothing is taken in.
    pub faults: Vec<FaultLine>,
    /// What was taken for what, and what is passed over.
    pub notices: Vec<String>,
    /// The interviews that are new, or that something is added to, in the order of the manifest.
    pub interviews: Vec<Planned>,
    /// Participants known already of whom the delivery says more.
    pub described: u64,
    /// How many interviews of the delivery the vault has already as they are.
    pub unchanged: u64,
    /// How many files of the delivery the vault has already.
    pub known_files: u64,
    /// How many files lie in the folder that the manifest does not name; they are not taken in.
    pub unnamed_files: u64,
}

/// One interview of a plan.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// Its archive code.
    pub code: String,
    /// Whether the vault does not know it yet.
    pub new: bool,
    /// Participants that the vault does not know yet.
    pub participants: u64,
    /// Recordings.
    pub recordings: Vec<PlannedRecording>,
    /// Transcript versions.
    pub transcripts: Vec<PlannedTranscript>,
    /// Documents.
    pub documents: u64,
    /// Scans and other evidence of consent.
    pub evidence: u64,
    /// Consents recorded.
    pub consents: u64,
}

/// A recording of a plan.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PlannedRecording {
    /// Its container.
    pub form: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// How long it plays, where its header tells.
    pub duration_ms: Option<u64>,
}

/// A transcript of a plan.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PlannedTranscript {
    /// The number that it gets.
    pub version: u32,
    /// `raw`, `verbatim`, `corrected` or `translation`.
    pub kind: String,
    /// BCP 47.
    pub language: String,
    /// How many turns it has.
    pub turns: u64,
    /// How its bytes were taken; none where the format says it itself.
    pub encoding: Option<String>,
}

impl Plan {
    /// Whether there is nothing in it that the vault has not.
    pub fn is_empty(&self) -> bool {
        self.interviews.is_empty() && self.described == 0
    }

    /// How many interviews are new.
    pub fn new_interviews(&self) -> usize {
        self.interviews.iter().filter(|i| i.new).count()
    }
}

/// Collects faults and notices.
#[derive(Default)]
pub(super) struct Faults {
    lines: Vec<FaultLine>,
    more: u64,
    notices: Vec<String>,
}

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        if self.lines.len() < MOST_FAULTS {
            self.lines.push(FaultLine { place: fault.place, what: fault.what, remedy: fault.remedy });
        } else {
            self.more += 1;
        }
    }

    pub(super) fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        for fault in faults {
            self.push(fault);
        }
    }

    pub(super) fn notice(&mut self, notice: String) {
        if self.notices.len() < MOST_NOTICES {
            self.notices.push(notice);
        }
    }

    /// The faults in the order of the manifest's lines, and the notices.
    pub(super) fn into_parts(mut self, name: &str) -> (Vec<FaultLine>, Vec<String>) {
        self.lines.sort_by_key(|fault| line_of(&fault.place, name));
        if self.more > 0 {
            self.lines.push(FaultLine {
                place: name.to_owned(),
                what: format!("there are {} faults more", self.more),
                remedy: "Mend the ones above first.".into(),
            });
        }
        (self.lines, self.notices)
    }
}
