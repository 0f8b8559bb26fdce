//! From a passphrase to a key: Argon2id (RFC 9106), and what passes for a passphrase.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::base::secret::{Key, Passphrase};
use crate::base::text::base64;
use crate::base::{Error, Result, random};

/// The fewest characters of a passphrase.
pub const LEAST_CHARACTERS: usize = 10;

/// The most characters of a passphrase; more would only cost time.
pub const MOST_CHARACTERS: usize = 1_000;

/// The lowest accepted score of zxcvbn, which counts from 0 to 4: 10⁸ to 10¹⁰ guesses.
const LEAST_SCORE: zxcvbn::Score = zxcvbn::Score::Three;

/// Words that a guesser of a passphrase for this program would try early.
const OWN_WORDS: [&str; 5] = ["subrosa", "interview", "archive", "vault", "passphrase"];

/// How much work a guess costs: Argon2id's memory, passes and lanes. Within bounds by construction (docs/format.md, section 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KdfParams {
    m: u32,
    t: u32,
    p: u32,
}

impl KdfParams {
    /// RFC 9106, section 4, second recommended setting: 64 MiB, 3 passes, 4 lanes. The default.
    pub const STANDARD: Self = Self { m: 65_536, t: 3, p: 4 };

    /// RFC 9106, section 4, first recommended setting: 2 GiB, 1 pass, 4 lanes.
    pub const HIGH: Self = Self { m: 2_097_152, t: 1, p: 4 };

    /// The least that a reader accepts: 19 MiB, 1 pass, 1 lane. For tests.
    pub const LEAST: Self = Self { m: 19_456, t: 1, p: 1 };

    /// Memory in KiB (19,456 to 2,097,152), passes (1 to 16) and lanes (1 to 16); `None` outside.
    pub fn new(m: u32, t: u32, p: u32) -> Option<Self> {
        let within = (19_456..=2_097_152).contains(&m) && (1..=16).contains(&t) && (1..=16).contains(&p);
        within.then_some(Self { m, t, p })
    }

    /// Memory in KiB.
    pub const fn memory_kib(self) -> u32 {
        self.m
    }

    /// Passes over the memory.
    pub const fn passes(self) -> u32 {
        self.t
    }

    /// Lanes, each of which can run on its own core.
    pub const fn lanes(self) -> u32 {
        self.p
    }
}

impl Default for KdfParams {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// A setting and its salt, as stored beside what the key seals. Reading refuses another algorithm and what is out of bounds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawKdf", into = "RawKdf")]
pub struct Kdf {
    params: KdfParams,
    salt: [u8; 16],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKdf {
    alg: String,
    m: u32,
    t: u32,
    p: u32,
    salt: String,
}

impl Kdf {
    /// `params` with a fresh random salt.
    pub fn fresh(params: KdfParams) -> Result<Self> {
        Ok(Self { params, salt: random::bytes()? })
    }

    /// The setting.
    pub fn params(&self) -> KdfParams {
        self.params
    }

    /// The key of `passphrase`, which is first brought into Unicode normal form C. Takes a tenth of a second to some seconds.
    pub fn derive(&self, passphrase: &Passphrase) -> Result<Key> {
        if passphrase.expose().chars().count() > MOST_CHARACTERS {
            return Err(too_long());
        }
        let KdfParams { m, t, p } = self.params;
        let params = Params::new(m, t, p, Some(32)).map_err(|_| Error::bug("Argon2 refuses its parameters"))?;
        let count = params.block_count();
        let mut memory: Zeroizing<Vec<Block>> = Zeroizing::new(Vec::new());
        memory.try_reserve_exact(count).map_err(|_| {
            Error::user(
                format!("there is not enough memory to try the passphrase ({} MiB are needed)", m / 1024),
                "Close other programs, then run the command again.",
            )
        })?;
        memory.resize(count, Block::new());
        let mut key = Key::zero();
        let text = normal(passphrase);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(text.as_bytes(), &self.salt, key.expose_mut(), memory.as_mut_slice())
            .map_err(|_| Error::bug("Argon2 refuses its input"))?;
        Ok(key)
    }
}

impl From<Kdf> for RawKdf {
    fn from(kdf: Kdf) -> Self {
        let KdfParams { m, t, p } = kdf.params;
        Self { alg: "argon2id".into(), m, t, p, salt: data_encoding::BASE64.encode(&kdf.salt) }
    }
}

impl TryFrom<RawKdf> for Kdf {
    type Error = &'static str;
    fn try_from(raw: RawKdf) -> std::result::Result<Self, Self::Error> {
        if raw.alg != "argon2id" {
            return Err("an unknown way from the passphrase to the key");
        }
        let params = KdfParams::new(raw.m, raw.t, raw.p).ok_or("Argon2 parameters out of bounds")?;
        let salt = base64(&raw.salt);
        let salt = salt.and_then(|salt| salt.try_into().ok()).ok_or("a salt that is not 16 bytes long")?;
        Ok(Self { params, salt })
    }
}

/// Refuses a passphrase that could be guessed: shorter than [`LEAST_CHARACTERS`], or scored below 3 of 4 by zxcvbn.
pub fn check_strength(passphrase: &Passphrase) -> Result<()> {
    const REMEDY: &str = "Take five or six words at random, or a sentence that only you know. Names, dates, quotations and keyboard rows are guessed first.";
    let text = normal(passphrase);
    let characters = text.chars().count();
    if characters < LEAST_CHARACTERS {
        return Err(Error::user(format!("the passphrase has fewer than {LEAST_CHARACTERS} characters"), REMEDY));
    }
    if characters > MOST_CHARACTERS {
        return Err(too_long());
    }
    if zxcvbn::zxcvbn(&text, &OWN_WORDS).score() < LEAST_SCORE {
        return Err(Error::user("the passphrase is too easy to guess", REMEDY));
    }
    Ok(())
}

fn too_long() -> Error {
    Error::user(format!("the passphrase is longer than {MOST_CHARACTERS} characters"), "Take a shorter one.")
}

/// The passphrase in Unicode normal form C, wiped when dropped.
fn normal(passphrase: &Passphrase) -> Zeroizing<String> {
    // A character can grow threefold in bytes under NFC (UAX #15, section 12.1), so the buffer never moves.
    let mut text = Zeroizing::new(String::with_capacity(3 * passphrase.expose().len()));
    text.extend(passphrase.expose().nfc());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Kind;
    use argon2::{AssociatedData, ParamsBuilder};
    use serde_json::json;

    fn pass(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned())
    }

