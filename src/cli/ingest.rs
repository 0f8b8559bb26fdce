//! `subrosa ingest`.

use clap::Args as ClapArgs;

use super::global::Global;
use crate::base::Result;

/// Arguments of `subrosa ingest`.
#[derive(ClapArgs)]
pub(super) struct Args {}

pub(super) fn run(_global: &Global, _args: Args) -> Result<()> {
    Ok(())
}
