//! What a person last saw of a vault, kept beside their identity: a vault that shows less was rolled back.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

use super::files;
use crate::base::id::VaultId;
use crate::base::{Error, Result, canonical, format};

const FORMAT: &str = "subrosa-state/1";

/// The last-seen state of one vault (docs/format.md, section 1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    format: String,
    /// The vault.
    pub vault: VaultId,
    /// Base64 of the leaf hash of the first entry.
    pub genesis: String,
    /// The last checkpoint seen, a signed note.
    pub checkpoint: String,
    /// Base64 of the Ed25519 key that signs checkpoints.
    pub log_key: String,
    /// The version of the roster.
    pub roster_version: u32,
    /// Base64 of its digest.
    pub roster_digest: String,
    /// The epoch of the key file.
    pub keyfile_epoch: u64,
    /// This person's program has verified the signatures of the entries before this one.
    pub verified: u64,
    /// For somebody who opens extracts: base64 of the keys of the stewards whose decisions count, as the vault's card named them.
    pub stewards: Vec<String>,
}

/// The folder `NAME.state` beside an identity file.
#[derive(Clone)]
pub struct StateFolder(PathBuf);

crate::base::text::hidden!(StateFolder);

impl Seen {
    /// A first sighting.
    pub fn new(vault: VaultId, genesis: String, log_key: String) -> Self {
        Self {
            format: FORMAT.into(),
            vault,
            genesis,
            checkpoint: String::new(),
            log_key,
            roster_version: 0,
            roster_digest: String::new(),
            keyfile_epoch: 0,
            verified: 0,
            stewards: Vec::new(),
        }
    }
}

impl StateFolder {
    /// The state folder that goes with an identity file.
    pub fn beside(identity: &Path) -> Self {
        Self(identity.with_extension("state"))
    }

    /// The folder; it need not be there yet.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder, if it is not there yet.
    pub fn make(&self) -> Result<()> {
        files::make_folder(&self.0).map_err(|e| Error::io("make your state folder", &e))
    }

    /// What was last seen of `vault`; `None` if it was never seen.
    pub fn load(&self, vault: VaultId) -> Result<Option<Seen>> {
        let path = self.file(vault);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = files::read_bounded(&path, 64 << 10, "your state file")?;
        format::expect(&bytes, FORMAT, "your state file")?;
        let seen: Seen = canonical::from_slice(&bytes).map_err(|_| {
            Error::damage(
                "your state file is damaged: what you last saw of this vault is lost",
                "Put back a copy of the state folder that lies beside your identity. Without one, have somebody else's program or the ethics board compare the ledger's head before you move it away.",
            )
        })?;
        if seen.vault != vault || seen.format != FORMAT {
            return Err(Error::damage(
                "your state file belongs to another vault or version",
                "Put back the state folder that lay beside your identity.",
            ));
        }
        Ok(Some(seen))
    }

    /// Remembers.
    pub fn save(&self, seen: &Seen) -> Result<()> {
        self.make()?;
        files::write_whole(&self.file(seen.vault), &canonical::to_vec(seen)?, "your state file")
    }

    fn file(&self, vault: VaultId) -> PathBuf {
        self.0.join(format!("{vault}.json"))
    }
}
