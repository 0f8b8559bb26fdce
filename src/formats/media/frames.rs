//! MPEG audio: is there a frame where one should be, and is all there that the first one announces?

use std::io::{Read, Seek};

use super::{cut, source::Source};
use crate::base::Result;

/// How far the first frame is searched in a file that calls itself MP3.
const SEARCHED: usize = 64 * 1024;

/// True if the file begins with MPEG audio: after an ID3v2 tag or at its start two frames follow each other; if it `says_so` by its name, a little
/// further in too. A file that is shorter than its Xing header says is cut off.
pub(super) fn leads<S: Read + Seek>(source: &mut Source<S>, says_so: bool) -> Result<bool> {
    let mut at = 0u64;
    // More than one tag may stand there.
    for _ in 0..8 {
        let Some(head) = source.exactly::<10>(at)? else { break };
        if !head.starts_with(b"ID3") {
            break;
        }
        let size = head[6..].iter().fold(0u64, |sum, byte| sum << 7 | u64::from(byte & 0x7F));
        at = at + 10 + size + if head[5] & 0x10 != 0 { 10 } else { 0 };
        if at > source.len() {
            return Err(cut());
        }
    }
    let tagged = at > 0;
    let window = source.up_to(at, SEARCHED)?;
    let reach = if says_so || tagged { window.len() } else { 1 };
    for offset in 0..reach {
        let Some(len) = window.get(offset..).and_then(frame) else { continue };
        let next = window.get(offset + len..);
        let alone = at + (offset + len) as u64 >= source.len() && (tagged || says_so);
        if next.and_then(frame).is_some() || alone {
            let first = window.get(offset..(offset + len).min(window.len())).unwrap_or(&[]);
            if let Some(announced) = announced(first)
                && announced > (source.len() - at - offset as u64).saturating_add(len as u64)
            {
                return Err(cut());
            }
            return Ok(true);
        }
    }
    Ok(false)
}

/// The length of the frame whose header stands here (ISO/IEC 11172-3, section 2.4.1.3).
fn frame(bytes: &[u8]) -> Option<usize> {
    const KBIT: [[u32; 15]; 5] = [
        [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    let [a, b, c, _] = *bytes.first_chunk::<4>()?;
    if a != 0xFF || b & 0xE0 != 0xE0 {
        return None;
    }
    let (version, layer) = ((b >> 3) & 3, (b >> 1) & 3);
    if version == 1 || layer == 0 {
        return None;
    }
    let first = version == 3;
    let table = match (first, layer) {
        (true, 3) => 0,
        (true, 2) => 1,
        (true, _) => 2,
        (false, 3) => 3,
        (false, _) => 4,
    };
    let kbit = *KBIT[table].get(usize::from(c >> 4)).filter(|k| **k > 0)?;
    let rate = *[44_100u32, 48_000, 32_000].get(usize::from((c >> 2) & 3))?;
    let rate = match version {
        3 => rate,
        2 => rate / 2,
        _ => rate / 4,
    };
    let padding = u32::from((c >> 1) & 1);
    Some(match (layer, first) {
        (3, _) => (12_000 * kbit / rate + padding) * 4,
        (1, false) => 72_000 * kbit / rate + padding,
        _ => 144_000 * kbit / rate + padding,
    } as usize)
}

/// How many bytes of sound the Xing or Info header within the first frame announces.
fn announced(frame: &[u8]) -> Option<u64> {
    let at = frame.windows(4).take(64).position(|w| w == b"Xing" || w == b"Info")?;
    let flags = u32::from_be_bytes(frame.get(at + 4..at + 8)?.try_into().ok()?);
    if flags & 2 == 0 {
        return None;
    }
    let bytes_at = at + 8 + if flags & 1 != 0 { 4 } else { 0 };
    Some(u64::from(u32::from_be_bytes(frame.get(bytes_at..bytes_at + 4)?.try_into().ok()?)))
}
