//! What `.docx` and `.odt` have in common: paragraphs, rows of tables, and what is left out.

use super::turns::Turns;
use super::{MOST_BYTES, MOST_TURNS};
use crate::base::text::count;
use crate::base::{Error, Result};

/// A part of a document's body, in reading order.
enum Item {
    Paragraph(String),
    Row(Vec<Vec<String>>),
}

/// Collects a document's body from the pieces of its XML.
#[derive(Default)]
pub(super) struct Body {
    items: Vec<Item>,
    /// Paragraphs that are open: a text box stands inside one.
    open: Vec<String>,
    /// Rows that are open, each with its cells; tables stand within cells.
    rows: Vec<Vec<Vec<String>>>,
    /// Elements that are open inside one whose content is left out.
    skipping: usize,
    /// The next paragraph goes on with the last one.
    join: bool,
    bytes: usize,
    paragraphs: usize,
    /// What was left out.
    pub(super) left_out: LeftOut,
}

/// What was left out of a document, counted.
#[derive(Default)]
pub(super) struct LeftOut {
    pub(super) deletions: usize,
    pub(super) comments: usize,
    pub(super) notes: usize,
    pub(super) margins: bool,
}

impl Body {
    /// True if the element that just began lies in a part that is left out; each must be ended with [`Body::skipped_end`].
    pub(super) fn skipped_begin(&mut self) -> bool {
        if self.skipping > 0 {
            self.skipping += 1;
        }
        self.skipping > 0
    }

    /// Leaves the element that just began out, with all in it.
    pub(super) fn skip(&mut self) {
        self.skipping = 1;
    }

    /// True if the element that just ended lay in a part that is left out.
    pub(super) fn skipped_end(&mut self) -> bool {
        let inside = self.skipping > 0;
        self.skipping = self.skipping.saturating_sub(1);
        inside
    }

    /// True while inside a part that is left out.
    pub(super) fn is_skipping(&self) -> bool {
        self.skipping > 0
    }

    pub(super) fn begin_paragraph(&mut self) {
        self.open.push(String::new());
    }

    /// Adds words to the open paragraph; outside of one they are nobody's.
    pub(super) fn text(&mut self, words: &str) -> Result<()> {
        self.bytes = self.bytes.saturating_add(words.len());
        if self.bytes > MOST_BYTES {
            return Err(Error::user(
                format!("the document has more than {} MB of text", MOST_BYTES / 1_000_000),
                "Check that it is the right file.",
            ));
        }
        if let Some(paragraph) = self.open.last_mut() {
            paragraph.push_str(words);
        }
        Ok(())
    }

    /// The last character of the open paragraph.
    pub(super) fn last(&self) -> Option<char> {
        self.open.last().and_then(|p| p.chars().last())
    }

    /// Ends a paragraph; `joined` if its end was deleted, so that the next one goes on with it.
    pub(super) fn end_paragraph(&mut self, joined: bool) -> Result<()> {
        let Some(words) = self.open.pop() else { return Ok(()) };
        self.paragraphs += 1;
        if self.paragraphs > MOST_TURNS * 5 {
            return Err(Error::user("the document has too many paragraphs", "Check that it is the right file."));
        }
        let goes_on = std::mem::replace(&mut self.join, joined);
        match self.rows.last_mut().and_then(|row| row.last_mut()) {
            Some(cell) => match cell.last_mut().filter(|_| goes_on) {
                Some(before) => before.push_str(&words),
                None => cell.push(words),
            },
            None => match self.items.last_mut() {
                Some(Item::Paragraph(before)) if goes_on => before.push_str(&words),
                _ => self.items.push(Item::Paragraph(words)),
            },
        }
        Ok(())
    }

    pub(super) fn begin_row(&mut self) {
        self.rows.push(Vec::new());
    }

    pub(super) fn begin_cell(&mut self) {
        if let Some(row) = self.rows.last_mut() {
            row.push(Vec::new());
        }
    }

    /// Ends a row. A table inside a cell becomes paragraphs of the cell.
    pub(super) fn end_row(&mut self) {
        let Some(row) = self.rows.pop() else { return };
        match self.rows.last_mut().and_then(|outer| outer.last_mut()) {
            Some(cell) => cell.extend(row.into_iter().flatten()),
            None => self.items.push(Item::Row(row)),
        }
    }

    /// Hands all to the turns; gives notices.
    pub(super) fn finish(self, turns: &mut Turns<'_>) -> Result<Vec<String>> {
        let mut number = 0u64;
        let mut tables = false;
        for item in &self.items {
            match item {
                Item::Paragraph(words) => {
                    number += 1;
                    for line in words.lines() {
                        turns.line(number, line)?;
                    }
                }
                Item::Row(cells) => {
                    tables = true;
                    turns.row(number + 1, cells)?;
                    number += cells.iter().map(Vec::len).sum::<usize>() as u64;
                }
            }
        }
        let mut notices: Vec<String> = self.left_out.notice().into_iter().collect();
        if tables {
            notices.push("There are tables; each row is read from left to right, a label in a cell of its own names the speaker.".into());
        }
        Ok(notices)
    }
}

impl LeftOut {
    fn notice(&self) -> Option<String> {
        let mut parts = Vec::new();
        for (n, one, more) in [
            (self.deletions, "deletion of tracked changes", "deletions of tracked changes"),
            (self.comments, "comment", "comments"),
            (self.notes, "footnote or endnote", "footnotes or endnotes"),
        ] {
            if n > 0 {
                parts.push(count(n, one, more));
            }
        }
        if self.margins {
            parts.push("text in headers or footers".into());
        }
        (!parts.is_empty()).then(|| format!("Left out: {}.", parts.join(", ")))
    }
}
