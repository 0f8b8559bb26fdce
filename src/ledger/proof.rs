//! Proofs that one entry is in the ledger, for whoever has the entry and the ledger's key (C2SP tlog-proof).

use crate::base::text::base64;
use crate::base::{Error, Result};
use crate::crypto::sign::PublicKey;

use super::checkpoint::{SignedCheckpoint, decimal};
use super::event::Digest;
use super::note::MAX_NOTE;
use super::tiles::{self, TileStore};
use super::tree::{self, MAX_PROOF};

/// The first line.
const FIRST: &str = "c2sp.org/tlog-proof@v1\n";

/// The longest proof that is read, in bytes.
pub const MAX_PROOF_FILE: usize = MAX_NOTE + 64 * 1024;

/// A proof of inclusion with the checkpoint that it leads to. One that was read proves nothing before [`Proof::verify`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// The number of the entry.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling up.
    pub hashes: Vec<Digest>,
    /// The checkpoint, as a signed note.
    pub checkpoint: String,
}

impl Proof {
    /// The proof that entry `index` is below `head`, from the tiles of the ledger.
    pub fn make<S: TileStore + ?Sized>(index: u64, head: &SignedCheckpoint, store: &S) -> Result<Self> {
        let hashes = tiles::inclusion(index, head.checkpoint().size, store)?;
        Ok(Self { index, hashes, checkpoint: head.to_string() })
    }

    /// Reads a proof file, at most [`MAX_PROOF_FILE`] long. A line of extra data is passed over: nothing vouches for it.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bad =
            || Error::user("this is not a proof from a ledger", "Check that the file is whole and is the right one.");
        if bytes.len() > MAX_PROOF_FILE {
            return Err(bad());
        }
        let text = std::str::from_utf8(bytes).map_err(|_| bad())?;
        let mut rest = text.strip_prefix(FIRST).ok_or_else(bad)?;
        if let Some((extra, after)) = rest.strip_prefix("extra ").and_then(|r| r.split_once('\n')) {
            base64(extra).ok_or_else(bad)?;
            rest = after;
        }
        let (index, rest) = rest.strip_prefix("index ").and_then(|r| r.split_once('\n')).ok_or_else(bad)?;
        let index = decimal(index).ok_or_else(bad)?;
        let (hashes, checkpoint) = read_hashes(rest).ok_or_else(bad)?;
        Ok(Self { index, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// Checks that `entry` (its canonical bytes) stands at [`Proof::index`] under a checkpoint of `origin` signed by `log`; gives the checkpoint.
    pub fn verify(&self, entry: &[u8], origin: &str, log: &PublicKey) -> Result<SignedCheckpoint> {
        let head = SignedCheckpoint::parse(self.checkpoint.as_bytes(), origin, log)?;
        let (size, root) = (head.checkpoint().size, &head.checkpoint().root);
        tree::verify_inclusion(&tree::leaf_hash(entry), self.index, size, &self.hashes, root)?;
        Ok(head)
    }
}

impl std::fmt::Display for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{FIRST}index {}\n{}\n{}", self.index, write_hashes(&self.hashes), self.checkpoint)
    }
}

/// Hashes, one a line.
pub(super) fn write_hashes(hashes: &[Digest]) -> String {
    hashes.iter().map(|hash| hash.to_base64() + "\n").collect()
}

/// Hashes one a line up to an empty line, and what comes after that.
pub(super) fn read_hashes(mut text: &str) -> Option<(Vec<Digest>, &str)> {
    let mut hashes = Vec::new();
    loop {
        let (line, rest) = text.split_once('\n')?;
        text = rest;
        if line.is_empty() {
            return Some((hashes, text));
        }
        if hashes.len() >= MAX_PROOF {
            return None;
        }
        hashes.push(Digest::from_base64(line)?);
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::Checkpoint;
    use super::super::tiles::MemoryTiles;
    use super::*;
    use crate::base::secret::Key;
    use crate::crypto::sign::SigningSeed;

    fn ledger(size: u64) -> (SigningSeed, SignedCheckpoint, MemoryTiles) {
        let seed = SigningSeed::from_key(&Key::from_slice(&[1; 32]).unwrap());
        let mut store = MemoryTiles::default();
        let leaves: Vec<_> = (0..size).map(|i| tree::leaf_hash(format!("entry {i}").as_bytes())).collect();
        tiles::append(&leaves, 0, &mut store).unwrap();
        let root = tiles::root(size, &store).unwrap();
        let head = Checkpoint { origin: "subrosa.invalid/x".into(), size, root }.sign(&seed).unwrap();
        (seed, head, store)
    }

    #[test]
    fn proves_each_entry_and_no_other() {
        let (seed, head, store) = ledger(300);
        for index in [0, 1, 255, 256, 299] {
            let text = Proof::make(index, &head, &store).unwrap().to_string();
            let proof = Proof::parse(text.as_bytes()).unwrap();
            assert_eq!(proof.to_string(), text);
            let entry = format!("entry {index}");
            let shown = proof.verify(entry.as_bytes(), "subrosa.invalid/x", &seed.public()).unwrap();
            assert_eq!(shown, head);
            assert!(proof.verify(b"entry 7", "subrosa.invalid/x", &seed.public()).is_err());
            assert!(proof.verify(entry.as_bytes(), "subrosa.invalid/y", &seed.public()).is_err());
            let other = Proof { index: index ^ 1, ..proof.clone() };
            assert!(other.verify(entry.as_bytes(), "subrosa.invalid/x", &seed.public()).is_err());
        }
        assert!(Proof::make(300, &head, &store).is_err());
    }

    #[test]
    fn a_ledger_of_one_entry_needs_no_hashes() {
        let (seed, head, store) = ledger(1);
        let text = Proof::make(0, &head, &store).unwrap().to_string();
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 0\n\nsubrosa.invalid/x\n1\n"), "{text}");
        let proof = Proof::parse(text.as_bytes()).unwrap();
        proof.verify(b"entry 0", "subrosa.invalid/x", &seed.public()).unwrap();
    }

    #[test]
    fn extra_data_is_passed_over_and_nonsense_refused() {
        let (_, head, store) = ledger(9);
        let text = Proof::make(3, &head, &store).unwrap().to_string();
        let proof = Proof::parse(text.as_bytes()).unwrap();
        let extra = text.replacen("index", "extra YWdl\nindex", 1);
        assert_eq!(Proof::parse(extra.as_bytes()).unwrap(), proof);
        let hash = proof.hashes[0].to_base64();
        for bad in [
            text.replacen("index", "extra ???\nindex", 1),
            text.replacen("@v1", "@v2", 1),
            text.replacen("index 3", "index 03", 1),
            text.replacen("index 3", "index +3", 1),
            text.replacen(&hash, &hash[1..], 1),
            text.replacen(&hash, &[hash.as_str(); 70].join("\n"), 1),
            "c2sp.org/tlog-proof@v1\nindex 3\n".to_owned(),
            String::new(),
        ] {
            assert!(Proof::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
