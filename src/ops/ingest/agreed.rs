//! What a row says about consent, as a consent event.

use std::collections::BTreeMap;

use crate::base::id::{ConsentEventId, InterviewId, ParticipantId};
use crate::base::time::Date;
use crate::base::{Error, Result};
use crate::domain::consent::{ConsentEvent, ConsentScope};
use crate::domain::study::Study;
use crate::formats::manifest::ConsentEntry;
use crate::ledger::event::{ConsentAct, Module, ModuleState, Tier};

/// Ids that are filled in when the event is written.
const LATER: [u8; 16] = [0; 16];

/// The event that `entry` describes, for an interview of that day and language: what its form grants, but for the exceptions. It covers that interview
/// alone, so that an agreement to one form never spreads to an interview made under another. Its ids, its times and its evidence are filled in when it is
/// written. An error comes with the column of the manifest that is at fault.
///
/// The ledger keeps `from` and `expiry`, and may not tell the day of an interview. So the event holds from when it is taken in, which decides nothing otherwise
/// since nothing could leave before; the day itself is returned, to be sealed with the interview. An expiry that follows from the form is brought
/// forward to the end of a year, or of a month where the form holds for less than five years.
pub(super) fn event(
    entry: &ConsentEntry,
    study: &Study,
    language: Option<&str>,
    made: Option<Date>,
    today: Date,
) -> std::result::Result<(ConsentEvent, Date), (&'static str, Error)> {
    let form = study.form(&entry.form, language).ok_or_else(|| {
        let mut versions: Vec<&str> = study.forms.iter().map(|f| f.version.as_str()).collect();
        versions.dedup();
        let remedy = format!("The study's form versions are {}.", versions.join(", "));
        ("consent_form", Error::user("the study has no form of this version", remedy))
    })?;
    let day = entry.date.or(made).ok_or_else(|| {
        (
            "consent_date",
            Error::user("the day of the consent is not known", "Give consent_date, or the date of the interview."),
        )
    })?;
    if day > today {
        let error = Error::user("the day of the consent lies in the future", "Correct the year, month or day.");
        return Err(("consent_date", error));
    }
    let said = exceptions(&entry.exceptions).map_err(|e| ("consent_except", e))?;
    let mut modules = form.grants.clone();
    modules.extend(said.modules);
    let event = ConsentEvent {
        id: ConsentEventId::from_bytes(LATER),
        participant: ParticipantId::from_bytes(LATER),
        act: ConsentAct::Given,
        scope: ConsentScope::Interview { interview: InterviewId::from_bytes(LATER) },
        from: day.start(),
        recorded: day.start(),
        form: Some(form.digest()),
        modules,
        tier: Some(said.tier.unwrap_or(form.tier)),
        embargo: said.embargo,
        expiry: said.expiry.or_else(|| form.expiry_years.and_then(|years| coarse(after(day, Some(years))?, years))),
        review_by: after(day, form.review_years),
        condition: entry.condition.clone(),
        condition_mapped: false,
        language: language.map(str::to_owned),
        basis: form.basis,
        evidence: None,
    };
    event.check().map_err(|e| ("consent_except", e))?;
    Ok((event, day))
}

/// Whether two events say the same, ids, times and evidence aside.
pub(super) fn same(a: &ConsentEvent, b: &ConsentEvent) -> bool {
    let words = |e: &ConsentEvent| (e.act, e.form, e.tier, e.embargo, e.expiry, e.review_by);
    words(a) == words(b) && a.modules == b.modules && a.condition == b.condition
}

#[derive(Default)]
struct Said {
    modules: BTreeMap<Module, ModuleState>,
    tier: Option<Tier>,
    embargo: Option<Date>,
    expiry: Option<Date>,
}

fn exceptions(pairs: &[(String, String)]) -> Result<Said> {
    let mut said = Said::default();
    for (word, value) in pairs {
        match word.as_str() {
            "tier" => said.tier = Some(known(value, "the attribution tier", TIERS)?),
            "embargo" => said.embargo = Some(value.parse()?),
            "expiry" => said.expiry = Some(value.parse()?),
            _ => {
                let module: Module = known(word, "the module of an exception", MODULES)?;
                let state: ModuleState = known(value, "the state of an exception", STATES)?;
                if !matches!(state, ModuleState::Granted | ModuleState::Refused | ModuleState::NotAsked) {
                    return Err(unknown("the state of an exception", STATES));
                }
                said.modules.insert(module, state);
            }
        }
    }
    Ok(said)
}

