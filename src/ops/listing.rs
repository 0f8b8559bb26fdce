//! A list of which some may be missing: what is damaged is left out and counted, and does not hide the rest.

use std::ops::Deref;

use serde::Serialize;

use crate::base::{Error, Kind, Result};

/// What could be read, and how much could not. As JSON the rows alone.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Listing<T> {
    /// What could be read.
    pub rows: Vec<T>,
    /// How many interviews could not.
    #[serde(skip)]
    pub hurt: u64,
}

impl<T> Listing<T> {
    /// The rows of each thing; of what is damaged none, and it is counted.
    pub(super) fn gather<S>(
        from: impl IntoIterator<Item = S>,
        hurt: usize,
        mut each: impl FnMut(S, &mut Vec<T>) -> Result<()>,
    ) -> Result<Self> {
        let mut listing = Self { rows: Vec::new(), hurt: hurt as u64 };
        for thing in from {
            let before = listing.rows.len();
            match each(thing, &mut listing.rows) {
                Err(error) if error.kind() == Kind::Damage => {
                    listing.rows.truncate(before);
                    listing.hurt += 1;
                }
                done => done?,
            }
        }
        Ok(listing)
    }

    /// An error if something was left out, for the exit code; the rows have been shown by then.
    pub fn require_whole(&self) -> Result<()> {
        let left = match self.hurt {
            0 => return Ok(()),
            1 => "one interview is".to_owned(),
            n => format!("{n} interviews are"),
        };
        Err(Error::damage(
            format!("{left} damaged and left out of the list"),
            "The others are whole. `subrosa check` names what is hurt; restore it from a backup.",
        ))
    }
}

impl<T> Deref for Listing<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.rows
    }
}
