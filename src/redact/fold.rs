//! Fold: text made comparable, with the way back to the code points of the original.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, is_combining_mark};

use crate::base::text::is_letter;

/// The most code points that are looked at in one go. Longer texts are cut at a line end or a space near here.
const WINDOW: usize = 1 << 16;

/// How far a window reaches back into the one before it, so that nothing is lost at a cut.
const OVERLAP: usize = 1 << 9;

/// A stretch of a text.
pub(super) struct Window<'t> {
    /// The stretch.
    pub text: &'t str,
    /// Its first code point, counted in the whole text.
    pub start: usize,
}

/// `text` in stretches of bounded length that overlap a little.
pub(super) fn windows(text: &str) -> Vec<Window<'_>> {
    let mut out = Vec::new();
    let (mut rest, mut start) = (text, 0);
    loop {
        let Some((limit, _)) = rest.char_indices().nth(WINDOW) else {
            out.push(Window { text: rest, start });
            return out;
        };
        let (head, _) = rest.split_at(limit);
        let cut =
            head.rfind('\n').filter(|&at| at > limit / 2).or_else(|| last_space(head, limit / 2)).unwrap_or(limit);
        let (head, _) = rest.split_at(cut);
        out.push(Window { text: head, start });
        let back = head.char_indices().rev().nth(OVERLAP).map_or(cut, |(at, _)| at);
        let back = last_space(&head[..back], back / 2).unwrap_or(back);
        start += head[..back].chars().count();
        rest = &rest[back..];
    }
}

fn last_space(text: &str, above: usize) -> Option<usize> {
    text.rfind(char::is_whitespace).filter(|&at| at > above)
}

/// Whether the text is written without capitals, as raw recogniser output is.
pub(super) fn is_caseless(text: &str) -> bool {
    let (mut upper, mut letters, mut last) = (0usize, 0usize, ' ');
    for c in text.chars().filter(|c| is_letter(*c) || c.is_whitespace()).take(20_000) {
        letters += usize::from(is_letter(c));
        // a capital alone is a speaker's label
        upper += usize::from(last.is_uppercase() && is_letter(c));
        last = c;
    }
    upper * 300 < letters
}

/// A text in compatibility form: full-width and other dressed-up characters plain, accents composed, invisible
/// characters gone, spaces and dashes and apostrophes of one kind. Case and script stay.
pub(super) struct Folded {
    /// The folded text.
    pub text: String,
    /// For each byte of it, the code point of the original it comes from, and one past the last that belongs to it.
    origin: Vec<(u32, u32)>,
    start: usize,
}

impl Folded {
    /// Folds a stretch that begins at code point `start` of the whole text.
    pub(super) fn new(text: &str, start: usize) -> Self {
        let mut folded =
            Self { text: String::with_capacity(text.len()), origin: Vec::with_capacity(text.len()), start };
        let mut last: Option<char> = None;
        for (point, c) in (0u32..).zip(text.chars()) {
            if c.is_ascii() {
                folded.push(c, point);
                last = Some(c);
            } else if !is_invisible(c) {
                for part in std::iter::once(c).nfkc() {
                    last = folded.take(last, plain(part), point);
                }
            }
        }
        folded
    }

    /// The code points of the original behind bytes `from..to` of the folded text.
    pub(super) fn range(&self, from: usize, to: usize) -> (usize, usize) {
        let start = self.origin.get(from).map_or(0, |o| o.0 as usize);
        let end = to.checked_sub(1).and_then(|at| self.origin.get(at)).map_or(start, |o| o.1 as usize);
        (self.start + start, self.start + end.max(start))
    }

    /// Takes one character in, composing a mark with the letter before it. Returns the last character now.
    fn take(&mut self, last: Option<char>, c: char, point: u32) -> Option<char> {
        if !is_combining_mark(c) {
            self.push(c, point);
            return Some(c);
        }
        let last = last?;
        if let Some(both) = compose(last, c) {
            let from = self.text.len() - last.len_utf8();
            let begin = self.origin.get(from).map_or(point, |o| o.0);
            self.text.truncate(from);
            self.origin.truncate(from);
            self.push(both, begin);
            self.stretch(both.len_utf8(), point + 1);
            return Some(both);
        }
        self.stretch(last.len_utf8(), point + 1);
        Some(last)
    }

    fn push(&mut self, c: char, point: u32) {
        self.text.push(c);
        self.origin.extend(std::iter::repeat_n((point, point + 1), c.len_utf8()));
    }

    /// The last `bytes` bytes now stand for everything up to code point `end`.
    fn stretch(&mut self, bytes: usize, end: u32) {
        for origin in self.origin.iter_mut().rev().take(bytes) {
            origin.1 = end;
        }
    }
}

/// Characters that are not seen: zero-width, joiners, direction marks, soft hyphens, variation selectors.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// One kind of space, dash, apostrophe; digits of other scripts as ASCII.
fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2e3a}' | '\u{2e3b}' | '\u{fe58}' => '-',
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{2b9}' | '\u{b4}' | '\u{60}' | '\u{2032}' => '\'',
        '\u{660}'..='\u{669}' => digit(c, 0x660),
        '\u{6f0}'..='\u{6f9}' => digit(c, 0x6f0),
        '\u{966}'..='\u{96f}' => digit(c, 0x966),
        '\u{1810}'..='\u{1819}' => digit(c, 0x1810),
        c if c.is_whitespace() && c != '\n' => ' ',
        c => c,
    }
}

fn digit(c: char, zero: u32) -> char {
    char::from_digit((c as u32).saturating_sub(zero), 10).unwrap_or(c)
}

/// A word as a key for comparing: lower case, without accents (so ё is е and й is и), within its script.
pub(super) fn key(word: &str) -> String {
    word.chars().map(quick).collect::<Option<String>>().unwrap_or_else(|| slow_key(word))
}

