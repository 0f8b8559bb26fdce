//! A conversation: topics in an order that interviews have, questions, answers of some sentences, and who else is heard.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::shape::Dice;
use super::template::{Said, Template, Topic, Topics};
use super::world::World;

static RUSSIAN: LazyLock<Topics> = LazyLock::new(|| Topics::read(include_str!("ru.txt")));
static ENGLISH: LazyLock<Topics> = LazyLock::new(|| Topics::read(include_str!("en.txt")));
static LOCAL: LazyLock<Topics> = LazyLock::new(|| Topics::read(include_str!("local.txt")));
static ASKED: LazyLock<Topics> = LazyLock::new(|| Topics::read(include_str!("asked.txt")));

/// Who says a turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Interviewer,
    Voice(usize),
    Interpreter,
    Bystander,
}

/// What one says until the next begins.
pub(super) struct Turn {
    pub(super) who: Who,
    pub(super) text: String,
}

/// Who is in the room, and how long they talk.
pub(super) struct Room<'a> {
    pub(super) worlds: &'a [World],
    /// The same people as they speak English, where the conversation begins in it.
    pub(super) english: Option<&'a [World]>,
    pub(super) site: &'a str,
    pub(super) interpreter: bool,
    pub(super) bystander: bool,
    pub(super) characters: usize,
}

/// Sentences of one list, each once before any comes again.
struct Bag {
    all: &'static [Template],
    left: Vec<usize>,
}

struct Talk<'a> {
    room: &'a Room<'a>,
    dice: &'a mut Dice,
    told: HashSet<u64>,
    said: Vec<Said>,
    turns: Vec<Turn>,
    length: usize,
    speaks: usize,
    english: bool,
}

/// The turns of a conversation of about so many characters, and what each voice said of their world. No sentence is told twice in it.
pub(super) fn talk(room: &Room<'_>, dice: &mut Dice) -> (Vec<Turn>, Vec<Said>) {
    let said = room.worlds.iter().map(|_| Said::new()).collect();
    let mut talk =
        Talk { room, dice, told: HashSet::new(), said, turns: Vec::new(), length: 0, speaks: 0, english: false };
    talk.run();
    (talk.turns, talk.said)
}

impl Bag {
    fn new(all: &'static [Template]) -> Self {
        Self { all, left: Vec::new() }
    }

    fn draw(&mut self, dice: &mut Dice) -> Option<&'static Template> {
        if self.left.is_empty() {
            self.left.extend(0..self.all.len());
        }
        let at = dice.roll(self.left.len());
        (!self.left.is_empty()).then(|| self.left.swap_remove(at)).and_then(|i| self.all.get(i))
    }
}

