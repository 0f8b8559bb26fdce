//! Writing the catalogue's rows, inside one transaction.

use rusqlite::params;
use serde::Serialize;

use super::kinds::{RecordKind, TagKind};
use super::read::{ENTRIES, Reader};
use super::rows::{TranscriptParts, TranscriptRow};
use super::{Cell, Place, number, sql};
use crate::base::id::{ConsentEventId, InterviewId, ObjectId, ParticipantId, SiteId, SlotId, TranscriptId};
use crate::base::secret::Key;
use crate::base::{Error, Result, canonical};
use crate::store::db::{Kind, failed};

/// Reads and writes rows inside one transaction. Rolled back unless [`Writer::commit`] is called.
pub struct Writer<'c> {
    pub(super) reader: Reader<'c>,
    pub(super) done: bool,
}

impl<'c> std::ops::Deref for Writer<'c> {
    type Target = Reader<'c>;
    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}

impl Writer<'_> {
    /// Makes everything written durable.
    pub fn commit(mut self) -> Result<()> {
        self.db.execute_batch("COMMIT").map_err(sql)?;
        self.done = true;
        Ok(())
    }

    /// Sets a small value.
    pub fn set_meta(&self, name: &str, value: &[u8]) -> Result<()> {
        self.run("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2", params![name, value])
    }

    /// Removes a small value.
    pub fn unset_meta(&self, name: &str) -> Result<()> {
        self.run("DELETE FROM meta WHERE name = ?1", params![name])
    }

    /// Writes a governance record, last changed by entry `seq`.
    pub fn put_record<T: Serialize>(&self, kind: RecordKind, id: &[u8; 16], seq: u64, body: &T) -> Result<()> {
        self.put(kind, id, None, seq, body)
    }

    /// As [`Self::put_record`], for a record that is found by what it belongs to ([`Reader::records_of`]).
    pub fn put_record_of<T: Serialize>(
        &self,
        kind: RecordKind,
        id: &[u8; 16],
        parent: &[u8; 16],
        seq: u64,
        body: &T,
    ) -> Result<()> {
        self.put(kind, id, Some(parent), seq, body)
    }

    fn put<T: Serialize>(
        &self,
        kind: RecordKind,
        id: &[u8; 16],
        parent: Option<&[u8; 16]>,
        seq: u64,
        body: &T,
    ) -> Result<()> {
        let text = String::from_utf8(canonical::to_vec(body)?).map_err(|_| Error::bug("a record is not UTF-8"))?;
        self.run(
            "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET parent = coalesce(?3, parent), seq = ?4, body = ?5",
            params![kind.name(), id, parent, number(seq)?, text],
        )
    }

    /// Writes a new participant's row.
    #[expect(clippy::too_many_arguments, reason = "two sealed columns with their slots and keys")]
    pub fn add_participant<M: Serialize, C: Serialize>(
        &self,
        id: ParticipantId,
        site: SiteId,
        meta_slot: SlotId,
        meta_key: &Key,
        meta: &M,
        content_slot: SlotId,
        content_key: &Key,
        content: &C,
    ) -> Result<()> {
        let meta = self.sealed(meta_key, "participant", id.as_bytes(), "meta", meta)?;
        let content = self.sealed(content_key, "participant", id.as_bytes(), "content", content)?;
        self.run(
            "INSERT INTO participant VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![id.as_bytes(), site.as_bytes(), meta_slot.as_bytes(), content_slot.as_bytes(), meta, content],
        )
    }

    /// Replaces what is sealed under a participant's meta key.
    pub fn set_participant_meta<M: Serialize>(&self, id: ParticipantId, meta_key: &Key, meta: &M) -> Result<()> {
        let meta = self.sealed(meta_key, "participant", id.as_bytes(), "meta", meta)?;
        self.run("UPDATE participant SET meta = ?2 WHERE id = ?1", params![id.as_bytes(), meta])
    }

    /// Replaces who a participant is; `key` is the content key.
    pub fn set_participant_content<C: Serialize>(&self, id: ParticipantId, key: &Key, content: &C) -> Result<()> {
        let content = self.sealed(key, "participant", id.as_bytes(), "content", content)?;
        self.run("UPDATE participant SET content = ?2 WHERE id = ?1", params![id.as_bytes(), content])
    }

    /// Writes an interview's row: `body` under its meta key, `content` under its content key.
    #[expect(clippy::too_many_arguments, reason = "two sealed columns with their slots and keys")]
    pub fn add_interview<T: Serialize, C: Serialize>(
        &self,
        id: InterviewId,
        site: SiteId,
        slot: SlotId,
        key: &Key,
        body: &T,
        content_slot: SlotId,
        content_key: &Key,
        content: &C,
    ) -> Result<()> {
        let body = self.sealed(key, "interview", id.as_bytes(), "body", body)?;
        let content = self.sealed(content_key, "interview", id.as_bytes(), "content", content)?;
        self.run(
            "INSERT INTO interview VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![id.as_bytes(), site.as_bytes(), slot.as_bytes(), content_slot.as_bytes(), body, content],
        )
    }

    /// Replaces an interview's body.
    pub fn set_interview<T: Serialize>(&self, id: InterviewId, key: &Key, body: &T) -> Result<()> {
        let body = self.sealed(key, "interview", id.as_bytes(), "body", body)?;
        self.run("UPDATE interview SET body = ?2 WHERE id = ?1", params![id.as_bytes(), body])
    }

    /// Replaces an interview's content.
    pub fn set_interview_content<C: Serialize>(&self, id: InterviewId, key: &Key, content: &C) -> Result<()> {
        let content = self.sealed(key, "interview", id.as_bytes(), "content", content)?;
        self.run("UPDATE interview SET content = ?2 WHERE id = ?1", params![id.as_bytes(), content])
    }

    /// Records that a participant is heard in an interview.
    pub fn add_voice(&self, interview: InterviewId, participant: ParticipantId) -> Result<()> {
        self.run(
            "INSERT INTO voice VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![interview.as_bytes(), participant.as_bytes()],
        )
    }

    /// Writes an object's row; `key` is the interview's.
    pub fn put_object<T: Serialize>(
        &self,
        id: ObjectId,
        interview: InterviewId,
        slot: SlotId,
        key: &Key,
        body: &T,
    ) -> Result<()> {
        let body = self.sealed(key, "object", id.as_bytes(), "body", body)?;
        self.run(
            "INSERT INTO object VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET body = ?4",
            params![id.as_bytes(), interview.as_bytes(), slot.as_bytes(), body],
        )
    }

    /// Writes a new transcript version: `outline` under the interview's key, `turns` and `marks` under its own.
    #[expect(clippy::too_many_arguments, reason = "three sealed columns under two keys")]
    pub fn add_transcript<O: Serialize, T: Serialize, M: Serialize>(
        &self,
        id: TranscriptId,
        interview: InterviewId,
        version: u32,
        slot: SlotId,
        interview_key: &Key,
        outline: &O,
        key: &Key,
        turns: &T,
        marks: &M,
    ) -> Result<()> {
        let parts = TranscriptParts { interview_key, outline, key, turns, marks };
        self.add_sealed_transcript(&TranscriptRow::seal(self.vault, id, interview, version, slot, &parts)?)
    }

    /// As [`Self::add_transcript`], of a version that was sealed before.
    pub fn add_sealed_transcript(&self, row: &TranscriptRow) -> Result<()> {
        self.run(
            "INSERT INTO transcript VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                row.id.as_bytes(),
                row.interview.as_bytes(),
                row.version,
                row.slot.as_bytes(),
                row.outline.sealed,
                row.turns.sealed,
                row.marks.sealed
            ],
        )
    }

    /// Replaces a transcript version's outline.
    pub fn set_outline<O: Serialize>(&self, id: TranscriptId, interview_key: &Key, outline: &O) -> Result<()> {
        let outline = self.sealed(interview_key, "transcript", id.as_bytes(), "outline", outline)?;
        self.run("UPDATE transcript SET outline = ?2 WHERE id = ?1", params![id.as_bytes(), outline])
    }

    /// Replaces a transcript version's marks.
    pub fn set_marks<M: Serialize>(&self, id: TranscriptId, key: &Key, marks: &M) -> Result<()> {
        let marks = self.sealed(key, "transcript", id.as_bytes(), "marks", marks)?;
        self.run("UPDATE transcript SET marks = ?2 WHERE id = ?1", params![id.as_bytes(), marks])
    }

    /// Adds a consent event; `key` is the participant's meta key.
    pub fn add_consent<T: Serialize>(
        &self,
        id: ConsentEventId,
        participant: ParticipantId,
        number: u32,
        key: &Key,
        body: &T,
    ) -> Result<()> {
        let body = self.sealed(key, "consent", id.as_bytes(), "body", body)?;
        self.run(
            "INSERT INTO consent VALUES (?1, ?2, ?3, ?4)",
            params![id.as_bytes(), participant.as_bytes(), number, body],
        )
    }

    /// Points a blind tag at something.
    pub fn set_tag(&self, kind: TagKind, tag: &[u8; 16], target: &[u8; 16]) -> Result<()> {
        self.run("INSERT INTO tag VALUES (?1, ?2, ?3)", params![kind.number(), tag, target])
    }

    /// Puts an entry into the outbox, and remembers for good that it was.
    pub fn post(&self, seq: u64, leaf: &[u8]) -> Result<()> {
        self.set_meta(ENTRIES, &(seq + 1).to_be_bytes())?;
        self.run("INSERT INTO outbox VALUES (?1, ?2)", params![number(seq)?, leaf])
    }

    /// Takes entries up to and including `seq` out of the outbox.
    pub fn posted(&self, seq: u64) -> Result<()> {
        self.run("DELETE FROM outbox WHERE seq <= ?1", params![number(seq)?])
    }

    fn sealed<T: Serialize>(
        &self,
        key: &Key,
        table: &'static str,
        id: &[u8; 16],
        column: &'static str,
        body: &T,
    ) -> Result<Vec<u8>> {
        Ok(Cell::seal(self.vault, Place { table, id: *id, column }, key, body)?.sealed)
    }

    fn run(&self, text: &str, values: impl rusqlite::Params) -> Result<()> {
        let mut statement = self.db.prepare_cached(text).map_err(sql)?;
        statement.execute(values).map(drop).map_err(|e| failed(Kind::Catalogue, &e))
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if !self.done {
            // Nothing was committed; SQLite also rolls back by itself when the connection closes.
            let _ = self.reader.db.execute_batch("ROLLBACK");
        }
    }
}
