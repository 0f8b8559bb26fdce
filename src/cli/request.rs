//! `subrosa request`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::global::Global;
use super::screen::{Screen, table};
use crate::base::id::ProjectId;
use crate::base::text::count;
use crate::base::time::Date;
use crate::base::{Error, Result};
use crate::crypto::card::{MOST_BYTES, VaultCard};
use crate::domain::conditions::Conditions;
use crate::domain::request::number;
use crate::ops::decide::{self, Outcome, Preview, Standing, Terms, Why};
use crate::ops::request::{self, Listed, MAX_SEALED, Shown, Wish};
use crate::store::files;

/// Commands of `subrosa request`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Write a request: the analyst's side, without a vault.
    #[command(
        after_help = "Example:\n  subrosa --identity dora.id request new --to vault.card --project 3f… --level 2 --until 2027-06-30 \\\n    --site AM --purpose \"To compare how people tell of leaving.\" --out dora.sealed\n\nSend the sealed file to the archive. Without --site and --code it asks for everything."
    )]
    New(New),
    /// Show the conditions that whoever asks accepts.
    #[command(after_help = "Example:\n  subrosa request show-conditions")]
    ShowConditions,
    /// Take in requests that were sent.
    #[command(after_help = "Example:\n  subrosa --vault ./vault --as ben request receive dora.sealed")]
    Receive {
        /// The sealed requests.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// List requests and how they stand.
    #[command(after_help = "Example:\n  subrosa --vault ./vault --as ada request list --open")]
    List {
        /// Only those that still wait for a decision or an extract.
        #[arg(long)]
        open: bool,
    },
    /// Show one request.
    #[command(after_help = "Example:\n  subrosa --vault ./vault --as ada request show REQ-7")]
    Show {
        /// Its number.
        #[arg(value_name = "REQ-N")]
        request: String,
    },
    /// Show what policy would leave out, and why.
    #[command(after_help = "Example:\n  subrosa --vault ./vault --as ada request preview REQ-7 --level 3")]
    Preview(Decide),
    /// Approve a request: a steward's signed decision. May grant less than was asked, never more; never one's own.
    #[command(
        after_help = "Example:\n  subrosa --vault ./vault --as ada request approve REQ-7 --until 2027-01-31 --site AM"
    )]
    Approve(Decide),
    /// Deny a request. The reason stays in the vault's catalogue and out of the ledger.
    #[command(
        after_help = "Example:\n  subrosa --vault ./vault --as ada request deny REQ-7 --reason \"The purpose is not that of the project.\""
    )]
    Deny {
        /// Its number.
        #[arg(value_name = "REQ-N")]
        request: String,
        /// Why.
        #[arg(long, value_name = "WORDS")]
        reason: String,
    },
}

