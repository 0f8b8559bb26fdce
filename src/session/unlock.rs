//! A vault, locked and unlocked.

use std::cell::RefCell;
use std::path::Path;

use super::log::Log;
use super::view::View;
use super::{commit, rotate, trust};
use crate::base::id::PersonId;
use crate::base::text::base64;
use crate::base::time::Clock;
use crate::base::{Error, Result};
use crate::crypto::identity::Identity;
use crate::crypto::keyring::{self, Bundle, Compartment, KeyringFile, Member, Roster};
use crate::crypto::sign::PublicKey;
use crate::ledger::checkpoint::origin;
use crate::ledger::event::Digest;
use crate::store::catalogue::Catalogue;
use crate::store::db;
use crate::store::files::Layout;
use crate::store::keyfile::KeyFile;
use crate::store::state::{Seen, StateFolder};

/// The keyring in force, and the one about to be (docs/adr/0002).
pub(super) const KEYRING: &str = "keyring.json";
pub(super) const NEXT_KEYRING: &str = "keyring.next.json";
/// In the catalogue: SHA-256 of the keyring file, so that whoever reads the catalogue sees a change of anybody's sealed keys.
pub const KEYRING_DIGEST: &str = "keyring";

/// A vault: `Vault<Locked>` can be unlocked, `Vault<Unlocked>` can be read and committed to.
pub struct Vault<S> {
    pub(super) layout: Layout,
    pub(super) state: S,
}

/// Nothing is known but where it lies.
pub struct Locked {
    keyring: Vec<u8>,
}

/// Open as far as the person's roles go.
pub struct Unlocked {
    pub(super) context: Context,
    pub(super) log: Log,
    pub(super) catalogue: Option<Catalogue>,
    pub(super) keys: RefCell<KeyFile>,
    pub(super) folder: StateFolder,
    pub(super) seen: Seen,
    pub(super) clock: Box<dyn Clock>,
}

/// Who is at the keyboard, and what they hold.
pub(super) struct Context {
    pub(super) identity: Identity,
    pub(super) bundle: Bundle,
    pub(super) roster: Roster,
    pub(super) me: Member,
}

impl Vault<Locked> {
    /// Finds a vault. `keys` overrides where its key file lies.
    pub fn open(root: &Path, keys: Option<&Path>) -> Result<Self> {
        let layout = Layout::open(root, keys)?;
        let keyring = layout.read(KEYRING, keyring::MAX_BYTES as u64).map_err(|e| {
            Error::damage(
                "the keyring is missing from the vault or cannot be read",
                format!("Restore keyring.json from a backup. ({})", e.what()),
            )
        })?;
        Ok(Self { layout, state: Locked { keyring } })
    }

