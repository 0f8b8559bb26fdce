//! Verifying a whole ledger: its structure, its signatures, and the checkpoints held of it.
//!
//! Needs no tiles and no memory of the whole: entries stream through in batches, each read and hashed on all cores.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::base::Result;
use crate::base::id::VaultId;
use crate::base::progress::{Progress, Silent};
use crate::base::time::Moment;
use crate::crypto::sign::PublicKey;

use super::checkpoint::{self, Checkpoint, SignedCheckpoint};
use super::entry::{self, Entry};
use super::event::{Digest, Event};
use super::fault::{FaultKind, Held, Report};
use super::note::Note;
use super::roster::Roster;
use super::tree::{self, Frontier};

/// A batch ends at so many entries …
const BATCH_ENTRIES: usize = 8_192;
/// … or so many bytes, whichever comes first.
const BATCH_BYTES: usize = 16 << 20;
/// How many entries one core takes at a time: a complete subtree, where they are aligned.
const CHUNK: usize = 1 << CHUNK_LEVEL;
const CHUNK_LEVEL: u32 = 8;

/// Whose signatures are verified. (A signature takes about as long as the structure of ten entries.)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signatures {
    /// All.
    All,
    /// Those from this entry on.
    From(u64),
    /// None.
    None,
}

/// What a ledger is held against.
pub struct Options<'a> {
    /// The vault it must be of.
    pub vault: Option<VaultId>,
    /// The hash of its first entry ([`Entry::leaf_hash`]), as remembered.
    pub genesis: Option<Digest>,
    /// The key of its checkpoints, as remembered; else the one that the genesis names.
    pub log_key: Option<PublicKey>,
    /// Whose signatures are verified.
    pub signatures: Signatures,
    /// Its own checkpoint, a signed note: must hold for its first entries. Entries after it are no fault.
    pub checkpoint: Option<&'a [u8]>,
    /// Checkpoints kept elsewhere, signed notes: the ledger must extend each.
    pub earlier: &'a [&'a [u8]],
    /// Advanced by one for each entry; the caller begins and ends it.
    pub progress: &'a dyn Progress,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            vault: None,
            genesis: None,
            log_key: None,
            signatures: Signatures::All,
            checkpoint: None,
            earlier: &[],
            progress: &Silent,
        }
    }
}

/// Verifies the entries in order, from the first. A fault does not end it: whatever can still be checked is. An error means that the
/// entries could not be fetched.
pub fn verify_chain(entries: impl IntoIterator<Item = Result<Vec<u8>>>, options: &Options<'_>) -> Result<Report> {
    let mut chain = Chain::new(options);
    let mut entries = entries.into_iter();
    let mut batch = next_batch(&mut entries)?;
    while !batch.is_empty() {
        // While one is verified, the next is fetched.
        let mut coming = Ok(Vec::new());
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| chain.take(&batch));
            coming = next_batch(&mut entries);
        });
        batch = coming?;
    }
    Ok(chain.finish())
}

fn next_batch(entries: &mut impl Iterator<Item = Result<Vec<u8>>>) -> Result<Vec<Vec<u8>>> {
    let (mut batch, mut bytes) = (Vec::new(), 0usize);
    while batch.len() < BATCH_ENTRIES && bytes < BATCH_BYTES {
        let Some(entry) = entries.next().transpose()? else { break };
        bytes = bytes.saturating_add(entry.len());
        batch.push(entry);
    }
    Ok(batch)
}

/// An entry as read on one core.
struct Seen {
    leaf: Digest,
    entry: Option<Entry>,
    /// `None`: not asked for.
    signature: Option<bool>,
}

/// What the genesis says of the checkpoints.
struct Origin {
    line: String,
    key: PublicKey,
}

struct Chain<'a> {
    options: &'a Options<'a>,
    report: Report,
    frontier: Frontier,
    /// Roots at the sizes of the checkpoints held.
    roots: BTreeMap<u64, Option<Digest>>,
    vault: Option<VaultId>,
    origin: Option<Origin>,
    roster: Roster,
    /// The number that comes next.
    next: u64,
    last: Option<Moment>,
    /// Entries are missing or out of place: no root can agree any more.
    derailed: bool,
}

