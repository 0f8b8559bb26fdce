//! The rows of the catalogue about participants and items: random ids in clear, all else sealed.

use serde::Serialize;

use super::{Cell, Place};
use crate::base::Result;
use crate::base::id::{ConsentEventId, InterviewId, ObjectId, ParticipantId, SiteId, SlotId, TranscriptId, VaultId};
use crate::base::secret::Key;

/// A governance record's row.
pub struct RecordRow {
    /// The word for its kind.
    pub kind: String,
    /// Id.
    pub id: [u8; 16],
    /// What it belongs to.
    pub parent: Option<[u8; 16]>,
    /// The number of the entry that last changed it.
    pub seq: i64,
    /// Canonical JSON.
    pub body: String,
}

/// A participant's row.
pub struct ParticipantRow {
    /// Id.
    pub id: ParticipantId,
    /// The site whose archivists hold the content key.
    pub site: SiteId,
    /// The slot of the meta key.
    pub meta_slot: SlotId,
    /// The slot of the content key.
    pub content_slot: SlotId,
    /// Sealed under the meta key.
    pub meta: Cell,
    /// Sealed under the content key.
    pub content: Cell,
}

/// An interview's row.
pub struct InterviewRow {
    /// Id.
    pub id: InterviewId,
    /// Site.
    pub site: SiteId,
    /// The slot of its key, class meta.
    pub slot: SlotId,
    /// The slot of its content key, class content.
    pub content_slot: SlotId,
    /// Sealed under the first.
    pub body: Cell,
    /// Sealed under the second: notes, file names, free metadata.
    pub content: Cell,
}

/// An interview's row without its content: what a list reads of each.
pub struct InterviewHead {
    /// Id.
    pub id: InterviewId,
    /// Site.
    pub site: SiteId,
    /// The slot of its key, class meta.
    pub slot: SlotId,
    /// Sealed under it.
    pub body: Cell,
}

/// An object's row.
pub struct ObjectRow {
    /// Id.
    pub id: ObjectId,
    /// The interview that it belongs to.
    pub interview: InterviewId,
    /// The slot of its key, class content.
    pub slot: SlotId,
    /// Sealed under the interview's key: what it is, without its name.
    pub body: Cell,
}

/// A transcript version's row.
pub struct TranscriptRow {
    /// Id.
    pub id: TranscriptId,
    /// The interview that it belongs to.
    pub interview: InterviewId,
    /// Counted from 1 within the interview.
    pub version: u32,
    /// The slot of its key, class content.
    pub slot: SlotId,
    /// Sealed under the interview's key, packed: labels, times, states; no words.
    pub outline: Cell,
    /// Sealed under its own key, packed.
    pub turns: Cell,
    /// Sealed under its own key.
    pub marks: Cell,
}

/// What is sealed of a transcript version, and under which keys.
pub struct TranscriptParts<'a, O, T, M> {
    /// The interview's key, for the outline.
    pub interview_key: &'a Key,
    /// Labels, times, states; no words.
    pub outline: &'a O,
    /// Its own key, for words and marks.
    pub key: &'a Key,
    /// Words.
    pub turns: &'a T,
    /// Marks.
    pub marks: &'a M,
}

impl TranscriptRow {
    /// Seals a new version. Needs no database, so that many can be sealed on all cores.
    pub fn seal<O: Serialize, T: Serialize, M: Serialize>(
        vault: VaultId,
        id: TranscriptId,
        interview: InterviewId,
        version: u32,
        slot: SlotId,
        parts: &TranscriptParts<'_, O, T, M>,
    ) -> Result<Self> {
        let place = |column| Place { table: "transcript", id: *id.as_bytes(), column };
        Ok(Self {
            id,
            interview,
            version,
            slot,
            outline: Cell::seal(vault, place("outline"), parts.interview_key, parts.outline)?,
            turns: Cell::seal(vault, place("turns"), parts.key, parts.turns)?,
            marks: Cell::seal(vault, place("marks"), parts.key, parts.marks)?,
        })
    }
}

/// A transcript version's row without words and marks: what deciding reads of each.
pub struct OutlineRow {
    /// Id.
    pub id: TranscriptId,
    /// Counted from 1 within the interview.
    pub version: u32,
    /// Sealed under the interview's key: labels, times, states; no words.
    pub outline: Cell,
}

/// A consent event's row.
pub struct ConsentRow {
    /// Id.
    pub id: ConsentEventId,
    /// Whose.
    pub participant: ParticipantId,
    /// Counted from 1 within the participant.
    pub number: u32,
    /// Sealed under the participant's meta key.
    pub body: Cell,
}
