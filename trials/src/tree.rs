//! Folders as values: read from the disk, compared, written to the disk.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The bytes of a file, with their digest once it was asked for.
#[derive(Default)]
pub(crate) struct Blob {
    bytes: Vec<u8>,
    digest: OnceLock<[u8; 32]>,
}

impl Blob {
    pub(crate) fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { bytes, digest: OnceLock::new() })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| *blake3::hash(&self.bytes).as_bytes())
    }
}

/// A file, or a folder.
#[derive(Clone)]
pub(crate) enum Entry {
    File(Arc<Blob>),
    Folder,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(a), Self::File(b)) => Arc::ptr_eq(a, b) || a.digest() == b.digest(),
            (Self::Folder, Self::Folder) => true,
            _ => false,
        }
    }
}

/// Everything below a folder, by its path in it.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Tree(pub(crate) BTreeMap<PathBuf, Entry>);

impl Tree {
    /// Reads a folder. SQLite's index of its log is left out: it lives in memory, and is made anew after a crash.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.read_into(root, Path::new(""))?;
        Ok(tree)
    }

    fn read_into(&mut self, root: &Path, under: &Path) -> io::Result<()> {
        for entry in fs::read_dir(root.join(under))? {
            let entry = entry?;
            let path = under.join(entry.file_name());
            if is_index(&path) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.0.insert(path.clone(), Entry::Folder);
                self.read_into(root, &path)?;
            } else {
                self.0.insert(path.clone(), Entry::File(Blob::new(fs::read(root.join(&path))?)));
            }
        }
        Ok(())
    }

    /// Makes `root` be this tree and nothing else.
    pub(crate) fn write(&self, root: &Path) -> io::Result<()> {
        if root.exists() {
            fs::remove_dir_all(root)?;
        }
        fs::create_dir_all(root)?;
        for (path, entry) in &self.0 {
            match entry {
                Entry::Folder => fs::create_dir(root.join(path))?,
                Entry::File(blob) => fs::write(root.join(path), blob.bytes())?,
            }
        }
        Ok(())
    }

    /// The same for the same content.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for (path, entry) in &self.0 {
            hasher.update(path.as_os_str().as_encoded_bytes());
            match entry {
                Entry::Folder => hasher.update(b"\0folder\0"),
                Entry::File(blob) => hasher.update(b"\0file\0").update(&blob.digest()),
            };
        }
        *hasher.finalize().as_bytes()
    }

    /// What lies at a path or below it, if anything.
    pub(crate) fn below(&self, path: &str) -> Vec<(&PathBuf, &Entry)> {
        self.0.iter().filter(|(p, _)| p.starts_with(path)).collect()
    }

    /// The paths at which two trees differ.
    pub(crate) fn differences(&self, other: &Self) -> Vec<PathBuf> {
        let all: std::collections::BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        all.into_iter().filter(|p| self.0.get(*p) != other.0.get(*p)).cloned().collect()
    }
}

/// Whether a file is SQLite's index of its log.
pub(crate) fn is_index(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"-shm")
}
