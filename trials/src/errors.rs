//! A failing or full disk, and kills, under the running program.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::crash::{Choice, Fault, Recorded, Tally, evenly};
use crate::judge::{Held, judge};
use crate::run::{Ended, Mode, Program};
use crate::tree::Tree;

/// What the trials of one command stand on.
pub(crate) struct Under<'a> {
    pub(crate) program: &'a Program,
    /// What was kept of earlier answers.
    pub(crate) kept: &'a BTreeMap<String, String>,
    /// What the story needs besides the vault.
    pub(crate) inputs: &'a Path,
    pub(crate) scratch: &'a Path,
    pub(crate) threads: usize,
}

/// Of the operations at which the running program is killed, one in so many: the crash states have all of them.
const KILLS: u64 = 7;

/// Runs a command with every fault at every operation, and again without it.
pub(crate) fn trial(recorded: &Recorded<'_>, under: &Under<'_>, choice: &Choice) -> Result<Tally, String> {
    let count = count(recorded, under)?;
    let modes = [Mode::Eio, Mode::Enospc, Mode::Short, Mode::ShortKill, Mode::KillBefore, Mode::KillAfter];
    let every = (1..=count).flat_map(|at| modes.into_iter().map(move |mode| (mode, at)));
    let mut faults: Vec<(Mode, u64)> = every.filter(|(mode, at)| !mode.kills() || at % KILLS == 0).collect();
    let all = faults.len();
    match choice {
        Choice::All => {}
        Choice::Some(most) => {
            let places: Vec<usize> = (0..faults.len()).collect();
            faults = evenly(&places, *most).into_iter().map(|i| faults[i]).collect();
        }
        Choice::Only(name) => faults.retain(|(mode, at)| name_of(*mode, *at) == *name),
    }
    let reference = |tree: &Tree| -> Result<Held, String> {
        let world = under.scratch.join("reference/world");
        tree.write(&world).map_err(|e| e.to_string())?;
        Ok(judge(&world, recorded.openers).held)
    };
    let (before, after) = (reference(recorded.before)?, reference(recorded.after)?);
    let sum = Mutex::new(Tally { ops: count as usize, states: all, tried: faults.len(), ..Tally::default() });
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..under.threads {
            let (next, faults, before, after, sum) = (&next, &faults, &before, &after, &sum);
            scope.spawn(move || {
                let world = under.scratch.join(format!("thread-{thread}/world"));
                while let Some((mode, at)) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut found = Found::default();
                    if let Err(error) = one(recorded, under, &world, (*mode, *at), (before, after), &mut found) {
                        found.faults.push(error);
                    }
                    let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    match found.acts {
                        0 => sum.before += 1,
                        n if n == after.entries.len() - before.entries.len() => sum.after += 1,
                        _ => sum.between += 1,
                    }
                    sum.left += usize::from(found.done);
                    let state = name_of(*mode, *at);
                    let faulty = |what| Fault { state: state.clone(), what, tree: found.tree.clone() };
                    sum.faults.extend(found.faults.into_iter().map(faulty));
                }
            });
        }
    });
    Ok(sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn name_of(mode: Mode, at: u64) -> String {
    format!("{}@{at}", mode.word())
}

#[derive(Default)]
struct Found {
    faults: Vec<String>,
    /// How many of the command's entries are in the ledger.
    acts: usize,
    /// The command said that it was done.
    done: bool,
    tree: Tree,
}

/// How many operations of a run can fail.
fn count(recorded: &Recorded<'_>, under: &Under<'_>) -> Result<u64, String> {
    let world = under.scratch.join("thread-0/world");
    let (ended, count) = run(recorded, under, &world, (Mode::Eio, 0))?;
    if ended.code != Some(recorded.step.code) {
        return Err(format!("without any fault it ended with {:?}: {}", ended.code, ended.err));
    }
    Ok(count)
}

fn run(recorded: &Recorded<'_>, under: &Under<'_>, world: &Path, fault: (Mode, u64)) -> Result<(Ended, u64), String> {
    let io = |e: std::io::Error| e.to_string();
    recorded.before.write(world).map_err(io)?;
    let inputs = world.with_file_name("inputs");
    if !inputs.exists() {
        std::os::unix::fs::symlink(under.inputs, &inputs).map_err(io)?;
    }
    let log = world.with_file_name("count");
    let ended = under.program.run(world, recorded.step, under.kept, Some((fault.0, fault.1, &log)))?;
    let count = fs::read_to_string(&log).map_err(io)?.trim().parse().unwrap_or(0);
    Ok((ended, count))
}

fn one(
    recorded: &Recorded<'_>,
    under: &Under<'_>,
    world: &Path,
    fault: (Mode, u64),
    (before, after): (&Held, &Held),
    found: &mut Found,
) -> Result<(), String> {
    let step = recorded.step;
    let (ended, _) = run(recorded, under, world, fault)?;
    found.tree = Tree::read(world).map_err(|e| e.to_string())?;
    found.done = ended.code == Some(step.code);
    if let Some(wrong) = wrong_end(fault.0, &ended, found.done) {
        found.faults.push(wrong);
    }

    let judged = judge(world, recorded.openers);
    found.faults.extend(judged.faults);
    let command = |entry: &String| entry.split_at(entry.rfind(' ').unwrap_or(0)).0.to_owned();
    let words = |held: &Held| held.entries.iter().map(command).collect::<Vec<_>>();
    let (old, new, here) = (words(before), words(after), words(&judged.held));
    found.acts = here.len().saturating_sub(old.len());
    let goes_on = here.starts_with(&old) && new.starts_with(&here);
    if !goes_on && !recorded.openers.is_empty() {
        found.faults.push(format!(
            "the ledger goes on with {:?} instead of {:?}",
            here.get(old.len()..),
            new.get(old.len()..)
        ));
    }
    if found.acts == 0 && judged.held.founded && judged.held.things != before.things {
        found
            .faults
            .push(format!("nothing is in the ledger, and something is another: {}", judged.held.differs(before)));
    }
    let whole = here == new;
    if !found.done
        && whole
        && found.acts > 0
        && ended.code.is_some()
        && step.outputs.is_empty()
        && !ended.err.contains("is recorded")
    {
        found.faults.push(format!("it did not say that it happened all the same: {}", ended.err.trim()));
    }
    if found.done && !whole {
        found.faults.push("it said that it was done, and it was not".to_owned());
    }
    for output in &step.outputs {
        let (is, was, wanted) = (found.tree.below(output), recorded.before.below(output), recorded.after.below(output));
        let names = |list: &[(&std::path::PathBuf, &crate::tree::Entry)]| {
            list.iter().map(|(p, _)| (*p).clone()).collect::<Vec<_>>()
        };
        if found.done && names(&is) != names(&wanted) {
            found.faults.push(format!("it said that it was done, and {output} is not whole"));
        }
        if is != was && names(&is) != names(&wanted) {
            found.faults.push(format!("{output} is there in part"));
        }
        if is != was && step.vault && !whole {
            found.faults.push(format!("{output} is there, and the ledger does not say so"));
        }
    }
    // The same command again, the disk being well: where nothing happened it has to succeed.
    let outputs_there = step.outputs.iter().any(|o| found.tree.below(o) != recorded.before.below(o));
    if found.faults.is_empty() && !whole && found.acts == 0 || (recorded.openers.is_empty() && !outputs_there) {
        found.tree.write(world).map_err(|e| e.to_string())?;
        let again = under.program.run(world, step, under.kept, None)?;
        if again.code != Some(step.code) {
            found.faults.push(format!(
                "the same command does not succeed afterwards: {:?} {}",
                again.code,
                again.err.trim()
            ));
        }
    }
    Ok(())
}

/// What is wrong with how a run ended.
fn wrong_end(mode: Mode, ended: &Ended, done: bool) -> Option<String> {
    match (ended.code, ended.signal) {
        (None, Some(9)) if mode.kills() => None,
        (None, signal) => Some(format!("a signal ended it: {signal:?}")),
        (Some(101), _) => Some(format!("it calls itself wrong: {}", ended.err.trim())),
        (Some(4), _) => Some(format!("it speaks of damage: {}", ended.err.trim())),
        _ if done => None,
        _ => {
            let at = ended.err.find("Error: ").map(|at| &ended.err[at..]);
            let lines = at.map_or(0, |text| text.lines().count());
            (lines < 2).then(|| format!("it does not say what is wrong and what to do: {}", ended.err.trim()))
        }
    }
}
