//! The tree kept as tiles of 256 hashes (C2SP tlog-tiles), and the proofs that are made from them.
//!
//! A tile at level *l* holds hashes of subtrees of 256^*l* leaves. The last tile of a level is partial and is overwritten as it grows, so
//! the store holds about 32 bytes a leaf, and every proof reads a few tiles.

use std::collections::BTreeMap;

use crate::base::{Error, Result};

use super::event::Digest;
use super::tree::{self, Frontier};

/// How many hashes a full tile holds.
pub const TILE_WIDTH: u64 = 256;

/// Where tiles are kept. The size of the tree is kept elsewhere and is what counts: hashes in a tile beyond it are ignored.
pub trait TileStore {
    /// The tile, of 1 to 256 hashes of 32 bytes, if there is one.
    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>>;
    /// Keeps a tile in the place of the former one.
    fn put_tile(&mut self, level: u8, index: u64, data: &[u8]) -> Result<()>;
}

/// Tiles in memory.
#[derive(Clone, Default)]
pub struct MemoryTiles(BTreeMap<(u8, u64), Vec<u8>>);

impl TileStore for MemoryTiles {
    fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(&(level, index)).cloned())
    }

    fn put_tile(&mut self, level: u8, index: u64, data: &[u8]) -> Result<()> {
        self.0.insert((level, index), data.to_vec());
        Ok(())
    }
}

/// Appends leaf hashes to the tree of `size` leaves; gives the new size. Doing it again with the same `size` has the same result.
pub fn append<S: TileStore + ?Sized>(leaves: &[Digest], size: u64, store: &mut S) -> Result<u64> {
    let mut hashes = leaves.to_vec();
    let mut first = size;
    let mut level = 0u8;
    while !hashes.is_empty() {
        let mut carried = Vec::new();
        let mut rest = hashes.as_slice();
        let mut at = first;
        while !rest.is_empty() {
            let (index, width) = (at / TILE_WIDTH, (at % TILE_WIDTH) as usize);
            let mut tile = if width == 0 { Vec::new() } else { read(store, level, index, width)? };
            let taken = rest.len().min(TILE_WIDTH as usize - width);
            let (now, later) = rest.split_at(taken);
            tile.extend_from_slice(now);
            store.put_tile(level, index, &to_bytes(&tile))?;
            if tile.len() as u64 == TILE_WIDTH {
                carried.push(subtree(&tile));
            }
            at += taken as u64;
            rest = later;
        }
        hashes = carried;
        first /= TILE_WIDTH;
        level += 1;
    }
    Ok(size + leaves.len() as u64)
}

/// The root of the first `size` leaves.
pub fn root<S: TileStore + ?Sized>(size: u64, store: &S) -> Result<Digest> {
    let mut nodes = Nodes::new(store);
    if size == 0 { Ok(tree::empty_root()) } else { nodes.range(0, size) }
}

/// The right edge of the first `size` leaves, to go on from.
pub fn frontier<S: TileStore + ?Sized>(size: u64, store: &S) -> Result<Frontier> {
    let mut nodes = Nodes::new(store);
    let mut frontier = Frontier::new();
    for (level, index) in complete_subtrees(0, size) {
        frontier.push_subtree(level, nodes.node(level, index)?);
    }
    Ok(frontier)
}

