//! A recording of any length in some kilobytes: FLAC (RFC 9639) of stillness, and a short WAV of noise.

use super::shape::Dice;

/// Samples in a second.
const RATE: u32 = 8_000;
/// Samples in a frame.
const BLOCK: u32 = 32_768;

/// FLAC, one channel, 16 bits, 8 kHz, so many seconds of a level that changes a little with every frame; other bytes for every `number`.
pub(super) fn flac(seconds: u32, dice: &mut Dice) -> Vec<u8> {
    let samples = u64::from(seconds) * u64::from(RATE);
    let frames = samples.div_ceil(u64::from(BLOCK));
    let mut out = Vec::with_capacity(64 + usize::try_from(frames).unwrap_or(0) * 14);
    out.extend_from_slice(b"fLaC");
    out.extend_from_slice(&[0x80, 0, 0, 34]);
    let block = (BLOCK as u16).to_be_bytes();
    out.extend_from_slice(&[block[0], block[1], block[0], block[1], 0, 0, 0, 0, 0, 0]);
    // 20 bits rate, 3 bits channels − 1, 5 bits bits − 1, 36 bits samples
    out.extend_from_slice(&(u64::from(RATE) << 44 | 15 << 36 | samples).to_be_bytes());
    out.extend_from_slice(&[0; 16]);
    for frame in 0..frames {
        let left = samples - frame * u64::from(BLOCK);
        let from = out.len();
        let whole = left >= u64::from(BLOCK);
        out.extend_from_slice(&[0xff, 0xf8, if whole { 0xf4 } else { 0x74 }, 0x08]);
        number(frame, &mut out);
        if !whole {
            let last = u16::try_from(left.saturating_sub(1)).unwrap_or(u16::MAX);
            out.extend_from_slice(&last.to_be_bytes());
        }
        out.push(crc(&out[from..], 8, 0x07).to_be_bytes()[1]);
        let level = (dice.roll(64) as i16) - 32;
        out.push(0);
        out.extend_from_slice(&level.to_be_bytes());
        let sum = crc(&out[from..], 16, 0x8005);
        out.extend_from_slice(&sum.to_be_bytes());
    }
    out
}

/// WAV, one channel, 16 bits, 8 kHz: one second of noise, as somebody tries the recorder.
pub(super) fn wav(dice: &mut Dice) -> Vec<u8> {
    let bytes = RATE * 2;
    let mut out = Vec::with_capacity(44 + bytes as usize);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(bytes + 36).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend_from_slice(&RATE.to_le_bytes());
    out.extend_from_slice(&(RATE * 2).to_le_bytes());
    out.extend_from_slice(b"\x02\0\x10\0data");
    out.extend_from_slice(&bytes.to_le_bytes());
    for _ in 0..bytes / 8 {
        out.extend_from_slice(&(dice.next() & 0x03ff_03ff_03ff_03ff).to_le_bytes());
    }
    out
}

/// The number of a frame, coded as UTF-8 codes a character.
fn number(frame: u64, out: &mut Vec<u8>) {
    match frame as u32 {
        small @ ..0x80 => out.push(small as u8),
        two @ 0x80..0x800 => out.extend_from_slice(&[0xc0 | (two >> 6) as u8, 0x80 | (two & 0x3f) as u8]),
        more => out.extend_from_slice(&[
            0xe0 | (more >> 12) as u8,
            0x80 | (more >> 6 & 0x3f) as u8,
            0x80 | (more & 0x3f) as u8,
        ]),
    }
}

fn crc(bytes: &[u8], bits: u32, polynomial: u16) -> u16 {
    let (top, mask) = (1u16 << (bits - 1), if bits == 16 { u16::MAX } else { 0xff });
    let mut sum = 0u16;
    for byte in bytes {
        sum ^= u16::from(*byte) << (bits - 8);
        for _ in 0..8 {
            sum = if sum & top == 0 { sum << 1 } else { sum << 1 ^ polynomial } & mask;
        }
    }
    sum
}
