//! The small study that ships with `subrosa demo`: twelve invented interviews in two deliveries; and [`generate`], which makes others of any size.
//!
//! What is in it, and how it was made, stands in `src/sample/README.md`.

pub mod generate;

/// A file of a delivery.
#[derive(Clone, Copy)]
pub struct SampleFile {
    /// Where it lies inside the delivery's folder, with `/` between folders.
    pub path: &'static str,
    /// The whole file.
    pub bytes: &'static [u8],
}

macro_rules! file {
    ($folder:literal, $path:literal) => {
        SampleFile { path: $path, bytes: include_bytes!(concat!($folder, $path)) }
    };
}

/// The study definition, `study.toml`.
pub const STUDY: &str = include_str!("study.toml");

/// The first delivery: a manifest, recordings, transcripts, documents.
pub const FIRST: &[SampleFile] = &[
    file!("delivery/", "manifest.csv"),
    file!("delivery/", "documents/GE-01-notes.txt"),
    file!("delivery/", "documents/PL-02-consent.png"),
    file!("delivery/", "documents/SR-02-window.jpg"),
    file!("delivery/", "documents/information-sheet.txt"),
    file!("delivery/", "recordings/AM-01.mp3"),
    file!("delivery/", "recordings/AM-02.opus"),
    file!("delivery/", "recordings/AM-03.ogg"),
    file!("delivery/", "recordings/AM-04.wav"),
    file!("delivery/", "recordings/GE-01.m4a"),
    file!("delivery/", "recordings/GE-02.mp4"),
    file!("delivery/", "recordings/GE-03.flac"),
    file!("delivery/", "recordings/PL-01.m4a"),
    file!("delivery/", "recordings/PL-02.ogg"),
    file!("delivery/", "recordings/SR-01.mp3"),
    file!("delivery/", "recordings/SR-02.mkv"),
    file!("delivery/", "recordings/SR-03.opus"),
    file!("delivery/", "transcripts/AM-01.txt"),
    file!("delivery/", "transcripts/AM-02.vtt"),
    file!("delivery/", "transcripts/AM-03.txt"),
    file!("delivery/", "transcripts/GE-01.docx"),
    file!("delivery/", "transcripts/GE-02.srt"),
    file!("delivery/", "transcripts/GE-03.odt"),
    file!("delivery/", "transcripts/PL-01.odt"),
    file!("delivery/", "transcripts/PL-02.txt"),
    file!("delivery/", "transcripts/SR-01-en.txt"),
    file!("delivery/", "transcripts/SR-01.txt"),
    file!("delivery/", "transcripts/SR-02.txt"),
    file!("delivery/", "transcripts/SR-03.txt"),
];

/// The second delivery, some weeks later: a corrected transcript of one interview, the first transcript of another.
pub const LATER: &[SampleFile] = &[
    file!("later/", "manifest.csv"),
    file!("later/", "transcripts/AM-03-corrected.txt"),
    file!("later/", "transcripts/AM-04.txt"),
];

/// Every planted name, handle, number and address in every form that occurs, words of voices that may not be heard, and the
/// archive codes, as a JSON object of lists.
pub const SECRETS: &str = include_str!("secrets.json");

#[cfg(test)]
mod tests {
    use super::*;

    fn text(file: &SampleFile) -> &'static str {
        std::str::from_utf8(file.bytes).unwrap()
    }

    fn manifest(files: &'static [SampleFile]) -> &'static str {
        text(files.iter().find(|f| f.path == "manifest.csv").unwrap())
    }

    #[test]
    fn each_delivery_has_what_its_manifest_names_and_nothing_else() {
        for files in [FIRST, LATER] {
            let manifest = manifest(files);
            for file in files.iter().filter(|f| f.path != "manifest.csv") {
                assert!(!file.bytes.is_empty());
                assert!(manifest.contains(file.path), "{}", file.path);
            }
            let cells = manifest.split([',', ';', '\n', '"']);
            for named in cells.filter(|c| c.contains('/') && !c.contains(' ') && !c.starts_with("t.me/")) {
                assert!(files.iter().any(|f| f.path == named), "{named}");
            }
        }
    }

    #[test]
    fn encodings_have_survived_the_checkout() {
        let bytes = |path: &str| FIRST.iter().find(|f| f.path == path).unwrap().bytes;
        assert!(bytes("transcripts/SR-02.txt").starts_with(&[0xff, 0xfe]));
        assert!(std::str::from_utf8(bytes("transcripts/AM-03.txt")).is_err());
        assert!(bytes("transcripts/AM-03.txt").windows(2).any(|w| w == b"\r\n"));
        assert!(bytes("transcripts/GE-02.srt").starts_with(b"\xef\xbb\xbf1\r\n"));
    }

    #[test]
    fn every_secret_is_long_enough_to_be_looked_for() {
        let secrets: serde_json::Map<String, serde_json::Value> = serde_json::from_str(SECRETS).unwrap();
        for list in ["names", "handles", "numbers", "addresses", "words", "codes"] {
            let list = secrets[list].as_array().unwrap();
            assert!(!list.is_empty());
            assert!(list.iter().all(|s| s.as_str().unwrap().len() >= 5));
        }
        assert!(manifest(FIRST).contains("Белозёрова") && SECRETS.contains("Белозёрова"));
    }
}
