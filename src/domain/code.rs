//! Archive codes: how a study writes them, and what people type instead.
//!
//! A code is a site's prefix, a separator and a number: `AM-05`. Field teams write `am 5`, `AM_05`, an en dash, the Cyrillic `АМ-05`. All
//! of these are one code ([`normalise`]); none is ever taken for a new one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

use super::study::Study;
use crate::base::{Error, Result};

/// The longest thing that is looked at as a code, in characters.
const MAX_RAW: usize = 64;

/// Most digits of a number: beyond any archive, and within 32 bits.
const MAX_DIGITS: usize = 9;

/// How a study writes its codes: `{site}-{number:02}`.
///
/// `{site}`, then nothing or one of `-`, `_`, `.`, `/`, then `{number}` or `{number:0W}` with a least width W of 1 to 6 digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodePattern {
    separator: Option<char>,
    width: usize,
}

/// An archive code in the study's form. Says who: shown by `Display` only, never by `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(String);

/// A way in which a code was written otherwise than the study writes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// Small letters.
    Case,
    /// Another separator, or none, or spaces.
    Separator,
    /// Letters of another alphabet, or letters and digits taken for each other.
    LookAlike,
    /// Full-width or otherwise composed characters, or digits of another script.
    Width,
    /// Characters that cannot be seen.
    Invisible,
    /// Leading zeros left out or added.
    Zeros,
}

/// Says that a code was not written in the study's form, and in which ways; the code itself is not in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Notice {
    /// The ways, each once; at least one.
    pub variants: Vec<Variant>,
}

impl CodePattern {
    /// The code of a site's number.
    pub fn code(&self, prefix: &str, number: u32) -> Code {
        let separator = self.separator.map(String::from).unwrap_or_default();
        Code(format!("{prefix}{separator}{}", self.digits(number)))
    }

    fn digits(&self, number: u32) -> String {
        format!("{number:0width$}", width = self.width)
    }
}

impl FromStr for CodePattern {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            let what = "the code pattern is not a site, a separator and a number";
            Error::user(what, "Write it as `{site}-{number:02}`; the separator is one of - _ . / or nothing.")
        };
        let rest = text.strip_prefix("{site}").ok_or_else(bad)?;
        let (separator, number) = rest.split_once("{number").ok_or_else(bad)?;
        let mut chars = separator.chars();
        let separator = match (chars.next(), chars.next()) {
            (None, _) => None,
            (Some(c @ ('-' | '_' | '.' | '/')), None) => Some(c),
            _ => return Err(bad()),
        };
        let width = match number.as_bytes() {
            b"}" => 1,
            [b':', b'0', width @ b'1'..=b'6', b'}'] => usize::from(width - b'0'),
            _ => return Err(bad()),
        };
        Ok(Self { separator, width })
    }
}

impl fmt::Display for CodePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{site}")?;
        if let Some(c) = self.separator {
            write!(f, "{c}")?;
        }
        if self.width > 1 { write!(f, "{{number:0{}}}", self.width) } else { f.write_str("{number}") }
    }
}

impl Serialize for CodePattern {
    fn serialize<S: Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl Code {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The prefix of its site: the letters that it begins with.
    pub fn prefix(&self) -> &str {
        let end = self.0.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(self.0.len());
        self.0.get(..end).unwrap_or_default()
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        let digits = self.0.trim_start_matches(|c: char| !c.is_ascii_digit());
        digits.parse().unwrap_or_default()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |v: &Variant| match v {
            Variant::Case => "small letters",
            Variant::Separator => "another separator",
            Variant::LookAlike => "look-alike letters",
            Variant::Width => "characters of another width or script",
            Variant::Invisible => "invisible characters",
            Variant::Zeros => "other leading zeros",
        };
        let ways: Vec<&str> = self.variants.iter().map(words).collect();
        write!(f, "the code is written with {}; it was read in the study's form", ways.join(", "))
    }
}

/// The code that `raw` means in this study, and a notice if it was written otherwise.
///
/// White space around it is cut without a word. Recognised: small letters; any dash, `_`, `.`, `/`, spaces or nothing between prefix and number; look-alike letters of Cyrillic, Greek and Armenian;
/// full-width characters and digits of other scripts; invisible characters; leading zeros, more or fewer; in the number the letters O, I and L
/// for 0 and 1, if a separator stands before it and a digit is in it. Anything else is an error, and so is a prefix that no site has.
pub fn normalise(raw: &str, study: &Study) -> Result<(Code, Option<Notice>)> {
    let bad = || {
        let what = "this is not an archive code of the study";
        Error::user(what, format!("Codes are written {}, such as {}.", study.code_pattern, example(study)))
    };
    if raw.chars().count() > MAX_RAW {
        return Err(bad());
    }
    let mut variants = Vec::new();
    let plain = plain(raw, &mut variants);
    let letters = plain.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(plain.len());
    let (prefix, rest) = plain.split_at(letters);
    let digits_at = rest.find(|c: char| !is_separator(c)).unwrap_or(rest.len());
    let (separator, digits) = rest.split_at(digits_at);
    let digits = number(digits, !separator.is_empty(), &mut variants).ok_or_else(bad)?;
    if prefix.is_empty() {
        return Err(bad());
    }
    if study.site(prefix).is_none() {
        return Err(unknown_prefix(prefix, study));
    }
    let value: u32 = digits.parse().map_err(|_| bad())?;
    let code = study.code_pattern.code(prefix, value);
    if separator != study.code_pattern.separator.map(String::from).unwrap_or_default() {
        variants.push(Variant::Separator);
    }
    if digits != study.code_pattern.digits(value) {
        variants.push(Variant::Zeros);
    }
    variants.sort_unstable();
    variants.dedup();
    if variants.is_empty() && code.0 != raw.trim() {
        return Err(Error::bug("a code was changed without a reason"));
    }
    Ok((code, (!variants.is_empty()).then_some(Notice { variants })))
}

/// `text` in Latin capitals as far as its letters look like them; the skeleton by which prefixes are compared.
pub(super) fn latin_letters(text: &str) -> String {
    plain(text, &mut Vec::new())
}

fn example(study: &Study) -> Code {
    study.code_pattern.code(study.sites.first().map_or("AM", |s| s.prefix.as_str()), 5)
}

fn unknown_prefix(prefix: &str, study: &Study) -> Error {
    let known: Vec<&str> = study.sites.iter().map(|s| s.prefix.as_str()).take(50).collect();
    let mut in_country = study.sites.iter().filter(|s| s.country == prefix);
    let hint = match (in_country.next(), in_country.next()) {
        (Some(site), None) => format!(" The site in that country has the prefix {}.", site.prefix),
        _ => String::new(),
    };
    Error::user(
        "the code begins with no prefix of a site",
        format!("The sites of this study are {}.{hint}", known.join(", ")),
    )
}

/// Capitals, ASCII where a character is or looks like ASCII, spaces and what cannot be seen cut; notes what was changed.
fn plain(raw: &str, variants: &mut Vec<Variant>) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.chars() {
        if is_invisible(c) {
            variants.push(Variant::Invisible);
            continue;
        }
        let composed: Vec<char> = std::iter::once(c).nfkc().collect();
        if composed != [c] && !c.is_whitespace() {
            variants.push(Variant::Width);
        }
        for c in composed {
            if let Some(digit) = digit_of(c) {
                if !c.is_ascii() {
                    variants.push(Variant::Width);
                }
                out.push(digit);
                continue;
            }
            let mut capitals = c.to_uppercase();
            let upper = capitals.next().filter(|_| capitals.next().is_none()).unwrap_or(c);
            let latin = latin(upper);
            if latin != upper {
                variants.push(Variant::LookAlike);
            } else if upper != c {
                variants.push(Variant::Case);
            }
            out.push(latin);
        }
    }
    out.trim().to_owned()
}

