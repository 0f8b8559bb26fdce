//! What is believed of a vault when it is unlocked, and why: that it is not older than what this person last saw, that a steward put the
//! keyring in force, and that nobody without the right to wrote the end of the ledger (docs/threat-model.md, promise 4).

use std::collections::BTreeMap;

use super::log::Log;
use super::unlock::{KEYRING, NEXT_KEYRING, Unlocked, Vault, log_key, open_keyring};
use crate::base::id::PersonId;
use crate::base::role::Role;
use crate::base::{Error, Result};
use crate::crypto::identity::Identity;
use crate::crypto::keyring::{self, Bundle, Compartment, Roster};
use crate::crypto::sign::{PublicKey, SigningSeed};
use crate::ledger::checkpoint::{Checkpoint, SignedCheckpoint, origin};
use crate::ledger::entry::Entry;
use crate::ledger::event::{Digest, Event};
use crate::ledger::tree;
use crate::store::catalogue::Catalogue;
use crate::store::files::Layout;
use crate::store::state::Seen;

/// The keyring that the ledger names: another command may have put it in force since the file was read, or have been interrupted just
/// before.
pub(super) fn current_keyring(layout: &Layout, identity: &Identity, named: Option<Digest>) -> Result<(Bundle, Roster)> {
    let _lock = layout.lock()?;
    for name in [KEYRING, NEXT_KEYRING] {
        let Ok(bytes) = layout.read(name, keyring::MAX_BYTES as u64) else { continue };
        let (bundle, roster) = open_keyring(&bytes, identity, layout)?;
        if named == Some(Digest(keyring::digest(&roster)?)) {
            if name == NEXT_KEYRING {
                layout.rename(NEXT_KEYRING, KEYRING)?;
            }
            return Ok((bundle, roster));
        }
    }
    Err(Error::damage(
        "the keyring is not the one that the ledger names: one of the two was rolled back or replaced",
        "Put back the newest keyring.json and ledger.db, both from the same backup. Do not go on with these.",
    ))
}

/// Refuses two databases of different age: each act is in both, so one of them was rolled back, replaced, or has lost its newest part.
/// `drain` brings over what another command may just have left in the outbox.
pub(super) fn agree(catalogue: &Catalogue, log: &Log, drain: impl FnOnce() -> Result<()>) -> Result<()> {
    // The catalogue comes first in every act: it can be ahead of a ledger that is read before it, never behind.
    let before = log.db().size()?;
    let posted = catalogue.reader().entries()?;
    if posted < before {
        return Err(older("catalogue.db", "the ledger"));
    }
    if posted > log.db().size()? {
        drain()?;
        if posted > log.db().size()? {
            return Err(older("ledger.db", "the catalogue"));
        }
    }
    Ok(())
}

fn older(file: &str, other: &str) -> Error {
    Error::damage(
        format!("{file} is older than {other}: it was rolled back or replaced, or its newest part was lost"),
        format!(
            "Put back the newest {file} and the {file}-wal that lay beside it, or restore the newest backup of the whole vault. Nothing was changed."
        ),
    )
}

/// Refuses a vault that is older than what this person last saw, or whose keyring no steward put in force. A first sighting is taken as
/// it is, from its genesis on.
pub(super) fn verify(layout: &Layout, log: &Log, roster: &Roster, seen: Option<Seen>) -> Result<Seen> {
    let genesis = tree::leaf_hash(&log.db().leaf(0)?).to_base64();
    let key = log_key(roster)?;
    let digest = Digest(keyring::digest(roster)?);
    let Some(seen) = seen else {
        verify_keyring(log, roster, digest)?;
        return Ok(Seen::new(layout.vault(), genesis, key.to_base64()));
    };
    if seen.genesis != genesis {
        return Err(rolled_back("the beginning of the ledger"));
    }
    if seen.log_key != key.to_base64() {
        return Err(rolled_back("the key that signs the ledger's heads"));
    }
    let same = seen.roster_digest == digest.to_base64();
    if roster.version < seen.roster_version || (roster.version == seen.roster_version && !same) {
        return Err(rolled_back("the keyring"));
    }
    let mut known = 0;
    if !seen.checkpoint.is_empty() {
        let old = SignedCheckpoint::parse(seen.checkpoint.as_bytes(), &origin(&layout.vault()), &key);
        let old = old.map_err(|_| {
            Error::damage(
                "the head of the ledger in your state file is damaged, or of another ledger",
                "Put back the state folder that lay beside your identity; keep this one until it is known which is right.",
            )
        })?;
        known = old.checkpoint().size;
        let head = log.head()?;
        if head.size < known {
            return Err(rolled_back("the ledger"));
        }
        let proof = log.consistency(known, head.size)?;
        tree::verify_consistency(known, &old.checkpoint().root, head.size, &head.root, &proof)
            .map_err(|_| rolled_back("the ledger"))?;
    }
    if !same || names_keyring(log, known)? {
        verify_keyring(log, roster, digest)?;
    }
    Ok(seen)
}

/// Whether an entry from `from` on puts a keyring in force.
fn names_keyring(log: &Log, from: u64) -> Result<bool> {
    let mut found = false;
    log.db().each(from, |_, leaf| {
        found |= Entry::parse(leaf)?.events.iter().any(|e| matches!(e, Event::Keyring { .. }));
        Ok(())
    })?;
    Ok(found)
}

