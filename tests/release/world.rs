//! A vault for the tests of releases: people, a project, approvals, and interviews put in by hand.
#![allow(dead_code, missing_docs, reason = "each test file uses some of it")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use subrosa::base::Result;
use subrosa::base::id::*;
use subrosa::base::role::{Role, RoleGrant};
use subrosa::base::secret::Passphrase;
use subrosa::base::time::{Date, Moment};
use subrosa::crypto::identity::{Identity, LockedIdentity};
use subrosa::crypto::kdf::KdfParams;
use subrosa::domain::approval::Approval;
use subrosa::domain::consent::{ConsentEvent, ConsentScope, LegalBasis};
use subrosa::domain::interview::{Interview, InterviewContent, Speaker, SpeakerRole, State};
use subrosa::domain::participant::{ParticipantContent, ParticipantMeta};
use subrosa::domain::project::{Project, Purpose, Status};
use subrosa::domain::study::Study;
use subrosa::domain::transcript::{Check, Outline, Review, TranscriptContent, TranscriptKind, TurnFacts};
use subrosa::ledger::event::{ConsentAct, Event, Module, ModuleState, Tier};
use subrosa::ops::redact::review_digest;
use subrosa::redact::mark::Marks;
use subrosa::session::{Act, Change, Founding, Unlocked, Vault, change_membership, create};
use subrosa::store::catalogue::{RecordKind, TagKind};
use subrosa::store::keyfile::Class;
use subrosa::store::state::StateFolder;

pub(crate) const PROJECT: ProjectId = ProjectId::from_bytes([0x51; 16]);

pub(crate) fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

pub(crate) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn person(name: &str, country: &str) -> Identity {
    Identity::generate(name, country.parse().unwrap(), moment("2026-01-01T00:00:00Z")).unwrap()
}

/// The same keys once more: an identity can only be used by value.
pub(crate) fn again(identity: &Identity) -> Identity {
    let passphrase = || Passphrase::new("correct horse battery staple 9".into());
    let bytes = identity.seal(&passphrase(), KdfParams::new(19_456, 1, 1).unwrap()).unwrap();
    LockedIdentity::parse(&bytes).unwrap().unlock(&passphrase()).unwrap()
}

/// A vault with a steward, Ada, a second one, Sue, an archivist, Ben, and two analysts of one project, Dora in Armenia and Emil in Estonia.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) ada: Identity,
    pub(crate) sue: Identity,
    pub(crate) ben: Identity,
    pub(crate) dora: Identity,
    pub(crate) emil: Identity,
    clock: Cell<Moment>,
}

/// An interview put in by hand.
#[derive(Clone)]
pub(crate) struct Put {
    pub(crate) interview: InterviewId,
    pub(crate) item: Token,
    pub(crate) site: SiteId,
    pub(crate) transcript: TranscriptId,
    pub(crate) participants: Vec<ParticipantId>,
}

/// A participant to put in.
pub(crate) struct Person {
    pub(crate) label: &'static str,
    pub(crate) name: &'static str,
    pub(crate) contact: &'static str,
    pub(crate) gender: &'static str,
    pub(crate) born: i32,
}

pub(crate) const VARYA: Person = Person {
    label: "R",
    name: "Varvara Nikolayevna Shcheglova",
    contact: "@varya_shcheg",
    gender: "woman",
    born: 1970,
};
pub(crate) const OTAR: Person =
    Person { label: "R2", name: "Otar Beridzeshvili", contact: "otar@mail.example", gender: "man", born: 1950 };

impl World {
    pub(crate) fn new() -> Self {
        Self::with_study(subrosa::sample::STUDY)
    }

