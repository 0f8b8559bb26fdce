//! CSV.

use super::{Collector, MOST_BYTES, Table};
use crate::base::{Error, Result};
use crate::formats::encoding;

pub(super) fn read(bytes: &[u8]) -> Result<Table> {
    let (mut text, taken) = encoding::decode(bytes, MOST_BYTES)?;
    if !text.contains('\n') {
        text = text.replace('\r', "\n");
    }
    let separator = sniff(&text);
    if let Some(line) = open_quote(&text, separator) {
        return Err(Error::user(
            format!("line {line}: a quotation mark is opened and never closed"),
            "Close it, or write a quotation mark inside a quoted cell twice.",
        ));
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator as u8)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Collector::new();
    let mut record = csv::StringRecord::new();
    // The crate counts a record's line from where the one before it ended: count them from the text instead.
    let mut lines = Lines::new(text.as_bytes());
    loop {
        let more = reader.read_record(&mut record).map_err(|_| {
            Error::user("the table is not CSV", "Save it as CSV with commas, semicolons or tabs, in UTF-8.")
        })?;
        if !more {
            break;
        }
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        rows.push(line, record.iter().map(|c| c.trim().to_owned()).collect())?;
    }
    rows.finish(Some(taken), Vec::new())
}

/// Line numbers of ascending places in a text.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line of the first byte at or after `place` that is no line end.
    fn at(&mut self, place: u64) -> u64 {
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        while let Some(&byte) = self.bytes.get(self.at) {
            if self.at >= place && byte != b'\n' && byte != b'\r' {
                break;
            }
            self.line += u64::from(byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

/// The separator that the first line with text has most of, outside quotation marks; a comma if it has none.
fn sniff(text: &str) -> char {
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("");
    let mut counts = [(',', 0usize), (';', 0), ('\t', 0)];
    let mut quoted = false;
    for c in first.chars() {
        if c == '"' {
            quoted = !quoted;
        } else if !quoted && let Some(slot) = counts.iter_mut().find(|(s, _)| *s == c) {
            slot.1 += 1;
        }
    }
    // Of equals, the one listed first.
    counts.iter().rev().max_by_key(|(_, n)| *n).map_or(',', |(s, _)| *s)
}

/// The line of a quotation mark that is still open at the end: the reader would swallow all that follows without a word.
fn open_quote(text: &str, separator: char) -> Option<u64> {
    let mut line = 1;
    let mut opened = None;
    let mut start = true;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if opened.is_some() {
            if c == '"' && chars.next_if_eq(&'"').is_none() {
                opened = None;
                start = false;
            }
        } else if c == '"' && start {
            opened = Some(line);
        } else {
            start = c == separator || c == '\n' || c == '\r';
        }
        line += u64::from(c == '\n');
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::super::Table;

    fn lines(table: &Table) -> Vec<(u64, Vec<&str>)> {
        table.rows.iter().map(|r| (r.line, r.cells.iter().map(String::as_str).collect())).collect()
    }

    #[test]
    fn separators_quotes_and_lines() {
        let table = Table::from_csv(
            "code;date ; notes\r\nAM-05;2023-05-17;\"a \"\"b\"\"\r\nc;d\"\r\n\r\n;;\r\nGE-01;x\r\n".as_bytes(),
        )
        .unwrap();
        assert_eq!(table.header, ["code", "date", "notes"]);
        assert_eq!(lines(&table), [(2, vec!["AM-05", "2023-05-17", "a \"b\"\r\nc;d"]), (6, vec!["GE-01", "x", ""])]);
        let tabs = Table::from_csv("a\tb\n1\t2,3\n".as_bytes()).unwrap();
        assert_eq!(lines(&tabs), [(2, vec!["1", "2,3"])]);
        let one = Table::from_csv("code\nAM-05\n".as_bytes()).unwrap();
        assert_eq!(lines(&one), [(2, vec!["AM-05"])]);
        let old = Table::from_csv("\r\ra,b\r1,2\r".as_bytes()).unwrap();
        assert_eq!((old.header_line, lines(&old)), (3, vec![(4, vec!["1", "2"])]));
        let wide = Table::from_csv("a,b\n1,2,3\n".as_bytes()).unwrap();
        assert_eq!(wide.rows[0].cells.len(), 3);
    }

    #[test]
    fn hostile_tables_are_refused() {
        for bad in ["", "\n\n", ",,,\n", "a,b\n1,\"2\n3,4\n"] {
            assert!(Table::from_csv(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(Table::from_csv(&[b','; 2_000]).is_err());
        assert!(Table::from_csv(format!("{}x\n", "a,".repeat(600)).as_bytes()).is_err());
        assert!(Table::from_csv(format!("{}\n{}", "a,".repeat(400), "x\n".repeat(6_000)).as_bytes()).is_err());
        assert!(Table::from_csv(format!("a\n{}\n", "x".repeat(100_001)).as_bytes()).is_err());
        assert!(Table::from_csv(b"a,b\n\0,1\n").is_err());
        let error = Table::from_csv("a,b\n1,2\n\"Maria,4\n".as_bytes()).unwrap_err();
        assert!(error.what().contains("line 3") && !error.what().contains("Maria"), "{error}");
        let debug = format!("{:?}", Table::from_csv(b"code\nAM-05").unwrap());
        assert!(!debug.contains("AM"), "{debug}");
    }
}
