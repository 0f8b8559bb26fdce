//! Floor 2: the ledger: entries, tree, checkpoints, proofs. Pure; storage comes in through a trait.

pub mod event;
