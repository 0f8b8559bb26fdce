//! Consent of the participants of an interview: shown, changed, withdrawn, due.
//!
//! Nothing is overwritten: a change is a further event, in the catalogue and in the ledger. For archivists and stewards of the site; names are not
//! among what is shown, participants go by their labels and tokens. Turns are counted from 1.

mod change;
mod due;
mod prepare;
mod show;
mod withdraw;

pub use change::{Bound, Change, EvidenceAsked, Recorded, change, parse_module, plan_change};
pub use due::{Due, due};
pub use prepare::{Plan, ScopeAsked};
pub use show::{EventShown, Shown, VoiceShown, show};
pub use withdraw::{Copy, Heard, Withdrawal, WithdrawalPlan, plan_withdrawal, withdraw};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Result;
use crate::base::id::{InterviewId, Token};
use crate::base::time::Date;
use crate::domain::consent::{ConsentScope, Effective};
use crate::domain::study::Study;
use crate::ledger::event::{Digest, Module, ModuleState, Tier};
use crate::session::View;

/// What a consent comes to.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct StateShown {
    /// The state of every module.
    pub modules: BTreeMap<Module, ModuleState>,
    /// For each granted module, the form version that it was agreed on.
    pub forms: BTreeMap<Module, String>,
    /// How they may be named in print.
    pub tier: Tier,
    /// Nothing leaves before this day.
    pub embargo: Option<Date>,
    /// Nothing leaves after this day.
    pub expiry: Option<Date>,
    /// The archive looks at it again by this day.
    pub review_by: Option<Date>,
    /// A condition in free words waits for a steward.
    pub unmapped: bool,
    /// Withdrawn altogether.
    pub withdrawn: bool,
}

/// What an event covers, in the words of people.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScopeShown {
    /// Everything of the participant.
    All,
    /// One interview.
    Interview {
        /// Its code.
        code: String,
    },
    /// A passage of one interview.
    Passage {
        /// Its code.
        code: String,
        /// What the ledger calls the passage.
        passage: Token,
        /// Its turns.
        turns: Vec<TurnsShown>,
        /// From and to in milliseconds of the recording.
        milliseconds: Vec<(u64, u64)>,
    },
}

/// Turns of one version, counted from 1, both included.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TurnsShown {
    /// The version; none if it is gone.
    pub transcript: Option<u32>,
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

impl StateShown {
    fn new(effective: Effective, study: &Study) -> Self {
        Self {
            forms: effective.forms.iter().map(|(module, form)| (*module, form_name(study, form))).collect(),
            modules: effective.modules,
            tier: effective.tier,
            embargo: effective.embargo,
            expiry: effective.expiry,
            review_by: effective.review_by,
            unmapped: effective.unmapped,
            withdrawn: effective.withdrawn,
        }
    }
}

impl ScopeShown {
    /// With codes and version numbers instead of ids.
    fn new(view: &View<'_>, scope: &ConsentScope) -> Result<Self> {
        let code = |id: &InterviewId| Ok(view.load_interview(*id)?.body.code);
        Ok(match scope {
            ConsentScope::All => Self::All,
            ConsentScope::Interview { interview } => Self::Interview { code: code(interview)? },
            ConsentScope::Passage { interview, passage, turns, times } => {
                let versions = view.transcripts(*interview)?;
                let shown = turns.iter().map(|range| TurnsShown {
                    transcript: versions.iter().find(|v| v.id == range.transcript).map(|v| v.version),
                    first: range.first.saturating_add(1),
                    last: range.last.saturating_add(1),
                });
                Self::Passage {
                    code: code(interview)?,
                    passage: *passage,
                    turns: shown.collect(),
                    milliseconds: times.iter().map(|t| (t.from, t.to)).collect(),
                }
            }
        })
    }
}

impl std::fmt::Display for ScopeShown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("everything of this participant"),
            Self::Interview { code } => write!(f, "the interview {code}"),
            Self::Passage { code, passage, turns, milliseconds } => {
                write!(f, "a passage of {code} ({passage})")?;
                for range in turns {
                    write!(f, ", turns {}-{}", range.first, range.last)?;
                    if let Some(version) = range.transcript {
                        write!(f, " of transcript {version}")?;
                    }
                }
                for (from, to) in milliseconds {
                    write!(f, ", seconds {}-{}", from / 1_000, to.div_ceil(1_000))?;
                }
                Ok(())
            }
        }
    }
}

/// The word of a module, a state or a tier as it stands in JSON: `quote_text`.
pub fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

/// The module, state or tier of a word, dashes and capitals aside.
pub fn from_word<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    let text = text.trim().to_lowercase().replace('-', "_");
    serde_json::from_value(serde_json::Value::String(text)).ok()
}

/// The version of a form by its digest.
fn form_name(study: &Study, form: &Digest) -> String {
    match study.form_of_digest(form) {
        Some(form) => form.version.clone(),
        None => format!("a form that the study does not name ({})", form.to_base64()),
    }
}