const MODULES: &str =
    "archive, analyse, reuse, teaching, quote_text, quote_audio, recontact, abroad; or tier, embargo, expiry";
const STATES: &str = "granted, refused, not_asked";
const TIERS: &str = "full_name, first_name, role_place, role_country, code_only, paraphrase_only, never";

fn known<T: serde::de::DeserializeOwned>(word: &str, what: &str, all: &str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|_| unknown(what, all))
}

fn unknown(what: &str, all: &str) -> Error {
    Error::user(format!("{what} is not known"), format!("Write one of {all}."))
}

/// The same day some years later; the last of February for the 29th.
fn after(day: Date, years: Option<u8>) -> Option<Date> {
    let year = day.year().checked_add(i16::from(years?))?;
    Date::new(year, day.month(), day.day()).or_else(|| Date::new(year, day.month(), 28))
}

/// The last day of the year before, or of the month before if `years` are few: never later than `day`.
fn coarse(day: Date, years: u8) -> Option<Date> {
    if years >= 5 || day.month() == 1 {
        return Date::new(day.year().checked_sub(1)?, 12, 31);
    }
    let month = day.month().checked_sub(1)?;
    [31, 30, 29, 28].into_iter().find_map(|last| Date::new(day.year(), month, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: &str = include_str!("../../sample/study.toml");

    fn entry(form: &str, exceptions: &[(&str, &str)]) -> ConsentEntry {
        let exceptions = exceptions.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        ConsentEntry { line: 2, form: form.into(), date: None, exceptions, condition: None, evidence: None }
    }

    fn read(entry: &ConsentEntry, language: &str) -> std::result::Result<ConsentEvent, (&'static str, Error)> {
        let study = Study::parse(STUDY).unwrap();
        event(entry, &study, Some(language), "2024-02-29".parse().ok(), "2026-01-01".parse().unwrap())
            .map(|(event, _)| event)
    }

    #[test]
    fn a_form_grants_and_exceptions_change_that() {
        let event =
            read(&entry("v2", &[("teaching", "granted"), ("reuse", "refused"), ("tier", "code_only")]), "ru").unwrap();
        assert_eq!(event.modules[&Module::Teaching], ModuleState::Granted);
        assert_eq!(event.modules[&Module::Reuse], ModuleState::Refused);
        assert_eq!(event.modules[&Module::Archive], ModuleState::Granted);
        assert!(!event.modules.contains_key(&Module::QuoteAudio));
        assert_eq!(event.tier, Some(Tier::CodeOnly));
        assert_eq!(event.expiry.unwrap().to_string(), "2043-12-31");
        assert_eq!(coarse("2027-03-15".parse().unwrap(), 3).unwrap().to_string(), "2027-02-28");
        assert_eq!(coarse("2027-01-15".parse().unwrap(), 3).unwrap().to_string(), "2026-12-31");
        assert_eq!(event.review_by.unwrap().to_string(), "2029-02-28");
        let english = read(&entry("v2", &[]), "hy").unwrap();
        assert_ne!(english.form, event.form);
        assert!(same(&event, &event.clone()) && !same(&event, &english));
    }

    #[test]
    fn faults_name_their_column() {
        let column = |e: &ConsentEntry| read(e, "ru").unwrap_err().0;
        assert_eq!(column(&entry("v9", &[])), "consent_form");
        for bad in [
            ("reuse", "withdrawn"),
            ("reuse", "open"),
            ("open", "granted"),
            ("tier", "open"),
            ("embargo", "2030-02-30"),
        ] {
            assert_eq!(column(&entry("v2", &[bad])), "consent_except", "{bad:?}");
        }
        assert_eq!(column(&entry("v2", &[("embargo", "2040-01-01"), ("expiry", "2030-01-01")])), "consent_except");
        let late = ConsentEntry { date: "2026-01-02".parse().ok(), ..entry("v2", &[]) };
        assert_eq!(column(&late), "consent_date");
    }
}
