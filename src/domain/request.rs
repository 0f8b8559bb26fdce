//! Requests of analysts: their signed form, and what the vault keeps of them (docs/format.md, section 9).

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::conditions::Conditions;
use super::project::MAX_PURPOSE;
use crate::base::id::{InterviewId, PersonId, ProjectId, RequestId, SiteId, VaultId};
use crate::base::text::base64;
use crate::base::time::{Date, Moment};
use crate::base::{Error, Result, canonical, format, random, text};
use crate::crypto::card::Card;
use crate::crypto::sign::{Signature, SigningSeed, require};
use crate::ledger::event::{DecisionFacts, Digest};

/// The context of an analyst's signature.
pub const REQUEST_CONTEXT: &str = "subrosa/request/1";

/// The longest request that is read, in bytes: ten thousand codes and a long purpose.
pub const MAX_BYTES: usize = 1 << 20;

/// Nobody gets anything for longer than this many years.
pub const MAX_YEARS: i16 = 10;

const FORMAT: &str = "subrosa-request/1";
const MAX_SITES: usize = 1000;
const MAX_CODES: usize = 10_000;
const MAX_CODE: usize = 64;

/// What an analyst asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask {
    /// The vault.
    pub vault: VaultId,
    /// The project.
    pub project: ProjectId,
    /// The level: 1, 2 or 3.
    pub level: u8,
    /// The last day of keeping and using it.
    pub until: Date,
    /// Which interviews.
    pub items: Items,
    /// What for, in words.
    pub purpose: String,
    /// The digest of the conditions that were shown and accepted.
    pub conditions: Digest,
}

/// Which interviews are asked for: those of the sites and those of the codes; all, if neither is named.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Items {
    /// Prefixes of sites.
    pub sites: Vec<String>,
    /// Archive codes or citation codes, as the analyst writes them.
    pub codes: Vec<String>,
}

/// A signed request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    format: String,
    /// The vault that is asked.
    pub vault: VaultId,
    /// The analyst's card.
    pub card: Card,
    /// The project.
    pub project: ProjectId,
    /// The level: 1, 2 or 3.
    pub level: u8,
    /// The last day of keeping and using it.
    pub until: Date,
    /// Which interviews.
    pub items: Items,
    /// What for, in words.
    pub purpose: String,
    /// The digest of the conditions accepted.
    pub conditions: Digest,
    /// Base64 of 16 random bytes: no two requests are the same.
    pub nonce: String,
    /// When it was written.
    pub created: Moment,
    sig: Signature,
}

/// What the vault keeps of a request that it took in. Archive codes stay out: what was asked for stands here by the random ids of the catalogue, so
/// that a record outlives no code. The signed original is gone; its digest is in the ledger.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filed {
    /// Its id.
    pub id: RequestId,
    /// Its running number: 7 is shown as `REQ-7`.
    pub number: u32,
    /// Who asks, and gets it.
    pub requester: PersonId,
    /// The project.
    pub project: ProjectId,
    /// The level asked for.
    pub level: u8,
    /// The last day of use asked for.
    pub until: Date,
    /// The sites asked for.
    pub sites: Vec<SiteId>,
    /// The interviews asked for by code; all, if there are neither sites nor these.
    pub interviews: Vec<InterviewId>,
    /// What for, in words.
    pub purpose: String,
    /// The digest of the conditions accepted.
    pub conditions: Digest,
    /// Its nonce: taken in once and never again.
    pub nonce: String,
    /// When it was written.
    pub created: Moment,
    /// When it was taken in.
    pub received: Moment,
    /// By whom.
    pub by: PersonId,
    /// SHA-256 of the signed request.
    pub digest: Digest,
}

/// A request as it is signed: all but the signature.
#[derive(Serialize)]
struct Unsigned<'a> {
    format: &'a str,
    vault: VaultId,
    card: &'a Card,
    project: ProjectId,
    level: u8,
    until: Date,
    items: &'a Items,
    purpose: &'a str,
    conditions: Digest,
    nonce: &'a str,
    created: Moment,
}

