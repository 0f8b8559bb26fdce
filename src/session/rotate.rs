//! Membership: enrolling, changing roles, removing; and the rotation of compartments that goes with it (docs/format.md, section 3).

use std::collections::BTreeMap;

use super::unlock::{Unlocked, Vault, derived};
use super::view::PersonRecord;
use crate::base::id::{PersonId, SiteId};
use crate::base::role::{Role, RoleGrant};
use crate::base::secret::Key;
use crate::base::{Error, Result};
use crate::crypto::card::{Card, VaultCard, VaultFacts};
use crate::crypto::keyring::{self, Bundle, Compartment, CompartmentFacts, KeyringFile, Member, Roster};
use crate::crypto::stream::{AgeIdentity, AgeRecipient};
use crate::ledger::event::{Digest, Event};
use crate::store::catalogue::RecordKind;

/// Set in the catalogue from the entry that announces a rotation to the one that ends it.
const ROTATING: &str = "rotating";

/// The vault's public card.
const VAULT_CARD: &str = "vault.card";

/// A change of membership.
#[expect(clippy::large_enum_variant, reason = "one is made for one call and never kept")]
pub enum Change {
    /// Somebody new, with a card whose fingerprint was compared.
    Enrol(Card, Vec<RoleGrant>),
    /// Other roles for somebody enrolled.
    SetRoles(PersonId, Vec<RoleGrant>),
    /// Nobody's roles any more.
    Remove(PersonId),
}

/// Does a change of membership with everything that follows from it. For stewards. The last steward cannot go.
pub fn change_membership(vault: &mut Vault<Unlocked>, change: Change) -> Result<()> {
    let view = vault.view()?;
    view.require(Role::Steward, None)?;
    let sites: Vec<SiteId> = view.sites()?.into_keys().collect();
    let now = vault.now()?;
    let (mut record, roles, command) = match change {
        Change::Enrol(card, roles) => {
            if vault.roster().people.iter().any(|m| m.id == card.person_id()) {
                return Err(Error::user(
                    "this card is enrolled already",
                    "Change what they may do with `subrosa person role`.",
                ));
            }
            (PersonRecord { card, roles: Vec::new(), added: now, removed: None }, roles, "person add")
        }
        Change::SetRoles(id, roles) => (known(vault, id)?, roles, "person role"),
        Change::Remove(id) => (known(vault, id)?, Vec::new(), "person remove"),
    };
    let id = record.card.person_id();
    let mut roster = vault.roster().clone();
    let since = roster.people.iter().find(|m| m.id == id).map_or(now, |m| m.since);
    roster.people.retain(|m| m.id != id);
    if !roles.is_empty() {
        roster.people.push(Member {
            id,
            age: record.card.recipient().clone(),
            sign: *record.card.sign(),
            roles: roles.clone(),
            since,
        });
    }
    if !roster.people.iter().any(|m| m.has(Role::Steward, None)) {
        return Err(Error::user("the last steward cannot be removed", "Enrol another steward first, then try again."));
    }
    if id == vault.me().id && !roles.iter().any(|r| r.gives(Role::Steward, None)) {
        return Err(Error::user(
            "a steward cannot give up their own role",
            "Ask another steward to do it: your program would be left without the keys to finish.",
        ));
    }
    record.removed = roles.is_empty().then_some(now);
    record.roles.clone_from(&roles);
    roster.version += 1;

    let rotation = Rotation::plan(vault, &mut roster, &sites)?;
    let ledger = rotation.bundle.newest(Compartment::Ledger).map(|(_, k)| k);
    let ledger = ledger.ok_or_else(|| Error::bug("a steward holds no ledger key"))?;
    let me = vault.me().id;
    let file = KeyringFile::build(&roster, rotation.wraps, ledger, me, vault.identity().signer())?;
    let digest = Digest(keyring::digest(&roster)?);
    let card = issue_card(vault, &roster, now)?;

    let version = roster.version;
    let new_sites = rotation.new_sites;
    let rotates = rotation.rotates;
    vault.commit_with(command, (file, roster, rotation.bundle), |act| {
        for (site, generation, key) in &new_sites {
            act.add_site(*site, *generation, key)?;
        }
        act.tables().put_record(RecordKind::Person, id.as_bytes(), act.seq(), &record)?;
        act.event(Event::Person {
            person: id,
            sign: *record.card.sign(),
            country: record.card.country().to_string(),
            roles,
        });
        act.event(Event::Keyring { version: i64::from(version), digest });
        if rotates {
            act.tables().set_meta(ROTATING, &version.to_be_bytes())?;
            act.event(Event::Intent { act: "rotate".into(), number: i64::from(version) });
        }
        Ok(())
    })?;
    write_card(vault, &card).map_err(|e| {
        Error::new(
            e.kind(),
            format!("the change is recorded and in force, but the vault's card could not be written: {}", e.what()),
            "Do not run it again: mend what is wrong, and the next command of a steward writes the card.",
        )
    })?;
    if rotates {
        finish(vault).map_err(|e| {
            let what = format!(
                "the change is recorded and in force, but the databases could not be given new keys yet: {}",
                e.what()
            );
            Error::new(
                e.kind(),
                what,
                "Close other programs that use the vault, then run any command: it finishes by itself.",
            )
        })?;
    }
    move_sites(vault)
}

