//! The ledger, and what it tells that the catalogue must agree with.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, stored};
use crate::base::Result;
use crate::base::id::{ApprovalId, HoldId, PersonId, ProjectId, ReleaseId, RequestId, SiteId, Token};
use crate::base::progress::Progress;
use crate::base::role::{Role, RoleGrant};
use crate::base::time::{Date, Moment};
use crate::crypto::sign::PublicKey;
use crate::domain::replay::{self, Replay};
use crate::ledger::entry::Entry;
use crate::ledger::event::{ApprovalFacts, ConsentFacts, DecisionFacts, Digest, Event, ItemList};
use crate::ledger::fault::Report;
use crate::ledger::verify::{Options, Signatures, verify_chain};
use crate::ops::decide;
use crate::session::{Unlocked, Vault, version_id};
use crate::store::catalogue::RecordKind;
use crate::store::db::Kind;

/// What the ledger tells.
#[derive(Default)]
pub(super) struct Told {
    /// Keys and roles as of now, as stewards set them.
    pub(super) people: BTreeMap<PersonId, (PublicKey, Vec<RoleGrant>)>,
    /// Version and digest of the newest keyring.
    pub(super) keyring: Option<(i64, Digest)>,
    /// Version and digest of the newest study.
    pub(super) study: Option<(i64, Digest)>,
    /// Digests of the policies, one for each time that they came into force.
    pub(super) policies: Vec<Digest>,
    pub(super) sites: BTreeSet<SiteId>,
    pub(super) approvals: BTreeMap<ApprovalId, ApprovalFacts>,
    /// Purpose, people and period of every project.
    pub(super) projects: BTreeMap<ProjectId, (String, Vec<PersonId>, Date, Date)>,
    /// Project, requester and digest of every request.
    pub(super) requests: BTreeMap<RequestId, (ProjectId, PersonId, Digest)>,
    /// Request, recipient, last day and manifest of every release.
    pub(super) releases: BTreeMap<ReleaseId, (RequestId, PersonId, Date, Digest)>,
    /// The numbers of the entries with receipts.
    pub(super) receipts: BTreeMap<ReleaseId, BTreeSet<u64>>,
    pub(super) holds: BTreeMap<HoldId, (Vec<SiteId>, usize)>,
    /// The newest decision of each steward on each request, and the items that it names.
    pub(super) decisions: BTreeMap<(RequestId, PersonId), (DecisionFacts, Option<ItemList>)>,
    pub(super) participants: BTreeSet<Token>,
    /// Site and voices of every interview.
    pub(super) items: BTreeMap<Token, (SiteId, BTreeSet<Token>)>,
    /// Interview and digest of every object.
    pub(super) objects: BTreeMap<Token, (Token, Digest)>,
    /// Interview and version of every transcript.
    pub(super) transcripts: BTreeMap<Token, (Token, i64)>,
    /// Transcripts that were reviewed at some time.
    pub(super) reviewed: BTreeSet<Token>,
    pub(super) consent: BTreeMap<Token, Vec<ConsentFacts>>,
    /// Every governance record that must be there, by kind and id, with the entry that last changed it.
    pub(super) records: BTreeMap<(&'static str, [u8; 16]), u64>,
    /// The times of the entries that accept a clock.
    pub(super) clocks: BTreeSet<Moment>,
    /// How many versions of policies there were, the founding's among them.
    policy_versions: u32,
    /// Something was destroyed on purpose.
    pub(super) destroyed: bool,
}

/// Checks the ledger's database, structure and releases; gives what it tells.
pub(super) fn check(vault: &Vault<Unlocked>, found: &mut Findings, progress: &dyn Progress) -> Told {
    let log = vault.log();
    found.part("ledger database", 1);
    match vault.is_sound(Kind::Ledger) {
        Ok(true) => {}
        Ok(false) => found.fault(
            "ledger.db",
            "some of its pages are damaged",
            "Restore it from a backup; the catalogue is another file.",
        ),
        Err(error) => found.error("ledger.db", &error),
    }
    let size = log.db().size().unwrap_or(0);
    found.part("ledger entries", size);
    let report = structure(vault, size, found, progress).inspect_err(|error| found.error("the ledger", error)).ok();
    let mut told = Told::default();
    let mut replay = Replay::new();
    progress.begin("Reading the ledger", size);
    for leaf in log.leaves(0) {
        progress.advance(1);
        match leaf {
            // What cannot be read was named when the chain was verified.
            Ok(leaf) => {
                let Ok(entry) = Entry::parse(&leaf) else { continue };
                let by_steward = told.by_steward(&entry);
                let counts =
                    |event: &&Event| by_steward || !matches!(event, Event::Person { .. } | Event::Keyring { .. });
                let Entry { draft, actor, .. } = &entry;
                draft.events.iter().filter(counts).for_each(|event| told.take(draft.seq, draft.time, event));
                replay.apply(&replay::Entry { seq: draft.seq, time: draft.time, actor: *actor, events: &draft.events });
            }
            Err(error) => {
                found.error("the ledger", &error);
                break;
            }
        }
    }
    progress.end();
    if let (Some(report), Ok(key)) = (report, vault.log_key()) {
        stored::check(log, vault.layout().vault(), &key, report.root, told.keyring.map(|(_, digest)| digest), found);
    }
    found.part("releases, decided again", replay.releases());
    for finding in replay.into_findings() {
        found.fault(format!("entry {}", finding.seq), finding.words, "See `subrosa audit verify`.");
    }
    told
}

fn structure(vault: &Vault<Unlocked>, size: u64, found: &mut Findings, progress: &dyn Progress) -> Result<Report> {
    let log = vault.log();
    let own = log.db().checkpoint()?.map(|(_, note)| note);
    let seen = vault.seen();
    let earlier: Vec<&[u8]> = Some(seen.checkpoint.as_bytes()).filter(|note| !note.is_empty()).into_iter().collect();
    let options = Options {
        vault: Some(vault.layout().vault()),
        genesis: Digest::from_base64(&seen.genesis),
        log_key: Some(vault.log_key()?),
        signatures: Signatures::None,
        checkpoint: own.as_deref().map(str::as_bytes),
        earlier: &earlier,
        progress,
    };
    progress.begin("Checking the ledger", size);
    let report = verify_chain(log.leaves(0), &options)?;
    progress.end();
    for fault in &report.faults {
        found.fault("the ledger", fault.to_string(), "See `subrosa audit verify`; the catalogue is another file.");
    }
    Ok(report)
}

impl Told {
    /// Whether a steward wrote the entry; the first entry makes the first one.
    fn by_steward(&self, entry: &Entry) -> bool {
        let roles = self.people.get(&entry.actor).map(|(_, roles)| roles.as_slice()).unwrap_or_default();
        entry.draft.seq == 0 || roles.iter().any(|grant| grant.role == Role::Steward)
    }

