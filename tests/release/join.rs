//! What two extracts have in common, and whether anything of it tells that two items are the same.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use subrosa::base::id::ProjectId;
use subrosa::crypto::identity::Identity;
use subrosa::ops::decide::{self, Terms};
use subrosa::ops::request::Wish;

use super::world::{OTAR, PROJECT, Put, VARYA, World};
use super::{BUILT, DECIDED, TALK, transcripts, walk, wish};

const OTHER: ProjectId = ProjectId::from_bytes([0x52; 16]);

/// Fields whose value is of the vault, the study, the steward or the builder, or a category that many share, or follows from the words (their length and
/// number, which join as the words do). Everything else must differ between two projects.
const SHARED: &[&str] = &[
    // The vault, its ledger and the program.
    "vault",
    "origin",
    "format",
    "engine",
    "command",
    "event",
    "root",
    "actor",
    "key",
    // People's keys and cards, and the person who gets both.
    "card",
    "recipient",
    "requester",
    "steward",
    // Terms, dates, conditions, approvals and countries.
    "level",
    "granted",
    "needs",
    "conditions",
    "until",
    "built",
    "time",
    "country",
    "approvals",
    // Shown in both: sites.
    "site",
    "sites",
    // How many in all; how many are left out; what follows from the words of a transcript; categories.
    "participants",
    "withheld",
    "bytes",
    "turns",
    "turns_left_out",
    "language",
    "tier",
];

/// Every value that stands in an extract, but for those that may be shared.
fn values(folder: &Path) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for path in walk(folder) {
        let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap();
        match name.as_str() {
            "vault.card" | "README.txt" => {}
            "participants.csv" => {
                // Site, gender and age band are what k have in common.
                let text = String::from_utf8(bytes).unwrap();
                out.extend(text.lines().skip(1).map(|row| row.split(',').next().unwrap().to_owned()));
            }
            // The proof ends with a checkpoint of the vault and its key; the tree above is the vault's.
            "release.tlog-proof" => {
                let text = String::from_utf8(bytes).unwrap();
                out.extend(text.lines().filter(|line| line.starts_with("index ")).map(str::to_owned));
            }
            "manifest.sig" => {
                out.insert(String::from_utf8(bytes).unwrap());
            }
            json if json.ends_with(".json") => collect(&serde_json::from_slice(&bytes).unwrap(), &mut out),
            // The words join by themselves; who says them does not.
            transcript => {
                out.insert(transcript.to_owned());
                let text = String::from_utf8(bytes).unwrap();
                let labels = text.lines().filter_map(|line| line.split_once(": ").map(|(label, _)| label));
                out.extend(labels.filter(|label| label.starts_with("P-")).map(str::to_owned));
                out.insert(text.lines().next().unwrap().to_owned());
            }
        }
    }
    out
}

fn collect(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter().filter(|(name, _)| !SHARED.contains(&name.as_str())) {
                match (name.as_str(), value.as_str()) {
                    // The names of the files that every extract has.
                    ("path", Some(path)) if !path.starts_with("transcripts/") => {}
                    _ => collect(value, out),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, out)),
        Value::String(text) => {
            out.insert(text.clone());
        }
        Value::Number(number) => {
            out.insert(number.to_string());
        }
        Value::Bool(_) | Value::Null => {}
    }
}

/// Asks, decides, builds and opens, everything or by code; gives the folder.
fn extract(world: &World, who: &Identity, project: ProjectId, codes: &[&str], name: &str) -> std::path::PathBuf {
    let request = world.ask_as(who, Wish { project, ..wish(codes) }).unwrap();
    decide::approve(&mut world.open(&world.ada, DECIDED), request, &Terms::default()).unwrap();
    let (file, folder) = (format!("{name}.age"), format!("{name}-files"));
    world.build(request, &file, BUILT).unwrap();
    world.open_as(who, &file, &folder, BUILT).unwrap().folder
}

const CODES: [&str; 5] = ["AM-01", "AM-02", "AM-03", "AM-04", "GE-01"];

