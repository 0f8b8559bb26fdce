//! Participants: what archivists and stewards may know of one, and what archivists of the site alone may know.

use serde::{Deserialize, Serialize};

use crate::base::id::Token;

/// Sealed under the participant's meta key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParticipantMeta {
    /// What the ledger calls them.
    pub token: Token,
    /// How many consent events there are; the next gets this number and one more.
    pub consents: u32,
}

/// Sealed under the participant's content key.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParticipantContent {
    /// Names as given, the full one first.
    pub names: Vec<String>,
    /// Other names, nicknames, former names.
    pub also_known_as: Vec<String>,
    /// Addresses, numbers, handles.
    pub contacts: Vec<String>,
    /// `woman`, `man` or `other`.
    pub gender: Option<String>,
    /// Year of birth.
    pub birth_year: Option<i32>,
    /// In the study's words.
    pub education: Option<String>,
    /// In the study's words.
    pub occupation: Option<String>,
}
