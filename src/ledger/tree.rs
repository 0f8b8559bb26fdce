//! The Merkle tree of RFC 6962, section 2 (RFC 9162, section 2.1): hashes, roots, and proofs checked.

use sha2::{Digest as _, Sha256};

use crate::base::{Error, Result};

use super::event::Digest;

/// The most hashes a proof can have: trees have fewer than 2⁶³ leaves.
pub const MAX_PROOF: usize = 64;

/// The hash of a leaf: SHA-256(0x00 || leaf).
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

/// The hash of a node: SHA-256(0x01 || left || right).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Digest(Sha256::digest(bytes).into())
}

/// The root of a tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// The right edge of a growing tree: one hash for each complete subtree, largest first. Enough to append and to know every root.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Digest>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        self.join(leaf, 0);
    }

    /// Adds a complete subtree of 2^`level` leaves by its root. `false`, and nothing happens, where the size is no multiple of that.
    pub fn push_subtree(&mut self, level: u32, root: Digest) -> bool {
        let fits = level < 63 && self.size.trailing_zeros() >= level;
        if fits {
            self.join(root, level);
        }
        fits
    }

    /// The root of all leaves so far.
    pub fn root(&self) -> Digest {
        fold(&self.nodes).unwrap_or_else(empty_root)
    }

    fn join(&mut self, mut node: Digest, level: u32) {
        let mut rest = self.size >> level;
        while rest & 1 == 1 {
            if let Some(left) = self.nodes.pop() {
                node = node_hash(&left, &node);
            }
            rest >>= 1;
        }
        self.nodes.push(node);
        self.size += 1 << level;
    }
}

/// The hash over complete subtrees, largest first; `None` for none.
pub(super) fn fold(nodes: &[Digest]) -> Option<Digest> {
    let mut nodes = nodes.iter().rev();
    let last = *nodes.next()?;
    Some(nodes.fold(last, |right, left| node_hash(left, &right)))
}

/// Checks that `leaf` (a leaf hash) stands at `index` in the tree of `size` leaves with `root` (RFC 9162, section 2.1.3.2).
pub fn verify_inclusion(leaf: &Digest, index: u64, size: u64, proof: &[Digest], root: &Digest) -> Result<()> {
    let holds = || {
        if index >= size || proof.len() > MAX_PROOF {
            return None;
        }
        let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
        for other in proof {
            if last == 0 {
                return None;
            }
            if at & 1 == 1 || at == last {
                hash = node_hash(other, &hash);
                while at & 1 == 0 && at != 0 {
                    at >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node_hash(&hash, other);
            }
            at >>= 1;
            last >>= 1;
        }
        (last == 0 && hash == *root).then_some(())
    };
    holds().ok_or_else(|| no_proof("the proof does not show that this entry is in the ledger"))
}

/// Checks that the tree of `new` leaves extends that of `old` leaves (RFC 9162, section 2.1.4.2). The tree without leaves is extended
/// by every tree, and a tree by itself, both with an empty proof.
pub fn verify_consistency(old: u64, old_root: &Digest, new: u64, new_root: &Digest, proof: &[Digest]) -> Result<()> {
    let holds = || {
        if old > new || proof.len() > MAX_PROOF {
            return None;
        }
        if old == 0 || old == new {
            let same = (old != 0 || *old_root == empty_root()) && (old != new || old_root == new_root);
            return (same && proof.is_empty()).then_some(());
        }
        let mut proof = proof.iter();
        let first = if old.is_power_of_two() { *old_root } else { *proof.next()? };
        let (mut at, mut last) = (old - 1, new - 1);
        while at & 1 == 1 {
            at >>= 1;
            last >>= 1;
        }
        let (mut old_hash, mut new_hash) = (first, first);
        for other in proof {
            if last == 0 {
                return None;
            }
            if at & 1 == 1 || at == last {
                old_hash = node_hash(other, &old_hash);
                new_hash = node_hash(other, &new_hash);
                while at & 1 == 0 && at != 0 {
                    at >>= 1;
                    last >>= 1;
                }
            } else {
                new_hash = node_hash(&new_hash, other);
            }
            at >>= 1;
            last >>= 1;
        }
        (last == 0 && old_hash == *old_root && new_hash == *new_root).then_some(())
    };
    holds().ok_or_else(|| no_proof("the proof does not show that the newer ledger extends the older one"))
}

fn no_proof(what: &str) -> Error {
    Error::damage(
        what,
        "Ask for the proof again; if it fails again, the ledger was rewritten: keep both and tell the board.",
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// MTH of RFC 6962, section 2.1, word for word.
    pub(crate) fn reference_root(leaves: &[Digest]) -> Digest {
        match leaves.len() {
            0 => empty_root(),
            1 => leaves[0],
            n => {
                let k = n.next_power_of_two() / 2;
                node_hash(&reference_root(&leaves[..k]), &reference_root(&leaves[k..]))
            }
        }
    }

    pub(crate) fn leaves(n: u64) -> Vec<Digest> {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn the_frontier_gives_the_root_of_every_size() {
        let all = leaves(300);
        let mut frontier = Frontier::new();
        for n in 0..all.len() {
            assert_eq!(frontier.root(), reference_root(&all[..n]), "{n}");
            assert_eq!(frontier.size(), n as u64);
            frontier.push(all[n]);
        }
    }

    #[test]
    fn subtrees_can_be_joined_whole_where_they_fit() {
        let all = leaves(40);
        let mut frontier = Frontier::new();
        assert!(frontier.push_subtree(4, reference_root(&all[..16])));
        assert!(frontier.push_subtree(4, reference_root(&all[16..32])));
        assert!(frontier.push_subtree(2, reference_root(&all[32..36])));
        assert!(!frontier.push_subtree(3, all[0]));
        frontier.push(all[36]);
        assert!(!frontier.push_subtree(1, all[0]));
        assert_eq!((frontier.root(), frontier.size()), (reference_root(&all[..37]), 37));
    }
}
