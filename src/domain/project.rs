//! Projects: one use of the study, its purpose, people and period; and what consent a use needs.

use serde::{Deserialize, Serialize};

use crate::base::id::{PersonId, ProjectId};
use crate::base::time::Date;
use crate::base::{Error, Result, text};
use crate::ledger::event::{Module, ModuleState, Tier};

/// Most people in one project.
const MAX_PEOPLE: usize = 1000;

/// The longest description of a purpose, in characters.
pub const MAX_PURPOSE: usize = 5000;

const DUO: &str = include_str!("../../schema/vocabularies/duo.csv");

/// A term of the Data Use Ontology of the GA4GH.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Term {
    /// Its id: `DUO:0000042`.
    pub id: &'static str,
    /// Its shorthand: `GRU`.
    pub shorthand: &'static str,
    /// Its name in words.
    pub label: &'static str,
    /// Whether it narrows a use rather than naming one.
    pub modifier: bool,
}

/// What a project is for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// The id of a DUO term: `DUO:0000042`.
    pub duo: String,
    /// The purpose in words.
    pub words: String,
}

/// Whether a project is going on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is, within its period.
    Open,
    /// A steward has closed it.
    Closed,
}

/// One use of the study.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Who takes part: nobody else gets an extract.
    pub people: Vec<PersonId>,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// Other researchers than those of the study use the material.
    pub reuse: bool,
    /// The material is shown in teaching.
    pub teaching: bool,
    /// Whether it is going on.
    pub status: Status,
}

crate::base::text::hidden!(Project, Purpose);

impl Project {
    /// The same project with its texts trimmed and its purpose as a DUO id, if everything in it holds: texts within bounds, people named
    /// once, the period not upside down.
    pub fn checked(mut self) -> Result<Self> {
        self.title = text::line("the title", &self.title)?;
        self.purpose = Purpose::new(&self.purpose.duo, &self.purpose.words)?;
        if self.people.len() > MAX_PEOPLE {
            return Err(Error::user(format!("the project has more than {MAX_PEOPLE} people"), "Split it."));
        }
        self.people.sort_unstable();
        self.people.dedup();
        if self.people.is_empty() {
            return Err(Error::user("the project has no people", "Name at least one enrolled person."));
        }
        if self.until < self.from {
            return Err(Error::user("the project ends before it begins", "Give the first day, then the last."));
        }
        Ok(self)
    }

    /// Whether it is going on that day: open and within its period, both ends included.
    pub fn active(&self, day: Date) -> bool {
        self.status == Status::Open && (self.from..=self.until).contains(&day)
    }

    /// Whether a person takes part in it.
    pub fn has(&self, person: PersonId) -> bool {
        self.people.contains(&person)
    }

    /// The modules of consent that it needs of every voice ([`needs`]).
    pub fn needs(&self, abroad: bool) -> Vec<Module> {
        needs(self.reuse, self.teaching, abroad)
    }
}

impl Purpose {
    /// A purpose by DUO id or shorthand, and in words.
    pub fn new(duo: &str, words: &str) -> Result<Self> {
        let term = purpose_term(duo)?;
        let words = text::page("the purpose", words)?.trim().to_owned();
        if words.is_empty() {
            return Err(Error::user("the purpose is empty", "Say in a sentence or two what the material is used for."));
        }
        if words.chars().count() > MAX_PURPOSE {
            return Err(Error::user(format!("the purpose is longer than {MAX_PURPOSE} characters"), "Shorten it."));
        }
        Ok(Self { duo: term.id.to_owned(), words })
    }
}

/// The modules of consent that a use needs, in the order of [`Module`]; every one must be `granted` for a turn to go.
///
/// Always `archive`: what was not to be kept cannot be used. The team of the study needs `analyse`; with `reuse`, others use the material, and
/// that needs `reuse` instead: a participant can agree to the one and not to the other. `teaching` and `abroad` (the recipient is in
/// another country than the site) come on top of either.
///
/// The quoting modules are not among them. An extract is for reading and analysing, which somebody may agree to who does not want to be
/// quoted; whether and how a voice may be quoted goes with the extract as its attribution tier ([`attribution`]). Nor does the
/// DUO term change what is needed: it must lie within an approval, and says nothing of who gets the material.
pub fn needs(reuse: bool, teaching: bool, abroad: bool) -> Vec<Module> {
    let mut needs = vec![Module::Archive, if reuse { Module::Reuse } else { Module::Analyse }];
    if teaching {
        needs.push(Module::Teaching);
    }
    if abroad {
        needs.push(Module::Abroad);
    }
    needs
}

/// How a voice may appear in print: its tier, but never more than paraphrase unless quoting in text is granted.
pub fn attribution(tier: Tier, quote_text: ModuleState) -> Tier {
    if quote_text == ModuleState::Granted { tier } else { tier.max(Tier::ParaphraseOnly) }
}

