//! `subrosa audit`.

mod words;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::global::Global;
use super::progress::Bar;
use crate::base::time::Date;
use crate::base::{Error, Result};
use crate::ops::audit::{self, Against, Filter, Names, Slip};
use crate::store::files;

use words::{page_words, told_words, verify_words};

/// The largest small file (a note, a card, a proof) that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Commands of `subrosa audit`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the entries of the ledger in plain words, newest last.
    #[command(after_help = "Example: subrosa --vault ./vault --as eva audit log --command consent --since 2026-01-01")]
    Log(LogArgs),
    /// Verify the ledger: chain, signatures, checkpoints, and every release decided again.
    #[command(
        after_help = "Examples:\n  subrosa --vault ./vault --as eva audit verify --checkpoint kept-by-the-board\n  \
        subrosa audit verify --export ./export --card vault.card     # needs neither vault nor identity\n\
        The exit code is 4 if anything does not hold."
    )]
    Verify(VerifyArgs),
    /// Show or write the ledger's signed head, or add a board's cosignature to it.
    #[command(after_help = "Example: subrosa --vault ./vault --as eva audit checkpoint --out checkpoint-2026-11")]
    Checkpoint(CheckpointArgs),
    /// Write what a board needs to cosign the newest head.
    #[command(after_help = "Example: subrosa --vault ./vault --as eva audit update --since 0 --out head.update")]
    Update(UpdateArgs),
    /// As a board: cosign a head that extends the last one cosigned. Needs no vault.
    #[command(
        after_help = "Example: subrosa --identity board.id audit witness --state subrosa.witness --card vault.card \
        --update head.update --out cosignature"
    )]
    Witness(WitnessArgs),
    /// Write the proof that one entry is in the ledger, and the entry.
    #[command(after_help = "Example: subrosa --vault ./vault --as eva audit proof 17 --out entry-17")]
    Proof(ProofArgs),
    /// Export the whole ledger into a folder that proves itself.
    #[command(after_help = "Example: subrosa --vault ./vault --as eva audit export --out ./export")]
    Export(ExportArgs),
    /// Show everything in the ledger that concerns one interview.
    #[command(after_help = "Examples:\n  subrosa --vault ./vault --as ada audit who AM-05\n  \
        subrosa --vault ./vault --as eva audit who --slip am.slip        # with the ledger alone\n  \
        subrosa audit who --slip am.slip --export ./export               # without a vault")]
    Who(WhoArgs),
    /// Write a slip that lets a board follow one interview through the ledger.
    #[command(after_help = "Example: subrosa --vault ./vault --as ada audit slip AM-05 --out am.slip")]
    Slip(SlipArgs),
}

/// Arguments of `audit log`.
#[derive(Args)]
pub(super) struct LogArgs {
    /// From this entry on.
    #[arg(long, value_name = "N")]
    from: Option<u64>,
    /// Of this command only; `consent` finds `consent withdraw` too.
    #[arg(long, value_name = "WORD")]
    command: Option<String>,
    /// By this person only: a name, or the first eight digits of an id or more.
    #[arg(long, value_name = "ID|NAME")]
    person: Option<String>,
    /// From this day on.
    #[arg(long, value_name = "DATE")]
    since: Option<Date>,
    /// The last so many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    last: usize,
    /// All of them.
    #[arg(long, conflicts_with = "last")]
    all: bool,
    #[command(flatten)]
    names: NameArgs,
    /// Read an exported folder instead of a vault.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
}

/// Where names come from.
#[derive(Args)]
pub(super) struct NameArgs {
    /// Show people by name whose cards lie in this folder.
    #[arg(long, value_name = "DIR")]
    cards: Option<PathBuf>,
}

/// Arguments of `audit verify`.
#[derive(Args)]
pub(super) struct VerifyArgs {
    /// Verify all signatures, also those that you verified before.
    #[arg(long)]
    all: bool,
    /// Verify an exported folder; needs neither vault nor identity.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// The vault's card from a better place than the export itself.
    #[arg(long, value_name = "FILE", requires = "export")]
    card: Option<PathBuf>,
    /// A checkpoint kept elsewhere: the ledger must begin with what it vouches for. May be given several times.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
}

/// Arguments of `audit checkpoint`.
#[derive(Args)]
pub(super) struct CheckpointArgs {
    /// Write it to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Add the cosignature line that a board sent.
    #[arg(long, value_name = "LINEFILE")]
    add: Option<PathBuf>,
}

