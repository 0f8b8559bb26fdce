//! The row seal: XChaCha20-Poly1305 with a random nonce (docs/format.md, section 4).

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::base::secret::Key;
use crate::base::{Error, Result, random};

/// The first byte of a row seal.
const VERSION: u8 = 1;
const NONCE: usize = 24;
/// How much longer a sealed row is than what is in it.
pub const OVERHEAD: usize = 1 + NONCE + 16;

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
        [VERSION, rest @ ..] if rest.len() >= NONCE + 16 => {
            let (nonce, body) = rest.split_at(NONCE);
            decrypt(key, nonce, aad, body)
        }
        _ => Err(damaged()),
    }
}

/// XChaCha20-Poly1305 with a nonce given by the format.
pub fn encrypt(key: &Key, nonce: &[u8; NONCE], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    let payload = Payload { msg: plain, aad };
    cipher.encrypt(XNonce::from_slice(nonce), payload).map_err(|_| Error::bug("a record is too long to be sealed"))
}

/// Opens what [`encrypt`] made.
pub fn decrypt(key: &Key, nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    if nonce.len() != NONCE {
        return Err(damaged());
    }
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    let payload = Payload { msg: sealed, aad };
    cipher.decrypt(XNonce::from_slice(nonce), payload).map(Zeroizing::new).map_err(|_| damaged())
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
