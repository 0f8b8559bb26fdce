//! `subrosa study`.

use clap::Subcommand;

use super::global::Global;
use crate::base::Result;

/// Commands of `subrosa study`.
#[derive(Subcommand)]
pub(super) enum Command {}

pub(super) fn run(_global: &Global, command: Command) -> Result<()> {
    match command {}
}
