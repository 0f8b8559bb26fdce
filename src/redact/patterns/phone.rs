//! Phone numbers, international and as they are written in the countries of the study.

use super::{Finds, digits, patterns};
use crate::redact::Class;

patterns! {
    WORLD = r"(?:\+ ?|\b00)\d{1,4}(?:(?: - |[ .\-/]| ?\(|\) ?-?)?\d{1,12}){1,8}";
    HOME = r"\(?\b\d{1,5}\)?(?:(?:[ .\-/]| ?\(|\) ?)?\d{1,5}){1,7}";
    TELLS = r"(?ix)(?: тел(?:[.еф]|$) | позвон | звон[ия] | набер | смс | ватсап | вотсап | ва[йи]бер | телегр | мобил | сотов | номер | \btel\b | phone | call | text\sme | mobile | whatsapp | viber | signal
        | zadzwo | numer | komórk | telefon | mobiln | zovi | pozovi | broj | telefonu? | ara(?:yın|rsın|ma) | numar | puhelin | soita | helista | number | \bcell\b | хэрэг | утас | հեռախոս | ტელეფონ )";
    MONEY = r"(?ix)^\s?(?: [$€₽₸₾֏₺₮%°] | руб | тыс | млн | лари | драм | тенге | тең | тугр | лир | злот | динар | евро | долл | км | кг | usd | eur | pln | zł | rub | gel | amd | kzt | lari | dram | lira | din | dolar | euro | dollar | tysi | tisu | thousand | km | kg | мм | см | чел | раз | лет | год )";
}

/// Country codes and the most digits a number there has with its code.
const COUNTRIES: &[(&str, usize, usize)] = &[
    ("7", 11, 11),
    ("374", 11, 11),
    ("372", 10, 11),
    ("358", 8, 13),
    ("995", 12, 12),
    ("976", 11, 11),
    ("48", 11, 11),
    ("381", 10, 12),
    ("90", 12, 12),
];

pub(super) fn find(finds: &mut Finds<'_>) {
    for found in WORLD.find_iter(finds.text) {
        world(finds, found.start(), found.as_str());
    }
    for found in HOME.find_iter(finds.text) {
        let text = found.as_str().trim_end_matches(['(', ')', ' ']);
        let to = found.start() + text.len();
        if finds.is_free(found.start(), to) && !is_sum(finds.after(to, 8)) && !is_date(text) {
            home(finds, found.start(), text);
        }
    }
}

/// A number after a plus: as many digits as its country has.
fn world(finds: &mut Finds<'_>, from: usize, text: &str) {
    let number: String = text.chars().filter(char::is_ascii_digit).collect();
    let zeros = if text.starts_with('+') { 0 } else { 2 };
    let number = &number[zeros..];
    let country = COUNTRIES.iter().find(|(code, _, _)| number.starts_with(code));
    let (least, most) = country.map_or((8, 15), |&(_, least, most)| (least, most));
    let mut seen = 0;
    let mut end = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
        seen += 1;
        if seen - zeros.min(seen) > most {
            break;
        }
        end = at + c.len_utf8();
    }
    let full = seen.saturating_sub(zeros) >= least;
    if text.starts_with('+') && seen >= 7 || full && country.is_some() {
        finds.add((from, from + end), Class::Contact, full, "[phone]");
    }
}

/// A number as it is dialled within a country: by its form alone where that is telling, else beside a telling word.
fn home(finds: &mut Finds<'_>, from: usize, text: &str) {
    let number = digits(text);
    let groups: Vec<usize> =
        text.split(|c: char| !c.is_ascii_digit()).filter(|g| !g.is_empty()).map(str::len).collect();
    let telling = TELLS.is_match(finds.before(from, 48));
    let span = (from, from + text.len());
    let sure = match (number.first().copied().unwrap_or(0), number.get(1).copied().unwrap_or(0), number.len()) {
        // Russia, Kazakhstan: 8 (916) 000-00-00, or 7 and ten digits
        (8, 3..=9, 11) => groups.len() > 1 || telling,
        (7, 3..=9, 11) => groups.len() > 1 || telling,
        // Armenia, Finland, Serbia, Turkey: 0 and the area
        (0, 1..=9, 9..=11) => groups.len() > 1 || telling,
        // Georgia: 555 00 00 00
        (5, _, 9) if groups == [3, 2, 2, 2] => true,
        // Poland, Georgia: 500 000 000, but not a round sum
        (4..=8, _, 9) if groups == [3, 3, 3] => number.iter().rev().take(3).any(|&d| d != 0),
        // Russia without the eight: (916) 000-00-00, 916 000-00-00
        (2..=9, _, 10) if groups == [3, 3, 4] => text.contains('-') || telling,
        (3..=9, _, 10) => groups.len() >= 3 && groups.last() == Some(&2),
        // Mongolia, Estonia: 9900-4471, 5555 1234
        (5..=9, _, 8) if groups == [4, 4] => telling || text.contains('-'),
        // Towns: 00-31-90, 123-45-67
        (_, _, 7) if groups == [3, 2, 2] => text.matches('-').count() == 2 || telling,
        _ => telling && (6..=12).contains(&number.len()) && groups.len() > 1 && groups.iter().all(|&g| g > 1),
    };
    if sure {
        finds.add(span, Class::Contact, true, "[phone]");
    }
}

/// Whether what follows a number says that it counts something: money, metres, people.
pub(super) fn is_sum(after: &str) -> bool {
    MONEY.is_match(after)
}

/// Whether it is a date and not a number: 12.08.2022.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['.', '/', '-']).collect();
    match parts.as_slice() {
        [d, m, y] => {
            let lengths = (d.len(), m.len(), y.len());
            matches!(lengths, (1 | 2, 1 | 2, 4) | (4, 2, 2))
                || (matches!(lengths, (1 | 2, 1 | 2, 2)) && text.contains('.'))
        }
        [a, b] => a.len() == 4 && b.len() == 4 && a.starts_with(['1', '2']) && b.starts_with(['1', '2']),
        _ => false,
    }
}
