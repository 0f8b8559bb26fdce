//! Transcript versions: an outline without words for deciding, and the words.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::base::id::{PersonId, Token, TranscriptId};
use crate::base::time::Moment;

pub use crate::formats::manifest::TranscriptKind;

/// Sealed under the interview's meta key: what a decision needs, and no words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outline {
    /// What the ledger calls it.
    pub token: Token,
    /// What sort.
    pub kind: TranscriptKind,
    /// BCP 47.
    pub language: String,
    /// The version that it was made from.
    pub parent: Option<TranscriptId>,
    /// When it was taken in.
    pub ingested: Moment,
    /// Speaker and times of every turn.
    pub turns: Vec<TurnFacts>,
    /// Turns that a person has checked although a neighbour may not go.
    pub checked: BTreeSet<u32>,
    /// The recorded review, if it still stands.
    pub review: Option<Review>,
}

/// A turn without its words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnFacts {
    /// The speaker's label; none for a turn that nobody is named for.
    pub label: Option<String>,
    /// From, in milliseconds.
    pub start_ms: Option<u64>,
    /// To, in milliseconds.
    pub end_ms: Option<u64>,
}

/// That a person has read the whole version and its marks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Moment,
    /// The version of the redaction engine whose suggestions were decided.
    pub engine: String,
    /// Base64 SHA-256 over turns and marks as they were read: a later change voids the review.
    pub digest: String,
    /// What they stated, in their own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub statement: String,
}

/// Sealed under the version's own key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscriptContent {
    /// Who made it, in the manifest's words.
    pub maker: Option<String>,
    /// The file's name as delivered.
    pub file: String,
    /// The words of every turn, in the order of the outline's turns.
    pub texts: Vec<String>,
}
