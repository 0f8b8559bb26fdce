//! age files (C2SP age.md, version 1), sealed and opened on all cores.
//!
//! The `age` crate does the header: stanzas, MAC, file key. The chunks that follow are sealed and opened here, in the standard format,
//! with the ChaCha20-Poly1305 of `ring`. Whatever stock `age` opens or writes, this does too.
//!
//! Opening writes a chunk only once it is verified, but begins to write before the whole file is: write to a temporary name, and rename
//! only after `Ok`. The same holds for sealing: until `Ok` the file is cut off.

use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::thread;

use age::DecryptError;
use age_core::format::{FileKey, Stanza};
use zeroize::Zeroizing;

use self::header::HeaderReader;
use self::pipeline::{Act, GROUP, Plan};
use super::padding::Padding;
use crate::base::progress::{Progress, Silent};
use crate::base::{Error, Result};

mod header;
mod keys;
mod pipeline;
mod range;

pub use keys::{AgeIdentity, AgeRecipient};
pub use range::{RangeReader, read_range};

/// Bytes of plaintext in a chunk.
const CHUNK: usize = 64 * 1024;
/// Bytes that sealing adds to a chunk.
const TAG: usize = 16;
/// Bytes of a sealed chunk.
const SEALED: usize = CHUNK + TAG;

/// What [`seal`] made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealedStream {
    /// The true length of the source, in bytes.
    pub plain_len: u64,
    /// The length of the age file, in bytes.
    pub sealed_len: u64,
    /// BLAKE3 of the age file.
    pub digest: [u8; 32],
}

/// What [`open`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenedStream {
    /// The length of the plaintext, its padding included, in bytes.
    pub plain_len: u64,
    /// How much of it was written, in bytes.
    pub written: u64,
}

/// Seals `source`, read to its end, into an age file for all `recipients`, and hashes the file on the way. On all cores; memory is about
/// 1 MiB a core. `progress` is told of bytes of plaintext, padding included; the caller begins and ends the step.
///
/// Errors of source and sink keep their kind ([`Error::io`]): a full disk is told as such.
pub fn seal(
    recipients: &[&(dyn age::Recipient + Send)],
    source: impl Read + Send,
    sink: impl Write + Send,
    padding: Padding,
    progress: &dyn Progress,
) -> Result<SealedStream> {
    seal_on(cores(), recipients, source, sink, padding, progress)
}

/// As [`seal`], on so many threads, the caller's among them.
pub fn seal_on(
    threads: NonZeroUsize,
    recipients: &[&(dyn age::Recipient + Send)],
    source: impl Read + Send,
    sink: impl Write + Send,
    padding: Padding,
    progress: &dyn Progress,
) -> Result<SealedStream> {
    seal_in(threads, GROUP, recipients, source, sink, padding, progress)
}

/// Opens an age file and writes its plaintext, the first `take` bytes of it if there is padding to be left out; all of it is verified.
/// On all cores; memory is about 1 MiB a core. `progress` is told of bytes of plaintext; the caller begins and ends the step.
///
/// Errors: `Kind::User` if it is no age file at all (a store that finds that in a file of its own tells it as damage); `Kind::Locked` if it is
/// not sealed to `identity`; `Kind::Damage` if it is damaged, cut off, goes on after its end or is shorter than `take`; errors of source
/// and sink as [`Error::io`]. After an error what was written is a verified beginning, no more.
pub fn open(
    identity: &dyn age::Identity,
    source: impl Read + Send,
    sink: impl Write + Send,
    take: Option<u64>,
    progress: &dyn Progress,
) -> Result<OpenedStream> {
    open_on(cores(), identity, source, sink, take, progress)
}

/// As [`open`], on so many threads, the caller's among them.
pub fn open_on(
    threads: NonZeroUsize,
    identity: &dyn age::Identity,
    source: impl Read + Send,
    sink: impl Write + Send,
    take: Option<u64>,
    progress: &dyn Progress,
) -> Result<OpenedStream> {
    let opened = open_in(threads, GROUP, identity, source, sink, take, progress)?;
    if take.is_some_and(|take| opened.plain_len < take) {
        return Err(pipeline::damaged());
    }
    Ok(opened)
}

/// The age file over `plain`, unpadded, for all `recipients`. For what is small: wraps, requests.
pub fn seal_bytes(recipients: &[&(dyn age::Recipient + Send)], plain: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(plain.len() + 1024 + plain.len() / CHUNK * TAG);
    let chunks = plain.len().div_ceil(CHUNK).clamp(1, GROUP);
    seal_in(NonZeroUsize::MIN, chunks, recipients, plain, &mut out, Padding::None, &Silent)?;
    Ok(out)
}

