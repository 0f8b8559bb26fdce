//! Writers and readers of the export: JSON lines, and a folder as in C2SP tlog-tiles.
//!
//! An entry bundle of tlog-tiles gives each entry a length of 16 bits. Where one of its entries is longer, the bundle is left out, and those
//! entries stand in `entries.jsonl` alone, which always holds all of them. The tree is the same, so every proof stays checkable.

use std::io::{BufRead, Read, Write};

use crate::base::{Error, Result};

use super::entry::MAX_ENTRY;
use super::tiles::{self, TILE_WIDTH, TileStore, tiles_at};

/// Takes the files of an export.
pub trait Sink {
    /// A file, by its path inside the folder, with `/` between the parts.
    fn file(&mut self, path: &str, bytes: &[u8]) -> Result<()>;
}

/// What was written of the entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Exported {
    /// How many entries.
    pub entries: u64,
    /// The bundles left out, since an entry in them is longer than 65,535 bytes.
    pub left_out: Vec<u64>,
}

/// The path of a tile of the tree; `width` is how many hashes it holds, 256 for a full one.
pub fn tile_path(level: u8, index: u64, width: u64) -> String {
    format!("tile/{level}/{}", numbered(index, width))
}

/// The path of an entry bundle; `width` is how many entries it holds, 256 for a full one.
pub fn bundle_path(index: u64, width: u64) -> String {
    format!("tile/entries/{}", numbered(index, width))
}

/// Writes the tiles of the tree of `size` entries.
pub fn write_tiles<S: TileStore + ?Sized>(size: u64, store: &S, sink: &mut dyn Sink) -> Result<()> {
    for level in 0.. {
        let (full, partial) = tiles_at(level, size);
        if full == 0 && partial == 0 {
            break;
        }
        let last = (partial > 0).then_some((full, partial));
        for (index, width) in (0..full).map(|index| (index, TILE_WIDTH)).chain(last) {
            let hashes = tiles::read(store, level, index, width as usize)?;
            sink.file(&tile_path(level, index, width), &tiles::to_bytes(&hashes))?;
        }
    }
    Ok(())
}

/// Writes the entries, from the first: each as a line to `lines`, and as bundles to `sink`.
pub fn write_entries(
    entries: impl IntoIterator<Item = Result<Vec<u8>>>,
    lines: &mut dyn Write,
    sink: &mut dyn Sink,
) -> Result<Exported> {
    let failed = |e: std::io::Error| Error::io("write the entries", &e);
    let mut done = Exported::default();
    let mut bundle = Some(Vec::new());
    for entry in entries {
        let entry = entry?;
        lines.write_all(&entry).and_then(|()| lines.write_all(b"\n")).map_err(failed)?;
        bundle = bundle.take().zip(u16::try_from(entry.len()).ok()).map(|(mut bytes, length)| {
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(&entry);
            bytes
        });
        done.entries += 1;
        if done.entries % TILE_WIDTH == 0 {
            put_bundle(done.entries / TILE_WIDTH - 1, TILE_WIDTH, bundle.take(), sink, &mut done.left_out)?;
            bundle = Some(Vec::new());
        }
    }
    let (index, width) = (done.entries / TILE_WIDTH, done.entries % TILE_WIDTH);
    if width > 0 {
        put_bundle(index, width, bundle, sink, &mut done.left_out)?;
    }
    lines.flush().map_err(failed)?;
    Ok(done)
}

/// The entries of `entries.jsonl`, to be verified. A line longer than an entry may be is an error.
pub fn read_lines<R: BufRead>(mut lines: R) -> impl Iterator<Item = Result<Vec<u8>>> {
    let mut next = move || {
        let mut line = Vec::new();
        let read = (&mut lines).take(MAX_ENTRY as u64 + 1).read_until(b'\n', &mut line);
        match read.map_err(|e| Error::io("read the entries", &e)) {
            Err(e) => Err(e),
            Ok(0) => Ok(None),
            Ok(_) if line.last() == Some(&b'\n') => {
                line.pop();
                Ok(Some(line))
            }
            Ok(length) if length <= MAX_ENTRY => Ok(Some(line)),
            Ok(_) => {
                Err(Error::damage("a line of the ledger is longer than 32 MiB", "Check that it is the right file."))
            }
        }
    };
    let mut over = false;
    std::iter::from_fn(move || {
        let item = if over { None } else { next().transpose() };
        over = !matches!(item, Some(Ok(_)));
        item
    })
}

fn put_bundle(
    index: u64,
    width: u64,
    bundle: Option<Vec<u8>>,
    sink: &mut dyn Sink,
    left_out: &mut Vec<u64>,
) -> Result<()> {
    match bundle {
        Some(bytes) => sink.file(&bundle_path(index, width), &bytes),
        None => {
            left_out.push(index);
            Ok(())
        }
    }
}

