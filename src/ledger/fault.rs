//! What can be wrong with a ledger, each thing by its name.

use std::fmt;

use crate::base::time::Moment;
use crate::base::{Error, Result};

use super::checkpoint::Checkpoint;
use super::event::Digest;

/// The most faults that are listed; more are counted.
pub const MAX_FAULTS: usize = 1_000;

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many entries were read.
    pub entries: u64,
    /// The root over them.
    pub root: Digest,
    /// The hash of the first entry.
    pub genesis: Option<Digest>,
    /// The time of the last entry that could be read.
    pub last_time: Option<Moment>,
    /// How many signatures were verified and hold.
    pub signatures: u64,
    /// The ledger's own checkpoint, if one was given and holds.
    pub checkpoint: Option<Checkpoint>,
    /// How many earlier checkpoints hold.
    pub earlier: usize,
    /// The faults in order, at most [`MAX_FAULTS`].
    pub faults: Vec<Fault>,
    /// How many faults there are beyond those listed.
    pub more: u64,
}

/// The outcome in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Everything that was asked for holds.
    Sound,
    /// At least one fault.
    Faulty,
}

/// A fault and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The number of the entry, where the fault is in one.
    pub seq: Option<u64>,
    /// What is wrong.
    pub kind: FaultKind,
}

/// Which checkpoint is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// The one that lies beside the ledger.
    Own,
    /// One kept elsewhere, by its place in the list given.
    Earlier(usize),
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The bytes are no entry in its exact form: altered or damaged.
    Unreadable,
    /// The entry is of another vault.
    OtherVault,
    /// Entries up to this one are not there.
    Missing {
        /// The first that is missing.
        from: u64,
        /// The last that is missing.
        to: u64,
    },
    /// The entry has a number that was passed already: copied, moved or inserted.
    OutOfPlace {
        /// The number that it has.
        found: u64,
    },
    /// The entries before this one are not those that its signer saw. Said once: after that no root can agree.
    Root,
    /// The time is before that of the entry before it.
    ClockBack,
    /// The first entry does not begin with the genesis event.
    NoGenesis,
    /// A genesis event stands where none may be.
    GenesisAgain,
    /// The first entry is not the one that was remembered, or contradicts what was.
    OtherGenesis,
    /// The signer was never enrolled.
    Stranger,
    /// The signer is enrolled with another key.
    OtherKey,
    /// The signer had no roles any more.
    Removed,
    /// A person is enrolled with the key of another, or anew with a different key.
    KeyReused,
    /// Somebody who is no steward enrols or changes a person.
    NoSteward,
    /// The signature does not hold.
    Signature,
    /// The checkpoint cannot be read, or is not signed by the ledger's key.
    CheckpointForged(Held),
    /// The ledger has fewer entries than the checkpoint: its end was cut, or it was rolled back.
    Cut {
        /// Which checkpoint.
        held: Held,
        /// How many entries it has.
        size: u64,
    },
    /// The ledger has other entries than the checkpoint: it was rewritten.
    Forked {
        /// Which checkpoint.
        held: Held,
        /// How many entries it has.
        size: u64,
    },
}

impl Report {
    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        if self.faults.is_empty() { Verdict::Sound } else { Verdict::Faulty }
    }

    /// `Ok` for a sound ledger, else an error with the first fault.
    pub fn require_sound(&self) -> Result<()> {
        let Some(first) = self.faults.first() else { return Ok(()) };
        let others = self.faults.len() as u64 - 1 + self.more;
        let others = if others == 0 { String::new() } else { format!(" ({others} more)") };
        Err(Error::damage(
            format!("the ledger does not hold together: {first}{others}"),
            "Do not go on with this copy. Keep it, restore the latest backup, and tell the board.",
        ))
    }

    pub(super) fn add(&mut self, seq: Option<u64>, kind: FaultKind) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { seq, kind });
        } else {
            self.more += 1;
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seq {
            Some(seq) => write!(f, "entry {seq}: {}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("the ledger's checkpoint"),
            Self::Earlier(i) => write!(f, "earlier checkpoint {}", i + 1),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("it was altered or is damaged: not an entry in its exact form"),
            Self::OtherVault => f.write_str("it is of another vault"),
            Self::Missing { from, to } if from == to => write!(f, "entry {from} is missing before it"),
            Self::Missing { from, to } => write!(f, "entries {from} to {to} are missing before it"),
            Self::OutOfPlace { found } => write!(f, "an entry numbered {found} stands here: copied, moved or inserted"),
            Self::Root => f.write_str("the entries before it are not those that its signer saw"),
            Self::ClockBack => f.write_str("its time is before that of the entry before it"),
            Self::NoGenesis => f.write_str("the ledger does not begin with its genesis entry"),
            Self::GenesisAgain => f.write_str("a second genesis"),
            Self::OtherGenesis => f.write_str("the ledger begins otherwise than the vault that was remembered"),
            Self::Stranger => f.write_str("signed by somebody who was never enrolled"),
            Self::OtherKey => f.write_str("signed with a key that is not the signer's"),
            Self::Removed => f.write_str("signed by somebody who had no roles any more"),
            Self::KeyReused => f.write_str("enrols a person with a key of another, or with a second key"),
            Self::NoSteward => f.write_str("somebody who is no steward enrols or changes a person"),
            Self::Signature => f.write_str("the signature does not hold"),
            Self::CheckpointForged(held) => write!(f, "{held} cannot be read or is not signed by this ledger's key"),
            Self::Cut { held, size } => write!(f, "{held} has {size} entries, more than are here: cut or rolled back"),
            Self::Forked { held, size } => write!(f, "{held} has other first {size} entries: the ledger was rewritten"),
        }
    }
}
