//! A board as witness: it keeps the last head it cosigned, and cosigns only what extends that (C2SP tlog-witness, as files).

use serde::{Deserialize, Serialize};

use crate::base::time::Moment;
use crate::base::{Error, Result};
use crate::crypto::sign::{PublicKey, SigningSeed};

use super::checkpoint::{self, SignedCheckpoint, decimal};
use super::event::Digest;
use super::note::is_name;
use super::proof::{MAX_PROOF_FILE, read_hashes, write_hashes};
use super::tiles::{self, TileStore};
use super::tree;

/// What a witness remembers of one ledger. To be kept durably, and only ever replaced by what [`Witness::advance`] gives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Which ledger.
    pub origin: String,
    /// The key that signs its checkpoints.
    pub log_key: PublicKey,
    /// The size of the last head cosigned; 0 before the first.
    pub size: u64,
    /// The root of that head.
    pub root: Digest,
}

/// A head that a witness has found to extend the last one.
#[derive(Debug)]
pub struct Advance {
    witness: Witness,
    head: SignedCheckpoint,
}

/// What is sent to a witness: a head and the proof that it extends an older one. The body of an `add-checkpoint` request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeadUpdate {
    /// The size that the proof starts from.
    pub old: u64,
    /// The consistency proof.
    pub proof: Vec<Digest>,
    /// The head, as a signed note.
    pub checkpoint: String,
}

impl Witness {
    /// A witness that has cosigned nothing yet.
    pub fn new(origin: &str, log_key: PublicKey) -> Self {
        Self { origin: origin.to_owned(), log_key, size: 0, root: tree::empty_root() }
    }

    /// Checks that a head is signed by the ledger and extends the last one seen. Refuses an older head, a fork, and a proof from another size.
    pub fn advance(&self, update: &HeadUpdate) -> Result<Advance> {
        let head = SignedCheckpoint::parse(update.checkpoint.as_bytes(), &self.origin, &self.log_key)?;
        let next = head.checkpoint();
        if next.size < self.size {
            return Err(Error::damage(
                format!("this head has {} entries, but one with {} was cosigned before", next.size, self.size),
                "The ledger was rolled back, or this is an old file. Do not cosign it.",
            ));
        }
        if update.old != self.size {
            return Err(Error::user(
                format!("the proof starts from {} entries, but the last head cosigned has {}", update.old, self.size),
                "Ask the vault for a proof from that size.",
            ));
        }
        tree::verify_consistency(self.size, &self.root, next.size, &next.root, &update.proof)?;
        Ok(Advance { witness: Self { size: next.size, root: next.root, ..self.clone() }, head })
    }
}

impl Advance {
    /// What to remember from now on: keep it durably before anything is signed.
    pub fn witness(&self) -> &Witness {
        &self.witness
    }

    /// The head.
    pub fn head(&self) -> &SignedCheckpoint {
        &self.head
    }

    /// The cosignature line, with its line feed, under the cosigner's `name` (no spaces, no plus). Only after [`Advance::witness`] has been kept.
    pub fn cosign(self, name: &str, seed: &SigningSeed, time: Moment) -> Result<String> {
        if !is_name(name) {
            return Err(Error::user(
                "the name of the cosigner has spaces or a `+` in it",
                "Use a name like board.example/ethics.",
            ));
        }
        Ok(format!("{}\n", checkpoint::cosign(&self.head, name, seed, time)?))
    }
}

impl HeadUpdate {
    /// The update that takes a witness from `old` entries to `head`.
    pub fn make<S: TileStore + ?Sized>(old: u64, head: &SignedCheckpoint, store: &S) -> Result<Self> {
        let proof = tiles::consistency(old, head.checkpoint().size, store)?;
        Ok(Self { old, proof, checkpoint: head.to_string() })
    }

