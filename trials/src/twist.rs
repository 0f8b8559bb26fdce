//! Records in which something was put wrong, as a program could have it wrong: the harness has to find each.

use std::path::Path;

use crate::log::Op;

/// A way to be wrong.
#[derive(Clone, Copy)]
pub(crate) enum Twist {
    /// Files are never synced.
    NoFileSync,
    /// Folders are never synced.
    NoFolderSync,
    /// A file gets its name before it is synced.
    RenameFirst,
    /// The answer is shown before anything is written.
    AnswerFirst,
    /// The ledger is written before the catalogue.
    LedgerFirst,
    /// The key file is written after the catalogue.
    KeysLast,
}

impl Twist {
    pub(crate) const ALL: [Self; 6] =
        [Self::NoFileSync, Self::NoFolderSync, Self::RenameFirst, Self::AnswerFirst, Self::LedgerFirst, Self::KeysLast];

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::NoFileSync => "files are never synced",
            Self::NoFolderSync => "folders are never synced",
            Self::RenameFirst => "a file gets its name before it is synced",
            Self::AnswerFirst => "the answer is shown before anything is written",
            Self::LedgerFirst => "the ledger is written before the catalogue",
            Self::KeysLast => "the key file is written after everything else",
        }
    }

    /// The record, put wrong.
    pub(crate) fn apply(self, ops: &[Op]) -> Vec<Op> {
        let mut out = ops.to_vec();
        match self {
            Self::NoFileSync | Self::NoFolderSync => {
                let folder = folders(ops);
                let wrong = matches!(self, Self::NoFolderSync);
                let mut n = 0;
                out.retain(|op| {
                    n += 1;
                    !matches!(op, Op::Sync { .. }) || folder[n - 1] != wrong
                });
            }
            Self::RenameFirst => {
                for at in 1..out.len() {
                    if matches!((&out[at - 1], &out[at]), (Op::Sync { .. }, Op::Rename { .. })) {
                        out.swap(at - 1, at);
                    }
                }
            }
            Self::AnswerFirst => {
                let (answers, mut rest): (Vec<Op>, Vec<Op>) = out.into_iter().partition(|op| matches!(op, Op::Answer));
                rest.splice(0..0, answers);
                out = rest;
            }
            Self::LedgerFirst => out = moved(ops, "vault/ledger.db-wal", true),
            Self::KeysLast => out = moved(ops, "vault.keys", false),
        }
        out
    }
}

/// For each operation whether it is on a folder's descriptor.
fn folders(ops: &[Op]) -> Vec<bool> {
    let mut open = std::collections::HashMap::new();
    let is_folder = |path: &Path| {
        ops.iter().any(|op| match op {
            Op::Open { path: p, .. } | Op::Remove { path: p } | Op::Folder { path: p } => p.parent() == Some(path),
            Op::Rename { from, to } => from.parent() == Some(path) || to.parent() == Some(path),
            _ => false,
        })
    };
    let mut out = Vec::with_capacity(ops.len());
    for op in ops {
        if let Op::Open { fd, path, .. } = op {
            open.insert(*fd, is_folder(path));
        }
        out.push(matches!(op, Op::Sync { fd } if open.get(fd) == Some(&true)));
    }
    out
}

/// The operations on what lies below a path, before or after all others.
fn moved(ops: &[Op], below: &str, first: bool) -> Vec<Op> {
    let mut open = std::collections::HashMap::new();
    let (chosen, rest): (Vec<Op>, Vec<Op>) = ops.iter().cloned().partition(|op| match op {
        Op::Open { fd, path, .. } => {
            let hit = path.starts_with(below);
            open.insert(*fd, hit);
            hit
        }
        Op::Write { fd, .. } | Op::Sync { fd } | Op::Length { fd, .. } => open.get(fd) == Some(&true),
        Op::Rename { from, .. } => from.starts_with(below),
        _ => false,
    });
    if first { [chosen, rest].concat() } else { [rest, chosen].concat() }
}
