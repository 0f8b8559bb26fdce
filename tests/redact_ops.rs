//! Redaction on a whole vault: from the first suggestion to a review, and what voids it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics fails")]

mod common;
#[path = "common/house.rs"]
mod house;

use common::{moment, person};
use house::{House, interview, name_other, participant, transcript};
use subrosa::base::Kind;
use subrosa::base::progress::Silent;
use subrosa::domain::interview::SpeakerRole::{Interviewer, Participant};
use subrosa::domain::transcript::Outline;
use subrosa::ledger::entry::Entry;
use subrosa::ledger::event::Event;
use subrosa::ops::redact::{
    Choice, Place, Request, Selection, Shown, Verdict, Which, check_turns, decide, inline, mark, mark_all, parse_batch,
    review, review_stands, show, status, suggest, unmark,
};
use subrosa::ops::register;
use subrosa::redact::Class;
use subrosa::redact::mark::Marks;
use subrosa::session::{Unlocked, Vault};

const NOW: &str = "2026-02-01T09:00:00Z";
const VERA: &str = "Vera Sheglova";

fn which(code: &str) -> Which {
    Which { code: code.to_owned(), transcript: None }
}

fn words(words: &str, all: bool) -> Request {
    let place = Place::Words { words: words.to_owned(), turn: None, all };
    Request { place, class: Class::Person, replacement: None }
}

/// AM-01: Vera (R1) and Lev (R2), asked by Nina; e-mail and uncle in it.
fn furnished() -> (House, Vault<Unlocked>) {
    let house = House::found();
    let mut vault = house.unlock(&house.ben, NOW);
    let vera = participant(&mut vault, "AM", &[VERA], &["+374 91 00-27-46"]);
    let lev = participant(&mut vault, "AM", &["Lev Brandt"], &[]);
    let speakers = [("R1", Participant, Some(vera)), ("R2", Participant, Some(lev)), ("I", Interviewer, None)];
    let id = interview(&mut vault, "AM-01", &speakers);
    name_other(&mut vault, id, "I", "Nina Kowalska");
    let turns = [
        ("I", "Vera, tell me about Uncle Arsen."),
        ("R1", "😀 Lev knows uncle arsen; write to a.b@example.org, Nina."),
        ("R2", "Yes, I am Lev Brandt, and she is Vera."),
        ("R1", "Nothing here."),
    ];
    transcript(&mut vault, id, &turns);
    (house, vault)
}

fn read(vault: &mut Vault<Unlocked>) -> Shown {
    show(vault, &which("AM-01"), Selection::default()).unwrap()
}

fn last_events(vault: &Vault<Unlocked>) -> Vec<Event> {
    let head = vault.log().head().unwrap();
    let leaf = vault.log().db().leaf(head.size - 1).unwrap();
    Entry::parse(&leaf).unwrap().draft.events
}

fn outline(vault: &Vault<Unlocked>) -> (Outline, Vec<String>, Marks, u32) {
    let view = vault.view().unwrap();
    let interview = view.find_interview("AM-01").unwrap();
    let row = view.transcripts(interview.row.id).unwrap().pop().unwrap();
    let (key, content) = view.transcript_content(&row, interview.row.site).unwrap();
    let outline = view.outline(&row, &interview.key).unwrap();
    (outline, content.texts, row.marks.open(&key).unwrap(), interview.body.state.reviewed)
}

