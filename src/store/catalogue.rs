//! The catalogue: governance records, and sealed rows about participants and items.
//!
//! A [`Reader`] reads. A [`Writer`] also writes; only a transaction gives one out ([`Catalogue::begin`]), so that no row changes
//! outside a commit. Every byte about a participant or an item crosses [`Cell`]: there is no way to write one in clear.

mod rows;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

use super::db::{self, Kind, failed};
use crate::base::id::{ConsentEventId, InterviewId, ObjectId, ParticipantId, SiteId, SlotId, TranscriptId, VaultId};
use crate::base::secret::Key;
use crate::base::{Error, Result, canonical};
use crate::crypto::seal;

pub use rows::{ConsentRow, InterviewRow, ObjectRow, ParticipantRow, TranscriptRow};

/// The catalogue database, open.
pub struct Catalogue {
    db: Connection,
    vault: VaultId,
}

/// Reads rows.
#[derive(Clone, Copy)]
pub struct Reader<'c> {
    db: &'c Connection,
    vault: VaultId,
}

/// Reads and writes rows inside one transaction. Rolled back unless [`Writer::commit`] is called.
pub struct Writer<'c> {
    reader: Reader<'c>,
    done: bool,
}

/// A sealed column of one row: opens under its key only, and only as what it is.
pub struct Cell {
    vault: VaultId,
    place: String,
    sealed: Vec<u8>,
}

/// A kind of governance record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordKind {
    /// Somebody enrolled.
    Person,
    /// A version of the study definition.
    Study,
    /// A site.
    Site,
    /// A board's approval.
    Approval,
    /// A project.
    Project,
    /// A request.
    Request,
    /// A steward's decision.
    Decision,
    /// A release.
    Release,
    /// A hold.
    Hold,
    /// A version of the policies.
    Policy,
}

/// What a blind tag stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TagKind {
    /// An interview's archive code.
    Code,
    /// The content of a file taken in.
    File,
    /// An item's token in the ledger.
    Token,
}

impl Catalogue {
    /// Makes the database of a new vault.
    pub fn create(path: &Path, vault: VaultId, key: &Key) -> Result<Self> {
        Ok(Self { db: db::create(path, Kind::Catalogue, key)?, vault })
    }

    /// Opens it with the first of `keys` that fits; says which.
    pub fn open(path: &Path, vault: VaultId, keys: &[&Key]) -> Result<(Self, usize)> {
        let (db, which) = db::open(path, Kind::Catalogue, keys)?;
        Ok((Self { db, vault }, which))
    }

    /// Gives it a new key.
    pub fn rekey(&self, key: &Key) -> Result<()> {
        db::rekey(&self.db, Kind::Catalogue, key)
    }

    /// For reading.
    pub fn reader(&self) -> Reader<'_> {
        Reader { db: &self.db, vault: self.vault }
    }

    /// Begins the one write transaction.
    pub fn begin(&self) -> Result<Writer<'_>> {
        self.db.execute_batch("BEGIN IMMEDIATE").map_err(sql)?;
        Ok(Writer { reader: self.reader(), done: false })
    }

    /// Whether every page and index is sound (SQLCipher's and SQLite's own checks).
    pub fn is_sound(&self) -> Result<bool> {
        db::is_sound(&self.db, Kind::Catalogue)
    }
}

impl<'c> Reader<'c> {
    /// A small value by name.
    pub fn meta(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let mut query = self.db.prepare_cached("SELECT value FROM meta WHERE name = ?1").map_err(sql)?;
        query.query_row([name], |r| r.get(0)).optional().map_err(sql)
    }

    /// One governance record.
    pub fn record<T: DeserializeOwned + Serialize>(&self, kind: RecordKind, id: &[u8; 16]) -> Result<Option<T>> {
        let mut query = self.db.prepare_cached("SELECT body FROM record WHERE kind = ?1 AND id = ?2").map_err(sql)?;
        let text: Option<String> = query.query_row(params![kind.name(), id], |r| r.get(0)).optional().map_err(sql)?;
        text.map(|t| canonical::from_slice(t.as_bytes())).transpose()
    }

