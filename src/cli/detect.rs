//! `subrosa redact detect`: what the engine finds in texts, without a vault.

use std::fs::File;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::{Error, Result};
use crate::redact::{Detector, Span};

/// The largest file, and the longest line of `--jsonl`, that is read, in bytes. A transcript of ten hours has about one million.
const MOST: u64 = 64 << 20;

/// One line of the input of `--jsonl`; other fields are passed over.
#[derive(Deserialize)]
struct Document {
    doc_id: String,
    text: String,
}

/// One line of its output.
#[derive(Serialize)]
struct Found<'f> {
    doc_id: &'f str,
    spans: &'f [Span],
}

/// Finds what identifies in `files` (plain text, UTF-8) and writes it to `out`: with `json` one JSON array a line and
/// file, of `{"start","end","class","layer","replacement"}`; else a table for people, with the words found. With `jsonl`
/// it reads documents from `input` instead, one `{"doc_id","lang"?,"text"}` a line, and answers each at once with a line
/// `{"doc_id","spans"}`. Offsets are Unicode code points of the file as it is, half-open.
///
/// All files are looked at before anything is written; every one that is missing, empty, too large or no UTF-8 text is told
/// of by its place in the list. A bad line of `--jsonl` ends the run with its number.
pub fn run(files: &[PathBuf], json: bool, jsonl: bool, input: &mut dyn BufRead, out: &mut dyn Write) -> Result<()> {
    if jsonl {
        return if files.is_empty() {
            lines(input, out)
        } else {
            Err(Error::user(
                "--jsonl takes no files",
                "Send the lines to standard input: subrosa redact detect --jsonl < IN",
            ))
        };
    }
    if files.is_empty() {
        return Err(Error::user(
            "no file is given",
            "Name one or more text files, or use --jsonl with standard input.",
        ));
    }
    let faults: Vec<Error> = (1..).zip(files).filter_map(|(nth, file)| read(nth, file).err()).collect();
    if let Some(first) = faults.first() {
        let all: Vec<&str> = faults.iter().map(Error::what).collect();
        return Err(Error::new(first.kind(), all.join("; "), first.remedy()));
    }
    let detector = Detector::new(&[]);
    for (nth, file) in (1..).zip(files) {
        let text = read(nth, file)?;
        let spans = detector.detect(&text);
        if json {
            json_line(out, &spans)?;
        } else {
            table(out, nth, files.len(), &text, &spans)?;
        }
    }
    out.flush().map_err(written)
}

fn lines(input: &mut dyn BufRead, out: &mut dyn Write) -> Result<()> {
    let detector = Detector::new(&[]);
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        let read =
            input.take(MOST + 1).read_until(b'\n', &mut line).map_err(|e| Error::io("read standard input", &e))?;
        if read == 0 {
            break;
        }
        let place = format!("standard input, line {number}");
        if line.len() as u64 > MOST {
            return Err(too_large().at(place));
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let document: Document = serde_json::from_slice(&line).map_err(|e| bad_line(&e).at(place))?;
        let spans = detector.detect(&document.text);
        json_line(out, &Found { doc_id: &document.doc_id, spans: &spans })?;
        out.flush().map_err(written)?;
    }
    out.flush().map_err(written)
}

/// What is wrong with a line, without its words.
fn bad_line(fault: &serde_json::Error) -> Error {
    let what = match fault.classify() {
        serde_json::error::Category::Data => "the fields \"doc_id\" and \"text\" are not both there, once, as strings",
        serde_json::error::Category::Eof => "the JSON ends too early",
        _ => "this is not JSON in UTF-8",
    };
    Error::user(format!("column {}: {what}", fault.column()), r#"Write one {"doc_id": "…", "text": "…"} a line."#)
}

/// The text of file number `nth`, which is UTF-8 and neither empty nor binary.
fn read(nth: usize, path: &Path) -> Result<String> {
    let at = |e: Error| e.at(format!("file {nth}"));
    let file = File::open(path).map_err(|e| at(Error::io("open it", &e)))?;
    let meta = file.metadata().map_err(|e| at(Error::io("read it", &e)))?;
    if meta.is_dir() {
        return Err(at(Error::user("this is a folder", "Name text files.")));
    }
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(|e| at(Error::io("read it", &e)))?;
    if bytes.len() as u64 > MOST {
        return Err(at(too_large()));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        at(Error::user(
            "this is no UTF-8 text",
            "Save it as plain text in UTF-8; a .docx or .odt must be exported to text first.",
        ))
    })?;
    if text.trim().is_empty() {
        return Err(at(Error::user("this is empty", "Name a file with text in it.")));
    }
    if text.contains('\0') {
        return Err(at(Error::user("this is a binary file", "Name a plain text file.")));
    }
    Ok(text)
}

