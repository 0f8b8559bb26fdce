//! Who speaks: the label that leads a line.

use unicode_normalization::UnicodeNormalization;

use crate::formats::clock;

/// The longest text that may be taken for a label nobody announced, in characters.
const LONGEST: usize = 40;
/// The most words of it.
const MOST_WORDS: usize = 3;

/// The labels of an interview, longest first.
pub(super) struct Labels(Vec<Known>);

/// A label as the manifest writes it, and the forms to look for.
struct Known {
    label: String,
    forms: Vec<String>,
}

/// What leads a line.
pub(super) enum Lead<'t> {
    /// A known label; then the words, and a time if one stood beside the label.
    Known { label: String, time: Option<Times>, words: &'t str },
    /// Something that looks like a label.
    Unknown { label: String },
    /// Words.
    Nothing,
}

/// From, and perhaps to, in milliseconds.
pub(super) type Times = (u64, Option<u64>);

impl Labels {
    pub(super) fn new(labels: &[String]) -> Self {
        let mut known: Vec<Known> = labels
            .iter()
            .map(|label| label.trim().trim_end_matches(':').trim())
            .filter(|label| !label.is_empty())
            .map(|label| {
                let mut forms = vec![label.to_owned(), label.nfc().collect(), label.nfd().collect()];
                forms.dedup();
                Known { label: label.to_owned(), forms }
            })
            .collect();
        known.sort_by_key(|k| std::cmp::Reverse(k.label.chars().count()));
        Self(known)
    }

    /// The known label that a text is, case aside.
    pub(super) fn find(&self, text: &str) -> Option<&str> {
        let text = text.trim().trim_end_matches([':', '：']).trim();
        let exact = self.0.iter().find(|k| k.forms.iter().any(|f| f == text));
        let found = exact.or_else(|| self.0.iter().find(|k| k.forms.iter().any(|f| strip(text, f, false) == Some(""))));
        found.map(|k| k.label.as_str())
    }

    /// A known label behind a number or a bare time, as in `12. R: words` or `00:12:05 R: words`.
    pub(super) fn numbered<'t>(&self, line: &'t str) -> Option<Numbered<'t>> {
        let mark = |c: char| {
            c.is_ascii_digit()
                || c.is_whitespace()
                || matches!(c, '.' | ',' | ':' | ';' | '(' | ')' | '[' | ']' | '-' | '–' | '—' | '#' | '*' | '/')
        };
        let (at, _) = line.char_indices().take(LONGEST).find(|(_, c)| !mark(*c))?;
        let (before, rest) = line.split_at(at);
        if !before.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let Lead::Known { label, time, words } = self.lead(rest) else { return None };
        let number = before.trim_matches(|c: char| !c.is_ascii_digit());
        Some((times(number), label, time, words))
    }

    /// True if a known label with its colon stands in the middle of a text, after a space.
    pub(super) fn stands_inside(&self, text: &str) -> bool {
        // From the colons backwards: most lines have none.
        let label_before = |colon: usize| {
            let before = text[..colon].trim_end();
            let leads = |form: &str| before.strip_suffix(form).is_some_and(|rest| rest.ends_with(char::is_whitespace));
            self.0.iter().any(|known| known.forms.iter().any(|form| leads(form)))
        };
        text.match_indices(':').any(|(at, _)| label_before(at))
            || text.match_indices('：').any(|(at, _)| label_before(at))
    }

    /// What leads a line that has no space before it.
    pub(super) fn lead<'t>(&self, line: &'t str) -> Lead<'t> {
        let bare = line.trim_start_matches(['-', '–', '—']).trim_start();
        for exact in [true, false] {
            for known in &self.0 {
                let found = known
                    .forms
                    .iter()
                    .find_map(|form| strip(bare, form, exact).and_then(|rest| after_label(form, rest)));
                if let Some((time, words)) = found {
                    return Lead::Known { label: known.label.clone(), time, words };
                }
            }
        }
        match unknown(bare) {
            Some(label) => Lead::Unknown { label },
            None => Lead::Nothing,
        }
    }
}

/// The number or time that stands before a label, the label, a time beside it, and the words.
type Numbered<'t> = (Option<Times>, String, Option<Times>, &'t str);

/// `text` without `form` before it.
fn strip<'t>(text: &'t str, form: &str, exact: bool) -> Option<&'t str> {
    if exact {
        return text.strip_prefix(form);
    }
    let mut rest = text.chars();
    for wanted in form.chars() {
        let given = rest.next()?;
        if given != wanted && !given.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(rest.as_str())
}

/// The words after a label: perhaps a time, a colon, perhaps a time.
fn after_label<'t>(label: &str, rest: &'t str) -> Option<(Option<Times>, &'t str)> {
    let (before, rest) = leading_time(rest.trim_start());
    let words = rest.trim_start().strip_prefix([':', '：'])?;
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    if digit(label.chars().last()) && digit(words.chars().next()) {
        return None;
    }
    let words = words.trim_start();
    if before.is_some() {
        return Some((before, words));
    }
    let (after, words) = leading_time(words);
    Some((after, words.trim_start()))
}

