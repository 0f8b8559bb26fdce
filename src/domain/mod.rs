//! Floor 3: the rules of the study. Pure.

pub mod consent;
mod consent_fold;
pub mod consent_turns;
pub mod decide;
#[cfg(test)]
mod decide_tests;
pub mod policy;
mod policy_facts;
#[cfg(test)]
mod policy_tests;
mod policy_words;
pub mod replay;
mod replay_state;
#[cfg(test)]
mod replay_tests;
