//! Verifying the ledger: structure, signatures, checkpoints, and every release decided again.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::Source;
use super::source::{CARD, CHECKPOINT};
use crate::base::progress::Progress;
use crate::base::time::Moment;
use crate::base::{Error, Result};
use crate::crypto::card::VaultCard;
use crate::crypto::sign::PublicKey;
use crate::domain::replay::{self, Replay};
use crate::ledger::checkpoint::SignedCheckpoint;
use crate::ledger::entry::Entry;
use crate::ledger::event::{Digest, Event, Role};
use crate::ledger::export::{self, Sink};
use crate::ledger::fault::Report;
use crate::ledger::tiles::{self, MemoryTiles};
use crate::ledger::tree;
use crate::ledger::verify::{Options, Signatures, verify_chain};
use crate::session::{Unlocked, Vault};
use crate::store::files;

/// The largest checkpoint or card that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What a ledger is held against.
#[derive(Default)]
pub struct Against {
    /// Verify all signatures, not only those not verified before.
    pub all: bool,
    /// Checkpoints kept elsewhere, signed notes.
    pub checkpoints: Vec<Vec<u8>>,
    /// The vault's card, from a better place than the export itself.
    pub card: Option<Vec<u8>>,
}

/// What was verified, and what does not hold.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// No fault was found.
    pub sound: bool,
    /// How many entries were read.
    pub entries: u64,
    /// The root over them.
    pub root: Digest,
    /// The hash of the first one.
    pub genesis: Option<Digest>,
    /// The time of the last one.
    pub last_time: Option<Moment>,
    /// Signatures were verified from this entry on; those before it were verified by this person earlier.
    pub signatures_from: u64,
    /// How many signatures hold.
    pub signatures: u64,
    /// The size of the ledger's own checkpoint, if it holds.
    pub checkpoint: Option<u64>,
    /// How many checkpoints kept elsewhere (the one in the state folder is the first) hold.
    pub earlier: usize,
    /// Who cosigned the checkpoint, and when.
    pub cosigned: Vec<Cosigned>,
    /// How many releases were decided again.
    pub releases: u64,
    /// For an export: the fingerprint of the card that its keys were taken from.
    pub card: Option<String>,
    /// For an export: whether the card came out of the export itself.
    pub card_from_export: bool,
    /// Everything that does not hold.
    pub faults: Vec<VerifyFault>,
    /// Faults beyond those listed.
    pub more: u64,
}

/// A board's cosignature.
#[derive(Clone, Debug, Serialize)]
pub struct Cosigned {
    /// The name that it goes by.
    pub name: String,
    /// When.
    pub time: Option<Moment>,
}

/// Something that does not hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct VerifyFault {
    /// The number of the entry, where the fault is in one.
    pub entry: Option<u64>,
    /// What was looked at: `chain`, `tree`, `card` or `replay`.
    pub part: &'static str,
    /// What is wrong, in words.
    pub words: String,
}

/// Verifies the ledger of a vault. Remembers how far signatures were verified, so that each is verified once.
pub fn verify_vault(vault: &mut Vault<Unlocked>, against: &Against, progress: &dyn Progress) -> Result<VerifyReport> {
    let log = vault.log();
    let head = log.head()?;
    let own = log.db().checkpoint()?.map(|(_, note)| note);
    let seen = vault.seen();
    let from = if against.all { 0 } else { seen.verified };
    let mut earlier: Vec<&[u8]> = Vec::new();
    earlier.extend(Some(seen.checkpoint.as_bytes()).filter(|note| !note.is_empty()));
    earlier.extend(against.checkpoints.iter().map(Vec::as_slice));
    let options = Options {
        vault: Some(vault.layout().vault()),
        genesis: Digest::from_base64(&seen.genesis),
        log_key: Some(vault.log_key()?),
        signatures: if from == 0 { Signatures::All } else { Signatures::From(from) },
        checkpoint: own.as_deref().map(str::as_bytes),
        earlier: &earlier,
        progress,
    };
    progress.begin("Verifying the chain", head.size);
    let report = verify_chain(log.leaves(0), &options)?;
    progress.end();
    let clean = report.faults.is_empty();
    let entries = report.entries;
    let second = second_look(Source::Vault(log), head.size, false, progress)?;
    let mut faults = second.faults;
    if log.root(entries).ok() != Some(report.root) {
        faults.push(fault("tree", "the stored tree does not agree with the entries"));
    }
    let cosigned =
        cosigned(own.as_deref().map(str::as_bytes), &options.log_key, &vault.origin(), &second.boards, &mut faults);
    let mut verified = assemble(report, from, faults, cosigned, second.releases);
    if clean {
        vault.remember_verified(entries)?;
    }
    verified.card_from_export = false;
    Ok(verified)
}

