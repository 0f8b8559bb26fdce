//! Patterns: what can be told by its form, and checked by its check digits.

mod address;
mod bank;
mod checks;
mod contact;
mod dates;
mod files;
mod ids;
mod phone;
mod spoken;

use regex::Regex;

use super::Class;
use super::fold::Folded;
use super::resolve::{Hit, PATTERN, UNCHECKED};

/// What a rule found, in bytes of the folded text.
struct Found {
    from: usize,
    to: usize,
    class: Class,
    layer: &'static str,
    label: &'static str,
}

/// Collects what the rules find in one stretch of text.
struct Finds<'t> {
    text: &'t str,
    found: Vec<Found>,
}

/// Adds every pattern found in a stretch to `hits`.
pub(super) fn find(folded: &Folded, hits: &mut Vec<Hit>) {
    let mut finds = Finds { text: &folded.text, found: Vec::new() };
    if finds.text.contains('@') || finds.text.contains('.') || finds.text.contains('/') {
        contact::find(&mut finds);
    }
    if finds.text.bytes().any(|b| b.is_ascii_digit()) {
        bank::find(&mut finds);
        ids::find(&mut finds);
        phone::find(&mut finds);
        files::find(&mut finds);
        address::find(&mut finds);
        dates::numeric(&mut finds);
    }
    contact::spelled(&mut finds);
    dates::worded(&mut finds);
    spoken::find(&mut finds);
    hits.extend(finds.found.into_iter().map(|f| {
        let (start, end) = folded.range(f.from, f.to);
        Hit { start, end, class: f.class, layer: f.layer, replacement: f.label.to_owned() }
    }));
}

impl<'t> Finds<'t> {
    /// Takes bytes `from..to` as found; `sure` if form and check digits agree.
    fn add(&mut self, (from, to): (usize, usize), class: Class, sure: bool, label: &'static str) {
        let layer = if sure { PATTERN } else { UNCHECKED };
        self.found.push(Found { from, to, class, layer, label });
    }

    /// Whether neither a letter nor a digit touches `from..to`.
    fn is_free(&self, from: usize, to: usize) -> bool {
        let before = self.text[..from].chars().next_back();
        let after = self.text[to..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    }

    /// Up to `most` characters of the same line before byte `at`.
    fn before(&self, at: usize, most: usize) -> &'t str {
        let head = &self.text[..at];
        let from = head.char_indices().rev().take(most).last().map_or(at, |(from, _)| from);
        let near = &head[from..];
        near.rfind('\n').map_or(near, |line| &near[line..])
    }

    /// Up to `most` characters from byte `at` on.
    fn after(&self, at: usize, most: usize) -> &'t str {
        let tail = &self.text[at..];
        tail.char_indices().nth(most).map_or(tail, |(to, _)| &tail[..to])
    }
}

/// The digits of a piece of text, as numbers.
fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

/// A pattern written in this program.
#[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles every one of them")]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// Defines patterns that are compiled once, at first use.
macro_rules! patterns {
    ($($name:ident = $pattern:expr;)*) => {
        $(static $name: std::sync::LazyLock<regex::Regex> = std::sync::LazyLock::new(|| super::regex($pattern));)*
    };
}
use patterns;

#[cfg(test)]
mod tests;
