//! The ledger read, verified, exported, witnessed; the vault checked, whole and with every part of it hurt.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics fails")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{again, enrol, found, moment, person, unlock};
use subrosa::base::Kind;
use subrosa::base::id::{ConsentEventId, InterviewId, ObjectId, ParticipantId, Token, TranscriptId};
use subrosa::base::progress::Silent;
use subrosa::base::role::{Role, RoleGrant};
use subrosa::crypto::card::VaultCard;
use subrosa::crypto::identity::Identity;
use subrosa::domain::consent::{ConsentEvent, ConsentScope, LegalBasis};
use subrosa::domain::interview::{Interview, InterviewContent, Object, ObjectKind, Speaker, SpeakerRole, State};
use subrosa::domain::participant::{ParticipantContent, ParticipantMeta};
use subrosa::domain::transcript::{Outline, TranscriptContent, TranscriptKind, TurnFacts};
use subrosa::ledger::event::{ConsentAct, Digest, Event, Module, ModuleState};
use subrosa::ledger::proof::Proof;
use subrosa::ops::audit::{self, Against, Filter, Names, Slip, VerifyReport};
use subrosa::ops::check::{self, CheckReport, Options};
use subrosa::redact::mark::Marks;
use subrosa::session::{Change, Unlocked, Vault, change_membership};
use subrosa::store::catalogue::TagKind;
use subrosa::store::keyfile::Class;
use subrosa::store::objects;
use subrosa::store::state::StateFolder;

const DAY: &str = "2026-02-01T10:00:00Z";
const NAME: &str = "Planted Personname";

struct House {
    dir: tempfile::TempDir,
    ada: Identity,
    ben: Identity,
    eva: Identity,
    board: Identity,
}

impl House {
    /// A vault with a steward, an archivist, an auditor, a board, and one interview.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (ada, ben, eva, board) = (person("Ada"), person("Ben"), person("Eva"), person("Board"));
        found(dir.path(), &ada, vec![board.signer().public()]);
        let mut vault = unlock(dir.path(), &ada, "2026-01-02T00:00:00Z").unwrap();
        enrol(&mut vault, &ben, Role::Archivist);
        enrol(&mut vault, &eva, Role::Auditor);
        let house = Self { dir, ada, ben, eva, board };
        take_in(&mut house.unlock(&house.ben), "AM-05");
        house
    }

    fn unlock(&self, who: &Identity) -> Vault<Unlocked> {
        unlock(self.dir.path(), who, DAY).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn check(&self, who: &Identity, fast: bool) -> CheckReport {
        check::check(&mut self.unlock(who), Options { fast }, &Silent).unwrap()
    }

    fn export(&self, name: &str) -> PathBuf {
        let out = self.path(name);
        audit::export(&mut self.unlock(&self.eva), &out, &Silent).unwrap();
        out
    }

    fn recording(&self) -> PathBuf {
        let folder = fs::read_dir(self.path("vault/objects")).unwrap().next().unwrap().unwrap().path();
        fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
    }
}

