//! Identities: a person's own keys, in a file of their own, sealed under a passphrase (docs/format.md, section 1).

use std::io::Write;

use age_core::format::{FileKey, Stanza};
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::card::{Card, Country, RawCard};
use super::kdf::{self, Kdf, KdfParams};
use super::sign::SigningSeed;
use super::stream::{self, AgeIdentity};
use crate::base::id::PersonId;
use crate::base::secret::{Key, Passphrase};
use crate::base::text::base64;
use crate::base::time::Moment;
use crate::base::{Error, Result, canonical, format, random};

/// The longest file that is read as an identity, in bytes.
pub const MOST_BYTES: usize = 32 * 1024;

const FORMAT: &str = "subrosa-identity/1";
const CONTEXT: &[u8] = b"subrosa/identity/1\n";
const TAG: usize = 16;

/// log₂ of the work of the scrypt recipient of an exported age identity, as stock age sets it: about a second.
const SCRYPT_LOG_N: u8 = 18;

/// A person's unlocked keys. Never shown; wiped when dropped.
pub struct Identity {
    card: Card,
    age: Key,
    seed: Key,
    sign: SigningSeed,
}

/// An identity file, read but not unlocked.
pub struct LockedIdentity {
    card: Card,
    kdf: Kdf,
    nonce: [u8; 24],
    sealed: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIdentity {
    card: RawCard,
    format: String,
    kdf: Kdf,
    nonce: String,
    sealed: String,
}

/// What is authenticated beside the sealed keys.
#[derive(Serialize)]
struct Outside<'a> {
    card: &'a Card,
    format: &'a str,
    kdf: &'a Kdf,
}

impl Identity {
    /// Fresh keys and the card that shows their public halves.
    pub fn generate(name: &str, country: Country, now: Moment) -> Result<Self> {
        let (age, seed) = (Key::random()?, Key::random()?);
        let sign = SigningSeed::from_key(&seed);
        let card = Card::issue(name, country, AgeIdentity::from_key(&age)?.recipient(), &sign, now)?;
        Ok(Self { card, age, seed, sign })
    }

    /// The public card.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The person's id.
    pub fn person_id(&self) -> PersonId {
        self.card.person_id()
    }

    /// What opens whatever is sealed to this person, for [`stream::open`].
    pub fn as_age(&self) -> &(dyn age::Identity + Send + Sync) {
        self
    }

    /// The key that signs for this person.
    pub fn signer(&self) -> &SigningSeed {
        &self.sign
    }

    /// The bytes of the identity file under `passphrase`, with a fresh salt and nonce. Refuses a weak passphrase
    /// ([`kdf::check_strength`]). A new passphrase is given by unlocking and sealing again.
    pub fn seal(&self, passphrase: &Passphrase, params: KdfParams) -> Result<Vec<u8>> {
        kdf::check_strength(passphrase)?;
        let kdf = Kdf::fresh(params)?;
        let nonce: [u8; 24] = random::bytes()?;
        let mut sealed = self.secrets()?;
        let tag = cipher(&kdf.derive(passphrase)?)
            .encrypt_in_place_detached(XNonce::from_slice(&nonce), &aad(&self.card, &kdf)?, &mut sealed)
            .map_err(|_| Error::bug("the keys of an identity are too long"))?;
        sealed.extend_from_slice(&tag);
        canonical::to_vec(&RawIdentity {
            card: self.card.clone().into(),
            format: FORMAT.into(),
            kdf,
            nonce: data_encoding::BASE64.encode(&nonce),
            sealed: data_encoding::BASE64.encode(&sealed),
        })
    }

    /// A standard age identity file of the X25519 key, for `age -d -i FILE`: with a passphrase (strong, or refused) armored and
    /// encrypted with age's own scrypt recipient, the passphrase as typed; without one, plain text. The signing key stays out.
    pub fn export_age(&self, passphrase: Option<&Passphrase>) -> Result<Zeroizing<Vec<u8>>> {
        let mut text = Zeroizing::new(Vec::with_capacity(256));
        let head = format!("# created: {}\n# public key: {}\n", self.card.created(), self.card.recipient());
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(AgeIdentity::from_key(&self.age)?.to_text().as_bytes());
        text.push(b'\n');
        let Some(passphrase) = passphrase else { return Ok(text) };
        kdf::check_strength(passphrase)?;
        let mut recipient = age::scrypt::Recipient::new(passphrase.expose().to_owned().into());
        recipient.set_work_factor(SCRYPT_LOG_N);
        let sealed = stream::seal_bytes(&[&recipient], &text)?;
        let failed = |_| Error::bug("the exported identity cannot be armored");
        let armor = age::armor::Format::AsciiArmor;
        let mut out = age::armor::ArmoredWriter::wrap_output(Vec::new(), armor).map_err(failed)?;
        out.write_all(&sealed).map_err(failed)?;
        out.finish().map(Zeroizing::new).map_err(failed)
    }

