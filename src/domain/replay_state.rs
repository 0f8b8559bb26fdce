//! What governs the vault, as the ledger's events leave it.

use std::collections::{BTreeMap, BTreeSet};

use super::consent_fold::{Cover, Effective, Layer, Statement, fold};
use super::policy::Policies;
use crate::base::id::{ApprovalId, HoldId, PersonId, ProjectId, ReleaseId, RequestId, SiteId, Token};
use crate::base::time::{Date, Moment};
use crate::crypto::sign::PublicKey;
use crate::ledger::event::{
    ApprovalFacts, ConsentFacts, DecisionFacts, Digest, ItemList, ReleasedItem, Role, RoleGrant, Scope,
};

/// A person as the ledger knows them.
pub(crate) struct Known {
    pub(crate) sign: PublicKey,
    pub(crate) country: String,
    pub(crate) roles: Vec<RoleGrant>,
}

impl Known {
    /// Whether they hold `role`, at `site` if one is given, else anywhere.
    pub(crate) fn holds(&self, role: Role, site: Option<SiteId>) -> bool {
        self.roles.iter().any(|grant| {
            let there = |sites: &Vec<SiteId>| site.is_none_or(|site| sites.contains(&site));
            grant.role == role && grant.sites.as_ref().is_none_or(there)
        })
    }
}

pub(crate) struct Project {
    pub(crate) purpose: String,
    pub(crate) people: Vec<PersonId>,
    pub(crate) from: Date,
    pub(crate) until: Date,
}

pub(crate) struct Item {
    pub(crate) site: SiteId,
    pub(crate) voices: Vec<Token>,
}

pub(crate) struct Transcript {
    pub(crate) item: Token,
    /// Who recorded the review that stands, if one does.
    pub(crate) reviewed: Option<PersonId>,
}

pub(crate) struct Hold {
    pub(crate) sites: Vec<SiteId>,
    pub(crate) items: Vec<Token>,
    /// The stewards who agreed to lift it.
    pub(crate) lifting: BTreeSet<PersonId>,
}

pub(crate) struct Request {
    pub(crate) project: ProjectId,
    pub(crate) requester: PersonId,
}

/// A decision, and how it stood when it was recorded.
pub(crate) struct Decided {
    pub(crate) facts: DecisionFacts,
    /// The items that it names, as signed.
    pub(crate) list: Option<ItemList>,
    /// The signature was the steward's.
    pub(crate) signed: bool,
    /// The sites where whoever decided was a steward then; `None` for all, empty for none.
    pub(crate) steward_at: Option<Vec<SiteId>>,
    /// The request had been recorded before.
    pub(crate) requested: bool,
}

pub(crate) struct Released {
    pub(crate) request: RequestId,
    pub(crate) recipient: PersonId,
    pub(crate) until: Date,
    pub(crate) manifest: Digest,
    pub(crate) items: Vec<ReleasedItem>,
}

/// Everything governing.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) last: Option<Moment>,
    pub(crate) people: BTreeMap<PersonId, Known>,
    pub(crate) sites: BTreeMap<SiteId, (String, Vec<String>)>,
    pub(crate) policies: Option<Policies>,
    pub(crate) stewards_needed: usize,
    pub(crate) approvals: BTreeMap<ApprovalId, ApprovalFacts>,
    pub(crate) projects: BTreeMap<ProjectId, Project>,
    pub(crate) participants: BTreeSet<Token>,
    pub(crate) items: BTreeMap<Token, Item>,
    pub(crate) transcripts: BTreeMap<Token, Transcript>,
    pub(crate) passages: BTreeMap<Token, Token>,
    /// Per participant, in order, with the time of the entry.
    pub(crate) consent: BTreeMap<Token, Vec<(Moment, ConsentFacts)>>,
    pub(crate) holds: BTreeMap<HoldId, Hold>,
    pub(crate) requests: BTreeMap<RequestId, Request>,
    pub(crate) decisions: BTreeMap<RequestId, Vec<Decided>>,
    pub(crate) releases: BTreeMap<ReleaseId, Released>,
}

impl State {
    pub(crate) fn holds_role(&self, person: PersonId, role: Role) -> bool {
        self.people.get(&person).is_some_and(|known| known.holds(role, None))
    }

    pub(crate) fn on_hold(&self, item: Token, site: SiteId) -> bool {
        self.holds.values().any(|hold| hold.sites.contains(&site) || hold.items.contains(&item))
    }

    /// What a voice's consent comes to for an item, at large, and with all of `passages` that this voice has spoken of.
    pub(crate) fn consent_at(&self, voice: Token, item: Token, passages: &[Token], at: Moment) -> Effective {
        let known = self.consent.get(&voice).map(Vec::as_slice).unwrap_or_default();
        let statements = known.iter().map(|(recorded, facts)| {
            let (layer, cover) = match facts.scope {
                Scope::All => (Layer::All, Cover::Yes),
                Scope::Interview(token) => (Layer::Interview(*token.as_bytes()), yes_if(token == item)),
                Scope::Passage(token) => (Layer::Passage(*token.as_bytes()), yes_if(passages.contains(&token))),
            };
            Statement {
                layer,
                cover,
                act: facts.act,
                from: facts.from,
                recorded: *recorded,
                form: facts.form,
                modules: &facts.modules,
                tier: facts.tier,
                embargo: facts.embargo,
                expiry: facts.expiry,
                review_by: None,
                unmapped: facts.unmapped_condition,
                mapped: facts.condition_mapped,
            }
        });
        fold(statements, at)
    }

    /// Whether every board that the site demands is among `approvals`, each of which `holds`. A site that demands none needs one of any board.
    pub(crate) fn boards_hold(
        &self,
        site: SiteId,
        approvals: &[ApprovalId],
        holds: impl Fn(&ApprovalFacts) -> bool,
    ) -> bool {
        let Some((_, boards)) = self.sites.get(&site) else { return false };
        let covering: Vec<&ApprovalFacts> = approvals
            .iter()
            .filter_map(|id| self.approvals.get(id))
            .filter(|approval| approval.sites.as_ref().is_none_or(|sites| sites.contains(&site)))
            .filter(|approval| holds(approval))
            .collect();
        !covering.is_empty() && boards.iter().all(|board| covering.iter().any(|approval| approval.board == *board))
    }
}

fn yes_if(covered: bool) -> Cover {
    if covered { Cover::Yes } else { Cover::No }
}
