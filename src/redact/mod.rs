//! Floor 3: find what identifies. Text in, spans out.
//!
//! One entry: [`Detector::detect`] (or [`detect`] for a single text), given the text and what is known of the people
//! in it. Offsets are Unicode code points, half-open, everywhere.

mod fold;
mod known;
pub mod mark;
mod names;
mod patterns;
mod petrovich;
pub mod replace;
mod resolve;
mod tables;

use serde::{Deserialize, Serialize};

pub use mark::{CarriedOver, Mark, State, carry_over};
pub use replace::{Replacement, apply, label};

/// Name and version of this engine; a recorded review says which engine's suggestions were read.
pub const ENGINE: &str = "subrosa-redact/1";

/// What a span tells about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The name of a private person, in any form.
    Person,
    /// A way to reach somebody: e-mail, phone, handle, link.
    Contact,
    /// A number given to a person or their case: passport, tax number, account, card, plate, file.
    Number,
    /// A postal address with its house number.
    Address,
    /// A place.
    Place,
    /// An employer, school, unit, congregation.
    Organisation,
    /// Occupation and other traits of a person: age, ethnicity, religion, health.
    Occupation,
    /// A date of somebody's life.
    Date,
    /// An exact amount that points to a case.
    Amount,
    /// Anything else that a person has marked.
    Other,
}

/// How strongly a mark identifies; the level of an extract says down to which strength marks are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Singles a person out by itself: replaced at every level.
    Direct,
    /// Singles a person out with little else: replaced at level 2 and above.
    StrongIndirect,
    /// Identifies only together with other things: generalised at level 3.
    Indirect,
}

impl Class {
    /// Every class, in the order of the list above.
    pub const ALL: [Self; 10] = [
        Self::Person,
        Self::Contact,
        Self::Number,
        Self::Address,
        Self::Place,
        Self::Organisation,
        Self::Occupation,
        Self::Date,
        Self::Amount,
        Self::Other,
    ];

    /// The strength that a mark of this class has unless a person says otherwise.
    pub const fn strength(self) -> Strength {
        match self {
            Self::Person | Self::Contact | Self::Number | Self::Address => Strength::Direct,
            Self::Organisation | Self::Occupation | Self::Date => Strength::StrongIndirect,
            Self::Place | Self::Amount | Self::Other => Strength::Indirect,
        }
    }

    /// The name as in JSON, `person`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Contact => "contact",
            Self::Number => "number",
            Self::Address => "address",
            Self::Place => "place",
            Self::Organisation => "organisation",
            Self::Occupation => "occupation",
            Self::Date => "date",
            Self::Amount => "amount",
            Self::Other => "other",
        }
    }

    /// The class of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// Whether a word of somebody's name, in small letters, says by itself who is meant: not if it is a given name or a short form that the engine knows, a
/// patronymic, or an everyday word as well.
pub fn singles_out(word: &str) -> bool {
    names::singles_out(word)
}

/// A stretch of text that identifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First code point.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// What it tells about.
    pub class: Class,
    /// What found it: `known` (the participants' own data), `pattern` (form and check digits agree) or
    /// `pattern-unchecked` (looks like one, but its check digit is wrong or there is none: to be looked at).
    pub layer: &'static str,
    /// What to write instead, in brackets.
    pub replacement: String,
}

/// Somebody or something that is known to occur in a text. No `Debug`: it holds names.
#[derive(Clone)]
pub struct KnownEntity {
    /// An opaque id, the same for the same entity; never shown.
    pub key: String,
    /// What it is. Persons are searched by every form of each word of their names, other classes as written, with endings.
    pub class: Class,
    /// The names as they stand in the register, full or in parts: `Вера Николаевна Щеглова`, `Верка`.
    pub forms: Vec<String>,
    /// What to write instead, without brackets; `None` numbers the entities of a class: `[person 1]`.
    pub pseudonym: Option<String>,
}

/// The engine, made ready for a set of known entities; use it for all turns of a transcript.
pub struct Detector {
    known: known::Known,
}

impl Detector {
    /// Prepares every form of the known entities. Numbers in replacements follow the order of the keys.
    pub fn new(known: &[KnownEntity]) -> Self {
        Self { known: known::Known::new(known) }
    }

    /// The spans of `text`, sorted, not empty, not overlapping, within the text. Time and memory grow linearly with it.
    pub fn detect(&self, text: &str) -> Vec<Span> {
        self.search(text, true)
    }

    /// As [`Self::detect`], for the known entities alone.
    pub fn detect_known(&self, text: &str) -> Vec<Span> {
        self.search(text, false)
    }

    fn search(&self, text: &str, patterns: bool) -> Vec<Span> {
        let caseless = fold::is_caseless(text);
        let mut hits = Vec::new();
        for window in fold::windows(text) {
            let folded = fold::Folded::new(window.text, window.start);
            self.known.find(&folded, caseless, &mut hits);
            if patterns {
                patterns::find(&folded, &mut hits);
            }
        }
        resolve::resolve(hits)
    }
}

/// The spans of one `text`; see [`Detector::detect`].
pub fn detect(text: &str, known: &[KnownEntity]) -> Vec<Span> {
    Detector::new(known).detect(text)
}

#[cfg(test)]
mod tests;