    pub(crate) fn with_study(text: &str) -> Self {
        let world = Self {
            dir: tempfile::tempdir().unwrap(),
            ada: person("Ada", "EE"),
            sue: person("Sue", "EE"),
            ben: person("Ben", "EE"),
            dora: person("Dora", "AM"),
            emil: person("Emil", "EE"),
            clock: Cell::new(moment("2026-01-01T00:00:00Z")),
        };
        let study = Study::read(text).unwrap();
        let founding = Founding {
            steward: &world.ada,
            study: (text, &study),
            boards: vec![],
            trustees: (vec![], 0),
            now: moment("2026-01-01T00:00:00Z"),
        };
        create(&world.path("vault"), &world.path("vault.keys"), &founding).unwrap();
        let mut vault = world.open(&world.ada, "2026-01-01T00:00:00Z");
        let roles = |role| vec![RoleGrant { role, sites: None }];
        for (who, role) in [
            (&world.sue, Role::Steward),
            (&world.ben, Role::Archivist),
            (&world.dora, Role::Analyst),
            (&world.emil, Role::Analyst),
        ] {
            change_membership(&mut vault, Change::Enrol(who.card().clone(), roles(role))).unwrap();
        }
        drop(vault);
        drop(world.open(&world.ben, "2026-01-01T00:00:00Z"));
        world.project(vec![world.dora.person_id(), world.emil.person_id()]);
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn state(&self, who: &Identity) -> StateFolder {
        StateFolder::beside(&self.path(&format!("{}.id", who.card().name())))
    }

    pub(crate) fn unlock(&self, who: &Identity, now: &str) -> Result<Vault<Unlocked>> {
        // Time never runs back, whatever a test says.
        self.clock.set(self.clock.get().max(moment(now)));
        Vault::open(&self.path("vault"), None)?.unlock(again(who), self.state(who), Box::new(self.clock.get()))
    }

    pub(crate) fn open(&self, who: &Identity, now: &str) -> Vault<Unlocked> {
        self.unlock(who, now).unwrap()
    }

    /// The project, with these people.
    pub(crate) fn project(&self, people: Vec<PersonId>) {
        self.project_as(PROJECT, "Departures", people);
    }

    pub(crate) fn project_as(&self, id: ProjectId, title: &str, people: Vec<PersonId>) {
        let project = Project {
            id,
            title: title.into(),
            purpose: Purpose { duo: "DUO:0000042".into(), words: "To understand why people leave.".into() },
            people: people.clone(),
            from: date("2026-01-01"),
            until: date("2028-12-31"),
            reuse: false,
            teaching: false,
            status: Status::Open,
        };
        let mut vault = self.open(&self.ada, "2026-01-02T00:00:00Z");
        vault
            .commit("project add", |act| {
                act.tables().put_record(RecordKind::Project, id.as_bytes(), act.seq(), &project)?;
                let purpose = project.purpose.duo.clone();
                act.event(Event::Project { project: id, purpose, people, from: project.from, until: project.until });
                Ok(())
            })
            .unwrap();
    }

    /// Approvals of every board for every site, for fieldwork in 2023 and use until the end of 2030.
    pub(crate) fn approve(&self) {
        for (n, board) in ["host", "university"].into_iter().enumerate() {
            self.approval(n as u8, board, None, "2030-12-31");
        }
    }

    pub(crate) fn approval(&self, n: u8, board: &str, sites: Option<Vec<SiteId>>, until: &str) {
        let approval = Approval {
            id: ApprovalId::from_bytes([n; 16]),
            board: board.into(),
            reference: "2023/17".into(),
            title: "Oral histories".into(),
            sites,
            fieldwork: (date("2023-01-01"), date("2023-12-31")),
            usage: (date("2023-01-01"), date(until)),
            purposes: vec!["DUO:0000042".into()],
            document: None,
        };
        let mut vault = self.open(&self.ada, "2026-01-02T00:00:00Z");
        vault
            .commit("approval add", |act| {
                act.tables().put_record(RecordKind::Approval, approval.id.as_bytes(), act.seq(), &approval)?;
                act.event(Event::Approval(approval.facts()));
                Ok(())
            })
            .unwrap();
    }

    /// An interview of May 2023 with one transcript, without marks or review; everybody agreed to everything that the study's team needs and to abroad.
    pub(crate) fn put(&self, code: &str, people: &[&Person], turns: &[(&str, &str)]) -> Put {
        let mut vault = self.open(&self.ben, "2026-01-03T00:00:00Z");
        vault.commit("ingest", |act| put(act, code, people, turns)).unwrap()
    }

    /// A consent event of one participant.
    pub(crate) fn consent(&self, put: &Put, voice: usize, now: &str, change: impl FnOnce(&mut ConsentEvent)) {
        let id = put.participants[voice];
        let mut vault = self.open(&self.ben, now);
        vault
            .commit("consent set", |act| {
                let known = act.load_participant(id)?;
                let mut event = agreed(id, act.now());
                event.act = ConsentAct::Amended;
                event.modules.clear();
                event.tier = None;
                change(&mut event);
                event.check()?;
                if let ConsentScope::Passage { passage, .. } = &event.scope {
                    act.event(Event::Passage { passage: *passage, item: put.item });
                }
                act.event(Event::Consent(event.facts(known.body.token, Some(put.item))?));
                let number = known.body.consents + 1;
                act.tables().add_consent(event.id, id, number, &known.key, &event)?;
                act.tables().set_participant_meta(id, &known.key, &ParticipantMeta { consents: number, ..known.body })
            })
            .unwrap();
    }

    /// Marks on the transcript.
    pub(crate) fn marks(&self, put: &Put, marks: Marks) {
        let mut vault = self.open(&self.ben, "2026-01-04T00:00:00Z");
        vault
            .commit("redact mark", |act| {
                let row = act.transcripts(put.interview)?.remove(0);
                let (key, _) = act.transcript_content(&row, put.site)?;
                act.tables().set_marks(row.id, &key, &marks)?;
                act.event(Event::Marks { transcript: token(put.transcript), added: 1, changed: 0, removed: 0 });
                Ok(())
            })
            .unwrap();
    }

    /// A recorded review, and neighbours that were checked.
    pub(crate) fn review(&self, put: &Put, checked: &[u32]) {
        self.review_by(&self.ben, put, checked);
    }

    /// As [`Self::review`], by an archivist.
    pub(crate) fn review_by(&self, who: &Identity, put: &Put, checked: &[u32]) {
        let mut vault = self.open(who, "2026-01-05T00:00:00Z");
        vault
            .commit("redact review", |act| {
                let interview = act.load_interview(put.interview)?;
                let row = act.transcripts(put.interview)?.remove(0);
                let mut outline = act.outline(&row, &interview.key)?;
                let (key, content) = act.transcript_content(&row, put.site)?;
                let digest = review_digest(&content.texts, &row.marks.open::<Marks>(&key)?)?;
                let check = Check { by: act.person(), at: act.now(), reason: "Nothing of it.".into() };
                outline.checked = checked.iter().map(|turn| (*turn, check.clone())).collect();
                outline.review = Some(Review {
                    by: act.person(),
                    at: act.now(),
                    engine: subrosa::redact::ENGINE.into(),
                    digest: digest.to_base64(),
                    statement: "Read from start to end.".into(),
                });
                act.tables().set_outline(row.id, &interview.key, &outline)?;
                act.event(Event::Review {
                    transcript: outline.token,
                    engine: subrosa::redact::ENGINE.into(),
                    marks: 0,
                    digest,
                });
                Ok(())
            })
            .unwrap();
    }
}

/// The ledger's word for a transcript of a test: the same bytes.
fn token(id: TranscriptId) -> Token {
    Token::from_bytes(*id.as_bytes())
}

fn put(act: &mut Act<'_>, code: &str, people: &[&Person], turns: &[(&str, &str)]) -> Result<Put> {
    let site = act.site_by_prefix(&code[..2])?.unwrap().id;
    let (interview, item) = (InterviewId::random()?, Token::random()?);
    let (slot, key) = act.new_key(Class::Meta)?;
    let (content_slot, content_key) = act.new_key(Class::Content(site))?;
    let mut speakers = vec![Speaker { label: "I".into(), role: SpeakerRole::Interviewer, participant: None }];
    speakers.push(Speaker { label: "X".into(), role: SpeakerRole::Bystander, participant: None });
    let (mut participants, mut tokens) = (vec![], vec![]);
    for person in people {
        let (id, token) = (ParticipantId::random()?, Token::random()?);
        let (meta_slot, meta_key) = act.new_key(Class::Meta)?;
        let (own_slot, own_key) = act.new_key(Class::Content(site))?;
        let content = ParticipantContent {
            names: vec![person.name.into()],
            contacts: vec![person.contact.into()],
            gender: Some(person.gender.into()),
            birth_year: Some(person.born),
            ..ParticipantContent::default()
        };
        let meta = ParticipantMeta { token, consents: 1 };
        act.tables().add_participant(id, site, meta_slot, &meta_key, &meta, own_slot, &own_key, &content)?;
        act.event(Event::Participant { participant: token });
        speakers.push(Speaker { label: person.label.into(), role: SpeakerRole::Participant, participant: Some(id) });
        participants.push(id);
        tokens.push(token);
        let event = agreed(id, act.now());
        act.tables().add_consent(event.id, id, 1, &meta_key, &event)?;
        act.event(Event::Consent(event.facts(token, None)?));
    }
    let body = Interview {
        code: code.into(),
        token: item,
        seed: data_encoding::BASE64.encode(&subrosa::base::random::bytes::<32>()?),
        date: date("2023-05-17"),
        place: "Gyumri".into(),
        language: "en".into(),
        speakers,
        ingested: act.now(),
        state: State { transcripts: 1, ..State::default() },
    };
    let asking = ParticipantContent { names: vec!["Lidia Quennell".into()], ..ParticipantContent::default() };
    let content = InterviewContent { others: [("I".to_owned(), asking)].into(), ..InterviewContent::default() };
    act.tables().add_interview(interview, site, slot, &key, &body, content_slot, &content_key, &content)?;
    for id in &participants {
        act.tables().add_voice(interview, *id)?;
    }
    for (kind, text) in [(TagKind::Code, code.to_owned()), (TagKind::Token, item.to_string())] {
        let tag = act.tag(kind, &text)?;
        act.tables().set_tag(kind, &tag, interview.as_bytes())?;
    }
    act.event(Event::Item { item, site, voices: tokens });
    let transcript = TranscriptId::random()?;
    let (slot, own_key) = act.new_key(Class::Content(site))?;
    let label = |label: &str| (!label.is_empty()).then(|| label.to_owned());
    let outline = Outline {
        token: token(transcript),
        kind: TranscriptKind::Verbatim,
        language: "en".into(),
        parent: None,
        ingested: act.now(),
        turns: turns.iter().map(|(l, _)| TurnFacts { label: label(l), start_ms: None, end_ms: None }).collect(),
        checked: BTreeMap::new(),
        review: None,
    };
    let texts = turns.iter().map(|(_, text)| (*text).to_owned()).collect();
    let words = TranscriptContent { maker: None, file: format!("{code}_final.docx"), texts };
    act.tables().add_transcript(transcript, interview, 1, slot, &key, &outline, &own_key, &words, &Marks::default())?;
    act.event(Event::Transcript { transcript: outline.token, item, version: 1, kind: "verbatim".into() });
    Ok(Put { interview, item, site, transcript, participants })
}

fn agreed(participant: ParticipantId, now: Moment) -> ConsentEvent {
    let granted = [Module::Archive, Module::Analyse, Module::QuoteText, Module::Abroad];
    ConsentEvent {
        id: ConsentEventId::random().unwrap(),
        participant,
        act: ConsentAct::Given,
        scope: ConsentScope::All,
        from: moment("2023-05-17T00:00:00Z").min(now),
        recorded: now,
        form: None,
        modules: granted.into_iter().map(|module| (module, ModuleState::Granted)).collect(),
        tier: Some(Tier::RoleCountry),
        embargo: None,
        expiry: None,
        review_by: None,
        condition: None,
        condition_mapped: false,
        language: None,
        basis: LegalBasis::Consent,
        evidence: None,
    }
}
