//! The JSON Schemas and the program say the same.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Value, json};
use subrosa::crypto::card::Country;
use subrosa::domain::project::terms;
use subrosa::domain::study::Study;
use subrosa::ledger::event::Event;

const SAMPLE: &str = include_str!("../src/sample/study.toml");
/// A study that stays as it is when the sample grows.
const STUDY: &str = include_str!("../src/domain/study_fixture.toml");

fn schema(name: &str) -> Value {
    let text = match name {
        "study" => include_str!("../schema/json/study.schema.json"),
        "card" => include_str!("../schema/json/card.schema.json"),
        "request" => include_str!("../schema/json/request.schema.json"),
        "manifest" => include_str!("../schema/json/manifest.schema.json"),
        "entry" => include_str!("../schema/json/entry.schema.json"),
        other => panic!("no schema {other}"),
    };
    serde_json::from_str(text).unwrap()
}

fn validator(name: &str) -> Validator {
    jsonschema::validator_for(&schema(name)).unwrap()
}

/// The study with one thing changed; as JSON for the schema too.
fn changed(from: &str, to: &str) -> (String, Value) {
    assert!(STUDY.contains(from), "{from}");
    let text = STUDY.replacen(from, to, 1);
    let value = toml::from_str(&text).unwrap();
    (text, value)
}

#[test]
fn every_schema_is_a_schema() {
    for name in ["study", "card", "request", "manifest", "entry"] {
        assert!(jsonschema::meta::is_valid(&schema(name)), "{name}");
        validator(name);
    }
}

#[test]
fn the_sample_study_is_good_for_both() {
    let value: Value = toml::from_str(SAMPLE).unwrap();
    let errors: Vec<String> = validator("study").iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    Study::parse(SAMPLE).unwrap();
}

#[test]
fn variants_of_a_study_are_good_for_both() {
    let validator = validator("study");
    for (from, to) in [
        ("{site}-{number:02}", "{site}{number}"),
        ("{site}-{number:02}", "{site}/{number:06}"),
        ("stewards = 1", "stewards = 2"),
        ("stewards = 1", ""),
        ("grace_days = 7", "grace_days = 0"),
        ("expiry_years = 20", "expiry_years = 100\nproof_of_consent_years = 6"),
        ("language = \"en\"", "language = \"sr-Latn\""),
        ("country = \"RS\"", "country = \"XK\""),
        ("region = \"Shirak\"\n", ""),
        ("forms = [\"Гюмри\", \"Gyumri\"]\n", ""),
        ("reuse = \"granted\"", "reuse = \"refused\""),
        ("bystander = [\"X\"]", "bystander = []"),
        ("bands = [18, 30, 40, 50, 65]", "bands = [1]"),
        ("class = \"strong_indirect\"", "class = \"other\""),
        ("summary = \"", "summary = \"More. "),
        ("basis = \"consent\"", "basis = \"public_interest\""),
    ] {
        let (text, value) = changed(from, to);
        assert!(validator.is_valid(&value), "{to}");
        assert_eq!(Study::parse(&text).err(), None, "{to}");
    }
}

