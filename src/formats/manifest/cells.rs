//! What stands in the cells of a manifest, value by value.

use super::{ParticipantRef, TranscriptParent, Word};
use crate::base::text;
use crate::base::time::Date;
use crate::base::{Error, Result};
use crate::formats::{DeliveryPath, clock};

/// The longest code or label, in characters.
const SHORT: usize = 64;
/// The most parts of a list.
const MOST_PARTS: usize = 100;

fn user(what: &str, remedy: impl Into<String>) -> Error {
    Error::user(what, remedy)
}

/// One short line: a code, a label, a form version.
pub(super) fn short(value: &str) -> Result<String> {
    let value = text::line("the value", value)?;
    if value.chars().count() > SHORT {
        return Err(user("the value is too long", format!("Use at most {SHORT} characters.")));
    }
    Ok(value)
}

/// A label: as it stands before the colon in a transcript.
pub(super) fn label(value: &str) -> Result<String> {
    let value = short(value.trim().trim_end_matches(':'))?;
    if value.contains(':') {
        return Err(user(
            "a label has a colon in it",
            "Write the label as it stands before the colon in the transcript.",
        ));
    }
    Ok(value)
}

/// One line of text.
pub(super) fn line(value: &str) -> Result<String> {
    text::line("the value", value)
}

/// Free text.
pub(super) fn page(value: &str) -> Result<String> {
    text::page("the value", value)
}

/// A date; in another form, a word on the one that is wanted.
pub(super) fn date(value: &str) -> Result<Date> {
    if let Ok(date) = value.parse() {
        return Ok(date);
    }
    let remedy = "Write year, month and day as in 2023-05-17.";
    let numbers =
        value.split(['.', '/', '-']).filter(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())).count();
    if value.len() > 10 && value.get(..10).is_some_and(|head| head.parse::<Date>().is_ok()) {
        return Err(user("the date has a time with it", "Write the day alone, as in 2023-05-17."));
    }
    if numbers == 3 {
        return Err(user("the date is not of the form 2023-05-17, or there is no such day", remedy));
    }
    if value.len() == 5 && value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(user(
            "the date is a bare number, as a spreadsheet counts days",
            "Format the column as a date, or write it as in 2023-05-17.",
        ));
    }
    Err(user("this is not a date of the form 2023-05-17", remedy))
}

/// A BCP 47 tag (RFC 5646) by its form, in its usual case: `sr-Latn-RS`.
pub(super) fn language(value: &str) -> Result<String> {
    let bad = || user("this is not a language tag", "Write a BCP 47 tag, such as ru, hy or sr-Latn.");
    let mut out = Vec::new();
    for (i, part) in value.split('-').enumerate() {
        let letters = part.bytes().all(|b| b.is_ascii_alphabetic());
        if !part.bytes().all(|b| b.is_ascii_alphanumeric()) || part.len() > 8 || i > 7 {
            return Err(bad());
        }
        out.push(match (i, part.len()) {
            (0, 2 | 3) if letters => part.to_ascii_lowercase(),
            (0, _) | (_, 0) => return Err(bad()),
            (_, 2) if letters => part.to_ascii_uppercase(),
            (_, 4) if letters => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
            _ => part.to_ascii_lowercase(),
        });
    }
    Ok(out.join("-"))
}

/// A year of birth.
pub(super) fn year(value: &str) -> Result<i32> {
    let digits = value.len() == 4 && value.bytes().all(|b| b.is_ascii_digit());
    let year = if digits { value.parse().ok() } else { None };
    year.filter(|y| (1850..=2100).contains(y))
        .ok_or_else(|| user("this is not a year of birth", "Write four digits, such as 1987, or leave it empty."))
}

/// A word of a closed list.
pub(super) fn word<W: Word>(value: &str) -> Result<W> {
    let bare: String =
        value.trim().to_lowercase().split([' ', '-', '_']).filter(|p| !p.is_empty()).collect::<Vec<_>>().join("_");
    W::WORDS.iter().find(|(word, _)| *word == bare).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = W::WORDS.iter().map(|(word, _)| *word).collect();
        user("the word is not known here", format!("Write one of: {}.", words.join(", ")))
    })
}

/// Parts separated by `;`.
pub(super) fn list(value: &str) -> Result<Vec<String>> {
    let mut out: Vec<String> = Vec::new();
    for part in value.split(';').map(str::trim).filter(|p| !p.is_empty()) {
        let part = line(part)?;
        if !out.contains(&part) {
            out.push(part);
        }
    }
    if out.len() > MOST_PARTS {
        return Err(user("the list is too long", format!("Give at most {MOST_PARTS} parts.")));
    }
    Ok(out)
}