impl Request {
    /// Writes and signs a request. Fails if the signer is not the card's, or on what [`Self::open`] would refuse.
    pub fn new(ask: Ask, card: Card, signer: &SigningSeed, now: Moment) -> Result<Self> {
        if *card.sign() != signer.public() {
            return Err(Error::user("the card is not that of the identity", "Use the card that was made with it."));
        }
        let unsigned = Unsigned {
            format: FORMAT,
            vault: ask.vault,
            card: &card,
            project: ask.project,
            level: ask.level,
            until: ask.until,
            items: &ask.items,
            purpose: ask.purpose.trim(),
            conditions: ask.conditions,
            nonce: &data_encoding::BASE64.encode(&random::bytes::<16>()?),
            created: now,
        };
        let sig = signer.sign(REQUEST_CONTEXT, &canonical::to_vec(&unsigned)?);
        let (nonce, purpose) = (unsigned.nonce.to_owned(), unsigned.purpose.to_owned());
        let Ask { vault, project, level, until, items, conditions, .. } = ask;
        let format = FORMAT.to_owned();
        let request =
            Self { format, vault, card, project, level, until, items, purpose, conditions, nonce, created: now, sig };
        request.check(now)?;
        check_size(&request.to_bytes()?)?;
        Ok(request)
    }

    /// Takes in a request: as [`Self::parse`], and it must hold at this moment ([`Self::check`]).
    pub fn open(bytes: &[u8], vault: VaultId, now: Moment) -> Result<Self> {
        let request = Self::parse(bytes, vault)?;
        request.check(now)?;
        Ok(request)
    }

    /// Reads a request, canonical JSON of at most [`MAX_BYTES`]: it must be for this vault and signed by its card's key. It may have run out.
    ///
    /// Whether the card is enrolled is not asked here.
    pub fn parse(bytes: &[u8], vault: VaultId) -> Result<Self> {
        check_size(bytes)?;
        format::expect(bytes, FORMAT, "the request")?;
        let request: Self = canonical::from_slice(bytes).map_err(|e| e.at("the request"))?;
        if request.format != FORMAT {
            return Err(Error::user(
                "the request is in a format that this program does not read",
                "Use the same version of Subrosa on both sides.",
            ));
        }
        if request.vault != vault {
            return Err(Error::user(
                "the request is for another vault",
                "Ask the analyst to write it with this vault's card.",
            ));
        }
        require(request.card.sign(), REQUEST_CONTEXT, &request.signed_bytes()?, &request.sig, "the request")?;
        Ok(request)
    }

    /// Refuses a request that is out of bounds, has no end in the future or one more than [`MAX_YEARS`] away, was written in the future, or
    /// accepts conditions other than the present ones.
    pub fn check(&self, now: Moment) -> Result<()> {
        check_level(self.level)?;
        check_until(self.until, now)?;
        if self.created > now.plus_days(1) {
            return Err(Error::user(
                "the request was written in the future",
                "Set the clock of the computer that wrote it.",
            ));
        }
        if text::page("the purpose", &self.purpose)?.is_empty() || self.purpose.trim() != self.purpose {
            return Err(Error::user("the purpose is empty", "Say in a sentence or two what the material is used for."));
        }
        if self.purpose.chars().count() > MAX_PURPOSE {
            return Err(Error::user(format!("the purpose is longer than {MAX_PURPOSE} characters"), "Shorten it."));
        }
        let (sites, codes) = (&self.items.sites, &self.items.codes);
        if sites.len() > MAX_SITES || codes.len() > MAX_CODES {
            return Err(Error::user("the request names too many sites or codes", "Ask for whole sites, or for all."));
        }
        let odd = |c: &String| c.trim().is_empty() || c.chars().count() > MAX_CODE || c.chars().any(char::is_control);
        if sites.iter().chain(codes).any(odd) {
            return Err(Error::user("a site or code in the request is empty or too long", "Write the request again."));
        }
        let nonce = base64(&self.nonce).unwrap_or_default();
        if nonce.len() != 16 {
            return Err(Error::damage("the request lacks its nonce", "Write the request again."));
        }
        if self.conditions != Conditions::current().digest() {
            let remedy = "Read the present conditions with `subrosa request new`, which asks for your agreement.";
            return Err(Error::user("the conditions accepted are not the present ones", remedy));
        }
        Ok(())
    }

