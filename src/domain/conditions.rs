//! The conditions that whoever gets an extract accepts beforehand, in words.
//!
//! A request carries the digest of the text that was shown; a change of words is a new version, and the old ones stay readable.

use sha2::{Digest as _, Sha256};

use crate::ledger::event::Digest;

/// One version of the conditions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conditions {
    /// Its version.
    pub version: &'static str,
    /// The text, in plain English.
    pub text: &'static str,
}

/// All versions, the present one last.
pub const ALL: &[Conditions] = &[Conditions {
    version: "1",
    text: "Conditions for the use of interview material

The people in these interviews spoke in confidence. By asking for this material I agree to the following.

1. I use it only for the project and the purpose named in my request.
2. I do not try to find out who the people in it are, and I do not help others to. If I recognise somebody, or find something that says
   who somebody is, I tell nobody but the data steward, and I tell the steward at once.
3. I do not pass it on: not to colleagues, students, assistants or publishers, and not to services that keep or learn from what is put
   into them. Others who need it ask for their own extract.
4. I never put it, or any part of it, on a platform that is open to the public. There is no open access to this material, now or later.
5. I keep it only on storage that is encrypted and that only I can open.
6. I quote only with the citation code, and name nobody beyond the attribution that is given for each voice. Where it says paraphrase
   only or never, I do not quote.
7. I destroy all copies by the end date of the extract, backups among them, and confirm it when I am asked.
8. When I am told that somebody has withdrawn, I destroy their words at once and use them no further.
9. If it is lost, stolen or seen by somebody else, or may have been, I tell the data steward within 24 hours.
10. I know that every request and every extract is recorded, and that the record can be shown to ethics boards.
",
}];

impl Conditions {
    /// The present version.
    pub fn current() -> Self {
        ALL.last().copied().unwrap_or(Self { version: "", text: "" })
    }

    /// The version of a digest.
    pub fn of(digest: &Digest) -> Option<Self> {
        ALL.iter().find(|c| c.digest() == *digest).copied()
    }

    /// SHA-256 of the text as it is, in UTF-8.
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.text.as_bytes()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_by_their_digest_and_never_change() {
        let now = Conditions::current();
        assert_eq!(now.version, "1");
        assert_eq!(Conditions::of(&now.digest()), Some(now));
        assert_eq!(Conditions::of(&Digest([0; 32])), None);
        assert_eq!(format!("{:?}", now.digest()), "b6GoXkQ8hPiJexFk8OSEuUF0G4D6gOu4Yvpk3Plh4Z0=");
    }

    #[test]
    fn says_what_matters() {
        for words in [
            "no open access",
            "who the people in it are",
            "destroy all copies by the end date",
            "do not pass it on",
            "within 24 hours",
        ] {
            assert!(Conditions::current().text.contains(words), "{words}");
        }
    }
}
