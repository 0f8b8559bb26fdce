//! A table of cases: how each situation is made, the command run with the real program, and what must hold afterwards.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use subrosa::ledger::event::Event;

use crate::house::{House, PLANTED};
use crate::look::{content, differences, snapshot};

/// The most memory that any case may take, in kB of resident set.
const MOST_MEMORY: u64 = 200_000;
/// The most address space, in kB: what asks for more is refused by the system, and the program with it.
const MOST_ADDRESSES: u64 = 1_500_000;
/// How long a command may take before it counts as hanging. Generous: a busy machine is no fault.
const LONGEST: Duration = Duration::from_secs(60);

/// What a command that is refused may leave behind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Every byte is as before.
    Nothing,
    /// The ledger has one entry more, which says what was tried, and the members' own state has moved on with it; all else is as before.
    Logged(&'static str),
    /// The databases and the members' state may have moved on: what is damaged cannot be compared.
    Begun,
}

/// Under which circumstances the program is run.
pub(crate) enum Under {
    /// As it is.
    Usual,
    /// As a person who may read but not write.
    Reader,
    /// Files can grow to so many kB only.
    FileLimit(u64),
}

type Make = Box<dyn Fn(&House) + Send + Sync>;

/// A situation, a command, and what must come of it.
pub(crate) struct Case {
    name: &'static str,
    told: bool,
    make: Vec<Make>,
    who: Option<&'static str>,
    args: Vec<String>,
    under: Under,
    code: i32,
    says: Vec<&'static str>,
    remedy: Vec<&'static str>,
    effect: Effect,
    then: Option<Make>,
}

/// A case, called by its situation in plain words: these stand in docs/errors.md.
pub(crate) fn case(name: &'static str) -> Case {
    Case {
        name,
        told: false,
        make: Vec::new(),
        who: None,
        args: Vec::new(),
        under: Under::Usual,
        code: 1,
        says: Vec::new(),
        remedy: Vec::new(),
        effect: Effect::Nothing,
        then: None,
    }
}

impl Case {
    /// The situation, its message and remedy are a row of docs/errors.md.
    pub(crate) fn told(mut self) -> Self {
        self.told = true;
        self
    }

    /// How the situation is made.
    pub(crate) fn make(mut self, make: impl Fn(&House) + Send + Sync + 'static) -> Self {
        self.make.push(Box::new(make));
        self
    }

    /// Somebody at the vault runs the command.
    pub(crate) fn by(mut self, who: &'static str) -> Self {
        self.who = Some(who);
        self
    }

    /// The command's words, with the house as its folder.
    pub(crate) fn run(mut self, args: &[&str]) -> Self {
        self.args = args.iter().map(|a| (*a).to_owned()).collect();
        self
    }

    pub(crate) fn under(mut self, under: Under) -> Self {
        self.under = under;
        self
    }

