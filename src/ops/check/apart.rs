//! A vault that cannot be unlocked as a whole: each of its parts by itself, so that it shows which are hurt and which are not.

use super::{CheckReport, Findings};
use crate::base::Result;
use crate::base::id::VaultId;
use crate::base::secret::Key;
use crate::crypto::identity::Identity;
use crate::crypto::keyring::{self, Bundle, Compartment, KeyringFile};
use crate::crypto::seal;
use crate::ledger::verify::{Options, Signatures, verify_chain};
use crate::session::Log;
use crate::store::catalogue::Catalogue;
use crate::store::db::Kind;
use crate::store::files::Layout;
use crate::store::keyfile::KeyFile;
use crate::store::objects;

/// Looks at keyring, ledger, catalogue, key file and files each by itself. For a vault that did not unlock: `reason` is why. Writes nothing.
pub fn check_apart(layout: &Layout, identity: &Identity, reason: &crate::base::Error) -> CheckReport {
    let mut found = Findings::default();
    found.part("the vault as a whole", 1);
    found.fault("the vault", reason.what(), reason.remedy());
    found.part("keyring", 1);
    let bundle = match open_keyring(layout, identity) {
        Ok(bundle) => bundle,
        Err(error) => {
            found.error("keyring.json", &error);
            Bundle::new()
        }
    };
    ledger(layout, &bundle, &mut found);
    catalogue(layout, &bundle, &mut found);
    found.part("files (how many)", objects::list(layout).map_or(0, |(ids, _)| ids.len() as u64));
    if let Err(error) = objects::list(layout) {
        found.error("the files", &error);
    }
    found.unseen("the rows, keys and files one by one: that needs the vault to unlock");
    found.finish()
}

fn open_keyring(layout: &Layout, identity: &Identity) -> Result<Bundle> {
    let file = KeyringFile::parse(&layout.read("keyring.json", keyring::MAX_BYTES as u64)?)?;
    let bundle = file.unwrap(identity)?;
    file.open(&bundle)?;
    Ok(bundle)
}

fn ledger(layout: &Layout, bundle: &Bundle, found: &mut Findings) {
    let keys = match derived(bundle, Compartment::Ledger, layout.vault(), Kind::Ledger) {
        Ok(keys) if !keys.is_empty() => keys,
        Ok(_) => return found.unseen("the ledger: no key of it could be had"),
        Err(error) => return found.error("ledger.db", &error),
    };
    found.part("ledger", 1);
    let log = match Log::open(&layout.path(Kind::Ledger.file()), &keys.iter().collect::<Vec<_>>()) {
        Ok((log, _)) => log,
        Err(error) => return found.error("ledger.db", &error),
    };
    if !matches!(log.db().is_sound(), Ok(true)) {
        found.fault("ledger.db", "some of its pages are damaged", "Restore it from a backup.");
    }
    let options = Options { vault: Some(layout.vault()), signatures: Signatures::None, ..Options::default() };
    match verify_chain(log.leaves(0), &options) {
        Ok(report) => {
            for fault in &report.faults {
                found.fault("the ledger", fault.to_string(), "Restore ledger.db from a backup.");
            }
        }
        Err(error) => found.error("the ledger", &error),
    }
}

fn catalogue(layout: &Layout, bundle: &Bundle, found: &mut Findings) {
    let keys = match derived(bundle, Compartment::Catalogue, layout.vault(), Kind::Catalogue) {
        Ok(keys) if !keys.is_empty() => keys,
        Ok(_) => return found.unseen("the catalogue and the key file: no key of them could be had"),
        Err(error) => return found.error("catalogue.db", &error),
    };
    found.part("catalogue", 1);
    let path = layout.path(Kind::Catalogue.file());
    match Catalogue::open(&path, layout.vault(), &keys.iter().collect::<Vec<_>>()) {
        Ok((catalogue, _)) if matches!(catalogue.is_sound(), Ok(true)) => {}
        Ok(_) => found.fault("catalogue.db", "some of its pages are damaged", "Restore it from a backup."),
        Err(error) => found.error("catalogue.db", &error),
    }
    found.part("key file", 1);
    let outer: Vec<_> = bundle.generations(Compartment::Catalogue).map(|(_, key)| key).collect();
    let content = |site, generation| bundle.get(Compartment::Content(site), generation);
    if let Err(error) = KeyFile::read(&layout.key_file(), layout.vault(), &outer, content) {
        found.error("the key file", &error);
    }
}

fn derived(bundle: &Bundle, name: Compartment, vault: VaultId, kind: Kind) -> Result<Vec<Key>> {
    bundle.generations(name).map(|(_, key)| seal::derive(key, vault.as_bytes(), kind.info())).collect()
}
