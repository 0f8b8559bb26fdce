//! A study made for `subrosa demo --interviews 163`: that it has the shape of the real one, told by its manifests and by the vault, and that the engine
//! finds what was planted in it.

#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use common::{enrol, moment, person, unlock};
use subrosa::base::progress::Silent;
use subrosa::base::role::Role;
use subrosa::domain::interview::SpeakerRole;
use subrosa::domain::study;
use subrosa::ops::interview::{self, Filter};
use subrosa::ops::{approval, ingest, redact};
use subrosa::redact::Detector;
use subrosa::sample::generate::{APPROVALS, Planted, Search, Study, study_toml};
use subrosa::session::{Founding, create};

const NOW: &str = "2026-02-01T00:00:00Z";
const SITES: [(&str, usize); 9] =
    [("AM", 25), ("EE", 9), ("FI", 19), ("GE", 19), ("KZ", 24), ("MN", 19), ("PL", 10), ("SR", 15), ("TR", 23)];

/// What the rows of all manifests come to.
#[derive(Default)]
struct Counted {
    interviews: BTreeMap<String, usize>,
    people: BTreeMap<String, usize>,
    minutes: Vec<f64>,
    ages: Vec<f64>,
    women: usize,
    men: usize,
    degrees: usize,
    excepted: BTreeMap<String, usize>,
    conditions: usize,
    oral: usize,
    written: usize,
}

impl Counted {
    fn of(study: &Study) -> Self {
        let mut counted = Self::default();
        for delivery in study.deliveries() {
            let rows: String =
                (delivery.first..delivery.first + delivery.count).map(|n| study.interview(n).rows).collect();
            counted.take(&format!("{}{rows}", study.manifest_head()));
        }
        counted
    }

    fn take(&mut self, manifest: &str) {
        let mut reader = csv::Reader::from_reader(manifest.as_bytes());
        let mut year = 0.0;
        for row in reader.deserialize::<BTreeMap<String, String>>() {
            let row = row.unwrap();
            let cell = |name: &str| Some(row[name].as_str()).filter(|c| !c.is_empty());
            let code = &row["code"];
            let site = &code[..2];
            if let Some(date) = cell("date") {
                *self.interviews.entry(site.to_owned()).or_default() += 1;
                self.minutes.push(row["meta:minutes"].parse().unwrap());
                year = date[..4].parse().unwrap();
                let holding = APPROVALS.iter().filter(|(_, sites, ..)| sites.is_empty() || sites.contains(&site));
                for (board, _, from, to) in holding {
                    assert!((*from..=*to).contains(&date), "{site} is outside of what {board} approved");
                }
            }
            if cell("role") == Some("participant") {
                *self.people.entry(code.clone()).or_default() += 1;
                self.ages.push(year - row["birth_year"].parse::<f64>().unwrap());
                self.women += usize::from(row["gender"] == "woman");
                self.men += usize::from(row["gender"] == "man");
                self.degrees += usize::from(row["education"] == "university");
                self.conditions += usize::from(cell("consent_condition").is_some());
                self.oral += usize::from(cell("evidence_from").is_some());
                self.written += usize::from(row["evidence"].ends_with(".png"));
                for except in row["consent_except"].split("; ").filter(|e| !e.is_empty()) {
                    *self.excepted.entry(except.to_owned()).or_default() += 1;
                }
            }
        }
    }
}

fn mean(of: &[f64]) -> f64 {
    of.iter().sum::<f64>() / of.len() as f64
}

#[test]
fn the_manifests_of_163_have_the_shape_of_the_real_study_whatever_the_seed() {
    for seed in [1, 7, 20_260_101] {
        let counted = Counted::of(&Study::new(163, seed, 500).unwrap());
        let sites: Vec<(&str, usize)> = counted.interviews.iter().map(|(site, n)| (site.as_str(), *n)).collect();
        assert_eq!(sites, SITES);
        assert_eq!(counted.people.values().sum::<usize>(), 168);
        assert_eq!(counted.people.values().filter(|n| **n == 2).count(), 5);
        assert!(counted.people.len() == 163 && counted.people.values().all(|n| *n <= 2));
        assert_eq!((counted.men, counted.women, counted.degrees), (128, 40, 126));
        assert_eq!(mean(&counted.ages).round(), 32.0);
        assert_eq!(mean(&counted.minutes).round(), 74.0);
        assert!(counted.minutes.iter().all(|m| (35.0..=140.0).contains(m)));
        assert!(counted.minutes.iter().any(|m| *m < 45.0) && counted.minutes.iter().any(|m| *m > 110.0));
        // Most agree to the form as it stands; some do not.
        assert_eq!(counted.conditions, 1);
        assert!((140..=165).contains(&counted.oral) && counted.oral + counted.written == 168);
        for except in ["quote_text=refused", "abroad=refused", "reuse=refused", "embargo=2035-01-01", "tier=code_only"]
        {
            assert!((3..40).contains(&counted.excepted[except]), "{except}");
        }
    }
}

