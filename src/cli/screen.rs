//! Words on the screen: answers to standard output, everything else to standard error.

use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;

use crate::base::{Error, Result};

/// Where answers go, and whether questions are asked.
pub(super) struct Screen {
    json: bool,
    yes: bool,
}

impl Screen {
    pub(super) fn new(json: bool, yes: bool) -> Self {
        Self { json, yes }
    }

    /// Whether answers are wanted as JSON.
    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// Shows `value` as one JSON document if JSON is wanted, else the words of `words`.
    pub(super) fn answer<T: Serialize>(&self, value: &T, words: impl FnOnce() -> String) -> Result<()> {
        if self.json {
            let text = serde_json::to_string_pretty(value).map_err(|_| Error::bug("an answer is no JSON"))?;
            return self.say(&text);
        }
        self.say(words().trim_end_matches('\n'))
    }

    /// A line, or several, on standard output.
    pub(super) fn say(&self, text: &str) -> Result<()> {
        match writeln!(io::stdout().lock(), "{text}") {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("write to the screen", &e)),
            _ => Ok(()),
        }
    }

    /// A remark on standard error.
    pub(super) fn note(&self, text: &str) {
        // A remark that cannot be shown is no reason to fail.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// A warning on standard error.
    pub(super) fn warn(&self, text: &str) {
        self.note(&format!("Warning: {text}"));
    }

    /// Asks before a change. `--yes` answers for scripts; without a terminal and without it, the answer is no.
    pub(super) fn confirm(&self, question: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        let refused = || Error::user("not confirmed; nothing was changed", "Answer yes, or add --yes in scripts.");
        if !io::stdin().is_terminal() {
            return Err(refused());
        }
        let mut err = io::stderr().lock();
        write!(err, "{question} Type yes to go on: ").map_err(|e| Error::io("write to the screen", &e))?;
        err.flush().map_err(|e| Error::io("write to the screen", &e))?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(|e| Error::io("read the answer", &e))?;
        if line.trim().eq_ignore_ascii_case("yes") { Ok(()) } else { Err(refused()) }
    }
}

/// Shows an error: what is wrong, then what to do.
pub(super) fn complain(error: &Error) {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "Error: {}", error.what());
    if !error.remedy().is_empty() {
        let _ = writeln!(err, "       {}", error.remedy());
    }
}

/// A table with aligned columns; widths in characters.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut out = line(head.to_vec());
    out.push_str(&line(widths.iter().map(|w| "─".repeat(*w)).collect::<Vec<_>>().iter().map(String::as_str).collect()));
    for row in rows {
        out.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    out
}
