//! The replay: every release decided again from the events before it, by somebody who never sees content (DESIGN, section 6).
//!
//! Attested and not seen here: which approvals cover the date of an interview, and where a passage begins and ends. Signatures of entries, the chain and the tree are
//! the ledger's to verify; this module verifies those of decisions.

use std::collections::BTreeSet;

use super::decide::{decision_verifies, list_holds};
use super::policy::Policies;
use super::replay_judge::Judge;
use super::replay_state::{Decided, Hold, Item, Known, Project, Released, Request, State, Transcript};
use crate::base::id::{PersonId, ReleaseId, SiteId, Token};
use crate::base::time::Moment;
use crate::crypto::sign::PublicKey;
use crate::ledger::event::{ConsentAct, ConsentFacts, DecisionFacts, Digest, Event, ItemList, Role, RoleGrant, Scope};

/// The most findings that are kept; a ledger with more is beyond telling.
const MAX_FINDINGS: usize = 10_000;

/// What the replay needs of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its number.
    pub seq: u64,
    /// Its time.
    pub time: Moment,
    /// Who signed it.
    pub actor: PersonId,
    /// Its events.
    pub events: &'a [Event],
}

/// Something that should not have been.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The number of the entry.
    pub seq: u64,
    /// What is wrong with it, in words.
    pub words: String,
}

/// Reads entries in their order and keeps what should not have been.
#[derive(Default)]
pub struct Replay {
    state: State,
    findings: Vec<Finding>,
    releases: u64,
}

/// Replays a whole ledger.
pub fn replay<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Vec<Finding> {
    let mut replay = Replay::new();
    for entry in entries {
        replay.apply(&entry);
    }
    replay.into_findings()
}

impl Replay {
    /// Before the first entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next entry.
    pub fn apply(&mut self, entry: &Entry<'_>) {
        if self.state.last.is_some_and(|last| entry.time < last) {
            self.find(entry, "its time is before that of the entry before it");
        }
        self.state.last = self.state.last.max(Some(entry.time));
        let genesis = entry.seq == 0 && matches!(entry.events.first(), Some(Event::Genesis { .. }));
        if !genesis && ![Role::Archivist, Role::Steward].iter().any(|role| self.state.holds_role(entry.actor, *role)) {
            self.find(entry, "an entry was written by somebody who is neither archivist nor steward");
        }
        for event in entry.events {
            if let Some(what) = archivists_alone(event) {
                self.only(entry, &[Role::Archivist], what);
            }
            self.event(entry, event, genesis);
        }
    }

    /// What should not have been, in the order of the entries.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// As [`Self::findings`], at the end.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// How many releases were decided again so far.
    pub fn releases(&self) -> u64 {
        self.releases
    }

