use proptest::prelude::*;

use super::*;

fn person(key: &str, forms: &[&str]) -> KnownEntity {
    entity(key, Class::Person, forms)
}

fn entity(key: &str, class: Class, forms: &[&str]) -> KnownEntity {
    KnownEntity { key: key.into(), class, forms: forms.iter().map(|&f| f.into()).collect(), pseudonym: None }
}

fn masked(text: &str, known: &[KnownEntity]) -> String {
    let spans = detect(text, known);
    let replacements: Vec<Replacement> =
        spans.into_iter().map(|s| Replacement { start: s.start, end: s.end, text: s.replacement }).collect();
    apply(text, &replacements).unwrap()
}

#[test]
fn the_classes_have_their_names_in_json() {
    for class in Class::ALL {
        assert_eq!(serde_json::to_string(&class).unwrap(), format!("\"{}\"", class.name()));
        assert_eq!(Class::from_name(class.name()), Some(class));
    }
    assert_eq!(Class::from_name("open"), None);
    assert_eq!(serde_json::to_string(&Strength::StrongIndirect).unwrap(), "\"strong_indirect\"");
}

#[test]
fn masks_people_in_every_form() {
    let known = [
        person("a", &["Вера Николаевна Щеглова"]),
        person("b", &["Gleb Artyushin", "Хромой"]),
        person("c", &["Olga van den Berg"]),
    ];
    for (text, expected) in [
        ("Вера Николаевна пришла.", "[person 1] пришла."),
        ("Я сказал Верочке: верь в веру.", "Я сказал [person 1]: верь в веру."),
        ("У Щегловых, у В. Н. Щегловой, у Щегловой В.Н., да.", "У [person 1], у [person 1], у [person 1], да."),
        ("Тогда В. Щ. ушла.", "Тогда [person 1] ушла."),
        ("Глебушка и Gleb's friend; Artyushina, Хромому", "[person 2] и [person 2]'s friend; [person 2], [person 2]"),
        ("В\u{200b}е\u{301}ра и Bepа, ВЕРА и щеглова", "[person 1] и [person 1], [person 1] и [person 1]"),
        ("потом вера щеглова сказала что верит и вере тоже", "потом [person 1] сказала что верит и [person 1] тоже"),
        ("Вера, Глеб. Николаевна", "[person 1], [person 2]. [person 1]"),
        ("Ольга van den Berg, van; Вера вера", "[person 3], van; [person 1]"),
        ("😀Вера😀", "😀[person 1]😀"),
    ] {
        assert_eq!(masked(text, &known), expected, "{text}");
    }
}

#[test]
fn names_that_two_people_share_get_no_number() {
    let known = [person("a", &["Анна Белова"]), person("b", &["Анна Серова"])];
    assert_eq!(masked("Анна. Анна Серова. Ане", &known), "[person]. [person 2]. [person]");
}

#[test]
fn pseudonyms_stand_in_brackets_and_keys_join() {
    let mut one = person("x", &["Роза"]);
    one.pseudonym = Some("Тамара".into());
    let known = [one, person("x", &["Розка Кац"]), person("y", &["Лев"])];
    assert_eq!(masked("Роза, Кац; Льву роза", &known), "[Тамара], [Тамара]; [person 2] роза");
}

#[test]
fn finds_known_places_and_numbers() {
    let known = [
        entity("p", Class::Place, &["Улан-Удэ", "Нижняя Салда"]),
        entity("o", Class::Organisation, &["Тюльпан"]),
        entity("n", Class::Contact, &["+7 916 000-00-17", "vera_sh"]),
        entity("i", Class::Number, &["AB 12345"]),
    ];
    assert_eq!(
        masked("Из Улан-Удэ в Нижнюю Салду, в «Тюльпане»; нижняя полка", &known),
        "Из [place 1] в [place 1], в «[organisation 1]»; нижняя полка"
    );
    assert_eq!(masked("9160000017 или vera.sh, ab12345", &known), "[contact 1] или [contact 1], [number 1]");
}

#[test]
fn a_very_long_line_is_done_in_bounded_time() {
    let known = [person("a", &["Вера Щеглова"])];
    let detector = Detector::new(&known);
    for piece in ["слово Вера 12 ", "a@", "1-", "аАа", "Ул ", "1 ", ".", "@a", "сто ", "A.", "\u{301}"]
    {
        let text = piece.repeat(300_000 / piece.len());
        let spans = detector.detect(&text);
        check(&text, &spans);
    }
    let text = "слово ".repeat(30_000) + "Вера Щеглова" + &" слово".repeat(30_000);
    let spans = detector.detect(&text);
    assert_eq!((spans.len(), spans[0].start, spans[0].end), (1, 180_000, 180_012));
}

fn check(text: &str, spans: &[Span]) {
    let length = text.chars().count();
    let mut last = 0;
    for span in spans {
        assert!(last <= span.start && span.start < span.end && span.end <= length, "{span:?} after {last} of {length}");
        assert!(span.replacement.starts_with('[') && span.replacement.ends_with(']'));
        last = span.end;
    }
}

/// Text with what patterns and names are made of.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        ".{0,6}",
        "[0-9 ()+./:-]{1,14}",
        prop::sample::select(vec![
            "Вера",
            "вере ",
            "В.",
            "Щ",
            "Sasha's ",
            "@",
            ".com",
            "\u{301}",
            "\u{200b}",
            "😀",
            "ул. Мира ",
            "дом 5",
            "марта ",
            "№",
            "сто ",
            "два ",
            "EE26",
            "IBAN ",
            "ﬁ",
            "İ",
            "ß",
            "\n",
            "\r\n",
            " at ",
            " dot ",
            "часть ",
            "серия ",
            "дело ",
            "и\u{306}",
            "ǅ",
            "\u{1f1e6}",
            "ẞ",
            "ŉ",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn spans_are_sound_on_any_text(text in text(), name in ".{0,12}", other in "\\PC{0,12}") {
        let known = [person("a", &["Вера Щеглова", "Саша"]), person("b", &[&name]), entity("c", Class::Place, &[&other]), entity("d", Class::Contact, &[&name])];
        let spans = detect(&text, &known);
        check(&text, &spans);
        prop_assert_eq!(&spans, &Detector::new(&known).detect(&text));
        let replacements: Vec<Replacement> =
            spans.into_iter().map(|s| Replacement { start: s.start, end: s.end, text: s.replacement }).collect();
        prop_assert!(apply(&text, &replacements).is_ok());
    }

    #[test]
    fn a_known_name_is_found_between_any_words(before in "[а-я ]{0,20}", after in "[а-я ]{0,20}") {
        let known = [person("a", &["Щеглова"])];
        let text = format!("{before} Щегловой, {after}");
        let start = before.chars().count() + 1;
        prop_assert!(detect(&text, &known).iter().any(|s| s.start <= start && s.end >= start + 8));
    }
}

#[test]
fn known_entities_alone_are_found_without_what_patterns_find() {
    let detector = Detector::new(&[person("1", &["Вера Щеглова"])]);
    let text = "Вера Щеглова, vera@pochta.example";
    assert_eq!(detector.detect(text).len(), 2);
    let alone: Vec<_> = detector.detect_known(text).iter().map(|s| (s.start, s.end, s.layer)).collect();
    assert_eq!(alone, [(0, 12, "known")]);
}
