//! Subrosa killed, cut off from power and out of disk at every step (docs/trials.md).

mod crash;
mod disk;
mod errors;
mod judge;
mod log;
mod props;
mod run;
mod story;
mod tree;
mod twist;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use crash::{Choice, Recorded};
use run::{Mode, Program};
use tree::Tree;
use twist::Twist;

const HELP: &str = "trials crash     every state that a crash can leave, command by command
trials errors    a failing or full disk, and kills of the running program, at every operation
trials self-test the harness against itself: records in which something was put wrong must be found

  --command WORDS   only commands whose name begins so
  --sample N        so many states or faults of each command; without it all
  --state NAME      of `crash`: one state, as a report names it
  --keep DIR        leave the first state that fails there
  --program FILE    another build of the program
  --threads N       by default one for each core";

struct Options {
    command: String,
    choice: Choice,
    keep: Option<PathBuf>,
    program: Option<PathBuf>,
    threads: usize,
}

fn main() -> ExitCode {
    // Under this name the harness is the program itself, so that what is tried is what was just built.
    let called = std::env::args_os().next().map(PathBuf::from);
    if called.as_deref().and_then(Path::file_name).is_some_and(|name| name == "subrosa") {
        return subrosa::cli::main();
    }
    match start() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("trials: {error}");
            ExitCode::from(2)
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn start() -> Result<bool> {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_default();
    let mut options = Options {
        command: String::new(),
        choice: Choice::All,
        keep: None,
        program: None,
        threads: std::thread::available_parallelism().map_or(2, usize::from),
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--command" => options.command = value()?,
            "--sample" => options.choice = Choice::Some(value()?.parse()?),
            "--state" => options.choice = Choice::Only(value()?),
            "--keep" => options.keep = Some(value()?.into()),
            "--program" => options.program = Some(fs::canonicalize(value()?)?),
            "--threads" => options.threads = value()?.parse()?,
            other => return Err(format!("{other} is not known\n\n{HELP}").into()),
        }
    }
    let act = match what.as_str() {
        "crash" => Act::Crash,
        "errors" => Act::Errors,
        "self-test" => Act::SelfTest,
        _ => return Err(HELP.into()),
    };
    let temp = tempfile::Builder::new().prefix("subrosa-trials-").tempdir_in(place())?;
    tell(&options, act, temp.path())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Crash,
    Errors,
    SelfTest,
}

/// The commands that the self-test puts wrong: one that makes keys and changes the keyring, one that answers.
const SELF_TEST: [&str; 2] = ["person add archivist", "person list"];

