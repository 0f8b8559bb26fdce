//! The columns of a manifest, and what a wrong name may have meant.

use crate::formats::fault::Fault;

/// A column that a manifest may have, in the order of docs/format.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub(super) enum Column {
    Code,
    Date,
    Place,
    Language,
    Label,
    Role,
    Participant,
    Name,
    AlsoKnownAs,
    Contacts,
    Gender,
    BirthYear,
    Education,
    Occupation,
    ConsentForm,
    ConsentDate,
    ConsentExcept,
    ConsentCondition,
    Evidence,
    EvidenceFrom,
    EvidenceTo,
    Recording,
    Transcript,
    TranscriptKind,
    TranscriptLanguage,
    TranscriptMaker,
    TranscriptOf,
    Document,
    DocumentKind,
    Notes,
}

use Column as C;

const NAMES: [(Column, &str); 30] = [
    (C::Code, "code"),
    (C::Date, "date"),
    (C::Place, "place"),
    (C::Language, "language"),
    (C::Label, "label"),
    (C::Role, "role"),
    (C::Participant, "participant"),
    (C::Name, "name"),
    (C::AlsoKnownAs, "also_known_as"),
    (C::Contacts, "contacts"),
    (C::Gender, "gender"),
    (C::BirthYear, "birth_year"),
    (C::Education, "education"),
    (C::Occupation, "occupation"),
    (C::ConsentForm, "consent_form"),
    (C::ConsentDate, "consent_date"),
    (C::ConsentExcept, "consent_except"),
    (C::ConsentCondition, "consent_condition"),
    (C::Evidence, "evidence"),
    (C::EvidenceFrom, "evidence_from"),
    (C::EvidenceTo, "evidence_to"),
    (C::Recording, "recording"),
    (C::Transcript, "transcript"),
    (C::TranscriptKind, "transcript_kind"),
    (C::TranscriptLanguage, "transcript_language"),
    (C::TranscriptMaker, "transcript_maker"),
    (C::TranscriptOf, "transcript_of"),
    (C::Document, "document"),
    (C::DocumentKind, "document_kind"),
    (C::Notes, "notes"),
];

/// What people write instead.
const MEANT: &[(&str, Column)] = &[
    ("id", C::Code),
    ("interview", C::Code),
    ("interviewdate", C::Date),
    ("day", C::Date),
    ("location", C::Place),
    ("city", C::Place),
    ("lang", C::Language),
    ("speaker", C::Label),
    ("alias", C::AlsoKnownAs),
    ("aka", C::AlsoKnownAs),
    ("othernames", C::AlsoKnownAs),
    ("contact", C::Contacts),
    ("phone", C::Contacts),
    ("email", C::Contacts),
    ("sex", C::Gender),
    ("yearofbirth", C::BirthYear),
    ("born", C::BirthYear),
    ("profession", C::Occupation),
    ("job", C::Occupation),
    ("consent", C::ConsentForm),
    ("form", C::ConsentForm),
    ("exceptions", C::ConsentExcept),
    ("condition", C::ConsentCondition),
    ("audio", C::Recording),
    ("file", C::Recording),
    ("video", C::Recording),
    ("text", C::Transcript),
    ("translation", C::Transcript),
    ("maker", C::TranscriptMaker),
    ("transcriber", C::TranscriptMaker),
    ("comment", C::Notes),
    ("comments", C::Notes),
    ("remarks", C::Notes),
];

impl Column {
    /// How many there are.
    pub(super) const COUNT: usize = NAMES.len();

    /// The name as docs/format.md writes it.
    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(c, _)| *c == self).map_or("", |(_, name)| name)
    }
}

/// What the columns of a table are.
pub(super) struct Columns {
    /// Where each known column stands.
    at: [Option<usize>; Column::COUNT],
    /// `meta:NAME` columns.
    pub(super) meta: Vec<(usize, String)>,
    /// How many columns the header names.
    pub(super) width: usize,
}

impl Columns {
    /// Where a column stands, if the table has it.
    pub(super) fn at(&self, column: Column) -> Option<usize> {
        self.at.get(column as usize).copied().flatten()
    }

