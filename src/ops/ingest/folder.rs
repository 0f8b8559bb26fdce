//! The folder of a delivery: what lies in it is opened from the folder downwards, and nothing outside of it ever.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;
use serde::Serialize;

use crate::base::{Error, Result};
use crate::formats::{DeliveryPath, table};

/// The most files that are listed of a folder.
const MOST_LISTED: usize = 200_000;
/// The deepest folder that is looked into.
const DEEPEST: usize = 32;

/// A delivery's folder, held open, so that renaming or replacing it changes nothing.
pub(super) struct Folder {
    root: PathBuf,
    dir: OwnedFd,
}

/// Plaintext that lies in the delivery's folder.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Left {
    /// How many files.
    pub files: u64,
    /// Their bytes together.
    pub bytes: u64,
    /// Where they lie. Names of files may say who was recorded: for a terminal only.
    #[serde(skip)]
    pub paths: Vec<PathBuf>,
}

impl Folder {
    /// Opens a folder.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let io = |e: std::io::Error| Error::io("open the delivery's folder", &e);
        let root = path.canonicalize().map_err(io)?;
        if !root.is_dir() {
            return Err(Error::user(
                "the delivery is not a folder",
                "Give the folder that holds the manifest; unpack an archive first.",
            ));
        }
        let dir = rustix::fs::open(&root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        Ok(Self { dir: dir.map_err(|e| io(e.into()))?, root })
    }

    /// Where it lies.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Opens a regular file for reading; says how long it is. Links are refused in every part of the name, as are folders, pipes and devices.
    pub(super) fn file(&self, path: &DeliveryPath) -> Result<(File, u64)> {
        let mut found = None;
        for form in path.forms() {
            match self.walk(&form) {
                Err(Errno::NOENT) => {}
                other => {
                    found = Some(other);
                    break;
                }
            }
        }
        let file = match found {
            Some(Ok(file)) => File::from(file),
            Some(Err(Errno::LOOP)) => {
                return Err(Error::user(
                    "the file is a link, or lies behind one",
                    "Copy the file itself into the delivery's folder; links are never followed.",
                ));
            }
            Some(Err(Errno::NOTDIR | Errno::ISDIR | Errno::NXIO | Errno::NODEV)) => return Err(no_file()),
            Some(Err(error)) => return Err(Error::io("open the file", &error.into())),
            None => {
                return Err(Error::user(
                    "there is no such file in the delivery",
                    "Put it there, or correct its name, capitals and extension included.",
                ));
            }
        };
        let facts = file.metadata().map_err(|e| Error::io("look at the file", &e))?;
        if !facts.is_file() {
            return Err(no_file());
        }
        Ok((file, facts.len()))
    }

