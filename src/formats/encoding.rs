//! Bytes to text: UTF-8, UTF-16 and Windows-1251, and a word on what was taken for what.

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251};

use crate::base::text::may_hold_controls;
use crate::base::{Error, Result};

/// An encoding that text files come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 (RFC 3629), with or without a byte-order mark.
    Utf8,
    /// UTF-16, little end first.
    Utf16Le,
    /// UTF-16, big end first.
    Utf16Be,
    /// Windows-1251, the Cyrillic code page (WHATWG Encoding Standard).
    Windows1251,
}

/// How bytes were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The encoding.
    pub encoding: Encoding,
    /// True if nothing in the file says so, and a person should look at the text once.
    pub guessed: bool,
}

impl Encoding {
    /// Its usual name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16 (little-endian)",
            Self::Utf16Be => "UTF-16 (big-endian)",
            Self::Windows1251 => "Windows-1251",
        }
    }
}

impl Taken {
    /// A sentence for the person who delivers, if there is anything to say (UTF-8 needs no word).
    pub fn notice(self) -> Option<String> {
        let name = self.encoding.name();
        match (self.encoding, self.guessed) {
            (Encoding::Utf8, _) => None,
            (_, true) => Some(format!(
                "Nothing in the file tells its encoding; taken for {name}. Look whether its letters came out right."
            )),
            (_, false) => Some(format!("Read as {name}.")),
        }
    }
}

/// The text of `bytes`, at most `most` of them, without a byte-order mark.
///
/// A byte-order mark decides; then valid UTF-8; then UTF-16 by its zero bytes; then Windows-1251, if the result reads like Cyrillic
/// text. Anything else (binary data, control characters, another encoding) is an error.
pub fn decode(bytes: &[u8], most: usize) -> Result<(String, Taken)> {
    if bytes.len() > most {
        return Err(Error::user(
            format!("the file is larger than {} MB", most / 1_000_000),
            "Split it, or check that it is the right file.",
        ));
    }
    let told = |encoding| Taken { encoding, guessed: false };
    let guess = |encoding| Taken { encoding, guessed: true };
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        let text = std::str::from_utf8(rest).map_err(|_| damaged(Encoding::Utf8))?;
        return plain(text.to_owned(), told(Encoding::Utf8));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        return utf16(rest, told(Encoding::Utf16Le));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        return utf16(rest, told(Encoding::Utf16Be));
    }
    // As `str::from_utf8`, but many bytes at once.
    if let Some(text) = UTF_8.decode_without_bom_handling_and_without_replacement(bytes)
        && !text.contains('\0')
    {
        return plain(text.into_owned(), told(Encoding::Utf8));
    }
    if let Some(encoding) = looks_like_utf16(bytes) {
        let (text, taken) = utf16(bytes, guess(encoding))?;
        return if scripts_at_home(&text) { Ok((text, taken)) } else { Err(unknown()) };
    }
    if nearly_utf8(bytes) {
        return Err(Error::user(
            "the file is UTF-8, but damaged in a few places",
            "It may be cut off or damaged: copy it again, or save it as plain text in UTF-8.",
        ));
    }
    let (text, _) = WINDOWS_1251.decode_without_bom_handling(bytes);
    let text = text.into_owned();
    if bytes.contains(&0) || !reads_like_cyrillic(&text) {
        return Err(unknown());
    }
    plain(text, guess(Encoding::Windows1251))
}

fn utf16(bytes: &[u8], taken: Taken) -> Result<(String, Taken)> {
    let table = if taken.encoding == Encoding::Utf16Be { UTF_16BE } else { UTF_16LE };
    let text = table
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or_else(|| if taken.guessed { unknown() } else { damaged(taken.encoding) })?;
    plain(text.into_owned(), taken)
}

/// Which UTF-16 it may be: line ends and spaces leave zero bytes in every second place, and on one side only.
fn looks_like_utf16(bytes: &[u8]) -> Option<Encoding> {
    if bytes.len() < 4 || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let (mut even, mut odd) = (0usize, 0usize);
    for pair in bytes.chunks_exact(2) {
        even += usize::from(pair[0] == 0);
        odd += usize::from(pair[1] == 0);
    }
    let units = bytes.len() / 2;
    match (even, odd) {
        (0, o) if o * 20 >= units => Some(Encoding::Utf16Le),
        (e, 0) if e * 20 >= units => Some(Encoding::Utf16Be),
        _ => None,
    }
}

/// Of what is not ASCII four in five are whole UTF-8 sequences: no other encoding gives that by chance.
fn nearly_utf8(bytes: &[u8]) -> bool {
    let (mut whole, mut broken) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    whole > broken * 4
}

/// Of the characters at least nineteen in twenty are of alphabets that interviews are written in (Latin, Greek, Cyrillic, Armenian,
/// Georgian) or general punctuation: bytes that are no UTF-16 come out as ideographs from all over.
fn scripts_at_home(text: &str) -> bool {
    let (mut all, mut home) = (0usize, 0usize);
    for c in text.chars() {
        all += 1;
        home += usize::from(
            matches!(c, '\0'..='\u{058F}' | '\u{10A0}'..='\u{10FF}' | '\u{1E00}'..='\u{20CF}' | '\u{2116}'),
        );
    }
    home * 20 >= all * 19
}

