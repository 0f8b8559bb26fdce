//! The package inside an extract: a ustar archive (POSIX.1-1988), the same bytes for the same files, and a reader that trusts nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{Read, Write};

use tar::{Archive, Builder, EntryType, Header};

use crate::base::{Error, Result};

/// What a reader takes at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files in a package.
    pub files: usize,
    /// Bytes of a file.
    pub file_bytes: u64,
    /// Bytes of all files.
    pub all_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 100_000, file_bytes: 1 << 34, all_bytes: 1 << 36 }
    }
}

/// Writes files one after another. Times and owners are 0, the mode is 0644.
pub struct PackageWriter<W: Write> {
    builder: Builder<W>,
    last: Option<String>,
}

impl<W: Write> fmt::Debug for PackageWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PackageWriter(…)")
    }
}

impl<W: Write> PackageWriter<W> {
    /// A package that is written to `out`.
    pub fn new(out: W) -> Self {
        Self { builder: Builder::new(out), last: None }
    }

    /// Adds a file. Names come in ascending order of their bytes, which also keeps them different; a name is relative, with `/` between
    /// folders, and at most 255 bytes long (100 for its last part), as ustar has it.
    pub fn file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.stream(name, bytes.len() as u64, bytes)
    }

    /// Adds a file of exactly `len` bytes out of a stream.
    pub fn stream(&mut self, name: &str, len: u64, content: impl Read) -> Result<()> {
        check_name(name).map_err(|_| Error::bug("a file of a package has a name that may not be"))?;
        if self.last.as_deref().is_some_and(|last| last >= name) {
            return Err(Error::bug("the files of a package are not in order"));
        }
        let mut header = Header::new_ustar();
        header.set_path(name).map_err(|_| Error::user("a file's name is too long for the package", "Shorten it."))?;
        header.set_entry_type(EntryType::Regular);
        header.set_size(len);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        let whole = Whole { inner: content.take(len), left: len };
        self.builder.append(&header, whole).map_err(|e| Error::io("write the package", &e))?;
        self.last = Some(name.to_owned());
        Ok(())
    }

    /// Ends the package and gives back what it was written to.
    pub fn finish(self) -> Result<W> {
        self.builder.into_inner().map_err(|e| Error::io("write the package", &e))
    }
}

/// A stream that must give as many bytes as it was said to have: one that ends early is an error and not a short file.
struct Whole<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buf)?;
        if n == 0 && self.left > 0 && !buf.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(n as u64);
        Ok(n)
    }
}

/// A stream that counts the zero bytes at its end.
struct Zeros<R> {
    inner: R,
    zeros: u64,
}

impl<R: Read> Read for Zeros<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buf)?;
        match buf[..n].iter().rev().position(|b| *b != 0) {
            Some(zeros) => self.zeros = zeros as u64,
            None => self.zeros = self.zeros.saturating_add(n as u64),
        }
        Ok(n)
    }
}

/// A file of a package while it is read.
pub struct PackageFile<'a> {
    /// Its checked name: relative, no `.` or `..`, with `/` between folders.
    pub name: String,
    /// Its length in bytes.
    pub len: u64,
    /// Its content; what is not read is skipped.
    pub content: &'a mut dyn Read,
}

impl fmt::Debug for PackageFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PackageFile(…)")
    }
}

/// Reads a package to the end of its stream and hands each file to `take`, in order.
///
/// Only plain files are taken: links, devices, folders and extensions are refused, and so are absolute names, names that lead outside, names that stand
/// twice (also if only case or Unicode form differs, since some file systems take them for one), anything but zero bytes after the end, and whatever is above the limits.
pub fn read(source: impl Read, limits: Limits, take: &mut dyn FnMut(PackageFile<'_>) -> Result<()>) -> Result<()> {
    let broken =
        |_| Error::damage("the package of the extract is damaged or cut off", "Ask the archivist to build it again.");
    let mut archive = Archive::new(Zeros { inner: source, zeros: 0 });
    let mut names = BTreeSet::new();
    let mut bytes = 0u64;
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        let header = entry.header();
        if header.entry_type() != EntryType::Regular || header.as_ustar().is_none() {
            return Err(refused("it holds something that is not a plain file"));
        }
        let name =
            String::from_utf8(header.path_bytes().into_owned()).map_err(|_| refused("a name in it is not UTF-8"))?;
        check_name(&name).map_err(refused)?;
        if !names.insert(folded(&name)) {
            return Err(refused("a name stands twice in it"));
        }
        let len = header.entry_size().map_err(broken)?;
        bytes = bytes.saturating_add(len);
        if names.len() > limits.files || len > limits.file_bytes || bytes > limits.all_bytes {
            return Err(refused("there is too much in it"));
        }
        let mut content = Whole { inner: &mut entry, left: len };
        take(PackageFile { name, len, content: &mut content })?;
        std::io::copy(&mut content, &mut std::io::sink()).map_err(broken)?;
    }
    // The padding; reading it to its end also lets a sealed stream check its own end.
    let mut rest = archive.into_inner();
    let mut buffer = [0u8; 8192];
    loop {
        let n = rest.read(&mut buffer).map_err(broken)?;
        if n == 0 {
            break;
        }
        if buffer[..n].iter().any(|b| *b != 0) {
            return Err(refused("something stands after its end"));
        }
    }
    // Two empty blocks end an archive.
    if rest.zeros < 1024 {
        Err(Error::damage("the package of the extract is damaged or cut off", "Ask the archivist to build it again."))
    } else {
        Ok(())
    }
}

