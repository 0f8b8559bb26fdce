//! An entry: one command, signed by who ran it (docs/format.md, section 5).

use crate::base::id::{PersonId, VaultId};
use crate::base::text::base64;
use crate::base::time::Moment;
use crate::base::{Error, Result, canonical};
use crate::crypto::sign::{PublicKey, Signature, SigningSeed, forged};
use canonical::MAX_INTEGER;

use super::checkpoint::decimal;
use super::event::{Digest, Event};
use super::tree;

/// The longest entry, in bytes: 32 MiB.
pub const MAX_ENTRY: usize = 32 << 20;

/// The longest command word, in bytes.
pub const MAX_COMMAND: usize = 40;

/// What is signed besides the entry itself says that it is an entry.
const CONTEXT: &str = "subrosa/entry/1";

/// The length of what follows the member "sig": `,"time":"…","vault":"…"}`.
const TAIL: usize = 22 + 20 + 32;

/// The length of the member "sig", with the comma before it.
const SIG_MEMBER: usize = 9 + 88;

/// What an entry is to say, before anybody has signed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// The vault.
    pub vault: VaultId,
    /// Its place in the ledger, from 0; also the number of entries before it.
    pub seq: u64,
    /// When; not before the entry before it.
    pub time: Moment,
    /// The root of the entries before it.
    pub root: Digest,
    /// Which command it was: lower-case words, at most [`MAX_COMMAND`] bytes.
    pub command: String,
    /// What happened; at least one event.
    pub events: Vec<Event>,
}

/// A signed entry. Holding one does not mean that its signature holds: ask [`Entry::verify_signature`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it says.
    pub draft: Draft,
    /// Who says so.
    pub actor: PersonId,
    /// The key it is signed with.
    pub key: PublicKey,
    /// The signature over everything else.
    pub sig: Signature,
}

impl std::ops::Deref for Entry {
    type Target = Draft;
    fn deref(&self) -> &Draft {
        &self.draft
    }
}

impl Entry {
    /// Signs `draft` as `actor` with their key. Fails if the command is no short word, there is no event, or the entry becomes too long.
    pub fn sign(draft: Draft, actor: PersonId, seed: &SigningSeed) -> Result<Self> {
        let sig = seed.sign(CONTEXT, &unsigned(&draft, actor, seed)?);
        Ok(Self { draft, actor, key: seed.public(), sig })
    }

    /// As [`Self::sign`] and [`Self::to_bytes`] in one: the events, which may be megabytes, are written once and then let go of.
    pub fn sign_to_bytes(draft: Draft, actor: PersonId, seed: &SigningSeed) -> Result<Vec<u8>> {
        let mut bytes = unsigned(&draft, actor, seed)?;
        drop(draft);
        let sig = sig_member(&seed.sign(CONTEXT, &bytes));
        let at = bytes.len().checked_sub(TAIL).ok_or_else(|| Error::bug("an entry is too short"))?;
        bytes.splice(at..at, sig.into_bytes());
        Ok(bytes)
    }

    /// The canonical bytes: the leaf of the tree, and a line of the export.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        bytes_of(&self.draft, self.actor, &self.key, Some(&self.sig))
    }

    /// Reads an entry. Anything but the exact bytes that [`Self::to_bytes`] gives is refused. Does not verify the signature.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        parse_with(bytes, &mut Reading::default())
    }

    /// The time of an entry, from the end of its canonical bytes, where `time` and `vault` stand last: without reading what may be megabytes
    /// of events. `None` if the bytes do not end as an entry's do.
    pub fn time_of(bytes: &[u8]) -> Option<Moment> {
        let rest = bytes.strip_suffix(b"\"}")?;
        let (rest, vault) = rest.split_at_checked(rest.len().checked_sub(32)?)?;
        let rest = rest.strip_suffix(b"\",\"vault\":\"")?;
        let (rest, time) = rest.split_at_checked(rest.len().checked_sub(20)?)?;
        std::str::from_utf8(vault).ok()?.parse::<VaultId>().ok()?;
        let time = std::str::from_utf8(time).ok()?.parse().ok()?;
        rest.ends_with(b",\"time\":\"").then_some(time)
    }

    /// Whether the signature is that of [`Entry::key`] over this entry. Says nothing about whose key it is.
    pub fn verify_signature(&self) -> Result<()> {
        let message = bytes_of(&self.draft, self.actor, &self.key, None)?;
        if self.key.verifies(CONTEXT, &message, &self.sig) { Ok(()) } else { Err(forged("a ledger entry")) }
    }

    /// The leaf hash of the entry: SHA-256 of a zero byte and the canonical bytes.
    pub fn leaf_hash(&self) -> Result<Digest> {
        Ok(tree::leaf_hash(&self.to_bytes()?))
    }
}

