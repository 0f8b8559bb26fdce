//! A vault that cannot be unlocked as a whole: each of its parts by itself, so that it shows which are hurt and which are not.

use std::path::Path;

use super::{CheckReport, Findings, stored};
use crate::base::id::VaultId;
use crate::base::secret::Key;
use crate::base::{Error, Result};
use crate::crypto::card::{MOST_BYTES, VaultCard};
use crate::crypto::identity::Identity;
use crate::crypto::keyring::{self, Bundle, Compartment, KeyringFile, Roster};
use crate::crypto::seal;
use crate::crypto::sign::PublicKey;
use crate::ledger::checkpoint::SignedCheckpoint;
use crate::ledger::entry::Entry;
use crate::ledger::event::{Digest, Event};
use crate::ledger::verify::{Options, Signatures, verify_chain};
use crate::session::{KEYRING_DIGEST, Log};
use crate::store::catalogue::Catalogue;
use crate::store::db::{self, Kind};
use crate::store::files::Layout;
use crate::store::keyfile::KeyFile;
use crate::store::objects;
use crate::store::state::{Seen, StateFolder};

const RESTORE: &str = "Restore it from a backup; the other parts are looked at by themselves.";
const KEYRING: &str = "keyring.json";

/// Looks at every part by itself. For a vault that did not unlock: `reason` is why. Writes nothing.
pub fn check_apart(
    root: &Path,
    keys: Option<&Path>,
    identity: &Identity,
    state: &StateFolder,
    reason: &Error,
) -> CheckReport {
    let mut found = Findings::default();
    found.part("the vault as a whole", 1);
    found.fault("the vault", reason.what(), reason.remedy());
    found.part("vault.json", 1);
    let layout = Layout::open(root, keys).or_else(|error| {
        found.error("vault.json", &error);
        assumed(root, keys)
    });
    let layout = match layout {
        Ok(layout) => layout,
        Err(_) => {
            found.unseen(
                "everything else: neither vault.json nor keyring.json nor vault.card tells which vault this is",
            );
            return found.finish();
        }
    };
    let mut parts =
        Parts { layout, found, bundle: Bundle::new(), roster: None, keyring: None, seen: None, log_key: None };
    parts.keyring(identity);
    parts.card();
    parts.state(state);
    parts.ledger();
    parts.catalogue();
    parts.files();
    let Parts { mut found, .. } = parts;
    found.unseen(
        "the rows, keys and files one by one: that needs the vault to unlock. Mend what is named, then check again",
    );
    found.finish()
}

/// A layout by the vault's id as other files tell it.
fn assumed(root: &Path, keys: Option<&Path>) -> Result<Layout> {
    let read = |name: &str, most| crate::store::files::read_bounded(&root.join(name), most, name);
    let of_keyring = read(KEYRING, keyring::MAX_BYTES as u64).and_then(|bytes| Ok(KeyringFile::parse(&bytes)?.vault));
    let vault = of_keyring.or_else(|_| {
        read("vault.card", MOST_BYTES as u64).and_then(|bytes| Ok(VaultCard::parse(&bytes)?.facts().vault))
    })?;
    Layout::assume(root, keys, vault)
}

struct Parts {
    layout: Layout,
    found: Findings,
    bundle: Bundle,
    roster: Option<Roster>,
    /// SHA-256 of the keyring file.
    keyring: Option<Digest>,
    seen: Option<Seen>,
    log_key: Option<PublicKey>,
}

