//! Who may do what: enrolling, changing roles, removing, listing.

use serde::Serialize;

use crate::base::id::PersonId;
use crate::base::role::{Role, RoleGrant};
use crate::base::{Error, Result};
use crate::crypto::card::Card;
use crate::ledger::event::Event;
use crate::session::{Change, PersonRecord, Unlocked, Vault, View, change_membership};
use crate::store::catalogue::RecordKind;

/// Somebody as a list shows them.
#[derive(Serialize)]
pub struct Listed {
    /// Name on the card.
    pub name: String,
    /// Id.
    pub id: PersonId,
    /// Country on the card.
    pub country: String,
    /// Roles in words: `archivist (AM, GE)`.
    pub roles: Vec<String>,
    /// Fingerprint of the card.
    pub fingerprint: String,
    /// Enrolled at.
    pub added: String,
    /// Removed at, if so.
    pub removed: Option<String>,
}

/// Turns words of the command line into roles: each role, and the site prefixes that they hold for.
pub fn grants(view: &View<'_>, roles: &[Role], prefixes: &[String]) -> Result<Vec<RoleGrant>> {
    let sites = super::approval::site_ids(view, prefixes)?;
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    // Stewards and auditors see the whole vault: their keys cannot be split by site.
    let whole = |role: &Role| matches!(role, Role::Steward | Role::Auditor);
    if sites.is_some() && roles.iter().any(whole) {
        return Err(Error::user(
            "stewards and auditors have their role for the whole study",
            "Leave --sites out, or give the other roles in a command of their own.",
        ));
    }
    Ok(roles.into_iter().map(|role| RoleGrant { role, sites: sites.clone() }).collect())
}

/// Enrols the holder of a card.
pub fn add(vault: &mut Vault<Unlocked>, card: Card, grants: Vec<RoleGrant>) -> Result<()> {
    if grants.is_empty() {
        return Err(Error::user("no role is given", "Say what they may do with --role."));
    }
    change_membership(vault, Change::Enrol(card, grants))
}

/// Gives somebody other roles.
pub fn set_roles(vault: &mut Vault<Unlocked>, name: &str, grants: Vec<RoleGrant>) -> Result<()> {
    let id = vault.view()?.find_person(name)?.card.person_id();
    if grants.is_empty() {
        return Err(Error::user("no role is given", "To take all roles away, use `subrosa person remove`."));
    }
    change_membership(vault, Change::SetRoles(id, grants))
}

/// Removes somebody: their keys are rotated away at once.
pub fn remove(vault: &mut Vault<Unlocked>, name: &str) -> Result<()> {
    let id = vault.view()?.find_person(name)?.card.person_id();
    change_membership(vault, Change::Remove(id))
}

/// Everybody enrolled (`all`: and everybody who was).
pub fn list(vault: &mut Vault<Unlocked>, all: bool) -> Result<Vec<Listed>> {
    vault.commit("person list", |act| {
        let sites = act.sites()?;
        let mut people = act.records::<PersonRecord>(RecordKind::Person)?;
        people.retain(|p| all || p.removed.is_none());
        people.sort_by_key(|p| p.added);
        let filters = if all { vec!["all".into()] } else { vec![] };
        act.event(Event::Listed { what: "people".into(), filters, count: people.len() as i64 });
        let words = |grant: &RoleGrant| match &grant.sites {
            None => grant.role.to_string(),
            Some(ids) => {
                let names: Vec<_> = ids.iter().filter_map(|id| sites.get(id)).map(|s| s.prefix.as_str()).collect();
                format!("{} ({})", grant.role, names.join(", "))
            }
        };
        people
            .iter()
            .map(|p| {
                Ok(Listed {
                    name: p.card.name().to_owned(),
                    id: p.card.person_id(),
                    country: p.card.country().to_string(),
                    roles: p.roles.iter().map(words).collect(),
                    fingerprint: p.card.fingerprint()?,
                    added: p.added.to_string(),
                    removed: p.removed.map(|m| m.to_string()),
                })
            })
            .collect()
    })
}
