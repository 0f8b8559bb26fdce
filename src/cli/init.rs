//! `subrosa init`: found a vault.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use serde::Serialize;

use super::global::Global;
use crate::base::{Error, Result};
use crate::crypto::card::Card;
use crate::ops;
use crate::session::Founding;
use crate::store::files;
use crate::store::state::StateFolder;

/// Arguments of `subrosa init`.
#[derive(ClapArgs)]
#[command(after_help = "Example: subrosa --identity ada.id init ./vault --study study.toml --steward ada.card\n\
    makes the vault, its key file in ./vault.keys, and the fingerprint sheet ./vault.sheet.txt to print for the ethics board.")]
pub(super) struct Args {
    /// The vault's folder, new or empty.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The study definition.
    #[arg(long, value_name = "FILE")]
    study: PathBuf,
    /// The card of the first steward, who must be you; by default your identity's own.
    #[arg(long, value_name = "FILE")]
    steward: Option<PathBuf>,
    /// Cards of board members who may cosign checkpoints.
    #[arg(long, value_name = "FILE")]
    board: Vec<PathBuf>,
    /// Cards of trustees who can together replace a lost steward.
    #[arg(long, value_name = "FILE")]
    trustee: Vec<PathBuf>,
    /// How many trustees it takes.
    #[arg(long, value_name = "K", requires = "trustee")]
    threshold: Option<u8>,
    /// Where to write the fingerprint sheet; by default beside the vault.
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
}

#[derive(Serialize)]
struct Founded {
    vault: PathBuf,
    keys: PathBuf,
    card: PathBuf,
    sheet: PathBuf,
    id: String,
    fingerprint: String,
}

pub(super) fn run(global: &Global, args: Args) -> Result<()> {
    let keys = global.keys.clone().unwrap_or_else(|| beside(&args.dir, "keys"));
    let sheet = args.sheet.clone().unwrap_or_else(|| beside(&args.dir, "sheet.txt"));
    super::identity::refuse_existing(&sheet)?;
    let bytes = files::read_bounded(&args.study, crate::domain::study::MAX_BYTES as u64, "the study definition")?;
    let (text, study) = ops::study::read(bytes)?;
    let boards = cards(&args.board)?;
    let trustees = cards(&args.trustee)?;
    let threshold = args.threshold.unwrap_or_default();
    if usize::from(threshold) > trustees.len() || (!trustees.is_empty() && threshold < 2) {
        return Err(Error::user(
            "the threshold of trustees must be at least 2 and at most as many as there are",
            "Give --threshold K, for example 2 of three trustees.",
        ));
    }
    let (path, steward) = global.unlock_identity()?;
    if let Some(card) = &args.steward
        && read_card(card)?.person_id() != steward.person_id()
    {
        return Err(Error::user(
            "the card given with --steward is not the one of the identity that you unlocked",
            "The first steward founds the vault with their own identity.",
        ));
    }
    let founding = Founding {
        steward: &steward,
        study: (&text, &study),
        boards: boards.iter().map(|c| *c.sign()).collect(),
        trustees: (trustees.iter().map(|c| *c.sign()).collect(), threshold),
        now: global.now(),
    };
    let card = crate::session::create(&args.dir, &keys, &founding)?;
    let page = ops::study::fingerprint_sheet(&card, steward.card(), &boards, &trustees, threshold)?;
    files::write_whole(&sheet, page.as_bytes(), "the fingerprint sheet")?;
    // The first unlocking remembers the vault's beginning in the steward's own state folder.
    let vault = crate::session::Vault::open(&args.dir, Some(&keys))?;
    for warning in vault.layout().warnings() {
        global.screen().warn(&warning);
    }
    drop(vault.unlock(steward, StateFolder::beside(&path), Box::new(crate::base::time::SystemClock))?);
    let founded = Founded {
        card: args.dir.join("vault.card"),
        vault: args.dir,
        keys,
        sheet,
        id: card.facts().vault.to_string(),
        fingerprint: card.fingerprint()?,
    };
    global.screen().answer(&founded, || {
        format!(
            "Founded the vault {}.\nIts key file lies in {}: without it nothing can be read. Keep it on another disk, never in the same backup.\n\
             Its card, for analysts and depositors: {}\nFingerprint: {}\n\
             Print {} and give it to the ethics board before anything else happens.",
            founded.vault.display(),
            founded.keys.display(),
            founded.card.display(),
            founded.fingerprint,
            founded.sheet.display()
        )
    })
}

/// `NAME.extension` beside a folder.
fn beside(dir: &Path, extension: &str) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{extension}"));
    dir.with_file_name(name)
}

fn cards(paths: &[PathBuf]) -> Result<Vec<Card>> {
    paths.iter().map(|p| read_card(p)).collect()
}

/// Reads somebody's card.
pub(super) fn read_card(path: &Path) -> Result<Card> {
    Card::parse(&files::read_bounded(path, 1 << 16, "the card")?)
}
