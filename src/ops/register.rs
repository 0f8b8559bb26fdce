//! Who speaks in an interview, and by which names the vault knows them.

use crate::base::id::{ParticipantId, SiteId, Token};
use crate::base::role::Role;
use crate::base::{Error, Result};
use crate::domain::interview::{Interview, SpeakerRole};
use crate::domain::participant::{ParticipantContent, ParticipantMeta};
use crate::redact::{Class, KnownEntity};
use crate::session::{Loaded, View};
use crate::store::catalogue::{InterviewRow, ParticipantRow};

/// A participant under the label that they have in an interview.
pub struct Voice {
    /// The label in the transcripts.
    pub label: String,
    /// Their row and what archivists and stewards may know of them.
    pub participant: Loaded<ParticipantRow, ParticipantMeta>,
}

/// The participants whose consent counts in an interview: id and label, in the order of its speakers, each once.
pub fn participants(interview: &Interview) -> Vec<(ParticipantId, String)> {
    let mut found: Vec<(ParticipantId, String)> = Vec::new();
    for speaker in interview.speakers.iter().filter(|s| s.role == SpeakerRole::Participant) {
        if let Some(id) = speaker.participant
            && !found.iter().any(|(known, _)| *known == id)
        {
            found.push((id, speaker.label.clone()));
        }
    }
    found
}

/// [`participants`], loaded. For archivists and stewards.
pub fn voices(view: &View<'_>, interview: &Interview) -> Result<Vec<Voice>> {
    let load = |(id, label)| Ok(Voice { label, participant: view.load_participant(id)? });
    participants(interview).into_iter().map(load).collect()
}

/// The participant of an interview with a label or a token; without either, the only one there is.
pub fn find_voice(view: &View<'_>, interview: &Interview, which: Option<&str>) -> Result<Voice> {
    let mut all = voices(view, interview)?;
    let Some(which) = which.map(str::trim) else {
        return match (all.pop(), all.is_empty()) {
            (Some(voice), true) => Ok(voice),
            (None, _) => Err(Error::user(
                "nobody in this interview is a participant",
                "Only participants have a consent; see `subrosa interview show`.",
            )),
            _ => Err(Error::user(
                "several participants speak in this interview",
                "Say which one with --participant LABEL; `subrosa consent show` lists them.",
            )),
        };
    };
    let token: Option<Token> = which.parse().ok();
    let fits = |v: &Voice| v.label == which || token == Some(v.participant.body.token);
    all.into_iter().find(fits).ok_or_else(|| {
        Error::user("no participant of this interview has that label or token", "`subrosa consent show` lists them.")
    })
}

/// Refuses unless they are archivist or steward of the interview's site.
pub fn require_keeper(view: &View<'_>, row: &InterviewRow) -> Result<()> {
    if keeps(view, row.site) { Ok(()) } else { view.require(Role::Archivist, Some(row.site)) }
}

/// Whether they are archivist or steward of a site.
pub fn keeps(view: &View<'_>, site: SiteId) -> bool {
    view.has(Role::Steward, Some(site)) || view.has(Role::Archivist, Some(site))
}

/// The names and contacts of everybody who speaks in the interview, as far as the vault knows them, for
/// [`crate::redact::Detector`]. Keys are participant ids, and labels for interviewers and the like. Persons are numbered by their place among the
/// interview's speakers, so that the same person has the same number in every version: `[person 1]`, and `[contact 1]` for how to
/// reach them. For archivists of the site.
pub fn known_entities(view: &View<'_>, interview: &Loaded<InterviewRow, Interview>) -> Result<Vec<KnownEntity>> {
    let mut others = view.interview_content(&interview.row)?.1.others;
    let mut seen: Vec<ParticipantId> = Vec::new();
    let mut known = Vec::new();
    let mut number = 0;
    for speaker in &interview.body.speakers {
        number += 1;
        if let Some(person) = others.remove(&speaker.label) {
            known.extend(entities(&speaker.label, number, person));
        }
        if let Some(id) = speaker.participant.filter(|id| !seen.contains(id)) {
            seen.push(id);
            let row = view.load_participant(id)?.row;
            known.extend(entities(&id.to_string(), number, view.participant_content(&row)?.1));
        }
    }
    for (label, person) in others {
        number += 1;
        known.extend(entities(&label, number, person));
    }
    Ok(known)
}

fn entities(key: &str, number: usize, person: ParticipantContent) -> impl Iterator<Item = KnownEntity> {
    let names: Vec<String> = person.names.into_iter().chain(person.also_known_as).collect();
    let both = [(Class::Person, names), (Class::Contact, person.contacts)];
    both.into_iter().filter(|(_, forms)| !forms.is_empty()).map(move |(class, forms)| KnownEntity {
        key: key.to_owned(),
        class,
        forms,
        pseudonym: Some(format!("{} {number}", class.name())),
    })
}
