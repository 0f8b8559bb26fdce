//! What an entry may say: events, each field whitelisted by its type.
//!
//! An event holds only what may be kept for ever (DESIGN, section 6): random tokens, people's key ids, digests, states of consent, dates of
//! governance. No name, code, place, interview date or free text about a participant has a field to go into.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::base::id::{ApprovalId, HoldId, PersonId, ProjectId, ReleaseId, RequestId, SiteId, Token};
use crate::base::time::{Date, Moment};

pub use crate::base::role::{Role, RoleGrant};
use crate::crypto::sign::{PublicKey, Signature};

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
        /// The origin line of the vault's checkpoints.
        origin: String,
        /// The first steward's Ed25519 key.
        steward: PublicKey,
        /// The first steward.
        steward_id: PersonId,
        /// The Ed25519 key that signs checkpoints.
        log_key: PublicKey,
        /// The Ed25519 keys of the boards that cosign.
        boards: Vec<PublicKey>,
        /// The Ed25519 keys of the trustees who hold shares of the escrow.
        trustees: Vec<PublicKey>,
        /// How many trustees it takes.
        threshold: u8,
    },
    /// The keyring as of now.
    Keyring {
        /// Its version.
        version: i64,
        /// SHA-256 of the roster.
        digest: Digest,
    },
    /// A person's keys and roles as of now; no roles: removed.
    Person {
        /// Who.
        person: PersonId,
        /// Their Ed25519 key.
        sign: PublicKey,
        /// ISO 3166-1 alpha-2.
        country: String,
        /// Their roles; none: removed.
        roles: Vec<RoleGrant>,
    },
    /// The study definition as of now, whole, and the steward's signature over it.
    Study {
        /// Its version.
        version: i64,
        /// SHA-256 of the text.
        digest: Digest,
        /// The definition, whole.
        text: String,
        /// The steward's signature over it.
        sig: Signature,
    },
    /// A site of the study and the kinds of board that must approve it.
    Site {
        /// The site.
        site: SiteId,
        /// ISO 3166-1 alpha-2.
        country: String,
        /// The kinds of board that must approve it.
        boards: Vec<String>,
    },
    /// The policies of the vault as of now, whole.
    Policy {
        /// SHA-256 of the text.
        digest: Digest,
        /// The policies, whole.
        text: String,
    },
    /// An approval is recorded.
    Approval(ApprovalFacts),
    /// A project is recorded or changed.
    Project {
        /// The project.
        project: ProjectId,
        /// Its purpose, a DUO code.
        purpose: String,
        /// Who belongs to it.
        people: Vec<PersonId>,
        /// Its first day.
        from: Date,
        /// Its last day.
        until: Date,
    },
    /// A participant is known from now on.
    Participant {
        /// What the ledger calls them.
        participant: Token,
    },
    /// An item is known from now on: the interview, its site and its voices.
    Item {
        /// The interview.
        item: Token,
        /// Its site.
        site: SiteId,
        /// The participants who are heard in it.
        voices: Vec<Token>,
    },
    /// A file is kept: digest of the sealed object.
    Object {
        /// The file.
        object: Token,
        /// The interview it belongs to.
        item: Token,
        /// A word: recording, document or evidence.
        kind: String,
        /// BLAKE3 of the sealed object.
        digest: Digest,
    },
    /// A transcript version is kept.
    Transcript {
        /// The transcript version.
        transcript: Token,
        /// The interview.
        item: Token,
        /// Its number.
        version: i64,
        /// A word: raw, verbatim, corrected or translation.
        kind: String,
    },
    /// A passage has a token from now on.
    Passage {
        /// The passage.
        passage: Token,
        /// The interview.
        item: Token,
    },
    /// Consent changes.
    Consent(ConsentFacts),
    /// Something is stopped at once.
    HoldSet {
        /// The hold.
        hold: HoldId,
        /// The sites it stops.
        sites: Vec<SiteId>,
        /// The items it stops.
        items: Vec<Token>,
    },
    /// A steward agrees to lift a hold; the second one lifts it.
    HoldLift {
        /// The hold.
        hold: HoldId,
        /// Whether this agreement lifts it.
        lifted: bool,
    },
    /// A person has read the whole version and recorded the review.
    Review {
        /// The transcript version.
        transcript: Token,
        /// The version of the engine that proposed marks.
        engine: String,
        /// How many marks stand.
        marks: i64,
        /// SHA-256 of the marks.
        digest: Digest,
    },
    /// Marks of a transcript version changed.
    Marks {
        /// The transcript version.
        transcript: Token,
        /// Marks added.
        added: i64,
        /// Marks changed.
        changed: i64,
        /// Marks removed.
        removed: i64,
    },
    /// A request came in: digest of the signed request.
    Request {
        /// The request.
        request: RequestId,
        /// The project it is for.
        project: ProjectId,
        /// Who asks.
        requester: PersonId,
        /// SHA-256 of the signed request.
        digest: Digest,
    },
    /// A steward decided; the signature is over the decision's canonical JSON.
    Decision {
        /// What was decided.
        decision: DecisionFacts,
        /// The steward's signature over it.
        sig: Signature,
    },
    /// Something left, to whom, until when, and the digest of its manifest.
    Release {
        /// The release.
        release: ReleaseId,
        /// The request it answers.
        request: RequestId,
        /// Who gets it.
        recipient: PersonId,
        /// They may keep it until.
        until: Date,
        /// SHA-256 of its manifest.
        manifest: Digest,
        /// What went out.
        items: Vec<ReleasedItem>,
        /// How many items were left out.
        withheld: i64,
    },
    /// The same release was built again.
    ReleaseAgain {
        /// The release.
        release: ReleaseId,
        /// SHA-256 of its manifest.
        manifest: Digest,
    },
    /// A list was read: what of, how it was filtered (names of filters), how many.
    Listed {
        /// A word: what was listed.
        what: String,
        /// Names of the filters.
        filters: Vec<String>,
        /// How many were shown.
        count: i64,
    },
    /// Things were opened and shown.
    Opened {
        /// A word: what was opened.
        what: String,
        /// The things opened.
        tokens: Vec<Token>,
    },
    /// Something was tried and refused.
    Denied {
        /// A word: what was tried.
        what: String,
        /// A word: why not.
        reason: String,
    },
    /// An act that destroys or rotates is about to happen.
    Intent {
        /// A word: which act.
        act: String,
        /// Its number; the matching done event has the same.
        number: i64,
    },
    /// It has happened.
    Done {
        /// A word: which act.
        act: String,
        /// The number of its intent.
        number: i64,
    },
    /// The vault was checked: how many faults.
    Checked {
        /// How many faults were found.
        faults: i64,
    },
    /// A clock that went back or far ahead is accepted by two people.
    ClockAccepted {
        /// Who accepted it.
        people: Vec<PersonId>,
    },
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
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::from_base64(&text).ok_or_else(|| serde::de::Error::custom("not a digest"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_base64())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::canonical;
    use crate::base::secret::Key;
    use crate::crypto::sign::SigningSeed;

    /// One event of every sort, with every field in use.
    pub(crate) fn all() -> Vec<Event> {
        let seed = SigningSeed::from_key(&Key::from_slice(&[1; 32]).unwrap());
        let (key, sig) = (seed.public(), seed.sign("test", b"test"));
        let (date, time): (Date, Moment) = ("2026-11-23".parse().unwrap(), "2026-11-23T09:30:00Z".parse().unwrap());
        let person = PersonId::from_bytes([1; 16]);
        let (site, token) = (SiteId::from_bytes([2; 16]), Token::from_bytes([3; 16]));
        let (approval, project) = (ApprovalId::from_bytes([4; 16]), ProjectId::from_bytes([5; 16]));
        let (request, release) = (RequestId::from_bytes([6; 16]), ReleaseId::from_bytes([7; 16]));
        let (hold, digest) = (HoldId::from_bytes([8; 16]), Digest::of(b"text"));
        let roles = vec![
            RoleGrant { role: Role::Steward, sites: None },
            RoleGrant { role: Role::Archivist, sites: Some(vec![site]) },
        ];
        let consent = |scope, act| ConsentFacts {
            participant: token,
            act,
            scope,
            from: time,
            form: Some(digest),
            modules: [(Module::QuoteAudio, ModuleState::NotAsked), (Module::Archive, ModuleState::Granted)].into(),
            tier: Some(Tier::RoleCountry),
            embargo: Some(date),
            expiry: None,
            unmapped_condition: true,
            condition_mapped: false,
        };
        let facts = ApprovalFacts {
            approval,
            board: "host".into(),
            sites: Some(vec![site]),
            fieldwork: (date, date),
            usage: (date, date),
            purposes: vec!["DUO:0000007".into()],
            document: None,
        };
        let decision = DecisionFacts {
            request,
            project,
            recipient: person,
            requester: person,
            granted: true,
            level: 2,
            sites: None,
            items: Some(vec![token]),
            needs: vec![Module::Reuse, Module::Abroad],
            approvals: vec![approval],
            until: date,
            conditions: digest,
            country: "EE".into(),
            steward: person,
            time,
        };
        let released = ReleasedItem {
            item: token,
            site,
            transcript: token,
            voices: vec![token],
            passages: vec![],
            fieldwork: vec![approval],
        };
        let word = || "word \"\u{1}é\u{1f600}\\".to_owned();
        vec![
            Event::Genesis {
                origin: word(),
                steward: key,
                steward_id: person,
                log_key: key,
                boards: vec![key],
                trustees: vec![key, key],
                threshold: 2,
            },
            Event::Keyring { version: 3, digest },
            Event::Person { person, sign: key, country: "EE".into(), roles },
            Event::Study { version: 1, digest, text: word(), sig },
            Event::Site { site, country: "AM".into(), boards: vec!["host".into()] },
            Event::Policy { digest, text: word() },
            Event::Approval(facts),
            Event::Project { project, purpose: word(), people: vec![person], from: date, until: date },
            Event::Participant { participant: token },
            Event::Item { item: token, site, voices: vec![token, token] },
            Event::Object { object: token, item: token, kind: word(), digest },
            Event::Transcript { transcript: token, item: token, version: 2, kind: word() },
            Event::Passage { passage: token, item: token },
            Event::Consent(consent(Scope::All, ConsentAct::Given)),
            Event::Consent(consent(Scope::Interview(token), ConsentAct::Amended)),
            Event::Consent(consent(Scope::Passage(token), ConsentAct::Withdrawn)),
            Event::HoldSet { hold, sites: vec![site], items: vec![token] },
            Event::HoldLift { hold, lifted: false },
            Event::Review { transcript: token, engine: word(), marks: 12, digest },
            Event::Marks { transcript: token, added: 1, changed: 0, removed: -1 },
            Event::Request { request, project, requester: person, digest },
            Event::Decision { decision, sig },
            Event::Release {
                release,
                request,
                recipient: person,
                until: date,
                manifest: digest,
                items: vec![released],
                withheld: 4,
            },
            Event::ReleaseAgain { release, manifest: digest },
            Event::Listed { what: word(), filters: vec![word()], count: 163 },
            Event::Opened { what: word(), tokens: vec![token] },
            Event::Denied { what: word(), reason: word() },
            Event::Intent { act: word(), number: 1 },
            Event::Done { act: word(), number: 1 },
            Event::Checked { faults: 0 },
            Event::ClockAccepted { people: vec![person, person] },
        ]
    }

    #[test]
    fn every_event_reads_back_and_refuses_another_field() {
        for event in all() {
            let bytes = canonical::to_vec(&event).unwrap();
            assert_eq!(canonical::from_slice::<Event>(&bytes).unwrap(), event);
            let mut value = serde_json::to_value(&event).unwrap();
            value.as_object_mut().unwrap().insert("name".into(), "somebody".into());
            assert!(serde_json::from_value::<Event>(value).is_err(), "{event:?}");
        }
    }

    #[test]
    fn digests_are_exact_base64() {
        let text = Digest::of(b"").to_base64();
        assert_eq!(text, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(Digest::from_base64(&text), Some(Digest::of(b"")));
        for bad in
            ["", &text[1..], &text[..43], &text.replace("FU=", "FV="), &text.replace('=', "A"), &format!("{text}\n")]
        {
            assert_eq!(Digest::from_base64(bad), None, "{bad}");
        }
    }
}
