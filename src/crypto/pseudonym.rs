//! Pseudonyms and citation codes: derived from a key and a project, so that two projects share none and they die with the key.

use super::card::crockford;
use super::seal;
use crate::base::Result;
use crate::base::id::ProjectId;
use crate::base::secret::Key;

/// The pseudonym of a participant in a project: `P-7F3K-2M9Q`, from the participant's content key.
pub fn participant(key: &Key, project: &ProjectId) -> Result<String> {
    code('P', key, project, "subrosa/pseudonym/1")
}

/// The citation code of an interview in a project: `C-7F3K-2M9Q`, from the interview's seed.
pub fn citation(seed: &Key, project: &ProjectId) -> Result<String> {
    code('C', seed, project, "subrosa/citation/1")
}

/// 40 bits, so that among 2,176 people two share a code once in 460,000 projects; the builder checks all the same.
fn code(letter: char, key: &Key, project: &ProjectId, info: &str) -> Result<String> {
    let derived = seal::derive(key, project.as_bytes(), info)?;
    let text = crockford(&derived.expose()[..5]);
    let (first, last) = text.split_at(4);
    Ok(format!("{letter}-{first}-{last}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agree_within_a_project_and_differ_between_two() {
        let (key, a, b) = (Key::random().unwrap(), ProjectId::random().unwrap(), ProjectId::random().unwrap());
        let code = participant(&key, &a).unwrap();
        assert_eq!(code, participant(&key, &a).unwrap());
        assert_ne!(code, participant(&key, &b).unwrap());
        assert_ne!(code[2..], citation(&key, &a).unwrap()[2..]);
        assert_eq!(code.len(), 11);
    }
}
