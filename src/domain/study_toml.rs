//! Reading TOML so that every fault is found with its line: values keep their place, a wrong one is noted and the reading goes on.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::de::{DeTable, DeValue};

use super::study::Fault;
use crate::base::text;

/// So many faults are told; whoever has more mends these first.
const MAX_FAULTS: usize = 200;

/// The longest list of words.
pub(super) const MAX_WORDS: usize = 500;

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node<'a, 't> {
    /// The key, as `site.country`.
    pub(super) key: String,
    /// The byte at which it stands.
    pub(super) at: usize,
    value: &'a DeValue<'t>,
}

/// A table and where it stands.
#[derive(Clone)]
pub(super) struct Table<'a, 't> {
    key: String,
    /// The byte at which it stands.
    pub(super) at: usize,
    table: &'a DeTable<'t>,
}

/// The faults found so far.
pub(super) struct Faults {
    /// The byte at which each line begins.
    starts: Vec<usize>,
    list: Vec<Fault>,
    /// After a fault in the TOML itself parts of the text may be lost: what is missing is not a fault then.
    broken: bool,
}

impl Faults {
    pub(super) fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
        Self { starts: std::iter::once(0).chain(breaks).collect(), list: Vec::new(), broken: false }
    }

    /// Notes a fault at a byte of the text.
    pub(super) fn add(
        &mut self,
        at: usize,
        key: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.list.len() < MAX_FAULTS {
            let (line, key) = (self.line(at), key.into());
            self.list.push(Fault { line, key, what: what.into(), remedy: remedy.into() });
        }
    }

    /// Notes a fault in the TOML itself.
    pub(super) fn broken(&mut self, at: usize, message: &str) {
        self.broken = true;
        let what = format!("this is not valid TOML: {}", message.lines().next().unwrap_or("it cannot be read"));
        self.add(at, "", what, "Compare the line with the example study that comes with the demo.");
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at)
    }

    /// Whether nothing is wrong so far.
    pub(super) fn none(&self) -> bool {
        self.list.is_empty()
    }

    /// The faults, in the order of the text.
    pub(super) fn into_list(mut self) -> Vec<Fault> {
        self.list.sort_by(|a, b| (a.line, &a.key).cmp(&(b.line, &b.key)));
        self.list
    }

    /// The string of a value.
    pub(super) fn string<'a>(&mut self, node: &Node<'a, '_>) -> Option<&'a str> {
        let found = node.value.as_str();
        if found.is_none() {
            self.wrong_type(node, "a text in quotes");
        }
        found
    }

    /// One line of text, trimmed.
    pub(super) fn line_of(&mut self, node: &Node<'_, '_>) -> Option<String> {
        let text = self.string(node)?;
        self.bounded(node, text::line(&node.key, text))
    }

    /// A page of text that is not empty, trimmed at both ends.
    pub(super) fn page_of(&mut self, node: &Node<'_, '_>) -> Option<String> {
        let text = self.string(node)?.trim();
        if text.is_empty() {
            self.add(
                node.at,
                &node.key,
                format!("{} is empty", node.key),
                "Write the text between three quotes (\"\"\").",
            );
            return None;
        }
        self.bounded(node, text::page(&node.key, text))
    }

    fn bounded(&mut self, node: &Node<'_, '_>, result: crate::base::Result<String>) -> Option<String> {
        result.map_err(|e| self.add(node.at, &node.key, e.what(), e.remedy())).ok()
    }

    /// A whole number within bounds.
    pub(super) fn integer(&mut self, node: &Node<'_, '_>, least: u32, most: u32) -> Option<u32> {
        let Some(number) = node.value.as_integer() else {
            self.wrong_type(node, "a whole number");
            return None;
        };
        let value = i64::from_str_radix(number.as_str(), number.radix()).ok().and_then(|n| u32::try_from(n).ok());
        let value = value.filter(|n| (least..=most).contains(n));
        if value.is_none() {
            let what = format!("{} is not between {least} and {most}", node.key);
            self.add(node.at, &node.key, what, format!("Give a number from {least} to {most}."));
        }
        value
    }

    /// The members of a list, at most `most` of them.
    pub(super) fn list<'a, 't>(&mut self, node: &Node<'a, 't>, most: usize) -> Vec<Node<'a, 't>> {
        let Some(array) = node.value.as_array() else {
            self.wrong_type(node, "a list in square brackets");
            return Vec::new();
        };
        if array.len() > most {
            let what = format!("{} has more than {most} members", node.key);
            self.add(node.at, &node.key, what, format!("Keep it to {most}."));
        }
        let of =
            |v: &'a toml::Spanned<DeValue<'t>>| Node { key: node.key.clone(), at: v.span().start, value: v.get_ref() };
        array.iter().take(most).map(of).collect()
    }

    /// One of a few words, in snake case, as the type reads them; `words` are all of them.
    pub(super) fn word<'de, T: Deserialize<'de>>(&mut self, node: &Node<'_, '_>, words: &[&str]) -> Option<T> {
        let text = self.string(node)?.to_owned();
        if words.contains(&text.as_str()) {
            let read: Result<T, serde::de::value::Error> = T::deserialize(text.into_deserializer());
            return read.ok();
        }
        let remedy = format!("{}It is one of {}.", meant(&text, words), words.join(", "));
        self.add(node.at, &node.key, format!("{} has no such value", node.key), remedy);
        None
    }

    fn wrong_type(&mut self, node: &Node<'_, '_>, wanted: &str) {
        self.add(node.at, &node.key, format!("{} is not {wanted}", node.key), format!("Write {wanted}."));
    }

    /// The table that a value is.
    pub(super) fn table<'a, 't>(&mut self, node: &Node<'a, 't>) -> Option<Table<'a, 't>> {
        let table = node.value.as_table();
        if table.is_none() {
            self.wrong_type(node, &format!("a table ([{}])", node.key));
        }
        table.map(|table| Table { key: node.key.clone(), at: node.at, table })
    }

    /// The tables of `[[name]]`, at most `most` of them.
    pub(super) fn tables<'a, 't>(&mut self, root: &Table<'a, 't>, name: &str, most: usize) -> Vec<Table<'a, 't>> {
        let Some(node) = root.get(name) else { return Vec::new() };
        if node.value.as_array().is_none() {
            self.add(
                node.at,
                name,
                format!("{name} is not a list of tables"),
                format!("Begin each one with [[{name}]]."),
            );
            return Vec::new();
        }
        let members = self.list(&node, most);
        members.iter().filter_map(|member| self.table(member)).collect()
    }

    /// A value that must be there.
    pub(super) fn need<'a, 't>(&mut self, table: &Table<'a, 't>, name: &str) -> Option<Node<'a, 't>> {
        let found = table.get(name);
        if found.is_none() && !self.broken {
            let key = table.path(name);
            self.add(table.at, &key, format!("{key} is missing"), format!("Add a line `{name} = …`."));
        }
        found
    }

    /// Whether what is missing counts as a fault.
    pub(super) fn complete(&self) -> bool {
        !self.broken
    }

    /// Faults of all keys that are not among `known`.
    pub(super) fn only(&mut self, table: &Table<'_, '_>, known: &[&str]) {
        for (key, _) in table.table.iter() {
            let (name, at) = (key.get_ref().as_ref(), key.span().start);
            if known.contains(&name) {
                continue;
            }
            let path = table.path(&shown(name));
            if speaks_of_openness(name) {
                self.add(at, &path, "there is no open access", NEVER_OPEN);
            } else {
                let remedy = format!("{}Known here: {}.", meant(name, known), known.join(", "));
                self.add(at, &path, format!("{path} is not a key of a study definition"), remedy);
            }
        }
    }
}

