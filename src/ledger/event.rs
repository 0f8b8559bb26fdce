//! What an entry may say: events, each field whitelisted by its type.
//!
//! An event holds only what may be kept for ever (DESIGN, section 6): random tokens, people's key ids, digests, states of consent, dates of
//! governance. No name, code, place, interview date or free text about a participant has a field to go into.

use serde::{Deserialize, Serialize};

use crate::base::id::{HoldId, PersonId, ProjectId, ReleaseId, RequestId, SiteId, Token};
use crate::base::time::Date;

use crate::crypto::sign::{PublicKey, Signature};

pub use super::facts::{
    ApprovalFacts, ConsentAct, ConsentFacts, DecisionFacts, Digest, ItemList, Module, ModuleState, ReleasedItem, Scope,
    Tier,
};
pub use crate::base::role::{Role, RoleGrant};

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
    /// A steward decided; the signature is over the decision's canonical JSON. The items that it names by digest stand beside it.
    Decision {
        /// What was decided.
        decision: DecisionFacts,
        /// The steward's signature over it.
        sig: Signature,
        /// The items granted, if it names any; with the salt, what its digest is of.
        items: Option<Vec<Token>>,
        /// The salt of that digest, 16 bytes in base64.
        salt: Option<String>,
    },
    /// Something left, to whom, until when, and the digest of its manifest. Stays in the vault and with auditors.
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
    /// That a release was recorded: what its extract may show of the ledger. Names no item, so that two extracts cannot be joined by it.
    Receipt {
        /// The release.
        release: ReleaseId,
        /// Who gets it.
        recipient: PersonId,
        /// They may keep it until.
        until: Date,
        /// SHA-256 of its manifest.
        manifest: Digest,
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
    /// A person has read turns that stand next to what may not go, and let them go.
    Checks {
        /// The transcript version.
        transcript: Token,
        /// How many turns.
        turns: i64,
    },
}
