//! What only shows when all rows of a code are read.

use super::columns::Column as C;
use super::draft::{Draft, TranscriptDraft, Voice, said};
use super::read::Reading;
use super::{
    ConsentEntry, EvidenceEntry, InterviewEntry, SpeakerEntry, SpeakerRole, TranscriptEntry, TranscriptKind,
    TranscriptParent,
};
use crate::formats::fault::Fault;

impl Reading<'_> {
    /// The finished entry; what only shows when all rows are read is noted now.
    pub(super) fn interview(&mut self, draft: Draft) -> InterviewEntry {
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
                self.fault(
                    entry.line,
                    C::TranscriptKind,
                    "the transcript was made from another one, but as what",
                    "Write corrected or translation.",
                );
                return None;
            }
            None => {
                self.unsaid += 1;
                TranscriptKind::Raw
            }
        };
        if kind == TranscriptKind::Translation && entry.language.is_none() {
            self.fault(
                entry.line,
                C::TranscriptLanguage,
                "a translation does not say into which language",
                "Write its BCP 47 tag, such as en.",
            );
        }
        let itself = matches!(&entry.parent, Some((_, TranscriptParent::File(parent))) if parent.key() == file.key());
        if itself {
            self.fault(
                entry.line,
                C::TranscriptOf,
                "the transcript is said to be made from itself",
                "Name the one that it was made from.",
            );
        }
        let (language, maker, made_from) = (said(entry.language), said(entry.maker), said(entry.parent));
        Some(TranscriptEntry { line: entry.line, file, kind, language, maker, made_from })
    }

    fn finish_voice(&mut self, mut voice: Voice) -> Option<SpeakerEntry> {
        let Some((_, role)) = voice.role else {
            self.fault(
                voice.line,
                C::Role,
                "the speaker has no role",
                "Write participant, interviewer, interpreter or bystander.",
            );
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
                    self.fault(
                        line,
                        column,
                        "this is kept for participants only",
                        "Leave it empty, or make the role participant.",
                    );
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
            self.fault(
                line,
                C::EvidenceTo,
                "the end is not after the beginning",
                "Write from and to as places in the recording.",
            );
        }
        for (column, slot) in [(C::EvidenceFrom, &voice.from), (C::EvidenceTo, &voice.to)] {
            if let (Some((line, _)), None) = (slot, &voice.evidence) {
                let place = format!("{} line {line}, column {}", self.name, column.name());
                self.faults.push(Fault::new(
                    place,
                    "there is a time, but no evidence to look it up in",
                    "Name the recording in column evidence.",
                ));
            }
        }
        let evidence_line = voice.evidence.as_ref().map(|s| s.0);
        let file = said(voice.evidence.take());
        let evidence =
            file.map(|file| EvidenceEntry { file, from_ms: said(voice.from.take()), to_ms: said(voice.to.take()) });
        let Some((line, form)) = voice.form.take() else {
            let given = [
                (C::ConsentDate, voice.consent_date.as_ref().map(|s| s.0)),
                (C::ConsentExcept, voice.exceptions.as_ref().map(|s| s.0)),
                (C::ConsentCondition, voice.condition.as_ref().map(|s| s.0)),
                (C::Evidence, evidence_line),
            ];
            if let Some((column, line)) = given.into_iter().find_map(|(column, line)| line.map(|line| (column, line))) {
                self.fault(
                    line,
                    column,
                    "this is about consent, but no form is named",
                    "Write the form's version in column consent_form.",
                );
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