/// Said to whoever tries to grant it.
pub(super) const NEVER_OPEN: &str = "Nothing in a vault is ever open to the public. For other researchers, under a decision and with an end, grant `reuse`.";

/// Whether a word asks for what no study can grant.
pub(super) fn speaks_of_openness(word: &str) -> bool {
    let word = word.to_lowercase();
    word.split(['_', '-', ' '])
        .any(|w| matches!(w, "open" | "public" | "publish" | "published" | "openaccess" | "oa" | "anyone" | "everyone"))
}

impl Node<'_, '_> {
    /// The text of a value that is one.
    pub(super) fn text(&self) -> Option<&str> {
        self.value.as_str()
    }
}

impl<'a, 't> Table<'a, 't> {
    /// The whole document.
    pub(super) fn root(table: &'a DeTable<'t>) -> Self {
        Self { key: String::new(), at: 0, table }
    }

    /// The value of a key.
    pub(super) fn get(&self, name: &str) -> Option<Node<'a, 't>> {
        let (key, value) = self.table.get_key_value(name)?;
        Some(Node { key: self.path(name), at: key.span().start, value: value.get_ref() })
    }

    /// All keys and their values.
    pub(super) fn entries(&self) -> Vec<(&'a str, Node<'a, 't>)> {
        let table = self.table;
        let entry = |(k, v): (&'a toml::Spanned<_>, &'a toml::Spanned<DeValue<'t>>)| {
            let name: &'a std::borrow::Cow<'t, str> = k.get_ref();
            let node = Node { key: self.path(&shown(name)), at: k.span().start, value: v.get_ref() };
            (name.as_ref(), node)
        };
        table.iter().map(entry).collect()
    }

