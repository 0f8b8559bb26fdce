//! Lines to turns.

use super::labels::{Labels, Lead, Times, label_like, leading_time};
use super::{MOST_BYTES, MOST_TURNS};
use crate::base::text::{count, may_hold_controls};
use crate::base::{Error, Result};
use crate::formats::turn::{Turn, UnknownLabel};

/// The most labels that are listed as unknown.
const MOST_UNKNOWN: usize = 1_000;

/// Turns in the making.
pub(super) struct Turns<'a> {
    labels: &'a Labels,
    turns: Vec<Turn>,
    unknown: Vec<UnknownLabel>,
    bytes: usize,
    /// A time that stood alone on its line and belongs to the next one.
    pending: Option<Times>,
    /// The first line where times went back.
    back: Option<u64>,
    latest: u64,
    /// The first line with a label in its middle, and how many there are.
    inside: Option<u64>,
    insides: usize,
}

impl<'a> Turns<'a> {
    pub(super) fn new(labels: &'a Labels) -> Self {
        Self {
            labels,
            turns: Vec::new(),
            unknown: Vec::new(),
            bytes: 0,
            pending: None,
            back: None,
            latest: 0,
            inside: None,
            insides: 0,
        }
    }

    /// A line of a text, or a paragraph of a document.
    pub(super) fn line(&mut self, line: u64, text: &str) -> Result<()> {
        let (time, words) = leading_time(text.trim());
        let words = words.trim_start();
        if words.is_empty() {
            self.pending = time.or(self.pending);
            return Ok(());
        }
        let labels = self.labels;
        if let Some((number, label, beside, words)) = labels.numbered(words) {
            let time = time.or(number).or(beside).or(self.pending.take());
            return self.begin(line, Some(label), time, words);
        }
        match labels.lead(words) {
            Lead::Known { label, time: beside, words } => {
                let time = time.or(beside).or(self.pending.take());
                self.begin(line, Some(label), time, words)
            }
            Lead::Unknown { label } => {
                let time = time.or(self.pending.take());
                self.note(line, label);
                self.begin(line, None, time, words)
            }
            Lead::Nothing => match time.or(self.pending.take()) {
                None if !self.turns.is_empty() => self.go_on(line, words),
                time => {
                    let label = self.turns.last().and_then(|t| t.label.clone());
                    self.begin(line, label, time, words)
                }
            },
        }
    }

    /// A row of a table, as the paragraphs of its cells: a cell that holds a label is the label of what stands in the cells after it.
    pub(super) fn row(&mut self, line: u64, cells: &[Vec<String>]) -> Result<()> {
        let full: Vec<&[String]> =
            cells.iter().map(Vec::as_slice).filter(|c| c.iter().any(|p| !p.trim().is_empty())).collect();
        let one = |cell: &[String]| -> Option<String> {
            let mut texts = cell.iter().map(|p| p.trim()).filter(|p| !p.is_empty());
            texts.next().filter(|_| texts.next().is_none()).map(str::to_owned)
        };
        let mut rest = full.as_slice();
        if let Some((first, after)) = rest.split_first()
            && !after.is_empty()
            && let Some(time) = one(first).and_then(|text| bare_time(&text))
        {
            self.pending = Some(time);
            rest = after;
        }
        let mut label = None;
        if let Some((first, after)) = rest.split_first()
            && !after.is_empty()
            && let Some(text) = one(first)
        {
            let known = self.labels.find(&text).map(str::to_owned);
            let bare = text.trim_end_matches([':', '：']).trim();
            label = known.or_else(|| label_like(bare).then(|| bare.to_owned()));
            if label.is_some() {
                rest = after;
            }
        }
        let mut paragraphs = rest.iter().flat_map(|c| c.iter()).filter(|p| !p.trim().is_empty());
        if let Some(label) = label
            && let Some(first) = paragraphs.next()
        {
            self.line(line, &format!("{label}: {}", first.trim()))?;
        }
        for paragraph in paragraphs {
            self.line(line, paragraph)?;
        }
        Ok(())
    }

