//! Checkpoints: the signed head of the ledger (C2SP tlog-checkpoint), and boards' cosignatures on it (C2SP tlog-cosignature).

use crate::base::canonical::MAX_INTEGER;
use crate::base::time::Moment;
use crate::base::{Error, Result};
use crate::crypto::sign::{PublicKey, Signature, SigningSeed, forged};

use super::event::Digest;
use super::note::{self, Note, NoteSignature};

pub use crate::crypto::card::origin;

/// The algorithm byte of timestamped Ed25519 cosignatures.
pub const COSIGNATURE: u8 = 0x04;

/// The latest time that a cosignature may have.
const MAX_TIME: u64 = i64::MAX.unsigned_abs();

/// The size and root of a ledger at one time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Which ledger: [`origin`] of the vault.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// A checkpoint whose signature by the ledger's key has been verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

/// A board's statement that it saw this head, and none that contradicts it, by a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosignature {
    /// The name that the cosigner goes by.
    pub name: String,
    /// Its key.
    pub key: PublicKey,
    /// When, in seconds since 1970.
    pub time: u64,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Reads the text of a checkpoint; extension lines may follow and say nothing here.
    pub fn parse_body(text: &str) -> Result<Self> {
        let bad = || Error::user("this is not a checkpoint", "Check that the file is whole and is the right one.");
        let mut lines = text.strip_suffix('\n').ok_or_else(bad)?.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(bad());
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(bad());
        }
        let size = decimal(size).ok_or_else(bad)?;
        Ok(Self { origin: origin.to_owned(), size, root: Digest::from_base64(root).ok_or_else(bad)? })
    }

    /// Signs the head with the ledger's key, under the origin as its name. The caller sees to it that it never signs two heads that
    /// contradict each other.
    pub fn sign(self, log: &SigningSeed) -> Result<SignedCheckpoint> {
        let note = Note::sign(&self.body(), &self.origin, log)?;
        Ok(SignedCheckpoint { checkpoint: self, note })
    }
}

impl SignedCheckpoint {
    /// Reads a checkpoint and verifies that it is of `origin` and signed by `log`. Other signature lines are kept and not judged.
    pub fn parse(bytes: &[u8], origin: &str, log: &PublicKey) -> Result<Self> {
        let note = Note::parse(bytes)?;
        let checkpoint = Checkpoint::parse_body(note.text())?;
        if checkpoint.origin != origin {
            return Err(Error::damage("the checkpoint is of another vault", "Check which vault the file belongs to."));
        }
        note.verify(origin, log)?;
        Ok(Self { checkpoint, note })
    }

    /// The head.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note with all its signature lines.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Adds a cosignature line as a board sent it. It must be a cosignature of one of `boards` and hold.
    pub fn add_cosignature(&mut self, line: &str, boards: &[PublicKey]) -> Result<Cosignature> {
        let bad =
            || Error::user("this is not a cosignature by a board of this vault", "Ask the board for the line again.");
        let line = NoteSignature::parse(line.trim_end_matches(['\r', '\n'])).ok_or_else(bad)?;
        let cosignature = self.read_line(&line, boards)?.ok_or_else(bad)?;
        self.note.push(line)?;
        Ok(cosignature)
    }

    /// The cosignatures by `boards`, under whatever name; other lines are ignored. An error if one does not hold.
    pub fn cosignatures(&self, boards: &[PublicKey]) -> Result<Vec<Cosignature>> {
        self.note.signatures().iter().filter_map(|line| self.read_line(line, boards).transpose()).collect()
    }

    fn read_line(&self, line: &NoteSignature, boards: &[PublicKey]) -> Result<Option<Cosignature>> {
        let Some(key) = boards.iter().find(|key| note::key_id(&line.name, COSIGNATURE, key) == line.id) else {
            return Ok(None);
        };
        let parts = line.bytes.split_first_chunk::<8>();
        let parts = parts.and_then(|(time, sig)| Some((u64::from_be_bytes(*time), Signature::from_slice(sig)?)));
        match parts {
            Some((time, sig))
                if time <= MAX_TIME && key.verifies_bare(cosigned(time, self.note.text()).as_bytes(), &sig) =>
            {
                Ok(Some(Cosignature { name: line.name.clone(), key: *key, time }))
            }
            _ => Err(forged("a board's line below the checkpoint")),
        }
    }
}

impl std::fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.note.fmt(f)
    }
}

