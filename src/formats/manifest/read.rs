//! Rows to interviews.

use std::collections::HashMap;

use super::cells;
use super::columns::{Column as C, Columns};
use super::draft::{Draft, Said, TranscriptDraft, Voice};
use super::{DocumentEntry, DocumentKind, Manifest, RecordingEntry};
use crate::base::Result;
use crate::formats::table::{Row, Table};
use crate::formats::{DeliveryPath, fault::Fault};

/// The most faults that are listed; what is wrong in ten thousand rows is wrong in the first hundred.
const MOST_FAULTS: usize = 500;
/// The most rows of one interview.
const MOST_ROWS: usize = 2_000;

pub(super) fn read(table: &Table, name: &str, same: &dyn Fn(&str) -> String) -> (Manifest, Vec<Fault>) {
    let mut faults = Vec::new();
    let columns = Columns::read(&table.header, &format!("{name} line {}", table.header_line), &mut faults);
    for (line, column) in &table.broken {
        let place = format!("{name} line {line}, column {}", column + 1);
        faults.push(Fault::new(
            place,
            "the cell holds an error of the spreadsheet",
            "Mend its formula, or type the value.",
        ));
    }
    if table.rows.is_empty() {
        faults.push(Fault::new(
            name,
            "there is no row below the names of the columns",
            "Add a row for each interview.",
        ));
    }
    let mut reading = Reading {
        name,
        columns: &columns,
        faults,
        drafts: Vec::new(),
        by_code: HashMap::new(),
        files: HashMap::new(),
        unsaid: 0,
    };
    if columns.at(C::Code).is_some() {
        for row in &table.rows {
            if reading.faults.len() > MOST_FAULTS {
                break;
            }
            reading.row(row, same);
        }
    }
    let mut interviews = Vec::with_capacity(reading.drafts.len());
    for draft in std::mem::take(&mut reading.drafts) {
        interviews.push(reading.interview(draft));
    }
    let Reading { mut faults, unsaid, .. } = reading;
    if faults.len() > MOST_FAULTS {
        faults.truncate(MOST_FAULTS);
        let last = table.rows.last().map_or(table.header_line, |row| row.line);
        let place = format!("{name} line {last}");
        faults.push(Fault::new(place, "there are more faults than are listed", "Mend the ones above first."));
    }
    let mut notices: Vec<String> =
        table.taken.and_then(|t| t.notice()).map(|n| format!("{name}: {n}")).into_iter().collect();
    if unsaid > 0 {
        notices.push(format!("{name}: transcript_kind is empty for {unsaid} transcripts; they are taken as raw."));
    }
    (Manifest { interviews, notices }, faults)
}

/// A manifest while it is read.
pub(super) struct Reading<'a> {
    pub(super) name: &'a str,
    columns: &'a Columns,
    pub(super) faults: Vec<Fault>,
    drafts: Vec<Draft>,
    by_code: HashMap<String, usize>,
    /// Recordings and transcripts, each with the interview and the column that named it first.
    files: HashMap<String, (usize, C)>,
    /// Transcripts that do not say what they are.
    pub(super) unsaid: usize,
}

