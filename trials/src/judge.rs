//! Whether a vault is sound, and what it holds: as the next people to open it would find it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use subrosa::base::progress::Silent;
use subrosa::base::secret::Passphrase;
use subrosa::base::time::SystemClock;
use subrosa::base::{Error, Kind, Result};
use subrosa::crypto::card::VaultCard;
use subrosa::crypto::identity::{Identity, LockedIdentity};
use subrosa::crypto::keyring::Compartment;
use subrosa::domain::study::Study;
use subrosa::ops::audit::{self, Against};
use subrosa::ops::check::{self, Options};
use subrosa::session::{Founding, Unlocked, Vault, create};
use subrosa::store::catalogue::RecordKind;
use subrosa::store::keyfile::Class;
use subrosa::store::objects;
use subrosa::store::state::StateFolder;

use crate::props::PASSPHRASE;

/// What a vault holds, as far as it means something: each thing by its name with a digest of what it says.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// There is a vault.
    pub(crate) founded: bool,
    /// The ledger's entries: command and events. Those that only finish what an earlier one began are not counted.
    pub(crate) entries: Vec<String>,
    /// Rows, records, keyring, card.
    pub(crate) things: BTreeMap<String, String>,
}

/// What was found.
pub(crate) struct Judged {
    pub(crate) held: Held,
    /// What is wrong.
    pub(crate) faults: Vec<String>,
    /// What lies about: words of `check`, and temporary files.
    pub(crate) left: Vec<String>,
}

/// Who opens the vault, one after the other.
pub(crate) type Openers<'a> = &'a [&'a str];

/// Opens the vault in `world` as each of `openers` would, lets them finish what was begun, and looks at everything.
pub(crate) fn judge(world: &Path, openers: Openers<'_>) -> Judged {
    let mut judged = Judged { held: Held::default(), faults: Vec::new(), left: Vec::new() };
    let vault = world.join("vault");
    if openers.is_empty() {
        return judged;
    }
    if let Err(error) = Vault::open(&vault, None).map(drop)
        && error.kind() == Kind::User
    {
        if let Err(error) = found_again(world) {
            judged.faults.push(format!("there is no vault, and none can be founded: {}", words(&error)));
        }
        return judged;
    }
    judged.held.founded = true;
    // Everybody once, so that whatever waits for one of them is done; then the look at everything, by whoever sees most.
    let sees_most = if openers.contains(&"ben") { "ben" } else { "ada" };
    let mut last = None;
    for who in openers.iter().chain((openers.last() != Some(&sees_most)).then_some(&sees_most)) {
        match unlock(world, who) {
            Ok(vault) => last = Some(vault),
            Err(error) => {
                judged.faults.push(format!("{who} cannot unlock: {}", words(&error)));
                return judged;
            }
        }
    }
    if let Some(vault) = last
        && let Err(error) = look(world, vault, &mut judged)
    {
        judged.faults.push(format!("cannot be read: {}", words(&error)));
    }
    judged
}

fn look(world: &Path, mut vault: Vault<Unlocked>, judged: &mut Judged) -> Result<()> {
    let held = &mut judged.held;
    held.entries = entries(&vault)?;
    things(&vault, &mut held.things)?;
    contents(&vault, &mut held.things)?;
    let report = audit::verify_vault(&mut vault, &Against { all: true, ..Against::default() }, &Silent)?;
    judged.faults.extend(report.faults.iter().map(|f| format!("audit verify: {}", f.words)));
    let report = check::check(&mut vault, Options::default(), &Silent)?;
    judged.faults.extend(report.faults.iter().map(|f| format!("check: {}: {}", f.hurt, f.what)));
    judged.left.extend(report.notices);
    // The check has left an entry: after a command that writes, nothing unfinished may lie about.
    drop(vault);
    for folder in ["vault", "vault.keys", "vault/tmp"] {
        for entry in fs::read_dir(world.join(folder)).map_err(|e| Error::io("list the vault", &e))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".part") || folder == "vault/tmp" {
                judged.faults.push(format!("{folder} still holds something unfinished after the next command"));
            }
        }
    }
    Ok(())
}