#[test]
fn ten_times_as_many_keep_the_proportions() {
    let counted = Counted::of(&Study::new(1_630, 1, 500).unwrap());
    assert!(SITES.iter().all(|(site, n)| counted.interviews[*site] == n * 10));
    assert_eq!((counted.men, counted.women, counted.degrees), (1_280, 400, 1_260));
    assert_eq!((mean(&counted.ages).round(), mean(&counted.minutes).round(), counted.conditions), (32.0, 74.0, 10));
}

#[test]
fn the_vault_tells_the_same_shape_and_a_list_reviews_what_it_names() {
    let dir = tempfile::tempdir().unwrap();
    let (ada, ben) = (person("Ada"), person("Ben"));
    let text = study_toml();
    let read = study::Study::read(&text).unwrap();
    let now = moment("2026-01-01T00:00:00Z");
    let founding = Founding { steward: &ada, study: (&text, &read), boards: vec![], trustees: (vec![], 0), now };
    create(&dir.path().join("vault"), &dir.path().join("vault.keys"), &founding).unwrap();
    let mut vault = unlock(dir.path(), &ada, NOW).unwrap();
    enrol(&mut vault, &ben, Role::Archivist);
    for (board, sites, from, to) in APPROVALS {
        let said = approval::Recorded {
            board: board.into(),
            reference: "2022/7".into(),
            title: "Leaving and Staying".into(),
            sites: sites.iter().map(|s| (*s).to_owned()).collect(),
            fieldwork: (from.parse().unwrap(), to.parse().unwrap()),
            usage: (from.parse().unwrap(), "2040-12-31".parse().unwrap()),
            purposes: vec![],
            document: None,
        };
        approval::add(&mut vault, said).unwrap();
    }
    drop(vault);

    let study = Study::new(163, 1, 600).unwrap();
    let mut vault = unlock(dir.path(), &ben, NOW).unwrap();
    for (at, delivery) in study.deliveries().into_iter().enumerate() {
        let folder = dir.path().join(at.to_string());
        let mut manifest = study.manifest_head().to_owned();
        for number in delivery.first..delivery.first + delivery.count {
            let made = study.interview(number);
            manifest.push_str(&made.rows);
            made.files.iter().for_each(|file| put(&folder.join(&file.path), &file.bytes));
        }
        put(&folder.join("manifest.csv"), manifest.as_bytes());
        let checked = ingest::check(&mut vault, &folder, &[], &Silent).unwrap();
        // The vault holds the dates against the approvals by itself.
        assert!(!checked.plan.notices.iter().any(|n| n.contains("approval")));
        let faults: Vec<String> = checked.plan.faults.iter().map(|f| format!("{}: {}", f.place, f.what)).collect();
        assert!(faults.is_empty(), "{faults:#?}");
        ingest::take(&mut vault, &checked, &Silent).unwrap();
    }

    let listed = interview::list(&mut vault, &Filter::default()).unwrap();
    let count = |site: &str| listed.iter().filter(|i| i.site == site).count();
    assert_eq!(SITES.map(|(site, _)| (site, count(site))), SITES);
    assert_eq!(listed.iter().map(|i| i.participants).sum::<u64>(), 168);
    assert!(listed.iter().all(|i| i.state == "transcribed" && i.transcripts == 1 && i.recordings >= 1));

    let (mut people, mut men, mut degrees, mut ages, mut minutes) = (BTreeSet::new(), 0, 0, Vec::new(), Vec::new());
    for row in listed.iter() {
        let shown = interview::show(&mut vault, &row.code, true).unwrap();
        minutes.push(shown.objects.iter().filter_map(|o| o.duration_ms).max().unwrap() as f64 / 60_000.0);
        let year: f64 = shown.date.to_string()[..4].parse().unwrap();
        let names = shown.names.unwrap().speakers;
        for speaker in shown.speakers.iter().filter(|s| s.role == SpeakerRole::Participant) {
            let known = serde_json::to_value(&names[&speaker.label]).unwrap();
            people.insert(speaker.token.unwrap().to_string());
            men += usize::from(known["gender"] == "man");
            degrees += usize::from(known["education"] == "university");
            ages.push(year - known["birth_year"].as_f64().unwrap());
        }
    }
    assert_eq!((people.len(), men, degrees, ages.len()), (168, 128, 126, 168));
    assert_eq!((mean(&ages).round(), mean(&minutes).round()), (32.0, 74.0));

    // A list does what it says with what it names, and nothing with anything else.
    let lines: String = ["AM-01", "TR-23"]
        .iter()
        .map(|code| format!("{{\"code\":\"{code}\",\"suggest\":true}}\n{{\"code\":\"{code}\",\"review\":\"Read.\",\"accept_rest\":true}}\n"))
        .collect();
    let list = redact::parse_list(&lines).unwrap();
    let done = redact::follow(&mut vault, &list, &Silent).unwrap();
    assert_eq!((done.suggested, done.reviewed, done.marked), (2, 2, 0));
    let reviewed = redact::status(&mut vault, None).unwrap().rows.into_iter().filter(|v| v.reviewed_at.is_some());
    assert_eq!(reviewed.map(|v| v.code).collect::<Vec<_>>(), ["AM-01", "TR-23"]);
    let list =
        redact::parse_list("{\"code\":\"AM-02\",\"suggest\":true}\n{\"code\":\"AM-99\",\"review\":\"Read.\"}").unwrap();
    let error = redact::follow(&mut vault, &list, &Silent).err().unwrap();
    assert!(error.what().starts_with("line 2 of the list"), "{error:?}");
    assert_eq!(redact::status(&mut vault, Some("AM-02")).unwrap()[0].word(), "to decide");
    // Not searched, not reviewed.
    let list = redact::parse_list("{\"code\":\"AM-03\",\"review\":\"Read.\",\"accept_rest\":true}").unwrap();
    assert!(redact::follow(&mut vault, &list, &Silent).is_err());
}

