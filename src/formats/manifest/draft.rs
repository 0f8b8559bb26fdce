//! What is known of an interview while its rows come in.

use std::collections::BTreeMap;

use super::{DocumentEntry, Gender, ParticipantRef, RecordingEntry, SpeakerRole, TranscriptKind, TranscriptParent};
use crate::base::time::Date;
use crate::formats::DeliveryPath;

/// A value and the line that gave it first.
pub(super) type Said<T> = Option<(u64, T)>;

/// What is known of an interview so far.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) code_raw: String,
    pub(super) code_variants: Vec<(u64, String)>,
    pub(super) lines: Vec<u64>,
    pub(super) date: Said<Date>,
    pub(super) place: Said<String>,
    pub(super) language: Said<String>,
    pub(super) speakers: Vec<Voice>,
    pub(super) recordings: Vec<RecordingEntry>,
    pub(super) transcripts: Vec<TranscriptDraft>,
    pub(super) documents: Vec<DocumentEntry>,
    pub(super) notes: Vec<String>,
    pub(super) meta: BTreeMap<String, (u64, String)>,
}

/// What is known of a transcript so far.
#[derive(Default)]
pub(super) struct TranscriptDraft {
    pub(super) line: u64,
    pub(super) file: Option<DeliveryPath>,
    pub(super) kind: Said<TranscriptKind>,
    pub(super) language: Said<String>,
    pub(super) maker: Said<String>,
    pub(super) parent: Said<TranscriptParent>,
}

/// What is known of a voice so far.
#[derive(Default)]
pub(super) struct Voice {
    pub(super) line: u64,
    pub(super) label: String,
    pub(super) role: Said<SpeakerRole>,
    pub(super) same_as: Said<ParticipantRef>,
    pub(super) name: Said<String>,
    pub(super) also_known_as: Vec<String>,
    pub(super) contacts: Vec<String>,
    pub(super) gender: Said<Gender>,
    pub(super) birth_year: Said<i32>,
    pub(super) education: Said<String>,
    pub(super) occupation: Said<String>,
    pub(super) form: Said<String>,
    pub(super) consent_date: Said<Date>,
    pub(super) exceptions: Said<Vec<(String, String)>>,
    pub(super) condition: Said<String>,
    pub(super) evidence: Said<DeliveryPath>,
    pub(super) from: Said<u64>,
    pub(super) to: Said<u64>,
}

/// The value alone.
pub(super) fn said<T>(slot: Said<T>) -> Option<T> {
    slot.map(|(_, value)| value)
}
