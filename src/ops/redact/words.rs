//! Words in a transcript: where they stand, and what is written instead of them.

use crate::base::{Error, Result, text};
use crate::redact::mark::Marks;
use crate::redact::{Class, label};

/// The longest stretch of words that is looked for, and the longest replacement, in characters.
const LONGEST: usize = 200;

/// Words ready to be looked for: small letters, runs of white space as one space.
pub(super) struct Needle(Vec<char>);

impl Needle {
    /// Refused if there is no letter or digit in them, or too many.
    pub(super) fn new(words: &str) -> Result<Self> {
        let folded = fold(words);
        if !folded.iter().any(|c| c.is_alphanumeric()) {
            return Err(Error::user(
                "there are no words to look for",
                "Give the words as they stand in the transcript.",
            ));
        }
        if folded.len() > LONGEST {
            return Err(Error::user(
                format!("the words to look for are longer than {LONGEST} characters"),
                "Mark the passage by its turn and places, with --from and --to.",
            ));
        }
        Ok(Self(folded))
    }

    /// Where the words stand in `text`, as ranges of code points: whole words only, capitals aside, without overlap.
    pub(super) fn find(&self, text: &str) -> Vec<(usize, usize)> {
        let chars: Vec<char> = text.chars().collect();
        let mut found = Vec::new();
        let mut at = 0;
        while at < chars.len() {
            match self.fits(&chars, at) {
                Some(end) => {
                    found.push((at, end));
                    at = end;
                }
                None => at += 1,
            }
        }
        found
    }

    fn fits(&self, chars: &[char], start: usize) -> Option<usize> {
        let word = |at: Option<usize>| at.and_then(|i| chars.get(i)).is_some_and(|c| c.is_alphanumeric());
        let (first, last) = (self.0.first()?, self.0.last()?);
        if first.is_alphanumeric() && word(start.checked_sub(1)) {
            return None;
        }
        let mut at = start;
        for wanted in &self.0 {
            let here = *chars.get(at)?;
            if *wanted == ' ' {
                let run = chars.get(at..)?.iter().take_while(|c| c.is_whitespace()).count();
                if run == 0 {
                    return None;
                }
                at += run;
            } else if lower(here) == *wanted {
                at += 1;
            } else {
                return None;
            }
        }
        if last.is_alphanumeric() && word(Some(at)) { None } else { Some(at) }
    }
}

/// What is written instead, in brackets: what somebody asked for, checked; else what the same words already have in this class; else
/// a new letter for persons, places and organisations (`[person A]`; numbers are for the known speakers), or the class's label.
pub(super) fn replacement(
    asked: Option<&str>,
    class: Class,
    words: &str,
    texts: &[String],
    marks: &Marks,
) -> Result<String> {
    if let Some(asked) = asked {
        return bracketed(asked);
    }
    let wanted = fold(words);
    let same = marks.marks.iter().filter(|m| m.class == class).find(|m| {
        let text = usize::try_from(m.turn).ok().and_then(|t| texts.get(t));
        text.is_some_and(|t| fold(&slice(t, m.start as usize, m.end as usize)) == wanted)
    });
    if let Some(mark) = same {
        return Ok(mark.replacement.clone());
    }
    let plain = label(class);
    if !matches!(class, Class::Person | Class::Place | Class::Organisation) {
        return Ok(plain);
    }
    let taken = |text: &str| marks.marks.iter().any(|m| m.replacement == text);
    let lettered = |n: u32| plain.replace(']', &format!(" {}]", letters(n)));
    Ok((0..u32::MAX).map(lettered).find(|text| !taken(text)).unwrap_or(plain.clone()))
}

/// The code points of `text` from `start` to `end`.
pub(super) fn slice(text: &str, start: usize, end: usize) -> String {
    text.chars().skip(start).take(end.saturating_sub(start)).collect()
}

fn bracketed(asked: &str) -> Result<String> {
    let asked = text::line("the replacement", asked)?;
    let inner = asked.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(&asked).trim();
    if inner.is_empty() || inner.contains(['[', ']', '⟦', '⟧']) || inner.chars().count() > LONGEST {
        return Err(Error::user(
            "a replacement is empty, too long, or has brackets inside",
            "Give a few words that say what was there without saying who, such as `a cousin`.",
        ));
    }
    Ok(format!("[{inner}]"))
}

/// A, B, … Z, AA, AB, …
fn letters(mut n: u32) -> String {
    let mut out = Vec::new();
    loop {
        out.push(char::from(b'A' + u8::try_from(n % 26).unwrap_or(0)));
        if n < 26 {
            return out.iter().rev().collect();
        }
        n = n / 26 - 1;
    }
}

/// One small letter a code point, so that offsets stay.
fn lower(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn fold(words: &str) -> Vec<char> {
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Mark, Span};

    fn find(words: &str, text: &str) -> Vec<(usize, usize)> {
        Needle::new(words).unwrap().find(text)
    }

    #[test]
    fn finds_whole_words_in_code_points() {
        assert_eq!(find("Лев", "😀 лев, Левон и ЛЕВ."), [(2, 5), (15, 18)]);
        assert_eq!(find("дядя  Вася", "Дядя\nВася. дядя Васята"), [(0, 9)]);
        assert_eq!(find("@vera", "to @vera, x@vera"), [(3, 8), (11, 16)]);
        assert_eq!(find("a a", "a a a a"), [(0, 3), (4, 7)]);
        assert!(find("abc", "ab").is_empty());
        for bad in ["", " ", "--", &"x".repeat(300)] {
            assert!(Needle::new(bad).is_err());
        }
    }

    #[test]
    fn the_same_words_get_the_same_replacement() {
        let texts = vec!["Лев и лев и Роза".to_owned()];
        let mut marks = Marks::default();
        let next = |words: &str, marks: &Marks| replacement(None, Class::Person, words, &texts, marks).unwrap();
        assert_eq!(next("Лев", &marks), "[person A]");
        let span = Span { start: 0, end: 3, class: Class::Person, layer: "known", replacement: "[person A]".into() };
        marks.marks.push(Mark::suggested(1, 0, &span).unwrap());
        assert_eq!((next("ЛЕВ", &marks), next("Роза", &marks)), ("[person A]".to_owned(), "[person B]".to_owned()));
        assert_eq!(replacement(Some(" [a cousin] "), Class::Other, "x", &texts, &marks).unwrap(), "[a cousin]");
        assert_eq!(replacement(None, Class::Contact, "x", &texts, &marks).unwrap(), "[contact]");
        assert!(replacement(Some("a]b"), Class::Other, "x", &texts, &marks).is_err());
        assert_eq!(
            (letters(25), letters(26), letters(701), letters(702)),
            ("Z".into(), "AA".into(), "ZZ".into(), "AAA".into())
        );
    }
}
