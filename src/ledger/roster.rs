//! Who may sign at which point of the ledger, from its Genesis and Person events alone.

use std::collections::HashMap;

use crate::base::id::PersonId;
use crate::crypto::sign::PublicKey;

use super::entry::Entry;
use super::event::{Event, Role};
use super::fault::FaultKind;

/// The people enrolled so far. A person's id is derived from their keys, so that it stands for one signing key for ever.
#[derive(Default)]
pub(super) struct Roster {
    people: HashMap<PersonId, Member>,
    owners: HashMap<[u8; 32], PersonId>,
}

#[derive(Clone, Copy)]
struct Member {
    key: PublicKey,
    active: bool,
    steward: bool,
}

impl Roster {
    /// Enrols the first steward.
    pub(super) fn found(&mut self, person: PersonId, key: PublicKey) {
        self.people.insert(person, Member { key, active: true, steward: true });
        self.owners.insert(*key.as_bytes(), person);
    }

    /// What is wrong with the signer of `entry`, if anything.
    pub(super) fn judge(&self, entry: &Entry) -> Option<FaultKind> {
        match self.people.get(&entry.actor) {
            None => Some(FaultKind::Stranger),
            Some(member) if member.key != entry.key => Some(FaultKind::OtherKey),
            Some(member) if !member.active => Some(FaultKind::Removed),
            Some(_) => None,
        }
    }

    /// Takes up what `entry` says of people; gives what is wrong with it. Its signer must have been judged good.
    pub(super) fn apply(&mut self, entry: &Entry) -> Vec<FaultKind> {
        let mut faults = Vec::new();
        let by_steward = self.people.get(&entry.actor).is_some_and(|m| m.steward);
        for event in &entry.events {
            let Event::Person { person, sign, roles, .. } = event else { continue };
            if !by_steward {
                faults.push(FaultKind::NoSteward);
                continue;
            }
            let other_owner = self.owners.get(sign.as_bytes()).is_some_and(|owner| owner != person);
            if other_owner || self.people.get(person).is_some_and(|m| m.key != *sign) {
                faults.push(FaultKind::KeyReused);
                continue;
            }
            let steward = roles.iter().any(|grant| grant.role == Role::Steward);
            self.people.insert(*person, Member { key: *sign, active: !roles.is_empty(), steward });
            self.owners.insert(*sign.as_bytes(), *person);
        }
        faults
    }
}
