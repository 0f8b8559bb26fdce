//! What people who act in the ledger are called, where that is known.

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::id::PersonId;
use crate::base::{Error, Result};
use crate::crypto::card::Card;
use crate::session::{PersonRecord, Unlocked, Vault};
use crate::store::catalogue::RecordKind;
use crate::store::files;

/// The largest card that is read, in bytes.
const MAX_CARD: u64 = 64 << 10;
/// The most cards that are read out of a folder.
const MAX_CARDS: usize = 10_000;

/// Names of people by id: out of cards, or out of the catalogue.
#[derive(Clone, Default)]
pub struct Names(BTreeMap<PersonId, String>);

impl Names {
    /// Adds the people whose cards (`*.card`) lie in a folder. A card that cannot be read is passed over: a vault's card has the same ending.
    pub fn add_cards(&mut self, dir: &Path) -> Result<()> {
        let io = |e: std::io::Error| Error::io("read the folder of cards", &e);
        let paths = std::fs::read_dir(dir).map_err(io)?.take(MAX_CARDS);
        for path in paths {
            let path = path.map_err(io)?.path();
            if path.extension().is_some_and(|e| e == "card")
                && let Ok(bytes) = files::read_bounded(&path, MAX_CARD, "a card")
                && let Ok(card) = Card::parse(&bytes)
            {
                self.0.insert(card.person_id(), card.name().to_owned());
            }
        }
        Ok(())
    }

    /// Adds everybody who is or was enrolled, if the catalogue is open to whoever asks.
    pub fn add_catalogue(&mut self, vault: &Vault<Unlocked>) -> Result<()> {
        if let Ok(view) = vault.view() {
            for person in view.records::<PersonRecord>(RecordKind::Person)? {
                self.0.insert(person.card.person_id(), person.card.name().to_owned());
            }
        }
        Ok(())
    }

    /// Somebody's name, if it is known.
    pub fn name(&self, id: PersonId) -> Option<&str> {
        self.0.get(&id).map(String::as_str)
    }

    /// The name, or the first eight digits of the id.
    pub fn show(&self, id: PersonId) -> String {
        self.name(id).map_or_else(|| short(&id), str::to_owned)
    }

    /// The ids that a name, an id or the beginning of an id (eight digits or more) stands for; `None` if nobody is known by that.
    pub(super) fn find(&self, typed: &str) -> Option<Wanted> {
        let typed = typed.trim().to_lowercase();
        let ids: Vec<_> = self.0.iter().filter(|(_, name)| name.to_lowercase() == typed).map(|(id, _)| *id).collect();
        if !ids.is_empty() {
            return Some(Wanted::Ids(ids));
        }
        let digits = typed.len() >= 8 && typed.len() <= 32 && typed.bytes().all(|b| b.is_ascii_hexdigit());
        digits.then_some(Wanted::Prefix(typed))
    }
}

/// Who is looked for.
pub(super) enum Wanted {
    Ids(Vec<PersonId>),
    Prefix(String),
}

impl Wanted {
    pub(super) fn fits(&self, id: PersonId) -> bool {
        match self {
            Self::Ids(ids) => ids.contains(&id),
            Self::Prefix(prefix) => id.to_string().starts_with(prefix),
        }
    }
}

/// The first eight digits of an id.
pub(super) fn short(id: &impl ToString) -> String {
    id.to_string().chars().take(8).collect()
}
