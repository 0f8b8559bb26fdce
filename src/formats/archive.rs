//! ZIP files that come from outside (.docx, .odt, .xlsx), opened within bounds.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::base::{Error, Result};

/// The largest ZIP file, in bytes. Documents with pictures in them come near it, transcripts do not.
pub(super) const MOST_BYTES: usize = 64_000_000;
/// The most entries.
const MOST_ENTRIES: usize = 10_000;
/// The most bytes that all entries may come to.
const MOST_UNPACKED: u64 = 512_000_000;
/// The most bytes of one part that is read.
pub(super) const MOST_PART: u64 = 64_000_000;

/// An opened ZIP file.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
}

impl<'a> Archive<'a> {
    /// Opens `bytes`; `what` names the kind of file for messages ("a .docx document").
    ///
    /// Refused before anything is unpacked: too many entries, too much in them by the central directory, entries that overlap,
    /// have one name twice, are encrypted, or are named so as to lead outside.
    pub(super) fn open(bytes: &'a [u8], what: &str) -> Result<Self> {
        if bytes.len() > MOST_BYTES {
            return Err(bomb("the file is too large"));
        }
        if bytes.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
            return Err(Error::user(
                format!("the file is not {what}: it is protected by a password, or in the format of before 2007"),
                "Open it, take the password off, and save it in the new format.",
            ));
        }
        let broken = || {
            Error::user(format!("the file is not {what}, or it is damaged"), "Copy it again, or open and save it anew.")
        };
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken())?;
        if zip.len() > MOST_ENTRIES {
            return Err(bomb("it has too many parts"));
        }
        if zip.has_duplicate_names() || zip.has_overlapping_entries().map_err(|_| broken())? {
            return Err(refused("parts of it overlap"));
        }
        let mut unpacked = 0u64;
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(|_| broken())?;
            unpacked = unpacked.saturating_add(entry.size());
            if entry.encrypted() {
                return Err(Error::user(
                    "the file is protected by a password",
                    "Take the password off and save it again.",
                ));
            }
            let name = entry.name().map_err(|_| broken())?;
            if name.starts_with(['/', '\\']) || name.split(['/', '\\']).any(|part| part == "..") || name.contains('\0')
            {
                return Err(refused("it names parts outside itself"));
            }
        }
        if unpacked > MOST_UNPACKED {
            return Err(bomb("it unpacks to too much"));
        }
        Ok(Self { zip })
    }

    /// The names of all parts.
    pub(super) fn names(&self) -> Vec<String> {
        self.zip.file_names().filter_map(|n| n.ok().map(|n| n.into_owned())).collect()
    }

    /// Unpacks every part, keeping nothing: for a reader that unpacks parts by itself and believes the sizes they tell.
    pub(super) fn verify(&mut self) -> Result<()> {
        for index in 0..self.zip.len() {
            let damaged = || Error::user("a part of the file is damaged", "Copy it again, or open and save it anew.");
            let entry = self.zip.by_index(index).map_err(|_| damaged())?;
            let size = entry.size();
            let unpacked =
                std::io::copy(&mut entry.take(size.saturating_add(1)), &mut std::io::sink()).map_err(|_| damaged())?;
            if unpacked != size {
                return Err(refused("a part unpacks to another size than it says"));
            }
        }
        Ok(())
    }

    /// A part by its name, at most [`MOST_PART`] bytes; none if there is none.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(index) = self.zip.index_for_name(name) else { return Ok(None) };
        let damaged = || Error::user("a part of the file is damaged", "Copy it again, or open and save it anew.");
        let entry = self.zip.by_index(index).map_err(|_| damaged())?;
        let size = entry.size();
        if size > MOST_PART {
            return Err(bomb("a part unpacks to too much"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        entry.take(size.saturating_add(1)).read_to_end(&mut bytes).map_err(|_| damaged())?;
        if bytes.len() as u64 != size {
            return Err(refused("a part unpacks to another size than it says"));
        }
        Ok(Some(bytes))
    }

    /// A part that must be there.
    pub(super) fn needed(&mut self, name: &str, what: &str) -> Result<Vec<u8>> {
        self.part(name)?.ok_or_else(|| {
            Error::user(
                format!("the file is not {what}: a part that each has is missing"),
                "Open it where it was made and save it anew.",
            )
        })
    }
}

fn bomb(why: &str) -> Error {
    Error::user(format!("the file is refused: {why}"), "Open it where it was made and save it anew, without pictures.")
}

fn refused(why: &str) -> Error {
    Error::user(format!("the file is refused: {why}"), "Open it where it was made and save it anew.")
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    /// A ZIP file of these parts.
    pub(in super::super) fn zip_of(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// Changes the sizes that local header and central directory of the only entry tell.
    fn lie(mut bytes: Vec<u8>, size: u32) -> Vec<u8> {
        let central = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        bytes[central + 24..central + 28].copy_from_slice(&size.to_le_bytes());
        bytes[22..26].copy_from_slice(&size.to_le_bytes());
        bytes
    }

    #[test]
    fn parts_are_read() {
        let bytes = zip_of(&[("a/b.xml", b"<a/>"), ("c", b"")]);
        let mut archive = Archive::open(&bytes, "a .docx document").unwrap();
        assert_eq!(archive.part("a/b.xml").unwrap().unwrap(), b"<a/>");
        assert!(archive.part("d").unwrap().is_none());
        assert!(archive.needed("d", "a .docx document").is_err());
    }

    #[test]
    fn bombs_are_refused() {
        let big = vec![0u8; 130_000_000];
        let bytes = zip_of(&[("a", &big)]);
        assert!(bytes.len() < 200_000);
        assert!(Archive::open(&bytes, "x").unwrap().part("a").is_err());
        let parts: Vec<(&str, &[u8])> = vec![("1", &big), ("2", &big), ("3", &big), ("4", &big)];
        assert!(Archive::open(&zip_of(&parts), "x").is_err());
        let names: Vec<String> = (0..10_001).map(|n| n.to_string()).collect();
        let many: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b""[..])).collect();
        assert!(Archive::open(&zip_of(&many), "x").is_err());
    }

    #[test]
    fn sizes_that_lie_are_refused() {
        let bytes = zip_of(&[("a", &vec![7u8; 1_000_000])]);
        let lied = lie(bytes, 10);
        assert!(Archive::open(&lied, "x").and_then(|mut a| a.part("a")).is_err());
        assert!(Archive::open(&lied, "x").and_then(|mut a| a.verify()).is_err());
        assert!(Archive::open(&zip_of(&[("a", b"b"), ("c", b"")]), "x").and_then(|mut a| a.verify()).is_ok());
    }

    #[test]
    fn names_that_lead_outside_are_refused() {
        for name in ["../x", "/etc/passwd", "a/../../x", "a\\..\\x"] {
            assert!(Archive::open(&zip_of(&[(name, b"")]), "x").is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_no_zip_is_refused() {
        let whole = zip_of(&[("a", b"bytes bytes bytes")]);
        for bytes in
            [&b""[..], b"PK\x03\x04", b"hello", &whole[..whole.len() - 5], b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and more"]
        {
            assert!(Archive::open(bytes, "x").is_err());
        }
    }
}
