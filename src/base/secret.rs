//! Secrets: own types without `Debug`, `Clone` or `Serialize`, in memory that is not swapped out (see [`keeps_secrets`]), wiped when dropped.

use std::io::Read;

use zeroize::Zeroizing;

use super::error::Result;
use super::locked::{Pages, Small};
use super::random;

pub use super::locked::keeps_secrets;

/// A 32-byte secret key. Never shown, copied only by [`Key::duplicate`], wiped when dropped.
pub struct Key(Small);

impl Key {
    /// A fresh random key, filled in place.
    pub fn random() -> Result<Self> {
        let mut key = Self::zero();
        random::fill(key.expose_mut())?;
        Ok(key)
    }

    /// An all-zero key, to be filled in place by [`Key::expose_mut`].
    pub fn zero() -> Self {
        Self(Small::take())
    }

    /// From 32 bytes; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        let mut key = Self::zero();
        key.expose_mut().copy_from_slice(bytes);
        Some(key)
    }

    /// The bytes, for a cipher.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.bytes()
    }

    /// The bytes, to be filled.
    pub fn expose_mut(&mut self) -> &mut [u8; 32] {
        self.0.bytes_mut()
    }

    /// A second copy, where one owner is not enough.
    pub fn duplicate(&self) -> Self {
        let mut copy = Self::zero();
        copy.expose_mut().copy_from_slice(self.expose());
        copy
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

/// A passphrase as typed, wiped when dropped.
pub struct Passphrase {
    pages: Pages,
    length: usize,
}

impl Passphrase {
    /// Copies the text and wipes the original.
    pub fn new(text: String) -> Self {
        let text = Zeroizing::new(text);
        let mut pages = Pages::new(text.len());
        pages.bytes_mut()[..text.len()].copy_from_slice(text.as_bytes());
        Self { pages, length: text.len() }
    }

    /// The first line of what `source` gives, of at most `most` bytes, into locked memory from the first byte on.
    pub fn read(source: impl Read, most: usize) -> std::io::Result<std::result::Result<Self, Unfit>> {
        let room = most.saturating_add(2);
        let mut pages = Pages::new(room);
        let mut read = 0;
        let mut source = source.take(room as u64);
        loop {
            match source.read(&mut pages.bytes_mut()[read..room]) {
                Ok(0) => break,
                Ok(n) => read += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let line = pages.bytes()[..read].split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let length = line.len();
        Ok(match std::str::from_utf8(line) {
            _ if length > most => Err(Unfit::TooLong),
            Ok("") => Err(Unfit::Empty),
            Ok(_) => Ok(Self { pages, length }),
            Err(_) => Err(Unfit::NotText),
        })
    }

    /// The text, for a key derivation.
    pub fn expose(&self) -> &str {
        // It is UTF-8: both constructors take no other bytes.
        std::str::from_utf8(&self.pages.bytes()[..self.length]).unwrap_or_default()
    }
}

/// Why a line is no passphrase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// There is nothing in it.
    Empty,
    /// It is longer than it may be.
    TooLong,
    /// It is not UTF-8.
    NotText,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_passphrase() {
        for (given, taken) in [
            ("seven herons", Ok("seven herons")),
            ("seven herons\nand more", Ok("seven herons")),
            ("семь цапель\r\n", Ok("семь цапель")),
            ("", Err(Unfit::Empty)),
            ("\nsecond", Err(Unfit::Empty)),
        ] {
            let read = Passphrase::read(given.as_bytes(), 4096).unwrap();
            assert_eq!(read.as_ref().map(Passphrase::expose).map_err(|unfit| *unfit), taken);
        }
        assert_eq!(Passphrase::read(&b"\xff\xfe"[..], 4096).unwrap().err(), Some(Unfit::NotText));
        for long in ["abcd", "abcd\n", "abcdefgh"] {
            assert_eq!(Passphrase::read(long.as_bytes(), 3).unwrap().err(), Some(Unfit::TooLong));
        }
        assert_eq!(Passphrase::read(&b"abc\r\ndef"[..], 3).unwrap().map(|p| p.expose().len()).ok(), Some(3));
        let long = "a long one ".repeat(1_000);
        assert_eq!(Passphrase::new(long.clone()).expose(), long);
    }

    #[test]
    fn keys_are_copied_whole_and_of_one_length_only() {
        let key = Key::random().unwrap();
        assert!(key.duplicate().expose() == key.expose() && Key::random().unwrap().expose() != key.expose());
        assert!(Key::from_slice(&[1; 31]).is_none() && Key::from_slice(&[1; 33]).is_none());
        assert_eq!(Key::from_slice(&[1; 32]).unwrap().expose(), &[1; 32]);
    }
}