/// The proof that leaf `index` is in the tree of `size` leaves, from the leaf's sibling up (RFC 9162, section 2.1.3.1).
pub fn inclusion<S: TileStore + ?Sized>(index: u64, size: u64, store: &S) -> Result<Vec<Digest>> {
    if index >= size {
        return Err(Error::user(format!("the ledger has no entry {index}"), "Give a smaller number."));
    }
    let mut nodes = Nodes::new(store);
    let mut proof = Vec::new();
    let (mut low, mut high) = (0, size);
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            proof.push(nodes.range(middle, high)?);
            high = middle;
        } else {
            proof.push(nodes.range(low, middle)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `new` leaves extends that of `old` (RFC 9162, section 2.1.4.1); empty for `old` 0 or the same as `new`.
pub fn consistency<S: TileStore + ?Sized>(old: u64, new: u64, store: &S) -> Result<Vec<Digest>> {
    if old > new {
        return Err(Error::damage(
            format!("the ledger has {new} entries, but {old} were there before"),
            "It was rolled back or cut. Restore the latest backup, and do not go on with this copy.",
        ));
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let mut nodes = Nodes::new(store);
    let (mut low, mut high, mut whole) = (0, new, true);
    while old != high {
        let middle = low + split(high - low);
        if old <= middle {
            proof.push(nodes.range(middle, high)?);
            high = middle;
        } else {
            proof.push(nodes.range(low, middle)?);
            low = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(nodes.range(low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// How many hashes the last tile of `level` holds in a tree of `size` leaves, and how many full tiles stand before it.
pub fn tiles_at(level: u8, size: u64) -> (u64, u64) {
    let hashes = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
    (hashes / TILE_WIDTH, hashes % TILE_WIDTH)
}

/// The first `width` hashes of a tile. An error if there are fewer.
pub(super) fn read<S: TileStore + ?Sized>(store: &S, level: u8, index: u64, width: usize) -> Result<Vec<Digest>> {
    let bytes = store.tile(level, index)?.unwrap_or_default();
    let (hashes, rest) = bytes.as_chunks::<32>();
    match hashes.get(..width) {
        Some(hashes) if rest.is_empty() => Ok(hashes.iter().copied().map(Digest).collect()),
        _ => Err(Error::damage(
            "a tile of the ledger's tree is missing or too short",
            "Run `subrosa check`; the tree can be built again from the entries.",
        )),
    }
}

pub(super) fn to_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|h| h.0).collect()
}

/// The largest power of two below `n`, for `n` of 2 or more.
fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// The root over a power of two of hashes.
fn subtree(hashes: &[Digest]) -> Digest {
    let mut frontier = Frontier::new();
    hashes.iter().for_each(|h| frontier.push(*h));
    frontier.root()
}

/// The complete subtrees that make up the leaves `low..high`, largest first, as (level, index); `low` is a multiple of the largest.
fn complete_subtrees(low: u64, high: u64) -> impl Iterator<Item = (u32, u64)> {
    let mut at = low;
    std::iter::from_fn(move || {
        let left = high.checked_sub(at).filter(|left| *left > 0)?;
        let level = 63 - left.leading_zeros();
        let index = at >> level;
        at += 1 << level;
        Some((level, index))
    })
}

/// Reads nodes of the tree, each tile once.
struct Nodes<'a, S: ?Sized> {
    store: &'a S,
    read: BTreeMap<(u8, u64), Vec<Digest>>,
}

impl<'a, S: TileStore + ?Sized> Nodes<'a, S> {
    fn new(store: &'a S) -> Self {
        Self { store, read: BTreeMap::new() }
    }

    /// The root over the leaves `low..high`, as they occur in proofs.
    fn range(&mut self, low: u64, high: u64) -> Result<Digest> {
        let nodes: Vec<Digest> =
            complete_subtrees(low, high).map(|(level, index)| self.node(level, index)).collect::<Result<_>>()?;
        tree::fold(&nodes).ok_or_else(|| Error::bug("a range of the tree is empty"))
    }

    /// The root of the complete subtree number `index` of 2^`level` leaves.
    fn node(&mut self, level: u32, index: u64) -> Result<Digest> {
        let tile_level = (level / 8) as u8;
        let first = index << (level % 8);
        let (tile, offset) = (first / TILE_WIDTH, (first % TILE_WIDTH) as usize);
        let width = offset + (1 << (level % 8));
        let key = (tile_level, tile);
        if self.read.get(&key).is_none_or(|hashes| hashes.len() < width) {
            let hashes = read(self.store, tile_level, tile, width)?;
            self.read.insert(key, hashes);
        }
        let hashes = self.read.get(&key).and_then(|hashes| hashes.get(offset..width));
        hashes.map(subtree).ok_or_else(|| Error::bug("a node of the tree is outside its tile"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::{leaves, reference_root};
    use super::super::tree::{verify_consistency, verify_inclusion};
    use super::*;
    use proptest::prelude::*;

    fn built(n: u64, step: usize) -> (Vec<Digest>, MemoryTiles) {
        let all = leaves(n);
        let mut store = MemoryTiles::default();
        let mut size = 0;
        for part in all.chunks(step) {
            size = append(part, size, &mut store).unwrap();
        }
        assert_eq!(size, n);
        (all, store)
    }

    /// PATH of RFC 6962, section 2.1.1, word for word.
    fn reference_path(m: usize, d: &[Digest]) -> Vec<Digest> {
        if d.len() <= 1 {
            return vec![];
        }
        let k = d.len().next_power_of_two() / 2;
        let (mut path, other) = if m < k {
            (reference_path(m, &d[..k]), reference_root(&d[k..]))
        } else {
            (reference_path(m - k, &d[k..]), reference_root(&d[..k]))
        };
        path.push(other);
        path
    }

    /// SUBPROOF of RFC 6962, section 2.1.2, word for word.
    fn reference_subproof(m: usize, d: &[Digest], whole: bool) -> Vec<Digest> {
        if m == d.len() {
            return if whole { vec![] } else { vec![reference_root(d)] };
        }
        let k = d.len().next_power_of_two() / 2;
        let (mut proof, other) = if m <= k {
            (reference_subproof(m, &d[..k], whole), reference_root(&d[k..]))
        } else {
            (reference_subproof(m - k, &d[k..], false), reference_root(&d[..k]))
        };
        proof.push(other);
        proof
    }

    #[test]
    fn inclusion_in_all_small_trees() {
        let (all, store) = built(72, 5);
        for size in 1..=72u64 {
            let root = root(size, &store).unwrap();
            assert_eq!(root, reference_root(&all[..size as usize]));
            for index in 0..size {
                let proof = inclusion(index, size, &store).unwrap();
                assert_eq!(proof, reference_path(index as usize, &all[..size as usize]));
                let leaf = &all[index as usize];
                verify_inclusion(leaf, index, size, &proof, &root).unwrap();
                assert!(verify_inclusion(leaf, index + 1, size, &proof, &root).is_err());
                assert!(verify_inclusion(&root, index, size, &proof, &root).is_err() || size == 1);
                for i in 0..proof.len() {
                    let mut bad = proof.clone();
                    bad[i].0[0] ^= 1;
                    assert!(verify_inclusion(leaf, index, size, &bad, &root).is_err());
                }
                assert!(verify_inclusion(leaf, index, size, &[&proof[..], &[root]].concat(), &root).is_err());
                if let Some((_, short)) = proof.split_last() {
                    assert!(verify_inclusion(leaf, index, size, short, &root).is_err());
                }
            }
            assert!(inclusion(size, size, &store).is_err());
        }
    }

    #[test]
    fn consistency_of_all_small_pairs() {
        let (all, store) = built(70, 1);
        for new in 0..=70u64 {
            let new_root = root(new, &store).unwrap();
            for old in 0..=new {
                let old_root = root(old, &store).unwrap();
                let proof = consistency(old, new, &store).unwrap();
                if old > 0 {
                    assert_eq!(proof, reference_subproof(old as usize, &all[..new as usize], true), "{old} {new}");
                }
                verify_consistency(old, &old_root, new, &new_root, &proof).unwrap();
                let other = Digest([5; 32]);
                assert!(verify_consistency(old, &other, new, &new_root, &proof).is_err());
                if old > 0 {
                    assert!(verify_consistency(old, &old_root, new, &other, &proof).is_err());
                }
                assert!(verify_consistency(old, &old_root, new, &new_root, &[&proof[..], &[other]].concat()).is_err());
                for i in 0..proof.len() {
                    let mut bad = proof.clone();
                    bad[i].0[31] ^= 128;
                    assert!(verify_consistency(old, &old_root, new, &new_root, &bad).is_err(), "{old} {new} {i}");
                }
            }
            assert!(consistency(new + 1, new, &store).is_err());
        }
    }

    #[test]
    fn three_levels_of_tiles() {
        let (all, mut store) = built(70_000, 9_999);
        // The example of C2SP tlog-tiles.
        assert_eq!((tiles_at(0, 70_000), tiles_at(1, 70_000), tiles_at(2, 70_000)), ((273, 112), (1, 17), (0, 1)));
        assert_eq!((tiles_at(0, 256), tiles_at(1, 256)), ((1, 0), (0, 1)));
        assert_eq!(tiles_at(8, 70_000), (0, 0));
        for size in [65_535, 65_536, 65_537, 69_999, 70_000] {
            assert_eq!(root(size, &store).unwrap(), reference_root(&all[..size as usize]));
            assert_eq!(frontier(size, &store).unwrap().root(), root(size, &store).unwrap());
        }
        assert_eq!(store.tile(2, 0).unwrap().unwrap(), reference_root(&all[..65_536]).0);
        // Again from a smaller size: the same tiles.
        let before = store.clone();
        append(&all[69_990..], 69_990, &mut store).unwrap();
        assert!(before.0 == store.0);
        store.0.remove(&(0, 273));
        assert!(root(70_000, &store).is_err());
        assert!(append(&all[..1], 70_000, &mut store).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn proofs_in_larger_trees(size in 1u64..5_000, a in any::<u64>(), b in any::<u64>(), step in 1usize..700) {
            let (all, store) = built(size, step);
            let new_root = root(size, &store).unwrap();
            prop_assert_eq!(new_root, reference_root(&all));
            let index = a % size;
            let proof = inclusion(index, size, &store).unwrap();
            verify_inclusion(&all[index as usize], index, size, &proof, &new_root).unwrap();
            let old = b % (size + 1);
            let proof = consistency(old, size, &store).unwrap();
            verify_consistency(old, &root(old, &store).unwrap(), size, &new_root, &proof).unwrap();
        }

        #[test]
        fn hostile_proofs_do_no_harm(a in any::<u64>(), b in any::<u64>(), n in 0usize..80) {
            let hashes = vec![Digest([1; 32]); n];
            prop_assert!(verify_inclusion(&hashes.first().copied().unwrap_or(Digest([2; 32])), a, b, &hashes, &Digest([3; 32])).is_err());
            prop_assert!(verify_consistency(a, &Digest([4; 32]), b, &Digest([5; 32]), &hashes).is_err());
        }
    }
}