/// One interview with one voice, a recording and a transcript, written by hand.
fn take_in(vault: &mut Vault<Unlocked>, code: &str) {
    let layout = vault.layout().clone();
    vault
        .commit("ingest", |act| {
            let site = act.site_by_prefix(&code[..2])?.unwrap().id;
            let (participant, interview) = (ParticipantId::random()?, InterviewId::random()?);
            let (person, item, file, version) =
                (Token::random()?, Token::random()?, Token::random()?, Token::random()?);
            let content = Class::Content(site);

            let (meta_slot, meta_key) = act.new_key(Class::Meta)?;
            let (content_slot, content_key) = act.new_key(content)?;
            let meta = ParticipantMeta { token: person, consents: 1 };
            let who = ParticipantContent { names: vec![NAME.into()], ..ParticipantContent::default() };
            act.tables().add_participant(
                participant,
                site,
                meta_slot,
                &meta_key,
                &meta,
                content_slot,
                &content_key,
                &who,
            )?;
            let consent = ConsentEvent {
                id: ConsentEventId::random()?,
                participant,
                act: ConsentAct::Given,
                scope: ConsentScope::All,
                from: act.now(),
                recorded: act.now(),
                form: Some(Digest::of(b"form")),
                modules: [(Module::Archive, ModuleState::Granted)].into(),
                tier: None,
                embargo: None,
                expiry: None,
                review_by: None,
                condition: None,
                condition_mapped: false,
                language: None,
                basis: LegalBasis::Consent,
                evidence: None,
            };
            act.tables().add_consent(consent.id, participant, 1, &meta_key, &consent)?;

            let (slot, key) = act.new_key(Class::Meta)?;
            let (notes_slot, notes_key) = act.new_key(content)?;
            let body = Interview {
                code: code.into(),
                token: item,
                seed: String::new(),
                date: "2026-01-20".parse()?,
                place: "Gyumri".into(),
                language: "hy".into(),
                speakers: vec![Speaker {
                    label: "P".into(),
                    role: SpeakerRole::Participant,
                    participant: Some(participant),
                }],
                ingested: act.now(),
                state: State { recordings: 1, transcripts: 1, ..State::default() },
            };
            let notes = InterviewContent::default();
            act.tables().add_interview(interview, site, slot, &key, &body, notes_slot, &notes_key, &notes)?;
            act.tables().add_voice(interview, participant)?;
            for (kind, text) in [(TagKind::Code, code.to_owned()), (TagKind::Token, item.to_string())] {
                let tag = act.tag(kind, &text)?;
                act.tables().set_tag(kind, &tag, interview.as_bytes())?;
            }

            let (object, (object_slot, object_key)) = (ObjectId::random()?, act.new_key(content)?);
            let staged = objects::stage(&layout, object, &object_key, &b"a recording"[..], &Silent)?;
            let digest = Digest(staged.sealed.digest);
            let facts = Object {
                token: file,
                kind: ObjectKind::Recording,
                form: "wav".into(),
                length: staged.sealed.plain_len,
                digest: digest.to_base64(),
                duration_ms: None,
                ingested: act.now(),
            };
            act.tables().put_object(object, interview, object_slot, &key, &facts)?;
            act.keep(staged);

            let (words_slot, words_key) = act.new_key(content)?;
            let outline = Outline {
                token: version,
                kind: TranscriptKind::Verbatim,
                language: "hy".into(),
                parent: None,
                ingested: act.now(),
                turns: vec![TurnFacts { label: Some("P".into()), start_ms: None, end_ms: None }],
                checked: std::collections::BTreeMap::new(),
                review: None,
            };
            let words = TranscriptContent { maker: None, file: "t.txt".into(), texts: vec!["Words.".into()] };
            let id = TranscriptId::random()?;
            act.tables().add_transcript(
                id,
                interview,
                1,
                words_slot,
                &key,
                &outline,
                &words_key,
                &words,
                &Marks::default(),
            )?;

            let facts = consent.facts(person, None)?;
            act.event(Event::Participant { participant: person });
            act.event(Event::Item { item, site, voices: vec![person] });
            act.event(Event::Object { object: file, item, kind: "recording".into(), digest });
            act.event(Event::Transcript { transcript: version, item, version: 1, kind: "verbatim".into() });
            act.event(Event::Consent(facts));
            Ok(())
        })
        .unwrap();
}

