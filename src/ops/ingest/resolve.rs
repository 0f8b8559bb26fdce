//! A delivery against the vault: what is new, what is there already, what contradicts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::agreed;
use super::delivery::{Delivery, Entry, FileFacts};
use super::people::{self, People};
use super::plan::Faults;
use super::work::{Extra, Job, NewConsent, NewEvidence, NewObject, NewSpeaker, NewTranscript, Person, Ref, Work};
use super::work::{kind, role};
use crate::base::Result;
use crate::base::id::{InterviewId, ObjectId, SiteId, TranscriptId};
use crate::base::role::Role;
use crate::base::time::Date;
use crate::domain::approval::{Approval, missing_fieldwork_boards};
use crate::domain::consent::ConsentScope;
use crate::domain::interview::{Interview, Object, ObjectKind, SpeakerRole};
use crate::domain::study::Study;
use crate::formats::Fault;
use crate::formats::manifest::{self, ConsentEntry, SpeakerEntry, TranscriptEntry, TranscriptParent};
use crate::ledger::event::ConsentAct;
use crate::session::{Loaded, View};
use crate::store::catalogue::{InterviewRow, RecordKind, TagKind};

use super::words::Summary;

/// How far the end of evidence may lie beyond the length that a header tells: headers of some containers estimate.
const TOLERANCE_MS: u64 = 1_000;

/// The text whose blind tag says that a file is in the vault: recordings and transcripts are known across interviews, documents and
/// evidence within theirs (one information sheet may belong to many).
pub(super) fn file_tag(hash: &blake3::Hash, within: Option<InterviewId>) -> String {
    match within {
        None => hash.to_hex().to_string(),
        Some(interview) => format!("{}\n{interview}", hash.to_hex()),
    }
}

/// What the vault has of each entry, and each entry's site. Refuses whoever is not archivist of every site concerned.
pub(super) struct Background {
    pub(super) study: Study,
    approvals: Vec<Approval>,
    pub(super) known: Vec<Option<Loaded<InterviewRow, Interview>>>,
    sites: Vec<SiteId>,
}

impl Background {
    pub(super) fn load(view: &View<'_>, delivery: &Delivery) -> Result<Self> {
        let (_, study) = view.study()?;
        let sites: HashMap<String, SiteId> = view.sites()?.into_values().map(|s| (s.prefix, s.id)).collect();
        let mut of_entries = Vec::with_capacity(delivery.entries.len());
        for entry in &delivery.entries {
            let site = sites.get(entry.code.prefix()).copied().ok_or_else(|| {
                crate::base::Error::damage("a site of the study is missing from the catalogue", "Run `subrosa check`.")
            })?;
            of_entries.push(site);
        }
        for site in of_entries.iter().collect::<BTreeSet<_>>() {
            view.require(Role::Archivist, Some(*site))?;
        }
        let mut known = Vec::with_capacity(delivery.entries.len());
        for entry in &delivery.entries {
            let id = view.lookup_code(entry.code.as_str())?;
            known.push(id.map(|id| view.load_interview(id)).transpose()?);
        }
        Ok(Self { study, approvals: view.records(RecordKind::Approval)?, known, sites: of_entries })
    }

    /// The labels that an entry's transcripts are read with: the manifest's, the vault's, and the study's for those who are no participants.
    pub(super) fn labels(&self, at: usize, entry: &Entry) -> Vec<String> {
        let mut labels: Vec<String> = entry.said.speakers.iter().map(|s| s.label.clone()).collect();
        let known = self.known.get(at).and_then(Option::as_ref);
        labels.extend(known.into_iter().flat_map(|k| k.body.speakers.iter().map(|s| s.label.clone())));
        for (role, of_role) in self.study.speakers.all() {
            if role != SpeakerRole::Participant {
                let new: Vec<String> = of_role.iter().filter(|l| !has(&labels, l)).cloned().collect();
                labels.extend(new);
            }
        }
        let mut seen = BTreeSet::new();
        labels.retain(|l| seen.insert(l.clone()));
        labels
    }
}

/// Whether a label is among others, capitals aside.
fn has(labels: &[String], label: &str) -> bool {
    let wanted = label.to_lowercase();
    labels.iter().any(|l| l.to_lowercase() == wanted)
}

