//! The check at the exit: no name or contact of anybody concerned, and no archive code, leaves in any file.

use std::collections::{BTreeMap, HashMap};

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use crate::base::Result;
use crate::base::text::{is_letter, is_letter_or_digit};
use crate::domain::code::{Code, normalise};
use crate::domain::participant::ParticipantContent;
use crate::domain::study::Study;
use crate::redact::{Class, Detector, KnownEntity, singles_out};
use crate::session::View;

/// The fewest letters of a single word of a name that is looked for in any writing; shorter ones are found where the engine finds them.
const SHORTEST: usize = 4;

/// Knows everything that may not leave but the archive codes, which the vault knows ([`Findings::first`]): of everybody in the extract whole names, contacts
/// and the words of names that single somebody out. With many people, whatever can be made of all their given names are words of every conversation.
pub(super) struct Guard<'g> {
    study: &'g Study,
    sequences: Sequences,
}

/// What may not leave of the people of one interview: their names in every form, each word of them.
pub(super) struct Own {
    detector: Detector,
    sequences: Sequences,
}

/// Names and contacts by the first word; words in small letters.
#[derive(Default)]
struct Sequences(HashMap<String, Vec<Vec<String>>>);

/// One turn as it would leave.
pub(super) struct Spoken {
    /// Counted from 1.
    pub(super) number: usize,
    /// Who speaks, as the extract calls them.
    pub(super) label: String,
    /// What.
    pub(super) words: String,
    /// The stretches of the original that a person decided may stay.
    pub(super) kept: Vec<String>,
}

/// Where something stands; the turns come first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Place {
    /// In the turn of that number.
    Turn(usize),
    /// In the file, or its name.
    File,
}

/// What may not leave of a text, as far as can be said without the vault.
#[derive(Default)]
pub(super) struct Findings {
    /// The first name or contact.
    named: Option<Place>,
    /// What reads as an archive code, each where it first stands.
    codes: BTreeMap<Code, Place>,
}

impl Findings {
    /// The first place in which something may not leave: archive codes are looked up.
    pub(super) fn first(self, view: &View<'_>) -> Result<Option<Place>> {
        let mut first = self.named;
        for (code, place) in self.codes {
            if first.is_none_or(|first| place < first) && view.lookup_code(code.as_str())?.is_some() {
                first = Some(place);
            }
        }
        Ok(first)
    }

    fn name(&mut self, place: Place) {
        self.named = Some(self.named.map_or(place, |known| known.min(place)));
    }
}

impl<'g> Guard<'g> {
    /// For everybody in the extract.
    pub(super) fn new<'p>(study: &'g Study, people: impl Iterator<Item = &'p ParticipantContent>) -> Self {
        let mut sequences = Sequences::default();
        people.for_each(|person| sequences.take(person, singles_out));
        Self { study, sequences }
    }

    /// What may not leave of the transcript of an interview: its first line, and its turns as they stand in it.
    pub(super) fn in_transcript(&self, title: &str, turns: &[Spoken], own: &Own) -> Findings {
        let mut found = Findings::default();
        let mut all = words(title);
        self.codes(title, Place::File, &mut found);
        for turn in turns {
            let place = Place::Turn(turn.number);
            let spoken = words(&turn.words);
            if found.named.is_none() && self.in_speech(&turn.words, &spoken, &turn.kept, own) {
                found.name(place);
            }
            self.codes(&turn.words, place, &mut found);
            self.codes(&turn.label, Place::File, &mut found);
            all.extend(words(&turn.label));
            all.extend(spoken);
        }
        if self.sequences.occur(&all, 2, &[]) || own.sequences.occur(&all, 2, &[]) {
            found.name(Place::File);
        }
        found
    }

    /// What may not leave of a text that a person wrote about the extract.
    pub(super) fn in_title(&self, text: &str) -> Findings {
        self.in_ours(text, 1)
    }

    /// What may not leave of a text of our own; single words of names are everyday words there.
    pub(super) fn in_text(&self, text: &str) -> Findings {
        self.in_ours(text, 2)
    }

    fn in_ours(&self, text: &str, least: usize) -> Findings {
        let mut found = Findings::default();
        if self.sequences.occur(&words(text), least, &[]) {
            found.name(Place::File);
        }
        self.codes(text, Place::File, &mut found);
        found
    }

    /// Whatever reads as an archive code of the study, in any of the forms in which people write them.
    fn codes(&self, text: &str, place: Place, found: &mut Findings) {
        let digit = |c: char| match c {
            '\0'..='\x7f' => c.is_ascii_digit(),
            '\u{400}'..='\u{481}' => false,
            c => c.is_numeric(),
        };
        if !text.chars().any(digit) {
            return;
        }
        let chars: Vec<char> = text.chars().collect();
        for at in 0..chars.len() {
            let inside = at > 0 && chars.get(at - 1).is_some_and(|c| is_letter_or_digit(*c));
            if inside || !chars.get(at).is_some_and(|c| is_letter(*c)) {
                continue;
            }
            if let Some(candidate) = candidate(&chars[at..])
                && let Ok((code, _)) = normalise(&candidate, self.study)
            {
                found.codes.entry(code).or_insert(place);
            }
        }
    }

    /// `words` are those of `text`.
    fn in_speech(&self, text: &str, spoken: &[String], kept: &[String], own: &Own) -> bool {
        let allowed: Vec<Vec<String>> = kept.iter().map(|kept| words(kept)).collect();
        let engine = own.detector.detect_known(text).into_iter().any(|span| {
            let found: String = text.chars().skip(span.start).take(span.end - span.start).collect();
            !within(&allowed, &words(&found))
        });
        engine || own.sequences.occur(spoken, 1, &allowed) || self.sequences.occur(spoken, 1, &allowed)
    }
}