/// The plaintext, of at most `most` bytes, of an age file in memory. Errors as [`open`]; `Kind::User` if it is longer.
pub fn open_bytes(identity: &dyn age::Identity, sealed: &[u8], most: usize) -> Result<Zeroizing<Vec<u8>>> {
    let too_long = || Error::user("a sealed record is longer than it may be", "Check that it is the right file.");
    let chunks = sealed.len().div_ceil(SEALED).clamp(1, GROUP);
    // Room for everything, so that no copy of it is left behind by growing; the header and the tags are left over.
    let mut out = Zeroizing::new(Vec::with_capacity(sealed.len().min(most)));
    let take = u64::try_from(most).unwrap_or(u64::MAX);
    let opened = open_in(NonZeroUsize::MIN, chunks, identity, sealed, &mut *out, Some(take), &Silent)?;
    if opened.plain_len > take { Err(too_long()) } else { Ok(out) }
}

/// Length and BLAKE3 of a file as it lies, to compare with what [`seal`] said. Needs no key.
pub fn digest(mut source: impl Read, progress: &dyn Progress) -> Result<(u64, [u8; 32])> {
    let mut hasher = blake3::Hasher::new();
    let mut buf = vec![0; CHUNK * 4];
    loop {
        let count = pipeline::read_full(&mut source, &mut buf).map_err(|e| Error::io("read the sealed file", &e))?;
        hasher.update(&buf[..count]);
        progress.advance(count as u64);
        if count < buf.len() {
            return Ok((hasher.count(), *hasher.finalize().as_bytes()));
        }
    }
}

/// Several identities as one: the first that fits opens the file. For inboxes, of which an old one may still be needed.
pub struct AnyOf<'a>(pub &'a [&'a dyn age::Identity]);

impl age::Identity for AnyOf<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<std::result::Result<FileKey, DecryptError>> {
        self.0.iter().find_map(|identity| identity.unwrap_stanza(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<std::result::Result<FileKey, DecryptError>> {
        self.0.iter().find_map(|identity| identity.unwrap_stanzas(stanzas))
    }
}

fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn seal_in(
    threads: NonZeroUsize,
    chunks: usize,
    recipients: &[&(dyn age::Recipient + Send)],
    source: impl Read + Send,
    mut sink: impl Write + Send,
    padding: Padding,
    progress: &dyn Progress,
) -> Result<SealedStream> {
    let (header, key) = header::write(recipients)?;
    sink.write_all(&header).map_err(|e| Error::io("write the sealed file", &e))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&header);
    let source = Padded { source, padding, len: 0, zeros: None };
    let plan = Plan { act: Act::Seal, key: &key, threads, chunks, limit: u64::MAX, progress };
    let done = pipeline::run(&plan, source, sink, Some(hasher))?;
    let digest = done.hasher.map(|hasher| *hasher.finalize().as_bytes());
    Ok(SealedStream {
        plain_len: done.source.len,
        sealed_len: header.len() as u64 + done.written,
        digest: digest.ok_or_else(|| Error::bug("a sealed file was not hashed"))?,
    })
}

fn open_in(
    threads: NonZeroUsize,
    chunks: usize,
    identity: &dyn age::Identity,
    source: impl Read + Send,
    sink: impl Write + Send,
    take: Option<u64>,
    progress: &dyn Progress,
) -> Result<OpenedStream> {
    let mut source = HeaderReader::new(source);
    let key = header::read(identity, &mut source)?;
    let plan = Plan { act: Act::Open, key: &key, threads, chunks, limit: take.unwrap_or(u64::MAX), progress };
    let done = pipeline::run(&plan, source, sink, None)?;
    Ok(OpenedStream { plain_len: done.made, written: done.written })
}

/// A source with its padding after it.
struct Padded<R> {
    source: R,
    padding: Padding,
    len: u64,
    /// Zero bytes still to come, once the source has ended.
    zeros: Option<u64>,
}

impl<R: Read> Read for Padded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.zeros.is_none() {
            let count = self.source.read(out)?;
            if count > 0 || out.is_empty() {
                self.len += count as u64;
                return Ok(count);
            }
        }
        let left = self.zeros.get_or_insert(self.padding.apply(self.len).saturating_sub(self.len));
        let count = (*left).min(out.len() as u64);
        out[..count as usize].fill(0);
        *left -= count;
        Ok(count as usize)
    }
}
