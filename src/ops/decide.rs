//! Deciding on a request: a preview of what policy would leave out, and a steward's signed yes or no.

mod preview;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{plan, request};
use crate::base::id::{InterviewId, PersonId, SiteId, Token};
use crate::base::role::Role;
use crate::base::time::{Date, Moment};
use crate::base::{Error, Result, text};
use crate::crypto::sign::Signature;
use crate::domain::decide::{Decided, decision_verifies, sign_decision};
use crate::domain::project::needs;
use crate::domain::request::{Filed, check_decision, check_level};
use crate::ledger::event::{DecisionFacts, Digest, Event, ItemList};
use crate::session::{Act, Unlocked, Vault, View};
use crate::store::catalogue::RecordKind;

pub use preview::{ItemPreview, Preview, VoicePreview, Why, preview};

/// What a steward may narrow; whatever is not given stays as it was asked.
#[derive(Clone, Default)]
pub struct Terms {
    /// A higher level.
    pub level: Option<u8>,
    /// An earlier last day.
    pub until: Option<Date>,
    /// Only these sites of those asked for, by prefix.
    pub sites: Vec<String>,
    /// Only these interviews of those asked for, by code.
    pub codes: Vec<String>,
}

/// A decision, as the catalogue keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecord {
    /// What was decided.
    pub facts: DecisionFacts,
    /// The items that it names, with the salt of their digest.
    pub list: Option<ItemList>,
    /// The steward's signature over it.
    pub sig: Signature,
    /// The number of the ledger entry that holds it.
    pub seq: u64,
    /// Why it was denied; stays in the catalogue.
    pub reason: Option<String>,
}

/// How a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody has decided.
    Open,
    /// One of two stewards has approved.
    Half,
    /// Approved: an extract can be built.
    Approved,
    /// A steward said no.
    Denied,
    /// The end date has come.
    Ended,
}

/// A decision as it is shown.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Who decided.
    pub steward: String,
    /// When.
    pub time: Moment,
    /// Yes or no.
    pub granted: bool,
    /// The level granted.
    pub level: u8,
    /// The last day of use granted.
    pub until: Date,
    /// Everything that was asked for.
    pub everything: bool,
    /// Why it was denied.
    pub reason: Option<String>,
}

crate::base::text::hidden!(Shown);

/// What was decided, and whether it counts yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Outcome {
    /// `REQ-7`.
    pub request: String,
    /// How it stands now.
    pub standing: Standing,
    /// Stewards who have approved on these terms.
    pub approvals: usize,
    /// Stewards who must.
    pub needed: usize,
}

/// Refuses whoever decides nothing, before anything is shown to them as if they could.
pub fn require_steward(vault: &Vault<Unlocked>) -> Result<()> {
    vault.view()?.require(Role::Steward, None)
}

/// Approves a request, for at most what it asks for. Refused: whoever is no steward of every site that it covers, one's own request, a request that another
/// steward denied, and terms other than those that another steward has approved already.
pub fn approve(vault: &mut Vault<Unlocked>, number: u32, terms: &Terms) -> Result<Outcome> {
    vault.commit("request approve", |act| {
        act.require(Role::Steward, None)?;
        let filed = request::find(act, number)?;
        let known = plan::gather(act, &filed, act.now(), None)?;
        let (mut facts, mut list) = terms_of(act, &filed, terms, act.person(), act.now())?;
        let others: Vec<DecisionRecord> =
            of(act, &filed)?.into_iter().filter(|d| d.facts.steward != act.person()).collect();
        if others.iter().any(|other| !other.facts.granted) {
            return Err(Error::denied(
                "another steward has denied this request",
                "They can decide again themselves; or the analyst writes a new request.",
            ));
        }
        // The same items, named once more, are signed with the same salt, so that the decisions agree.
        let theirs = others.first().and_then(|other| other.list.as_ref());
        if let Some(theirs) = theirs.filter(|theirs| list.as_ref().is_some_and(|own| own.items == theirs.items)) {
            facts.items = Some(theirs.digest()?);
            list = Some(theirs.clone());
        }
        facts.approvals = match others.first() {
            Some(other) => other.facts.approvals.clone(),
            None => known.approvals.clone(),
        };
        check_decision(&facts, &filed)?;
        for site in plan::decided_sites(act, &facts, list.as_ref())? {
            act.require(Role::Steward, Some(site)).map_err(|error| {
                Error::denied(
                    error.what(),
                    "Approve only for sites that are yours, with --site, or ask a steward of all sites.",
                )
            })?;
        }
        let same = |other: &DecisionRecord| {
            DecisionFacts { steward: facts.steward, time: facts.time, ..other.facts.clone() } == facts
        };
        if !others.iter().all(same) {
            return Err(Error::denied(
                "another steward has approved this request on other terms",
                "Approve it without options to take over theirs, or ask them to decide again.",
            ));
        }
        record(act, facts, list, None)?;
        outcome(act, &filed, usize::from(known.study.thresholds.stewards))
    })
}

