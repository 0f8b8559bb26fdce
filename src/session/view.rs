//! Loading: rows found, their keys fetched, their cells opened.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, Mac};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::base::id::{InterviewId, ParticipantId, PersonId, SiteId, SlotId, Token, TranscriptId};
use crate::base::role::{Role, RoleGrant};
use crate::base::secret::Key;
use crate::base::time::Moment;
use crate::base::{Error, Kind, Result};
use crate::crypto::card::Card;
use crate::crypto::keyring::Member;
use crate::crypto::sign::Signature;
use crate::domain::consent::ConsentEvent;
use crate::domain::interview::{Interview, InterviewContent};
use crate::domain::participant::{ParticipantContent, ParticipantMeta};
use crate::domain::study::Study;
use crate::domain::transcript::{Outline, TranscriptContent};
use crate::ledger::event::Digest;
use crate::store::catalogue::{
    InterviewHead, InterviewRow, ObjectRow, ParticipantRow, Reader, RecordKind, TagKind, TranscriptRow,
};
use crate::store::keyfile::{Class, KeyFile};

use super::unlock::Context;

/// How many interviews one core opens in one go.
const AT_ONCE: usize = 256;

/// A row with the key that opened it and what was in it.
pub struct Loaded<R, T> {
    /// The row.
    pub row: R,
    /// The key of the part that was opened.
    pub key: Key,
    /// What was in it.
    pub body: T,
}

/// An interview, opened.
type Opened = Loaded<InterviewRow, Interview>;

/// Somebody enrolled, as the catalogue knows them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonRecord {
    /// Their card.
    pub card: Card,
    /// What they may do; empty for somebody removed.
    pub roles: Vec<RoleGrant>,
    /// Enrolled at.
    pub added: Moment,
    /// Removed at.
    pub removed: Option<Moment>,
}

/// A site and its random id.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteRecord {
    /// Id.
    pub id: SiteId,
    /// The prefix of its archive codes.
    pub prefix: String,
}

/// The study definition in force.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyRecord {
    /// Counted from 1.
    pub version: u32,
    /// The text of `study.toml`.
    pub text: String,
    /// Who signed it.
    pub steward: PersonId,
    /// Their signature, context `subrosa/study/1`.
    pub sig: Signature,
    /// SHA-256 of the text.
    pub digest: Digest,
}

/// What can be read of an unlocked vault.
#[derive(Clone, Copy)]
pub struct View<'v> {
    pub(super) reader: Reader<'v>,
    pub(super) keys: &'v RefCell<KeyFile>,
    pub(super) context: &'v Context,
}

impl<'v> std::ops::Deref for View<'v> {
    type Target = Reader<'v>;
    fn deref(&self) -> &Reader<'v> {
        &self.reader
    }
}

