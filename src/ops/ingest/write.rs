//! Writing what was worked out: keys, sealed rows, objects, tags, and what the ledger says of it. All inside one commit.
//!
//! Recordings are sealed while the vault's lock is held, since their keys are made in the act; they stream from the delivery into the vault, and what was
//! checked is what is sealed: a file that changed in between stops everything.

use std::collections::BTreeMap;

use super::Taken;
use super::delivery::{Delivery, FileFacts};
use super::objects::{Watched, file_tag};
use super::texts::{self, Draft, Ready};
use super::words;
use super::work::{Job, NewConsent, NewObject, Person, Ref, Work, kind_word};
use crate::base::id::{ConsentEventId, InterviewId, ObjectId, ParticipantId, SiteId, SlotId, Token};
use crate::base::progress::Progress;
use crate::base::secret::Key;
use crate::base::{Error, Result, random};
use crate::domain::consent::{ConsentEvent, ConsentScope, Evidence, TimeRange};
use crate::domain::interview::{Interview, InterviewContent, Object, ObjectKind, Speaker, State};
use crate::domain::participant::{ParticipantContent, ParticipantMeta};
use crate::ledger::event::{Digest, Event};
use crate::session::Act;
use crate::store::catalogue::TagKind;
use crate::store::keyfile::Class;
use crate::store::objects;

/// Writes `work`.
pub(super) fn write(act: &mut Act<'_>, delivery: &Delivery, work: Work, progress: &dyn Progress) -> Result<Taken> {
    let mut writing = Writing {
        delivery,
        progress,
        people: Vec::with_capacity(work.people.len()),
        voices: BTreeMap::new(),
        taken: Taken { known_files: work.known_files, ..Taken::default() },
    };
    let mut consents: BTreeMap<Person, u32> = BTreeMap::new();
    for consent in work.jobs.iter().flat_map(|job| &job.consents) {
        let count = consents.entry(consent.person).or_default();
        *count = count.checked_add(1).ok_or_else(too_many_consents)?;
    }
    for (at, person) in work.people.into_iter().enumerate() {
        let consents = consents.get(&Person::New(at)).copied().unwrap_or_default();
        writing.person(act, person.site, &person.content, consents)?;
    }
    // What was known before and is added to: the ledger says so even if nothing else does.
    let mut touched: Vec<Token> = work.jobs.iter().filter_map(|j| j.known.as_ref()).map(|k| k.body.token).collect();
    for (id, content) in &work.updates {
        let known = act.load_participant(*id)?;
        touched.push(known.body.token);
        let (key, _) = act.participant_content(&known.row)?;
        act.tables().set_participant_content(*id, &key, content)?;
    }
    if !touched.is_empty() {
        act.event(Event::Opened { what: "ingest".into(), tokens: touched });
    }
    let bytes: u64 =
        work.jobs.iter().flat_map(|j| &j.objects).filter_map(|o| delivery.files.get(&o.file)).map(|f| f.length).sum();
    let total = if bytes > 0 { bytes } else { work.jobs.len() as u64 };
    progress.begin("Sealing", total);
    writing.interviews(act, &work.jobs, bytes == 0)?;
    progress.end();
    for (id, voice) in writing.voices.iter().filter(|(_, voice)| !voice.new) {
        act.tables().set_participant_meta(*id, &voice.key, &voice.meta)?;
    }
    Ok(writing.taken)
}

pub(super) fn file<'d>(delivery: &'d Delivery, key: &str) -> Result<&'d FileFacts> {
    delivery.files.get(key).ok_or_else(|| Error::bug("a file of the plan was never looked at"))
}

fn too_many_consents() -> Error {
    Error::bug("a participant has too many consents")
}

struct Writing<'a> {
    delivery: &'a Delivery,
    progress: &'a dyn Progress,
    /// Participants made, in the order of [`Work::people`].
    people: Vec<ParticipantId>,
    /// All participants touched.
    voices: BTreeMap<ParticipantId, Voice>,
    taken: Taken,
}

/// A participant who is touched.
struct Voice {
    key: Key,
    /// `consents` counts those that are written so far.
    meta: ParticipantMeta,
    /// Made here: their row is complete. The others' is written again at the end.
    new: bool,
}