impl Talk<'_> {
    fn run(&mut self) {
        if self.room.english.is_some() {
            // As long as there is something new to say in it.
            self.english = true;
            let told = ENGLISH.course().map(|t| t.sentences.len()).sum::<usize>() * 170;
            self.course(told.min(self.room.characters / 3));
            self.english = false;
            self.aloud(Who::Interviewer, "Thank you. Shall we go on in Russian, is that easier?");
            self.aloud(Who::Voice(self.speaks), "Да, давайте по-русски. По-английски я как в чужих ботинках.");
        }
        self.course(self.room.characters);
    }

    /// Every topic, for as long as there is something to say about it.
    fn course(&mut self, goal: usize) {
        let topics = self.topics();
        let (Some(follow), Some(any)) = (topics.get("follow"), topics.get("any")) else { return };
        let mut shared = [Bag::new(&follow.questions), Bag::new(&any.sentences)];
        let weight = |topic: &Topic, dice: &mut Dice| topic.sentences.len() * (8 + dice.roll(5));
        let weights: Vec<usize> = topics.course().map(|t| weight(t, self.dice)).collect();
        let sum: usize = weights.iter().sum::<usize>().max(1);
        let (from, mut part) = (self.length, 0);
        for (topic, weight) in topics.course().zip(&weights) {
            part += weight;
            self.topic(topic, from + goal.saturating_sub(from) * part / sum, &mut shared);
        }
    }

    fn topic(&mut self, topic: &'static Topic, until: usize, shared: &mut [Bag; 2]) {
        let [follow, any] = shared;
        let mut questions = Bag::new(&topic.questions);
        let mut sentences = Bag::new(&topic.sentences);
        for asked in 0.. {
            let own = asked < topic.questions.len() && (asked == 0 || self.dice.chance(35));
            self.ask(if own { &mut questions } else { &mut *follow });
            if self.room.worlds.len() > 1 && self.dice.chance(45) {
                self.speaks = (self.speaks + 1) % self.room.worlds.len();
            }
            let before = self.turns.len();
            self.answer(topic, &mut sentences, any);
            if self.length >= until || self.turns.len() == before {
                return;
            }
        }
    }

    /// A question; through an interpreter it is asked in another language and said again.
    fn ask(&mut self, bag: &mut Bag) {
        if self.room.interpreter && self.dice.chance(60) {
            let local = ASKED.get(self.room.site).or_else(|| ASKED.get("any"));
            if let (Some(local), Some(again)) = (local, ASKED.get("rendered")) {
                self.one(Who::Interviewer, &local.questions);
                self.one(Who::Interpreter, &again.questions);
                return;
            }
        }
        let mut text = String::new();
        if let Some(template) = bag.draw(self.dice) {
            self.write(template, &mut text);
        }
        self.turn(Who::Interviewer, text);
    }

    fn answer(&mut self, topic: &'static Topic, sentences: &mut Bag, any: &mut Bag) {
        let who = Who::Voice(self.speaks);
        let topics = self.topics();
        if self.dice.chance(9) && topic.name != "opening" {
            if let Some(short) = topics.get("short") {
                self.one(who, &short.sentences);
            }
            if let Some(follow) = topics.get("follow") {
                self.ask(&mut Bag::new(&follow.questions));
            }
        }
        let long = match self.dice.roll(10) {
            0..3 => 1 + self.dice.roll(2),
            3..8 => 3 + self.dice.roll(4),
            _ => 6 + self.dice.roll(7),
        };
        let mut text = String::new();
        for _ in 0..long {
            if !self.english && self.dice.chance(2) {
                if let Some(local) = LOCAL.get(self.room.site) {
                    self.sentence(&mut Bag::new(&local.sentences), &mut text);
                }
                continue;
            }
            let bag = if self.dice.chance(24) { &mut *any } else { &mut *sentences };
            self.sentence(bag, &mut text);
        }
        self.turn(who, text);
        if self.room.bystander
            && self.dice.chance(3)
            && let Some(aside) = topics.get("aside")
        {
            self.one(Who::Bystander, &aside.sentences);
        }
    }

    fn topics(&self) -> &'static Topics {
        if self.english { &ENGLISH } else { &RUSSIAN }
    }

    fn one(&mut self, who: Who, all: &[Template]) {
        let mut text = String::new();
        if let Some(template) = self.dice.pick(all) {
            self.write(template, &mut text);
        }
        self.turn(who, text);
    }

    /// Adds a sentence that nobody has said yet in this conversation; none if a few tries find no new one.
    fn sentence(&mut self, bag: &mut Bag, text: &mut String) {
        for _ in 0..6 {
            let Some(template) = bag.draw(self.dice) else { return };
            let mut new = String::with_capacity(160);
            self.write(template, &mut new);
            if self.told.insert(fingerprint(&new)) {
                if !text.is_empty() {
                    text.push(' ');
                }
                if !self.english && self.dice.chance(6) {
                    text.push_str(self.dice.pick(&["Ну. ", "Вот. ", "Да… ", "М-м. ", "Так. ", "Э-э… "]).unwrap_or(&""));
                }
                text.push_str(&new);
                return;
            }
        }
    }

    fn write(&mut self, template: &Template, text: &mut String) {
        let at = self.speaks;
        let worlds = self.room.english.filter(|_| self.english).unwrap_or(self.room.worlds);
        if let (Some(world), Some(said)) = (worlds.get(at), self.said.get_mut(at)) {
            template.write(self.dice, world, said, text);
        }
    }

    fn aloud(&mut self, who: Who, text: &str) {
        self.turn(who, text.to_owned());
    }

    fn turn(&mut self, who: Who, text: String) {
        if !text.is_empty() {
            self.length += text.chars().count() + 3;
            self.turns.push(Turn { who, text });
        }
    }
}

/// FNV-1a.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, b| (sum ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
