//! Governance records against the ledger.

use serde_json::Value;

use super::ledger::Told;
use super::{Findings, OTHERS};
use crate::domain::approval::Approval;
use crate::ledger::event::Digest;
use crate::ops::build::Released;
use crate::ops::decide::DecisionRecord;
use crate::ops::policy;
use crate::session::{PersonRecord, SiteRecord, StudyRecord, View};
use crate::store::catalogue::RecordKind;

/// The kinds of record whose form is not looked into here, with the word for one.
const WHOLE: [(RecordKind, &str); 2] = [(RecordKind::Request, "request"), (RecordKind::Hold, "hold")];

pub(super) fn check(view: &View<'_>, told: &Told, found: &mut Findings) {
    found.part("governance records", 0);
    let mut count = 0;
    people(view, told, found, &mut count);
    study(view, told, found, &mut count);
    policies(view, told, found, &mut count);
    match view.records::<SiteRecord>(RecordKind::Site) {
        Ok(records) => {
            count += records.len();
            if records.iter().filter(|r| told.sites.contains(&r.id)).count() != told.sites.len()
                || records.len() != told.sites.len()
            {
                found.fault("the sites", "they are not those that the ledger tells of", OTHERS);
            }
        }
        Err(error) => found.error("the sites", &error),
    }
    match view.records::<Approval>(RecordKind::Approval) {
        Ok(records) => {
            count += records.len();
            let agree = records.iter().filter(|a| told.approvals.get(&a.id) == Some(&a.facts())).count();
            if agree != records.len() || agree != told.approvals.len() {
                found.fault("the approvals", "they are not those that the ledger tells of", OTHERS);
            }
        }
        Err(error) => found.error("the approvals", &error),
    }
    match view.records::<crate::domain::project::Project>(RecordKind::Project) {
        Ok(records) => {
            count += records.len();
            let agree = records.iter().filter(|p| told.projects.contains(&p.id)).count();
            if agree != records.len() || agree != told.projects.len() {
                found.fault("the projects", "they are not those that the ledger tells of", OTHERS);
            }
        }
        Err(error) => found.error("the projects", &error),
    }
    for (kind, word) in WHOLE {
        let ids: Vec<[u8; 16]> = match kind {
            RecordKind::Request => told.requests.iter().map(|id| *id.as_bytes()).collect(),
            _ => told.holds.iter().map(|id| *id.as_bytes()).collect(),
        };
        for id in ids {
            count += 1;
            match view.record::<Value>(kind, &id) {
                Ok(Some(_)) => {}
                Ok(None) => found.fault(
                    format!("{word} {}", shown(&id)),
                    "the ledger tells of it, the catalogue has lost it",
                    OTHERS,
                ),
                Err(error) => found.error(format!("{word} {}", shown(&id)), &error),
            }
        }
    }
    releases(view, told, found, &mut count);
    decisions(view, told, found, &mut count);
    if let Some(part) = found.report.parts.last_mut() {
        part.count = count as u64;
    }
}

fn people(view: &View<'_>, told: &Told, found: &mut Findings, count: &mut usize) {
    let records = match view.records::<PersonRecord>(RecordKind::Person) {
        Ok(records) => records,
        Err(error) => return found.error("the people", &error),
    };
    *count += records.len();
    for record in &records {
        let known = told.people.get(&record.card.person_id());
        if known.is_none_or(|(sign, roles)| sign != record.card.sign() || *roles != record.roles) {
            found.fault(
                format!("person {}", record.card.name()),
                "their card or roles are not those that the ledger tells of",
                "The keyring decides what they can open, and is signed.",
            );
        }
    }
    if records.len() != told.people.len() {
        found.fault("the people", "the ledger tells of others than the catalogue", OTHERS);
    }
}

fn study(view: &View<'_>, told: &Told, found: &mut Findings, count: &mut usize) {
    let mut records = match view.records::<StudyRecord>(RecordKind::Study) {
        Ok(records) => records,
        Err(error) => return found.error("the study definition", &error),
    };
    *count += records.len();
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

/// Every release of the ledger stands in the catalogue, with the number of a receipt if there is one.
fn releases(view: &View<'_>, told: &Told, found: &mut Findings, count: &mut usize) {
    for id in &told.releases {
        *count += 1;
        let place = format!("release {}", shown(id.as_bytes()));
        match view.record::<Released>(RecordKind::Release, id.as_bytes()) {
            Ok(Some(record)) => {
                let receipts = told.receipts.get(id);
                let agrees = match record.receipt {
                    Some(seq) => receipts.is_some_and(|seqs| seqs.contains(&seq)),
                    None => receipts.is_none(),
                };
                if !agrees {
                    found.fault(place, "its receipt is not the one that the ledger tells of", OTHERS);
                }
            }
            Ok(None) => found.fault(place, "the ledger tells of it, the catalogue has lost it", OTHERS),
            Err(error) => found.error(place, &error),
        }
    }
}

/// The first policies are those of the founding; every later version has a record.
fn policies(view: &View<'_>, told: &Told, found: &mut Findings, count: &mut usize) {
    let records = match policy::versions(view) {
        Ok(records) => records,
        Err(error) => return found.error("the policies", &error),
    };
    *count += records.len();
    let changes = told.policies.get(1..).unwrap_or_default();
    if !records.iter().map(|record| &record.digest).eq(changes) {
        found.fault("the policies", "they are not those that the ledger tells of", OTHERS);
    }
    if let Err(error) = policy::in_force(view) {
        found.error("the policies", &error);
    }
}

/// Every decision of the ledger stands in the catalogue, word for word. Its signature was verified with the releases.
fn decisions(view: &View<'_>, told: &Told, found: &mut Findings, count: &mut usize) {
    let records = match view.records::<DecisionRecord>(RecordKind::Decision) {
        Ok(records) => records,
        Err(error) => return found.error("the decisions", &error),
    };
    *count += records.len();
    for (decision, list) in told.decisions.values() {
        if !records.iter().any(|record| record.facts == *decision && record.list == *list) {
            let request = shown(decision.request.as_bytes());
            found.fault(
                format!("decision on request {request}"),
                "the catalogue does not have it as the ledger tells it",
                OTHERS,
            );
        }
    }
}

fn shown(id: &[u8; 16]) -> String {
    data_encoding::HEXLOWER.encode(&id[..4])
}