    /// The exit code; 1 if nothing is said.
    pub(crate) fn exits(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    /// Words that the message must hold.
    pub(crate) fn says(mut self, words: &[&'static str]) -> Self {
        self.says = words.to_vec();
        self
    }

    /// Words that the remedy must hold.
    pub(crate) fn remedy(mut self, words: &[&'static str]) -> Self {
        self.remedy = words.to_vec();
        self
    }

    /// What is left behind; nothing if nothing is said.
    pub(crate) fn leaves(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// What must hold afterwards besides.
    pub(crate) fn then(mut self, then: impl Fn(&House) + Send + Sync + 'static) -> Self {
        self.then = Some(Box::new(then));
        self
    }
}

/// What the program said and took.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    memory: u64,
    took: Duration,
}

/// Runs the program in a house.
pub(crate) fn run(house: &House, who: Option<&str>, args: &[String], under: &Under) -> Ran {
    let mut all: Vec<String> = Vec::new();
    if let Some(who) = who {
        let own =
            ["--vault", "vault", "--identity", &format!("{who}.id"), "--passphrase-file", "pass"].map(str::to_owned);
        all.extend(own);
    }
    all.extend(args.iter().cloned());
    let mut script = format!("ulimit -v {MOST_ADDRESSES} && ");
    let mut head: Vec<&str> = Vec::new();
    match under {
        Under::Usual => {}
        // Permissions do not bind root: it becomes nobody.
        Under::Reader if is_root() => head.extend(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]),
        Under::Reader => {}
        Under::FileLimit(kb) => {
            let _ = write!(script, "trap '' XFSZ && ulimit -f {kb} && ");
        }
    }
    script.push_str("exec \"$@\"");
    let said = tempfile::tempdir().unwrap();
    let file = |name: &str| File::create(said.path().join(name)).unwrap();
    let begun = Instant::now();
    let mut child = Command::new("bash")
        .args(["-c", &script, "bash"])
        .args(head)
        .arg(env!("CARGO_BIN_EXE_subrosa"))
        .args(&all)
        .current_dir(house.dir())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", house.dir())
        .env("COLUMNS", "100000")
        .stdin(Stdio::null())
        .stdout(file("out"))
        .stderr(file("err"))
        .spawn()
        .unwrap();
    let (mut memory, status) = (0, format!("/proc/{}/status", child.id()));
    let code = loop {
        if let Some(ended) = child.try_wait().unwrap() {
            break ended.code();
        }
        memory = memory.max(fs::read_to_string(&status).ok().and_then(|s| high_water(&s)).unwrap_or(0));
        if begun.elapsed() > LONGEST {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let read = |name: &str| {
        let text = String::from_utf8_lossy(&fs::read(said.path().join(name)).unwrap()).into_owned();
        text.replace(&house.dir().canonicalize().unwrap().display().to_string(), "…")
    };
    Ran { code, out: read("out"), err: read("err"), memory, took: begun.elapsed() }
}

fn high_water(status: &str) -> Option<u64> {
    status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}

/// Runs a group of cases, two at a time, and holds its section of docs/errors.md against them.
pub(crate) fn group(title: &str, cases: Vec<Case>) {
    let failures = Mutex::new(Vec::new());
    let rows = Mutex::new(BTreeMap::new());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { break };
                    match try_case(case) {
                        Ok(row) if case.told => {
                            rows.lock().unwrap().insert(at, row);
                        }
                        Ok(_) => {}
                        Err(what) => failures.lock().unwrap().push(format!("== {}\n{what}", case.name)),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} cases of {title}:\n\n{}", failures.len(), cases.len(), failures.join("\n"));
    crate::page::holds(title, rows.into_inner().unwrap().into_values().collect());
}

/// One row of docs/errors.md.
pub(crate) struct Row {
    pub(crate) situation: &'static str,
    pub(crate) says: String,
    pub(crate) remedy: String,
    pub(crate) code: i32,
}

fn try_case(case: &Case) -> Result<Row, String> {
    let house = House::new();
    for make in &case.make {
        make(&house);
    }
    let logged = matches!(case.effect, Effect::Logged(_));
    let content_before = logged.then(|| content(&house, "ada"));
    let before = snapshot(house.dir());
    let ran = run(&house, case.who, &case.args, &case.under);
    let after = snapshot(house.dir());
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    let (says, remedy) = if case.code == 2 { usage(&ran) } else { told(&ran) };
    must(ran.code == Some(case.code), format!("exits {:?}, not {}", ran.code, case.code));
    for (text, words, which) in [(&says, &case.says, "message"), (&remedy, &case.remedy, "remedy")] {
        for word in words {
            must(text.to_lowercase().contains(&word.to_lowercase()), format!("the {which} does not hold: {word}"));
        }
        must(!words.is_empty(), format!("the case asks nothing of the {which}"));
    }
    // Usage errors are told by the argument parser, with what is allowed, and may repeat what was typed.
    if case.code != 2 {
        must(!remedy.trim().is_empty(), "there is no remedy".into());
        for planted in PLANTED {
            must(
                !ran.out.contains(planted) && !ran.err.contains(planted),
                format!("a planted word is told: {planted}"),
            );
        }
    }
    must(!ran.err.contains("panicked") && !ran.err.contains("Please report this"), "the program is at fault".into());
    must(ran.memory < MOST_MEMORY, format!("{} kB of memory", ran.memory));
    let changed = differences(&before, &after);
    match case.effect {
        Effect::Nothing => must(changed.is_empty(), format!("left behind: {changed:?}")),
        Effect::Begun => {
            let allowed = |name: &str| name.contains(".state") || name.contains(".db");
            let others: Vec<&String> = changed.iter().filter(|name| !allowed(name)).collect();
            must(others.is_empty(), format!("left behind: {others:?}"));
        }
        Effect::Logged(event) => {
            let allowed = |name: &str| {
                let own = name.contains(".state")
                    || name.starts_with("vault/catalogue.db")
                    || name.starts_with("vault/ledger.db");
                own || name == "vault/vault.card changed"
            };
            let others: Vec<&String> = changed.iter().filter(|name| !allowed(name)).collect();
            must(others.is_empty(), format!("left behind: {others:?}"));
            let (tables, size) = content(&house, "ada");
            if let Some((tables_before, size_before)) = content_before {
                for (name, rows) in &tables {
                    must(tables_before.get(name) == Some(rows), format!("table {name} of the catalogue is another"));
                }
                must(size == size_before + 1, format!("{} entries came", size - size_before));
                let entry = house.unlock("ada").log().entry(size - 1).unwrap();
                must(entry.draft.events.iter().all(|e| word(e) == event), "the entry says something else".into());
            }
            let good = run(&house, Some("ben"), &["interview".into(), "list".into()], &Under::Usual);
            must(good.code == Some(0), format!("a good command afterwards: {}", good.err));
        }
    }
    if let Some(then) = &case.then {
        then(&house);
    }
    if wrong.is_empty() {
        return Ok(Row { situation: case.name, says, remedy, code: case.code });
    }
    Err(format!(
        "{}\n-- {:?}, {} kB, said:\n{}{}",
        wrong.join("\n"),
        ran.took,
        ran.memory,
        ran.out.chars().take(3_000).collect::<String>(),
        ran.err.chars().take(3_000).collect::<String>()
    ))
}

fn word(event: &Event) -> &'static str {
    match event {
        Event::Denied { .. } => "denied",
        Event::Opened { .. } => "opened",
        Event::Checked { .. } => "checked",
        _ => "another",
    }
}

/// Message and remedy of the argument parser: its first line, and all that follows.
fn usage(ran: &Ran) -> (String, String) {
    let (first, rest) = ran.err.split_once('\n').unwrap_or((&ran.err, ""));
    let rest: Vec<&str> = rest.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    (first.trim_start_matches("error: ").to_owned(), rest.join("\n"))
}

/// Message and remedy: of the faults that are listed, if any are, else of the error.
fn told(ran: &Ran) -> (String, String) {
    let (mut says, mut remedy) = (Vec::new(), Vec::new());
    let listed = ran.out.lines().any(|l| l.starts_with("    "));
    // Before the error there may be what was shown to the person.
    let error = ran.err.find("Error: ").map_or("", |at| &ran.err[at..]);
    for line in if listed { &ran.out } else { error }.lines() {
        match line.strip_prefix("       ").or_else(|| line.strip_prefix("    ")) {
            Some(line) => remedy.push(line.trim()),
            None => says.push(line.trim_start_matches("Error: ").trim()),
        }
    }
    (says.join("\n").trim().to_owned(), remedy.join("\n").trim().to_owned())
}
