//! Rows to interviews.

use std::collections::{BTreeMap, HashMap};

use super::cells;
use super::columns::{Column as C, Columns};
use super::{
    ConsentEntry, DocumentEntry, DocumentKind, EvidenceEntry, InterviewEntry, Manifest, RecordingEntry, SpeakerEntry, SpeakerRole, TranscriptEntry,
    TranscriptKind,
};
use crate::base::Result;
use crate::formats::table::{Row, Table};
use crate::formats::{DeliveryPath, fault::Fault};

/// The most faults that are listed; what is wrong in ten thousand rows is wrong in the first hundred.
const MOST_FAULTS: usize = 500;

pub(super) fn read(table: &Table, name: &str, same: &dyn Fn(&str) -> String) -> std::result::Result<Manifest, Vec<Fault>> {
    let mut faults = Vec::new();
    let columns = Columns::read(&table.header, &format!("{name} line {}", table.header_line), &mut faults);
    for (line, column) in &table.broken {
        let place = format!("{name} line {line}, column {}", column + 1);
        faults.push(Fault::new(place, "the cell holds an error of the spreadsheet", "Mend its formula, or type the value."));
    }
    if table.rows.is_empty() {
        faults.push(Fault::new(name, "there is no row below the names of the columns", "Add a row for each interview."));
    }
    let mut reading = Reading { name, columns: &columns, faults, drafts: Vec::new(), by_code: HashMap::new(), files: HashMap::new(), unsaid: 0 };
    if columns.at(C::Code).is_some() {
        for row in &table.rows {
            reading.row(row, same);
        }
    }
    let mut interviews = Vec::with_capacity(reading.drafts.len());
    for draft in std::mem::take(&mut reading.drafts) {
        interviews.push(reading.interview(draft));
    }
    let Reading { mut faults, unsaid, .. } = reading;
    if !faults.is_empty() {
        if faults.len() > MOST_FAULTS {
            let more = faults.len() - MOST_FAULTS;
            faults.truncate(MOST_FAULTS);
            faults.push(Fault::new(name, format!("there are {more} faults more"), "Mend the ones above first."));
        }
        return Err(faults);
    }
    let mut notices: Vec<String> = table.taken.and_then(|t| t.notice()).map(|n| format!("{name}: {n}")).into_iter().collect();
    if unsaid > 0 {
        notices.push(format!("{name}: transcript_kind is empty for {unsaid} transcripts; they are taken as raw."));
    }
    Ok(Manifest { interviews, notices })
}

/// A value and the line that gave it first.
type Said<T> = Option<(u64, T)>;

/// What is known of an interview so far.
#[derive(Default)]
struct Draft {
    code_raw: String,
    code_variants: Vec<(u64, String)>,
    lines: Vec<u64>,
    date: Said<crate::base::time::Date>,
    place: Said<String>,
    language: Said<String>,
    speakers: Vec<Voice>,
    recordings: Vec<RecordingEntry>,
    transcripts: Vec<TranscriptDraft>,
    documents: Vec<DocumentEntry>,
    notes: Vec<String>,
    meta: BTreeMap<String, (u64, String)>,
}

#[derive(Default)]
struct TranscriptDraft {
    line: u64,
    file: Option<DeliveryPath>,
    kind: Said<TranscriptKind>,
    language: Said<String>,
    maker: Said<String>,
    parent: Said<super::TranscriptParent>,
}

/// What is known of a voice so far.
#[derive(Default)]
struct Voice {
    line: u64,
    label: String,
    role: Said<SpeakerRole>,
    same_as: Said<super::ParticipantRef>,
    name: Said<String>,
    also_known_as: Vec<String>,
    contacts: Vec<String>,
    gender: Said<super::Gender>,
    birth_year: Said<i32>,
    education: Said<String>,
    occupation: Said<String>,
    form: Said<String>,
    consent_date: Said<crate::base::time::Date>,
    exceptions: Said<Vec<(String, String)>>,
    condition: Said<String>,
    evidence: Said<DeliveryPath>,
    from: Said<u64>,
    to: Said<u64>,
}

