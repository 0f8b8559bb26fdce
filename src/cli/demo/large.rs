//! The same story on a study of any size, made for it: what everything takes, and how big it becomes.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::measure::{self, Part};
use super::stage::{self, Stage};
use super::{ADA, BEN, Size};
use crate::base::progress::Progress;
use crate::base::{Error, Result};
use crate::cli::ingest::{clock, size};
use crate::cli::progress::Bar;
use crate::cli::screen::table;
use crate::sample::generate::{APPROVALS, Delivery, Made, Planted, Search, Study, study_toml};

/// How many transcripts somebody reviews in a sitting, and records in one list.
const SITTING: usize = 25;
/// How many transcripts are reviewed if nobody says otherwise.
const REVIEWED: u32 = 163;
/// How many interviews are made at a time; no more are held in memory.
const AT_ONCE: usize = 16;

/// What a telling came to.
#[derive(Serialize)]
pub(super) struct Report {
    interviews: u32,
    participants: u32,
    reviewed: u32,
    seed: u64,
    deliveries: usize,
    delivery_files: u64,
    delivery_bytes: u64,
    vault_bytes: u64,
    vault_files: u64,
    key_file_bytes: u64,
    extract_bytes: u64,
    ledger_entries: u64,
    marks_found: u64,
    marks_by_hand: u64,
    planted: usize,
    leaks: usize,
    own_peak_kib: Option<u64>,
    parts: Vec<Part>,
}

/// A study on the stage.
pub(super) struct Telling<'a> {
    stage: &'a Stage,
    study: Study,
    seed: u64,
    review: u32,
    planted: Planted,
    delivered: (u64, u64),
    marks: (u64, u64),
}

impl<'a> Telling<'a> {
    pub(super) fn new(stage: &'a Stage, wanted: &Size, interviews: u32) -> Result<Self> {
        let study = Study::new(interviews, wanted.seed, wanted.characters);
        let most = crate::sample::generate::MOST;
        let study = study.ok_or_else(|| {
            Error::user(
                format!("a study cannot have {interviews} interviews"),
                format!("Give a number from 1 to {most}."),
            )
        })?;
        let review = wanted.review.unwrap_or(REVIEWED).min(interviews);
        Ok(Self {
            stage,
            study,
            seed: wanted.seed,
            review,
            planted: Planted::default(),
            delivered: (0, 0),
            marks: (0, 0),
        })
    }

    /// Ada records what the boards have approved.
    pub(super) fn approvals(&self) -> Result<()> {
        self.stage.scene("The boards have approved, each for its own sites and time: Ada records it")?;
        for (at, (board, sites, from, to)) in APPROVALS.iter().enumerate() {
            let (fieldwork, sites) = (format!("{from}..{to}"), sites.join(","));
            let reference = format!("2022/{}", 117 + at);
            let mut args = vec!["approval", "add", "--board", board, "--reference", &reference];
            args.extend([
                "--title",
                "Oral histories of departure",
                "--fieldwork",
                &fieldwork,
                "--use",
                "2022-03-01..2040-12-31",
            ]);
            if !sites.is_empty() {
                args.extend(["--sites", &sites]);
            }
            self.stage.run(&ADA, &args)?;
        }
        Ok(())
    }

    /// `study.toml` of the study.
    pub(super) fn study_toml(&self) -> String {
        study_toml()
    }

    /// Ben takes in what each site sends, in deliveries as large as he can look through.
    pub(super) fn deliveries(&mut self) -> Result<()> {
        let all = self.study.deliveries();
        self.stage
            .scene("Ben takes in what the sites send: one site at a time, at most 250 interviews in a delivery")?;
        self.stage.tell(&format!(
            "{} interviews with {} participants come in {} deliveries. Each is taken in whole, as one entry of the ledger; then its folder is wiped.",
            self.study.interviews(),
            self.study.participants(),
            all.len()
        ))?;
        let bar = Bar::new();
        bar.begin("Taking in the interviews", self.study.interviews().into());
        for (at, delivery) in all.iter().enumerate() {
            let folder = format!("delivery-{:02}", at + 1);
            let path = self.stage.path(&folder);
            self.stage.parts().time("writing the deliveries", || write(&self.study, *delivery, &path)).map(
                |written| {
                    self.delivered = (self.delivered.0 + written.files, self.delivered.1 + written.bytes);
                    self.planted.append(written.planted);
                },
            )?;
            let args = ["ingest", &folder];
            self.stage.parts().time("ingest", || self.stage.some(&BEN, &args, at < 3))?;
            self.stage.parts().time("wiping the deliveries", || stage::remove(&path))?;
            bar.advance(delivery.count.into());
        }
        bar.end();
        if all.len() > 3 {
            self.stage.tell(&format!("… and {} more in the same way.", all.len() - 3))?;
        }
        self.stage.parts().time("list", || self.stage.quietly(&BEN, &["interview", "list"]))?;
        Ok(())
    }