impl Parts {
    fn keyring(&mut self, identity: &Identity) {
        self.found.part(KEYRING, 1);
        let opened = (|| {
            let bytes = self.layout.read(KEYRING, keyring::MAX_BYTES as u64)?;
            let file = KeyringFile::parse(&bytes)?;
            if file.vault != self.layout.vault() {
                return Err(Error::damage("it belongs to another vault, or vault.json does", RESTORE));
            }
            self.keyring = Some(Digest::of(&bytes));
            let bundle = file.unwrap(identity)?;
            Ok((file.open(&bundle)?, bundle))
        })();
        match opened {
            Ok((roster, bundle)) => {
                self.log_key = crate::session::log_key(&roster).ok();
                (self.roster, self.bundle) = (Some(roster), bundle);
            }
            Err(error) => {
                self.found.fault(
                    KEYRING,
                    error.what(),
                    "Restore keyring.json from the newest backup: without it nothing else can be opened.",
                );
                self.found.unseen("ledger, catalogue and key file, which take the keys that lie in keyring.json");
            }
        }
    }

    fn card(&mut self) {
        self.found.part("vault.card", 1);
        let card = self.layout.read("vault.card", MOST_BYTES as u64).and_then(|bytes| VaultCard::parse(&bytes));
        let rest = "Nobody needs it to read the vault. Restore it from a backup or from somebody who was given it.";
        match card {
            Ok(card) if card.facts().vault == self.layout.vault() => {}
            Ok(_) => self.found.fault("vault.card", "it is of another vault, or vault.json is", rest),
            Err(error) => self.found.fault("vault.card", error.what(), rest),
        }
    }

    fn state(&mut self, state: &StateFolder) {
        self.found.part("what you saw last", 1);
        match state.load(self.layout.vault()) {
            Ok(seen) => self.seen = seen,
            Err(error) => self.found.error("your state file, beside your identity", &error),
        }
    }

    fn ledger(&mut self) {
        let keys = match self.derived(Compartment::Ledger, Kind::Ledger) {
            Ok(keys) if !keys.is_empty() => keys,
            Ok(_) => return,
            Err(error) => return self.found.error("ledger.db", &error),
        };
        self.found.part("ledger.db", 1);
        let log = match Log::open(&self.layout.path(Kind::Ledger.file()), &keys.iter().collect::<Vec<_>>()) {
            Ok((log, _)) => log,
            Err(error) => return self.found.error("ledger.db", &error),
        };
        self.pages(Kind::Ledger, &keys);
        let entries = log.db().size().unwrap_or(0);
        self.found.part("ledger entries", entries);
        let own = log.db().checkpoint().ok().flatten().map(|(_, note)| note);
        let held = self.seen.as_ref().map(|seen| seen.checkpoint.clone()).filter(|note| !note.is_empty());
        let earlier: Vec<&[u8]> = held.as_deref().map(str::as_bytes).into_iter().collect();
        let options = Options {
            vault: Some(self.layout.vault()),
            genesis: self.seen.as_ref().and_then(|seen| Digest::from_base64(&seen.genesis)),
            log_key: self.log_key,
            signatures: Signatures::None,
            checkpoint: own.as_deref().map(str::as_bytes),
            earlier: &earlier,
            ..Options::default()
        };
        let report = match verify_chain(log.leaves(0), &options) {
            Ok(report) => report,
            Err(error) => return self.found.error("the ledger", &error),
        };
        for fault in &report.faults {
            self.found.fault("the ledger", fault.to_string(), "Restore ledger.db from a backup.");
        }
        if let Some(key) = &self.log_key {
            let told = last_keyring(&log);
            stored::check(&log, self.layout.vault(), key, report.root, told, &mut self.found);
            let here = self.roster.as_ref().and_then(|roster| keyring::digest(roster).ok()).map(Digest);
            if here != told {
                self.found.fault(
                    KEYRING,
                    "it is not the keyring that the ledger tells of last",
                    "One of the two was rolled back or replaced. Put back the newest of both.",
                );
            }
        }
        self.ahead(&log);
    }

