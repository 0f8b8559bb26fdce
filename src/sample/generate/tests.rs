use std::collections::{BTreeMap, HashSet};

use super::*;

#[test]
fn every_size_is_made_in_deliveries_without_gaps() {
    assert!(Study::new(0, 1, 100).is_none() && Study::new(MOST + 1, 1, 100).is_none());
    for interviews in [1, 2, 5, 12, 163, 1_630, 20_000] {
        let study = Study::new(interviews, 1, 100).unwrap();
        let mut next = 0;
        for delivery in study.deliveries() {
            assert!((1..=DELIVERED).contains(&delivery.count) && delivery.first == next);
            next += delivery.count;
        }
        assert_eq!(next, interviews);
        for number in [0, interviews / 2, interviews - 1] {
            assert!(!study.interview(number).rows.is_empty());
        }
    }
    assert_eq!(Study::new(163, 1, 1).unwrap().deliveries().len(), 9);
    assert_eq!(study_toml().matches("[[site]]").count(), 9);
}

#[test]
fn the_same_seed_gives_the_same_and_another_another() {
    let text = |seed: u64, number: u32| {
        let made = Study::new(163, seed, 6_000).unwrap().interview(number);
        (made.rows, made.files.into_iter().map(|f| (f.path, f.bytes)).collect::<BTreeMap<_, _>>())
    };
    assert_eq!(text(1, 40), text(1, 40));
    assert_ne!(text(1, 40).1, text(2, 40).1);
    assert_ne!(text(1, 40).1.values().collect::<Vec<_>>(), text(1, 41).1.values().collect::<Vec<_>>());
}

#[test]
fn no_answer_is_told_twice_in_a_study() {
    let study = Study::new(163, 1, 60_000).unwrap();
    let (mut answers, mut characters, mut made) = (HashSet::new(), 0, 0);
    for number in (0..163).step_by(9) {
        let files = study.interview(number).files;
        let Some(file) = files.iter().find(|f| f.path.ends_with(".txt")) else { continue };
        let text = std::str::from_utf8(&file.bytes).unwrap();
        let mut sentences = HashSet::new();
        for line in text.lines() {
            let words = line.split_once(": ").unwrap().1;
            assert!(words.chars().count() < 200 || answers.insert(words.to_owned()), "{words}");
            // Short ones are said again by anybody.
            for sentence in words.split_inclusive(['.', '?']).filter(|s| s.chars().count() > 90) {
                assert!(sentences.insert(sentence.trim().to_owned()), "{sentence}");
            }
            assert!(!words.contains(['{', '}', '[', ']', '<', '>', '|']), "{words}");
        }
        characters += text.chars().count() * 74;
        let minutes =
            study.interview(number).rows.lines().next().unwrap().rsplit(',').next().unwrap().parse::<usize>().unwrap();
        made += minutes;
    }
    let mean = characters / made;
    assert!((55_000..66_000).contains(&mean), "{mean}");
}