impl<'a> Chain<'a> {
    fn new(options: &'a Options<'a>) -> Self {
        let report = Report {
            entries: 0,
            root: tree::empty_root(),
            genesis: None,
            last_time: None,
            signatures: 0,
            checkpoint: None,
            earlier: 0,
            faults: Vec::new(),
            more: 0,
        };
        let sizes = options.checkpoint.iter().chain(options.earlier).filter_map(|note| size_of(note));
        Self {
            options,
            report,
            frontier: Frontier::new(),
            roots: sizes.map(|size| (size, None)).collect(),
            vault: options.vault,
            origin: None,
            roster: Roster::default(),
            next: 0,
            last: None,
            derailed: false,
        }
    }

    /// Reads a batch on all cores, then follows the chain through it.
    fn take(&mut self, batch: &[Vec<u8>]) {
        let first = self.frontier.size();
        let from = match self.options.signatures {
            Signatures::All => 0,
            Signatures::From(seq) => seq,
            Signatures::None => u64::MAX,
        };
        let chunks: Vec<(Vec<Seen>, Digest)> = batch
            .par_chunks(CHUNK)
            .enumerate()
            .map(|(i, chunk)| {
                let seen = read_chunk(chunk, first + (i * CHUNK) as u64, from);
                self.options.progress.advance(chunk.len() as u64);
                seen
            })
            .collect();
        let edges: Vec<Frontier> = chunks
            .iter()
            .map(|(seen, root)| {
                let edge = self.frontier.clone();
                if seen.len() != CHUNK || !self.frontier.push_subtree(CHUNK_LEVEL, *root) {
                    seen.iter().for_each(|s| self.frontier.push(s.leaf));
                }
                edge
            })
            .collect();
        let watched = &self.roots;
        let pinned: Vec<Pinned> =
            chunks.par_iter().zip(edges).map(|((seen, _), edge)| compare_roots(seen, edge, watched)).collect();
        for ((seen, _), pinned) in chunks.iter().zip(pinned) {
            for (seen, agrees) in seen.iter().zip(pinned.agrees) {
                self.follow(seen, agrees);
            }
            for (size, root) in pinned.watched {
                self.roots.insert(size, Some(root));
            }
        }
    }

    fn follow(&mut self, seen: &Seen, root_agrees: bool) {
        let position = self.report.entries;
        self.report.entries += 1;
        if position == 0 {
            self.report.genesis = Some(seen.leaf);
            if self.options.genesis.is_some_and(|known| known != seen.leaf) {
                self.report.add(Some(0), FaultKind::OtherGenesis);
            }
        }
        let Some(entry) = &seen.entry else {
            self.report.add(Some(self.next), FaultKind::Unreadable);
            if position == 0 {
                self.report.add(Some(0), FaultKind::NoGenesis);
            }
            self.next += 1;
            return;
        };
        let here = Some(self.number(entry));
        if *self.vault.get_or_insert(entry.vault) != entry.vault {
            self.report.add(here, FaultKind::OtherVault);
        }
        if !root_agrees && !self.derailed {
            self.report.add(here, FaultKind::Root);
            self.derailed = true;
        }
        if self.last.is_some_and(|last| entry.time < last) {
            self.report.add(here, FaultKind::ClockBack);
        }
        self.last = Some(entry.time);
        match seen.signature {
            Some(true) => self.report.signatures += 1,
            Some(false) => self.report.add(here, FaultKind::Signature),
            None => {}
        }
        self.people(entry, position, here, seen.signature != Some(false));
    }

    /// Compares the entry's number with the one that comes next; gives the number to name it by.
    fn number(&mut self, entry: &Entry) -> u64 {
        let (found, next) = (entry.seq, self.next);
        if found < next {
            self.report.add(Some(next), FaultKind::OutOfPlace { found });
            self.derailed = true;
            return next;
        }
        if found > next {
            self.report.add(Some(found), FaultKind::Missing { from: next, to: found - 1 });
            self.derailed = true;
        }
        self.next = found + 1;
        found
    }

    /// Genesis first and only there; signers enrolled at that point.
    fn people(&mut self, entry: &Entry, position: u64, here: Option<u64>, signed: bool) {
        let geneses = entry.events.iter().filter(|event| matches!(event, Event::Genesis { .. })).count();
        let founding = match entry.events.first() {
            Some(Event::Genesis { origin, steward, steward_id, log_key, .. }) if position == 0 => {
                self.found(entry, origin, log_key);
                self.roster.found(*steward_id, *steward);
                1
            }
            _ => {
                if position == 0 {
                    self.report.add(here, FaultKind::NoGenesis);
                }
                0
            }
        };
        if geneses > founding {
            self.report.add(here, FaultKind::GenesisAgain);
        }
        // Without a genesis nobody is known; that was said once.
        if self.origin.is_none() {
            return;
        }
        if let Some(kind) = self.roster.judge(entry) {
            self.report.add(here, kind);
        } else if signed {
            for kind in self.roster.apply(entry) {
                self.report.add(here, kind);
            }
        }
    }