    /// Whether the person has seen more of the ledger than there is.
    fn ahead(&mut self, log: &Log) {
        let (Some(seen), Some(key)) = (&self.seen, &self.log_key) else { return };
        let origin = crate::ledger::checkpoint::origin(&self.layout.vault());
        if !seen.checkpoint.is_empty() && SignedCheckpoint::parse(seen.checkpoint.as_bytes(), &origin, key).is_err() {
            self.found.fault(
                "your state file, beside your identity",
                "the head of the ledger that it keeps is damaged, or of another ledger",
                "Put back the state folder that lay beside your identity. The vault itself need not be hurt.",
            );
        }
        let newer = self.roster.as_ref().is_some_and(|roster| roster.version < seen.roster_version);
        if newer {
            self.found.fault(
                KEYRING,
                "it is older than the one that you saw last",
                "Put back the newest keyring.json.",
            );
        }
        if log.db().size().is_ok_and(|size| size < seen.verified) {
            self.found.fault(
                "ledger.db",
                "it has fewer entries than you have verified",
                "Put back the newest ledger.db.",
            );
        }
    }

    fn catalogue(&mut self) {
        let keys = match self.derived(Compartment::Catalogue, Kind::Catalogue) {
            Ok(keys) if !keys.is_empty() => keys,
            Ok(_) => return,
            Err(error) => return self.found.error("catalogue.db", &error),
        };
        self.found.part("catalogue.db", 1);
        let path = self.layout.path(Kind::Catalogue.file());
        let catalogue = match Catalogue::open(&path, self.layout.vault(), &keys.iter().collect::<Vec<_>>()) {
            Ok((catalogue, _)) => {
                self.pages(Kind::Catalogue, &keys);
                Some(catalogue)
            }
            Err(error) => {
                self.found.error("catalogue.db", &error);
                None
            }
        };
        let value = |name: &str| catalogue.as_ref().and_then(|catalogue| catalogue.reader().meta(name).ok().flatten());
        if catalogue.is_some() && value(KEYRING_DIGEST) != self.keyring.map(|digest| digest.0.to_vec()) {
            self.found.fault(
                KEYRING,
                "it is not the file that the catalogue knows as the newest",
                "One of the two was rolled back, replaced or damaged. Put back the newest of both.",
            );
        }
        let generation = value("keyfile_generation").and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        self.found.part("key file", 1);
        let outer: Vec<_> = self.bundle.generations(Compartment::Catalogue).map(|(_, key)| key).collect();
        let content = |site, generation| self.bundle.get(Compartment::Content(site), generation);
        match KeyFile::read(&self.layout.key_file(), self.layout.vault(), &outer, content) {
            Ok((keys, _)) => {
                let epoch = self.seen.as_ref().map_or(0, |seen| seen.keyfile_epoch);
                if generation.is_some_and(|newest| keys.generation() < newest) || keys.epoch() < epoch {
                    self.found.fault("the key file", "it is older than the vault", "Put back the newest key file.");
                }
            }
            Err(error) => self.found.error("the key file", &error),
        }
    }

    fn pages(&mut self, kind: Kind, keys: &[Key]) {
        let path = self.layout.path(kind.file());
        if !matches!(db::is_sound(&path, kind, &keys.iter().collect::<Vec<_>>(), false), Ok(true)) {
            self.found.fault(kind.file(), "some of its pages are damaged", RESTORE);
        }
    }

    fn files(&mut self) {
        let listed = objects::list(&self.layout);
        self.found.part("files (how many)", listed.as_ref().map_or(0, |(ids, _)| ids.len() as u64));
        if let Err(error) = listed {
            self.found.error("the files", &error);
        }
    }

    fn derived(&self, name: Compartment, kind: Kind) -> Result<Vec<Key>> {
        let vault: VaultId = self.layout.vault();
        self.bundle.generations(name).map(|(_, key)| seal::derive(key, vault.as_bytes(), kind.info())).collect()
    }
}

/// The digest of the keyring that the entries tell of last.
fn last_keyring(log: &Log) -> Option<Digest> {
    let mut last = None;
    for entry in log.leaves(0).flatten().filter_map(|leaf| Entry::parse(&leaf).ok()) {
        for event in &entry.draft.events {
            if let Event::Keyring { digest, .. } = event {
                last = Some(*digest);
            }
        }
    }
    last
}
