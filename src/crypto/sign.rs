//! Ed25519 signatures with a context line (docs/format.md, conventions).

use ed25519_dalek::{Signer, SigningKey, Verifier, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::secret::Key;
use crate::base::text::base64;
use crate::base::{Error, Result};

/// A public Ed25519 key; in JSON base64 of its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A signature; in JSON base64 of its 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(ed25519_dalek::Signature);

/// A key that signs. Never shown; wiped when dropped. The library's own form of it exists only while it signs.
pub struct SigningSeed(Key);

impl SigningSeed {
    /// From a 32-byte seed (RFC 8032, section 5.1.5).
    pub fn from_key(seed: &Key) -> Self {
        Self(seed.duplicate())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key().verifying_key())
    }

    /// Signs `context`, a line feed and `message`. `context` says what sort of thing is signed.
    pub fn sign(&self, context: &str, message: &[u8]) -> Signature {
        Signature(self.key().sign(&framed(context, message)))
    }

    /// Signs the bare `message`, for formats that fix what is signed (C2SP signed notes).
    pub fn sign_bare(&self, message: &[u8]) -> Signature {
        Signature(self.key().sign(message))
    }

    fn key(&self) -> SigningKey {
        SigningKey::from_bytes(self.0.expose())
    }
}

impl PublicKey {
    /// From 32 bytes that are a point on the curve and not of small order.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Base64 of the 32 bytes.
    pub fn to_base64(self) -> String {
        data_encoding::BASE64.encode(self.0.as_bytes())
    }

    /// Whether `signature` is this key's over `context` and `message` (strict: RFC 8032 without malleable forms).
    pub fn verifies(&self, context: &str, message: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(&framed(context, message), &signature.0).is_ok()
    }

    /// As [`Self::verifies`], over the bare `message`.
    pub fn verifies_bare(&self, message: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(message, &signature.0).is_ok()
    }

    /// As [`Self::verifies_bare`] by the cofactorless rule of RFC 8032 alone, as other tools apply it.
    pub fn verifies_as_others(&self, message: &[u8], signature: &Signature) -> bool {
        self.0.verify(message, &signature.0).is_ok()
    }
}

impl Signature {
    /// From 64 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        ed25519_dalek::Signature::from_slice(bytes).ok().map(Self)
    }

    /// The 64 bytes.
    pub fn to_bytes(self) -> [u8; 64] {
        self.0.to_bytes()
    }
}

/// A refusal of a signature on `what`.
pub fn forged(what: &str) -> Error {
    Error::damage(
        format!("the signature on {what} does not hold"),
        "It was altered, or signed by somebody else. Ask the sender for it again and compare fingerprints.",
    )
}

/// `Ok` if the signature holds, else the error of [`forged`].
pub fn require(key: &PublicKey, context: &str, message: &[u8], signature: &Signature, what: &str) -> Result<()> {
    if key.verifies(context, message, signature) { Ok(()) } else { Err(forged(what)) }
}

fn framed(context: &str, message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(context.len() + 1 + message.len());
    bytes.extend_from_slice(context.as_bytes());
    bytes.push(b'\n');
    bytes.extend_from_slice(message);
    bytes
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", self.to_base64())
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signature(..)")
    }
}

macro_rules! as_base64 {
    ($name:ident, $to:expr) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
                s.serialize_str(&data_encoding::BASE64.encode(&$to(self)))
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                let bytes = base64(&text);
                let value = bytes.and_then(|b| Self::from_slice(&b));
                value.ok_or_else(|| serde::de::Error::custom(concat!("not a ", stringify!($name))))
            }
        }
    };
}
as_base64!(PublicKey, |k: &PublicKey| *k.as_bytes());
as_base64!(Signature, |s: &Signature| s.to_bytes());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_context_message_and_key_only() {
        let seed = SigningSeed::from_key(&Key::random().unwrap());
        let other = SigningSeed::from_key(&Key::random().unwrap());
        let sig = seed.sign("a", b"message");
        assert!(seed.public().verifies("a", b"message", &sig));
        assert!(!seed.public().verifies("b", b"message", &sig));
        assert!(!seed.public().verifies("a", b"massage", &sig));
        assert!(!other.public().verifies("a", b"message", &sig));
    }

    #[test]
    fn a_key_of_small_order_is_refused() {
        assert!(PublicKey::from_slice(&[0; 32]).is_none());
    }
}
