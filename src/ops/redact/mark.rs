//! Marks made by hand: by place, by words, or many words at once.

use serde::{Deserialize, Serialize};

use super::edit::{self, Wanted};
use super::words::{Needle, replacement, slice};
use super::{Change, Version, Which, count, open_marks};
use crate::base::{Error, Result};
use crate::redact::Class;
use crate::session::{Act, Unlocked, Vault};

/// The most lines of a batch.
const MOST_LINES: usize = 10_000;

/// What to mark.
#[derive(Clone)]
pub enum Place {
    /// Code points of one turn, half-open.
    Range {
        /// The turn, counted from 1.
        turn: u32,
        /// The first code point.
        from: u32,
        /// One past the last.
        to: u32,
    },
    /// Words as they stand in the text, capitals aside, whole words only.
    Words {
        /// The words.
        words: String,
        /// Only in this turn, counted from 1.
        turn: Option<u32>,
        /// Wherever they stand; otherwise they must stand there once.
        all: bool,
    },
}

/// One mark to make.
#[derive(Clone)]
pub struct Request {
    /// Where.
    pub place: Place,
    /// What it tells about.
    pub class: Class,
    /// What to write instead, with or without brackets.
    pub replacement: Option<String>,
}

/// One line of a batch.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// The words.
    pub words: String,
    /// What they tell about.
    pub class: Class,
    /// What to write instead.
    #[serde(default)]
    pub replacement: Option<String>,
}

/// Words to mark wherever they stand, a line each.
pub struct Batch(Vec<(usize, Words)>);

impl Words {
    /// Whether they can be looked for.
    pub(super) fn are_words(&self) -> bool {
        Needle::new(&self.words).is_ok()
    }
}

impl Batch {
    /// Words with the lines that they stand in, each looked at before.
    pub(super) fn of(lines: Vec<(usize, Words)>) -> Self {
        Self(lines)
    }
}

/// What came of it.
#[derive(Serialize)]
pub struct Marked {
    /// The archive code.
    pub code: String,
    /// The version.
    pub transcript: u32,
    /// Places found.
    pub places: u32,
    /// What it did to the marks.
    pub change: Change,
    /// Suggestions that nobody has decided on.
    pub open: u32,
    /// Lines of the batch whose words stand nowhere, counted from 1.
    pub not_found: Vec<usize>,
    /// A recorded review is void now.
    pub review_voided: bool,
}

/// Reads a batch: JSON lines `{"words":…,"class":…,"replacement"?:…}`; empty lines are passed over. Every bad line is named.
pub fn parse_batch(text: &str) -> Result<Batch> {
    let mut lines = Vec::new();
    let mut bad = Vec::new();
    for (number, line) in (1usize..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Words>(line) {
            Ok(words) if words.are_words() => lines.push((number, words)),
            _ => bad.push(number.to_string()),
        }
        if lines.len() > MOST_LINES || bad.len() > 20 {
            break;
        }
    }
    if !bad.is_empty() {
        return Err(Error::user(
            format!("not of the right form: line {}", bad.join(", ")),
            r#"Write one {"words": "…", "class": "person"} a line; classes are those of `subrosa redact mark --help`."#,
        ));
    }
    if lines.is_empty() || lines.len() > MOST_LINES {
        return Err(Error::user(format!("the file has no lines, or more than {MOST_LINES}"), "Cut it into parts."));
    }
    Ok(Batch(lines))
}

/// Makes one mark, or one for each place where the words stand.
pub fn mark(vault: &mut Vault<Unlocked>, which: &Which, request: &Request) -> Result<Marked> {
    vault.commit("redact mark", |act| {
        let mut version = Version::open(act, which)?;
        let places = places(&version, request)?;
        let first = places.first().map(|p| text_at(&version, *p)).unwrap_or_default();
        let instead =
            replacement(request.replacement.as_deref(), request.class, &first, &version.content.texts, &version.marks)?;
        let mut change = Change::default();
        for place in &places {
            put(act, &mut version, *place, request.class, &instead, &mut change)?;
        }
        finish(act, version, count(places.len()), change, Vec::new())
    })
}

