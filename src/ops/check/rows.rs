//! Interviews, their objects and their transcripts.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::Told;
use super::objects::Expected;
use super::{Findings, OTHERS, Seen};
use crate::base::id::{ParticipantId, Token};
use crate::base::progress::Progress;
use crate::base::secret::Key;
use crate::domain::interview::{Interview, InterviewContent, Object, ObjectKind};
use crate::domain::transcript::{Outline, TranscriptContent};
use crate::ledger::event::Digest;
use crate::ops::redact;
use crate::redact::mark::Marks;
use crate::session::View;
use crate::store::catalogue::{InterviewRow, ObjectRow, TranscriptRow};
use crate::store::keyfile::Class;

/// What is said of a review that does not hold.
const AGAIN: &str = "Review the version again before anything is released.";

/// The voices of every interview, as its own row names them.
pub(super) type Voices = BTreeMap<Token, BTreeSet<ParticipantId>>;

pub(super) fn check(
    view: &View<'_>,
    told: &Told,
    seen: &mut Seen,
    found: &mut Findings,
    progress: &dyn Progress,
) -> Voices {
    let mut voices = Voices::new();
    let rows = match view.interviews() {
        Ok(rows) => rows,
        Err(error) => {
            found.error("the interviews", &error);
            return voices;
        }
    };
    found.part("interviews", rows.len() as u64);
    let sites = view.sites().unwrap_or_default();
    progress.begin("Checking interviews", rows.len() as u64);
    for row in &rows {
        progress.advance(1);
        let site = sites.get(&row.site).map_or("unknown", |s| s.prefix.as_str());
        One { view, told, seen, found, site }.interview(row, &mut voices);
    }
    progress.end();
    let lost = told.items.keys().filter(|token| !voices.contains_key(*token)).count();
    if lost > 0 && told.destroyed {
        found.notice(format!("{lost} interviews that the ledger tells of are no longer in the catalogue: destroyed on purpose, or hurt as listed"));
    } else if lost > 0 {
        found.fault(
            "the interviews",
            format!("{lost} that the ledger tells of cannot be found in the catalogue"),
            OTHERS,
        );
    }
    voices
}

/// One interview being looked at.
struct One<'a, 'v> {
    view: &'a View<'v>,
    told: &'a Told,
    seen: &'a mut Seen,
    found: &'a mut Findings,
    site: &'a str,
}

impl One<'_, '_> {
    fn interview(&mut self, row: &InterviewRow, voices: &mut Voices) {
        self.seen.ids.insert(*row.id.as_bytes(), None);
        let nameless = format!("an interview of site {}", self.site);
        let Some(key) = self.key(row.slot, Class::Meta, &nameless, "it cannot be read: its key is missing") else {
            self.content(row, &nameless);
            return;
        };
        let Some(body) = self.found.open::<Interview>(&row.body, &key, &nameless, "its row") else {
            self.content(row, &nameless);
            return;
        };
        let code = body.code.clone();
        self.seen.ids.insert(*row.id.as_bytes(), Some((code.clone(), body.token)));
        self.seen.interviews.insert(row.id, body.token);
        self.content(row, &code);
        self.ledger(row, &body);
        let speakers: BTreeSet<_> = body.participants().into_iter().collect();
        match self.view.voices(row.id) {
            Ok(heard) if heard.iter().copied().collect::<BTreeSet<_>>() == speakers => {}
            Ok(_) => self.found.fault(&code, "the voices of its row are not its speakers", OTHERS),
            Err(error) => self.found.error(&code, &error),
        }
        voices.insert(body.token, speakers);
        self.objects(row, &body, &key);
        self.transcripts(row, &body, &key);
    }

    /// The key in a slot, if the reader may have it; a fault if it is not there.
    fn key(&mut self, slot: crate::base::id::SlotId, class: Class, hurt: &str, missing: &str) -> Option<Key> {
        if !self.seen.slot(self.view, slot) {
            self.found.fault(hurt, missing, "Put back the newest key file. Other interviews are not hurt.");
            return None;
        }
        if let Class::Content(site) = class
            && !self.view.opens(site)
        {
            *self.seen.closed.entry(self.site.to_owned()).or_default() += 1;
            return None;
        }
        self.view.key(slot, class).inspect_err(|error| self.found.error(hurt, error)).ok()
    }

    fn content(&mut self, row: &InterviewRow, hurt: &str) {
        if let Some(key) = self.key(row.content_slot, Class::Content(row.site), hurt, "the key of its notes is missing")
        {
            self.found.open::<InterviewContent>(&row.content, &key, hurt, "its notes");
        }
    }

    fn ledger(&mut self, row: &InterviewRow, body: &Interview) {
        match self.told.items.get(&body.token) {
            None => {
                self.found.fault(&body.code, "the ledger does not know it", "Its files and words may still be whole.")
            }
            Some((site, _)) if *site != row.site => {
                self.found.fault(&body.code, "the ledger tells of it under another site", OTHERS);
            }
            Some(_) => {}
        }
    }

    fn objects(&mut self, row: &InterviewRow, body: &Interview, key: &Key) {
        let objects = match self.view.objects(row.id) {
            Ok(objects) => objects,
            Err(error) => return self.found.error(&body.code, &error),
        };
        let (mut recordings, mut documents) = (0, 0);
        for object in &objects {
            match self.object(row, body, key, object) {
                Some(ObjectKind::Recording) => recordings += 1,
                Some(ObjectKind::Document) => documents += 1,
                _ => {}
            }
        }
        if (recordings, documents) != (body.state.recordings, body.state.documents) {
            self.found.fault(
                &body.code,
                format!(
                    "it should have {} recordings and {} documents, but {recordings} and {documents} can be found",
                    body.state.recordings, body.state.documents
                ),
                "Those that can be found are looked at one by one.",
            );
        }
    }