    /// Reads the header. Unknown names, names that stand twice and a missing `code` are faults; a name that is not known is told by its place.
    pub(super) fn read(header: &[String], place: &str, faults: &mut Vec<Fault>) -> Self {
        let mut columns = Self { at: [None; Column::COUNT], meta: Vec::new(), width: header.len() };
        for (index, name) in header.iter().enumerate() {
            let here = format!("{place}, column {}", index + 1);
            if let Some(meta) = meta_name(name) {
                if meta.is_empty() || meta.chars().count() > 100 || meta.chars().any(char::is_control) {
                    faults.push(Fault::new(
                        here,
                        "the name after meta: is empty or too long",
                        "Write a short name after meta:.",
                    ));
                } else if columns.meta.iter().any(|(_, known)| *known == meta) {
                    faults.push(twice(here));
                } else {
                    columns.meta.push((index, meta));
                }
                continue;
            }
            let bare = squeeze(name);
            if bare.is_empty() {
                faults.push(Fault::new(here, "the column has no name", "Name it in the first row, or delete it."));
                continue;
            }
            match NAMES.iter().find(|(_, known)| squeeze(known) == bare) {
                Some((column, _)) => match &mut columns.at[*column as usize] {
                    slot @ None => *slot = Some(index),
                    Some(_) => faults.push(twice(here)),
                },
                None => faults.push(Fault::new(here, "the column's name is not known", suggest(&bare))),
            }
        }
        if columns.at(C::Code).is_none() {
            faults.push(Fault::new(
                place,
                "there is no column code",
                "Add a column code with the archive code on every row; of a workbook only the first sheet is read.",
            ));
        }
        for (column, with) in [
            (C::Role, C::Label),
            (C::TranscriptKind, C::Transcript),
            (C::DocumentKind, C::Document),
            (C::EvidenceFrom, C::Evidence),
            (C::EvidenceTo, C::Evidence),
        ] {
            if columns.at(column).is_some() && columns.at(with).is_none() {
                let what = format!("there is a column {} but no column {}", column.name(), with.name());
                faults.push(Fault::new(place, what, format!("Add a column {}.", with.name())));
            }
        }
        columns
    }
}

fn twice(place: String) -> Fault {
    Fault::new(place, "the column stands twice", "Keep one of them; use a row for each further value.")
}

fn meta_name(name: &str) -> Option<String> {
    let (head, rest) = name.split_once(':')?;
    head.trim().eq_ignore_ascii_case("meta").then(|| rest.trim().to_owned())
}

/// Small letters, without spaces, underscores and dashes.
fn squeeze(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

fn suggest(bare: &str) -> String {
    let meant = MEANT.iter().find(|(word, _)| *word == bare).map(|(_, column)| *column);
    let near = || {
        let short: String = bare.chars().take(40).collect();
        let distances = NAMES.iter().map(|(column, name)| (distance(&short, &squeeze(name)), *column));
        distances
            .min_by_key(|(d, _)| *d)
            .filter(|(d, column)| *d <= 2 && *d * 3 < column.name().len())
            .map(|(_, column)| column)
    };
    match meant.or_else(near) {
        Some(column) => {
            format!("Did you mean {}? Anything else about an interview goes into a column meta:NAME.", column.name())
        }
        None => "Rename it to one of the columns of the manifest, or to meta:NAME.".into(),
    }
}

/// Edits between two short texts (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &[&str]) -> (Columns, Vec<Fault>) {
        let mut faults = Vec::new();
        let header: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        (Columns::read(&header, "m.csv line 1", &mut faults), faults)
    }

    #[test]
    fn names_are_found_in_any_dress() {
        for (index, (column, _)) in NAMES.iter().enumerate() {
            assert_eq!(*column as usize, index);
        }
        let (columns, faults) = read(&["Code", " consent form", "BIRTH_YEAR", "label", "Meta: Team lead"]);
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(columns.at(C::ConsentForm), Some(1));
        assert_eq!(columns.at(C::BirthYear), Some(2));
        assert_eq!(columns.at(C::Date), None);
        assert_eq!(columns.meta, [(4, "Team lead".to_owned())]);
    }

    #[test]
    fn wrong_names_are_told_with_what_they_may_mean() {
        let (_, faults) = read(&["code", "dat", "sex", "Maria", "code", "", "meta:", "meta:a", "meta:a"]);
        let remedies: Vec<&str> = faults.iter().map(|f| f.remedy.as_str()).collect();
        assert_eq!(faults.len(), 7);
        assert!(remedies[0].contains("mean date"), "{}", remedies[0]);
        assert!(remedies[1].contains("mean gender"));
        assert!(!format!("{faults:?}").contains("Maria"));
        let (_, faults) = read(&["date", "role"]);
        assert_eq!(faults.len(), 2);
    }
}
