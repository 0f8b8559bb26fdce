//! The vault's own policies on top of the floor: shown, checked, put in force (DESIGN, section 7).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plan::name_of;
use super::request::{count, require_desk};
use crate::base::id::PersonId;
use crate::base::role::Role;
use crate::base::time::Moment;
use crate::base::{Error, Result};
use crate::domain::policy::{self, Part, Policies, PolicyFault, Rule};
use crate::ledger::event::{Digest, Event};
use crate::session::{Unlocked, Vault, View, version_id};
use crate::store::catalogue::RecordKind;

/// A version of the vault's own policies, as the catalogue keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRecord {
    /// Counted from 1.
    pub version: u32,
    /// The vault's own text, without the floor; empty when it was taken away.
    pub text: String,
    /// SHA-256 of the whole text that it made, as the ledger has it.
    pub digest: Digest,
    /// Who put it in force.
    pub steward: PersonId,
    /// Since when.
    pub since: Moment,
}

/// The policies of a vault, for showing.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// How often the vault's own were put in force or taken away.
    pub version: u32,
    /// SHA-256 of the whole text, as the ledger has it.
    pub digest: Digest,
    /// Since when; none if they were never changed.
    pub since: Option<Moment>,
    /// Who put them in force.
    pub steward: Option<String>,
    /// All rules, by part and id.
    pub rules: Vec<Rule>,
    /// The vault's own text; empty if there is none.
    pub text: String,
}

crate::base::text::hidden!(Shown);

/// What `policy check` says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Checked {
    /// Whether it can be put in force.
    pub sound: bool,
    /// Its rules, if it is sound.
    pub rules: Vec<Rule>,
    /// Everything that is wrong.
    pub faults: Vec<PolicyFault>,
    /// What is allowed and will hardly do what was meant.
    pub warnings: Vec<PolicyFault>,
}

/// What putting a text in force changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Plan {
    /// The version that it makes.
    pub version: u32,
    /// Rules that come.
    pub added: Vec<Rule>,
    /// Rules that keep their id and say something else, as they will be.
    pub changed: Vec<Rule>,
    /// Rules that go.
    pub removed: Vec<Rule>,
    /// What will hardly do what was meant.
    pub warnings: Vec<PolicyFault>,
}

/// The policies in force: the floor, the program's permits, the vault's own. For deciding, inside the commit that decides.
pub fn in_force(view: &View<'_>) -> Result<Policies> {
    let Some(record) = newest(view)? else { return Policies::load(&[]) };
    let policies = Policies::load(&[&record.text])?;
    if policies.digest() != record.digest {
        return Err(Error::damage(
            "the policies in the catalogue are not those that were put in force",
            "Run `subrosa check`. If another version of Subrosa put them in force, a steward does so again.",
        ));
    }
    Ok(policies)
}

/// All versions of the vault's own policies, oldest first.
pub fn versions(view: &View<'_>) -> Result<Vec<PolicyRecord>> {
    let mut all: Vec<PolicyRecord> = view.records(RecordKind::Policy)?;
    all.sort_by_key(|record| record.version);
    Ok(all)
}

/// Shows what is in force. For stewards and archivists.
pub fn show(vault: &mut Vault<Unlocked>) -> Result<Shown> {
    vault.commit("policy show", |act| {
        require_desk(act)?;
        let policies = in_force(act)?;
        let record = newest(act)?;
        let mut rules: Vec<Rule> = policies.rules().cloned().collect();
        rules.sort_by(|a, b| (a.part, &a.id).cmp(&(b.part, &b.id)));
        act.event(Event::Listed { what: "policies".into(), filters: vec![], count: count(rules.len()) });
        Ok(Shown {
            version: record.as_ref().map_or(0, |record| record.version),
            digest: policies.digest(),
            since: record.as_ref().map(|record| record.since),
            steward: record.as_ref().map(|record| name_of(act, record.steward)).transpose()?,
            rules,
            text: record.map(|record| record.text).unwrap_or_default(),
        })
    })
}

/// Explains every fault of a text as it would stand on the floor. Needs no vault.
pub fn check(bytes: Vec<u8>) -> Result<Checked> {
    let text = utf8(bytes)?;
    let found = policy::explain(&text)?;
    let sound = found.faults.is_empty();
    let rules = if sound { own(&Policies::load(&[&text])?) } else { Vec::new() };
    Ok(Checked { sound, rules, faults: found.faults, warnings: found.warnings })
}