/// Unlocks the vault in a world.
pub(crate) fn unlock(world: &Path, who: &str) -> Result<Vault<Unlocked>> {
    let file = world.join(format!("people/{who}.id"));
    let vault = Vault::open(&world.join("vault"), None)?;
    vault.unlock(identity(&file)?, StateFolder::beside(&file), Box::new(SystemClock))
}

fn identity(file: &Path) -> Result<Identity> {
    let bytes = fs::read(file).map_err(|e| Error::io("read an identity", &e))?;
    LockedIdentity::parse(&bytes)?.unlock(&Passphrase::new(PASSPHRASE.into()))
}

/// Founds a vault where a founding was interrupted: the same command has to succeed.
fn found_again(world: &Path) -> Result<()> {
    let steward = identity(&world.join("people/ada.id"))?;
    let text = subrosa::sample::STUDY;
    let study = Study::read(text)?;
    let founding = Founding {
        steward: &steward,
        study: (text, &study),
        boards: Vec::new(),
        trustees: (Vec::new(), 0),
        now: subrosa::base::time::Clock::now(&SystemClock),
    };
    create(&world.join("vault"), &world.join("vault.keys"), &founding)?;
    unlock(world, "ada").map(drop)
}

/// The entries: command and events, without what differs when another person finishes the same.
fn entries(vault: &Vault<Unlocked>) -> Result<Vec<String>> {
    let mut entries = Vec::new();
    vault.log().db().each(0, |_, leaf| {
        let entry: serde_json::Value = serde_json::from_slice(leaf).map_err(|_| Error::bug("an entry is no JSON"))?;
        let command = entry.get("command").and_then(|c| c.as_str()).unwrap_or_default();
        if command != "rotate" {
            let mut events = entry.get("events").cloned().unwrap_or_default();
            for event in events.as_array_mut().into_iter().flatten() {
                // A keyring that is made anew has other keys and means the same.
                if event.get("event").is_some_and(|e| e == "keyring") {
                    event["digest"] = serde_json::Value::Null;
                }
            }
            let events = events.to_string();
            entries.push(format!("{command} {}", short(events.as_bytes())));
        }
        Ok(())
    })?;
    Ok(entries)
}

const RECORDS: [RecordKind; 10] = [
    RecordKind::Person,
    RecordKind::Study,
    RecordKind::Site,
    RecordKind::Approval,
    RecordKind::Project,
    RecordKind::Request,
    RecordKind::Decision,
    RecordKind::Release,
    RecordKind::Hold,
    RecordKind::Policy,
];

