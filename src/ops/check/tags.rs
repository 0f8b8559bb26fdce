//! The blind index, both ways.

use std::collections::BTreeSet;

use super::{Findings, OTHERS, Seen};
use crate::session::View;
use crate::store::catalogue::TagKind;

pub(super) fn check(view: &View<'_>, seen: &Seen, found: &mut Findings) {
    let tags = match view.tags() {
        Ok(tags) => tags,
        Err(error) => return found.error("the blind index", &error),
    };
    found.part("blind tags", tags.len() as u64);
    let there: BTreeSet<_> = tags.iter().copied().collect();
    let mut expected = BTreeSet::new();
    for (id, known) in &seen.ids {
        let Some((code, token)) = known else { continue };
        for (kind, text, what) in [(TagKind::Code, code.clone(), "code"), (TagKind::Token, token.to_string(), "token")]
        {
            match view.tag(kind, &text) {
                Ok(tag) => {
                    let entry = (kind.number(), tag, *id);
                    if !there.contains(&entry) {
                        found.fault(
                            code,
                            format!("it cannot be found by its {what}"),
                            "It is there, and shows in lists.",
                        );
                    }
                    expected.insert(entry);
                }
                Err(error) => found.error(code, &error),
            }
        }
    }
    let strays = there.iter().filter(|(_, _, target)| !seen.ids.contains_key(target)).count();
    if strays > 0 {
        found.fault("the blind index", format!("{strays} tags point to nothing"), OTHERS);
    }
    let known = |target: &[u8; 16]| seen.ids.get(target).is_some_and(Option::is_some);
    let wrong =
        there.iter().filter(|entry| entry.0 != TagKind::File.number() && known(&entry.2) && !expected.contains(*entry));
    let wrong = wrong.count();
    if wrong > 0 {
        found.fault(
            "the blind index",
            format!("{wrong} tokens or codes lead to interviews that do not have them"),
            OTHERS,
        );
    }
    let files: BTreeSet<_> =
        there.iter().filter(|entry| entry.0 == TagKind::File.number()).map(|entry| entry.2).collect();
    let twice = there.iter().filter(|entry| entry.0 == TagKind::File.number()).count() - files.len();
    if twice > 0 {
        found.fault("the blind index", format!("{twice} files have more than one tag"), OTHERS);
    }
    let untagged = seen.delivered.iter().filter(|(id, _)| !files.is_empty() && !files.contains(*id));
    for code in untagged.map(|(_, code)| code) {
        found.fault(
            code,
            "one of its files would not be recognised if it were delivered again",
            "The file itself is looked at apart. Restore catalogue.db from a backup, or look twice before it is taken in again.",
        );
    }
    let others = files.iter().filter(|id| seen.ids.contains_key(*id) && !seen.delivered.contains_key(*id)).count();
    if others > 0 {
        found.fault("the blind index", format!("{others} tags of files point to something else"), OTHERS);
    }
    let unknown = there.iter().filter(|entry| !(1..=3).contains(&entry.0)).count();
    if unknown > 0 {
        found.fault("the blind index", format!("{unknown} tags are of an unknown kind"), OTHERS);
    }
}
