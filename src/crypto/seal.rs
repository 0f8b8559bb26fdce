//! The row seal: XChaCha20-Poly1305 with a random nonce (docs/format.md, section 4).
//!
//! HChaCha20 is that of the crate `chacha20`, the rest `ring`'s, which is quick with what is short: rows and keys are short and many. The subkey that
//! `ring` leaves in memory opens this one row and no other.

use chacha20::cipher::consts::U10;
use chacha20::hchacha;
use hkdf::Hkdf;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::base::secret::Key;
use crate::base::{Error, Result, random};

/// The first byte of a row seal.
const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;
/// How much longer a sealed row is than what is in it.
pub const OVERHEAD: usize = 1 + NONCE + TAG;

/// Seals `plain` under `key`; `aad` says where it belongs and must be given again to open it.
pub fn seal(key: &Key, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE] = random::bytes()?;
    let sealed = encrypt(key, &nonce, aad, plain)?;
    let mut out = Vec::with_capacity(OVERHEAD + plain.len());
    out.push(VERSION);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens what [`seal`] made. Fails if key, place or a single bit differ.
pub fn open(key: &Key, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    match sealed {
        [VERSION, rest @ ..] if rest.len() >= NONCE + TAG => {
            let (nonce, body) = rest.split_at(NONCE);
            decrypt(key, nonce, aad, body)
        }
        _ => Err(damaged()),
    }
}

/// XChaCha20-Poly1305 with a nonce given by the format.
pub fn encrypt(key: &Key, nonce: &[u8; NONCE], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let too_long = || Error::bug("a record is too long to be sealed");
    let (key, nonce) = subkey(key, nonce).ok_or_else(too_long)?;
    let mut out = Vec::with_capacity(plain.len() + TAG);
    out.extend_from_slice(plain);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut out).map_err(|_| too_long())?;
    out.extend_from_slice(tag.as_ref());
    Ok(out)
}

/// Opens what [`encrypt`] made.
pub fn decrypt(key: &Key, nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let nonce: &[u8; NONCE] = nonce.try_into().map_err(|_| damaged())?;
    let (key, nonce) = subkey(key, nonce).ok_or_else(damaged)?;
    let mut out = Zeroizing::new(sealed.to_vec());
    let length = key.open_in_place(nonce, Aad::from(aad), &mut out).map_err(|_| damaged())?.len();
    out.truncate(length);
    Ok(out)
}

/// Key and nonce of ChaCha20-Poly1305 (RFC 8439) for a key and nonce of XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03, section 2.3).
fn subkey(key: &Key, nonce: &[u8; NONCE]) -> Option<(LessSafeKey, Nonce)> {
    let (first, last) = nonce.split_first_chunk::<16>()?;
    let mut subkey = hchacha::<U10>(key.expose().into(), first.into());
    let unbound = UnboundKey::new(&CHACHA20_POLY1305, &subkey);
    subkey.zeroize();
    let mut short = [0; 12];
    short[4..].copy_from_slice(last);
    Some((LessSafeKey::new(unbound.ok()?), Nonce::assume_unique_for_key(short)))
}

/// A key for one purpose out of a key for several: HKDF-SHA-256.
pub fn derive(key: &Key, salt: &[u8], info: &str) -> Result<Key> {
    let mut out = Key::zero();
    Hkdf::<Sha256>::new(Some(salt), key.expose())
        .expand(info.as_bytes(), out.expose_mut())
        .map_err(|_| Error::bug("a key derivation asks for too many bytes"))?;
    Ok(out)
}

fn damaged() -> Error {
    Error::damage(
        "a sealed record does not open: it was altered, or belongs to another place or key",
        "Run `subrosa check` to see what else is hurt, and restore the damaged part from a backup.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The crate `chacha20poly1305` has the whole of it in one.
        #[test]
        fn is_xchacha20_poly1305(nonce: [u8; NONCE], aad: Vec<u8>, plain in proptest::collection::vec(any::<u8>(), 0..300)) {
            use chacha20poly1305::aead::{Aead, KeyInit, Payload};
            let key = Key::random().unwrap();
            let other = chacha20poly1305::XChaCha20Poly1305::new(key.expose().into());
            let sealed = encrypt(&key, &nonce, &aad, &plain).unwrap();
            prop_assert_eq!(&sealed, &other.encrypt(&nonce.into(), Payload { msg: &plain, aad: &aad }).unwrap());
            prop_assert_eq!(&*decrypt(&key, &nonce, &aad, &sealed).unwrap(), &plain);
        }

        #[test]
        fn opens_with_the_same_key_and_place_only(plain in proptest::collection::vec(any::<u8>(), 0..300), flip in any::<prop::sample::Index>()) {
            let key = Key::random().unwrap();
            let mut sealed = seal(&key, b"here", &plain).unwrap();
            prop_assert_eq!(&*open(&key, b"here", &sealed).unwrap(), &plain);
            prop_assert!(open(&key, b"there", &sealed).is_err());
            prop_assert!(open(&Key::random().unwrap(), b"here", &sealed).is_err());
            let at = flip.index(sealed.len());
            sealed[at] ^= 1;
            prop_assert!(open(&key, b"here", &sealed).is_err());
            sealed.truncate(at);
            prop_assert!(open(&key, b"here", &sealed).is_err());
        }
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_salt() {
        let key = Key::random().unwrap();
        let a = derive(&key, b"salt", "a").unwrap();
        assert_eq!(a.expose(), derive(&key, b"salt", "a").unwrap().expose());
        assert_ne!(a.expose(), derive(&key, b"salt", "b").unwrap().expose());
        assert_ne!(a.expose(), derive(&key, b"pepper", "a").unwrap().expose());
    }
}
