//! Sentences with choices in them. `{a|b}`: one of these; `[a|b]`: a man says the first, a woman the second; `<slot>` or `<slot:case>`: a word of the
//! speaker's own world.

use std::collections::BTreeMap;

use super::shape::Dice;
use super::world::{Case, Slot, World};

/// Topics that no conversation has as such: what serves in any, and what others say.
const ASIDE: [&str; 4] = ["any", "follow", "short", "aside"];

/// Questions and sentences, by topic, in the order of the file.
pub(super) struct Topics(Vec<Topic>);

/// A topic: what is asked, and what is told.
#[derive(Default)]
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) questions: Vec<Template>,
    pub(super) sentences: Vec<Template>,
}

/// A sentence, read.
pub(super) struct Template(Vec<Node>);

enum Node {
    Text(String),
    Choice(Vec<Template>),
    Gender(Template, Template),
    Slot(Slot, Case),
}

/// What of a speaker's world was said, by slot: every form once.
pub(super) type Said = BTreeMap<Slot, Vec<String>>;

impl Topics {
    /// Reads a file of topics: `## name`, then lines that begin with `? ` (a question) or `- ` (a sentence). What is not of this form is left out; a test
    /// shows that nothing is.
    pub(super) fn read(text: &str) -> Self {
        let mut topics: Vec<Topic> = Vec::new();
        for line in text.lines() {
            let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
            if mark == "##" {
                topics.push(Topic { name: rest.to_owned(), ..Topic::default() });
            } else if let (Some(topic), Some(template)) = (topics.last_mut(), Template::read(rest)) {
                match mark {
                    "?" => topic.questions.push(template),
                    "-" => topic.sentences.push(template),
                    _ => {}
                }
            }
        }
        Self(topics)
    }

    /// The topics that a conversation goes through, in their order.
    pub(super) fn course(&self) -> impl Iterator<Item = &Topic> {
        self.0.iter().filter(|t| !ASIDE.contains(&t.name.as_str()))
    }

    /// A topic by its name.
    pub(super) fn get(&self, name: &str) -> Option<&Topic> {
        self.0.iter().find(|t| t.name == name)
    }
}

impl Template {
    /// None if braces or slots are not as they should be.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut rest = text;
        let template = sequence(&mut rest)?;
        rest.is_empty().then_some(template)
    }

    /// Writes the sentence as somebody says it, adding to what was said of their world.
    pub(super) fn write(&self, dice: &mut Dice, world: &World, said: &mut Said, out: &mut String) {
        for node in &self.0 {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Choice(all) => {
                    if let Some(one) = dice.pick(all) {
                        one.write(dice, world, said, out);
                    }
                }
                Node::Gender(man, woman) => if world.woman { woman } else { man }.write(dice, world, said, out),
                Node::Slot(slot, case) => {
                    let words = world.say(*slot, *case);
                    out.push_str(words);
                    let forms = said.entry(*slot).or_default();
                    if !forms.iter().any(|form| form == words) {
                        forms.push(words.to_owned());
                    }
                }
            }
        }
    }
}

/// Reads up to the end, or to a sign that ends it (left in `rest`).
fn sequence(rest: &mut &str) -> Option<Template> {
    let mut nodes = Vec::new();
    while let Some(first) = rest.chars().next() {
        match first {
            '|' | '}' | ']' => break,
            '{' => nodes.push(Node::Choice(choices(rest, '}')?)),
            '[' => {
                let mut both = choices(rest, ']')?;
                let (woman, man) = (both.pop()?, both.pop()?);
                both.is_empty().then(|| nodes.push(Node::Gender(man, woman)))?;
            }
            '<' => {
                let (inside, after) = rest.get(1..)?.split_once('>')?;
                let (slot, case) = inside.split_once(':').unwrap_or((inside, "n"));
                nodes.push(Node::Slot(Slot::named(slot)?, Case::named(case)?));
                *rest = after;
            }
            '>' => return None,
            _ => {
                let end = rest.find(['|', '{', '}', '[', ']', '<', '>']).unwrap_or(rest.len());
                let (text, after) = rest.split_at(end);
                nodes.push(Node::Text(text.to_owned()));
                *rest = after;
            }
        }
    }
    Some(Template(nodes))
}

fn choices(rest: &mut &str, end: char) -> Option<Vec<Template>> {
    *rest = rest.get(1..)?;
    let mut all = vec![sequence(rest)?];
    loop {
        let next = rest.chars().next()?;
        *rest = rest.get(1..)?;
        match next {
            '|' => all.push(sequence(rest)?),
            c if c == end => return Some(all),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_material_is_read() {
        let files =
            [include_str!("ru.txt"), include_str!("en.txt"), include_str!("local.txt"), include_str!("asked.txt")];
        let mut lines = 0;
        for text in files {
            for line in text.lines().filter(|l| !l.is_empty()) {
                let (mark, rest) = line.split_once(' ').unwrap();
                assert!(["##", "?", "-"].contains(&mark), "{line}");
                assert!(Template::read(rest).is_some(), "{line}");
                assert!(mark == "##" || rest.ends_with(['.', '?', '}']), "{line}");
                lines += 1;
            }
        }
        assert!(lines > 450, "{lines}");
        for bad in ["{a", "a}", "[a]", "[a|b|c]", "<nobody>", "<name:x>", "a>b", "{a]"] {
            assert!(Template::read(bad).is_none(), "{bad}");
        }
    }
}
