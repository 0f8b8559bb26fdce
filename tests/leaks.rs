//! Planted words in every personal field, every command of the program with good and bad input, and a look at every byte that comes of it:
//! what is found outside its place fails, told by the command or folder and the sort of word, and by nothing more.
//!
//! Not planted: the gender, which is one of three words of the study, and the year of birth, four digits that chance writes anywhere.

#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

#[path = "leaks/search.rs"]
mod search;
#[path = "leaks/tour.rs"]
mod tour;
#[path = "leaks/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::io::Read;

use search::Searcher;
use tour::Tour;
use world::{Sort, WORDS, World};

use Sort::*;

/// All that is found is allowed here.
const CONTENT: &[Sort] = &[Word, Silenced, Name, Contact];
/// What lists and plans show of interviews to a member, through a pipe as well: docs/threat-model.md, promise 1.
const FACTS: &[Sort] = &[Code, Label, Place];

#[test]
fn nothing_planted_is_found_outside_its_place() {
    let mut tour = Tour::begin();
    tour.found_and_enrol();
    tour.record_and_take_in();
    tour.look_and_review();
    tour.ask_and_decide();
    tour.build_and_open();
    tour.audit();
    tour.change();
    tour.go_wrong();
    tour.kill();
    let missing = tour.commands_not_run();
    assert!(missing.is_empty(), "commands that the tour does not run: {missing:?}");
    tour.look_at_every_file();
    let faults = tour.faults();
    assert!(faults.is_empty(), "{} leaks:\n{}", faults.len(), faults.join("\n"));
}

/// The searcher finds what is there, in every spelling.
#[test]
fn whatever_is_planted_can_be_found() {
    let world = World::new();
    let texts: Vec<String> = WORDS.iter().map(|(_, word)| (*word).to_owned()).collect();
    let key: Vec<u8> = (0u8..32).map(|n| n.wrapping_mul(37).wrapping_add(11)).collect();
    let searcher = Searcher::new(&texts, std::slice::from_ref(&key));

    let (found, files) = searcher.find_in(&world.at("given"));
    assert!(files >= 8);
    let lacking: Vec<Sort> = (0..WORDS.len()).filter(|n| !found.contains(n)).map(|n| WORDS[n].0).collect();
    let later = [Project, Purpose, Request, Approval, Remark, Typed, Malformed, Condition];
    assert!(lacking.iter().all(|sort| later.contains(sort)), "{lacking:?}");

    for (number, (sort, word)) in WORDS.iter().enumerate() {
        for spelling in spellings(word.as_bytes()).into_iter().chain(of_text(word)) {
            let noise = [b"ab".as_slice(), &spelling, b"yz"].concat();
            let found = searcher.find(&noise);
            assert!(found.iter().any(|n| WORDS[*n].0 == *sort), "word {number} is overlooked in one spelling");
        }
    }
    for spelling in spellings(&key) {
        assert!(searcher.find(&spelling).contains(&WORDS.len()), "a key is overlooked");
    }
    let mut random = vec![0u8; 1 << 20];
    std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut random).unwrap();
    assert_eq!(searcher.find(&random), BTreeSet::new());
}

/// Written by other means than the searcher's.
fn spellings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut out = vec![bytes.to_vec()];
    out.push(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>().into_bytes());
    for before in 0..4 {
        let longer = [&vec![b'#'; before][..], bytes, b"!?"].concat();
        out.push(data_encoding::BASE64.encode(&longer).into_bytes());
        out.push(data_encoding::BASE64URL_NOPAD.encode(&longer).into_bytes());
    }
    out
}

fn of_text(word: &str) -> Vec<Vec<u8>> {
    use unicode_normalization::UnicodeNormalization;
    let nfd: String = word.nfd().collect();
    vec![
        nfd.into_bytes(),
        word.to_uppercase().into_bytes(),
        word.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        word.bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect::<String>()
            .into_bytes(),
    ]
}