/// An index in groups of three digits, all but the last led by `x`; partial ones with their width.
fn numbered(index: u64, width: u64) -> String {
    let mut path = format!("{:03}", index % 1_000);
    let mut rest = index / 1_000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1_000);
        rest /= 1_000;
    }
    if width < TILE_WIDTH { format!("{path}.p/{width}") } else { path }
}

#[cfg(test)]
mod tests {
    use super::super::tiles::MemoryTiles;
    use super::super::tree::leaf_hash;
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Default)]
    struct Folder(BTreeMap<String, Vec<u8>>);

    impl Sink for Folder {
        fn file(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
            assert!(self.0.insert(path.to_owned(), bytes.to_vec()).is_none(), "{path}");
            Ok(())
        }
    }

    #[test]
    fn paths_as_in_the_standard() {
        assert_eq!(tile_path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(tile_path(1, 0, 17), "tile/1/000.p/17");
        assert_eq!(bundle_path(273, 112), "tile/entries/273.p/112");
        assert_eq!(bundle_path(1_000, 256), "tile/entries/x001/000");
    }

    #[test]
    fn tiles_are_those_of_the_example() {
        let mut store = MemoryTiles::default();
        let leaves: Vec<_> = (0..70_000u32).map(|i| leaf_hash(&i.to_be_bytes())).collect();
        tiles::append(&leaves, 0, &mut store).unwrap();
        let mut folder = Folder::default();
        write_tiles(70_000, &store, &mut folder).unwrap();
        assert_eq!(folder.0.len(), 273 + 1 + 1 + 1 + 1);
        assert_eq!(folder.0["tile/0/273.p/112"].len(), 112 * 32);
        assert_eq!(folder.0["tile/1/001.p/17"].len(), 17 * 32);
        assert_eq!(folder.0["tile/2/000.p/1"].len(), 32);
        let mut folder = Folder::default();
        write_tiles(256, &store, &mut folder).unwrap();
        assert_eq!(folder.0.keys().collect::<Vec<_>>(), ["tile/0/000", "tile/1/000.p/1"]);
        let mut folder = Folder::default();
        write_tiles(0, &store, &mut folder).unwrap();
        assert!(folder.0.is_empty());
    }

    #[test]
    fn bundles_and_lines_hold_the_same() {
        let entries: Vec<Vec<u8>> = (0..600).map(|i| format!("{{\"n\":{i}}}").into_bytes()).collect();
        let (mut folder, mut lines) = (Folder::default(), Vec::new());
        let done = write_entries(entries.iter().cloned().map(Ok), &mut lines, &mut folder).unwrap();
        assert_eq!(done, Exported { entries: 600, left_out: vec![] });
        let paths: Vec<_> = folder.0.keys().map(String::as_str).collect();
        assert_eq!(paths, ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"]);
        let mut found = Vec::new();
        for mut bundle in folder.0.values().map(Vec::as_slice) {
            while let Some((length, rest)) = bundle.split_first_chunk::<2>() {
                let (entry, rest) = rest.split_at(u16::from_be_bytes(*length).into());
                found.push(entry.to_vec());
                bundle = rest;
            }
        }
        assert_eq!(found, entries);
        assert_eq!(read_lines(lines.as_slice()).collect::<Result<Vec<_>>>().unwrap(), entries);
    }

    #[test]
    fn a_bundle_with_a_long_entry_is_left_out() {
        let entries = (0..600).map(|i| {
            Ok(vec![b'x'; if i == 300 { 65_536 } else { 65_535 * usize::from(i == 0) + 1 - usize::from(i == 0) }])
        });
        let (mut folder, mut lines) = (Folder::default(), Vec::new());
        let done = write_entries(entries, &mut lines, &mut folder).unwrap();
        assert_eq!(done, Exported { entries: 600, left_out: vec![1] });
        assert!(folder.0.contains_key("tile/entries/000") && folder.0.contains_key("tile/entries/002.p/88"));
        assert_eq!(read_lines(lines.as_slice()).count(), 600);
    }

    #[test]
    fn lines_are_bounded_and_a_cut_line_is_kept() {
        let long = vec![b'x'; MAX_ENTRY + 1];
        let mut lines = read_lines(long.as_slice());
        assert!(lines.next().unwrap().is_err());
        assert!(lines.next().is_none());
        let cut = read_lines(&b"one\n\ntw"[..]).collect::<Result<Vec<_>>>().unwrap();
        assert_eq!(cut, [b"one".to_vec(), vec![], b"tw".to_vec()]);
    }
}