    /// The canonical bytes, signature and all.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        canonical::to_vec(self)
    }

    /// SHA-256 of the canonical bytes: what the ledger records.
    pub fn digest(&self) -> Result<Digest> {
        Ok(Digest(Sha256::digest(self.to_bytes()?).into()))
    }

    /// What the vault calls it: the first 16 bytes of SHA-256(`"subrosa/request-id/1\n"` || nonce in b64), so that one that was taken in before is found.
    pub fn id(&self) -> RequestId {
        let digest = Digest::of(format!("subrosa/request-id/1\n{}", self.nonce).as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&digest.0[..16]);
        RequestId::from_bytes(id)
    }

    fn signed_bytes(&self) -> Result<Vec<u8>> {
        canonical::to_vec(&Unsigned {
            format: &self.format,
            vault: self.vault,
            card: &self.card,
            project: self.project,
            level: self.level,
            until: self.until,
            items: &self.items,
            purpose: &self.purpose,
            conditions: self.conditions,
            nonce: &self.nonce,
            created: self.created,
        })
    }
}

impl Filed {
    /// How people call it: `REQ-7`.
    pub fn name(&self) -> String {
        format!("REQ-{}", self.number)
    }

    /// Whether it asks for this interview.
    pub fn asks_for(&self, interview: InterviewId, site: SiteId) -> bool {
        let all = self.sites.is_empty() && self.interviews.is_empty();
        all || self.sites.contains(&site) || self.interviews.contains(&interview)
    }
}

/// The number of a request as somebody typed it: `REQ-7`, `req7` or `7`.
pub fn number(typed: &str) -> Result<u32> {
    let text = typed.trim().to_ascii_uppercase();
    let digits = text.strip_prefix("REQ").map_or(text.as_str(), |rest| rest.trim_start_matches(['-', ' ']));
    digits.parse().ok().filter(|n| *n > 0 && digits.bytes().all(|b| b.is_ascii_digit())).ok_or_else(|| {
        Error::user("this is not the number of a request", "Write it as `subrosa request list` shows it: REQ-7.")
    })
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("project", &self.project).field("level", &self.level).finish_non_exhaustive()
    }
}

fn check_size(bytes: &[u8]) -> Result<()> {
    if bytes.len() <= MAX_BYTES {
        return Ok(());
    }
    Err(Error::user("the request is larger than 1 MiB", "Check that it is a request; ask for sites instead of codes."))
}

/// Refuses a level other than 1, 2 and 3.
pub fn check_level(level: u8) -> Result<()> {
    if (1..=3).contains(&level) {
        return Ok(());
    }
    Err(Error::user(
        "there is no such level",
        "Use 1, 2 or 3: direct identifiers replaced; strong indirect ones too; indirect ones generalised.",
    ))
}

/// Refuses an end that is not in the future, or more than [`MAX_YEARS`] away.
pub fn check_until(until: Date, now: Moment) -> Result<()> {
    let today = now.date();
    if until <= today {
        return Err(Error::user(
            "the end date is not in the future",
            "Give a later last day of use; if the request has run out, its writer sends a new one.",
        ));
    }
    let (year, month, day) = (today.year().saturating_add(MAX_YEARS), today.month(), today.day());
    let last = Date::new(year, month, day).or_else(|| Date::new(year, month, 28));
    if last.is_none_or(|last| until > last) {
        return Err(Error::user(
            format!("the end date is more than {MAX_YEARS} years away"),
            "Give an earlier one; a new request can follow.",
        ));
    }
    Ok(())
}

/// Refuses a decision that grants more than was asked, decides the steward's own request, or has no end within bounds.
///
/// Less is a higher level, an earlier end, fewer items. Sites and items are compared where codes are resolved, not here.
pub fn check_decision(decision: &DecisionFacts, request: &Filed) -> Result<()> {
    if decision.steward == decision.requester || decision.steward == decision.recipient {
        return Err(Error::denied("nobody decides their own request", "Another steward must decide it."));
    }
    if !decision.granted {
        return Ok(());
    }
    check_level(decision.level)?;
    check_until(decision.until, decision.time)?;
    let more = decision.level < request.level || decision.until > request.until;
    let same = decision.request == request.id && decision.recipient == request.requester;
    if !same || decision.project != request.project || decision.conditions != request.conditions || more {
        let remedy = "Grant at most what was asked: the same project and conditions, the same or a higher level, the same or an earlier end.";
        return Err(Error::denied("the decision grants something other than was asked", remedy));
    }
    Ok(())
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
