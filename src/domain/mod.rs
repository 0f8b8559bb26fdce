//! Floor 3: the rules of the study. Pure.

pub mod approval;
pub mod code;
#[cfg(test)]
mod code_tests;
pub mod conditions;
pub mod consent;
mod consent_fold;
pub mod consent_turns;
pub mod decide;
#[cfg(test)]
mod decide_tests;
pub mod hold;
pub mod interview;
pub mod participant;
pub mod policy;
mod policy_facts;
#[cfg(test)]
mod policy_tests;
mod policy_text;
mod policy_words;
pub mod project;
pub mod replay;
mod replay_judge;
mod replay_state;
#[cfg(test)]
mod replay_tests;
pub mod request;
pub mod study;
mod study_check;
#[cfg(test)]
mod study_fixture;
mod study_forms;
mod study_toml;
pub mod transcript;
