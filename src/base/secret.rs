//! Secrets: own types without `Debug`, `Clone` or `Serialize`, wiped when dropped.

use zeroize::{Zeroize, Zeroizing};

use super::error::Result;
use super::random;

/// A 32-byte secret key. Never shown, copied only by [`Key::duplicate`], wiped when dropped.
pub struct Key(Box<[u8; 32]>);

impl Key {
    /// A fresh random key, filled in place.
    pub fn random() -> Result<Self> {
        let mut key = Self::zero();
        random::fill(key.0.as_mut_slice())?;
        Ok(key)
    }

    /// An all-zero key, to be filled in place by [`Key::expose_mut`].
    pub fn zero() -> Self {
        Self(Box::new([0; 32]))
    }

    /// From 32 bytes; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Self::zero();
        if bytes.len() != 32 {
            return None;
        }
        key.0.copy_from_slice(bytes);
        Some(key)
    }

    /// The bytes, for a cipher.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bytes, to be filled.
    pub fn expose_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }

    /// A second copy, where one owner is not enough.
    pub fn duplicate(&self) -> Self {
        Self(Box::new(*self.0))
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A passphrase as typed, wiped when dropped.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes ownership of the text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for a key derivation.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
