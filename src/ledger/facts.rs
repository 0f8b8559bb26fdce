//! What events are made of: digests, the words of consent, and the facts of consents, approvals and decisions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::id::{ApprovalId, PersonId, ProjectId, RequestId, SiteId, Token};
use crate::base::text::base64;
use crate::base::time::{Date, Moment};
use crate::base::{Result, canonical, random};

/// A SHA-256 or BLAKE3 digest; in JSON base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

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

impl Module {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Archive,
        Self::Analyse,
        Self::Reuse,
        Self::Teaching,
        Self::QuoteText,
        Self::QuoteAudio,
        Self::Recontact,
        Self::Abroad,
    ];
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
    /// The digest of the [`ItemList`] granted, or all of those sites. The tokens are the same in every project; this is not.
    pub items: Option<Digest>,
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

/// The items that a decision grants by name. A decision goes out with its extract and shows the salted digest alone; the list stays in the ledger and the
/// catalogue.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemList {
    /// The items, in ascending order, each once.
    pub items: Vec<Token>,
    /// 16 random bytes in base64.
    pub salt: String,
}

impl ItemList {
    /// A list with a fresh salt.
    pub fn new(items: BTreeSet<Token>) -> Result<Self> {
        let salt = data_encoding::BASE64.encode(&random::bytes::<16>()?);
        Ok(Self { items: items.into_iter().collect(), salt })
    }

    /// SHA-256 over the canonical JSON of the list.
    pub fn digest(&self) -> Result<Digest> {
        Ok(Digest::of(&canonical::to_vec(self)?))
    }

    /// Whether a decision signed this list: in order, with a salt, and of that digest.
    pub fn is_of(&self, digest: &Digest) -> bool {
        let salted = base64(&self.salt).is_some_and(|salt| salt.len() == 16);
        let ordered = self.items.windows(2).all(|pair| pair[0] < pair[1]);
        salted && ordered && self.digest().is_ok_and(|own| own == *digest)
    }
}

impl Digest {
    /// SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// From standard base64 of 32 bytes, exactly as [`Self::to_base64`] writes it.
    pub fn from_base64(text: &str) -> Option<Self> {
        let mut bytes = [0; 33];
        if text.len() != 44 {
            return None;
        }
        let length = data_encoding::BASE64.decode_mut(text.as_bytes(), &mut bytes).ok()?;
        bytes[..length].try_into().ok().map(Self)
    }

    /// Standard base64, 44 characters.
    pub fn to_base64(self) -> String {
        data_encoding::BASE64.encode(&self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::from_base64(&text).ok_or_else(|| serde::de::Error::custom("not a digest"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_base64())
    }
}
