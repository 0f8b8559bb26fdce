//! A clock that runs behind the last entry, or far ahead of it, stops writing until two people sign (DESIGN, section 6).

use serde::{Deserialize, Serialize};

use super::unlock::{Unlocked, Vault};
use crate::base::id::{PersonId, VaultId};
use crate::base::role::Role;
use crate::base::time::Moment;
use crate::base::{Error, Result, canonical};
use crate::crypto::sign::{self, Signature};
use crate::ledger::event::Event;

const FORMAT: &str = "subrosa-clock/1";
const CONTEXT: &str = "subrosa/clock/1";
/// In the catalogue: up to which time of the last entry a clock that runs behind was accepted.
const ACCEPTED: &str = "clock_accepted";

/// How far the clock may run behind the last entry without being wrong: five minutes.
const BEHIND: i64 = 300;
/// How long a vault may lie untouched before the clock is doubted: 400 days.
const AHEAD: i64 = 400 * 86_400;
/// How far apart the clocks of two statements, and of the machine that accepts them, may be: one hour.
const APART: i64 = 3600;

/// One person's statement that the machine's clock is right.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    clock: Moment,
    format: String,
    person: PersonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    sig: Option<Signature>,
    size: u64,
    vault: VaultId,
}

impl Vault<Unlocked> {
    /// The time that decisions use: the later of the clock and the last entry. Refuses a clock that cannot be right and that two
    /// people have not accepted.
    pub fn now(&self) -> Result<Moment> {
        let clock = self.state.clock.now();
        let Some(last) = self.state.log.head()?.time else { return Ok(clock) };
        let gap = clock.seconds() - last.seconds();
        if gap < -BEHIND && !self.accepts_behind(last)? {
            return Err(doubted(clock, last));
        }
        if gap > AHEAD {
            return Err(doubted(clock, last));
        }
        Ok(clock.max(last))
    }

    /// This person's signed statement that the clock is right, for [`Vault::accept_clock`].
    pub fn sign_clock(&self) -> Result<Vec<u8>> {
        let mut statement = Statement {
            clock: self.state.clock.now(),
            format: FORMAT.into(),
            person: self.me().id,
            sig: None,
            size: self.state.log.head()?.size,
            vault: self.layout.vault(),
        };
        statement.sig = Some(self.identity().signer().sign(CONTEXT, &canonical::to_vec(&statement)?));
        canonical::to_vec(&statement)
    }

    /// Takes the statements of two people, both archivist or steward, that the clock is right, and goes on with it.
    pub fn accept_clock(&mut self, statements: [&[u8]; 2]) -> Result<()> {
        let clock = self.state.clock.now();
        let mut people = Vec::new();
        for bytes in statements {
            people.push(self.verify_statement(bytes, clock)?);
        }
        if people.first() == people.last() {
            return Err(Error::user("both statements are of the same person", "Two different people must sign."));
        }
        let last = self.state.log.head()?.time.unwrap_or(clock);
        self.commit_at("clock accept", clock.max(last), |act| {
            if clock < last {
                act.tables().set_meta(ACCEPTED, last.to_string().as_bytes())?;
            }
            act.event(Event::ClockAccepted { people });
            Ok(())
        })
    }

    fn verify_statement(&self, bytes: &[u8], clock: Moment) -> Result<PersonId> {
        let mut statement: Statement = canonical::from_slice(bytes).map_err(|e| e.at("a statement on the clock"))?;
        let sig = statement.sig.take().ok_or_else(|| sign::forged("a statement on the clock"))?;
        let member = self.roster().people.iter().find(|m| m.id == statement.person);
        let member =
            member.filter(|m| m.has(Role::Steward, None) || m.has(Role::Archivist, None)).ok_or_else(|| {
                Error::denied(
                    "a statement on the clock is signed by somebody who is neither archivist nor steward here",
                    "Let two archivists or stewards sign.",
                )
            })?;
        sign::require(&member.sign, CONTEXT, &canonical::to_vec(&statement)?, &sig, "a statement on the clock")?;
        let stale = statement.format != FORMAT
            || statement.vault != self.layout.vault()
            || statement.size != self.state.log.head()?.size
            || (statement.clock.seconds() - clock.seconds()).abs() > APART;
        if stale {
            return Err(Error::user(
                "a statement on the clock is of another vault, or no longer of now",
                "Let both people sign again, within an hour of each other, with nothing written in between.",
            ));
        }
        Ok(statement.person)
    }

    fn accepts_behind(&self, last: Moment) -> Result<bool> {
        let Some(catalogue) = &self.state.catalogue else { return Ok(false) };
        let accepted = catalogue.reader().meta(ACCEPTED)?;
        let accepted = accepted.and_then(|b| String::from_utf8(b).ok()).and_then(|t| t.parse::<Moment>().ok());
        Ok(accepted.is_some_and(|until| last <= until))
    }
}

fn doubted(clock: Moment, last: Moment) -> Error {
    Error::user(
        format!("this machine's clock says {clock}, but the vault's last entry is of {last}"),
        "Set the clock right, then run the command again. If it is right, let two people sign: subrosa clock sign.",
    )
}
