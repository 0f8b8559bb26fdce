//! What the ledger's database keeps beside the entries and could be made from them again: the tree, the signed heads, the keyring's digest.

use super::Findings;
use crate::base::Result;
use crate::base::id::VaultId;
use crate::crypto::sign::PublicKey;
use crate::ledger::checkpoint::{SignedCheckpoint, origin};
use crate::ledger::event::Digest;
use crate::ledger::tiles::{self, MemoryTiles, TileStore};
use crate::ledger::tree;
use crate::session::Log;

const RESTORE: &str = "The entries are another part of it. Restore ledger.db from a backup.";

/// Holds all of it against the entries, whose root and newest keyring are given.
pub(super) fn check(
    log: &Log,
    vault: VaultId,
    key: &PublicKey,
    root: Digest,
    keyring: Option<Digest>,
    found: &mut Findings,
) {
    match tree_agrees(log, root) {
        Ok(true) => {}
        Ok(false) => found.fault("the ledger", "the stored tree does not agree with the entries", RESTORE),
        Err(error) => found.error("the ledger", &error),
    }
    match heads(log, vault, key) {
        Ok((0, _)) => found.fault("the ledger", "it has no signed head any more", RESTORE),
        Ok((_, 0)) => {}
        Ok((all, wrong)) => found.fault(
            "the ledger",
            format!(
                "{wrong} of the {all} signed heads that it keeps are not over its entries, or not signed by its key"
            ),
            RESTORE,
        ),
        Err(error) => found.error("the ledger", &error),
    }
    if log.keyring_digest().ok() != Some(keyring) {
        found.fault("the ledger", "the digest of the keyring that it keeps apart is not that of its entries", RESTORE);
    }
}

fn tree_agrees(log: &Log, root: Digest) -> Result<bool> {
    let mut tree = MemoryTiles::default();
    let (mut batch, mut size) = (Vec::new(), 0);
    for leaf in log.leaves(0) {
        batch.push(tree::leaf_hash(&leaf?));
        if batch.len() as u64 == tiles::TILE_WIDTH {
            size = tiles::append(&batch, size, &mut tree)?;
            batch.clear();
        }
    }
    size = tiles::append(&batch, size, &mut tree)?;
    let stored = log.tiles();
    let mut count = 0;
    for level in 0..=7 {
        let (full, rest) = tiles::tiles_at(level, size);
        for index in 0..full + u64::from(rest > 0) {
            if tree.tile(level, index)? != stored.tile(level, index)? {
                return Ok(false);
            }
            count += 1;
        }
    }
    Ok(count == log.db().tile_count()? && log.root(size)? == root)
}

/// How many signed heads there are, and how many of them do not hold.
fn heads(log: &Log, vault: VaultId, key: &PublicKey) -> Result<(u64, u64)> {
    let (origin, size) = (origin(&vault), log.db().size()?);
    let (mut all, mut wrong) = (0, 0);
    log.db().each_checkpoint(|over, note| {
        all += 1;
        let head = SignedCheckpoint::parse(note.as_bytes(), &origin, key).ok();
        let holds = head.filter(|_| over <= size).is_some_and(|head| {
            let head = head.checkpoint();
            head.size == over && log.root(over).is_ok_and(|root| root == head.root)
        });
        wrong += u64::from(!holds);
        Ok(())
    })?;
    Ok((all, wrong))
}
