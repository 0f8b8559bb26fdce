//! `subrosa demo`: the whole story on the sample study, by running this very program as each person would.

mod stage;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde::{Deserialize, Serialize};

use super::global::Global;
use crate::base::{Error, Result};
use crate::sample;
use stage::{Player, Stage};

/// Arguments of `subrosa demo`.
#[derive(ClapArgs)]
#[command(after_help = "Example: subrosa demo\nmakes a folder subrosa-demo here and tells what everybody does and sees.")]
pub(super) struct Args {
    /// The folder to play in, new or empty; by default `subrosa-demo` here.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
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
    let stage = Stage::new(folder.clone(), global.json)?;
    let secrets: Secrets =
        serde_json::from_str(sample::SECRETS).map_err(|_| Error::bug("the sample's list of secrets is no JSON"))?;

    everybody(&stage)?;
    steward(&stage)?;
    let project = project(&stage)?;
    archivist(&stage, &secrets)?;
    withdrawal(&stage)?;
    let request = asking(&stage, &project)?;
    building(&stage, &request)?;
    auditing(&stage)?;

    let playbill = playbill(&stage, secrets)?;
    let text = serde_json::to_string_pretty(&playbill).map_err(|_| Error::bug("demo.json cannot be written"))?;
    stage.write("demo.json", text.as_bytes())?;
    stage.scene("The end")?;
    stage.tell(&format!("Everything lies in {}; demo.json there says what is what.", folder.display()))?;
    stage.tell(&format!("Open the extract yourself: age -d -i {} {} | tar t", playbill.analyst_identity.display(), playbill.extract.display()))?;
    stage.tell(&format!("or read what Cid opened: {}", stage.path("work").display()))?;
    if global.json {
        global.screen().say(&text)?;
    }
    Ok(())
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

fn steward(stage: &Stage) -> Result<()> {
    stage.scene("Ada, the steward, founds the vault and enrols the others")?;
    stage.write("study.toml", sample::STUDY.as_bytes())?;
    stage.alone(&ADA, &["study", "check", "study.toml"])?;
    stage.alone(&ADA, &["init", "vault", "--study", "study.toml", "--steward", "ada.card"])?;
    for who in PEOPLE.iter().filter(|p| p.name != ADA.name) {
        stage.quietly(&ADA, &["person", "add", &who.file("card"), "--role", &who.roles.join(",")])?;
    }
    stage.run(&ADA, &["person", "list"])?;
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
        "project", "add", "--title", "Work and leaving", "--duo", "GRU", "--purpose",
        "How occupation shaped the decision to leave", "--people", "Cid", "--period", "2024-01-01..2035-12-31", "--reuse",
    ];
    text(&stage.json(&ADA, &args)?, "id")
}

fn text(value: &serde_json::Value, field: &str) -> Result<String> {
    let found = value.get(field).and_then(|v| v.as_str());
    found.map(str::to_owned).ok_or_else(|| Error::bug("a command of the demo answered without a field"))
}

fn playbill(stage: &Stage, secrets: Secrets) -> Result<Playbill> {
    let people = PEOPLE.iter().map(|who| Cast {
        name: who.name.to_owned(),
        roles: who.roles.iter().map(|r| (*r).to_owned()).collect(),
        identity: stage.path(&who.file("id")),
        passphrase_file: stage.path(&who.file("pass")),
    });
    let all = [secrets.names, secrets.handles, secrets.numbers, secrets.addresses, secrets.words];
    Ok(Playbill {
        vault: stage.path("vault"),
        keys: stage.path("vault.keys"),
        people: people.collect(),
        extract: stage.path("extract.age"),
        analyst_identity: stage.path("cid.age-identity"),
        checkpoint: stage.path("checkpoint"),
        export: stage.path("ledger"),
        secrets: all.concat(),
    })
}
