//! Files: the vault's layout, whole-file writes that are there entirely or not at all, and the lock.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use super::founding;
use crate::base::id::{ObjectId, VaultId};
use crate::base::{Error, Result, canonical, format};

const FORMAT: &str = "subrosa-vault/1";

/// Where things lie.
#[derive(Clone)]
pub struct Layout {
    root: PathBuf,
    keys: PathBuf,
    vault: VaultId,
}

crate::base::text::hidden!(Layout);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VaultFile {
    format: String,
    pub(super) keys: String,
    pub(super) vault: VaultId,
}

impl Layout {
    /// Makes the folders of a new vault, marked as not founded yet: [`Layout::founded`] takes the mark away. Neither may exist with
    /// anything in it, but for what an interrupted founding of the same folders left.
    pub fn create(root: &Path, keys: &Path, vault: VaultId) -> Result<Self> {
        founding::clear(root, keys)?;
        for dir in [root, keys] {
            if dir.read_dir().is_ok_and(|mut d| d.next().is_some()) {
                return Err(Error::user(
                    "there is something in that folder already",
                    "Choose a new or empty folder for the vault and one for its key file.",
                ));
            }
        }
        let inside = || {
            Error::user(
                "the key file may not lie inside the vault folder, nor the vault inside the key folder",
                "Choose another place with --keys, best on another disk.",
            )
        };
        // By their names first, so that nothing is made in vain; links are looked through once both are there.
        let absolute = |dir: &Path| std::path::absolute(dir).map_err(|e| Error::io("find the vault's folder", &e));
        let (a, b) = (absolute(root)?, absolute(keys)?);
        if a.starts_with(&b) || b.starts_with(&a) {
            return Err(inside());
        }
        for dir in [root, keys, &root.join("objects"), &root.join("tmp")] {
            make_folder(dir).map_err(|e| Error::io("make the vault's folders", &e))?;
        }
        let root = root.canonicalize().map_err(|e| Error::io("find the vault's folder", &e))?;
        let keys = keys.canonicalize().map_err(|e| Error::io("find the key folder", &e))?;
        if keys.starts_with(&root) || root.starts_with(&keys) {
            return Err(inside());
        }
        for dir in [&root, &keys] {
            restrict(dir)?;
        }
        let layout = Self { root, keys, vault };
        founding::mark(layout.root()).map_err(|e| Error::io("begin the vault", &e))?;
        let text = VaultFile { format: FORMAT.into(), keys: layout.keys_hint(), vault };
        layout.write("vault.json", &canonical::to_vec(&text)?)?;
        let lock = OpenOptions::new().create(true).append(true).open(layout.lock_path());
        let synced = lock.and_then(|lock| lock.sync_all()).and_then(|()| sync_folder(&layout.lock_path()));
        synced.map_err(|e| Error::io("make the vault's lock", &e))?;
        Ok(layout)
    }

    /// Says for good that the vault is founded.
    pub fn founded(&self) -> Result<()> {
        founding::unmark(&self.root).map_err(|e| Error::io("finish the vault", &e))
    }

    /// Finds a vault. `keys` overrides where the key file lies.
    pub fn open(root: &Path, keys: Option<&Path>) -> Result<Self> {
        if founding::is_marked(root) {
            return Err(Error::user(
                "the founding of this vault was interrupted; there is nothing in it yet",
                "Run `subrosa init` again with the same folders.",
            ));
        }
        let path = root.join("vault.json");
        let bytes = read_bounded(&path, 64 << 10, "vault.json").map_err(|e| {
            if path.is_file() || File::open(&path).is_err_and(|e| e.kind() == std::io::ErrorKind::PermissionDenied) {
                return e;
            }
            if ["keyring.json", "catalogue.db", "ledger.db"].iter().any(|name| root.join(name).exists()) {
                return Error::damage(
                    "vault.json is missing from the vault or cannot be read",
                    "Restore vault.json from a backup: any, it never changes. Nothing was changed.",
                );
            }
            Error::user(
                "this folder is not a Subrosa vault (it has no readable vault.json)",
                format!("Give the vault's folder with --vault. ({})", e.what()),
            )
        })?;
        format::expect(&bytes, FORMAT, "this vault")?;
        let file: VaultFile = canonical::from_slice(&bytes).map_err(|_| damaged())?;
        if file.format != FORMAT {
            return Err(damaged());
        }
        let root = root.canonicalize().map_err(|e| Error::io("find the vault's folder", &e))?;
        let keys = match keys {
            Some(keys) => keys.to_path_buf(),
            None => root.join(&file.keys),
        };
        Ok(Self { root, keys, vault: file.vault })
    }

