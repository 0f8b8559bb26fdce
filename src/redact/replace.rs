//! Replace: put marks into effect on the text of a turn.

use super::Class;
use crate::base::{Error, Result};

/// What to write instead of a stretch of text, in code points, half-open.
#[derive(Clone, PartialEq, Eq)]
pub struct Replacement {
    /// First code point.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// What to write.
    pub text: String,
}

/// `text` with every replacement made. They may come in any order. Refused (as damage: marks do not fit their
/// transcript) if one is empty, lies outside the text, or overlaps another.
pub fn apply(text: &str, replacements: &[Replacement]) -> Result<String> {
    let mut sorted: Vec<&Replacement> = replacements.iter().collect();
    sorted.sort_by_key(|r| (r.start, r.end));
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut at = 0;
    for replacement in sorted {
        if replacement.start < at || replacement.end <= replacement.start {
            return Err(misfit("overlap or are empty"));
        }
        let (kept, tail) = split(rest, replacement.start - at)?;
        let (_, tail) = split(tail, replacement.end - replacement.start)?;
        out.push_str(kept);
        out.push_str(&replacement.text);
        rest = tail;
        at = replacement.end;
    }
    out.push_str(rest);
    Ok(out)
}

/// The default replacement for a class, without an entity behind it: `[phone]` is the engine's own, `[contact]` this one.
pub fn label(class: Class) -> String {
    match class {
        Class::Occupation => "[description]".to_owned(),
        Class::Other => "[left out]".to_owned(),
        class => format!("[{}]", class.name()),
    }
}

/// `text` cut after `points` code points; refused if it has fewer.
fn split(text: &str, points: usize) -> Result<(&str, &str)> {
    let mut indices = text.char_indices().map(|(at, _)| at).chain(std::iter::once(text.len()));
    let at = indices.nth(points).ok_or_else(|| misfit("reach past the end of their turn"))?;
    text.split_at_checked(at).ok_or_else(|| misfit("reach past the end of their turn"))
}

fn misfit(how: &str) -> Error {
    Error::damage(format!("marks {how}"), "Look at the marks of this transcript with `subrosa redact show`.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Kind;

    fn with(start: usize, end: usize, text: &str) -> Replacement {
        Replacement { start, end, text: text.to_owned() }
    }

    #[test]
    fn replaces_by_code_points() {
        let text = "😀 Вера и Лев";
        let done = apply(text, &[with(9, 12, "[person 2]"), with(2, 6, "[person 1]")]).unwrap();
        assert_eq!(done, "😀 [person 1] и [person 2]");
        assert_eq!(apply(text, &[]).unwrap(), text);
        assert_eq!(apply(text, &[with(0, 12, "")]).unwrap(), "");
        assert_eq!(apply("ab", &[with(0, 1, "x"), with(1, 2, "y")]).unwrap(), "xy");
    }

    #[test]
    fn refuses_what_does_not_fit() {
        for bad in [
            vec![with(0, 3, "x"), with(2, 4, "y")],
            vec![with(3, 3, "x")],
            vec![with(3, 2, "x")],
            vec![with(0, 6, "x")],
            vec![with(6, 7, "x")],
            vec![with(0, usize::MAX, "x")],
        ] {
            assert_eq!(apply("Лёва!", &bad).unwrap_err().kind(), Kind::Damage);
        }
    }

    #[test]
    fn every_class_has_a_label() {
        for class in Class::ALL {
            let label = label(class);
            assert!(label.starts_with('[') && label.ends_with(']'));
        }
    }
}
