//! Interviews and what belongs to them: speakers, objects, and the state that a list shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::participant::ParticipantContent;
use crate::base::id::{ObjectId, ParticipantId, Token};
use crate::base::time::{Date, Moment};

pub use crate::formats::manifest::SpeakerRole;

/// A speaker of an interview.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speaker {
    /// The label in the transcripts.
    pub label: String,
    /// What they are there.
    pub role: SpeakerRole,
    /// Which participant, if they are one.
    pub participant: Option<ParticipantId>,
}

/// Sealed under the interview's meta key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interview {
    /// The archive code, normalised.
    pub code: String,
    /// What the ledger calls it.
    pub token: Token,
    /// 32 random bytes, base64: citation codes derive from it.
    pub seed: String,
    /// When it was made.
    pub date: Date,
    /// Where.
    pub place: String,
    /// BCP 47.
    pub language: String,
    /// Who is heard.
    pub speakers: Vec<Speaker>,
    /// When it was taken in.
    pub ingested: Moment,
    /// What a list shows without opening anything else.
    pub state: State,
}

/// How far an interview has come.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Recordings kept.
    pub recordings: u32,
    /// Documents kept.
    pub documents: u32,
    /// Transcript versions kept.
    pub transcripts: u32,
    /// The newest version with a recorded review; 0 for none.
    pub reviewed: u32,
    /// Every participant has withdrawn altogether.
    pub withdrawn: bool,
}

/// What a list shows of an [`Interview`]: read out of the same row, and the rest of it passed over.
#[derive(Deserialize)]
pub struct Glance {
    /// The archive code, normalised.
    pub code: String,
    /// When it was made.
    pub date: Date,
    /// BCP 47.
    pub language: String,
    /// What a list shows without opening anything else.
    pub state: State,
    speakers: Vec<Heard>,
}

/// Which participant a speaker is, if they are one.
#[derive(Deserialize)]
struct Heard {
    participant: Option<ParticipantId>,
}

/// Sealed under the interview's content key.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterviewContent {
    /// Free notes.
    pub notes: Vec<String>,
    /// Anything else that the manifest said.
    pub metadata: BTreeMap<String, String>,
    /// The files' names as delivered.
    pub files: BTreeMap<ObjectId, String>,
    /// What conditions in free words were made, by label.
    pub conditions: BTreeMap<String, String>,
    /// The day on which each participant agreed, by label. It stands here and in no ledger entry: it is the day of the interview, mostly.
    #[serde(default)]
    pub agreed: BTreeMap<String, Date>,
    /// Who the speakers are that are no participants (interviewers, interpreters, bystanders), by label.
    #[serde(default)]
    pub others: BTreeMap<String, ParticipantContent>,
}

/// What an object is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// Sound or video.
    Recording,
    /// Field notes, photographs, information sheets, anything else: never released by default.
    Document,
    /// A scan of a signed consent.
    Evidence,
}

/// An object's facts, sealed under the interview's meta key. Says nothing of what is in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// What the ledger calls it.
    pub token: Token,
    /// What it is.
    pub kind: ObjectKind,
    /// Container or kind of document, in a word.
    pub form: String,
    /// True length in bytes; the rest of the plaintext is padding.
    pub length: u64,
    /// Base64 BLAKE3 of the age file.
    pub digest: String,
    /// How long a recording is, where its header tells.
    pub duration_ms: Option<u64>,
    /// When it was taken in.
    pub ingested: Moment,
}

impl State {
    /// In a word: `recorded`, `transcribed`, `reviewed`, `withdrawn` or `empty`.
    pub fn word(&self) -> &'static str {
        match self {
            Self { withdrawn: true, .. } => "withdrawn",
            Self { reviewed: 1.., .. } => "reviewed",
            Self { transcripts: 1.., .. } => "transcribed",
            Self { recordings: 1.., .. } => "recorded",
            _ => "empty",
        }
    }
}

impl Glance {
    /// How many participants are heard in it.
    pub fn participants(&self) -> usize {
        distinct(self.speakers.iter().map(|s| s.participant)).len()
    }
}

/// The participants among some speakers, each once.
fn distinct(speakers: impl Iterator<Item = Option<ParticipantId>>) -> Vec<ParticipantId> {
    let mut ids: Vec<_> = speakers.flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl Interview {
    /// The participants heard in it, each once.
    pub fn participants(&self) -> Vec<ParticipantId> {
        distinct(self.speakers.iter().map(|s| s.participant))
    }

    /// The speaker with a label.
    pub fn speaker(&self, label: &str) -> Option<&Speaker> {
        self.speakers.iter().find(|s| s.label == label)
    }
}