    /// A vault whose `vault.json` is hurt, of the id that another of its files tells. Its key file is looked for where `keys` says, else in
    /// `NAME.keys` beside it.
    pub fn assume(root: &Path, keys: Option<&Path>, vault: VaultId) -> Result<Self> {
        let root = root.canonicalize().map_err(|e| Error::io("find the vault's folder", &e))?;
        let mut beside = root.clone().into_os_string();
        beside.push(".keys");
        let keys = keys.map_or_else(|| PathBuf::from(beside), Path::to_path_buf);
        Ok(Self { root, keys, vault })
    }

    /// The vault's id.
    pub fn vault(&self) -> VaultId {
        self.vault
    }

    /// The vault's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the key file.
    pub fn keys(&self) -> &Path {
        &self.keys
    }

    /// The key file.
    pub fn key_file(&self) -> PathBuf {
        self.keys.join("keyfile")
    }

    /// What speaks against keeping a vault here: network shares, where locks and syncs cannot be relied on.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (what, dir) in [("the vault", &self.root), ("the key file", &self.keys)] {
            if let Some(kind) = network_kind(dir) {
                warnings.push(format!(
                    "{what} lies on a network share ({kind}). Two writers may damage it; move it to a disk of this machine."
                ));
            }
            let synced = ["Dropbox", "OneDrive", "Google Drive", "Nextcloud", "iCloud"];
            if let Some(name) = synced.iter().find(|n| dir.iter().any(|part| part.to_string_lossy().contains(**n))) {
                warnings.push(format!(
                    "{what} lies in a folder synced by {name}. Old copies of keys would be kept elsewhere; move it out."
                ));
            }
        }
        warnings
    }

    /// A database or file at the top of the vault.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The file of an object.
    pub fn object(&self, id: ObjectId) -> PathBuf {
        let name = id.to_string();
        self.root.join("objects").join(&name[..2]).join(format!("{name}.age"))
    }

    /// The folder for what is being written.
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Reads a file at the top of the vault, of at most `most` bytes.
    pub fn read(&self, name: &str, most: u64) -> Result<Vec<u8>> {
        read_bounded(&self.path(name), most, name)
    }

    /// Writes a file at the top of the vault, whole or not at all.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_whole(&self.path(name), bytes, name)
    }

    /// Renames a file at the top of the vault and makes that last.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        let io = |e: std::io::Error| Error::io(&format!("write {to}"), &e);
        fs::rename(self.path(from), self.path(to)).map_err(io)?;
        sync_folder(&self.path(to)).map_err(io)
    }

    /// Takes the lock of the one writer, waiting up to five seconds.
    pub fn lock(&self) -> Result<Lock> {
        let path = self.lock_path();
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|e| Error::io("open the vault's lock", &e))?;
        for _ in 0..100 {
            if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                return Ok(Lock { _file: file });
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Err(Error::user(
            "somebody else is writing to this vault just now",
            "Wait until their command has ended, then run yours again. A lock goes with its program: there is nothing to delete.",
        ))
    }

    /// Removes what an interrupted command left unfinished: everything in `tmp/`, and temporary names beside the vault's own files. Only
    /// for whoever holds the lock, under which alone such files are written.
    pub fn clean_tmp(&self, _lock: &Lock) -> Result<()> {
        let io = |e: std::io::Error| Error::io("clear the vault's temporary files", &e);
        remove_parts(&self.root).and_then(|()| remove_parts(&self.keys)).map_err(io)?;
        let Ok(entries) = fs::read_dir(self.tmp()) else { return Ok(()) };
        // A folder is none of the vault's, and stays.
        let mut files = entries.flatten().filter(|entry| !entry.file_type().is_ok_and(|kind| kind.is_dir()));
        files.try_for_each(|entry| fs::remove_file(entry.path())).map_err(io)
    }

    fn lock_path(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// The key folder relative to the vault if both lie in the same folder, so that both can be moved together.
    fn keys_hint(&self) -> String {
        match (self.root.parent(), self.keys.parent(), self.keys.file_name()) {
            (Some(a), Some(b), Some(name)) if a == b => format!("../{}", name.to_string_lossy()),
            _ => self.keys.to_string_lossy().into_owned(),
        }
    }
}