fn peopled() -> (World, Vec<Put>) {
    let world = World::new();
    world.approve();
    world.project_as(OTHER, "Arrivals", vec![world.dora.person_id(), world.emil.person_id()]);
    let put = |(n, code): (usize, &&str)| {
        let person = if n < 4 { &VARYA } else { &OTAR };
        // Each is told from the others by its words.
        let own = format!("This was number {n}.");
        let mut turns: Vec<(&str, &str)> =
            TALK.iter().map(|(l, t)| (if *l == "R" { person.label } else { *l }, *t)).collect();
        turns.push((person.label, &own));
        let put = world.put(code, &[person], &turns);
        world.review(&put, &[]);
        put
    };
    let puts = CODES.iter().enumerate().map(put).collect();
    (world, puts)
}

/// Which interview each transcript is, in the order of the files.
fn order(folder: &Path) -> Vec<usize> {
    let number = |text: &String| CODES.iter().enumerate().position(|(n, _)| text.contains(&format!("number {n}.")));
    transcripts(folder).iter().map(|text| number(text).unwrap()).collect()
}

#[test]
fn two_projects_share_no_code_and_no_token() {
    let (world, puts) = peopled();
    let by_name: Vec<&str> = CODES.to_vec();
    // Everything, and the same by name, for which the decision has a list; by two analysts and by the same one.
    for (n, (codes, second)) in
        [(&[][..], &world.emil), (&by_name[..], &world.emil), (&[], &world.dora), (&by_name, &world.dora)]
            .into_iter()
            .enumerate()
    {
        let one = extract(&world, &world.dora, PROJECT, codes, &format!("one{n}"));
        let two = extract(&world, second, OTHER, codes, &format!("two{n}"));
        let (left, right) = (values(&one), values(&two));
        assert!(left.len() > 25 && right.len() > 25, "{left:?}");
        let common: Vec<_> = left.intersection(&right).collect();
        assert!(common.is_empty(), "{common:?}");
        // No token of the ledger stands anywhere.
        let tokens: Vec<String> =
            puts.iter().flat_map(|put| [put.item.to_string(), put.transcript.to_string()]).collect();
        for path in walk(&one).into_iter().chain(walk(&two)) {
            let text = std::fs::read_to_string(path).unwrap();
            assert!(!tokens.iter().any(|token| text.contains(token)));
        }
        let files = |folder: &Path| walk(folder).iter().filter(|p| p.to_str().unwrap().contains("/C-")).count();
        assert_eq!((files(&one), files(&two)), (5, 5));
    }
    world.replayed();
}

#[test]
fn order_is_by_the_codes_of_the_project() {
    let (world, _) = peopled();
    let one = extract(&world, &world.dora, PROJECT, &[], "one");
    // Five can stand alike in two projects by chance, once in 120; eight projects do not all agree.
    let others = (0..8_u8).map(|n| {
        let project = ProjectId::from_bytes([n; 16]);
        world.project_as(project, &format!("Arrivals {n}"), vec![world.emil.person_id()]);
        extract(&world, &world.emil, project, &[], &format!("other{n}"))
    });
    let others: Vec<_> = others.collect();
    assert!(others.iter().any(|other| order(other) != order(&one)));
    for folder in others.iter().chain([&one]) {
        let manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
        let citations = manifest["interviews"].as_array().unwrap().iter().map(|i| i["citation"].as_str().unwrap());
        assert!(citations.is_sorted());
        let table = std::fs::read_to_string(folder.join("participants.csv")).unwrap();
        assert!(table.lines().count() > 3 && table.lines().skip(1).is_sorted());
    }
}

#[test]
fn within_a_project_codes_agree_from_one_wave_to_the_next() {
    let (world, _) = peopled();
    let codes = |folder: &Path| -> BTreeSet<String> {
        let of = |text: String| {
            let voices = text.lines().filter(|line| line.starts_with("P-")).map(|line| line[..10].to_owned());
            let mut codes: Vec<String> = voices.collect();
            codes.push(text.lines().next().unwrap().to_owned());
            codes
        };
        transcripts(folder).into_iter().flat_map(of).collect()
    };
    let first = codes(&extract(&world, &world.dora, PROJECT, &[], "first"));
    let put = world.put("AM-05", &[&VARYA], TALK);
    world.review(&put, &[]);
    let second = codes(&extract(&world, &world.emil, PROJECT, &[], "second"));
    assert!(first.is_subset(&second));
    assert_eq!((first.len(), second.len()), (10, 12));
}
