//! Floor 5: one file a use case. Takes an unlocked vault and a checked request, returns a report; never prints.

pub mod approval;
pub mod audit;
pub mod build;
pub mod check;
pub mod consent;
pub mod decide;
pub mod ingest;
pub mod interview;
pub mod listing;
pub mod open;
pub mod person;
pub mod plan;
pub mod policy;
pub mod project;
pub mod redact;
pub mod register;
pub mod request;
pub mod study;
