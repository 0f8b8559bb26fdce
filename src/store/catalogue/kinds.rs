//! What kinds of governance records and blind tags there are.

/// A kind of governance record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordKind {
    /// Somebody enrolled.
    Person,
    /// A version of the study definition.
    Study,
    /// A site.
    Site,
    /// A board's approval.
    Approval,
    /// A project.
    Project,
    /// A request.
    Request,
    /// A steward's decision.
    Decision,
    /// A release.
    Release,
    /// A hold.
    Hold,
    /// A version of the policies.
    Policy,
}

/// What a blind tag stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TagKind {
    /// An interview's archive code.
    Code,
    /// The content of a file taken in.
    File,
    /// An item's token in the ledger.
    Token,
}

impl RecordKind {
    /// The word that stands for it in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Study => "study",
            Self::Site => "site",
            Self::Approval => "approval",
            Self::Project => "project",
            Self::Request => "request",
            Self::Decision => "decision",
            Self::Release => "release",
            Self::Hold => "hold",
            Self::Policy => "policy",
        }
    }
}

impl TagKind {
    /// The number that stands for it in the database.
    pub const fn number(self) -> i64 {
        match self {
            Self::Code => 1,
            Self::File => 2,
            Self::Token => 3,
        }
    }

    /// The word that the tag's HMAC is over.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::File => "file",
            Self::Token => "token",
        }
    }
}
