//! Names of files as a manifest gives them: relative, and never leading out of the delivery.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::base::{Error, Result};

/// The longest name that is taken, in bytes; more than any file system here gives for a path inside a folder.
const LONGEST: usize = 1_000;

/// The deepest folder inside a delivery.
const DEEPEST: usize = 32;

/// The name of a file inside a delivery, with `/` between folders, relative to the folder of the manifest.
///
/// It holds no `.` or `..`, is not absolute, names no drive, and has no backslash or control character, so that joining it to the
/// delivery's folder stays inside. (Links in the file system are the caller's to refuse.)
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryPath(String);

impl DeliveryPath {
    /// Checks a name as it stands in a manifest.
    pub fn parse(text: &str) -> Result<Self> {
        let remedy = "Write the file's name as seen from the delivery's folder, such as audio/AM-05.wav.";
        let bad = |what: &str| Err(Error::user(what, remedy));
        let text = text.trim();
        if text.is_empty() {
            return bad("a file name is empty");
        }
        if text.len() > LONGEST {
            return bad("a file name is too long");
        }
        if text.chars().any(char::is_control) {
            return bad("a file name has control characters in it");
        }
        if text.contains('\\') {
            return Err(Error::user("a file name has a backslash in it", "Write / between folders."));
        }
        let mut chars = text.chars();
        let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':');
        if text.starts_with('/') || text.starts_with('~') || drive || text.contains("://") {
            return bad("a file name is absolute");
        }
        let parts: Vec<&str> = text.split('/').filter(|p| *p != ".").collect();
        if parts.contains(&"..") {
            return bad("a file name leads out of the delivery");
        }
        if parts.is_empty() || parts.iter().any(|p| p.trim().is_empty()) {
            return bad("a file name names a folder, not a file");
        }
        if parts.len() > DEEPEST {
            return bad("a file name goes through too many folders");
        }
        Ok(Self(parts.join("/")))
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The forms under which a file system may know it, most likely first: as written, NFC, NFD (Unicode Annex 15).
    pub fn forms(&self) -> Vec<String> {
        let mut forms = vec![self.0.clone()];
        if self.0.is_ascii() {
            return forms;
        }
        for form in [self.0.nfc().collect::<String>(), self.0.nfd().collect()] {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        forms
    }

    /// What is after the last dot of the last part, in small letters.
    pub fn extension(&self) -> Option<String> {
        let name = self.0.rsplit('/').next()?;
        let (stem, extension) = name.rsplit_once('.')?;
        (!stem.is_empty() && !extension.is_empty()).then(|| extension.to_lowercase())
    }

    /// The same in NFC, to compare two names for being one file.
    pub fn key(&self) -> String {
        if self.0.is_ascii() { self.0.clone() } else { self.0.nfc().collect() }
    }
}

impl fmt::Debug for DeliveryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeliveryPath(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        for (given, wanted) in [
            ("AM-05.wav", "AM-05.wav"),
            (" audio/AM-05.WAV ", "audio/AM-05.WAV"),
            ("./audio/./x.txt", "audio/x.txt"),
            ("Ереван/беседа 1.docx", "Ереван/беседа 1.docx"),
            ("a..b/c...d", "a..b/c...d"),
        ] {
            assert_eq!(DeliveryPath::parse(given).unwrap().as_str(), wanted);
        }
        let long = "x".repeat(1_001);
        let deep = "a/".repeat(40) + "b";
        for bad in [
            "",
            " ",
            ".",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/..",
            "C:\\x",
            "C:x",
            "c:/x",
            "a\\b",
            "..\\x",
            "\\\\host\\share",
            "~/x",
            "~root/x",
            "a\0b",
            "a\nb",
            "a//b",
            "a/",
            "file:///etc/passwd",
            &long,
            &deep,
        ] {
            assert!(DeliveryPath::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn both_unicode_forms_are_offered() {
        let path = DeliveryPath::parse("a/й.Txt").unwrap();
        assert_eq!(path.forms(), ["a/й.Txt", "a/и\u{306}.Txt"]);
        assert_eq!(path.extension().as_deref(), Some("txt"));
        assert_eq!(DeliveryPath::parse("a/и\u{306}.Txt").unwrap().key(), path.key());
        assert_eq!(DeliveryPath::parse("a.b/.hidden").unwrap().extension(), None);
        assert_eq!(format!("{path:?}"), "DeliveryPath(…)");
    }
}