/// What reading one entry leaves for the next.
#[derive(Default)]
pub(super) struct Reading {
    keys: Keys,
    scratch: Vec<u8>,
    again: Vec<u8>,
}

/// Public keys seen lately, so that the curve arithmetic of reading one is done once.
#[derive(Default)]
struct Keys(Vec<([u8; 32], PublicKey)>);

impl Keys {
    fn read(&mut self, text: &str) -> Option<PublicKey> {
        let bytes = Digest::from_base64(text)?.0;
        if let Some((_, key)) = self.0.iter().find(|(known, _)| *known == bytes) {
            return Some(*key);
        }
        let key = PublicKey::from_slice(&bytes)?;
        if self.0.len() >= 64 {
            self.0.clear();
        }
        self.0.push((bytes, key));
        Some(key)
    }
}

/// [`Entry::parse`], many times.
pub(super) fn parse_with(bytes: &[u8], reading: &mut Reading) -> Result<Entry> {
    let bad = |what: &str| Error::damage(what, "The ledger was altered or is damaged. Compare it with a backup.");
    if bytes.len() > MAX_ENTRY {
        return Err(bad("a ledger entry is longer than 32 MiB"));
    }
    let parts = std::str::from_utf8(bytes).ok().and_then(split);
    let (entry, events) =
        parts.and_then(|p| p.read(&mut reading.keys)).ok_or_else(|| bad("a ledger entry is not in its exact form"))?;
    let events_now: Vec<Event> =
        serde_json::from_str(events).map_err(|_| bad("a ledger entry holds an event that is not known"))?;
    let Reading { scratch, again, .. } = reading;
    again.clear();
    let written = canonical::append(&events_now, scratch, again);
    if events_now.is_empty() || written.is_err() || again != events.as_bytes() {
        return Err(bad("the events of a ledger entry are not in their exact form"));
    }
    Ok(Entry { draft: Draft { events: events_now, ..entry.draft }, ..entry })
}

/// As [`Entry::verify_signature`], from the bytes that `entry` was parsed from.
pub(super) fn signature_holds(entry: &Entry, bytes: &[u8]) -> bool {
    let (Some(end), Some(start)) = (bytes.len().checked_sub(TAIL), bytes.len().checked_sub(TAIL + SIG_MEMBER)) else {
        return false;
    };
    let (Some(before), Some(after)) = (bytes.get(..start), bytes.get(end..)) else { return false };
    entry.key.verifies(CONTEXT, &[before, after].concat(), &entry.sig)
}

/// The members of an entry in their canonical order; the order and the names are fixed, so they are cut out rather than searched for.
struct Parts<'a> {
    actor: &'a str,
    command: &'a str,
    events: &'a str,
    key: &'a str,
    root: &'a str,
    seq: &'a str,
    sig: &'a str,
    time: &'a str,
    vault: &'a str,
}

