//! A small whole vault, made once: two sites, a voice alone, two together, recordings, a document, a scan, reviews, a withdrawal, decisions, a
//! release. And what goes with it: an older version of itself, another vault, and the same vault as a program that was ended leaves it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use subrosa::base::Result;
use subrosa::base::progress::Silent;
use subrosa::base::role::Role;
use subrosa::base::secret::Key;
use subrosa::base::time::{Clock, Moment, SystemClock};
use subrosa::crypto::card::VaultCard;
use subrosa::crypto::identity::{Identity, LockedIdentity};
use subrosa::crypto::kdf::KdfParams;
use subrosa::crypto::keyring::Compartment;
use subrosa::crypto::seal;
use subrosa::domain::study::Study;
use subrosa::ops::consent::{Withdrawal, plan_withdrawal, withdraw};
use subrosa::ops::redact::{self, Which};
use subrosa::ops::request::{self, Wish};
use subrosa::ops::{build, decide, ingest, project};
use subrosa::session::{Founding, Unlocked, Vault, create};
use subrosa::store::state::StateFolder;

use super::common::{STUDY, approve, enrol, passphrase};

/// The archive codes of the vault.
pub const CODES: [&str; 3] = ["AM-01", "AM-02", "GE-01"];

/// Every request of the vault: its number and the code that it asks for.
pub const REQUESTS: [(u32, &str); 3] = [(1, "AM-01"), (2, "AM-02"), (3, "GE-01")];

/// Days before now on which the vault was founded and filled. The built program works by the machine's clock, and so does the scene.
const FOUNDED: i64 = 90;
const FILLED: i64 = 30;

const MANIFEST: &str = "\
code,date,place,language,label,role,name,contacts,gender,birth_year,consent_form,evidence,evidence_from,evidence_to,recording,transcript,transcript_kind,document,document_kind,notes
AM-01,2023-05-17,Gyumri,en,R,participant,Varvara Shcheglova,@varya_shcheg,woman,1970,v2,one.wav,0,1,one.wav,one.txt,verbatim,sheet.txt,information_sheet,A calm morning.
AM-02,2023-05-18,Yerevan,en,R1,participant,Otar Beridzeshvili,otar@mail.example,man,1950,v2,scan.txt,,,two.wav,two.txt,verbatim,,,
AM-02,,,,R2,participant,Nino Beridzeshvili,,woman,1955,v2,scan.txt,,,,,,,,
GE-01,2023-05-19,Tbilisi,en,R,participant,Tamar Lomtatidze,,woman,1980,v2,three.wav,0,1,three.wav,three.txt,verbatim,,,
GE-01,,,,I,interviewer,Lidia Quennell,,,,,,,,,,,,,
";

const FILES: [(&str, &str); 5] = [
    ("one.txt", "I: How did you leave?\nR: We left at night, by bus.\nI: And then?\nR: Then we waited a year.\n"),
    (
        "two.txt",
        "I: Who keeps the shop?\nR1: I do, mostly.\nI: And the books?\nR2: The books are mine.\nR1: Always were.\n",
    ),
    ("three.txt", "I: What did you bring?\nR: A kettle, and the cat.\n"),
    ("sheet.txt", "What this study is for.\n"),
    ("scan.txt", "Signed by both.\n"),
];

/// A person with the sealed bytes of their identity: keys can be used by value only.
pub struct Player {
    pub identity: Identity,
    pub sealed: Vec<u8>,
}

impl Player {
    fn new(name: &str, now: Moment) -> Self {
        let identity = Identity::generate(name, "EE".parse().unwrap(), now).unwrap();
        let sealed = identity.seal(&passphrase(), KdfParams::LEAST).unwrap();
        Self { identity, sealed }
    }

    pub fn again(&self) -> Identity {
        LockedIdentity::parse(&self.sealed).unwrap().unlock(&passphrase()).unwrap()
    }
}

