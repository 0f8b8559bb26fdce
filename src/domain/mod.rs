//! Floor 3: the rules of the study. Pure.

pub mod consent;
mod consent_fold;
pub mod consent_turns;
pub mod decide;
pub mod policy;
mod policy_words;
pub mod replay;
mod replay_state;
