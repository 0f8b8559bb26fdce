//! A reading list: what somebody did with many transcripts, recorded in one go.
//!
//! It saves the passphrase and the unlocking for each, and nothing else: every version is named, every review has a statement of its own, and each act is
//! an entry of the ledger as if it had been done alone. There is no way to say "all of them".

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::mark::{Batch, Words};
use super::{Which, mark_all, review, suggest};
use crate::base::progress::{Progress, Silent};
use crate::base::{Error, Result};
use crate::redact::Class;
use crate::session::{Unlocked, Vault};

/// The most lines of a list.
const MOST_LINES: usize = 100_000;
/// The most reviews in a list: more than anybody reads between two sittings at the keyboard.
pub const MOST_REVIEWS: usize = 200;

/// A list that was read and is of the right form.
pub struct List(Vec<Step>);

struct Step {
    /// The line, counted from 1.
    line: usize,
    which: Which,
    act: Act,
}

enum Act {
    Suggest,
    Mark(Vec<(usize, Words)>),
    Review(String, bool),
}

/// A line. Exactly one of `suggest`, `words` and `review` says what to do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    code: String,
    #[serde(default)]
    transcript: Option<u32>,
    #[serde(default)]
    suggest: bool,
    #[serde(default)]
    words: Option<String>,
    #[serde(default)]
    class: Option<Class>,
    #[serde(default)]
    replacement: Option<String>,
    #[serde(default)]
    review: Option<String>,
    #[serde(default)]
    accept_rest: bool,
}

/// What came of a list.
#[derive(Default, Serialize)]
pub struct Listed {
    /// Transcript versions that the engine looked through.
    pub suggested: u32,
    /// Marks that it added.
    pub found: u32,
    /// Marks that the list's words added.
    pub marked: u32,
    /// Words of the list that stand nowhere in their version.
    pub not_found: u32,
    /// Reviews recorded.
    pub reviewed: u32,
    /// Suggestions accepted with them.
    pub accepted: u32,
    /// Marks whose words are replaced, in the versions reviewed.
    pub marks: u32,
}

/// Reads a list: JSON lines with `code`, perhaps `transcript`, and one of `"suggest":true`, `"words":…,"class":…,"replacement"?:…`, or
/// `"review":statement,"accept_rest"?:true`. Empty lines are passed over; the numbers of bad ones are told.
pub fn parse_list(text: &str) -> Result<List> {
    let mut steps: Vec<Step> = Vec::new();
    let mut bad = Vec::new();
    let mut reviewed = BTreeSet::new();
    for (number, line) in (1usize..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        if number > MOST_LINES {
            return Err(Error::user(format!("the list has more than {MOST_LINES} lines"), "Cut it into parts."));
        }
        let Some((which, act)) = serde_json::from_str::<Line>(line).ok().and_then(Line::read) else {
            bad.push(number.to_string());
            if bad.len() > 20 {
                break;
            }
            continue;
        };
        if matches!(act, Act::Review(..)) && !reviewed.insert((which.code.clone(), which.transcript)) {
            let remedy = "One review of a version is enough; take the other line out.";
            return Err(Error::user(format!("line {number} of the list reviews a version a second time"), remedy));
        }
        match (act, steps.last_mut()) {
            // Words of one version that follow each other are one act, and one entry.
            (Act::Mark(words), Some(Step { which: before, act: Act::Mark(all), .. })) if *before == which => {
                all.extend(words.into_iter().map(|(_, words)| (number, words)));
            }
            (Act::Mark(words), _) => {
                let words = words.into_iter().map(|(_, words)| (number, words)).collect();
                steps.push(Step { line: number, which, act: Act::Mark(words) });
            }
            (act, _) => steps.push(Step { line: number, which, act }),
        }
    }
    if !bad.is_empty() {
        return Err(Error::user(
            format!("not of the right form: line {}", bad.join(", ")),
            r#"Write a line as {"code": "AM-05", "suggest": true}, or with "words" and "class", or with "review": "what you did"."#,
        ));
    }
    if reviewed.len() > MOST_REVIEWS {
        return Err(Error::user(
            format!("the list has {} reviews, more than {MOST_REVIEWS}", reviewed.len()),
            "A review says that somebody has read the whole version. Record what was read, in lists as it was read.",
        ));
    }
    if steps.is_empty() {
        return Err(Error::user("the list is empty", "Write a line for each thing to do."));
    }
    Ok(List(steps))
}

