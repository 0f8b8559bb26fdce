//! Requests: written by an analyst without a vault, taken in, listed and shown.

use serde::Serialize;

use super::decide::{self, Standing};
use super::{plan, register};
use crate::base::id::{InterviewId, ProjectId, SiteId, Token};
use crate::base::role::Role;
use crate::base::secret::Key;
use crate::base::text::base64;
use crate::base::time::{Date, Moment};
use crate::base::{Error, Kind, Result};
use crate::crypto::card::VaultCard;
use crate::crypto::identity::Identity;
use crate::crypto::keyring::Compartment;
use crate::crypto::pseudonym;
use crate::crypto::stream::{self, AgeIdentity, AnyOf};
use crate::domain::code::normalise;
use crate::domain::conditions::Conditions;
use crate::domain::interview::Interview;
use crate::domain::project::Project;
use crate::domain::request::{Ask, Filed, Items, MAX_BYTES, Request};
use crate::domain::study::Study;
use crate::ledger::event::Event;
use crate::session::{Act, Unlocked, Vault, View};
use crate::store::catalogue::RecordKind;

/// The longest sealed request that is read, in bytes.
pub const MAX_SEALED: usize = MAX_BYTES + 64 * 1024;

/// What an analyst wants.
pub struct Wish {
    /// The project.
    pub project: ProjectId,
    /// The level: 1, 2 or 3.
    pub level: u8,
    /// The last day of use.
    pub until: Date,
    /// Prefixes of sites.
    pub sites: Vec<String>,
    /// Archive or citation codes.
    pub codes: Vec<String>,
    /// What for, in words.
    pub purpose: String,
}

/// The sealed request of `identity` to the vault of `card`. Whoever calls has shown the present conditions, and they were accepted.
pub fn write(identity: &Identity, card: &VaultCard, wish: Wish, now: Moment) -> Result<Vec<u8>> {
    let ask = Ask {
        vault: card.facts().vault,
        project: wish.project,
        level: wish.level,
        until: wish.until,
        items: Items { sites: wish.sites, codes: wish.codes },
        purpose: wish.purpose,
        conditions: Conditions::current().digest(),
    };
    let request = Request::new(ask, identity.card().clone(), identity.signer(), now)?;
    stream::seal_bytes(&[card.facts().desk.as_age()], &request.to_bytes()?)
}

/// A request as a list shows it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// `REQ-7`.
    pub request: String,
    /// How it stands.
    pub standing: Standing,
    /// Who asks.
    pub requester: String,
    /// The title of the project.
    pub project: String,
    /// The level asked for.
    pub level: u8,
    /// The last day of use asked for.
    pub until: Date,
    /// When it was taken in.
    pub received: Moment,
}

/// A request as it is shown.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// As a list shows it.
    #[serde(flatten)]
    pub listed: Listed,
    /// The country of whoever asks.
    pub country: String,
    /// What for, in words.
    pub purpose: String,
    /// The prefixes of the sites asked for.
    pub sites: Vec<String>,
    /// The archive codes asked for, of sites that the reader keeps; no sites and no codes anywhere: all.
    pub codes: Vec<String>,
    /// Interviews of other sites that are asked for by their codes.
    pub codes_elsewhere: usize,
    /// The version of the conditions accepted.
    pub conditions: String,
    /// What stewards decided, oldest first.
    pub decisions: Vec<decide::Shown>,
    /// What went out on it.
    pub releases: usize,
}

crate::base::text::hidden!(Listed, Shown);

/// Takes in a sealed request: opens it with the desk's keys, and refuses one that is not signed, not for this vault, of somebody who is not enrolled or
/// whose card is another, run out, taken in before, or for a project that does not exist or that they do not belong to.
pub fn receive(vault: &mut Vault<Unlocked>, sealed: &[u8]) -> Result<Listed> {
    let plain = open_sealed(&vault.held(Compartment::Desk), sealed)?;
    let id = vault.layout().vault();
    let request = Request::open(&plain, id, vault.now()?)?;
    vault.commit("request receive", |act| {
        require_desk(act)?;
        let person = enrolled(act, &request)?;
        let digest = request.digest()?;
        let id = request.id();
        if act.record::<Filed>(RecordKind::Request, id.as_bytes())?.is_some() {
            return Err(Error::user(
                "this request was taken in before",
                "See `subrosa request list`. To ask again, the analyst writes a new one.",
            ));
        }
        let project: Option<Project> = act.record(RecordKind::Project, request.project.as_bytes())?;
        let project = project.ok_or_else(|| {
            Error::user(
                "there is no such project",
                "The analyst takes its id from a steward; see `subrosa project list`.",
            )
        })?;
        if !project.people.contains(&person) {
            return Err(Error::denied(
                "whoever asks is not one of the project's people",
                "A steward adds them to the project first.",
            ));
        }
        let (sites, interviews) = resolve(act, &request.items.sites, &request.items.codes, request.project)?;
        let filed = Filed {
            id,
            number: last_number(act)?.saturating_add(1),
            requester: person,
            project: request.project,
            level: request.level,
            until: request.until,
            sites,
            interviews,
            purpose: request.purpose.clone(),
            conditions: request.conditions,
            nonce: request.nonce.clone(),
            created: request.created,
            received: act.now(),
            by: act.person(),
            digest,
        };
        let by_number = by_number(filed.number);
        act.tables().put_record_of(RecordKind::Request, filed.id.as_bytes(), &by_number, act.seq(), &filed)?;
        act.event(Event::Request { request: filed.id, project: filed.project, requester: person, digest });
        listed(act, &filed, act.now())
    })
}

