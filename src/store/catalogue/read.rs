//! Reading the catalogue's rows.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::kinds::{RecordKind, TagKind};
use super::rows::{
    ConsentRow, InterviewHead, InterviewRow, ObjectRow, OutlineRow, ParticipantRow, RecordRow, TranscriptRow,
};
use super::{Cell, Place, Tag, blob, sql};
use crate::base::id::{ConsentEventId, InterviewId, ObjectId, ParticipantId, SiteId, SlotId, TranscriptId, VaultId};
use crate::base::{Error, Result, canonical};

/// In `meta`: how many entries the ledger has once the outbox is empty.
pub(super) const ENTRIES: &str = "entries";

/// Reads rows.
#[derive(Clone, Copy)]
pub struct Reader<'c> {
    pub(super) db: &'c Connection,
    pub(super) vault: VaultId,
}

impl<'c> Reader<'c> {
    /// A small value by name.
    pub fn meta(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let mut query = self.db.prepare_cached("SELECT value FROM meta WHERE name = ?1").map_err(sql)?;
        query.query_row([name], |r| r.get(0)).optional().map_err(sql)
    }

    /// Every small value, by name.
    pub fn metas(&self) -> Result<Vec<(String, Vec<u8>)>> {
        self.all("SELECT name, value FROM meta ORDER BY name", |row| Ok((row.get(0).map_err(sql)?, blob(row, 1)?)))
    }

