//! `subrosa demo`: the whole story on the sample study, or on one of any size, by running this very program as each person would.

mod large;
mod measure;
mod stage;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde::{Deserialize, Serialize};

use super::global::Global;
use crate::base::{Error, Result};
use crate::sample;
use large::Telling;
use stage::{Player, Stage};

/// Arguments of `subrosa demo`.
#[derive(ClapArgs)]
#[command(
    after_help = "Examples:\n  subrosa demo                       makes a folder subrosa-demo here and tells what everybody does and sees\n  subrosa demo --interviews 163      the same on a made-up study as large as the real one, with what each part takes"
)]
pub(super) struct Args {
    /// The folder to play in, new or empty; by default `subrosa-demo` here.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    size: Size,
}

/// A study made for the demo.
#[derive(ClapArgs)]
struct Size {
    /// Make a study of so many interviews, 1 to 20000, instead of the sample; 163 has the shape of the real one.
    #[arg(long, value_name = "N")]
    interviews: Option<u32>,
    /// The same number and seed make the same study.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "interviews")]
    seed: u64,
    /// Review so many transcripts, at most 163 by default. What is not reviewed is withheld.
    #[arg(long, value_name = "N", requires = "interviews")]
    review: Option<u32>,
    /// The mean length of a transcript, in characters.
    #[arg(long, value_name = "N", default_value_t = 60_000, requires = "interviews", value_parser = clap::value_parser!(u32).range(500..=500_000))]
    characters: u32,
}

const ADA: Player =
    Player { name: "Ada", roles: &["steward"], country: "EE", passphrase: "seven quiet herons cross the bay" };
const BEN: Player =
    Player { name: "Ben", roles: &["archivist"], country: "EE", passphrase: "brown paper under the third stair" };
const CID: Player =
    Player { name: "Cid", roles: &["analyst"], country: "DE", passphrase: "a kettle sings before the snow" };
const EVE: Player =
    Player { name: "Eve", roles: &["auditor"], country: "FI", passphrase: "nobody counts the lamps at noon" };
const DOV: Player =
    Player { name: "Dov", roles: &["analyst"], country: "DE", passphrase: "old ferries keep their own time" };
const PEOPLE: [&Player; 5] = [&ADA, &BEN, &CID, &DOV, &EVE];

/// What the sample says must appear nowhere.
#[derive(Deserialize)]
struct Secrets {
    names: Vec<String>,
    handles: Vec<String>,
    numbers: Vec<String>,
    addresses: Vec<String>,
    words: Vec<String>,
}

/// `demo.json`: where everything lies, for whoever wants to look for themselves.
#[derive(Serialize)]
struct Playbill {
    vault: PathBuf,
    keys: PathBuf,
    people: Vec<Cast>,
    extract: PathBuf,
    analyst_identity: PathBuf,
    checkpoint: PathBuf,
    export: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets_file: Option<PathBuf>,
    secrets: Vec<String>,
}

#[derive(Serialize)]
struct Cast {
    name: String,
    roles: Vec<String>,
    identity: PathBuf,
    passphrase_file: PathBuf,
}

pub(super) fn run(global: &Global, args: Args) -> Result<()> {
    let folder = fresh_folder(args.dir)?;
    let stage = Stage::new(folder, global.json)?;
    match args.size.interviews {
        None => small(global, &stage),
        Some(interviews) => told(global, &stage, &args.size, interviews),
    }
}

/// The story on the sample.
fn small(global: &Global, stage: &Stage) -> Result<()> {
    let secrets: Secrets =
        serde_json::from_str(sample::SECRETS).map_err(|_| Error::bug("the sample's list of secrets is no JSON"))?;

    everybody(stage)?;
    found(stage, sample::STUDY)?;
    approvals(stage)?;
    let project = project(stage)?;
    archivist(stage, &secrets)?;
    stage.scene("One of the two people heard in PL-02 telephones: she takes everything back")?;
    withdrawal(stage, "PL-02", None)?;
    stage.tell("From this moment nothing with her voice leaves any more; the other voice stays.")?;
    let request = asking(stage, &project, "1", true)?;
    building(stage, &request)?;
    auditing(stage)?;

    let all = [secrets.names, secrets.handles, secrets.numbers, secrets.addresses, secrets.words];
    let text = ending(stage, playbill(stage, None, all.concat()))?;
    if global.json {
        global.screen().say(&text)?;
    }
    Ok(())
}