/// A folder in memory, if there is one: whole vaults are written thousands of times, and nothing depends on a real disk.
fn place() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// Tells the story, and tries each command of it.
fn tell(options: &Options, act: Act, temp: &Path) -> Result<bool> {
    let temp = temp.canonicalize()?;
    let (world, inputs) = (temp.join("story/world"), temp.join("story/inputs"));
    props::prepare(&world, &inputs)?;
    let program = match &options.program {
        Some(path) => path.clone(),
        None => {
            let path = temp.join("subrosa");
            std::os::unix::fs::symlink(std::env::current_exe()?, &path)?;
            path
        }
    };
    let program = Program::new(program, &temp)?;
    let secrets = props::secrets()?;
    let mut kept = BTreeMap::new();
    let mut sum = Sum::default();
    let mut twists: Vec<(Twist, usize)> = Twist::ALL.map(|t| (t, 0)).to_vec();
    sum.head(act);
    let steps = story::steps();
    let wants = |step: &story::Step| match act {
        Act::SelfTest if options.command.is_empty() => SELF_TEST.contains(&step.name.as_str()),
        _ => !step.aside && step.name.starts_with(&options.command),
    };
    let last = steps.iter().rposition(wants).ok_or("no command is called so")?;
    for step in steps.into_iter().take(last + 1) {
        let wanted = wants(&step);
        let began = Instant::now();
        let log = temp.join("log");
        let before = if wanted { Tree::read(&world)? } else { Tree::default() };
        let earlier = kept.clone();
        let ended = program.run(&world, &step, &kept, wanted.then_some((Mode::Record, 0, &log)))?;
        if ended.code != Some(step.code) {
            return Err(format!(
                "{}: ended with {:?} {:?}:\n{}{}",
                step.name, ended.code, ended.signal, ended.out, ended.err
            )
            .into());
        }
        run::keep(&step, &ended.out, &mut kept)?;
        if !wanted {
            continue;
        }
        let after = Tree::read(&world)?;
        let ops = log::read(&fs::read(&log)?, &world)?;
        let openers = openers(&before, &after);
        let recorded =
            Recorded { step: &step, before: &before, after: &after, ops: &ops, openers: &openers, secrets: &secrets };
        let replayed = recorded.replayed()?;
        if replayed != after {
            return Err(format!(
                "{}: the record does not lead to what is there: {:?}",
                step.name,
                replayed.differences(&after)
            )
            .into());
        }
        let tally = match act {
            Act::Crash => recorded.trial(&options.choice, &temp, options.threads)?,
            Act::Errors => {
                let under = errors::Under {
                    program: &program,
                    kept: &earlier,
                    inputs: &inputs,
                    scratch: &temp,
                    threads: options.threads,
                };
                errors::trial(&recorded, &under, &options.choice)?
            }
            Act::SelfTest => {
                for (twist, found) in &mut twists {
                    let ops = twist.apply(&ops);
                    let twisted = Recorded { ops: &ops, ..recorded };
                    if let Ok(tally) = twisted.trial(&options.choice, &temp, options.threads) {
                        *found += tally.faults.len();
                    }
                }
                continue;
            }
        };
        if let (Some(keep), Some(fault)) = (&options.keep, tally.faults.first()) {
            fault.tree.write(&keep.join("world"))?;
        }
        sum.line(&step.name, &tally, began, act);
    }
    if act == Act::SelfTest {
        let mut good = true;
        for (twist, found) in twists {
            println!(
                "{:<58} {}",
                twist.words(),
                if found > 0 { format!("found, in {found} states") } else { "NOT FOUND".into() }
            );
            good &= found > 0;
        }
        return Ok(good);
    }
    Ok(sum.end())
}

/// Who can open the vault both before and after: a steward, and an archivist once there is one.
fn openers(before: &Tree, after: &Tree) -> Vec<&'static str> {
    let has = |tree: &Tree, what: &str| tree.0.contains_key(Path::new(what));
    if !has(after, "vault") {
        return Vec::new();
    }
    let seen = |who: &str| has(before, &format!("people/{who}.state"));
    let mut openers = vec!["ada"];
    openers.extend(["ben"].into_iter().filter(|who| seen(who)));
    openers
}

/// The table.
#[derive(Default)]
struct Sum {
    commands: usize,
    ops: usize,
    tried: usize,
    bad: usize,
}

impl Sum {
    fn head(&self, act: Act) {
        match act {
            Act::SelfTest => {}
            Act::Crash => println!(
                "{:<28} {:>5} {:>7} {:>6} {:>7} {:>8} {:>6} {:>5} {:>5} {:>8}",
                "command", "ops", "states", "tried", "before", "between", "after", "left", "BAD", "ms"
            ),
            Act::Errors => println!(
                "{:<28} {:>5} {:>7} {:>6} {:>7} {:>8} {:>6} {:>5} {:>5} {:>8}",
                "command", "ops", "faults", "tried", "before", "between", "after", "done", "BAD", "ms"
            ),
        }
    }

    fn line(&mut self, name: &str, tally: &crash::Tally, began: Instant, act: Act) {
        println!(
            "{name:<28} {:>5} {:>7} {:>6} {:>7} {:>8} {:>6} {:>5} {:>5} {:>8}",
            tally.ops,
            tally.states,
            tally.tried,
            tally.before,
            tally.between,
            tally.after,
            tally.left,
            tally.faults.len(),
            began.elapsed().as_millis()
        );
        let verb = if act == Act::Crash { "crash" } else { "errors" };
        for fault in tally.faults.iter().take(12) {
            println!(
                "    {}: {}\n        trials {verb} --command '{name}' --state '{}'",
                fault.state, fault.what, fault.state
            );
        }
        if tally.faults.len() > 12 {
            println!("    and {} more", tally.faults.len() - 12);
        }
        let _ = std::io::stdout().flush();
        self.commands += 1;
        self.ops += tally.ops;
        self.tried += tally.tried;
        self.bad += tally.faults.len();
    }

    fn end(&self) -> bool {
        println!("{} commands, {} operations, {} tried, {} BAD", self.commands, self.ops, self.tried, self.bad);
        self.bad == 0 && self.commands > 0
    }
}