/// What a steward sees: records, register, outlines, consents, tags, keyring, card.
fn things(vault: &Vault<Unlocked>, things: &mut BTreeMap<String, String>) -> Result<()> {
    let view = vault.view()?;
    let mut put = |name: String, value: &str| drop(things.insert(name, short(value.as_bytes())));
    for kind in RECORDS {
        for record in view.records::<serde_json::Value>(kind)? {
            let record = record.to_string();
            put(format!("record {kind:?} {}", short(record.as_bytes())), "");
        }
    }
    for row in view.participants()? {
        let key = view.key(row.meta_slot, Class::Meta)?;
        let body: serde_json::Value = row.meta.open(&key)?;
        put(format!("participant {}", row.id), &body.to_string());
        for consent in view.consents(row.id)? {
            let body: serde_json::Value = consent.body.open(&key)?;
            put(format!("consent {} {}", row.id, consent.number), &body.to_string());
        }
    }
    for row in view.interviews()? {
        let key = view.key(row.slot, Class::Meta)?;
        let body: serde_json::Value = row.body.open(&key)?;
        put(format!("interview {}", row.id), &format!("{body} {:?}", view.voices(row.id)?));
        for object in view.objects(row.id)? {
            let body: serde_json::Value = object.body.open(&key)?;
            put(format!("object {}", object.id), &body.to_string());
        }
        for transcript in view.transcripts(row.id)? {
            let body: serde_json::Value = transcript.outline.open(&key)?;
            put(format!("outline {} {}", row.id, transcript.version), &body.to_string());
        }
    }
    put("tags".to_owned(), &format!("{:?}", view.tags()?));
    put("outbox".to_owned(), &view.outbox()?.len().to_string());
    put("rotating".to_owned(), &format!("{:?}", view.meta("rotating")?));
    let roster = vault.roster();
    let people: Vec<String> = roster.people.iter().map(|m| format!("{} {:?}", m.id, m.roles)).collect();
    let made: Vec<String> = roster.compartments.iter().map(|(name, c)| format!("{name} {}", c.generation)).collect();
    put("keyring".to_owned(), &format!("{} {people:?} {made:?}", roster.version));
    let card = VaultCard::parse(&vault.layout().read("vault.card", 1 << 20)?)?;
    let facts = card.facts();
    let stewards: Vec<String> = facts.stewards.iter().map(|s| s.to_base64()).collect();
    let current = |name, shown: String| vault.public_of(name) == Some(shown.as_str());
    let desk = current(Compartment::Desk, facts.desk.to_string());
    let inbox = current(Compartment::Inbox(1), facts.deposit.to_string());
    put("card".to_owned(), &format!("{desk} {inbox} {:?} {stewards:?}", facts.genesis));
    put(
        "checkpoint".to_owned(),
        &format!("{}", vault.log().db().checkpoint()?.map_or(0, |c| c.0) == vault.log().db().size()?),
    );
    Ok(())
}

/// What an archivist sees besides: names, words, marks, the bytes of objects.
fn contents(vault: &Vault<Unlocked>, things: &mut BTreeMap<String, String>) -> Result<()> {
    let view = vault.view()?;
    let mut put = |name: String, value: &str| drop(things.insert(name, short(value.as_bytes())));
    for row in view.participants()?.iter().filter(|row| view.opens(row.site)) {
        let body: serde_json::Value = row.content.open(&view.key(row.content_slot, Class::Content(row.site))?)?;
        put(format!("names {}", row.id), &body.to_string());
    }
    for row in view.interviews()?.iter().filter(|row| view.opens(row.site)) {
        let body: serde_json::Value = row.content.open(&view.key(row.content_slot, Class::Content(row.site))?)?;
        put(format!("notes {}", row.id), &body.to_string());
        for transcript in view.transcripts(row.id)? {
            let key = view.key(transcript.slot, Class::Content(row.site))?;
            let (turns, marks): (serde_json::Value, serde_json::Value) =
                (transcript.turns.open(&key)?, transcript.marks.open(&key)?);
            put(format!("words {} {}", row.id, transcript.version), &format!("{turns} {marks}"));
        }
        for object in view.objects(row.id)? {
            let digest = objects::digest(vault.layout(), object.id)?;
            view.key(object.slot, Class::Content(row.site))?;
            put(format!("file {}", object.id), &format!("{digest:?}"));
        }
    }
    Ok(())
}

fn short(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_owned()
}

fn words(error: &Error) -> String {
    format!("{:?}: {} {}", error.kind(), error.what(), error.remedy())
}

impl Held {
    /// How this differs from another, in a few words.
    pub(crate) fn differs(&self, other: &Self) -> String {
        let mut out = Vec::new();
        if self.entries != other.entries {
            let same = self.entries.iter().zip(&other.entries).take_while(|(a, b)| a == b).count();
            out.push(format!(
                "entries {:?} instead of {:?} after {same}",
                &self.entries[same..],
                &other.entries[same..]
            ));
        }
        for name in self.things.keys().chain(other.things.keys()).collect::<std::collections::BTreeSet<_>>() {
            match (self.things.get(name), other.things.get(name)) {
                (a, b) if a == b => {}
                (Some(_), Some(_)) => out.push(format!("{name} is another")),
                (Some(_), None) => out.push(format!("{name} is there")),
                _ => out.push(format!("{name} is missing")),
            }
        }
        out.truncate(8);
        out.join("; ")
    }
}
