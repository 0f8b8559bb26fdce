//! Subrosa: a privacy-preserving vault for research interviews.
//!
//! The floors of the house, each resting on lower ones only (docs/architecture.md; `tests/floors.rs` enforces it).

pub mod base;
pub mod cli;
pub mod crypto;
pub mod disclosure;
pub mod domain;
pub mod formats;
pub mod ledger;
pub mod ops;
pub mod redact;
pub mod sample;
pub mod session;
pub mod store;
