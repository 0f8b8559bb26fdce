//! Check digits. Each function takes digits (or the whole text) and says whether they check.

/// The sum of the products of two rows.
fn dot(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| d * w).sum()
}

/// Payment cards, ISO/IEC 7812-1 annex B.
pub(super) fn luhn(digits: &[u32]) -> bool {
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(at, &d)| if at % 2 == 0 { d } else { d * 2 / 10 + d * 2 % 10 }).sum();
    sum.is_multiple_of(10) && digits.iter().any(|&d| d != 0)
}

/// Bank accounts, ISO 13616: `text` is letters and digits only, upper case.
pub(super) fn iban(text: &str) -> bool {
    let Some((head, tail)) = text.split_at_checked(4) else { return false };
    let mut rest = 0;
    for c in tail.chars().chain(head.chars()) {
        let Some(value) = c.to_digit(36) else { return false };
        rest = if value < 10 { rest * 10 + value } else { rest * 100 + value } % 97;
    }
    rest == 1
}

/// How long an account number of a country is, for those that come up most; `None` for others.
pub(super) fn iban_length(country: &str) -> Option<usize> {
    Some(match country {
        "NO" => 15,
        "BE" => 16,
        "DK" | "FI" | "NL" => 18,
        "MK" | "SI" => 19,
        "AT" | "BA" | "EE" | "KZ" | "LT" | "XK" | "MN" => 20,
        "CH" | "HR" | "LI" | "LV" => 21,
        "BG" | "DE" | "GB" | "GE" | "IE" | "ME" | "RS" => 22,
        "AE" | "IL" => 23,
        "AD" | "CZ" | "ES" | "MD" | "RO" | "SE" | "SK" => 24,
        "PT" => 25,
        "IS" | "TR" => 26,
        "FR" | "GR" | "IT" | "MC" | "SM" => 27,
        "AL" | "AZ" | "BY" | "CY" | "HU" | "LB" | "PL" => 28,
        "UA" => 29,
        "RU" => 33,
        _ => return None,
    })
}

/// Russian tax numbers of persons (12 digits) and organisations (10).
pub(super) fn inn(d: &[u32]) -> bool {
    const W: [u32; 11] = [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8];
    let check = |d: &[u32], w: &[u32]| dot(d, w) % 11 % 10;
    match d.len() {
        10 => check(d, &W[2..]) == d[9],
        12 => check(d, &W[1..]) == d[10] && check(d, &W) == d[11],
        _ => false,
    }
}

/// Russian insurance numbers, 11 digits.
pub(super) fn snils(d: &[u32]) -> bool {
    d.len() == 11 && dot(d, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100 == d[9] * 10 + d[10]
}

/// Polish PESEL, 11 digits.
pub(super) fn pesel(d: &[u32]) -> bool {
    d.len() == 11
        && (10 - dot(d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10 == d[10]
        && (1..=12).contains(&((d[2] * 10 + d[3]) % 20))
        && (1..=31).contains(&(d[4] * 10 + d[5]))
}

/// Kazakh IIN, 12 digits.
pub(super) fn iin(d: &[u32]) -> bool {
    if d.len() != 12 {
        return false;
    }
    let first = dot(d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11;
    let check = if first == 10 { dot(d, &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11 } else { first };
    check == d[11] && (1..=12).contains(&(d[2] * 10 + d[3]))
}

/// Estonian isikukood, 11 digits.
pub(super) fn isikukood(d: &[u32]) -> bool {
    if d.len() != 11 {
        return false;
    }
    let first = dot(d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let check = if first == 10 { dot(d, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10 } else { first };
    check == d[10] && (1..=8).contains(&d[0]) && (1..=12).contains(&(d[3] * 10 + d[4]))
}

/// Finnish henkilötunnus: nine digits, a sign of the century among them left out, and the check character.
pub(super) fn hetu(d: &[u32], check: char) -> bool {
    const SIGNS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let number = d.iter().fold(0u32, |sum, digit| sum.wrapping_mul(10).wrapping_add(*digit));
    d.len() == 9
        && SIGNS.get((number % 31) as usize).is_some_and(|&sign| char::from(sign) == check.to_ascii_uppercase())
}

/// JMBG of Serbia and its neighbours, 13 digits; foreigners' numbers are made the same way.
pub(super) fn jmbg(d: &[u32]) -> bool {
    if d.len() != 13 {
        return false;
    }
    let rest = 11 - dot(d, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    (if rest > 9 { 0 } else { rest }) == d[12]
}

/// Turkish kimlik numbers, 11 digits.
pub(super) fn kimlik(d: &[u32]) -> bool {
    if d.len() != 11 || d[0] == 0 {
        return false;
    }
    let odd = d[0] + d[2] + d[4] + d[6] + d[8];
    let even = d[1] + d[3] + d[5] + d[7];
    (odd * 7 + 90 - even) % 10 == d[9] && d.iter().take(10).sum::<u32>() % 10 == d[10]
}

#[cfg(test)]
mod tests {
    use super::super::digits;
    use super::*;

    /// A number checks, and no longer once its last digit is another.
    fn checks(rule: fn(&[u32]) -> bool, number: &str) {
        let mut d = digits(number);
        assert!(rule(&d), "{number}");
        let last = d.len() - 1;
        d[last] = (d[last] + 1) % 10;
        assert!(!rule(&d), "{number}");
        assert!(!rule(&d[1..]) && !rule(&[]), "{number}");
    }

    #[test]
    fn known_numbers_check() {
        checks(inn, "7707083893");
        checks(inn, "500100732259");
        checks(snils, "112-233-445 95");
        checks(pesel, "44051401359");
        checks(iin, "831201326715");
        checks(isikukood, "37605030299");
        checks(jmbg, "0101006500006");
        checks(kimlik, "10000000146");
    }

    #[test]
    fn cards_and_accounts_check() {
        assert!(luhn(&digits("4111 1111 1111 1111")) && !luhn(&digits("4111 1111 1111 1112")));
        assert!(!luhn(&[0; 16]) && !luhn(&[]));
        assert!(iban("GB82WEST12345698765432") && !iban("GB82WEST12345698765431"));
        assert!(!iban("") && !iban("GB8") && !iban("ÄÄÄÄÄÄ"));
        assert_eq!(iban_length("EE"), Some(20));
    }

    #[test]
    fn finnish_numbers_check() {
        assert!(hetu(&digits("131052308"), 'T') && !hetu(&digits("131052308"), 'U'));
    }
}
