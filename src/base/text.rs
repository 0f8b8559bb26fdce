//! Bounded text: lengths are checked when a text comes in, never later.

use super::error::{Error, Result};

/// The longest line of text for people that is taken in (a title, a name, a reason), in characters.
pub const LINE: usize = 500;

/// The longest page of text that is taken in (a consent form, a note), in characters.
pub const PAGE: usize = 100_000;

/// [`char::is_alphabetic`], without a look into its tables for the letters of which most words here are made.
pub fn is_letter(c: char) -> bool {
    match c {
        '\0'..='\x7f' => c.is_ascii_alphabetic(),
        '\u{400}'..='\u{481}' => true,
        c => c.is_alphabetic(),
    }
}

/// [`char::is_alphanumeric`], as [`is_letter`].
pub fn is_letter_or_digit(c: char) -> bool {
    match c {
        '\0'..='\x7f' => c.is_ascii_alphanumeric(),
        '\u{400}'..='\u{481}' => true,
        c => c.is_alphanumeric(),
    }
}

/// `text` trimmed, if it is one line of 1 to [`LINE`] characters without control characters.
pub fn line(field: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::user(format!("{field} is empty"), format!("Give {field}.")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::user(format!("{field} has control characters in it"), "Type it as one plain line."));
    }
    bounded(field, text, LINE)
}

/// `text` trimmed at its end, if it is at most [`PAGE`] characters long and has no control characters but line ends and tabs.
pub fn page(field: &str, text: &str) -> Result<String> {
    let text = text.trim_end();
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Error::user(format!("{field} has control characters in it"), "Save it as plain text."));
    }
    bounded(field, text, PAGE)
}

/// Whether there may be control characters (line feeds and tabs aside) or U+FFFD in `text`: `false` is certain, and found out by looking at
/// many bytes at once; `true` asks for a look at each character.
pub fn may_hold_controls(text: &str) -> bool {
    // Behind 0xC2 begin the controls of ISO 6429 (and other characters), behind 0xEF U+FFFD.
    let odd = |b: u8| ((b < 0x20) & (b != b'\n') & (b != b'\t')) | matches!(b, 0x7F | 0xC2 | 0xEF);
    // Without leaving early: that is what lets it go over many bytes at once.
    text.bytes().fold(false, |found, b| found | odd(b))
}

/// A number of things in words: `1 turn`, `2 turns`.
pub fn count<N: TryInto<u64>>(n: N, one: &str, more: &str) -> String {
    match n.try_into() {
        Ok(1) => format!("1 {one}"),
        Ok(n) => format!("{n} {more}"),
        Err(_) => format!("many {more}"),
    }
}

fn bounded(field: &str, text: &str, most: usize) -> Result<String> {
    if text.chars().count() > most {
        return Err(Error::user(format!("{field} is longer than {most} characters"), "Shorten it."));
    }
    Ok(text.to_owned())
}

/// Gives a type that is read and shown as text (`FromStr`, `Display`) the same text in records.
macro_rules! as_text {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
                text.parse().map_err(|e: $crate::base::Error| serde::de::Error::custom(e.what()))
            }
        }
    };
}
pub(crate) use as_text;

/// The bytes that standard base64 with padding stands for (RFC 4648, section 4), if it is that: `=` at the end only, so that bytes have one writing.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    if body.contains('=') || text.len() - body.len() > 2 {
        return None;
    }
    data_encoding::BASE64.decode(text.as_bytes()).ok()
}

/// Gives types that hold what people said, or who they are, a `Debug` that shows their name only.
macro_rules! hidden {
    ($($name:ident),+ $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}
pub(crate) use hidden;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_one_writing() {
        assert_eq!(base64("AAEC").unwrap(), [0, 1, 2]);
        assert_eq!(base64("AA==").unwrap(), [0]);
        assert_eq!(base64("").unwrap(), [0u8; 0]);
        for bad in ["AA==AA==", "AAE=AAEC", "AB==", "AA=", "AA", "AA==\n", "====", "=="] {
            assert!(base64(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn letters_are_those_of_unicode() {
        assert!(('\0'..=char::MAX).all(|c| is_letter(c) == c.is_alphabetic()));
        assert!(('\0'..=char::MAX).all(|c| is_letter_or_digit(c) == c.is_alphanumeric()));
    }
}