    /// Reads an update. Nothing in it is verified yet.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let read = || {
            let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_PROOF_FILE)?;
            let (old, rest) = text.strip_prefix("old ")?.split_once('\n')?;
            let (proof, checkpoint) = read_hashes(rest)?;
            Some(Self { old: decimal(old)?, proof, checkpoint: checkpoint.to_owned() })
        };
        read().ok_or_else(|| {
            Error::user("this is not a head to cosign", "Check that the file is whole and is the right one.")
        })
    }
}

impl std::fmt::Display for HeadUpdate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "old {}\n{}\n{}", self.old, write_hashes(&self.proof), self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::Checkpoint;
    use super::super::tiles::MemoryTiles;
    use super::super::tree::leaf_hash;
    use super::*;
    use crate::base::secret::Key;

    fn seed(n: u8) -> SigningSeed {
        SigningSeed::from_key(&Key::from_slice(&[n; 32]).unwrap())
    }

    fn head(size: u64, store: &MemoryTiles) -> SignedCheckpoint {
        let root = tiles::root(size, store).unwrap();
        Checkpoint { origin: "subrosa.invalid/x".into(), size, root }.sign(&seed(1)).unwrap()
    }

    fn store(words: &str) -> MemoryTiles {
        let mut store = MemoryTiles::default();
        let leaves: Vec<_> = (0..50).map(|i| leaf_hash(format!("{words} {}", i / 10).as_bytes())).collect();
        tiles::append(&leaves, 0, &mut store).unwrap();
        store
    }

    #[test]
    fn goes_forward_only() {
        let (store, time) = (store("a"), Moment::from_seconds(1_700_000_000).unwrap());
        let first = Witness::new("subrosa.invalid/x", seed(1).public());
        let update = HeadUpdate::make(0, &head(7, &store), &store).unwrap();
        let update = HeadUpdate::parse(update.to_string().as_bytes()).unwrap();
        let advance = first.advance(&update).unwrap();
        let second = advance.witness().clone();
        let kept = crate::base::canonical::to_vec(&second).unwrap();
        assert_eq!(crate::base::canonical::from_slice::<Witness>(&kept).unwrap(), second);
        let line = advance.cosign("board.example/w", &seed(2), time).unwrap();
        let mut cosigned = head(7, &store);
        cosigned.add_cosignature(&line, &[seed(2).public()]).unwrap();

        let update = HeadUpdate::make(7, &head(33, &store), &store).unwrap();
        let third = second.advance(&update).unwrap().witness().clone();
        assert_eq!(third.size, 33);
        third.advance(&HeadUpdate::make(33, &head(33, &store), &store).unwrap()).unwrap();
        // Back, from another size, and to a fork.
        assert!(third.advance(&HeadUpdate::make(0, &head(7, &store), &store).unwrap()).is_err());
        assert!(third.advance(&HeadUpdate::make(7, &head(40, &store), &store).unwrap()).is_err());
        let fork = self::store("b");
        assert!(third.advance(&HeadUpdate::make(33, &head(40, &fork), &fork).unwrap()).is_err());
        assert!(third.advance(&HeadUpdate::make(33, &head(33, &fork), &fork).unwrap()).is_err());
    }

    #[test]
    fn refuses_a_stranger_and_a_bad_name() {
        let store = store("a");
        let update = HeadUpdate::make(0, &head(7, &store), &store).unwrap();
        assert!(Witness::new("subrosa.invalid/x", seed(9).public()).advance(&update).is_err());
        assert!(Witness::new("subrosa.invalid/y", seed(1).public()).advance(&update).is_err());
        let advance = Witness::new("subrosa.invalid/x", seed(1).public()).advance(&update).unwrap();
        assert!(advance.cosign("two words", &seed(2), Moment::from_seconds(0).unwrap()).is_err());
        assert!(HeadUpdate::parse(b"old 00\n\n").is_err());
        assert!(HeadUpdate::parse(b"old 1\n").is_err());
    }
}