fn verify(dir: &Path) -> VerifyReport {
    audit::verify_export(dir, &Against::default(), &Silent).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, target) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn the_log_is_read_in_words_and_reading_is_logged() {
    let house = House::new();
    let all = Filter::default();
    let mut vault = house.unlock(&house.eva);
    let size = vault.log().head().unwrap().size;
    let page = audit::read_log(Some(&mut vault), None, &all, &Names::default()).unwrap();
    assert_eq!((page.size, page.entries.len() as u64, page.more), (size, size, false));
    assert!(page.entries[0].words[0].contains("founded"), "{:?}", page.entries[0].words);
    assert!(page.entries.iter().all(|line| line.name.is_none()));
    assert_eq!(vault.log().head().unwrap().size, size, "an auditor writes nothing");

    let mut vault = house.unlock(&house.ada);
    let mut names = Names::default();
    names.add_catalogue(&vault).unwrap();
    let filter = Filter { person: Some("ben".into()), last: Some(1), ..Filter::default() };
    let page = audit::read_log(Some(&mut vault), None, &filter, &names).unwrap();
    let found: Vec<_> = page.entries.iter().map(|l| (l.command.as_str(), l.name.as_deref())).collect();
    assert_eq!(found, [("ingest", Some("Ben"))]);
    let last = vault.log().entry(vault.log().head().unwrap().size - 1).unwrap();
    let expected = Event::Listed { what: "ledger".into(), filters: vec!["person".into(), "last".into()], count: 1 };
    assert_eq!((last.command.as_str(), last.events.as_slice()), ("audit log", [expected].as_slice()));
    let unknown = Filter { person: Some("nobody".into()), ..Filter::default() };
    assert!(audit::read_log(Some(&mut vault), None, &unknown, &names).is_err());

    let text = serde_json::to_string(&page).unwrap();
    assert!(!text.contains(NAME) && !text.contains("AM-05"));
    let export = house.export("out");
    let filter = Filter { command: Some("person".into()), ..Filter::default() };
    let whole = audit::read_log(None, Some(&export), &all, &Names::default()).unwrap();
    let some = audit::read_log(None, Some(&export), &filter, &Names::default()).unwrap();
    assert_eq!(whole.entries.len() as u64, whole.size);
    assert!(some.entries.len() < whole.entries.len());
}

#[test]
fn verifying_needs_each_signature_once() {
    let house = House::new();
    let mut vault = house.unlock(&house.eva);
    let first = audit::verify_vault(&mut vault, &Against::default(), &Silent).unwrap();
    assert!(first.sound, "{:?}", first.faults);
    assert_eq!((first.signatures_from, first.signatures), (0, first.entries));
    drop(vault);
    take_in(&mut house.unlock(&house.ben), "GE-01");
    let mut vault = house.unlock(&house.eva);
    let later = audit::verify_vault(&mut vault, &Against::default(), &Silent).unwrap();
    assert!(later.sound && later.earlier == 1, "{later:?}");
    assert_eq!((later.signatures_from, later.signatures), (first.entries, later.entries - first.entries));
    let all = Against { all: true, ..Against::default() };
    assert_eq!(audit::verify_vault(&mut vault, &all, &Silent).unwrap().signatures, later.entries);
}

#[test]
fn an_export_proves_itself_and_nothing_can_be_changed_in_it() {
    let house = House::new();
    let old = audit::checkpoint(&house.unlock(&house.eva)).unwrap();
    take_in(&mut house.unlock(&house.ben), "GE-01");
    let good = house.export("good");
    let report = verify(&good);
    assert!(report.sound && report.card_from_export, "{:?}", report.faults);
    assert_eq!(report.checkpoint, Some(report.entries));
    let kept = Against { checkpoints: vec![old.note.clone().into_bytes()], ..Against::default() };
    assert_eq!(audit::verify_export(&good, &kept, &Silent).unwrap().earlier, 1);
    assert!(audit::export(&mut house.unlock(&house.eva), &good, &Silent).is_err(), "an export never overwrites");

    let lines = fs::read_to_string(good.join("entries.jsonl")).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let join = |lines: Vec<&str>| lines.iter().map(|l| format!("{l}\n")).collect::<String>();
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    let mut doubled = lines.clone();
    doubled.insert(2, lines[2]);
    let cases = [
        ("head", join(lines[1..].to_vec())),
        ("middle", join([&lines[..1], &lines[2..]].concat())),
        ("tail", join(lines[..lines.len() - 1].to_vec())),
        ("altered", join(lines.clone()).replacen("\"archivist\"", "\"auditor\"", 1)),
        ("swapped", join(swapped)),
        ("doubled", join(doubled)),
        ("cut", join(lines.clone())[..1_000].to_owned()),
    ];
    for (name, text) in cases {
        let bad = house.path(name);
        copy(&good, &bad);
        fs::write(bad.join("entries.jsonl"), text).unwrap();
        let report = verify(&bad);
        assert!(!report.sound, "{name}");
        assert_eq!(report.require_sound().unwrap_err().kind(), Kind::Damage, "{name}");
    }
    // Rolled back with its checkpoint: only somebody who kept a later one can tell.
    let newest = fs::read(good.join("checkpoint")).unwrap();
    let bad = house.path("rolled-back");
    copy(&good, &bad);
    fs::remove_dir_all(bad.join("tile")).unwrap();
    fs::write(bad.join("entries.jsonl"), join(lines[..usize::try_from(old.size).unwrap()].to_vec())).unwrap();
    fs::write(bad.join("checkpoint"), &old.note).unwrap();
    assert!(verify(&bad).sound);
    let kept = Against { checkpoints: vec![newest], ..Against::default() };
    let report = audit::verify_export(&bad, &kept, &Silent).unwrap();
    assert!(report.faults.iter().any(|f| f.words.contains("rolled back")), "{:?}", report.faults);
    // A tile or a card of something else.
    let bad = house.path("tile");
    copy(&good, &bad);
    fs::write(bad.join(format!("tile/0/000.p/{}", report_size(&good))), [0; 32]).unwrap();
    assert!(verify(&bad).faults.iter().any(|f| f.part == "tree"));
    let other = House::new();
    fs::copy(other.path("vault/vault.card"), bad.join("vault.card")).unwrap();
    assert!(!verify(&bad).sound);
}