/// Marks many words wherever they stand.
pub fn mark_all(vault: &mut Vault<Unlocked>, which: &Which, batch: &Batch) -> Result<Marked> {
    vault.commit("redact mark", |act| {
        let mut version = Version::open(act, which)?;
        let mut change = Change::default();
        let (mut found, mut not_found) = (0, Vec::new());
        for (line, words) in &batch.0 {
            let places = everywhere(&version, &Needle::new(&words.words)?)?;
            if places.is_empty() {
                not_found.push(*line);
                continue;
            }
            found += places.len();
            let asked = words.replacement.as_deref();
            let instead = replacement(asked, words.class, &words.words, &version.content.texts, &version.marks)?;
            for place in places {
                put(act, &mut version, place, words.class, &instead, &mut change)?;
            }
        }
        finish(act, version, count(found), change, not_found)
    })
}

/// Turn counted from 0, and code points.
type At = (u32, u32, u32);

fn put(act: &Act<'_>, version: &mut Version, at: At, class: Class, instead: &str, sum: &mut Change) -> Result<()> {
    let wanted = Wanted { turn: at.0, start: at.1, end: at.2, class, replacement: instead.to_owned() };
    let change = edit::place(&mut version.marks, &wanted, act.person(), act.now())?;
    sum.added += change.added;
    sum.changed += change.changed;
    sum.removed += change.removed;
    Ok(())
}

fn finish(
    act: &mut Act<'_>,
    mut version: Version,
    places: u32,
    change: Change,
    not_found: Vec<usize>,
) -> Result<Marked> {
    let review_voided = version.save(act, change)?;
    Ok(Marked {
        code: version.interview.body.code.clone(),
        transcript: version.row.version,
        places,
        change,
        open: open_marks(&version.marks),
        not_found,
        review_voided,
    })
}

fn places(version: &Version, request: &Request) -> Result<Vec<At>> {
    match &request.place {
        Place::Range { turn, from, to } => {
            let index = version.turn(*turn)?;
            let length = version.content.texts.get(index).map_or(0, |t| t.chars().count());
            if from >= to || *to as usize > length {
                return Err(Error::user(
                    format!("the place does not lie within turn {turn}"),
                    format!("Its places are counted from 0 to {length}; --to is one past the last."),
                ));
            }
            Ok(vec![(*turn - 1, *from, *to)])
        }
        Place::Words { words, turn, all } => {
            let needle = Needle::new(words)?;
            let mut found = everywhere(version, &needle)?;
            if let Some(turn) = turn {
                version.turn(*turn)?;
                found.retain(|at| at.0 + 1 == *turn);
            }
            match found.len() {
                0 => Err(Error::user(
                    "the words do not stand there",
                    "Type them as they stand in the transcript, whole words; `subrosa redact show` shows it.",
                )),
                1 => Ok(found),
                _ if *all => Ok(found),
                n => Err(Error::user(
                    format!("the words stand there {n} times"),
                    "Mark them everywhere with --all, or say which turn with --turn.",
                )),
            }
        }
    }
}

fn everywhere(version: &Version, needle: &Needle) -> Result<Vec<At>> {
    let mut found = Vec::new();
    for (turn, text) in version.content.texts.iter().enumerate() {
        for (start, end) in needle.find(text) {
            let fits = |n: usize| u32::try_from(n).map_err(|_| Error::bug("a turn is too long to be marked"));
            found.push((fits(turn)?, fits(start)?, fits(end)?));
        }
    }
    Ok(found)
}

fn text_at(version: &Version, at: At) -> String {
    let text = version.content.texts.get(at.0 as usize);
    text.map(|t| slice(t, at.1 as usize, at.2 as usize)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_names_its_bad_lines_and_none_of_its_words() {
        let good = "{\"words\":\"Vera\",\"class\":\"person\"}\n\n{\"words\":\"x\",\"class\":\"place\",\"replacement\":\"a town\"}\n";
        assert_eq!(parse_batch(good).unwrap().0.len(), 2);
        let bad = "{\"words\":\"Vera\",\"class\":\"person\"}\nVera\n{\"words\":\"\",\"class\":\"person\"}\n{\"words\":\"Vera\",\"class\":\"cat\"}";
        let error = parse_batch(bad).err().unwrap();
        assert!(error.what().ends_with("line 2, 3, 4") && !format!("{error:?}").contains("Vera"), "{error:?}");
        assert!(parse_batch("\n").is_err());
    }
}
