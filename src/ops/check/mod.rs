//! Checking a vault: every object, row, key and ledger entry against each other. Nothing is ever repaired by deleting; one damaged thing does
//! not keep the rest from being looked at.

mod apart;
mod keyring;
mod ledger;
mod objects;
mod people;
mod records;
mod rows;
mod stored;
mod tags;
mod values;

pub use apart::check_apart;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::id::{InterviewId, SlotId, Token};
use crate::base::progress::Progress;
use crate::base::{Error, Result};
use crate::ledger::event::Event;
use crate::session::{Unlocked, Vault, View};
use crate::store::catalogue::Cell;
use crate::store::db::Kind;

/// How many faults are listed; more are counted.
const MAX_FAULTS: usize = 1_000;

/// What was looked at, and what is wrong.
#[derive(Clone, Default, Debug, Serialize)]
pub struct CheckReport {
    /// No fault was found in what could be looked at.
    pub sound: bool,
    /// What was looked at.
    pub parts: Vec<Part>,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// Faults beyond those listed.
    pub more: u64,
    /// Left-overs that do no harm, and other things to know.
    pub notices: Vec<String>,
    /// What could not be looked into with this person's keys.
    pub unseen: Vec<String>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// What.
    pub what: String,
    /// How many of them.
    pub count: u64,
    /// How many faults were found there.
    pub faults: u64,
}

/// Something that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fault {
    /// What is hurt: an archive code, or words for what has none.
    pub hurt: String,
    /// What is wrong with it.
    pub what: String,
    /// What is not hurt by this, or what to do.
    pub rest: String,
}

/// How much is looked at.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// Look at the presence and size of objects only, not at every byte.
    pub fast: bool,
}

/// Checks a vault as far as somebody's keys go. Whoever can write entries leaves one with the number of faults, before anything is shown.
pub fn check(vault: &mut Vault<Unlocked>, options: Options, progress: &dyn Progress) -> Result<CheckReport> {
    let mut found = Findings::default();
    // Ledger and rows are read as of one moment; the files, which take long, without keeping others from writing.
    let lock = vault.hold()?;
    let told = ledger::check(vault, &mut found, progress);
    keyring::check(vault, &told, &mut found);
    values::check_card(vault, &mut found);
    let mut codes = Vec::new();
    match vault.view() {
        Err(_) => {
            drop(lock);
            found.unseen("the catalogue, its rows and the key file: your roles open the ledger only");
            objects::check_blind(vault.layout(), &told, options, &mut found, progress);
        }
        Ok(view) => {
            let seen = check_catalogue(vault, &view, &told, &mut found, progress);
            drop(lock);
            objects::check(vault.layout(), &seen.files, options, &mut found, progress);
            codes.extend(seen.ids.into_values().flatten().map(|(code, _)| code));
        }
    }
    let report = found.finish();
    if !super::audit::writes(vault) {
        return Ok(report);
    }
    let faults = i64::try_from(report.faults.len() as u64 + report.more).unwrap_or(i64::MAX);
    let recorded = vault.commit("check", |act| {
        act.event(Event::Checked { faults });
        Ok(())
    });
    match recorded {
        Ok(()) => Ok(report),
        // No log, no access: what names an interview is not shown; what names parts of the vault is, or nobody could mend it.
        Err(error) if error.kind() == crate::base::Kind::Damage => Ok(report.unrecorded(&codes, &error)),
        Err(error) => Err(error),
    }
}

fn check_catalogue(
    vault: &Vault<Unlocked>,
    view: &View<'_>,
    told: &ledger::Told,
    found: &mut Findings,
    progress: &dyn Progress,
) -> Seen {
    found.part("catalogue database", 1);
    match vault.is_sound(Kind::Catalogue) {
        Ok(true) => {}
        Ok(false) => found.fault(
            "catalogue.db",
            "some of its pages are damaged",
            "Restore it from a backup; the rest was looked at as far as it can be read.",
        ),
        Err(error) => found.error("catalogue.db", &error),
    }
    match view.orphans() {
        Ok(0) => {}
        Ok(n) => found.fault("catalogue.db", format!("{n} rows belong to other rows that are not there"), OTHERS),
        Err(error) => found.error("catalogue.db", &error),
    }
    match view.outbox() {
        Ok(left) if left.is_empty() => {}
        Ok(left) => found
            .notice(format!("{} entries wait to be brought into the ledger: the next command does that", left.len())),
        Err(error) => found.error("catalogue.db", &error),
    }
    values::check(vault, view, told, found);
    records::check(view, told, found);
    let mut seen = Seen::default();
    let tokens = rows::check(view, told, &mut seen, found, progress);
    people::check(view, told, &tokens, &mut seen, found, progress);
    tags::check(view, &seen, found);
    check_slots(vault, view, &seen, found);
    keyring::check_holders(vault, view, found);
    for (site, count) in &seen.closed {
        found.unseen(format!("the content of {count} rows of site {site}: you hold no key to it"));
    }
    seen
}

