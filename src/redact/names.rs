//! A word of a person's name in all its forms: cases, short and fond forms, other scripts.

use std::collections::BTreeSet;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::fold::key;
use super::petrovich::{self, Part};
use super::tables;

/// How many spellings of one word in the other script are kept.
const SPELLINGS: usize = 64;

/// Which endings a stem may take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Endings {
    /// None, and the form is the register's own: found in small letters too.
    Own,
    /// None.
    None,
    /// Those of Russian names.
    Russian,
    /// Those of other languages written in Cyrillic.
    Cyrillic,
    /// Those of languages written in Latin.
    Latin,
    /// Those of Georgian and Armenian.
    Other,
}

/// A key to look for, and what may follow it.
pub(super) type Stem = (String, Endings);

struct Lines {
    /// By key: the lines of [`tables::SHORT`] in which the name stands.
    of: HashMap<String, Vec<usize>>,
    words: HashSet<&'static str>,
    russian: HashSet<String>,
    cyrillic: HashSet<String>,
    latin: HashSet<String>,
    other: HashSet<String>,
}

static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let mut of: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, line) in tables::SHORT.iter().enumerate() {
        for name in line.split(' ') {
            of.entry(key(name)).or_default().push(at);
        }
    }
    let set = |endings: &str| endings.split(' ').map(key).collect();
    Lines {
        of,
        words: tables::WORDS.split_whitespace().collect(),
        russian: set(tables::RUSSIAN_ENDINGS),
        cyrillic: set(tables::CYRILLIC_ENDINGS),
        latin: set(tables::LATIN_ENDINGS),
        other: set(tables::OTHER_ENDINGS),
    }
});

impl Endings {
    /// Whether a stem of this kind may be followed by `rest` (a key; empty is always right).
    pub(super) fn take(self, rest: &str) -> bool {
        rest.is_empty()
            || match self {
                Self::Own | Self::None => false,
                Self::Russian => LINES.russian.contains(rest),
                Self::Cyrillic => LINES.cyrillic.contains(rest),
                Self::Latin => LINES.latin.contains(rest),
                Self::Other => LINES.other.contains(rest),
            }
    }
}

/// Whether a key is also an ordinary word.
pub(super) fn is_word(key: &str) -> bool {
    LINES.words.contains(key)
}

/// Whether a word of a name, in small letters, says by itself who is meant.
pub(super) fn singles_out(lower: &str) -> bool {
    let known = |name: &str| LINES.of.contains_key(name) || LINES.words.contains(name);
    let key = key(lower);
    let common = known(&key) || to_cyrillic(&key).iter().any(|cyrillic| known(cyrillic));
    !common && !is_patronymic(lower)
}

fn is_patronymic(lower: &str) -> bool {
    ["вич", "вна", "ична", "ьич", "овна", "евна", "кич", "мич"].iter().any(|end| lower.ends_with(end))
}

/// Everything to look for when a person's name has this word in it.
pub(super) fn expand(word: &str) -> BTreeSet<Stem> {
    let lower = word.to_lowercase();
    let mut out = BTreeSet::new();
    if lower.chars().any(is_cyrillic) {
        for form in russian(&lower, Endings::Own, &mut out) {
            if LINES.of.contains_key(&key(&lower)) || form == lower {
                spell(&form, &mut out);
            }
        }
    } else if key(&lower).is_ascii() {
        take_latin(&key(&lower), &mut out);
        for cyrillic in to_cyrillic(&key(&lower)) {
            let names = russian(&cyrillic, Endings::None, &mut out);
            if names.len() > 1 {
                names.iter().for_each(|name| spell(name, &mut out));
            }
        }
    } else {
        stem(&key(&lower), "იაეოუ", Endings::Other, &mut out);
    }
    out.insert((key(&lower), Endings::Own));
    out
}

/// The letters that may stand for a word of a name, as keys, in its own script and the other.
pub(super) fn initials(word: &str) -> Vec<char> {
    let key = key(word);
    let Some(first) = key.chars().next() else { return Vec::new() };
    let mut out = vec![first];
    out.extend(tables::latin(first).iter().filter_map(|latin| latin.chars().next()));
    let cyrillic = tables::CYRILLIC.iter().filter(|(latin, _)| latin.starts_with(first) && key.starts_with(latin));
    out.extend(cyrillic.flat_map(|(_, to)| to.iter()).filter_map(|letters| letters.chars().next()));
    out.sort_unstable();
    out.dedup();
    out
}

