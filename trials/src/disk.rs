//! A disk in memory: what programs see, and what would be left of it if the power failed now.
//!
//! Each file and each folder has two contents. `now` is what a program sees, and what stays when the program is killed. `kept` is what was
//! there when it was last synced. A file's sync keeps its bytes and not its name; the sync of a folder keeps the names in it. That is less
//! than most file systems keep, and as much as POSIX promises (Pillai et al., OSDI 2014, call it the abstract persistence model).

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::log::Op;
use crate::tree::{Blob, Entry, Tree, is_index};

type Names = BTreeMap<String, usize>;

enum Node {
    File { now: Arc<Blob>, kept: Arc<Blob>, pending: Vec<Change> },
    Folder { now: Names, kept: Names },
}

/// A change of a file that is not synced yet.
#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, new) => {
                let end = at + new.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*at..end].copy_from_slice(new);
            }
            Self::Length(to) => bytes.resize(*to, 0),
        }
    }
}

/// What is lost in a crash.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Loss {
    /// Nothing: the program was killed, the machine runs on.
    Killed,
    /// The last write stopped half way, and the program was killed.
    Torn,
    /// Power: everything that was not synced.
    All,
    /// Power: data that were not synced. Names, renames and removals came to the disk first.
    Data,
    /// Power: names, renames and removals that were not synced. Data came to the disk first.
    Names,
    /// Power: what was not synced of one file.
    File(PathBuf),
    /// Power: names in one folder that were not synced.
    Folder(PathBuf),
    /// Power: of one file only the last unsynced change came to the disk.
    LastOf(PathBuf),
    /// Power: of one file only the last unsynced change did not come to the disk.
    ButLastOf(PathBuf),
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Killed => f.write_str("killed"),
            Self::Torn => f.write_str("torn"),
            Self::All => f.write_str("all"),
            Self::Data => f.write_str("data"),
            Self::Names => f.write_str("names"),
            Self::File(path) => write!(f, "file={}", path.display()),
            Self::Folder(path) => write!(f, "folder={}", path.display()),
            Self::LastOf(path) => write!(f, "last-of={}", path.display()),
            Self::ButLastOf(path) => write!(f, "but-last-of={}", path.display()),
        }
    }
}

/// A disk.
pub(crate) struct Disk {
    nodes: Vec<Node>,
    open: HashMap<i32, usize>,
}

impl Disk {
    /// A disk on which everything in `tree` is synced.
    pub(crate) fn new(tree: &Tree) -> Self {
        let mut disk =
            Self { nodes: vec![Node::Folder { now: Names::new(), kept: Names::new() }], open: HashMap::new() };
        for (path, entry) in &tree.0 {
            let node = match entry {
                Entry::Folder => Node::Folder { now: Names::new(), kept: Names::new() },
                Entry::File(blob) => Node::File { now: blob.clone(), kept: blob.clone(), pending: Vec::new() },
            };
            let (parent, name) = disk.place(path).unwrap_or_default();
            disk.nodes.push(node);
            let id = disk.nodes.len() - 1;
            if let Some(Node::Folder { now, kept }) = disk.nodes.get_mut(parent) {
                now.insert(name.clone(), id);
                kept.insert(name, id);
            }
        }
        disk
    }

