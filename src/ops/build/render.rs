//! From a grant to what goes and what is said of it.

use std::collections::{BTreeMap, BTreeSet};

use super::guard::{Guard, Place};
use super::manifest::{Attribution, FileFacts, InterviewFacts, Withheld, transcript_path};
use super::scripts::{Script, Scripts};
use super::table::table;
use crate::base::id::{InterviewId, ParticipantId, ProjectId, SiteId};
use crate::base::role::Role;
use crate::base::secret::Key;
use crate::base::time::Date;
use crate::base::{Error, Result};
use crate::crypto::pseudonym;
use crate::domain::decide::{Grant, ItemPlan};
use crate::domain::participant::ParticipantContent;
use crate::domain::transcript::TranscriptKind;
use crate::ledger::event::ReleasedItem;
use crate::ops::plan::{Facts, Item};
use crate::ops::request::citation_code;
use crate::redact::Strength;
use crate::session::View;

/// What goes, and what is said of it; the words of the transcripts are still in the vault.
pub(super) struct Rendered {
    /// The transcripts.
    pub(super) scripts: Scripts,
    /// Name, digest and length of their files.
    pub(super) files: Vec<FileFacts>,
    /// The table of participants.
    pub(super) participants: Vec<u8>,
    /// Rows that the table does not show, because too few are like them.
    pub(super) rows_left_out: usize,
    /// For the manifest.
    pub(super) interviews: Vec<InterviewFacts>,
    /// The engines whose suggestions the reviews decided.
    pub(super) engines: BTreeSet<String>,
    /// How much stays.
    pub(super) withheld: Withheld,
    /// For the ledger.
    pub(super) released: Vec<ReleasedItem>,
    /// Who is heard.
    pub(super) heard: BTreeSet<ParticipantId>,
    /// The interviews of which something goes.
    pub(super) going: BTreeSet<InterviewId>,
    /// Interviewers, interpreters and bystanders, as far as the vault knows them.
    pub(super) others: BTreeMap<InterviewId, Vec<ParticipantContent>>,
    /// Where something was left in the words that may not leave: the citation code, and the turn if it is one.
    pub(super) found: Option<(String, Place)>,
}

/// A participant, opened.
pub(super) struct Known {
    pub(super) site: SiteId,
    pub(super) pseudonym: String,
    pub(super) content: ParticipantContent,
}

/// Uses up a grant. Refused unless the reader is an archivist of every site of which something goes.
pub(super) fn render(
    view: &View<'_>,
    known: &Facts,
    grant: Grant,
    items: Vec<Item>,
    wordless: usize,
) -> Result<Rendered> {
    let released = grant.released();
    let plan = grant.plan();
    let project = known.project.id;
    let going: Vec<(Item, &ItemPlan)> = items.into_iter().zip(plan.items()).filter(|(_, plan)| plan.goes()).collect();
    for (item, _) in &going {
        view.require(Role::Archivist, Some(item.site))?;
    }
    let register = register(view, &going, project)?;
    let others = others(view, &going)?;
    let mut out = Rendered {
        scripts: Scripts { all: Vec::with_capacity(going.len()), register, strength: strength(plan.decision().level)? },
        files: Vec::with_capacity(going.len()),
        participants: Vec::new(),
        rows_left_out: 0,
        interviews: Vec::with_capacity(going.len()),
        engines: BTreeSet::new(),
        withheld: withheld(plan.items(), wordless),
        released,
        heard: BTreeSet::new(),
        going: going.iter().map(|(_, plan)| plan.interview).collect(),
        others,
        found: None,
    };
    let mut citations: BTreeMap<String, InterviewId> = BTreeMap::new();
    let mut youngest: BTreeMap<ParticipantId, Date> = BTreeMap::new();
    for (item, plan) in going {
        let citation = citation_code(&item.interview.seed, project)?;
        if citations.insert(citation.clone(), plan.interview).is_some_and(|other| other != plan.interview) {
            return Err(Error::bug("two interviews have the same citation code in this project"));
        }
        for id in item.tiers.keys() {
            out.heard.insert(*id);
            let first = youngest.entry(*id).or_insert(item.interview.date);
            *first = (*first).min(item.interview.date);
        }
        out.engines.extend(item.engine.clone());
        out.interviews.push(facts(&item, plan, &citation, &out.scripts.register)?);
        let translation = (item.kind == TranscriptKind::Translation).then_some(item.language.as_str());
        let path = transcript_path(&citation, translation);
        out.scripts.all.push(Script { interview: plan.interview, path, citation, item, verdicts: plan.turns.clone() });
    }
    out.interviews.sort();
    out.scripts.all.sort_by(|a, b| a.path.cmp(&b.path));
    if out.scripts.all.windows(2).any(|pair| pair[0].path == pair[1].path) {
        return Err(Error::bug("two transcripts of an extract have the same name"));
    }
    let guard = Guard::new(&known.study, people(&out.scripts.register, &out.others));
    out.scripts.look(view, &guard, &out.others, |script, facts, found| {
        out.files.push(facts);
        if out.found.is_none() {
            out.found = found.first(view)?.map(|place| (script.citation.clone(), place));
        }
        Ok(())
    })?;
    (out.participants, out.rows_left_out) = table(view, &known.study, &out.scripts.register, &youngest)?;
    Ok(out)
}