    /// One part after the other, none of them through a link.
    fn walk(&self, path: &str) -> std::result::Result<OwnedFd, Errno> {
        let mut parts = path.split('/').peekable();
        let mut inside: Option<OwnedFd> = None;
        while let Some(part) = parts.next() {
            let at = inside.as_ref().map_or(self.dir.as_fd(), AsFd::as_fd);
            let mut flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            // Opening a pipe must not wait for somebody to write into it.
            flags |= if parts.peek().is_some() { OFlags::DIRECTORY } else { OFlags::NONBLOCK };
            let next = openat(at, part, flags, Mode::empty()).map_err(|error| {
                let link = statat(at, part, AtFlags::SYMLINK_NOFOLLOW)
                    .is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::Symlink);
                if link { Errno::LOOP } else { error }
            })?;
            inside = Some(next);
        }
        inside.ok_or(Errno::NOENT)
    }

    /// The whole of a file of at most `most` bytes.
    pub(super) fn bytes(&self, path: &DeliveryPath, most: usize) -> Result<Vec<u8>> {
        let (file, length) = self.file(path)?;
        let large = || Error::user("the file is larger than such a file can be", "Check that it is the right file.");
        if length > most as u64 {
            return Err(large());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|e| Error::io("read the file", &e))?;
        if bytes.len() > most { Err(large()) } else { Ok(bytes) }
    }

    /// The manifest and its name. There must be one, and only one.
    pub(super) fn manifest(&self) -> Result<(&'static str, Vec<u8>)> {
        let mut found = None;
        for name in ["manifest.csv", "manifest.xlsx"] {
            match self.bytes(&DeliveryPath::parse(name)?, table::MOST_BYTES) {
                Ok(_) if found.is_some() => {
                    return Err(Error::user(
                        "the delivery has a manifest.csv and a manifest.xlsx",
                        "Keep the one that is right, and move the other away.",
                    ));
                }
                Ok(bytes) => found = Some((name, bytes)),
                Err(_) if self.root.join(name).symlink_metadata().is_err() => {}
                Err(error) => return Err(error.at(name)),
            }
        }
        found.ok_or_else(|| {
            Error::user(
                "there is no manifest in the delivery's folder",
                "Put a manifest.csv or manifest.xlsx there, in small letters; `docs/format.md`, section 7, says what stands in it.",
            )
        })
    }

    /// How many files lie in the folder; links are counted, never followed.
    pub(super) fn count(&self) -> u64 {
        let mut count = 0;
        walk(&self.root, 0, &mut |_| count += 1);
        count
    }

    /// Every file that lies in the folder; links are counted, never followed.
    pub(super) fn left(&self) -> Left {
        let mut left = Left::default();
        walk(&self.root, 0, &mut |entry| {
            left.files += 1;
            left.bytes += entry.metadata().map_or(0, |m| m.len());
            if left.paths.len() < MOST_LISTED {
                left.paths.push(entry.path());
            }
        });
        left.paths.sort_unstable();
        left
    }
}

fn walk(folder: &Path, depth: usize, each: &mut dyn FnMut(&fs::DirEntry)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if !kind.is_dir() {
            each(&entry);
        } else if depth < DEEPEST {
            walk(&entry.path(), depth + 1, each);
        }
    }
}

fn no_file() -> Error {
    Error::user("this names a folder or something else that is no file", "Name the file itself.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> DeliveryPath {
        DeliveryPath::parse(text).unwrap()
    }

    #[test]
    fn files_are_found_in_either_unicode_form_and_links_never() {
        let dir = tempfile::tempdir().unwrap();
        let (root, outside) = (dir.path().join("delivery"), dir.path().join("outside"));
        fs::create_dir_all(root.join("а/и\u{306}")).unwrap();
        fs::create_dir_all(&outside).unwrap();
        fs::write(root.join("а/и\u{306}/x.txt"), "x").unwrap();
        fs::write(outside.join("y.txt"), "y").unwrap();
        std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
        std::os::unix::fs::symlink(outside.join("y.txt"), root.join("y.txt")).unwrap();
        std::os::unix::fs::symlink(root.join("а"), root.join("inner")).unwrap();
        let folder = Folder::open(&root).unwrap();
        assert_eq!(folder.file(&path("а/й/x.txt")).unwrap().1, 1);
        for bad in ["link/y.txt", "y.txt", "inner/и\u{306}/x.txt"] {
            assert!(folder.file(&path(bad)).err().unwrap().what().contains("link"), "{bad}");
        }
        for bad in ["а", "а/й/x.txt/z", "nothing.txt"] {
            assert!(folder.file(&path(bad)).is_err(), "{bad}");
        }
        let left = folder.left();
        assert_eq!(left.files, 4);
        assert_eq!(folder.count(), 4);
        assert!(folder.manifest().is_err());
    }

    #[test]
    fn a_pipe_is_no_file_and_nobody_waits_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(dir.path().join("p.wav")).status();
        if pipe.is_ok_and(|s| s.success()) {
            let error = Folder::open(dir.path()).unwrap().file(&path("p.wav")).err().unwrap();
            assert!(error.what().contains("no file"), "{error:?}");
        }
    }
}
