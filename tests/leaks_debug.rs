//! What people write while they look for a fault, and what the program says of bad input, shows nothing of anybody: neither `Debug` nor errors.

#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

#[path = "leaks/world.rs"]
mod world;

use std::fmt::{Debug, Display};
use std::path::{Path, PathBuf};

use regex::Regex;
use subrosa::base::id::VaultId;
use subrosa::base::{Error, Result, canonical};
use subrosa::crypto::card::{Card, VaultCard};
use subrosa::crypto::identity::LockedIdentity;
use subrosa::crypto::keyring::KeyringFile;
use subrosa::domain::request::Request;
use subrosa::formats::{DeliveryPath, Fault, Manifest, Table, TranscriptFormat, transcript};
use subrosa::ledger::entry::Entry;
use subrosa::ledger::{checkpoint::Checkpoint, note::Note, proof::Proof, witness::HeadUpdate};
use subrosa::ops;
use subrosa::store::state::StateFolder;

/// Types that show text by a derived `Debug`, because none of it can be of a person whom the study is about. Everything else that holds text
/// shows its name only (`hidden!`), or has no `Debug` at all.
const SHOWN: &[(&str, &[&str])] = &[
    (
        "the study and the policies: they govern, stand in the ledger whole, and speak of nobody",
        &["Study", "Site", "Form", "Speakers", "Place", "Variable", "Rule", "Conditions", "Term", "CodePattern"],
    ),
    (
        "what an entry of the ledger may hold, by its types (docs/adr/0003)",
        &[
            "Event",
            "ApprovalFacts",
            "DecisionFacts",
            "Draft",
            "Cosignature",
            "Checkpoint",
            "Note",
            "NoteSignature",
            "Proof",
            "Witness",
            "HeadUpdate",
            "Slip",
        ],
    ),
    (
        "digests, ids, signed heads and public keys",
        &[
            "Layer",
            "CompartmentFacts",
            "SealedStream",
            "Seen",
            "CheckpointReport",
            "ProofFiles",
            "Witnessed",
            "Cosigned",
        ],
    ),
    ("countries and codecs", &["Country", "Party", "VoiceFacts", "MediaInfo"]),
    (
        "words of the program: what is wrong and why, by their makers' contract without a value",
        &[
            "Fault",
            "PolicyFault",
            "Reason",
            "Why",
            "Finding",
            "FaultLine",
            "VerifyFault",
            "VerifyReport",
            "CheckReport",
            "Part",
            "Span",
            "Outcome",
            "Amendment",
        ],
    ),
];

/// Types with a `Debug` of their own making; each was looked at.
const BY_HAND: &[&str] = &[
    "PublicKey",
    "Signature",
    "AgeRecipient",
    "Digest",
    "Cell",
    "DeliveryPath",
    "PackageWriter",
    "PackageFile",
    "Error",
    "ConsentEvent",
    "Code",
    "Request",
    "Policies",
];

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            sources(&path, out);
        } else if name.ends_with(".rs") && !name.contains("test") {
            out.push(path);
        }
    }
}

/// The fields of a type, from its opening bracket on.
fn body(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            ';' if depth == 0 => return &text[..at],
            _ => {}
        }
        if depth == 0 && matches!(c, '}' | ')') {
            return &text[..at];
        }
    }
    text
}