    fn found(&mut self, entry: &Entry, origin: &str, key: &PublicKey) {
        let other_key = self.options.log_key.is_some_and(|known| known != *key);
        if other_key || origin != checkpoint::origin(&entry.vault) {
            self.report.add(Some(0), FaultKind::OtherGenesis);
        }
        self.origin = Some(Origin { line: origin.to_owned(), key: *key });
    }

    fn finish(mut self) -> Report {
        self.report.root = self.frontier.root();
        self.report.last_time = self.last;
        if self.report.entries == 0 {
            self.report.add(None, FaultKind::NoGenesis);
        }
        if let Some(root) = self.roots.get_mut(&self.frontier.size()) {
            *root = Some(self.report.root);
        }
        if let Some(note) = self.options.checkpoint {
            self.report.checkpoint = self.hold(note, Held::Own);
        }
        for (i, note) in self.options.earlier.iter().enumerate() {
            if self.hold(note, Held::Earlier(i)).is_some() {
                self.report.earlier += 1;
            }
        }
        self.report
    }

    /// Holds the entries against a checkpoint; gives it if they agree.
    fn hold(&mut self, note: &[u8], held: Held) -> Option<Checkpoint> {
        let vault_line = self.vault.map(|vault| checkpoint::origin(&vault));
        let line = self.origin.as_ref().map(|o| o.line.clone()).or(vault_line);
        let key = self.options.log_key.or(self.origin.as_ref().map(|o| o.key));
        let head = line.zip(key).and_then(|(line, key)| SignedCheckpoint::parse(note, &line, &key).ok());
        let Some(head) = head else {
            self.report.add(None, FaultKind::CheckpointForged(held));
            return None;
        };
        let Checkpoint { size, root, .. } = *head.checkpoint();
        let kind = if size > self.frontier.size() {
            FaultKind::Cut { held, size }
        } else if self.roots.get(&size) != Some(&Some(root)) {
            FaultKind::Forked { held, size }
        } else {
            return Some(head.checkpoint().clone());
        };
        self.report.add(None, kind);
        None
    }
}

/// The size that a checkpoint claims, unverified.
fn size_of(note: &[u8]) -> Option<u64> {
    Checkpoint::parse_body(Note::parse(note).ok()?.text()).ok().map(|head| head.size)
}

/// Reads and hashes a chunk; verifies signatures from entry `from` on. With the root over the chunk.
fn read_chunk(chunk: &[Vec<u8>], first: u64, from: u64) -> (Vec<Seen>, Digest) {
    let mut reading = entry::Reading::default();
    let mut edge = Frontier::new();
    let seen = chunk.iter().zip(first..).map(|(bytes, position)| {
        let leaf = tree::leaf_hash(bytes);
        edge.push(leaf);
        let entry = entry::parse_with(bytes, &mut reading).ok();
        let signature = entry.as_ref().filter(|_| position >= from).map(|e| entry::signature_holds(e, bytes));
        Seen { leaf, entry, signature }
    });
    let seen = seen.collect();
    (seen, edge.root())
}

/// Of each entry of a chunk, whether it names the root before it; and the roots at the sizes watched.
struct Pinned {
    agrees: Vec<bool>,
    watched: Vec<(u64, Digest)>,
}

fn compare_roots(seen: &[Seen], mut edge: Frontier, sizes: &BTreeMap<u64, Option<Digest>>) -> Pinned {
    let mut pinned = Pinned { agrees: Vec::with_capacity(seen.len()), watched: Vec::new() };
    for seen in seen {
        let root = edge.root();
        if sizes.contains_key(&edge.size()) {
            pinned.watched.push((edge.size(), root));
        }
        pinned.agrees.push(seen.entry.as_ref().is_none_or(|entry| entry.root == root));
        edge.push(seen.leaf);
    }
    pinned
}

#[cfg(test)]
mod tests;