/// Refuses a roster that is not the one that a steward last put in force, following stewards from the genesis on, or whose log key is
/// not the genesis's. Reads the ledger whole; done only when the roster is another than last time.
fn verify_keyring(log: &Log, roster: &Roster, digest: Digest) -> Result<()> {
    let mut stewards: BTreeMap<PersonId, PublicKey> = BTreeMap::new();
    let (mut last, mut genesis_key) = (None, None);
    log.db().each(0, |seq, leaf| {
        let entry = Entry::parse(leaf)?;
        if let (0, Some(Event::Genesis { steward, steward_id, log_key, .. })) = (seq, entry.events.first()) {
            stewards.insert(*steward_id, *steward);
            genesis_key = Some(*log_key);
        }
        let governs = entry.events.iter().any(|e| matches!(e, Event::Keyring { .. } | Event::Person { .. }));
        if !governs || stewards.get(&entry.actor) != Some(&entry.key) {
            return Ok(());
        }
        entry.verify_signature()?;
        for event in &entry.events {
            match event {
                Event::Keyring { digest, .. } => last = Some(*digest),
                Event::Person { person, sign, roles, .. } => {
                    stewards.remove(person);
                    if roles.iter().any(|r| r.gives(Role::Steward, None)) {
                        stewards.insert(*person, *sign);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    })?;
    if last == Some(digest) && genesis_key == Some(log_key(roster)?) {
        return Ok(());
    }
    Err(Error::damage(
        "no steward put this keyring in force",
        "Somebody altered the keyring or the ledger. Do not go on; tell the stewards and the ethics board.",
    ))
}

impl Vault<Unlocked> {
    /// Signs the ledger's head, if this person holds the key for it, and remembers it in their state folder. Only ever moves forward.
    pub(super) fn remember(&mut self) -> Result<()> {
        // First the checkpoint, then the head: another command may append and sign in between.
        let newest = self.state.log.db().checkpoint()?;
        let head = self.state.log.head()?;
        let key = self.log_key()?;
        let parse = |note: String| SignedCheckpoint::parse(note.as_bytes(), &self.origin(), &key);
        let newest = newest.map(|(_, note)| parse(note)).transpose().map_err(|_| {
            Error::damage(
                "the newest signed head in ledger.db is damaged",
                "Restore ledger.db from a backup; `subrosa check` says what else is hurt.",
            )
        })?;
        let size = newest.as_ref().map_or(0, |n| n.checkpoint().size);
        if let Some(newest) = &newest
            && (size > head.size || self.state.log.root(size)? != newest.checkpoint().root)
        {
            return Err(rolled_back("the ledger"));
        }
        let signs = self.is_writer().then_some(());
        let note = match (newest, signs) {
            (Some(newest), None) => newest.to_string(),
            (Some(newest), Some(_)) if size == head.size => newest.to_string(),
            (_, Some(())) => {
                self.verify_tail(size)?;
                let note = self.sign_head(head.size)?.to_string();
                self.state.log.db().keep_checkpoint(head.size, &note)?;
                note
            }
            (None, None) => return Ok(()),
        };
        let mut seen = self.state.seen.clone();
        if checkpoint_size(&note)? >= checkpoint_size(&seen.checkpoint)? {
            seen.checkpoint = note;
        }
        let roster = &self.state.context.roster;
        seen.roster_version = roster.version;
        seen.roster_digest = data_encoding::BASE64.encode(&keyring::digest(roster)?);
        seen.keyfile_epoch = seen.keyfile_epoch.max(self.state.keys.borrow().epoch());
        if seen != self.state.seen {
            self.state.folder.save(&seen)?;
            self.state.seen = seen;
        }
        Ok(())
    }

    /// The head over the first `size` entries, signed; the same bytes whenever it is asked for. For archivists and stewards.
    pub fn sign_head(&self, size: u64) -> Result<SignedCheckpoint> {
        let seed = SigningSeed::from_key(self.newest(Compartment::LogSign)?);
        Checkpoint { origin: self.origin(), size, root: self.state.log.root(size)? }.sign(&seed)
    }

    /// Refuses to vouch for entries after the last head that somebody without the right to wrote.
    fn verify_tail(&self, from: u64) -> Result<()> {
        let roster = &self.state.context.roster;
        self.state.log.db().each(from, |_, leaf| {
            let entry = Entry::parse(leaf)?;
            let member = roster.people.iter().find(|m| m.id == entry.actor && m.sign == entry.key);
            if !member.is_some_and(|m| m.has(Role::Archivist, None) || m.has(Role::Steward, None)) {
                return Err(Error::damage(
                    "the ledger ends with an entry by somebody who may not write entries",
                    "Somebody altered ledger.db. Do not go on; tell the stewards and the ethics board.",
                ));
            }
            entry.verify_signature()
        })
    }
}

/// The size that a note speaks of; 0 for none.
fn checkpoint_size(note: &str) -> Result<u64> {
    if note.is_empty() {
        return Ok(0);
    }
    let note = crate::ledger::note::Note::parse(note.as_bytes())?;
    Ok(Checkpoint::parse_body(note.text())?.size)
}

fn rolled_back(what: &str) -> Error {
    Error::damage(
        format!("{what} is not what you saw last: the vault was rolled back, replaced or forked"),
        "Do not go on. Keep your state folder, and ask the ethics board to compare its checkpoint with the ledger.",
    )
}
