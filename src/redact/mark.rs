//! Marks: stand-off redactions on the turns of one transcript version.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Class, Span, Strength};
use crate::base::id::PersonId;
use crate::base::time::Moment;

/// What has been decided about a mark.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The engine found it; nobody has looked yet. Replaced as if accepted.
    Suggested,
    /// A person made it or agreed to it.
    Accepted,
    /// A person decided that the words may stay, for this reason. Not replaced.
    Kept(String),
}

/// A redaction on a stretch of one turn of one transcript version. No `Debug`: reasons and replacements are content.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Its number within the transcript.
    pub id: u32,
    /// The turn, counted from 0.
    pub turn: u32,
    /// First code point within the turn's text.
    pub start: u32,
    /// One past the last code point.
    pub end: u32,
    /// What it tells about.
    pub class: Class,
    /// How strongly it identifies.
    pub strength: Strength,
    /// What found it: a layer of the engine, or `manual`.
    pub layer: String,
    /// What is written instead.
    pub replacement: String,
    /// What has been decided.
    pub state: State,
    /// Who decided, once somebody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// When they decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
}

/// All marks of one transcript version, as they are sealed with it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// The engine whose suggestions were last taken in, if any were.
    pub engine: Option<String>,
    /// The id that the next mark gets.
    pub next: u32,
    /// The marks, by turn and place.
    pub marks: Vec<Mark>,
}

/// Marks moved to a new version of their transcript.
#[derive(Default)]
pub struct CarriedOver {
    /// Marks on turns whose text is the same, with the new turn numbers; everything else as it was.
    pub carried: Vec<Mark>,
    /// Marks whose turn has changed or gone, untouched: they still speak of the old version, for a person to look at.
    pub for_review: Vec<Mark>,
}

impl Mark {
    /// A suggestion from a span of turn number `turn`; `None` if the span lies beyond 2³² code points.
    pub fn suggested(id: u32, turn: u32, span: &Span) -> Option<Self> {
        Some(Self {
            id,
            turn,
            start: u32::try_from(span.start).ok()?,
            end: u32::try_from(span.end).ok()?,
            class: span.class,
            strength: span.class.strength(),
            layer: span.layer.to_owned(),
            replacement: span.replacement.clone(),
            state: State::Suggested,
            by: None,
            at: None,
        })
    }

    /// Whether the words under it are replaced in an extract that replaces down to `strength`.
    pub fn replaces(&self, strength: Strength) -> bool {
        !matches!(self.state, State::Kept(_)) && self.strength <= strength
    }

    /// Whether it lies within the text of its turn.
    pub fn fits(&self, turns: &[String]) -> bool {
        let turn = usize::try_from(self.turn).ok().and_then(|at| turns.get(at));
        self.start < self.end && turn.is_some_and(|text| text.chars().count() as u64 >= u64::from(self.end))
    }
}

/// Moves marks from one version's turns to another's: where a turn's text is the same, letter by letter, its marks
/// go along. A text that stands several times is matched in order, and only if it stands as often in both versions.
pub fn carry_over(old_turns: &[String], new_turns: &[String], marks: &[Mark]) -> CarriedOver {
    let old = places(old_turns);
    let new = places(new_turns);
    let mut out = CarriedOver::default();
    for mark in marks {
        match moved(old_turns, &old, &new, mark) {
            Some(turn) => out.carried.push(Mark { turn, ..mark.clone() }),
            None => out.for_review.push(mark.clone()),
        }
    }
    out
}

/// Where each text stands, in order.
fn places(turns: &[String]) -> HashMap<&str, Vec<usize>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, text) in turns.iter().enumerate() {
        places.entry(text).or_default().push(at);
    }
    places
}

fn moved(
    old_turns: &[String],
    old: &HashMap<&str, Vec<usize>>,
    new: &HashMap<&str, Vec<usize>>,
    mark: &Mark,
) -> Option<u32> {
    if !mark.fits(old_turns) {
        return None;
    }
    let turn = usize::try_from(mark.turn).ok()?;
    let text = old_turns.get(turn)?.as_str();
    let (before, after) = (old.get(text)?, new.get(text)?);
    if before.len() != after.len() {
        return None;
    }
    let nth = before.binary_search(&turn).ok()?;
    u32::try_from(*after.get(nth)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&t| t.to_owned()).collect()
    }

    fn mark(id: u32, turn: u32, end: u32) -> Mark {
        let span =
            Span { start: 0, end: end as usize, class: Class::Person, layer: "known", replacement: "[p]".into() };
        Mark::suggested(id, turn, &span).unwrap()
    }

    #[test]
    fn marks_go_with_their_turn() {
        let old = turns(&["Вера.", "Да.", "Лев.", "Да.", "Роза."]);
        let new = turns(&["Начало.", "Вера.", "Да.", "Лёв.", "Да."]);
        let marks = [mark(1, 0, 4), mark(2, 2, 3), mark(3, 3, 2), mark(4, 4, 4)];
        let out = carry_over(&old, &new, &marks);
        let carried: Vec<(u32, u32)> = out.carried.iter().map(|m| (m.id, m.turn)).collect();
        assert_eq!(carried, [(1, 1), (3, 4)]);
        assert_eq!(out.for_review.iter().map(|m| (m.id, m.turn)).collect::<Vec<_>>(), [(2, 2), (4, 4)]);
    }

    #[test]
    fn a_repeated_text_that_stands_more_often_is_for_review() {
        let out = carry_over(&turns(&["Да."]), &turns(&["Да.", "Да."]), &[mark(1, 0, 2)]);
        assert!(out.carried.is_empty());
        assert_eq!(out.for_review.len(), 1);
    }

    #[test]
    fn marks_that_never_fitted_are_for_review() {
        let same = turns(&["Да."]);
        let out = carry_over(&same, &same, &[mark(1, 7, 1), mark(2, 0, 9), mark(3, 0, 0)]);
        assert!(out.carried.is_empty());
        assert_eq!(out.for_review.len(), 3);
    }

    #[test]
    fn reads_back_and_knows_what_it_replaces() {
        let mut one = mark(1, 0, 4);
        one.state = State::Kept("the street, not the person".into());
        let text = serde_json::to_string(&one).unwrap();
        assert!(text.contains(r#""state":{"kept":"the street, not the person"}"#), "{text}");
        assert!(serde_json::from_str::<Mark>(&text).unwrap() == one);
        assert!(!one.replaces(Strength::Indirect));
        one.state = State::Suggested;
        assert!(one.replaces(Strength::Direct));
        one.strength = Strength::Indirect;
        assert!(!one.replaces(Strength::StrongIndirect) && one.replaces(Strength::Indirect));
        assert!(serde_json::from_str::<Mark>(&text.replace("\"id\"", "\"open\"")).is_err());
    }
}