fn facts(
    item: &Item,
    plan: &ItemPlan,
    citation: &str,
    register: &BTreeMap<ParticipantId, Known>,
) -> Result<InterviewFacts> {
    let mut attribution = Vec::with_capacity(item.tiers.len());
    for (id, tier) in &item.tiers {
        let known = register.get(id).ok_or_else(|| Error::bug("a voice that goes was not opened"))?;
        attribution.push(Attribution { participant: known.pseudonym.clone(), tier: *tier });
    }
    attribution.sort();
    Ok(InterviewFacts {
        citation: citation.to_owned(),
        site: item.prefix.clone(),
        language: item.language.clone(),
        turns: plan.turns.len() as u64,
        turns_left_out: plan.turns.iter().filter(|turn| !turn.goes()).count() as u64,
        attribution,
    })
}

/// Everybody of the interviews that go, whether they are heard or not.
fn register(
    view: &View<'_>,
    going: &[(Item, &ItemPlan)],
    project: ProjectId,
) -> Result<BTreeMap<ParticipantId, Known>> {
    let ids: BTreeSet<ParticipantId> = going.iter().flat_map(|(_, plan)| plan.voices.keys().copied()).collect();
    let mut register = BTreeMap::new();
    let mut pseudonyms = BTreeSet::new();
    for id in ids {
        let row = view.participant(id)?;
        let row =
            row.ok_or_else(|| Error::damage("a participant is missing from the catalogue", "Run `subrosa check`."))?;
        let (key, content): (Key, ParticipantContent) = view.participant_content(&row)?;
        let pseudonym = pseudonym::participant(&key, &project)?;
        if !pseudonyms.insert(pseudonym.clone()) {
            return Err(Error::bug("two participants have the same pseudonym in this project"));
        }
        register.insert(id, Known { site: row.site, pseudonym, content });
    }
    Ok(register)
}

/// Whoever else is heard in the interviews that go, with names that the vault knows.
fn others(view: &View<'_>, going: &[(Item, &ItemPlan)]) -> Result<BTreeMap<InterviewId, Vec<ParticipantContent>>> {
    let ids: BTreeSet<InterviewId> = going.iter().map(|(_, plan)| plan.interview).collect();
    let mut others = BTreeMap::new();
    for id in ids {
        let (_, content) = view.interview_content(&view.load_interview(id)?.row)?;
        others.insert(id, content.others.into_values().collect());
    }
    Ok(others)
}

/// Everybody whose names and contacts may not leave.
pub(super) fn people<'r>(
    register: &'r BTreeMap<ParticipantId, Known>,
    others: &'r BTreeMap<InterviewId, Vec<ParticipantContent>>,
) -> impl Iterator<Item = &'r ParticipantContent> {
    register.values().map(|known| &known.content).chain(others.values().flatten())
}

/// How far marks are replaced at a level.
fn strength(level: u8) -> Result<Strength> {
    match level {
        1 => Ok(Strength::Direct),
        2 => Ok(Strength::StrongIndirect),
        3 => Ok(Strength::Indirect),
        _ => Err(Error::bug("an extract has a level that does not exist")),
    }
}

fn withheld(plans: &[ItemPlan], wordless: usize) -> Withheld {
    let all: BTreeSet<InterviewId> = plans.iter().map(|plan| plan.interview).collect();
    let going: BTreeSet<InterviewId> = plans.iter().filter(|plan| plan.goes()).map(|plan| plan.interview).collect();
    let turns = plans.iter().flat_map(|plan| &plan.turns).filter(|turn| !turn.goes()).count();
    Withheld { interviews: (all.len() - going.len() + wordless) as u64, turns: turns as u64 }
}