    /// Where it lies.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Unlocks it for `identity`: verifies the keyring, that nothing is older than what this person last saw (`folder`), finishes what an
    /// interrupted command began, and opens what their roles give.
    pub fn unlock(self, identity: Identity, folder: StateFolder, clock: Box<dyn Clock>) -> Result<Vault<Unlocked>> {
        let layout = self.layout;
        let (mut bundle, mut roster) = open_keyring(&self.state.keyring, &identity, &layout)?;
        let seen = folder.load(layout.vault())?;
        let ledger_keys: Vec<_> = bundle.generations(Compartment::Ledger).map(|(_, k)| k).collect();
        let (log, _) = Log::open(&layout.path("ledger.db"), &derived(&layout, &ledger_keys, "ledger")?.refs())?;
        let mut catalogue = open_catalogue(&layout, &bundle)?;

        if let Some((catalogue, _)) = &catalogue {
            commit::drain(&layout, catalogue, &log)?;
            trust::agree(catalogue, &log, || commit::drain(&layout, catalogue, &log))?;
        }
        let pinned = log.keyring_digest()?;
        if pinned != Some(Digest(keyring::digest(&roster)?)) {
            (bundle, roster) = trust::current_keyring(&layout, &identity, pinned)?;
            if catalogue.is_none() {
                catalogue = open_catalogue(&layout, &bundle)?;
                if let Some((catalogue, _)) = &catalogue {
                    trust::agree(catalogue, &log, || commit::drain(&layout, catalogue, &log))?;
                }
            }
        }
        let me = roster.people.iter().find(|m| m.id == identity.person_id()).cloned().ok_or_else(not_enrolled)?;
        let seen = trust::verify(&layout, &log, &roster, seen)?;
        log.db().trust()?;
        catalogue.as_ref().map_or(Ok(()), |(catalogue, _)| catalogue.trust())?;

        let keys = match bundle.newest(Compartment::Catalogue) {
            Some(_) => {
                let outer: Vec<_> = bundle.generations(Compartment::Catalogue).map(|(_, k)| k).collect();
                KeyFile::read(&layout.key_file(), layout.vault(), &outer, |site, generation| {
                    bundle.get(Compartment::Content(site), generation)
                })?
                .0
            }
            None => KeyFile::new(layout.vault())?,
        };
        let context = Context { identity, bundle, roster, me };
        let state = Unlocked {
            context,
            log,
            catalogue: catalogue.map(|(c, _)| c),
            keys: RefCell::new(keys),
            folder,
            seen,
            clock,
        };
        let mut vault = Vault { layout, state };
        vault.verify_key_file()?;
        if vault.is_writer() && vault.state.catalogue.is_some() {
            rotate::finish(&mut vault)?;
        }
        rotate::move_sites(&mut vault)?;
        rotate::renew_card(&vault)?;
        rotate::complete(&mut vault)?;
        vault.remember()?;
        Ok(vault)
    }
}

impl Vault<Unlocked> {
    /// Where it lies.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Its ledger.
    pub fn log(&self) -> &Log {
        &self.state.log
    }

    /// Who is at the keyboard.
    pub fn me(&self) -> &Member {
        &self.state.context.me
    }

    /// Their keys.
    pub fn identity(&self) -> &Identity {
        &self.state.context.identity
    }

    /// Who is enrolled.
    pub fn roster(&self) -> &Roster {
        &self.state.context.roster
    }

    /// What this person last saw of the vault before this command.
    pub fn seen(&self) -> &Seen {
        &self.state.seen
    }

    /// Remembers that the signatures of all entries before `size` have been verified.
    pub fn remember_verified(&mut self, size: u64) -> Result<()> {
        self.state.seen.verified = self.state.seen.verified.max(size);
        let mut seen = self.state.folder.load(self.layout.vault())?.unwrap_or_else(|| self.state.seen.clone());
        seen.verified = seen.verified.max(size);
        self.state.folder.save(&seen)
    }

