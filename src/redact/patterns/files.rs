//! Numbers of cases, files, forms, permits, military units, and number plates: by their form, or beside a telling word.

use super::{Finds, digits, patterns};
use crate::redact::Class;

patterns! {
    TOLD = r"(?ix)(?: №\s? | \b(?: номер\w* | паспорт\w* | дел[оауе] | протокол\w* | справк\w+ | реестров\w* | свидетельств\w* | удостоверени\w* | виз[аыуе] | разрешени\w* | договор\w* | заявлени\w* | решени\w* | инн | снилс | иин | огрн | полис\w*
        | number | no\. | case | file | form | permit | passport | application | register | docket | certificate | policy | ref | id | code | inn | iin
        | numer\w* | nr\.? | sygnatura\w* | sygn\. | spraw[aęy]\w* | paszport\w* | pesel | kart[aęy] | broj\w* | predmet\w* | pasoš\w* | pib | jmbg | lična
        | no | numara\w* | dosya\w* | pasaport\w* | kimlik | toimik | numero | passi | number[it]* | asi )\b )
        [^\d\n.;?!]{0,32}? (?P<code> (?-i:\b[A-ZА-Я]{1,4}(?:-[A-ZА-Я0-9]{1,3})?[\ -]?)? \d[\dA-Za-zА-Яа-я]* (?:\ ?№\ ?\d+ | [-/.][\dA-Za-zА-Яа-я]+ )* )";
    SLASHED = r"\b[A-ZА-Яa-zа-я\d]{1,8}(?:[-.][A-ZА-Яa-zа-я\d]{1,8}){0,4}/[A-ZА-Яa-zа-я\d]{1,8}(?:[-/.][A-ZА-Яa-zа-я\d]{1,8}){0,5}\b";
    LETTERED = r"\b[A-ZА-Я]{1,3}(?:-[A-ZА-Я0-9]{1,3})?[ -]?(?:№ ?)?\d{6,9}\b";
    PLATE = r"(?i)\b[авекмнорстухabekmhopctyx] ?\d{3} ?[авекмнорстухabekmhopctyx]{2} ?\d{2,3}\b|\b\d{3} ?[A-Z]{2,3} ?\d{2}\b|\b\d{2} ?[A-Z]{2} ?\d{3}\b|\b[A-Z]{2}-?\d{3}-?[A-Z]{2}\b";
    UNIT = r"(?i)(?:в/ч|\bвойсков\w+\s+част\w+|\bчаст[ьии]\w?|\bunit|\bвч)[\s№:,-]{1,4}(\d{4,5})\b";
}

pub(super) fn find(finds: &mut Finds<'_>) {
    for found in TOLD.captures_iter(finds.text).filter_map(|found| found.name("code")) {
        let code = found.as_str().trim_end_matches(['-', '.', '/']);
        let to = found.start() + code.len();
        if finds.is_free(found.start(), to) && is_code(code) {
            // bare figures may be one of the numbers with check digits: whoever checks those is surer
            let sure = code.contains(['/', '№']) || code.starts_with(char::is_alphabetic);
            finds.add((found.start(), to), Class::Number, sure, "[number]");
        }
    }
    for found in SLASHED.find_iter(finds.text) {
        let law = ["EU", "EC", "EEC", "EY", "ETY", "EÜ", "EL", "WE", "UE", "EZ", "ЕС"]
            .iter()
            .any(|end| found.as_str().ends_with(end));
        if !law && digits(found.as_str()).len() >= 5 && !is_years(found.as_str()) && !is_numeric_date(found.as_str()) {
            finds.add((found.start(), found.end()), Class::Number, true, "[number]");
        }
    }
    for found in LETTERED.find_iter(finds.text) {
        finds.add((found.start(), found.end()), Class::Number, true, "[number]");
    }
    for found in PLATE.find_iter(finds.text) {
        if plate_is_telling(found.as_str()) {
            finds.add((found.start(), found.end()), Class::Number, true, "[plate]");
        }
    }
    for found in UNIT.captures_iter(finds.text).filter_map(|found| found.get(1)) {
        finds.add((found.start(), found.end()), Class::Number, true, "[number]");
    }
}

/// Whether what stands beside a telling word is a number of somebody or something, not a count, a year or a date.
fn is_code(code: &str) -> bool {
    let count = digits(code).len();
    let joined = code.contains(['-', '/', '№']);
    let lettered = code.chars().any(char::is_alphabetic);
    let ordinal = !joined && code.starts_with(|c: char| c.is_ascii_digit()) && lettered;
    if is_numeric_date(code) || is_years(code) || (ordinal && count < 5) {
        return false;
    }
    count >= 5 || (count >= 3 && (joined || lettered)) || (count == 2 && joined && code.chars().any(char::is_uppercase))
}

fn is_years(code: &str) -> bool {
    let year = |part: &str| part.len() == 4 && (part.starts_with("19") || part.starts_with("20"));
    let mut parts = code.split(['/', '-']);
    parts.next().is_some_and(year) && parts.all(|part| year(part) || (part.len() == 2 && digits(part).len() == 2))
}

fn is_numeric_date(code: &str) -> bool {
    let parts: Vec<&str> = code.split(['/', '.', '-']).collect();
    matches!(parts.as_slice(), [d, m, y] if d.len() <= 2 && m.len() <= 2 && matches!(y.len(), 2 | 4)
        && parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_digit())) && digits(code).len() >= 3 && is_month(m, d))
}

fn is_month(month: &str, day: &str) -> bool {
    let number = |text: &str| text.parse::<u32>().unwrap_or(99);
    (number(month) <= 12 && number(day) <= 31) || (number(day) <= 12 && number(month) <= 31)
}

/// Plates are written in capitals, or, by a recogniser, in small letters with spaces.
fn plate_is_telling(plate: &str) -> bool {
    let letters: Vec<char> = plate.chars().filter(|c| c.is_alphabetic()).collect();
    letters.iter().all(|c| c.is_uppercase()) || (letters.len() == 3 && letters.iter().all(|c| c.is_lowercase()))
}
