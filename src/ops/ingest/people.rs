//! Who is who: the speakers of a delivery, joined to each other and to the vault's participants.

use std::collections::{BTreeMap, HashMap};

use super::delivery::{Delivery, Entry};
use super::plan::Faults;
use super::work::{NewPerson, Person};
use crate::base::Result;
use crate::base::id::{ParticipantId, SiteId};
use crate::base::role::Role;
use crate::base::time::Date;
use crate::domain::code;
use crate::domain::interview::Interview;
use crate::domain::participant::ParticipantContent;
use crate::domain::study::Study;
use crate::formats::Fault;
use crate::formats::manifest::{SpeakerEntry, SpeakerRole};
use crate::session::{Loaded, View};
use crate::store::catalogue::InterviewRow;

type Known = Option<Loaded<InterviewRow, Interview>>;

/// The longest chain of "the same as": people are heard in a few interviews, not in hundreds.
const LONGEST: usize = 50;

/// Finds out who is who.
pub(super) struct People<'a> {
    view: &'a View<'a>,
    study: &'a Study,
    delivery: &'a Delivery,
    /// What the vault has of each entry.
    known: &'a [Known],
    sites: &'a [SiteId],
    by_code: HashMap<&'a str, usize>,
    /// Whom the speakers of the delivery are, by entry and label.
    found: BTreeMap<(usize, &'a str), Option<Person>>,
    /// Participants to be made.
    pub(super) new: Vec<NewPerson>,
    /// Participants of the vault of whom the delivery says something: as they are there, and as they will be.
    content: BTreeMap<ParticipantId, (ParticipantContent, ParticipantContent)>,
}

impl<'a> People<'a> {
    pub(super) fn new(
        view: &'a View<'a>,
        study: &'a Study,
        delivery: &'a Delivery,
        known: &'a [Known],
        sites: &'a [SiteId],
    ) -> Self {
        let by_code = delivery.entries.iter().enumerate().map(|(at, e)| (e.code.as_str(), at)).collect();
        Self {
            view,
            study,
            delivery,
            known,
            sites,
            by_code,
            found: BTreeMap::new(),
            new: Vec::new(),
            content: BTreeMap::new(),
        }
    }

    /// Who a participant of an entry is; none if that is at fault, which is told once.
    pub(super) fn person(
        &mut self,
        at: usize,
        speaker: &'a SpeakerEntry,
        faults: &mut Faults,
    ) -> Result<Option<Person>> {
        let person = self.resolve(at, speaker, 0, faults)?;
        if let Some(person) = person {
            self.describe(at, person, speaker, faults)?;
        }
        Ok(person)
    }

    /// The participants of the vault of whom more is known now.
    pub(super) fn into_parts(self) -> (Vec<NewPerson>, BTreeMap<ParticipantId, ParticipantContent>) {
        let changed = self.content.into_iter().filter(|(_, (before, after))| before != after);
        (self.new, changed.map(|(id, (_, after))| (id, after)).collect())
    }

    fn resolve(
        &mut self,
        at: usize,
        speaker: &'a SpeakerEntry,
        depth: usize,
        faults: &mut Faults,
    ) -> Result<Option<Person>> {
        if let Some(found) = self.found.get(&(at, speaker.label.as_str())) {
            return Ok(*found);
        }
        let here = self.known.get(at).and_then(Option::as_ref).and_then(|k| k.body.speaker(&speaker.label));
        let here = here.and_then(|s| s.participant).map(Person::Known);
        let delivery = self.delivery;
        let fault = |what: &str, remedy: &str| Fault::new(delivery.place(speaker.line, "participant"), what, remedy);
        let person = match &speaker.same_as {
            None => match here {
                Some(known) => Some(known),
                None => {
                    let site = self.sites.get(at).copied();
                    site.map(|site| {
                        self.new.push(NewPerson { site, content: ParticipantContent::default() });
                        Person::New(self.new.len() - 1)
                    })
                }
            },
            Some(_) if depth >= LONGEST => {
                faults.push(fault(
                    "the participant is said to be themselves, round in a circle",
                    "Name the first interview on one side only.",
                ));
                None
            }
            Some(wanted) => {
                let code = code::normalise(&wanted.code_raw, self.study).ok().map(|(code, _)| code);
                let there = match &code {
                    None => None,
                    Some(code) => self.other(code.as_str(), &wanted.label, depth, faults)?,
                };
                match (there, here) {
                    (None, _) => {
                        faults.push(fault(
                            "no participant with this label is known in an interview with this code",
                            "Write the code and the label of an interview of this delivery or of the vault, as in AM-05:R.",
                        ));
                        None
                    }
                    (Some(None), _) => None,
                    (Some(there), Some(here)) if there != Some(here) => {
                        faults.push(fault(
                            "the vault knows this speaker as another participant",
                            "Leave the column empty, or correct it.",
                        ));
                        None
                    }
                    (Some(there), _) => there,
                }
            }
        };
        self.found.insert((at, speaker.label.as_str()), person);
        Ok(person)
    }

