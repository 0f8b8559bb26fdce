//! The keyring against the ledger, and whether anybody can still open each site.

use std::collections::BTreeMap;

use super::Findings;
use super::ledger::Told;
use crate::base::Result;
use crate::base::id::{PersonId, SiteId};
use crate::base::role::RoleGrant;
use crate::crypto::keyring::{self, Compartment, KeyringFile, Roster};
use crate::crypto::sign::PublicKey;
use crate::ledger::event::Digest;
use crate::session::{Unlocked, Vault, View};

const KEYRING: &str = "keyring.json";

/// Compares the roster with what stewards wrote into the ledger: people, keys and roles, version and digest.
pub(super) fn check(vault: &Vault<Unlocked>, told: &Told, found: &mut Findings) {
    let roster = vault.roster();
    found.part("people of the keyring", roster.people.len() as u64);
    let remedy = "Let a steward see `subrosa audit log`; restore keyring.json from a backup.";
    let here: BTreeMap<PersonId, (PublicKey, &[RoleGrant])> =
        roster.people.iter().map(|member| (member.id, (member.sign, member.roles.as_slice()))).collect();
    let enrolled = told.people.iter().filter(|(_, (_, roles))| !roles.is_empty());
    let there = enrolled.map(|(id, (sign, roles))| (*id, (*sign, roles.as_slice()))).collect();
    if here != there {
        found.fault(
            "the keyring",
            "its people, keys or roles are not those that stewards wrote into the ledger",
            remedy,
        );
    }
    let digest = keyring::digest(roster).map(Digest).ok();
    if told.keyring.is_none() || told.keyring != digest.map(|digest| (i64::from(roster.version), digest)) {
        found.fault("the keyring", "it is not the one that the ledger tells of last", remedy);
    }
}

/// Names every site whose content is sealed under a key that nobody enrolled holds any more.
pub(super) fn check_holders(vault: &Vault<Unlocked>, view: &View<'_>, found: &mut Findings) {
    let sites: Vec<(SiteId, Option<u32>)> = {
        let keys = vault.key_slots();
        keys.sites().into_iter().map(|site| (site, keys.site_generation(site))).collect()
    };
    found.part("keys of sites", sites.len() as u64);
    let file = match keyring_file(vault) {
        Ok(file) => file,
        Err(error) => return found.error("the keyring", &error),
    };
    let known = view.sites().unwrap_or_default();
    for (site, generation) in sites {
        if generation.is_some_and(|generation| holders(vault.roster(), &file, site, generation) > 0) {
            continue;
        }
        let prefix = known.get(&site).map_or_else(|| site.to_string(), |site| site.prefix.clone());
        // The key file is written before the keyring comes into force: a command interrupted in between leaves a key that the next
        // enrolment of an archivist replaces, and nothing was ever sealed under it.
        if !vault.roster().compartments.contains_key(&Compartment::Content(site)) && is_empty(view, site) {
            found.notice(format!("the key of site {prefix} was left over from an enrolment that was interrupted; nothing is sealed under it"));
            continue;
        }
        found.fault(
            format!("site {prefix}"),
            "nobody holds the key that its content is sealed under: nobody can open it any more",
            "Restore keyring.json from a backup made while the site had an archivist. Other sites are not hurt.",
        );
    }
}

/// Whether nobody and nothing of a site is in the vault.
fn is_empty(view: &View<'_>, site: SiteId) -> bool {
    let participants = view.participants().is_ok_and(|rows| rows.iter().all(|row| row.site != site));
    participants && view.interviews().is_ok_and(|rows| rows.iter().all(|row| row.site != site))
}

/// How many of the people enrolled have the key of a generation of a site wrapped to them.
fn holders(roster: &Roster, file: &KeyringFile, site: SiteId, generation: u32) -> usize {
    let facts = roster.compartments.get(&Compartment::Content(site));
    let commitment = facts.and_then(|facts| facts.commitment_of(generation));
    let Some(label) = commitment.map(keyring::label) else { return 0 };
    let holds = |id: &PersonId| file.wraps().get(id).is_some_and(|wraps| wraps.contains_key(&label));
    roster.people.iter().filter(|member| holds(&member.id)).count()
}

fn keyring_file(vault: &Vault<Unlocked>) -> Result<KeyringFile> {
    KeyringFile::parse(&vault.layout().read(KEYRING, keyring::MAX_BYTES as u64)?)
}
