//! What a record says it is: `subrosa-card/1`. Told before anything else of it, so that a newer file is never called a damaged one.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Error, Result};

/// The files of this program that people hold in their hands: stem, what it is, and how to know the right one.
const KINDS: [(&str, &str, &str); 5] = [
    ("subrosa-card", "a person's card", "Give the file whose name ends in .card."),
    ("subrosa-identity", "an identity file", "Give the file whose name ends in .id, which its owner keeps."),
    ("subrosa-vault-card", "a vault's card", "Give the file that a steward handed out: vault.card."),
    ("subrosa-request", "a request", "Give the sealed file that the analyst sent."),
    ("subrosa-vault", "a vault's vault.json", "Give the vault's folder."),
];

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    format: Cow<'a, str>,
}

/// Refuses a record that says that it is a newer version of `wanted` (`subrosa-card/1`), or another kind of file; `what` is what was expected ("the
/// card"). A record that says nothing of the kind passes: whoever reads it further knows what is wrong with it.
pub fn expect(bytes: &[u8], wanted: &str, what: &str) -> Result<()> {
    let Ok(Said { format }) = serde_json::from_slice::<Said<'_>>(bytes) else { return Ok(()) };
    let (Some((stem, version)), Some((wanted, known))) = (parts(&format), parts(wanted)) else { return Ok(()) };
    if stem == wanted {
        return if version > known { Err(newer(what)) } else { Ok(()) };
    }
    let kind = |stem: &str| KINDS.iter().find(|(known, ..)| *known == stem);
    match (kind(stem), kind(wanted)) {
        (Some((_, is, _)), Some((_, wanted, remedy))) => {
            Err(Error::user(format!("{what} is {is}, and not {wanted}"), *remedy))
        }
        _ => Ok(()),
    }
}

/// Something was made by a newer version of the program.
pub fn newer(what: &str) -> Error {
    Error::user(
        format!("{what} was made by a newer version of Subrosa"),
        "Install the newer version; this one leaves everything untouched.",
    )
}

/// Stem and version of `subrosa-card/1`.
fn parts(format: &str) -> Option<(&str, u32)> {
    let (stem, version) = format.split_once('/')?;
    Some((stem, version.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_and_other_files_are_named() {
        let check = |text: &str| expect(text.as_bytes(), "subrosa-card/1", "the card");
        for fine in ["", "{", "{}", r#"{"format":1}"#, r#"{"format":"subrosa-card/1","more":1}"#, r#"{"format":"x/9"}"#]
        {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        assert!(check(r#"{"pq":{},"format":"subrosa-card/12"}"#).unwrap_err().what().contains("newer"));
        let other = check(r#"{"format":"subrosa-identity/1"}"#).unwrap_err();
        assert!(other.what().contains("is an identity file, and not a person's card"), "{other}");
    }
}