struct Reading<'a> {
    name: &'a str,
    columns: &'a Columns,
    faults: Vec<Fault>,
    drafts: Vec<Draft>,
    by_code: HashMap<String, usize>,
    /// Recordings and transcripts, each with the interview and the column that named it first.
    files: HashMap<String, (usize, C)>,
    unsaid: usize,
}

impl Reading<'_> {
    fn fault(&mut self, line: u64, column: C, what: impl Into<String>, remedy: impl Into<String>) {
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
                self.fault(row.line, column, format!("this says something else than line {line} for the same code"), "Keep the one that is right.");
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
            if let Some(column) = OF_A_VOICE.into_iter().find(|c| self.cell(row, *c).is_some()) {
                self.fault(row.line, column, "this is about a speaker, but the row has no label", "Write in column label which speaker it is.");
            }
            return;
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
                self.fault(row.line, column, "the file is named as a recording and as a transcript", "Keep the one that is right.");
                false
            }
            Some(_) => {
                self.fault(row.line, column, "the file is named for another interview too", "Give each interview its own file.");
                false
            }
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
        let about = [C::TranscriptKind, C::TranscriptLanguage, C::TranscriptMaker, C::TranscriptOf];
        if self.cell(row, C::Transcript).is_none() {
            if let Some(column) = about.into_iter().find(|c| self.cell(row, *c).is_some()) {
                self.fault(row.line, column, "this is about a transcript, but the row names none", "Write its file in column transcript.");
            }
            return;
        }
        let Some(file) = self.value(row, C::Transcript, cells::file) else { return };
        let known = draft.transcripts.iter().position(|t| t.file.as_ref().is_some_and(|f| f.key() == file.key()));
        let index = match known {
            Some(index) => index,
            None if self.first(row, C::Transcript, &file, at) => {
                draft.transcripts.push(TranscriptDraft { line: row.line, file: Some(file), ..TranscriptDraft::default() });
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
        let kind = self.value(row, C::DocumentKind, cells::word);
        if self.cell(row, C::Document).is_none() {
            if kind.is_some() {
                self.fault(row.line, C::DocumentKind, "this is about a document, but the row names none", "Write its file in column document.");
            }
            return;
        }
        let Some(file) = self.value(row, C::Document, cells::file) else { return };
        match draft.documents.iter().find(|d| d.file.key() == file.key()) {
            None => draft.documents.push(DocumentEntry { line: row.line, file, kind: kind.unwrap_or(DocumentKind::Other) }),
            Some(known) if kind.is_some_and(|k| k != known.kind) => {
                let what = format!("this says something else than line {} for the same document", known.line);
                self.fault(row.line, C::DocumentKind, what, "Keep the one that is right.");
            }
            Some(_) => {}
        }
    }

    /// The finished entry; what only shows when all rows are read is noted now.
    fn interview(&mut self, draft: Draft) -> InterviewEntry {
        let mut transcripts = Vec::with_capacity(draft.transcripts.len());
        for entry in draft.transcripts {
            transcripts.extend(self.finish_transcript(entry));
        }
        let mut speakers = Vec::with_capacity(draft.speakers.len());
        for voice in draft.speakers {
            speakers.extend(self.finish_voice(voice));
        }
        InterviewEntry {
            code_raw: draft.code_raw,
            code_variants: draft.code_variants,
            lines: draft.lines,
            date: said(draft.date),
            place: said(draft.place),
            language: said(draft.language),
            speakers,
            recordings: draft.recordings,
            transcripts,
            documents: draft.documents,
            notes: (!draft.notes.is_empty()).then(|| draft.notes.join("\n")),
            meta: draft.meta.into_iter().map(|(name, (_, text))| (name, text)).collect(),
        }
    }

    fn finish_transcript(&mut self, entry: TranscriptDraft) -> Option<TranscriptEntry> {
        let file = entry.file?;
        let kind = match said(entry.kind) {
            Some(kind) => kind,
            None if entry.parent.is_some() => {
                self.fault(entry.line, C::TranscriptKind, "the transcript was made from another one, but as what", "Write corrected or translation.");
                return None;
            }
            None => {
                self.unsaid += 1;
                TranscriptKind::Raw
            }
        };
        if kind == TranscriptKind::Translation && entry.language.is_none() {
            self.fault(entry.line, C::TranscriptLanguage, "a translation does not say into which language", "Write its BCP 47 tag, such as en.");
        }
        let itself = matches!(&entry.parent, Some((_, super::TranscriptParent::File(parent))) if parent.key() == file.key());
        if itself {
            self.fault(entry.line, C::TranscriptOf, "the transcript is said to be made from itself", "Name the one that it was made from.");
        }
        let (language, maker, made_from) = (said(entry.language), said(entry.maker), said(entry.parent));
        Some(TranscriptEntry { line: entry.line, file, kind, language, maker, made_from })
    }

    fn finish_voice(&mut self, mut voice: Voice) -> Option<SpeakerEntry> {
        let Some((_, role)) = voice.role else {
            self.fault(voice.line, C::Role, "the speaker has no role", "Write participant, interviewer, interpreter or bystander.");
            return None;
        };
        if role != SpeakerRole::Participant {
            let given = [
                (C::Participant, voice.same_as.as_ref().map(|s| s.0)),
                (C::Gender, voice.gender.as_ref().map(|s| s.0)),
                (C::BirthYear, voice.birth_year.as_ref().map(|s| s.0)),
                (C::Education, voice.education.as_ref().map(|s| s.0)),
                (C::Occupation, voice.occupation.as_ref().map(|s| s.0)),
                (C::ConsentForm, voice.form.as_ref().map(|s| s.0)),
            ];
            for (column, line) in given {
                if let Some(line) = line {
                    self.fault(line, column, "this is kept for participants only", "Leave it empty, or make the role participant.");
                }
            }
        }
        let consent = self.finish_consent(&mut voice);
        Some(SpeakerEntry {
            line: voice.line,
            label: voice.label,
            role,
            same_as: said(voice.same_as),
            name: said(voice.name),
            also_known_as: voice.also_known_as,
            contacts: voice.contacts,
            gender: said(voice.gender),
            birth_year: said(voice.birth_year),
            education: said(voice.education),
            occupation: said(voice.occupation),
            consent,
        })
    }

    fn finish_consent(&mut self, voice: &mut Voice) -> Option<ConsentEntry> {
        if let (Some((_, from)), Some((line, to))) = (&voice.from, &voice.to)
            && to <= from
        {
            let line = *line;
            self.fault(line, C::EvidenceTo, "the end is not after the beginning", "Write from and to as places in the recording.");
        }
        for (column, slot) in [(C::EvidenceFrom, &voice.from), (C::EvidenceTo, &voice.to)] {
            if let (Some((line, _)), None) = (slot, &voice.evidence) {
                let place = format!("{} line {line}, column {}", self.name, column.name());
                self.faults.push(Fault::new(place, "there is a time, but no evidence to look it up in", "Name the recording in column evidence."));
            }
        }
        let evidence_line = voice.evidence.as_ref().map(|s| s.0);
        let file = said(voice.evidence.take());
        let evidence = file.map(|file| EvidenceEntry { file, from_ms: said(voice.from.take()), to_ms: said(voice.to.take()) });
        let Some((line, form)) = voice.form.take() else {
            let given = [
                (C::ConsentDate, voice.consent_date.as_ref().map(|s| s.0)),
                (C::ConsentExcept, voice.exceptions.as_ref().map(|s| s.0)),
                (C::ConsentCondition, voice.condition.as_ref().map(|s| s.0)),
                (C::Evidence, evidence_line),
            ];
            if let Some((column, line)) = given.into_iter().find_map(|(column, line)| line.map(|line| (column, line))) {
                self.fault(line, column, "this is about consent, but no form is named", "Write the form's version in column consent_form.");
            }
            return None;
        };
        Some(ConsentEntry {
            line,
            form,
            date: said(voice.consent_date.take()),
            exceptions: said(voice.exceptions.take()).unwrap_or_default(),
            condition: said(voice.condition.take()),
            evidence,
        })
    }
}

fn said<T>(slot: Said<T>) -> Option<T> {
    slot.map(|(_, value)| value)
}

fn add(list: &mut Vec<String>, more: Vec<String>) {
    for text in more {
        if !list.contains(&text) {
            list.push(text);
        }
    }
}
