//! Floor 1: keys and ciphers. Bytes in, bytes out; age, Argon2, Ed25519 and XChaCha20-Poly1305 do the work.

pub mod card;
pub mod identity;
pub mod kdf;
pub mod keyring;
pub mod padding;
pub mod pseudonym;
pub mod seal;
pub mod sign;
pub mod stream;
