//! A rectangular table with the lines it came from, out of CSV (RFC 4180) or XLSX (ECMA-376).

mod sheet;
mod text;

use super::{Taken, hidden};
use crate::base::{Error, Result};

/// The largest file, in bytes.
pub const MOST_BYTES: usize = 32_000_000;
/// The most rows, and the last row of a sheet that is looked at; further down nobody writes by hand.
pub const MOST_ROWS: usize = 200_000;
/// The most cells.
pub const MOST_CELLS: usize = 2_000_000;
/// The most columns.
pub const MOST_COLUMNS: usize = 500;
/// The most characters in a cell.
pub const MOST_CHARACTERS: usize = 100_000;

/// A table: the names of its columns, then rows. Rows without any text are left out.
#[derive(Clone, PartialEq, Eq)]
pub struct Table {
    /// The first row with text in it, trimmed.
    pub header: Vec<String>,
    /// Where the header stands, counted from 1.
    pub header_line: u64,
    /// The rows below.
    pub rows: Vec<Row>,
    /// How the bytes were taken; none for XLSX.
    pub taken: Option<Taken>,
    /// Cells that hold no value (a formula's error), as (line, column counted from 0). They read as empty.
    pub broken: Vec<(u64, usize)>,
}

/// A row of a table.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The line of the file or the row of the sheet where it begins, counted from 1.
    pub line: u64,
    /// Trimmed cells, as many as the header has, and more only if text stands beyond its end.
    pub cells: Vec<String>,
}

hidden!(Table, Row);

impl Table {
    /// Reads CSV in any of the known encodings; comma, semicolon or tab, whichever the first line has most of.
    pub fn from_csv(bytes: &[u8]) -> Result<Self> {
        text::read(bytes)
    }

    /// Reads the first sheet of an XLSX workbook.
    ///
    /// Date cells become `2023-05-17` (with `T09:30:00` if they have a time), times of day and durations `h:mm:ss`, numbers their shortest
    /// decimal form, truth values `true` and `false`.
    pub fn from_xlsx(bytes: &[u8]) -> Result<Self> {
        sheet::read(bytes)
    }
}

/// Collects rows, within the bounds.
struct Collector {
    rows: Vec<Row>,
    cells: usize,
}

impl Collector {
    fn new() -> Self {
        Self { rows: Vec::new(), cells: 0 }
    }

    /// Adds a row, if there is text in it.
    fn push(&mut self, line: u64, mut cells: Vec<String>) -> Result<()> {
        while cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        if cells.is_empty() {
            return Ok(());
        }
        self.cells += cells.len();
        if self.rows.len() >= MOST_ROWS {
            return Err(too_much(&format!("more than {MOST_ROWS} rows")));
        }
        if cells.len() > MOST_COLUMNS {
            return Err(too_much(&format!("more than {MOST_COLUMNS} columns")).at(format!("line {line}")));
        }
        if self.cells > MOST_CELLS {
            return Err(too_much(&format!("more than {MOST_CELLS} cells")));
        }
        if cells.iter().any(|c| c.chars().count() > MOST_CHARACTERS) {
            return Err(
                too_much(&format!("a cell with more than {MOST_CHARACTERS} characters")).at(format!("line {line}"))
            );
        }
        self.rows.push(Row { line, cells });
        Ok(())
    }

    /// The table; an empty one is an error.
    fn finish(self, taken: Option<Taken>, broken: Vec<(u64, usize)>) -> Result<Table> {
        let mut rows = self.rows.into_iter();
        let Some(Row { line: header_line, cells: header }) = rows.next() else {
            let remedy = match taken {
                None => {
                    "Its first row must name the columns, and of a workbook only the first sheet is read: move the table there."
                }
                Some(_) => "Its first row must name the columns.",
            };
            return Err(Error::user("the table is empty", remedy));
        };
        let width = header.len();
        if rows.len().saturating_mul(width) > MOST_CELLS {
            return Err(too_much(&format!("more than {MOST_CELLS} cells")));
        }
        let rows = rows
            .map(|mut row| {
                if row.cells.len() < width {
                    row.cells.resize(width, String::new());
                }
                row
            })
            .collect();
        Ok(Table { header, header_line, rows, taken, broken })
    }
}

fn too_much(what: &str) -> Error {
    Error::user(format!("the table has {what}"), "Check that it is the right file, or split it.")
}
