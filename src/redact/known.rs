//! Known entities: found wherever one of their forms stands.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::fold::{Folded, key, keys};
use super::names::{self, Endings};
use super::replace::label;
use super::resolve::{Hit, KNOWN};
use super::{Class, KnownEntity};
use crate::base::text::is_letter_or_digit;

/// The most letters that may follow the stem of a word that is no person's name.
const ENDING: usize = 4;

/// The fewest letters and digits of a known number or contact that are looked for.
const SHORTEST: usize = 5;

/// Everything known, ready to be looked up word by word.
pub(super) struct Known {
    entities: Vec<Entity>,
    /// Stems of persons' names.
    names: HashMap<String, Vec<(usize, Endings)>>,
    /// First words of other entities' forms: the entity, and the words that follow.
    phrases: HashMap<String, Vec<(usize, Vec<String>)>>,
    /// Numbers and contacts, letters and digits only, by their first [`SHORTEST`].
    numbers: HashMap<String, Vec<(usize, String)>>,
    /// The first letters of all stems: most words need no further look.
    firsts: HashSet<char>,
}

struct Entity {
    class: Class,
    replacement: String,
    /// For each word of the name, the letters that may stand for it.
    initials: Vec<Vec<char>>,
}

/// A word of the text.
struct Token {
    from: usize,
    to: usize,
    capital: bool,
    /// The one letter of an initial, as a key.
    initial: Option<char>,
}

impl Known {
    /// Prepares all forms. Entities of one key are one entity.
    pub(super) fn new(known: &[KnownEntity]) -> Self {
        let mut this = Self {
            entities: Vec::new(),
            names: HashMap::new(),
            phrases: HashMap::new(),
            numbers: HashMap::new(),
            firsts: HashSet::new(),
        };
        let mut by_key: BTreeMap<(Class, &str), Vec<&KnownEntity>> = BTreeMap::new();
        for entity in known {
            by_key.entry((entity.class, &entity.key)).or_default().push(entity);
        }
        let mut counts: HashMap<Class, usize> = HashMap::new();
        for ((class, _), parts) in by_key {
            let count = counts.entry(class).or_default();
            *count += 1;
            let replacement = match parts.iter().find_map(|p| p.pseudonym.as_deref()) {
                Some(pseudonym) => format!("[{pseudonym}]"),
                None => label(class).replace(']', &format!(" {count}]")),
            };
            this.entities.push(Entity { class, replacement, initials: Vec::new() });
            for form in parts.iter().flat_map(|p| &p.forms) {
                this.take(class, form);
            }
        }
        this.firsts = this.names.keys().chain(this.phrases.keys()).filter_map(|stem| stem.chars().next()).collect();
        for list in this.names.values_mut() {
            list.sort();
            list.dedup();
        }
        this
    }

    /// Adds what is found in one stretch of text. `caseless`: the text has no capitals, so a small letter tells nothing.
    pub(super) fn find(&self, folded: &Folded, caseless: bool, hits: &mut Vec<Hit>) {
        if self.entities.is_empty() {
            return;
        }
        let text = folded.text.as_str();
        let tokens = tokens(text);
        if !self.names.is_empty() {
            self.persons(text, &tokens, caseless, &mut |from, to, of| hits.push(self.hit(folded, from, to, of)));
        }
        if !self.phrases.is_empty() {
            self.others(text, &tokens, caseless, &mut |from, to, of| hits.push(self.hit(folded, from, to, of)));
        }
        if !self.numbers.is_empty() {
            self.squeezed(text, &mut |from, to, of| hits.push(self.hit(folded, from, to, of)));
        }
    }

    /// Takes one form in, for the entity added last.
    fn take(&mut self, class: Class, form: &str) {
        let at = self.entities.len() - 1;
        let folded = Folded::new(form, 0);
        let text = folded.text.as_str();
        let words: Vec<&str> = tokens(text).iter().map(|t| &text[t.from..t.to]).collect();
        match class {
            Class::Person => {
                for word in words {
                    let alone = word.chars().count() == 1;
                    let stems = if alone { [(key(word), Endings::None)].into() } else { names::expand(word) };
                    if let Some(entity) = self.entities.last_mut() {
                        entity.initials.push(names::initials(word));
                    }
                    for (stem, endings) in stems.into_iter().filter(|(stem, _)| stem.chars().count() > 1) {
                        self.names.entry(stem).or_default().push((at, endings));
                    }
                }
            }
            Class::Number | Class::Contact => {
                let plain: String = key(text).chars().filter(|c| is_letter_or_digit(*c)).collect();
                let digits = plain.bytes().all(|b| b.is_ascii_digit());
                // a phone is also said without its country
                let tails = if digits && plain.len() >= 10 { plain.len() - 7 } else { 0 };
                for cut in 0..=tails.min(3) {
                    let tail = plain.get(cut..).unwrap_or_default();
                    if let Some(head) =
                        tail.char_indices().nth(SHORTEST - 1).and_then(|(i, c)| tail.get(..i + c.len_utf8()))
                    {
                        self.numbers.entry(head.to_owned()).or_default().push((at, tail.to_owned()));
                    }
                }
            }
            _ => {
                let stems: Vec<String> = words.iter().map(|word| phrase_stem(&key(word))).collect();
                if let Some((first, rest)) = stems.split_first() {
                    self.phrases.entry(first.clone()).or_default().push((at, rest.to_vec()));
                }
            }
        }
    }

