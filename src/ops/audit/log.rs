//! Reading the ledger: its entries in plain words.

use std::collections::VecDeque;

use serde::Serialize;

use super::names::{Names, Wanted};
use super::{Source, listed, record_reading, words};
use crate::base::id::PersonId;
use crate::base::time::{Date, Moment};
use crate::base::{Error, Result};
use crate::ledger::entry::Entry;
use crate::ledger::event::Event;
use crate::session::{Unlocked, Vault};

/// Which entries are wanted.
#[derive(Clone, Default)]
pub struct Filter {
    /// From this number on.
    pub from: Option<u64>,
    /// Of this command, or of all commands that begin with this word: `consent` finds `consent withdraw`.
    pub command: Option<String>,
    /// By this person: a name that is known, an id, or its first eight digits or more.
    pub person: Option<String>,
    /// From this day on.
    pub since: Option<Date>,
    /// The last so many; all, if not given.
    pub last: Option<usize>,
}

/// One entry.
#[derive(Clone, Serialize)]
pub struct LogLine {
    /// Its number.
    pub seq: u64,
    /// When.
    pub time: Moment,
    /// Who.
    pub actor: PersonId,
    /// What they are called, if that is known.
    pub name: Option<String>,
    /// Which command.
    pub command: String,
    /// What happened, in words.
    pub words: Vec<String>,
    /// What happened, as it stands in the ledger.
    pub events: Vec<Event>,
}

crate::base::text::hidden!(LogLine);

/// Some entries, newest last.
#[derive(Clone, Debug, Serialize)]
pub struct LogPage {
    /// How many entries the ledger has.
    pub size: u64,
    /// Those asked for.
    pub entries: Vec<LogLine>,
    /// Older ones that fit too were left out.
    pub more: bool,
    /// Numbers of entries that cannot be read; `audit verify` says more.
    pub unreadable: Vec<u64>,
}

impl LogLine {
    /// An entry in words.
    pub(super) fn new(entry: &Entry, names: &Names, keep: impl Fn(&Event) -> bool) -> Self {
        let events: Vec<Event> = entry.events.iter().filter(|e| keep(e)).cloned().collect();
        Self {
            seq: entry.seq,
            time: entry.time,
            actor: entry.actor,
            name: names.name(entry.actor).map(str::to_owned),
            command: entry.command.clone(),
            words: events.iter().map(|event| words(event, names)).collect(),
            events,
        }
    }
}

/// Reads the ledger of a vault, or of an exported folder if `export` names one. Whoever could write entries leaves one.
pub fn read_log(
    vault: Option<&mut Vault<Unlocked>>,
    export: Option<&std::path::Path>,
    filter: &Filter,
    names: &Names,
) -> Result<LogPage> {
    match (vault, export) {
        (_, Some(dir)) => page(Source::Export(dir), filter, names),
        (Some(vault), None) => {
            let found = page(Source::Vault(vault.log()), filter, names)?;
            record_reading(vault, "audit log", listed("ledger", filter.names(), found.entries.len()))?;
            Ok(found)
        }
        (None, None) => Err(Error::bug("there is no ledger to read")),
    }
}

fn page(source: Source<'_>, filter: &Filter, names: &Names) -> Result<LogPage> {
    let wanted = filter.wanted(names)?;
    let most = filter.last.unwrap_or(usize::MAX);
    let mut found = LogPage { size: 0, entries: Vec::new(), more: false, unreadable: Vec::new() };
    if let Source::Vault(log) = source {
        // From the newest back, so that a short look at a long ledger stays short.
        found.size = log.head()?.size;
        for seq in (filter.from.unwrap_or(0)..found.size).rev() {
            let Some(entry) = readable(log.db().leaf(seq), seq, &mut found.unreadable) else { continue };
            if filter.since.is_some_and(|day| entry.time < day.start()) {
                break;
            }
            if filter.fits(&entry, wanted.as_ref()) {
                if found.entries.len() == most {
                    found.more = true;
                    break;
                }
                found.entries.push(LogLine::new(&entry, names, |_| true));
            }
        }
        found.entries.reverse();
        found.unreadable.reverse();
        return Ok(found);
    }
    let mut lines = VecDeque::new();
    for leaf in source.leaves()? {
        let seq = found.size;
        found.size += 1;
        let Some(entry) = readable(Ok(leaf?), seq, &mut found.unreadable) else { continue };
        if filter.fits(&entry, wanted.as_ref()) {
            lines.push_back(LogLine::new(&entry, names, |_| true));
            if lines.len() > most {
                lines.pop_front();
                found.more = true;
            }
        }
    }
    found.entries = lines.into();
    Ok(found)
}

fn readable(leaf: Result<Vec<u8>>, seq: u64, unreadable: &mut Vec<u64>) -> Option<Entry> {
    let entry = leaf.and_then(|leaf| Entry::parse(&leaf)).ok();
    if entry.is_none() {
        unreadable.push(seq);
    }
    entry
}

impl Filter {
    /// The names of the filters in use; never what they are set to.
    fn names(&self) -> Vec<String> {
        let used = [
            ("from", self.from.is_some()),
            ("command", self.command.is_some()),
            ("person", self.person.is_some()),
            ("since", self.since.is_some()),
            ("last", self.last.is_some()),
        ];
        used.iter().filter(|(_, used)| *used).map(|(name, _)| (*name).to_owned()).collect()
    }

    fn wanted(&self, names: &Names) -> Result<Option<Wanted>> {
        let Some(typed) = &self.person else { return Ok(None) };
        names.find(typed).map(Some).ok_or_else(|| {
            Error::user(
                "nobody is known by that name",
                "Give the first eight digits of their id or more, or a folder with their card: --cards DIR.",
            )
        })
    }

    fn fits(&self, entry: &Entry, wanted: Option<&Wanted>) -> bool {
        let command = self.command.as_deref().map(str::trim).is_none_or(|word| {
            entry.command.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        command
            && self.from.is_none_or(|from| entry.seq >= from)
            && self.since.is_none_or(|day| entry.time >= day.start())
            && wanted.is_none_or(|wanted| wanted.fits(entry.actor))
    }
}
