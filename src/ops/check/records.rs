//! Governance records against the ledger.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ledger::Told;
use super::{Findings, OTHERS};
use crate::base::{Error, Result, canonical};
use crate::domain::approval::Approval;
use crate::domain::hold::Hold;
use crate::domain::project::Project;
use crate::domain::request::Filed;
use crate::ledger::event::Digest;
use crate::ops::build::Released;
use crate::ops::decide::{self, DecisionRecord};
use crate::ops::policy::{self, PolicyRecord};
use crate::ops::request;
use crate::session::{PersonRecord, SiteRecord, StudyRecord, View, version_id};
use crate::store::catalogue::{RecordKind, RecordRow};

/// A row's place as its body tells it: its id, and what it belongs to.
type Place = ([u8; 16], Option<[u8; 16]>);

pub(super) fn check(view: &View<'_>, told: &Told, found: &mut Findings) {
    found.part("governance records", 0);
    let rows = match view.record_rows() {
        Ok(rows) => rows,
        Err(error) => return found.error("the governance records of catalogue.db", &error),
    };
    if let Some(part) = found.report.parts.last_mut() {
        part.count = rows.len() as u64;
    }
    places(&rows, told, found);
    people(view, told, found);
    study(view, told, found);
    policies(view, told, found);
    match view.records::<Approval>(RecordKind::Approval) {
        Ok(records) => {
            for approval in records {
                if told.approvals.get(&approval.id) != Some(&approval.facts()) {
                    found.fault(
                        named("approval", approval.id.as_bytes()),
                        "it is not as the ledger tells of it",
                        OTHERS,
                    );
                }
            }
        }
        Err(error) => found.error("the approvals", &error),
    }
    match view.records::<Project>(RecordKind::Project) {
        Ok(records) => {
            for project in records {
                let facts = (project.purpose.duo, project.people, project.from, project.until);
                if told.projects.get(&project.id) != Some(&facts) {
                    found.fault(named("project", project.id.as_bytes()), "it is not as the ledger tells of it", OTHERS);
                }
            }
        }
        Err(error) => found.error("the projects", &error),
    }
    match view.records::<Filed>(RecordKind::Request) {
        Ok(records) => {
            for filed in records {
                if told.requests.get(&filed.id) != Some(&(filed.project, filed.requester, filed.digest)) {
                    found.fault(named("request", filed.id.as_bytes()), "it is not as the ledger tells of it", OTHERS);
                }
            }
        }
        Err(error) => found.error("the requests", &error),
    }
    match view.records::<Hold>(RecordKind::Hold) {
        Ok(records) => {
            for hold in records {
                if told.holds.get(&hold.id) != Some(&(hold.sites, hold.interviews.len())) {
                    found.fault(named("hold", hold.id.as_bytes()), "it is not as the ledger tells of it", OTHERS);
                }
            }
        }
        Err(error) => found.error("the holds", &error),
    }
    releases(view, told, found);
    decisions(view, told, found);
}

/// Every record that the ledger tells of is there, under its own id, as of the entry that last changed it; and no other.
fn places(rows: &[RecordRow], told: &Told, found: &mut Findings) {
    let mut here = BTreeSet::new();
    for row in rows {
        let hurt = named(&row.kind, &row.id);
        let known = told.records.iter().find(|((kind, id), _)| *kind == row.kind && *id == row.id);
        match known {
            None => found.fault(&hurt, "the ledger does not know it", OTHERS),
            Some((place, seq)) => {
                here.insert(*place);
                if i64::try_from(*seq) != Ok(row.seq) {
                    found.fault(&hurt, "the ledger tells otherwise of when it was changed last", OTHERS);
                }
            }
        }
        match place(row) {
            Ok(place) if place == (row.id, row.parent) => {}
            Ok(_) => found.fault(&hurt, "it stands in the place of another record", OTHERS),
            Err(error) => found.error(&hurt, &error),
        }
    }
    for (kind, id) in told.records.keys().filter(|place| !here.contains(*place)) {
        found.fault(named(kind, id), "the ledger tells of it, the catalogue has lost it", OTHERS);
    }
}

