//! Floor 4: a vault, locked and unlocked; loading from it, and committing to it: the one write path.

mod clock;
mod commit;
mod create;
mod log;
mod rotate;
mod trust;
mod unlock;
mod view;

pub use commit::Act;
pub(crate) use create::version_id;
pub use create::{Founding, create};
pub use log::{Head, Log};
pub use rotate::{Change, change_membership, refresh_membership};
pub use unlock::{KEYRING_DIGEST, Locked, Unlocked, Vault, log_key};
pub use view::{Loaded, PersonRecord, SiteRecord, StudyRecord, View};

#[cfg(test)]
mod tests;
