//! Floor 2: the vault on the disk. The only floor that names SQLite or the paths of a vault.

pub mod catalogue;
pub mod db;
pub mod files;
mod founding;
pub mod keyfile;
pub mod ledger_db;
pub mod objects;
pub mod state;
