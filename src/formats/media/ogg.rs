//! Ogg (RFC 3533) with Opus (RFC 7845), Vorbis, FLAC or Speex: the first page says what it is, the last one how long.

use std::io::{Read, Seek};

use super::{Container, MediaInfo, cut, damaged, milliseconds, source::Source};
use crate::base::Result;

/// The longest page there can be.
const LONGEST_PAGE: usize = 65_307;

/// A page's header.
struct Page {
    first: bool,
    granule: u64,
    serial: u32,
    header: usize,
    len: usize,
}

impl Page {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(27)?;
        if !head.starts_with(b"OggS\0") {
            return None;
        }
        let segments = rest.get(..usize::from(head[26]))?;
        let header = 27 + segments.len();
        let granule = u64::from_le_bytes(head[6..14].try_into().ok()?);
        let serial = u32::from_le_bytes(head[14..18].try_into().ok()?);
        let len = header + segments.iter().map(|s| usize::from(*s)).sum::<usize>();
        Some(Self { first: head[5] & 2 != 0, granule, serial, header, len })
    }
}

/// A sound stream by its first packet.
struct Stream {
    codec: &'static str,
    channels: u16,
    rate: u32,
    /// The rate that granules count in, and those before the sound begins.
    clock: u32,
    skip: u64,
}

fn stream(packet: &[u8]) -> Option<Stream> {
    let word = |at: usize| packet.get(at..at + 4).and_then(|b| Some(u32::from_le_bytes(b.try_into().ok()?)));
    let byte = |at: usize| packet.get(at).map(|b| u16::from(*b));
    let plain = |codec, channels, rate| Stream { codec, channels, rate, clock: rate, skip: 0 };
    if packet.starts_with(b"OpusHead") {
        let skip = u64::from(u16::from_le_bytes([*packet.get(10)?, *packet.get(11)?]));
        // Opus always plays at 48 kHz, whatever rate it was made from.
        return Some(Stream { codec: "opus", channels: byte(9)?, rate: 48_000, clock: 48_000, skip });
    }
    if packet.starts_with(b"\x01vorbis") {
        return Some(plain("vorbis", byte(11)?, word(12)?));
    }
    if packet.starts_with(b"\x7FFLAC") {
        // The stream's description follows 17 bytes on, its rate in 20 bits, then channels less one in 3.
        let bits = u32::from_be_bytes(packet.get(27..31)?.try_into().ok()?);
        return Some(plain("flac", ((bits >> 9) & 7) as u16 + 1, bits >> 12));
    }
    if packet.starts_with(b"Speex   ") {
        return Some(plain("speex", u16::try_from(word(48)?).ok()?, word(36)?));
    }
    None
}

pub(super) fn probe<S: Read + Seek>(source: &mut Source<S>) -> Result<MediaInfo> {
    let head = source.up_to(0, 2 * LONGEST_PAGE)?;
    let mut at = 0;
    let mut found = None;
    let mut video = false;
    // The first pages of all streams come before anything else.
    while let Some(page) = head.get(at..).and_then(Page::read).filter(|p| p.first) {
        let packet = head.get(at + page.header..at + page.len).ok_or_else(cut)?;
        video |= packet.starts_with(b"\x80theora");
        if found.is_none() {
            found = stream(packet).map(|s| (page.serial, s));
        }
        at += page.len;
    }
    let Some((serial, stream)) = found else { return Err(if at == 0 { damaged() } else { super::silent() }) };
    if stream.channels == 0 || stream.clock == 0 {
        return Err(damaged());
    }
    let granule = last_granule(source, serial)?;
    let duration_ms = granule.and_then(|g| milliseconds(g.saturating_sub(stream.skip), u64::from(stream.clock)));
    Ok(MediaInfo {
        container: Container::Ogg,
        codec: stream.codec.into(),
        duration_ms,
        channels: Some(stream.channels),
        sample_rate: Some(stream.rate),
        video,
    })
}

/// The last granule of a stream, out of the tail. A last page that goes on beyond the end means that the recording is cut off.
fn last_granule<S: Read + Seek>(source: &mut Source<S>, serial: u32) -> Result<Option<u64>> {
    let from = source.len().saturating_sub(4 * LONGEST_PAGE as u64);
    let tail = source.up_to(from, 4 * LONGEST_PAGE)?;
    let mut granule = None;
    let mut newest = true;
    let starts: Vec<usize> = tail.windows(4).enumerate().filter(|(_, w)| *w == b"OggS").map(|(at, _)| at).collect();
    for at in starts.into_iter().rev() {
        let page = Page::read(&tail[at..]);
        let reaches = page.as_ref().map(|p| at + p.len);
        // What follows the last page may be something else: some programs append tags there.
        if newest && reaches.is_none_or(|end| end > tail.len()) {
            return Err(cut());
        }
        newest = false;
        if let Some(page) = page
            && page.serial == serial
            && page.granule != u64::MAX
        {
            granule = Some(page.granule);
            break;
        }
    }
    Ok(granule)
}
