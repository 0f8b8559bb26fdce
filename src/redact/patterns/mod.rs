//! Patterns.
use super::fold::Folded;
use super::resolve::Hit;

pub(super) fn find(_: &Folded, _: &mut Vec<Hit>) {}
