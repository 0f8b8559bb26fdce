//! What stands in an extract beside the words: the manifest, the decisions, and the names of the files.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::base::id::{PersonId, ProjectId, ReleaseId, VaultId};
use crate::base::time::{Date, Moment};
use crate::crypto::card::Card;
use crate::crypto::sign::Signature;
use crate::ledger::event::{DecisionFacts, Tier};

/// The format of a manifest.
pub const FORMAT: &str = "subrosa-extract/1";
/// The format of `decision.json`.
pub const DECISIONS_FORMAT: &str = "subrosa-decisions/1";
/// The context of the builder's signature over the bytes of the manifest.
pub const MANIFEST_CONTEXT: &str = "subrosa/manifest/1";

/// What is in the extract, for whom, until when.
pub const MANIFEST: &str = "manifest.json";
/// The builder's signature over the manifest, base64 and a line feed.
pub const MANIFEST_SIG: &str = "manifest.sig";
/// The stewards' signed decisions.
pub const DECISION: &str = "decision.json";
/// The ledger entry with the receipt of the release.
pub const RELEASE: &str = "release.json";
/// The proof that the ledger holds it.
pub const PROOF: &str = "release.tlog-proof";
/// The card of the vault.
pub const VAULT_CARD: &str = "vault.card";
/// What this is, in words.
pub const README: &str = "README.txt";
/// The table of participants.
pub const PARTICIPANTS: &str = "participants.csv";

/// `manifest.json` (`schema/json/manifest.schema.json`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// The vault.
    pub vault: VaultId,
    /// The origin of its ledger.
    pub origin: String,
    /// The project.
    pub project: ProjectName,
    /// The release.
    pub release: ReleaseId,
    /// Who gets it.
    pub recipient: PersonId,
    /// The level: 1, 2 or 3.
    pub level: u8,
    /// The engines whose suggestions were decided in the reviews.
    pub engine: String,
    /// All copies are destroyed by this day.
    pub until: Date,
    /// The conditions accepted.
    pub conditions: Accepted,
    /// The time of the last decision: the same grant gives the same bytes.
    pub built: Moment,
    /// The other files that do not depend on the ledger, by name.
    pub files: Vec<FileFacts>,
    /// The transcripts, by citation code and language.
    pub interviews: Vec<InterviewFacts>,
    /// How many participants are heard.
    pub participants: u64,
    /// How much of what was asked for did not go.
    pub withheld: Withheld,
}

/// A project in a manifest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectName {
    /// Its id.
    pub id: ProjectId,
    /// Its title.
    pub title: String,
}

/// The conditions that the recipient accepted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The version.
    pub version: String,
    /// The text.
    pub text: String,
}

/// A file of the extract.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// Its name.
    pub path: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

/// A transcript in a manifest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterviewFacts {
    /// What may be printed for the interview.
    pub citation: String,
    /// The prefix of its site.
    pub site: String,
    /// BCP 47.
    pub language: String,
    /// Turns in the transcript.
    pub turns: u64,
    /// Turns that were left out.
    pub turns_left_out: u64,
    /// How each voice may be named in print.
    pub attribution: Vec<Attribution>,
}

/// How a voice may be named in print.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribution {
    /// Pseudonym within the project.
    pub participant: String,
    /// At most so.
    pub tier: Tier,
}

/// How much did not go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// Interviews that stay altogether.
    pub interviews: u64,
    /// Turns that stay, those of such interviews among them.
    pub turns: u64,
}

/// `decision.json`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decisions {
    /// [`DECISIONS_FORMAT`].
    pub format: String,
    /// Each steward's, oldest first.
    pub decisions: Vec<SignedDecision>,
}

/// A steward's decision with what it takes to verify it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedDecision {
    /// What was decided.
    pub decision: DecisionFacts,
    /// The steward's signature over it.
    pub sig: Signature,
    /// The steward's card.
    pub card: Card,
}

impl FileFacts {
    /// Of these bytes.
    pub fn of(path: &str, bytes: &[u8]) -> Self {
        Self::new(path, &Sha256::digest(bytes), bytes.len() as u64)
    }

    /// Of a file with this SHA-256 and length.
    pub fn new(path: &str, sha256: &[u8], bytes: u64) -> Self {
        Self { path: path.to_owned(), sha256: data_encoding::HEXLOWER.encode(sha256), bytes }
    }
}

/// The name of a transcript: `transcripts/C-7F3K-2M9Q.txt`, a translation's with its language before the last dot.
pub fn transcript_path(citation: &str, translation: Option<&str>) -> String {
    match translation {
        Some(language) => format!("transcripts/{citation}.{language}.txt"),
        None => format!("transcripts/{citation}.txt"),
    }
}