fn too_large() -> Error {
    Error::user(format!("this is larger than {} MiB", MOST >> 20), "Cut it into parts.")
}

fn json_line(out: &mut dyn Write, value: &(impl Serialize + ?Sized)) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|_| Error::bug("spans cannot be written as JSON"))?;
    writeln!(out, "{text}").map_err(written)
}

/// The spans of one file with their lines and words.
fn table(out: &mut dyn Write, nth: usize, files: usize, text: &str, spans: &[Span]) -> Result<()> {
    if files > 1 {
        writeln!(out, "file {nth}:").map_err(written)?;
    }
    let (mut chars, mut at, mut line) = (text.chars(), 0, 1usize);
    for span in spans {
        line += chars.by_ref().take(span.start - at).filter(|&c| c == '\n').count();
        let words: String = chars.by_ref().take(span.end - span.start).collect();
        let shown: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let (class, layer) = (span.class.name(), span.layer);
        writeln!(out, "line {line:>5}  {class:<12}  {layer:<17}  {shown}  ->  {}", span.replacement)
            .map_err(written)?;
        line += words.chars().filter(|&c| c == '\n').count();
        at = span.end;
    }
    let count = spans.len();
    writeln!(out, "{count} found. What is not listed may still identify: a person must read the text.").map_err(written)
}

fn written(source: std::io::Error) -> Error {
    Error::io("write the result", &source)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "R: пишите на a.b@example.org,\nили +374 91 00-27-46 😀.";

    fn on(files: &[PathBuf], json: bool, jsonl: bool, input: &str) -> Result<String> {
        let mut out = Vec::new();
        run(files, json, jsonl, &mut input.as_bytes(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn file(dir: &tempfile::TempDir, name: &str, content: &[u8]) -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    #[test]
    fn writes_one_array_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let files = [file(&dir, "a", TEXT.as_bytes()), file(&dir, "b", b"nothing here")];
        let out = on(&files, true, false, "").unwrap();
        let lines: Vec<serde_json::Value> = out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], serde_json::json!([]));
        let first = serde_json::json!({"start": 13, "end": 28, "class": "contact", "layer": "pattern", "replacement": "[e-mail]"});
        assert_eq!(lines[0][0], first);
        assert!(
            out.starts_with(r#"[{"start":13,"end":28,"class":"contact","layer":"pattern","replacement":"[e-mail]"}"#)
        );
        assert_eq!(lines[0][1]["replacement"], "[phone]");
    }

    #[test]
    fn writes_a_table_for_people() {
        let dir = tempfile::tempdir().unwrap();
        let out = on(&[file(&dir, "a", TEXT.as_bytes())], false, false, "").unwrap();
        assert!(out.contains("line     1  contact       pattern            a.b@example.org  ->  [e-mail]"), "{out}");
        assert!(out.contains("line     2  contact") && out.contains("2 found"), "{out}");
    }

    #[test]
    fn answers_line_by_line() {
        let input = "{\"doc_id\":\"x\",\"lang\":\"en\",\"text\":\"me@example.org\",\"set\":1}\n\n{\"doc_id\":\"y\",\"text\":\"\"}";
        let out = on(&[], false, true, input).unwrap();
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines[0].starts_with(r#"{"doc_id":"x","spans":[{"start":0,"end":14,"#), "{out}");
        assert_eq!(lines[1], r#"{"doc_id":"y","spans":[]}"#);
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let dir = tempfile::tempdir().unwrap();
        let bad = [
            dir.path().join("Vera"),
            file(&dir, "b", b" \n"),
            file(&dir, "c", b"\xff\xfeV\0e\0"),
            file(&dir, "d", b"a\0b"),
            dir.path().to_owned(),
            file(&dir, "e", b"good"),
        ];
        let error = on(&bad, true, false, "").unwrap_err();
        for part in [
            "file 1: could not open it",
            "file 2: this is empty",
            "file 3: this is no UTF-8",
            "file 4: this is a binary",
            "file 5",
        ] {
            assert!(error.what().contains(part), "{part}: {error}");
        }
        assert!(!error.what().contains("Vera") && !error.what().contains("file 6"));
        for input in ["{\"doc_id\":\"Vera\"}", "Vera", "{\"doc_id\":1,\"text\":\"Vera\"}", "{\"doc_id\":\"Vera\",\"te"]
        {
            let error = on(&[], false, true, input).unwrap_err();
            assert!(
                error.what().starts_with("standard input, line 1: column ") && !error.what().contains("Vera"),
                "{error}"
            );
        }
        assert!(on(&[], true, false, "").is_err());
        assert!(on(&bad, true, true, "").is_err());
    }
}
