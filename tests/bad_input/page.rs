//! docs/errors.md: what the program says, held against what it said.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::harness::Row;

/// The sections of the page, in order.
const SECTIONS: [&str; 17] = [
    "Who you are",
    "A new identity",
    "People and their cards",
    "The vault",
    "Databases, keyring and key file",
    "Places",
    "The study definition",
    "Policies",
    "A manifest",
    "What a delivery holds",
    "Recordings",
    "Documents",
    "Workbooks",
    "Requests",
    "Decisions",
    "Extracts",
    "What is typed",
];

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md")
}

/// Holds the section of a group against what the program said. A section that differs is written out, to be put in its place.
pub(crate) fn holds(title: &str, rows: Vec<Row>) {
    if rows.is_empty() {
        return;
    }
    let mut section =
        format!("## {title}\n\n| situation | the program says | what to do | exit |\n|---|---|---|---|\n");
    for row in rows {
        let cell = |text: &str| text.replace('|', "\\|").replace('<', "&lt;").replace('\n', "<br>");
        let _ = writeln!(section, "| {} | {} | {} | {} |", row.situation, cell(&row.says), cell(&row.remedy), row.code);
    }
    let text = std::fs::read_to_string(page()).unwrap_or_default();
    let found = text.split("\n## ").find(|s| s.starts_with(&format!("{title}\n")));
    let found = found.map(|s| format!("## {}\n", s.trim_end())).unwrap_or_default();
    if found.trim_end() != section.trim_end() {
        let wanted = Path::new(env!("CARGO_TARGET_TMPDIR")).join("errors").join(format!("{title}.md"));
        std::fs::create_dir_all(wanted.parent().unwrap()).unwrap();
        std::fs::write(&wanted, &section).unwrap();
        panic!("docs/errors.md, section {title}, is not what the program says. What it says now: {}", wanted.display());
    }
}

#[test]
fn the_page_has_these_sections_and_no_other() {
    let text = std::fs::read_to_string(page()).unwrap();
    let found: Vec<&str> = text.split("\n## ").skip(1).filter_map(|s| s.lines().next()).collect();
    assert_eq!(found, SECTIONS);
}
