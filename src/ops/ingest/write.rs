//! Writing what was worked out: keys, sealed rows, objects, tags, and what the ledger says of it. All inside one commit.
//!
//! Recordings are sealed while the vault's lock is held, since their keys are made in the act; they stream from the delivery into the vault, and what was
//! checked is what is sealed: a file that changed in between stops everything.

use std::collections::BTreeMap;
use std::io::Read;

use rayon::prelude::*;

use super::Taken;
use super::delivery::{Delivery, FileFacts};
use super::objects::file_tag;
use super::words;
use super::work::{Job, NewConsent, NewObject, NewTranscript, Person, Ref, Work, kind_word};
use crate::base::id::{ConsentEventId, InterviewId, ObjectId, ParticipantId, SiteId, SlotId, Token, TranscriptId};
use crate::base::progress::Progress;
use crate::base::secret::Key;
use crate::base::{Error, Result, random};
use crate::domain::consent::{ConsentScope, Evidence, TimeRange};
use crate::domain::interview::{Interview, InterviewContent, Object, ObjectKind, Speaker, State};
use crate::domain::participant::{ParticipantContent, ParticipantMeta};
use crate::domain::transcript::{Outline, TranscriptContent, TurnFacts};
use crate::formats::turn::TranscriptText;
use crate::ledger::event::{Digest, Event};
use crate::redact;
use crate::redact::mark::Marks;
use crate::session::Act;
use crate::store::catalogue::TagKind;
use crate::store::keyfile::Class;
use crate::store::objects;

/// How many interviews' transcripts are read at once: bounds memory, and keeps all cores busy.
const AT_ONCE: usize = 64;

/// Writes `work`.
pub(super) fn write(act: &mut Act<'_>, delivery: &Delivery, work: Work, progress: &dyn Progress) -> Result<Taken> {
    let mut writing = Writing {
        delivery,
        progress,
        people: Vec::with_capacity(work.people.len()),
        metas: BTreeMap::new(),
        taken: Taken { known_files: work.known_files, ..Taken::default() },
    };
    for person in work.people {
        writing.person(act, person.site, &person.content)?;
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
    for jobs in work.jobs.chunks(AT_ONCE) {
        let asked: Vec<(&NewTranscript, &[String])> =
            jobs.iter().flat_map(|j| j.transcripts.iter().map(|t| (t, j.labels.as_slice()))).collect();
        let read: Result<Vec<TranscriptText>> =
            asked.par_iter().map(|(t, labels)| words::parse(delivery, file(delivery, &t.file)?, labels)).collect();
        let mut read = read?.into_iter();
        for job in jobs {
            let texts = read.by_ref().take(job.transcripts.len()).collect();
            writing.interview(act, job, texts)?;
            if bytes == 0 {
                progress.advance(1);
            }
        }
    }
    progress.end();
    for (id, (key, meta)) in &writing.metas {
        act.tables().set_participant_meta(*id, key, meta)?;
    }
    Ok(writing.taken)
}

fn file<'d>(delivery: &'d Delivery, key: &str) -> Result<&'d FileFacts> {
    delivery.files.get(key).ok_or_else(|| Error::bug("a file of the plan was never looked at"))
}

struct Writing<'a> {
    delivery: &'a Delivery,
    progress: &'a dyn Progress,
    /// Participants made, in the order of [`Work::people`].
    people: Vec<ParticipantId>,
    /// Meta keys and bodies of all participants touched, written back at the end.
    metas: BTreeMap<ParticipantId, (Key, ParticipantMeta)>,
    taken: Taken,
}

/// An interview being written.
struct Open {
    id: InterviewId,
    site: SiteId,
    slot: SlotId,
    key: Key,
    body: Interview,
    content_slot: SlotId,
    content_key: Key,
    content: InterviewContent,
    new: bool,
}

