//! Checkpoints that travel: signed heads, boards' cosignatures, proofs of single entries.

use std::path::Path;

use serde::Serialize;

use super::{listed, record_reading};
use crate::base::time::Moment;
use crate::base::{Error, Result, canonical};
use crate::crypto::card::VaultCard;
use crate::crypto::identity::Identity;
use crate::crypto::sign::PublicKey;
use crate::ledger::checkpoint::SignedCheckpoint;
use crate::ledger::event::{Digest, Event};
use crate::ledger::witness::{HeadUpdate, Witness};
use crate::session::{Unlocked, Vault};
use crate::store::files;

/// How many older checkpoints a cosignature is tried on.
const LOOK_BACK: usize = 10_000;
/// The largest state of a witness, in bytes.
const MAX_STATE: u64 = 64 << 10;

/// The ledger's head, signed.
#[derive(Clone, Debug, Serialize)]
pub struct CheckpointReport {
    /// How many entries it is over.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// The signed note.
    pub note: String,
    /// The names of the boards that cosigned it.
    pub cosigned: Vec<String>,
    /// Entries after it, which no checkpoint vouches for yet.
    pub later: u64,
}

/// What shows that one entry is in the ledger.
#[derive(Clone, Debug)]
pub struct ProofFiles {
    /// The proof (`.tlog-proof`).
    pub proof: String,
    /// The entry's bytes.
    pub entry: Vec<u8>,
    /// The size of the checkpoint in the proof.
    pub size: u64,
}

/// A head that a board cosigned.
#[derive(Clone, Debug, Serialize)]
pub struct Witnessed {
    /// The cosignature line, with its line feed: to be sent back to the vault.
    pub line: String,
    /// The size of the head cosigned before; 0 for none.
    pub before: u64,
    /// The size of this one.
    pub size: u64,
}

/// The newest checkpoint. Every command that writes an entry signs one.
pub fn checkpoint(vault: &Vault<Unlocked>) -> Result<CheckpointReport> {
    let head = newest(vault)?;
    report(vault, &head)
}

/// Adds a board's cosignature line to the checkpoint that it is of: the newest, or an older one.
pub fn add_cosignature(vault: &Vault<Unlocked>, line: &str) -> Result<CheckpointReport> {
    let (db, key, origin) = (vault.log().db(), vault.log_key()?, vault.origin());
    let boards = boards(vault)?;
    if boards.is_empty() {
        return Err(Error::user(
            "this vault was founded without a board that cosigns",
            "The keys of boards are fixed when the vault is founded.",
        ));
    }
    let mut found = db.checkpoint()?;
    let mut refusal = None;
    for _ in 0..LOOK_BACK {
        let Some((size, note)) = found else { break };
        let mut head = SignedCheckpoint::parse(note.as_bytes(), &origin, &key)?;
        match head.add_cosignature(line, &boards) {
            Ok(_) => {
                db.keep_checkpoint(size, &head.to_string())?;
                return report(vault, &head);
            }
            Err(error) => refusal = Some(error),
        }
        found = db.checkpoint_before(size)?;
    }
    Err(refusal.unwrap_or_else(no_checkpoint))
}

/// What a board needs to cosign the newest head when it last cosigned one of `since` entries (0: none yet).
pub fn head_update(vault: &Vault<Unlocked>, since: u64) -> Result<HeadUpdate> {
    let head = newest(vault)?;
    let size = head.checkpoint().size;
    if since > size {
        return Err(Error::user(
            format!("the newest head has {size} entries, fewer than {since}"),
            "Give the size of the head that the board cosigned last: it stands on the second line of its checkpoint.",
        ));
    }
    let proof = vault.log().consistency(since, size)?;
    Ok(HeadUpdate { old: since, proof, checkpoint: head.to_string() })
}

/// The proof that entry `seq` is in the ledger, under the newest checkpoint.
/// Whoever could write entries leaves one.
pub fn proof(vault: &mut Vault<Unlocked>, seq: u64) -> Result<ProofFiles> {
    record_reading(vault, "audit proof", listed("ledger proof", Vec::new(), 1))?;
    let head = newest(vault)?;
    let size = head.checkpoint().size;
    if seq >= size {
        return Err(Error::user(
            format!("there is no entry {seq} under the newest checkpoint, which has {size}"),
            "Entries are counted from 0; `subrosa audit log` shows them.",
        ));
    }
    let entry = vault.log().db().leaf(seq)?;
    Ok(ProofFiles { proof: vault.log().proof(seq, &head)?.to_string(), entry, size })
}

/// Cosigns a head as a board, with the identity of one of its members. `state` is the file where the board remembers the last head; it is
/// made on the first occasion, from the vault's card. Refuses a head that does not extend the last one.
pub fn witness(
    state: &Path,
    card: Option<&[u8]>,
    update: &[u8],
    name: &str,
    identity: &Identity,
    now: Moment,
) -> Result<Witnessed> {
    let witness = match (state.exists(), card) {
        (true, _) => {
            let bytes = files::read_bounded(state, MAX_STATE, "the board's state file")?;
            canonical::from_slice::<Witness>(&bytes).map_err(|e| e.at("the board's state file"))?
        }
        (false, Some(card)) => {
            let card = VaultCard::parse(card)?;
            Witness::new(&card.origin(), card.facts().log_key)
        }
        (false, None) => {
            return Err(Error::user(
                "the board has no state file there yet",
                "The first time, give the vault's card too, after comparing its fingerprint: --card vault.card.",
            ));
        }
    };
    if let Some(card) = card {
        let card = VaultCard::parse(card)?;
        if card.origin() != witness.origin || card.facts().log_key != witness.log_key {
            return Err(Error::damage(
                "the card is of another vault than the state file",
                "Keep one state file for each vault.",
            ));
        }
    }
    let before = witness.size;
    let advance = witness.advance(&HeadUpdate::parse(update)?)?;
    let size = advance.witness().size;
    files::write_whole(state, &canonical::to_vec(advance.witness())?, "the board's state file")?;
    Ok(Witnessed { line: advance.cosign(name, identity.signer(), now)?, before, size })
}

fn newest(vault: &Vault<Unlocked>) -> Result<SignedCheckpoint> {
    let (_, note) = vault.log().db().checkpoint()?.ok_or_else(no_checkpoint)?;
    SignedCheckpoint::parse(note.as_bytes(), &vault.origin(), &vault.log_key()?)
}

fn no_checkpoint() -> Error {
    Error::user("the ledger has no checkpoint yet", "An archivist or a steward signs one by opening the vault.")
}

/// The boards' keys, as the genesis fixes them.
fn boards(vault: &Vault<Unlocked>) -> Result<Vec<PublicKey>> {
    match vault.log().entry(0)?.draft.events.into_iter().next() {
        Some(Event::Genesis { boards, .. }) => Ok(boards),
        _ => Err(Error::damage("the ledger does not begin with its genesis", "Run `subrosa audit verify`.")),
    }
}

fn report(vault: &Vault<Unlocked>, head: &SignedCheckpoint) -> Result<CheckpointReport> {
    let cosigned = head.cosignatures(&boards(vault)?)?.into_iter().map(|c| c.name).collect();
    let size = head.checkpoint().size;
    let later = vault.log().head()?.size.saturating_sub(size);
    Ok(CheckpointReport { size, root: head.checkpoint().root, note: head.to_string(), cosigned, later })
}
