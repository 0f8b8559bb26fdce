//! Transcript versions: an outline without words for deciding, and the words.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::id::{PersonId, Token, TranscriptId};
use crate::base::time::Moment;

use super::consent::ConsentEvent;

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
    /// Turns that a person has checked although a neighbour may not go, counted from 0. See [`Outline::standing_checks`].
    pub checked: BTreeMap<u32, Check>,
    /// The recorded review, if it still stands.
    pub review: Option<Review>,
}

impl Outline {
    /// The turns whose check still stands at `now`. A check tells nothing about what fell silent after it was made: it ends with every event
    /// of consent of a voice of the interview (`events`) that was recorded at its second or later, or came into force or expired since.
    pub fn standing_checks<'e>(
        &self,
        events: impl Iterator<Item = &'e ConsentEvent> + Clone,
        now: Moment,
    ) -> BTreeSet<u32> {
        let stands = |check: &&Check| !events.clone().any(|event| check.is_overtaken(event, now));
        self.checked.iter().filter(|(_, check)| stands(check)).map(|(turn, _)| *turn).collect()
    }
}

/// That a person has read a turn and found that it gives nothing away of what stands beside it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Moment,
    /// Why it may go, in their own words.
    pub reason: String,
}

impl Check {
    fn is_overtaken(&self, event: &ConsentEvent, now: Moment) -> bool {
        let in_force_since = self.at < event.from && event.from <= now;
        let expired_since = event.expiry.is_some_and(|day| self.at.date() <= day && day < now.date());
        event.recorded >= self.at || in_force_since || expired_since
    }
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