    /// The key of a member, as `site.country`.
    pub(super) fn path(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) }
    }
}

/// The members of a list, each read by `read`; a member that stands twice is a fault.
pub(super) fn words<'a, 't>(
    f: &mut Faults,
    node: &Node<'a, 't>,
    read: impl Fn(&mut Faults, &Node<'a, 't>) -> Option<String>,
) -> Option<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    let mut clear = true;
    for member in f.list(node, MAX_WORDS) {
        match read(f, &member) {
            Some(word) if found.contains(&word) => {
                f.add(member.at, &member.key, "this stands twice in the list", "Leave one out.");
            }
            Some(word) => found.push(word),
            None => clear = false,
        }
    }
    clear.then_some(found)
}

/// A text of a shape; `remedy` tells the shape.
pub(super) fn checked(f: &mut Faults, node: &Node<'_, '_>, good: fn(&str) -> bool, remedy: &str) -> Option<String> {
    let text = f.string(node)?;
    if !good(text) {
        f.add(node.at, &node.key, format!("{} is not written as it must be", node.key), remedy);
    }
    good(text).then(|| text.to_owned())
}

/// The tables of `[[name]]`; none at all is a fault.
pub(super) fn some_tables<'a, 't>(f: &mut Faults, root: &Table<'a, 't>, name: &str, most: usize) -> Vec<Table<'a, 't>> {
    let tables = f.tables(root, name, most);
    if tables.is_empty() && f.complete() {
        f.add(0, name, format!("the study has no {name}"), format!("Add one that begins with [[{name}]]."));
    }
    tables
}

/// 1 to 32 small letters, digits and `_`, a letter first.
pub(super) fn is_word(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A key fit to be shown: short, no control characters.
fn shown(key: &str) -> String {
    key.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// "Did you mean …? ", if a known word is near.
fn meant(word: &str, known: &[&str]) -> String {
    let near = known.iter().map(|k| (distance(word, k), *k)).min().filter(|(d, k)| *d <= 2.min(k.len() / 2));
    near.map(|(_, k)| format!("Did you mean `{k}`? ")).unwrap_or_default()
}

/// How many letters must be put in, left out, changed or swapped with their neighbour to come from `a` to `b`; words over 40 letters are far.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.chars().collect());
    if a.len() > 40 || b.len() > 40 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            next[j] = (row[j] + 1).min(next[j - 1] + 1).min(row[j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_letters_between_words() {
        for (a, b, d) in [
            ("site", "site", 0),
            ("sites", "site", 1),
            ("contry", "country", 1),
            ("ocuntry", "country", 1),
            ("", "ab", 2),
        ] {
            assert_eq!(distance(a, b), d, "{a} {b}");
        }
    }

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(meant("grnats", &["grants", "tier"]), "Did you mean `grants`? ");
        assert_eq!(meant("k", &["cell", "grace_days"]), "");
    }
}