    /// All governance records of a kind, oldest change first.
    pub fn records<T: DeserializeOwned + Serialize>(&self, kind: RecordKind) -> Result<Vec<T>> {
        let mut query =
            self.db.prepare_cached("SELECT body FROM record WHERE kind = ?1 ORDER BY seq, id").map_err(sql)?;
        let rows = query.query_map([kind.name()], |r| r.get::<_, String>(0)).map_err(sql)?;
        rows.map(|t| canonical::from_slice(t.map_err(sql)?.as_bytes())).collect()
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

    /// A participant's consent events, oldest first.
    pub fn consents(&self, participant: ParticipantId) -> Result<Vec<ConsentRow>> {
        let text = "SELECT id, participant, number, body FROM consent WHERE participant = ?1 ORDER BY number";
        self.some(text, participant.as_bytes(), |row| {
            let id = blob(row, 0)?;
            Ok(ConsentRow {
                id: ConsentEventId::from_slice(&id)?,
                participant: ParticipantId::from_slice(&blob(row, 1)?)?,
                number: row.get(2).map_err(sql)?,
                body: self.cell("consent", &id, "body", blob(row, 3)?),
            })
        })
    }

    /// What a blind tag points to.
    pub fn tagged(&self, kind: TagKind, tag: &[u8; 16]) -> Result<Option<[u8; 16]>> {
        let mut query = self.db.prepare_cached("SELECT target FROM tag WHERE kind = ?1 AND tag = ?2").map_err(sql)?;
        query.query_row(params![kind.number(), tag], |r| r.get(0)).optional().map_err(sql)
    }

    /// Every blind tag: its kind's number, the tag, and what it points to.
    pub fn tags(&self) -> Result<Vec<(i64, [u8; 16], [u8; 16])>> {
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

    fn cell(&self, table: &str, id: &[u8], column: &str, sealed: Vec<u8>) -> Cell {
        Cell { vault: self.vault, place: place(table, id, column), sealed }
    }

    fn to_participant(self, row: &Row<'_>) -> Result<ParticipantRow> {
        let id = blob(row, 0)?;
        Ok(ParticipantRow {
            id: ParticipantId::from_slice(&id)?,
            site: SiteId::from_slice(&blob(row, 1)?)?,
            meta_slot: SlotId::from_slice(&blob(row, 2)?)?,
            content_slot: SlotId::from_slice(&blob(row, 3)?)?,
            meta: self.cell("participant", &id, "meta", blob(row, 4)?),
            content: self.cell("participant", &id, "content", blob(row, 5)?),
        })
    }

    fn to_interview(self, row: &Row<'_>) -> Result<InterviewRow> {
        let id = blob(row, 0)?;
        Ok(InterviewRow {
            id: InterviewId::from_slice(&id)?,
            site: SiteId::from_slice(&blob(row, 1)?)?,
            slot: SlotId::from_slice(&blob(row, 2)?)?,
            content_slot: SlotId::from_slice(&blob(row, 3)?)?,
            body: self.cell("interview", &id, "body", blob(row, 4)?),
            content: self.cell("interview", &id, "content", blob(row, 5)?),
        })
    }

    fn to_object(self, row: &Row<'_>) -> Result<ObjectRow> {
        let id = blob(row, 0)?;
        Ok(ObjectRow {
            id: ObjectId::from_slice(&id)?,
            interview: InterviewId::from_slice(&blob(row, 1)?)?,
            slot: SlotId::from_slice(&blob(row, 2)?)?,
            body: self.cell("object", &id, "body", blob(row, 3)?),
        })
    }

    fn to_transcript(self, row: &Row<'_>) -> Result<TranscriptRow> {
        let id = blob(row, 0)?;
        Ok(TranscriptRow {
            id: TranscriptId::from_slice(&id)?,
            interview: InterviewId::from_slice(&blob(row, 1)?)?,
            version: row.get(2).map_err(sql)?,
            slot: SlotId::from_slice(&blob(row, 3)?)?,
            outline: self.cell("transcript", &id, "outline", blob(row, 4)?),
            turns: self.cell("transcript", &id, "turns", blob(row, 5)?),
            marks: self.cell("transcript", &id, "marks", blob(row, 6)?),
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
        let text = String::from_utf8(canonical::to_vec(body)?).map_err(|_| Error::bug("a record is not UTF-8"))?;
        self.run(
            "INSERT INTO record VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET seq = ?3, body = ?4",
            params![kind.name(), id, number(seq)?, text],
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
        let outline = self.sealed(interview_key, "transcript", id.as_bytes(), "outline", outline)?;
        let turns = self.sealed(key, "transcript", id.as_bytes(), "turns", turns)?;
        let marks = self.sealed(key, "transcript", id.as_bytes(), "marks", marks)?;
        self.run(
            "INSERT INTO transcript VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![id.as_bytes(), interview.as_bytes(), version, slot.as_bytes(), outline, turns, marks],
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

    /// Puts an entry into the outbox.
    pub fn post(&self, seq: u64, leaf: &[u8]) -> Result<()> {
        self.run("INSERT INTO outbox VALUES (?1, ?2)", params![number(seq)?, leaf])
    }

    /// Takes entries up to and including `seq` out of the outbox.
    pub fn posted(&self, seq: u64) -> Result<()> {
        self.run("DELETE FROM outbox WHERE seq <= ?1", params![number(seq)?])
    }

    fn sealed<T: Serialize>(&self, key: &Key, table: &str, id: &[u8], column: &str, body: &T) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(body).map(zeroize::Zeroizing::new);
        let plain = plain.map_err(|_| Error::bug("a row cannot be written as JSON"))?;
        seal::seal(key, &aad(self.vault, &place(table, id, column)), &plain)
    }

    fn run(&self, text: &str, values: impl rusqlite::Params) -> Result<()> {
        let mut statement = self.db.prepare_cached(text).map_err(sql)?;
        statement.execute(values).map(drop).map_err(sql)
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

impl Cell {
    /// What is in it.
    pub fn open<T: DeserializeOwned>(&self, key: &Key) -> Result<T> {
        let plain = seal::open(key, &aad(self.vault, &self.place), &self.sealed)?;
        serde_json::from_slice(&plain).map_err(|_| {
            Error::damage("a row of the catalogue has an unknown form", "Use the version of Subrosa that wrote it.")
        })
    }
}

impl RecordKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Study => "study",
            Self::Site => "site",
            Self::Approval => "approval",
            Self::Project => "project",
            Self::Request => "request",
            Self::Decision => "decision",
            Self::Release => "release",
            Self::Hold => "hold",
            Self::Policy => "policy",
        }
    }
}

impl TagKind {
    /// The number that stands for it in the database.
    pub const fn number(self) -> i64 {
        match self {
            Self::Code => 1,
            Self::File => 2,
            Self::Token => 3,
        }
    }

    /// The word that the tag's HMAC is over.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::File => "file",
            Self::Token => "token",
        }
    }
}

fn place(table: &str, id: &[u8], column: &str) -> String {
    format!("{table}\n{}\n{column}", data_encoding::HEXLOWER.encode(id))
}

fn aad(vault: VaultId, place: &str) -> Vec<u8> {
    format!("subrosa/row/1\n{vault}\n{place}").into_bytes()
}

fn blob(row: &Row<'_>, column: usize) -> Result<Vec<u8>> {
    row.get(column).map_err(sql)
}

fn number(seq: u64) -> Result<i64> {
    i64::try_from(seq).map_err(|_| Error::bug("a sequence number is too large"))
}

#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn sql(error: rusqlite::Error) -> Error {
    failed(Kind::Catalogue, &error)
}