    /// The destructions so far, for `check`.
    pub fn key_slots(&self) -> std::cell::Ref<'_, KeyFile> {
        self.state.keys.borrow()
    }

    /// What can be read. Whoever shows any of it commits an entry first ([`Vault::commit`]).
    pub fn view(&self) -> Result<View<'_>> {
        Ok(View { reader: self.catalogue()?.reader(), keys: &self.state.keys, context: &self.state.context })
    }

    /// Whether every page and index of a database is sound.
    pub fn is_sound(&self, kind: db::Kind) -> Result<bool> {
        let (compartment, which) = match kind {
            db::Kind::Catalogue => (Compartment::Catalogue, "catalogue"),
            db::Kind::Ledger => (Compartment::Ledger, "ledger"),
        };
        let keys = derived(&self.layout, &self.held(compartment), which)?;
        db::is_sound(&self.layout.path(kind.file()), kind, &keys.refs(), true)
    }

    /// The key that checkpoints are verified with, as the roster gives it.
    pub fn log_key(&self) -> Result<PublicKey> {
        log_key(&self.state.context.roster)
    }

    /// The origin line of the ledger's checkpoints.
    pub fn origin(&self) -> String {
        origin(&self.layout.vault())
    }

    /// The public half of a compartment, as the roster gives it.
    pub fn public_of(&self, name: Compartment) -> Option<&str> {
        self.state.context.roster.compartments.get(&name).and_then(|c| c.public.as_deref())
    }

    /// The keys of a compartment that this person holds, newest first.
    pub fn held(&self, name: Compartment) -> Vec<&crate::base::secret::Key> {
        self.state.context.bundle.generations(name).map(|(_, key)| key).collect()
    }

    /// Whether this person can write entries.
    pub(super) fn is_writer(&self) -> bool {
        self.state.context.bundle.newest(Compartment::LogSign).is_some()
    }

    pub(super) fn catalogue(&self) -> Result<&Catalogue> {
        self.state.catalogue.as_ref().ok_or_else(|| {
            Error::denied(
                "your roles do not open the catalogue",
                "Archivists and stewards can do this; an auditor reads the ledger with `subrosa audit`.",
            )
        })
    }

    /// Refuses a key file that is older than the catalogue, or than what this person saw.
    fn verify_key_file(&self) -> Result<()> {
        let Some(catalogue) = &self.state.catalogue else { return Ok(()) };
        let recorded = catalogue.reader().meta("keyfile_generation")?;
        let recorded = recorded.and_then(|b| b.try_into().ok()).map_or(0, u64::from_be_bytes);
        if self.state.keys.borrow().generation() < recorded {
            // Another command may have written since the key file was read; under the lock nobody does.
            let _lock = self.layout.lock()?;
            self.read_newer_keys()?;
        }
        let keys = self.state.keys.borrow();
        if keys.generation() < recorded || keys.epoch() < self.state.seen.keyfile_epoch {
            return Err(Error::damage(
                "the key file is older than the vault: it was rolled back or copied from somewhere",
                "Put back the newest key file. Do not go on with this one: it may hold keys that were destroyed.",
            ));
        }
        Ok(())
    }
}

/// The roster's key for checkpoints.
pub fn log_key(roster: &Roster) -> Result<PublicKey> {
    let public = roster.compartments.get(&Compartment::LogSign).and_then(|c| c.public.as_deref());
    let bytes = public.and_then(base64);
    bytes.and_then(|b| PublicKey::from_slice(&b)).ok_or_else(|| {
        Error::damage("the keyring does not say which key signs checkpoints", "Restore keyring.json from a backup.")
    })
}

/// Database keys out of compartment keys.
pub(super) fn derived(layout: &Layout, keys: &[&crate::base::secret::Key], which: &str) -> Result<DbKeys> {
    let info = format!("subrosa/sqlcipher/{which}/1");
    let keys = keys.iter().map(|k| crate::crypto::seal::derive(k, layout.vault().as_bytes(), &info));
    Ok(DbKeys(keys.collect::<Result<_>>()?))
}

/// Keys of a database, newest first.
pub(super) struct DbKeys(Vec<crate::base::secret::Key>);

impl DbKeys {
    /// As the databases take them.
    pub(super) fn refs(&self) -> Vec<&crate::base::secret::Key> {
        self.0.iter().collect()
    }
}

pub(super) fn open_keyring(bytes: &[u8], identity: &Identity, layout: &Layout) -> Result<(Bundle, Roster)> {
    let file = KeyringFile::parse(bytes)?;
    if file.vault != layout.vault() {
        return Err(Error::damage("the keyring belongs to another vault", "Restore keyring.json from a backup."));
    }
    let bundle = file.unwrap(identity)?;
    let roster = file.open(&bundle)?;
    Ok((bundle, roster))
}

fn open_catalogue(layout: &Layout, bundle: &Bundle) -> Result<Option<(Catalogue, usize)>> {
    let keys: Vec<_> = bundle.generations(Compartment::Catalogue).map(|(_, k)| k).collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let keys = derived(layout, &keys, "catalogue")?;
    Catalogue::open(&layout.path("catalogue.db"), layout.vault(), &keys.refs()).map(Some)
}

fn not_enrolled() -> Error {
    Error::denied(
        "this identity is not enrolled in this vault",
        "Ask a steward to enrol your card with `subrosa person add`, or use --identity with another file.",
    )
}

impl Context {
    /// Who it is.
    pub(super) fn person(&self) -> PersonId {
        self.me.id
    }
}
