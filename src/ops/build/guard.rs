//! The check at the exit: no name or contact of anybody concerned, and no archive code, leaves in any file.

use std::collections::HashMap;

use rayon::prelude::*;
use unicode_normalization::UnicodeNormalization;

use crate::base::Result;
use crate::domain::code::normalise;
use crate::domain::participant::ParticipantContent;
use crate::domain::study::Study;
use crate::redact::{Class, Detector, KnownEntity};
use crate::session::View;

/// The fewest letters of a single word of a name that is looked for in any writing; shorter ones are found where the engine finds them.
const SHORTEST: usize = 4;

/// Knows everything that may not leave.
pub(super) struct Guard<'g, 'v> {
    view: &'g View<'v>,
    study: &'g Study,
    named: Named,
}

/// Everybody who may not be named.
struct Named {
    detector: Detector,
    /// What follows, by the first word; words in small letters.
    sequences: HashMap<String, Vec<Vec<String>>>,
}

impl<'g, 'v> Guard<'g, 'v> {
    /// For these people, each with a key of their own.
    pub(super) fn new<'p>(
        view: &'g View<'v>,
        study: &'g Study,
        people: impl Iterator<Item = (String, &'p ParticipantContent)>,
    ) -> Self {
        let mut known = Vec::new();
        let mut sequences: HashMap<String, Vec<Vec<String>>> = HashMap::new();
        for (key, person) in people {
            let names: Vec<String> = person.names.iter().chain(&person.also_known_as).cloned().collect();
            for text in names.iter().chain(&person.contacts) {
                let all = words(text);
                add(&mut sequences, &all);
                if names.contains(text) {
                    all.iter().filter(|word| word.chars().count() >= SHORTEST).for_each(|word| {
                        add(&mut sequences, std::slice::from_ref(word));
                    });
                }
            }
            let contacts = person.contacts.clone();
            known.push(KnownEntity { key: key.clone(), class: Class::Person, forms: names, pseudonym: None });
            known.push(KnownEntity { key, class: Class::Contact, forms: contacts, pseudonym: None });
        }
        Self { view, study, named: Named { detector: Detector::new(&known), sequences } }
    }

    /// The first of some turns, as they would leave, in which something may not. With each, the stretches of the original that a person decided may stay.
    pub(super) fn first_in_speech(&self, turns: &[(String, Vec<String>)]) -> Result<Option<usize>> {
        let named = &self.named;
        let first = turns.par_iter().position_first(|(text, kept)| named.in_speech(text, kept));
        for (at, (text, _)) in turns.iter().enumerate().take(first.unwrap_or(turns.len())) {
            if self.code(text)? {
                return Ok(Some(at));
            }
        }
        Ok(first)
    }

    /// The first of some texts of our own in which something may not leave; single words of names are everyday words there.
    pub(super) fn first_in_texts(&self, texts: &[&str]) -> Result<Option<usize>> {
        let named = &self.named;
        let first = texts.par_iter().position_first(|text| named.sequence(text, 2, &[]));
        for (at, text) in texts.iter().enumerate().take(first.unwrap_or(texts.len())) {
            if self.code(text)? {
                return Ok(Some(at));
            }
        }
        Ok(first)
    }

    /// Whether an archive code of the vault stands in the text, in any of the forms in which people write them.
    fn code(&self, text: &str) -> Result<bool> {
        let chars: Vec<char> = text.chars().collect();
        for at in 0..chars.len() {
            let inside = at > 0 && chars.get(at - 1).is_some_and(|c| c.is_alphanumeric());
            if inside || !chars.get(at).is_some_and(|c| c.is_alphabetic()) {
                continue;
            }
            if let Some(candidate) = candidate(&chars[at..])
                && let Ok((code, _)) = normalise(&candidate, self.study)
                && self.view.lookup_code(code.as_str())?.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Named {
    fn in_speech(&self, text: &str, kept: &[String]) -> bool {
        let allowed: Vec<Vec<String>> = kept.iter().map(|kept| words(kept)).collect();
        let engine = self.detector.detect_known(text).into_iter().any(|span| {
            let found: String = text.chars().skip(span.start).take(span.end - span.start).collect();
            !within(&allowed, &words(&found))
        });
        engine || self.sequence(text, 1, &allowed)
    }

    fn sequence(&self, text: &str, least: usize, allowed: &[Vec<String>]) -> bool {
        let words = words(text);
        (0..words.len()).any(|at| {
            let known = words.get(at).and_then(|first| self.sequences.get(first));
            known.into_iter().flatten().any(|sequence| {
                sequence.len() >= least
                    && words.get(at..at + sequence.len()) == Some(sequence.as_slice())
                    && !within(allowed, sequence)
            })
        })
    }
}

/// Whether words stand, whole and in a row, in something that a person decided to keep.
fn within(allowed: &[Vec<String>], sequence: &[String]) -> bool {
    !sequence.is_empty() && allowed.iter().any(|kept| kept.windows(sequence.len()).any(|w| w == sequence))
}

/// What could be a code at the beginning: up to eight letters, at most one separator, and a number that nothing goes on from. With a space between,
/// only capitals count: "am 5" is no code.
fn candidate(chars: &[char]) -> Option<String> {
    let letters = chars.iter().take_while(|c| c.is_alphabetic()).count();
    let separator = chars.get(letters).filter(|c| !c.is_alphanumeric());
    let from = letters + usize::from(separator.is_some());
    let digits = chars.get(from..)?.iter().take_while(|c| c.is_numeric()).count();
    let end = from + digits;
    let goes_on = chars.get(end).is_some_and(|c| c.is_alphanumeric());
    let spaced = separator.is_some_and(|c| c.is_whitespace()) && !chars[..letters].iter().all(|c| c.is_uppercase());
    if letters > 8 || digits == 0 || digits > 9 || goes_on || spaced || separator.is_some_and(|c| c.is_control()) {
        return None;
    }
    Some(chars[..end].iter().collect())
}

fn add(sequences: &mut HashMap<String, Vec<Vec<String>>>, words: &[String]) {
    let Some(first) = words.first() else { return };
    // One short word is too common to be looked for by itself.
    if words.len() == 1 && first.chars().count() < SHORTEST {
        return;
    }
    let known = sequences.entry(first.clone()).or_default();
    if !known.iter().any(|sequence| sequence == words) {
        known.push(words.to_vec());
    }
}

/// The words of a text: letters and digits, compatibility forms folded, in small letters, ё as е.
fn words(text: &str) -> Vec<String> {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).map(|c| if c == 'ё' { 'е' } else { c }).collect();
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_codes_and_not_sentences() {
        let of = |text: &str| candidate(&text.chars().collect::<Vec<_>>());
        for (text, found) in [
            ("AM-05 said", Some("AM-05")),
            ("am_05", Some("am_05")),
            ("AM05.", Some("AM05")),
            ("AM 5,", Some("AM 5")),
            ("ЕЕ–01", Some("ЕЕ–01")),
            ("am 5 years", None),
            ("AM-05b", None),
            ("AM--05", None),
            ("AM-", None),
            ("Departures 12", None),
        ] {
            assert_eq!(of(text).as_deref(), found, "{text}");
        }
    }

    #[test]
    fn words_fold_case_and_yo() {
        assert_eq!(words("Лёва Белозёров, a.b@C.example"), ["лева", "белозеров", "a", "b", "c", "example"]);
    }
}
