//! Turns: what a transcript becomes when it is read.

use serde::{Deserialize, Serialize};

use super::encoding::Taken;
use super::hidden;

/// One stretch of speech by one voice.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// The label of the speaker as the manifest writes it; none if the transcript does not say who speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where it begins in the recording, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<u64>,
    /// Where it ends in the recording, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<u64>,
    /// The words. Line ends are `\n`; no other control characters but tabs; Unicode as it came, not normalised.
    pub text: String,
}

/// Something at the beginning of a line that looks like a speaker's label but is none of the known ones.
///
/// Its line is kept in an unattributed turn of its own, which counts as everybody's.
#[derive(Clone, PartialEq, Eq)]
pub struct UnknownLabel {
    /// The line (of a text or subtitle file) or the paragraph (of a document), counted from 1.
    pub line: u64,
    /// The label as it stands there. Personal data: not for messages.
    pub label: String,
}

/// A transcript, read.
#[derive(Clone, PartialEq, Eq)]
pub struct TranscriptText {
    /// The turns in the order of the file; none is empty.
    pub turns: Vec<Turn>,
    /// What was left out or taken for something, in words that repeat nothing of the file.
    pub notices: Vec<String>,
    /// How the bytes were taken; none for `.docx` and `.odt`, which say it themselves.
    pub encoding: Option<Taken>,
    /// Labels that the manifest does not know, by line. A caller should refuse the transcript if there are any.
    pub unknown_labels: Vec<UnknownLabel>,
}

hidden!(Turn, UnknownLabel, TranscriptText);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_serialise_and_stay_silent() {
        let turn = Turn { label: Some("R".into()), start_ms: Some(1500), end_ms: None, text: "Гюмри".into() };
        let json = serde_json::to_string(&turn).unwrap();
        assert_eq!(json, r#"{"label":"R","start_ms":1500,"text":"Гюмри"}"#);
        assert!(serde_json::from_str::<Turn>(&json).unwrap() == turn);
        assert!(serde_json::from_str::<Turn>(r#"{"text":"a","who":"b"}"#).is_err());
        assert_eq!(format!("{turn:?}"), "Turn(…)");
    }
}