/// Verifies an exported folder: needs no vault and no key. The keys come from `against.card`, else from the `vault.card` in the folder, whose
/// fingerprint must then be compared with the vault's fingerprint sheet.
pub fn verify_export(dir: &Path, against: &Against, progress: &dyn Progress) -> Result<VerifyReport> {
    let own = files::read_bounded(&dir.join(CHECKPOINT), MAX_FILE, "checkpoint of the export")?;
    let (card_bytes, card_from_export) = match &against.card {
        Some(bytes) => (bytes.clone(), false),
        None => (files::read_bounded(&dir.join(CARD), MAX_FILE, "vault.card of the export")?, true),
    };
    let card = VaultCard::parse(&card_bytes)?;
    let earlier: Vec<&[u8]> = against.checkpoints.iter().map(Vec::as_slice).collect();
    let log_key = Some(card.facts().log_key);
    let options = Options {
        vault: Some(card.facts().vault),
        genesis: Some(Digest(card.facts().genesis)),
        log_key,
        signatures: Signatures::All,
        checkpoint: Some(&own),
        earlier: &earlier,
        progress,
    };
    let source = Source::Export(dir);
    progress.begin("Verifying the chain", 0);
    let report = verify_chain(source.leaves()?, &options)?;
    progress.end();
    let second = second_look(source, report.entries, true, progress)?;
    let mut faults = second.faults;
    if !second.stewards.contains(card.steward().as_bytes()) {
        faults.push(fault("card", "the vault card is signed by somebody who never was a steward of this vault"));
    }
    if report.checkpoint.as_ref().is_some_and(|head| head.size != report.entries) {
        faults.push(fault("chain", "there are entries after the checkpoint: nothing vouches for them"));
    }
    if dir.join("tile").is_dir() {
        let mut compare = Compare { dir, faults: Vec::new() };
        export::write_tiles(report.entries, &second.tiles, &mut compare)?;
        export::write_entries(source.leaves()?, &mut std::io::sink(), &mut compare)?;
        faults.extend(compare.faults);
    }
    let cosigned = cosigned(Some(&own), &log_key, &card.origin(), &second.boards, &mut faults);
    let mut verified = assemble(report, 0, faults, cosigned, second.releases);
    verified.card = Some(card.fingerprint()?);
    verified.card_from_export = card_from_export;
    Ok(verified)
}

impl VerifyReport {
    /// An error if anything does not hold, for the exit code.
    pub fn require_sound(&self) -> Result<()> {
        let Some(first) = self.faults.first() else { return Ok(()) };
        let count = self.faults.len() as u64 + self.more;
        let faults = if count == 1 { "a fault".to_owned() } else { format!("{count} faults") };
        let place = first.entry.map_or(String::new(), |seq| format!("entry {seq}: "));
        Err(Error::damage(
            format!("the ledger has {faults}, the first: {place}{}", first.words),
            "Keep this copy as it is, and show it and your last checkpoint to the ethics board.",
        ))
    }
}

/// What the second look at the entries gives.
struct SecondLook {
    faults: Vec<VerifyFault>,
    releases: u64,
    boards: Vec<PublicKey>,
    stewards: BTreeSet<[u8; 32]>,
    tiles: MemoryTiles,
}