/// The 23 terms of DUO that can be used, in the order of their ids.
pub fn terms() -> impl Iterator<Item = Term> {
    let rows = DUO.lines().filter(|l| l.starts_with("DUO:"));
    rows.filter_map(|row| {
        let mut fields = row.splitn(4, ';');
        let (id, shorthand, kind, label) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        Some(Term { id, shorthand, label, modifier: kind == "modifier" })
    })
}

/// The term of a DUO id (`DUO:0000042`) or shorthand (`GRU`), in any case.
pub fn term(code: &str) -> Option<Term> {
    let code = code.trim();
    terms().find(|t| t.id.eq_ignore_ascii_case(code) || t.shorthand.eq_ignore_ascii_case(code))
}

/// As [`term`], for a purpose: `NRES` (no restriction) is refused, since nothing leaves a vault without one.
pub fn purpose_term(code: &str) -> Result<Term> {
    let Some(term) = term(code) else {
        let known: Vec<&str> = terms().map(|t| t.shorthand).filter(|s| *s != "NRES").collect();
        return Err(Error::user("the purpose is not a term of DUO", format!("Use one of {}.", known.join(", "))));
    };
    if term.shorthand == "NRES" {
        let remedy = "Nothing in a vault is open. Use GRU (general research use) or a narrower term.";
        return Err(Error::user("a purpose without restriction does not exist here", remedy));
    }
    Ok(term)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn project() -> Project {
        let date = |t: &str| t.parse().unwrap();
        Project {
            id: ProjectId::from_bytes([1; 16]),
            title: " Departures ".into(),
            purpose: Purpose { duo: "gru".into(), words: "To understand why people leave.".into() },
            people: vec![PersonId::from_bytes([2; 16]), PersonId::from_bytes([2; 16])],
            from: date("2026-01-01"),
            until: date("2027-12-31"),
            reuse: false,
            teaching: false,
            status: Status::Open,
        }
    }

    #[test]
    fn knows_the_23_terms_and_refuses_no_restriction() {
        assert_eq!(terms().count(), 23);
        assert_eq!(terms().filter(|t| !t.modifier).count(), 5);
        assert_eq!(term("DUO:0000042").unwrap().shorthand, "GRU");
        assert_eq!(term("duo:0000018").unwrap().label, "not for profit, non commercial use only");
        assert!(term("DUO:0000001").is_none());
        assert!(purpose_term("NRES").is_err());
        assert!(purpose_term("OPEN").is_err());
    }

    #[test]
    fn checks_and_tidies_a_project() {
        let good = project().checked().unwrap();
        assert_eq!(
            (good.title.as_str(), good.purpose.duo.as_str(), good.people.len()),
            ("Departures", "DUO:0000042", 1)
        );
        assert!(Project { people: vec![], ..project() }.checked().is_err());
        assert!(Project { until: "2025-12-31".parse().unwrap(), ..project() }.checked().is_err());
        assert!(Project { title: " ".into(), ..project() }.checked().is_err());
        assert!(Purpose::new("GRU", "  \n").is_err());
        assert!(Purpose::new("GRU", &"x".repeat(MAX_PURPOSE + 1)).is_err());
    }

    #[test]
    fn is_active_within_its_period_while_open() {
        let p = project();
        for (day, active) in [("2025-12-31", false), ("2026-01-01", true), ("2027-12-31", true), ("2028-01-01", false)]
        {
            assert_eq!(p.active(day.parse().unwrap()), active, "{day}");
        }
        assert!(!Project { status: Status::Closed, ..project() }.active("2026-06-01".parse().unwrap()));
    }

    #[test]
    fn a_use_needs_what_it_is() {
        use Module::{Abroad, Analyse, Archive, Reuse, Teaching};
        assert_eq!(needs(false, false, false), [Archive, Analyse]);
        assert_eq!(needs(true, false, false), [Archive, Reuse]);
        assert_eq!(needs(true, true, true), [Archive, Reuse, Teaching, Abroad]);
        assert_eq!(needs(false, true, false), [Archive, Analyse, Teaching]);
    }

    proptest! {
        #[test]
        fn more_use_never_needs_less_and_order_is_fixed(reuse: bool, teaching: bool, abroad: bool) {
            let all = needs(reuse, teaching, abroad);
            prop_assert!(all.is_sorted() && all.contains(&Module::Archive));
            for fewer in [needs(reuse, false, abroad), needs(reuse, teaching, false)] {
                prop_assert!(fewer.iter().all(|m| all.contains(m)));
            }
        }
    }

    #[test]
    fn no_quotation_without_leave_to_quote() {
        assert_eq!(attribution(Tier::RolePlace, ModuleState::Granted), Tier::RolePlace);
        for state in [ModuleState::Refused, ModuleState::NotAsked, ModuleState::Withdrawn, ModuleState::Expired] {
            assert_eq!(attribution(Tier::FullName, state), Tier::ParaphraseOnly);
            assert_eq!(attribution(Tier::Never, state), Tier::Never);
        }
    }
}
