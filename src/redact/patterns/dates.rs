//! Dates, in figures and with the name of the month. Years, weekdays and clock times alone are left.

use super::{Finds, patterns};
use crate::redact::Class;

/// The names of months in the languages of the study, as beginnings of words and the endings they take.
const MONTH: &str = r"(?:январ[ьяею]|феврал[ьяею]|март[ае]?|апрел[ьяею]|ма[йяе]|июн[ьяею]|июл[ьяею]|август[ае]?|сентябр[ьяею]|октябр[ьяею]|ноябр[ьяею]|декабр[ьяею]|january|february|march|april|may|june|july|august|september|october|november|december|stycz(?:eń|nia|niu)|lut(?:y|ego|ym)|mar(?:zec|ca|cu)|kwie(?:cień|tnia|tniu)|maj[au]?|czerw(?:iec|ca|cu)|lip(?:iec|ca|cu)|sierp(?:ień|nia|niu)|wrze(?:sień|śnia|śniu)|październik[au]?|listopad(?:a|zie)?|grud(?:zień|nia|niu)|januar[au]?|februar[au]?|mart[au]?|april[au]?|jun[au]?|jul[au]?|avgust[au]?|septemb(?:ar|ra|ru)|oktob(?:ar|ra|ru)|novemb(?:ar|ra|ru)|decemb(?:ar|ra|ru)|јануар[ау]?|фебруар[ау]?|априла?|јун[ау]?|јул[ау]?|септемб(?:ар|ра)|октоб(?:ар|ра)|новемб(?:ар|ра)|децемб(?:ар|ра)|ocak|şubat|mart|nisan|mayıs|haziran|temmuz|ağustos|eylül|ekim|kasım|aralık|jaanuar\w{0,3}|veebruar\w{0,3}|märts\w{0,3}|aprill\w{0,3}|mai[ls]?|juuni\w{0,2}|juuli\w{0,2}|tammikuu\w{0,4}|helmikuu\w{0,4}|maaliskuu\w{0,4}|huhtikuu\w{0,4}|toukokuu\w{0,4}|kesäkuu\w{0,4}|heinäkuu\w{0,4}|elokuu\w{0,4}|syyskuu\w{0,4}|lokakuu\w{0,4}|marraskuu\w{0,4}|joulukuu\w{0,4})";

/// A day in Russian or English words.
const DAY: &str = r"(?:(?:двадцать|тридцать)\s+)?(?:перв|втор|трет|четв[её]рт|пят|шест|седьм|восьм|девят|десят|одиннадцат|двенадцат|тринадцат|четырнадцат|пятнадцат|шестнадцат|семнадцат|восемнадцат|девятнадцат|двадцат|тридцат)(?:ого|ое|ому|ом|ый|ьего|ье)|(?:twenty[- ]|thirty[- ])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth)";

/// A year in Russian words after a month: `двадцать второго`, `две тысячи двадцать второго`.
const YEAR: &str = r"(?:(?:тысяча\s+девятьсот|две\s+тысячи)\s+)?(?:(?:двадцать|тридцать|сорок|пятьдесят|шестьдесят|семьдесят|восемьдесят|девяносто)\s+)?(?:перв|втор|треть|четв[её]рт|пят|шест|седьм|восьм|девят|десят|одиннадцат|двенадцат|тринадцат|четырнадцат|пятнадцат|шестнадцат|семнадцат|восемнадцат|девятнадцат|двадцат)(?:ого|его)";

