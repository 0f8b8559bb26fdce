//! A delivery against the vault: what is new, what is there already, what contradicts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::delivery::{Delivery, Entry};
use super::objects::Files;
use super::people::People;
use super::plan::Faults;
use super::words::Summary;
use super::work::{Job, Person, Work};
use crate::base::Result;
use crate::base::id::{InterviewId, SiteId};
use crate::base::role::Role;
use crate::base::time::Date;
use crate::domain::approval::{Approval, missing_fieldwork_boards};
use crate::domain::interview::{Interview, SpeakerRole};
use crate::domain::study::Study;
use crate::formats::Fault;
use crate::formats::manifest;
use crate::session::{Loaded, View};
use crate::store::catalogue::{InterviewRow, RecordKind};

/// What the vault has of each entry, and each entry's site. Refuses whoever is not archivist of every site concerned.
pub(super) struct Background {
    pub(super) study: Study,
    approvals: Vec<Approval>,
    pub(super) known: Vec<Option<Loaded<InterviewRow, Interview>>>,
    sites: Vec<SiteId>,
}

impl Background {
    pub(super) fn load(view: &View<'_>, delivery: &Delivery) -> Result<Self> {
        let (_, study) = view.study()?;
        let sites: HashMap<String, SiteId> = view.sites()?.into_values().map(|s| (s.prefix, s.id)).collect();
        let mut of_entries = Vec::with_capacity(delivery.entries.len());
        for entry in &delivery.entries {
            let site = sites.get(entry.code.prefix()).copied().ok_or_else(|| {
                crate::base::Error::damage("a site of the study is missing from the catalogue", "Run `subrosa check`.")
            })?;
            of_entries.push(site);
        }
        for site in of_entries.iter().collect::<BTreeSet<_>>() {
            view.require(Role::Archivist, Some(*site))?;
        }
        let mut known = Vec::with_capacity(delivery.entries.len());
        for entry in &delivery.entries {
            let id = view.lookup_code(entry.code.as_str())?;
            known.push(id.map(|id| view.load_interview(id)).transpose()?);
        }
        Ok(Self { study, approvals: view.records(RecordKind::Approval)?, known, sites: of_entries })
    }

    /// The labels that an entry's transcripts are read with: the manifest's, the vault's, and the study's for those who are no participants.
    pub(super) fn labels(&self, at: usize, entry: &Entry) -> Vec<String> {
        let mut labels: Vec<String> = entry.said.speakers.iter().map(|s| s.label.clone()).collect();
        let known = self.known.get(at).and_then(Option::as_ref);
        labels.extend(known.into_iter().flat_map(|k| k.body.speakers.iter().map(|s| s.label.clone())));
        let mut lower: BTreeSet<String> = labels.iter().map(|l| l.to_lowercase()).collect();
        for (role, of_role) in self.study.speakers.all() {
            if role != SpeakerRole::Participant {
                labels.extend(of_role.iter().filter(|l| lower.insert(l.to_lowercase())).cloned());
            }
        }
        let mut seen = BTreeSet::new();
        labels.retain(|l| seen.insert(l.clone()));
        labels
    }
}

/// Works out everything that is to be written. What is wrong goes to `faults`; then the work is not to be done.
pub(super) fn resolve(
    view: &View<'_>,
    background: Background,
    delivery: &Delivery,
    summaries: &BTreeMap<String, Summary>,
    today: Date,
    faults: &mut Faults,
) -> Result<Work> {
    let Background { study, approvals, known, sites } = background;
    let mut people = People::new(view, &study, delivery, &known, &sites);
    // First everybody, so that a later interview can join an earlier one and the other way round.
    let mut persons: BTreeMap<(usize, &str), Person> = BTreeMap::new();
    for (at, entry) in delivery.entries.iter().enumerate() {
        for speaker in &entry.said.speakers {
            if speaker.role == manifest::SpeakerRole::Participant
                && let Some(person) = people.person(at, speaker, faults)?
            {
                persons.insert((at, speaker.label.as_str()), person);
            }
        }
    }
    let (new, updates) = people.into_parts();
    let mut work = Work { people: new, updates, ..Work::default() };
    let mut files = Files { view, hashes: HashMap::new(), known_files: 0 };
    for ((at, entry), site) in delivery.entries.iter().enumerate().zip(&sites) {
        let known = known.get(at).and_then(Option::as_ref);
        let mut one = One { study: &study, approvals: &approvals, delivery, entry, site: *site, known, today, faults };
        let (date, place, language) = one.where_and_when();
        let speakers = one.speakers(summaries, |label| persons.get(&(at, label)).copied());
        let mut extra = one.extra(view)?;
        extra.place = known.is_some_and(|k| k.body.place.is_empty() && !place.is_empty());
        let mut objects = one.objects(&mut files)?;
        let transcripts = one.transcripts(&mut files, &language)?;
        let consents = one.consents(view, &mut files, &mut objects, |label| persons.get(&(at, label)).copied())?;
        work.jobs.push(Job {
            code: entry.code.to_string(),
            site: *site,
            known: None,
            date,
            place,
            language,
            speakers,
            objects: objects.new,
            transcripts,
            consents,
            extra,
            labels: Vec::new(),
        });
    }
    work.known_files = files.known_files;
    let labels = Background { study, approvals, known, sites };
    for (at, (job, entry)) in work.jobs.iter_mut().zip(&delivery.entries).enumerate() {
        if !job.transcripts.is_empty() {
            job.labels = labels.labels(at, entry);
        }
    }
    for (job, known) in work.jobs.iter_mut().zip(labels.known) {
        job.known = known;
    }
    let all = work.jobs.len();
    work.jobs.retain(|job| !job.is_empty());
    work.unchanged = (all - work.jobs.len()) as u64;
    Ok(work)
}

