//! Events in plain words.

use super::Names;
use super::names::short;
use crate::base::role::RoleGrant;
use crate::base::text;
use crate::ledger::event::{ConsentAct, ConsentFacts, DecisionFacts, Event, Module, ModuleState, Scope};

/// What an event says, in one line. Tokens and ids by their first eight digits.
pub fn words(event: &Event, names: &Names) -> String {
    match event {
        Event::Genesis { steward_id, boards, trustees, threshold, .. } => {
            let trustees = match trustees.len() {
                0 => String::new(),
                n => format!(", {threshold} of {n} trustees"),
            };
            format!("the vault was founded by {}; {}{trustees}", names.show(*steward_id), count(boards.len(), "board"))
        }
        Event::Keyring { version, .. } => format!("keyring {version} came into force"),
        Event::Person { person, country, roles, .. } if roles.is_empty() => {
            format!("{} ({country}) was removed", names.show(*person))
        }
        Event::Person { person, country, roles, .. } => {
            format!("{} ({country}) is {}", names.show(*person), roles.iter().map(role).collect::<Vec<_>>().join(", "))
        }
        Event::Study { version, .. } => format!("study definition {version} came into force"),
        Event::Site { site, country, boards } => {
            format!("site {} in {country}; boards asked for: {}", short(site), list(boards))
        }
        Event::Policy { .. } => "the policies came into force".into(),
        Event::Approval(a) => {
            let sites = a.sites.as_ref().map_or("all sites".into(), |s| count(s.len(), "site"));
            format!(
                "approval {} by the {} board: {sites}, fieldwork {} to {}, use {} to {}",
                short(&a.approval),
                a.board,
                a.fieldwork.0,
                a.fieldwork.1,
                a.usage.0,
                a.usage.1
            )
        }
        Event::Project { project, purpose, people, from, until } => {
            let people: Vec<_> = people.iter().map(|p| names.show(*p)).collect();
            format!("project {} ({purpose}), {from} to {until}: {}", short(project), list(&people))
        }
        Event::Participant { participant } => format!("participant {} is known", short(participant)),
        Event::Item { item, site, voices } => {
            format!("interview {} of site {} is known, with {}", short(item), short(site), count(voices.len(), "voice"))
        }
        Event::Object { object, item, kind, .. } => {
            format!("{kind} {} of interview {} is kept", short(object), short(item))
        }
        Event::Transcript { transcript, item, version, kind } => {
            format!("transcript {} of interview {} is kept: version {version}, {kind}", short(transcript), short(item))
        }
        Event::Passage { passage, item } => format!("passage {} of interview {} is known", short(passage), short(item)),
        Event::Consent(facts) => consent(facts),
        Event::HoldSet { hold, sites, items } => {
            format!(
                "hold {} set on {} and {}",
                short(hold),
                count(sites.len(), "site"),
                count(items.len(), "interview")
            )
        }
        Event::HoldLift { hold, lifted: true } => format!("hold {} lifted", short(hold)),
        Event::HoldLift { hold, lifted: false } => format!("agreed to lift hold {}; one more is needed", short(hold)),
        Event::Review { transcript, engine, marks, .. } => {
            format!(
                "transcript {} was read and reviewed ({}, engine {engine})",
                short(transcript),
                count(*marks, "mark")
            )
        }
        Event::Marks { transcript, added, changed, removed } => {
            format!("marks of transcript {}: {added} added, {changed} changed, {removed} removed", short(transcript))
        }
        Event::Request { request, project, requester, .. } => {
            format!("request {} of {} for project {}", short(request), names.show(*requester), short(project))
        }
        Event::Decision { decision, items, .. } => self::decision(decision, items.as_deref(), names),
        Event::Release { release, request, recipient, until, items, withheld, .. } => format!(
            "release {} on request {} to {} until {until}: {}, {withheld} withheld",
            short(release),
            short(request),
            names.show(*recipient),
            count(items.len(), "interview")
        ),
        Event::Receipt { release, recipient, until, .. } => {
            format!("receipt of release {} to {}, until {until}", short(release), names.show(*recipient))
        }
        Event::ReleaseAgain { release, .. } => format!("release {} was built again", short(release)),
        Event::Listed { what, filters, count } => {
            let by = if filters.is_empty() { String::new() } else { format!(" by {}", filters.join(", ")) };
            format!("listed {what}{by}: {count}")
        }
        Event::Opened { what, tokens } => {
            format!("opened {what}: {}", list(&tokens.iter().map(short).collect::<Vec<_>>()))
        }
        Event::Denied { what, reason } => format!("refused: {what} ({reason})"),
        Event::Intent { act, number } => format!("about to {act} ({number})"),
        Event::Done { act, number } => format!("done: {act} ({number})"),
        Event::Checked { faults } => format!("the vault was checked: {}", count(*faults, "fault")),
        Event::Checks { transcript, turns } => {
            format!("{} of transcript {} checked against what stands beside", count(*turns, "turn"), short(transcript))
        }
        Event::ClockAccepted { people } => {
            let people: Vec<_> = people.iter().map(|p| names.show(*p)).collect();
            format!("the clock was accepted by {}", list(&people))
        }
    }
}