/// Follows the entries once more: every release decided again; boards and stewards noted; the tree, if it is wanted.
fn second_look(source: Source<'_>, size: u64, tree: bool, progress: &dyn Progress) -> Result<SecondLook> {
    let mut replay = Replay::new();
    let (mut boards, mut stewards, mut tiles) = (Vec::new(), BTreeSet::new(), MemoryTiles::default());
    progress.begin("Deciding every release again", size);
    for (seq, leaf) in (0..).zip(source.leaves()?) {
        let leaf = leaf?;
        if tree {
            tiles::append(&[tree::leaf_hash(&leaf)], seq, &mut tiles)?;
        }
        progress.advance(1);
        // What cannot be read was named when the chain was verified.
        let Ok(entry) = Entry::parse(&leaf) else { continue };
        for event in &entry.events {
            match event {
                Event::Genesis { boards: keys, steward, .. } if seq == 0 => {
                    boards.clone_from(keys);
                    stewards.insert(*steward.as_bytes());
                }
                Event::Person { sign, roles, .. } if roles.iter().any(|r| r.role == Role::Steward) => {
                    stewards.insert(*sign.as_bytes());
                }
                _ => {}
            }
        }
        let Entry { draft, actor, .. } = &entry;
        replay.apply(&replay::Entry { seq: draft.seq, time: draft.time, actor: *actor, events: &draft.events });
    }
    progress.end();
    let releases = replay.releases();
    let faults = replay.into_findings().into_iter();
    let faults = faults.map(|f| VerifyFault { entry: Some(f.seq), part: "replay", words: f.words }).collect();
    Ok(SecondLook { faults, releases, boards, stewards, tiles })
}

fn cosigned(
    note: Option<&[u8]>,
    key: &Option<PublicKey>,
    origin: &str,
    boards: &[PublicKey],
    faults: &mut Vec<VerifyFault>,
) -> Vec<Cosigned> {
    // A checkpoint that cannot be read was named when the chain was verified.
    let head = note.zip(key.as_ref()).and_then(|(note, key)| SignedCheckpoint::parse(note, origin, key).ok());
    let Some(head) = head else { return Vec::new() };
    match head.cosignatures(boards) {
        Ok(found) => {
            let time = |seconds: u64| i64::try_from(seconds).ok().and_then(Moment::from_seconds);
            found.into_iter().map(|c| Cosigned { name: c.name, time: time(c.time) }).collect()
        }
        Err(error) => {
            faults.push(fault("chain", error.what()));
            Vec::new()
        }
    }
}

fn assemble(report: Report, from: u64, more: Vec<VerifyFault>, cosigned: Vec<Cosigned>, releases: u64) -> VerifyReport {
    let chain = report.faults.iter();
    let chain = chain.map(|f| VerifyFault { entry: f.seq, part: "chain", words: f.kind.to_string() });
    let mut faults: Vec<_> = chain.collect();
    faults.extend(more);
    VerifyReport {
        sound: faults.is_empty(),
        entries: report.entries,
        root: report.root,
        genesis: report.genesis,
        last_time: report.last_time,
        signatures_from: from,
        signatures: report.signatures,
        checkpoint: report.checkpoint.map(|head| head.size),
        earlier: report.earlier,
        cosigned,
        releases,
        card: None,
        card_from_export: false,
        faults,
        more: report.more,
    }
}

fn fault(part: &'static str, words: impl Into<String>) -> VerifyFault {
    VerifyFault { entry: None, part, words: words.into() }
}

/// Holds the files of an export against what they should be.
struct Compare<'a> {
    dir: &'a Path,
    faults: Vec<VerifyFault>,
}

impl Sink for Compare<'_> {
    fn file(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let there = files::read_bounded(&self.dir.join(path), bytes.len() as u64, "a tile");
        if there.ok().as_deref() != Some(bytes) {
            self.faults.push(fault("tree", format!("{path} is missing, or not what the entries give")));
        }
        Ok(())
    }
}