/// Every slot in the key file belongs to one row.
fn check_slots(vault: &Vault<Unlocked>, view: &View<'_>, seen: &Seen, found: &mut Findings) {
    let keys = vault.key_slots();
    found.part("keys", keys.len());
    for times in seen.slots.values().filter(|times| **times > 1) {
        found.fault("the key file", format!("one key belongs to {times} rows"), OTHERS);
    }
    let spare = keys.slots().filter(|slot| !seen.slots.contains_key(slot)).count();
    if spare > 0 {
        found.notice(format!(
            "{spare} keys belong to no row: left over from a command that was interrupted, or from damaged rows"
        ));
    }
    let recorded = view.meta("keyfile_generation").ok().flatten();
    let recorded = recorded.and_then(|b| b.try_into().ok()).map(u64::from_be_bytes);
    match recorded {
        Some(recorded) if keys.generation() == recorded => {}
        Some(recorded) if keys.generation() > recorded => {
            found.notice("the key file is newer than the catalogue: a command was interrupted; nothing is lost");
        }
        Some(_) => found.fault("the key file", "it is older than the catalogue", "Put back the newest key file."),
        None => found.fault("catalogue.db", "it does not tell which key file goes with it", OTHERS),
    }
}

/// What is said of most faults: the damage stays where it is.
const OTHERS: &str = "Nothing else is hurt by this. Restore it from a backup.";

/// What the rows of the catalogue refer to.
#[derive(Default)]
struct Seen {
    /// How many rows refer to a slot.
    slots: BTreeMap<SlotId, u32>,
    /// Every id that a blind tag may point to, and the code and token of those that have them.
    ids: BTreeMap<[u8; 16], Option<(String, Token)>>,
    /// The code of the interview of every object and transcript version: each was taken in as a file, and has a blind tag for that.
    delivered: BTreeMap<[u8; 16], String>,
    /// Interviews by id, with their tokens.
    interviews: BTreeMap<InterviewId, Token>,
    /// Every file that must be there.
    files: Vec<objects::Expected>,
    /// Rows whose content could not be opened, by site.
    closed: BTreeMap<String, u64>,
}

impl Seen {
    /// Notes that a row refers to a slot; says whether the slot is there.
    fn slot(&mut self, view: &View<'_>, slot: SlotId) -> bool {
        *self.slots.entry(slot).or_default() += 1;
        view.has_key(slot)
    }
}

/// What has been found so far.
#[derive(Default)]
struct Findings {
    report: CheckReport,
}

impl Findings {
    /// Begins to look at `count` of something.
    fn part(&mut self, what: &str, count: u64) {
        self.report.parts.push(Part { what: what.to_owned(), count, faults: 0 });
    }

    fn fault(&mut self, hurt: impl Into<String>, what: impl Into<String>, rest: impl Into<String>) {
        if let Some(part) = self.report.parts.last_mut() {
            part.faults += 1;
        }
        if self.report.faults.len() < MAX_FAULTS {
            self.report.faults.push(Fault { hurt: hurt.into(), what: what.into(), rest: rest.into() });
        } else {
            self.report.more += 1;
        }
    }

    /// Something that failed while it was looked at.
    fn error(&mut self, hurt: impl Into<String>, error: &Error) {
        self.fault(hurt, error.what(), error.remedy());
    }

    /// What is in a cell; a fault if it does not open.
    fn open<T: serde::de::DeserializeOwned>(
        &mut self,
        cell: &Cell,
        key: &crate::base::secret::Key,
        hurt: &str,
        what: &str,
    ) -> Option<T> {
        cell.open(key)
            .inspect_err(|error| self.fault(hurt, format!("{what} cannot be opened: {}", error.what()), OTHERS))
            .ok()
    }

    fn notice(&mut self, words: impl Into<String>) {
        self.report.notices.push(words.into());
    }

    fn unseen(&mut self, words: impl Into<String>) {
        self.report.unseen.push(words.into());
    }

    fn finish(mut self) -> CheckReport {
        self.report.sound = self.report.faults.is_empty();
        self.report
    }
}

impl CheckReport {
    /// Of a check that could not be recorded: without anything that has a code in it, and why.
    fn unrecorded(mut self, codes: &[String], error: &Error) -> Self {
        let before = self.faults.len();
        self.faults.retain(|fault| {
            let words = format!("{} {} {}", fault.hurt, fault.what, fault.rest);
            !codes.iter().any(|code| words.contains(code.as_str()))
        });
        let withheld = (before - self.faults.len()) as u64;
        self.more += withheld;
        if withheld > 0 {
            self.unseen.push(format!("{withheld} faults that name interviews: they are not shown, since this check cannot be recorded in the ledger"));
        }
        self.sound = false;
        self.faults.push(Fault {
            hurt: "this check".into(),
            what: format!("it could not be recorded in the ledger: {}", error.what()),
            rest: error.remedy().into(),
        });
        self
    }

    /// An error if anything is wrong, for the exit code. Names nothing.
    pub fn require_sound(&self) -> Result<()> {
        if self.sound {
            return Ok(());
        }
        let count = self.faults.len() as u64 + self.more;
        let faults = if count == 1 { "one fault".to_owned() } else { format!("{count} faults") };
        Err(Error::damage(
            format!("the vault has {faults}; they are listed above"),
            "Change nothing, and restore what is hurt from the newest backup. Subrosa never repairs by deleting.",
        ))
    }
}
