//! Numbers that are dictated in words: phones, personal numbers. A run of number words that is no single number.

use super::{Finds, patterns};
use crate::redact::Class;

patterns! {
    WORD = r"\p{L}+";
}

/// The fewest digits that a dictated number has in all.
const LEAST_DIGITS: usize = 6;

/// The value of a number word in Russian, English, Polish, Serbian or Turkish, or a group that counts as many zeros.
fn value(word: &str) -> Option<u32> {
    Some(match word {
        "ноль" | "нуль" | "zero" | "oh" | "nula" | "sıfır" | "нол" => 0,
        "один" | "одна" | "one" | "jeden" | "jedan" | "bir" => 1,
        "два" | "две" | "two" | "dwa" | "dva" | "iki" => 2,
        "три" | "three" | "trzy" | "tri" | "üç" => 3,
        "четыре" | "four" | "cztery" | "četiri" | "dört" => 4,
        "пять" | "five" | "pięć" | "pet" | "beş" => 5,
        "шесть" | "six" | "sześć" | "šest" | "altı" => 6,
        "семь" | "seven" | "siedem" | "sedam" | "yedi" => 7,
        "восемь" | "eight" | "osiem" | "osam" | "sekiz" => 8,
        "девять" | "nine" | "dziewięć" | "devet" | "dokuz" => 9,
        "десять" | "ten" | "dziesięć" | "deset" | "on" => 10,
        "одиннадцать" | "eleven" | "jedenaście" | "jedanaest" => 11,
        "двенадцать" | "twelve" | "dwanaście" | "dvanaest" => 12,
        "тринадцать" | "thirteen" | "trzynaście" | "trinaest" => 13,
        "четырнадцать" | "fourteen" | "czternaście" | "četrnaest" => 14,
        "пятнадцать" | "fifteen" | "piętnaście" | "petnaest" => 15,
        "шестнадцать" | "sixteen" | "szesnaście" | "šesnaest" => 16,
        "семнадцать" | "seventeen" | "siedemnaście" | "sedamnaest" => 17,
        "восемнадцать" | "eighteen" | "osiemnaście" | "osamnaest" => 18,
        "девятнадцать" | "nineteen" | "dziewiętnaście" | "devetnaest" => 19,
        "двадцать" | "twenty" | "dwadzieścia" | "dvadeset" | "yirmi" => 20,
        "тридцать" | "thirty" | "trzydzieści" | "trideset" | "otuz" => 30,
        "сорок" | "forty" | "czterdzieści" | "četrdeset" | "kırk" => 40,
        "пятьдесят" | "fifty" | "pięćdziesiąt" | "pedeset" | "elli" => 50,
        "шестьдесят" | "sixty" | "sześćdziesiąt" | "šezdeset" | "altmış" => 60,
        "семьдесят" | "seventy" | "siedemdziesiąt" | "sedamdeset" | "yetmiş" => 70,
        "восемьдесят" | "eighty" | "osiemdziesiąt" | "osamdeset" | "seksen" => 80,
        "девяносто" | "ninety" | "dziewięćdziesiąt" | "devedeset" | "doksan" => 90,
        "сто" | "sto" | "yüz" => 100,
        "двести" | "dwieście" | "dvesta" => 200,
        "триста" | "trzysta" | "trista" => 300,
        "четыреста" | "czterysta" | "četiristo" => 400,
        "пятьсот" | "pięćset" | "petsto" => 500,
        "шестьсот" | "sześćset" | "šeststo" => 600,
        "семьсот" | "siedemset" | "sedamsto" => 700,
        "восемьсот" | "osiemset" | "osamsto" => 800,
        "девятьсот" | "dziewięćset" | "devetsto" => 900,
        _ => return None,
    })
}

/// Words that may stand within or before a dictated number without being part of the count.
fn is_filler(word: &str) -> bool {
    matches!(word, "плюс" | "plus" | "double" | "triple" | "дважды" | "тире" | "dash")
}

/// A run of number words: where it is, how many numbers are in it and how many digits they have.
#[derive(Default)]
struct Run {
    from: usize,
    to: usize,
    numbers: usize,
    digits: usize,
    last: Option<u32>,
    words: usize,
}

/// A word of the text, and what it is to a dictated address.
#[derive(Clone, Copy)]
struct Word {
    from: usize,
    to: usize,
    number: bool,
    house: bool,
    flat: bool,
}

/// A dictated address: a name, a number in words, `квартира`, a number in words.
fn addresses(finds: &mut Finds<'_>) {
    let words: Vec<Word> = WORD
        .find_iter(finds.text)
        .map(|found| {
            let word = found.as_str().to_lowercase();
            let flat = matches!(
                word.as_str(),
                "квартира" | "квартиру" | "квартире" | "apartment" | "flat" | "apt" | "stan" | "mieszkanie" | "daire"
            );
            let house = matches!(word.as_str(), "дом" | "доме" | "house" | "number" | "broj" | "numer" | "numara");
            Word { from: found.start(), to: found.end(), number: value(&word).is_some(), house, flat }
        })
        .collect();
    for flat in (0..words.len()).filter(|&at| words[at].flat) {
        let close = |one: usize, two: usize| is_joint(&finds.text[words[one].to..words[two].from]);
        let mut from = flat;
        while from > 0 && words[from - 1].number && close(from - 1, from) {
            from -= 1;
        }
        let mut to = flat;
        while to + 1 < words.len() && words[to + 1].number && close(to, to + 1) {
            to += 1;
        }
        if from == flat || to == flat {
            continue;
        }
        if from > 0 && words[from - 1].house {
            from -= 1;
        }
        if from > 0 && close(from - 1, from) {
            from -= 1;
        }
        finds.add((words[from].from, words[to].to), Class::Address, true, "[address]");
    }
}

pub(super) fn find(finds: &mut Finds<'_>) {
    addresses(finds);
    let mut run = Run::default();
    for found in WORD.find_iter(finds.text) {
        let word = found.as_str().to_lowercase();
        let near = run.to > 0 && is_joint(&finds.text[run.to..found.start()]);
        let number = value(&word);
        if !near || (number.is_none() && !is_filler(&word)) {
            close(finds, &run);
            run = Run::default();
        }
        if number.is_some() || is_filler(&word) {
            if run.to == 0 {
                run.from = found.start();
            }
            run.to = found.end();
            run.take(number);
        }
    }
    close(finds, &run);
}

/// Whether only signs that join the parts of one number stand between two words.
fn is_joint(between: &str) -> bool {
    between.len() <= 6 && between.chars().all(|c| matches!(c, ' ' | '-' | ',' | '.' | '…')) && !between.contains(". ")
}

impl Run {
    /// Takes the next word in: it goes on with the number before it (`двадцать` `два`) or begins another.
    fn take(&mut self, number: Option<u32>) {
        self.words += 1;
        let Some(number) = number else {
            self.last = None;
            return;
        };
        let joins = self.last.is_some_and(|last| match last {
            100.. => last.is_multiple_of(100) && number > 0 && number < 100,
            20.. => last.is_multiple_of(10) && number > 0 && number < 10,
            _ => false,
        });
        if !joins {
            self.numbers += 1;
            self.digits += match number {
                0..=9 => 1,
                10..=99 => 2,
                _ => 3,
            };
        }
        self.last = Some(number);
    }
}

fn close(finds: &mut Finds<'_>, run: &Run) {
    let counting = run.numbers == run.digits && run.numbers < 7;
    if run.numbers >= 3 && run.digits >= LEAST_DIGITS && !counting {
        finds.add((run.from, run.to), Class::Contact, true, "[number]");
    }
}