/// Denies a request. The reason stays in the catalogue.
pub fn deny(vault: &mut Vault<Unlocked>, number: u32, reason: &str) -> Result<Outcome> {
    let reason = text::page("the reason", reason)?;
    if reason.trim().is_empty() {
        return Err(Error::user("a denial needs a reason", "Give one with --reason, for the analyst and for later."));
    }
    vault.commit("request deny", |act| {
        act.require(Role::Steward, None)?;
        let filed = request::find(act, number)?;
        let (_, study) = act.study()?;
        let (asked, list) = as_asked(act, &filed, act.person(), act.now())?;
        let asked = DecisionFacts { granted: false, ..asked };
        check_decision(&asked, &filed)?;
        record(act, asked, list, Some(reason))?;
        outcome(act, &filed, usize::from(study.thresholds.stewards))
    })
}

/// How a request stands at a moment.
pub fn standing(view: &View<'_>, filed: &Filed, now: Moment) -> Result<Standing> {
    let decisions = of(view, filed)?;
    let (_, study) = view.study()?;
    Ok(if decisions.iter().any(|d| !d.facts.granted) {
        Standing::Denied
    } else if decisions.iter().map(|d| d.facts.until).min().unwrap_or(filed.until) < now.date() {
        Standing::Ended
    } else if decisions.is_empty() {
        Standing::Open
    } else if decisions.len() < usize::from(study.thresholds.stewards) {
        Standing::Half
    } else {
        Standing::Approved
    })
}

/// The decisions on a request, one a steward, oldest first.
pub fn of(view: &View<'_>, filed: &Filed) -> Result<Vec<DecisionRecord>> {
    let mut all: Vec<DecisionRecord> = view.records_of(RecordKind::Decision, filed.id.as_bytes())?;
    if all.iter().any(|decision| (decision.facts.request, decision.facts.project) != (filed.id, filed.project)) {
        return Err(Error::damage(
            "a decision in the catalogue stands with another request than the one that it was made on",
            "Nothing is built on it. Run `subrosa check`, and ask the steward to decide again.",
        ));
    }
    all.sort_by_key(|decision| (decision.facts.time, decision.facts.steward));
    Ok(all)
}

/// The decisions on a request, for showing.
pub fn shown(view: &View<'_>, filed: &Filed) -> Result<Vec<Shown>> {
    let shown = |decision: DecisionRecord| {
        Ok(Shown {
            steward: plan::name_of(view, decision.facts.steward)?,
            time: decision.facts.time,
            granted: decision.facts.granted,
            level: decision.facts.level,
            until: decision.facts.until,
            everything: decision.facts.sites.is_none() && decision.facts.items.is_none(),
            reason: decision.reason,
        })
    };
    of(view, filed)?.into_iter().map(shown).collect()
}

/// The decisions on a request, each with its signature verified again and its steward judged as of now.
pub fn verified(view: &View<'_>, filed: &Filed) -> Result<Vec<(DecisionRecord, Decided)>> {
    let verify = |record: DecisionRecord| {
        let decider = plan::decider(view, &record.facts)?;
        let key = decider.person.card.sign();
        let decided =
            Decided::verify(record.facts.clone(), record.list.clone(), &record.sig, key, decider.party, decider.sites)?;
        Ok((record, decided))
    };
    of(view, filed)?.into_iter().map(verify).collect()
}

fn record(act: &mut Act<'_>, facts: DecisionFacts, list: Option<ItemList>, reason: Option<String>) -> Result<()> {
    let sig = sign_decision(&facts, act.signer())?;
    if !decision_verifies(&facts, &sig, act.identity().card().sign()) {
        return Err(Error::bug("a decision's own signature does not hold"));
    }
    let record = DecisionRecord { facts: facts.clone(), list: list.clone(), sig, seq: act.seq(), reason };
    // A steward's later decision takes the place of the earlier one; the ledger keeps both.
    let id = record_id(&facts);
    act.tables().put_record_of(RecordKind::Decision, &id, record.facts.request.as_bytes(), act.seq(), &record)?;
    let (items, salt) = list.map(|list| (list.items, list.salt)).unzip();
    act.event(Event::Decision { decision: facts, sig, items, salt });
    Ok(())
}