/// All requests, or those that wait for something.
pub fn list(vault: &mut Vault<Unlocked>, open: bool) -> Result<Vec<Listed>> {
    vault.commit("request list", |act| {
        require_desk(act)?;
        let mut all: Vec<Filed> = act.records(RecordKind::Request)?;
        all.sort_by_key(|filed| filed.number);
        let mut shown = all.iter().map(|filed| listed(act, filed, act.now())).collect::<Result<Vec<_>>>()?;
        if open {
            shown.retain(|request| matches!(request.standing, Standing::Open | Standing::Half | Standing::Approved));
        }
        let filters = if open { vec!["open".to_owned()] } else { Vec::new() };
        act.event(Event::Listed { what: "requests".into(), filters, count: count(shown.len()) });
        Ok(shown)
    })
}

/// One request with what was decided on it.
pub fn show(vault: &mut Vault<Unlocked>, number: u32) -> Result<Shown> {
    vault.commit("request show", |act| {
        require_desk(act)?;
        let filed = find(act, number)?;
        let sites = act.sites()?;
        let asked = filed.interviews.iter().map(|id| act.load_interview(*id)).collect::<Result<Vec<_>>>()?;
        let mine: Vec<_> = asked.iter().filter(|interview| register::keeps(act, interview.row.site)).collect();
        let (codes, tokens) = mine.iter().map(|own| (own.body.code.clone(), own.body.token)).unzip();
        let releases: Vec<super::build::Released> = act.records_of(RecordKind::Release, filed.id.as_bytes())?;
        let shown = Shown {
            listed: listed(act, &filed, act.now())?,
            country: country(act, &filed)?,
            purpose: filed.purpose.clone(),
            sites: filed.sites.iter().filter_map(|id| sites.get(id).map(|site| site.prefix.clone())).collect(),
            codes,
            codes_elsewhere: asked.len() - mine.len(),
            conditions: Conditions::of(&filed.conditions).map(|c| c.version.to_owned()).unwrap_or_default(),
            decisions: decide::shown(act, &filed)?,
            releases: releases.len(),
        };
        act.event(Event::Listed { what: "request".into(), filters: vec!["number".into()], count: 1 });
        opened(act, "codes of a request", tokens);
        Ok(shown)
    })
}

/// Says in the ledger which interviews were shown, if any.
pub(super) fn opened(act: &mut Act<'_>, what: &str, tokens: Vec<Token>) {
    if !tokens.is_empty() {
        act.event(Event::Opened { what: what.to_owned(), tokens });
    }
}

/// The request of a number.
pub fn find(view: &View<'_>, number: u32) -> Result<Filed> {
    let mut found: Vec<Filed> = view.records_of(RecordKind::Request, &by_number(number))?;
    if found.len() > 1 || found.iter().any(|filed| filed.number != number) {
        return Err(Error::damage(
            "a request stands in the place of another",
            "`subrosa check` says which. Restore catalogue.db from a backup.",
        ));
    }
    found.pop().ok_or_else(|| {
        Error::user(
            "there is no request of that number",
            "See `subrosa request list`; take new ones in with `subrosa request receive`.",
        )
    })
}

/// The greatest number that a request has; 0 if there is none.
fn last_number(view: &View<'_>) -> Result<u32> {
    let last = view.last_parent(RecordKind::Request)?.map_or(0, u128::from_be_bytes);
    u32::try_from(last).map_err(|_| Error::damage("the number of a request cannot be", "Run `subrosa check`."))
}

/// What requests are found by.
pub(super) fn by_number(number: u32) -> [u8; 16] {
    u128::from(number).to_be_bytes()
}

/// Refuses whoever may not see requests.
pub fn require_desk(view: &View<'_>) -> Result<()> {
    if view.has(Role::Steward, None) || view.has(Role::Archivist, None) {
        return Ok(());
    }
    Err(Error::denied(
        "requests are for stewards and archivists",
        "Ask one of them; `subrosa person list` shows who they are.",
    ))
}