/// The story on a study made for it.
fn told(global: &Global, stage: &Stage, size: &Size, interviews: u32) -> Result<()> {
    let mut telling = Telling::new(stage, size, interviews)?;
    let parts = stage.parts();
    let project = parts.time("founding", || {
        everybody(stage)?;
        found(stage, &telling.study_toml())?;
        telling.approvals()?;
        project(stage)
    })?;
    telling.deliveries()?;
    telling.reviews()?;
    if let Some(made) = telling.withdrawn() {
        stage.scene(&format!("A participant of {} telephones and takes everything back", made.code))?;
        let voice = made.voices.first().map(String::as_str);
        parts.time("withdrawal", || withdrawal(stage, &made.code, voice))?;
    }
    let request = parts.time("request and decision", || asking(stage, &project, "2", false))?;
    parts.time("extract, built and opened", || building(stage, &request))?;
    let found = parts.time("search in the extract", || telling.search())?;
    parts.time("audit and check", || auditing(stage))?;
    let report = telling.report(found)?;
    report.tell(stage)?;
    let secrets = Some(stage.path("secrets.json"));
    let text = ending(stage, playbill(stage, secrets, Vec::new()))?;
    let told = serde_json::to_string_pretty(&report).map_err(|_| Error::bug("report.json cannot be written"))?;
    stage.write("report.json", told.as_bytes())?;
    if global.json {
        global.screen().say(&format!("{{\"demo\": {text},\n\"report\": {told}}}"))?;
    }
    report.require_clean()
}

/// Writes `demo.json` and says where everything is. Returns what stands in it.
fn ending(stage: &Stage, playbill: Playbill) -> Result<String> {
    let text = serde_json::to_string_pretty(&playbill).map_err(|_| Error::bug("demo.json cannot be written"))?;
    stage.write("demo.json", text.as_bytes())?;
    stage.scene("The end")?;
    stage.tell(&format!("Everything lies in {}; demo.json there says what is what.", stage.folder().display()))?;
    stage.tell(&format!(
        "Open the extract yourself: age -d -i {} {} | tar t",
        playbill.analyst_identity.display(),
        playbill.extract.display()
    ))?;
    stage.tell(&format!("or read what Cid opened: {}", stage.path("work").display()))?;
    Ok(text)
}

/// A new folder: the one given, or the first of `subrosa-demo`, `subrosa-demo-2`, … that is not there.
fn fresh_folder(wanted: Option<PathBuf>) -> Result<PathBuf> {
    let io = |e: std::io::Error| Error::io("make the demo's folder", &e);
    let folder = match wanted {
        Some(dir) => {
            if dir.read_dir().is_ok_and(|mut d| d.next().is_some()) {
                return Err(Error::user("that folder is not empty", "Give a new or empty one with --dir."));
            }
            dir
        }
        None => {
            let name = |n: u32| PathBuf::from(if n == 1 { "subrosa-demo".into() } else { format!("subrosa-demo-{n}") });
            (1..10_000).map(name).find(|p| !p.exists()).ok_or_else(|| {
                Error::user("there are too many demo folders here", "Remove some of them, or give one with --dir.")
            })?
        }
    };
    std::fs::create_dir_all(&folder).map_err(io)?;
    folder.canonicalize().map_err(io)
}

fn everybody(stage: &Stage) -> Result<()> {
    stage.scene("Everybody makes keys of their own")?;
    for who in PEOPLE {
        stage.write(&who.file("pass"), format!("{}\n", who.passphrase).as_bytes())?;
        let args = ["identity", "new", "--name", who.name, "--country", who.country, "--out", &who.file("id")];
        stage.alone(who, &args)?;
    }
    Ok(())
}

fn found(stage: &Stage, study: &str) -> Result<()> {
    stage.scene("Ada, the steward, founds the vault and enrols the others")?;
    stage.write("study.toml", study.as_bytes())?;
    stage.alone(&ADA, &["study", "check", "study.toml"])?;
    stage.alone(&ADA, &["init", "vault", "--study", "study.toml", "--steward", "ada.card"])?;
    for who in PEOPLE.iter().filter(|p| p.name != ADA.name) {
        stage.quietly(&ADA, &["person", "add", &who.file("card"), "--role", &who.roles.join(",")])?;
    }
    stage.run(&ADA, &["person", "list"])?;
    Ok(())
}

