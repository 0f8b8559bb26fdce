//! Declension of Russian names, by the rules of the Petrovich project (`data/petrovich.json`, MIT, see
//! `data/petrovich.LICENSE`).
//!
//! A rule holds endings (or, as an exception, whole names), a gender and five changes, for the genitive, dative, accusative,
//! instrumental and prepositional: `-` takes a letter away, the rest is added, `.` leaves the name as it is.

use std::sync::LazyLock;

use serde::Deserialize;

/// Which part of a full name a word is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// Вера
    Given,
    /// Николаевна
    Patronymic,
    /// Щеглова
    Surname,
}

#[derive(Deserialize, Default)]
struct Rules {
    lastname: Group,
    firstname: Group,
    middlename: Group,
}

#[derive(Deserialize, Default)]
struct Group {
    exceptions: Vec<Rule>,
    suffixes: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    gender: Gender,
    test: Vec<String>,
    mods: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
enum Gender {
    Male,
    Female,
    Androgynous,
}

static RULES: LazyLock<Rules> =
    LazyLock::new(|| serde_json::from_str(include_str!("data/petrovich.json")).unwrap_or_default());

/// All case forms of `name` (lower case, Cyrillic) as that part of a name, as a man's and as a woman's, itself included.
pub(super) fn forms(name: &str, part: Part) -> Vec<String> {
    let group = match part {
        Part::Given => &RULES.firstname,
        Part::Patronymic => &RULES.middlename,
        Part::Surname => &RULES.lastname,
    };
    let mut forms = vec![name.to_owned()];
    for gender in [Gender::Male, Gender::Female] {
        let Some(rule) = group.rule(name, gender) else { continue };
        forms.extend(rule.mods.iter().filter_map(|change| changed(name, change)));
    }
    forms.sort();
    forms.dedup();
    forms
}

impl Group {
    fn rule(&self, name: &str, gender: Gender) -> Option<&Rule> {
        let fits = |rule: &&Rule| (rule.gender == gender || rule.gender == Gender::Androgynous) && rule.tags.is_empty();
        let exception = self.exceptions.iter().filter(fits).find(|rule| rule.test.iter().any(|test| test == name));
        exception.or_else(|| {
            self.suffixes.iter().filter(fits).find(|rule| rule.test.iter().any(|test| name.ends_with(test.as_str())))
        })
    }
}

fn changed(name: &str, change: &str) -> Option<String> {
    if change == "." {
        return None;
    }
    let ending = change.trim_start_matches('-');
    let taken = change.len() - ending.len();
    let kept = name.chars().count().checked_sub(taken)?;
    Some(name.chars().take(kept).chain(ending.chars()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declines_known_names() {
        for (name, part, expected) in [
            ("лев", Part::Given, "льва льву львом льве"),
            ("пётр", Part::Given, "петра петру петром петре"),
            ("вера", Part::Given, "веры вере веру верой"),
            ("дмитрий", Part::Given, "дмитрия дмитрию дмитрием дмитрии"),
            ("николаевна", Part::Patronymic, "николаевны николаевне николаевну николаевной"),
            ("олегович", Part::Patronymic, "олеговича олеговичу олеговичем олеговиче"),
            ("щеглова", Part::Surname, "щегловой щеглову"),
            ("щеглов", Part::Surname, "щеглова щеглову щегловым щеглове"),
            ("рабинович", Part::Surname, "рабиновича рабиновичем"),
            ("вяземский", Part::Surname, "вяземского вяземским"),
        ] {
            let forms = forms(name, part);
            for form in expected.split(' ') {
                assert!(forms.iter().any(|f| f == form), "{name}: {form} is not among {forms:?}");
            }
        }
    }

    #[test]
    fn takes_anything() {
        for odd in ["", "а", "ь", "abc", "😀"] {
            for part in [Part::Given, Part::Patronymic, Part::Surname] {
                assert!(forms(odd, part).iter().any(|f| f == odd));
            }
        }
        assert_eq!((RULES.lastname.suffixes.len(), RULES.firstname.exceptions.len()), (40, 8));
    }
}
