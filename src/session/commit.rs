//! The one write path: an act and its signed entry are durable together, then the entry reaches the ledger, and only then
//! anything becomes visible (docs/adr/0002).

use super::log::Log;
use super::trust;
use super::unlock::{KEYRING, KEYRING_DIGEST, NEXT_KEYRING, Unlocked, Vault};
use super::view::View;
use crate::base::id::{PersonId, SiteId, SlotId};
use crate::base::secret::Key;
use crate::base::time::Moment;
use crate::base::{Error, Kind, Result};
use crate::crypto::identity::Identity;
use crate::crypto::keyring::{Bundle, Compartment, KeyringFile, Roster};
use crate::crypto::sign::SigningSeed;
use crate::ledger::entry::{Draft, Entry};
use crate::ledger::event::{Digest, Event};
use crate::store::catalogue::{Catalogue, Writer};
use crate::store::files::{Layout, Lock};
use crate::store::keyfile::Class;
use crate::store::objects::Staged;

/// One command being done: reads through its [`View`], writes through [`Act::tables`], says what happened with [`Act::event`].
pub struct Act<'v> {
    view: View<'v>,
    writer: Writer<'v>,
    layout: &'v Layout,
    events: Vec<Event>,
    staged: Vec<Staged>,
    now: Moment,
    seq: u64,
}

impl<'v> std::ops::Deref for Act<'v> {
    type Target = View<'v>;
    fn deref(&self) -> &View<'v> {
        &self.view
    }
}

impl<'v> Act<'v> {
    /// For writing rows.
    pub fn tables(&self) -> &Writer<'v> {
        &self.writer
    }

    /// Records that something happened. An act without an event is refused: nothing goes unlogged.
    pub fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The time of the act.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The number that its entry gets.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Who acts.
    pub fn person(&self) -> PersonId {
        self.view.context.person()
    }

    /// Their key for signing.
    pub fn signer(&self) -> &'v SigningSeed {
        self.view.context.identity.signer()
    }

    /// Their keys.
    pub fn identity(&self) -> &'v Identity {
        &self.view.context.identity
    }

    /// Makes a new key of a class; it is written with the act.
    pub fn new_key(&mut self, class: Class) -> Result<(SlotId, Key)> {
        self.view.keys.borrow_mut().add(class)
    }

    /// Gives a site its first content epoch key.
    pub(super) fn add_site(&self, site: SiteId, generation: u32, key: &Key) -> Result<()> {
        self.view.keys.borrow_mut().add_site(site, generation, key)
    }

    /// Moves a site's content epoch key under another compartment key.
    pub(super) fn reseal_site(&self, site: SiteId, generation: u32, key: &Key) -> Result<()> {
        self.view.keys.borrow_mut().reseal_site(site, generation, key)
    }

    /// Where the vault lies.
    pub fn layout(&self) -> &'v Layout {
        self.layout
    }

    fn into_parts(self) -> (Writer<'v>, Vec<Event>, Vec<Staged>) {
        (self.writer, self.events, self.staged)
    }

    /// Takes over a sealed object; it is moved to its place with the act.
    pub fn keep(&mut self, object: Staged) {
        self.staged.push(object);
    }
}