fn approvals(stage: &Stage) -> Result<()> {
    stage.scene("The boards have approved: Ada records it")?;
    let period = ["--fieldwork", "2022-03-01..2024-12-31", "--use", "2022-03-01..2040-12-31"];
    for (board, reference, title) in [
        ("university", "2022/117", "Oral histories of departure"),
        ("host", "YSU-22-9", "Oral histories of departure: host country"),
    ] {
        let mut args = vec!["approval", "add", "--board", board, "--reference", reference, "--title", title];
        args.extend(period);
        stage.run(&ADA, &args)?;
    }
    Ok(())
}

/// Returns the project's id.
fn project(stage: &Stage) -> Result<String> {
    stage.scene("Cid, an analyst in another country, has a project; Ada records it")?;
    let args = [
        "project",
        "add",
        "--title",
        "Work and leaving",
        "--duo",
        "GRU",
        "--purpose",
        "How occupation shaped the decision to leave",
        "--people",
        "Cid",
        "--period",
        "2024-01-01..2035-12-31",
        "--reuse",
    ];
    text(&stage.json(&ADA, &args)?, "id")
}

/// Ben takes both deliveries in and reviews every transcript.
fn archivist(stage: &Stage, secrets: &Secrets) -> Result<()> {
    stage.scene("Ben, the archivist, takes in what the field sent: recordings, transcripts, consents")?;
    ingest(stage, "delivery", sample::FIRST)?;
    stage.scene("Some weeks later more transcripts come: he takes them in too")?;
    ingest(stage, "later", sample::LATER)?;
    stage.run(&BEN, &["interview", "list"])?;

    stage.scene(
        "Ben has every transcript searched for what identifies, marks what the engine cannot know, and reads it all",
    )?;
    stage.write("marks.jsonl", &marks(secrets)?)?;
    let versions = stage.json(&BEN, &["redact", "status"])?;
    for (n, version) in versions.as_array().into_iter().flatten().enumerate() {
        let code = text(version, "code")?;
        let number = version.get("transcript").and_then(serde_json::Value::as_u64).unwrap_or(1).to_string();
        let which = [code.as_str(), "--transcript", &number];
        let run = |command: &[&str]| {
            let args: Vec<&str> =
                command[..2].iter().copied().chain(which).chain(command[2..].iter().copied()).collect();
            if n == 0 { stage.run(&BEN, &args) } else { stage.quietly(&BEN, &args) }
        };
        run(&["redact", "suggest"])?;
        run(&["redact", "mark", "--from-file", "marks.jsonl"])?;
        let statement = "Read from the first turn to the last.";
        run(&["redact", "review", "--statement", statement, "--accept-rest"])?;
    }
    stage::remove_file(&stage.path("marks.jsonl"))
}

/// Writes a delivery, takes it in and wipes it again.
fn ingest(stage: &Stage, folder: &str, delivery: &[sample::SampleFile]) -> Result<()> {
    for file in delivery {
        stage.write(&format!("{folder}/{}", file.path), file.bytes)?;
    }
    stage.quietly(&BEN, &["ingest", folder])?;
    stage.tell("The delivery is in the vault; he wipes the folder that it came in.")?;
    stage::remove(&stage.path(folder))
}

/// What a careful reader would mark by hand, for `redact mark --from-file`.
fn marks(secrets: &Secrets) -> Result<Vec<u8>> {
    let classes = [
        ("person", &secrets.names),
        ("contact", &secrets.handles),
        ("number", &secrets.numbers),
        ("address", &secrets.addresses),
    ];
    let mut out = Vec::new();
    for (class, words) in classes {
        for words in words {
            let line = serde_json::json!({ "words": words, "class": class });
            serde_json::to_writer(&mut out, &line).map_err(|_| Error::bug("a mark is no JSON"))?;
            out.push(b'\n');
        }
    }
    Ok(out)
}