/// Arguments of `audit update`.
#[derive(Args)]
pub(super) struct UpdateArgs {
    /// How many entries the head has that the board cosigned last; 0 for none.
    #[arg(long, value_name = "SIZE")]
    since: u64,
    /// Write it to this file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Arguments of `audit witness`.
#[derive(Args)]
pub(super) struct WitnessArgs {
    /// Where the board remembers the last head; made the first time.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// What the vault sent.
    #[arg(long, value_name = "FILE")]
    update: PathBuf,
    /// The vault's card: needed the first time.
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    /// The name to cosign under, such as board.example/ethics; by default `board-` and the beginning of your id.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Write the cosignature to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Arguments of `audit proof`.
#[derive(Args)]
pub(super) struct ProofArgs {
    /// The number of the entry.
    #[arg(value_name = "SEQ")]
    seq: u64,
    /// Write to FILE.tlog-proof and FILE.json.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Arguments of `audit export`.
#[derive(Args)]
pub(super) struct ExportArgs {
    /// The new folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Arguments of `audit who`.
#[derive(Args)]
pub(super) struct WhoArgs {
    /// The interview's archive code.
    #[arg(value_name = "CODE", required_unless_present = "slip", conflicts_with = "slip")]
    code: Option<String>,
    /// A slip instead of a code.
    #[arg(long, value_name = "FILE")]
    slip: Option<PathBuf>,
    /// Read an exported folder instead of a vault.
    #[arg(long, value_name = "DIR", requires = "slip")]
    export: Option<PathBuf>,
    #[command(flatten)]
    names: NameArgs,
}

/// Arguments of `audit slip`.
#[derive(Args)]
pub(super) struct SlipArgs {
    /// The interview's archive code.
    #[arg(value_name = "CODE")]
    code: String,
    /// Write it to this file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    match command {
        Command::Log(args) => log(global, &args),
        Command::Verify(args) => verify(global, &args),
        Command::Checkpoint(args) => checkpoint(global, &args),
        Command::Update(args) => global.with_vault("audit update", |vault| {
            let update = audit::head_update(vault, args.since)?;
            files::write_whole(&args.out, update.to_string().as_bytes(), "the head")?;
            let value = json!({"file": args.out, "since": update.old});
            global.screen().answer(&value, || {
                format!("Written: {}. Send it to the board; `subrosa audit witness` cosigns it.", args.out.display())
            })
        }),
        Command::Witness(args) => witness(global, &args),
        Command::Proof(args) => proof(global, &args),
        Command::Export(args) => export(global, &args),
        Command::Who(args) => who(global, &args),
        Command::Slip(args) => global.with_vault("audit slip", |vault| {
            absent(&args.out)?;
            let slip = Slip::of(vault, &args.code)?;
            files::write_whole(&args.out, &slip.to_bytes()?, "the slip")?;
            let value = json!({"file": args.out, "tokens": slip.tokens.len()});
            global.screen().answer(&value, || {
                format!(
                    "Written: {}, with {} tokens and no code. It tells whoever has the ledger which entries are about this interview.",
                    args.out.display(),
                    slip.tokens.len()
                )
            })
        }),
    }
}

fn log(global: &Global, args: &LogArgs) -> Result<()> {
    let filter = Filter {
        from: args.from,
        command: args.command.clone(),
        person: args.person.clone(),
        since: args.since,
        last: (!args.all).then_some(args.last),
    };
    let mut names = args.names.names()?;
    let page = match &args.export {
        Some(dir) => audit::read_log(None, Some(dir), &filter, &names)?,
        None => global.with_vault("audit log", |vault| {
            names.add_catalogue(vault)?;
            audit::read_log(Some(vault), None, &filter, &names)
        })?,
    };
    global.screen().answer(&page, || page_words(&page))
}

fn verify(global: &Global, args: &VerifyArgs) -> Result<()> {
    let read = |path: &PathBuf, what: &str| files::read_bounded(path, MAX_FILE, what);
    let against = Against {
        all: args.all,
        checkpoints: args.checkpoint.iter().map(|p| read(p, "the checkpoint")).collect::<Result<_>>()?,
        card: args.card.as_ref().map(|p| read(p, "the vault card")).transpose()?,
    };
    let bar = Bar::new();
    let report = match &args.export {
        Some(dir) => audit::verify_export(dir, &against, &bar)?,
        None => global.with_vault("audit verify", |vault| audit::verify_vault(vault, &against, &bar))?,
    };
    global.screen().answer(&report, || verify_words(&report, args))?;
    report.require_sound()
}

fn checkpoint(global: &Global, args: &CheckpointArgs) -> Result<()> {
    global.with_vault("audit checkpoint", |vault| {
        let report = match &args.add {
            Some(path) => {
                let line = files::read_bounded(path, MAX_FILE, "the cosignature")?;
                let line = String::from_utf8(line)
                    .map_err(|_| Error::user("the cosignature is not text", "Ask the board for the line again."))?;
                audit::add_cosignature(vault, &line)?
            }
            None => audit::checkpoint(vault)?,
        };
        if let Some(path) = &args.out {
            files::write_whole(path, report.note.as_bytes(), "the checkpoint")?;
        }
        if report.later > 0 {
            global.screen().warn(&format!("{} later entries are not under this checkpoint", report.later));
        }
        global.screen().answer(&report, || match &args.out {
            Some(path) => {
                let cosigned = if report.cosigned.is_empty() { "no board".into() } else { report.cosigned.join(", ") };
                format!("Written: {}, over {} entries, cosigned by {cosigned}.", path.display(), report.size)
            }
            None => report.note.clone(),
        })
    })
}

fn witness(global: &Global, args: &WitnessArgs) -> Result<()> {
    let update = files::read_bounded(&args.update, MAX_FILE, "the head")?;
    let card = args.card.as_ref().map(|p| files::read_bounded(p, MAX_FILE, "the vault card")).transpose()?;
    let (_, identity) = global.unlock_identity()?;
    let id = identity.person_id().to_string();
    let name = args.name.clone().unwrap_or_else(|| format!("board-{}", id.get(..8).unwrap_or(&id)));
    let done = audit::witness(&args.state, card.as_deref(), &update, &name, &identity, global.now())?;
    if let Some(path) = &args.out {
        files::write_whole(path, done.line.as_bytes(), "the cosignature")?;
    }
    global.screen().answer(&done, || match &args.out {
        Some(path) => format!(
            "The head of {} entries extends the one of {} cosigned before. Cosigned: {}. Send that file to the vault.",
            done.size,
            done.before,
            path.display()
        ),
        None => done.line.clone(),
    })
}

fn proof(global: &Global, args: &ProofArgs) -> Result<()> {
    global.with_vault("audit proof", |vault| {
        let proof = audit::proof(vault, args.seq)?;
        let (first, second) = (with_ending(&args.out, ".tlog-proof"), with_ending(&args.out, ".json"));
        files::write_whole(&first, proof.proof.as_bytes(), "the proof")?;
        files::write_whole(&second, &proof.entry, "the entry")?;
        let value = json!({"proof": first, "entry": second, "size": proof.size});
        global.screen().answer(&value, || {
            format!(
                "Written: {} and {}, under the checkpoint of {} entries.",
                first.display(),
                second.display(),
                proof.size
            )
        })
    })
}

fn export(global: &Global, args: &ExportArgs) -> Result<()> {
    let bar = Bar::new();
    global.with_vault("audit export", |vault| {
        let report = audit::export(vault, &args.out, &bar)?;
        global.screen().answer(&report, || {
            let mut out = format!("Exported {} entries to {}.\n", report.entries, report.folder.display());
            if report.left_for_later > 0 {
                let _ = writeln!(out, "{} later entries are not under a checkpoint yet.", report.left_for_later);
            }
            for path in &report.bundles_left_out {
                let _ = writeln!(
                    out,
                    "{path} is left out: an entry in it is longer than its format allows; entries.jsonl has it."
                );
            }
            let _ = write!(out, "Verify it anywhere: subrosa audit verify --export {}", report.folder.display());
            out
        })
    })
}

fn who(global: &Global, args: &WhoArgs) -> Result<()> {
    let mut names = args.names.names()?;
    let slip = args.slip.as_ref().map(|p| files::read_bounded(p, MAX_FILE, "the slip")).transpose()?;
    let slip = slip.map(|bytes| Slip::parse(&bytes)).transpose()?;
    let told = match (&slip, &args.export) {
        (Some(slip), Some(dir)) => audit::who_export(dir, slip, &names)?,
        _ => global.with_vault("audit who", |vault| {
            names.add_catalogue(vault)?;
            match (&slip, &args.code) {
                (Some(slip), _) => audit::who_slip(vault, slip, &names),
                (None, Some(code)) => audit::who_code(vault, code, &names),
                (None, None) => Err(Error::bug("neither a code nor a slip is given")),
            }
        })?,
    };
    global.screen().answer(&told, || told_words(&told))
}

impl NameArgs {
    fn names(&self) -> Result<Names> {
        let mut names = Names::default();
        if let Some(dir) = &self.cards {
            names.add_cards(dir)?;
        }
        Ok(names)
    }
}

/// The path with an ending put behind its name.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Refuses to write over something.
fn absent(path: &Path) -> Result<()> {
    if path.exists() {
        return Err(Error::user("there is a file of that name already", "Choose another name."));
    }
    Ok(())
}