patterns! {
    FIGURES = r"\b(\d{1,2})([./-])(\d{1,2})([./-])((?:19|20)\d{2}|\d{2})\b";
    ISO = r"\b(?:19|20)\d{2}([./-])(\d{1,2})[./-](\d{1,2})\b";
    SPACED = r"\b(\d{1,2})\. ?(\d{1,2})\. ?(?:19|20)\d{2}\b";
    SHORT = r"(?:^|[\s(])(\d{1,2}\.(?:0[1-9]|1[0-2])\.) \p{Ll}";
    DAY_MONTH = &format!(r"(?i)\b(?:(\d{{1,2}})(?:st|nd|rd|th|-?го|-?е|\.)?|{DAY})\s+(?:of\s+)?({MONTH})(?:,?\s+(?:(\d{{4}})\b|{YEAR}\b))?");
    MONTH_DAY = r"\b((?i:january|february|april|june|july|august|september|october|november|december)|M(?i:arch|ay))\s+(?:the\s+)?(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4})\b)?";
    MONTH_YEAR = &format!(r"(?i)\b{MONTH}\s+(?:(?:19|20)\d{{2}}\b|{YEAR}\b|'\d{{2}}\b)");
    PUBLIC = r"(?ix)^(?: (?:24(?:th|-?го|-?е|\.)?|двадцать\s+четв[её]рт\w+|twenty[- ]fourth)\s+(?:of\s+)?(?:феврал|february|februar|lutego|şubat|veebruar|helmikuu|фебруар)
        | (?:21(?:st|-?го|-?е|\.)?|двадцать\s+перв\w+|twenty[- ]first)\s+(?:of\s+)?(?:сентябр|septemb|września|eylül|syyskuu|септембр) | february\s+(?:the\s+)?24 | september\s+(?:the\s+)?21 )";
}

/// Dates in figures.
pub(super) fn numeric(finds: &mut Finds<'_>) {
    for found in FIGURES.captures_iter(finds.text) {
        let (_, [day, first, month, second, year]) = found.extract();
        // 10-12-15 is as likely anything else
        let telling = first == second && (year.len() == 4 || first != "-");
        if telling && is_day(day, month) {
            add(finds, found.get(0));
        }
    }
    for found in ISO.captures_iter(finds.text).chain(SPACED.captures_iter(finds.text)) {
        let (day, month) = (found.get(found.len() - 1), found.get(found.len() - 2));
        if let (Some(day), Some(month)) = (day, month)
            && is_day(day.as_str(), month.as_str())
        {
            add(finds, found.get(0));
        }
    }
    for found in SHORT.captures_iter(finds.text) {
        add(finds, found.get(1));
    }
}

/// Dates with the name of the month. The two days that everybody means when they name them are left: 24 February and
/// 21 September, without a year or with 2022.
pub(super) fn worded(finds: &mut Finds<'_>) {
    let mut public = std::collections::HashSet::new();
    for found in DAY_MONTH.captures_iter(finds.text) {
        let day: u32 = found.get(1).map_or(1, |day| day.as_str().parse().unwrap_or(0));
        let end = found.get(2).map_or(0, |month| month.end());
        let whole_word = !finds.text[end..].starts_with(char::is_alphanumeric);
        let verb = found.get(1).is_none() && matches!(&found[2], "may" | "march") && !found[0].contains(" of ");
        if is_public(&found) {
            public.extend(found.get(2).map(|month| month.start()));
        } else if (1..=31).contains(&day) && whole_word && !verb {
            add(finds, found.get(0));
        }
    }
    for found in MONTH_DAY.captures_iter(finds.text) {
        if !is_public(&found) {
            add(finds, found.get(0));
        }
    }
    for found in MONTH_YEAR.find_iter(finds.text).filter(|found| !public.contains(&found.start())) {
        add(finds, Some(found));
    }
}

fn is_public(found: &regex::Captures<'_>) -> bool {
    PUBLIC.is_match(&found[0]) && found.get(3).is_none_or(|year| year.as_str() == "2022")
}

/// Whether the two figures are a day and a month, in either order.
fn is_day(one: &str, two: &str) -> bool {
    let (one, two): (u32, u32) = (one.parse().unwrap_or(0), two.parse().unwrap_or(0));
    (1..=31).contains(&one) && (1..=31).contains(&two) && one.min(two) <= 12
}

fn add(finds: &mut Finds<'_>, found: Option<regex::Match<'_>>) {
    if let Some(found) = found {
        finds.add((found.start(), found.end()), Class::Date, true, "[date]");
    }
}