/// A time in brackets, `[00:12:05]` or `(12:05)`, or from and to as in `[00:12:05 - 00:12:09]`, and what follows it.
pub(super) fn leading_time(text: &str) -> (Option<Times>, &str) {
    let closing = match text.chars().next() {
        Some('[') => ']',
        Some('(') => ')',
        _ => return (None, text),
    };
    let Some(end) = text.char_indices().take(LONGEST).find(|(_, c)| *c == closing).map(|(at, _)| at) else {
        return (None, text);
    };
    let Some(times) = times(&text[1..end]) else { return (None, text) };
    (Some(times), &text[end + 1..])
}

fn times(text: &str) -> Option<Times> {
    if let Some(start) = clock::parse(text, false) {
        return Some((start, None));
    }
    let (from, to) = ["-->", "–", "—", "-"].iter().find_map(|dash| text.split_once(dash))?;
    let (from, to) = (clock::parse(from, false)?, clock::parse(to, false)?);
    (from <= to).then_some((from, Some(to)))
}

/// What stands before a colon, if it looks like a label: up to three words, each beginning with a capital letter or made of digits; or one
/// short word. `He said: no` and `12:05` are words.
fn unknown(line: &str) -> Option<String> {
    let at = line.char_indices().take(LONGEST + 1).find(|(_, c)| matches!(c, ':' | '：')).map(|(at, _)| at)?;
    let rest = line[at..].chars().nth(1);
    if rest.is_some_and(|c| !c.is_whitespace()) {
        return None;
    }
    label_like(&line[..at]).then(|| line[..at].trim().to_owned())
}

/// True if a text could be somebody's label.
pub(super) fn label_like(text: &str) -> bool {
    let text = text.trim();
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() || words.len() > MOST_WORDS || text.chars().count() > LONGEST {
        return false;
    }
    if !text.chars().all(|c| {
        c.is_alphanumeric()
            || c.is_whitespace()
            || matches!(c, '.' | '-' | '_' | '\'' | '’' | '#' | '\u{300}'..='\u{36f}')
    }) {
        return false;
    }
    if !text.chars().any(char::is_alphabetic) {
        return false;
    }
    // Georgian and others have no capitals: there one word may be a label.
    let caseless = |c: char| c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase();
    let short = words.len() == 1 && text.chars().count() <= 3;
    let capital = |word: &&str| {
        word.chars().next().is_some_and(|c| c.is_uppercase() || c == '#' || (caseless(c) && words.len() == 1))
            || word.chars().all(|c| c.is_ascii_digit())
    };
    short || words.iter().all(capital)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(labels: &Labels, line: &str) -> String {
        match labels.lead(line) {
            Lead::Known { label, time, words } => {
                format!("{label}|{}|{words}", time.map_or(String::new(), |t| t.0.to_string()))
            }
            Lead::Unknown { label } => format!("?{label}"),
            Lead::Nothing => "-".into(),
        }
    }

    #[test]
    fn labels_are_told_from_words() {
        let labels =
            Labels::new(&["R".into(), "R1".into(), "О".into(), "Интервьюер".into(), "Анна П.".into(), "й".into()]);
        for (line, wanted) in [
            ("R: yes", "R||yes"),
            ("r:yes", "R||yes"),
            ("R1 : yes: no", "R1||yes: no"),
            ("О: да", "О||да"),
            ("ИНТЕРВЬЮЕР: да", "Интервьюер||да"),
            ("Анна П.: да", "Анна П.||да"),
            ("и\u{306}: да", "й||да"),
            ("— R: yes", "R||yes"),
            ("R (00:01:02): yes", "R|62000|yes"),
            ("R: [00:01:02] yes", "R|62000|yes"),
            ("R：yes", "R||yes"),
            ("R1:05 is late", "-"),
            ("R2: yes", "?R2"),
            ("Мария Росси: да", "?Мария Росси"),
            ("Speaker 2: yes", "?Speaker 2"),
            ("X:", "?X"),
            ("მე: დიახ", "?მე"),
            ("He said: no", "-"),
            ("He asked me twice about it: no", "-"),
            ("Он сказал: нет", "-"),
            ("მან თქვა: არა", "-"),
            ("http://example.org", "-"),
            ("12:05 we met", "-"),
            ("12: twelve", "-"),
            ("\"Yes\": no", "-"),
            ("R yes", "-"),
            ("", "-"),
        ] {
            assert_eq!(shown(&labels, line), wanted, "{line}");
        }
        assert_eq!(labels.find(" r1: "), Some("R1"));
        assert_eq!(labels.find("R12"), None);
    }

    #[test]
    fn times_in_brackets() {
        assert_eq!(leading_time("[00:12:05] a"), (Some((725_000, None)), " a"));
        assert_eq!(leading_time("(12:05)"), (Some((725_000, None)), ""));
        assert_eq!(leading_time("[0:01 - 0:02]"), (Some((1_000, Some(2_000))), ""));
        for words in ["[laughs] a", "(12:05", "[12]", "(0:02-0:01)", "[", "12:05 a"] {
            assert_eq!(leading_time(words), (None, words));
        }
    }
}
