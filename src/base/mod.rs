//! Floor 0: what everything stands on. Ids, time, secrets, canonical JSON, bounded text, errors. No I/O.

pub mod canonical;
pub mod error;
pub mod format;
pub mod id;
mod locked;
pub mod progress;
pub mod random;
pub mod role;
pub mod secret;
pub mod text;
pub mod time;

pub use error::{Error, Kind, Result};