/// An interview being written.
pub(super) struct Open<'j> {
    pub(super) job: &'j Job,
    pub(super) id: InterviewId,
    pub(super) site: SiteId,
    pub(super) key: Key,
    pub(super) drafts: Vec<Draft<'j>>,
    slot: SlotId,
    body: Interview,
    content_slot: SlotId,
    content_key: Key,
    content: InterviewContent,
    new: bool,
}

/// An object that is sealed and has no row yet.
struct Kept {
    id: ObjectId,
    slot: SlotId,
    object: Object,
    digest: Digest,
    hash: blake3::Hash,
}

impl Writing<'_> {
    fn person(&mut self, act: &mut Act<'_>, site: SiteId, content: &ParticipantContent, consents: u32) -> Result<()> {
        let id = ParticipantId::random()?;
        let mut meta = ParticipantMeta { token: Token::random()?, consents };
        let (meta_slot, key) = act.new_key(Class::Meta)?;
        let (content_slot, content_key) = act.new_key(Class::Content(site))?;
        act.tables().add_participant(id, site, meta_slot, &key, &meta, content_slot, &content_key, content)?;
        act.event(Event::Participant { participant: meta.token });
        self.people.push(id);
        meta.consents = 0;
        self.voices.insert(id, Voice { key, meta, new: true });
        self.taken.participants += 1;
        Ok(())
    }

    fn id_of(&self, person: Person) -> Result<ParticipantId> {
        match person {
            Person::Known(id) => Ok(id),
            Person::New(at) => {
                self.people.get(at).copied().ok_or_else(|| Error::bug("a participant of the plan was never made"))
            }
        }
    }

    fn voice(&mut self, act: &Act<'_>, id: ParticipantId) -> Result<&mut Voice> {
        match self.voices.entry(id) {
            std::collections::btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::btree_map::Entry::Vacant(free) => {
                let loaded = act.load_participant(id)?;
                Ok(free.insert(Voice { key: loaded.key, meta: loaded.body, new: false }))
            }
        }
    }

    /// Writes the interviews in groups; while the rows of one are written, the transcripts of the next are made ready on the other cores.
    fn interviews(&mut self, act: &mut Act<'_>, jobs: &[Job], tell: bool) -> Result<()> {
        let (delivery, vault, now) = (self.delivery, act.layout().vault(), act.now());
        let mut opened: Vec<Open<'_>> = Vec::new();
        let mut texts: Vec<Vec<Ready>> = Vec::new();
        let groups = texts::groups(jobs, delivery);
        for group in groups.into_iter().map(Some).chain([None]) {
            let coming: Result<Vec<Open<'_>>> =
                group.unwrap_or_default().iter().map(|job| self.open(act, job)).collect();
            let coming = coming?;
            let mut ready = Ok(Vec::new());
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| ready = texts::ready(&coming, delivery, vault, now));
                for (open, texts) in std::mem::take(&mut opened).into_iter().zip(std::mem::take(&mut texts)) {
                    self.interview(act, open, texts)?;
                    self.progress.advance(u64::from(tell));
                }
                Ok::<(), Error>(())
            })?;
            (opened, texts) = (coming, ready?);
        }
        Ok(())
    }

    fn interview(&mut self, act: &mut Act<'_>, mut open: Open<'_>, texts: Vec<Ready>) -> Result<()> {
        let job = open.job;
        for speaker in &job.speakers {
            let participant = speaker.person.map(|p| self.id_of(p)).transpose()?;
            open.body.speakers.push(Speaker { label: speaker.label.clone(), role: speaker.role, participant });
        }
        if job.extra.place {
            open.body.place.clone_from(&job.place);
        }
        let State { recordings, documents, transcripts, .. } = &mut open.body.state;
        let count = |kind| job.objects.iter().filter(|o| o.kind == kind).count();
        let add = |to: &mut u32, n: usize| *to = to.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        add(recordings, count(ObjectKind::Recording));
        add(documents, count(ObjectKind::Document));
        add(transcripts, job.transcripts.len());
        let voices = open.body.participants();
        if open.new || job.speakers.iter().any(|s| s.person.is_some()) {
            let tokens: Result<Vec<Token>> = voices.iter().map(|id| Ok(self.voice(act, *id)?.meta.token)).collect();
            act.event(Event::Item { item: open.body.token, site: open.site, voices: tokens? });
        }
        // Everything that the interview's row says is known before it is written: a row is sealed once. What refers to it comes after it.
        let objects: Result<Vec<Kept>> = job.objects.iter().map(|o| self.stage(act, &mut open, o)).collect();
        let objects = objects?;
        let consents: Result<Vec<ConsentEvent>> =
            job.consents.iter().map(|c| self.agreed(act, &mut open, c, &objects)).collect();
        let extra = &job.extra;
        let content = &mut open.content;
        content.notes.extend(extra.notes.iter().cloned());
        content.metadata.extend(extra.metadata.iter().map(|(k, v)| (k.clone(), v.clone())));
        content.others.extend(extra.others.iter().map(|(k, v)| (k.clone(), v.clone())));
        self.row(act, &open)?;
        for id in voices {
            act.tables().add_voice(open.id, id)?;
        }
        for object in objects {
            self.object(act, &open, object)?;
        }
        for text in texts {
            self.transcript(act, &open, text)?;
        }
        for consent in consents? {
            self.consent(act, &open, &consent)?;
        }
        Ok(())
    }

    fn open<'j>(&mut self, act: &mut Act<'_>, job: &'j Job) -> Result<Open<'j>> {
        let mut open = match &job.known {
            // Loaded afresh: the plan's copy is read-only.
            Some(known) => {
                let loaded = act.load_interview(known.row.id)?;
                let (content_key, content) = act.interview_content(&loaded.row)?;
                self.taken.added_to += 1;
                Open {
                    job,
                    id: loaded.row.id,
                    site: loaded.row.site,
                    key: loaded.key,
                    drafts: Vec::new(),
                    slot: loaded.row.slot,
                    body: loaded.body,
                    content_slot: loaded.row.content_slot,
                    content_key,
                    content,
                    new: false,
                }
            }
            None => self.begun(act, job)?,
        };
        open.drafts = texts::drafts(act, &open, job)?;
        Ok(open)
    }

    fn begun<'j>(&mut self, act: &mut Act<'_>, job: &'j Job) -> Result<Open<'j>> {
        let id = InterviewId::random()?;
        let (slot, key) = act.new_key(Class::Meta)?;
        let (content_slot, content_key) = act.new_key(Class::Content(job.site))?;
        let body = Interview {
            code: job.code.clone(),
            token: Token::random()?,
            seed: data_encoding::BASE64.encode(&random::bytes::<32>()?),
            date: job.date,
            place: job.place.clone(),
            language: job.language.clone(),
            speakers: Vec::new(),
            ingested: act.now(),
            state: State::default(),
        };
        for (kind, text) in [(TagKind::Code, body.code.clone()), (TagKind::Token, body.token.to_string())] {
            let tag = act.tag(kind, &text)?;
            act.tables().set_tag(kind, &tag, id.as_bytes())?;
        }
        self.taken.interviews += 1;
        let (site, content) = (job.site, InterviewContent::default());
        Ok(Open { job, id, site, key, drafts: Vec::new(), slot, body, content_slot, content_key, content, new: true })
    }

    fn row(&self, act: &Act<'_>, open: &Open<'_>) -> Result<()> {
        if open.new {
            act.tables().add_interview(
                open.id,
                open.site,
                open.slot,
                &open.key,
                &open.body,
                open.content_slot,
                &open.content_key,
                &open.content,
            )
        } else {
            act.tables().set_interview(open.id, &open.key, &open.body)?;
            act.tables().set_interview_content(open.id, &open.content_key, &open.content)
        }
    }

    /// Seals an object.
    fn stage(&mut self, act: &mut Act<'_>, open: &mut Open<'_>, new: &NewObject) -> Result<Kept> {
        let facts = file(self.delivery, &new.file)?;
        let (source, _) = self.delivery.folder.file(&facts.path)?;
        let id = ObjectId::random()?;
        let (slot, key) = act.new_key(Class::Content(open.site))?;
        let mut source = Watched::new(source);
        let staged = objects::stage(act.layout(), id, &key, &mut source, self.progress)?;
        if staged.sealed.plain_len != facts.length || source.hash() != facts.hash {
            return Err(words::changed());
        }
        let digest = Digest(staged.sealed.digest);
        act.keep(staged);
        open.content.files.insert(id, facts.path.as_str().to_owned());
        let object = Object {
            token: Token::random()?,
            kind: new.kind,
            form: new.form.clone(),
            length: facts.length,
            digest: digest.to_base64(),
            duration_ms: new.duration_ms,
            ingested: act.now(),
        };
        Ok(Kept { id, slot, object, digest, hash: facts.hash })
    }

    fn object(&mut self, act: &mut Act<'_>, open: &Open<'_>, kept: Kept) -> Result<()> {
        let Kept { id, slot, object, digest, hash } = kept;
        act.tables().put_object(id, open.id, slot, &open.key, &object)?;
        let (kind, within, count) = match object.kind {
            ObjectKind::Recording => ("recording", None, &mut self.taken.recordings),
            ObjectKind::Document => ("document", Some(open.id), &mut self.taken.documents),
            ObjectKind::Evidence => ("evidence", Some(open.id), &mut self.taken.evidence),
        };
        *count += 1;
        self.taken.bytes += object.length;
        let tag = act.tag(TagKind::File, &file_tag(&hash, within))?;
        act.tables().set_tag(TagKind::File, &tag, id.as_bytes())?;
        act.event(Event::Object { object: object.token, item: open.body.token, kind: kind.into(), digest });
        Ok(())
    }

    fn transcript(&mut self, act: &mut Act<'_>, open: &Open<'_>, ready: Ready) -> Result<()> {
        let Ready { row, token, kind, hash, carried, to_look_at } = ready;
        act.tables().add_sealed_transcript(&row)?;
        let tag = act.tag(TagKind::File, &file_tag(&hash, None))?;
        act.tables().set_tag(TagKind::File, &tag, row.id.as_bytes())?;
        let (item, version, kind) = (open.body.token, i64::from(row.version), kind_word(kind).to_owned());
        act.event(Event::Transcript { transcript: token, item, version, kind });
        if carried > 0 {
            let added = i64::try_from(carried).unwrap_or(i64::MAX);
            act.event(Event::Marks { transcript: token, added, changed: 0, removed: 0 });
        }
        self.taken.marks_carried += carried as u64;
        self.taken.marks_to_look_at += to_look_at as u64;
        self.taken.transcripts += 1;
        Ok(())
    }

    /// What somebody agreed to, with its ids, its time and its evidence.
    fn agreed(
        &mut self,
        act: &Act<'_>,
        open: &mut Open<'_>,
        new: &NewConsent,
        objects: &[Kept],
    ) -> Result<ConsentEvent> {
        let mut event = new.event.clone();
        event.id = ConsentEventId::random()?;
        event.participant = self.id_of(new.person)?;
        event.scope = ConsentScope::Interview { interview: open.id };
        event.recorded = act.now();
        event.from = event.recorded;
        open.content.agreed.insert(new.label.clone(), new.day);
        if let Some(evidence) = &new.evidence {
            let object = match evidence.object {
                Ref::Known(id) => id,
                Ref::New(at) => {
                    let id = objects.get(at).map(|kept| kept.id);
                    id.ok_or_else(|| Error::bug("the evidence of the plan was never taken in"))?
                }
            };
            event.evidence = Some(match evidence.time {
                Some((from, to)) => Evidence::Oral { recording: object, time: TimeRange { from, to } },
                None => Evidence::Written { scan: object },
            });
        }
        event.check()?;
        if let Some(condition) = &event.condition {
            open.content.conditions.insert(new.label.clone(), condition.clone());
        }
        Ok(event)
    }

    fn consent(&mut self, act: &mut Act<'_>, open: &Open<'_>, event: &ConsentEvent) -> Result<()> {
        let Voice { key, meta, .. } = self.voice(act, event.participant)?;
        meta.consents = meta.consents.checked_add(1).ok_or_else(too_many_consents)?;
        act.tables().add_consent(event.id, event.participant, meta.consents, key, event)?;
        let facts = event.facts(meta.token, Some(open.body.token))?;
        act.event(Event::Consent(facts));
        self.taken.consents += 1;
        Ok(())
    }
}
