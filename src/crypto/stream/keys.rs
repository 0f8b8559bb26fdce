//! The two ends of an age file: whom it is sealed to, and who opens it.

use std::fmt;
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::base::secret::Key;
use crate::base::text::as_text;
use crate::base::{Error, Result};

/// The public half of an age key, shown as `age1…`. X25519 only; another prefix would be another kind of key.
#[derive(Clone, PartialEq, Eq)]
pub struct AgeRecipient(age::x25519::Recipient);

/// The secret half of an age key. Never shown, not copied; wiped when dropped.
pub struct AgeIdentity(age::x25519::Identity);

impl AgeRecipient {
    /// For [`super::seal`].
    pub fn as_age(&self) -> &(dyn age::Recipient + Send + Sync) {
        &self.0
    }
}

impl AgeIdentity {
    /// A fresh random key.
    pub fn generate() -> Result<Self> {
        Self::from_key(&Key::random()?)
    }

    /// The X25519 secret that a 32-byte key is: an object's key, a desk's or an inbox's (docs/format.md, sections 3 and 4).
    pub fn from_key(key: &Key) -> Result<Self> {
        let bug = || Error::bug("a key cannot be written in Bech32");
        let prefix = bech32::Hrp::parse("AGE-SECRET-KEY-").map_err(|_| bug())?;
        let text = bech32::encode_upper::<bech32::Bech32>(prefix, key.expose()).map_err(|_| bug())?;
        Self::parse(&Zeroizing::new(text)).ok_or_else(bug)
    }

    /// From `AGE-SECRET-KEY-1…`.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// `AGE-SECRET-KEY-1…`, wiped when dropped.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string().expose_secret().to_owned())
    }

    /// The 32-byte key that it is.
    pub fn to_key(&self) -> Result<Key> {
        let bytes = bech32::decode(&self.to_text()).map(|(_, bytes)| Zeroizing::new(bytes)).ok();
        bytes.and_then(|bytes| Key::from_slice(&bytes)).ok_or_else(|| Error::bug("an age identity has no 32-byte key"))
    }

    /// The public half.
    pub fn recipient(&self) -> AgeRecipient {
        AgeRecipient(self.0.to_public())
    }

    /// For [`super::open`].
    pub fn as_age(&self) -> &(dyn age::Identity + Send + Sync) {
        &self.0
    }
}

impl fmt::Display for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgeRecipient({self})")
    }
}

impl FromStr for AgeRecipient {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            Error::user("an age recipient is not of the form age1…", "Copy the whole line, or take it from the card.")
        };
        let recipient = Self(text.parse().map_err(|_| bad())?);
        if recipient.to_string() == text { Ok(recipient) } else { Err(bad()) }
    }
}

as_text!(AgeRecipient);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_identity_that_age_writes() {
        // The bytes 0 to 31.
        let mut key = Key::zero();
        for (i, byte) in key.expose_mut().iter_mut().enumerate() {
            *byte = i as u8;
        }
        let identity = AgeIdentity::from_key(&key).unwrap();
        let text = identity.to_text();
        assert_eq!(bech32::decode(&text).unwrap().1, key.expose());
        assert_eq!(identity.to_key().unwrap().expose(), key.expose());
        assert!(AgeIdentity::parse(&text).unwrap().recipient() == identity.recipient());
        assert!(AgeIdentity::parse(&text[..text.len() - 1]).is_none());
    }

    #[test]
    fn recipients_read_back_in_one_spelling_only() {
        let recipient = AgeIdentity::generate().unwrap().recipient();
        let text = recipient.to_string();
        assert!(text.starts_with("age1"));
        assert!(text.parse::<AgeRecipient>().unwrap() == recipient);
        for bad in [text.to_uppercase(), format!("{text} "), text.replace("age1", "age2"), String::new()] {
            assert!(bad.parse::<AgeRecipient>().is_err(), "{bad}");
        }
    }
}
