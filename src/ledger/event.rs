//! What an entry may say: events, each field whitelisted by its type.
//!
//! An event holds only what may be kept for ever (DESIGN, section 6): random tokens, people's key ids, digests, states of consent, dates of
//! governance. No name, code, place, interview date or free text about a participant has a field to go into.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::base::id::{ApprovalId, HoldId, PersonId, ProjectId, ReleaseId, RequestId, SiteId, Token};
use crate::base::time::{Date, Moment};
use crate::crypto::sign::{PublicKey, Signature};

/// A SHA-256 or BLAKE3 digest; in JSON base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// What somebody may do (DESIGN, section 1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Hands interviews in.
    Depositor,
    /// Takes in, completes, reviews, builds.
    Archivist,
    /// Decides.
    Steward,
    /// Gets extracts.
    Analyst,
    /// Reads the ledger.
    Auditor,
    /// Does one piece of work on one item.
    Helper,
}

/// A role and where it holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleGrant {
    /// The role.
    pub role: Role,
    /// The sites, or all of them.
    pub sites: Option<Vec<SiteId>>,
}

/// A module of consent (DESIGN, section 8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Module {
    /// Keep in the archive.
    Archive,
    /// Analyse in this study.
    Analyse,
    /// Re-use by other researchers.
    Reuse,
    /// Teaching.
    Teaching,
    /// Quote in text.
    QuoteText,
    /// Quote in audio.
    QuoteAudio,
    /// Contact again.
    Recontact,
    /// Send to another country.
    Abroad,
}

/// The state of a module.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModuleState {
    /// Agreed to.
    Granted,
    /// Said no.
    Refused,
    /// Nobody asked.
    NotAsked,
    /// Taken back.
    Withdrawn,
    /// Ran out.
    Expired,
}

/// How a participant may be named in print, from most to least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Full name.
    FullName,
    /// First name.
    FirstName,
    /// Role and place ("manager, Tbilisi").
    RolePlace,
    /// Role and country.
    RoleCountry,
    /// Code only.
    CodeOnly,
    /// Paraphrase only, no quotation.
    ParaphraseOnly,
    /// Never.
    Never,
}

/// What a consent event is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// Everything of the participant.
    All,
    /// One interview.
    Interview(Token),
    /// One passage of one interview; its bounds are sealed in the catalogue.
    Passage(Token),
}

/// What sort of consent event it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentAct {
    /// Given for the first time, to one form version.
    Given,
    /// Changed or confirmed; replaces the modules that it names.
    Amended,
    /// The modules named are taken back.
    Withdrawn,
}

/// The consent state that one event sets, without anything that says who or why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentFacts {
    /// The participant.
    pub participant: Token,
    /// What sort of event.
    pub act: ConsentAct,
    /// What it covers.
    pub scope: Scope,
    /// The day from which it holds.
    pub from: Moment,
    /// SHA-256 of the text agreed to, if any.
    pub form: Option<Digest>,
    /// The modules that it sets; others stay as they were.
    pub modules: BTreeMap<Module, ModuleState>,
    /// The attribution tier, if it sets one.
    pub tier: Option<Tier>,
    /// Nothing leaves before this day.
    pub embargo: Option<Date>,
    /// Nothing leaves after this day.
    pub expiry: Option<Date>,
    /// A condition in free words that no steward has mapped yet: refuses.
    pub unmapped_condition: bool,
    /// A steward has mapped the conditions said so far within this scope to modules, tier and dates.
    pub condition_mapped: bool,
}

/// What an approval allows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalFacts {
    /// Its id.
    pub approval: ApprovalId,
    /// The kind of board, as the study demands it for a site ("host", "university").
    pub board: String,
    /// The sites it covers, or all.
    pub sites: Option<Vec<SiteId>>,
    /// Interviews may have been made from, to.
    pub fieldwork: (Date, Date),
    /// Releases may be made from, to.
    pub usage: (Date, Date),
    /// DUO codes of the purposes it covers; empty for all.
    pub purposes: Vec<String>,
    /// SHA-256 of the board's document, if deposited.
    pub document: Option<Digest>,
}

/// One item of a release as attested by the builder, for the replay.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedItem {
    /// The interview.
    pub item: Token,
    /// Its site.
    pub site: SiteId,
    /// The transcript version.
    pub transcript: Token,
    /// The voices whose turns went out.
    pub voices: Vec<Token>,
    /// The passages (by token) whose turns went out.
    pub passages: Vec<Token>,
    /// Attested: the approvals whose fieldwork period covers the date of the interview.
    pub fieldwork: Vec<ApprovalId>,
}

