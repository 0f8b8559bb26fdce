//! Marks that never overlap: how new ones find their place among those that stand.

use super::Change;
use crate::base::id::PersonId;
use crate::base::time::Moment;
use crate::base::{Error, Result};
use crate::redact::mark::Marks;
use crate::redact::{Class, Mark, Span, State};

/// The layer of marks made by people.
pub(super) const MANUAL: &str = "manual";

/// The most marks that a transcript version may have: far above any real one, and well below what is slow.
const MOST: usize = 200_000;

/// A mark that a person asks for.
pub(super) struct Wanted {
    pub(super) turn: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) class: Class,
    pub(super) replacement: String,
}

/// Puts a mark made by hand in its place. Words that a larger mark hides already stay hidden by it (a suggestion is accepted by that). What it overlaps
/// otherwise goes into it: it grows to cover marks that hide words, so that nothing hidden comes to light, and replaces marks that
/// were kept open. The very same mark once more changes nothing.
pub(super) fn place(marks: &mut Marks, wanted: &Wanted, by: PersonId, at: Moment) -> Result<Change> {
    let mut wanted_range = (wanted.start, wanted.end);
    let overlaps = |m: &Mark, range: (u32, u32)| m.turn == wanted.turn && m.start < range.1 && range.0 < m.end;
    let larger = |m: &&mut Mark| {
        let inside = m.turn == wanted.turn && m.start <= wanted.start && wanted.end <= m.end;
        inside && (m.start, m.end) != (wanted.start, wanted.end) && !matches!(m.state, State::Kept(_))
    };
    if let Some(mark) = marks.marks.iter_mut().find(larger) {
        let suggested = mark.state == State::Suggested;
        if suggested {
            (mark.state, mark.by, mark.at) = (State::Accepted, Some(by), Some(at));
        }
        return Ok(Change { changed: u32::from(suggested), ..Change::default() });
    }
    // Growing may reach no further mark: marks do not overlap each other.
    for mark in marks.marks.iter().filter(|m| overlaps(m, (wanted.start, wanted.end))) {
        if !matches!(mark.state, State::Kept(_)) {
            wanted_range = (wanted_range.0.min(mark.start), wanted_range.1.max(mark.end));
        }
    }
    let mut same = None;
    let mut change = Change::default();
    marks.marks.retain(|mark| {
        if !overlaps(mark, wanted_range) {
            return true;
        }
        if same.is_none() && (mark.start, mark.end) == wanted_range {
            same = Some(mark.clone());
        } else {
            change.removed += 1;
        }
        false
    });
    if let Some(mark) = same {
        let stands =
            mark.state == State::Accepted && mark.class == wanted.class && mark.replacement == wanted.replacement;
        if stands {
            marks.marks.push(mark);
        } else {
            change.changed += 1;
            marks.marks.push(Mark {
                class: wanted.class,
                strength: wanted.class.strength(),
                replacement: wanted.replacement.clone(),
                state: State::Accepted,
                by: Some(by),
                at: Some(at),
                ..mark
            });
        }
        return Ok(change);
    }
    let id = next_id(marks)?;
    change.added += 1;
    marks.marks.push(Mark {
        id,
        turn: wanted.turn,
        start: wanted_range.0,
        end: wanted_range.1,
        class: wanted.class,
        strength: wanted.class.strength(),
        layer: MANUAL.to_owned(),
        replacement: wanted.replacement.clone(),
        state: State::Accepted,
        by: Some(by),
        at: Some(at),
    });
    Ok(change)
}

/// Takes in what the engine found in one turn. Decided marks stay as they are; what they leave of a span is suggested. A
/// suggestion that nobody has decided on stays too, joined with what it overlaps: nothing once found is let go unseen.
pub(super) fn take_in(marks: &mut Marks, turn: u32, text: &str, spans: &[Span]) -> Result<Change> {
    let mut change = Change::default();
    let (open, decided): (Vec<Mark>, Vec<Mark>) =
        std::mem::take(&mut marks.marks).into_iter().partition(|m| m.turn == turn && m.state == State::Suggested);
    marks.marks = decided;
    let mut pieces: Vec<Mark> = Vec::new();
    for span in spans {
        let covered: Vec<(usize, usize)> =
            marks.marks.iter().filter(|m| m.turn == turn).map(|m| (m.start as usize, m.end as usize)).collect();
        for (start, end) in subtract((span.start, span.end), &covered) {
            let (start, end) = trim(text, start, end);
            if start < end
                && let Some(mark) = Mark::suggested(0, turn, &Span { start, end, ..span.clone() })
            {
                pieces.push(mark);
            }
        }
    }
    // Undecided ones from before: the same again, or joined with what they overlap.
    let mut before = open.clone();
    for old in open {
        let mut joined = old;
        let mut found = false;
        pieces.retain(|piece| {
            let touches = piece.start < joined.end && joined.start < piece.end;
            if touches {
                let (start, end) = (joined.start.min(piece.start), joined.end.max(piece.end));
                let named = if found { joined.clone() } else { piece.clone() };
                joined = Mark { id: joined.id, start, end, ..named };
                found = true;
            }
            !touches
        });
        pieces.push(joined);
    }
    for mut piece in pieces {
        match before.iter().position(|old| old.id == piece.id) {
            Some(at) => change.changed += u32::from(before.swap_remove(at) != piece),
            None => {
                piece.id = next_id(marks)?;
                change.added += 1;
            }
        }
        marks.marks.push(piece);
    }
    change.removed += super::count(before.len());
    Ok(change)
}

