//! Deliveries taken in: the sample's, later ones, bad ones, and very many.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{again, approve, deliver, enrol, found, person, unlock};
use subrosa::base::Kind;
use subrosa::base::progress::Silent;
use subrosa::base::role::{Role, RoleGrant};
use subrosa::crypto::identity::Identity;
use subrosa::domain::consent::Evidence;
use subrosa::domain::interview::{Object, ObjectKind, SpeakerRole};
use subrosa::domain::transcript::TranscriptKind;
use subrosa::ledger::entry::Entry;
use subrosa::ledger::event::{Event, Module, ModuleState};
use subrosa::ops::ingest::{self, Checked, Taken};
use subrosa::ops::interview::{self, Filter};
use subrosa::redact::mark::{Mark, Marks};
use subrosa::redact::{Class, Span};
use subrosa::sample;
use subrosa::session::{Change, Unlocked, Vault, change_membership};
use subrosa::store::objects;

const NOW: &str = "2026-02-01T00:00:00Z";

struct House {
    dir: tempfile::TempDir,
    ada: Identity,
    ben: Identity,
}

impl House {
    /// A vault with a steward, an archivist of all sites, and approvals for everything.
    fn new() -> Self {
        let house = Self::without_approvals();
        approve(&mut house.ada());
        house
    }

    fn without_approvals() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (ada, ben) = (person("Ada"), person("Ben"));
        found(dir.path(), &ada, vec![]);
        let house = Self { dir, ada, ben };
        enrol(&mut house.ada(), &house.ben, Role::Archivist);
        house
    }

    fn ada(&self) -> Vault<Unlocked> {
        unlock(self.dir.path(), &self.ada, NOW).unwrap()
    }

    fn ben(&self) -> Vault<Unlocked> {
        unlock(self.dir.path(), &self.ben, NOW).unwrap()
    }

    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.dir.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// The sample's first delivery in a folder of its own.
    fn first(&self) -> PathBuf {
        let folder = self.folder("first");
        deliver(&folder, sample::FIRST);
        folder
    }
}

fn check(vault: &mut Vault<Unlocked>, dir: &Path) -> Checked {
    ingest::check(vault, dir, &[], &Silent).unwrap()
}

fn take(vault: &mut Vault<Unlocked>, dir: &Path) -> Taken {
    let checked = check(vault, dir);
    assert_eq!(checked.plan.faults, []);
    ingest::take(vault, &checked, &Silent).unwrap()
}

/// What `place: what` the faults of a delivery are.
fn faults(vault: &mut Vault<Unlocked>, dir: &Path) -> Vec<String> {
    let checked = check(vault, dir);
    assert!(checked.plan.faults.is_empty() || ingest::take(vault, &checked, &Silent).is_err());
    checked.plan.faults.into_iter().map(|f| format!("{}: {}", f.place, f.what)).collect()
}

fn entry(vault: &Vault<Unlocked>) -> Entry {
    let size = vault.log().head().unwrap().size;
    vault.log().entry(size - 1).unwrap()
}