    /// The participant of another interview: none if there is no such one, `Some(None)` if their own row is at fault.
    #[expect(clippy::option_option, reason = "not found, and found at fault, are told differently")]
    fn other(&mut self, code: &str, label: &str, depth: usize, faults: &mut Faults) -> Result<Option<Option<Person>>> {
        let entry = self.by_code.get(code).copied();
        if let Some(at) = entry
            && let Some(entry) = self.delivery.entries.get(at)
        {
            let wanted = |s: &&SpeakerEntry| s.label == label && s.role == SpeakerRole::Participant;
            if let Some(speaker) = entry.said.speakers.iter().find(wanted) {
                return self.resolve(at, speaker, depth + 1, faults).map(Some);
            }
        }
        if self.delivery.at_fault.iter().any(|c| c.as_str() == code) {
            return Ok(Some(None));
        }
        let Some(id) = self.view.lookup_code(code)? else { return Ok(None) };
        let interview = self.view.load_interview(id)?;
        self.view.require(Role::Archivist, Some(interview.row.site))?;
        Ok(interview.body.speaker(label).and_then(|s| s.participant).map(|id| Some(Person::Known(id))))
    }

    /// Adds what a row says of a participant to what is known of them.
    fn describe(&mut self, at: usize, person: Person, speaker: &SpeakerEntry, faults: &mut Faults) -> Result<()> {
        let said = said(speaker);
        let entry = self.delivery.entries.get(at);
        check(&said, entry, speaker, self.study, self.delivery, faults);
        if said == ParticipantContent::default() {
            return Ok(());
        }
        let content = match person {
            Person::New(index) => self.new.get_mut(index).map(|p| &mut p.content),
            Person::Known(id) => {
                if !self.content.contains_key(&id) {
                    let row = self.view.load_participant(id)?.row;
                    self.view.require(Role::Archivist, Some(row.site))?;
                    let (_, content) = self.view.participant_content(&row)?;
                    self.content.insert(id, (content.clone(), content));
                }
                self.content.get_mut(&id).map(|(_, after)| after)
            }
        };
        if let Some(content) = content {
            for column in merge(content, said) {
                faults.push(Fault::new(
                    self.delivery.place(speaker.line, column),
                    "this says something else of the participant than is known already",
                    "Leave it empty, or correct it; other names go into also_known_as.",
                ));
            }
        }
        Ok(())
    }
}

/// What a row says of a speaker.
pub(super) fn said(speaker: &SpeakerEntry) -> ParticipantContent {
    ParticipantContent {
        names: speaker.name.iter().cloned().collect(),
        also_known_as: speaker.also_known_as.clone(),
        contacts: speaker.contacts.clone(),
        gender: speaker.gender.map(|g| g.as_str().to_owned()),
        birth_year: speaker.birth_year,
        education: speaker.education.clone(),
        occupation: speaker.occupation.clone(),
    }
}

/// Adds `said` to `known`, where it does not contradict; names the columns where it does.
pub(super) fn merge(known: &mut ParticipantContent, said: ParticipantContent) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    match (known.names.is_empty(), said.names.is_empty()) {
        (_, true) => {}
        (true, false) => known.names = said.names,
        (false, false) if said.names.iter().all(|n| known.names.contains(n)) => {}
        (false, false) => wrong.push("name"),
    }
    for (list, more) in [(&mut known.also_known_as, said.also_known_as), (&mut known.contacts, said.contacts)] {
        for text in more {
            if !list.contains(&text) {
                list.push(text);
            }
        }
    }
    let mut once = |slot: &mut Option<String>, value: Option<String>, column| match (slot.as_ref(), value) {
        (None, value) => *slot = value,
        (Some(known), Some(value)) if *known != value => wrong.push(column),
        _ => {}
    };
    once(&mut known.gender, said.gender, "gender");
    once(&mut known.education, said.education, "education");
    once(&mut known.occupation, said.occupation, "occupation");
    match (known.birth_year, said.birth_year) {
        (None, year) => known.birth_year = year,
        (Some(known), Some(year)) if known != year => wrong.push("birth_year"),
        _ => {}
    }
    wrong
}

/// The study's words for its variables, and a birth before the interview.
fn check(
    said: &ParticipantContent,
    entry: Option<&Entry>,
    speaker: &SpeakerEntry,
    study: &Study,
    delivery: &Delivery,
    faults: &mut Faults,
) {
    let variables = [("gender", &said.gender), ("education", &said.education), ("occupation", &said.occupation)];
    for (name, value) in variables {
        let Some(value) = value else { continue };
        let Some(variable) = study.variable(name).filter(|v| !v.values.is_empty()) else { continue };
        if !variable.values.contains(value) {
            faults.push(Fault::new(
                delivery.place(speaker.line, name),
                "this is no value of the study's variable",
                format!("The study's values are {}.", variable.values.join(", ")),
            ));
        }
    }
    let made: Option<Date> = entry.and_then(|e| e.said.date);
    if let (Some(born), Some(made)) = (said.birth_year, made)
        && born >= i32::from(made.year())
    {
        faults.push(Fault::new(
            delivery.place(speaker.line, "birth_year"),
            "somebody is said to be born in the year of the interview or after it",
            "Correct the year.",
        ));
    }
}
