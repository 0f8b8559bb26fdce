//! `subrosa check`.

use std::fmt::Write as _;

use clap::Args as ClapArgs;

use super::global::Global;
use super::harden;
use super::progress::Bar;
use super::screen;
use crate::base::{Kind, Result};
use crate::ops::check::{self, CheckReport, Options};
use crate::store::state::StateFolder;

/// Arguments of `subrosa check`.
#[derive(ClapArgs)]
#[command(
    after_help = "Examples:\n  subrosa --vault ./vault --as ben check\n  subrosa --vault ./vault --as ben check --fast --json\n\
    Nothing is ever repaired by deleting. The exit code is 4 if there are faults."
)]
pub(super) struct Args {
    /// Look at the presence and size of files only, not at every byte.
    #[arg(long)]
    fast: bool,
}

pub(super) fn run(global: &Global, args: Args) -> Result<()> {
    let mut report = match global.unlock() {
        Ok(mut vault) => check::check(&mut vault, Options { fast: args.fast }, &Bar::new())?,
        Err(error) if error.kind() == Kind::Damage => {
            global.screen().warn(
                "the vault does not unlock; its parts are looked at one by one, which needs your passphrase again",
            );
            let (path, identity) = global.unlock_identity()?;
            let state = StateFolder::beside(&path);
            check::check_apart(global.vault_dir()?, global.keys.as_deref(), &identity, &state, &error)
        }
        Err(error) => return Err(error),
    };
    report.notices.extend(harden::shortcomings());
    global.screen().answer(&report, || words(&report))?;
    report.require_sound()
}

fn words(report: &CheckReport) -> String {
    let rows: Vec<_> = report
        .parts
        .iter()
        .map(|part| {
            vec![
                part.what.clone(),
                part.count.to_string(),
                if part.faults == 0 { "–".into() } else { part.faults.to_string() },
            ]
        })
        .collect();
    let mut out = screen::table(&["looked at", "how many", "faults"], &rows);
    for words in &report.unseen {
        let _ = writeln!(out, "\nNot looked into: {words}.");
    }
    for words in &report.notices {
        let _ = writeln!(out, "\nTo know: {words}.");
    }
    if report.sound {
        out.push_str("\nEverything looked at is sound.");
        return out;
    }
    let _ = writeln!(out, "\n{} fault(s):", report.faults.len() as u64 + report.more);
    for fault in &report.faults {
        let _ = writeln!(out, "  {}: {}", fault.hurt, fault.what);
        if !fault.rest.is_empty() {
            let _ = writeln!(out, "      {}", fault.rest);
        }
    }
    if report.more > 0 {
        let _ = writeln!(out, "  … and {} more", report.more);
    }
    out.push_str("\nWhat was looked at and is not named here is whole. Nothing was changed: keep what is hurt until it is restored.");
    out
}
