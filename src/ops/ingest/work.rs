//! What an ingest is going to write, worked out before anything is.

use std::collections::BTreeMap;

use crate::base::id::{ObjectId, ParticipantId, SiteId, TranscriptId};
use crate::base::time::Date;
use crate::domain::consent::ConsentEvent;
use crate::domain::interview::{Interview, ObjectKind, SpeakerRole};
use crate::domain::participant::ParticipantContent;
use crate::domain::transcript::TranscriptKind;
use crate::formats::manifest;
use crate::session::Loaded;
use crate::store::catalogue::InterviewRow;

/// Everything that is new.
#[derive(Default)]
pub(super) struct Work {
    /// Participants to be made.
    pub(super) people: Vec<NewPerson>,
    /// Participants of whom more is known now.
    pub(super) updates: BTreeMap<ParticipantId, ParticipantContent>,
    /// Interviews that are new or added to.
    pub(super) jobs: Vec<Job>,
    /// Interviews of the delivery that stay as they are.
    pub(super) unchanged: u64,
    /// Files that the vault has already.
    pub(super) known_files: u64,
}

/// A participant to be made.
pub(super) struct NewPerson {
    /// The site of the interview that names them first; its archivists hold their content key.
    pub(super) site: SiteId,
    pub(super) content: ParticipantContent,
}

/// A participant: one to be made, by place in [`Work::people`], or one of the vault's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Person {
    New(usize),
    Known(ParticipantId),
}

/// Something that is in the vault, or that this job makes, by its place there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ref<T> {
    New(usize),
    Known(T),
}

/// One interview that is new or added to.
pub(super) struct Job {
    pub(super) code: String,
    pub(super) site: SiteId,
    /// What the vault has of it.
    pub(super) known: Option<Loaded<InterviewRow, Interview>>,
    pub(super) date: Date,
    pub(super) place: String,
    pub(super) language: String,
    /// Speakers that it has not yet.
    pub(super) speakers: Vec<NewSpeaker>,
    pub(super) objects: Vec<NewObject>,
    /// Transcript versions, each after the one that it was made from.
    pub(super) transcripts: Vec<NewTranscript>,
    pub(super) consents: Vec<NewConsent>,
    pub(super) extra: Extra,
    /// The labels to read its transcripts with.
    pub(super) labels: Vec<String>,
}

/// Free words about an interview that the vault has not yet.
#[derive(Default)]
pub(super) struct Extra {
    pub(super) place: bool,
    pub(super) notes: Vec<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) others: BTreeMap<String, ParticipantContent>,
}

pub(super) struct NewSpeaker {
    pub(super) label: String,
    pub(super) role: SpeakerRole,
    pub(super) person: Option<Person>,
}

pub(super) struct NewObject {
    /// The file's key in the delivery.
    pub(super) file: String,
    pub(super) kind: ObjectKind,
    pub(super) form: String,
    pub(super) duration_ms: Option<u64>,
}

pub(super) struct NewTranscript {
    /// The file's key in the delivery.
    pub(super) file: String,
    pub(super) kind: TranscriptKind,
    pub(super) language: String,
    pub(super) maker: Option<String>,
    pub(super) parent: Option<Ref<TranscriptId>>,
    pub(super) version: u32,
}

pub(super) struct NewConsent {
    pub(super) person: Person,
    pub(super) label: String,
    /// When they agreed.
    pub(super) day: Date,
    /// Lacks its ids, its times and its evidence.
    pub(super) event: ConsentEvent,
    pub(super) evidence: Option<NewEvidence>,
}

pub(super) struct NewEvidence {
    pub(super) object: Ref<ObjectId>,
    /// From, to, if it is heard.
    pub(super) time: Option<(u64, u64)>,
}

impl Job {
    /// Whether there is anything to write.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_some()
            && self.speakers.is_empty()
            && self.objects.is_empty()
            && self.transcripts.is_empty()
            && self.consents.is_empty()
            && self.extra.is_empty()
    }
}

impl Extra {
    pub(super) fn is_empty(&self) -> bool {
        !self.place && self.notes.is_empty() && self.metadata.is_empty() && self.others.is_empty()
    }
}

/// The domain's word for a role of the manifest.
pub(super) fn role(role: manifest::SpeakerRole) -> SpeakerRole {
    match role {
        manifest::SpeakerRole::Participant => SpeakerRole::Participant,
        manifest::SpeakerRole::Interviewer => SpeakerRole::Interviewer,
        manifest::SpeakerRole::Interpreter => SpeakerRole::Interpreter,
        manifest::SpeakerRole::Bystander => SpeakerRole::Bystander,
    }
}

/// The domain's word for a kind of transcript.
pub(super) fn kind(kind: manifest::TranscriptKind) -> TranscriptKind {
    match kind {
        manifest::TranscriptKind::Raw => TranscriptKind::Raw,
        manifest::TranscriptKind::Verbatim => TranscriptKind::Verbatim,
        manifest::TranscriptKind::Corrected => TranscriptKind::Corrected,
        manifest::TranscriptKind::Translation => TranscriptKind::Translation,
    }
}

/// The word for a kind of transcript, as the ledger writes it.
pub(super) fn kind_word(kind: TranscriptKind) -> &'static str {
    match kind {
        TranscriptKind::Raw => "raw",
        TranscriptKind::Verbatim => "verbatim",
        TranscriptKind::Corrected => "corrected",
        TranscriptKind::Translation => "translation",
    }
}
