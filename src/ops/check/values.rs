//! The small values of the catalogue, and the two files that follow from others: `vault.card` and `keyring.json`.

use super::ledger::Told;
use super::{Findings, OTHERS};
use crate::base::id::ApprovalId;
use crate::base::role::Role;
use crate::base::time::Moment;
use crate::crypto::card::{MOST_BYTES, VaultCard};
use crate::crypto::keyring::{self, Compartment};
use crate::domain::approval::Approval;
use crate::ledger::event::Digest;
use crate::ledger::tree;
use crate::ops::approval::document_name;
use crate::session::{KEYRING_DIGEST, Unlocked, Vault, View};
use crate::store::catalogue::RecordKind;

/// Every small value: none is missing, none is unknown, each is what it must be.
pub(super) fn check(vault: &Vault<Unlocked>, view: &View<'_>, told: &Told, found: &mut Findings) {
    let values = match view.metas() {
        Ok(values) => values,
        Err(error) => return found.error("the small values of catalogue.db", &error),
    };
    found.part("small values of the catalogue", values.len() as u64);
    let size = vault.log().db().size().unwrap_or(0);
    if view.entries().ok() != Some(size) {
        found.fault("catalogue.db", "it tells of another number of entries than the ledger has", OTHERS);
    }
    let here = vault.layout().read("keyring.json", keyring::MAX_BYTES as u64).ok();
    let kept = view.meta(KEYRING_DIGEST).ok().flatten();
    if here.is_none() || here.map(|bytes| Digest::of(&bytes).0.to_vec()) != kept {
        found.fault(
            "keyring.json",
            "it is not the file that was written last: somebody's sealed keys may be damaged",
            "Whoever can unlock the vault still can. Restore keyring.json from the newest backup; the others are not hurt.",
        );
    }
    let approvals = view.records::<Approval>(RecordKind::Approval).unwrap_or_default();
    for approval in &approvals {
        let Some(document) = &approval.document else { continue };
        let letter = view.meta(&document_name(approval.id)).ok().flatten();
        if letter.is_none_or(|bytes| Digest::of(&bytes) != document.digest) {
            found.fault(
                format!("the letter of an approval, number {}", short(approval.id)),
                "it is missing, or not the one that was deposited",
                "The approval itself holds. Restore catalogue.db from a backup, or record the approval again with the letter.",
            );
        }
    }
    for (name, value) in &values {
        let known = match name.as_str() {
            "entries" | "keyfile_generation" | KEYRING_DIGEST => true,
            "rotating" => {
                found.notice("new keys wait to be put in force: the next command of a steward or archivist does that");
                value.len() == 4
            }
            "clock_accepted" => {
                let until: Option<Moment> = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                until.is_some_and(|until| told.clocks.contains(&until))
            }
            name => approvals.iter().any(|approval| approval.document.is_some() && document_name(approval.id) == name),
        };
        if !known {
            found.fault("catalogue.db", "a small value in it is unknown, or not what the ledger tells of", OTHERS);
        }
    }
}

/// The vault's card: whole, of this vault, and naming the people and keys of today.
pub(super) fn check_card(vault: &Vault<Unlocked>, found: &mut Findings) {
    const CARD: &str = "vault.card";
    found.part(CARD, 1);
    let renew = "Nobody needs it to read the vault. Restore it from a backup or from somebody who was given it; or move it away: the next steward who unlocks the vault writes it anew.";
    let card = vault.layout().read(CARD, MOST_BYTES as u64).and_then(|bytes| VaultCard::parse(&bytes));
    let card = match card {
        Ok(card) => card,
        Err(error) => return found.fault(CARD, format!("it cannot be read: {}", error.what()), renew),
    };
    let facts = card.facts();
    let genesis = vault.log().db().leaf(0).map(|leaf| tree::leaf_hash(&leaf).0).ok();
    if facts.vault != vault.layout().vault()
        || Some(facts.genesis) != genesis
        || vault.log_key().ok() != Some(facts.log_key)
    {
        return found.fault(CARD, "it is of another vault", renew);
    }
    let stewards = vault.roster().people.iter().filter(|member| member.has(Role::Steward, None));
    let mut stewards: Vec<_> = stewards.map(|member| member.sign).collect();
    stewards.sort_by_key(|key| key.to_base64());
    let public = |name| vault.public_of(name).map(str::to_owned);
    if facts.stewards != stewards
        || public(Compartment::Desk) != Some(facts.desk.to_string())
        || public(Compartment::Inbox(1)) != Some(facts.deposit.to_string())
    {
        found.fault(
            CARD,
            "it is older than the vault: it does not name the people and keys of today",
            "Nothing else is hurt. A steward renews it by unlocking the vault.",
        );
    }
}

fn short(id: ApprovalId) -> String {
    id.to_string().chars().take(8).collect()
}
