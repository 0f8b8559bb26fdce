//! A vault with a steward, an archivist and an analyst, in a folder from which another process can take it up again.

use std::fs;
use std::path::{Path, PathBuf};

use subrosa::base::progress::Silent;
use subrosa::base::role::{Role, RoleGrant};
use subrosa::base::secret::Passphrase;
use subrosa::base::time::{Date, Moment};
use subrosa::crypto::card::VaultCard;
use subrosa::crypto::identity::{Identity, LockedIdentity};
use subrosa::crypto::kdf::KdfParams;
use subrosa::domain::study::Study;
use subrosa::ops::redact::{self, Which};
use subrosa::ops::{approval, build, decide, ingest, project, request};
use subrosa::session::{Change, Founding, Unlocked, Vault, change_membership, create};
use subrosa::store::state::StateFolder;

use crate::material;

const NOW: &str = "2026-02-01T00:00:00Z";
const PASSPHRASE: &str = "correct horse battery staple 9";

/// The founded vault and its people.
pub struct House {
    dir: PathBuf,
}

/// Its people.
#[derive(Clone, Copy)]
pub enum Who {
    /// Steward.
    Ada,
    /// Archivist.
    Ben,
    /// Analyst.
    Dora,
}

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::Ada => "Ada",
            Self::Ben => "Ben",
            Self::Dora => "Dora",
        }
    }
}

fn moment() -> Moment {
    NOW.parse().expect("a moment")
}

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.into())
}

impl House {
    /// Founds a vault in `dir/vault`, enrols its people, records approvals and a project.
    pub fn found(dir: &Path) -> Self {
        let house = Self::at(dir);
        for who in [Who::Ada, Who::Ben, Who::Dora] {
            let identity = Identity::generate(who.name(), "EE".parse().expect("a country"), moment()).expect("keys");
            let sealed = identity.seal(&passphrase(), KdfParams::LEAST).expect("a sealed identity");
            fs::write(house.identity_file(who), &sealed[..]).expect("a file");
        }
        let ada = house.identity(Who::Ada);
        let text = subrosa::sample::STUDY;
        let study = Study::read(text).expect("the sample's study");
        let founding =
            Founding { steward: &ada, study: (text, &study), boards: vec![], trustees: (vec![], 0), now: moment() };
        create(&house.path("vault"), &house.path("vault.keys"), &founding).expect("a vault");
        let mut vault = house.unlock(Who::Ada);
        for (who, role) in [(Who::Ben, Role::Archivist), (Who::Dora, Role::Analyst)] {
            let grants = vec![RoleGrant { role, sites: None }];
            change_membership(&mut vault, Change::Enrol(house.identity(who).card().clone(), grants)).expect("enrolled");
        }
        for board in ["host", "university"] {
            let period = (date("2020-01-01"), date("2040-12-31"));
            let said = approval::Recorded {
                board: board.into(),
                reference: "2022/7".into(),
                title: "Leaving and Staying".into(),
                sites: vec![],
                fieldwork: period,
                usage: period,
                purposes: vec![],
                document: None,
            };
            approval::add(&mut vault, said).expect("an approval");
        }
        let said = project::Recorded {
            title: "Departures".into(),
            duo: "GRU".into(),
            words: "To understand why people leave.".into(),
            people: vec!["Dora".into()],
            period: (date("2026-01-01"), date("2030-12-31")),
            reuse: false,
            teaching: false,
        };
        project::add(&mut vault, said).expect("a project");
        drop(vault);
        drop(house.unlock(Who::Ben));
        house
    }

    /// The house that was founded in `dir`.
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn identity_file(&self, who: Who) -> PathBuf {
        self.path(&format!("{}.id", who.name()))
    }

    /// Somebody's keys, after the cheapest derivation there is.
    pub fn identity(&self, who: Who) -> Identity {
        let bytes = fs::read(self.identity_file(who)).expect("a house founded before");
        LockedIdentity::parse(&bytes).expect("an identity").unlock(&passphrase()).expect("its passphrase")
    }

    /// The vault unlocked.
    pub fn unlock(&self, who: Who) -> Vault<Unlocked> {
        self.unlock_with(who, self.identity(who))
    }

    /// The vault unlocked with keys that are there already.
    pub fn unlock_with(&self, who: Who, identity: Identity) -> Vault<Unlocked> {
        let state = StateFolder::beside(&self.identity_file(who));
        let vault = Vault::open(&self.path("vault"), None).expect("a vault");
        vault.unlock(identity, state, Box::new(moment())).expect("unlocked")
    }

    /// Takes in the delivery in a folder.
    pub fn ingest(&self, delivery: &Path) -> ingest::Taken {
        take(&mut self.unlock(Who::Ben), delivery)
    }

    /// Has every transcript of the first `interviews` searched and reviewed.
    pub fn review(&self, interviews: usize) {
        let mut vault = self.unlock(Who::Ben);
        for n in 0..interviews {
            let which = Which { code: material::code(n), transcript: None };
            redact::suggest(&mut vault, &which, &Silent).expect("suggestions");
            redact::review(&mut vault, &which, "Read from start to end.", true).expect("a review");
        }
    }

    /// Dora asks for everything and Ada agrees: the number of the request.
    pub fn agree(&self) -> u32 {
        let bytes = fs::read(self.path("vault/vault.card")).expect("a card");
        let card = VaultCard::parse(&bytes).expect("a card");
        let mut vault = self.unlock(Who::Ada);
        let project = project::list(&mut vault).expect("projects").remove(0).id;
        let wish = request::Wish {
            project,
            level: 2,
            until: date("2028-12-31"),
            sites: vec![],
            codes: vec![],
            purpose: "To compare how people tell of leaving.".into(),
        };
        let sealed = request::write(&self.identity(Who::Dora), &card, wish, moment()).expect("a request");
        drop(vault);
        let listed = request::receive(&mut self.unlock(Who::Ben), &sealed).expect("received");
        let number = listed.request.trim_start_matches("REQ-").parse().expect("a number");
        decide::approve(&mut self.unlock(Who::Ada), number, &decide::Terms::default()).expect("approved");
        number
    }

    /// Builds the extract of a request into a file of that name, removing one that is there.
    pub fn build(&self, vault: &mut Vault<Unlocked>, request: u32, name: &str) -> build::Built {
        let out = self.path(name);
        let _ = fs::remove_file(&out);
        build::build(vault, request, &out, &Silent).expect("an extract")
    }
}

/// Checks a delivery and takes it in.
pub fn take(vault: &mut Vault<Unlocked>, delivery: &Path) -> ingest::Taken {
    let checked = ingest::check(vault, delivery, &[], &Silent).expect("a delivery");
    assert!(checked.plan.faults.is_empty(), "the delivery has faults");
    ingest::take(vault, &checked, &Silent).expect("taken in")
}