impl Writing<'_> {
    fn person(&mut self, act: &mut Act<'_>, site: SiteId, content: &ParticipantContent) -> Result<()> {
        let id = ParticipantId::random()?;
        let meta = ParticipantMeta { token: Token::random()?, consents: 0 };
        let (meta_slot, meta_key) = act.new_key(Class::Meta)?;
        let (content_slot, content_key) = act.new_key(Class::Content(site))?;
        act.tables().add_participant(id, site, meta_slot, &meta_key, &meta, content_slot, &content_key, content)?;
        act.event(Event::Participant { participant: meta.token });
        self.people.push(id);
        self.metas.insert(id, (meta_key, meta));
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

    /// A participant's meta key and body.
    fn meta(&mut self, act: &Act<'_>, id: ParticipantId) -> Result<&mut (Key, ParticipantMeta)> {
        match self.metas.entry(id) {
            std::collections::btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::btree_map::Entry::Vacant(free) => {
                let loaded = act.load_participant(id)?;
                Ok(free.insert((loaded.key, loaded.body)))
            }
        }
    }

    fn interview(&mut self, act: &mut Act<'_>, job: &Job, texts: Vec<TranscriptText>) -> Result<()> {
        let mut open = self.open(act, job)?;
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
        if open.new || job.speakers.iter().any(|s| s.person.is_some()) {
            let ids = open.body.participants();
            let voices: Result<Vec<Token>> = ids.iter().map(|id| Ok(self.meta(act, *id)?.1.token)).collect();
            act.event(Event::Item { item: open.body.token, site: open.site, voices: voices? });
        }
        // The interview's row comes before what refers to it; its content is written once more when the files are known.
        self.row(act, &mut open)?;
        for id in open.body.participants() {
            act.tables().add_voice(open.id, id)?;
        }
        let objects: Result<Vec<ObjectId>> = job.objects.iter().map(|o| self.object(act, &mut open, o)).collect();
        let objects = objects?;
        let mut versions = Vec::with_capacity(texts.len());
        for (transcript, text) in job.transcripts.iter().zip(texts) {
            versions.push(self.transcript(act, &open, transcript, text, &versions)?);
        }
        for consent in &job.consents {
            self.consent(act, &mut open, consent, &objects)?;
        }
        let extra = &job.extra;
        let content = &mut open.content;
        content.notes.extend(extra.notes.iter().cloned());
        content.metadata.extend(extra.metadata.iter().map(|(k, v)| (k.clone(), v.clone())));
        content.others.extend(extra.others.iter().map(|(k, v)| (k.clone(), v.clone())));
        act.tables().set_interview_content(open.id, &open.content_key, &open.content)?;
        Ok(())
    }

    fn open(&mut self, act: &mut Act<'_>, job: &Job) -> Result<Open> {
        if let Some(known) = &job.known {
            // Loaded afresh: the plan's copy is read-only.
            let loaded = act.load_interview(known.row.id)?;
            let (content_key, content) = act.interview_content(&loaded.row)?;
            self.taken.added_to += 1;
            return Ok(Open {
                id: loaded.row.id,
                site: loaded.row.site,
                slot: loaded.row.slot,
                key: loaded.key,
                body: loaded.body,
                content_slot: loaded.row.content_slot,
                content_key,
                content,
                new: false,
            });
        }
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
        let content = InterviewContent::default();
        Ok(Open { id, site: job.site, slot, key, body, content_slot, content_key, content, new: true })
    }

    fn row(&self, act: &Act<'_>, open: &mut Open) -> Result<()> {
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
            act.tables().set_interview(open.id, &open.key, &open.body)
        }
    }

    fn object(&mut self, act: &mut Act<'_>, open: &mut Open, new: &NewObject) -> Result<ObjectId> {
        let facts = file(self.delivery, &new.file)?;
        let (source, _) = self.delivery.folder.file(&facts.path)?;
        let id = ObjectId::random()?;
        let (slot, key) = act.new_key(Class::Content(open.site))?;
        let mut source = Watched { inner: source, hasher: blake3::Hasher::new() };
        let staged = objects::stage(act.layout(), id, &key, &mut source, self.progress)?;
        if staged.sealed.plain_len != facts.length || source.hasher.finalize() != facts.hash {
            return Err(words::changed());
        }
        let digest = Digest(staged.sealed.digest);
        act.keep(staged);
        let object = Object {
            token: Token::random()?,
            kind: new.kind,
            form: new.form.clone(),
            length: facts.length,
            digest: digest.to_base64(),
            duration_ms: new.duration_ms,
            ingested: act.now(),
        };
        act.tables().put_object(id, open.id, slot, &open.key, &object)?;
        let (kind, within) = match new.kind {
            ObjectKind::Recording => ("recording", None),
            ObjectKind::Document => ("document", Some(open.id)),
            ObjectKind::Evidence => ("evidence", Some(open.id)),
        };
        let tag = act.tag(TagKind::File, &file_tag(&facts.hash, within))?;
        act.tables().set_tag(TagKind::File, &tag, id.as_bytes())?;
        act.event(Event::Object { object: object.token, item: open.body.token, kind: kind.into(), digest });
        open.content.files.insert(id, facts.path.as_str().to_owned());
        let count = match new.kind {
            ObjectKind::Recording => &mut self.taken.recordings,
            ObjectKind::Document => &mut self.taken.documents,
            ObjectKind::Evidence => &mut self.taken.evidence,
        };
        *count += 1;
        self.taken.bytes += facts.length;
        Ok(id)
    }

    fn transcript(
        &mut self,
        act: &mut Act<'_>,
        open: &Open,
        new: &NewTranscript,
        text: TranscriptText,
        before: &[TranscriptId],
    ) -> Result<TranscriptId> {
        let facts = file(self.delivery, &new.file)?;
        let id = TranscriptId::random()?;
        let (slot, key) = act.new_key(Class::Content(open.site))?;
        let parent = match new.parent {
            None => None,
            Some(Ref::Known(id)) => Some(id),
            Some(Ref::New(at)) => {
                let id = before.get(at).copied();
                Some(id.ok_or_else(|| Error::bug("a transcript comes before the one that it was made from"))?)
            }
        };
        let token = Token::random()?;
        let mut outline = Outline {
            token,
            kind: new.kind,
            language: new.language.clone(),
            parent,
            ingested: act.now(),
            turns: Vec::with_capacity(text.turns.len()),
            checked: BTreeMap::new(),
            review: None,
        };
        let mut content = TranscriptContent {
            maker: new.maker.clone(),
            file: facts.path.as_str().to_owned(),
            texts: Vec::with_capacity(text.turns.len()),
        };
        for turn in text.turns {
            outline.turns.push(TurnFacts { label: turn.label, start_ms: turn.start_ms, end_ms: turn.end_ms });
            content.texts.push(turn.text);
        }
        let mut marks = Marks::default();
        if let (Some(Ref::Known(parent)), crate::domain::transcript::TranscriptKind::Corrected) = (new.parent, new.kind)
        {
            marks = self.carried(act, open, parent, &content.texts)?;
        }
        act.tables().add_transcript(id, open.id, new.version, slot, &open.key, &outline, &key, &content, &marks)?;
        let tag = act.tag(TagKind::File, &file_tag(&facts.hash, None))?;
        act.tables().set_tag(TagKind::File, &tag, id.as_bytes())?;
        let (item, version, kind) = (open.body.token, i64::from(new.version), kind_word(new.kind).to_owned());
        act.event(Event::Transcript { transcript: token, item, version, kind });
        if !marks.marks.is_empty() {
            let added = i64::try_from(marks.marks.len()).unwrap_or(i64::MAX);
            act.event(Event::Marks { transcript: token, added, changed: 0, removed: 0 });
        }
        self.taken.transcripts += 1;
        Ok(id)
    }

    /// The marks of the version that a corrected one was made from, where the words are still the same.
    fn carried(&mut self, act: &Act<'_>, open: &Open, parent: TranscriptId, texts: &[String]) -> Result<Marks> {
        let rows = act.transcripts(open.id)?;
        let Some(row) = rows.iter().find(|r| r.id == parent) else { return Ok(Marks::default()) };
        let (key, old) = act.transcript_content(row, open.site)?;
        let marks: Marks = row.marks.open(&key)?;
        let over = redact::carry_over(&old.texts, texts, &marks.marks);
        self.taken.marks_carried += over.carried.len() as u64;
        self.taken.marks_to_look_at += over.for_review.len() as u64;
        Ok(Marks { engine: None, next: marks.next, marks: over.carried })
    }

    fn consent(&mut self, act: &mut Act<'_>, open: &mut Open, new: &NewConsent, objects: &[ObjectId]) -> Result<()> {
        let participant = self.id_of(new.person)?;
        let mut event = new.event.clone();
        event.id = ConsentEventId::random()?;
        event.participant = participant;
        event.scope = ConsentScope::Interview { interview: open.id };
        event.recorded = act.now();
        event.from = event.recorded;
        open.content.agreed.insert(new.label.clone(), new.day);
        if let Some(evidence) = &new.evidence {
            let object = match evidence.object {
                Ref::Known(id) => id,
                Ref::New(at) => {
                    let id = objects.get(at).copied();
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
        let (key, meta) = self.meta(act, participant)?;
        meta.consents =
            meta.consents.checked_add(1).ok_or_else(|| Error::bug("a participant has too many consents"))?;
        act.tables().add_consent(event.id, participant, meta.consents, key, &event)?;
        let facts = event.facts(meta.token, Some(open.body.token))?;
        act.event(Event::Consent(facts));
        self.taken.consents += 1;
        Ok(())
    }
}

/// A reader that hashes what goes through it.
struct Watched<R> {
    inner: R,
    hasher: blake3::Hasher,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.hasher.update(buf.get(..n).unwrap_or_default());
        Ok(n)
    }
}