    /// The keys as canonical JSON. Written by hand, so that no copy of them stays behind in a JSON library; with room for the tag.
    fn secrets(&self) -> Result<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(Vec::with_capacity(256));
        out.extend_from_slice(b"{\"age\":\"");
        out.extend_from_slice(AgeIdentity::from_key(&self.age)?.to_text().as_bytes());
        out.extend_from_slice(b"\",\"sign\":\"");
        let seed = Zeroizing::new(data_encoding::BASE64.encode(self.seed.expose()));
        out.extend_from_slice(seed.as_bytes());
        out.extend_from_slice(b"\"}");
        Ok(out)
    }
}

/// The library's own form of the key exists only while a header is tried.
impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<std::result::Result<FileKey, age::DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<std::result::Result<FileKey, age::DecryptError>> {
        AgeIdentity::from_key(&self.age).ok()?.as_age().unwrap_stanzas(stanzas)
    }
}

impl LockedIdentity {
    /// Reads an identity file and verifies the card in it. Whatever is wrong with the file is damage.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MOST_BYTES {
            return Err(damaged("it is too long"));
        }
        format::expect(bytes, FORMAT, "the identity file")?;
        let raw: RawIdentity = canonical::from_slice(bytes).map_err(|_| damaged("it is not written as one"))?;
        if raw.format != FORMAT {
            return Err(damaged("its format is unknown"));
        }
        let decode = |text: &str| base64(text);
        let nonce = decode(&raw.nonce).and_then(|nonce| nonce.try_into().ok());
        let nonce = nonce.ok_or_else(|| damaged("its nonce is not 24 bytes long"))?;
        let sealed = decode(&raw.sealed).filter(|sealed| sealed.len() > TAG);
        let sealed = sealed.ok_or_else(|| damaged("its sealed part is missing"))?;
        let card = Card::try_from(raw.card).map_err(|_| damaged("the card in it does not hold"))?;
        Ok(Self { card, kdf: raw.kdf, nonce, sealed })
    }

    /// The public card, readable without the passphrase.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// How much work a guess at the passphrase costs.
    pub fn params(&self) -> KdfParams {
        self.kdf.params()
    }

    /// Unlocks the keys. A wrong passphrase is `Kind::Locked`; keys that do not fit the card are damage. A file whose sealed part alone
    /// was altered cannot be told from a wrong passphrase; the remedy says so.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<Identity> {
        let key = self.kdf.derive(passphrase)?;
        let mut text = Zeroizing::new(self.sealed.clone());
        let end = text.len() - TAG;
        let tag = Tag::clone_from_slice(&text[end..]);
        text.truncate(end);
        cipher(&key)
            .decrypt_in_place_detached(XNonce::from_slice(&self.nonce), &aad(&self.card, &self.kdf)?, &mut text, &tag)
            .map_err(|_| {
                Error::locked(
                    "the passphrase is wrong",
                    "Type it again; mind Caps Lock and the keyboard layout. If you are sure of it, the identity file was altered: use your copy of it.",
                )
            })?;
        let (age, seed) = read_secrets(&text).ok_or_else(|| damaged("its keys cannot be read"))?;
        let sign = SigningSeed::from_key(&seed);
        if age.recipient() != *self.card.recipient() || sign.public() != *self.card.sign() {
            return Err(damaged("its keys are not those of its card"));
        }
        Ok(Identity { card: self.card.clone(), age: age.to_key()?, seed, sign })
    }
}

fn read_secrets(text: &[u8]) -> Option<(AgeIdentity, Key)> {
    let text = std::str::from_utf8(text).ok()?;
    let (age, sign) = text.strip_prefix("{\"age\":\"")?.strip_suffix("\"}")?.split_once("\",\"sign\":\"")?;
    let seed = Zeroizing::new(base64(sign)?);
    Some((AgeIdentity::parse(age)?, Key::from_slice(&seed)?))
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.expose().into())
}

fn aad(card: &Card, kdf: &Kdf) -> Result<Vec<u8>> {
    let mut bytes = CONTEXT.to_vec();
    bytes.extend_from_slice(&canonical::to_vec(&Outside { card, format: FORMAT, kdf })?);
    Ok(bytes)
}

