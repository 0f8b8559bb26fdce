//! XLSX.

use std::io::Cursor;

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx};

use super::{Collector, MOST_BYTES, MOST_CELLS, MOST_COLUMNS, MOST_ROWS, Table, too_much};
use crate::base::{Error, Result};
use crate::formats::archive::Archive;
use crate::formats::xml::{self, Piece};

const WHAT: &str = "an .xlsx workbook";

pub(super) fn read(bytes: &[u8]) -> Result<Table> {
    if bytes.len() > MOST_BYTES {
        return Err(too_much(&format!("more than {} MB", MOST_BYTES / 1_000_000)));
    }
    vet(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| broken())?;
    let first = book.sheet_names().first().cloned().ok_or_else(broken)?;
    let mut reader = book.worksheet_cells_reader(&first).map_err(|_| broken())?;
    let mut rows = Collector::new();
    let mut broken_cells = Vec::new();
    let mut row: Option<(u32, Vec<String>)> = None;
    let mut seen = 0usize;
    while let Some(cell) = reader.next_cell().map_err(|_| broken())? {
        let (at, column) = cell.get_position();
        seen += 1;
        if seen > MOST_CELLS {
            return Err(too_much(&format!("more than {MOST_CELLS} cells")));
        }
        let value = match text_of(cell.get_value()) {
            Some(value) => value,
            None => {
                broken_cells.push((u64::from(at) + 1, column as usize));
                continue;
            }
        };
        if value.is_empty() {
            continue;
        }
        if at as usize >= MOST_ROWS || column as usize >= MOST_COLUMNS {
            return Err(too_much(&format!("text beyond row {MOST_ROWS} or column {MOST_COLUMNS}")));
        }
        match &mut row {
            Some((line, cells)) if *line == at => place(cells, column as usize, value),
            Some((line, _)) if *line > at => return Err(broken()),
            _ => {
                if let Some((line, cells)) = row.take() {
                    rows.push(u64::from(line) + 1, cells)?;
                }
                let mut cells = Vec::new();
                place(&mut cells, column as usize, value);
                row = Some((at, cells));
            }
        }
    }
    if let Some((line, cells)) = row {
        rows.push(u64::from(line) + 1, cells)?;
    }
    rows.finish(None, broken_cells)
}

/// Elements that say where in the sheet they belong.
const PLACED: [&str; 7] = ["row", "c", "f", "dimension", "mergeCell", "table", "autoFilter"];

/// Looks at every part that the reader may unpack: sizes, document types, entities, nesting.
fn vet(bytes: &[u8]) -> Result<()> {
    let mut archive = Archive::open(bytes, WHAT)?;
    archive.verify()?;
    let mut book = false;
    for name in archive.names() {
        let small = name.to_lowercase();
        if small.ends_with("vbaproject.bin") {
            return Err(Error::user("the workbook has macros in it", "Save it as .xlsx without macros."));
        }
        book |= small.starts_with("xl/");
        if (small.ends_with(".xml") || small.ends_with(".rels"))
            && let Some(part) = archive.part(&name)?
        {
            let mut cells = 0usize;
            xml::walk(&part, &mut |piece| {
                let Piece::Open(element) = piece else { return Ok(()) };
                let kind = element.name();
                // The reader believes how many shared strings there are said to be, and makes room for them.
                let sound = match kind.as_str() {
                    "sst" => element.every("count", is_count) && element.every("uniqueCount", is_count),
                    kind if PLACED.contains(&kind) => {
                        element.every("r", is_reference) && element.every("ref", is_reference)
                    }
                    _ => true,
                };
                cells += usize::from(matches!(kind.as_str(), "c" | "si"));
                match (sound, cells > MOST_CELLS) {
                    (true, false) => Ok(()),
                    (false, _) => Err(broken()),
                    (true, true) => Err(too_much(&format!("more than {MOST_CELLS} cells"))),
                }
            })?;
        }
    }
    if book { Ok(()) } else { Err(broken()) }
}

/// How many shared strings there may be said to be.
fn is_count(text: &str) -> bool {
    text.parse().is_ok_and(|n: usize| n <= MOST_CELLS)
}

/// A cell, a row, a column or a range of them, of a size that a sheet can have: the reader does not check.
fn is_reference(text: &str) -> bool {
    text.len() <= 10_000
        && text.split([':', ' ']).all(|part| {
            let part = part.trim_start_matches('$');
            let letters = part.bytes().take_while(u8::is_ascii_alphabetic).count();
            let digits = part[letters..].trim_start_matches('$');
            letters <= 3 && digits.len() <= 7 && !part.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
        })
}

fn place(cells: &mut Vec<String>, column: usize, value: String) {
    if cells.len() <= column {
        cells.resize(column + 1, String::new());
    }
    cells[column] = value;
}

