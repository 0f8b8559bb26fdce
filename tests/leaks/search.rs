//! Finding planted words in bytes, in every spelling that a leak could have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::bytes::{Regex, RegexBuilder};
use unicode_normalization::UnicodeNormalization;

/// Looks for many words at once.
pub(crate) struct Searcher {
    pattern: Regex,
    /// Which word a spelling is of.
    spelt: BTreeMap<Vec<u8>, usize>,
}

impl Searcher {
    /// For texts and for bytes (keys); they are told by their place in the list, texts first.
    pub(crate) fn new(texts: &[String], bytes: &[Vec<u8>]) -> Self {
        let mut spelt = BTreeMap::new();
        for (number, text) in texts.iter().enumerate() {
            for spelling in of_text(text) {
                spelt.entry(spelling).or_insert(number);
            }
        }
        for (number, key) in (texts.len()..).zip(bytes) {
            for spelling in of_bytes(key) {
                spelt.entry(spelling).or_insert(number);
            }
        }
        let all: Vec<String> = spelt.keys().map(|s| s.iter().map(|b| format!("\\x{b:02x}")).collect()).collect();
        let pattern = RegexBuilder::new(&all.join("|")).unicode(false).size_limit(1 << 30).build().unwrap();
        Self { pattern, spelt }
    }

    /// The words that are in there.
    pub(crate) fn find(&self, bytes: &[u8]) -> BTreeSet<usize> {
        self.pattern.find_iter(bytes).map(|hit| self.spelt[hit.as_bytes()]).collect()
    }

    /// The words that are in the files of a folder or in their names, and how many files there are.
    pub(crate) fn find_in(&self, folder: &Path) -> (BTreeSet<usize>, usize) {
        let (mut found, mut files) = (BTreeSet::new(), 0);
        let Ok(entries) = std::fs::read_dir(folder) else { return (found, files) };
        for entry in entries {
            let path = entry.unwrap().path();
            found.extend(self.find(path.file_name().unwrap().as_encoded_bytes()));
            if path.is_dir() {
                let (inner, n) = self.find_in(&path);
                found.extend(inner);
                files += n;
            } else {
                found.extend(self.find(&std::fs::read(&path).unwrap_or_default()));
                files += 1;
            }
        }
        (found, files)
    }
}

fn of_text(text: &str) -> BTreeSet<Vec<u8>> {
    let mut out = BTreeSet::new();
    let forms: [String; 5] =
        [text.to_owned(), text.to_lowercase(), text.to_uppercase(), text.nfc().collect(), text.nfd().collect()];
    for form in forms {
        let utf16 = |of: fn(u16) -> [u8; 2]| -> Vec<u8> { form.encode_utf16().flat_map(of).collect() };
        out.extend([utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)]);
        let escaped: String = form
            .encode_utf16()
            .map(|u| char::from_u32(u.into()).filter(char::is_ascii).map_or(format!("\\u{u:04x}"), String::from))
            .collect();
        out.extend([escaped.clone().into_bytes(), escaped.replace("\\u04", "\\u{4").into_bytes()]);
        out.extend(of_bytes(form.as_bytes()));
    }
    out
}

fn of_bytes(bytes: &[u8]) -> BTreeSet<Vec<u8>> {
    use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
    let mut out =
        BTreeSet::from([bytes.to_vec(), HEXLOWER.encode(bytes).into_bytes(), HEXUPPER.encode(bytes).into_bytes()]);
    for upper in [false, true] {
        let percent = |b: &u8| match b {
            b if b.is_ascii_alphanumeric() || b"-_.~".contains(b) => char::from(*b).to_string(),
            b if upper => format!("%{b:02X}"),
            b => format!("%{b:02x}"),
        };
        out.insert(bytes.iter().map(percent).collect::<String>().into_bytes());
    }
    // Wherever it begins within three bytes; the ends, which its neighbours change, are cut off.
    for before in 0..3 {
        let mut shifted = vec![0; before];
        shifted.extend_from_slice(bytes);
        let whole = shifted.len() / 3 * 4;
        let first = if before == 0 { 0 } else { 4 };
        for encoding in [&BASE64, &BASE64URL] {
            let text = encoding.encode(&shifted);
            if whole >= first + 8 {
                out.insert(text.as_bytes()[first..whole].to_vec());
            }
        }
    }
    out
}