fn damaged(why: &str) -> Error {
    Error::damage(
        format!("the identity file is damaged: {why}"),
        "Use your copy of it. Without one, make a new identity and have a steward enrol its card.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Kind;

    fn pass(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned())
    }

    fn identity() -> Identity {
        let now = "2026-11-23T09:30:00Z".parse().unwrap();
        Identity::generate("Mari Õun", "EE".parse().unwrap(), now).unwrap()
    }

    const GOOD: &str = "seven quiet herons cross";

    #[test]
    fn unlocks_with_its_passphrase_only_and_a_new_one_can_be_given() {
        let identity = identity();
        let file = identity.seal(&pass(GOOD), KdfParams::LEAST).unwrap();
        let locked = LockedIdentity::parse(&file).unwrap();
        assert!(locked.card() == identity.card());
        assert_eq!(locked.unlock(&pass("seven quiet herons crossed")).err().unwrap().kind(), Kind::Locked);
        let open = locked.unlock(&pass(GOOD)).unwrap();
        assert_eq!(open.person_id(), identity.person_id());
        assert_eq!(open.signer().public(), identity.signer().public());
        let changed = open.seal(&pass("nine loud geese remained"), KdfParams::LEAST).unwrap();
        let changed = LockedIdentity::parse(&changed).unwrap();
        assert_eq!(changed.unlock(&pass(GOOD)).err().unwrap().kind(), Kind::Locked);
        assert!(changed.unlock(&pass("nine loud geese remained")).is_ok());
    }

    #[test]
    fn weak_passphrases_are_refused() {
        assert_eq!(identity().seal(&pass("password1234"), KdfParams::LEAST).err().unwrap().kind(), Kind::User);
        assert!(identity().export_age(Some(&pass("short"))).is_err());
    }

    #[test]
    fn a_damaged_file_is_told_from_a_wrong_passphrase() {
        let file = identity().seal(&pass(GOOD), KdfParams::LEAST).unwrap();
        for bad in [&b""[..], b"{}", &file[..file.len() - 1], &vec![b' '; MOST_BYTES + 1]] {
            assert_eq!(LockedIdentity::parse(bad).err().unwrap().kind(), Kind::Damage);
        }
        let text = String::from_utf8(file).unwrap();
        let newer = text.replace("subrosa-identity/1", "subrosa-identity/2");
        assert_eq!(LockedIdentity::parse(newer.as_bytes()).err().unwrap().kind(), Kind::User);
        for (from, to) in [("\"t\":1", "\"t\":99"), ("\"m\":19456", "\"m\":4294967"), ("Mari", "Mary")] {
            let error = LockedIdentity::parse(text.replace(from, to).as_bytes()).err().unwrap();
            assert_eq!(error.kind(), Kind::Damage, "{from}");
        }
        // Another setting within bounds changes the key and what is authenticated.
        let other = text.replace("\"t\":1", "\"t\":2");
        assert_eq!(
            LockedIdentity::parse(other.as_bytes()).unwrap().unlock(&pass(GOOD)).err().unwrap().kind(),
            Kind::Locked
        );
    }

    #[test]
    fn the_secrets_are_canonical_json() {
        let identity = identity();
        let secrets = identity.secrets().unwrap();
        let value: serde_json::Value = canonical::from_slice(&secrets).unwrap();
        assert!(value["age"].as_str().unwrap().starts_with("AGE-SECRET-KEY-1"));
        let (age, seed) = read_secrets(&secrets).unwrap();
        assert!(age.recipient() == *identity.card().recipient() && seed.expose() == identity.seed.expose());
    }

    #[test]
    fn the_exported_identity_is_what_stock_age_reads() {
        let identity = identity();
        let plain = identity.export_age(None).unwrap();
        let file = age::IdentityFile::from_buffer(&plain[..]).unwrap();
        let keys = file.into_identities().unwrap();
        let sealed = stream::seal_bytes(&[identity.card().recipient().as_age()], b"for you").unwrap();
        assert_eq!(&stream::open_bytes(&*keys[0], &sealed, 100).unwrap()[..], b"for you");

        let armored = identity.export_age(Some(&pass(GOOD))).unwrap();
        assert!(armored.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----\n"));
        let scrypt = age::scrypt::Identity::new(GOOD.to_owned().into());
        let decryptor = age::Decryptor::new(age::armor::ArmoredReader::new(&armored[..])).unwrap();
        let mut text = Vec::new();
        let mut reader = decryptor.decrypt(std::iter::once(&scrypt as _)).unwrap();
        std::io::Read::read_to_end(&mut reader, &mut text).unwrap();
        assert_eq!(text, *plain);
    }
}
