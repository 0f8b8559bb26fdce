//! What was planted in a study, and looking for it in what left.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use super::template::Said;
use super::world::{Slot, World};

/// What may appear nowhere outside the vault, in every form that occurs: lists as in the sample's `secrets.json`.
#[derive(Default, Serialize)]
pub struct Planted {
    /// Names of people.
    pub names: BTreeSet<String>,
    /// Phones, mail addresses, handles.
    pub handles: BTreeSet<String>,
    /// Passports and cards.
    pub numbers: BTreeSet<String>,
    /// Addresses.
    pub addresses: BTreeSet<String>,
    /// Archive codes.
    pub codes: BTreeSet<String>,
    /// Employers and schools: replaced at level 2 and above.
    pub workplaces: BTreeSet<String>,
    /// Days of people's lives: replaced at level 2 and above.
    pub dates: BTreeSet<String>,
}

impl Planted {
    /// Nothing yet but the interview's code.
    pub(super) fn new(code: &str) -> Self {
        Self { codes: [code.to_owned()].into(), ..Self::default() }
    }

    /// Adds what a speaker said of their world, and what the manifest says of them.
    pub(super) fn take(&mut self, world: &World, said: &Said) {
        let known = [Slot::Full, Slot::Nick, Slot::Phone, Slot::Mail, Slot::Handle];
        for slot in known {
            self.put(slot, world.plain(slot));
        }
        for (slot, forms) in said {
            forms.iter().for_each(|form| self.put(*slot, form));
        }
    }

    fn put(&mut self, slot: Slot, words: &str) {
        let list = match slot {
            Slot::Phone | Slot::Phone2 | Slot::Mail | Slot::Handle => &mut self.handles,
            Slot::Passport | Slot::Card => &mut self.numbers,
            Slot::Address | Slot::OldAddress => &mut self.addresses,
            Slot::Firm | Slot::Firm2 | Slot::School => &mut self.workplaces,
            Slot::Left | Slot::Date | Slot::Date2 => &mut self.dates,
            Slot::Home | Slot::Here => return,
            _ => &mut self.names,
        };
        // Of a firm or school, the name alone; of a day, what tells it.
        let named = words.split_once('«').and_then(|(_, rest)| rest.split_once('»')).map_or(words, |(name, _)| name);
        let named = named.trim_end_matches(" года");
        list.insert(named.to_owned());
    }

    /// Adds all of another's.
    pub fn append(&mut self, mut other: Self) {
        for ((_, mine), (_, its)) in self.lists_mut().into_iter().zip(other.lists_mut()) {
            mine.append(its);
        }
    }

    /// Every list, with the class of marks that it is of; none for codes, which no transcript holds.
    pub fn lists(&self) -> [(Option<&'static str>, &BTreeSet<String>); 7] {
        [
            (Some("person"), &self.names),
            (Some("contact"), &self.handles),
            (Some("number"), &self.numbers),
            (Some("address"), &self.addresses),
            (Some("organisation"), &self.workplaces),
            (Some("date"), &self.dates),
            (None, &self.codes),
        ]
    }

    fn lists_mut(&mut self) -> [(&'static str, &mut BTreeSet<String>); 7] {
        [
            ("names", &mut self.names),
            ("handles", &mut self.handles),
            ("numbers", &mut self.numbers),
            ("addresses", &mut self.addresses),
            ("workplaces", &mut self.workplaces),
            ("dates", &mut self.dates),
            ("codes", &mut self.codes),
        ]
    }
}

/// Looks for any number of phrases in a text at once, whole words, capitals and signs aside. It holds digests, not the phrases.
#[derive(Default)]
pub struct Search {
    /// By number of words.
    phrases: HashMap<usize, HashSet<u64>>,
}

impl Search {
    /// For all that was planted.
    pub fn new(planted: &Planted) -> Self {
        let mut search = Self::default();
        for (_, list) in planted.lists() {
            for phrase in list {
                let words = tokens(phrase);
                search.phrases.entry(words.len()).or_default().insert(digest(&words));
            }
        }
        search
    }

    /// How many phrases are looked for.
    pub fn len(&self) -> usize {
        self.phrases.values().map(HashSet::len).sum()
    }

    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often any of them stands in a text.
    pub fn count(&self, text: &str) -> usize {
        let words = tokens(text);
        let found = |(length, set): (&usize, &HashSet<u64>)| {
            if *length == 0 { 0 } else { words.windows(*length).filter(|w| set.contains(&digest(w))).count() }
        };
        self.phrases.iter().map(found).sum()
    }
}

/// The words of a text in small letters: letters and digits, without what stands between.
pub fn tokens(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    words.map(str::to_lowercase).collect()
}

fn digest(words: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}