impl Vault<Unlocked> {
    /// Does one command under the vault's lock. `act` reads, writes and names events; if it fails, everything is as before.
    /// What it returns may be shown once this has returned: by then the entry is durable.
    pub fn commit<T>(&mut self, command: &str, act: impl FnOnce(&mut Act<'_>) -> Result<T>) -> Result<T> {
        let now = self.now()?;
        self.write(command, now, None, act)
    }

    /// As [`Vault::commit`], at a time that two people vouch for.
    pub(super) fn commit_at<T>(
        &mut self,
        command: &str,
        time: Moment,
        act: impl FnOnce(&mut Act<'_>) -> Result<T>,
    ) -> Result<T> {
        self.write(command, time, None, act)
    }

    /// As [`Vault::commit`], putting a new keyring in force with it.
    pub(super) fn commit_with<T>(
        &mut self,
        command: &str,
        keyring: (KeyringFile, Roster, Bundle),
        act: impl FnOnce(&mut Act<'_>) -> Result<T>,
    ) -> Result<T> {
        let now = self.now()?;
        self.write(command, now, Some(keyring), act)
    }

    fn write<T>(
        &mut self,
        command: &str,
        time: Moment,
        keyring: Option<(KeyringFile, Roster, Bundle)>,
        act: impl FnOnce(&mut Act<'_>) -> Result<T>,
    ) -> Result<T> {
        let lock = self.layout.lock()?;
        self.layout.clean_tmp(&lock)?;
        self.refresh()?;
        let out = self.write_locked(command, time, keyring, act).inspect_err(|_| {
            self.state.keys.borrow_mut().forget_fresh();
        })?;
        drop(lock);
        Ok(out)
    }

    fn write_locked<T>(
        &mut self,
        command: &str,
        time: Moment,
        keyring: Option<(KeyringFile, Roster, Bundle)>,
        act: impl FnOnce(&mut Act<'_>) -> Result<T>,
    ) -> Result<T> {
        let catalogue = self.catalogue()?;
        let head = self.state.log.head()?;
        let now = head.time.map_or(time, |last| last.max(time));
        let mut doing = Act {
            view: self.view()?,
            writer: catalogue.begin()?,
            layout: &self.layout,
            events: Vec::new(),
            staged: Vec::new(),
            now,
            seq: head.size,
        };
        let done = act(&mut doing);
        let (writer, events, staged) = doing.into_parts();
        let out = done?;
        if events.is_empty() {
            return Err(Error::bug("a command did something that the ledger would not know of"));
        }
        let draft = Draft {
            vault: self.layout.vault(),
            seq: head.size,
            time: now,
            root: head.root,
            command: command.to_owned(),
            events,
        };
        let leaf = Entry::sign_to_bytes(draft, self.me().id, self.identity().signer())?;
        writer.post(head.size, &leaf)?;
        drop(leaf);
        for object in staged {
            object.keep()?;
        }
        if self.state.keys.borrow().is_dirty() {
            let catalogue_key = self.newest(Compartment::Catalogue)?;
            let mut keys = self.state.keys.borrow_mut();
            keys.write(&self.layout.key_file(), catalogue_key)?;
            writer.set_meta("keyfile_generation", &keys.generation().to_be_bytes())?;
        }
        if let Some((file, _, _)) = &keyring {
            let bytes = file.to_bytes()?;
            self.layout.write(NEXT_KEYRING, &bytes)?;
            writer.set_meta(KEYRING_DIGEST, &Digest::of(&bytes).0)?;
        }
        writer.commit()?;
        self.finish_act(keyring).map_err(recorded)?;
        Ok(out)
    }

    /// What follows once the act has happened. Where it fails, the next unlocking does it.
    fn finish_act(&mut self, keyring: Option<(KeyringFile, Roster, Bundle)>) -> Result<()> {
        drain_locked(self.catalogue()?, &self.state.log)?;
        if let Some((_, roster, bundle)) = keyring {
            self.layout.rename(NEXT_KEYRING, KEYRING)?;
            self.state.context.roster = roster;
            self.state.context.bundle = bundle;
        }
        self.remember()
    }

    /// Takes the vault's lock, and sees everything that others wrote until then. For whoever looks at more than one act sees.
    pub fn hold(&self) -> Result<Lock> {
        let lock = self.layout.lock()?;
        if self.state.catalogue.is_some() {
            self.refresh()?;
        }
        Ok(lock)
    }

    /// Logs that somebody tried something and was refused. Does nothing for people who cannot write entries.
    pub fn record_denial(&mut self, what: &str, error: &Error) -> Result<()> {
        if error.kind() != Kind::Denied || !self.is_writer() || self.state.catalogue.is_none() {
            return Ok(());
        }
        let event = Event::Denied { what: what.to_owned(), reason: error.what().to_owned() };
        self.commit("denied", |act| {
            act.event(event);
            Ok(())
        })
    }

    /// The newest key of a compartment.
    pub(super) fn newest(&self, name: Compartment) -> Result<&Key> {
        self.state.context.bundle.newest(name).map(|(_, key)| key).ok_or_else(|| {
            Error::denied(
                "your roles do not give you the keys for this",
                "Ask a steward; `subrosa person list` shows who has which role.",
            )
        })
    }

    /// Under the lock: another command may have written since this one unlocked the vault.
    pub(super) fn refresh(&self) -> Result<()> {
        let catalogue = self.catalogue()?;
        drain_locked(catalogue, &self.state.log)?;
        trust::agree(catalogue, &self.state.log, || Ok(()))?;
        let pinned = self.state.log.keyring_digest()?;
        let digest = crate::crypto::keyring::digest(&self.state.context.roster)?;
        if pinned.is_some_and(|p| p.0 != digest) {
            return Err(Error::user(
                "the vault's keys were changed by another command just now",
                "Run the command again.",
            ));
        }
        self.read_newer_keys()
    }

    /// Reads the key file again if the catalogue knows of a newer one. Under the lock.
    pub(super) fn read_newer_keys(&self) -> Result<()> {
        let recorded = self.catalogue()?.reader().meta("keyfile_generation")?;
        let recorded = recorded.and_then(|b| b.try_into().ok()).map_or(0, u64::from_be_bytes);
        if recorded > self.state.keys.borrow().generation() {
            let bundle = &self.state.context.bundle;
            let outer: Vec<_> = bundle.generations(Compartment::Catalogue).map(|(_, k)| k).collect();
            let (keys, _) = crate::store::keyfile::KeyFile::read(
                &self.layout.key_file(),
                self.layout.vault(),
                &outer,
                |site, generation| bundle.get(Compartment::Content(site), generation),
            )?;
            self.state.keys.replace(keys);
        }
        Ok(())
    }
}

/// An error after which the act stands all the same.
#[expect(clippy::needless_pass_by_value, reason = "shaped for map_err")]
fn recorded(error: Error) -> Error {
    Error::new(
        error.kind(),
        format!("the command is recorded and stands, but it could not be finished: {}", error.what()),
        "Do not run it again: mend what is wrong, and the next command that opens the vault finishes it.",
    )
}

/// Brings entries of the outbox into the ledger, under the lock. Idempotent.
pub(super) fn drain(layout: &Layout, catalogue: &Catalogue, log: &Log) -> Result<()> {
    if catalogue.reader().outbox()?.is_empty() {
        return Ok(());
    }
    let lock = layout.lock()?;
    layout.clean_tmp(&lock)?;
    drain_locked(catalogue, log)
}

fn drain_locked(catalogue: &Catalogue, log: &Log) -> Result<()> {
    let entries = catalogue.reader().outbox()?;
    for (seq, leaf) in &entries {
        log.append(*seq, leaf)?;
    }
    if let Some((last, _)) = entries.last() {
        let writer = catalogue.begin()?;
        writer.posted(*last)?;
        writer.commit()?;
    }
    Ok(())
}
