//! The stage of the demo: people in a folder, who run this very program as anybody would.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::measure::Parts;
use crate::base::{Error, Result};
use crate::store::files;

/// Somebody in the story.
pub(super) struct Player {
    /// Name, as on the card.
    pub(super) name: &'static str,
    /// Roles that they get.
    pub(super) roles: &'static [&'static str],
    /// The country on their card.
    pub(super) country: &'static str,
    /// The passphrase that they would type.
    pub(super) passphrase: &'static str,
}

/// A folder in which the story happens.
pub(super) struct Stage {
    folder: PathBuf,
    program: PathBuf,
    quiet: bool,
    parts: Parts,
}

/// How a command is told.
#[derive(Clone, Copy)]
struct Saying {
    on_vault: bool,
    told: bool,
}

const VAULT: Saying = Saying { on_vault: true, told: true };

impl Player {
    /// The file of theirs with an ending.
    pub(super) fn file(&self, ending: &str) -> String {
        format!("{}.{ending}", self.name.to_lowercase())
    }
}

impl Stage {
    /// Sets the stage in a folder.
    pub(super) fn new(folder: PathBuf, quiet: bool) -> Result<Self> {
        let program = std::env::current_exe().map_err(|e| Error::io("find this program", &e))?;
        Ok(Self { folder, program, quiet, parts: Parts::default() })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What the parts of the story took.
    pub(super) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// A heading.
    pub(super) fn scene(&self, text: &str) -> Result<()> {
        self.print(&format!("\n── {text}\n"))
    }

    /// A remark.
    pub(super) fn tell(&self, text: &str) -> Result<()> {
        self.print(&format!("   {text}\n"))
    }

    /// Several lines, as a command would answer them.
    pub(super) fn lines(&self, text: &str) -> Result<()> {
        text.lines().try_for_each(|line| self.print(&format!("       {line}\n")))
    }

    /// Writes a file of the story.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|e| Error::io("make a folder of the demo", &e))?;
        }
        files::write_whole(&path, bytes, "a file of the demo")
    }

    /// Somebody runs a command on the vault, and everybody sees what they typed and saw.
    pub(super) fn run(&self, who: &Player, args: &[&str]) -> Result<String> {
        self.act(who, VAULT, args, 0, true)
    }

    /// As [`Stage::run`], showing only that it was done.
    pub(super) fn quietly(&self, who: &Player, args: &[&str]) -> Result<String> {
        self.act(who, VAULT, args, 0, false)
    }

    /// As [`Stage::quietly`], and showing not even that unless `told`: one of many like it.
    pub(super) fn some(&self, who: &Player, args: &[&str], told: bool) -> Result<String> {
        self.act(who, Saying { on_vault: true, told }, args, 0, false)
    }

    /// As [`Stage::some`], for its answer as JSON.
    pub(super) fn some_json(&self, who: &Player, args: &[&str], told: bool) -> Result<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        parsed(&self.some(who, &args, told)?)
    }

    /// A command without a vault.
    pub(super) fn alone(&self, who: &Player, args: &[&str]) -> Result<String> {
        self.act(who, Saying { on_vault: false, told: true }, args, 0, true)
    }

    /// A command that must be refused by the rules.
    pub(super) fn refused(&self, who: &Player, args: &[&str]) -> Result<String> {
        self.act(who, VAULT, args, 3, true)
    }

    /// A command whose answer is needed as JSON.
    pub(super) fn json(&self, who: &Player, args: &[&str]) -> Result<Value> {
        self.some_json(who, args, true)
    }

    fn act(&self, who: &Player, saying: Saying, args: &[&str], expected: i32, show: bool) -> Result<String> {
        let typed: Vec<String> = args.iter().filter(|a| **a != "--to-pipe").map(|a| quoted(a)).collect();
        let vault = if saying.on_vault { "--vault vault " } else { "" };
        if saying.told {
            self.print(&format!("   {:<4}$ subrosa {vault}{}\n", who.name.to_lowercase(), typed.join(" ")))?;
        }
        let mut full: Vec<OsString> = Vec::new();
        if saying.on_vault {
            full.extend(["--vault".into(), "vault".into()]);
        }
        full.extend(["--identity".into(), who.file("id").into(), "--passphrase-file".into(), who.file("pass").into()]);
        full.push("--yes".into());
        full.extend(args.iter().map(OsString::from));
        let mut command = Command::new(&self.program);
        let done = self
            .parts
            .run(command.args(&full).current_dir(&self.folder))
            .map_err(|e| Error::io("run a command of the demo", &e))?;
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        if done.status.code() != Some(expected) {
            self.print(&format!("{err}{out}"))?;
            return Err(Error::bug("a command of the demo did not end as it should"));
        }
        if show {
            for line in err.lines().chain(out.lines()) {
                self.print(&format!("       {line}\n"))?;
            }
        }
        Ok(out.into_owned())
    }

    fn print(&self, text: &str) -> Result<()> {
        if self.quiet {
            return Ok(());
        }
        match io::stdout().lock().write_all(text.as_bytes()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("write to the screen", &e)),
            _ => Ok(()),
        }
    }
}

fn parsed(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|_| Error::bug("a command of the demo answered no JSON"))
}

/// An argument as one would type it.
fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:@".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) { arg.to_owned() } else { format!("'{arg}'") }
}

/// Removes a folder with plaintext of the story.
pub(super) fn remove(path: &Path) -> Result<()> {
    std::fs::remove_dir_all(path).map_err(|e| Error::io("remove a folder of the demo", &e))
}

/// Removes a file with plaintext of the story.
pub(super) fn remove_file(path: &Path) -> Result<()> {
    std::fs::remove_file(path).map_err(|e| Error::io("remove a file of the demo", &e))
}