#[test]
fn the_engine_finds_what_was_planted_by_its_form() {
    let study = Study::new(163, 1, 25_000).unwrap();
    let detector = Detector::new(&[]);
    let (mut places, mut missed) = (0, BTreeSet::new());
    for number in [3, 40, 90, 130] {
        let made = study.interview(number);
        let file = made.files.iter().find(|f| f.path.starts_with("transcripts/")).unwrap();
        let text = if file.path.ends_with("docx") { continue } else { std::str::from_utf8(&file.bytes).unwrap() };
        let Planted { handles, numbers, addresses, dates, .. } = made.planted;
        let planted: Vec<String> = [handles, numbers, addresses, dates].into_iter().flatten().collect();
        for line in text.lines() {
            let spans = detector.detect(line);
            for words in planted.iter().filter(|words| line.contains(words.as_str())) {
                let from = line[..line.find(words.as_str()).unwrap()].chars().count();
                places += 1;
                let to = from + words.chars().count();
                if !spans.iter().any(|s| s.start <= from && to <= s.end) {
                    missed.insert(words.clone());
                }
            }
        }
    }
    assert!(places > 30, "{places}");
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn what_was_planted_is_found_where_it_stands_and_only_there() {
    let made = Study::new(163, 1, 30_000).unwrap().interview(0);
    let search = Search::new(&made.planted);
    let file = made.files.iter().find(|f| f.path.starts_with("transcripts/")).unwrap();
    assert!(search.len() > 20 && search.count(&String::from_utf8_lossy(&file.bytes)) > 20);
    assert_eq!(search.count("P-7F3K-2M9Q: Меня зовут [person 1], я из Томска."), 0);
    assert_eq!(search.count(&format!("x {}!", made.code.to_lowercase().replace('-', " "))), 1);
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