/// Writes the vault's card anew if an interrupted change of membership left an older one. For stewards, who alone can sign it.
pub(super) fn renew_card(vault: &Vault<Unlocked>) -> Result<()> {
    if !vault.me().has(Role::Steward, None) {
        return Ok(());
    }
    let written = match vault.layout().read(VAULT_CARD, 1 << 20) {
        Ok(bytes) => match VaultCard::parse(&bytes) {
            Ok(card) if card.facts().vault == vault.layout().vault() => Some(card),
            // Damage is for `check` to name, and stays as it is.
            _ => return Ok(()),
        },
        Err(_) => None,
    };
    let current = |name, shown: &AgeRecipient| vault.public_of(name) == Some(shown.to_string().as_str());
    let stands = written.is_some_and(|card| {
        card.facts().stewards == stewards(vault.roster())
            && current(Compartment::Desk, &card.facts().desk)
            && current(Compartment::Inbox(1), &card.facts().deposit)
    });
    if stands {
        return Ok(());
    }
    write_card(vault, &issue_card(vault, vault.roster(), vault.now()?)?)
}

/// Under the lock, as everything that is written into the vault's folder.
fn write_card(vault: &Vault<Unlocked>, card: &[u8]) -> Result<()> {
    let _lock = vault.layout.lock()?;
    vault.layout.write(VAULT_CARD, card)
}

/// Gives keys to sites that came with an amendment of the study which was interrupted before. For stewards.
pub(super) fn complete(vault: &mut Vault<Unlocked>) -> Result<()> {
    if !vault.me().has(Role::Steward, None) {
        return Ok(());
    }
    let roster = vault.roster();
    let sites = vault.view()?.sites()?;
    let waits = |site: &SiteId| {
        !roster.compartments.contains_key(&Compartment::Content(*site))
            && roster.people.iter().any(|m| m.has(Role::Archivist, Some(*site)))
    };
    if sites.keys().any(waits) { refresh_membership(vault) } else { Ok(()) }
}

/// Moves the databases and the key file to the newest keys and says so in the ledger. Safe to repeat.
pub(super) fn finish(vault: &mut Vault<Unlocked>) -> Result<()> {
    let rotating = |vault: &Vault<Unlocked>| -> Result<Option<u32>> {
        Ok(vault.view()?.meta(ROTATING)?.and_then(|b| b.try_into().ok()).map(u32::from_be_bytes))
    };
    if rotating(vault)?.is_none() {
        return Ok(());
    }
    let version = {
        let _lock = vault.layout.lock()?;
        // Another command may have finished it, and written keys since.
        vault.refresh()?;
        let Some(version) = rotating(vault)? else { return Ok(()) };
        let catalogue_key = vault.newest(Compartment::Catalogue)?;
        let ledger_key = vault.newest(Compartment::Ledger)?;
        let keys = derived(&vault.layout, &[catalogue_key], "catalogue")?;
        keys.refs().first().map_or(Ok(()), |key| vault.catalogue()?.rekey(key))?;
        let keys = derived(&vault.layout, &[ledger_key], "ledger")?;
        keys.refs().first().map_or(Ok(()), |key| vault.state.log.db().rekey(key))?;
        let mut keys = vault.state.keys.borrow_mut();
        keys.reseal_meta()?;
        keys.write(&vault.layout.key_file(), catalogue_key)?;
        let writer = vault.catalogue()?.begin()?;
        writer.set_meta("keyfile_generation", &keys.generation().to_be_bytes())?;
        writer.commit()?;
        version
    };
    vault.commit("rotate", |act| {
        act.tables().unset_meta(ROTATING)?;
        act.event(Event::Done { act: "rotate".into(), number: i64::from(version) });
        Ok(())
    })
}

