//! `subrosa study`: check and amend the study definition.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::global::Global;
use crate::base::text::count;
use crate::base::{Error, Result};
use crate::ops::study;
use crate::store::files;

/// Commands of `subrosa study`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Explain every fault of a study definition. Needs no vault.
    #[command(after_help = "Example: subrosa study check study.toml")]
    Check {
        /// The study definition.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Put a new version of the study in force, effective forward. For stewards.
    #[command(after_help = "Example: subrosa --vault ./vault --as ada study amend study.toml")]
    Amend {
        /// The new study definition.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Write the study definition in force.
    #[command(after_help = "Example: subrosa --vault ./vault --as ada study show > study.toml")]
    Show,
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    match command {
        Command::Check { file } => check(global, &file),
        Command::Amend { file } => amend(global, &file),
        Command::Show => global.with_vault("study show", |vault| {
            let text = vault.commit("study show", |act| {
                act.event(crate::ledger::event::Event::Listed { what: "study".into(), filters: vec![], count: 1 });
                Ok(act.study()?.0.text)
            })?;
            global.screen().say(text.trim_end())
        }),
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    files::read_bounded(file, crate::domain::study::MAX_BYTES as u64, "the study definition")
}

fn check(global: &Global, file: &Path) -> Result<()> {
    let checked = study::check(read(file)?)?;
    global.screen().answer(&checked, || {
        let mut out = String::new();
        for fault in &checked.faults {
            let key = if fault.key.is_empty() { String::new() } else { format!(", {}", fault.key) };
            out.push_str(&format!("line {}{key}: {}\n    {}\n", fault.line, fault.what, fault.remedy));
        }
        if checked.sound {
            out.push_str(&format!("The study is sound: {} sites, {} form texts.", checked.sites, checked.forms));
        }
        out
    })?;
    if checked.sound {
        return Ok(());
    }
    let faults = count(checked.faults.len(), "fault", "faults");
    Err(Error::user(format!("the study definition has {faults}"), "Mend what is listed and check again."))
}

fn amend(global: &Global, file: &Path) -> Result<()> {
    let (text, new) = study::read(read(file)?)?;
    global.with_vault("study amend", |vault| {
        let screen = global.screen();
        let plan = study::plan_amendment(vault, &new)?;
        screen.note(&format!(
            "This puts version {} of the study in force from now on.\n  new sites: {}\n  new form texts: {}",
            plan.version,
            listed(&plan.new_sites),
            listed(&plan.new_forms)
        ));
        screen.confirm("Amend the study?")?;
        let done = study::amend(vault, &text, &new)?;
        screen.answer(&done, || format!("Version {} of the study is in force.", done.version))
    })
}

fn listed(items: &[String]) -> String {
    if items.is_empty() { "none".into() } else { items.join(", ") }
}
