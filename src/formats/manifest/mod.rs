//! The manifest of a delivery: `manifest.csv` or `manifest.xlsx` in the long form of docs/format.md, section 7.

mod cells;
mod columns;
mod draft;
mod finish;
mod read;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{DeliveryPath, Table, fault::Fault, hidden};
use crate::base::time::Date;

/// A manifest, read: every interview once, with all that its rows say.
#[derive(Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The interviews, in the order in which their codes first appear.
    pub interviews: Vec<InterviewEntry>,
    /// What was taken for something, in words that repeat no value.
    pub notices: Vec<String>,
}

/// What the rows of one code say.
#[derive(Clone, PartialEq, Eq)]
pub struct InterviewEntry {
    /// The code as its first row writes it, trimmed.
    pub code_raw: String,
    /// Other ways in which later rows write the same code, with their lines.
    pub code_variants: Vec<(u64, String)>,
    /// The lines of the manifest that speak of it, ascending.
    pub lines: Vec<u64>,
    /// When it was held.
    pub date: Option<Date>,
    /// Where it was held.
    pub place: Option<String>,
    /// Its language, a BCP 47 tag in its usual case.
    pub language: Option<String>,
    /// Who speaks, by label; labels differ.
    pub speakers: Vec<SpeakerEntry>,
    /// Recordings.
    pub recordings: Vec<RecordingEntry>,
    /// Transcripts.
    pub transcripts: Vec<TranscriptEntry>,
    /// Other documents.
    pub documents: Vec<DocumentEntry>,
    /// Free text; several rows' notes are joined by line ends.
    pub notes: Option<String>,
    /// `meta:NAME` columns, by NAME.
    pub meta: BTreeMap<String, String>,
}

/// One voice of an interview.
#[derive(Clone, PartialEq, Eq)]
pub struct SpeakerEntry {
    /// The first line that names it.
    pub line: u64,
    /// The label in the transcripts.
    pub label: String,
    /// What they are in the conversation.
    pub role: SpeakerRole,
    /// The same person heard before.
    pub same_as: Option<ParticipantRef>,
    /// The name.
    pub name: Option<String>,
    /// Other names and forms of the name.
    pub also_known_as: Vec<String>,
    /// E-mail, phone, handles.
    pub contacts: Vec<String>,
    /// Gender, if given.
    pub gender: Option<Gender>,
    /// Year of birth, 1850 to 2100; whether it is in the past is the caller's to check.
    pub birth_year: Option<i32>,
    /// Education, in the study's words.
    pub education: Option<String>,
    /// Occupation, in the study's words.
    pub occupation: Option<String>,
    /// What they agreed to, if the manifest says anything about it. Participants only.
    pub consent: Option<ConsentEntry>,
}

/// What a voice is in the conversation, as manifests and stored rows write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeakerRole {
    /// A person who speaks about themselves and whose consent counts.
    Participant,
    /// Who asks.
    Interviewer,
    /// Who translates.
    Interpreter,
    /// Anybody else who is heard.
    Bystander,
}

/// Gender as the manifest can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gender {
    /// `woman`
    Woman,
    /// `man`
    Man,
    /// `other`
    Other,
}

/// `CODE:LABEL`: a participant of another interview.
#[derive(Clone, PartialEq, Eq)]
pub struct ParticipantRef {
    /// The code as written.
    pub code_raw: String,
    /// The label there.
    pub label: String,
}

/// Consent as a row records it.
#[derive(Clone, PartialEq, Eq)]
pub struct ConsentEntry {
    /// The first line that speaks of it.
    pub line: u64,
    /// The form version of the study.
    pub form: String,
    /// The day; if not given, that of the interview.
    pub date: Option<Date>,
    /// Exceptions, `(word, value)` in small letters, words differing; what they mean is the caller's to check.
    pub exceptions: Vec<(String, String)>,
    /// A condition in free words.
    pub condition: Option<String>,
    /// Where the agreement can be heard or seen.
    pub evidence: Option<EvidenceEntry>,
}

/// Where an agreement can be heard or seen.
#[derive(Clone, PartialEq, Eq)]
pub struct EvidenceEntry {
    /// A recording or a scan.
    pub file: DeliveryPath,
    /// From, in milliseconds of the recording.
    pub from_ms: Option<u64>,
    /// To, in milliseconds of the recording; after `from_ms`.
    pub to_ms: Option<u64>,
}

