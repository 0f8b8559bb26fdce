//! A small study for tests, which stays as it is when the sample study grows.

use super::study::Fault;
use super::study_check::parse;

/// The text of the study.
pub(super) const STUDY: &str = include_str!("study_fixture.toml");

/// The faults of the study with the first `from` changed into `to`.
pub(super) fn faults(from: &str, to: &str) -> Vec<Fault> {
    assert!(STUDY.contains(from), "{from}");
    parse(&STUDY.replacen(from, to, 1)).map(|_| Vec::new()).unwrap_or_else(|f| f)
}
