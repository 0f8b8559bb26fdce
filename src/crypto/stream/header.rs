//! The header of an age file: written and read by the `age` crate, from which the file key is caught on its way through.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{self, BufRead, ErrorKind, Read};

use age::{DecryptError, EncryptError};
use age_core::format::{FileKey, Stanza};
use age_core::secrecy::ExposeSecret;
use hkdf::Hkdf;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::TAG;
use crate::base::{Error, Result};

/// The longest header that is read, in bytes: some 600 X25519 recipients, or 40 post-quantum ones.
const MOST_HEADER: usize = 64 * 1024;

/// The most lines of a header that are read. The `age` crate parses from the beginning again at every line, so that time grows with
/// their square: this many take a fifth of a second.
const MOST_LINES: usize = 2_000;

const MAGIC: &[u8] = b"age-encryption.org/";
const NONCE: usize = 16;

/// The key of one file's chunks. The bytes it is made from are wiped; the cipher's own copy lives and dies with the act.
pub(super) struct PayloadKey(LessSafeKey);

type Caught = RefCell<Option<Zeroizing<[u8; 16]>>>;

fn catch(caught: &Caught, key: &FileKey) {
    *caught.borrow_mut() = Some(Zeroizing::new(*key.expose_secret()));
}

struct CatchingRecipient<'a> {
    inner: &'a dyn age::Recipient,
    caught: &'a Caught,
}

impl age::Recipient for CatchingRecipient<'_> {
    fn wrap_file_key(&self, key: &FileKey) -> std::result::Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        catch(self.caught, key);
        self.inner.wrap_file_key(key)
    }
}

struct CatchingIdentity<'a> {
    inner: &'a dyn age::Identity,
    caught: &'a Caught,
}

type Unwrapped = Option<std::result::Result<FileKey, DecryptError>>;

impl CatchingIdentity<'_> {
    fn pass(&self, unwrapped: Unwrapped) -> Unwrapped {
        if let Some(Ok(key)) = &unwrapped {
            catch(self.caught, key);
        }
        unwrapped
    }
}

impl age::Identity for CatchingIdentity<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Unwrapped {
        self.pass(self.inner.unwrap_stanza(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Unwrapped {
        self.pass(self.inner.unwrap_stanzas(stanzas))
    }
}

/// A fresh header with its nonce, and the key of the chunks that follow.
pub(super) fn write(recipients: &[&(dyn age::Recipient + Send)]) -> Result<(Vec<u8>, PayloadKey)> {
    let bug = || Error::bug("an age header cannot be written");
    let caught = Caught::default();
    let catching: Vec<_> =
        recipients.iter().map(|inner| CatchingRecipient { inner: *inner, caught: &caught }).collect();
    let encryptor =
        age::Encryptor::with_recipients(catching.iter().map(|r| r as &dyn age::Recipient)).map_err(|e| match e {
            EncryptError::MissingRecipients => Error::user("there is nobody to seal to", "Name at least one person."),
            _ => Error::user("it cannot be sealed to these recipients together", "Seal to each of them by itself."),
        })?;
    let mut header = Vec::with_capacity(512);
    // Its writer of chunks is dropped at once: nothing but the header has been written.
    drop(encryptor.wrap_output(&mut header).map_err(|_| bug())?);
    let key = caught.take().ok_or_else(bug)?;
    let key = PayloadKey::derive(&key, &header).ok_or_else(bug)?;
    Ok((header, key))
}

/// Reads a header with its nonce. `source` stands at the first chunk afterwards.
pub(super) fn read<R: Read>(identity: &dyn age::Identity, source: &mut HeaderReader<R>) -> Result<PayloadKey> {
    let caught = Caught::default();
    let catching = CatchingIdentity { inner: identity, caught: &caught };
    let opened = age::Decryptor::new_buffered(&mut *source)
        .and_then(|decryptor| decryptor.decrypt(std::iter::once(&catching as _)).map(drop));
    opened.map_err(|e| refusal(e, source.looks_like_age()))?;
    source.in_header = false;
    let key = caught.take().ok_or_else(|| Error::bug("an age header gave no file key"))?;
    PayloadKey::derive(&key, &source.seen).ok_or_else(|| Error::bug("an age header has no nonce"))
}

fn refusal(error: DecryptError, looks_like_age: bool) -> Error {
    let foreign = || Error::user("this is not a sealed file (age, version 1)", "Check that it is the right file.");
    let damaged = || {
        Error::damage(
            "the head of the sealed file is damaged or cut off",
            "Take another copy of it, or ask for it again.",
        )
    };
    match error {
        DecryptError::Io(e) if !matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) => {
            Error::io("read the sealed file", &e)
        }
        DecryptError::UnknownFormat => foreign(),
        DecryptError::InvalidHeader | DecryptError::Io(_) if !looks_like_age => foreign(),
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            Error::locked(
                "the file is not sealed to this key",
                "Use the identity or the passphrase that it was sealed to.",
            )
        }
        DecryptError::ExcessiveWork { .. } => Error::user(
            "the sealed file asks for too much work to try its passphrase",
            "Have it sealed again with less.",
        ),
        _ => damaged(),
    }
}

