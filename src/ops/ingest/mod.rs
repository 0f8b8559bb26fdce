//! Taking in a delivery: everything is validated first, then all of it is taken, or nothing.
//!
//! [`check`] reads the whole delivery, lists every fault at once and says what would be taken in; [`take`] takes it in one commit. What the vault has already is
//! recognised by the keyed fingerprint of its bytes and passed over, so that running the same delivery again, mended or not, is safe.

mod agreed;
mod consents;
mod delivery;
mod folder;
mod objects;
mod people;
mod plan;
mod resolve;
mod speakers;
mod texts;
mod transcripts;
mod words;
mod work;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use crate::base::id::Token;
use crate::base::progress::Progress;
use crate::base::text::count;
use crate::base::{Error, Result};
use crate::ledger::event::{Digest, Event};
use crate::session::{Unlocked, Vault};

use delivery::Delivery;
use plan::Faults;
use resolve::Background;
use work::{Job, Work};

pub use folder::Left;
pub use plan::{FaultLine, Plan, Planned, PlannedRecording, PlannedTranscript};

/// A delivery that was read and compared with the vault.
pub struct Checked {
    delivery: Delivery,
    summaries: BTreeMap<String, words::Summary>,
    study: Digest,
    /// What is wrong with it, and what it would bring.
    pub plan: Plan,
}

/// What was taken in.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Taken {
    /// New interviews.
    pub interviews: u64,
    /// Known interviews that something was added to.
    pub added_to: u64,
    /// New participants.
    pub participants: u64,
    /// Recordings.
    pub recordings: u64,
    /// Transcript versions.
    pub transcripts: u64,
    /// Documents.
    pub documents: u64,
    /// Scans and other evidence of consent.
    pub evidence: u64,
    /// Consents.
    pub consents: u64,
    /// Bytes of recordings, documents and evidence.
    pub bytes: u64,
    /// Marks that went along to corrected transcripts.
    pub marks_carried: u64,
    /// Marks that stayed behind, because the words under them have changed: somebody must look.
    pub marks_to_look_at: u64,
    /// Files that the vault had already.
    pub known_files: u64,
}

/// Reads the delivery in `dir`, but for the codes in `without`, and compares it with the vault. Changes nothing; where known interviews were looked at, the ledger
/// says so. Every fault of the delivery is in the plan; an error says that there is no delivery to speak of, or that the reader is no archivist of a site in it.
pub fn check(vault: &mut Vault<Unlocked>, dir: &Path, without: &[String], progress: &dyn Progress) -> Result<Checked> {
    let mut faults = Faults::default();
    let today = vault.now()?.date();
    let view = vault.view()?;
    view.require(crate::base::role::Role::Archivist, None)?;
    let (record, study) = view.study()?;
    let delivery = delivery::read(dir, &study, without, &mut faults, progress)?;
    apart(&delivery, vault)?;
    let background = Background::load(&view, &delivery)?;
    let seen: BTreeSet<Token> = background.known.iter().flatten().map(|k| k.body.token).collect();
    let labels: Vec<Vec<String>> =
        delivery.entries.iter().enumerate().map(|(at, entry)| background.labels(at, entry)).collect();
    let mut asked = Vec::new();
    for (entry, labels) in delivery.entries.iter().zip(&labels) {
        for transcript in &entry.said.transcripts {
            if let Some(facts) = delivery.files.get(&transcript.file.key()) {
                asked.push(words::Asked { facts, line: transcript.line, labels });
            }
        }
    }
    let summaries = words::check(&delivery, &asked, &mut faults, progress);
    let work = resolve::resolve(&view, background, &delivery, &summaries, today, &mut faults)?;
    let plan = plan_of(&delivery, &summaries, &work, faults);
    if !seen.is_empty() {
        vault.commit("ingest check", |act| {
            act.event(Event::Opened { what: "ingest check".into(), tokens: seen.into_iter().collect() });
            Ok(())
        })?;
    }
    Ok(Checked { delivery, summaries, study: record.digest, plan })
}

