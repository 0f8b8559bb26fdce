//! Everything in the ledger that concerns one interview, by its tokens.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::log::LogLine;
use super::{Names, Source, listed, opened, record_reading};
use crate::base::id::{Token, VaultId};
use crate::base::{Error, Result, canonical};
use crate::domain::consent::ConsentScope;
use crate::domain::interview::Object;
use crate::ledger::entry::Entry;
use crate::ledger::event::Event;
use crate::ops::register;
use crate::session::{Unlocked, Vault};

const FORMAT: &str = "subrosa-slip/1";
/// The most tokens of one slip.
const MAX_TOKENS: usize = 10_000;

/// The tokens of one interview and what each stands for, without its code: for a board, who can then follow it through the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    format: String,
    /// The vault.
    pub vault: VaultId,
    /// A word for each token: `interview`, `participant`, `recording`, `document`, `evidence`, `transcript` or `passage`.
    pub tokens: BTreeMap<Token, String>,
}

/// What the ledger tells of one interview.
#[derive(Clone, Serialize)]
pub struct Told {
    /// The tokens looked for.
    pub tokens: BTreeMap<Token, String>,
    /// The entries that name one of them, with those events alone that do.
    pub entries: Vec<LogLine>,
}

crate::base::text::hidden!(Told);

impl Slip {
    /// The slip of an interview, by its archive code. For archivists of the site and stewards. Leaves an entry.
    pub fn of(vault: &mut Vault<Unlocked>, code: &str) -> Result<Self> {
        let (interview, slip) = collect(vault, code)?;
        record_reading(vault, "audit slip", opened("slip", interview))?;
        Ok(slip)
    }

    /// Its bytes: canonical JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        canonical::to_vec(self)
    }

    /// Reads a slip.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let bad =
            || Error::user("this is not a slip", "Ask whoever wrote it with `subrosa audit slip` for the file again.");
        let slip: Self = canonical::from_slice(bytes).map_err(|_| bad())?;
        if slip.format != FORMAT || slip.tokens.is_empty() || slip.tokens.len() > MAX_TOKENS {
            return Err(bad());
        }
        Ok(slip)
    }
}

/// Everything that concerns an interview, by its archive code. For archivists of the site and stewards. Leaves an entry.
pub fn who_code(vault: &mut Vault<Unlocked>, code: &str, names: &Names) -> Result<Told> {
    let (interview, slip) = collect(vault, code)?;
    let told = follow(Source::Vault(vault.log()), &slip, names)?;
    record_reading(vault, "audit who", opened("history", interview))?;
    Ok(told)
}

/// As [`who_code`], by a slip: needs the ledger key alone. Whoever could write entries leaves one.
pub fn who_slip(vault: &mut Vault<Unlocked>, slip: &Slip, names: &Names) -> Result<Told> {
    let told = follow(Source::Vault(vault.log()), slip, names)?;
    record_reading(vault, "audit who", listed("ledger", vec!["slip".into()], told.entries.len()))?;
    Ok(told)
}

/// As [`who_slip`], in an exported folder: needs no vault and no key.
pub fn who_export(dir: &Path, slip: &Slip, names: &Names) -> Result<Told> {
    follow(Source::Export(dir), slip, names)
}

/// Follows the tokens of a slip through a ledger.
fn follow(source: Source<'_>, slip: &Slip, names: &Names) -> Result<Told> {
    let mut entries = Vec::new();
    for leaf in source.leaves()? {
        let leaf = leaf?;
        if !mentions(&leaf, slip) {
            continue;
        }
        let Ok(entry) = Entry::parse(&leaf) else { continue };
        if entry.vault != slip.vault {
            return Err(Error::user("the slip is of another vault", "Give the ledger of the vault that it came from."));
        }
        let concerns = |event: &Event| serde_json::to_vec(event).is_ok_and(|bytes| mentions(&bytes, slip));
        entries.push(LogLine::new(&entry, names, concerns));
    }
    Ok(Told { tokens: slip.tokens.clone(), entries })
}

/// Whether a JSON text holds one of the tokens as a string.
fn mentions(json: &[u8], slip: &Slip) -> bool {
    json.split(|b| *b == b'"').filter(|part| part.len() == 32).any(|part| {
        let token = std::str::from_utf8(part).ok().and_then(|text| text.parse().ok());
        token.is_some_and(|token: Token| slip.tokens.contains_key(&token))
    })
}

/// An interview's token, and the slip with all that belong to it.
fn collect(vault: &Vault<Unlocked>, code: &str) -> Result<(Token, Slip)> {
    let view = vault.view()?;
    let interview = view.find_interview(code)?;
    register::require_keeper(&view, &interview.row)?;
    let mut tokens = BTreeMap::from([(interview.body.token, "interview".to_owned())]);
    for row in view.objects(interview.row.id)? {
        let object: Object = row.body.open(&interview.key)?;
        let kind = serde_json::to_value(object.kind).unwrap_or_default();
        tokens.insert(object.token, kind.as_str().unwrap_or("object").to_owned());
    }
    for row in view.transcripts(interview.row.id)? {
        tokens.insert(view.outline(&row, &interview.key)?.token, "transcript".into());
    }
    for participant in view.voices(interview.row.id)? {
        let participant = view.load_participant(participant)?;
        tokens.insert(participant.body.token, "participant".into());
        for event in view.consent_events(&participant)? {
            if let ConsentScope::Passage { interview: of, passage, .. } = event.scope
                && of == interview.row.id
            {
                tokens.insert(passage, "passage".into());
            }
        }
    }
    Ok((interview.body.token, Slip { format: FORMAT.into(), vault: vault.layout().vault(), tokens }))
}
