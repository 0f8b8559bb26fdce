//! Bad input: for each situation the message, the remedy, the exit code, and everything as it was.
//!
//! Each file is a table of cases that run the real program on a copy of one prepared house. Messages and remedies of the cases that are `told` stand in
//! docs/errors.md, which these tests hold against what the program says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics fails")]

mod arguments;
mod delivery;
mod disk;
mod extracts;
mod governance;
mod harness;
mod house;
mod look;
mod media;
mod office;
mod page;
mod people;
mod requests;
mod values;
mod vault;
