//! The house that bad input comes to: a vault with people, interviews, requests and an extract. Made once, copied for each case.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use subrosa::base::progress::Silent;
use subrosa::base::role::{Role, RoleGrant};
use subrosa::base::secret::Passphrase;
use subrosa::base::time::{Clock, Moment, SystemClock};
use subrosa::crypto::card::VaultCard;
use subrosa::crypto::identity::{Identity, LockedIdentity};
use subrosa::crypto::kdf::KdfParams;
use subrosa::domain::study::Study;
use subrosa::ops::redact::{self, Which};
use subrosa::ops::{approval, build, decide, ingest, project, request};
use subrosa::session::{Change, Founding, Unlocked, Vault, change_membership, create};
use subrosa::store::state::StateFolder;

/// Where the house that is copied is made.
const TEMPORARY: &str = env!("CARGO_TARGET_TMPDIR");
/// Everybody's passphrase.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple 9";
/// The study of the sample.
pub(crate) const STUDY: &str = include_str!("../../src/sample/study.toml");
/// What the bad deliveries say of people. None of it may come back in a message.
pub(crate) const PLANTED: &[&str] =
    &["Varvara", "Shcheglova", "Щеглова", "Vetlitskaya", "varya", "374 91 000", "seamstress of", "planted"];

/// Everybody with keys: Ada and Sue are stewards, Ben an archivist, Dora and Emil analysts, Eve an auditor. Zoe is not enrolled.
const PEOPLE: [&str; 7] = ["ada", "sue", "ben", "dora", "emil", "eve", "zoe"];

/// A house of one's own: a copy of the one that was prepared.
pub(crate) struct House {
    dir: tempfile::TempDir,
}

impl House {
    /// A fresh copy.
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("subrosa-bad-").tempdir().unwrap();
        copy(prepared(), dir.path());
        Self { dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Changes the bytes of a file.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.read(name);
        change(&mut bytes);
        self.write(name, bytes);
    }

    /// Puts another text in the place of one that stands there.
    pub(crate) fn replace(&self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert!(text.contains(from), "{name} does not hold {from}");
        self.write(name, text.replacen(from, to, 1));
    }

    pub(crate) fn remove(&self, name: &str) {
        let path = self.path(name);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }

    /// Copies a file or folder within the house over another.
    pub(crate) fn put(&self, from: &str, to: &str) {
        let (from, to) = (self.path(from), self.path(to));
        if from.is_dir() {
            let _ = fs::remove_dir_all(&to);
            fs::create_dir_all(&to).unwrap();
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }

    /// Somebody's keys.
    pub(crate) fn identity(&self, name: &str) -> Identity {
        identity(self.dir(), name)
    }

    /// The vault, unlocked for somebody.
    pub(crate) fn unlock(&self, name: &str) -> Vault<Unlocked> {
        unlock(self.dir(), name, SystemClock)
    }

    /// The vault's card.
    pub(crate) fn card(&self) -> VaultCard {
        VaultCard::parse(&self.read("vault/vault.card")).unwrap()
    }
}

fn identity(dir: &Path, name: &str) -> Identity {
    let bytes = fs::read(dir.join(format!("{name}.id"))).unwrap();
    LockedIdentity::parse(&bytes).unwrap().unlock(&Passphrase::new(PASSPHRASE.into())).unwrap()
}

fn unlock(dir: &Path, name: &str, clock: impl Clock + 'static) -> Vault<Unlocked> {
    let state = StateFolder::beside(&dir.join(format!("{name}.id")));
    Vault::open(&dir.join("vault"), None).unwrap().unlock(identity(dir, name), state, Box::new(clock)).unwrap()
}

/// Puts Dora, her extract and the vault's card of long ago in the place of today's: the extract has run out.
pub(crate) fn past(house: &House) {
    let then = prepare("2024-01-01T00:00:00Z".parse().unwrap(), 100);
    for name in ["dora.id", "dora.age", "vault.card"] {
        fs::copy(then.path().join(name), house.path(name)).unwrap();
    }
}

/// Copies what lies in a folder; links stay links.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, to) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The house that is copied.
fn prepared() -> &'static Path {
    static HOUSE: OnceLock<tempfile::TempDir> = OnceLock::new();
    HOUSE
        .get_or_init(|| {
            sweep();
            prepare(SystemClock.now(), 300)
        })
        .path()
}