impl Own {
    /// Of the people of an interview.
    pub(super) fn new<'p>(people: impl Iterator<Item = &'p ParticipantContent>) -> Self {
        let mut sequences = Sequences::default();
        let mut known = Vec::new();
        for (number, person) in people.enumerate() {
            sequences.take(person, |_| true);
            let names = person.names.iter().chain(&person.also_known_as).cloned().collect();
            for (class, forms) in [(Class::Person, names), (Class::Contact, person.contacts.clone())] {
                known.push(KnownEntity { key: number.to_string(), class, forms, pseudonym: None });
            }
        }
        Self { detector: Detector::new(&known), sequences }
    }
}

impl Sequences {
    /// Takes in names and contacts, and of the names the words that `by_itself` lets through.
    fn take(&mut self, person: &ParticipantContent, by_itself: impl Fn(&str) -> bool) {
        for name in person.names.iter().chain(&person.also_known_as) {
            let all = words(name);
            for word in all.iter().filter(|word| by_itself(word)) {
                self.add(std::slice::from_ref(word));
            }
            if all.len() > 1 {
                self.add(&all);
            }
        }
        person.contacts.iter().for_each(|contact| self.add(&words(contact)));
    }

    fn add(&mut self, words: &[String]) {
        let Some(first) = words.first() else { return };
        // One short word is too common to be looked for by itself.
        if words.len() == 1 && first.chars().count() < SHORTEST {
            return;
        }
        let known = self.0.entry(first.clone()).or_default();
        if !known.iter().any(|sequence| sequence == words) {
            known.push(words.to_vec());
        }
    }

    /// Whether a sequence of so many words or more stands in a text, and not only in what is allowed.
    fn occur(&self, words: &[String], least: usize, allowed: &[Vec<String>]) -> bool {
        (0..words.len()).any(|at| {
            let known = words.get(at).and_then(|first| self.0.get(first));
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
    let letters = chars.iter().take_while(|c| is_letter(**c)).count();
    let separator = chars.get(letters).filter(|c| !is_letter_or_digit(**c));
    let from = letters + usize::from(separator.is_some());
    let digits = chars.get(from..)?.iter().take_while(|c| c.is_numeric()).count();
    let end = from + digits;
    let goes_on = chars.get(end).is_some_and(|c| is_letter_or_digit(*c));
    let spaced = separator.is_some_and(|c| c.is_whitespace()) && !chars[..letters].iter().all(|c| c.is_uppercase());
    if letters > 8 || digits == 0 || digits > 9 || goes_on || spaced || separator.is_some_and(|c| c.is_control()) {
        return None;
    }
    Some(chars[..end].iter().collect())
}

/// The words of a text: letters and digits, compatibility forms folded, in small letters, ё as е.
fn words(text: &str) -> Vec<String> {
    let plain = |c: char| if c == 'ё' { 'е' } else { c };
    let folded: String = match is_nfkc_quick(text.chars()) {
        IsNormalized::Yes => text.chars().flat_map(char::to_lowercase).map(plain).collect(),
        _ => text.nfkc().flat_map(char::to_lowercase).map(plain).collect(),
    };
    folded.split(|c: char| !is_letter_or_digit(c)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
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