/// Does what a list says, line by line. It stops at the first line that cannot be done and names it; what was done before stands, and the whole list may
/// be given again.
pub fn follow(vault: &mut Vault<Unlocked>, list: &List, progress: &dyn Progress) -> Result<Listed> {
    progress.begin("Working through the list", list.0.len() as u64);
    let mut done = Listed::default();
    for step in &list.0 {
        let place = format!("line {} of the list, after everything before it was done", step.line);
        step.follow(vault, &mut done).map_err(|error| error.at(place))?;
        progress.advance(1);
    }
    progress.end();
    Ok(done)
}

impl Line {
    fn read(self) -> Option<(Which, Act)> {
        let which = Which { code: self.code, transcript: self.transcript };
        let act = match (self.suggest, self.words, self.review) {
            (true, None, None) => Act::Suggest,
            (false, Some(words), None) => {
                let words = Words { words, class: self.class?, replacement: self.replacement };
                return (!self.accept_rest && words.are_words()).then(|| (which, Act::Mark(vec![(0, words)])));
            }
            (false, None, Some(statement)) => Act::Review(statement, self.accept_rest),
            _ => return None,
        };
        let alone = self.class.is_none() && self.replacement.is_none();
        (alone && (!self.accept_rest || matches!(act, Act::Review(..)))).then_some((which, act))
    }
}

impl Step {
    fn follow(&self, vault: &mut Vault<Unlocked>, done: &mut Listed) -> Result<()> {
        match &self.act {
            Act::Suggest => {
                let found = suggest(vault, &self.which, &Silent)?;
                done.suggested += 1;
                done.found += found.change.added;
            }
            Act::Mark(words) => {
                let marked = mark_all(vault, &self.which, &Batch::of(words.clone()))?;
                done.marked += marked.change.added;
                done.not_found += super::count(marked.not_found.len());
            }
            Act::Review(statement, accept_rest) => {
                let reviewed = review(vault, &self.which, statement, *accept_rest)?;
                done.reviewed += 1;
                done.accepted += reviewed.accepted;
                done.marks += reviewed.marks;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_words_of_one_version_are_one_act() {
        let text = r#"{"code":"AM-01","suggest":true}
{"code":"AM-01","words":"Anna","class":"person"}

{"code":"AM-01","words":"Lev","class":"person","replacement":"a man"}
{"code":"AM-02","words":"Lev","class":"person"}
{"code":"AM-01","review":"Read.","accept_rest":true}"#;
        let list = parse_list(text).unwrap();
        let lines: Vec<usize> = list.0.iter().map(|s| s.line).collect();
        assert_eq!(lines, [1, 2, 5, 6]);
        assert!(matches!(&list.0[1].act, Act::Mark(words) if words.len() == 2 && words[1].0 == 4));
    }

    #[test]
    fn what_is_no_list_is_refused_without_its_words() {
        for bad in [
            r#"{"code":"AM-01"}"#,
            r#"{"code":"AM-01","suggest":true,"review":"x"}"#,
            r#"{"code":"AM-01","words":"Anna"}"#,
            r#"{"code":"AM-01","words":"!?","class":"person"}"#,
            r#"{"code":"AM-01","suggest":true,"accept_rest":true}"#,
            r#"{"code":"AM-01","suggest":true,"all":true}"#,
            r#"{"suggest":true}"#,
            r#"{"code":"*","all":true,"review":"x"}"#,
            "Anna",
        ] {
            let error = parse_list(bad).err().unwrap();
            assert!(error.what().ends_with("line 1") && !format!("{error:?}").contains("Anna"), "{bad}");
        }
        assert!(parse_list("\n").is_err());
        let twice = "{\"code\":\"AM-01\",\"review\":\"x\"}\n".repeat(2);
        assert!(parse_list(&twice).err().unwrap().what().starts_with("line 2"));
        let many: String = (0..=MOST_REVIEWS).map(|n| format!("{{\"code\":\"AM-{n}\",\"review\":\"x\"}}\n")).collect();
        assert!(parse_list(&many).is_err());
    }
}