fn report_size(dir: &Path) -> usize {
    fs::read_to_string(dir.join("entries.jsonl")).unwrap().lines().count()
}

#[test]
fn a_board_cosigns_what_extends_the_last_head_and_nothing_else() {
    let house = House::new();
    let eva = house.unlock(&house.eva);
    let card = fs::read(house.path("vault/vault.card")).unwrap();
    let state = house.path("board.witness");
    let sign = |update: &str, card: Option<&[u8]>| {
        audit::witness(&state, card, update.as_bytes(), "board.example/ethics", &house.board, moment(DAY))
    };
    let first = audit::head_update(&eva, 0).unwrap().to_string();
    assert!(sign(&first, None).is_err(), "the first time it takes the card");
    let done = sign(&first, Some(&card)).unwrap();
    assert_eq!(done.before, 0);
    // The ledger grows before the line comes back.
    take_in(&mut house.unlock(&house.ben), "GE-01");
    let eva = house.unlock(&house.eva);
    let added = audit::add_cosignature(&eva, &done.line).unwrap();
    assert_eq!((added.size, added.cosigned), (done.size, vec!["board.example/ethics".to_owned()]));
    assert!(audit::add_cosignature(&eva, &done.line.replace("board.example", "other.example")).is_err());

    assert!(sign(&first, None).is_err() || done.size == audit::checkpoint(&eva).unwrap().size);
    assert!(sign(&audit::head_update(&eva, 0).unwrap().to_string(), None).is_err(), "a proof from another size");
    let next = sign(&audit::head_update(&eva, done.size).unwrap().to_string(), None).unwrap();
    assert_eq!(next.before, done.size);
    assert_eq!(sign(&first, None).unwrap_err().kind(), Kind::Damage, "an older head");
    audit::add_cosignature(&eva, &next.line).unwrap();
    drop(eva);
    let report = audit::verify_vault(&mut house.unlock(&house.eva), &Against::default(), &Silent).unwrap();
    assert!(report.sound && report.cosigned.len() == 1, "{report:?}");
    assert_eq!(verify(&house.export("out")).cosigned.len(), 1);

    let mut eva = house.unlock(&house.eva);
    let files = audit::proof(&mut eva, 1).unwrap();
    let card = VaultCard::parse(&card).unwrap();
    let proof = Proof::parse(files.proof.as_bytes()).unwrap();
    proof.verify(&files.entry, &card.origin(), &card.facts().log_key).unwrap();
    assert!(proof.verify(b"{}", &card.origin(), &card.facts().log_key).is_err());
    assert!(audit::proof(&mut eva, files.size).is_err());
}