/// Every type in the sources: a text, some bytes or a path in it is shown by a derived `Debug` only if it stands above.
#[test]
fn no_derived_debug_shows_what_is_somebodys() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    assert!(files.len() > 150);
    let comment = Regex::new(r"(?m)//.*$").unwrap();
    let derived = Regex::new(
        r"#\[derive\(([^)]*)\)\](?:\s*#\[[^\]]*\])*\s*(?:pub(?:\([^)]*\))?\s+)?(?:struct|enum)\s+(\w+)[^;{(]*",
    )
    .unwrap();
    let by_hand = Regex::new(r"Debug for (\w+)").unwrap();
    let text = Regex::new(r"\bString\b|\bstr\b|Vec<u8>|\[u8|\bPath|\bValue\b|\bchar\b|OsStr|Zeroizing").unwrap();
    let shown: Vec<&str> = SHOWN.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let (mut faults, mut seen) = (Vec::new(), Vec::new());
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        let source = comment.replace_all(source.split("\n#[cfg(test)]\nmod tests {").next().unwrap(), "");
        for found in derived.captures_iter(&source) {
            if !found[1].contains("Debug") || !text.is_match(body(&source[found.get(0).unwrap().end()..])) {
                continue;
            }
            seen.push(found[2].to_owned());
            if !shown.contains(&&found[2]) {
                faults.push(format!("{}: {} derives Debug and holds text: use hidden!", file.display(), &found[2]));
            }
        }
        for found in by_hand.captures_iter(&source) {
            if !BY_HAND.contains(&&found[1]) {
                faults.push(format!("{}: a Debug by hand for {}", file.display(), &found[1]));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let gone: Vec<&&str> = shown.iter().filter(|name| !seen.iter().any(|s| s == **name)).collect();
    assert!(gone.is_empty(), "no longer there: {gone:?}");
}

/// Stands wherever a value can stand in what the parsers are given.
const MARK: &str = "Zqx";

fn show(value: &impl Debug) -> String {
    format!("{value:?} {value:#?}")
}

/// What parsers make of a good delivery shows nothing of it.
#[test]
fn what_is_read_of_a_delivery_is_not_shown() {
    let temp = tempfile::tempdir().unwrap();
    world::deliver(temp.path());
    let manifest = std::fs::read(temp.path().join("manifest.csv")).unwrap();
    let table = Table::from_csv(&manifest).unwrap();
    let same = |code: &str| code.to_owned();
    let read = Manifest::read(&table, "manifest.csv", &same).unwrap();
    let text = std::fs::read(temp.path().join("t/Zqniederschrift.txt")).unwrap();
    let labels = ["Zqetikett".to_owned(), "И".to_owned(), "X".to_owned()];
    let turns = transcript::read(TranscriptFormat::Txt, &text, &labels).unwrap();
    let file = DeliveryPath::parse("t/Zqniederschrift.txt").unwrap();
    let state = StateFolder::beside(Path::new("/home/Zqname/Zqname.id"));
    let all =
        [show(&table), show(&table.rows), show(&read), show(&turns), show(&turns.turns), show(&file), show(&state)]
            .concat();
    for (_, word) in world::WORDS {
        assert!(!all.contains(word), "a word is shown");
    }
    assert!(!all.contains("Zq") && !all.contains("Ёлкинжо") && all.contains("(…)"), "{}", &all[..500.min(all.len())]);
}

/// A small generator: the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }

    /// The text with a few places cut, doubled, swapped, or with the mark put in.
    fn hurt(&mut self, text: &str) -> String {
        let mut out = text.to_owned();
        for _ in 0..=self.roll(4) {
            let places: Vec<usize> = out.char_indices().map(|(at, _)| at).chain([out.len()]).collect();
            let (a, b) = (self.roll(places.len()), self.roll(places.len()));
            let (a, b) = (places[a.min(b)], places[a.max(b).min(a.min(b) + 12)]);
            let part = out[a..b].to_owned();
            match self.roll(5) {
                0 => out.replace_range(a..b, ""),
                1 => out.insert_str(a, &part),
                2 => out.replace_range(a..b, MARK),
                3 => out.insert_str(
                    a,
                    ["\"", "{", "]", ",", ";", "\n", "\0", "\u{202e}", "=", "#", "'", "\\"][self.roll(12)],
                ),
                _ => out.insert_str(a, MARK),
            }
        }
        out
    }
}

fn told<T>(result: Result<T>) -> Option<String> {
    result.err().map(|e: Error| format!("{e} {e:?} {e:#?} {} {}", e.what(), e.remedy()))
}

fn all(faults: &[impl Display + Debug]) -> Option<String> {
    (!faults.is_empty()).then(|| faults.iter().map(|f| format!("{f} {f:?} {f:#?}")).collect())
}

fn words(faults: Vec<Fault>) -> Option<String> {
    all(&faults)
}

