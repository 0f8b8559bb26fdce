//! Numbers that a state gives to a person: tax, insurance, identity, passport.

use super::{Finds, checks, digits, patterns, phone};
use crate::redact::Class;

patterns! {
    RUN = r"\d{9,20}";
    SNILS = r"\d{3}[ -]\d{3}[ -]\d{3}[ -]\d{2}";
    HETU = r"(?i)\b(\d{6})[-+a-fu-y](\d{3})([0-9a-y])\b";
    JMBG = r"\d{7}[ -]\d{6}|\d{6}[ -]\d{6}|\d{6}[ -]\d{5}";
    PASSPORT = r"\d{2} ?\d{2} (?:(?:№|N|No\.?|номер) ?)?\d{6}|\d{2} \d{8}|\d{4}№ ?\d{6}";
    SSN = r"\d{3}-\d{2}-\d{4}";
    ROUND = r"0{4,}$";
    SERIES = r"(?i)сери[яию]\s*[:№-]?\s*(\d{2} ?\d{2})\b";
}

pub(super) fn find(finds: &mut Finds<'_>) {
    for found in RUN.find_iter(finds.text) {
        let number = digits(found.as_str());
        let sum = ROUND.is_match(found.as_str()) || phone::is_sum(finds.after(found.end(), 8));
        if finds.is_free(found.start(), found.end()) && !sum && number.iter().any(|&d| d != number[0]) {
            finds.add((found.start(), found.end()), Class::Number, any(&number), "[number]");
        }
    }
    for found in SNILS.find_iter(finds.text).chain(JMBG.find_iter(finds.text)) {
        let number = digits(found.as_str());
        let sure = any(&number);
        if finds.is_free(found.start(), found.end()) && (sure || number.len() == 11) {
            finds.add((found.start(), found.end()), Class::Number, sure, "[number]");
        }
    }
    for found in HETU.captures_iter(finds.text) {
        let [date, serial, check] = found.extract().1;
        let mut number = digits(date);
        number.extend(digits(serial));
        let sure = check.chars().next().is_some_and(|check| checks::hetu(&number, check));
        let dated =
            (1..=31).contains(&(number[0] * 10 + number[1])) && (1..=12).contains(&(number[2] * 10 + number[3]));
        if let (Some(whole), true) = (found.get(0), sure || dated) {
            finds.add((whole.start(), whole.end()), Class::Number, sure, "[number]");
        }
    }
    for found in SSN.find_iter(finds.text).filter(|f| finds.is_free(f.start(), f.end())).collect::<Vec<_>>() {
        finds.add((found.start(), found.end()), Class::Number, false, "[number]");
    }
    for found in PASSPORT.find_iter(finds.text) {
        if finds.is_free(found.start(), found.end()) {
            finds.add((found.start(), found.end()), Class::Number, true, "[passport]");
        }
    }
    for found in SERIES.captures_iter(finds.text).filter_map(|found| found.get(1)) {
        finds.add((found.start(), found.end()), Class::Number, true, "[passport]");
    }
}

/// Whether any of the states' rules takes these digits.
fn any(number: &[u32]) -> bool {
    [checks::inn, checks::snils, checks::pesel, checks::iin, checks::isikukood, checks::jmbg, checks::kimlik]
        .iter()
        .any(|rule| rule(number))
}
