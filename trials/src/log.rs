//! What the layer of `shim/faults.c` recorded of a run: every operation on the watched files, in the order in which they were done.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// One operation. Paths are relative to the watched folder; the folder itself is the empty path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Op {
    /// A file or folder was opened as a descriptor; perhaps made, perhaps cut to nothing.
    Open { fd: i32, path: PathBuf, made: bool, cut: bool },
    /// A descriptor was copied.
    Copied { fd: i32, from: i32 },
    /// Bytes were written.
    Write { fd: i32, at: usize, bytes: Vec<u8> },
    /// A file was given a length.
    Length { fd: i32, to: usize },
    /// A file or folder was synced.
    Sync { fd: i32 },
    /// Something was renamed, over whatever had the name.
    Rename { from: PathBuf, to: PathBuf },
    /// A file was given a second name.
    Link { from: PathBuf, to: PathBuf },
    /// A file or an empty folder was removed.
    Remove { path: PathBuf },
    /// A folder was made.
    Folder { path: PathBuf },
    /// Permissions changed: no crash state differs by that.
    Mode,
    /// Something was shown on standard output.
    Answer,
}

impl Op {
    /// Whether it changes what lies on the disk, or will after a loss of power.
    pub(crate) fn counts(&self) -> bool {
        match self {
            Self::Open { made, cut, .. } => *made || *cut,
            Self::Copied { .. } | Self::Mode | Self::Answer => false,
            _ => true,
        }
    }

    /// Whether it is one of those around which states differ most: syncs, renames, removals.
    pub(crate) fn turns(&self) -> bool {
        matches!(self, Self::Sync { .. } | Self::Rename { .. } | Self::Remove { .. } | Self::Link { .. })
    }
}

/// Reads a record. `root` is the folder that was watched. Descriptors are numbered anew: none is used twice.
pub(crate) fn read(bytes: &[u8], root: &Path) -> Result<Vec<Op>, String> {
    let mut rest = bytes;
    let mut ops = Vec::new();
    let mut open: HashMap<i32, i32> = HashMap::new();
    let mut fresh = 0;
    while !rest.is_empty() {
        let head = take(&mut rest, 32)?;
        let number = |i: usize| u64::from_le_bytes(head[i..i + 8].try_into().unwrap_or_default());
        let kind = head[0];
        let fd = i32::from_le_bytes(head[4..8].try_into().unwrap_or_default());
        let (value, first, second) = (number(8), number(16), number(24));
        let first = take(&mut rest, first as usize)?;
        let second = take(&mut rest, second as usize)?;
        let path = |bytes: &[u8]| -> Result<PathBuf, String> {
            let text = std::str::from_utf8(bytes).map_err(|_| "a path that is no UTF-8")?;
            let path = Path::new(text).strip_prefix(root);
            Ok(path.map_err(|_| format!("{text} lies outside of what is watched"))?.to_owned())
        };
        let from = open.get(&(value as i32)).copied().unwrap_or(-1);
        if matches!(kind, b'O' | b'D') {
            fresh += 1;
            open.insert(fd, fresh);
        }
        let fd = open.get(&fd).copied().unwrap_or(-1);
        ops.push(match kind {
            b'O' => Op::Open { fd, path: path(first)?, made: value & 1 != 0, cut: value & 2 != 0 },
            b'D' => Op::Copied { fd, from },
            b'W' => Op::Write { fd, at: value as usize, bytes: second.to_vec() },
            b'T' => Op::Length { fd, to: value as usize },
            b'S' => Op::Sync { fd },
            b'R' if value == 0 => Op::Rename { from: path(first)?, to: path(second)? },
            b'L' => Op::Link { from: path(first)?, to: path(second)? },
            b'U' => Op::Remove { path: path(first)? },
            b'M' => Op::Folder { path: path(first)? },
            b'C' | b'c' => Op::Mode,
            b'A' => Op::Answer,
            b'!' => {
                return Err(format!("{} is written through memory, which is not seen", String::from_utf8_lossy(first)));
            }
            other => return Err(format!("an operation of the kind {:?}, which is not known", other as char)),
        });
    }
    Ok(ops)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], String> {
    let (head, tail) = rest.split_at_checked(count).ok_or("the record is cut off")?;
    *rest = tail;
    Ok(head)
}
