//! The outer structure of MP4 (ISO/IEC 14496-12) and Matroska (RFC 9559): is all there that is announced?

use std::io::{Read, Seek};

use super::{cut, damaged, source::Source};
use crate::base::{Error, Result};

/// The most boxes that are looked at; a fragmented film of a day has fewer.
const MOST_BOXES: usize = 50_000;

/// Refuses an MP4 file whose boxes go on beyond its end, or that has no index or no sound.
pub(super) fn whole<S: Read + Seek>(source: &mut Source<S>) -> Result<()> {
    let (mut at, mut index, mut content) = (0u64, false, false);
    for _ in 0..MOST_BOXES {
        if at == source.len() {
            break;
        }
        let Some(head) = source.exactly::<8>(at)? else {
            // A few bytes after the last box are no box.
            return if index && content { Ok(()) } else { Err(cut()) };
        };
        let kind = [head[4], head[5], head[6], head[7]];
        let size = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            0 => source.len() - at,
            1 => u64::from_be_bytes(source.exactly::<8>(at + 8)?.ok_or_else(cut)?),
            size => u64::from(size),
        };
        if size < 8 {
            // Padding after the last box is no box.
            if index && content {
                return Ok(());
            }
            return Err(damaged());
        }
        if size > source.len() - at {
            return Err(cut());
        }
        index |= kind == *b"moov";
        content |= kind == *b"mdat" || kind == *b"moof";
        at += size;
    }
    match (index, content) {
        (true, true) => Ok(()),
        (false, true) => Err(Error::user(
            "the recording was never finished: its index is missing",
            "The recorder lost its power, or the copy is cut off: copy it again, or repair it with a video tool.",
        )),
        (false, false) => Err(cut()),
        (true, false) => Err(super::silent()),
    }
}

/// Refuses a Matroska file whose segment is said to go on beyond its end.
pub(super) fn whole_matroska<S: Read + Seek>(source: &mut Source<S>) -> Result<()> {
    let mut at = 0u64;
    for _ in 0..16 {
        let head = source.up_to(at, 12)?;
        let Some((id, id_len)) = number(&head, false) else { return Err(cut()) };
        let Some((size, size_len)) = number(&head[id_len..], true) else { return Err(cut()) };
        at += (id_len + size_len) as u64;
        if id == Some(0x1853_8067) {
            return match size {
                // All ones: written to a pipe, of unknown length.
                Some(size) if size > source.len() - at.min(source.len()) => Err(cut()),
                _ => Ok(()),
            };
        }
        at = at.saturating_add(size.ok_or_else(damaged)?);
        if at >= source.len() {
            return Err(cut());
        }
    }
    Err(damaged())
}

/// An EBML number (RFC 8794, section 4) and its length; for a size, none if it says "unknown".
fn number(bytes: &[u8], size: bool) -> Option<(Option<u64>, usize)> {
    let first = *bytes.first()?;
    let len = first.leading_zeros() as usize + 1;
    if len > 8 {
        return None;
    }
    let rest = bytes.get(1..len)?;
    let mut value = u64::from(if size { first & (0xFF_u8.checked_shr(len as u32).unwrap_or(0)) } else { first });
    for byte in rest {
        value = value << 8 | u64::from(*byte);
    }
    let unknown = size && value == (1u64 << (7 * len)) - 1;
    Some(((!unknown).then_some(value), len))
}
