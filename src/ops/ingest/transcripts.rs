//! Transcript versions of an entry against the vault, each after the one that it was made from.

use std::collections::{BTreeMap, BTreeSet};

use super::delivery::FileFacts;
use super::objects::Files;
use super::resolve::One;
use super::work::{NewTranscript, Ref, kind};
use crate::base::Result;
use crate::base::id::TranscriptId;
use crate::formats::manifest::{self, TranscriptEntry, TranscriptParent};

impl One<'_, '_> {
    /// Transcript versions, each after the one that it was made from.
    pub(super) fn transcripts(&mut self, files: &mut Files<'_>, language: &str) -> Result<Vec<NewTranscript>> {
        let said = &self.entry.said;
        if said.transcripts.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows: BTreeMap<u32, TranscriptId> = BTreeMap::new();
        if let Some(id) = self.id() {
            rows.extend(files.view.transcripts(id)?.into_iter().map(|row| (row.version, row.id)));
        }
        let mut known: BTreeMap<String, TranscriptId> = BTreeMap::new();
        let mut waiting: Vec<(&TranscriptEntry, &FileFacts)> = Vec::new();
        for transcript in &said.transcripts {
            let Some(facts) = self.delivery.files.get(&transcript.file.key()) else { continue };
            if !files.is_first(facts) {
                self.twice(transcript.line, "transcript");
                continue;
            }
            match files.known(facts, None)?.map(TranscriptId::from_bytes) {
                None => waiting.push((transcript, facts)),
                Some(id) if rows.values().any(|known| *known == id) => {
                    files.known_files += 1;
                    known.insert(facts.path.key(), id);
                }
                Some(_) => self.elsewhere(transcript.line, "transcript"),
            }
        }
        let named: BTreeSet<String> = said.transcripts.iter().map(|t| t.file.key()).collect();
        let first = rows.keys().next_back().copied().unwrap_or_default().saturating_add(1);
        let mut new: Vec<NewTranscript> = Vec::with_capacity(waiting.len());
        // Parents first: each round takes those whose parent is there.
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut later = Vec::new();
            for (transcript, facts) in waiting {
                let parent = match &transcript.made_from {
                    None => None,
                    Some(TranscriptParent::Version(version)) => match rows.get(version) {
                        Some(id) => Some(Ref::Known(*id)),
                        None => {
                            self.fault(transcript.line, "transcript_of", "the vault has no such version of this interview", "Name the file that it was made from, or a version that `subrosa interview show` lists.");
                            continue;
                        }
                    },
                    Some(TranscriptParent::File(file)) => {
                        let key = file.key();
                        let here = new.iter().position(|t| t.file == key).map(Ref::New);
                        match known.get(&key).map(|id| Ref::Known(*id)).or(here) {
                            Some(parent) => Some(parent),
                            None if named.contains(&key) => {
                                later.push((transcript, facts));
                                continue;
                            }
                            None => {
                                self.fault(
                                    transcript.line,
                                    "transcript_of",
                                    "the file that it was made from is no transcript of this interview here",
                                    "Add that one to the delivery, or give the number of its version in the vault.",
                                );
                                continue;
                            }
                        }
                    }
                };
                if parent.is_none()
                    && matches!(
                        transcript.kind,
                        manifest::TranscriptKind::Corrected | manifest::TranscriptKind::Translation
                    )
                {
                    let place = self.delivery.place(transcript.line, "transcript_of");
                    self.faults.notice(format!("{place}: it is not said which transcript this one was made from."));
                }
                let version = first.saturating_add(u32::try_from(new.len()).unwrap_or(u32::MAX));
                new.push(NewTranscript {
                    file: facts.path.key(),
                    kind: kind(transcript.kind),
                    language: transcript.language.clone().unwrap_or_else(|| language.to_owned()),
                    maker: transcript.maker.clone(),
                    parent,
                    version,
                });
            }
            if later.len() == before {
                for (transcript, _) in &later {
                    self.fault(
                        transcript.line,
                        "transcript_of",
                        "the transcript that it was made from is at fault, or was made from this one",
                        "Mend that one, or name another.",
                    );
                }
                break;
            }
            waiting = later;
        }
        Ok(new)
    }
}
