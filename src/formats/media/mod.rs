//! Recordings: what they are, how long, and whether they are whole. Headers and tails are read, never the whole file.
//!
//! WAV and Ogg are read here; MP3, MP4, Matroska and FLAC by symphonia, after their outer structure has been looked at.

mod boxes;
mod flac;
mod frames;
mod ogg;
mod riff;
mod source;
mod streams;

use std::io::{Read, Seek};

use crate::base::{Error, Result};

use source::Source;

/// What a recording is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaInfo {
    /// The container, by its content and not by its name.
    pub container: Container,
    /// The codec of the first sound track (`pcm`, `mp3`, `aac`, `opus`, `vorbis`, `flac`, `alac`, …), or `unknown`.
    pub codec: String,
    /// How long it plays, in milliseconds; none if the container does not tell (a fragmented MP4 without an index, a Matroska file written live). An
    /// estimate for MP3 without a Xing header.
    pub duration_ms: Option<u64>,
    /// Channels of sound.
    pub channels: Option<u16>,
    /// Samples in a second.
    pub sample_rate: Option<u32>,
    /// True if there is a picture track.
    pub video: bool,
}

/// A container of sound, perhaps with pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// RIFF WAVE, RF64 and BW64 (EBU Tech 3306).
    Wav,
    /// MPEG audio, layers 1 to 3.
    Mp3,
    /// ISO base media: `.m4a`, `.mp4`, `.mov`.
    Mp4,
    /// Ogg (RFC 3533).
    Ogg,
    /// FLAC (RFC 9639).
    Flac,
    /// Matroska and WebM (RFC 9559).
    Mkv,
}

impl Container {
    /// A word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Mp4 => "mp4",
            Self::Ogg => "ogg",
            Self::Flac => "flac",
            Self::Mkv => "mkv",
        }
    }
}

/// The extensions that recordings come with, in small letters.
pub const EXTENSIONS: [&str; 11] = ["wav", "mp3", "m4a", "ogg", "oga", "opus", "flac", "mp4", "mov", "mkv", "webm"];

/// Looks at a recording of `len` bytes. The extension (without its dot) is a hint only.
///
/// Errors: empty, no recording of a known kind, without sound, or cut off where the container tells (a WAV whose sound is said to go on beyond the end, an
/// MP4 whose index was never written, an Ogg that ends within a page, a FLAC without its last frame). MP3 without a Xing header and files written to a pipe do not tell, nor
/// does an MP3 that lacks less than a frame.
/// Reads some megabytes at most.
pub fn probe<S: Read + Seek + Send + Sync + 'static>(
    source: S,
    extension: Option<&str>,
    len: u64,
) -> Result<MediaInfo> {
    if len == 0 {
        return Err(Error::user("the recording is empty", "Copy it again from the recorder."));
    }
    let mut source = Source::new(source, len);
    let head = source.up_to(0, 16)?;
    let extension = extension.map(str::to_ascii_lowercase);
    let info = match head.as_slice() {
        [b'R', b'I', b'F', b'F' | b'X', _, _, _, _, b'W', b'A', b'V', b'E', ..]
        | [b'R', b'F', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E', ..]
        | [b'B', b'W', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E', ..] => riff::probe(&mut source)?,
        [b'O', b'g', b'g', b'S', ..] => ogg::probe(&mut source)?,
        [b'f', b'L', b'a', b'C', ..] => {
            flac::whole(&mut source)?;
            streams::probe(source, Container::Flac, "flac")?
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => {
            boxes::whole(&mut source)?;
            streams::probe(source, Container::Mp4, "mp4")?
        }
        [0x1A, 0x45, 0xDF, 0xA3, ..] => {
            boxes::whole_matroska(&mut source)?;
            streams::probe(source, Container::Mkv, "mkv")?
        }
        _ if frames::leads(&mut source, extension.as_deref() == Some("mp3"))? => {
            streams::probe(source, Container::Mp3, "mp3")?
        }
        _ => return Err(unknown()),
    };
    if info.channels == Some(0) || info.duration_ms == Some(0) {
        return Err(silent());
    }
    Ok(info)
}

fn unknown() -> Error {
    Error::user(
        "the file is not a recording of a kind that is taken (wav, mp3, m4a, ogg, opus, flac, mp4, mkv)",
        "Check that it is the right file; if it plays, save it as one of these.",
    )
}

fn cut() -> Error {
    Error::user(
        "the recording is cut off: its end is missing",
        "Copy it again from the recorder, and compare the sizes.",
    )
}

fn damaged() -> Error {
    Error::user(
        "the recording is damaged: its header cannot be read",
        "Copy it again from the recorder, or save it anew in a sound editor.",
    )
}

fn silent() -> Error {
    Error::user("there is no sound in the recording", "Check that it is the right file.")
}

/// `count` units of `rate` in a second, in milliseconds.
fn milliseconds(count: u64, rate: u64) -> Option<u64> {
    let exact = u128::from(count) * 1_000 / u128::from(std::num::NonZero::new(rate)?.get());
    u64::try_from(exact).ok()
}