    /// Ben reviews: all transcripts, or as many as he has time for.
    pub(super) fn reviews(&mut self) -> Result<()> {
        self.stage.scene(
            "Ben has transcripts searched for what identifies, marks what the engine cannot know, and reads them",
        )?;
        if self.review < self.study.interviews() {
            self.stage.tell(&format!(
                "Reading takes a person's time: {} of {} transcripts are reviewed, evenly over the sites. No review, no release: the others stay in.",
                self.review,
                self.study.interviews()
            ))?;
        }
        let sample: Vec<u32> = self.study.sample(self.review).collect();
        let bar = Bar::new();
        bar.begin("Reviewing the transcripts", sample.len() as u64);
        for (at, sitting) in sample.chunks(SITTING).enumerate() {
            let made: Vec<(String, Planted)> =
                sitting.par_iter().map(|n| self.study.interview(*n)).map(|made| (made.code, made.planted)).collect();
            self.stage.write("read.jsonl", &reading_list(&made)?)?;
            let args = ["redact", "list", "read.jsonl"];
            let done = self.stage.parts().time("search and review", || self.stage.some_json(&BEN, &args, at < 1))?;
            let count = |field: &str| done.get(field).and_then(serde_json::Value::as_u64).unwrap_or(0);
            self.marks = (self.marks.0 + count("found"), self.marks.1 + count("marked"));
            stage::remove_file(&self.stage.path("read.jsonl"))?;
            bar.advance(sitting.len() as u64);
        }
        bar.end();
        self.stage.tell(&format!(
            "The engine found {} places that identify; his list of names, firms and the like added {}.",
            self.marks.0, self.marks.1
        ))
    }

    /// The code of the interview in which somebody takes everything back.
    pub(super) fn withdrawn(&self) -> Option<Made> {
        self.study.withdrawn().map(|n| self.study.interview(n))
    }

    /// Looks in what the analyst opened for everything that was planted, and writes down what that was.
    pub(super) fn search(&self) -> Result<(usize, usize)> {
        self.stage.scene("Does anything that was planted stand in what Cid opened?")?;
        let text =
            serde_json::to_vec(&self.planted).map_err(|_| Error::bug("the list of what was planted is no JSON"))?;
        self.stage.write("secrets.json", &text)?;
        let search = Search::new(&self.planted);
        let mut hits = 0;
        let mut files = 0;
        let mut folders = vec![self.stage.path("work")];
        while let Some(folder) = folders.pop() {
            let error = |e: std::io::Error| Error::io("read what the analyst opened", &e);
            for entry in folder.read_dir().map_err(error)? {
                let path = entry.map_err(error)?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                files += 1;
                for line in std::io::BufReader::new(std::fs::File::open(&path).map_err(error)?).lines() {
                    hits += search.count(&line.map_err(error)?);
                }
            }
        }
        self.stage.tell(&format!(
            "{} names, numbers, addresses, firms, days and codes were looked for in {files} files: {hits} found. secrets.json lists them.",
            search.len()
        ))?;
        Ok((search.len(), hits))
    }

    /// How long it took and how big it is.
    pub(super) fn report(self, (planted, leaks): (usize, usize)) -> Result<Report> {
        let stage = self.stage;
        let (vault_files, vault_bytes) = measure::weight(&stage.path("vault"))?;
        let error = |e: std::io::Error| Error::io("count the entries of the ledger", &e);
        let file = std::fs::File::open(stage.path("ledger").join("entries.jsonl")).map_err(error)?;
        let mut ledger_entries = 0;
        let mut lines = std::io::BufReader::new(file);
        while lines.skip_until(b'\n').map_err(error)? > 0 {
            ledger_entries += 1;
        }
        Ok(Report {
            interviews: self.study.interviews(),
            participants: self.study.participants(),
            reviewed: self.review,
            seed: self.seed,
            deliveries: self.study.deliveries().len(),
            delivery_files: self.delivered.0,
            delivery_bytes: self.delivered.1,
            vault_bytes,
            vault_files,
            key_file_bytes: measure::weight(&stage.path("vault.keys"))?.1,
            extract_bytes: measure::weight(&stage.path("extract.age"))?.1,
            ledger_entries,
            marks_found: self.marks.0,
            marks_by_hand: self.marks.1,
            planted,
            leaks,
            own_peak_kib: measure::own_peak(),
            parts: stage.parts().take(),
        })
    }
}

