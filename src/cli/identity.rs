//! `subrosa identity`: a person's own keys.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;

use super::global::Global;
use crate::base::{Error, Result};
use crate::crypto::card::{Card, VaultCard};
use crate::crypto::identity::{Identity, LockedIdentity};
use crate::crypto::kdf::KdfParams;
use crate::store::files;

/// Commands of `subrosa identity`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Make new keys: an identity file that you keep, and a card that you give to a steward.
    #[command(after_help = "Example: subrosa identity new --name \"Ada\" --country EE --out ada.id\n\
        makes ada.id (keep it, and a copy in a safe place) and ada.card (give it to a steward).")]
    New {
        /// Your name, as others shall see it.
        #[arg(long)]
        name: String,
        /// The country that you work in, two letters (ISO 3166).
        #[arg(long)]
        country: String,
        /// The identity file to write; the card goes beside it.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Use 2 GiB of memory for each unlocking instead of 64 MiB: slower to guess, and slower to open.
        #[arg(long)]
        strong: bool,
    },
    /// Show what a card says, and its fingerprint to compare aloud.
    #[command(after_help = "Example: subrosa identity show ben.card")]
    Show {
        /// A card, a vault's card or an identity file.
        #[arg(value_name = "FILE")]
        card: PathBuf,
    },
    /// Change the passphrase of your identity.
    #[command(after_help = "Example: subrosa --identity ada.id identity passphrase")]
    Passphrase {
        /// Read the new passphrase from the first line of a file.
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Write your key as a standard age identity, so that stock age opens your extracts.
    #[command(after_help = "Example: subrosa --identity cid.id identity export-age --out cid.age-identity\n\
        Then: age -d -i cid.age-identity extract.age | tar x")]
    ExportAge {
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Write it without a passphrase. Whoever gets the file can open your extracts.
        #[arg(long)]
        unprotected: bool,
    },
}

#[derive(Serialize)]
struct Shown {
    kind: &'static str,
    name: Option<String>,
    country: Option<String>,
    id: String,
    created: String,
    fingerprint: String,
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    match command {
        Command::New { name, country, out, strong } => new(global, &name, &country, &out, strong),
        Command::Show { card } => show(global, &card),
        Command::Passphrase { new_passphrase_file } => passphrase(global, new_passphrase_file.as_ref()),
        Command::ExportAge { out, unprotected } => export(global, &out, unprotected),
    }
}

fn new(global: &Global, name: &str, country: &str, out: &Path, strong: bool) -> Result<()> {
    let card_path = out.with_extension("card");
    if out == card_path {
        return Err(Error::user("the identity file cannot end in .card", "Call it NAME.id."));
    }
    for path in [out, &card_path] {
        refuse_existing(path)?;
    }
    let country = country.to_uppercase().parse()?;
    let passphrase = global.new_passphrase(None)?;
    let identity = Identity::generate(name, country, global.now())?;
    let params = if strong { KdfParams::HIGH } else { KdfParams::STANDARD };
    files::write_whole(out, &identity.seal(&passphrase, params)?, "the identity file")?;
    files::write_whole(&card_path, &identity.card().to_bytes()?, "the card")?;
    let shown = of_card("card", identity.card())?;
    global.screen().answer(&shown, || {
        format!(
            "Made your identity {} and your card {}.\nFingerprint: {}\n\n\
             Keep the identity and the passphrase; without them nobody can open what is sealed to you.\n\
             Give the card to a steward, and read the fingerprint to them over the telephone.",
            out.display(),
            card_path.display(),
            shown.fingerprint
        )
    })
}

fn show(global: &Global, path: &Path) -> Result<()> {
    let bytes = files::read_bounded(path, 1 << 20, "the card")?;
    let shown = if let Ok(card) = VaultCard::parse(&bytes) {
        Shown {
            kind: "vault card",
            name: None,
            country: None,
            id: card.facts().vault.to_string(),
            created: card.facts().issued.to_string(),
            fingerprint: card.fingerprint()?,
        }
    } else if let Ok(identity) = LockedIdentity::parse(&bytes) {
        of_card("identity", identity.card())?
    } else {
        of_card("card", &Card::parse(&bytes)?)?
    };
    global.screen().answer(&shown, || {
        let mut out = format!("A {}", shown.kind);
        if let (Some(name), Some(country)) = (&shown.name, &shown.country) {
            out.push_str(&format!(" of {name} ({country})"));
        }
        format!("{out}\nId:          {}\nMade:        {}\nFingerprint: {}", shown.id, shown.created, shown.fingerprint)
    })
}

fn passphrase(global: &Global, file: Option<&PathBuf>) -> Result<()> {
    let (path, identity) = global.unlock_identity()?;
    let bytes = files::read_bounded(&path, crate::crypto::identity::MOST_BYTES as u64, "your identity file")?;
    let params = LockedIdentity::parse(&bytes)?.params();
    let fresh = match file {
        Some(_) => global.new_passphrase(file)?,
        None if global.passphrase_file.is_some() => {
            return Err(Error::user(
                "the new passphrase is not given",
                "Give it with --new-passphrase-file FILE, or leave both files out and type.",
            ));
        }
        None => global.new_passphrase(None)?,
    };
    files::write_whole(&path, &identity.seal(&fresh, params)?, "the identity file")?;
    global
        .screen()
        .note("Your identity has a new passphrase. Copies of the old file still open with the old one: destroy them.");
    Ok(())
}

fn export(global: &Global, out: &Path, unprotected: bool) -> Result<()> {
    refuse_existing(out)?;
    let screen = global.screen();
    if unprotected {
        screen.warn("this file will open your extracts without a passphrase.");
        screen.confirm("Write it all the same?")?;
    }
    let path = global.identity_path()?;
    let bytes = files::read_bounded(&path, crate::crypto::identity::MOST_BYTES as u64, "your identity file")?;
    let passphrase = global.passphrase("Passphrase")?;
    let identity = LockedIdentity::parse(&bytes)?.unlock(&passphrase)?;
    let text = identity.export_age((!unprotected).then_some(&passphrase))?;
    files::write_whole(out, &text, "the age identity")?;
    screen.note(&format!("Wrote {}. Open an extract with: age -d -i {0} EXTRACT | tar x", out.display()));
    Ok(())
}

fn of_card(kind: &'static str, card: &Card) -> Result<Shown> {
    Ok(Shown {
        kind,
        name: Some(card.name().to_owned()),
        country: Some(card.country().to_string()),
        id: card.person_id().to_string(),
        created: card.created().to_string(),
        fingerprint: card.fingerprint()?,
    })
}

/// Refuses to write over a file.
pub(super) fn refuse_existing(path: &Path) -> Result<()> {
    if path.exists() {
        return Err(Error::user(
            "there is a file of that name already",
            "Nothing is overwritten: choose another name, or move the file away.",
        ));
    }
    Ok(())
}
