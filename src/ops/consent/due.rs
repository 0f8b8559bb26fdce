//! Consents that end or must be looked at soon.

use serde::Serialize;

use crate::base::id::Token;
use crate::base::role::Role;
use crate::base::time::Date;
use crate::base::{Error, Result};
use crate::domain::consent::{Place, state_at};
use crate::ledger::event::{Event, Module, ModuleState};
use crate::ops::listing::Listing;
use crate::ops::register;
use crate::session::{Unlocked, Vault};

/// The farthest that is looked ahead, in days: a hundred years.
const FARTHEST: u32 = 36_525;

/// One participant in one interview.
#[derive(Serialize)]
pub struct Due {
    /// The archive code.
    pub code: String,
    /// The label in the interview.
    pub label: String,
    /// What the ledger calls them.
    pub participant: Token,
    /// Nothing leaves after this day; set if it comes within the time asked for, or has passed.
    pub expiry: Option<Date>,
    /// To be looked at by this day; likewise.
    pub review_by: Option<Date>,
    /// One of the days has passed.
    pub overdue: bool,
    /// They may be contacted again.
    pub recontact: bool,
}

/// What ends or must be looked at within so many days, or should have been, at the sites of whoever asks; the first to come due first. What is
/// withdrawn altogether is left out.
pub fn due(vault: &mut Vault<Unlocked>, days: u32) -> Result<Listing<Due>> {
    if days > FARTHEST {
        return Err(Error::user("that is more than a hundred years", "Give fewer --days."));
    }
    vault.commit("consent due", |act| {
        if !act.has(Role::Steward, None) {
            act.require(Role::Archivist, None)?;
        }
        let today = act.now().date();
        let last = act.now().plus_days(days.into()).date();
        let (mut all, mut hurt) = act.readable_interviews()?;
        all.retain(|interview| register::keeps(act, interview.row.site));
        hurt.retain(|site| register::keeps(act, *site));
        let mut found = Listing::gather(all, hurt.len(), |interview, found| {
            for voice in register::voices(act, &interview.body)? {
                let events = act.consent_events(&voice.participant)?;
                let state = state_at(&events, act.now(), &Place::Interview(interview.row.id));
                let expiry = state.expiry.filter(|day| *day <= last);
                let review_by = state.review_by.filter(|day| *day <= last);
                if state.withdrawn || (expiry.is_none() && review_by.is_none()) {
                    continue;
                }
                let passed = |day: Option<Date>| day.is_some_and(|d| d < today);
                found.push(Due {
                    code: interview.body.code.clone(),
                    label: voice.label,
                    participant: voice.participant.body.token,
                    overdue: passed(expiry) || passed(review_by),
                    expiry,
                    review_by,
                    recontact: state.module(Module::Recontact) == ModuleState::Granted,
                });
            }
            Ok(())
        })?;
        let first = |d: &Due| d.expiry.into_iter().chain(d.review_by).min();
        found.rows.sort_by(|a, b| (first(a), &a.code, &a.label).cmp(&(first(b), &b.code, &b.label)));
        let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
        act.event(Event::Listed { what: "consents due".to_owned(), filters: vec!["days".to_owned()], count });
        Ok(found)
    })
}