/// Arguments of `subrosa request new`.
#[derive(Args)]
pub(super) struct New {
    /// The card of the vault, from the archive.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// The project's id, from a steward.
    #[arg(long, value_name = "ID")]
    project: ProjectId,
    /// 1: direct identifiers replaced; 2: strong indirect ones too; 3: indirect ones generalised.
    #[arg(long)]
    level: u8,
    /// The last day of keeping and using it, as 2027-06-30.
    #[arg(long, value_name = "DATE")]
    until: Date,
    /// Only this site, by the prefix of its codes; may be given again.
    #[arg(long, value_name = "PREFIX")]
    site: Vec<String>,
    /// Only this interview, by archive or citation code; may be given again.
    #[arg(long, value_name = "CODE")]
    code: Vec<String>,
    /// What the material is used for.
    #[arg(long, value_name = "WORDS")]
    purpose: String,
    /// I have read the conditions and accept them.
    #[arg(long)]
    accept_conditions: bool,
    /// The sealed request to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// A request and the terms to decide on.
#[derive(Args)]
pub(super) struct Decide {
    /// Its number.
    #[arg(value_name = "REQ-N")]
    request: String,
    /// A higher level than was asked for.
    #[arg(long)]
    level: Option<u8>,
    /// An earlier last day than was asked for.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// Only this site of those asked for; may be given again.
    #[arg(long, value_name = "PREFIX")]
    site: Vec<String>,
    /// Only this interview of those asked for; may be given again.
    #[arg(long, value_name = "CODE")]
    code: Vec<String>,
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    let screen = global.screen();
    match command {
        Command::New(args) => new(global, &screen, args),
        Command::ShowConditions => conditions(&screen),
        Command::Receive { files } => receive(global, &screen, &files),
        Command::List { open } => {
            let all = global.with_vault("request list", |vault| request::list(vault, open))?;
            screen.answer(&all, || listed(&all))
        }
        Command::Show { request } => {
            let number = number(&request)?;
            let shown = global.with_vault("request show", |vault| request::show(vault, number))?;
            screen.answer(&shown, || shown_words(&shown))
        }
        Command::Preview(args) => {
            let (number, terms) = (number(&args.request)?, args.terms());
            let preview = global.with_vault("request preview", |vault| decide::preview(vault, number, &terms))?;
            screen.answer(&preview, || preview_words(&preview))
        }
        Command::Approve(args) => approve(global, &screen, &args),
        Command::Deny { request, reason } => {
            let number = number(&request)?;
            let outcome = global.with_vault("request deny", |vault| {
                decide::require_steward(vault)?;
                screen.confirm(&format!("Deny REQ-{number}?"))?;
                decide::deny(vault, number, &reason)
            })?;
            screen.answer(&outcome, || format!("{} is denied. Tell the analyst why.", outcome.request))
        }
    }
}

impl Decide {
    fn terms(&self) -> Terms {
        Terms { level: self.level, until: self.until, sites: self.site.clone(), codes: self.code.clone() }
    }
}

/// A version of the conditions, for showing.
#[derive(Serialize)]
struct ShownConditions {
    version: &'static str,
    digest: String,
    text: &'static str,
}

fn conditions(screen: &Screen) -> Result<()> {
    let now = Conditions::current();
    let shown = ShownConditions { version: now.version, digest: now.digest().to_base64(), text: now.text };
    screen.answer(&shown, || now.text.to_owned())
}

/// A request that was written.
#[derive(Serialize)]
struct Written {
    file: PathBuf,
    vault: String,
    fingerprint: String,
}

fn new(global: &Global, screen: &Screen, args: New) -> Result<()> {
    if args.out.symlink_metadata().is_ok() {
        return Err(Error::user("there is a file of that name already", "Choose another name with --out."));
    }
    let card = VaultCard::parse(&files::read_bounded(&args.to, MOST_BYTES as u64, "the vault card")?)?;
    if !args.accept_conditions {
        screen.note(Conditions::current().text);
        screen.confirm("Do you accept these conditions?").map_err(|error| {
            Error::user(
                error.what(),
                "Nothing was written. Read the conditions, then accept them with --accept-conditions.",
            )
        })?;
    }
    let (_, identity) = global.unlock_identity()?;
    let wish = Wish {
        project: args.project,
        level: args.level,
        until: args.until,
        sites: args.site,
        codes: args.code,
        purpose: args.purpose,
    };
    let sealed = request::write(&identity, &card, wish, global.now())?;
    files::write_whole(&args.out, &sealed, "the request")?;
    let vault = card.facts().vault.to_string();
    let written = Written { file: args.out, vault, fingerprint: card.fingerprint()? };
    screen.answer(&written, || {
        format!(
            "Written and sealed: {}\nSend it to the archive. Fingerprint of the vault card that it is sealed to: {}",
            written.file.display(),
            written.fingerprint
        )
    })
}

fn receive(global: &Global, screen: &Screen, paths: &[PathBuf]) -> Result<()> {
    let taken = global.with_vault("request receive", |vault| {
        let mut taken: Vec<Listed> = Vec::with_capacity(paths.len());
        for (i, path) in paths.iter().enumerate() {
            let one = files::read_bounded(path, MAX_SEALED as u64, "the request")
                .and_then(|sealed| request::receive(vault, &sealed));
            let place = if paths.len() > 1 {
                format!("file {} of {} ({i} taken in)", i + 1, paths.len())
            } else {
                String::new()
            };
            taken.push(one.map_err(|error| if place.is_empty() { error } else { error.at(&place) })?);
        }
        Ok(taken)
    })?;
    screen.answer(&taken, || format!("Taken in:\n{}", listed(&taken)))
}

fn approve(global: &Global, screen: &Screen, args: &Decide) -> Result<()> {
    let (number, terms) = (number(&args.request)?, args.terms());
    let outcome = global.with_vault("request approve", |vault| {
        decide::require_steward(vault)?;
        let preview = decide::preview(vault, number, &terms)?;
        if !screen.json() {
            screen.note(&summary(&preview));
        }
        screen.confirm(&format!(
            "Approve and sign REQ-{number} for {} at level {} until {}?",
            preview.recipient, preview.level, preview.until
        ))?;
        decide::approve(vault, number, &terms)
    })?;
    screen.answer(&outcome, || outcome_words(&outcome))
}

fn outcome_words(outcome: &Outcome) -> String {
    let request = &outcome.request;
    match outcome.standing {
        Standing::Approved => {
            format!("{request} is approved. An archivist builds it: subrosa extract build {request} --out FILE")
        }
        _ => format!(
            "Signed: {} of {} stewards have approved {request}. Another steward decides next.",
            outcome.approvals, outcome.needed
        ),
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "open",
        Standing::Half => "half approved",
        Standing::Approved => "approved",
        Standing::Denied => "denied",
        Standing::Ended => "ended",
    }
}

fn listed(all: &[Listed]) -> String {
    if all.is_empty() {
        return "No requests.".to_owned();
    }
    let row = |request: &Listed| {
        vec![
            request.request.clone(),
            word(request.standing).to_owned(),
            request.requester.clone(),
            request.project.clone(),
            request.level.to_string(),
            request.until.to_string(),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    table(&["request", "stands", "who asks", "project", "level", "until"], &rows)
}

fn shown_words(shown: &Shown) -> String {
    let listed = &shown.listed;
    let mut what: Vec<String> = shown.sites.iter().map(|site| format!("site {site}")).collect();
    what.extend(shown.codes.iter().cloned());
    what.extend((shown.codes_elsewhere > 0).then(|| format!("{} interviews of other sites", shown.codes_elsewhere)));
    let what = if what.is_empty() { "everything".to_owned() } else { what.join(", ") };
    let mut out = format!(
        "{}: {}\nWho asks:    {} ({})\nProject:     {}\nAsks for:    {what}, level {}, until {}\nPurpose:     {}\nConditions:  version {}, accepted\nTaken in:    {}\nReleases:    {}\n",
        listed.request,
        word(listed.standing),
        listed.requester,
        shown.country,
        listed.project,
        listed.level,
        listed.until,
        shown.purpose,
        shown.conditions,
        listed.received,
        shown.releases,
    );
    for decision in &shown.decisions {
        let what = match (decision.granted, decision.everything) {
            (false, _) => format!("denied: {}", decision.reason.as_deref().unwrap_or_default()),
            (true, true) => format!("approved, level {}, until {}", decision.level, decision.until),
            (true, false) => format!("approved in part or by name, level {}, until {}", decision.level, decision.until),
        };
        out.push_str(&format!("Decision:    {} by {}, {what}\n", decision.time, decision.steward));
    }
    out
}

fn summary(preview: &Preview) -> String {
    format!(
        "{} for {}, project {}, level {}, until {}:\n  {}, {} stay; {}, {} stay.",
        preview.request,
        preview.recipient,
        preview.project,
        preview.level,
        preview.until,
        count(preview.interviews_going, "interview goes", "interviews go"),
        preview.interviews_left_out,
        count(preview.turns_going, "turn goes", "turns go"),
        preview.turns_left_out,
    )
}

fn preview_words(preview: &Preview) -> String {
    let turns = |why: &Why| count(why.turns, "turn", "turns");
    let mut out = summary(preview);
    out.push('\n');
    for item in &preview.items {
        let kind = if item.translation { ", translation" } else { "" };
        let goes = if item.goes { count(item.turns_going, "turn goes", "turns go") } else { "stays".to_owned() };
        out.push_str(&format!("\n{} ({}{kind}, version {}): {goes}\n", item.code, item.language, item.version));
        for why in &item.left_out {
            out.push_str(&format!("  left out, {}: {}\n", turns(why), why.words));
        }
        for voice in &item.voices {
            for why in &voice.reasons {
                out.push_str(&format!("  voice {}, {}: {} ({})\n", voice.label, turns(why), why.words, why.rule));
            }
        }
    }
    if preview.interviews_elsewhere > 0 {
        out.push_str(&format!("\n{} interviews of other sites are counted above.\n", preview.interviews_elsewhere));
    }
    out
}
