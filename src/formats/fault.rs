//! A fault of a delivery: where, what, and how to mend it. All faults of a file are listed at once.

use std::fmt;

/// One thing that is wrong in a delivered file. Never repeats a value out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: `manifest.csv line 7, column date`.
    pub place: String,
    /// What is wrong there.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(place: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), remedy: remedy.into() }
    }

    /// The same as an error, for a caller that stops at one fault.
    pub fn into_error(self) -> crate::base::Error {
        crate::base::Error::user(self.what, self.remedy).at(self.place)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}
