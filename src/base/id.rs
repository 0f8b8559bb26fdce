//! Ids: 16 bytes, shown as 32 lower-case hexadecimal digits, one type for each thing.
//!
//! Ids of things in the vault are random and say nothing; a person's id derives from their public keys, a request's from its random nonce
//! (docs/format.md, sections 1 and 9).

use super::error::{Error, Result};
use super::random;
use super::text::as_text;

/// Parses 32 lower-case hexadecimal digits.
fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A fresh random id.
            pub fn random() -> Result<Self> {
                Ok(Self(random::bytes()?))
            }

            /// From its 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// From a database column.
            pub fn from_slice(bytes: &[u8]) -> Result<Self> {
                bytes.try_into().map(Self).map_err(|_| {
                    Error::damage("an id in the database is not 16 bytes long", "Run `subrosa check`.")
                })
            }

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                parse_hex(text).map(Self).ok_or_else(|| {
                    Error::user("an id is not 32 hexadecimal digits", "Copy the id as it was shown.")
                })
            }
        }

        as_text!($name);
    )*};
}

ids! {
    /// A vault.
    VaultId,
    /// A member of staff or an analyst, from their public keys.
    PersonId,
    /// A site of the study.
    SiteId,
    /// A participant: a person who spoke and whose consent counts.
    ParticipantId,
    /// An interview.
    InterviewId,
    /// A recording, document or piece of evidence, held as a file.
    ObjectId,
    /// A version of a transcript.
    TranscriptId,
    /// An approval of an ethics board.
    ApprovalId,
    /// A project.
    ProjectId,
    /// A request for an extract.
    RequestId,
    /// A release.
    ReleaseId,
    /// A hold.
    HoldId,
    /// One consent event.
    ConsentEventId,
    /// What the ledger calls a participant or an item. Random; its meaning is sealed under the participant's key.
    Token,
    /// A place in the key file.
    SlotId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_and_parses_the_same() {
        let id = Token::random().unwrap();
        assert_eq!(id.to_string().parse::<Token>().unwrap(), id);
        assert_eq!(serde_json::from_str::<Token>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn refuses_what_is_no_id() {
        for bad in ["", "00", "GG", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdef0"] {
            assert!(bad.parse::<Token>().is_err(), "{bad}");
        }
    }
}
