//! Floor 2: the ledger: entries, tree, checkpoints, proofs. Pure; storage comes in through a trait.

pub mod checkpoint;
pub mod entry;
pub mod event;
#[cfg(test)]
mod event_tests;
pub mod export;
mod facts;
pub mod fault;
pub mod note;
pub mod proof;
mod roster;
pub mod tiles;
pub mod tree;
pub mod verify;
pub mod witness;
