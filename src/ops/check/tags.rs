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
    let codes = there.iter().filter(|entry| entry.0 == TagKind::Code.number());
    let wrong =
        codes.filter(|entry| seen.ids.get(&entry.2).is_some_and(Option::is_some) && !expected.contains(*entry)).count();
    if wrong > 0 {
        found.fault("the blind index", format!("{wrong} codes lead to interviews that do not have them"), OTHERS);
    }
}
