//! `subrosa approval`: ethics boards' approvals.

use std::path::PathBuf;

use clap::Subcommand;

use super::global::Global;
use super::screen::table;
use crate::base::id::ApprovalId;
use crate::base::time::Date;
use crate::base::{Error, Result};
use crate::ops::approval::{self, Recorded};
use crate::store::files;

/// Commands of `subrosa approval`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Record a board's approval. For stewards.
    #[command(
        after_help = "Example: subrosa --vault ./vault --as ada approval add --board university --reference 2022/117 \\\n\
        \x20   --title \"Oral histories of departure\" --fieldwork 2022-03-01..2024-12-31 --use 2022-03-01..2032-12-31"
    )]
    Add {
        /// The kind of board, as the study demands it for its sites.
        #[arg(long)]
        board: String,
        /// The board's own reference.
        #[arg(long)]
        reference: String,
        /// What was approved.
        #[arg(long)]
        title: String,
        /// The sites it covers; all if left out.
        #[arg(long, value_delimiter = ',')]
        sites: Vec<String>,
        /// Interviews may have been made in this period: FROM..TO.
        #[arg(long, value_parser = period, value_name = "FROM..TO")]
        fieldwork: Period,
        /// Material may be released in this period: FROM..TO.
        #[arg(long = "use", value_parser = period, value_name = "FROM..TO")]
        usage: Period,
        /// Purposes that it covers, as DUO codes; all if left out.
        #[arg(long, value_delimiter = ',')]
        purposes: Vec<String>,
        /// The board's letter, kept in the vault.
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
    },
    /// List the approvals.
    List,
    /// Write a board's letter to a file.
    Document {
        /// The approval's id.
        id: ApprovalId,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// From, to; both days included.
#[derive(Clone, Copy)]
pub(super) struct Period(pub(super) Date, pub(super) Date);

/// Reads `FROM..TO`.
pub(super) fn period(text: &str) -> std::result::Result<Period, String> {
    let bad = || "write it as 2022-03-01..2024-12-31".to_owned();
    let (from, to) = text.split_once("..").ok_or_else(bad)?;
    Ok(Period(from.trim().parse().map_err(|_| bad())?, to.trim().parse().map_err(|_| bad())?))
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    let screen = global.screen();
    match command {
        Command::Add { board, reference, title, sites, fieldwork, usage, purposes, document } => {
            let document = document
                .map(|path| files::read_bounded(&path, approval::MAX_DOCUMENT, "the board's letter"))
                .transpose()?;
            let said = Recorded {
                board,
                reference,
                title,
                sites,
                fieldwork: (fieldwork.0, fieldwork.1),
                usage: (usage.0, usage.1),
                purposes,
                document,
            };
            let id = global.with_vault("approval add", |vault| approval::add(vault, said))?;
            screen.answer(&serde_json::json!({ "id": id }), || format!("Recorded the approval {id}."))
        }
        Command::List => {
            let all = global.with_vault("approval list", approval::list)?;
            screen.answer(&all, || {
                let rows: Vec<_> = all
                    .iter()
                    .map(|a| {
                        vec![
                            a.id.to_string()[..8].to_owned(),
                            a.board.clone(),
                            a.reference.clone(),
                            a.sites.as_ref().map_or("all".into(), |s| s.join(" ")),
                            format!("{}..{}", a.fieldwork.0, a.fieldwork.1),
                            format!("{}..{}", a.usage.0, a.usage.1),
                            if a.purposes.is_empty() { "all".into() } else { a.purposes.join(" ") },
                            a.title.clone(),
                        ]
                    })
                    .collect();
                table(&["id", "board", "reference", "sites", "fieldwork", "use", "purposes", "title"], &rows)
            })
        }
        Command::Document { id, out } => {
            super::identity::refuse_existing(&out)?;
            let bytes = global.with_vault("approval document", |vault| approval::document(vault, id))?;
            if bytes.is_empty() {
                return Err(Error::user("the letter is empty", ""));
            }
            files::write_whole(&out, &bytes, "the letter")
        }
    }
}