/// A recording.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordingEntry {
    /// The line that names it.
    pub line: u64,
    /// The file.
    pub file: DeliveryPath,
}

/// A transcript.
#[derive(Clone, PartialEq, Eq)]
pub struct TranscriptEntry {
    /// The line that names it.
    pub line: u64,
    /// The file.
    pub file: DeliveryPath,
    /// What it is; `raw` where the manifest does not say.
    pub kind: TranscriptKind,
    /// Its language, a BCP 47 tag; if not given, that of the interview. A translation has it.
    pub language: Option<String>,
    /// Who or what made it, in words.
    pub maker: Option<String>,
    /// What it was made from.
    pub made_from: Option<TranscriptParent>,
}

/// What a transcript is, as manifests and stored rows write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TranscriptKind {
    /// As a machine or a first hand left it.
    Raw,
    /// Word for word, checked by a person.
    Verbatim,
    /// A corrected version of another.
    Corrected,
    /// In another language.
    Translation,
}

/// What a transcript was made from.
#[derive(Clone, PartialEq, Eq)]
pub enum TranscriptParent {
    /// A transcript of the same delivery.
    File(DeliveryPath),
    /// A version of the interview that the vault has, counted from 1.
    Version(u32),
}

/// Something else that belongs to an interview.
#[derive(Clone, PartialEq, Eq)]
pub struct DocumentEntry {
    /// The line that names it.
    pub line: u64,
    /// The file.
    pub file: DeliveryPath,
    /// What it is; `other` where the manifest does not say.
    pub kind: DocumentKind,
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// Notes from the field.
    FieldNotes,
    /// A photo.
    Photo,
    /// The sheet that was handed out.
    InformationSheet,
    /// Anything else.
    Other,
}

hidden!(
    Manifest,
    InterviewEntry,
    SpeakerEntry,
    ParticipantRef,
    ConsentEntry,
    EvidenceEntry,
    RecordingEntry,
    TranscriptEntry
);
hidden!(TranscriptParent, DocumentEntry);

/// A word of a closed list, as a manifest writes it.
trait Word: Sized + Copy + PartialEq + 'static {
    /// The words, each with what it means.
    const WORDS: &'static [(&'static str, Self)];

    /// The word of a value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

macro_rules! words {
    ($($name:ident { $($word:literal => $value:ident),+ $(,)? })+) => {$(
        impl Word for $name {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$value)),+];
        }
        impl $name {
            /// The word for it in a manifest.
            pub fn as_str(self) -> &'static str {
                self.word()
            }
        }
    )+};
}
words! {
    SpeakerRole { "participant" => Participant, "interviewer" => Interviewer, "interpreter" => Interpreter, "bystander" => Bystander }
    Gender { "woman" => Woman, "man" => Man, "other" => Other }
    TranscriptKind { "raw" => Raw, "verbatim" => Verbatim, "corrected" => Corrected, "translation" => Translation }
    DocumentKind { "field_notes" => FieldNotes, "photo" => Photo, "information_sheet" => InformationSheet, "other" => Other }
}

impl Manifest {
    /// Reads a table as a manifest. `name` is the file's name for faults; `same` brings two ways of writing one code to the same
    /// text (the study's rule; what it makes of a code is used for nothing but grouping rows).
    ///
    /// All faults are returned together (of a flood of them the first five hundred): those of single cells in the order of the lines, then
    /// those that only show when all rows of a code are known.
    pub fn read(table: &Table, name: &str, same: &dyn Fn(&str) -> String) -> Result<Self, Vec<Fault>> {
        let (manifest, faults) = read::read(table, name, same);
        if faults.is_empty() { Ok(manifest) } else { Err(faults) }
    }

    /// As [`Self::read`], with what could be read in spite of faults, so that a caller can look for faults beyond the manifest's own.
    /// A value at fault counts as left out; nothing of such a manifest is to be taken in.
    pub fn read_with_faults(table: &Table, name: &str, same: &dyn Fn(&str) -> String) -> (Self, Vec<Fault>) {
        read::read(table, name, same)
    }
}