impl Reading<'_> {
    /// Notes a fault of a cell.
    pub(super) fn fault(&mut self, line: u64, column: C, what: impl Into<String>, remedy: impl Into<String>) {
        let place = format!("{} line {line}, column {}", self.name, column.name());
        self.faults.push(Fault::new(place, what, remedy));
    }

    /// The cell of a column; none if it is empty.
    fn cell<'r>(&self, row: &'r Row, column: C) -> Option<&'r str> {
        let at = self.columns.at(column)?;
        row.cells.get(at).map(|c| c.trim()).filter(|c| !c.is_empty())
    }

    /// The parsed value of a cell; a wrong one is noted and counts as empty.
    fn value<T>(&mut self, row: &Row, column: C, parse: fn(&str) -> Result<T>) -> Option<T> {
        match parse(self.cell(row, column)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(row.line, column, error.what(), error.remedy());
                None
            }
        }
    }

    /// Fills a slot that may stand once; another value later is a contradiction.
    fn once<T: PartialEq>(&mut self, slot: &mut Said<T>, row: &Row, column: C, parse: fn(&str) -> Result<T>) {
        let Some(value) = self.value(row, column, parse) else { return };
        match slot {
            None => *slot = Some((row.line, value)),
            Some((_, known)) if *known == value => {}
            Some((line, _)) => {
                let line = *line;
                self.fault(
                    row.line,
                    column,
                    format!("this says something else than line {line} for the same code"),
                    "Keep the one that is right.",
                );
            }
        }
    }

    fn row(&mut self, row: &Row, same: &dyn Fn(&str) -> String) {
        if row.cells.len() > self.columns.width {
            let place = format!("{} line {}", self.name, row.line);
            self.faults.push(Fault::new(
                place,
                "the row has more cells than there are names of columns",
                "Put cells that hold the separator into quotation marks.",
            ));
        }
        if self.cell(row, C::Code).is_none() {
            self.fault(row.line, C::Code, "the row has no code", "Write the archive code on every row.");
            return;
        }
        let Some(code) = self.value(row, C::Code, cells::short) else { return };
        let key = same(&code);
        let at = match self.by_code.get(&key) {
            Some(at) => *at,
            None => {
                self.by_code.insert(key, self.drafts.len());
                self.drafts.push(Draft { code_raw: code.clone(), ..Draft::default() });
                self.drafts.len() - 1
            }
        };
        let lines = &mut self.drafts[at].lines;
        if lines.len() >= MOST_ROWS {
            // Told once.
            if lines.len() == MOST_ROWS {
                lines.push(row.line);
                let what = format!("there are more than {MOST_ROWS} rows for one code");
                self.fault(row.line, C::Code, what, "Check the codes.");
            }
            return;
        }
        let mut draft = std::mem::take(&mut self.drafts[at]);
        draft.lines.push(row.line);
        if draft.code_raw != code {
            draft.code_variants.push((row.line, code));
        }
        self.once(&mut draft.date, row, C::Date, cells::date);
        self.once(&mut draft.place, row, C::Place, cells::line);
        self.once(&mut draft.language, row, C::Language, cells::language);
        self.voice(&mut draft, row);
        self.recording(&mut draft, row, at);
        self.transcript(&mut draft, row, at);
        self.document(&mut draft, row);
        if let Some(notes) = self.value(row, C::Notes, cells::page)
            && !draft.notes.contains(&notes)
        {
            draft.notes.push(notes);
        }
        self.meta(&mut draft, row);
        self.drafts[at] = draft;
    }

    fn meta(&mut self, draft: &mut Draft, row: &Row) {
        let columns = self.columns;
        for (at, name) in &columns.meta {
            let Some(text) = row.cells.get(*at).filter(|c| !c.is_empty()) else { continue };
            let place = || format!("{} line {}, column {}", self.name, row.line, at + 1);
            let text = match cells::page(text) {
                Ok(text) => text,
                Err(error) => {
                    self.faults.push(Fault::new(place(), error.what(), error.remedy()));
                    continue;
                }
            };
            match draft.meta.get(name) {
                None => {
                    draft.meta.insert(name.clone(), (row.line, text));
                }
                Some((_, known)) if *known == text => {}
                Some((line, _)) => {
                    let what = format!("this says something else than line {line} for the same code");
                    self.faults.push(Fault::new(place(), what, "Keep the one that is right."));
                }
            }
        }
    }

    fn voice(&mut self, draft: &mut Draft, row: &Row) {
        const OF_A_VOICE: [C; 16] = [
            C::Role,
            C::Participant,
            C::Name,
            C::AlsoKnownAs,
            C::Contacts,
            C::Gender,
            C::BirthYear,
            C::Education,
            C::Occupation,
            C::ConsentForm,
            C::ConsentDate,
            C::ConsentExcept,
            C::ConsentCondition,
            C::Evidence,
            C::EvidenceFrom,
            C::EvidenceTo,
        ];
        if self.cell(row, C::Label).is_none() {
            return self.none_of(
                row,
                &OF_A_VOICE,
                "this is about a speaker, but the row has no label",
                "Write in column label which speaker it is.",
            );
        }
        let Some(label) = self.value(row, C::Label, cells::label) else { return };
        let at = match draft.speakers.iter().position(|v| v.label == label) {
            Some(at) => at,
            None => {
                draft.speakers.push(Voice { line: row.line, label, ..Voice::default() });
                draft.speakers.len() - 1
            }
        };
        let mut voice = std::mem::take(&mut draft.speakers[at]);
        self.once(&mut voice.role, row, C::Role, cells::word);
        self.once(&mut voice.same_as, row, C::Participant, cells::participant);
        if let Some(mut names) = self.value(row, C::Name, cells::list).filter(|n| !n.is_empty()) {
            let first = names.remove(0);
            match &voice.name {
                None => voice.name = Some((row.line, first)),
                Some((_, known)) if *known == first => {}
                Some((line, _)) => {
                    let what = format!("this says something else than line {line} for the same speaker");
                    self.fault(row.line, C::Name, what, "Keep one name; others go into also_known_as.");
                }
            }
            add(&mut voice.also_known_as, names);
        }
        add(&mut voice.also_known_as, self.value(row, C::AlsoKnownAs, cells::list).unwrap_or_default());
        add(&mut voice.contacts, self.value(row, C::Contacts, cells::list).unwrap_or_default());
        self.once(&mut voice.gender, row, C::Gender, cells::word);
        self.once(&mut voice.birth_year, row, C::BirthYear, cells::year);
        self.once(&mut voice.education, row, C::Education, cells::line);
        self.once(&mut voice.occupation, row, C::Occupation, cells::line);
        self.once(&mut voice.form, row, C::ConsentForm, cells::short);
        self.once(&mut voice.consent_date, row, C::ConsentDate, cells::date);
        self.once(&mut voice.exceptions, row, C::ConsentExcept, cells::pairs);
        self.once(&mut voice.condition, row, C::ConsentCondition, cells::page);
        self.once(&mut voice.evidence, row, C::Evidence, cells::file);
        self.once(&mut voice.from, row, C::EvidenceFrom, cells::time);
        self.once(&mut voice.to, row, C::EvidenceTo, cells::time);
        draft.speakers[at] = voice;
    }

    /// True if the file may be listed in this column for this interview, and is not there yet.
    fn first(&mut self, row: &Row, column: C, file: &DeliveryPath, interview: usize) -> bool {
        match self.files.get(&file.key()) {
            None => {
                self.files.insert(file.key(), (interview, column));
                true
            }
            Some((known, same)) if *known == interview && *same == column => false,
            Some((known, _)) if *known == interview => {
                self.fault(
                    row.line,
                    column,
                    "the file is named as a recording and as a transcript",
                    "Keep the one that is right.",
                );
                false
            }
            Some(_) => {
                self.fault(
                    row.line,
                    column,
                    "the file is named for another interview too",
                    "Give each interview its own file.",
                );
                false
            }
        }
    }

    /// A row that names no thing may say nothing about it: the first of the `columns` that does is a fault.
    fn none_of(&mut self, row: &Row, columns: &[C], what: &str, remedy: &str) {
        if let Some(column) = columns.iter().find(|c| self.cell(row, **c).is_some()) {
            self.fault(row.line, *column, what, remedy);
        }
    }

    fn recording(&mut self, draft: &mut Draft, row: &Row, at: usize) {
        if let Some(file) = self.value(row, C::Recording, cells::file)
            && self.first(row, C::Recording, &file, at)
        {
            draft.recordings.push(RecordingEntry { line: row.line, file });
        }
    }

    fn transcript(&mut self, draft: &mut Draft, row: &Row, at: usize) {
        if self.cell(row, C::Transcript).is_none() {
            return self.none_of(
                row,
                &[C::TranscriptKind, C::TranscriptLanguage, C::TranscriptMaker, C::TranscriptOf],
                "this is about a transcript, but the row names none",
                "Write its file in column transcript.",
            );
        }
        let Some(file) = self.value(row, C::Transcript, cells::file) else { return };
        let known = draft.transcripts.iter().position(|t| t.file.as_ref().is_some_and(|f| f.key() == file.key()));
        let index = match known {
            Some(index) => index,
            None if self.first(row, C::Transcript, &file, at) => {
                draft.transcripts.push(TranscriptDraft {
                    line: row.line,
                    file: Some(file),
                    ..TranscriptDraft::default()
                });
                draft.transcripts.len() - 1
            }
            None => return,
        };
        let mut transcript = std::mem::take(&mut draft.transcripts[index]);
        self.once(&mut transcript.kind, row, C::TranscriptKind, cells::word);
        self.once(&mut transcript.language, row, C::TranscriptLanguage, cells::language);
        self.once(&mut transcript.maker, row, C::TranscriptMaker, cells::line);
        self.once(&mut transcript.parent, row, C::TranscriptOf, cells::parent);
        draft.transcripts[index] = transcript;
    }

    fn document(&mut self, draft: &mut Draft, row: &Row) {
        if self.cell(row, C::Document).is_none() {
            return self.none_of(
                row,
                &[C::DocumentKind],
                "this is about a document, but the row names none",
                "Write its file in column document.",
            );
        }
        let Some(file) = self.value(row, C::Document, cells::file) else { return };
        let kind = self.value(row, C::DocumentKind, cells::word);
        match draft.documents.iter().find(|d| d.file.key() == file.key()) {
            None => {
                draft.documents.push(DocumentEntry { line: row.line, file, kind: kind.unwrap_or(DocumentKind::Other) })
            }
            Some(known) if kind.is_some_and(|k| k != known.kind) => {
                let what = format!("this says something else than line {} for the same document", known.line);
                self.fault(row.line, C::DocumentKind, what, "Keep the one that is right.");
            }
            Some(_) => {}
        }
    }
}

fn add(list: &mut Vec<String>, more: Vec<String>) {
    for text in more {
        if !list.contains(&text) {
            list.push(text);
        }
    }
}