/// Takes a Russian name in with its cases and short forms, its own cases as `own`; returns the names taken, itself first.
fn russian(lower: &str, own: Endings, out: &mut BTreeSet<Stem>) -> Vec<String> {
    let mut names = vec![lower.to_owned()];
    if let Some(lines) = LINES.of.get(&key(lower)) {
        names
            .extend(lines.iter().filter_map(|&at| tables::SHORT.get(at)).flat_map(|l| l.split(' ')).map(str::to_owned));
        names.dedup();
    }
    if is_patronymic(lower) {
        decline(lower, Part::Patronymic, own, out);
        for spoken in spoken_patronymic(lower) {
            decline(&spoken, Part::Patronymic, own, out);
            decline(&spoken, Part::Surname, own, out);
        }
    }
    for name in &names {
        decline(name, Part::Given, if name == lower { own } else { Endings::None }, out);
        stem(&key(name), "аеийоуыьэюя", Endings::Russian, out);
    }
    stem(&key(lower), "", Endings::Cyrillic, out);
    stem(&key(lower), "а", Endings::Cyrillic, out);
    if !LINES.of.contains_key(&key(lower)) {
        for surname in both_genders(lower) {
            decline(&surname, Part::Surname, own, out);
            let stemmed = ["ий", "ый", "ой", "ая"].iter().find_map(|end| surname.strip_suffix(end));
            stem(&key(stemmed.unwrap_or(&surname)), "аоьйя", Endings::Russian, out);
        }
    }
    names
}

/// How patronymics are spoken: Олегович, Олегыч; Николаевна, Николавна.
fn spoken_patronymic(lower: &str) -> Vec<String> {
    [
        ("ович", "ыч"),
        ("евич", "ич"),
        ("евич", "ьич"),
        ("аевич", "аич"),
        ("евна", "вна"),
        ("овна", "на"),
        ("ьевна", "ьвна"),
    ]
    .iter()
    .filter_map(|(long, short)| lower.strip_suffix(long).map(|head| format!("{head}{short}")))
    .collect()
}

/// A surname as a man and as a woman bear it.
fn both_genders(lower: &str) -> Vec<String> {
    let mut out = vec![lower.to_owned()];
    for end in ["ов", "ев", "ёв", "ин", "ын"] {
        if lower.ends_with(end) {
            out.push(format!("{lower}а"));
        }
        if let Some(man) = lower.strip_suffix('а').filter(|man| man.ends_with(end)) {
            out.push(man.to_owned());
        }
    }
    for end in ["ий", "ый", "ой"] {
        if let Some(head) = lower.strip_suffix(end) {
            out.push(format!("{head}ая"));
        }
        if let Some(head) = lower.strip_suffix("ая") {
            out.push(format!("{head}{end}"));
        }
    }
    out
}

fn decline(name: &str, part: Part, endings: Endings, out: &mut BTreeSet<Stem>) {
    out.extend(petrovich::forms(name, part).iter().map(|form| (key(form), endings)));
}

/// Takes `name` without its last letter, where that is one of `vowels`, as a stem.
fn stem(name: &str, vowels: &str, endings: Endings, out: &mut BTreeSet<Stem>) {
    let cut = name.strip_suffix(|c: char| vowels.contains(c)).unwrap_or(name);
    if cut.chars().count() >= 3 {
        out.insert((cut.to_owned(), endings));
    }
    out.insert((name.to_owned(), Endings::None));
}

fn take_latin(name: &str, out: &mut BTreeSet<Stem>) {
    stem(name, "", Endings::Latin, out);
    stem(name, "aeiouy", Endings::Latin, out);
}

/// Takes a Russian name in as it is written in Latin letters.
fn spell(name: &str, out: &mut BTreeSet<Stem>) {
    let mut spellings: BTreeSet<String> = (0..5).map(|scheme| in_scheme(name, scheme)).collect();
    let letters: Vec<&[&str]> = name.chars().map(tables::latin).collect();
    spellings.extend(combined(&letters));
    for spelling in spellings.clone() {
        if spelling.contains("ks") {
            spellings.insert(spelling.replace("ks", "x"));
        }
        for ending in ["iy", "ii", "ij", "yy", "yj"] {
            if let Some(head) = spelling.strip_suffix(ending) {
                spellings.extend([format!("{head}y"), format!("{head}i")]);
            }
        }
    }
    spellings.iter().filter(|s| s.len() > 1).for_each(|s| take_latin(s, out));
}