/// The vault and what goes with it. Nothing in it is ever changed: work on a [`Copy`].
pub struct Scene {
    _dir: tempfile::TempDir,
    pub now: Moment,
    keys: Vec<(&'static str, Key)>,
    pub ada: Player,
    pub ben: Player,
    pub dora: Player,
    /// The vault with its key folder, the people's states and an extract.
    pub whole: PathBuf,
    /// The same before the withdrawal and the last review, for parts that are older than the rest.
    pub old: PathBuf,
    /// Another vault of the same people.
    pub other: PathBuf,
    /// The whole vault as a program that was ended right after a commit leaves it: the newest pages are in the write-ahead logs.
    pub open: PathBuf,
}

/// A copy that may be hurt; gone when dropped.
pub struct Copy(tempfile::TempDir);

impl Scene {
    /// The one scene of this test program.
    pub fn get() -> &'static Self {
        static SCENE: OnceLock<Scene> = OnceLock::new();
        SCENE.get_or_init(Self::make)
    }

    fn make() -> Self {
        let dir = scratch();
        let now = SystemClock.now();
        let founded = now.plus_days(-FOUNDED);
        let at = |name: &str| dir.path().join(name);
        let (whole, old, other, open) = (at("whole"), at("old"), at("other"), at("open"));
        let mut scene = Self {
            _dir: dir,
            now,
            keys: Vec::new(),
            ada: Player::new("Ada", founded),
            ben: Player::new("Ben", founded),
            dora: Player::new("Dora", founded),
            whole,
            old,
            other,
            open,
        };
        for at in [&scene.whole, &scene.other] {
            fs::create_dir(at).unwrap();
            scene.fill(at);
        }
        copy_folder(&scene.whole, &scene.old);
        scene.finish(&scene.whole);
        scene.derive();
        copy_folder(&scene.whole, &scene.open);
        let mut vault = scene.unlock(&scene.open, &scene.ben, scene.then()).unwrap();
        take_back(&mut vault, "AM-02", "R1");
        let ended = scratch();
        copy_folder(&scene.open, &ended.path().join("open"));
        drop(vault);
        fs::remove_dir_all(&scene.open).unwrap();
        copy_folder(&ended.path().join("open"), &scene.open);
        scene
    }

    /// Founds a vault and takes everything in.
    fn fill(&self, at: &Path) {
        let (founded, then) = (self.now.plus_days(-FOUNDED), self.then());
        let study = Study::read(STUDY).unwrap();
        let steward = &self.ada.identity;
        let founding =
            Founding { steward, study: (STUDY, &study), boards: vec![], trustees: (vec![], 0), now: founded };
        create(&at.join("vault"), &at.join("vault.keys"), &founding).unwrap();
        for who in [&self.ada, &self.ben, &self.dora] {
            fs::write(at.join(format!("{}.id", who.identity.card().name())), &who.sealed).unwrap();
        }
        fs::write(at.join("pass"), passphrase().expose()).unwrap();
        let mut ada = self.unlock(at, &self.ada, founded).unwrap();
        enrol(&mut ada, &self.ben.identity, Role::Archivist);
        enrol(&mut ada, &self.dora.identity, Role::Analyst);
        approve(&mut ada);
        let said = project::Recorded {
            title: "Departures".into(),
            duo: "GRU".into(),
            words: "To understand why people leave.".into(),
            people: vec!["Dora".into()],
            period: (founded.date(), then.plus_days(700).date()),
            reuse: true,
            teaching: false,
        };
        let project = project::add(&mut ada, said).unwrap();
        drop(ada);

        let delivery = at.join("delivery");
        fs::create_dir(&delivery).unwrap();
        fs::write(delivery.join("manifest.csv"), MANIFEST).unwrap();
        FILES.iter().for_each(|(name, words)| fs::write(delivery.join(name), words).unwrap());
        for (name, samples) in [("one.wav", 8_000), ("two.wav", 9_000), ("three.wav", 10_000)] {
            fs::write(delivery.join(name), wav(samples)).unwrap();
        }
        let mut ben = self.unlock(at, &self.ben, self.then()).unwrap();
        let checked = ingest::check(&mut ben, &delivery, &[], &Silent).unwrap();
        assert_eq!(checked.plan.faults, []);
        ingest::take(&mut ben, &checked, &Silent).unwrap();
        for code in ["AM-01", "AM-02"] {
            review(&mut ben, code);
        }
        drop(ben);
        fs::remove_dir_all(delivery).unwrap();

        let card = VaultCard::parse(&fs::read(at.join("vault/vault.card")).unwrap()).unwrap();
        for (number, code) in REQUESTS {
            let wish = Wish {
                project,
                level: 2,
                until: then.plus_days(300).date(),
                sites: vec![],
                codes: vec![code.into()],
                purpose: "To compare how people tell of leaving.".into(),
            };
            let sealed = request::write(&self.dora.identity, &card, wish, then).unwrap();
            let mut ada = self.unlock(at, &self.ada, then).unwrap();
            assert_eq!(request::receive(&mut ada, &sealed).unwrap().request, format!("REQ-{number}"));
            decide::approve(&mut ada, number, &decide::Terms::default()).unwrap();
        }
    }