/// Of the letters above ASCII at least nine in ten are Cyrillic, and small ones outnumber capitals (in KOI8-R read as Windows-1251,
/// and in the DOS code page 866, the cases or the letters come out the other way round), and hardly a word mixes Latin with Cyrillic (accented
/// letters of Western Europe come out as Cyrillic ones within Latin words).
fn reads_like_cyrillic(text: &str) -> bool {
    let (mut high, mut cyrillic, mut small) = (0usize, 0usize, 0usize);
    for c in text.chars().filter(|c| !c.is_ascii()) {
        if matches!(
            c,
            '«' | '»'
                | '–'
                | '—'
                | '…'
                | '„'
                | '“'
                | '”'
                | '‘'
                | '’'
                | '№'
                | '\u{a0}'
                | '\u{ad}'
                | '©'
                | '°'
                | '§'
        ) {
            continue;
        }
        high += 1;
        let letter = matches!(c, '\u{0400}'..='\u{04FF}');
        cyrillic += usize::from(letter);
        small += usize::from(letter && c.is_lowercase());
    }
    let (mut words, mut mixed) = (0usize, 0usize);
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_ascii()) {
        words += 1;
        mixed += usize::from(word.chars().any(|c| c.is_ascii()));
    }
    mixed * 10 <= words && cyrillic > 0 && cyrillic * 10 >= high * 9 && (small * 2 >= cyrillic || cyrillic < 20)
}

/// Refuses control characters, which no text has: they mean binary data or a wrong guess.
fn plain(text: String, taken: Taken) -> Result<(String, Taken)> {
    let bad = |c: char| c == '\u{FFFD}' || (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{0C}' | '\u{85}'));
    if !text.split('\n').any(|line| may_hold_controls(line) && line.chars().any(bad)) {
        return Ok((text, taken));
    }
    if taken.guessed {
        return Err(unknown());
    }
    Err(Error::user("the file has control characters in it and is not plain text", "Save it as plain text in UTF-8."))
}

fn damaged(encoding: Encoding) -> Error {
    Error::user(
        format!("the file says it is {} but is not", encoding.name()),
        "It may be cut off or damaged: copy it again, or save it as plain text in UTF-8.",
    )
}

fn unknown() -> Error {
    Error::user(
        "the file is not text in UTF-8, UTF-16 or Windows-1251",
        "Open it where it was made and save it as plain text in UTF-8.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSSIAN: &str = "И: Когда вы уехали?\r\nО: Весной, через Верхний Ларс. «Дорога» была — долгая.\r\n";

    fn utf16_of(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    }

    #[test]
    fn reads_each_encoding_and_says_which() {
        let cp = WINDOWS_1251.encode(RUSSIAN).0.into_owned();
        let with = |mark: &[u8], body: Vec<u8>| [mark, &body].concat();
        let cases = [
            (RUSSIAN.as_bytes().to_vec(), Encoding::Utf8, false),
            (with(b"\xEF\xBB\xBF", RUSSIAN.into()), Encoding::Utf8, false),
            (with(b"\xFF\xFE", utf16_of(RUSSIAN, false)), Encoding::Utf16Le, false),
            (with(b"\xFE\xFF", utf16_of(RUSSIAN, true)), Encoding::Utf16Be, false),
            (utf16_of(RUSSIAN, false), Encoding::Utf16Le, true),
            (utf16_of(RUSSIAN, true), Encoding::Utf16Be, true),
            (cp, Encoding::Windows1251, true),
        ];
        for (bytes, encoding, guessed) in cases {
            let (text, taken) = decode(&bytes, 1_000_000).unwrap();
            assert_eq!(text, RUSSIAN);
            assert_eq!(taken, Taken { encoding, guessed });
            assert_eq!(taken.notice().is_none(), encoding == Encoding::Utf8);
        }
    }

    #[test]
    fn refuses_what_is_not_text() {
        let koi8 = encoding_rs::KOI8_R.encode(RUSSIAN).0.into_owned();
        let latin = encoding_rs::WINDOWS_1252.encode("Ça été déjà vu à Genève, où l’été").0.into_owned();
        let cases: [&[u8]; 8] = [
            &koi8,
            &latin,
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            b"PK\x03\x04\x14\0\x08\x08",
            b"\xFF\xFEa",
            b"\xFF\xFE\x00\xD8a\0",
            b"\xEF\xBB\xBFab\xFF",
        ];
        for bytes in cases {
            assert!(decode(bytes, 1_000_000).is_err(), "{bytes:?}");
        }
        assert!(decode(b"a\x1b[31mb", 100).is_err());
        let cut = decode(&RUSSIAN.as_bytes()[..RUSSIAN.find('у').unwrap() + 1], 1000).unwrap_err();
        assert!(cut.what().contains("UTF-8, but damaged"), "{cut}");
        assert!(decode(b"abc", 2).is_err());
        assert_eq!(decode(b"", 2).unwrap().0, "");
    }
}