/// What a steward signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionFacts {
    /// The request.
    pub request: RequestId,
    /// The project.
    pub project: ProjectId,
    /// Who gets it.
    pub recipient: PersonId,
    /// Who asked.
    pub requester: PersonId,
    /// Yes or no.
    pub granted: bool,
    /// The level granted: 1, 2 or 3.
    pub level: u8,
    /// The sites granted, or all that were asked.
    pub sites: Option<Vec<SiteId>>,
    /// The items granted, or all of those sites.
    pub items: Option<Vec<Token>>,
    /// The modules of consent that this use needs.
    pub needs: Vec<Module>,
    /// The approvals it stands on.
    pub approvals: Vec<ApprovalId>,
    /// The recipient may keep and use it until.
    pub until: Date,
    /// SHA-256 of the conditions that the recipient accepted.
    pub conditions: Digest,
    /// The country of the recipient.
    pub country: String,
    /// Who decided.
    pub steward: PersonId,
    /// When.
    pub time: Moment,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The first event of the first entry: who and what this vault is.
    Genesis {
        origin: String,
        steward: PublicKey,
        steward_id: PersonId,
        log_key: PublicKey,
        boards: Vec<PublicKey>,
        trustees: Vec<PublicKey>,
        threshold: u8,
    },
    /// The keyring as of now.
    Keyring { version: i64, digest: Digest },
    /// A person's keys and roles as of now; no roles: removed.
    Person { person: PersonId, sign: PublicKey, country: String, roles: Vec<RoleGrant> },
    /// The study definition as of now, whole, and the steward's signature over it.
    Study { version: i64, digest: Digest, text: String, sig: Signature },
    /// A site of the study and the kinds of board that must approve it.
    Site { site: SiteId, country: String, boards: Vec<String> },
    /// The policies of the vault as of now, whole.
    Policy { digest: Digest, text: String },
    /// An approval is recorded.
    Approval(ApprovalFacts),
    /// A project is recorded or changed.
    Project { project: ProjectId, purpose: String, people: Vec<PersonId>, from: Date, until: Date },
    /// A participant is known from now on.
    Participant { participant: Token },
    /// An item is known from now on: the interview, its site and its voices.
    Item { item: Token, site: SiteId, voices: Vec<Token> },
    /// A file is kept: digest of the sealed object.
    Object { object: Token, item: Token, kind: String, digest: Digest },
    /// A transcript version is kept.
    Transcript { transcript: Token, item: Token, version: i64, kind: String },
    /// A passage has a token from now on.
    Passage { passage: Token, item: Token },
    /// Consent changes.
    Consent(ConsentFacts),
    /// Something is stopped at once.
    HoldSet { hold: HoldId, sites: Vec<SiteId>, items: Vec<Token> },
    /// A steward agrees to lift a hold; the second one lifts it.
    HoldLift { hold: HoldId, lifted: bool },
    /// A person has read the whole version and recorded the review.
    Review { transcript: Token, engine: String, marks: i64, digest: Digest },
    /// Marks of a transcript version changed.
    Marks { transcript: Token, added: i64, changed: i64, removed: i64 },
    /// A request came in: digest of the signed request.
    Request { request: RequestId, project: ProjectId, requester: PersonId, digest: Digest },
    /// A steward decided; the signature is over the decision's canonical JSON.
    Decision { decision: DecisionFacts, sig: Signature },
    /// Something left, to whom, until when, and the digest of its manifest.
    Release {
        release: ReleaseId,
        request: RequestId,
        recipient: PersonId,
        until: Date,
        manifest: Digest,
        items: Vec<ReleasedItem>,
        withheld: i64,
    },
    /// The same release was built again.
    ReleaseAgain { release: ReleaseId, manifest: Digest },
    /// A list was read: what of, how it was filtered (names of filters), how many.
    Listed { what: String, filters: Vec<String>, count: i64 },
    /// Things were opened and shown.
    Opened { what: String, tokens: Vec<Token> },
    /// Something was tried and refused.
    Denied { what: String, reason: String },
    /// An act that destroys or rotates is about to happen.
    Intent { act: String, number: i64 },
    /// It has happened.
    Done { act: String, number: i64 },
    /// The vault was checked: how many faults.
    Checked { faults: i64 },
    /// A clock that went back or far ahead is accepted by two people.
    ClockAccepted { people: Vec<PersonId> },
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&data_encoding::BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        let bytes = data_encoding::BASE64.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|b| b.try_into().ok());
        bytes.map(Digest).ok_or_else(|| serde::de::Error::custom("not a digest"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&data_encoding::BASE64.encode(&self.0))
    }
}