/// `word=value` pairs separated by `;`, in small letters, dashes and spaces within a word as `_`; words differ.
pub(super) fn pairs(value: &str) -> Result<Vec<(String, String)>> {
    let mut out: Vec<(String, String)> = Vec::new();
    for part in list(value)? {
        let pair =
            part.split_once('=').map(|(a, b)| (tidy(a), tidy(b))).filter(|(a, b)| !a.is_empty() && !b.is_empty());
        let Some((word, state)) = pair else {
            return Err(user(
                "an exception is not of the form module=state",
                "Write as in quote_audio=refused; teaching=not_asked.",
            ));
        };
        if out.iter().any(|(known, _)| *known == word) {
            return Err(user("an exception stands twice", "Name each module once."));
        }
        // A date keeps its dashes.
        let state = if state.parse::<Date>().is_ok() { state } else { state.replace('-', "_") };
        out.push((word.replace('-', "_"), state));
    }
    Ok(out)
}

fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join("_").to_lowercase()
}

/// A file of the delivery.
pub(super) fn file(value: &str) -> Result<DeliveryPath> {
    DeliveryPath::parse(value)
}

/// A place in a recording.
pub(super) fn time(value: &str) -> Result<u64> {
    clock::parse(value, true)
        .ok_or_else(|| user("this is not a time in a recording", "Write it as in 0:12:05, or in seconds."))
}

/// `CODE:LABEL`.
pub(super) fn participant(value: &str) -> Result<ParticipantRef> {
    let bad = || {
        user(
            "this does not name a participant of another interview",
            "Write its code and the label there, as in AM-05:R.",
        )
    };
    let (code, name) = value.rsplit_once(':').ok_or_else(bad)?;
    let code_raw = short(code).map_err(|_| bad())?;
    Ok(ParticipantRef { code_raw, label: label(name).map_err(|_| bad())? })
}

/// A version number, or a file.
pub(super) fn parent(value: &str) -> Result<TranscriptParent> {
    let number = value.strip_prefix(['v', 'V']).unwrap_or(value);
    if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        let version = number.parse().ok().filter(|n| (1..=100_000).contains(n));
        return version
            .map(TranscriptParent::Version)
            .ok_or_else(|| user("there is no such version", "Versions count from 1."));
    }
    file(value).map(TranscriptParent::File)
}

#[cfg(test)]
mod tests {
    use super::super::{DocumentKind, SpeakerRole};
    use super::*;

    #[test]
    fn dates_in_other_forms_are_told_the_wanted_one() {
        assert_eq!(date("2023-05-17").unwrap().to_string(), "2023-05-17");
        for bad in [
            "17.05.2023",
            "05/17/2023",
            "2023-5-17",
            "2023-02-30",
            "45063",
            "May 2023",
            "2023-05-17T09:30:00",
            "17 мая",
        ] {
            let error = date(bad).unwrap_err();
            assert!(error.remedy().contains("2023-05-17") && !error.what().contains(bad), "{bad}");
        }
    }

    #[test]
    fn tags_words_years() {
        assert_eq!(language("SR-latn-rs").unwrap(), "sr-Latn-RS");
        assert_eq!(language("zh-hant-tw-x-foo").unwrap(), "zh-Hant-TW-x-foo");
        for bad in ["", "русский", "ru; hy", "ru_RU", "r", "russian", "ru--x"] {
            assert!(language(bad).is_err(), "{bad}");
        }
        assert_eq!(word::<DocumentKind>("Field notes").unwrap(), DocumentKind::FieldNotes);
        assert!(word::<SpeakerRole>("boss").unwrap_err().remedy().contains("interviewer"));
        assert_eq!(year("1987").unwrap(), 1987);
        for bad in ["87", "19870", "1987.0", "2200", "+987"] {
            assert!(year(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lists_pairs_and_references() {
        assert_eq!(list(" a;; b ;a").unwrap(), ["a", "b"]);
        let wanted = [("quote_audio", "refused"), ("embargo", "2030-01-01"), ("teaching", "not_asked")];
        let got = pairs("Quote audio = refused; embargo=2030-01-01;teaching=not asked;").unwrap();
        assert_eq!(got.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>(), wanted);
        for bad in ["teaching", "=x", "x=", "a=b;A=c"] {
            assert!(pairs(bad).is_err(), "{bad}");
        }
        let found = participant("AM-05:R1").unwrap();
        assert_eq!((found.code_raw.as_str(), found.label.as_str()), ("AM-05", "R1"));
        for bad in ["AM-05", ":R", "AM-05:", ""] {
            assert!(participant(bad).is_err(), "{bad}");
        }
        assert!(parent("2").unwrap() == TranscriptParent::Version(2));
        assert!(parent("a/2.txt").unwrap() == TranscriptParent::File(DeliveryPath::parse("a/2.txt").unwrap()));
        assert!(parent("0").is_err());
        assert_eq!(label("R:").unwrap(), "R");
        assert!(label("a:b").is_err());
    }
}
