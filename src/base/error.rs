//! The one error type: what is wrong, and what to do about it.
//!
//! Neither sentence may carry personal data: no names, codes, places, words of a turn, nor values out of a
//! delivery. A place in a file (`manifest.csv`, line 7, column `date`) says enough.

use std::fmt;

/// What sort of failure it is; the command line turns it into an exit code (DESIGN, section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something given is wrong and can be mended by whoever gave it.
    User,
    /// The rules say no.
    Denied,
    /// Something stored is damaged, missing, rolled back or forged.
    Damage,
    /// A passphrase is wrong, or the vault cannot be unlocked by this person.
    Locked,
    /// The user stopped it.
    Interrupted,
    /// The program contradicts itself.
    Bug,
}

/// A failure, in words for a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    what: String,
    remedy: String,
}

/// The result of everything that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of a kind: `what` is wrong, and `remedy` is what to do next (may be empty).
    pub fn new(kind: Kind, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind, what: what.into(), remedy: remedy.into() }
    }

    /// Something given is wrong.
    pub fn user(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Kind::User, what, remedy)
    }

    /// The rules refuse.
    pub fn denied(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Kind::Denied, what, remedy)
    }

    /// Something stored does not hold together.
    pub fn damage(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Kind::Damage, what, remedy)
    }

    /// Not opened: wrong passphrase, wrong person.
    pub fn locked(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Kind::Locked, what, remedy)
    }

    /// The program is wrong.
    pub fn bug(what: impl Into<String>) -> Self {
        Self::new(Kind::Bug, what, "Please report this, with the command that you ran.")
    }

    /// An operating-system error while doing `doing` ("write the key file").
    pub fn io(doing: &str, source: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let remedy = match source.kind() {
            K::NotFound => "Check that the file or folder is there.",
            K::PermissionDenied => "Check that you may read and write there.",
            K::StorageFull | K::QuotaExceeded => "Free some space on the disk, then run the command again.",
            K::ReadOnlyFilesystem => "The disk is read-only; mount it for writing or choose another place.",
            _ => "Check the disk, then run the command again.",
        };
        Self::new(Kind::User, format!("could not {doing}: {}", source.kind()), remedy)
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What is wrong.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do next; may be empty.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// The same error with its place before it: `place: what`.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.what = format!("{place}: {}", self.what);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} ({})", self.kind, self.what, self.remedy)
    }
}

impl std::error::Error for Error {}
