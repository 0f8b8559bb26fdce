//! A vault with a steward and an archivist, and interviews put in by hand.

#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

use subrosa::base::id::{InterviewId, ParticipantId, Token, TranscriptId};
use subrosa::base::role::{Role, RoleGrant};
use subrosa::crypto::identity::Identity;
use subrosa::domain::interview::{Interview, InterviewContent, Speaker, SpeakerRole, State};
use subrosa::domain::participant::{ParticipantContent, ParticipantMeta};
use subrosa::domain::transcript::{Outline, TranscriptContent, TranscriptKind, TurnFacts};
use subrosa::ledger::event::Event;
use subrosa::redact::mark::Marks;
use subrosa::session::{Change, Unlocked, Vault, change_membership};
use subrosa::store::catalogue::TagKind;
use subrosa::store::keyfile::Class;

use super::common::{self, person};

/// A vault in a folder of its own, with the steward Ada and the archivist Ben of all sites.
pub struct House {
    pub dir: tempfile::TempDir,
    pub ada: Identity,
    pub ben: Identity,
}

impl House {
    pub fn found() -> Self {
        let house = Self { dir: tempfile::tempdir().unwrap(), ada: person("Ada"), ben: person("Ben") };
        common::found(house.dir.path(), &house.ada, vec![]);
        common::enrol(&mut house.unlock(&house.ada, "2026-01-01T00:00:00Z"), &house.ben, Role::Archivist);
        house
    }

    /// Enrols an archivist of one site.
    pub fn enrol_at(&self, who: &Identity, prefix: &str, now: &str) {
        let mut vault = self.unlock(&self.ada, now);
        let site = vault.view().unwrap().site_by_prefix(prefix).unwrap().unwrap().id;
        let grants = vec![RoleGrant { role: Role::Archivist, sites: Some(vec![site]) }];
        change_membership(&mut vault, Change::Enrol(who.card().clone(), grants)).unwrap();
    }

    pub fn unlock(&self, who: &Identity, now: &str) -> Vault<Unlocked> {
        common::unlock(self.dir.path(), who, now).unwrap()
    }
}

/// Takes a participant in.
pub fn participant(vault: &mut Vault<Unlocked>, prefix: &str, names: &[&str], contacts: &[&str]) -> ParticipantId {
    vault
        .commit("test", |act| {
            let site = act.site_by_prefix(prefix)?.unwrap().id;
            let (id, token) = (ParticipantId::random()?, Token::random()?);
            let (meta_slot, meta_key) = act.new_key(Class::Meta)?;
            let (slot, key) = act.new_key(Class::Content(site))?;
            let owned = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect();
            let content =
                ParticipantContent { names: owned(names), contacts: owned(contacts), ..ParticipantContent::default() };
            let meta = ParticipantMeta { token, consents: 0 };
            act.tables().add_participant(id, site, meta_slot, &meta_key, &meta, slot, &key, &content)?;
            act.event(Event::Participant { participant: token });
            Ok(id)
        })
        .unwrap()
}

/// Takes an interview in. Speakers: label, role, and the participant.
pub fn interview(
    vault: &mut Vault<Unlocked>,
    code: &str,
    speakers: &[(&str, SpeakerRole, Option<ParticipantId>)],
) -> InterviewId {
    let prefix = &code[..2];
    vault
        .commit("test", |act| {
            let site = act.site_by_prefix(prefix)?.unwrap().id;
            let (id, token) = (InterviewId::random()?, Token::random()?);
            let (slot, key) = act.new_key(Class::Meta)?;
            let (content_slot, content_key) = act.new_key(Class::Content(site))?;
            let speaker = |(label, role, participant): &(&str, SpeakerRole, Option<ParticipantId>)| Speaker {
                label: (*label).to_owned(),
                role: *role,
                participant: *participant,
            };
            let body = Interview {
                code: code.to_owned(),
                token,
                seed: "AA==".to_owned(),
                date: "2023-05-17".parse().unwrap(),
                place: "Gyumri".to_owned(),
                language: "en".to_owned(),
                speakers: speakers.iter().map(speaker).collect(),
                ingested: act.now(),
                state: State::default(),
            };
            let content = InterviewContent::default();
            act.tables().add_interview(id, site, slot, &key, &body, content_slot, &content_key, &content)?;
            let mut voices = Vec::new();
            for participant in body.participants() {
                act.tables().add_voice(id, participant)?;
                voices.push(act.load_participant(participant)?.body.token);
            }
            act.tables().set_tag(TagKind::Code, &act.tag(TagKind::Code, code)?, id.as_bytes())?;
            act.tables().set_tag(TagKind::Token, &act.tag(TagKind::Token, &token.to_string())?, id.as_bytes())?;
            act.event(Event::Item { item: token, site, voices });
            Ok(id)
        })
        .unwrap()
}

/// Records the name of a speaker who is no participant.
pub fn name_other(vault: &mut Vault<Unlocked>, id: InterviewId, label: &str, name: &str) {
    vault
        .commit("test", |act| {
            let interview = act.load_interview(id)?;
            let (key, mut content) = act.interview_content(&interview.row)?;
            let person = ParticipantContent { names: vec![name.to_owned()], ..ParticipantContent::default() };
            content.others.insert(label.to_owned(), person);
            act.tables().set_interview_content(id, &key, &content)?;
            act.event(Event::Checked { faults: 0 });
            Ok(())
        })
        .unwrap()
}

/// Takes a transcript version in. Turns: label and words; ten seconds each.
pub fn transcript(vault: &mut Vault<Unlocked>, interview: InterviewId, turns: &[(&str, &str)]) -> TranscriptId {
    vault
        .commit("test", |act| {
            let mut loaded = act.load_interview(interview)?;
            let (id, token) = (TranscriptId::random()?, Token::random()?);
            let version = u32::try_from(act.transcripts(interview)?.len()).unwrap() + 1;
            let (slot, key) = act.new_key(Class::Content(loaded.row.site))?;
            let facts = |(n, (label, _)): (u64, &(&str, &str))| TurnFacts {
                label: Some((*label).to_owned()),
                start_ms: Some(n * 10_000),
                end_ms: Some((n + 1) * 10_000),
            };
            let outline = Outline {
                token,
                kind: TranscriptKind::Verbatim,
                language: "en".to_owned(),
                parent: None,
                ingested: act.now(),
                turns: (0..).zip(turns).map(facts).collect(),
                checked: Default::default(),
                review: None,
            };
            let texts = turns.iter().map(|(_, text)| (*text).to_owned()).collect();
            let content = TranscriptContent { maker: None, file: "t.txt".to_owned(), texts };
            let tables = act.tables();
            let marks = Marks::default();
            tables.add_transcript(id, interview, version, slot, &loaded.key, &outline, &key, &content, &marks)?;
            loaded.body.state.transcripts = version;
            tables.set_interview(interview, &loaded.key, &loaded.body)?;
            act.event(Event::Transcript {
                transcript: token,
                item: loaded.body.token,
                version: version.into(),
                kind: "verbatim".to_owned(),
            });
            Ok(id)
        })
        .unwrap()
}