/// One entry being looked at.
pub(super) struct One<'a, 'f> {
    pub(super) study: &'a Study,
    approvals: &'a [Approval],
    pub(super) delivery: &'a Delivery,
    pub(super) entry: &'a Entry,
    site: SiteId,
    pub(super) known: Option<&'a Loaded<InterviewRow, Interview>>,
    pub(super) today: Date,
    pub(super) faults: &'f mut Faults,
}

impl One<'_, '_> {
    pub(super) fn fault(&mut self, line: u64, column: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.faults.push(Fault::new(self.delivery.place(line, column), what, remedy));
    }

    pub(super) fn line(&self) -> u64 {
        self.entry.said.lines.first().copied().unwrap_or_default()
    }

    pub(super) fn id(&self) -> Option<InterviewId> {
        self.known.map(|k| k.row.id)
    }

    /// Date, place and language; what an entry must say and does not is a fault, and so is what the vault knows otherwise.
    fn where_and_when(&mut self) -> (Date, String, String) {
        let (said, line) = (&self.entry.said, self.line());
        let old = self.known.map(|k| &k.body);
        let other = "the vault knows something else of this interview";
        let mend = "Leave it empty, or correct it; is it the right code?";
        if let (Some(date), Some(old)) = (said.date, old)
            && date != old.date
        {
            self.fault(line, "date", other, mend);
        }
        if let (Some(place), Some(old)) = (&said.place, old)
            && *place != old.place
            && !old.place.is_empty()
        {
            self.fault(line, "place", other, mend);
        }
        if let (Some(language), Some(old)) = (&said.language, old)
            && *language != old.language
        {
            self.fault(line, "language", other, mend);
        }
        let date = said.date.or(old.map(|o| o.date));
        let language = said.language.clone().or_else(|| old.map(|o| o.language.clone()));
        let place = old.map(|o| o.place.clone()).filter(|p| !p.is_empty()).or_else(|| said.place.clone());
        let new = "The vault does not know this interview yet.";
        match date {
            None => self.fault(line, "date", "the interview has no date", format!("Give it. {new}")),
            Some(date) if date > self.today => {
                self.fault(line, "date", "the interview lies in the future", "Correct the year, month or day.");
            }
            Some(date) if old.is_none() => self.fieldwork(date),
            Some(_) => {}
        }
        if language.is_none() {
            self.fault(line, "language", "the interview has no language", format!("Give its BCP 47 tag. {new}"));
        }
        if place.is_none() {
            let place = self.delivery.place(line, "place");
            self.faults.notice(format!("{place}: it is not said where the interview was made."));
        }
        (date.unwrap_or(self.today), place.unwrap_or_default(), language.unwrap_or_default())
    }

    /// Every board that the site demands must have approved fieldwork on that day.
    fn fieldwork(&mut self, date: Date) {
        let boards = self.study.site(self.entry.code.prefix()).map(|s| s.boards.as_slice()).unwrap_or_default();
        let missing = missing_fieldwork_boards(boards, self.site, self.approvals, date);
        if !missing.is_empty() {
            let what =
                format!("no recorded approval covers fieldwork at this site on this day ({})", missing.join(", "));
            self.fault(
                self.line(),
                "date",
                what,
                "Correct the date, or let a steward record the approval with `subrosa approval add`.",
            );
        }
    }
}