    /// How many entries this database has posted to the ledger since the vault was founded.
    pub fn entries(&self) -> Result<u64> {
        let bytes = self.meta(ENTRIES)?;
        Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes))
    }

    /// Every governance record as it stands, its body unread.
    pub fn record_rows(&self) -> Result<Vec<RecordRow>> {
        self.all("SELECT kind, id, parent, seq, body FROM record ORDER BY kind, seq, id", |row| {
            let get = |at| row.get(at).map_err(sql);
            Ok(RecordRow {
                kind: get(0)?,
                id: row.get(1).map_err(sql)?,
                parent: row.get(2).map_err(sql)?,
                seq: row.get(3).map_err(sql)?,
                body: get(4)?,
            })
        })
    }

    /// One governance record.
    pub fn record<T: DeserializeOwned + Serialize>(&self, kind: RecordKind, id: &[u8; 16]) -> Result<Option<T>> {
        let mut query = self.db.prepare_cached("SELECT body FROM record WHERE kind = ?1 AND id = ?2").map_err(sql)?;
        let text: Option<String> = query.query_row(params![kind.name(), id], |r| r.get(0)).optional().map_err(sql)?;
        text.map(|t| read(&t)).transpose()
    }

    /// All governance records of a kind, oldest change first.
    pub fn records<T: DeserializeOwned + Serialize>(&self, kind: RecordKind) -> Result<Vec<T>> {
        let mut query =
            self.db.prepare_cached("SELECT body FROM record WHERE kind = ?1 ORDER BY seq, id").map_err(sql)?;
        let rows = query.query_map([kind.name()], |r| r.get::<_, String>(0)).map_err(sql)?;
        rows.map(|t| read(&t.map_err(sql)?)).collect()
    }

    /// The governance records of a kind that belong to `parent`: the decisions and releases of a request.
    pub fn records_of<T: DeserializeOwned + Serialize>(&self, kind: RecordKind, parent: &[u8; 16]) -> Result<Vec<T>> {
        let text = "SELECT body FROM record WHERE kind = ?1 AND parent = ?2 ORDER BY seq, id";
        let mut query = self.db.prepare_cached(text).map_err(sql)?;
        let rows = query.query_map(params![kind.name(), parent], |r| r.get::<_, String>(0)).map_err(sql)?;
        rows.map(|t| read(&t.map_err(sql)?)).collect()
    }

    /// The greatest `parent` of the governance records of a kind: the last number of a request.
    pub fn last_parent(&self, kind: RecordKind) -> Result<Option<[u8; 16]>> {
        let text = "SELECT max(parent) FROM record WHERE kind = ?1 AND parent IS NOT NULL";
        let mut query = self.db.prepare_cached(text).map_err(sql)?;
        query.query_row([kind.name()], |r| r.get(0)).map_err(sql)
    }

    /// One participant.
    pub fn participant(&self, id: ParticipantId) -> Result<Option<ParticipantRow>> {
        let text = "SELECT id, site, meta_slot, content_slot, meta, content FROM participant WHERE id = ?1";
        self.one(text, id.as_bytes(), |row| self.to_participant(row))
    }

    /// All participants, in the order of their random ids.
    pub fn participants(&self) -> Result<Vec<ParticipantRow>> {
        let text = "SELECT id, site, meta_slot, content_slot, meta, content FROM participant ORDER BY id";
        self.all(text, |row| self.to_participant(row))
    }

    /// One interview.
    pub fn interview(&self, id: InterviewId) -> Result<Option<InterviewRow>> {
        let text = "SELECT id, site, slot, content_slot, body, content FROM interview WHERE id = ?1";
        self.one(text, id.as_bytes(), |row| self.to_interview(row))
    }

    /// All interviews, in the order of their random ids.
    pub fn interviews(&self) -> Result<Vec<InterviewRow>> {
        self.all("SELECT id, site, slot, content_slot, body, content FROM interview ORDER BY id", |row| {
            self.to_interview(row)
        })
    }

    /// All interviews without their content, in the order of their random ids and by `most` at a time, so that some can be opened while others are read.
    pub fn interview_heads(&self, most: usize, mut take: impl FnMut(Vec<InterviewHead>)) -> Result<()> {
        let text = "SELECT id, site, slot, body FROM interview ORDER BY id";
        let mut query = self.db.prepare_cached(text).map_err(sql)?;
        let mut rows = query.query([]).map_err(sql)?;
        let mut heads = Vec::with_capacity(most);
        while let Some(row) = rows.next().map_err(sql)? {
            let id = InterviewId::from_slice(&blob(row, 0)?)?;
            heads.push(InterviewHead {
                id,
                site: SiteId::from_slice(&blob(row, 1)?)?,
                slot: SlotId::from_slice(&blob(row, 2)?)?,
                body: self.cell("interview", id.as_bytes(), "body", blob(row, 3)?),
            });
            if heads.len() >= most {
                take(std::mem::replace(&mut heads, Vec::with_capacity(most)));
            }
        }
        take(heads);
        Ok(())
    }

    /// The site of every interview.
    pub fn interview_sites(&self) -> Result<Vec<(InterviewId, SiteId)>> {
        self.all("SELECT id, site FROM interview ORDER BY id", |row| {
            Ok((InterviewId::from_slice(&blob(row, 0)?)?, SiteId::from_slice(&blob(row, 1)?)?))
        })
    }

    /// How many interviews there are.
    pub fn interview_count(&self) -> Result<u64> {
        let count: i64 = self.db.query_row("SELECT count(*) FROM interview", [], |r| r.get(0)).map_err(sql)?;
        Ok(count.unsigned_abs())
    }

    /// The participants heard in an interview.
    pub fn voices(&self, interview: InterviewId) -> Result<Vec<ParticipantId>> {
        let text = "SELECT participant FROM voice WHERE interview = ?1 ORDER BY participant";
        self.some(text, interview.as_bytes(), |row| ParticipantId::from_slice(&blob(row, 0)?))
    }

    /// The interviews that a participant is heard in.
    pub fn heard_in(&self, participant: ParticipantId) -> Result<Vec<InterviewId>> {
        let text = "SELECT interview FROM voice WHERE participant = ?1 ORDER BY interview";
        self.some(text, participant.as_bytes(), |row| InterviewId::from_slice(&blob(row, 0)?))
    }

    /// The objects of an interview.
    pub fn objects(&self, interview: InterviewId) -> Result<Vec<ObjectRow>> {
        let text = "SELECT id, interview, slot, body FROM object WHERE interview = ?1 ORDER BY id";
        self.some(text, interview.as_bytes(), |row| self.to_object(row))
    }

    /// Every object of the vault.
    pub fn all_objects(&self) -> Result<Vec<ObjectRow>> {
        self.all("SELECT id, interview, slot, body FROM object ORDER BY id", |row| self.to_object(row))
    }

    /// The transcript versions of an interview, oldest first.
    pub fn transcripts(&self, interview: InterviewId) -> Result<Vec<TranscriptRow>> {
        let text = "SELECT id, interview, version, slot, outline, turns, marks FROM transcript WHERE interview = ?1 ORDER BY version";
        self.some(text, interview.as_bytes(), |row| self.to_transcript(row))
    }

    /// One transcript version.
    pub fn transcript(&self, id: TranscriptId) -> Result<Option<TranscriptRow>> {
        let text = "SELECT id, interview, version, slot, outline, turns, marks FROM transcript WHERE id = ?1";
        self.one(text, id.as_bytes(), |row| self.to_transcript(row))
    }

    /// The transcript versions of an interview without words and marks, oldest first.
    pub fn outlines(&self, interview: InterviewId) -> Result<Vec<OutlineRow>> {
        let text = "SELECT id, version, outline FROM transcript WHERE interview = ?1 ORDER BY version";
        self.some(text, interview.as_bytes(), |row| {
            let id = TranscriptId::from_slice(&blob(row, 0)?)?;
            Ok(OutlineRow {
                id,
                version: row.get(1).map_err(sql)?,
                outline: self.cell("transcript", id.as_bytes(), "outline", blob(row, 2)?),
            })
        })
    }

    /// The interviews that have a transcript.
    pub fn transcribed(&self) -> Result<BTreeSet<InterviewId>> {
        let all =
            self.all("SELECT DISTINCT interview FROM transcript", |row| InterviewId::from_slice(&blob(row, 0)?))?;
        Ok(all.into_iter().collect())
    }

    /// A participant's consent events, oldest first.
    pub fn consents(&self, participant: ParticipantId) -> Result<Vec<ConsentRow>> {
        let text = "SELECT id, participant, number, body FROM consent WHERE participant = ?1 ORDER BY number";
        self.some(text, participant.as_bytes(), |row| {
            let id = ConsentEventId::from_slice(&blob(row, 0)?)?;
            Ok(ConsentRow {
                id,
                participant: ParticipantId::from_slice(&blob(row, 1)?)?,
                number: row.get(2).map_err(sql)?,
                body: self.cell("consent", id.as_bytes(), "body", blob(row, 3)?),
            })
        })
    }

    /// What a blind tag points to.
    pub fn tagged(&self, kind: TagKind, tag: &[u8; 16]) -> Result<Option<[u8; 16]>> {
        let mut query = self.db.prepare_cached("SELECT target FROM tag WHERE kind = ?1 AND tag = ?2").map_err(sql)?;
        query.query_row(params![kind.number(), tag], |r| r.get(0)).optional().map_err(sql)
    }

    /// Every blind tag.
    pub fn tags(&self) -> Result<Vec<Tag>> {
        self.all("SELECT kind, tag, target FROM tag ORDER BY kind, tag", |row| {
            Ok((row.get(0).map_err(sql)?, row.get(1).map_err(sql)?, row.get(2).map_err(sql)?))
        })
    }

    /// How many rows belong to another row that is not there.
    pub fn orphans(&self) -> Result<u64> {
        Ok(self.all("PRAGMA foreign_key_check", |_| Ok(()))?.len() as u64)
    }

    /// Entries that may not have reached the ledger yet, in order.
    pub fn outbox(&self) -> Result<Vec<(u64, Vec<u8>)>> {
        self.all("SELECT seq, leaf FROM outbox ORDER BY seq", |row| {
            let seq: i64 = row.get(0).map_err(sql)?;
            Ok((seq.unsigned_abs(), blob(row, 1)?))
        })
    }

    fn cell(&self, table: &'static str, id: &[u8; 16], column: &'static str, sealed: Vec<u8>) -> Cell {
        Cell { vault: self.vault, place: Place { table, id: *id, column }, sealed }
    }

    fn to_participant(self, row: &Row<'_>) -> Result<ParticipantRow> {
        let id = ParticipantId::from_slice(&blob(row, 0)?)?;
        Ok(ParticipantRow {
            id,
            site: SiteId::from_slice(&blob(row, 1)?)?,
            meta_slot: SlotId::from_slice(&blob(row, 2)?)?,
            content_slot: SlotId::from_slice(&blob(row, 3)?)?,
            meta: self.cell("participant", id.as_bytes(), "meta", blob(row, 4)?),
            content: self.cell("participant", id.as_bytes(), "content", blob(row, 5)?),
        })
    }

    fn to_interview(self, row: &Row<'_>) -> Result<InterviewRow> {
        let id = InterviewId::from_slice(&blob(row, 0)?)?;
        Ok(InterviewRow {
            id,
            site: SiteId::from_slice(&blob(row, 1)?)?,
            slot: SlotId::from_slice(&blob(row, 2)?)?,
            content_slot: SlotId::from_slice(&blob(row, 3)?)?,
            body: self.cell("interview", id.as_bytes(), "body", blob(row, 4)?),
            content: self.cell("interview", id.as_bytes(), "content", blob(row, 5)?),
        })
    }

    fn to_object(self, row: &Row<'_>) -> Result<ObjectRow> {
        let id = ObjectId::from_slice(&blob(row, 0)?)?;
        Ok(ObjectRow {
            id,
            interview: InterviewId::from_slice(&blob(row, 1)?)?,
            slot: SlotId::from_slice(&blob(row, 2)?)?,
            body: self.cell("object", id.as_bytes(), "body", blob(row, 3)?),
        })
    }

    fn to_transcript(self, row: &Row<'_>) -> Result<TranscriptRow> {
        let id = TranscriptId::from_slice(&blob(row, 0)?)?;
        Ok(TranscriptRow {
            id,
            interview: InterviewId::from_slice(&blob(row, 1)?)?,
            version: row.get(2).map_err(sql)?,
            slot: SlotId::from_slice(&blob(row, 3)?)?,
            outline: self.cell("transcript", id.as_bytes(), "outline", blob(row, 4)?),
            turns: self.cell("transcript", id.as_bytes(), "turns", blob(row, 5)?),
            marks: self.cell("transcript", id.as_bytes(), "marks", blob(row, 6)?),
        })
    }

    fn one<T>(&self, text: &str, id: &[u8; 16], make: impl Fn(&Row<'_>) -> Result<T>) -> Result<Option<T>> {
        Ok(self.some(text, id, make)?.pop())
    }

    fn some<T>(&self, text: &str, id: &[u8; 16], make: impl Fn(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        let mut query = self.db.prepare_cached(text).map_err(sql)?;
        let mut rows = query.query([id]).map_err(sql)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(sql)? {
            out.push(make(row)?);
        }
        Ok(out)
    }

    fn all<T>(&self, text: &str, make: impl Fn(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        let mut query = self.db.prepare_cached(text).map_err(sql)?;
        let mut rows = query.query([]).map_err(sql)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(sql)? {
            out.push(make(row)?);
        }
        Ok(out)
    }
}

/// A governance record.
fn read<T: DeserializeOwned + Serialize>(text: &str) -> Result<T> {
    canonical::from_slice(text.as_bytes()).map_err(|_| {
        Error::damage(
            "a governance record in the catalogue is damaged or of an unknown form",
            "`subrosa check` says which. Restore catalogue.db from a backup.",
        )
    })
}
