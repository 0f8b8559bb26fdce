//! Signed notes (C2SP signed-note): a text and signature lines below it.

use sha2::{Digest as _, Sha256};

use crate::base::text::base64;
use crate::base::{Error, Result};
use crate::crypto::sign::{PublicKey, Signature, SigningSeed, forged};

/// The longest note that is read, in bytes: room for 16 signatures of the largest sort and more.
pub const MAX_NOTE: usize = 256 * 1024;

/// The most signature lines that are read.
pub const MAX_SIGNATURES: usize = 100;

/// The algorithm byte of plain Ed25519 signatures.
pub const ED25519: u8 = 0x01;

/// A note whose signatures nobody has checked yet: its text means nothing before [`Note::verify`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line: who, which key, and what the algorithm makes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteSignature {
    /// The key's name: no spaces, no plus.
    pub name: String,
    /// The key id.
    pub id: [u8; 4],
    /// The bytes after the key id.
    pub bytes: Vec<u8>,
}

/// The key id: the first four bytes of SHA-256(name || line feed || algorithm || key).
pub fn key_id(name: &str, algorithm: u8, key: &PublicKey) -> [u8; 4] {
    let hash =
        Sha256::new().chain_update(name).chain_update([b'\n', algorithm]).chain_update(key.as_bytes()).finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// The key as other tools take it: `name+key id+base64(algorithm || key)`.
pub fn verifier_key(name: &str, algorithm: u8, key: &PublicKey) -> String {
    let id = data_encoding::HEXLOWER.encode(&key_id(name, algorithm, key));
    format!("{name}+{id}+{}", data_encoding::BASE64.encode(&[&[algorithm], key.as_bytes().as_slice()].concat()))
}

impl Note {
    /// A note of `text`, signed with plain Ed25519 under `name`.
    pub fn sign(text: &str, name: &str, seed: &SigningSeed) -> Result<Self> {
        if !is_text(text) || text.len() > MAX_NOTE / 2 {
            return Err(Error::bug("the text of a signed note is not in its form"));
        }
        let mut note = Self { text: text.to_owned(), signatures: Vec::new() };
        let bytes = seed.sign_bare(text.as_bytes()).to_bytes().to_vec();
        note.push(NoteSignature { name: name.to_owned(), id: key_id(name, ED25519, &seed.public()), bytes })?;
        Ok(note)
    }

    /// Reads a note, within [`MAX_NOTE`] and [`MAX_SIGNATURES`]. Checks no signature.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bad = || Error::user("this is not a signed note", "Check that the file is whole and is the right one.");
        if bytes.len() > MAX_NOTE {
            return Err(Error::user("the signed note is too long", "Check that it is the right file."));
        }
        let all = std::str::from_utf8(bytes).map_err(|_| bad())?;
        let (text, lines) = all.split_at_checked(all.rfind("\n\n").ok_or_else(bad)? + 1).ok_or_else(bad)?;
        let lines = lines.strip_prefix('\n').and_then(|l| l.strip_suffix('\n')).ok_or_else(bad)?;
        if !is_text(text) || lines.split('\n').count() > MAX_SIGNATURES {
            return Err(bad());
        }
        let signatures =
            lines.split('\n').map(|line| NoteSignature::parse(line).ok_or_else(bad)).collect::<Result<_>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text, with its last line feed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, known and unknown.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line; one of the same key is replaced.
    pub fn push(&mut self, signature: NoteSignature) -> Result<()> {
        self.signatures.retain(|s| (&s.name, s.id) != (&signature.name, signature.id));
        if !is_name(&signature.name) || signature.bytes.is_empty() || self.signatures.len() >= MAX_SIGNATURES {
            return Err(Error::user(
                "the signature cannot be added to the note",
                "Its name may have no spaces and no `+`.",
            ));
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// `Ok` if the note is signed by this plain Ed25519 key under this name; other lines are ignored, as the standard asks. An error if
    /// there is no such line, or one that does not hold.
    pub fn verify(&self, name: &str, key: &PublicKey) -> Result<()> {
        let id = key_id(name, ED25519, key);
        let mut found = false;
        for line in self.signatures.iter().filter(|s| s.name == name && s.id == id) {
            found = true;
            match Signature::from_slice(&line.bytes) {
                Some(sig) if key.verifies_bare(self.text.as_bytes(), &sig) => {}
                _ => return Err(forged("a signed note")),
            }
        }
        if found {
            Ok(())
        } else {
            Err(Error::damage("a note is not signed by the key expected", "It is of another vault, or forged."))
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl NoteSignature {
    /// Reads a signature line, without its line feed.
    pub fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = base64(rest)?;
        let (id, bytes) = bytes.split_first_chunk::<4>()?;
        (is_name(name) && !bytes.is_empty()).then(|| Self { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
    }
}

impl std::fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [self.id.as_slice(), &self.bytes].concat();
        write!(f, "\u{2014} {} {}", self.name, data_encoding::BASE64.encode(&bytes))
    }
}

/// Whether a key may be called so.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 1_000 && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn is_text(text: &str) -> bool {
    text.ends_with('\n') && !text.bytes().any(|b| b < 0x20 && b != b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Key;
    use proptest::prelude::*;

    // The reference note of golang.org/x/mod/sumdb/note (BSD 3-clause).
    const TEXT: &str =
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

    fn base64(text: &str) -> Vec<u8> {
        data_encoding::BASE64.decode(text.as_bytes()).unwrap()
    }

    fn key() -> PublicKey {
        PublicKey::from_slice(&base64(KEY.rsplit('+').next().unwrap())[1..]).unwrap()
    }

    #[test]
    fn reads_and_writes_the_reference_note() {
        let all = format!("{TEXT}\n{LINE}\n");
        let note = Note::parse(all.as_bytes()).unwrap();
        note.verify("PeterNeumann", &key()).unwrap();
        assert_eq!((note.text(), note.to_string()), (TEXT, all.clone()));
        let seed = SigningSeed::from_key(&Key::from_slice(&base64(SEED)[1..]).unwrap());
        assert_eq!(Note::sign(TEXT, "PeterNeumann", &seed).unwrap().to_string(), all);
        assert!(note.verify("PeterNewman", &key()).is_err());
        assert!(note.verify("PeterNeumann", &seed_of(1).public()).is_err());
    }

    fn seed_of(n: u8) -> SigningSeed {
        SigningSeed::from_key(&Key::from_slice(&[n; 32]).unwrap())
    }

    #[test]
    fn key_ids_of_others() {
        // From signed-note itself, golang.org/x/mod and transparency-dev/formats.
        for known in [
            KEY,
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop",
            "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
        ] {
            let (name, rest) = known.split_once('+').unwrap();
            let bytes = base64(rest.split_once('+').unwrap().1);
            let key = PublicKey::from_slice(&bytes[1..]).unwrap();
            assert_eq!(verifier_key(name, bytes[0], &key), known);
        }
    }

    #[test]
    fn unknown_lines_are_ignored_but_a_known_key_must_hold() {
        let unknown = "\u{2014} other.example/w AAAAAQECAwQ=";
        let same_name = format!("\u{2014} PeterNeumann {}", data_encoding::BASE64.encode(&[0, 0, 0, 9, 1, 2, 3]));
        let all = format!("{TEXT}\n{unknown}\n{LINE}\n{same_name}\n");
        let note = Note::parse(all.as_bytes()).unwrap();
        assert_eq!(note.signatures().len(), 3);
        note.verify("PeterNeumann", &key()).unwrap();
        let changed = all.replace("answer", "Answer");
        assert!(Note::parse(changed.as_bytes()).unwrap().verify("PeterNeumann", &key()).is_err());
        let short = format!("\u{2014} PeterNeumann {}", data_encoding::BASE64.encode(&[0xc7, 0x4f, 0x20, 0xa3, 1]));
        let twice = format!("{TEXT}\n{LINE}\n{short}\n");
        assert!(Note::parse(twice.as_bytes()).unwrap().verify("PeterNeumann", &key()).is_err());
        let alone = Note::parse(format!("{TEXT}\n{unknown}\n").as_bytes()).unwrap();
        assert!(alone.verify("PeterNeumann", &key()).is_err());
    }

    #[test]
    fn refuses_what_is_no_note() {
        let good = format!("{TEXT}\n{LINE}\n");
        let dash = good.replace('\u{2014}', "-");
        let open = good.trim_end().to_owned();
        let control = good.replace("answer", "ans\twer");
        let spaced = good.replace("\u{2014} Peter", "\u{2014} Peter\u{a0}");
        let plus = good.replace("\u{2014} Peter", "\u{2014} Peter+");
        let unpadded = good.replace("AM=\n", "AM\n");
        let many = format!("{TEXT}\n{}", format!("{LINE}\n").repeat(MAX_SIGNATURES + 1));
        let long = format!("{}\n{LINE}\n", "x\n".repeat(MAX_NOTE / 2));
        for bad in ["", "\n", "\n\n", TEXT, &dash, &open, &control, &spaced, &plus, &unpadded, &many, &long] {
            assert!(Note::parse(bad.as_bytes()).is_err(), "{bad:.80}");
        }
        assert!(Note::sign("no line feed", "name", &seed_of(1)).is_err());
        assert!(Note::sign("text\n", "two words", &seed_of(1)).is_err());
    }

    proptest! {
        #[test]
        fn hostile_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[a\n\u{2014} +=]{0,60}") {
            let _ = Note::parse(&bytes);
            if let Ok(note) = Note::parse(text.as_bytes()) {
                prop_assert_eq!(note.to_string(), text);
            }
        }
    }
}