#[test]
fn bad_studies_are_refused_by_both() {
    let validator = validator("study");
    for (from, to) in [
        ("format = \"subrosa-study/1\"", "format = \"subrosa-study/2\""),
        ("title = \"Leaving and Staying: oral histories of departure\"", "title = \" \""),
        ("title = \"Leaving and Staying: oral histories of departure\"", "title = 5"),
        ("title = \"Leaving and Staying: oral histories of departure\"", "title = \"two\\nlines\""),
        ("summary = ", "sumary = "),
        ("summary = ", "open_access = true\nsummary = "),
        ("contact = ", "contacts = "),
        ("{site}-{number:02}", "{number}"),
        ("{site}-{number:02}", "{site}-{number:2}"),
        ("{site}-{number:02}", "{site}–{number:02}"),
        ("k = 3 ", "k = 1 "),
        ("k = 3 ", "k = 1001 "),
        ("k = 3 ", "k = -3 "),
        ("k = 3 ", "k = 3.5 "),
        ("k = 3 ", "k = \"3\" "),
        ("k = 3 ", "# "),
        ("cell = 10", "cell = 1"),
        ("stewards = 1", "stewards = 0"),
        ("stewards = 1", "stewards = 3"),
        ("grace_days = 7", "grace_days = 31"),
        ("[thresholds]", "[threshold]"),
        ("prefix = \"AM\"", "prefix = \"am\""),
        ("prefix = \"AM\"", "prefix = \"АМ\""),
        ("prefix = \"AM\"", "prefix = \"A1\""),
        ("prefix = \"AM\"", "prefix = \"\""),
        ("prefix = \"AM\"", "prefix = \"ABCDEFGHI\""),
        ("country = \"RS\"", "country = \"UK\""),
        ("country = \"RS\"", "country = \"SRB\""),
        ("country = \"RS\"", "contry = \"RS\""),
        ("boards = [\"host\", \"university\"]", "boards = []"),
        ("boards = [\"host\", \"university\"]", "boards = [\"host\", \"host\"]"),
        ("boards = [\"host\", \"university\"]", "boards = [\"Host\"]"),
        ("boards = [\"host\", \"university\"]", "boards = \"host\""),
        ("boards = [\"host\", \"university\"]", ""),
        ("version = \"v1\"", "version = \"v 1\""),
        ("language = \"en\"", "language = \"English\""),
        ("basis = \"consent\"", "basis = \"contract\""),
        ("tier = \"role_country\"", "tier = \"open\""),
        ("tier = \"role_country\"\n", ""),
        ("review_years = 5", "review_years = 0"),
        ("expiry_years = 20", "expiry_years = 101"),
        ("expiry_years = 20", "proof_of_consent_years = 51"),
        ("reuse = \"granted\"", "open = \"granted\""),
        ("reuse = \"granted\"", "public = \"granted\""),
        ("reuse = \"granted\"", "reuse = \"open\""),
        ("reuse = \"granted\"", "reuse = \"withdrawn\""),
        ("reuse = \"granted\"", "reuse = true"),
        ("archive = \"granted\"\nanalyse = \"granted\"\nquote_text = \"granted\"\n", ""),
        ("bystander = [\"X\"]", "bystanders = [\"X\"]"),
        ("bystander = [\"X\"]", "bystander = [\"X:\"]"),
        ("bystander = [\"X\"]", "bystander = [\"X\", \"X\"]"),
        ("bystander = [\"X\"]", "bystander = [\" \"]"),
        ("country = \"AM\"\n\n# Variables", "country = \"Armenia\"\n\n# Variables"),
        ("forms = [\"Гюмри\", \"Gyumri\"]", "forms = [\"Гюмри\", 5]"),
        ("name = \"gender\"", "name = \"Gender\""),
        ("class = \"strong_indirect\"", "class = \"quasi\""),
        ("class = \"strong_indirect\"", ""),
        ("bands = [18, 30, 40, 50, 65]", "bands = []"),
        ("bands = [18, 30, 40, 50, 65]", "bands = [0, 30]"),
        ("bands = [18, 30, 40, 50, 65]", "bands = [18, 18]"),
        ("bands = [18, 30, 40, 50, 65]", "bands = [18, 30]\nvalues = [\"a\", \"b\"]"),
        ("values = [\"woman\", \"man\", \"other\"]", "values = [\"woman\", \"woman\"]"),
    ] {
        let (text, value) = changed(from, to);
        assert!(!validator.is_valid(&value), "the schema takes: {to}");
        let faults = Study::parse(&text).expect_err(to);
        assert!(faults.iter().all(|f| f.line > 0 && !f.what.is_empty() && !f.remedy.is_empty()), "{to}: {faults:?}");
    }
    let (start, end) = (STUDY.find("text = \"\"\"").unwrap(), STUDY.find("tier =").unwrap());
    for text in ["", "text = \"\"\"\n \"\"\"\n", "text = 1\n"] {
        let text = format!("{}{text}{}", &STUDY[..start], &STUDY[end..]);
        assert!(!validator.is_valid(&toml::from_str(&text).unwrap()) && Study::parse(&text).is_err(), "{text}");
    }
}

