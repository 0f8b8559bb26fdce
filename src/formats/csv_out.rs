//! CSV out: RFC 4180 in UTF-8 with `\n` line ends and no byte-order mark, safe to open in a spreadsheet.
//!
//! A text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return would run as a formula there; it gets an apostrophe before it. Numbers and dates are written
//! as they are: they are made here and cannot hold a formula.

use crate::base::time::Date;
use crate::base::{Error, Result};

/// A value of a cell.
#[derive(Clone, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Text from outside; guarded.
    Text(&'a str),
    /// A whole number.
    Number(i64),
    /// A date, as `2026-11-23`.
    Date(Date),
}

crate::formats::hidden!(CsvOut);

impl std::fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cell(…)")
    }
}

/// A CSV file in the making.
pub struct CsvOut {
    writer: csv::Writer<Vec<u8>>,
    width: usize,
}

impl CsvOut {
    /// A file with these columns.
    pub fn new(columns: &[&str]) -> Result<Self> {
        let writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
        let mut out = Self { writer, width: columns.len() };
        let cells: Vec<Cell<'_>> = columns.iter().map(|c| Cell::Text(c)).collect();
        out.row(&cells)?;
        Ok(out)
    }

    /// Adds a row with a cell for each column.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        if cells.len() != self.width {
            return Err(Error::bug("a row of a table has another number of cells than the table has columns"));
        }
        let record: Vec<String> = cells.iter().map(shown).collect();
        self.writer.write_record(&record).map_err(|_| Error::bug("a row of a table could not be written"))
    }

    /// The bytes of the file.
    pub fn finish(self) -> Result<Vec<u8>> {
        self.writer.into_inner().map_err(|_| Error::bug("a table could not be finished"))
    }
}

fn shown(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) => {
            format!("'{text}")
        }
        Cell::Text(text) => (*text).to_owned(),
        Cell::Number(number) => number.to_string(),
        Cell::Date(date) => date.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_the_rest_reads_back() {
        let mut out = CsvOut::new(&["pseudonym", "age", "date"]).unwrap();
        let date: Date = "2026-11-23".parse().unwrap();
        out.row(&[Cell::Text("=HYPERLINK(\"x\")"), Cell::Number(-5), Cell::Date(date)]).unwrap();
        out.row(&[Cell::Text("a, \"b\"\nc"), Cell::Empty, Cell::Text("@x")]).unwrap();
        assert!(out.row(&[Cell::Empty]).is_err());
        let bytes = out.finish().unwrap();
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            "pseudonym,age,date\n\"'=HYPERLINK(\"\"x\"\")\",-5,2026-11-23\n\"a, \"\"b\"\"\nc\",,'@x\n"
        );
        let table = crate::formats::Table::from_csv(&bytes).unwrap();
        assert_eq!(table.rows[1].cells, ["a, \"b\"\nc", "", "'@x"]);
    }
}
