//! What `subrosa audit` says in words.

use std::fmt::Write as _;

use super::VerifyArgs;
use crate::ops::audit::{LogLine, LogPage, Told, VerifyReport};

pub(super) fn page_words(page: &LogPage) -> String {
    let mut out = String::new();
    if page.more {
        out.push_str("… older entries fit too: --all shows them, --last N more of them.\n");
    }
    page.entries.iter().for_each(|line| line_words(line, &mut out));
    if page.entries.is_empty() {
        out.push_str("No entry fits.\n");
    }
    for seq in &page.unreadable {
        let _ = writeln!(out, "Entry {seq} cannot be read: `subrosa audit verify` says why.");
    }
    let _ = writeln!(out, "{} of {} entries shown.", page.entries.len(), page.size);
    out
}

fn line_words(line: &LogLine, out: &mut String) {
    let id = line.actor.to_string();
    let who = line.name.as_deref().unwrap_or_else(|| id.get(..8).unwrap_or(&id));
    let _ = writeln!(out, "{:>6}  {}  {who}  {}", line.seq, line.time, line.command);
    for words in &line.words {
        let _ = writeln!(out, "        {words}");
    }
}

pub(super) fn verify_words(report: &VerifyReport, args: &VerifyArgs) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "Entries       {}", report.entries);
    let _ = writeln!(out, "Root          {}", report.root.to_base64());
    if let Some(genesis) = report.genesis {
        let _ = writeln!(out, "Genesis       {}", genesis.to_base64());
    }
    if let Some(time) = report.last_time {
        let _ = writeln!(out, "Last entry    {time}");
    }
    let before = match report.signatures_from {
        0 => "all entries".to_owned(),
        n => format!("entries from {n} on; you verified those before (--all verifies them again)"),
    };
    let _ = writeln!(out, "Signatures    {} hold: {before}", report.signatures);
    match report.checkpoint {
        Some(size) => {
            let _ = writeln!(out, "Checkpoint    holds, over {size} entries");
        }
        None => out.push_str("Checkpoint    none that holds\n"),
    }
    for board in &report.cosigned {
        let time = board.time.map_or(String::new(), |time| format!(" at {time}"));
        let _ = writeln!(out, "Cosigned      by {}{time}", board.name);
    }
    let _ = writeln!(
        out,
        "Kept before   {} checkpoint(s) kept elsewhere: the ledger begins with what they vouch for",
        report.earlier
    );
    let _ = writeln!(out, "Releases      {} decided again from the events before them", report.releases);
    if let Some(fingerprint) = &report.card {
        let _ = writeln!(out, "Card          {fingerprint}");
        if report.card_from_export {
            out.push_str(
                "              The keys come from the export's own card: compare this with the fingerprint sheet.\n",
            );
        }
    }
    if report.sound {
        out.push_str("\nThe ledger is sound.");
        if args.checkpoint.is_empty() && args.export.is_some() {
            out.push_str(" What came before can only be proved against a checkpoint that you kept: --checkpoint FILE.");
        }
        return out;
    }
    let _ = writeln!(out, "\n{} fault(s):", report.faults.len() as u64 + report.more);
    for fault in &report.faults {
        let place = fault.entry.map_or(String::new(), |seq| format!("entry {seq}: "));
        let _ = writeln!(out, "  {}: {place}{}", fault.part, fault.words);
    }
    if report.more > 0 {
        let _ = writeln!(out, "  … and {} more", report.more);
    }
    out
}

pub(super) fn told_words(told: &Told) -> String {
    let mut out = String::from("Tokens\n");
    for (token, what) in &told.tokens {
        let _ = writeln!(out, "  {token}  {what}");
    }
    let _ = writeln!(out, "\n{} entries concern it:", told.entries.len());
    told.entries.iter().for_each(|line| line_words(line, &mut out));
    out
}