    /// Does an operation.
    pub(crate) fn apply(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Open { fd, path, made, cut } => {
                if *made {
                    let empty = Blob::new(Vec::new());
                    self.add(path, Node::File { now: empty.clone(), kept: empty, pending: Vec::new() })?;
                }
                let id = self.find(path).ok_or_else(|| format!("{} was opened and is not there", path.display()))?;
                if *cut {
                    self.change(id, Change::Length(0))?;
                }
                self.open.insert(*fd, id);
            }
            Op::Copied { fd, from } => {
                let id = self.opened(*from)?;
                self.open.insert(*fd, id);
            }
            Op::Write { fd, at, bytes } => {
                let id = self.opened(*fd)?;
                self.change(id, Change::Write(*at, bytes.clone()))?;
            }
            Op::Length { fd, to } => {
                let id = self.opened(*fd)?;
                self.change(id, Change::Length(*to))?;
            }
            Op::Sync { fd } => {
                let id = self.opened(*fd)?;
                match &mut self.nodes[id] {
                    Node::File { now, kept, pending } => {
                        *kept = now.clone();
                        pending.clear();
                    }
                    Node::Folder { now, kept } => *kept = now.clone(),
                }
            }
            Op::Rename { from, to } => {
                let id = self.remove(from)?;
                let (parent, name) = self.place(to)?;
                self.names(parent)?.insert(name, id);
            }
            Op::Link { from, to } => {
                let id = self.find(from).ok_or("a link to what is not there")?;
                let (parent, name) = self.place(to)?;
                self.names(parent)?.insert(name, id);
            }
            Op::Remove { path } => drop(self.remove(path)?),
            Op::Folder { path } => self.add(path, Node::Folder { now: Names::new(), kept: Names::new() })?,
            Op::Mode | Op::Answer => {}
        }
        Ok(())
    }

    /// Everything that could be lost now.
    pub(crate) fn losses(&self, last: &Op) -> Vec<Loss> {
        let mut losses = vec![Loss::Killed];
        if matches!(last, Op::Write { bytes, .. } if bytes.len() > 1) {
            losses.push(Loss::Torn);
        }
        let mut single = Vec::new();
        self.walk(0, &PathBuf::new(), &|_| false, &mut |path, id| match &self.nodes[id] {
            _ if is_index(path) => {}
            Node::File { now, kept, pending } if !Arc::ptr_eq(now, kept) => {
                single.push(Loss::File(path.to_owned()));
                if pending.len() > 1 {
                    single.push(Loss::LastOf(path.to_owned()));
                    single.push(Loss::ButLastOf(path.to_owned()));
                }
            }
            Node::Folder { now, kept } if now != kept => single.push(Loss::Folder(path.to_owned())),
            _ => {}
        });
        if !single.is_empty() {
            losses.extend([Loss::All, Loss::Data, Loss::Names]);
            losses.extend(single);
        }
        losses
    }

    /// What is on the disk after a loss. `last` is the operation done last.
    pub(crate) fn after(&self, loss: &Loss, last: &Op) -> Tree {
        let names = |path: &Path| match loss {
            Loss::All | Loss::Names => true,
            Loss::Folder(lost) => lost == path,
            _ => false,
        };
        let torn = match (loss, last) {
            (Loss::Torn, Op::Write { fd, .. }) => self.open.get(fd).copied(),
            _ => None,
        };
        let mut tree = Tree::default();
        self.walk(0, &PathBuf::new(), &names, &mut |path, id| {
            if path.as_os_str().is_empty() || is_index(path) {
                return;
            }
            let entry = match &self.nodes[id] {
                Node::Folder { .. } => Entry::Folder,
                Node::File { now, kept, pending } => Entry::File(match loss {
                    Loss::All | Loss::Data => kept.clone(),
                    Loss::File(lost) if lost == path => kept.clone(),
                    Loss::LastOf(lost) if lost == path => applied(kept, pending.last()),
                    Loss::ButLastOf(lost) if lost == path => applied(kept, pending.iter().rev().skip(1).rev()),
                    Loss::Torn if torn == Some(id) => applied(kept, half(pending).iter()),
                    _ => now.clone(),
                }),
            };
            tree.0.insert(path.to_owned(), entry);
        });
        tree
    }

    /// Visits everything that has a name: what is there now, or, in folders of which `lost` says so, what was kept.
    fn walk(&self, id: usize, path: &Path, lost: &dyn Fn(&Path) -> bool, visit: &mut dyn FnMut(&Path, usize)) {
        visit(path, id);
        if let Node::Folder { now, kept } = &self.nodes[id] {
            for (name, child) in if lost(path) { kept } else { now } {
                self.walk(*child, &path.join(name), lost, visit);
            }
        }
    }

    fn opened(&self, fd: i32) -> Result<usize, String> {
        self.open.get(&fd).copied().ok_or_else(|| format!("descriptor {fd} was used and never opened"))
    }

    fn find(&self, path: &Path) -> Option<usize> {
        path.iter().try_fold(0, |at, part| match &self.nodes[at] {
            Node::Folder { now, .. } => now.get(&*part.to_string_lossy()).copied(),
            Node::File { .. } => None,
        })
    }

    fn place(&self, path: &Path) -> Result<(usize, String), String> {
        let name = path.file_name().ok_or("a path without a name")?.to_string_lossy().into_owned();
        let parent = path.parent().and_then(|p| self.find(p));
        Ok((parent.ok_or_else(|| format!("{} lies in no folder", path.display()))?, name))
    }

    fn names(&mut self, id: usize) -> Result<&mut Names, String> {
        match &mut self.nodes[id] {
            Node::Folder { now, .. } => Ok(now),
            Node::File { .. } => Err("a file was used as a folder".to_owned()),
        }
    }

    fn add(&mut self, path: &Path, node: Node) -> Result<(), String> {
        let (parent, name) = self.place(path)?;
        self.nodes.push(node);
        let id = self.nodes.len() - 1;
        self.names(parent)?.insert(name, id);
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> Result<usize, String> {
        let (parent, name) = self.place(path)?;
        self.names(parent)?.remove(&name).ok_or_else(|| format!("{} was removed and is not there", path.display()))
    }

    fn change(&mut self, id: usize, change: Change) -> Result<(), String> {
        let Node::File { now, pending, .. } = &mut self.nodes[id] else { return Err("a folder was written to".into()) };
        *now = applied(now, Some(&change));
        pending.push(change);
        Ok(())
    }
}

fn applied<'c>(to: &Blob, changes: impl IntoIterator<Item = &'c Change>) -> Arc<Blob> {
    let mut bytes = to.bytes().to_vec();
    changes.into_iter().for_each(|change| change.apply(&mut bytes));
    Blob::new(bytes)
}

/// The changes, the last of them cut in half.
fn half(changes: &[Change]) -> Vec<Change> {
    let mut changes = changes.to_vec();
    if let Some(Change::Write(_, bytes)) = changes.last_mut() {
        bytes.truncate(bytes.len() / 2);
    }
    changes
}
