//! What every command takes: the vault, who is at the keyboard, and how to answer.

use std::fs::File;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use super::screen::Screen;
use crate::base::secret::{Passphrase, Unfit};
use crate::base::time::{Clock, Moment, SystemClock};
use crate::base::{Error, Result};
use crate::crypto::identity::{Identity, LockedIdentity};
use crate::session::{Unlocked, Vault};
use crate::store::files;
use crate::store::state::StateFolder;

/// The longest first line of a passphrase file, in bytes: more than any passphrase that is accepted.
const LONGEST_LINE: usize = 4_096;

/// Options of every command.
#[derive(Args)]
pub(super) struct Global {
    /// The vault's folder.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) vault: Option<PathBuf>,
    /// The folder of the vault's key file, if it is not where the vault expects it.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) keys: Option<PathBuf>,
    /// Whose identity to use: NAME.id in the folder `.subrosa` of your home.
    #[arg(long = "as", global = true, value_name = "PERSON")]
    pub(super) person: Option<String>,
    /// The identity file to use.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "person")]
    pub(super) identity: Option<PathBuf>,
    /// Read the passphrase from the first line of a file (`/dev/fd/3` for a descriptor).
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) passphrase_file: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Do not ask before changes: for scripts.
    #[arg(long, global = true)]
    pub(super) yes: bool,
    /// Allow names and words of interviews to go to a pipe or a file instead of the terminal.
    #[arg(long, global = true)]
    pub(super) to_pipe: bool,
}

impl Global {
    /// Where answers go.
    pub(super) fn screen(&self) -> Screen {
        Screen::new(self.json, self.yes)
    }

    /// The time.
    pub(super) fn now(&self) -> Moment {
        SystemClock.now()
    }

    /// The vault's folder.
    pub(super) fn vault_dir(&self) -> Result<&PathBuf> {
        self.vault.as_ref().ok_or_else(|| Error::user("no vault is given", "Say where it lies: subrosa --vault DIR …"))
    }

    /// The identity file.
    pub(super) fn identity_path(&self) -> Result<PathBuf> {
        match (&self.identity, &self.person) {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(name)) => {
                let name = name.trim();
                if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
                    return Err(Error::user("that is not the name of a person", "Give a path with --identity FILE."));
                }
                let home = std::env::home_dir().ok_or_else(|| {
                    Error::user("your home folder is not known", "Give the identity file with --identity FILE.")
                })?;
                Ok(home.join(".subrosa").join(format!("{name}.id")))
            }
            (None, None) => Err(Error::user(
                "it is not said who you are",
                "Give your identity file: subrosa --identity FILE …, or --as NAME if it lies in ~/.subrosa.",
            )),
        }
    }

    /// The identity, unlocked; asks for the passphrase.
    pub(super) fn unlock_identity(&self) -> Result<(PathBuf, Identity)> {
        let path = self.identity_path()?;
        let bytes = files::read_bounded(&path, crate::crypto::identity::MOST_BYTES as u64, "your identity file")?;
        let locked = LockedIdentity::parse(&bytes)?;
        let passphrase = self.passphrase("Passphrase")?;
        Ok((path, locked.unlock(&passphrase)?))
    }

    /// The vault, unlocked for whoever is at the keyboard.
    pub(super) fn unlock(&self) -> Result<Vault<Unlocked>> {
        let vault = Vault::open(self.vault_dir()?, self.keys.as_deref())?;
        for warning in vault.layout().warnings() {
            self.screen().warn(&warning);
        }
        let (path, identity) = self.unlock_identity()?;
        vault.unlock(identity, StateFolder::beside(&path), Box::new(SystemClock))
    }

    /// Runs `act` on the unlocked vault; a refusal is logged in the ledger before it is told.
    pub(super) fn with_vault<T>(&self, what: &str, act: impl FnOnce(&mut Vault<Unlocked>) -> Result<T>) -> Result<T> {
        let mut vault = self.unlock()?;
        act(&mut vault).or_else(|error| {
            vault.record_denial(what, &error)?;
            Err(error)
        })
    }

    /// A passphrase from the file given, or from the terminal.
    pub(super) fn passphrase(&self, prompt: &str) -> Result<Passphrase> {
        match &self.passphrase_file {
            Some(path) => from_file(path),
            None => from_terminal(prompt),
        }
    }

    /// A new passphrase: from the file given, or twice from the terminal.
    pub(super) fn new_passphrase(&self, file: Option<&PathBuf>) -> Result<Passphrase> {
        if let Some(path) = file.or(self.passphrase_file.as_ref()) {
            return from_file(path);
        }
        let first = from_terminal("New passphrase")?;
        let second = from_terminal("The same again")?;
        if first.expose() != second.expose() {
            return Err(Error::user("the two passphrases differ", "Type the same one twice."));
        }
        Ok(first)
    }

    /// Refuses to send content to anything but a terminal, unless that was allowed.
    pub(super) fn content_view(&self) -> Result<()> {
        if self.to_pipe || std::io::stdout().is_terminal() {
            return Ok(());
        }
        Err(Error::user(
            "names and words of interviews are shown on a terminal only",
            "If you really want them in a pipe or a file, add --to-pipe. It is logged either way.",
        ))
    }
}

fn from_file(path: &PathBuf) -> Result<Passphrase> {
    let io = |e: std::io::Error| Error::io("read the passphrase file", &e);
    let read = Passphrase::read(File::open(path).map_err(io)?, LONGEST_LINE).map_err(io)?;
    read.map_err(|unfit| match unfit {
        Unfit::Empty => Error::user("the passphrase file is empty", "Put the passphrase on its first line."),
        Unfit::TooLong => Error::user(
            "the passphrase file is too long for one",
            "Check that it is the right file; the passphrase stands alone on its first line.",
        ),
        Unfit::NotText => Error::user(
            "the passphrase file is not UTF-8",
            "Save it as plain text in UTF-8, with the passphrase on its first line.",
        ),
    })
}

fn from_terminal(prompt: &str) -> Result<Passphrase> {
    let typed = rpassword::prompt_password(format!("{prompt}: "));
    typed.map(Passphrase::new).map_err(|_| {
        Error::user(
            "there is no terminal to ask for the passphrase",
            "Give it with --passphrase-file FILE; a passphrase is never taken from arguments or the environment.",
        )
    })
}