/// One form for names that some file system takes for the same.
fn folded(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    name.nfc().flat_map(char::to_lowercase).nfc().collect()
}

fn refused(why: &str) -> Error {
    Error::damage(
        format!("the package is refused: {why}"),
        "It was not made by a vault, or was changed on its way: do not use it.",
    )
}

fn check_name(name: &str) -> std::result::Result<(), &'static str> {
    let path = super::DeliveryPath::parse(name).map_err(|_| "a name in it leads outside, or is no name")?;
    let plain = path.as_str() == name && !name.contains(':') && !name.split('/').any(|p| p.ends_with(['.', ' ']));
    if plain { Ok(()) } else { Err("a name in it leads outside, or is no name") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = PackageWriter::new(Vec::new());
        for (name, bytes) in files {
            writer.file(name, bytes).unwrap();
        }
        writer.finish().unwrap()
    }

    fn names(bytes: &[u8], limits: Limits) -> Result<Vec<(String, Vec<u8>)>> {
        let mut out = Vec::new();
        read(bytes, limits, &mut |file| {
            let mut content = Vec::new();
            if file.content.read_to_end(&mut content).is_ok() {
                assert_eq!(content.len() as u64, file.len);
            }
            out.push((file.name, content));
            Ok(())
        })?;
        Ok(out)
    }

    /// An archive with one entry of any kind under any name.
    fn raw(kind: EntryType, name: &[u8]) -> Vec<u8> {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend([0; 1024]);
        bytes
    }

    #[test]
    fn the_same_files_give_the_same_bytes_and_read_back() {
        let long = format!("{}/{}", "d".repeat(150), "f".repeat(90));
        let files: [(&str, &[u8]); 3] = [("README.txt", b"hello"), (&long, b""), ("transcripts/C-1.txt", &[7; 1000])];
        let bytes = package(&files);
        assert_eq!(bytes, package(&files));
        assert_eq!(bytes.len() % 512, 0);
        assert_eq!(&bytes[100..108], b"0000644\0");
        assert_eq!(&bytes[136..148], b"00000000000\0");
        let padded = [bytes, vec![0; 5000]].concat();
        let back = names(&padded, Limits::default()).unwrap();
        assert_eq!(back.len(), 3);
        assert!(back.iter().zip(files).all(|((n, c), (name, content))| n == name && c == content));
    }

    #[test]
    fn the_writer_keeps_its_rules() {
        let mut writer = PackageWriter::new(Vec::new());
        writer.file("b", b"x").unwrap();
        for name in ["a", "b", "../c", "/c", "c/", "", "c\\d", &"c".repeat(120)] {
            assert!(writer.file(name, b"").is_err(), "{name}");
        }
        assert!(writer.stream("c", 10, &b"short"[..]).is_err());
    }

    #[test]
    fn hostile_packages_are_refused() {
        for name in [
            &b"/etc/passwd"[..],
            b"../x",
            b"a/../../x",
            b"a\\..\\b",
            b"C:x",
            b"a//b",
            b"./a",
            b"a.",
            b"\xFF",
            b"a\x01b",
        ] {
            assert!(names(&raw(EntryType::Regular, name), Limits::default()).is_err(), "{name:?}");
        }
        for kind in [
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Char,
            EntryType::Block,
            EntryType::Fifo,
            EntryType::Directory,
            EntryType::GNULongName,
            EntryType::XHeader,
            EntryType::XGlobalHeader,
            EntryType::GNUSparse,
        ] {
            assert!(names(&raw(kind, b"x"), Limits::default()).is_err(), "{kind:?}");
        }
        assert_eq!(names(&raw(EntryType::Regular, b"x"), Limits::default()).unwrap().len(), 1);
        let twice = [&package(&[("a", b"1")])[..1024], &package(&[("A", b"2")])].concat();
        assert!(names(&twice, Limits::default()).unwrap_err().what().contains("twice"));
        let hidden = [package(&[("a", b"1")]), b"hidden".to_vec()].concat();
        assert!(names(&hidden, Limits::default()).unwrap_err().what().contains("after its end"));
        let whole = package(&[("a", &[1; 2000])]);
        for cut in [100, 600, 1500, 2500, 2560, 3000] {
            assert!(names(&whole[..cut], Limits::default()).is_err(), "{cut}");
        }
        let mut bent = whole.clone();
        bent[0] = b'b';
        assert!(names(&bent, Limits::default()).is_err());
    }

    #[test]
    fn limits_hold() {
        let bytes = package(&[("a", &[1; 2000]), ("b", b"")]);
        let limits = Limits::default();
        assert!(names(&bytes, Limits { files: 1, ..limits }).is_err());
        assert!(names(&bytes, Limits { file_bytes: 1999, ..limits }).is_err());
        assert!(names(&bytes, Limits { all_bytes: 1999, ..limits }).is_err());
        assert!(names(&bytes, Limits { files: 2, file_bytes: 2000, all_bytes: 2000 }).is_ok());
    }
}
