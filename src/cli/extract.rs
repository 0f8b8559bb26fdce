//! `subrosa extract`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::global::Global;
use super::progress::Bar;
use crate::base::Result;
use crate::crypto::card::{MOST_BYTES, VaultCard};
use crate::domain::request::number;
use crate::ops::build::{self, Built};
use crate::ops::open::{self, Opened, Opening, Pinned};
use crate::store::files;
use crate::store::state::StateFolder;

/// Commands of `subrosa extract`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Build an extract on stewards' signed decisions, sealed to whoever asked.
    #[command(
        after_help = "Example:\n  subrosa --vault ./vault --as ben extract build REQ-7 --out dora.age\n\nThe release is in the ledger before the file appears. Building again gives the same extract."
    )]
    Build(Build),
    /// Open an extract: the analyst's side, without a vault.
    #[command(
        after_help = "Example:\n  subrosa --identity dora.id extract open dora.age --to ./work --vault-card vault.card\n\nEverything is verified before the folder appears: the seal, the signatures, the ledger's proof, every file."
    )]
    Open(Open),
}

/// Arguments of `subrosa extract build`.
#[derive(Args)]
pub(super) struct Build {
    /// The number of the request.
    #[arg(value_name = "REQ-N")]
    request: String,
    /// The file to write; it may not exist yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Arguments of `subrosa extract open`.
#[derive(Args)]
pub(super) struct Open {
    /// The extract.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder to make; it may not exist yet.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The vault's card, from a steward: the extract must come from that vault.
    #[arg(long, value_name = "FILE")]
    vault_card: Option<PathBuf>,
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    let screen = global.screen();
    match command {
        Command::Build(args) => {
            let number = number(&args.request)?;
            let built =
                global.with_vault("extract build", |vault| build::build(vault, number, &args.out, &Bar::new()))?;
            screen.answer(&built, || built_words(&built))
        }
        Command::Open(args) => {
            let card = match &args.vault_card {
                Some(path) => Some(VaultCard::parse(&files::read_bounded(path, MOST_BYTES as u64, "the vault card")?)?),
                None => None,
            };
            let (path, identity) = global.unlock_identity()?;
            let opening = Opening {
                identity: &identity,
                extract: &args.file,
                to: &args.to,
                card: card.as_ref(),
                state: &StateFolder::beside(&path),
                now: global.now(),
            };
            let opened = open::open(&opening, &Bar::new())?;
            if opened.pinned == Pinned::FirstUse {
                screen.warn(
                    "this is the first extract from this vault, and no vault card was given to compare. Its ledger's key is remembered from now on; compare the fingerprint with a steward.",
                );
            }
            screen.answer(&opened, || opened_words(&opened))
        }
    }
}

fn built_words(built: &Built) -> String {
    let again = if built.again { "Built again, the same as before" } else { "Built" };
    format!(
        "{again}: {}\nSealed to {}, level {}, until {}. {} interviews, {} participants; {} interviews and {} turns stayed.\nThe receipt of release {} is entry {} of the ledger.",
        built.file.display(),
        built.recipient,
        built.level,
        built.until,
        built.interviews,
        built.participants,
        built.withheld.interviews,
        built.withheld.turns,
        built.release,
        built.entry,
    )
}

fn opened_words(opened: &Opened) -> String {
    format!(
        "Opened and verified: {}\nProject {}, level {}. {} transcripts, {} participants; {} interviews and {} turns were left out.\n\
         Decided by {}. The receipt of release {} is entry {} of a ledger of {}.\nDestroy all copies by {}.\n\n{}",
        opened.folder.display(),
        opened.project,
        opened.level,
        opened.transcripts,
        opened.participants,
        opened.withheld.interviews,
        opened.withheld.turns,
        opened.decided_by.join(", "),
        opened.release,
        opened.entry,
        opened.ledger_size,
        opened.until,
        opened.conditions,
    )
}