    fn object(&mut self, row: &InterviewRow, body: &Interview, key: &Key, object: &ObjectRow) -> Option<ObjectKind> {
        let code = &body.code;
        self.seen.ids.insert(*object.id.as_bytes(), None);
        self.seen.delivered.insert(*object.id.as_bytes(), code.clone());
        self.key(
            object.slot,
            Class::Content(row.site),
            code,
            "the key of one of its files is missing: the file cannot be read",
        );
        let facts = self.found.open::<Object>(&object.body, key, code, "the row of one of its files")?;
        let digest = Digest::from_base64(&facts.digest);
        match self.told.objects.get(&facts.token) {
            None => self.found.fault(code, "the ledger does not know one of its files", OTHERS),
            Some((item, told)) if *item != body.token || Some(*told) != digest => {
                self.found.fault(code, "the ledger tells otherwise of one of its files", OTHERS);
            }
            Some(_) => {}
        }
        let what = match facts.kind {
            ObjectKind::Recording => "a recording",
            ObjectKind::Document => "a document",
            ObjectKind::Evidence => "a scan of a consent",
        };
        self.seen.files.push(Expected { id: object.id, digest, length: facts.length, hurt: code.clone(), what });
        Some(facts.kind)
    }

    fn transcripts(&mut self, row: &InterviewRow, body: &Interview, key: &Key) {
        let rows = match self.view.transcripts(row.id) {
            Ok(rows) => rows,
            Err(error) => return self.found.error(&body.code, &error),
        };
        let mut reviewed = 0;
        for (place, transcript) in (1..).zip(&rows) {
            if transcript.version != place {
                self.found.fault(
                    &body.code,
                    format!("transcript version {place} is missing"),
                    "The other versions are looked at.",
                );
            }
            if self.transcript(row, body, key, transcript) {
                reviewed = reviewed.max(transcript.version);
            }
        }
        if rows.len() != body.state.transcripts as usize {
            let text = format!("it should have {} transcript versions, but has {}", body.state.transcripts, rows.len());
            self.found.fault(&body.code, text, "Those that can be found are looked at one by one.");
        }
        if reviewed != body.state.reviewed {
            let text = format!(
                "version {} should be the newest with a review, but it is {reviewed} (0: none)",
                body.state.reviewed
            );
            self.found.fault(&body.code, text, "No release uses a version without a review of its own.");
        }
    }

    /// Looks at one version; says whether it has a review.
    fn transcript(&mut self, row: &InterviewRow, body: &Interview, key: &Key, transcript: &TranscriptRow) -> bool {
        let (code, version) = (&body.code, transcript.version);
        self.seen.ids.insert(*transcript.id.as_bytes(), None);
        self.seen.delivered.insert(*transcript.id.as_bytes(), code.clone());
        let own = self.key(
            transcript.slot,
            Class::Content(row.site),
            code,
            &format!("the key of transcript version {version} is missing: its words cannot be read"),
        );
        let outline = self.found.open::<Outline>(
            &transcript.outline,
            key,
            code,
            &format!("the outline of transcript version {version}"),
        );
        if let Some(outline) = &outline {
            match self.told.transcripts.get(&outline.token) {
                Some((item, told)) if *item == body.token && *told == i64::from(version) => {}
                _ => self.found.fault(code, format!("the ledger does not know transcript version {version}"), OTHERS),
            }
            if outline.review.is_some() && !self.told.reviewed.contains(&outline.token) {
                let text = format!("transcript version {version} has a review that the ledger does not know");
                self.found.fault(code, text, AGAIN);
            }
        }
        if let Some(own) = own {
            self.words(transcript, &own, code, outline.as_ref());
        }
        outline.is_some_and(|outline| outline.review.is_some())
    }

    /// The words and marks of a version against its outline.
    fn words(&mut self, transcript: &TranscriptRow, key: &Key, code: &str, outline: Option<&Outline>) {
        let version = transcript.version;
        let words = self.found.open::<TranscriptContent>(
            &transcript.turns,
            key,
            code,
            &format!("the words of transcript version {version}"),
        );
        let marks = self.found.open::<Marks>(
            &transcript.marks,
            key,
            code,
            &format!("the marks of transcript version {version}"),
        );
        let Some(words) = words else { return };
        if outline.is_some_and(|outline| outline.turns.len() != words.texts.len()) {
            let text = format!("transcript version {version} has other turns than its outline says");
            self.found.fault(code, text, OTHERS);
        }
        let Some(marks) = marks else { return };
        if !marks.marks.iter().all(|mark| mark.fits(&words.texts)) {
            let text = format!("a mark of transcript version {version} lies outside its words");
            self.found.fault(code, text, AGAIN);
        }
        if let Some(outline) = outline.filter(|outline| outline.review.is_some()) {
            match redact::review_stands(outline, &words.texts, &marks) {
                Ok(true) => {}
                Ok(false) => {
                    let text = format!("the review of transcript version {version} is over other words or marks");
                    self.found.fault(code, text, AGAIN);
                }
                Err(error) => self.found.error(code, &error),
            }
        }
    }
}