/// Sites by prefix and interviews by archive or citation code. A place, never the code, is named for what is not found.
pub fn resolve(
    view: &View<'_>,
    prefixes: &[String],
    codes: &[String],
    project: ProjectId,
) -> Result<(Vec<SiteId>, Vec<InterviewId>)> {
    let mut sites = Vec::with_capacity(prefixes.len());
    for (i, prefix) in prefixes.iter().enumerate() {
        let site = view.site_by_prefix(prefix)?;
        let what = || format!("site number {} of the request is none of the study's", i + 1);
        sites.push(site.ok_or_else(|| Error::user(what(), "The sites are listed in the study definition."))?.id);
    }
    let (_, study) = view.study()?;
    let mut citations = None;
    let mut interviews = Vec::with_capacity(codes.len());
    for (i, code) in codes.iter().enumerate() {
        let found = match citation(code) {
            Some(code) => {
                let known = match &mut citations {
                    Some(known) => known,
                    empty => empty.insert(citation_codes(view, project)?),
                };
                known.iter().find(|(known, _)| *known == code).map(|(_, id)| *id)
            }
            None => archive_code(view, &study, code)?,
        };
        let what = || format!("code number {} of the request is not that of an interview", i + 1);
        let remedy = "Give an archive code, or a citation code of the same project.";
        interviews.push(found.ok_or_else(|| Error::user(what(), remedy))?);
    }
    sites.sort_unstable();
    sites.dedup();
    interviews.sort_unstable();
    interviews.dedup();
    Ok((sites, interviews))
}

fn archive_code(view: &View<'_>, study: &Study, typed: &str) -> Result<Option<InterviewId>> {
    match normalise(typed, study) {
        Ok((code, _)) => view.lookup_code(code.as_str()),
        Err(_) => Ok(None),
    }
}

/// A text of the form of a citation code, in capitals.
fn citation(typed: &str) -> Option<String> {
    let text = typed.trim().to_ascii_uppercase();
    let parts: Vec<&str> = text.split('-').collect();
    (parts.len() == 3 && parts[0] == "C" && parts[1].len() == 4 && parts[2].len() == 4).then_some(text)
}

fn citation_codes(view: &View<'_>, project: ProjectId) -> Result<Vec<(String, InterviewId)>> {
    let (all, _) = view.each_interview(|head, body: Interview| {
        let code = citation_code(&body.seed, project);
        Some(code.map(|code| (code, head.id)))
    })?;
    all.into_iter().collect()
}

/// The citation code of an interview in a project, from its seed.
pub fn citation_code(seed: &str, project: ProjectId) -> Result<String> {
    let bytes = base64(seed).map(zeroize::Zeroizing::new);
    let key = bytes.and_then(|bytes| Key::from_slice(&bytes));
    let key = key.ok_or_else(|| Error::damage("the seed of an interview cannot be read", "Run `subrosa check`."))?;
    pseudonym::citation(&key, &project)
}

fn open_sealed(keys: &[&Key], sealed: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    if sealed.len() > MAX_SEALED {
        return Err(Error::user("the file is too large to be a request", "Check that you gave the right file."));
    }
    if keys.is_empty() {
        return Err(Error::denied("your roles do not open requests", "Archivists and stewards take requests in."));
    }
    let identities = keys.iter().map(|key| AgeIdentity::from_key(key)).collect::<Result<Vec<_>>>()?;
    let identities: Vec<&dyn age::Identity> = identities.iter().map(|key| key.as_age() as &dyn age::Identity).collect();
    stream::open_bytes(&AnyOf(&identities), sealed, MAX_BYTES).map_err(|error| match error.kind() {
        Kind::Locked => Error::user(
            "the request is not sealed to this vault's desk",
            "Send the analyst the present vault.card; they write the request again with it.",
        ),
        _ => error.at("the request"),
    })
}

/// Whoever signed the request, if they are enrolled and show the card that was enrolled.
fn enrolled(view: &View<'_>, request: &Request) -> Result<crate::base::id::PersonId> {
    let id = request.card.person_id();
    let person = view.person(id)?.ok_or_else(|| {
        Error::denied("whoever asks is not enrolled", "A steward enrols their card with `subrosa person add` first.")
    })?;
    if person.roles.is_empty() || person.removed.is_some() {
        return Err(Error::denied("whoever asks was removed from the vault", "Only people who are enrolled can ask."));
    }
    if person.card != request.card {
        return Err(Error::denied(
            "the card in the request is not the one that was enrolled",
            "Compare fingerprints with whoever asks; a steward enrols the new card, or they write the request with the old one.",
        ));
    }
    Ok(id)
}

fn listed(view: &View<'_>, filed: &Filed, now: Moment) -> Result<Listed> {
    Ok(Listed {
        request: filed.name(),
        standing: decide::standing(view, filed, now)?,
        requester: plan::name_of(view, filed.requester)?,
        project: plan::project(view, filed)?.title,
        level: filed.level,
        until: filed.until,
        received: filed.received,
    })
}

fn country(view: &View<'_>, filed: &Filed) -> Result<String> {
    Ok(view.person(filed.requester)?.map(|person| person.card.country().to_string()).unwrap_or_default())
}

/// For a count in an event.
pub(super) fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