    /// What the older version does not have.
    fn finish(&self, at: &Path) {
        let mut ben = self.unlock(at, &self.ben, self.then()).unwrap();
        review(&mut ben, "GE-01");
        take_back(&mut ben, "AM-02", "R2");
        build::build(&mut ben, 1, &at.join("extract.age"), &Silent).unwrap();
    }

    fn then(&self) -> Moment {
        self.now.plus_days(-FILLED)
    }

    /// Unlocks the vault in a folder.
    pub fn unlock(&self, at: &Path, who: &Player, now: Moment) -> Result<Vault<Unlocked>> {
        let state = self.state(at, who);
        Vault::open(&at.join("vault"), None)?.unlock(who.again(), state, Box::new(now))
    }

    /// A key of the whole vault as docs/format.md derives it: of the database `catalogue` or `ledger`, or of the key file's `mac`.
    pub fn key_of(&self, what: &str) -> Key {
        self.keys.iter().find(|(name, _)| *name == what).unwrap().1.duplicate()
    }

    fn derive(&mut self) {
        let copy = Copy::of(&self.whole);
        let vault = self.unlock(&copy.path(), &self.ben, self.now).unwrap();
        for (name, of, info) in [
            ("catalogue", Compartment::Catalogue, "subrosa/sqlcipher/catalogue/1"),
            ("ledger", Compartment::Ledger, "subrosa/sqlcipher/ledger/1"),
            ("mac", Compartment::Catalogue, "subrosa/keyfile/mac/1"),
        ] {
            let key = seal::derive(vault.held(of)[0], vault.layout().vault().as_bytes(), info).unwrap();
            self.keys.push((name, key));
        }
    }

    pub fn state(&self, at: &Path, who: &Player) -> StateFolder {
        StateFolder::beside(&at.join(format!("{}.id", who.identity.card().name())))
    }
}

impl Copy {
    pub fn of(folder: &Path) -> Self {
        let dir = scratch();
        copy_folder(folder, &dir.path().join("v"));
        Self(dir)
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("v")
    }
}

/// A new folder, in memory if the system has a place for that: each look at a vault syncs some dozens of times.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir()
        && let Ok(dir) = tempfile::tempdir_in(memory)
    {
        return dir;
    }
    tempfile::tempdir().unwrap()
}

fn review(vault: &mut Vault<Unlocked>, code: &str) {
    let which = Which { code: code.into(), transcript: None };
    redact::suggest(vault, &which, &Silent).unwrap();
    redact::review(vault, &which, "Read from start to end.", true).unwrap();
}

fn take_back(vault: &mut Vault<Unlocked>, code: &str, label: &str) {
    let asked = Withdrawal {
        code: code.into(),
        participant: Some(label.into()),
        modules: Default::default(),
        scope: None,
        from: None,
    };
    let plan = plan_withdrawal(vault, &asked).unwrap();
    withdraw(vault, &asked, &plan).unwrap();
}

pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Silence.
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