/// Reads a text to put in force, or tells the first fault and how many more there are.
pub fn read(bytes: Vec<u8>) -> Result<String> {
    let text = utf8(bytes)?;
    let faults = policy::explain(&text)?.faults;
    if let Some(first) = faults.first() {
        let more = match faults.len() - 1 {
            0 => String::new(),
            n => format!(" (and {n} more)"),
        };
        let error = first.error();
        let remedy = format!("{} `subrosa policy check` lists all faults.", error.remedy());
        return Err(Error::user(format!("the policies, {}{more}", error.what()), remedy));
    }
    if own(&Policies::load(&[&text])?).is_empty() {
        return Err(Error::user(
            "there is no rule in the file",
            "To take away the vault's own policies, use `subrosa policy clear`.",
        ));
    }
    Ok(text)
}

/// What putting `text` in force in place of the vault's own policies would change; an empty text takes them away. For stewards of all sites.
pub fn plan(vault: &Vault<Unlocked>, text: &str) -> Result<Plan> {
    let view = vault.view()?;
    planned(&view, text)
}

/// Puts `text` in force in place of the vault's own policies, from now on; an empty text takes them away. For stewards of all sites. `plan`: what was shown.
pub fn set(vault: &mut Vault<Unlocked>, text: &str, plan: &Plan) -> Result<Plan> {
    let command = if text.is_empty() { "policy clear" } else { "policy set" };
    vault.commit(command, |act| {
        let now = planned(act, text)?;
        if now != *plan {
            return Err(Error::user(
                "the policies were changed by somebody else just now",
                "Look at them again first.",
            ));
        }
        let policies = Policies::load(&[text])?;
        let digest = policies.digest();
        let record = PolicyRecord {
            version: plan.version,
            text: text.to_owned(),
            digest,
            steward: act.person(),
            since: act.now(),
        };
        act.tables().put_record(RecordKind::Policy, &version_id(record.version), act.seq(), &record)?;
        act.event(Event::Policy { digest, text: policies.text().to_owned() });
        Ok(now)
    })
}

fn planned(view: &View<'_>, text: &str) -> Result<Plan> {
    require_everywhere(view)?;
    let record = newest(view)?;
    let before = record.as_ref().map(|record| record.text.as_str()).unwrap_or_default();
    if before == text {
        let what = if text.is_empty() {
            "the vault has no policies of its own"
        } else {
            "these policies are in force already"
        };
        return Err(Error::user(what, "Nothing was changed."));
    }
    let by_id = |text: &str| -> Result<BTreeMap<String, Rule>> {
        Ok(own(&Policies::load(&[text])?).into_iter().map(|rule| (rule.id.clone(), rule)).collect())
    };
    let (old, new) = (by_id(before)?, by_id(text)?);
    let differs = |rule: &&Rule| old.get(&rule.id).is_some_and(|old| old != *rule);
    Ok(Plan {
        version: record.as_ref().map_or(0, |record| record.version) + 1,
        added: new.values().filter(|rule| !old.contains_key(&rule.id)).cloned().collect(),
        changed: new.values().filter(differs).cloned().collect(),
        removed: old.values().filter(|rule| !new.contains_key(&rule.id)).cloned().collect(),
        warnings: policy::explain(text)?.warnings,
    })
}

/// Policies hold for all sites, so a steward of some cannot change them.
fn require_everywhere(view: &View<'_>) -> Result<()> {
    view.require(Role::Steward, None)?;
    for site in view.sites()?.into_keys() {
        view.require(Role::Steward, Some(site)).map_err(|_| {
            Error::denied(
                "the policies hold for all sites, and you are not a steward of all",
                "Ask a steward of all sites; `subrosa person list` shows who has which role.",
            )
        })?;
    }
    Ok(())
}

fn newest(view: &View<'_>) -> Result<Option<PolicyRecord>> {
    Ok(versions(view)?.pop())
}

fn own(policies: &Policies) -> Vec<Rule> {
    policies.rules().filter(|rule| rule.part == Part::Own).cloned().collect()
}

fn utf8(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| Error::user("the policies are not UTF-8 text", "Save them as UTF-8, then try again."))
}