impl Report {
    /// Tells it in tables.
    pub(super) fn tell(&self, stage: &Stage) -> Result<()> {
        stage.scene("What it took")?;
        let rows: Vec<Vec<String>> = self.parts.iter().map(row).collect();
        stage.lines(&table(&["part", "seconds", "commands", "most memory"], &rows))?;
        let all: u64 = self.parts.iter().map(|p| p.ms).sum();
        stage.tell(&format!("{} in all.", clock(all)))?;
        stage.scene("How big it is")?;
        let rows = [
            ("interviews, participants", format!("{}, {}", self.interviews, self.participants)),
            (
                "deliveries",
                format!("{}: {} files, {}", self.deliveries, self.delivery_files, size(self.delivery_bytes)),
            ),
            ("vault", format!("{} files, {}", self.vault_files, size(self.vault_bytes))),
            ("key file", size(self.key_file_bytes)),
            ("extract", size(self.extract_bytes)),
            ("ledger", format!("{} entries", self.ledger_entries)),
        ];
        let rows: Vec<Vec<String>> = rows.into_iter().map(|(what, much)| vec![what.to_owned(), much]).collect();
        stage.lines(&table(&["what", "how much"], &rows))
    }

    /// Refuses to call it a good end if something planted went out.
    pub(super) fn require_clean(&self) -> Result<()> {
        if self.leaks == 0 {
            return Ok(());
        }
        Err(Error::damage(
            format!("what was planted stands in the extract {} times", self.leaks),
            "Please report this, with the number of interviews and the seed.",
        ))
    }
}

struct Written {
    files: u64,
    bytes: u64,
    planted: Planted,
}

/// Writes a delivery, some interviews at a time.
fn write(study: &Study, delivery: Delivery, folder: &Path) -> Result<Written> {
    let error = |e: std::io::Error| Error::io("write a delivery", &e);
    for part in ["recordings", "transcripts", "documents"] {
        std::fs::create_dir_all(folder.join(part)).map_err(error)?;
    }
    let mut manifest = study.manifest_head().to_owned();
    let mut written = Written { files: 1, bytes: 0, planted: Planted::default() };
    let numbers: Vec<u32> = (delivery.first..delivery.first + delivery.count).collect();
    for some in numbers.chunks(AT_ONCE) {
        let made: Vec<Made> = some
            .par_iter()
            .map(|n| {
                let made = study.interview(*n);
                for file in &made.files {
                    std::fs::write(folder.join(PathBuf::from(&file.path)), &file.bytes).map_err(error)?;
                }
                Ok(made)
            })
            .collect::<Result<_>>()?;
        for made in made {
            written.files += made.files.len() as u64;
            written.bytes += made.files.iter().map(|f| f.bytes.len() as u64).sum::<u64>();
            manifest.push_str(&made.rows);
            written.planted.append(made.planted);
        }
    }
    written.bytes += manifest.len() as u64;
    std::fs::write(folder.join("manifest.csv"), manifest).map_err(error)?;
    Ok(written)
}

/// What a careful reader of these transcripts records: `redact list`.
fn reading_list(read: &[(String, Planted)]) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for (code, planted) in read {
        lines.push(serde_json::json!({ "code": code, "suggest": true }));
        for (class, words) in planted.lists() {
            let Some(class) = class else { continue };
            lines.extend(words.iter().map(|words| serde_json::json!({ "code": code, "words": words, "class": class })));
        }
        let statement = "Read from the first turn to the last.";
        lines.push(serde_json::json!({ "code": code, "review": statement, "accept_rest": true }));
    }
    let mut out = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut out, &line).map_err(|_| Error::bug("a line of a list is no JSON"))?;
        out.push(b'\n');
    }
    Ok(out)
}

fn row(part: &Part) -> Vec<String> {
    let memory = part.peak_kib.map(|kib| format!("{} MB", kib * 1024 / 1_000_000)).unwrap_or_default();
    let commands = if part.commands == 0 { String::new() } else { part.commands.to_string() };
    vec![part.part.to_owned(), format!("{}.{:02}", part.ms / 1_000, part.ms % 1_000 / 10), commands, memory]
}