#[test]
fn from_suggestion_to_review_and_what_voids_it() {
    let (_house, mut vault) = furnished();
    let error = review(&mut vault, &which("AM-01"), "Read.", true).err().unwrap();
    assert!(error.remedy().contains("suggest"), "{error:?}");

    let found = suggest(&mut vault, &which("AM-01"), &Silent).unwrap();
    assert_eq!((found.turns, found.known, found.change.removed), (4, 3, 0));
    assert_eq!(found.classes[&Class::Person].marks, 5);
    assert_eq!(found.classes[&Class::Contact].open, 1);
    assert!(matches!(last_events(&vault)[..], [Event::Opened { .. }, Event::Marks { added: 6, .. }]));
    let shown = read(&mut vault);
    assert_eq!(inline(&shown.turns[0]), "⟦Vera?→[person 1]⟧#1, tell me about Uncle Arsen.");
    assert!(
        inline(&shown.turns[1])
            .starts_with("😀 ⟦Lev?→[person 2]⟧#2 knows uncle arsen; write to ⟦a.b@example.org?→[e-mail]⟧#3")
    );
    assert!(inline(&shown.turns[2]).ends_with("she is ⟦Vera?→[person 1]⟧#6."));
    assert!(inline(&shown.turns[2]).contains("⟦Lev Brandt?→[person 2]⟧#5"));
    let open = show(&mut vault, &which("AM-01"), Selection { open_only: true, turns: Some((2, 4)) }).unwrap();
    assert_eq!(open.turns.iter().map(|t| t.turn).collect::<Vec<_>>(), [2, 3]);

    // By hand: the uncle, wherever he is spoken of.
    let error = mark(&mut vault, &which("AM-01"), &words("Uncle Arsen", false)).err().unwrap();
    assert!(error.what().contains("2 times") && !format!("{error:?}").contains("Arsen"), "{error:?}");
    let marked = mark(&mut vault, &which("AM-01"), &words("Uncle Arsen", true)).unwrap();
    assert_eq!((marked.places, marked.change.added), (2, 2));
    assert!(inline(&read(&mut vault).turns[1]).contains("⟦uncle arsen→[person A]⟧#8"));
    assert!(mark(&mut vault, &which("AM-01"), &words("Arsen's", true)).is_err());

    // Decide: one stays, with a reason; the rest goes.
    let error = review(&mut vault, &which("AM-01"), "Read.", false).err().unwrap();
    assert!(error.what().contains("6 suggestions"), "{error:?}");
    let kept = decide(&mut vault, &which("AM-01"), &Choice::Ids(vec![4]), &Verdict::Keep("the asker".into())).unwrap();
    assert_eq!((kept.change.changed, kept.open), (1, 5));
    assert!(decide(&mut vault, &which("AM-01"), &Choice::Ids(vec![99]), &Verdict::Replace).is_err());
    let contacts = decide(&mut vault, &which("AM-01"), &Choice::Open(Some(Class::Contact)), &Verdict::Replace).unwrap();
    assert_eq!(contacts.open, 4);

    let done = review(&mut vault, &which("AM-01"), "Read from start to end.", true).unwrap();
    assert_eq!((done.accepted, done.marks, done.kept), (4, 7, 1));
    assert!(matches!(last_events(&vault)[..], [Event::Marks { changed: 4, .. }, Event::Review { marks: 7, .. }]));
    let (now, texts, marks, reviewed) = outline(&vault);
    assert_eq!((reviewed, now.review.as_ref().unwrap().at), (1, moment(NOW)));
    assert_eq!(now.review.as_ref().unwrap().statement, "Read from start to end.");
    assert!(review_stands(&now, &texts, &marks).unwrap());
    assert!(!review_stands(&now, &[], &marks).unwrap());
    let all = status(&mut vault, None).unwrap();
    assert_eq!((all.len(), all[0].word(), all[0].open), (1, "reviewed", 0));

    // The engine once more finds nothing new, and the review stands; a checked turn does not touch it either.
    assert!(!suggest(&mut vault, &which("AM-01"), &Silent).unwrap().review_voided);
    let checked = check_turns(&mut vault, &which("AM-01"), &[3, 1], "Small talk.").unwrap();
    assert_eq!(checked.checked, [1, 3]);
    assert_eq!(checked.turns.iter().map(|t| (t.turn, t.beside)).collect::<Vec<_>>(), [(1, 1), (3, 2)]);
    assert!(matches!(last_events(&vault)[..], [Event::Checks { turns: 2, .. }]));
    assert!(check_turns(&mut vault, &which("AM-01"), &[5], "Small talk.").is_err());
    assert!(check_turns(&mut vault, &which("AM-01"), &[1], " ").is_err());
    let many: Vec<u32> = (1..=21).collect();
    assert!(check_turns(&mut vault, &which("AM-01"), &many, "x").err().unwrap().what().contains("at most 20"));
    let (now, ..) = outline(&vault);
    assert!(now.review.is_some() && now.checked.keys().eq(&[0, 2]));

    // A change of one mark voids it.
    let undone = unmark(&mut vault, &which("AM-01"), &[8]).unwrap();
    assert!(undone.review_voided);
    let (now, _, _, reviewed) = outline(&vault);
    assert!(now.review.is_none() && reviewed == 0);
    assert_eq!(status(&mut vault, Some("am 1")).unwrap()[0].word(), "to review");
    let error = unmark(&mut vault, &which("AM-01"), &[1]).err().unwrap();
    assert!(error.remedy().contains("keep"), "{error:?}");
}

