//! A part of a sealed file, without opening the rest: one header, then only the chunks that are asked for.

use std::io::{Read, Seek, SeekFrom};

use zeroize::Zeroizing;

use super::header::{self, HeaderReader, PayloadKey};
use super::pipeline::{damaged, read_full};
use super::{CHUNK, SEALED, TAG};
use crate::base::{Error, Result};

/// A sealed file of which parts are read, for playing a passage of a recording. Every chunk is verified before it is given out; that the
/// file was not cut at its end shows when [`RangeReader::plain_len`] is compared with the length that is known.
pub struct RangeReader<R> {
    source: R,
    key: PayloadKey,
    header: u64,
    chunks: u64,
    plain: u64,
}

impl<R: Read + Seek> RangeReader<R> {
    /// Reads the header, from the beginning of `source`. Errors as [`super::open`].
    pub fn open(identity: &dyn age::Identity, mut source: R) -> Result<Self> {
        let failed = |e| Error::io("read the sealed file", &e);
        source.rewind().map_err(failed)?;
        let mut head = HeaderReader::new(&mut source);
        let key = header::read(identity, &mut head)?;
        let header = head.header_len();
        let end = source.seek(SeekFrom::End(0)).map_err(failed)?;
        let sealed = end.checked_sub(header).ok_or_else(damaged)?;
        let chunks = sealed.div_ceil(SEALED as u64);
        let tail = sealed - chunks.saturating_sub(1) * SEALED as u64;
        if tail < TAG as u64 || (tail == TAG as u64 && chunks > 1) {
            return Err(damaged());
        }
        Ok(Self { source, key, header, chunks, plain: sealed - chunks * TAG as u64 })
    }

    /// How long the plaintext is, its padding included, in bytes.
    pub fn plain_len(&self) -> u64 {
        self.plain
    }

    /// The `len` bytes from `offset` on. Fails with damage if the file does not hold so many.
    pub fn read_at(&mut self, offset: u64, len: usize) -> Result<Zeroizing<Vec<u8>>> {
        let end = offset.checked_add(len as u64).filter(|end| *end <= self.plain).ok_or_else(damaged)?;
        let mut out = Zeroizing::new(Vec::with_capacity(len));
        if len == 0 {
            return Ok(out);
        }
        let (first, last) = (offset / CHUNK as u64, (end - 1) / CHUNK as u64);
        let start = self.header + first * SEALED as u64;
        self.source.seek(SeekFrom::Start(start)).map_err(|e| Error::io("read the sealed file", &e))?;
        let mut buf = Zeroizing::new(vec![0; SEALED]);
        for number in first..=last {
            let filled = read_full(&mut self.source, &mut buf).map_err(|e| Error::io("read the sealed file", &e))?;
            let is_last = number + 1 == self.chunks;
            if filled < TAG || (filled < SEALED && !is_last) {
                return Err(damaged());
            }
            let plain = self.key.open(number, is_last, &mut buf[..filled], 0).ok_or_else(damaged)?;
            let begins = number * CHUNK as u64;
            let from = offset.saturating_sub(begins) as usize;
            let to = (end - begins).min(CHUNK as u64) as usize;
            out.extend_from_slice(buf[..plain].get(from..to).ok_or_else(damaged)?);
        }
        Ok(out)
    }
}

/// The `len` bytes from `offset` on of a sealed file, as [`RangeReader::read_at`].
pub fn read_range(
    identity: &dyn age::Identity,
    source: impl Read + Seek,
    offset: u64,
    len: usize,
) -> Result<Zeroizing<Vec<u8>>> {
    RangeReader::open(identity, source)?.read_at(offset, len)
}