impl<'v> View<'v> {
    /// Who is at the keyboard.
    pub fn me(&self) -> &'v Member {
        &self.context.me
    }

    /// Whether they have a role at a site (anywhere, if none is given).
    pub fn has(&self, role: Role, site: Option<SiteId>) -> bool {
        self.context.me.has(role, site)
    }

    /// Refuses unless they have the role at the site.
    pub fn require(&self, role: Role, site: Option<SiteId>) -> Result<()> {
        if self.has(role, site) {
            return Ok(());
        }
        let place = if site.is_some() { " of this site" } else { "" };
        Err(Error::denied(
            format!("this needs the role of {role}{place}, which you do not have"),
            format!("Ask somebody who is {role}, or ask a steward for the role."),
        ))
    }

    /// The key in a slot.
    pub fn key(&self, slot: SlotId, class: Class) -> Result<Key> {
        self.keys.borrow().get(slot, class)
    }

    /// Whether there is a key in a slot, whoever can open it.
    pub fn has_key(&self, slot: SlotId) -> bool {
        self.keys.borrow().has(slot)
    }

    /// Whether the reader can open the content of a site.
    pub fn opens(&self, site: SiteId) -> bool {
        self.keys.borrow().opens(site)
    }

    /// The blind tag of a text in this epoch.
    pub fn tag(&self, kind: TagKind, text: &str) -> Result<[u8; 16]> {
        let keys = self.keys.borrow();
        let mut mac = Hmac::<Sha256>::new_from_slice(keys.index_key().expose())
            .map_err(|_| Error::bug("the index key has a wrong length"))?;
        mac.update(format!("subrosa/index/1\n{}\n{text}", kind.word()).as_bytes());
        let full = mac.finalize().into_bytes();
        let mut tag = [0; 16];
        tag.copy_from_slice(&full[..16]);
        Ok(tag)
    }

    /// The study definition in force.
    pub fn study(&self) -> Result<(StudyRecord, Study)> {
        let record = self.records::<StudyRecord>(RecordKind::Study)?.into_iter().max_by_key(|r| r.version);
        let record =
            record.ok_or_else(|| Error::damage("the vault has no study definition", "Run `subrosa check`."))?;
        let study = Study::parse(&record.text).map_err(|_| {
            Error::damage(
                "the study definition in the vault cannot be read",
                "Use the version of Subrosa that wrote it.",
            )
        })?;
        Ok((record, study))
    }

    /// All sites by id.
    pub fn sites(&self) -> Result<BTreeMap<SiteId, SiteRecord>> {
        Ok(self.records::<SiteRecord>(RecordKind::Site)?.into_iter().map(|s| (s.id, s)).collect())
    }

    /// The site with a prefix.
    pub fn site_by_prefix(&self, prefix: &str) -> Result<Option<SiteRecord>> {
        let wanted = prefix.trim().to_uppercase();
        Ok(self.records::<SiteRecord>(RecordKind::Site)?.into_iter().find(|s| s.prefix == wanted))
    }

    /// Somebody enrolled, or enrolled once.
    pub fn person(&self, id: PersonId) -> Result<Option<PersonRecord>> {
        self.record(RecordKind::Person, id.as_bytes())
    }

    /// Somebody by the name on their card or the beginning of their id; refused if it fits several.
    pub fn find_person(&self, name: &str) -> Result<PersonRecord> {
        let wanted = name.trim().to_lowercase();
        let all = self.records::<PersonRecord>(RecordKind::Person)?;
        let fits = |p: &&PersonRecord| {
            p.card.name().to_lowercase() == wanted
                || (wanted.len() >= 8 && p.card.person_id().to_string().starts_with(&wanted))
        };
        let mut found = all.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(person), None) => Ok(person.clone()),
            (Some(_), Some(_)) => {
                Err(Error::user("several people fit that name", "Give the id that `subrosa person list` shows."))
            }
            _ => Err(Error::user("nobody of that name is enrolled", "See `subrosa person list`.")),
        }
    }

    /// Every interview, opened; in the order of their random ids. Fails if one of them is damaged.
    pub fn all_interviews(&self) -> Result<Vec<Loaded<InterviewRow, Interview>>> {
        self.opened()?.into_iter().map(|opened| opened.map_err(|(_, error)| error)).collect()
    }

    /// Every interview that can be opened, and the sites of those that are damaged: one that is hurt does not hide the rest.
    pub fn readable_interviews(&self) -> Result<(Vec<Opened>, Vec<SiteId>)> {
        let (mut whole, mut hurt) = (Vec::new(), Vec::new());
        for opened in self.opened()? {
            match opened {
                Ok(interview) => whole.push(interview),
                Err((site, error)) if error.kind() == Kind::Damage => hurt.push(site),
                Err((_, error)) => return Err(error),
            }
        }
        Ok((whole, hurt))
    }

    fn opened(&self) -> Result<Vec<std::result::Result<Opened, (SiteId, Error)>>> {
        let rows = self.interviews()?;
        let keys = self.keys.borrow();
        let keys: &KeyFile = &keys;
        let open = |row: InterviewRow| {
            let opened = keys.get(row.slot, Class::Meta).and_then(|key| Ok((row.body.open(&key)?, key)));
            match opened {
                Ok((body, key)) => Ok(Loaded { row, key, body }),
                Err(error) => Err((row.site, error)),
            }
        };
        Ok(rows.into_par_iter().map(open).collect())
    }

    /// Opens every interview as `B` and keeps what `take` makes of it; in the order of their random ids. Rows are read here while other cores open
    /// those before them. The second list has the sites of those that are damaged: one that is hurt does not hide the rest.
    pub fn each_interview<B: DeserializeOwned, T: Send>(
        &self,
        take: impl Fn(&InterviewHead, B) -> Option<T> + Sync,
    ) -> Result<(Vec<T>, Vec<SiteId>)> {
        let keys = self.keys.borrow();
        let keys: &KeyFile = &keys;
        let open = |head: InterviewHead| match keys.get(head.slot, Class::Meta).and_then(|key| head.body.open(&key)) {
            Ok(body) => Ok(take(&head, body)),
            Err(error) => Err((head.site, error)),
        };
        let opened = Mutex::new(Vec::new());
        rayon::in_place_scope(|scope| {
            let mut number = 0;
            self.interview_heads(AT_ONCE, |heads| {
                let (opened, open) = (&opened, &open);
                scope.spawn(move |_| {
                    let part: Vec<_> = heads.into_iter().filter_map(|head| open(head).transpose()).collect();
                    opened.lock().unwrap_or_else(PoisonError::into_inner).push((number, part));
                });
                number += 1;
            })
        })?;
        let mut opened = opened.into_inner().unwrap_or_else(PoisonError::into_inner);
        opened.sort_unstable_by_key(|(number, _)| *number);
        let (mut whole, mut hurt) = (Vec::new(), Vec::new());
        for taken in opened.into_iter().flat_map(|(_, part)| part) {
            match taken {
                Ok(taken) => whole.push(taken),
                Err((site, error)) if error.kind() == Kind::Damage => hurt.push(site),
                Err((_, error)) => return Err(error),
            }
        }
        Ok((whole, hurt))
    }

    /// One interview by id.
    pub fn load_interview(&self, id: InterviewId) -> Result<Loaded<InterviewRow, Interview>> {
        let row = self.interview(id)?;
        let row =
            row.ok_or_else(|| Error::damage("an interview is missing from the catalogue", "Run `subrosa check`."))?;
        let key = self.key(row.slot, Class::Meta)?;
        let body = row.body.open(&key)?;
        Ok(Loaded { row, key, body })
    }

    /// One interview by its normalised archive code, if there is one.
    pub fn lookup_code(&self, code: &str) -> Result<Option<InterviewId>> {
        let tag = self.tag(TagKind::Code, code)?;
        Ok(self.tagged(TagKind::Code, &tag)?.map(InterviewId::from_bytes))
    }

    /// One interview by its archive code as somebody typed it.
    pub fn find_interview(&self, typed: &str) -> Result<Loaded<InterviewRow, Interview>> {
        let (_, study) = self.study()?;
        let (code, _) = crate::domain::code::normalise(typed, &study)?;
        match self.lookup_code(code.as_str())? {
            Some(id) => self.load_interview(id),
            None => Err(Error::user(
                "there is no interview with that code",
                "Codes are listed by `subrosa interview list`.",
            )),
        }
    }

    /// Notes, file names and free metadata of an interview.
    pub fn interview_content(&self, row: &InterviewRow) -> Result<(Key, InterviewContent)> {
        let key = self.key(row.content_slot, Class::Content(row.site))?;
        let content = row.content.open(&key)?;
        Ok((key, content))
    }

    /// A participant's token and the like.
    pub fn load_participant(&self, id: ParticipantId) -> Result<Loaded<ParticipantRow, ParticipantMeta>> {
        let row = self.participant(id)?;
        let row =
            row.ok_or_else(|| Error::damage("a participant is missing from the catalogue", "Run `subrosa check`."))?;
        let key = self.key(row.meta_slot, Class::Meta)?;
        let body = row.meta.open(&key)?;
        Ok(Loaded { row, key, body })
    }

    /// Who a participant is. For archivists of the site.
    pub fn participant_content(&self, row: &ParticipantRow) -> Result<(Key, ParticipantContent)> {
        let key = self.key(row.content_slot, Class::Content(row.site))?;
        let content = row.content.open(&key)?;
        Ok((key, content))
    }

    /// A participant's consent events, oldest first.
    pub fn consent_events(&self, participant: &Loaded<ParticipantRow, ParticipantMeta>) -> Result<Vec<ConsentEvent>> {
        let rows = self.consents(participant.row.id)?;
        if rows.len() as u64 != u64::from(participant.body.consents) {
            return Err(Error::damage("consent events of a participant are missing", "Run `subrosa check`."));
        }
        rows.iter().map(|row| row.body.open(&participant.key)).collect()
    }

    /// One transcript version by id.
    pub fn load_transcript(&self, id: TranscriptId) -> Result<TranscriptRow> {
        let row = self.transcript(id)?;
        row.ok_or_else(|| Error::damage("a transcript is missing from the catalogue", "Run `subrosa check`."))
    }

    /// A transcript version's outline, with the interview's key.
    pub fn outline(&self, row: &TranscriptRow, interview_key: &Key) -> Result<Outline> {
        row.outline.open(interview_key)
    }

    /// A transcript version's words. For archivists of the site.
    pub fn transcript_content(&self, row: &TranscriptRow, site: SiteId) -> Result<(Key, TranscriptContent)> {
        let key = self.key(row.slot, Class::Content(site))?;
        let content = row.turns.open(&key)?;
        Ok((key, content))
    }

    /// The key of an object. For archivists of the site.
    pub fn object_key(&self, row: &ObjectRow, site: SiteId) -> Result<Key> {
        self.key(row.slot, Class::Content(site))
    }

    /// What the ledger's token stands for, among interviews.
    pub fn by_token(&self, token: Token) -> Result<Option<InterviewId>> {
        let tag = self.tag(TagKind::Token, &token.to_string())?;
        Ok(self.tagged(TagKind::Token, &tag)?.map(InterviewId::from_bytes))
    }
}
