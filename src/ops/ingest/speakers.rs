//! Speakers of an entry against the vault: who is new, and what is new about those who are no participants.

use std::collections::{BTreeMap, BTreeSet};

use super::people;
use super::resolve::One;
use super::words::Summary;
use super::work::{Extra, NewSpeaker, Person, role};
use crate::base::Result;
use crate::domain::interview::SpeakerRole;
use crate::formats::manifest;
use crate::session::View;

impl One<'_, '_> {
    /// Speakers that the vault does not know of this interview yet.
    pub(super) fn speakers(
        &mut self,
        summaries: &BTreeMap<String, Summary>,
        person: impl Fn(&str) -> Option<Person>,
    ) -> Vec<NewSpeaker> {
        let said = &self.entry.said;
        let mut new = Vec::new();
        for speaker in &said.speakers {
            let role = role(speaker.role);
            match self.known.and_then(|k| k.body.speaker(&speaker.label)) {
                Some(old) if old.role != role => {
                    self.fault(
                        speaker.line,
                        "role",
                        "the vault knows this speaker in another role",
                        "Correct the role or the label.",
                    );
                }
                Some(_) => {}
                None => {
                    let person = person(&speaker.label);
                    new.push(NewSpeaker { label: speaker.label.clone(), role, person });
                }
            }
        }
        // Labels that the study knows and the manifest leaves unsaid.
        let spoken: BTreeSet<&String> =
            said.transcripts.iter().filter_map(|t| summaries.get(&t.file.key())).flat_map(|s| &s.labels).collect();
        for label in spoken {
            let named = said.speakers.iter().any(|s| s.label == *label);
            let old = self.known.is_some_and(|k| k.body.speaker(label).is_some());
            if let (false, false, Some(role)) = (named, old, self.study.speakers.role(label)) {
                new.push(NewSpeaker { label: label.clone(), role, person: None });
                let place = self.delivery.place(self.line(), "label");
                self.faults.notice(format!(
                    "{place}: a speaker is not in the manifest; taken for what the study says of the label."
                ));
            }
        }
        if self.known.is_none() && !new.iter().any(|s| s.role == SpeakerRole::Participant) {
            let remedy = "Add a row with the label and the role participant: without one nobody's consent would count.";
            self.fault(self.line(), "label", "the interview has no participant", remedy);
        }
        new
    }

    /// Notes, free metadata, and who the other speakers are.
    pub(super) fn extra(&mut self, view: &View<'_>) -> Result<Extra> {
        let said = &self.entry.said;
        let mut extra = Extra::default();
        let others = || said.speakers.iter().filter(|s| s.role != manifest::SpeakerRole::Participant);
        if said.notes.is_none() && said.meta.is_empty() && others().all(|s| people::said(s) == Default::default()) {
            return Ok(extra);
        }
        let old = self.known.map(|k| view.interview_content(&k.row)).transpose()?.map(|(_, c)| c).unwrap_or_default();
        extra.notes.extend(said.notes.iter().filter(|n| !old.notes.contains(n)).cloned());
        for (name, text) in &said.meta {
            match old.metadata.get(name) {
                None => {
                    extra.metadata.insert(name.clone(), text.clone());
                }
                Some(known) if known == text => {}
                Some(_) => {
                    let what = "the vault knows something else of this interview";
                    self.fault(self.line(), "meta", what, "Leave the cell empty, or correct it.");
                }
            }
        }
        for speaker in others() {
            let before = old.others.get(&speaker.label).cloned().unwrap_or_default();
            let mut after = before.clone();
            for column in people::merge(&mut after, people::said(speaker)) {
                let what = "this says something else of the speaker than is known already";
                self.fault(
                    speaker.line,
                    column,
                    what,
                    "Leave it empty, or correct it; other names go into also_known_as.",
                );
            }
            if after != before {
                extra.others.insert(speaker.label.clone(), after);
            }
        }
        Ok(extra)
    }
}