/// The text of a cell; none if it holds an error.
fn text_of(value: &DataRef<'_>) -> Option<String> {
    Some(match value {
        DataRef::Empty => String::new(),
        DataRef::Int(n) => n.to_string(),
        DataRef::Float(n) => n.to_string(),
        DataRef::String(text) | DataRef::DurationIso(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Bool(b) => b.to_string(),
        DataRef::DateTime(moment) => moment_text(*moment),
        DataRef::DateTimeIso(text) => {
            text.strip_suffix("T00:00:00").or_else(|| text.strip_suffix("T00:00:00.000")).unwrap_or(text).to_owned()
        }
        DataRef::Error(_) => return None,
    })
}

/// A date, a date with a time, or (below one day, or counted as a duration) a time `h:mm:ss`.
fn moment_text(moment: ExcelDateTime) -> String {
    let days = moment.as_f64();
    if moment.is_duration() || (0.0..1.0).contains(&days) {
        // A float of at most 8e9 seconds fits; casting saturates otherwise.
        let seconds = (days.max(0.0) * 86_400.0).round() as u64;
        return format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    if (hour, minute, second) == (0, 0, 0) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

fn broken() -> Error {
    Error::user(
        format!("the file is not {WHAT} that can be read, or it is damaged"),
        "Open it in a spreadsheet program and save it anew as .xlsx, or as .csv.",
    )
}

#[cfg(test)]
pub(in crate::formats) mod tests {
    use super::*;
    use crate::formats::archive::tests::zip_of;

    const TYPES: &str =
        r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
    const RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="one" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    const BOOK_RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
    const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="21"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;

    /// A workbook with one sheet of these `<row>`s. Styles: 0 plain, 1 date, 2 time, 3 date and time.
    pub(in crate::formats) fn workbook(rows: &str) -> Vec<u8> {
        let sheet = format!(
            r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
        );
        zip_of(&[
            ("[Content_Types].xml", TYPES.as_bytes()),
            ("_rels/.rels", RELS.as_bytes()),
            ("xl/workbook.xml", BOOK.as_bytes()),
            ("xl/_rels/workbook.xml.rels", BOOK_RELS.as_bytes()),
            ("xl/styles.xml", STYLES.as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ])
    }

    fn word(at: &str, text: &str) -> String {
        format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    }

    #[test]
    fn cells_become_text() {
        let rows = format!(
            r#"<row r="2">{}{}{}</row><row r="4">{}<c r="B4" s="1"><v>45063</v></c><c r="C4" s="2"><v>0.00839120370370370</v></c></row><row r="5"><c r="A5"><v>1987</v></c><c r="B5" s="3"><v>45063.5</v></c><c r="C5"><v>83.25</v></c></row><row r="6"><c r="A6" t="b"><v>1</v></c><c r="C6" t="e"><v>#REF!</v></c></row>"#,
            word("A2", "code"),
            word("B2", "date"),
            word("C2", "from"),
            word("A4", " AM-05 "),
        );
        let table = Table::from_xlsx(&workbook(&rows)).unwrap();
        assert_eq!((table.header.join(","), table.header_line), ("code,date,from".into(), 2));
        let rows: Vec<(u64, String)> = table.rows.iter().map(|r| (r.line, r.cells.join("|"))).collect();
        assert_eq!(
            rows,
            [
                (4, "AM-05|2023-05-17|0:12:05".into()),
                (5, "1987|2023-05-17T12:00:00|83.25".into()),
                (6, "true||".into())
            ]
        );
        assert_eq!(table.broken, [(6, 2)]);
    }

    #[test]
    fn cells_that_lie_make_nothing_stumble() {
        for cell in [
            r#"<c r=""><v>1</v></c>"#,
            r#"<c r="A"><v>1</v></c>"#,
            r#"<c r="1"><v>1</v></c>"#,
            r#"<c r="A0"><v>1</v></c>"#,
            r#"<c r="A99999999999"><v>1</v></c>"#,
            r#"<c r="ZZZZZZZZZZZZZ1"><v>1</v></c>"#,
            r#"<c r="A2" s="1"><v>1e308</v></c>"#,
            r#"<c r="A2" s="1"><v>-5</v></c>"#,
            r#"<c r="A2" s="1"><v>NaN</v></c>"#,
            r#"<c r="A2" s="2"><v>inf</v></c>"#,
            r#"<c r="A2" s="999"><v>1</v></c>"#,
            r#"<c r="A2" t="s"><v>99</v></c>"#,
            r#"<c r="A2" t="s"><v>-1</v></c>"#,
            r#"<c r="A2" t="zz"><v>1</v></c>"#,
            r#"<c r="A2"><v>x</v></c>"#,
            r#"<c r="A2"><f t="shared" si="9"/><v>x</v></c>"#,
            r#"<c r="A1" t="b"><v>7</v></c>"#,
        ] {
            let rows = format!(r#"<row r="1">{}</row><row r="2">{cell}</row>"#, word("A1", "code"));
            let _ = Table::from_xlsx(&workbook(&rows));
        }
    }

    #[test]
    fn hostile_workbooks_are_refused() {
        let far = format!(r#"<row r="1">{}</row><row r="1048576">{}</row>"#, word("A1", "a"), word("XFD1048576", "b"));
        assert!(Table::from_xlsx(&workbook(&far)).is_err());
        let wide = format!(r#"<row r="1">{}{}</row>"#, word("A1", "a"), word("XFD1", "b"));
        assert!(Table::from_xlsx(&workbook(&wide)).is_err());
        assert!(Table::from_xlsx(&workbook("")).is_err());
        let entity = b"<!DOCTYPE a [<!ENTITY x \"ha\">]><worksheet>&x;</worksheet>";
        assert!(
            Table::from_xlsx(&zip_of(&[("xl/workbook.xml", BOOK.as_bytes()), ("xl/worksheets/sheet1.xml", entity)]))
                .is_err()
        );
        assert!(Table::from_xlsx(&zip_of(&[("word/document.xml", b"<a/>")])).is_err());
        assert!(Table::from_xlsx(b"code,date\n").is_err());
        let whole = workbook(&far);
        assert!(Table::from_xlsx(&whole[..whole.len() / 2]).is_err());
    }
}