/// Takes in what was checked: all of it, or nothing. The delivery is compared with the vault once more, under its lock.
pub fn take(vault: &mut Vault<Unlocked>, checked: &Checked, progress: &dyn Progress) -> Result<Taken> {
    let Checked { delivery, summaries, study, plan } = checked;
    if !plan.faults.is_empty() {
        return Err(faulty(plan));
    }
    if plan.is_empty() {
        return Ok(Taken { known_files: plan.known_files, ..Taken::default() });
    }
    // What an ingest that was killed had begun to seal.
    let lock = vault.layout().lock()?;
    vault.layout().clean_tmp(&lock)?;
    drop(lock);
    vault.commit("ingest", |act| {
        let stale = || {
            Error::user(
                "the vault was changed while you were looking at the plan; nothing was taken in",
                "Run the command again.",
            )
        };
        let view = **act;
        if view.study()?.0.digest != *study {
            return Err(stale());
        }
        let mut faults = Faults::default();
        let background = Background::load(&view, delivery)?;
        let work = resolve::resolve(&view, background, delivery, summaries, act.now().date(), &mut faults)?;
        let now = plan_of(delivery, summaries, &work, faults);
        if !now.faults.is_empty() || now.interviews != plan.interviews || now.described != plan.described {
            return Err(stale());
        }
        write::write(act, delivery, work, progress)
    })
}

/// What still lies in the delivery's folder in clear.
pub fn left(checked: &Checked) -> Left {
    checked.delivery.folder.left()
}

/// A delivery with faults, as one error that says how many there are.
pub fn faulty(plan: &Plan) -> Error {
    let count = plan.faults.len();
    let what =
        if count == 1 { "the delivery has a fault".to_owned() } else { format!("the delivery has {count} faults") };
    Error::user(
        format!("{what}; nothing was taken in"),
        "Mend what is listed and run the command again: what is in the vault already is never taken twice. --without CODE leaves an interview out.",
    )
}

/// A delivery may not lie in the vault, nor the vault in it.
fn apart(delivery: &Delivery, vault: &Vault<Unlocked>) -> Result<()> {
    let root = delivery.folder.root();
    let layout = vault.layout();
    let keys = layout.keys().canonicalize().unwrap_or_else(|_| layout.keys().to_path_buf());
    if [layout.root(), keys.as_path()].iter().any(|own| root.starts_with(own) || own.starts_with(root)) {
        return Err(Error::user(
            "the delivery and the vault lie one inside the other",
            "Move the delivery to a folder of its own.",
        ));
    }
    Ok(())
}

fn plan_of(delivery: &Delivery, summaries: &BTreeMap<String, words::Summary>, work: &Work, faults: Faults) -> Plan {
    let (lines, mut notices) = faults.into_parts(delivery.name);
    let named = delivery.files.len() as u64 + 1;
    let unnamed_files = delivery.folder.count().saturating_sub(named);
    if lines.is_empty() && unnamed_files > 0 {
        let files = count(unnamed_files, "file in the folder is", "files in the folder are");
        notices.push(format!("{files} not named by the manifest and not taken in."));
    }
    if work.known_files > 0 {
        let files = count(work.known_files, "file is", "files are");
        notices.push(format!("{files} in the vault already and passed over."));
    }
    Plan {
        faults: lines,
        notices,
        interviews: work.jobs.iter().map(|job| planned(delivery, summaries, job)).collect(),
        described: work.updates.len() as u64,
        unchanged: work.unchanged,
        known_files: work.known_files,
        unnamed_files,
    }
}

fn planned(delivery: &Delivery, summaries: &BTreeMap<String, words::Summary>, job: &Job) -> Planned {
    use crate::domain::interview::ObjectKind as K;
    let of = |kind| job.objects.iter().filter(move |o| o.kind == kind);
    let bytes = |file: &String| delivery.files.get(file).map_or(0, |f| f.length);
    let mut people: Vec<_> = job.speakers.iter().filter_map(|s| s.person).collect();
    people.retain(|p| matches!(p, work::Person::New(_)));
    Planned {
        code: job.code.clone(),
        new: job.known.is_none(),
        participants: people.len() as u64,
        recordings: of(K::Recording)
            .map(|o| PlannedRecording { form: o.form.clone(), bytes: bytes(&o.file), duration_ms: o.duration_ms })
            .collect(),
        transcripts: job
            .transcripts
            .iter()
            .map(|t| PlannedTranscript {
                version: t.version,
                kind: work::kind_word(t.kind).into(),
                language: t.language.clone(),
                turns: summaries.get(&t.file).map_or(0, |s| s.turns),
                encoding: summaries.get(&t.file).and_then(|s| s.encoding).map(str::to_owned),
            })
            .collect(),
        documents: of(K::Document).count() as u64,
        evidence: of(K::Evidence).count() as u64,
        consents: job.consents.len() as u64,
    }
}
