//! The rows of the catalogue about participants and items: random ids in clear, all else sealed.

use super::Cell;
use crate::base::id::{ConsentEventId, InterviewId, ObjectId, ParticipantId, SiteId, SlotId, TranscriptId};

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
    /// Sealed under the interview's key: labels, times, states; no words.
    pub outline: Cell,
    /// Sealed under its own key.
    pub turns: Cell,
    /// Sealed under its own key.
    pub marks: Cell,
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
