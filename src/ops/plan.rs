//! The one place that gathers what deciding needs and asks for a plan: a preview and a build see the same.
//!
//! Works on outlines alone, so that a steward, who has no content keys, can see what policy would leave out.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::id::{ApprovalId, InterviewId, ParticipantId, PersonId, SiteId, TranscriptId};
use crate::base::role::Role;
use crate::base::time::{Date, Moment};
use crate::base::{Error, Kind, Result};
use crate::domain::approval::{Approval, missing_boards, missing_fieldwork_boards};
use crate::domain::conditions::Conditions;
use crate::domain::consent::TimeRange;
use crate::domain::consent_turns::Speaker;
use crate::domain::decide::{Decided, ItemCase, Plan, Setting, TurnCase, release};
use crate::domain::hold::Hold;
use crate::domain::interview::{Interview, SpeakerRole};
use crate::domain::policy::{Party, Policies};
use crate::domain::project::Project;
use crate::domain::request::Filed;
use crate::domain::study::{Site, Study};
use crate::domain::transcript::{Outline, TranscriptKind};
use crate::ledger::event::{DecisionFacts, ItemList};
use crate::session::{Loaded, PersonRecord, View};
use crate::store::catalogue::{InterviewRow, RecordKind, TranscriptRow};

/// Everything that deciding on a request needs, as it is now.
pub struct Facts {
    /// The study in force.
    pub study: Study,
    /// The project of the request.
    pub project: Project,
    /// Who gets it.
    pub recipient: PersonRecord,
    /// People, project and time.
    pub setting: Setting,
    /// One transcript version of one interview each; the order says nothing.
    pub items: Vec<Item>,
    /// What is decided on, in the same order.
    pub cases: Vec<ItemCase>,
    /// Interviews asked for of which there is no transcript, so that nothing can go.
    pub wordless: Vec<Loaded<InterviewRow, Interview>>,
    /// The approvals that cover this use today at one of the sites at least.
    pub approvals: Vec<ApprovalId>,
}

/// One transcript version of one interview that is asked for.
pub struct Item {
    /// The interview.
    pub interview: Interview,
    /// The transcript version.
    pub transcript: TranscriptRow,
    /// Its turns, without words.
    pub outline: Outline,
    /// The prefix of its site.
    pub prefix: String,
}

/// Gathers what is to be decided on for a request. `standing`: the approvals that a decision names; without a decision, all that are recorded.
pub fn gather(view: &View<'_>, filed: &Filed, now: Moment, standing: Option<&[ApprovalId]>) -> Result<Facts> {
    let (_, study) = view.study()?;
    let project = project(view, filed)?;
    let recipient = view
        .person(filed.requester)?
        .ok_or_else(|| Error::damage("whoever asked is missing from the register of people", "Run `subrosa check`."))?;
    let accepted = Conditions::of(&filed.conditions).is_some();
    let party = Party { conditions_accepted: accepted, ..party(&recipient) };
    let today = now.date();
    let setting = Setting {
        now,
        recipient: party.clone(),
        requester: party,
        project_active: project.active(today),
        in_project: project.people.contains(&filed.requester),
        // A request names a project, and the project's purpose is the use.
        purpose_covered: true,
        stewards_needed: study.thresholds.stewards,
    };
    let mut approvals: Vec<Approval> = view.records(RecordKind::Approval)?;
    approvals.sort_by_key(|approval| approval.id);
    let of_use = approvals.iter().filter(|a| standing.is_none_or(|ids| ids.contains(&a.id))).cloned().collect();
    let mut gatherer = Gatherer {
        view,
        sites: sites(view, &study)?,
        holds: view.records(RecordKind::Hold)?,
        fieldwork: approvals,
        of_use,
        purpose: project.purpose.duo.clone(),
        asker: filed.requester,
        now,
        today,
        named: BTreeSet::new(),
        found: Vec::new(),
        wordless: Vec::new(),
    };
    for interview in asked(view, filed)? {
        gatherer.take(interview).map_err(unreadable)?;
    }
    let Gatherer { mut found, wordless, named, .. } = gatherer;
    found.sort_by_key(|(_, case)| (case.item, case.transcript_token));
    let (items, cases) = found.into_iter().unzip();
    Ok(Facts { study, project, recipient, setting, items, cases, wordless, approvals: named.into_iter().collect() })
}

impl Facts {
    /// What may go on these decisions.
    pub fn plan(&self, policies: &Policies, decisions: &[Decided]) -> Result<Plan> {
        release(policies, decisions, &self.setting, &self.cases)
    }
}

/// The project of a request.
pub fn project(view: &View<'_>, filed: &Filed) -> Result<Project> {
    view.record(RecordKind::Project, filed.project.as_bytes())?
        .ok_or_else(|| Error::damage("the project of a request is missing from the vault", "Run `subrosa check`."))
}

/// A person, as far as deciding goes; neither conditions nor steward are said.
pub fn party(person: &PersonRecord) -> Party {
    let removed = person.roles.is_empty() || person.removed.is_some();
    Party {
        id: person.card.person_id(),
        enrolled: !removed,
        removed,
        conditions_accepted: false,
        steward: false,
        country: person.card.country().to_string(),
    }
}

