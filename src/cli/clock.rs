//! `subrosa clock`: when the machine's clock and the ledger disagree.

use std::path::PathBuf;

use clap::Subcommand;

use super::global::Global;
use crate::base::Result;
use crate::store::files;

/// Commands of `subrosa clock`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Sign a statement that this machine's clock is right. Two archivists or stewards must.
    #[command(after_help = "Example: subrosa --vault ./vault --as ada clock sign --out ada.clock")]
    Sign {
        /// The statement to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Go on with the clock that two people have signed for.
    #[command(after_help = "Example: subrosa --vault ./vault --as ben clock accept ada.clock ben.clock")]
    Accept {
        /// The one statement.
        #[arg(value_name = "FILE")]
        first: PathBuf,
        /// The other statement.
        #[arg(value_name = "FILE")]
        second: PathBuf,
    },
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    match command {
        Command::Sign { out } => {
            super::identity::refuse_existing(&out)?;
            files::write_whole(&out, &global.unlock()?.sign_clock()?, "the statement")
        }
        Command::Accept { first, second } => {
            let read = |path: &PathBuf| files::read_bounded(path, 1 << 16, "the statement");
            let statements = [read(&first)?, read(&second)?];
            global.with_vault("clock accept", |vault| vault.accept_clock([&statements[0], &statements[1]]))?;
            global.screen().note("The clock is accepted. The ledger says who vouched for it.");
            Ok(())
        }
    }
}