/// The id of a steward's decision on a request.
pub(super) fn record_id(facts: &DecisionFacts) -> [u8; 16] {
    let digest = Digest::of(format!("{}\n{}", facts.request, facts.steward).as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&digest.0[..16]);
    id
}

fn outcome(act: &Act<'_>, filed: &Filed, needed: usize) -> Result<Outcome> {
    let approvals = of(act, filed)?.iter().filter(|decision| decision.facts.granted).count();
    Ok(Outcome { request: filed.name(), standing: standing(act, filed, act.now())?, approvals, needed })
}

/// What is to be signed, and the list of items whose digest is in it.
type Drafted = (DecisionFacts, Option<ItemList>);

/// A yes to all that was asked; the approvals are still to be named.
fn as_asked(view: &View<'_>, filed: &Filed, steward: PersonId, time: Moment) -> Result<Drafted> {
    let project = plan::project(view, filed)?;
    let recipient = view.person(filed.requester)?;
    let country = recipient.map(|person| person.card.country().to_string()).unwrap_or_default();
    let (sites, list) = if filed.interviews.is_empty() {
        ((!filed.sites.is_empty()).then(|| filed.sites.clone()), None)
    } else {
        (None, Some(ItemList::new(tokens(view, filed, |_, _| true)?)?))
    };
    let facts = DecisionFacts {
        request: filed.id,
        project: filed.project,
        recipient: filed.requester,
        requester: filed.requester,
        granted: true,
        level: filed.level,
        sites,
        items: list.as_ref().map(ItemList::digest).transpose()?,
        // Whether a voice may go abroad depends on its own country; the floor asks that of each.
        needs: needs(project.reuse, project.teaching, false),
        approvals: Vec::new(),
        until: filed.until,
        conditions: filed.conditions,
        country,
        steward,
        time,
    };
    Ok((facts, list))
}

/// A yes on these terms; without any, on those of a yes that stands, else to all that was asked. Refuses more than was asked.
fn terms_of(view: &View<'_>, filed: &Filed, terms: &Terms, steward: PersonId, time: Moment) -> Result<Drafted> {
    let (asked, list) = as_asked(view, filed, steward, time)?;
    let none = terms.level.is_none() && terms.until.is_none() && terms.sites.is_empty() && terms.codes.is_empty();
    if none {
        let standing = of(view, filed)?.into_iter().find(|d| d.facts.granted && d.facts.steward != steward);
        return Ok(match standing {
            Some(d) => (DecisionFacts { steward, time, country: asked.country, ..d.facts }, d.list),
            None => (asked, list),
        });
    }
    let mut facts = asked;
    facts.level = terms.level.unwrap_or(filed.level);
    check_level(facts.level)?;
    facts.until = terms.until.unwrap_or(filed.until);
    if facts.level < filed.level || facts.until > filed.until {
        return Err(more("a lower level or a later end"));
    }
    if terms.sites.is_empty() && terms.codes.is_empty() {
        return Ok((facts, list));
    }
    let (sites, interviews) = request::resolve(view, &terms.sites, &terms.codes, filed.project)?;
    for id in &interviews {
        let row = view.load_interview(*id)?.row;
        if !filed.asks_for(*id, row.site) {
            return Err(more("an interview"));
        }
    }
    let whole =
        filed.interviews.is_empty() && (filed.sites.is_empty() || sites.iter().all(|s| filed.sites.contains(s)));
    if interviews.is_empty() && whole {
        facts.sites = Some(sites);
        facts.items = None;
        return Ok((facts, None));
    }
    let items = tokens(view, filed, |id, site| sites.contains(&site) || interviews.contains(&id))?;
    if items.is_empty() {
        return Err(more("a site"));
    }
    facts.sites = None;
    let list = ItemList::new(items)?;
    facts.items = Some(list.digest()?);
    Ok((facts, Some(list)))
}

fn more(what: &str) -> Error {
    Error::denied(
        format!("that grants {what} that was not asked for"),
        "A decision can grant less than was asked, never more; the analyst can write a new request.",
    )
}

/// What the ledger calls the interviews asked for that `keep` keeps.
fn tokens(view: &View<'_>, filed: &Filed, keep: impl Fn(InterviewId, SiteId) -> bool) -> Result<BTreeSet<Token>> {
    let asked = plan::asked(view, filed)?;
    let kept = asked.iter().filter(|interview| keep(interview.row.id, interview.row.site));
    Ok(kept.map(|interview| interview.body.token).collect())
}