    #[test]
    fn argon2id_gives_the_tag_of_rfc_9106_section_5_3() {
        let mut params = ParamsBuilder::new();
        params.m_cost(32).t_cost(3).p_cost(4).output_len(32).data(AssociatedData::new(&[4; 12]).unwrap());
        let params = params.build().unwrap();
        let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
        let expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
        assert_eq!(data_encoding::HEXLOWER.encode(&tag), expected);
    }

    #[test]
    fn one_passphrase_in_two_normal_forms_is_one_key() {
        let kdf = Kdf { params: KdfParams::LEAST, salt: [7; 16] };
        let composed = kdf.derive(&pass("caf\u{e9} caf\u{e9}")).unwrap();
        let decomposed = kdf.derive(&pass("cafe\u{301} cafe\u{301}")).unwrap();
        assert!(composed.expose() == decomposed.expose());
        assert!(composed.expose() != kdf.derive(&pass("cafe cafe")).unwrap().expose());
        let other = Kdf { params: KdfParams::LEAST, salt: [8; 16] };
        assert!(composed.expose() != other.derive(&pass("caf\u{e9} caf\u{e9}")).unwrap().expose());
    }

    #[test]
    fn reads_back_and_refuses_what_is_out_of_bounds() {
        let kdf = Kdf::fresh(KdfParams::STANDARD).unwrap();
        let text = serde_json::to_value(&kdf).unwrap();
        assert!(serde_json::from_value::<Kdf>(text.clone()).unwrap() == kdf);
        let bad = [
            ("alg", json!("argon2i")),
            ("m", json!(19_455)),
            ("m", json!(2_097_153)),
            ("t", json!(0)),
            ("t", json!(17)),
            ("p", json!(0)),
            ("p", json!(17)),
            ("salt", json!("AAAA")),
            ("extra", json!(1)),
        ];
        for (field, value) in bad {
            let mut text = text.clone();
            text[field] = value;
            assert!(serde_json::from_value::<Kdf>(text).is_err(), "{field}");
        }
        for params in [KdfParams::STANDARD, KdfParams::HIGH, KdfParams::LEAST] {
            assert_eq!(KdfParams::new(params.m, params.t, params.p), Some(params));
        }
    }

    #[test]
    fn weak_passphrases_are_refused_and_good_ones_pass() {
        for weak in ["", "short", "password123", "1234567890", "qwertyuiop", "subrosavault", "aaaaaaaaaaaaaaaa"] {
            let error = check_strength(&pass(weak)).unwrap_err();
            assert_eq!(error.kind(), Kind::User);
            assert!(!error.remedy().is_empty());
            assert!(weak.is_empty() || !format!("{error:?}").contains(weak));
        }
        assert!(check_strength(&pass(&"ab".repeat(501))).is_err());
        for good in ["correct horse battery staple", "розы цветут в тишине 1991", "tl5#Vq09!mWz"] {
            assert!(check_strength(&pass(good)).is_ok(), "{good}");
        }
    }
}
