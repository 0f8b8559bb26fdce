//! The one place that gathers what deciding needs and asks for a plan: a preview and a build see the same.
//!
//! Works on outlines alone, so that a steward, who has no content keys, can see what policy would leave out.

mod cases;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use self::cases::{Fetched, Ground, Opened, tiers};
use crate::base::id::{ApprovalId, InterviewId, ParticipantId, PersonId, SiteId, SlotId, TranscriptId};
use crate::base::role::Role;
use crate::base::time::Moment;
use crate::base::{Error, Kind, Result};
use crate::domain::approval::Approval;
use crate::domain::conditions::Conditions;
use crate::domain::decide::{Decided, Plan, Setting, release_each};
use crate::domain::interview::Interview;
use crate::domain::policy::{Party, Policies};
use crate::domain::project::Project;
use crate::domain::request::Filed;
use crate::domain::study::{Site, Study};
use crate::domain::transcript::TranscriptKind;
use crate::ledger::event::{DecisionFacts, ItemList, Tier};
use crate::session::{Loaded, PersonRecord, View};
use crate::store::catalogue::{InterviewRow, RecordKind};

pub use self::cases::speaker;

/// How many interviews are opened in one go, on all cores.
const AT_ONCE: usize = 64;

/// Everything that deciding on a request needs but the items themselves, as it is now.
pub struct Facts {
    /// The study in force.
    pub study: Study,
    /// The project of the request.
    pub project: Project,
    /// Who gets it.
    pub recipient: PersonRecord,
    /// People, project and time.
    pub setting: Setting,
    /// The approvals that cover this use today at one of the sites at least.
    pub approvals: Vec<ApprovalId>,
    /// The interviews asked for.
    asked: Vec<InterviewId>,
    ground: Ground,
}

/// What was decided, item by item.
pub struct Planned {
    /// What may go.
    pub plan: Plan,
    /// One transcript version of one interview each, in the order of the plan.
    pub items: Vec<Item>,
    /// Interviews asked for of which there is no transcript, so that nothing can go, with their sites.
    pub wordless: Vec<(SiteId, Interview)>,
}

/// One transcript version of one interview that was decided on; its turns are not kept.
pub struct Item {
    /// The interview.
    pub interview: Interview,
    /// Its site.
    pub site: SiteId,
    /// The prefix of its site.
    pub prefix: String,
    /// The slot of the interview's key, class meta.
    pub slot: SlotId,
    /// The transcript version.
    pub transcript: TranscriptId,
    /// Its number.
    pub version: u32,
    /// What sort.
    pub kind: TranscriptKind,
    /// BCP 47.
    pub language: String,
    /// The engine whose suggestions its review decided.
    pub engine: Option<String>,
    /// How each voice that is heard in what goes may be named in print: the strictest over its turns that go.
    pub tiers: BTreeMap<ParticipantId, Tier>,
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
    let ground = Ground {
        sites: sites(view, &study)?,
        holds: view.records(RecordKind::Hold)?,
        fieldwork: approvals,
        of_use,
        purpose: project.purpose.duo.clone(),
        asker: filed.requester,
        now,
        today,
    };
    let asked = asked_ids(view, filed)?;
    let transcribed = view.transcribed()?;
    let met: BTreeSet<SiteId> =
        asked.iter().filter(|(id, _)| transcribed.contains(id)).map(|(_, site)| *site).collect();
    let mut approvals = BTreeSet::new();
    for site in met {
        approvals.extend(ground.covering(site)?);
    }
    let approvals = approvals.into_iter().collect();
    let asked = asked.into_iter().map(|(id, _)| id).collect();
    Ok(Facts { study, project, recipient, setting, approvals, asked, ground })
}

impl Facts {
    /// What may go on these decisions. Opens the outlines of what is asked for, some at a time, and keeps none.
    pub fn plan(&self, view: &View<'_>, policies: &Policies, decisions: &[Decided]) -> Result<Planned> {
        let (mut items, mut wordless) = (Vec::new(), Vec::new());
        let plan = release_each(policies, decisions, &self.setting, |judge| {
            for ids in self.asked.chunks(AT_ONCE) {
                let fetched =
                    ids.iter().map(|id| Fetched::new(view, *id)).collect::<Result<Vec<_>>>().map_err(unreadable)?;
                let opened: Vec<Result<Opened>> =
                    fetched.into_par_iter().map(|fetched| self.ground.open(fetched)).collect();
                for opened in opened {
                    let (site, interview, cases) = opened.map_err(unreadable)?;
                    if cases.is_empty() {
                        wordless.push((site, interview));
                    }
                    for (mut item, case) in cases {
                        item.tiers = tiers(&case, judge.take(&case), self.setting.now);
                        items.push(item);
                    }
                }
            }
            Ok(())
        })?;
        Ok(Planned { plan, items, wordless })
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

/// The interviews that a request asks for, in the order of their random ids, with their sites.
fn asked_ids(view: &View<'_>, filed: &Filed) -> Result<Vec<(InterviewId, SiteId)>> {
    let mut asked = view.interview_sites()?;
    asked.retain(|(id, site)| filed.asks_for(*id, *site));
    match filed.interviews.iter().all(|id| asked.binary_search_by_key(id, |(id, _)| *id).is_ok()) {
        true => Ok(asked),
        false => Err(Error::damage("an interview is missing from the catalogue", "Run `subrosa check`.")),
    }
}

/// The interviews that a request asks for, opened, in the order of their random ids.
pub fn asked(view: &View<'_>, filed: &Filed) -> Result<Vec<Loaded<InterviewRow, Interview>>> {
    if filed.sites.is_empty() && filed.interviews.is_empty() {
        return view.all_interviews().map_err(unreadable);
    }
    asked_ids(view, filed)?.into_iter().map(|(id, _)| view.load_interview(id).map_err(unreadable)).collect()
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

/// Everybody who is enrolled by that id, by the name on their card, for showing.
pub fn name_of(view: &View<'_>, id: PersonId) -> Result<String> {
    Ok(view.person(id)?.map_or_else(|| id.to_string(), |person| person.card.name().to_owned()))
}