/// The digits of a number; O, I and L among digits are 0 and 1 if `separated` from the prefix.
fn number(text: &str, separated: bool, variants: &mut Vec<Variant>) -> Option<String> {
    let mut digits = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            'O' | 'I' | 'L' if separated => {
                variants.push(Variant::LookAlike);
                digits.push(if c == 'O' { '0' } else { '1' });
            }
            _ => return None,
        }
    }
    let real = text.bytes().any(|b| b.is_ascii_digit());
    let significant = digits.trim_start_matches('0').len();
    (real && significant <= MAX_DIGITS).then_some(digits)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '_' | '.' | '/' | '\\' | '~' | '\u{2010}'
                ..='\u{2015}' | '\u{2212}' | '\u{2043}' | '\u{2e3a}' | '\u{2e3b}'
        )
        || matches!(
            c,
            '\u{fe58}' | '\u{fe63}' | '\u{058a}' | '\u{30fc}' | '\u{02d7}' | '\u{00b7}' | '\u{2044}' | '\u{203f}'
        )
}

/// Format controls, joiners, direction marks, variation selectors and soft hyphens.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{115f}' | '\u{1160}' | '\u{3164}')
}

/// The ASCII digit of a decimal digit of a script in use where interviews are made.
fn digit_of(c: char) -> Option<char> {
    const ZEROS: [u32; 7] = [0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xe50];
    let point = u32::from(c);
    let zero = ZEROS.into_iter().find(|zero| (*zero..zero + 10).contains(&point))?;
    char::from_digit(point - zero, 10)
}

/// The Latin capital that a capital looks like, after Unicode UTS 39 (confusables), for the alphabets at hand.
fn latin(c: char) -> char {
    match c {
        // Cyrillic
        'А' => 'A',
        'В' => 'B',
        'С' => 'C',
        'Ԁ' => 'D',
        'Е' | 'Ё' => 'E',
        'Ԍ' => 'G',
        'Н' => 'H',
        'І' | 'Ї' | 'Ӏ' => 'I',
        'Ј' => 'J',
        'К' => 'K',
        'М' => 'M',
        'О' => 'O',
        'Р' => 'P',
        'Ԛ' => 'Q',
        'Ѕ' => 'S',
        'Т' => 'T',
        'Ѵ' => 'V',
        'Ԝ' => 'W',
        'Х' => 'X',
        'У' | 'Ү' => 'Y',
        // Greek
        'Α' => 'A',
        'Β' => 'B',
        'Ε' => 'E',
        'Ζ' => 'Z',
        'Η' => 'H',
        'Ι' => 'I',
        'Κ' => 'K',
        'Μ' => 'M',
        'Ν' => 'N',
        'Ο' => 'O',
        'Ρ' => 'P',
        'Τ' => 'T',
        'Υ' => 'Y',
        'Χ' => 'X',
        'Ϲ' => 'C',
        'Ϳ' => 'J',
        // Armenian
        'Ս' => 'U',
        'Օ' => 'O',
        'Տ' => 'S',
        'Լ' => 'L',
        // Turkish
        'İ' => 'I',
        other => other,
    }
}
