//! Accounts and cards.

use super::{Finds, checks, digits, patterns};
use crate::redact::Class;

patterns! {
    IBAN = r"(?i)\b[a-z]{2}\d{2}(?: ?[a-z0-9]{2,4}){2,8}";
    CARD = r"\d{4}(?:[ -]?\d{4}){2}[ -]?\d{1,7}|\d{4}[ -]\d{6}[ -]\d{5}";
}

pub(super) fn find(finds: &mut Finds<'_>) {
    for found in IBAN.find_iter(finds.text) {
        account(finds, found.start(), found.as_str());
    }
    for found in CARD.find_iter(finds.text) {
        let number = digits(found.as_str());
        if !(13..=19).contains(&number.len()) || !finds.is_free(found.start(), found.end()) {
            continue;
        }
        let sure = checks::luhn(&number);
        let grouped = found.as_str().contains([' ', '-']);
        if (sure && number.len() != 13) || (grouped && number.len() == 16) {
            finds.add((found.start(), found.end()), Class::Number, sure, "[card]");
        }
    }
}

/// Takes as much of the text as the country's numbers are long.
fn account(finds: &mut Finds<'_>, from: usize, text: &str) {
    let country = text.get(..2).unwrap_or_default().to_ascii_uppercase();
    let Some(length) = checks::iban_length(&country) else { return };
    let mut number = String::with_capacity(length);
    for (at, c) in text.char_indices().filter(|(_, c)| *c != ' ') {
        number.push(c.to_ascii_uppercase());
        if number.len() == length {
            let to = from + at + c.len_utf8();
            let sure = checks::iban(&number);
            let mostly_digits = number.bytes().filter(u8::is_ascii_digit).count() * 2 > length;
            if finds.is_free(from, to) && (sure || mostly_digits) {
                finds.add((from, to), Class::Number, sure, "[account]");
            }
            return;
        }
    }
}