fn place(row: &RecordRow) -> Result<Place> {
    fn read<T: DeserializeOwned + Serialize>(row: &RecordRow) -> Result<T> {
        canonical::from_slice(row.body.as_bytes())
    }
    Ok(match row.kind.as_str() {
        "person" => (*read::<PersonRecord>(row)?.card.person_id().as_bytes(), None),
        "study" => (version_id(read::<StudyRecord>(row)?.version), None),
        "site" => (*read::<SiteRecord>(row)?.id.as_bytes(), None),
        "approval" => (*read::<Approval>(row)?.id.as_bytes(), None),
        "project" => (*read::<Project>(row)?.id.as_bytes(), None),
        "request" => {
            let filed = read::<Filed>(row)?;
            (*filed.id.as_bytes(), Some(request::by_number(filed.number)))
        }
        "decision" => {
            let facts = read::<DecisionRecord>(row)?.facts;
            (decide::record_id(&facts), Some(*facts.request.as_bytes()))
        }
        "release" => {
            let released = read::<Released>(row)?;
            (*released.id.as_bytes(), Some(*released.request.as_bytes()))
        }
        "hold" => (*read::<Hold>(row)?.id.as_bytes(), None),
        "policy" => (version_id(read::<PolicyRecord>(row)?.version), None),
        _ => return Err(Error::damage("it is of an unknown kind", OTHERS)),
    })
}

fn people(view: &View<'_>, told: &Told, found: &mut Findings) {
    let records = match view.records::<PersonRecord>(RecordKind::Person) {
        Ok(records) => records,
        Err(error) => return found.error("the people", &error),
    };
    for record in &records {
        let known = told.people.get(&record.card.person_id());
        if known.is_none_or(|(sign, roles)| sign != record.card.sign() || *roles != record.roles)
            || record.removed.is_some() != record.roles.is_empty()
        {
            found.fault(
                format!("person {}", record.card.name()),
                "their card or roles are not those that the ledger tells of",
                "The keyring decides what they can open, and is signed.",
            );
        }
    }
}

fn study(view: &View<'_>, told: &Told, found: &mut Findings) {
    let mut records = match view.records::<StudyRecord>(RecordKind::Study) {
        Ok(records) => records,
        Err(error) => return found.error("the study definition", &error),
    };
    records.sort_by_key(|r| r.version);
    for record in &records {
        let text = record.text.as_bytes();
        let signed =
            told.people.get(&record.steward).is_some_and(|(key, _)| key.verifies("subrosa/study/1", text, &record.sig));
        if !signed || Digest::of(text) != record.digest {
            found.fault(
                format!("study definition {}", record.version),
                "its text is not what a steward signed",
                OTHERS,
            );
        }
    }
    let newest = records.last().map(|r| (i64::from(r.version), r.digest));
    if newest != told.study {
        found.fault("the study definition", "the newest is not the one that the ledger tells of", OTHERS);
    }
}

/// Every release as the ledger tells of it, with the number of a receipt if there is one.
fn releases(view: &View<'_>, told: &Told, found: &mut Findings) {
    let records = match view.records::<Released>(RecordKind::Release) {
        Ok(records) => records,
        Err(error) => return found.error("the releases", &error),
    };
    for record in records {
        let hurt = named("release", record.id.as_bytes());
        let facts = (record.request, record.recipient, record.until, record.manifest);
        if told.releases.get(&record.id) != Some(&facts) {
            found.fault(&hurt, "it is not as the ledger tells of it", OTHERS);
        }
        let receipts = told.receipts.get(&record.id);
        let agrees = match record.receipt {
            Some(seq) => receipts.is_some_and(|seqs| seqs.contains(&seq)),
            None => receipts.is_none(),
        };
        if !agrees {
            found.fault(&hurt, "its receipt is not the one that the ledger tells of", OTHERS);
        }
    }
}

/// The first policies are those of the founding; every later version has a record.
fn policies(view: &View<'_>, told: &Told, found: &mut Findings) {
    let records = match policy::versions(view) {
        Ok(records) => records,
        Err(error) => return found.error("the policies", &error),
    };
    let changes = told.policies.get(1..).unwrap_or_default();
    if !records.iter().map(|record| &record.digest).eq(changes) {
        found.fault("the policies", "they are not those that the ledger tells of", OTHERS);
    }
    if let Err(error) = policy::in_force(view) {
        found.error("the policies", &error);
    }
}

/// Every decision of the ledger stands in the catalogue, word for word. Its signature was verified with the releases.
fn decisions(view: &View<'_>, told: &Told, found: &mut Findings) {
    let records = match view.records::<DecisionRecord>(RecordKind::Decision) {
        Ok(records) => records,
        Err(error) => return found.error("the decisions", &error),
    };
    for (decision, list) in told.decisions.values() {
        if !records.iter().any(|record| record.facts == *decision && record.list == *list) {
            found.fault(
                named("decision on request", decision.request.as_bytes()),
                "the catalogue does not have it as the ledger tells it",
                OTHERS,
            );
        }
    }
}

fn named(kind: &str, id: &[u8; 16]) -> String {
    format!("{kind} {}", data_encoding::HEXLOWER.encode(&id[..4]))
}