/// What `range` has outside of `covered`.
fn subtract(range: (usize, usize), covered: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut covered: Vec<_> = covered.iter().filter(|c| c.0 < range.1 && range.0 < c.1).collect();
    covered.sort_unstable();
    let mut out = Vec::new();
    let mut at = range.0;
    for (start, end) in covered {
        if *start > at {
            out.push((at, *start));
        }
        at = at.max(*end);
    }
    if at < range.1 {
        out.push((at, range.1));
    }
    out
}

/// Cuts spaces off both ends; empty if no letter or digit is there.
fn trim(text: &str, start: usize, end: usize) -> (usize, usize) {
    let chars: Vec<char> = text.chars().skip(start).take(end - start).collect();
    if !chars.iter().any(|c| c.is_alphanumeric()) {
        return (start, start);
    }
    let lead = chars.iter().take_while(|c| c.is_whitespace()).count();
    let tail = chars.iter().rev().take_while(|c| c.is_whitespace()).count();
    (start + lead, start + chars.len() - tail)
}

fn next_id(marks: &mut Marks) -> Result<u32> {
    if marks.marks.len() >= MOST {
        return Err(Error::user("this version has too many marks", "Check whether the right words were marked."));
    }
    let highest = marks.marks.iter().map(|m| m.id).max().unwrap_or(0);
    let id = marks.next.max(1).max(highest.saturating_add(1));
    marks.next = id.checked_add(1).ok_or_else(|| Error::bug("a transcript version ran out of numbers for marks"))?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by() -> (PersonId, Moment) {
        (PersonId::from_bytes([1; 16]), "2026-01-01T00:00:00Z".parse().unwrap())
    }

    fn wanted(start: u32, end: u32) -> Wanted {
        Wanted { turn: 0, start, end, class: Class::Person, replacement: "[person A]".into() }
    }

    fn span(start: usize, end: usize) -> Span {
        Span { start, end, class: Class::Person, layer: "known", replacement: "[person 1]".into() }
    }

    fn ranges(marks: &Marks) -> Vec<(u32, u32)> {
        let mut all: Vec<_> = marks.marks.iter().map(|m| (m.start, m.end)).collect();
        all.sort_unstable();
        all
    }

    const TEXT: &str = "Anna Petrova met Lev at noon";

    #[test]
    fn a_mark_by_hand_grows_over_hidden_words_and_replaces_kept_ones() {
        let mut marks = Marks::default();
        take_in(&mut marks, 0, TEXT, &[span(0, 4), span(17, 20)]).unwrap();
        assert_eq!((ranges(&marks), marks.next), (vec![(0, 4), (17, 20)], 3));
        let change = place(&mut marks, &wanted(2, 12), by().0, by().1).unwrap();
        assert_eq!((change, ranges(&marks)), (Change { added: 1, changed: 0, removed: 1 }, vec![(0, 12), (17, 20)]));
        let inside = place(&mut marks, &wanted(5, 12), by().0, by().1).unwrap();
        assert_eq!((inside, marks.marks.len()), (Change::default(), 2));
        marks.marks.iter_mut().for_each(|m| m.state = State::Kept("no".into()));
        place(&mut marks, &wanted(5, 12), by().0, by().1).unwrap();
        assert_eq!(ranges(&marks), vec![(5, 12), (17, 20)]);
        let again = place(&mut marks, &wanted(5, 12), by().0, by().1).unwrap();
        assert_eq!(again, Change::default());
        let kept = place(&mut marks, &wanted(17, 20), by().0, by().1).unwrap();
        assert_eq!(kept, Change { added: 0, changed: 1, removed: 0 });
    }

    #[test]
    fn suggestions_go_round_decided_marks_and_never_shrink() {
        let mut marks = Marks::default();
        place(&mut marks, &wanted(0, 4), by().0, by().1).unwrap();
        let change = take_in(&mut marks, 0, TEXT, &[span(0, 12)]).unwrap();
        assert_eq!((change.added, ranges(&marks)), (1, vec![(0, 4), (5, 12)]));
        assert_eq!(take_in(&mut marks, 0, TEXT, &[span(0, 12)]).unwrap(), Change::default());
        // Found no more, or found smaller: stays as it was, and keeps its number.
        assert_eq!(take_in(&mut marks, 0, TEXT, &[]).unwrap(), Change::default());
        assert_eq!(take_in(&mut marks, 0, TEXT, &[span(5, 8)]).unwrap(), Change::default());
        let grown = take_in(&mut marks, 0, TEXT, &[span(5, 16)]).unwrap();
        assert_eq!((grown, ranges(&marks)), (Change { added: 0, changed: 1, removed: 0 }, vec![(0, 4), (5, 16)]));
        assert_eq!(marks.marks.iter().map(|m| m.id).max(), Some(2));
    }

    #[test]
    fn two_open_suggestions_that_grow_together_become_one() {
        let mut marks = Marks::default();
        take_in(&mut marks, 0, TEXT, &[span(0, 4), span(5, 12)]).unwrap();
        let change = take_in(&mut marks, 0, TEXT, &[span(0, 12)]).unwrap();
        assert_eq!(ranges(&marks), vec![(0, 12)]);
        assert_eq!((change.added, change.removed), (0, 1));
    }
}