    /// Which persons a word may name. A word in small letters must be a form of the register's own word; standing
    /// `beside` a name it may be short too: `van`, `оглы`.
    fn named(&self, word: &str, capital: bool, beside: bool) -> Vec<usize> {
        let mut out = Vec::new();
        for key in keys(word) {
            if !key.chars().next().is_some_and(|first| self.firsts.contains(&first)) {
                continue;
            }
            let small_is_right = capital || beside || (key.chars().count() >= 4 && !names::is_word(&key));
            for cut in key.char_indices().map(|(at, c)| at + c.len_utf8()) {
                let (stem, rest) = key.split_at(cut);
                for &(of, endings) in self.names.get(stem).into_iter().flatten() {
                    let right = if capital {
                        endings.take(rest)
                    } else {
                        rest.is_empty() && endings == Endings::Own && small_is_right
                    };
                    if right && !out.contains(&of) {
                        out.push(of);
                    }
                }
            }
        }
        out
    }

    fn persons(&self, text: &str, tokens: &[Token], caseless: bool, hit: &mut dyn FnMut(usize, usize, &[usize])) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let mut of = self.named(&text[token.from..token.to], caseless || token.capital, false);
            if of.is_empty() {
                self.initials_alone(text, tokens, at, hit);
                at += 1;
                continue;
            }
            let first = at;
            at += 1;
            while let (Some(last), Some(next)) = (tokens.get(at - 1), tokens.get(at)) {
                let same = if matches!(&text[last.to..next.from], " " | "-" | "  " | " -" | "- ") {
                    self.named(&text[next.from..next.to], caseless || next.capital, true)
                } else {
                    Vec::new()
                };
                let both: Vec<usize> = of.iter().copied().filter(|one| same.contains(one)).collect();
                if both.is_empty() {
                    break;
                }
                of = both;
                at += 1;
            }
            let (from, to) = self.with_initials(text, tokens, first, at - 1, &of);
            hit(from, to, &of);
        }
    }

    /// The bytes of tokens `first..=last`, with up to two initials of the same person before and after.
    fn with_initials(&self, text: &str, tokens: &[Token], first: usize, last: usize, of: &[usize]) -> (usize, usize) {
        let (mut from, mut to) = (tokens[first].from, tokens[last].to);
        for token in tokens[..first].iter().rev().take(2) {
            if !self.is_initial(token, of) || !matches!(&text[token.to..from], "." | ". ") {
                break;
            }
            from = token.from;
        }
        for token in tokens[last + 1..].iter().take(2) {
            if !self.is_initial(token, of) || !matches!(&text[to..token.from], "" | " ") {
                break;
            }
            to = token.to + usize::from(text[token.to..].starts_with('.'));
        }
        (from, to)
    }

    /// Two initials alone, `В. Щ.`, of one person.
    fn initials_alone(&self, text: &str, tokens: &[Token], at: usize, hit: &mut dyn FnMut(usize, usize, &[usize])) {
        let (Some(one), Some(two)) = (tokens.get(at), tokens.get(at + 1)) else { return };
        let (Some(first), Some(second)) = (one.initial, two.initial) else { return };
        let joined = matches!(&text[one.to..two.from], "." | ". ") && text[two.to..].starts_with('.');
        if first == second || !joined {
            return;
        }
        let both = |initials: &[Vec<char>]| {
            let mut pairs =
                initials.iter().enumerate().flat_map(|(i, a)| initials.iter().skip(i + 1).map(move |b| (a, b)));
            pairs.any(|(a, b)| a.contains(&first) && b.contains(&second) || b.contains(&first) && a.contains(&second))
        };
        let of: Vec<usize> =
            self.entities.iter().enumerate().filter(|(_, e)| both(&e.initials)).map(|(at, _)| at).collect();
        if !of.is_empty() {
            hit(one.from, two.to + 1, &of);
        }
    }

    fn is_initial(&self, token: &Token, of: &[usize]) -> bool {
        let letter = token.initial;
        letter.is_some_and(|l| {
            of.iter().any(|&e| self.entities.get(e).is_some_and(|e| e.initials.iter().flatten().any(|&i| i == l)))
        })
    }

    /// Places, organisations and the like: all words of a form one after the other, each with any short ending.
    fn others(&self, text: &str, tokens: &[Token], caseless: bool, hit: &mut dyn FnMut(usize, usize, &[usize])) {
        for (at, token) in tokens.iter().enumerate() {
            if !caseless && !token.capital {
                continue;
            }
            let mut best: Option<(usize, usize)> = None;
            for key in keys(&text[token.from..token.to]) {
                for cut in key.char_indices().map(|(at, c)| at + c.len_utf8()) {
                    let (stem, rest) = key.split_at(cut);
                    let near = self.phrases.get(stem).filter(|_| rest.chars().count() <= ENDING);
                    for (of, words) in near.into_iter().flatten() {
                        let fits = follows(text, tokens.get(at..=at + words.len()).unwrap_or_default(), words);
                        if fits && best.is_none_or(|(long, _)| words.len() > long) {
                            best = Some((words.len(), *of));
                        }
                    }
                }
            }
            if let Some((more, of)) = best {
                hit(token.from, tokens[at + more].to, &[of]);
            }
        }
    }

    /// Numbers and contacts: the same letters and digits, whatever stands between them.
    fn squeezed(&self, text: &str, hit: &mut dyn FnMut(usize, usize, &[usize])) {
        let mut plain = String::with_capacity(text.len());
        let mut origin: Vec<usize> = Vec::with_capacity(text.len());
        for (at, c) in text.char_indices().filter(|(_, c)| is_letter_or_digit(*c)) {
            let mut buffer = [0; 4];
            let folded = key(c.encode_utf8(&mut buffer));
            plain.push_str(&folded);
            origin.extend(std::iter::repeat_n(at, folded.len()));
        }
        let mut ends = plain.char_indices().map(|(at, _)| at).skip(SHORTEST).chain([plain.len()]);
        for (at, _) in plain.char_indices() {
            let Some(head) = ends.next().and_then(|end| plain.get(at..end)) else { break };
            for (of, number) in self.numbers.get(head).into_iter().flatten() {
                if !plain[at..].starts_with(number.as_str()) {
                    continue;
                }
                let from = origin[at];
                let last = origin[at + number.len() - 1];
                let to = last + text[last..].chars().next().map_or(0, char::len_utf8);
                let inside = |c: Option<char>| c.is_some_and(is_letter_or_digit);
                let within = to - from <= number.len() * 3 + 8 && !text[from..to].contains('\n');
                if within && !inside(text[..from].chars().next_back()) && !inside(text[to..].chars().next()) {
                    hit(from, to, &[*of]);
                }
            }
        }
    }

    fn hit(&self, folded: &Folded, from: usize, to: usize, of: &[usize]) -> Hit {
        let (start, end) = folded.range(from, to);
        let entity = of.first().and_then(|&e| self.entities.get(e));
        let class = entity.map_or(Class::Person, |e| e.class);
        let replacement = match (entity, of) {
            (Some(entity), [_]) => entity.replacement.clone(),
            // two people share the name: which of them is meant is not for a rule to say
            _ => label(class),
        };
        Hit { start, end, class, layer: KNOWN, replacement }
    }
}

