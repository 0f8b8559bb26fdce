//! The study definition: read, explained, amended; and the page that a board keeps of a new vault.

use std::fmt::Write;

use serde::Serialize;

use crate::base::role::Role;
use crate::base::{Error, Result};
use crate::crypto::card::{Card, VaultCard};
use crate::domain::study::{self, Fault, Study};
use crate::ledger::event::{Digest, Event};
use crate::session::{SiteRecord, StudyRecord, Unlocked, Vault};
use crate::store::catalogue::RecordKind;

/// What `study check` says.
#[derive(Serialize)]
pub struct Checked {
    /// Whether the study can be used.
    pub sound: bool,
    /// Title, if it can be read.
    pub title: Option<String>,
    /// How many sites.
    pub sites: usize,
    /// How many form texts.
    pub forms: usize,
    /// Everything that is wrong.
    pub faults: Vec<FaultLine>,
}

/// A fault of a study definition.
#[derive(Serialize)]
pub struct FaultLine {
    /// Counted from 1.
    pub line: usize,
    /// The key.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// Explains every fault of a study definition.
pub fn check(bytes: Vec<u8>) -> Result<Checked> {
    let text = utf8(bytes)?;
    Ok(match Study::parse(&text) {
        Ok(study) => Checked {
            sound: true,
            title: Some(study.title.clone()),
            sites: study.sites.len(),
            forms: study.forms.len(),
            faults: Vec::new(),
        },
        Err(faults) => Checked { sound: false, title: None, sites: 0, forms: 0, faults: lines(faults) },
    })
}

/// Reads a study definition, or tells the first fault and how many more there are.
pub fn read(bytes: Vec<u8>) -> Result<(String, Study)> {
    let text = utf8(bytes)?;
    let study = Study::read(&text)?;
    Ok((text, study))
}

/// What an amendment changes.
#[derive(Debug, Serialize)]
pub struct Amendment {
    /// The version that it makes.
    pub version: u32,
    /// Prefixes of sites that come with it.
    pub new_sites: Vec<String>,
    /// Versions and languages of form texts that come with it.
    pub new_forms: Vec<String>,
}

/// What putting `study` in force would change; refuses what an amendment may not do. For stewards.
pub fn plan_amendment(vault: &Vault<Unlocked>, study: &Study) -> Result<Amendment> {
    let view = vault.view()?;
    view.require(Role::Steward, None)?;
    let (record, before) = view.study()?;
    let faults = study.amendment_faults(&before);
    if !faults.is_empty() {
        return Err(study::as_error(&faults));
    }
    let known = |form: &&study::Form| before.form_of_digest(&form.digest()).is_none();
    Ok(Amendment {
        version: record.version + 1,
        new_sites: study.sites.iter().filter(|s| before.site(&s.prefix).is_none()).map(|s| s.prefix.clone()).collect(),
        new_forms: study.forms.iter().filter(known).map(|f| format!("{} ({})", f.version, f.language)).collect(),
    })
}

/// Puts a new version of the study in force, effective forward. For stewards.
pub fn amend(vault: &mut Vault<Unlocked>, text: &str, study: &Study) -> Result<Amendment> {
    let plan = plan_amendment(vault, study)?;
    vault.commit("study amend", |act| {
        act.require(Role::Steward, None)?;
        let (record, _) = act.study()?;
        if record.version + 1 != plan.version {
            return Err(Error::user("the study was amended by somebody else just now", "Look at it again first."));
        }
        let digest = Digest::of(text.as_bytes());
        let sig = study::sign_study(text, act.signer());
        act.event(Event::Study { version: i64::from(plan.version), digest, text: text.to_owned(), sig });
        let known = act.sites()?;
        for site in &study.sites {
            let old = known.values().find(|s| s.prefix == site.prefix);
            let id = match old {
                Some(record) => record.id,
                None => crate::base::id::SiteId::random()?,
            };
            if old.is_none() {
                let record = SiteRecord { id, prefix: site.prefix.clone() };
                act.tables().put_record(RecordKind::Site, id.as_bytes(), act.seq(), &record)?;
            }
            act.event(Event::Site { site: id, country: site.country.clone(), boards: site.boards.clone() });
        }
        let record = StudyRecord { version: plan.version, text: text.to_owned(), steward: act.person(), sig, digest };
        act.tables().put_record(RecordKind::Study, &crate::session::version_id(plan.version), act.seq(), &record)?;
        Ok(())
    })?;
    // New sites get their keys with the next change of membership, which this one is to the same people.
    crate::session::refresh_membership(vault).map_err(|error| {
        Error::new(
            error.kind(),
            format!(
                "the amendment is recorded and in force, but new sites could not be given keys yet: {}",
                error.what()
            ),
            "Do not run it again: mend what is wrong, and the next command of a steward makes the keys.",
        )
    })?;
    Ok(plan)
}

/// One page for the ethics board to keep: with it, everything that the vault ever shows can be checked.
pub fn fingerprint_sheet(
    vault: &VaultCard,
    steward: &Card,
    boards: &[Card],
    trustees: &[Card],
    threshold: u8,
) -> Result<String> {
    let facts = vault.facts();
    let mut page = String::new();
    let mut line = |text: String| {
        let _ = writeln!(page, "{text}");
    };
    line("SUBROSA VAULT: FINGERPRINT SHEET".into());
    line("Print this page, sign it, and keep it with the approval. Everything the vault shows later can be held against it.".into());
    line(String::new());
    line(format!("Vault                {}", facts.vault));
    line(format!("Founded              {}", facts.issued));
    line(format!("Origin of its log    {}", vault.origin()));
    line(format!("First entry (hash)   {}", data_encoding::BASE64.encode(&facts.genesis)));
    line(format!("Key of its log       {}", facts.log_key.to_base64()));
    line(format!("Fingerprint          {}", vault.fingerprint()?));
    line(String::new());
    line(format!("First steward        {}", steward.name()));
    line(format!("  fingerprint        {}", steward.fingerprint()?));
    for (title, cards) in [("Board", boards), ("Trustee", trustees)] {
        for card in cards {
            line(format!("{title:<20} {}", card.name()));
            line(format!("  fingerprint        {}", card.fingerprint()?));
        }
    }
    if !trustees.is_empty() {
        line(format!("Trustees needed      {threshold} of {}", trustees.len()));
    }
    line(String::new());
    line("To check the vault at any time: ask for an export of its ledger and run".into());
    line("    subrosa audit verify --export FOLDER --checkpoint THE-LAST-ONE-YOU-HOLD".into());
    line(format!("Signed: ______________________________   Date: {}", "______________"));
    Ok(page)
}

fn utf8(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| Error::user("the study definition is not UTF-8 text", "Save it as UTF-8, then try again."))
}

fn lines(faults: Vec<Fault>) -> Vec<FaultLine> {
    let line = |f: Fault| FaultLine { line: f.line, key: f.key, what: f.what, remedy: f.remedy };
    faults.into_iter().map(line).collect()
}
