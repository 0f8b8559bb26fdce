//! Transcripts in: `.txt`, `.docx`, `.odt`, `.vtt` and `.srt` to turns (docs/format.md, section 7).

mod cues;
mod document;
mod docx;
mod labels;
mod odt;
mod turns;

use super::encoding;
use super::turn::TranscriptText;
use crate::base::Result;

use labels::Labels;
use turns::Turns;

/// The largest text file, and the most text out of a document, in bytes: more than two hundred hours of speech.
pub const MOST_BYTES: usize = 20_000_000;
/// The most turns.
pub const MOST_TURNS: usize = 200_000;

/// A format of transcripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TranscriptFormat {
    /// Plain text with a label before each turn.
    Txt,
    /// WordprocessingML (ECMA-376).
    Docx,
    /// OpenDocument text (ISO/IEC 26300).
    Odt,
    /// WebVTT.
    Vtt,
    /// SubRip.
    Srt,
}

impl TranscriptFormat {
    /// The format of a file by its extension, in any case, without the dot.
    pub fn from_extension(extension: &str) -> Option<Self> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "txt" => Self::Txt,
            "docx" => Self::Docx,
            "odt" => Self::Odt,
            "vtt" => Self::Vtt,
            "srt" => Self::Srt,
            _ => return None,
        })
    }
}

/// Reads a transcript whose speakers have these `labels`.
///
/// A line begins a turn if it leads with a known label and a colon, in any case; a time in brackets may stand before the label, behind it or behind the
/// colon. Other lines go on with the turn before; a line that leads with a time alone begins a new turn of the same voice. What stands before the first label, and cues
/// without a voice, are turns without a label. What looks like a label and is none is listed in `unknown_labels` and its words are attributed to nobody.
///
/// Errors: not of the format, damaged, hostile, above the bounds, or without any words.
pub fn read(format: TranscriptFormat, bytes: &[u8], labels: &[String]) -> Result<TranscriptText> {
    let labels = Labels::new(labels);
    let mut turns = Turns::new(&labels);
    let (mut notices, taken) = match format {
        TranscriptFormat::Docx => (docx::read(bytes, &mut turns)?, None),
        TranscriptFormat::Odt => (odt::read(bytes, &mut turns)?, None),
        TranscriptFormat::Txt | TranscriptFormat::Vtt | TranscriptFormat::Srt => {
            let (text, taken) = encoding::decode(bytes, MOST_BYTES)?;
            let mut notices: Vec<String> = taken.notice().into_iter().collect();
            match format {
                TranscriptFormat::Vtt => notices.extend(cues::vtt(&text, &mut turns)?),
                TranscriptFormat::Srt => cues::srt(&text, &mut turns)?,
                _ => {
                    for (line, words) in lines(&text) {
                        turns.line(line, words)?;
                    }
                }
            }
            (notices, Some(taken))
        }
    };
    let (turns, unknown_labels, more) = turns.finish()?;
    notices.extend(more);
    Ok(TranscriptText { turns, notices, encoding: taken, unknown_labels })
}

/// Line ends besides the line feed.
const ENDS: [char; 5] = ['\r', '\u{0C}', '\u{85}', '\u{2028}', '\u{2029}'];

/// The lines of a text, counted from 1. Also a lone carriage return, a form feed, and the line ends of Unicode end a line.
fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let mut number = 0u64;
    text.split('\n')
        .flat_map(|line| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            // Bytes that one of the ends begins with, looked for in many bytes at once; most lines have none and are not looked at by character.
            let odd = line.bytes().fold(false, |found, b| found | matches!(b, b'\r' | 0x0C | 0xC2 | 0xE2));
            let parts = odd.then(|| line.split(ENDS)).into_iter().flatten();
            (!odd).then_some(line).into_iter().chain(parts)
        })
        .map(move |line| {
            number += 1;
            (number, line)
        })
}