fn write(dir: &Path, manifest: &str, files: &[(&str, &[u8])]) {
    fs::write(dir.join("manifest.csv"), manifest).unwrap();
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A second of silence.
fn wav(samples: u32) -> Vec<u8> {
    let mut bytes = Vec::from(*b"RIFF");
    bytes.extend((36 + samples * 2).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend([1, 0, 1, 0]);
    bytes.extend(8_000u32.to_le_bytes());
    bytes.extend(16_000u32.to_le_bytes());
    bytes.extend([2, 0, 16, 0]);
    bytes.extend(b"data");
    bytes.extend((samples * 2).to_le_bytes());
    bytes.resize(bytes.len() + samples as usize * 2, 0);
    bytes
}

#[test]
fn the_sample_comes_in_and_comes_in_once() {
    let house = House::new();
    let mut vault = house.ben();
    let dir = house.first();
    let checked = check(&mut vault, &dir);
    assert_eq!(checked.plan.faults, []);
    assert_eq!(checked.plan.new_interviews(), 12);
    let notices = checked.plan.notices.join("\n");
    for wanted in ["look-alike letters", "another separator", "Windows-1251", "UTF-16"] {
        assert!(notices.contains(wanted), "{wanted}: {notices}");
    }
    let taken = ingest::take(&mut vault, &checked, &Silent).unwrap();
    assert_eq!((taken.interviews, taken.participants, taken.recordings), (12, 14, 12));
    assert_eq!((taken.transcripts, taken.documents, taken.evidence, taken.consents), (12, 3, 1, 15));
    assert_eq!(ingest::left(&checked).files, sample::FIRST.len() as u64);

    // The ledger names nothing but tokens, sites, digests and states.
    let entry = entry(&vault);
    assert_eq!(entry.command, "ingest");
    let text = String::from_utf8(entry.to_bytes().unwrap()).unwrap();
    let secrets: serde_json::Map<String, serde_json::Value> = serde_json::from_str(sample::SECRETS).unwrap();
    for secret in secrets.values().filter_map(|v| v.as_array()).flatten().filter_map(|s| s.as_str()) {
        assert!(!text.contains(secret));
    }
    for told in ["2022-", "2023-", "2024-", "-04-15", "Gyumri"] {
        assert!(!text.contains(told), "{told}");
    }
    assert_eq!(entry.events.iter().filter(|e| matches!(e, Event::Participant { .. })).count(), 14);

    // Rows: two interviews of one participant, a bystander, a condition, an embargo, evidence heard and written.
    let view = vault.view().unwrap();
    let of = |code: &str| view.find_interview(code).unwrap();
    let (ge, sr) = (of("GE-01"), of("SR-03"));
    assert_eq!(ge.body.participants(), sr.body.participants());
    let person = view.load_participant(ge.body.participants()[0]).unwrap();
    assert_eq!(view.heard_in(person.row.id).unwrap().len(), 2);
    assert_eq!(view.consent_events(&person).unwrap().len(), 2);
    assert_eq!(view.participant_content(&person.row).unwrap().1.birth_year, Some(1988));
    let ge2 = of("GE-02");
    assert_eq!(ge2.body.speaker("X").unwrap().role, SpeakerRole::Bystander);
    let (_, content) = view.interview_content(&ge2.row).unwrap();
    assert!(content.others.contains_key("X") && content.metadata.len() == 1 && content.notes.len() == 1);
    let (_, content) = view.interview_content(&of("PL-01").row).unwrap();
    assert_eq!(content.conditions.len(), 1);
    let pl = of("PL-02");
    let mother = view.load_participant(pl.body.speaker("R1").unwrap().participant.unwrap()).unwrap();
    assert!(matches!(view.consent_events(&mother).unwrap()[0].evidence, Some(Evidence::Written { .. })));
    let am2 = of("AM-02");
    let he = view.load_participant(am2.body.speaker("R2").unwrap().participant.unwrap()).unwrap();
    let event = &view.consent_events(&he).unwrap()[0];
    assert_eq!(event.modules[&Module::Reuse], ModuleState::Refused);
    assert!(matches!(event.evidence, Some(Evidence::Oral { time, .. }) if time.to == 13_000));
    let am3 = of("am 3");
    let rows = view.transcripts(am3.row.id).unwrap();
    assert!(view.transcript_content(&rows[0], am3.row.site).unwrap().1.texts.iter().any(|t| t.contains('ж')));
    let sr1 = of("SR-01");
    let rows = view.transcripts(sr1.row.id).unwrap();
    let outline = view.outline(&rows[1], &sr1.key).unwrap();
    assert!(
        outline.kind == TranscriptKind::Translation && outline.parent == Some(rows[0].id) && outline.language == "en"
    );

    // Recordings come back byte by byte.
    for row in view.objects(am3.row.id).unwrap() {
        let object: Object = row.body.open(&am3.key).unwrap();
        let key = view.object_key(&row, am3.row.site).unwrap();
        let mut bytes = Vec::new();
        objects::read(vault.layout(), row.id, &key, object.length, &mut bytes, &Silent).unwrap();
        assert!(object.kind == ObjectKind::Recording && bytes == fs::read(dir.join("recordings/AM-03.ogg")).unwrap());
    }

    // Once more: nothing.
    let again = check(&mut vault, &dir);
    assert_eq!(again.plan.faults, []);
    assert!(again.plan.is_empty() && again.plan.unchanged == 12);
    assert_eq!(again.plan.known_files, 28);
    assert!(matches!(&entry_of(&vault)[..], [Event::Opened { tokens, .. }] if tokens.len() == 12));
    let nothing = ingest::take(&mut vault, &again, &Silent).unwrap();
    assert_eq!(nothing, Taken { known_files: 28, ..Taken::default() });
}

fn entry_of(vault: &Vault<Unlocked>) -> Vec<Event> {
    entry(vault).draft.events
}

#[test]
fn a_later_delivery_adds_and_marks_go_along() {
    let house = House::new();
    let mut vault = house.ben();
    take(&mut vault, &house.first());
    // Marks on the first version: one on a turn that stays, one on a turn that the second reader changed.
    let later = house.folder("later");
    deliver(&later, sample::LATER);
    vault
        .commit("redact mark", |act| {
            let am3 = act.find_interview("AM-03")?;
            let rows = act.transcripts(am3.row.id)?;
            let (key, content) = act.transcript_content(&rows[0], am3.row.site)?;
            let mark = |turn: usize| {
                let end = content.texts[turn].chars().count().min(3);
                let span = Span { start: 0, end, class: Class::Person, layer: "known", replacement: "[p]".into() };
                let turn = u32::try_from(turn).unwrap();
                Mark::suggested(turn, turn, &span).unwrap()
            };
            let marks: Vec<Mark> = (0..content.texts.len()).map(mark).collect();
            let next = u32::try_from(marks.len()).unwrap();
            act.tables().set_marks(rows[0].id, &key, &Marks { engine: Some("x".into()), next, marks })?;
            act.event(Event::Checked { faults: 0 });
            Ok(())
        })
        .unwrap();
    let taken = take(&mut vault, &later);
    assert_eq!((taken.interviews, taken.added_to, taken.transcripts, taken.recordings), (0, 2, 2, 0));
    assert!(taken.marks_carried > 0 && taken.marks_to_look_at > 0, "{taken:?}");
    let shown = interview::show(&mut vault, "AM-03", false).unwrap();
    assert_eq!(shown.transcripts.len(), 2);
    assert_eq!((shown.transcripts[1].version, shown.transcripts[1].made_from), (2, Some(1)));
    assert_eq!(shown.transcripts[1].marks, Some(taken.marks_carried));
    assert_eq!(interview::show(&mut vault, "AM-04", false).unwrap().state, "transcribed");
    assert!(check(&mut vault, &later).plan.is_empty());
    assert!(check(&mut vault, &house.first()).plan.is_empty());
}

#[test]
fn lists_and_shows_are_by_site_and_in_the_ledger() {
    let house = House::new();
    let mut vault = house.ben();
    take(&mut vault, &house.first());
    let all = interview::list(&mut vault, &Filter::default()).unwrap();
    assert_eq!(all.len(), 12);
    assert_eq!(all[0].code, "AM-01");
    assert!(matches!(&entry_of(&vault)[..], [Event::Listed { count: 12, filters, .. }] if filters.is_empty()));
    let filter = Filter { sites: vec!["am".into()], from: "2023-05-01".parse().ok(), ..Filter::default() };
    let some = interview::list(&mut vault, &filter).unwrap();
    assert_eq!(some.iter().map(|l| l.code.as_str()).collect::<Vec<_>>(), ["AM-03", "AM-04"]);
    assert_eq!((some[0].state.as_str(), some[1].state.as_str()), ("transcribed", "recorded"));
    let state = Filter { state: Some("open".into()), ..Filter::default() };
    assert!(interview::list(&mut vault, &state).is_err());
    let shown = interview::show(&mut vault, "AM-02", true).unwrap();
    assert_eq!(shown.consent.len(), 2);
    assert_eq!(shown.consent[0].modules[&Module::Teaching], ModuleState::Granted);
    assert_eq!(shown.names.unwrap().speakers.len(), 3);
    assert!(matches!(&entry_of(&vault)[..], [Event::Opened { tokens, .. }] if tokens.len() == 5));
    drop(vault);

    // A steward sees everything but names and marks; an archivist of one site that site only.
    let mut vault = house.ada();
    assert_eq!(interview::list(&mut vault, &Filter::default()).unwrap().len(), 12);
    assert_eq!(interview::show(&mut vault, "AM-02", false).unwrap().transcripts[0].marks, None);
    assert_eq!(interview::show(&mut vault, "AM-02", true).err().unwrap().kind(), Kind::Denied);
    let cid = person("Cid");
    let site = vault.view().unwrap().site_by_prefix("GE").unwrap().unwrap().id;
    let roles = vec![RoleGrant { role: Role::Archivist, sites: Some(vec![site]) }];
    change_membership(&mut vault, Change::Enrol(cid.card().clone(), roles)).unwrap();
    drop(vault);
    drop(house.ben());
    let mut vault = unlock(house.dir.path(), &again(&cid), NOW).unwrap();
    assert_eq!(interview::list(&mut vault, &Filter::default()).unwrap().len(), 3);
    assert!(interview::show(&mut vault, "GE-02", true).is_ok());
    assert_eq!(interview::show(&mut vault, "AM-02", false).err().unwrap().kind(), Kind::Denied);
    let refused = ingest::check(&mut vault, &house.first(), &[], &Silent).err().unwrap();
    assert_eq!(refused.kind(), Kind::Denied);
}

#[test]
fn every_fault_is_listed_and_nothing_is_taken() {
    let house = House::new();
    let mut vault = house.ben();
    let dir = house.folder("bad");
    let outside = house.folder("outside");
    fs::write(outside.join("x.wav"), wav(8_000)).unwrap();
    let manifest = "\
code,date,language,label,role,participant,name,birth_year,consent_form,consent_except,evidence,evidence_from,evidence_to,recording,transcript,transcript_kind,transcript_of
AM-01,2027-01-01,ru,R,participant,,,,v2,,,,,a.wav,,,
AM-02,2019-01-01,ru,R,participant,,,,v9,,,,,empty.wav,,,
AM-03,2023-01-01,ru,R,participant,,,2024,v2,open=granted,,,,noise.wav,,,
AM-04,2023-01-01,ru,R,participant,AM-77:R,,,v2,,,,,cut.wav,,,
AM-05,2023-01-01,ru,R,participant,,,,v2,,b.wav,0,9,b.wav,,,
AM-06,2023-01-01,ru,I,interviewer,,,,,,,,,copy.wav,,,
AM-07,,,R,participant,,,,v2,,,,,missing.wav,,,
AM-08,2023-01-01,ru,R,participant,,,,v2,,,,,link.wav,,,
AM-09,2023-01-01,ru,R,participant,,,,v2,,,,,,t.txt,raw,
AM-09,,,,,,,,,,,,,,u.txt,corrected,7
AM-09,,,,,,,,,,,,,,v.txt,corrected,nowhere.txt
AM-10,2023-01-01,ru,R,participant,AM-11:R,,,v2,,,,,,,,
AM-11,2023-01-01,ru,R,participant,AM-10:R,,,v2,,,,,,w.txt,corrected,x.txt
AM-11,,,,,,,,,,,,,,x.txt,corrected,w.txt
AM-11,,,,,,,,,,,,,,y.bin,raw,
XX-12,2023-01-01,ru,R,participant,,,,v2,,,,,,,,
AM-13,17.05.2023,ru,R,participant,,,,v2,,,,,../outside/x.wav,,,
";
    let mut cut = wav(8_000);
    cut.truncate(2_000);
    write(
        &dir,
        manifest,
        &[
            ("a.wav", &wav(8_000)),
            ("b.wav", &wav(8_001)),
            ("copy.wav", &wav(8_000)),
            ("empty.wav", b""),
            ("noise.wav", b"this is no recording at all"),
            ("cut.wav", &cut),
            ("t.txt", b"R: yes\nMaria: no\n"),
            ("u.txt", b"R: u\n"),
            ("v.txt", b"R: v\n"),
            ("w.txt", b"R: w\n"),
            ("x.txt", b"R: x\n"),
            ("y.bin", b"R: y\n"),
        ],
    );
    std::os::unix::fs::symlink(outside.join("x.wav"), dir.join("link.wav")).unwrap();
    let found = faults(&mut vault, &dir).join("\n");
    for wanted in [
        "line 2, column date: the interview lies in the future",
        "line 3, column date: no recorded approval covers fieldwork at this site on this day (host, university)",
        "line 3, column consent_form: the study has no form",
        "line 3, column recording: the file is empty",
        "line 4, column birth_year: somebody is said to be born",
        "line 4, column consent_except: the module of an exception is not known",
        "line 4, column recording: the file is not a recording",
        "line 5, column participant: no participant with this label",
        "line 5, column recording: the recording is cut off",
        "line 6, column evidence_to: the place of the consent lies beyond",
        "line 7, column label: the interview has no participant",
        "line 7, column recording: the delivery has the same file twice",
        "line 8, column date: the interview has no date",
        "line 8, column language: the interview has no language",
        "line 8, column recording: there is no such file",
        "line 9, column recording: the file is a link",
        "line 10, column transcript, line 2 of the file: a speaker is named",
        "line 11, column transcript_of: the vault has no such version",
        "line 12, column transcript_of: the file that it was made from",
        "line 13, column participant: the participant is said to be themselves",
        "column transcript_of: the transcript that it was made from is at fault",
        "line 16, column transcript: the file is no transcript",
        "line 17, column code: the code begins with no prefix",
        "line 18, column date: the date is not of the form",
        "line 18, column recording: a file name leads out of the delivery",
    ] {
        assert!(found.contains(wanted), "{wanted}\n---\n{found}");
    }
    for secret in ["Maria", "noise", "nowhere", "AM-", "XX"] {
        assert!(!found.contains(secret), "{secret}\n---\n{found}");
    }
    let view = vault.view().unwrap();
    assert_eq!(view.interview_count().unwrap(), 0);
    assert!(view.participants().unwrap().is_empty() && view.all_objects().unwrap().is_empty());
    assert!(objects::list(vault.layout()).unwrap().0.is_empty());

    // What is right can come in without the rest.
    let wrong =
        ["AM-01", "am 2", "AM-03", "AM-04", "AM-05", "AM-06", "AM-07", "AM-08", "AM-09", "AM-10", "AM-11", "AM-13"];
    let without: Vec<String> = wrong.map(str::to_owned).into();
    let plan = ingest::check(&mut vault, &dir, &without, &Silent).unwrap().plan;
    assert_eq!(plan.faults.len(), 1);
    assert!(ingest::check(&mut vault, &dir, &["AM-99".into()], &Silent).is_err());
}

#[test]
fn an_approval_is_needed_for_every_board() {
    let house = House::without_approvals();
    let found = faults(&mut house.ben(), &house.first());
    assert_eq!(found.len(), 12, "{found:?}");
    assert!(found.iter().all(|f| f.contains("no recorded approval")));
}

#[test]
fn what_contradicts_the_vault_is_a_fault() {
    let house = House::new();
    let mut vault = house.ben();
    take(&mut vault, &house.first());
    let dir = house.folder("other");
    let manifest = "\
code,date,language,label,role,participant,name,gender,consent_form,recording,transcript,transcript_kind,document,notes
AM-01,2023-01-01,en,О,interviewer,,,,,,,,,
AM-02,,,R1,participant,GE-01:Респондент,Другая,man,v1,,,,,
AM-03,,,,,,,,,am4.wav,,,,
AM-04,,,,,,,,,,am1.txt,verbatim,,
GE-01,,,,,,,,,,,,sheet.txt,Called again.
";
    let sample = |path: &str| sample::FIRST.iter().find(|f| f.path == path).unwrap().bytes;
    write(
        &dir,
        manifest,
        &[
            ("am4.wav", sample("recordings/AM-04.wav")),
            ("am1.txt", sample("transcripts/AM-01.txt")),
            ("sheet.txt", sample("documents/information-sheet.txt")),
        ],
    );
    let found = faults(&mut vault, &dir).join("\n");
    for wanted in [
        "line 2, column date: the vault knows something else",
        "line 2, column language: the vault knows something else",
        "line 2, column role: the vault knows this speaker in another role",
        "line 3, column participant: the vault knows this speaker as another participant",
        "line 4, column recording: the vault has this very file already, at another interview",
        "line 5, column transcript",
    ] {
        assert!(found.contains(wanted), "{wanted}\n---\n{found}");
    }
    // A consent that is said otherwise, and another name.
    let manifest = "code,label,role,name,gender,consent_form\nAM-02,R1,participant,Другая,man,v1\n";
    write(&dir, manifest, &[]);
    let found = faults(&mut vault, &dir).join("\n");
    for column in ["name", "gender", "consent_form"] {
        assert!(found.contains(&format!("column {column}: ")), "{found}");
    }
    // A document that belongs to many, and notes, add up.
    let manifest = "code,document,document_kind,notes\nGE-01,sheet.txt,information_sheet,Called again.\n";
    write(&dir, manifest, &[]);
    let taken = take(&mut vault, &dir);
    assert_eq!((taken.added_to, taken.documents), (1, 1));
    assert!(check(&mut vault, &dir).plan.is_empty());
    assert_eq!(interview::show(&mut vault, "GE-01", true).unwrap().names.unwrap().notes, ["Called again."]);
}

#[test]
fn a_file_that_changes_while_it_is_taken_in_stops_everything() {
    let house = House::new();
    let mut vault = house.ben();
    let dir = house.first();
    let checked = check(&mut vault, &dir);
    let size = vault.log().head().unwrap().size;
    for name in ["recordings/SR-03.opus", "transcripts/SR-03.txt"] {
        let path = dir.join(name);
        let bytes = fs::read(&path).unwrap();
        let mut other = bytes.clone();
        *other.last_mut().unwrap() ^= 1;
        fs::write(&path, &other).unwrap();
        let error = ingest::take(&mut vault, &checked, &Silent).unwrap_err();
        assert!(error.what().contains("changed while"), "{error:?}");
        fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(vault.log().head().unwrap().size, size);
    assert_eq!(vault.view().unwrap().interview_count().unwrap(), 0);
    assert!(objects::list(vault.layout()).unwrap().0.is_empty());
    assert_eq!(fs::read_dir(vault.layout().tmp()).unwrap().count(), 0);
    // A plan that somebody else has overtaken is not carried out.
    let mut other = house.ben();
    take(&mut other, &dir);
    assert!(ingest::take(&mut vault, &checked, &Silent).unwrap_err().what().contains("was changed"));
    assert_eq!(vault.view().unwrap().interview_count().unwrap(), 12);
}

#[test]
fn labels_that_the_study_knows_need_no_row() {
    let house = House::new();
    let mut vault = house.ben();
    let dir = house.folder("labels");
    let manifest =
        "code,date,language,label,role,transcript,transcript_kind\nAM-01,2023-01-01,ru,Р,participant,t.txt,raw\n";
    write(&dir, manifest, &[("t.txt", "И: Когда?\nР: Весной.\n".as_bytes())]);
    let checked = check(&mut vault, &dir);
    assert_eq!(checked.plan.faults, []);
    let notices = checked.plan.notices.join("\n");
    assert!(notices.contains("nobody asked") && notices.contains("what the study says of the label"), "{notices}");
    ingest::take(&mut vault, &checked, &Silent).unwrap();
    let shown = interview::show(&mut vault, "AM-01", false).unwrap();
    assert_eq!(shown.speakers[1].role, SpeakerRole::Interviewer);
    assert!(shown.consent[0].modules.values().all(|s| *s == ModuleState::NotAsked));
    assert!(check(&mut vault, &dir).plan.is_empty());
}

#[test]
fn somebody_heard_before_is_joined_and_more_is_known_of_them() {
    let house = House::new();
    let mut vault = house.ben();
    take(&mut vault, &house.first());
    let dir = house.folder("joined");
    let manifest = "\
code,date,place,language,label,role,participant,also_known_as,consent_form,recording,evidence,evidence_to
SR-04,2024-09-01,Belgrade,ru,О,participant,ge_1:Респондент,Игнатий,v1,a.wav,a.wav,1
AM-01,,,,X,bystander,,,,,,
";
    write(&dir, manifest, &[("a.wav", &wav(8_000))]);
    let taken = take(&mut vault, &dir);
    assert_eq!((taken.interviews, taken.added_to, taken.participants, taken.consents), (1, 1, 0, 1));
    let shown = interview::show(&mut vault, "SR-04", true).unwrap();
    assert_eq!(shown.speakers[0].heard_in, Some(3));
    assert_eq!(shown.consent[0].events, 3);
    // Agreed on the first form there: re-use was not asked here, and still is granted where it was.
    assert_eq!(shown.consent[0].modules[&Module::Reuse], ModuleState::NotAsked);
    assert!(shown.names.unwrap().speakers["О"].also_known_as.contains(&"Игнатий".to_owned()));
    let shown = interview::show(&mut vault, "GE-01", false).unwrap();
    assert_eq!(shown.consent[0].modules[&Module::Reuse], ModuleState::Granted);
    let shown = interview::show(&mut vault, "AM-01", false).unwrap();
    assert!(shown.speakers.iter().any(|s| s.label == "X" && s.role == SpeakerRole::Bystander));
    assert!(check(&mut vault, &dir).plan.is_empty());
    // Only what is said of a known person: still something to take in.
    write(&dir, "code,label,role,contacts\nSR-04,О,participant,ignat@example.org\n", &[]);
    let checked = check(&mut vault, &dir);
    assert!(checked.plan.described == 1 && !checked.plan.is_empty());
    ingest::take(&mut vault, &checked, &Silent).unwrap();
    assert!(matches!(&entry_of(&vault)[..], [Event::Opened { tokens, .. }] if tokens.len() == 1));
    write(&dir, "code,notes\nSR-04,Rang back.\n", &[]);
    assert_eq!(take(&mut vault, &dir).added_to, 1);
    assert_eq!(interview::show(&mut vault, "SR-04", true).unwrap().names.unwrap().notes, ["Rang back."]);
}

/// As many interviews as `SUBROSA_MANY` says, 200 otherwise: time must grow in line with them.
#[test]
#[expect(clippy::print_stderr, reason = "how long it takes is what one wants to see")]
fn very_many_transcripts_come_in_quickly() {
    let many: u32 = std::env::var("SUBROSA_MANY").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    let house = House::new();
    let mut vault = house.ben();
    let dir = house.folder("many");
    let mut manifest = String::from("code,date,language,label,role,name,consent_form,transcript,transcript_kind\n");
    for n in 1..=many {
        manifest.push_str(&format!("AM-{n},2023-01-01,ru,R,participant,Имя {n},v2,t/{n}.txt,raw\n"));
        let mut text = String::new();
        while text.len() < 20_000 {
            text.push_str(&format!(
                "I: Вопрос {n}: что было дальше?\nR: Потом мы уехали, и было это в {}.\n",
                text.len()
            ));
        }
        write(&dir, "", &[(&format!("t/{n}.txt"), text.as_bytes())]);
    }
    write(&dir, &manifest, &[]);
    let begun = std::time::Instant::now();
    let checked = check(&mut vault, &dir);
    assert_eq!(checked.plan.faults, []);
    let looked = begun.elapsed();
    let taken = ingest::take(&mut vault, &checked, &Silent).unwrap();
    let took = begun.elapsed() - looked;
    assert_eq!(taken.transcripts, u64::from(many));
    let begun = std::time::Instant::now();
    assert_eq!(interview::list(&mut vault, &Filter::default()).unwrap().len() as u64, u64::from(many));
    let listed = begun.elapsed();
    let begun = std::time::Instant::now();
    assert!(check(&mut vault, &dir).plan.is_empty());
    eprintln!(
        "{many} interviews: checked in {looked:?}, taken in {took:?}, listed in {listed:?}, checked again in {:?}",
        begun.elapsed()
    );
}
