//! Consents of an entry's participants against the vault, with their evidence.

use super::agreed;
use super::objects::{Files, Objects};
use super::resolve::One;
use super::work::{NewConsent, NewEvidence, Person, Ref};
use crate::base::Result;
use crate::base::id::ObjectId;
use crate::domain::consent::ConsentScope;
use crate::domain::interview::ObjectKind;
use crate::formats::manifest::{self, ConsentEntry, SpeakerEntry};
use crate::ledger::event::ConsentAct;
use crate::session::View;

/// How far the end of evidence may lie beyond the length that a header tells: headers of some containers estimate.
const TOLERANCE_MS: u64 = 1_000;

impl<'a> One<'a, '_> {
    /// Consents of participants, with their evidence.
    pub(super) fn consents(
        &mut self,
        view: &View<'_>,
        files: &mut Files<'_>,
        objects: &mut Objects,
        person: impl Fn(&str) -> Option<Person>,
    ) -> Result<Vec<NewConsent>> {
        let mut consents = Vec::new();
        let speakers: &'a [SpeakerEntry] = &self.entry.said.speakers;
        for speaker in speakers.iter().filter(|s| s.role == manifest::SpeakerRole::Participant) {
            let Some(entry) = &speaker.consent else {
                let old = self.known.is_some_and(|k| k.body.speaker(&speaker.label).is_some());
                if !old {
                    let place = self.delivery.place(speaker.line, "consent_form");
                    self.faults.notice(format!(
                        "{place}: no consent is recorded; nobody asked, so nothing of this voice may leave."
                    ));
                }
                continue;
            };
            let body = self.known.map(|k| &k.body);
            let language = self.entry.said.language.as_deref().or(body.map(|b| b.language.as_str()));
            let made = self.entry.said.date.or(body.map(|b| b.date));
            let (event, day) = match agreed::event(entry, self.study, language, made, self.today) {
                Ok(found) => found,
                Err((column, error)) => {
                    self.fault(entry.line, column, error.what(), error.remedy());
                    continue;
                }
            };
            let Some(person) = person(&speaker.label) else { continue };
            if let (Person::Known(id), Some(interview)) = (person, self.id()) {
                let events = view.consent_events(&view.load_participant(id)?)?;
                let here = |scope: &ConsentScope| *scope == ConsentScope::Interview { interview };
                let mut given = events.iter().filter(|e| here(&e.scope)).peekable();
                if given.peek().is_some() {
                    if !given.any(|old| old.act == ConsentAct::Given && agreed::same(old, &event)) {
                        let what = "the vault has another consent of this participant for this interview";
                        self.fault(
                            entry.line,
                            "consent_form",
                            what,
                            "Leave the consent out here, and record the change with `subrosa consent set`.",
                        );
                    } else {
                        self.recognise(entry, files, objects)?;
                    }
                    continue;
                }
            }
            let evidence = self.evidence(entry, files, objects)?;
            consents.push(NewConsent { person, label: speaker.label.clone(), day, event, evidence });
        }
        Ok(consents)
    }

    /// Counts evidence that the vault has already.
    fn recognise(&mut self, entry: &ConsentEntry, files: &mut Files<'_>, objects: &Objects) -> Result<()> {
        let facts = entry.evidence.as_ref().and_then(|e| self.delivery.files.get(&e.file.key()));
        if let Some(facts) = facts
            && !objects.by_file.contains_key(&facts.path.key())
            && self.known_object(files, facts, objects)?.is_some()
        {
            files.known_files += 1;
        }
        Ok(())
    }

    /// What a consent's evidence is: a recording or document of the interview, or a file of its own.
    fn evidence(
        &mut self,
        entry: &ConsentEntry,
        files: &mut Files<'_>,
        objects: &mut Objects,
    ) -> Result<Option<NewEvidence>> {
        let Some(evidence) = &entry.evidence else { return Ok(None) };
        let Some(facts) = self.delivery.files.get(&evidence.file.key()) else { return Ok(None) };
        let here = objects.by_file.get(&facts.path.key()).or_else(|| objects.by_hash.get(&facts.hash)).copied();
        let object = match here {
            Some(object) => object,
            None => match self.known_object(files, facts, objects)? {
                Some(id) => {
                    files.known_files += 1;
                    objects.found(facts, Ref::Known(id));
                    Ref::Known(id)
                }
                None => {
                    let recording = files.known(facts, None)?.map(ObjectId::from_bytes);
                    match recording.filter(|id| objects.known.contains_key(id)) {
                        Some(id) => Ref::Known(id),
                        None => {
                            let form = facts.media.as_ref().map_or("scan", |m| m.container.as_str());
                            objects.add(facts, ObjectKind::Evidence, form)
                        }
                    }
                }
            },
        };
        if facts.media.is_none() {
            if evidence.from_ms.is_some() || evidence.to_ms.is_some() {
                self.fault(
                    entry.line,
                    "evidence_from",
                    "there are times, but the evidence is no recording",
                    "Leave evidence_from and evidence_to empty for a scan.",
                );
            }
            return Ok(Some(NewEvidence { object, time: None }));
        }
        let length = facts.media.as_ref().and_then(|m| m.duration_ms);
        let from = evidence.from_ms.unwrap_or_default();
        let Some(to) = evidence.to_ms.or(length) else {
            self.fault(
                entry.line,
                "evidence_to",
                "the recording does not tell its length, and it is not said where the consent ends",
                "Give evidence_to.",
            );
            return Ok(None);
        };
        let beyond = length.is_some_and(|length| from >= length || to > length.saturating_add(TOLERANCE_MS));
        if beyond || from >= to {
            self.fault(
                entry.line,
                "evidence_to",
                "the place of the consent lies beyond the end of the recording",
                "Correct evidence_from and evidence_to, or name the right recording.",
            );
        }
        Ok(Some(NewEvidence { object, time: Some((from, to)) }))
    }
}