/// The cosignature line for a head. Only for [`super::witness`], which looks at what was cosigned before.
pub(super) fn cosign(head: &SignedCheckpoint, name: &str, seed: &SigningSeed, time: Moment) -> Result<NoteSignature> {
    let time = u64::try_from(time.seconds())
        .map_err(|_| Error::user("the clock is before 1970", "Set the clock of this machine."))?;
    let sig = seed.sign_bare(cosigned(time, head.note.text()).as_bytes());
    let bytes = [time.to_be_bytes().as_slice(), &sig.to_bytes()].concat();
    Ok(NoteSignature { name: name.to_owned(), id: note::key_id(name, COSIGNATURE, &seed.public()), bytes })
}

/// What a cosigner signs.
fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// A decimal without leading zeroes, below 2⁵³.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let exact = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|n| exact && *n <= MAX_INTEGER.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::VaultId;
    use crate::base::secret::Key;

    fn seed(n: u8) -> SigningSeed {
        SigningSeed::from_key(&Key::from_slice(&[n; 32]).unwrap())
    }

    fn head() -> Checkpoint {
        Checkpoint { origin: origin(&VaultId::from_bytes([1; 16])), size: 20_852_163, root: Digest([9; 32]) }
    }

    #[test]
    fn the_example_of_the_standard() {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint = Checkpoint::parse_body(text).unwrap();
        assert_eq!((checkpoint.size, checkpoint.body().as_str()), (20_852_163, text));
        let lines = "\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
        let note = Note::parse(format!("{text}{lines}").as_bytes()).unwrap();
        assert_eq!(note.to_string(), format!("{text}{lines}"));
        let cosignature = &note.signatures()[1];
        assert_eq!(cosignature.bytes.len(), 72);
        assert_eq!(u64::from_be_bytes(cosignature.bytes[..8].try_into().unwrap()), 1_679_315_147);
    }

    #[test]
    fn signs_and_reads_back() {
        let signed = head().sign(&seed(1)).unwrap();
        let text = signed.to_string();
        assert!(text.starts_with("subrosa.invalid/01010101010101010101010101010101\n20852163\n"));
        assert_eq!(SignedCheckpoint::parse(text.as_bytes(), &head().origin, &seed(1).public()).unwrap(), signed);
        assert!(SignedCheckpoint::parse(text.as_bytes(), &head().origin, &seed(2).public()).is_err());
        assert!(SignedCheckpoint::parse(text.as_bytes(), "subrosa.invalid/other", &seed(1).public()).is_err());
        let other = text.replace("20852163", "20852164");
        assert!(SignedCheckpoint::parse(other.as_bytes(), &head().origin, &seed(1).public()).is_err());
    }

    #[test]
    fn refuses_what_is_no_checkpoint() {
        let good = head().body();
        Checkpoint::parse_body(&format!("{good}extension\n")).unwrap();
        for bad in [
            "".to_owned(),
            good.trim_end().to_owned(),
            good.replace("20852163", "020852163"),
            good.replace("20852163", "-1"),
            good.replace("20852163", "9007199254740992"),
            good.replace("=", ""),
            good.replacen("subrosa.invalid/01010101010101010101010101010101", "", 1),
            format!("{good}\n"),
        ] {
            assert!(Checkpoint::parse_body(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn cosignatures_of_boards_are_found_and_checked() {
        let time = Moment::from_seconds(1_679_315_147).unwrap();
        let mut signed = head().sign(&seed(1)).unwrap();
        let line = cosign(&signed, "board.example/ethics", &seed(2), time).unwrap();
        assert!(signed.add_cosignature(&line.to_string(), &[seed(3).public()]).is_err());
        signed.add_cosignature(&format!("{line}\n"), &[seed(2).public()]).unwrap();
        let again = SignedCheckpoint::parse(signed.to_string().as_bytes(), &head().origin, &seed(1).public()).unwrap();
        let found = again.cosignatures(&[seed(3).public(), seed(2).public()]).unwrap();
        assert_eq!((found.len(), found[0].time, found[0].key), (1, 1_679_315_147, seed(2).public()));
        assert!(again.cosignatures(&[seed(3).public()]).unwrap().is_empty());
        // The message is fixed by the standard.
        let message = format!("cosignature/v1\ntime 1679315147\n{}", head().body());
        let sig = Signature::from_slice(&line.bytes[8..]).unwrap();
        assert!(seed(2).public().verifies_bare(message.as_bytes(), &sig));
        // Of another head.
        let mut other = Checkpoint { size: 5, ..head() }.sign(&seed(1)).unwrap();
        assert!(other.add_cosignature(&line.to_string(), &[seed(2).public()]).is_err());
        let mut changed = line.clone();
        changed.bytes[7] ^= 1;
        assert!(signed.add_cosignature(&changed.to_string(), &[seed(2).public()]).is_err());
    }
}