    fn find(&mut self, entry: &Entry<'_>, words: impl Into<String>) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding { seq: entry.seq, words: words.into() });
        }
    }

    /// Notes it if the actor holds none of `roles`.
    fn only(&mut self, entry: &Entry<'_>, roles: &[Role], what: &str) -> bool {
        let may = roles.iter().any(|role| self.state.holds_role(entry.actor, *role));
        if !may {
            self.find(entry, format!("{what} by somebody who may not do that"));
        }
        may
    }

    fn event(&mut self, entry: &Entry<'_>, event: &Event, genesis: bool) {
        match event {
            Event::Genesis { steward, steward_id, .. } => self.genesis(entry, *steward, *steward_id),
            Event::Person { person, sign, country, roles } => {
                if !genesis {
                    self.only(entry, &[Role::Steward], "a person's roles were changed");
                }
                let known = Known { sign: *sign, country: country.clone(), roles: roles.clone() };
                self.state.people.insert(*person, known);
            }
            Event::Study { text, .. } => {
                self.only(entry, &[Role::Steward], "the study was changed");
                self.state.stewards_needed = stewards_needed(text);
            }
            Event::Site { site, country, boards } => {
                self.only(entry, &[Role::Steward], "a site was changed");
                self.state.sites.insert(*site, (country.clone(), boards.clone()));
            }
            Event::Policy { digest, text } => self.policy(entry, digest, text),
            Event::Approval(facts) => {
                self.only(entry, &[Role::Steward], "an approval was recorded");
                self.state.approvals.insert(facts.approval, facts.clone());
            }
            Event::Project { project, purpose, people, from, until } => {
                self.only(entry, &[Role::Steward], "a project was changed");
                let facts = Project { purpose: purpose.clone(), people: people.clone(), from: *from, until: *until };
                self.state.projects.insert(*project, facts);
            }
            Event::Participant { participant } => {
                self.state.participants.insert(*participant);
            }
            Event::Item { item, site, voices } => {
                self.state.items.insert(*item, Item { site: *site, voices: voices.clone() });
            }
            Event::Transcript { transcript, item, .. } => {
                self.state.transcripts.insert(*transcript, Transcript { item: *item, reviewed: None });
            }
            Event::Passage { passage, item } => {
                self.state.passages.insert(*passage, *item);
            }
            Event::Consent(facts) => self.consent(entry, facts),
            Event::HoldSet { hold, sites, items } => {
                let hold_facts = Hold { sites: sites.clone(), items: items.clone(), lifting: BTreeSet::new() };
                self.only(entry, &[Role::Steward], "a hold was set");
                self.state.holds.insert(*hold, hold_facts);
            }
            Event::HoldLift { hold, lifted } => self.hold_lift(entry, *hold, *lifted),
            Event::Review { transcript, .. } => self.review(entry, *transcript),
            Event::Marks { transcript, changed, removed, .. } => {
                if (*changed > 0 || *removed > 0)
                    && let Some(known) = self.state.transcripts.get_mut(transcript)
                {
                    known.reviewed = None;
                }
            }
            Event::Request { request, project, requester, .. } => {
                if !self.state.people.contains_key(requester) {
                    self.find(entry, "a request of somebody who was never enrolled was taken in");
                }
                self.state.requests.insert(*request, Request { project: *project, requester: *requester });
            }
            Event::Decision { decision, sig, items, salt } => {
                let list = self.list(entry, decision, items.as_deref(), salt.as_deref());
                self.decision(entry, decision, list, |key| decision_verifies(decision, sig, key));
            }
            Event::Release { release, request, recipient, until, manifest, items, .. } => {
                let facts = Released {
                    request: *request,
                    recipient: *recipient,
                    until: *until,
                    manifest: *manifest,
                    items: items.clone(),
                };
                if self.state.releases.contains_key(release) {
                    self.find(entry, "a release has the id of an earlier one");
                }
                self.state.releases.insert(*release, facts);
                self.release(entry, *release);
            }
            Event::Receipt { release, recipient, until, manifest } => {
                self.only(entry, &[Role::Archivist], "a receipt was written");
                match self.state.releases.get(release) {
                    None => self.find(entry, "a receipt was written for a release that never was"),
                    Some(known) => {
                        if (known.recipient, known.until, known.manifest) != (*recipient, *until, *manifest) {
                            self.find(entry, "a receipt says something else than its release");
                        }
                    }
                }
            }
            Event::ReleaseAgain { release, .. } => {
                if self.state.releases.contains_key(release) {
                    self.release(entry, *release);
                } else {
                    self.find(entry, "a release was built again that never was");
                }
            }
            _ => {}
        }
    }

    fn genesis(&mut self, entry: &Entry<'_>, sign: PublicKey, steward: PersonId) {
        if entry.seq != 0 || !self.state.people.is_empty() {
            self.find(entry, "the vault begins a second time");
            return;
        }
        let roles = vec![RoleGrant { role: Role::Steward, sites: None }];
        self.state.people.insert(steward, Known { sign, country: String::new(), roles });
        if entry.actor != steward {
            self.find(entry, "the first entry is not by the first steward");
        }
    }

    fn policy(&mut self, entry: &Entry<'_>, digest: &Digest, text: &str) {
        self.only(entry, &[Role::Steward], "the policies were changed");
        self.state.policies = None;
        match Policies::recorded(text) {
            Ok(policies) if policies.digest() == *digest => self.state.policies = Some(policies),
            Ok(_) => self.find(entry, "the policies have another digest than is said"),
            Err(error) => self.find(entry, error.what()),
        }
    }

    fn consent(&mut self, entry: &Entry<'_>, facts: &ConsentFacts) {
        let may = self.only(entry, &[Role::Archivist, Role::Steward], "consent was changed");
        if !self.state.participants.contains(&facts.participant) {
            self.find(entry, "consent of a participant who is not known was changed");
        }
        match facts.scope {
            Scope::Interview(item) if !self.state.items.contains_key(&item) => {
                self.find(entry, "consent was changed for an item that is not known");
            }
            Scope::Passage(passage) if !self.state.passages.contains_key(&passage) => {
                self.find(entry, "consent was changed for a passage that is not known");
            }
            _ => {}
        }
        let mut facts = facts.clone();
        if facts.condition_mapped && !self.state.holds_role(entry.actor, Role::Steward) {
            self.find(entry, "a condition was mapped by somebody who is not a steward");
            facts.condition_mapped = false;
        }
        // What was not theirs to say does not count, unless it takes back.
        if may || facts.act == ConsentAct::Withdrawn {
            self.state.consent.entry(facts.participant).or_default().push((entry.time, facts));
        }
    }

    fn hold_lift(&mut self, entry: &Entry<'_>, hold: crate::base::id::HoldId, said: bool) {
        let may = self.only(entry, &[Role::Steward], "a hold was lifted");
        let Some(known) = self.state.holds.get_mut(&hold) else {
            return self.find(entry, "a hold was lifted that was never set");
        };
        if may {
            known.lifting.insert(entry.actor);
        }
        let lifted = known.lifting.len() >= 2;
        if lifted {
            self.state.holds.remove(&hold);
        } else if said {
            self.find(entry, "a hold was called lifted before two stewards had agreed");
        }
    }

    fn review(&mut self, entry: &Entry<'_>, transcript: Token) {
        let may = self.only(entry, &[Role::Archivist], "a review was recorded");
        match self.state.transcripts.get_mut(&transcript) {
            Some(known) => known.reviewed = Some(entry.actor).filter(|_| may).or(known.reviewed),
            None => self.find(entry, "a transcript version that is not known was reviewed"),
        }
    }

    /// The items that a decision names; none, and a finding, if they are not those that were signed.
    fn list(
        &mut self,
        entry: &Entry<'_>,
        facts: &DecisionFacts,
        items: Option<&[Token]>,
        salt: Option<&str>,
    ) -> Option<ItemList> {
        let list = items.map(|items| ItemList { items: items.to_vec(), salt: salt.unwrap_or_default().to_owned() });
        if list_holds(facts, list.as_ref()) && items.is_some() == salt.is_some() {
            return list;
        }
        self.find(entry, "the items of a decision are not those that were signed");
        None
    }

    fn decision(
        &mut self,
        entry: &Entry<'_>,
        facts: &DecisionFacts,
        list: Option<ItemList>,
        verifies: impl Fn(&PublicKey) -> bool,
    ) {
        let decider = self.state.people.get(&facts.steward);
        let signed = decider.is_some_and(|known| verifies(&known.sign));
        let everywhere = decider
            .is_some_and(|known| known.roles.iter().any(|grant| grant.role == Role::Steward && grant.sites.is_none()));
        let sites: Vec<SiteId> = decider
            .map(|known| known.roles.iter().filter(|grant| grant.role == Role::Steward).filter_map(|g| g.sites.clone()))
            .map(|sites| sites.flatten().collect())
            .unwrap_or_default();
        let steward_at = if everywhere { None } else { Some(sites) };
        let requested = self
            .state
            .requests
            .get(&facts.request)
            .is_some_and(|request| request.project == facts.project && request.requester == facts.requester);
        if !signed {
            self.find(entry, "the signature on a decision does not hold");
        }
        if steward_at.as_ref().is_some_and(Vec::is_empty) {
            self.find(entry, "somebody who is not a steward decided");
        }
        if !requested {
            self.find(entry, "a decision was taken on a request that was never recorded, or was another");
        }
        if facts.steward == facts.requester || facts.steward == facts.recipient {
            self.find(entry, "somebody decided on their own request");
        }
        if facts.time > entry.time {
            self.find(entry, "a decision is dated after it was recorded");
        }
        let decisions = self.state.decisions.entry(facts.request).or_default();
        // A steward's later decision takes the place of the earlier one.
        decisions.retain(|decided| decided.facts.steward != facts.steward);
        decisions.push(Decided { facts: facts.clone(), list, signed, steward_at, requested });
    }

    fn release(&mut self, entry: &Entry<'_>, id: ReleaseId) {
        self.releases += 1;
        let words = match self.state.releases.get(&id) {
            Some(released) => Judge { state: &self.state, now: entry.time, actor: entry.actor, released }.words(),
            None => BTreeSet::new(),
        };
        for words in words {
            self.find(entry, words);
        }
    }
}

/// What only archivists do, in words. Reviews and releases are judged with their own.
fn archivists_alone(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::Participant { .. } => "a participant was taken in",
        Event::Item { .. } => "an interview was taken in",
        Event::Object { .. } => "a file was taken in",
        Event::Transcript { .. } => "a transcript version was taken in",
        Event::Passage { .. } => "a passage was named",
        Event::Marks { .. } => "marks were changed",
        Event::Checks { .. } => "turns were checked",
        _ => return None,
    })
}

/// The number of stewards who must sign, as the study says; one if it does not say.
fn stewards_needed(study: &str) -> usize {
    let table: Option<toml::Table> = study.parse().ok();
    let thresholds = table.as_ref().and_then(|table| table.get("thresholds"));
    let needed = thresholds.and_then(|t| t.get("stewards")).and_then(toml::Value::as_integer);
    needed.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).max(1)
}
