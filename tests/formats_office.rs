//! Documents as other programs write them (python-docx, odfpy, openpyxl): tests/fixtures/formats/README.md.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use subrosa::formats::transcript::{TranscriptFormat, read};
use subrosa::formats::{Manifest, Table};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/formats/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn documents() {
    let labels = ["И".to_owned(), "О".to_owned()];
    let word = read(TranscriptFormat::Docx, &fixture("turns.docx"), &labels).unwrap();
    let turns: Vec<_> =
        word.turns.iter().map(|t| (t.label.as_deref().unwrap_or("?"), t.start_ms, t.text.as_str())).collect();
    assert_eq!(
        turns,
        [
            ("И", None, "Когда вы уехали?"),
            ("О", None, "Весной, через Ларс."),
            ("И", Some(65_000), "И потом?"),
            ("О", None, "Потом ничего.")
        ]
    );
    assert!(word.notices[0].contains("1 comment") && word.notices[0].contains("headers"), "{:?}", word.notices);
    let open = read(TranscriptFormat::Odt, &fixture("turns.odt"), &labels).unwrap();
    let turns: Vec<_> = open.turns.iter().map(|t| (t.label.as_deref().unwrap_or("?"), t.text.as_str())).collect();
    assert_eq!(turns, [("И", "Когда  вы уехали?"), ("О", "Весной, через Ларс.")]);
    assert!(open.notices[0].contains("1 comment") && open.notices[0].contains("1 footnote"), "{:?}", open.notices);
}

#[test]
fn a_workbook() {
    let table = Table::from_xlsx(&fixture("manifest.xlsx")).unwrap();
    let manifest = Manifest::read(&table, "manifest.xlsx", &str::to_owned).unwrap();
    let dates: Vec<_> = manifest.interviews.iter().map(|i| (i.lines.clone(), i.date.unwrap().to_string())).collect();
    assert_eq!(dates, [(vec![2], "2023-05-17".to_owned()), (vec![4], "2023-06-01".to_owned())]);
    let speaker = &manifest.interviews[0].speakers[0];
    assert_eq!(speaker.birth_year, Some(1987));
    let evidence = speaker.consent.as_ref().unwrap().evidence.as_ref().unwrap();
    assert_eq!((evidence.from_ms, evidence.to_ms), (Some(65_000), Some(90_000)));
}
