//! A vault that is not founded yet: its folder has a mark until everything is in it. A founding that was interrupted leaves the mark, and is
//! cleared away by the next one in the same folders. Nothing was ever in it.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use super::files::{self, VaultFile};
use super::keyfile::KeyFile;
use crate::base::{Error, Result, canonical};

const MARK: &str = "founding";

/// What a founding writes into the vault's folder, besides temporary names. `vault.json` goes last: it says whose key file it is.
const FILES: [&str; 11] = [
    "lock",
    "catalogue.db",
    "catalogue.db-wal",
    "catalogue.db-shm",
    "catalogue.db-journal",
    "ledger.db",
    "ledger.db-wal",
    "ledger.db-shm",
    "ledger.db-journal",
    "keyring.json",
    "vault.card",
];

/// Whether a founding has begun in a folder and not ended.
pub(super) fn is_marked(root: &Path) -> bool {
    root.join(MARK).symlink_metadata().is_ok()
}

/// Marks a folder.
pub(super) fn mark(root: &Path) -> std::io::Result<()> {
    let path = root.join(MARK);
    OpenOptions::new().write(true).create(true).truncate(false).open(&path)?.sync_all()?;
    files::sync_folder(&path)
}

/// Takes the mark away, for good.
pub(super) fn unmark(root: &Path) -> std::io::Result<()> {
    let path = root.join(MARK);
    fs::remove_file(&path)?;
    files::sync_folder(&path)
}

/// Removes what an interrupted founding left in these two folders. Whatever else lies there stays.
pub(super) fn clear(root: &Path, keys: &Path) -> Result<()> {
    if !is_marked(root) {
        return Ok(());
    }
    let begun: Option<VaultFile> = files::read_bounded(&root.join("vault.json"), 64 << 10, "vault.json")
        .ok()
        .and_then(|bytes| canonical::from_slice(&bytes).ok());
    if let Some(begun) = begun {
        let (there, here) = (root.join(&begun.keys).canonicalize(), keys.canonicalize());
        if there.is_ok() && there.ok() != here.ok() {
            return Err(Error::user(
                "a founding was interrupted here that had its key file in another folder",
                "Give the same folder with --keys as the first time, or choose a new folder for the vault.",
            ));
        }
        let key_file = keys.join("keyfile");
        if KeyFile::vault_of(&key_file).is_ok_and(|vault| vault == begun.vault) {
            fs::remove_file(key_file).map_err(|e| left(&e))?;
        }
        files::remove_parts(keys).map_err(|e| left(&e))?;
        sync(keys)?;
    }
    files::remove_parts(root).map_err(|e| left(&e))?;
    for folder in ["objects", "tmp"] {
        ignore_missing(fs::remove_dir(root.join(folder)))?;
    }
    for file in FILES.into_iter().chain(["vault.json"]) {
        ignore_missing(fs::remove_file(root.join(file)))?;
    }
    sync(root)?;
    unmark(root).map_err(|e| left(&e))
}

fn sync(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| left(&e))
}

fn ignore_missing(done: std::io::Result<()>) -> Result<()> {
    match done {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(left(&error)),
        _ => Ok(()),
    }
}

fn left(error: &std::io::Error) -> Error {
    Error::io("clear away what an interrupted founding left", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::VaultId;
    use crate::base::secret::Key;
    use crate::store::files::Layout;

    fn begun(root: &Path, keys: &Path) -> VaultId {
        let vault = VaultId::random().unwrap();
        let layout = Layout::create(root, keys, vault).unwrap();
        KeyFile::new(vault).unwrap().write(&layout.key_file(), &Key::random().unwrap()).unwrap();
        layout.write("keyring.json", b"{}").unwrap();
        fs::write(layout.path(".vault.card.1.part"), "x").unwrap();
        vault
    }

    #[test]
    fn an_interrupted_founding_is_no_vault_and_gives_way_to_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let (root, keys) = (dir.path().join("vault"), dir.path().join("keys"));
        begun(&root, &keys);
        let error = Layout::open(&root, None).unwrap_err();
        assert!(error.what().contains("interrupted") && error.remedy().contains("init"), "{error:?}");
        let vault = begun(&root, &keys);
        Layout::open(&root, None).unwrap_err();
        unmark(&root).unwrap();
        assert_eq!(Layout::open(&root, None).unwrap().vault(), vault);
        assert!(Layout::create(&root, &keys, vault).unwrap_err().what().contains("something in that folder"));
    }

    #[test]
    fn clearing_away_touches_nothing_of_anybody_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        begun(&path("vault"), &path("keys"));
        // Somebody else's key file has come into the folder meanwhile, and a file of the user's own.
        let other = VaultId::random().unwrap();
        KeyFile::new(other).unwrap().write(&path("keys/keyfile"), &Key::random().unwrap()).unwrap();
        fs::write(path("vault/letter.txt"), "mine").unwrap();
        assert!(
            Layout::create(&path("vault"), &path("elsewhere"), other).unwrap_err().what().contains("another folder")
        );
        assert!(Layout::create(&path("vault"), &path("keys"), other).unwrap_err().what().contains("something in"));
        assert_eq!(KeyFile::vault_of(&path("keys/keyfile")).unwrap(), other);
        assert_eq!(fs::read(path("vault/letter.txt")).unwrap(), b"mine");
    }
}