/// Works out everything that is to be written. What is wrong goes to `faults`; then the work is not to be done.
pub(super) fn resolve(
    view: &View<'_>,
    background: Background,
    delivery: &Delivery,
    summaries: &BTreeMap<String, Summary>,
    today: Date,
    faults: &mut Faults,
) -> Result<Work> {
    let Background { study, approvals, known, sites } = background;
    let mut people = People::new(view, &study, delivery, &known, &sites);
    // First everybody, so that a later interview can join an earlier one and the other way round.
    let mut persons: BTreeMap<(usize, &str), Person> = BTreeMap::new();
    for (at, entry) in delivery.entries.iter().enumerate() {
        for speaker in &entry.said.speakers {
            if speaker.role == manifest::SpeakerRole::Participant
                && let Some(person) = people.person(at, speaker, faults)?
            {
                persons.insert((at, speaker.label.as_str()), person);
            }
        }
    }
    let (new, updates) = people.into_parts();
    let mut work = Work { people: new, updates, ..Work::default() };
    let mut files = Files { view, hashes: HashMap::new(), known_files: 0 };
    for ((at, entry), site) in delivery.entries.iter().enumerate().zip(&sites) {
        let known = known.get(at).and_then(Option::as_ref);
        let mut one = One { study: &study, approvals: &approvals, delivery, entry, site: *site, known, today, faults };
        let (date, place, language) = one.where_and_when();
        let speakers = one.speakers(summaries, |label| persons.get(&(at, label)).copied());
        let mut extra = one.extra(view)?;
        extra.place = known.is_some_and(|k| k.body.place.is_empty() && !place.is_empty());
        let mut objects = one.objects(&mut files)?;
        let transcripts = one.transcripts(&mut files, &language)?;
        let consents = one.consents(view, &mut files, &mut objects, |label| persons.get(&(at, label)).copied())?;
        work.jobs.push(Job {
            code: entry.code.to_string(),
            site: *site,
            known: None,
            date,
            place,
            language,
            speakers,
            objects: objects.new,
            transcripts,
            consents,
            extra,
            labels: Vec::new(),
        });
    }
    work.known_files = files.known_files;
    let labels = Background { study, approvals, known, sites };
    for (at, (job, entry)) in work.jobs.iter_mut().zip(&delivery.entries).enumerate() {
        if !job.transcripts.is_empty() {
            job.labels = labels.labels(at, entry);
        }
    }
    for (job, known) in work.jobs.iter_mut().zip(labels.known) {
        job.known = known;
    }
    let all = work.jobs.len();
    work.jobs.retain(|job| !job.is_empty());
    work.unchanged = (all - work.jobs.len()) as u64;
    Ok(work)
}

/// Files of the delivery against each other and against the vault.
struct Files<'a> {
    view: &'a View<'a>,
    /// Recordings and transcripts by their hash, with the name that had it first.
    hashes: HashMap<blake3::Hash, String>,
    known_files: u64,
}

impl Files<'_> {
    /// What a file's tag points to in the vault.
    fn known(&self, facts: &FileFacts, within: Option<InterviewId>) -> Result<Option<[u8; 16]>> {
        let tag = self.view.tag(TagKind::File, &file_tag(&facts.hash, within))?;
        self.view.tagged(TagKind::File, &tag)
    }

    /// Whether no other file of the delivery has the same bytes.
    fn is_first(&mut self, facts: &FileFacts) -> bool {
        let key = facts.path.key();
        *self.hashes.entry(facts.hash).or_insert_with(|| key.clone()) == key
    }
}

/// The objects of an entry: those to be made, and those of the vault.
struct Objects {
    new: Vec<NewObject>,
    /// By the file's key.
    by_file: BTreeMap<String, Ref<ObjectId>>,
    /// By the file's hash, for files that stand in the folder twice.
    by_hash: HashMap<blake3::Hash, Ref<ObjectId>>,
    known: BTreeMap<ObjectId, Object>,
}

impl Objects {
    fn add(&mut self, facts: &FileFacts, kind: ObjectKind, form: &str) -> Ref<ObjectId> {
        let duration_ms = facts.media.as_ref().and_then(|m| m.duration_ms);
        self.new.push(NewObject { file: facts.path.key(), kind, form: form.to_owned(), duration_ms });
        let object = Ref::New(self.new.len() - 1);
        self.found(facts, object);
        object
    }

    fn found(&mut self, facts: &FileFacts, object: Ref<ObjectId>) {
        self.by_file.insert(facts.path.key(), object);
        self.by_hash.insert(facts.hash, object);
    }
}

