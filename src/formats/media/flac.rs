//! FLAC (RFC 9639): is the last frame there, and is it the last one that the header announces?

use std::io::{Read, Seek};

use super::{cut, damaged, source::Source};
use crate::base::Result;

/// The most blocks of metadata that are looked at.
const MOST_BLOCKS: usize = 10_000;
/// The most places of the tail that are tried as the last frame's.
const MOST_TRIED: usize = 200;
/// An ID3v1 tag, which some programs append to anything.
const TAG: usize = 128;

/// What the first block says of the stream (section 8.2).
struct Stream {
    /// Samples in a block; with a fixed size, in each but the last.
    block: u64,
    /// The most bytes that a frame can take.
    frame: usize,
    /// Samples of each channel; 0 if it is not known.
    samples: u64,
}

/// Refuses a file whose metadata go on beyond its end, or that does not end with its last frame, whole by its checksum.
pub(super) fn whole<S: Read + Seek>(source: &mut Source<S>) -> Result<()> {
    let mut at = 4u64;
    let mut stream = None;
    for _ in 0..MOST_BLOCKS {
        let [kind, size @ ..] = source.exactly::<4>(at)?.ok_or_else(cut)?;
        if kind & 0x7F == 0 {
            stream = Stream::read(&source.exactly::<34>(at + 4)?.ok_or_else(cut)?);
        }
        at += 4 + u64::from(u32::from_be_bytes([0, size[0], size[1], size[2]]));
        if at >= source.len() {
            return Err(cut());
        }
        if kind & 0x80 != 0 {
            return ends(source, at, &stream.ok_or_else(damaged)?);
        }
    }
    Err(damaged())
}

impl Stream {
    fn read(block: &[u8; 34]) -> Option<Self> {
        let most = u64::from(u16::from_be_bytes([block[2], block[3]]));
        let frame = u32::from_be_bytes([0, block[7], block[8], block[9]]) as usize;
        let packed = u64::from_be_bytes(*block[10..].first_chunk()?);
        let channels = (packed >> 41 & 7) + 1;
        let bits = (packed >> 36 & 31) + 1;
        // Where the header does not say how long frames get: not packed at all, with room for headers and one more bit a sample.
        let raw = usize::try_from(most * channels * (bits + 1) / 8).ok()? + 1_024;
        Some(Self {
            block: most,
            frame: if frame == 0 { raw } else { frame.min(raw) },
            samples: packed & 0xF_FFFF_FFFF,
        })
    }
}

/// Whether the file ends with a frame that ends the sound.
fn ends<S: Read + Seek>(source: &mut Source<S>, begin: u64, stream: &Stream) -> Result<()> {
    let reach = stream.frame + 2 * TAG;
    let from = source.len().saturating_sub(reach as u64).max(begin);
    let tail = source.up_to(from, reach)?;
    let tagged = tail.len() > TAG && tail[tail.len() - TAG..].starts_with(b"TAG");
    let frames = if tagged { &tail[..tail.len() - TAG] } else { &tail[..] };
    let starts = (0..frames.len()).rev().filter(|at| frames[*at] == 0xFF);
    let last = starts.filter_map(|at| Some((at, header(&frames[at..])?))).filter(|(_, frame)| {
        let end = if frame.fixed { frame.number.saturating_mul(stream.block) } else { frame.number } + frame.samples;
        stream.samples == 0 || end == stream.samples
    });
    for (at, _) in last.take(MOST_TRIED) {
        if sum16(&frames[at..]) == 0 {
            return Ok(());
        }
    }
    Err(cut())
}

/// What a frame's header says.
struct Frame {
    /// Whether all blocks have one size: then `number` counts frames, else samples.
    fixed: bool,
    number: u64,
    samples: u64,
}

/// The header that stands here, if one does and its checksum holds (section 9.1).
fn header(bytes: &[u8]) -> Option<Frame> {
    let [_, second, sizes, form] = *bytes.first_chunk::<4>()?;
    if second & 0xFE != 0xF8 || form & 1 != 0 {
        return None;
    }
    let lead = *bytes.get(4)?;
    let length = match lead.leading_ones() {
        0 => 1,
        n @ 2..=7 => n as usize,
        _ => return None,
    };
    let mut number = u64::from(lead) & if length == 1 { 0x7F } else { 0xFF_u64 >> (length + 1) };
    for byte in bytes.get(5..4 + length)? {
        if byte & 0xC0 != 0x80 {
            return None;
        }
        number = number << 6 | u64::from(byte & 0x3F);
    }
    let mut at = 4 + length;
    let samples = match sizes >> 4 {
        0 => return None,
        1 => 192,
        n @ 2..=5 => 144 << n,
        6 => {
            at += 1;
            u64::from(*bytes.get(at - 1)?) + 1
        }
        7 => {
            at += 2;
            u64::from(u16::from_be_bytes(*bytes.get(at - 2..)?.first_chunk()?)) + 1
        }
        n => 1 << n,
    };
    at += match sizes & 15 {
        12 => 1,
        13 | 14 => 2,
        15 => return None,
        _ => 0,
    };
    (sum8(bytes.get(..=at)?) == 0).then_some(Frame { fixed: second & 1 == 0, number, samples })
}

/// CRC-8 with polynomial x⁸ + x² + x + 1; 0 over a header with its checksum.
fn sum8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| (0..8).fold(sum ^ byte, |s, _| if s & 0x80 == 0 { s << 1 } else { s << 1 ^ 0x07 }))
}

/// CRC-16 with polynomial x¹⁶ + x¹⁵ + x² + 1; 0 over a frame with its checksum.
fn sum16(bytes: &[u8]) -> u16 {
    let step = |sum: u16, byte: &u8| {
        (0..8).fold(sum ^ u16::from(*byte) << 8, |s, _| if s & 0x8000 == 0 { s << 1 } else { s << 1 ^ 0x8005 })
    };
    bytes.iter().fold(0, step)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const SOUND: &[u8] = include_bytes!("../../sample/delivery/recordings/GE-03.flac");

    fn check(bytes: &[u8]) -> Result<()> {
        whole(&mut Source::new(Cursor::new(bytes.to_vec()), bytes.len() as u64))
    }

    #[test]
    fn every_cut_is_seen_and_nothing_else() {
        assert_eq!(check(SOUND), Ok(()));
        for at in (5..SOUND.len()).step_by(997).chain([SOUND.len() - 2, SOUND.len() - 1]) {
            assert!(check(&SOUND[..at]).is_err(), "{at}");
        }
        let mut tag = b"TAG".to_vec();
        tag.resize(TAG, b' ');
        assert_eq!(check(&[SOUND, &tag].concat()), Ok(()));
    }

    #[test]
    fn a_stream_of_unknown_length_needs_its_last_frame_only() {
        let mut bytes = SOUND.to_vec();
        // 36 bits of samples, from the middle of byte 13 of the first block.
        bytes[8 + 13] &= 0xF0;
        bytes[8 + 14..8 + 18].fill(0);
        assert_eq!(check(&bytes), Ok(()));
        assert!(check(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn nothing_makes_it_stumble() {
        for bytes in [&b"fLaC"[..], b"fLaC\x80\0\0\x22", b"fLaC\x81\0\0\0x", &[0xFF; 100]] {
            assert!(check(bytes).is_err());
        }
        let hostile = [&SOUND[..42 + 4], &[0xFF, 0xF8].repeat(50_000)].concat();
        assert!(check(&hostile).is_err());
    }
}