#[test]
fn what_a_schema_cannot_say_the_reader_refuses() {
    for (from, to) in [
        ("prefix = \"GE\"", "prefix = \"AM\""),
        ("version = \"v2\"", "version = \"v1\""),
        ("bands = [18, 30, 40, 50, 65]", "bands = [30, 18]"),
        ("name = \"education\"", "name = \"gender\""),
        ("bystander = [\"X\"]", "bystander = [\"r1\"]"),
        ("bystander = [\"X\"]", "bystander = [\"X\"]\n[[place]]\nname = \"gyumri\"\ncountry = \"AM\""),
    ] {
        let (text, value) = changed(from, to);
        assert!(validator("study").is_valid(&value), "{to}");
        assert!(Study::parse(&text).is_err(), "{to}");
    }
}

#[test]
fn the_countries_are_the_same_everywhere() {
    let letters = || 'A'..='Z';
    let pairs = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
    let known: Vec<String> = pairs.filter(|code| code.parse::<Country>().is_ok()).collect();
    for name in ["study", "card", "request", "entry"] {
        let codes: Vec<String> = serde_json::from_value(schema(name)["$defs"]["country"]["enum"].clone()).unwrap();
        assert_eq!(codes, known, "{name}");
    }
}

#[test]
fn no_schema_and_no_term_in_use_knows_open_access() {
    for name in ["study", "card", "request", "manifest", "entry"] {
        let mut words = BTreeSet::new();
        collect(&schema(name), &mut words);
        for word in ["open", "public", "open_access", "unrestricted"] {
            assert!(!words.contains(word), "{name} knows {word}");
        }
    }
    assert!(terms().filter(|t| t.label.contains("no restriction")).all(|t| t.shorthand == "NRES"));
}

/// All names of properties and all values of enumerations.
fn collect(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => words.extend(properties.keys().cloned()),
                    ("enum", Value::Array(values)) => {
                        words.extend(values.iter().filter_map(Value::as_str).map(str::to_owned))
                    }
                    _ => {}
                }
                collect(value, words);
            }
        }
        Value::Array(values) => values.iter().for_each(|v| collect(v, words)),
        _ => {}
    }
}

const ID: &str = "0123456789abcdef0123456789abcdef";
const TIME: &str = "2026-11-23T09:30:00Z";

fn b64(bytes: usize) -> String {
    data_encoding::BASE64.encode(&vec![7; bytes])
}

/// A public key that is a point on the curve: the first test vector of RFC 8032, section 7.1.
fn key() -> String {
    "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".to_owned()
}

