//! E-mail addresses, links, handles.

use super::{Finds, patterns};
use crate::redact::Class;

patterns! {
    EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+";
    LINK = r#"(?i)(?:\bhttps?://|\bwww\.)[^\s<>"«»„“”()\[\]{}]{3,}"#;
    HOST = r#"(?i)\b(?:[a-z0-9][a-z0-9-]*\.)+[a-z]{2,12}/[^\s<>"«»„“”()\[\]{}]{2,}"#;
    IP = r"\b(?:\d{1,3}\.){3}\d{1,3}\b";
    HANDLE = r"@\w(?:[\w.-]*\w)?";
    AT = r"(?ix)[\w.+-]{2,} (?:\s+(?:dot|точка|kropka|tačka|nokta|punkt|piste|dash|дефис|тире|minus|underscore|нижнее\s+подч[её]ркивание|podkreślenie)\s+[\w-]+){0,5}
        \s* (?: [\(\[\{]\s*(?:at|собака|@)\s*[\)\]\}] | \s(?:at|собака|собачка|małpa|et|kuyruklu\s+a|miukumauku)\s ) \s*
        [\w-]+ (?: (?: \s*[\(\[\{]\s*(?:dot|точка|\.)\s*[\)\]\}]\s* | \s+(?:dot|точка|kropka|tačka|nokta|punkt|piste)\s+ | \. ) [\w-]{2,} ){0,3}
        (?: (?: \s*[\(\[\{]\s*(?:dot|точка|\.)\s*[\)\]\}]\s* | \s+(?:dot|точка|kropka|tačka|nokta|punkt|piste)\s+ )
            (?:com|org|net|info|edu|gov|me|io|eu|ru|su|am|ge|kz|ee|fi|pl|rs|tr|mn|by|ua|de|uk|us|fr|it|ком|орг|нет|ру|рф|ам|кз|пл|рс) | \.[a-z]{2,10} )\b";
}

/// What has `@`, a dot or a slash in it.
pub(super) fn find(finds: &mut Finds<'_>) {
    for found in EMAIL.find_iter(finds.text) {
        let skip = found.as_str().len() - found.as_str().trim_start_matches(['.', '-', '+']).len();
        let to = found.start() + found.as_str().trim_end_matches(['-', '_']).len();
        if !found.as_str()[skip..].starts_with('@') {
            finds.add((found.start() + skip, to), Class::Contact, true, "[e-mail]");
        }
    }
    for found in LINK.find_iter(finds.text).chain(HOST.find_iter(finds.text)) {
        let link = found.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '"', '…', '*', '-']);
        finds.add((found.start(), found.start() + link.len()), Class::Contact, true, "[link]");
    }
    for found in IP.find_iter(finds.text) {
        let octets: Vec<u32> = found.as_str().split('.').filter_map(|octet| octet.parse().ok()).collect();
        if octets.iter().all(|&octet| octet < 256) && octets.iter().any(|&octet| octet > 31) {
            finds.add((found.start(), found.end()), Class::Contact, true, "[network address]");
        }
    }
    for found in HANDLE.find_iter(finds.text) {
        let glued = finds.text[..found.start()].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        if !glued && found.as_str().chars().count() > 2 {
            finds.add((found.start(), found.end()), Class::Contact, true, "[handle]");
        }
    }
}

/// E-mail addresses that are spelled out: `name at host dot org`.
pub(super) fn spelled(finds: &mut Finds<'_>) {
    for found in AT.find_iter(finds.text) {
        finds.add((found.start(), found.end()), Class::Contact, true, "[e-mail]");
    }
}