/// One parser: bytes in, what it says is wrong out.
type Parser = (&'static str, String, fn(&[u8]) -> Option<String>);

fn parsers() -> Vec<Parser> {
    let vault = VaultId::random().unwrap();
    let json = format!(
        "{{\"format\":\"{MARK}\",\"{MARK}\":[1,\"{MARK}\",{{\"vault\":\"{vault}\"}}],\"words\":\"{MARK}\",\"class\":\"{MARK}\",\"tokens\":[\"{MARK}\"]}}"
    );
    let note = format!("{MARK}\n12\n{MARK}=\n\n\u{2014} {MARK} {MARK}AAAA=\n");
    let temp = tempfile::tempdir().unwrap();
    world::deliver(temp.path());
    let manifest = std::fs::read_to_string(temp.path().join("manifest.csv")).unwrap();
    let manifest = Regex::new("(?i)zq[a-z]*").unwrap().replace_all(&manifest, MARK).into_owned();
    // Not here: study definitions and policies. Whoever writes them needs the names in them told, and both speak of nobody.
    vec![
        ("manifest", manifest, |b| match Table::from_csv(b) {
            Ok(table) => words(Manifest::read_with_faults(&table, "manifest.csv", &|code: &str| code.to_owned()).1),
            Err(error) => told::<()>(Err(error)),
        }),
        ("transcript", format!("[00:01] {MARK}: {MARK}\nR: {MARK}\n{MARK} {MARK}: x\n"), |b| {
            told(transcript::read(TranscriptFormat::Txt, b, &["R".into()]))
        }),
        ("cues", format!("WEBVTT\n\n{MARK}\n00:01.000 --> 00:02.000\n<v {MARK}>{MARK}\n"), |b| {
            told(transcript::read(TranscriptFormat::Vtt, b, &["R".into()]))
        }),
        ("card", json.clone(), |b| told(Card::parse(b))),
        ("vault card", json.clone(), |b| told(VaultCard::parse(b))),
        ("identity", json.clone(), |b| told(LockedIdentity::parse(b))),
        ("keyring", json.clone(), |b| told(KeyringFile::parse(b))),
        ("request", json.clone(), |b| told(Request::parse(b, VaultId::random().unwrap()))),
        ("entry", json.clone(), |b| told(Entry::parse(b))),
        ("slip", json.clone(), |b| told(ops::audit::Slip::parse(b))),
        ("marks", json.clone(), |b| std::str::from_utf8(b).ok().and_then(|t| told(ops::redact::parse_batch(t)))),
        ("canonical JSON", json, |b| told(canonical::from_slice::<Vec<String>>(b))),
        ("note", note.clone(), |b| told(Note::parse(b))),
        ("checkpoint", note.clone(), |b| std::str::from_utf8(b).ok().and_then(|t| told(Checkpoint::parse_body(t)))),
        ("proof", format!("c2sp.org/tlog-proof@v1\nindex 1\n{MARK}\n\n{note}"), |b| told(Proof::parse(b))),
        ("head", format!("old 0\n{MARK}\n\n{note}"), |b| told(HeadUpdate::parse(b))),
        ("path", format!("a/{MARK}/../{MARK}"), |b| {
            std::str::from_utf8(b).ok().and_then(|t| DeliveryPath::parse(t).err().map(|e| format!("{e:?}")))
        }),
        ("id", MARK.repeat(4), |b| std::str::from_utf8(b).ok().and_then(|t| told(t.parse::<VaultId>()))),
        ("date", "2024-01-01".into(), |b| {
            std::str::from_utf8(b).ok().and_then(|t| told(t.parse::<subrosa::base::time::Date>()))
        }),
        ("moment", "2024-01-01T00:00:00Z".into(), |b| {
            std::str::from_utf8(b).ok().and_then(|t| told(t.parse::<subrosa::base::time::Moment>()))
        }),
    ]
}

/// Every parser, with much that is wrong: what it says never repeats what it was given.
#[test]
fn no_error_repeats_what_it_was_given() {
    let mut dice = Dice(4_711);
    for (name, good, parse) in parsers() {
        let mut failed = 0;
        for turn in 0..400 {
            let bad = if turn == 0 { good.clone() } else { dice.hurt(&good) };
            if let Some(told) = parse(bad.as_bytes()) {
                failed += 1;
                assert!(!told.to_lowercase().contains("zqx"), "{name} tells what it was given: {told}");
            }
        }
        assert!(failed > 5, "{name} fails only {failed} times");
    }
}