impl PayloadKey {
    /// HKDF-SHA-256 of the file key; `header` ends with the nonce.
    fn derive(file_key: &[u8; 16], header: &[u8]) -> Option<Self> {
        let nonce = header.last_chunk::<NONCE>()?;
        let mut key = Zeroizing::new([0u8; 32]);
        Hkdf::<Sha256>::new(Some(nonce), file_key).expand(b"payload", key.as_mut_slice()).ok()?;
        UnboundKey::new(&CHACHA20_POLY1305, key.as_slice()).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// Seals `chunk` in place and gives its tag. `None` only beyond the cipher's limit of 256 GiB.
    pub(super) fn seal(&self, number: u64, last: bool, chunk: &mut [u8]) -> Option<[u8; TAG]> {
        let tag = self.0.seal_in_place_separate_tag(nonce(number, last), Aad::empty(), chunk).ok()?;
        tag.as_ref().try_into().ok()
    }

    /// Opens the chunk with its tag that stands at `shift` in `space`; the plaintext then begins at 0. Its length, or `None`
    /// if it does not hold, and then `space` is wiped.
    pub(super) fn open(&self, number: u64, last: bool, space: &mut [u8], shift: usize) -> Option<usize> {
        self.0.open_within(nonce(number, last), Aad::empty(), space, shift..).ok().map(|plain| plain.len())
    }
}

/// C2SP age.md, "Payload": an 11-byte big-endian counter, then 1 for the last chunk.
fn nonce(number: u64, last: bool) -> Nonce {
    let mut bytes = [0; 12];
    bytes[3..11].copy_from_slice(&number.to_be_bytes());
    bytes[11] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

/// Reads a header line by line, keeps it, and refuses one that is too long; afterwards hands through what follows.
pub(super) struct HeaderReader<R> {
    source: R,
    held: Vec<u8>,
    at: usize,
    seen: Vec<u8>,
    lines: usize,
    in_header: bool,
}

impl<R: Read> HeaderReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, held: Vec::new(), at: 0, seen: Vec::with_capacity(512), lines: 0, in_header: true }
    }

    /// How long the header with its nonce is, in bytes.
    pub(super) fn header_len(&self) -> u64 {
        self.seen.len() as u64
    }

    fn looks_like_age(&self) -> bool {
        self.seen.iter().chain(&self.held[self.at..]).zip(MAGIC).all(|(a, b)| a == b)
    }
}

impl<R: Read> BufRead for HeaderReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.seen.len() > MOST_HEADER || self.lines > MOST_LINES {
            return Err(ErrorKind::InvalidData.into());
        }
        if self.at == self.held.len() {
            self.held.resize(4096, 0);
            self.at = 0;
            let read = self.source.read(&mut self.held);
            self.held.truncate(*read.as_ref().unwrap_or(&0));
            read?;
        }
        Ok(&self.held[self.at..])
    }

    fn consume(&mut self, count: usize) {
        let end = (self.at + count).min(self.held.len());
        let taken = &self.held[self.at..end];
        self.lines += taken.iter().filter(|byte| **byte == b'\n').count();
        self.seen.extend_from_slice(taken);
        self.at = end;
    }
}

impl<R: Read> Read for HeaderReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.in_header {
            let count = self.fill_buf()?.read(out)?;
            self.consume(count);
            return Ok(count);
        }
        if self.at < self.held.len() {
            let count = (&self.held[self.at..]).read(out)?;
            self.at += count;
            return Ok(count);
        }
        self.source.read(out)
    }
}