/// Whoever decided.
pub struct Decider {
    /// As they are enrolled.
    pub person: PersonRecord,
    /// As far as deciding goes; a steward if they are one now.
    pub party: Party,
    /// The sites that they are a steward of now, or all.
    pub sites: Option<Vec<SiteId>>,
}

/// Whoever decided, as they are now. A decision of somebody who is no steward any more gives no leave.
pub fn decider(view: &View<'_>, facts: &DecisionFacts) -> Result<Decider> {
    let known = view.person(facts.steward)?;
    let person = known.ok_or_else(|| {
        Error::damage("whoever decided is missing from the register of people", "Run `subrosa check`.")
    })?;
    let grants: Vec<_> = person.roles.iter().filter(|grant| grant.role == Role::Steward).collect();
    let sites = match grants.iter().any(|grant| grant.sites.is_none()) {
        true => None,
        false => Some(grants.iter().filter_map(|grant| grant.sites.clone()).flatten().collect()),
    };
    let party = Party { steward: !grants.is_empty(), ..party(&person) };
    Ok(Decider { person, party, sites })
}

/// The sites that a decision with this list of items covers.
pub fn decided_sites(view: &View<'_>, facts: &DecisionFacts, list: Option<&ItemList>) -> Result<Vec<SiteId>> {
    let all = || Ok(view.sites()?.into_keys().collect());
    let Some(list) = list else {
        return facts.sites.clone().map_or_else(all, Ok);
    };
    let mut sites = BTreeSet::new();
    for item in &list.items {
        let row = match view.by_token(*item)? {
            Some(id) => view.interview(id)?,
            None => None,
        };
        let row = row.ok_or_else(|| {
            Error::damage("a decision names an interview that the catalogue does not know", "Run `subrosa check`.")
        })?;
        sites.insert(row.site);
    }
    Ok(sites.into_iter().collect())
}

/// The interviews that a request asks for, in no order.
pub fn asked(view: &View<'_>, filed: &Filed) -> Result<Vec<Loaded<InterviewRow, Interview>>> {
    if filed.sites.is_empty() && filed.interviews.is_empty() {
        return view.all_interviews().map_err(unreadable);
    }
    let mut ids: BTreeSet<InterviewId> = filed.interviews.iter().copied().collect();
    if !filed.sites.is_empty() {
        let rows = view.interviews()?;
        ids.extend(rows.iter().filter(|row| filed.sites.contains(&row.site)).map(|row| row.id));
    }
    ids.into_iter().map(|id| view.load_interview(id).map_err(unreadable)).collect()
}

/// Nothing goes, and nothing is decided, on a part of what was asked only because the rest is damaged.
fn unreadable(error: Error) -> Error {
    if error.kind() != Kind::Damage {
        return error;
    }
    Error::damage(
        "something of an interview that the request asks for is damaged",
        "`subrosa check` names it: restore it from a backup. Until then the analyst can ask for the others by their codes; they are whole.",
    )
}

/// The participants whose consent an interview needs, by the interview and by the catalogue.
pub fn heard(view: &View<'_>, interview: &Loaded<InterviewRow, Interview>) -> Result<BTreeSet<ParticipantId>> {
    let mut ids: BTreeSet<ParticipantId> = interview.body.participants().into_iter().collect();
    ids.extend(view.voices(interview.row.id)?);
    Ok(ids)
}

/// The sites by id, as the study defines them.
fn sites(view: &View<'_>, study: &Study) -> Result<BTreeMap<SiteId, Site>> {
    let known = view.sites()?.into_values().map(|record| {
        let site = study.site(&record.prefix).cloned();
        site.map(|site| (record.id, site))
            .ok_or_else(|| Error::damage("a site of the vault is not in the study definition", "Run `subrosa check`."))
    });
    known.collect()
}

struct Gatherer<'g, 'v> {
    view: &'g View<'v>,
    sites: BTreeMap<SiteId, Site>,
    holds: Vec<Hold>,
    fieldwork: Vec<Approval>,
    of_use: Vec<Approval>,
    purpose: String,
    /// Who asks, and gets it: what they reviewed or checked themselves does not count.
    asker: PersonId,
    now: Moment,
    today: Date,
    /// The approvals that cover the use at a site that was met.
    named: BTreeSet<ApprovalId>,
    found: Vec<(Item, ItemCase)>,
    wordless: Vec<Loaded<InterviewRow, Interview>>,
}

