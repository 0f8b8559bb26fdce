//! How long each part of the story took, how much memory its commands had, and how big everything is.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::base::{Error, Result};

/// What one part took.
#[derive(Serialize)]
pub(super) struct Part {
    /// What was done.
    pub(super) part: &'static str,
    /// Milliseconds on the wall.
    pub(super) ms: u64,
    /// Commands that were run.
    pub(super) commands: u32,
    /// The most memory that one of the commands had, in KiB, as seen by looking again and again; none where the system does not tell.
    pub(super) peak_kib: Option<u64>,
}

/// The parts so far.
#[derive(Default)]
pub(super) struct Parts {
    all: RefCell<Vec<Part>>,
    commands: Cell<u32>,
    peak: Cell<u64>,
}

impl Parts {
    /// Does something and notes what it took; the same part again adds to the first.
    pub(super) fn time<T>(&self, part: &'static str, act: impl FnOnce() -> Result<T>) -> Result<T> {
        self.commands.set(0);
        self.peak.set(0);
        let began = Instant::now();
        let done = act()?;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (commands, peak) = (self.commands.get(), self.peak.get());
        let peak_kib = (peak > 0).then_some(peak);
        let mut all = self.all.borrow_mut();
        match all.iter_mut().find(|p| p.part == part) {
            Some(before) => {
                before.ms += ms;
                before.commands += commands;
                before.peak_kib = before.peak_kib.max(peak_kib);
            }
            None => all.push(Part { part, ms, commands, peak_kib }),
        }
        Ok(done)
    }

    /// Runs a command to its end, watching its memory.
    pub(super) fn run(&self, command: &mut Command) -> io::Result<Output> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (out, err) = (thread::spawn(move || all_of(out)), thread::spawn(move || all_of(err)));
        let mut wait = Duration::from_millis(1);
        let status = loop {
            self.peak.set(self.peak.get().max(peak_of(&child)));
            if let Some(status) = child.try_wait()? {
                break status;
            }
            thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_millis(16));
        };
        self.commands.set(self.commands.get() + 1);
        let joined = |bytes: thread::JoinHandle<io::Result<Vec<u8>>>| {
            bytes.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
        };
        Ok(Output { status, stdout: joined(out)?, stderr: joined(err)? })
    }

    /// All parts, of which none are left.
    pub(super) fn take(&self) -> Vec<Part> {
        self.all.take()
    }
}

/// How many files a folder has, and how many bytes are in them.
pub(super) fn weight(path: &Path) -> Result<(u64, u64)> {
    let error = |e: io::Error| Error::io("look through a folder of the demo", &e);
    let meta = path.symlink_metadata().map_err(error)?;
    if !meta.is_dir() {
        return Ok((1, meta.len()));
    }
    let mut sum = (0, 0);
    for entry in path.read_dir().map_err(error)? {
        let (files, bytes) = weight(&entry.map_err(error)?.path())?;
        sum = (sum.0 + files, sum.1 + bytes);
    }
    Ok(sum)
}

/// The most memory that this program had itself, in KiB.
pub(super) fn own_peak() -> Option<u64> {
    peak_in("/proc/self/status")
}

fn all_of(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn peak_of(child: &Child) -> u64 {
    peak_in(&format!("/proc/{}/status", child.id())).unwrap_or(0)
}

/// `VmHWM` of proc(5); none on a system without it.
fn peak_in(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
