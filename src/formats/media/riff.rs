//! WAV, and its form for more than 4 GB (RF64, EBU Tech 3306).

use std::io::{Read, Seek};

use super::{Container, MediaInfo, cut, damaged, milliseconds, silent, source::Source};
use crate::base::Result;

/// The most chunks that are looked at.
const MOST_CHUNKS: usize = 1_000;

pub(super) fn probe<S: Read + Seek>(source: &mut Source<S>) -> Result<MediaInfo> {
    let mut at = 12u64;
    let mut long = None;
    let mut format: Option<[u8; 16]> = None;
    for _ in 0..MOST_CHUNKS {
        let Some(head) = source.exactly::<8>(at)? else { break };
        let [a, b, c, d, size @ ..] = head;
        let size = u32::from_le_bytes(size);
        at += 8;
        match &[a, b, c, d] {
            b"ds64" => {
                long = source
                    .exactly::<16>(at)?
                    .map(|ds| u64::from_le_bytes([ds[8], ds[9], ds[10], ds[11], ds[12], ds[13], ds[14], ds[15]]))
            }
            b"fmt " if size >= 16 => format = source.exactly::<16>(at)?,
            b"data" => return data(source, format.ok_or_else(damaged)?, at, size, long),
            _ => {}
        }
        at = at.saturating_add(u64::from(size)).saturating_add(u64::from(size % 2));
    }
    if at >= source.len() { Err(cut()) } else { Err(damaged()) }
}

fn data<S: Read + Seek>(
    source: &Source<S>,
    format: [u8; 16],
    at: u64,
    size: u32,
    long: Option<u64>,
) -> Result<MediaInfo> {
    let half = |i: usize| u16::from_le_bytes([format[i], format[i + 1]]);
    let whole = |i: usize| u32::from_le_bytes([format[i], format[i + 1], format[i + 2], format[i + 3]]);
    let (channels, sample_rate, bytes_a_second, block) = (half(2), whole(4), whole(8), half(12));
    if channels == 0 || sample_rate == 0 || block == 0 {
        return Err(damaged());
    }
    let left = source.len().saturating_sub(at);
    let size = match (size, long) {
        (u32::MAX, Some(long)) => long,
        // Written to a pipe: the sound goes on to the end.
        (u32::MAX, None) => left,
        (size, _) => u64::from(size),
    };
    if size > left {
        return Err(cut());
    }
    if size == 0 {
        // A recorder that lost its power has never come back to write the length.
        return Err(if left > u64::from(bytes_a_second) { cut() } else { silent() });
    }
    let pcm = matches!(half(0), 1 | 3 | 0xFFFE | 6 | 7);
    let duration_ms = if pcm {
        milliseconds(size / u64::from(block), u64::from(sample_rate))
    } else {
        milliseconds(size, u64::from(bytes_a_second))
    };
    let codec = match half(0) {
        1 | 3 | 0xFFFE => "pcm",
        6 => "alaw",
        7 => "mulaw",
        2 | 0x11 => "adpcm",
        0x50 | 0x55 => "mp3",
        _ => "unknown",
    };
    Ok(MediaInfo {
        container: Container::Wav,
        codec: codec.into(),
        duration_ms,
        channels: Some(channels),
        sample_rate: Some(sample_rate),
        video: false,
    })
}