impl Gatherer<'_, '_> {
    fn take(&mut self, interview: Loaded<InterviewRow, Interview>) -> Result<()> {
        let versions = self.view.transcripts(interview.row.id)?;
        let mut opened = Vec::with_capacity(versions.len());
        for row in versions {
            let outline = self.view.outline(&row, &interview.key)?;
            opened.push((row, outline));
        }
        let chosen = chosen(&opened, self.asker);
        if chosen.is_empty() {
            self.wordless.push(interview);
            return Ok(());
        }
        let site = interview.row.site;
        let known = self.sites.get(&site).cloned();
        let known = known
            .ok_or_else(|| Error::damage("an interview belongs to no site of the vault", "Run `subrosa check`."))?;
        let covering = self.of_use.iter().filter(|a| a.covers_use(site, self.today, &self.purpose));
        self.named.extend(covering.filter(|a| known.boards.contains(&a.board)).map(|a| a.id));
        let participants = self.participants(&interview)?;
        for (row, outline) in opened.into_iter().filter(|(row, _)| chosen.contains(&row.id)) {
            let body = interview.body.clone();
            let case = self.case(&interview, &known, &row, &outline, participants.clone());
            let prefix = known.prefix.clone();
            self.found.push((Item { interview: body, transcript: row, outline, prefix }, case));
        }
        Ok(())
    }

    fn participants(&self, interview: &Loaded<InterviewRow, Interview>) -> Result<Voices> {
        let voice = |id| {
            let participant = self.view.load_participant(id)?;
            let events = self.view.consent_events(&participant)?;
            Ok((id, (participant.body.token, events)))
        };
        heard(self.view, interview)?.into_iter().map(voice).collect()
    }

    fn case(
        &self,
        interview: &Loaded<InterviewRow, Interview>,
        site: &Site,
        row: &TranscriptRow,
        outline: &Outline,
        participants: Voices,
    ) -> ItemCase {
        let (id, body) = (interview.row.site, &interview.body);
        let fieldwork =
            self.fieldwork.iter().filter(|a| site.boards.contains(&a.board) && a.covers_fieldwork(id, body.date));
        let events = participants.values().flat_map(|(_, events)| events);
        let mut checked = outline.standing_checks(events, self.now);
        checked.retain(|turn| outline.checked.get(turn).is_some_and(|check| check.by != self.asker));
        let turns = outline.turns.iter().map(|turn| TurnCase {
            speakers: vec![speaker(body, turn.label.as_deref())],
            time: match (turn.start_ms, turn.end_ms) {
                (Some(from), Some(to)) => Some(TimeRange { from, to }),
                _ => None,
            },
        });
        ItemCase {
            interview: interview.row.id,
            item: body.token,
            site: id,
            country: site.country.clone(),
            transcript: row.id,
            transcript_token: outline.token,
            turns: turns.collect(),
            checked: checked.into_iter().filter_map(|turn| usize::try_from(turn).ok()).collect(),
            participants,
            hold: self.holds.iter().any(|hold| hold.stops(interview.row.id, id)),
            reviewed: reviewed(outline, self.asker),
            fieldwork_covered: missing_fieldwork_boards(&site.boards, id, &self.fieldwork, body.date).is_empty(),
            use_covered: missing_boards(&site.boards, id, &self.of_use, self.today, &self.purpose).is_empty(),
            fieldwork: fieldwork.map(|a| a.id).collect(),
        }
    }
}

type Voices = BTreeMap<ParticipantId, (crate::base::id::Token, Vec<crate::domain::consent::ConsentEvent>)>;

/// Whose words a turn with this label is. A label that nobody knows, and none, count as every voice's.
pub fn speaker(interview: &Interview, label: Option<&str>) -> Speaker<ParticipantId> {
    let Some(known) = label.and_then(|label| interview.speaker(label)) else { return Speaker::Unknown };
    match (known.role, known.participant) {
        (SpeakerRole::Participant, Some(id)) => Speaker::Participant(id),
        (SpeakerRole::Participant, None) => Speaker::Unknown,
        (SpeakerRole::Interviewer | SpeakerRole::Interpreter, _) => Speaker::Aside,
        (SpeakerRole::Bystander, _) => Speaker::Bystander,
    }
}

/// Whether a review stands that holds for a request of `asker`: nobody reviews what goes to themselves (DESIGN, section 1).
fn reviewed(outline: &Outline, asker: PersonId) -> bool {
    outline.review.as_ref().is_some_and(|review| review.by != asker)
}

/// Which versions are decided on: the newest in the original language with a standing review, and the newest reviewed translation into each
/// language. If none is reviewed, the newest of all, to be refused for that.
fn chosen(versions: &[(TranscriptRow, Outline)], asker: PersonId) -> BTreeSet<TranscriptId> {
    let mut newest: BTreeMap<Option<&str>, (u32, TranscriptId)> = BTreeMap::new();
    for (row, outline) in versions.iter().filter(|(_, outline)| reviewed(outline, asker)) {
        let language = (outline.kind == TranscriptKind::Translation).then_some(outline.language.as_str());
        let kept = newest.entry(language).or_insert((row.version, row.id));
        if kept.0 < row.version {
            *kept = (row.version, row.id);
        }
    }
    if newest.is_empty() {
        return versions.iter().max_by_key(|(row, _)| row.version).map(|(row, _)| row.id).into_iter().collect();
    }
    newest.into_values().map(|(_, id)| id).collect()
}

/// Everybody who is enrolled by that id, by the name on their card, for showing.
pub fn name_of(view: &View<'_>, id: PersonId) -> Result<String> {
    Ok(view.person(id)?.map_or_else(|| id.to_string(), |person| person.card.name().to_owned()))
}