/// Whether the tokens after the first are these stems with short endings, close together.
fn follows(text: &str, tokens: &[Token], words: &[String]) -> bool {
    tokens.len() == words.len() + 1
        && tokens.windows(2).zip(words).all(|(pair, word)| {
            let gap = &text[pair[0].to..pair[1].from];
            let key = key(&text[pair[1].from..pair[1].to]);
            gap.len() <= 3
                && !gap.contains('\n')
                && key.strip_prefix(word.as_str()).is_some_and(|r| r.chars().count() <= ENDING)
        })
}

/// A word without the vowel at its end, if enough is left.
fn phrase_stem(key: &str) -> String {
    let cut = key.trim_end_matches(|c: char| "аеийоуыьэюяaeiouy".contains(c));
    if cut.chars().count() >= 4 && cut.len() + 4 >= key.len() { cut.to_owned() } else { key.to_owned() }
}

/// The runs of letters and digits. An apostrophe ends a run.
fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut start: Option<usize> = None;
    let mut push = |from: usize, to: usize| {
        let word = &text[from..to];
        let mut letters = word.chars();
        let first = letters.next();
        let capital = first.is_some_and(|c| !c.is_lowercase());
        let initial = if letters.next().is_none() && capital { key(word).chars().next() } else { None };
        out.push(Token { from, to, capital, initial });
    };
    for (at, c) in text.char_indices() {
        let inside = is_letter_or_digit(c) || unicode_normalization::char::is_combining_mark(c);
        match (start, inside) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                push(from, at);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        push(from, text.len());
    }
    out
}