fn damaged() -> Error {
    Error::damage("vault.json is damaged", "Restore vault.json from a backup: any, it never changes.")
}

/// The lock of the one writer; given back when dropped or when the program ends.
pub struct Lock {
    _file: File,
}

/// Reads a whole file of at most `most` bytes.
pub fn read_bounded(path: &Path, most: u64, what: &str) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| Error::io(&format!("open {what}"), &e))?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|e| Error::io(&format!("read {what}"), &e))?;
    if bytes.len() as u64 > most {
        return Err(Error::user(format!("{what} is too large to be one"), "Check that you gave the right file."));
    }
    Ok(bytes)
}

/// Writes a whole file under a temporary name beside `path`, syncs it, renames it and syncs the folder. What is [`written_into`] gets the bytes
/// as they are.
pub fn write_whole(path: &Path, bytes: &[u8], what: &str) -> Result<()> {
    let doing = format!("write {what}");
    let io = |e: std::io::Error| Error::io(&doing, &e);
    if written_into(path) {
        return OpenOptions::new().append(true).open(path).and_then(|mut out| out.write_all(bytes)).map_err(io);
    }
    let tmp = sibling(path);
    let written = (|| {
        let mut file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(&tmp)?;
        file.write_all(bytes)?;
        file.sync_all()
    })();
    if let Err(error) = written.and_then(|()| fs::rename(&tmp, path)) {
        let _ = fs::remove_file(&tmp);
        return Err(io(error));
    }
    sync_folder(path).map_err(io)
}

/// Whether something is there that is not replaced but written into: a pipe, a terminal, `/dev/stdout`, `/dev/fd/3`.
pub fn written_into(path: &Path) -> bool {
    let open = ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"].iter().any(|root| path.starts_with(root));
    !path.is_dir() && path.exists() && (open || !path.is_file())
}

/// New files can be read by their owner only.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Removes the files of a folder that have a name as [`sibling`] gives it.
pub(super) fn remove_parts(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(b".") && name.ends_with(b".part") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A temporary name beside `path`, another one each time.
pub fn sibling(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{count}.part", std::process::id()));
    path.with_file_name(name)
}

/// Syncs the folder that `path` lies in, so that a rename lasts.
pub fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// Syncs a folder and every folder below it, so that the names in them last.
pub fn sync_folders(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(dir)?.sync_all()
}

/// Makes a folder, and those above it that are missing, and syncs each folder that a new one lies in, so that it lasts. Leaves one that is there as it is.
pub fn make_folder(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_folder(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists || !path.is_dir() => Err(error),
        _ => sync_folder(path),
    }
}

/// The kind of network file system that a folder lies on, if it does.
#[cfg(target_os = "linux")]
fn network_kind(dir: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(dir).ok()?.f_type as u64 & 0xffff_ffff;
    // statfs(2): the magic numbers of network file systems.
    match kind {
        0x6969 => Some("NFS"),
        0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x5346_414f => Some("AFS"),
        0x0102_1997 => Some("9P"),
        0x6573_5546 => Some("FUSE"),
        _ => None,
    }
}

/// The kind of network file system that a folder lies on: not known on this system.
#[cfg(not(target_os = "linux"))]
fn network_kind(_dir: &Path) -> Option<&'static str> {
    None
}

/// Makes a folder readable by its owner only.
fn restrict(dir: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
            .map_err(|e| Error::io("close the vault's folder to others", &e))?;
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test that panics fails")]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_wherever_it_lies() {
        let memory = Path::new("/dev/shm");
        let places =
            [tempfile::tempdir(), tempfile::tempdir_in(if memory.is_dir() { memory } else { Path::new("/tmp") })];
        for place in places.map(|place| place.unwrap()) {
            let path = place.path().join("file");
            for text in [b"longer than the next".as_slice(), b"short"] {
                write_whole(&path, text, "it").unwrap();
                assert_eq!(fs::read(&path).unwrap(), text);
            }
        }
        for open in ["/dev/null", "/dev/stdout", "/proc/self/fd/1"] {
            assert!(written_into(Path::new(open)), "{open}");
        }
    }
}