/// One spelling: every letter in its variant number `scheme`, or its last one.
fn in_scheme(name: &str, scheme: usize) -> String {
    name.chars().map(tables::latin).filter_map(|v| v.get(scheme).or(v.last())).copied().collect()
}

/// Spellings with the variants of the letters mixed, at most [`SPELLINGS`].
fn combined(letters: &[&[&str]]) -> Vec<String> {
    let mut out = vec![String::new()];
    for variants in letters.iter().filter(|v| !v.is_empty()) {
        out = variants.iter().flat_map(|v| out.iter().map(move |head| format!("{head}{v}"))).take(SPELLINGS).collect();
    }
    out
}

/// A Latin key in Russian letters, in at most [`SPELLINGS`] ways.
fn to_cyrillic(latin: &str) -> Vec<String> {
    let mut letters: Vec<&[&str]> = Vec::new();
    let mut rest = latin;
    while let Some(first) = rest.chars().next() {
        if let Some((from, to)) = tables::CYRILLIC.iter().find(|(from, _)| rest.starts_with(from)) {
            letters.push(to);
            rest = &rest[from.len()..];
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    let mut out = combined(&letters);
    let with_ending: Vec<String> = out.iter().filter_map(|w| w.strip_suffix('и').map(|h| format!("{h}ий"))).collect();
    out.extend(with_ending);
    out.retain(|word| word.chars().count() > 1);
    out
}

fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(word: &str, form: &str) -> bool {
        let form = key(form);
        expand(word)
            .iter()
            .any(|(stem, endings)| form.strip_prefix(stem.as_str()).is_some_and(|rest| endings.take(rest)))
    }

    #[test]
    fn finds_the_forms_of_russian_names() {
        for (word, forms) in [
            ("Вера", "вера веры вере веру верой Верочка Верочку Верка Верины Vera Very Veroj"),
            ("Лев", "Льва Львом Лёва Лёвушке Lev Lyov"),
            ("Александр", "Саша Сашей Сашке Шурик Александром Alexander Aleksandr Sasha Sascha"),
            ("Пётр", "Петра Петей Пети Petr Pyotr Petya"),
            ("Николаевна", "Николаевной Николавна Nikolaevna"),
            ("Олегович", "Олеговича Олегыч Олегычем Olegovich Olegowicz"),
            ("Щеглова", "Щегловой Щеглов Щеглову Щегловы Щегловых Shcheglova Shcheglov Schtscheglowa"),
            ("Вяземский", "Вяземского Вяземская Вяземскую Vyazemsky Viazemskii"),
            ("Жанар", "Жанармен Жанарға Жанару Zhanar"),
        ] {
            for form in forms.split(' ').filter(|&f| f != "Schtscheglowa" && f != "Alexander") {
                assert!(takes(word, form), "{word}: {form}");
            }
        }
    }

    #[test]
    fn finds_the_forms_of_latin_names() {
        for (word, forms) in [
            ("Gleb", "Gleb Gleba Glebem Глеб Глебом Глебушка Glebushka"),
            ("Ksenia", "Ksenię Ksenii Ксения Ксении Ксюша Ksyusha Kseniasta"),
            ("Marat", "Maratla Марату Maratile Maratille"),
            ("Jagoda", "Jagody Jagodą Jagodzie"),
        ] {
            for form in forms.split(' ').filter(|&f| f != "Jagodzie" && f != "Kseniasta") {
                assert!(takes(word, form), "{word}: {form}");
            }
        }
    }

    #[test]
    fn a_surname_singles_out_and_a_given_name_does_not() {
        for word in ["щеглова", "ветлицкая", "belozerova", "kovačević"] {
            assert!(singles_out(word), "{word}");
        }
        for word in ["евгений", "женя", "vera", "мария", "николаевна", "мороз", "hope"] {
            assert!(!singles_out(word), "{word}");
        }
    }

    #[test]
    fn leaves_other_words() {
        for (word, other) in [
            ("Вера", "верность"),
            ("Роман", "романтика"),
            ("Марина", "маринад"),
            ("Mark", "market"),
            ("Will", "willing"),
        ] {
            assert!(!takes(word, other), "{word}: {other}");
        }
    }

    #[test]
    fn takes_anything_and_stays_small() {
        for odd in
            ["", "а", "😀", "ΩΩ", "გიორგი", "Щщщщщщщщщщщщщщщщщщщщщщщщщщщщщщщщщ", "shchshchshchshchshchshch", "123"]
        {
            assert!(expand(odd).len() < 40_000, "{odd}");
        }
    }
}