    /// A stretch of a cue: `voice` if the file names one, its lines of words, and its times. It never goes on with the cue before.
    pub(super) fn cue(&mut self, line: u64, times: (u64, u64), voice: Option<&str>, text: &str) -> Result<()> {
        let time = Some((times.0, Some(times.1)));
        if let Some(voice) = voice {
            let label = self.labels.find(voice).map(str::to_owned);
            if label.is_none() {
                self.note(line, voice.trim().to_owned());
            }
            return self.begin(line, label, time, text);
        }
        let mut begun = false;
        for words in text.lines().map(str::trim).filter(|w| !w.is_empty()) {
            let labels = self.labels;
            match labels.lead(words) {
                Lead::Known { label, words, .. } => self.begin(line, Some(label), time, words)?,
                Lead::Unknown { label } => {
                    self.note(line, label);
                    self.begin(line, None, time, words)?;
                }
                Lead::Nothing if begun => self.go_on(line, words)?,
                Lead::Nothing => self.begin(line, None, time, words)?,
            }
            begun = true;
        }
        Ok(())
    }

    /// The turns, the labels nobody knows, and notices.
    pub(super) fn finish(self) -> Result<(Vec<Turn>, Vec<UnknownLabel>, Vec<String>)> {
        let turns: Vec<Turn> = self.turns.into_iter().filter(|t| !t.text.trim().is_empty()).collect();
        if turns.is_empty() {
            return Err(Error::user("there are no words in the transcript", "Check that it is the right file."));
        }
        let mut notices = Vec::new();
        let nobody = turns.iter().filter(|t| t.label.is_none()).count();
        if nobody > 0 {
            notices.push(format!(
                "{} not say who speaks; each counts as every voice's.",
                count(nobody, "turn does", "turns do")
            ));
        }
        if let Some(line) = self.back {
            notices.push(format!("Times go back at line or paragraph {line}; they are kept as they are."));
        }
        if let Some(line) = self.inside {
            notices.push(format!(
                "{} lines have a speaker's label in their middle, the first at line or paragraph {line}; if another voice begins there, begin a new line.",
                self.insides
            ));
        }
        Ok((turns, self.unknown, notices))
    }

    fn note(&mut self, line: u64, label: String) {
        if self.unknown.len() < MOST_UNKNOWN {
            self.unknown.push(UnknownLabel { line, label: label.chars().take(100).collect() });
        }
    }

    fn begin(&mut self, line: u64, label: Option<String>, time: Option<Times>, words: &str) -> Result<()> {
        if self.turns.len() >= MOST_TURNS {
            return Err(Error::user(
                format!("the transcript has more than {MOST_TURNS} turns"),
                "Check that it is the right file.",
            ));
        }
        if let Some((start, _)) = time {
            if start < self.latest {
                self.back.get_or_insert(line);
            }
            self.latest = start;
        }
        let text = self.clean(words)?;
        self.look_inside(line, &text);
        self.turns.push(Turn { label, start_ms: time.map(|t| t.0), end_ms: time.and_then(|t| t.1), text });
        Ok(())
    }

    fn go_on(&mut self, line: u64, words: &str) -> Result<()> {
        let words = self.clean(words)?;
        self.look_inside(line, &words);
        if let Some(turn) = self.turns.last_mut() {
            if !turn.text.is_empty() {
                turn.text.push('\n');
            }
            turn.text.push_str(&words);
        }
        Ok(())
    }

    /// Notes a known label with its colon in the middle of a line: another voice may begin there.
    fn look_inside(&mut self, line: u64, words: &str) {
        if self.labels.stands_inside(words) {
            self.inside.get_or_insert(line);
            self.insides += 1;
        }
    }

    /// Words without control characters, trimmed.
    fn clean(&mut self, words: &str) -> Result<String> {
        self.bytes = self.bytes.saturating_add(words.len());
        if self.bytes > MOST_BYTES {
            return Err(Error::user(
                format!("the transcript has more than {} MB of text", MOST_BYTES / 1_000_000),
                "Check that it is the right file.",
            ));
        }
        let (words, bad) = (words.trim(), |c: char| c.is_control() && !matches!(c, '\n' | '\t'));
        if !may_hold_controls(words) || !words.contains(bad) {
            return Ok(words.to_owned());
        }
        Ok(words.chars().filter(|c| !bad(*c)).collect())
    }
}

/// A time that fills a cell, with or without brackets.
fn bare_time(text: &str) -> Option<Times> {
    match leading_time(text) {
        (Some(time), "") => Some(time),
        _ => crate::formats::clock::parse(text, false).map(|start| (start, None)),
    }
}