/// The key of a letter of most words here, if they are made of such alone.
fn quick(c: char) -> Option<char> {
    match c {
        '\0'..='\x7f' => Some(c.to_ascii_lowercase()),
        'ё' | 'Ё' => Some('е'),
        'й' | 'Й' => Some('и'),
        'а'..='я' => Some(c),
        'А'..='Я' => char::from_u32(c as u32 + 0x20),
        _ => None,
    }
}

fn slow_key(word: &str) -> String {
    let mut key = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase).nfd().filter(|&c| !is_combining_mark(c)) {
        match letter(c) {
            "" => key.push(c),
            other => key.push_str(other),
        }
    }
    key
}

/// Letters that do not fall apart into a plain letter and an accent.
fn letter(c: char) -> &'static str {
    match c {
        'ł' => "l",
        'đ' => "d",
        'ø' => "o",
        'ı' => "i",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        _ => "",
    }
}

/// The keys under which a word may be looked up: itself, and, where it mixes scripts or is made of look-alikes only,
/// the same letters read as Cyrillic and as Latin.
pub(super) fn keys(word: &str) -> Vec<String> {
    let own = key(word);
    let cyrillic = word.chars().filter(|&c| is_cyrillic(c)).count();
    let latin = word.chars().filter(|&c| is_latin(c)).count();
    let mut out = Vec::with_capacity(1);
    let long = cyrillic + latin >= 3;
    if latin > 0 && (cyrillic > 0 || long) {
        out.extend(swapped(word, is_latin, to_cyrillic));
    }
    if cyrillic > 0 && (latin > 0 || long) {
        out.extend(swapped(word, is_cyrillic, to_latin));
    }
    out.retain(|other| *other != own);
    out.insert(0, own);
    out
}

/// The key of `word` with every letter of one script replaced by its look-alike; `None` if one has none. Looked up
/// with case kept, for look-alikes differ by it (`H` is Н, `h` is not).
fn swapped(word: &str, of: fn(char) -> bool, other: fn(char) -> Option<char>) -> Option<String> {
    let word: Option<String> = word.chars().map(|c| if of(c) { other(c) } else { Some(c) }).collect();
    word.map(|w| key(&w))
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{c0}'..='\u{24f}' if c.is_alphabetic())
}

fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52f}')
}

const TWINS: &[(char, char)] = &[
    ('a', 'а'),
    ('c', 'с'),
    ('e', 'е'),
    ('o', 'о'),
    ('p', 'р'),
    ('x', 'х'),
    ('y', 'у'),
    ('k', 'к'),
    ('i', 'і'),
    ('s', 'ѕ'),
    ('j', 'ј'),
    ('h', 'һ'),
    ('ë', 'ё'),
    ('A', 'А'),
    ('B', 'В'),
    ('C', 'С'),
    ('E', 'Е'),
    ('H', 'Н'),
    ('K', 'К'),
    ('M', 'М'),
    ('O', 'О'),
    ('P', 'Р'),
    ('T', 'Т'),
    ('X', 'Х'),
    ('Y', 'У'),
    ('I', 'І'),
    ('S', 'Ѕ'),
    ('J', 'Ј'),
    ('Ë', 'Ё'),
    ('m', 'м'),
    ('t', 'т'),
];

fn to_cyrillic(c: char) -> Option<char> {
    TWINS.iter().find(|t| t.0 == c).map(|t| t.1)
}

fn to_latin(c: char) -> Option<char> {
    TWINS.iter().find(|t| t.1 == c).map(|t| t.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(text: &str, part: &str) -> String {
        let folded = Folded::new(text, 0);
        let at = folded.text.find(part).unwrap();
        let (start, end) = folded.range(at, at + part.len());
        text.chars().skip(start).take(end - start).collect()
    }

    #[test]
    fn finds_the_way_back() {
        assert_eq!(back("😀😀 Верa", "Верa"), "Верa");
        assert_eq!(back("а В\u{200b}ер\u{301}а б", "Вера"), "В\u{200b}ер\u{301}а");
        assert_eq!(back("и\u{306}од", "йод"), "и\u{306}од");
        assert_eq!(back("x １２３ y", "123"), "１２３");
        assert_eq!(back("ﬁn", "fi"), "ﬁ");
        assert_eq!(back("a\u{a0}–\u{a0}b", "a - b"), "a\u{a0}–\u{a0}b");
    }

    #[test]
    fn look_alikes_give_the_same_key() {
        for word in ["Вeра", "Bера", "BEPA", "ВЕРА", "вёра"] {
            assert!(keys(word).contains(&key("Вера")), "{word}");
        }
        assert_eq!(key("Łukasz"), "lukasz");
        assert!(keys("Igоr").contains(&key("Igor")));
        assert_eq!(keys("дом"), ["дом"]);
    }

    #[test]
    fn the_quick_way_gives_the_same_key() {
        for c in ('\0'..='\u{4ff}').filter(|c| quick(*c).is_some()) {
            for word in [c.to_string(), format!("а{c}Ё"), format!("{c}z")] {
                assert_eq!(key(&word), slow_key(&word), "{word}");
            }
        }
        assert_eq!(key("и\u{306}од"), "иод");
    }

    #[test]
    fn windows_cover_everything() {
        for text in ["а ".repeat(200_000), "я".repeat(300_000), "line\n".repeat(50_000), String::new()] {
            let mut covered = 0;
            for window in windows(&text) {
                assert!(window.start <= covered);
                assert!(window.text.chars().count() <= WINDOW);
                covered = covered.max(window.start + window.text.chars().count());
            }
            assert_eq!(covered, text.chars().count());
        }
    }
}