#[test]
fn one_interview_is_followed_by_code_and_by_slip() {
    let house = House::new();
    take_in(&mut house.unlock(&house.ben), "GE-01");
    let mut ada = house.unlock(&house.ada);
    let told = audit::who_code(&mut ada, "AM-05", &Names::default()).unwrap();
    assert_eq!((told.tokens.len(), told.entries.len()), (4, 1), "{told:?}");
    let slip = Slip::of(&mut ada, "am05").unwrap();
    let bytes = slip.to_bytes().unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("AM"));
    let slip = Slip::parse(&bytes).unwrap();
    let told = audit::who_slip(&mut house.unlock(&house.eva), &slip, &Names::default()).unwrap();
    let commands: Vec<_> = told.entries.iter().map(|l| l.command.as_str()).collect();
    assert_eq!(commands, ["ingest", "audit who", "audit slip"]);
    let again = audit::who_export(&house.export("out"), &slip, &Names::default()).unwrap();
    assert_eq!(again.entries.len(), told.entries.len());
    assert!(audit::who_code(&mut house.unlock(&house.eva), "AM-05", &Names::default()).is_err());
}

#[test]
fn an_interview_of_another_site_is_not_followed() {
    let house = House::new();
    take_in(&mut house.unlock(&house.ben), "GE-01");
    let gia = person("Gia");
    let mut ada = house.unlock(&house.ada);
    let site = ada.view().unwrap().site_by_prefix("GE").unwrap().unwrap().id;
    let grants = vec![RoleGrant { role: Role::Archivist, sites: Some(vec![site]) }];
    change_membership(&mut ada, Change::Enrol(gia.card().clone(), grants)).unwrap();
    drop(ada);
    let mut vault = house.unlock(&gia);
    assert!(audit::who_code(&mut vault, "GE-01", &Names::default()).is_ok());
    assert!(Slip::of(&mut vault, "GE-01").is_ok());
    let error = audit::who_code(&mut vault, "AM-05", &Names::default()).unwrap_err();
    assert_eq!((error.kind(), Slip::of(&mut vault, "AM-05").unwrap_err().kind()), (Kind::Denied, Kind::Denied));
}

#[test]
fn a_site_that_nobody_can_open_any_more_is_named() {
    let house = House::new();
    let error = change_membership(&mut house.unlock(&house.ada), Change::Remove(house.ben.person_id())).unwrap_err();
    assert!(error.what().contains("nobody would be left"), "{error:?}");

    // The sealed keys are not signed, since they say nothing: somebody takes the archivist's out of the file.
    let path = house.path("vault/keyring.json");
    let mut keyring: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let ben = house.ben.person_id().to_string();
    assert!(keyring["wraps"].as_object_mut().unwrap().remove(&ben).is_some());
    fs::write(&path, subrosa::base::canonical::to_vec(&keyring).unwrap()).unwrap();
    let report = house.check(&house.ada, true);
    let named = |f: &check::Fault| f.hurt == "site AM" && f.what.contains("nobody holds the key");
    assert!(report.faults.iter().any(named), "{:?}", report.faults);
}

#[test]
fn a_keyring_that_is_not_what_stewards_wrote_is_named() {
    let house = House::new();
    let event = |who: &Identity, roles: Vec<RoleGrant>| Event::Person {
        person: who.person_id(),
        sign: *who.card().sign(),
        country: "EE".into(),
        roles,
    };
    let says = |vault: &mut Vault<Unlocked>, event: Event| {
        vault
            .commit("person role", |act| {
                act.event(event);
                Ok(())
            })
            .unwrap();
    };
    let of_keyring = |report: &CheckReport| report.faults.iter().filter(|fault| fault.hurt == "the keyring").count();
    // An archivist who names another steward changes nothing; that it was tried is named.
    let crown = vec![RoleGrant { role: Role::Steward, sites: None }];
    says(&mut house.unlock(&house.ben), event(&house.ben, crown));
    let report = house.check(&house.ada, true);
    assert!(!report.sound && of_keyring(&report) == 0, "{:?}", report.faults);
    says(&mut house.unlock(&house.ada), event(&house.eva, vec![]));
    let report = house.check(&house.ada, true);
    assert_eq!(of_keyring(&report), 1, "{:?}", report.faults);
}

#[test]
fn a_sound_vault_is_found_sound_by_everybody() {
    let house = House::new();
    for (who, unseen) in [(&house.ben, 0), (&house.ada, 1), (&house.eva, 1)] {
        for fast in [true, false] {
            let report = house.check(who, fast);
            assert!(report.sound, "{:?}", report.faults);
            assert!(report.notices.is_empty(), "{:?}", report.notices);
            assert_eq!(report.unseen.len(), unseen, "{:?}", report.unseen);
        }
    }
    let head = house.unlock(&house.ben).log().head().unwrap();
    let last = house.unlock(&house.ben).log().entry(head.size - 1).unwrap();
    assert_eq!(last.events, [Event::Checked { faults: 0 }]);
}