fn consent(facts: &ConsentFacts) -> String {
    let act = match facts.act {
        ConsentAct::Given => "consent given",
        ConsentAct::Amended => "consent changed",
        ConsentAct::Withdrawn => "consent withdrawn",
    };
    let scope = match &facts.scope {
        Scope::All => String::new(),
        Scope::Interview(item) => format!(" for interview {}", short(item)),
        Scope::Passage(passage) => format!(" for passage {}", short(passage)),
    };
    let mut said: Vec<String> = facts.modules.iter().map(|(m, s)| format!("{} {}", module(*m), state(*s))).collect();
    if facts.act == ConsentAct::Withdrawn && facts.modules.is_empty() {
        said.push("everything".to_owned());
    }
    said.extend(facts.tier.map(|tier| format!("named as {}", word(&tier))));
    said.extend(facts.embargo.map(|day| format!("nothing before {day}")));
    said.extend(facts.expiry.map(|day| format!("nothing after {day}")));
    said.extend(facts.unmapped_condition.then(|| "a condition to be mapped".to_owned()));
    said.extend(facts.condition_mapped.then(|| "conditions mapped".to_owned()));
    format!("{act} by participant {}{scope}, from {}: {}", short(&facts.participant), facts.from.date(), list(&said))
}

fn decision(facts: &DecisionFacts, items: Option<&[crate::base::id::Token]>, names: &Names) -> String {
    if !facts.granted {
        return format!("{} refused request {}", names.show(facts.steward), short(&facts.request));
    }
    let needs: Vec<_> = facts.needs.iter().map(|m| module(*m)).collect();
    let some = match items {
        Some(items) => count(items.len(), "interview"),
        None => facts.sites.as_ref().map_or("everything asked".into(), |s| count(s.len(), "site")),
    };
    format!(
        "{} granted request {} to {} ({}): level {}, {some}, until {}, needs {}",
        names.show(facts.steward),
        short(&facts.request),
        names.show(facts.recipient),
        facts.country,
        facts.level,
        facts.until,
        list(&needs)
    )
}

fn role(grant: &RoleGrant) -> String {
    match &grant.sites {
        None => grant.role.to_string(),
        Some(sites) => format!("{} of {}", grant.role, count(sites.len(), "site")),
    }
}

fn module(module: Module) -> &'static str {
    match module {
        Module::Archive => "archive",
        Module::Analyse => "analyse",
        Module::Reuse => "re-use",
        Module::Teaching => "teaching",
        Module::QuoteText => "quote in text",
        Module::QuoteAudio => "quote in audio",
        Module::Recontact => "re-contact",
        Module::Abroad => "abroad",
    }
}

fn state(state: ModuleState) -> &'static str {
    match state {
        ModuleState::Granted => "granted",
        ModuleState::Refused => "refused",
        ModuleState::NotAsked => "not asked",
        ModuleState::Withdrawn => "withdrawn",
        ModuleState::Expired => "expired",
    }
}

/// The word that stands for a value in the ledger, with spaces.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().replace('_', " ")
}

fn list<T: AsRef<str>>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".into();
    }
    items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}

fn count<N: TryInto<u64>>(n: N, of: &str) -> String {
    text::count(n, of, &format!("{of}s"))
}