#[test]
fn many_words_at_once() {
    let (_house, mut vault) = furnished();
    let lines = "{\"words\":\"uncle arsen\",\"class\":\"person\",\"replacement\":\"an uncle\"}\n\n{\"words\":\"nobody\",\"class\":\"place\"}\n\
        {\"words\":\"Lev\",\"class\":\"person\"}";
    let done = mark_all(&mut vault, &which("AM-01"), &parse_batch(lines).unwrap()).unwrap();
    assert_eq!((done.places, done.change.added, done.not_found), (4, 4, vec![3]));
    // What the engine finds beside what is marked is suggested; `Lev Brandt` is marked in part.
    suggest(&mut vault, &which("AM-01"), &Silent).unwrap();
    let turn = inline(&read(&mut vault).turns[2]);
    assert!(turn.contains("⟦Lev→[person A]⟧") && turn.contains("⟦Brandt?→[person 2]⟧"), "{turn}");
    let range = Place::Range { turn: 3, from: 10, to: 17 };
    let request = Request { place: range, class: Class::Person, replacement: Some("a friend".into()) };
    mark(&mut vault, &which("AM-01"), &request).unwrap();
    let turn = inline(&read(&mut vault).turns[2]);
    assert!(turn.starts_with("Yes, I am ⟦Lev Brandt→[a friend]⟧"), "{turn}");
    let outside = Place::Range { turn: 4, from: 3, to: 99 };
    assert!(mark(&mut vault, &which("AM-01"), &Request { place: outside, ..request }).is_err());
}

#[test]
fn only_archivists_of_the_site_and_the_same_numbers_in_each_version() {
    let (house, mut vault) = furnished();
    let id = vault.view().unwrap().find_interview("AM-01").unwrap().row.id;
    transcript(&mut vault, id, &[("R2", "Lev again"), ("R1", "and Vera")]);
    suggest(&mut vault, &which("AM-01"), &Silent).unwrap();
    let shown = read(&mut vault);
    assert_eq!(shown.transcript, 2);
    assert_eq!(inline(&shown.turns[0]), "⟦Lev?→[person 2]⟧#1 again");
    let first = Which { code: "AM-01".into(), transcript: Some(1) };
    assert_eq!(show(&mut vault, &first, Selection::default()).unwrap().open, 0);
    assert!(show(&mut vault, &Which { transcript: Some(3), ..first }, Selection::default()).is_err());
    let view = vault.view().unwrap();
    let known = register::known_entities(&view, &view.find_interview("AM-01").unwrap()).unwrap();
    let persons = known.iter().filter(|k| k.class == Class::Person);
    assert_eq!(
        persons.filter_map(|k| k.pseudonym.as_deref()).collect::<Vec<_>>(),
        ["person 1", "person 2", "person 3"]
    );
    drop(vault);

    let mut steward = house.unlock(&house.ada, NOW);
    for error in [
        show(&mut steward, &which("AM-01"), Selection::default()).err().unwrap(),
        suggest(&mut steward, &which("AM-01"), &Silent).err().unwrap(),
        review(&mut steward, &which("AM-01"), "Read.", true).err().unwrap(),
        status(&mut steward, None).err().unwrap(),
    ] {
        assert_eq!(error.kind(), Kind::Denied, "{error:?}");
    }
    drop(steward);
    let gia = person("Gia");
    house.enrol_at(&gia, "GE", NOW);
    let mut vault = house.unlock(&gia, NOW);
    assert_eq!(show(&mut vault, &which("AM-01"), Selection::default()).err().unwrap().kind(), Kind::Denied);
    assert!(status(&mut vault, None).unwrap().is_empty());
}