#[test]
fn a_hurt_recording_is_named_and_the_rest_is_looked_at() {
    let house = House::new();
    take_in(&mut house.unlock(&house.ben), "GE-01");
    let path = house.recording();
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(&path, &bad).unwrap();
    assert!(house.check(&house.ben, true).sound, "its size is right");
    let report = house.check(&house.ben, false);
    let [fault] = report.faults.as_slice() else { panic!("{:?}", report.faults) };
    assert!((fault.hurt == "AM-05" || fault.hurt == "GE-01") && fault.what.contains("recording"), "{fault:?}");
    assert_eq!(report.require_sound().unwrap_err().kind(), Kind::Damage);
    assert!(!report.require_sound().unwrap_err().what().contains(&fault.hurt));
    assert!(!house.check(&house.eva, false).sound, "an auditor sees that too, by the ledger's digests");
    fs::write(&path, &good[..good.len() - 2_000]).unwrap();
    assert!(!house.check(&house.ben, true).sound);
    fs::remove_file(&path).unwrap();
    let report = house.check(&house.ben, true);
    assert!(report.faults.len() == 1 && report.faults[0].what.contains("missing"), "{:?}", report.faults);
    assert!(!path.exists(), "nothing is mended");
    fs::write(&path, &good).unwrap();
    fs::write(path.with_file_name("stranger"), b"x").unwrap();
    fs::write(house.path("vault/tmp/x.part"), b"x").unwrap();
    let report = house.check(&house.ben, false);
    assert!(report.sound, "{:?}", report.faults);
    assert!(!report.notices.is_empty());
}

#[test]
fn rows_that_do_not_agree_with_each_other_or_the_ledger_are_named() {
    let house = House::new();
    let mut vault = house.unlock(&house.ben);
    // A program of somebody's own that changes rows without saying so.
    vault
        .commit("test", |act| {
            let interview = act.find_interview("AM-05")?;
            let mut body = interview.body;
            body.state.recordings = 7;
            body.code = "AM-06".into();
            act.tables().set_interview(interview.row.id, &interview.key, &body)?;
            let participant = act.voices(interview.row.id)?[0];
            let participant = act.load_participant(participant)?;
            let mut event = act.consent_events(&participant)?.remove(0);
            event.id = ConsentEventId::random()?;
            act.tables().add_consent(event.id, participant.row.id, 3, &participant.key, &event)?;
            act.new_key(Class::Meta)?;
            act.event(Event::Checked { faults: 0 });
            Ok(())
        })
        .unwrap();
    drop(vault);
    let report = house.check(&house.ben, true);
    let all: Vec<_> = report.faults.iter().map(|f| format!("{}: {}", f.hurt, f.what)).collect();
    for expected in [
        "7 recordings",
        "AM-06: it cannot be found by its code",
        "consent events",
        "not what the ledger tells",
        "codes lead to",
    ] {
        assert!(all.iter().any(|f| f.contains(expected)), "{expected} in {all:#?}");
    }
    assert!(report.notices.iter().any(|n| n.starts_with("1 keys")), "{:?}", report.notices);
}

#[test]
fn a_vault_that_does_not_unlock_is_looked_at_part_by_part() {
    let house = House::new();
    let path = house.path("vault.keys/keyfile");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = unlock(house.dir.path(), &house.ben, DAY).err().unwrap();
    let state = StateFolder::beside(&house.path("Ben.id"));
    let apart = || check::check_apart(&house.path("vault"), None, &again(&house.ben), &state, &error);
    let report = apart();
    let hurt: Vec<_> = report.faults.iter().map(|f| f.hurt.as_str()).collect();
    assert_eq!(hurt, ["the vault", "the key file"], "{:?}", report.faults);
    fs::write(house.path("vault/keyring.json"), b"{}").unwrap();
    assert!(apart().faults.iter().any(|f| f.hurt == "keyring.json"));
}