fn split(text: &str) -> Option<Parts<'_>> {
    let rest = text.strip_prefix("{\"actor\":\"")?;
    let (actor, rest) = rest.split_at_checked(32)?;
    let rest = rest.strip_prefix("\",\"command\":\"")?;
    let (command, rest) = rest.split_at_checked(rest.find('"')?)?;
    let rest = rest.strip_prefix("\",\"events\":")?;
    // The rest from behind, since the events are of any length.
    let rest = rest.strip_suffix("\"}")?;
    let (rest, vault) = cut(rest, 32)?;
    let (rest, time) = cut(rest.strip_suffix("\",\"vault\":\"")?, 20)?;
    let (rest, sig) = cut(rest.strip_suffix("\",\"time\":\"")?, 88)?;
    let rest = rest.strip_suffix(",\"sig\":\"")?;
    let (rest, seq) = rest.split_at_checked(rest.rfind(':')? + 1)?;
    let (rest, root) = cut(rest.strip_suffix("\",\"seq\":")?, 44)?;
    let (rest, key) = cut(rest.strip_suffix("\",\"root\":\"")?, 44)?;
    let events = rest.strip_suffix(",\"format\":\"subrosa-entry/1\",\"key\":\"")?;
    Some(Parts { actor, command, events, key, root, seq, sig, time, vault })
}

/// Cuts the last `length` bytes off.
fn cut(text: &str, length: usize) -> Option<(&str, &str)> {
    text.split_at_checked(text.len().checked_sub(length)?)
}

impl<'a> Parts<'a> {
    /// The entry without its events, and the text of those.
    fn read(self, keys: &mut Keys) -> Option<(Entry, &'a str)> {
        let seq = decimal(self.seq)?;
        if !is_command(self.command) {
            return None;
        }
        let sig = base64(self.sig)?;
        let draft = Draft {
            vault: self.vault.parse().ok()?,
            seq,
            time: self.time.parse().ok()?,
            root: Digest::from_base64(self.root)?,
            command: self.command.to_owned(),
            events: Vec::new(),
        };
        let sig = Signature::from_slice(&sig)?;
        Some((Entry { draft, actor: self.actor.parse().ok()?, key: keys.read(self.key)?, sig }, self.events))
    }
}

/// The canonical JSON of an entry to be signed. Refuses what [`Entry::sign`] refuses.
fn unsigned(draft: &Draft, actor: PersonId, seed: &SigningSeed) -> Result<Vec<u8>> {
    if !is_command(&draft.command) || draft.events.is_empty() || draft.seq > MAX_INTEGER.unsigned_abs() {
        return Err(Error::bug("a ledger entry has no proper command, event or number"));
    }
    let message = bytes_of(draft, actor, &seed.public(), None)?;
    if message.len() + SIG_MEMBER > MAX_ENTRY {
        return Err(Error::user(
            "this command touches more than one entry of the ledger can hold",
            "Do it in several smaller steps, for example site by site.",
        ));
    }
    Ok(message)
}

/// The canonical JSON of an entry, with its signature or, to be signed, without.
fn bytes_of(draft: &Draft, actor: PersonId, key: &PublicKey, sig: Option<&Signature>) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(format!("{{\"actor\":\"{actor}\",\"command\":\"{}\",\"events\":", draft.command).as_bytes());
    // One event after the other: a second copy of all of them would be as long again.
    let mut scratch = Vec::new();
    out.push(b'[');
    for (i, event) in draft.events.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        canonical::append(event, &mut scratch, &mut out)?;
    }
    out.push(b']');
    let (key, root) = (key.to_base64(), draft.root.to_base64());
    let middle = format!(",\"format\":\"subrosa-entry/1\",\"key\":\"{key}\",\"root\":\"{root}\",\"seq\":{}", draft.seq);
    out.extend_from_slice(middle.as_bytes());
    out.extend_from_slice(sig.map(sig_member).unwrap_or_default().as_bytes());
    out.extend_from_slice(format!(",\"time\":\"{}\",\"vault\":\"{}\"}}", draft.time, draft.vault).as_bytes());
    Ok(out)
}

fn sig_member(sig: &Signature) -> String {
    format!(",\"sig\":\"{}\"", data_encoding::BASE64.encode(&sig.to_bytes()))
}

/// Lower-case letters, digits, `-`, `_` and single spaces, beginning with a letter.
fn is_command(word: &str) -> bool {
    (1..=MAX_COMMAND).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && !word.ends_with(' ')
        && !word.contains("  ")
        && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b' '))
}

#[cfg(test)]
mod tests;