/// Moves the inner seal of sites to the newest generation, where this person holds both keys.
pub(super) fn move_sites(vault: &mut Vault<Unlocked>) -> Result<()> {
    let bundle = &vault.state.context.bundle;
    let mut moves = Vec::new();
    for site in vault.state.keys.borrow().sites() {
        let Some((generation, key)) = bundle.newest(Compartment::Content(site)) else { continue };
        let keys = vault.state.keys.borrow();
        if keys.opens(site) && keys.site_generation(site).is_some_and(|g| g < generation) {
            moves.push((site, generation, key.duplicate()));
        }
    }
    if moves.is_empty() {
        return Ok(());
    }
    vault.commit("rotate", |act| {
        for (site, generation, key) in &moves {
            act.reseal_site(*site, *generation, key)?;
            act.event(Event::Done { act: "site key".into(), number: i64::from(*generation) });
        }
        Ok(())
    })
}

/// Which compartments somebody holds by their roles.
fn holds(member: &Member, name: Compartment) -> bool {
    let has = |role| member.has(role, None);
    match name {
        Compartment::Catalogue | Compartment::LogSign | Compartment::Desk => has(Role::Archivist) || has(Role::Steward),
        Compartment::Ledger => has(Role::Archivist) || has(Role::Steward) || has(Role::Auditor),
        Compartment::Content(site) => member.has(Role::Archivist, Some(site)),
        Compartment::Inbox(_) => has(Role::Archivist),
    }
}

/// What a change of membership does to the compartments.
struct Rotation {
    bundle: Bundle,
    wraps: keyring::Wraps,
    new_sites: Vec<(SiteId, u32, Key)>,
    rotates: bool,
}

impl Rotation {
    fn plan(vault: &Vault<Unlocked>, roster: &mut Roster, sites: &[SiteId]) -> Result<Self> {
        let before = vault.roster();
        let mine = &vault.state.context.bundle;
        let old_file = KeyringFile::parse(&vault.layout.read(super::unlock::KEYRING, keyring::MAX_BYTES as u64)?)?;
        let me = vault.me().id;
        let mut out = Self { bundle: mine.duplicate(), wraps: BTreeMap::new(), new_sites: Vec::new(), rotates: false };
        let mut names: Vec<Compartment> = before.compartments.keys().copied().collect();
        names.extend(sites.iter().map(|s| Compartment::Content(*s)).filter(|n| !before.compartments.contains_key(n)));
        for name in names {
            let after: Vec<&Member> = roster.people.iter().filter(|m| holds(m, name)).collect();
            let in_force = in_force(vault, name);
            let had = |id: PersonId| before.people.iter().any(|m| m.id == id && holds(m, name));
            let lost = before.people.iter().any(|m| holds(m, name) && !after.iter().any(|a| a.id == m.id));
            let gained = after.iter().any(|m| !had(m.id));
            let old = before.compartments.get(&name);
            let held = old.and_then(|facts| mine.get(name, facts.generation));
            if old.is_none() && after.is_empty() {
                continue;
            }
            let reachable = match (name, old, in_force) {
                (Compartment::Content(site), Some(old), Some(generation)) => {
                    let reaches = |who: &[&Member]| {
                        let label = old.commitment_of(generation).map(keyring::label).unwrap_or_default();
                        who.iter()
                            .any(|m| had(m.id) && old_file.wraps().get(&m.id).is_some_and(|w| w.contains_key(&label)))
                    };
                    let everybody: Vec<&Member> = before.people.iter().collect();
                    if !reaches(&after) && reaches(&everybody) && has_interviews(vault, site)? {
                        return Err(last_archivist());
                    }
                    reaches(&after)
                }
                (_, old, _) => old.is_some(),
            };
            let fixed = name == Compartment::LogSign;
            let fresh = old.is_none() || (!fixed && (lost || (gained && held.is_none())));
            let facts = match (fresh, old) {
                (false, Some(old)) => {
                    if let (true, Some(key)) = (gained, held) {
                        out.give(name, old, key, after.iter().filter(|m| !had(m.id)))?;
                    }
                    old.clone()
                }
                _ => {
                    let key = Key::random()?;
                    let facts = CompartmentFacts {
                        generation: old.map_or(1, |o| o.generation + 1),
                        commitment: keyring::commitment(name, &key),
                        former: old.map(|o| o.kept().map(str::to_owned).collect()).unwrap_or_default(),
                        public: public_half(name, &key)?,
                    };
                    out.give(name, &facts, &key, after.iter())?;
                    if let (Compartment::Content(site), false) = (name, reachable) {
                        out.new_sites.push((site, facts.generation, key.duplicate()));
                    }
                    out.rotates |= matches!(name, Compartment::Catalogue | Compartment::Ledger);
                    if after.iter().any(|m| m.id == me) {
                        out.bundle.insert(name, facts.generation, key);
                    }
                    facts
                }
            };
            let mut facts = facts;
            // A site's key file may still be sealed under an older generation; the databases move at once.
            let oldest = in_force.unwrap_or(facts.generation).min(facts.generation.saturating_sub(1));
            facts.former.truncate((facts.generation - oldest) as usize);
            for member in after.iter().filter(|m| had(m.id)) {
                for commitment in facts.kept() {
                    let label = keyring::label(commitment);
                    if let Some(wrap) = old_file.wraps().get(&member.id).and_then(|w| w.get(&label)) {
                        out.wraps.entry(member.id).or_default().insert(label, wrap.clone());
                    }
                }
            }
            roster.compartments.insert(name, facts);
        }
        Ok(out)
    }

