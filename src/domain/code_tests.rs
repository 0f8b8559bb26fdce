//! Tests of archive codes: how people write them, and what is never taken for one.

use super::code::*;
use super::study::Study;
use super::study_fixture::STUDY;
use proptest::prelude::*;

fn study() -> Study {
    Study::parse(STUDY).unwrap()
}

fn estonia() -> Study {
    let text = STUDY.replace("prefix = \"PL\"", "prefix = \"EE\"");
    Study::parse(&text).unwrap()
}

fn variants(raw: &str, study: &Study) -> (String, Vec<Variant>) {
    let (code, notice) = normalise(raw, study).unwrap();
    (code.to_string(), notice.map(|n| n.variants).unwrap_or_default())
}

#[test]
fn what_is_written_as_the_study_writes_it_passes_without_notice() {
    for code in ["PL-02", "AM-163", "AM-1000", "SR-00", " GE-10 "] {
        assert_eq!(variants(code, &study()), (code.trim().to_owned(), vec![]), "{code}");
    }
}

#[test]
fn variants_are_recognised_and_told() {
    use Variant::{Case, Invisible, LookAlike, Separator, Width, Zeros};
    let cases: &[(&str, &str, &[Variant])] = &[
        ("PL_02", "PL-02", &[Separator]),
        ("PL01", "PL-01", &[Separator]),
        ("pl-2", "PL-02", &[Case, Zeros]),
        ("PL 02", "PL-02", &[Separator]),
        ("PL\u{a0}02", "PL-02", &[Separator]),
        ("PL\u{2013}02", "PL-02", &[Separator]),
        ("PL - 02", "PL-02", &[Separator]),
        ("PL-002", "PL-02", &[Zeros]),
        ("\u{ff30}\u{ff2c}\u{ff0d}\u{ff10}\u{ff12}", "PL-02", &[Width]),
        ("PL\u{200b}-02\u{feff}", "PL-02", &[Invisible]),
        ("РL-02", "PL-02", &[LookAlike]),
        ("ам-05", "AM-05", &[LookAlike]),
        ("ΑΜ-05", "AM-05", &[LookAlike]),
        ("AM-O5", "AM-05", &[LookAlike]),
        ("AM-\u{661}\u{662}", "AM-12", &[Width]),
    ];
    for (raw, code, ways) in cases {
        assert_eq!(variants(raw, &study()), ((*code).to_owned(), ways.to_vec()), "{raw}");
    }
    assert_eq!(variants("ЕЕ-01", &estonia()), ("EE-01".to_owned(), vec![LookAlike]));
    assert_eq!(variants("ее_1", &estonia()), ("EE-01".to_owned(), vec![Separator, LookAlike, Zeros]));
}

#[test]
fn what_is_no_code_is_refused() {
    for raw in [
        "",
        "-",
        "AM",
        "05",
        "AM-",
        "AM-5a",
        "AM-05-2",
        "AM-O",
        "AM--x",
        "AM-1234567890",
        "ПЛ-01",
        &"A".repeat(1000),
        "AM-05;GE-01",
    ] {
        let error = normalise(raw, &study()).unwrap_err();
        assert!(!error.remedy().is_empty() && (raw.is_empty() || !error.what().contains(raw) || raw == "-"), "{raw}");
    }
}

#[test]
fn an_unknown_prefix_names_the_sites() {
    let error = normalise("XY-05", &study()).unwrap_err();
    assert!(error.remedy().contains("AM, GE, SR, PL"), "{}", error.remedy());
    let error = normalise("RS-05", &study()).unwrap_err();
    assert!(error.remedy().contains("has the prefix SR"), "{}", error.remedy());
    assert!(normalise("PLO1", &study()).is_err(), "without a separator O is a letter");
}

#[test]
fn patterns_read_back_and_nonsense_is_refused() {
    for text in ["{site}-{number:02}", "{site}{number}", "{site}_{number:04}", "{site}/{number}", "{site}.{number:06}"]
    {
        assert_eq!(text.parse::<CodePattern>().unwrap().to_string(), text);
    }
    for bad in [
        "",
        "{site}",
        "{number}",
        "{site}--{number}",
        "{site}-{number:2}",
        "{site}-{number:00}",
        "{site}-{number:07}",
        "x{site}-{number}",
        "{site}-{number}x",
        "{site}5{number}",
        "{site}–{number}",
    ] {
        assert!(bad.parse::<CodePattern>().is_err(), "{bad}");
    }
}

#[test]
fn a_code_tells_its_parts_and_hides_from_debug() {
    let (code, notice) = normalise("am5", &study()).unwrap();
    assert_eq!((code.prefix(), code.number(), code.as_str()), ("AM", 5, "AM-05"));
    let shown = format!("{code:?} {notice:?} {}", notice.as_ref().unwrap());
    assert!(!shown.contains("AM") && !shown.contains('5'), "{shown}");
}

/// A character that people type for another one.
fn like(c: char, pick: usize) -> String {
    let choices: &[&str] = match c {
        'A' => &["A", "a", "А", "а", "Α", "\u{ff21}", "A\u{200d}"],
        'M' => &["M", "m", "М", "м", "Μ", "\u{ff2d}"],
        'G' => &["G", "g", "Ԍ", "\u{ff27}"],
        'E' => &["E", "e", "Е", "е", "Ε", "\u{ad}E"],
        'S' => &["S", "s", "Ѕ", "ѕ"],
        'P' => &["P", "p", "Р", "р", "Ρ"],
        '-' => &["-", "_", " ", "", "\u{2013}", "\u{2014}", "\u{2212}", " - ", ".", "\u{a0}"],
        '0' => &["0", "\u{ff10}", "\u{660}", "\u{200b}0"],
        '1' => &["1", "\u{ff11}", "\u{661}"],
        _ => return c.to_string(),
    };
    choices[pick % choices.len()].to_owned()
}

proptest! {
    #[test]
    fn normalising_is_idempotent_and_look_alikes_are_the_same_code(
        site in 0usize..4, number in 0u32..100_000, picks in proptest::collection::vec(0usize..60, 12), zeros in 0usize..5, pattern in 0usize..4,
    ) {
        let patterns = ["{site}-{number:02}", "{site}{number}", "{site}_{number:04}", "{site}/{number:03}"];
        let study = Study { code_pattern: patterns[pattern].parse().unwrap(), ..study() };
        let code = study.code_pattern.code(&study.sites[site].prefix, number);
        prop_assert_eq!(normalise(code.as_str(), &study).unwrap(), (code.clone(), None));
        let digits = code.as_str().trim_start_matches(|c: char| !c.is_ascii_digit());
        let text = format!("{}-{}{digits}", code.prefix(), "0".repeat(zeros));
        let raw: String = text.chars().zip(picks.iter().chain([&0; 20])).map(|(c, p)| like(c, *p)).collect();
        let (read, notice) = normalise(&raw, &study).unwrap();
        prop_assert_eq!(&read, &code);
        prop_assert_eq!(notice.is_some(), raw.trim() != code.as_str());
    }

    #[test]
    fn whatever_comes_in_never_panics_and_what_is_taken_is_stable(raw in "\\PC{0,20}|[AMGEPLSRОоІ0-9 _\u{2013}\u{200b}-]{2,8}") {
        let study = study();
        if let Ok((code, _)) = normalise(&raw, &study) {
            prop_assert_eq!(normalise(code.as_str(), &study).unwrap(), (code.clone(), None));
            prop_assert!(study.site(code.prefix()).is_some());
        }
    }
}