/// What is kept for as long as the program runs is never dropped: houses of programs that have ended are cleared away by the next one.
fn sweep() {
    for entry in fs::read_dir(TEMPORARY).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let process = name.strip_prefix("house-").and_then(|rest| rest.split('-').next().map(str::to_owned));
        if process.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The folder of a delivery that is sound, with an interview that the vault has.
pub(crate) const KNOWN: &str =
    "code,date,place,language,label,role,name,consent_form,recording,transcript,transcript_kind
AM-01,2023-04-12,Yerevan,ru,R,participant,Varvara Shcheglova,v2,,talk.txt,verbatim
AM-01,,,,I,interviewer,Olga Vetlitskaya,,,,
";
const TALK: &str = "I: How did you leave?\nR: We left at night, by bus.\nI: And then?\nR: Then we waited a year.\n";

/// A house as it is made at some moment; what goes out is for so many days.
fn prepare(now: Moment, days: i64) -> tempfile::TempDir {
    fs::create_dir_all(TEMPORARY).unwrap();
    let name = format!("house-{}-", std::process::id());
    let house = tempfile::Builder::new().prefix(&name).tempdir_in(TEMPORARY).unwrap();
    let dir = house.path();
    let unlock = |dir: &Path, name: &str| unlock(dir, name, now);
    let passphrase = Passphrase::new(PASSPHRASE.into());
    fs::write(dir.join("pass"), format!("{PASSPHRASE}\n")).unwrap();
    for name in PEOPLE {
        let who = Identity::generate(name, "EE".parse().unwrap(), now).unwrap();
        fs::write(dir.join(format!("{name}.id")), who.seal(&passphrase, KdfParams::LEAST).unwrap()).unwrap();
        fs::write(dir.join(format!("{name}.card")), who.card().to_bytes().unwrap()).unwrap();
    }
    let study = Study::read(STUDY).unwrap();
    let ada = identity(dir, "ada");
    for name in ["vault", "other"] {
        let founding = Founding { steward: &ada, study: (STUDY, &study), boards: vec![], trustees: (vec![], 0), now };
        create(&dir.join(name), &dir.join(format!("{name}.keys")), &founding).unwrap();
    }
    let mut vault = unlock(dir, "ada");
    let enrol = [
        ("sue", Role::Steward),
        ("ben", Role::Archivist),
        ("dora", Role::Analyst),
        ("emil", Role::Analyst),
        ("eve", Role::Auditor),
    ];
    for (name, role) in enrol {
        if name == "eve" {
            // What the vault was like some time ago.
            drop(vault);
            for part in ["vault", "vault.keys"] {
                fs::create_dir_all(dir.join("old").join(part)).unwrap();
                copy(&dir.join(part), &dir.join("old").join(part));
            }
            vault = unlock(dir, "ada");
        }
        let card = identity(dir, name).card().clone();
        change_membership(&mut vault, Change::Enrol(card, vec![RoleGrant { role, sites: None }])).unwrap();
    }
    let day = |text: &str| text.parse().unwrap();
    for board in ["host", "university"] {
        let said = approval::Recorded {
            board: board.into(),
            reference: "2022/117".into(),
            title: "Oral histories".into(),
            sites: vec![],
            fieldwork: (day("2022-01-01"), day("2024-12-31")),
            usage: (day("2022-01-01"), day("2080-12-31")),
            purposes: vec![],
            document: None,
        };
        approval::add(&mut vault, said).unwrap();
    }
    let said = project::Recorded {
        title: "Work and leaving".into(),
        duo: "GRU".into(),
        words: "How work shaped the decision to leave.".into(),
        people: vec!["dora".into()],
        period: (day("2022-01-01"), day("2080-12-31")),
        reuse: false,
        teaching: false,
    };
    let project = project::add(&mut vault, said).unwrap();
    fs::write(dir.join("project"), project.to_string()).unwrap();
    drop(vault);

    let folder = dir.join("known");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("manifest.csv"), KNOWN).unwrap();
    fs::write(folder.join("talk.txt"), TALK).unwrap();
    let mut vault = unlock(dir, "ben");
    let checked = ingest::check(&mut vault, &folder, &[], &Silent).unwrap();
    assert_eq!(checked.plan.faults, []);
    ingest::take(&mut vault, &checked, &Silent).unwrap();
    let which = Which { code: "AM-01".into(), transcript: None };
    redact::suggest(&mut vault, &which, &Silent).unwrap();
    redact::review(&mut vault, &which, "Read from start to end.", true).unwrap();
    // REQ-1 is approved and built, REQ-2 is open.
    let card = VaultCard::parse(&fs::read(dir.join("vault/vault.card")).unwrap()).unwrap();
    let dora = identity(dir, "dora");
    for number in 1..=2 {
        let wish = wish(project, now.plus_days(days).date());
        let sealed = request::write(&dora, &card, wish, now).unwrap();
        request::receive(&mut vault, &sealed).unwrap();
        fs::write(dir.join(format!("request-{number}.age")), sealed).unwrap();
    }
    drop(vault);
    drop(unlock(dir, "sue"));
    decide::approve(&mut unlock(dir, "ada"), 1, &decide::Terms::default()).unwrap();
    let mut vault = unlock(dir, "ben");
    build::build(&mut vault, 1, &dir.join("dora.age"), &Silent).unwrap();
    drop(vault);
    fs::copy(dir.join("vault/vault.card"), dir.join("vault.card")).unwrap();
    for name in ["ada", "sue", "eve", "ben"] {
        drop(unlock(dir, name));
    }
    house
}

/// What Dora asks for.
pub(crate) fn wish(project: subrosa::base::id::ProjectId, until: subrosa::base::time::Date) -> request::Wish {
    request::Wish {
        project,
        level: 2,
        until,
        sites: vec![],
        codes: vec![],
        purpose: "To compare how people tell of leaving.".into(),
    }
}
