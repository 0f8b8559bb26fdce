//! Whatever comes in: an answer or an error, never a panic, and nothing lost or made up.

use proptest::prelude::*;
use subrosa::formats::transcript::{TranscriptFormat as F, read};
use subrosa::formats::{Manifest, Table, encoding};

const SCRAPS: [&str; 34] = [
    "R: ",
    "r:",
    "И: ",
    "X: ",
    "Maria Rossi: ",
    "\n",
    "\n\n",
    "\r\n",
    "[00:01:05] ",
    "(1:05)",
    "[",
    "]",
    "12. ",
    "00:00:01.000 --> 00:00:02.000\n",
    "00:00:01,000 --> 00:00:02,000\n",
    "-->",
    "WEBVTT\n\n",
    "NOTE ",
    "<v R>",
    "<v Maria>",
    "</v>",
    "<i>",
    "<",
    "&amp;",
    "&",
    "{\\an8}",
    "word ",
    "слово ",
    ",",
    ";",
    "\"",
    "\t",
    "e\u{301}",
    "😀",
];

fn scraps() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&SCRAPS[..]), 0..40).prop_map(|parts| parts.concat())
}

fn labels() -> Vec<String> {
    vec!["R".into(), "И".into(), "e\u{301}".into()]
}

/// Letters of a text, without the markup of subtitles.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic() && !c.is_ascii()).collect()
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = encoding::decode(&bytes, 1_000);
        let _ = Table::from_csv(&bytes);
        let _ = Table::from_xlsx(&bytes);
        for format in [F::Txt, F::Docx, F::Odt, F::Vtt, F::Srt] {
            let _ = read(format, &bytes, &labels());
        }
        let len = bytes.len() as u64;
        let _ = subrosa::formats::media::probe(std::io::Cursor::new(bytes), Some("mp3"), len);
    }

    #[test]
    fn any_scraps(text in scraps()) {
        for format in [F::Vtt, F::Srt] {
            let _ = read(format, text.as_bytes(), &labels());
            let _ = read(format, format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{text}").as_bytes(), &labels());
        }
        if let Ok(found) = read(F::Txt, text.as_bytes(), &labels()) {
            prop_assert!(found.turns.iter().all(|t| t.label.as_ref().is_none_or(|l| labels().contains(l))));
            // No word is lost or moved: only labels and times are taken out of the text.
            let kept: String = found.turns.iter().map(|t| t.text.replace('И', "")).collect();
            prop_assert_eq!(letters(&kept), letters(&text.replace('И', "")));
        }
    }

    #[test]
    fn any_table(text in scraps()) {
        let text = format!("code,date,label,role,recording,transcript,notes\n{text}");
        if let Ok(table) = Table::from_csv(text.as_bytes()) {
            let _ = Manifest::read(&table, "manifest.csv", &str::to_uppercase);
        }
    }
}