/// One entry being looked at.
struct One<'a, 'f> {
    study: &'a Study,
    approvals: &'a [Approval],
    delivery: &'a Delivery,
    entry: &'a Entry,
    site: SiteId,
    known: Option<&'a Loaded<InterviewRow, Interview>>,
    today: Date,
    faults: &'f mut Faults,
}

impl<'a> One<'a, '_> {
    fn fault(&mut self, line: u64, column: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.faults.push(Fault::new(self.delivery.place(line, column), what, remedy));
    }

    fn line(&self) -> u64 {
        self.entry.said.lines.first().copied().unwrap_or_default()
    }

    fn id(&self) -> Option<InterviewId> {
        self.known.map(|k| k.row.id)
    }

    /// Date, place and language; what an entry must say and does not is a fault, and so is what the vault knows otherwise.
    fn where_and_when(&mut self) -> (Date, String, String) {
        let (said, line) = (&self.entry.said, self.line());
        let old = self.known.map(|k| &k.body);
        let other = "the vault knows something else of this interview";
        let mend = "Leave it empty, or correct it; is it the right code?";
        if let (Some(date), Some(old)) = (said.date, old)
            && date != old.date
        {
            self.fault(line, "date", other, mend);
        }
        if let (Some(place), Some(old)) = (&said.place, old)
            && *place != old.place
            && !old.place.is_empty()
        {
            self.fault(line, "place", other, mend);
        }
        if let (Some(language), Some(old)) = (&said.language, old)
            && *language != old.language
        {
            self.fault(line, "language", other, mend);
        }
        let date = said.date.or(old.map(|o| o.date));
        let language = said.language.clone().or_else(|| old.map(|o| o.language.clone()));
        let place = old.map(|o| o.place.clone()).filter(|p| !p.is_empty()).or_else(|| said.place.clone());
        let new = "The vault does not know this interview yet.";
        match date {
            None => self.fault(line, "date", "the interview has no date", format!("Give it. {new}")),
            Some(date) if date > self.today => {
                self.fault(line, "date", "the interview lies in the future", "Correct the year, month or day.");
            }
            Some(date) if old.is_none() => self.fieldwork(date),
            Some(_) => {}
        }
        if language.is_none() {
            self.fault(line, "language", "the interview has no language", format!("Give its BCP 47 tag. {new}"));
        }
        if place.is_none() {
            let place = self.delivery.place(line, "place");
            self.faults.notice(format!("{place}: it is not said where the interview was made."));
        }
        (date.unwrap_or(self.today), place.unwrap_or_default(), language.unwrap_or_default())
    }

    /// Every board that the site demands must have approved fieldwork on that day.
    fn fieldwork(&mut self, date: Date) {
        let boards = self.study.site(self.entry.code.prefix()).map(|s| s.boards.as_slice()).unwrap_or_default();
        let missing = missing_fieldwork_boards(boards, self.site, self.approvals, date);
        if !missing.is_empty() {
            let what =
                format!("no recorded approval covers fieldwork at this site on this day ({})", missing.join(", "));
            self.fault(
                self.line(),
                "date",
                what,
                "Correct the date, or let a steward record the approval with `subrosa approval add`.",
            );
        }
    }

    /// Speakers that the vault does not know of this interview yet.
    fn speakers(
        &mut self,
        summaries: &BTreeMap<String, Summary>,
        person: impl Fn(&str) -> Option<Person>,
    ) -> Vec<NewSpeaker> {
        let said = &self.entry.said;
        let mut new = Vec::new();
        for speaker in &said.speakers {
            let role = role(speaker.role);
            match self.known.and_then(|k| k.body.speaker(&speaker.label)) {
                Some(old) if old.role != role => {
                    self.fault(
                        speaker.line,
                        "role",
                        "the vault knows this speaker in another role",
                        "Correct the role or the label.",
                    );
                }
                Some(_) => {}
                None => {
                    let person = person(&speaker.label);
                    new.push(NewSpeaker { label: speaker.label.clone(), role, person });
                }
            }
        }
        // Labels that the study knows and the manifest leaves unsaid.
        let spoken: BTreeSet<&String> =
            said.transcripts.iter().filter_map(|t| summaries.get(&t.file.key())).flat_map(|s| &s.labels).collect();
        for label in spoken {
            let named = said.speakers.iter().any(|s| s.label == *label);
            let old = self.known.is_some_and(|k| k.body.speaker(label).is_some());
            if let (false, false, Some(role)) = (named, old, self.study.speakers.role(label)) {
                new.push(NewSpeaker { label: label.clone(), role, person: None });
                let place = self.delivery.place(self.line(), "label");
                self.faults.notice(format!(
                    "{place}: a speaker is not in the manifest; taken for what the study says of the label."
                ));
            }
        }
        if self.known.is_none() && !new.iter().any(|s| s.role == SpeakerRole::Participant) {
            let remedy = "Add a row with the label and the role participant: without one nobody's consent would count.";
            self.fault(self.line(), "label", "the interview has no participant", remedy);
        }
        new
    }

    /// Notes, free metadata, and who the other speakers are.
    fn extra(&mut self, view: &View<'_>) -> Result<Extra> {
        let said = &self.entry.said;
        let mut extra = Extra::default();
        let others = || said.speakers.iter().filter(|s| s.role != manifest::SpeakerRole::Participant);
        if said.notes.is_none() && said.meta.is_empty() && others().all(|s| people::said(s) == Default::default()) {
            return Ok(extra);
        }
        let old = self.known.map(|k| view.interview_content(&k.row)).transpose()?.map(|(_, c)| c).unwrap_or_default();
        extra.notes.extend(said.notes.iter().filter(|n| !old.notes.contains(n)).cloned());
        for (name, text) in &said.meta {
            match old.metadata.get(name) {
                None => {
                    extra.metadata.insert(name.clone(), text.clone());
                }
                Some(known) if known == text => {}
                Some(_) => {
                    let what = "the vault knows something else of this interview";
                    self.fault(self.line(), "meta", what, "Leave the cell empty, or correct it.");
                }
            }
        }
        for speaker in others() {
            let before = old.others.get(&speaker.label).cloned().unwrap_or_default();
            let mut after = before.clone();
            for column in people::merge(&mut after, people::said(speaker)) {
                let what = "this says something else of the speaker than is known already";
                self.fault(
                    speaker.line,
                    column,
                    what,
                    "Leave it empty, or correct it; other names go into also_known_as.",
                );
            }
            if after != before {
                extra.others.insert(speaker.label.clone(), after);
            }
        }
        Ok(extra)
    }

    /// Recordings and documents.
    fn objects(&mut self, files: &mut Files<'_>) -> Result<Objects> {
        let said = &self.entry.said;
        let mut known = BTreeMap::new();
        if let Some(old) = self.known {
            for row in files.view.objects(old.row.id)? {
                let object: Object = row.body.open(&old.key)?;
                known.insert(row.id, object);
            }
        }
        let mut objects = Objects { new: Vec::new(), by_file: BTreeMap::new(), by_hash: HashMap::new(), known };
        for recording in &said.recordings {
            let Some(facts) = self.delivery.files.get(&recording.file.key()) else { continue };
            if !files.is_first(facts) {
                self.twice(recording.line, "recording");
            } else if let Some(target) = files.known(facts, None)? {
                let id = ObjectId::from_bytes(target);
                if objects.known.contains_key(&id) {
                    files.known_files += 1;
                    objects.found(facts, Ref::Known(id));
                } else {
                    self.elsewhere(recording.line, "recording");
                }
            } else {
                let form = facts.media.as_ref().map_or("sound", |m| m.container.as_str());
                objects.add(facts, ObjectKind::Recording, form);
            }
        }
        for document in &said.documents {
            let Some(facts) = self.delivery.files.get(&document.file.key()) else { continue };
            if objects.by_hash.contains_key(&facts.hash) || files.hashes.contains_key(&facts.hash) {
                self.twice(document.line, "document");
                continue;
            }
            match self.known_object(files, facts, &objects)? {
                Some(id) => {
                    files.known_files += 1;
                    objects.found(facts, Ref::Known(id));
                }
                None => {
                    objects.add(facts, ObjectKind::Document, document.kind.as_str());
                }
            }
        }
        Ok(objects)
    }

    /// The document or evidence of this interview with the same bytes.
    fn known_object(&self, files: &Files<'_>, facts: &FileFacts, objects: &Objects) -> Result<Option<ObjectId>> {
        let Some(interview) = self.id() else { return Ok(None) };
        let target = files.known(facts, Some(interview))?.map(ObjectId::from_bytes);
        Ok(target.filter(|id| objects.known.contains_key(id)))
    }

    fn twice(&mut self, line: u64, column: &str) {
        self.fault(
            line,
            column,
            "the delivery has the same file twice under different names",
            "Keep one of them, at the interview that it belongs to.",
        );
    }

    fn elsewhere(&mut self, line: u64, column: &str) {
        self.fault(
            line,
            column,
            "the vault has this very file already, at another interview",
            "Check which interview it belongs to.",
        );
    }

    /// Transcript versions, each after the one that it was made from.
    fn transcripts(&mut self, files: &mut Files<'_>, language: &str) -> Result<Vec<NewTranscript>> {
        let said = &self.entry.said;
        if said.transcripts.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows: BTreeMap<u32, TranscriptId> = BTreeMap::new();
        if let Some(id) = self.id() {
            rows.extend(files.view.transcripts(id)?.into_iter().map(|row| (row.version, row.id)));
        }
        let mut known: BTreeMap<String, TranscriptId> = BTreeMap::new();
        let mut waiting: Vec<(&TranscriptEntry, &FileFacts)> = Vec::new();
        for transcript in &said.transcripts {
            let Some(facts) = self.delivery.files.get(&transcript.file.key()) else { continue };
            if !files.is_first(facts) {
                self.twice(transcript.line, "transcript");
                continue;
            }
            match files.known(facts, None)?.map(TranscriptId::from_bytes) {
                None => waiting.push((transcript, facts)),
                Some(id) if rows.values().any(|known| *known == id) => {
                    files.known_files += 1;
                    known.insert(facts.path.key(), id);
                }
                Some(_) => self.elsewhere(transcript.line, "transcript"),
            }
        }
        let named: BTreeSet<String> = said.transcripts.iter().map(|t| t.file.key()).collect();
        let first = rows.keys().next_back().copied().unwrap_or_default().saturating_add(1);
        let mut new: Vec<NewTranscript> = Vec::with_capacity(waiting.len());
        // Parents first: each round takes those whose parent is there.
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut later = Vec::new();
            for (transcript, facts) in waiting {
                let parent = match &transcript.made_from {
                    None => None,
                    Some(TranscriptParent::Version(version)) => match rows.get(version) {
                        Some(id) => Some(Ref::Known(*id)),
                        None => {
                            self.fault(transcript.line, "transcript_of", "the vault has no such version of this interview", "Name the file that it was made from, or a version that `subrosa interview show` lists.");
                            continue;
                        }
                    },
                    Some(TranscriptParent::File(file)) => {
                        let key = file.key();
                        let here = new.iter().position(|t| t.file == key).map(Ref::New);
                        match known.get(&key).map(|id| Ref::Known(*id)).or(here) {
                            Some(parent) => Some(parent),
                            None if named.contains(&key) => {
                                later.push((transcript, facts));
                                continue;
                            }
                            None => {
                                self.fault(
                                    transcript.line,
                                    "transcript_of",
                                    "the file that it was made from is no transcript of this interview here",
                                    "Add that one to the delivery, or give the number of its version in the vault.",
                                );
                                continue;
                            }
                        }
                    }
                };
                if parent.is_none()
                    && matches!(
                        transcript.kind,
                        manifest::TranscriptKind::Corrected | manifest::TranscriptKind::Translation
                    )
                {
                    let place = self.delivery.place(transcript.line, "transcript_of");
                    self.faults.notice(format!("{place}: it is not said which transcript this one was made from."));
                }
                let version = first.saturating_add(u32::try_from(new.len()).unwrap_or(u32::MAX));
                new.push(NewTranscript {
                    file: facts.path.key(),
                    kind: kind(transcript.kind),
                    language: transcript.language.clone().unwrap_or_else(|| language.to_owned()),
                    maker: transcript.maker.clone(),
                    parent,
                    version,
                });
            }
            if later.len() == before {
                for (transcript, _) in &later {
                    self.fault(
                        transcript.line,
                        "transcript_of",
                        "the transcript that it was made from is at fault, or was made from this one",
                        "Mend that one, or name another.",
                    );
                }
                break;
            }
            waiting = later;
        }
        Ok(new)
    }

    /// Consents of participants, with their evidence.
    fn consents(
        &mut self,
        view: &View<'_>,
        files: &mut Files<'_>,
        objects: &mut Objects,
        person: impl Fn(&str) -> Option<Person>,
    ) -> Result<Vec<NewConsent>> {
        let mut consents = Vec::new();
        let speakers: &'a [SpeakerEntry] = &self.entry.said.speakers;
        for speaker in speakers.iter().filter(|s| s.role == manifest::SpeakerRole::Participant) {
            let Some(entry) = &speaker.consent else {
                let old = self.known.is_some_and(|k| k.body.speaker(&speaker.label).is_some());
                if !old {
                    let place = self.delivery.place(speaker.line, "consent_form");
                    self.faults.notice(format!(
                        "{place}: no consent is recorded; nobody asked, so nothing of this voice may leave."
                    ));
                }
                continue;
            };
            let body = self.known.map(|k| &k.body);
            let language = self.entry.said.language.as_deref().or(body.map(|b| b.language.as_str()));
            let made = self.entry.said.date.or(body.map(|b| b.date));
            let (event, day) = match agreed::event(entry, self.study, language, made, self.today) {
                Ok(found) => found,
                Err((column, error)) => {
                    self.fault(entry.line, column, error.what(), error.remedy());
                    continue;
                }
            };
            let Some(person) = person(&speaker.label) else { continue };
            if let (Person::Known(id), Some(interview)) = (person, self.id()) {
                let events = view.consent_events(&view.load_participant(id)?)?;
                let here = |scope: &ConsentScope| *scope == ConsentScope::Interview { interview };
                let mut given = events.iter().filter(|e| here(&e.scope)).peekable();
                if given.peek().is_some() {
                    if !given.any(|old| old.act == ConsentAct::Given && agreed::same(old, &event)) {
                        let what = "the vault has another consent of this participant for this interview";
                        self.fault(
                            entry.line,
                            "consent_form",
                            what,
                            "Leave the consent out here, and record the change with `subrosa consent set`.",
                        );
                    } else {
                        self.recognise(entry, files, objects)?;
                    }
                    continue;
                }
            }
            let evidence = self.evidence(entry, files, objects)?;
            consents.push(NewConsent { person, label: speaker.label.clone(), day, event, evidence });
        }
        Ok(consents)
    }

    /// Counts evidence that the vault has already.
    fn recognise(&mut self, entry: &ConsentEntry, files: &mut Files<'_>, objects: &Objects) -> Result<()> {
        let facts = entry.evidence.as_ref().and_then(|e| self.delivery.files.get(&e.file.key()));
        if let Some(facts) = facts
            && !objects.by_file.contains_key(&facts.path.key())
            && self.known_object(files, facts, objects)?.is_some()
        {
            files.known_files += 1;
        }
        Ok(())
    }

    /// What a consent's evidence is: a recording or document of the interview, or a file of its own.
    fn evidence(
        &mut self,
        entry: &ConsentEntry,
        files: &mut Files<'_>,
        objects: &mut Objects,
    ) -> Result<Option<NewEvidence>> {
        let Some(evidence) = &entry.evidence else { return Ok(None) };
        let Some(facts) = self.delivery.files.get(&evidence.file.key()) else { return Ok(None) };
        let here = objects.by_file.get(&facts.path.key()).or_else(|| objects.by_hash.get(&facts.hash)).copied();
        let object = match here {
            Some(object) => object,
            None => match self.known_object(files, facts, objects)? {
                Some(id) => {
                    files.known_files += 1;
                    objects.found(facts, Ref::Known(id));
                    Ref::Known(id)
                }
                None => {
                    let recording = files.known(facts, None)?.map(ObjectId::from_bytes);
                    match recording.filter(|id| objects.known.contains_key(id)) {
                        Some(id) => Ref::Known(id),
                        None => {
                            let form = facts.media.as_ref().map_or("scan", |m| m.container.as_str());
                            objects.add(facts, ObjectKind::Evidence, form)
                        }
                    }
                }
            },
        };
        if facts.media.is_none() {
            if evidence.from_ms.is_some() || evidence.to_ms.is_some() {
                self.fault(
                    entry.line,
                    "evidence_from",
                    "there are times, but the evidence is no recording",
                    "Leave evidence_from and evidence_to empty for a scan.",
                );
            }
            return Ok(Some(NewEvidence { object, time: None }));
        }
        let length = facts.media.as_ref().and_then(|m| m.duration_ms);
        let from = evidence.from_ms.unwrap_or_default();
        let Some(to) = evidence.to_ms.or(length) else {
            self.fault(
                entry.line,
                "evidence_to",
                "the recording does not tell its length, and it is not said where the consent ends",
                "Give evidence_to.",
            );
            return Ok(None);
        };
        let beyond = length.is_some_and(|length| from >= length || to > length.saturating_add(TOLERANCE_MS));
        if beyond || from >= to {
            self.fault(
                entry.line,
                "evidence_to",
                "the place of the consent lies beyond the end of the recording",
                "Correct evidence_from and evidence_to, or name the right recording.",
            );
        }
        Ok(Some(NewEvidence { object, time: Some((from, to)) }))
    }
}