fn card() -> Value {
    json!({"format": "subrosa-card/1", "name": "Dora", "country": "EE", "sign": key(), "created": TIME, "sig": b64(64),
        "age": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"})
}

fn with(base: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = base.clone();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    changed.pointer_mut(parent).unwrap()[key] = value;
    changed
}

#[test]
fn cards_and_requests_have_their_fields_and_no_others() {
    let (cards, requests) = (validator("card"), validator("request"));
    assert!(cards.is_valid(&card()));
    for (at, value) in
        [("/country", json!("UK")), ("/open", json!(true)), ("/sig", json!("x")), ("/age", json!("AGE-SECRET-KEY-1QQ"))]
    {
        assert!(!cards.is_valid(&with(&card(), at, value)), "{at}");
    }
    let request = json!({"format": "subrosa-request/1", "vault": ID, "card": card(), "project": ID, "level": 2, "until": "2027-06-30",
        "items": {"sites": ["AM"], "codes": []}, "purpose": "To compare.", "conditions": b64(32), "nonce": b64(16), "created": TIME, "sig": b64(64)});
    let errors: Vec<String> = requests.iter_errors(&request).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for (at, value) in [
        ("/level", json!(0)),
        ("/level", json!(4)),
        ("/level", json!("open")),
        ("/until", json!("never")),
        ("/until", Value::Null),
        ("/purpose", json!("  ")),
        ("/nonce", json!("")),
        ("/items/all", json!(true)),
        ("/card/extra", json!(1)),
    ] {
        assert!(!requests.is_valid(&with(&request, at, value.clone())), "{at} {value}");
    }
}

#[test]
fn a_manifest_has_no_place_for_what_may_not_go() {
    let manifests = validator("manifest");
    let good = json!({"format": "subrosa-extract/1", "vault": ID, "origin": format!("subrosa.invalid/{ID}"), "project": {"id": ID, "title": "Departures"},
        "release": ID, "recipient": ID, "level": 2, "engine": "first/1", "until": "2027-06-30", "conditions": {"version": "1", "text": "I agree."},
        "built": TIME, "files": [{"path": "transcripts/C-7F3K-2M9Q.txt", "sha256": "0".repeat(64), "bytes": 12}],
        "interviews": [{"citation": "C-7F3K-2M9Q", "site": "AM", "language": "ru", "turns": 40, "turns_left_out": 2,
            "attribution": [{"participant": "P-7F3K-2M9Q", "tier": "role_country"}]}],
        "participants": 1, "withheld": {"interviews": 1, "turns": 2}});
    let errors: Vec<String> = manifests.iter_errors(&good).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for (at, value) in [
        ("/interviews/0/date", json!("2023-05-17")),
        ("/interviews/0/code", json!("AM-05")),
        ("/interviews/0/citation", json!("AM-05")),
        ("/interviews/0/attribution/0/participant", json!("Anahit")),
        ("/interviews/0/attribution/0/tier", json!("open")),
        ("/files/0/path", json!("transcripts/AM-05.txt")),
        ("/files/0/path", json!("../C-7F3K-2M9Q.txt")),
        ("/until", Value::Null),
        ("/level", json!(0)),
        ("/access", json!("open")),
    ] {
        assert!(!manifests.is_valid(&with(&good, at, value.clone())), "{at} {value}");
    }
}

/// One example of each event.
fn events() -> Vec<Value> {
    let (d, s, date) = (b64(32), b64(64), "2027-06-30");
    let facts = json!({"request": ID, "project": ID, "recipient": ID, "requester": ID, "granted": true, "level": 2, "sites": [ID], "items": null,
        "needs": ["archive", "reuse"], "approvals": [ID], "until": date, "conditions": d, "country": "EE", "steward": ID, "time": TIME});
    let released = json!({"item": ID, "site": ID, "transcript": ID, "voices": [ID], "passages": [], "fieldwork": [ID]});
    vec![
        json!({"event": "genesis", "origin": "subrosa.invalid/x", "steward": key(), "steward_id": ID, "log_key": key(), "boards": [key()], "trustees": [], "threshold": 0}),
        json!({"event": "keyring", "version": 1, "digest": d}),
        json!({"event": "person", "person": ID, "sign": key(), "country": "EE", "roles": [{"role": "archivist", "sites": [ID]}, {"role": "steward", "sites": null}]}),
        json!({"event": "study", "version": 1, "digest": d, "text": SAMPLE, "sig": s}),
        json!({"event": "site", "site": ID, "country": "RS", "boards": ["host"]}),
        json!({"event": "policy", "digest": d, "text": "forbid (principal, action, resource);\n"}),
        json!({"event": "approval", "approval": ID, "board": "host", "sites": null, "fieldwork": [date, date], "usage": [date, date], "purposes": ["DUO:0000042"], "document": d}),
        json!({"event": "project", "project": ID, "purpose": "DUO:0000042", "people": [ID], "from": date, "until": date}),
        json!({"event": "participant", "participant": ID}),
        json!({"event": "item", "item": ID, "site": ID, "voices": [ID]}),
        json!({"event": "object", "object": ID, "item": ID, "kind": "recording", "digest": d}),
        json!({"event": "transcript", "transcript": ID, "item": ID, "version": 1, "kind": "verbatim"}),
        json!({"event": "passage", "passage": ID, "item": ID}),
        json!({"event": "consent", "participant": ID, "act": "given", "scope": "all", "from": TIME, "form": d, "modules": {"archive": "granted", "reuse": "expired"},
            "tier": "role_place", "embargo": date, "expiry": null, "unmapped_condition": false, "condition_mapped": true}),
        json!({"event": "consent", "participant": ID, "act": "withdrawn", "scope": {"passage": ID}, "from": TIME, "form": null, "modules": {},
            "tier": null, "embargo": null, "expiry": null, "unmapped_condition": true, "condition_mapped": false}),
        json!({"event": "hold_set", "hold": ID, "sites": [ID], "items": []}),
        json!({"event": "hold_lift", "hold": ID, "lifted": false}),
        json!({"event": "review", "transcript": ID, "engine": "first/1", "marks": 3, "digest": d}),
        json!({"event": "marks", "transcript": ID, "added": 1, "changed": 0, "removed": 0}),
        json!({"event": "request", "request": ID, "project": ID, "requester": ID, "digest": d}),
        json!({"event": "decision", "decision": facts, "sig": s, "items": null, "salt": null}),
        json!({"event": "decision", "decision": with(&facts, "/items", json!(d)), "sig": s, "items": [ID], "salt": b64(16)}),
        json!({"event": "release", "release": ID, "request": ID, "recipient": ID, "until": date, "manifest": d, "items": [released], "withheld": 0}),
        json!({"event": "receipt", "release": ID, "recipient": ID, "until": date, "manifest": d}),
        json!({"event": "release_again", "release": ID, "manifest": d}),
        json!({"event": "listed", "what": "interviews", "filters": ["site"], "count": 4}),
        json!({"event": "opened", "what": "transcript", "tokens": [ID]}),
        json!({"event": "denied", "what": "extract build", "reason": "not an archivist"}),
        json!({"event": "intent", "act": "rotate", "number": 1}),
        json!({"event": "done", "act": "rotate", "number": 1}),
        json!({"event": "checked", "faults": 0}),
        json!({"event": "clock_accepted", "people": [ID, ID]}),
        json!({"event": "checks", "transcript": ID, "turns": 3}),
    ]
}

#[test]
fn the_entry_schema_knows_every_event_as_the_program_does() {
    let entries = validator("entry");
    let entry = |event: &Value| {
        json!({"format": "subrosa-entry/1", "vault": ID, "seq": 3, "time": TIME, "actor": ID, "key": key(), "root": b64(32),
            "command": "interview list", "events": [event], "sig": b64(64)})
    };
    for event in events() {
        let errors: Vec<String> = entries.iter_errors(&entry(&event)).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{event}: {errors:?}");
        let read: Event = serde_json::from_value(event.clone()).unwrap_or_else(|e| panic!("{event}: {e}"));
        assert_eq!(serde_json::to_value(&read).unwrap(), event);
        let more = with(&event, "/note", json!("Anahit"));
        assert!(!entries.is_valid(&entry(&more)), "{more}");
        assert!(serde_json::from_value::<Event>(more).is_err(), "{event}");
    }
    // The error of serde names every event that there is.
    let all = serde_json::from_value::<Event>(json!({"event": "?"})).unwrap_err().to_string();
    let known: BTreeSet<&str> = all.split('`').skip(3).step_by(2).collect();
    let schema = schema("entry");
    let listed = schema["$defs"]["event"]["oneOf"].as_array().unwrap();
    let described: BTreeSet<&str> = listed.iter().filter_map(|e| e["properties"]["event"]["const"].as_str()).collect();
    assert!(known.len() > 20);
    assert_eq!(known, described);
}
