//! A conversation as a transcriber hands it over: plain text with or without times, WebVTT, Word.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use super::talk::Turn;

/// A form of transcript.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A line a turn.
    Plain,
    /// The same with the time in brackets.
    Timed,
    /// WebVTT, a cue a turn.
    Cues,
    /// A Word document, a paragraph a turn.
    Word,
}

impl Form {
    /// The ending of the file's name.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Plain | Self::Timed => "txt",
            Self::Cues => "vtt",
            Self::Word => "docx",
        }
    }
}

/// The transcript's file. Times are spread over `seconds` by the length of what was said.
pub(super) fn write(form: Form, turns: &[Turn], label: impl Fn(&Turn) -> String, seconds: u32) -> Vec<u8> {
    let total: usize = turns.iter().map(|t| t.text.len()).sum::<usize>().max(1);
    let mut text = String::with_capacity(total + turns.len() * 48 + 512);
    let mut at = 0;
    let time = |bytes: usize| (bytes as u64 * u64::from(seconds) * 1_000) / total as u64;
    text.push_str(match form {
        Form::Cues => "WEBVTT\n",
        Form::Word => HEAD,
        Form::Plain | Form::Timed => "",
    });
    for turn in turns {
        let (from, to) = (time(at), time(at + turn.text.len()));
        at += turn.text.len();
        let label = label(turn);
        // Writing to a string cannot fail.
        let _ = match form {
            Form::Plain => writeln!(text, "{label}: {}", turn.text),
            Form::Timed => writeln!(text, "[{}] {label}: {}", clock(from), turn.text),
            Form::Cues => {
                writeln!(
                    text,
                    "\n{}.{:03} --> {}.{:03}\n<v {label}>{}",
                    clock(from),
                    from % 1_000,
                    clock(to),
                    to % 1_000,
                    turn.text
                )
            }
            Form::Word => {
                let words = turn.text.replace('&', "&amp;").replace('<', "&lt;");
                writeln!(text, "<w:p><w:r><w:t xml:space=\"preserve\">{label}: {words}</w:t></w:r></w:p>")
            }
        };
    }
    if form != Form::Word {
        return text.into_bytes();
    }
    text.push_str("</w:body></w:document>");
    packed(text.as_bytes()).unwrap_or_default()
}

/// `hh:mm:ss` of milliseconds.
fn clock(ms: u64) -> String {
    let seconds = ms / 1_000;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>\n";
const TYPES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>";
const RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/></Relationships>";

/// A Word document around its main part (ECMA-376), not compressed: it is written to be taken in and wiped.
fn packed(document: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::with_capacity(document.len() + 2_048)));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in [
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", RELATIONS.as_bytes()),
        ("word/document.xml", document),
    ] {
        zip.start_file(name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}