    fn take(&mut self, seq: u64, time: Moment, event: &Event) {
        if let Some(record) = self.record_of(event) {
            let known = self.records.entry(record).or_insert(seq);
            // An amendment tells of every site once more; the record of a site is written once.
            if !matches!(event, Event::Site { .. }) {
                *known = seq;
            }
        }
        match event {
            Event::Person { person, sign, roles, .. } => {
                self.people.insert(*person, (*sign, roles.clone()));
            }
            Event::ClockAccepted { .. } => drop(self.clocks.insert(time)),
            Event::Keyring { version, digest } => self.keyring = Some((*version, *digest)),
            Event::Study { version, digest, .. } => self.study = Some((*version, *digest)),
            Event::Site { site, .. } => {
                self.sites.insert(*site);
            }
            Event::Policy { digest, .. } => {
                self.policies.push(*digest);
                self.policy_versions += 1;
            }
            Event::Approval(facts) => {
                self.approvals.insert(facts.approval, facts.clone());
            }
            Event::Project { project, purpose, people, from, until } => {
                self.projects.insert(*project, (purpose.clone(), people.clone(), *from, *until));
            }
            Event::Participant { participant } => {
                self.participants.insert(*participant);
            }
            Event::Item { item, site, voices } => {
                self.items.insert(*item, (*site, voices.iter().copied().collect()));
            }
            Event::Object { object, item, digest, .. } => {
                self.objects.insert(*object, (*item, *digest));
            }
            Event::Transcript { transcript, item, version, .. } => {
                self.transcripts.insert(*transcript, (*item, *version));
            }
            Event::Review { transcript, .. } => {
                self.reviewed.insert(*transcript);
            }
            Event::Consent(facts) => self.consent.entry(facts.participant).or_default().push(facts.clone()),
            Event::HoldSet { hold, sites, items } => {
                self.holds.insert(*hold, (sites.clone(), items.len()));
            }
            Event::Request { request, project, requester, digest } => {
                self.requests.insert(*request, (*project, *requester, *digest));
            }
            Event::Decision { decision, items, salt, .. } => {
                let list = items.clone().zip(salt.clone()).map(|(items, salt)| ItemList { items, salt });
                self.decisions.insert((decision.request, decision.steward), (decision.clone(), list));
            }
            Event::Receipt { release, .. } => {
                self.receipts.entry(*release).or_default().insert(seq);
            }
            Event::Release { release, request, recipient, until, manifest, .. } => {
                self.releases.insert(*release, (*request, *recipient, *until, *manifest));
            }
            Event::Intent { act, .. } => self.destroyed |= act.contains("destroy"),
            _ => {}
        }
    }

    /// The governance record that an event makes or changes.
    fn record_of(&self, event: &Event) -> Option<(&'static str, [u8; 16])> {
        let (kind, id) = match event {
            Event::Person { person, .. } => (RecordKind::Person, *person.as_bytes()),
            Event::Study { version, .. } => (RecordKind::Study, version_id(u32::try_from(*version).ok()?)),
            Event::Site { site, .. } => (RecordKind::Site, *site.as_bytes()),
            // The first policies are the program's own.
            Event::Policy { .. } if self.policy_versions == 0 => return None,
            Event::Policy { .. } => (RecordKind::Policy, version_id(self.policy_versions)),
            Event::Approval(facts) => (RecordKind::Approval, *facts.approval.as_bytes()),
            Event::Project { project, .. } => (RecordKind::Project, *project.as_bytes()),
            Event::Request { request, .. } => (RecordKind::Request, *request.as_bytes()),
            Event::Decision { decision, .. } => (RecordKind::Decision, decide::record_id(decision)),
            Event::Release { release, .. } | Event::Receipt { release, .. } => {
                (RecordKind::Release, *release.as_bytes())
            }
            Event::HoldSet { hold, .. } | Event::HoldLift { hold, .. } => (RecordKind::Hold, *hold.as_bytes()),
            _ => return None,
        };
        Some((kind.name(), id))
    }
}
