//! Floor 3: the rules of the study. Pure.

pub mod approval;
pub mod code;
pub mod conditions;
pub mod country;
pub mod project;
pub mod request;
pub mod study;
mod study_check;
mod study_forms;
mod study_toml;