    fn give<'m>(
        &mut self,
        name: Compartment,
        facts: &CompartmentFacts,
        key: &Key,
        to: impl Iterator<Item = &'m &'m Member>,
    ) -> Result<()> {
        for member in to {
            let wrap = keyring::wrap(name, facts.generation, key, &member.age)?;
            self.wraps.entry(member.id).or_default().insert(keyring::label(&facts.commitment), wrap);
        }
        Ok(())
    }
}

/// The generation of a site's compartment that the key file is sealed under.
fn in_force(vault: &Vault<Unlocked>, name: Compartment) -> Option<u32> {
    match name {
        Compartment::Content(site) => vault.state.keys.borrow().site_generation(site),
        _ => None,
    }
}

/// Whether anything of a site is in the vault, so that its content must stay readable to somebody.
fn has_interviews(vault: &Vault<Unlocked>, site: SiteId) -> Result<bool> {
    Ok(vault.view()?.interview_sites()?.iter().any(|(_, of)| *of == site))
}

fn last_archivist() -> Error {
    Error::user(
        "nobody would be left who can read the interviews of a site",
        "Enrol another archivist of the site, let the present one unlock the vault once so that the new one gets the key, then try again.",
    )
}

/// The public half that the roster shows of a compartment.
fn public_half(name: Compartment, key: &Key) -> Result<Option<String>> {
    Ok(match name {
        Compartment::Desk | Compartment::Inbox(_) => Some(AgeIdentity::from_key(key)?.recipient().to_string()),
        _ => None,
    })
}

fn known(vault: &Vault<Unlocked>, id: PersonId) -> Result<PersonRecord> {
    let record = vault.view()?.person(id)?.filter(|p| p.removed.is_none());
    record.ok_or_else(|| Error::user("nobody of that id is enrolled", "See `subrosa person list`."))
}

/// The keys of all stewards, in the order of their text.
fn stewards(roster: &Roster) -> Vec<crate::crypto::sign::PublicKey> {
    let mut keys: Vec<_> = roster.people.iter().filter(|m| m.has(Role::Steward, None)).map(|m| m.sign).collect();
    keys.sort_by_key(|key| key.to_base64());
    keys
}

/// The vault's card with the recipients of a roster.
fn issue_card(vault: &Vault<Unlocked>, roster: &Roster, now: crate::base::time::Moment) -> Result<Vec<u8>> {
    let public = |name| {
        let text = roster.compartments.get(&name).and_then(|c| c.public.as_deref());
        text.ok_or_else(|| Error::bug("a compartment has no public half"))?.parse()
    };
    let genesis = crate::ledger::tree::leaf_hash(&vault.log().db().leaf(0)?);
    VaultCard::issue(
        VaultFacts {
            vault: roster.vault,
            deposit: public(Compartment::Inbox(1))?,
            desk: public(Compartment::Desk)?,
            log_key: vault.log_key()?,
            genesis: genesis.0,
            stewards: stewards(roster),
            issued: now,
        },
        vault.identity().signer(),
    )?
    .to_bytes()
}

/// Gives everybody the keys that their roles give them now, for example of a site that came with an amendment of the study.
pub fn refresh_membership(vault: &mut Vault<Unlocked>) -> Result<()> {
    let me = vault.me().clone();
    change_membership(vault, Change::SetRoles(me.id, me.roles))
}
