//! The ledger: read, verified, exported, witnessed. Needs the ledger key alone, or an exported folder and no key at all.

mod checkpoint;
mod export;
mod log;
mod names;
mod source;
mod verify;
mod who;
mod words;

pub use checkpoint::{
    CheckpointReport, ProofFiles, Witnessed, add_cosignature, checkpoint, head_update, proof, witness,
};
pub use export::{ExportReport, export};
pub use log::{Filter, LogLine, LogPage, read_log};
pub use names::Names;
use source::Source;
pub use verify::{Against, VerifyReport, verify_export, verify_vault};
pub use who::{Slip, Told, who_code, who_export, who_slip};
pub use words::words;

use crate::base::Result;
use crate::base::id::Token;
use crate::base::role::Role;
use crate::ledger::event::Event;
use crate::session::{Unlocked, Vault};

/// Records that somebody who can write entries reads the ledger. An auditor cannot write any: their reading leaves no trace.
fn record_reading(vault: &mut Vault<Unlocked>, command: &str, event: Event) -> Result<()> {
    if !writes(vault) {
        return Ok(());
    }
    vault.commit(command, |act| {
        act.event(event);
        Ok(())
    })
}

/// Whether somebody's roles let them write entries.
pub(in crate::ops) fn writes(vault: &Vault<Unlocked>) -> bool {
    vault.me().has(Role::Archivist, None) || vault.me().has(Role::Steward, None)
}

fn listed(what: &str, filters: Vec<String>, count: usize) -> Event {
    Event::Listed { what: what.into(), filters, count: i64::try_from(count).unwrap_or(i64::MAX) }
}

fn opened(what: &str, token: Token) -> Event {
    Event::Opened { what: what.into(), tokens: vec![token] }
}
