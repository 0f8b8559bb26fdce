//! A recording that is read within bounds.

use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// The most bytes that are read of one recording, whatever its headers say: the index of a film of a day takes less.
const MOST_BYTES: u64 = 64_000_000;
/// The most times that it is read or moved in.
const MOST_CALLS: u64 = 200_000;

/// A recording of a known length, and what may still be read of it.
pub(super) struct Source<S> {
    inner: S,
    len: u64,
    bytes: u64,
    calls: u64,
}

impl<S: Read + Seek> Source<S> {
    pub(super) fn new(inner: S, len: u64) -> Self {
        Self { inner, len, bytes: MOST_BYTES, calls: MOST_CALLS }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Up to `most` bytes from `at`; fewer at the end.
    pub(super) fn up_to(&mut self, at: u64, most: usize) -> crate::base::Result<Vec<u8>> {
        let io = |e: Error| crate::base::Error::io("read the recording", &e);
        self.seek(SeekFrom::Start(at)).map_err(io)?;
        let mut out = Vec::new();
        let most = most.min(usize::try_from(self.len.saturating_sub(at)).unwrap_or(most));
        self.take(most as u64).read_to_end(&mut out).map_err(io)?;
        Ok(out)
    }

    /// Exactly `N` bytes from `at`; none beyond the end.
    pub(super) fn exactly<const N: usize>(&mut self, at: u64) -> crate::base::Result<Option<[u8; N]>> {
        Ok(self.up_to(at, N)?.try_into().ok())
    }

    fn spend(&mut self) -> Result<()> {
        self.calls =
            self.calls.checked_sub(1).ok_or_else(|| Error::new(ErrorKind::FileTooLarge, "too much to read"))?;
        Ok(())
    }
}

impl<S: Read + Seek> Read for Source<S> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        self.spend()?;
        if self.bytes == 0 {
            return Err(Error::new(ErrorKind::FileTooLarge, "too much to read"));
        }
        let most = usize::try_from(self.bytes).unwrap_or(buf.len()).min(buf.len());
        let n = self.inner.read(&mut buf[..most])?;
        self.bytes = self.bytes.saturating_sub(n as u64);
        Ok(n)
    }
}

impl<S: Read + Seek> Seek for Source<S> {
    fn seek(&mut self, pos: SeekFrom) -> Result<u64> {
        self.spend()?;
        self.inner.seek(pos)
    }
}

impl<S: Read + Seek + Send + Sync> MediaSource for Source<S> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}
