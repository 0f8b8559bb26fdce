//! Running the program on a world, with or without the layer below it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::story::Step;

/// The program, and the layer that is put under it.
pub(crate) struct Program {
    path: PathBuf,
    shim: PathBuf,
}

/// How a run ended.
pub(crate) struct Ended {
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// What the layer does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Record,
    /// One operation fails: the disk cannot.
    Eio,
    /// From an operation on there is no room on the disk.
    Enospc,
    /// One write stops half way, and from there on there is no room.
    Short,
    /// The program is killed in the middle of a write.
    ShortKill,
    /// The program is killed before an operation.
    KillBefore,
    /// The program is killed after it.
    KillAfter,
}

impl Mode {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Eio => "eio",
            Self::Enospc => "enospc",
            Self::Short => "short",
            Self::ShortKill => "shortkill",
            Self::KillBefore => "killbefore",
            Self::KillAfter => "killafter",
        }
    }

    pub(crate) const fn kills(self) -> bool {
        matches!(self, Self::ShortKill | Self::KillBefore | Self::KillAfter)
    }
}

impl Program {
    /// The program at `path`, and the layer built from its source into `scratch`.
    pub(crate) fn new(path: PathBuf, scratch: &Path) -> Result<Self, String> {
        let shim = scratch.join("faults.so");
        let source = scratch.join("faults.c");
        fs::write(&source, include_str!("../shim/faults.c"))
            .map_err(|e| format!("the layer cannot be written: {e}"))?;
        let built = Command::new("cc")
            .args(["-O2", "-Wall", "-Wno-format-truncation", "-shared", "-fPIC", "-o"])
            .args([&shim, &source])
            .args(["-ldl", "-lpthread"])
            .output()
            .map_err(|e| format!("cc does not run: {e}"))?;
        if !built.status.success() {
            return Err(format!("the layer does not build:\n{}", String::from_utf8_lossy(&built.stderr)));
        }
        Ok(Self { path, shim })
    }

    /// Runs a step in `world`. `layer`: what the layer does, at which operation, and where it writes to.
    pub(crate) fn run(
        &self,
        world: &Path,
        step: &Step,
        kept: &BTreeMap<String, String>,
        layer: Option<(Mode, u64, &Path)>,
    ) -> Result<Ended, String> {
        let mut command = Command::new(&self.path);
        if step.vault {
            command.args(["--vault", "vault"]);
        }
        if let Some(who) = step.who {
            command.args(["--identity", &format!("people/{who}.id")]);
        }
        command.args(["--passphrase-file", "../inputs/pass", "--yes"]);
        for arg in &step.args {
            let name = arg.strip_prefix('{').and_then(|a| a.strip_suffix('}'));
            match name.map(|n| kept.get(n).ok_or_else(|| format!("nothing called {n} was kept"))) {
                Some(value) => command.arg(value?),
                None => command.arg(arg),
            };
        }
        command.current_dir(world).stdin(Stdio::null());
        if let Some((mode, at, log)) = layer {
            command
                .env("LD_PRELOAD", &self.shim)
                .env("TRIALS_ROOT", world)
                .env("TRIALS_MODE", mode.word())
                .env("TRIALS_AT", at.to_string())
                .env("TRIALS_LOG", log);
        }
        let done = command.output().map_err(|e| format!("the program does not run: {e}"))?;
        Ok(Ended {
            code: done.status.code(),
            signal: done.status.signal(),
            out: String::from_utf8_lossy(&done.stdout).into_owned(),
            err: String::from_utf8_lossy(&done.stderr).into_owned(),
        })
    }
}

/// What a step wants kept of its answer.
pub(crate) fn keep(step: &Step, out: &str, kept: &mut BTreeMap<String, String>) -> Result<(), String> {
    let Some((name, pointer)) = step.keeps else { return Ok(()) };
    let value: serde_json::Value =
        serde_json::from_str(out).map_err(|_| format!("{}: the answer is no JSON", step.name))?;
    let found = value.pointer(pointer).ok_or_else(|| format!("{}: the answer has no {pointer}: {out}", step.name))?;
    let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    kept.insert(name.to_owned(), text);
    Ok(())
}