/// Somebody takes everything back: the participant with this label, or the first.
fn withdrawal(stage: &Stage, code: &str, label: Option<&str>) -> Result<()> {
    let label = match label {
        Some(label) => label.to_owned(),
        None => {
            let shown = stage.json(&BEN, &["consent", "show", code])?;
            let label = shown.pointer("/voices/0/label").and_then(|l| l.as_str());
            label.ok_or_else(|| Error::bug("consent show names no voice"))?.to_owned()
        }
    };
    stage.quietly(&BEN, &["consent", "withdraw", code, "--participant", &label])?;
    Ok(())
}

/// Returns the number of Cid's request.
fn asking(stage: &Stage, project: &str, level: &str, shown: bool) -> Result<String> {
    stage.scene("Cid asks for an extract; Dov asks too, for a project that is not his")?;
    for (who, out) in [(&CID, "cid.sealed"), (&DOV, "dov.sealed")] {
        stage.alone(
            who,
            &[
                "request",
                "new",
                "--to",
                "vault/vault.card",
                "--project",
                project,
                "--level",
                level,
                "--until",
                "2030-12-31",
                "--purpose",
                "Chapter three: work before and after",
                "--accept-conditions",
                "--out",
                out,
            ],
        )?;
    }
    stage.scene("Ada opens the requests, looks at what the rules would let out and why, and decides")?;
    stage.refused(&ADA, &["request", "receive", "dov.sealed"])?;
    let received = stage.json(&ADA, &["request", "receive", "cid.sealed"])?;
    let number = received.pointer("/0/request").or_else(|| received.pointer("/0/number"));
    let number = number.and_then(|n| n.as_str()).ok_or_else(|| Error::bug("request receive gives no number"))?;
    let preview = ["request", "preview", number];
    if shown { stage.run(&ADA, &preview) } else { stage.quietly(&ADA, &preview) }?;
    stage.quietly(&ADA, &["request", "approve", number])?;
    Ok(number.to_owned())
}

fn building(stage: &Stage, request: &str) -> Result<()> {
    stage.scene("Ben builds the extract on Ada's signed decision; Cid opens it")?;
    stage.run(&BEN, &["extract", "build", request, "--out", "extract.age"])?;
    stage.alone(&CID, &["extract", "open", "extract.age", "--to", "work", "--vault-card", "vault/vault.card"])?;
    let unprotected = ["identity", "export-age", "--out", "cid.age-identity", "--unprotected"];
    stage.alone(&CID, &unprotected)?;
    Ok(())
}

fn auditing(stage: &Stage) -> Result<()> {
    stage.scene("Eve, of the ethics board, holds only the ledger's key: she sees what happened, and no content")?;
    stage.run(&EVE, &["audit", "log", "--last", "8"])?;
    stage.run(&EVE, &["audit", "verify", "--all"])?;
    stage.run(&EVE, &["audit", "checkpoint", "--out", "checkpoint"])?;
    stage.run(&EVE, &["audit", "export", "--out", "ledger"])?;
    stage.scene("At home, without the vault, she verifies the export against the checkpoint that she carried away")?;
    stage.alone(&EVE, &["audit", "verify", "--export", "ledger", "--checkpoint", "checkpoint"])?;
    stage.scene("Ben checks every object, row, key and entry against each other")?;
    stage.run(&BEN, &["check"])?;
    Ok(())
}

fn text(value: &serde_json::Value, field: &str) -> Result<String> {
    let found = value.get(field).and_then(|v| v.as_str());
    found.map(str::to_owned).ok_or_else(|| Error::bug("a command of the demo answered without a field"))
}

fn playbill(stage: &Stage, secrets_file: Option<PathBuf>, secrets: Vec<String>) -> Playbill {
    let people = PEOPLE.iter().map(|who| Cast {
        name: who.name.to_owned(),
        roles: who.roles.iter().map(|r| (*r).to_owned()).collect(),
        identity: stage.path(&who.file("id")),
        passphrase_file: stage.path(&who.file("pass")),
    });
    Playbill {
        vault: stage.path("vault"),
        keys: stage.path("vault.keys"),
        people: people.collect(),
        extract: stage.path("extract.age"),
        analyst_identity: stage.path("cid.age-identity"),
        checkpoint: stage.path("checkpoint"),
        export: stage.path("ledger"),
        secrets_file,
        secrets,
    }
}
