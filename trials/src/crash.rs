//! Crashes: every state that a run of a command could leave on the disk, opened and judged.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::disk::{Disk, Loss};
use crate::judge::{Held, Judged, judge};
use crate::log::Op;
use crate::story::Step;
use crate::tree::{Entry, Tree};

/// A command that was recorded.
pub(crate) struct Recorded<'a> {
    pub(crate) step: &'a Step,
    pub(crate) before: &'a Tree,
    pub(crate) after: &'a Tree,
    pub(crate) ops: &'a [Op],
    /// Who opens the vault afterwards; nobody where there is none.
    pub(crate) openers: &'a [&'a str],
    /// Texts that may stand in no file of the vault.
    pub(crate) secrets: &'a [String],
}

/// A state that a crash leaves.
pub(crate) struct State {
    /// How many operations were done.
    pub(crate) done: usize,
    pub(crate) loss: Loss,
    pub(crate) tree: Tree,
    /// The program had answered something: what it answered is in the ledger.
    told: bool,
    /// It had answered everything.
    answered: bool,
}

/// What came of one command.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) ops: usize,
    pub(crate) states: usize,
    pub(crate) tried: usize,
    pub(crate) before: usize,
    pub(crate) between: usize,
    pub(crate) after: usize,
    /// States in which something harmless was left over.
    pub(crate) left: usize,
    pub(crate) faults: Vec<Fault>,
}

/// A state that does not hold.
pub(crate) struct Fault {
    /// `OPERATION:LOSS`.
    pub(crate) state: String,
    pub(crate) what: String,
    pub(crate) tree: Tree,
}

/// How many states are tried.
#[derive(Clone)]
pub(crate) enum Choice {
    All,
    /// So many of each command: half of them next to syncs, renames and removals.
    Some(usize),
    /// One, by its name.
    Only(String),
}

impl Recorded<'_> {
    /// Every state that differs from the others, in the order of operations.
    pub(crate) fn states(&self) -> Result<Vec<State>, String> {
        let mut disk = Disk::new(self.before);
        let mut seen: HashSet<([u8; 32], u8)> = HashSet::new();
        let mut states = Vec::new();
        let (mut answers, all) = (0, self.ops.iter().filter(|op| matches!(op, Op::Answer)).count());
        let start = State { done: 0, loss: Loss::Killed, tree: self.before.clone(), told: false, answered: false };
        seen.insert((start.tree.digest(), 0));
        states.push(start);
        for (done, op) in (1..).zip(self.ops) {
            disk.apply(op).map_err(|e| format!("operation {done}: {e}"))?;
            answers += usize::from(matches!(op, Op::Answer));
            let (told, answered) = (answers > 0, answers > 0 && answers == all);
            if !op.counts() && !matches!(op, Op::Answer) {
                continue;
            }
            for loss in disk.losses(op) {
                let tree = disk.after(&loss, op);
                if seen.insert((tree.digest(), u8::from(told) + u8::from(answered))) {
                    states.push(State { done, loss, tree, told, answered });
                }
            }
        }
        Ok(states)
    }

    /// The record replayed on what was there before: has to be what was there afterwards, or the layer did not see everything.
    pub(crate) fn replayed(&self) -> Result<Tree, String> {
        let mut disk = Disk::new(self.before);
        for (done, op) in (1..).zip(self.ops) {
            disk.apply(op).map_err(|e| format!("operation {done}: {e}"))?;
        }
        Ok(disk.after(&Loss::Killed, &Op::Mode))
    }

    /// Judges the states chosen, each in a folder of its own below `scratch`, on as many threads as there are cores.
    pub(crate) fn trial(&self, choice: &Choice, scratch: &Path, threads: usize) -> Result<Tally, String> {
        let states = self.states()?;
        let chosen = choose(&states, self.ops, choice);
        let reference = |tree: &Tree| -> Result<Held, String> {
            let world = scratch.join("reference/world");
            tree.write(&world).map_err(|e| e.to_string())?;
            let judged = judge(&world, self.openers);
            match judged.faults.first() {
                Some(fault) => Err(format!("without any crash: {fault}")),
                None => Ok(judged.held),
            }
        };
        let known = Known { before: reference(self.before)?, after: reference(self.after)?, between: Mutex::default() };
        let tally = Mutex::new(Tally {
            ops: self.ops.iter().filter(|op| op.counts()).count(),
            states: states.len(),
            tried: chosen.len(),
            ..Tally::default()
        });
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let (next, chosen, states, known, tally) = (&next, &chosen, &states, &known, &tally);
                scope.spawn(move || {
                    let world = scratch.join(format!("thread-{thread}/world"));
                    while let Some(at) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let state = &states[*at];
                        let (stands, faults, left) = self.try_one(state, &world, known);
                        let mut tally = tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        match stands {
                            Some(Stands::Before) => tally.before += 1,
                            Some(Stands::Between) => tally.between += 1,
                            Some(Stands::After) => tally.after += 1,
                            None => {}
                        }
                        tally.left += usize::from(left);
                        tally.faults.extend(faults.into_iter().map(|what| Fault {
                            state: state.name(),
                            what,
                            tree: state.tree.clone(),
                        }));
                    }
                });
            }
        });
        let mut tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        tally.faults.sort_by(|a, b| a.state.cmp(&b.state));
        Ok(tally)
    }

    fn try_one(&self, state: &State, world: &Path, known: &Known) -> (Option<Stands>, Vec<String>, bool) {
        if let Err(error) = state.tree.write(world) {
            return (None, vec![format!("the state cannot be made: {error}")], false);
        }
        // Whoever comes first after a crash is not always the same.
        let mut openers = self.openers.to_vec();
        let len = openers.len().max(1);
        openers.rotate_left(state.done % len);
        let Judged { held, mut faults, left } = judge(world, &openers);
        let stands = known.stands(&held, self.step.acts, &mut faults);
        let short = (state.answered && stands != Some(Stands::After))
            || (state.told && !self.step.repeats && stands == Some(Stands::Before));
        if short && faults.is_empty() {
            faults.push("the command had answered, and it did not happen".to_owned());
        }
        if faults.is_empty() {
            self.judge_files(state, stands, &mut faults);
        }
        let parts = state.tree.0.keys().any(|p| temporary(p) && !self.before.0.contains_key(p));
        (stands, faults, !left.is_empty() || parts)
    }

    /// Files outside of the vault: what the command makes is there whole or not at all, never before its entry, and always after its answer.
    fn judge_files(&self, state: &State, stands: Option<Stands>, faults: &mut Vec<String>) {
        for output in &self.step.outputs {
            let (found, before, wanted) =
                (state.tree.below(output), self.before.below(output), self.after.below(output));
            let whole = found == wanted;
            if !whole && found != before {
                faults.push(format!("{output} is neither as before nor whole"));
            }
            if whole && found != before && self.step.vault && stands != Some(Stands::After) {
                faults.push(format!("{output} is there, and the ledger does not say so"));
            }
            if state.answered && !whole {
                faults.push(format!("the command had answered, and {output} is not there"));
            }
        }
        for (path, entry) in &state.tree.0 {
            let known = self.before.0.contains_key(path) || self.after.0.contains_key(path);
            let inside = ["vault", "vault.keys"].iter().any(|f| path.starts_with(f)) || is_state(path);
            if !known && !inside && !temporary(path) {
                faults.push(format!("{} was made under a name that is not temporary", path.display()));
            }
            let Entry::File(blob) = entry else { continue };
            let fresh = self.before.0.get(path) != Some(entry) && self.after.0.get(path) != Some(entry);
            if fresh && (inside || !self.step.outputs.iter().any(|o| opened(o))) {
                let found = self.secrets.iter().filter(|s| s.len() > 5).any(|s| contains(blob.bytes(), s.as_bytes()));
                if found {
                    faults.push(format!("{} holds something secret", path.display()));
                }
            }
        }
    }
}

/// An extract that was opened is in clear, on the machine of whoever may read it.
fn opened(output: &str) -> bool {
    output == "out/work"
}

fn is_state(path: &Path) -> bool {
    path.iter().any(|part| Path::new(part).extension().is_some_and(|e| e == "state"))
}

/// Whether a path has a part that begins with a dot: a temporary name.
fn temporary(path: &Path) -> bool {
    path.iter().any(|part| part.as_encoded_bytes().starts_with(b"."))
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    let Some(first) = words.first() else { return false };
    let mut rest = text;
    while let Some(at) = rest.iter().position(|b| b == first) {
        rest = &rest[at..];
        if rest.starts_with(words) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

impl State {
    /// Its name: how many operations were done, and what was lost.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.done, self.loss)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Before,
    Between,
    After,
}

/// What the vault holds before, after, and where a command is several acts between them.
struct Known {
    before: Held,
    after: Held,
    between: Mutex<BTreeMap<usize, Held>>,
}

impl Known {
    fn stands(&self, held: &Held, acts: usize, faults: &mut Vec<String>) -> Option<Stands> {
        if !faults.is_empty() {
            return None;
        }
        if *held == self.after {
            return Some(Stands::After);
        }
        if *held == self.before {
            return Some(Stands::Before);
        }
        let (from, size, to) = (self.before.entries.len(), held.entries.len(), self.after.entries.len());
        if from < size && size < to && self.after.entries.starts_with(&held.entries) && size - from < acts {
            let mut between = self.between.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let known = between.entry(size).or_insert_with(|| held.clone());
            if known == held {
                return Some(Stands::Between);
            }
            faults.push(format!("differs from another state with the same entries: {}", held.differs(known)));
            return None;
        }
        faults.push(format!(
            "neither before ({}) nor after ({})",
            held.differs(&self.before),
            held.differs(&self.after)
        ));
        None
    }
}

fn choose(states: &[State], ops: &[Op], choice: &Choice) -> Vec<usize> {
    match choice {
        Choice::All => (0..states.len()).collect(),
        Choice::Only(name) => (0..states.len()).filter(|i| states[*i].name() == *name).collect(),
        Choice::Some(count) => {
            let turning = |state: &State| {
                let near = [state.done.checked_sub(1), Some(state.done)];
                near.into_iter().flatten().any(|at| ops.get(at).is_some_and(Op::turns))
            };
            let (near, far): (Vec<usize>, Vec<usize>) = (0..states.len()).partition(|i| turning(&states[*i]));
            let half = count / 2;
            let mut chosen = evenly(&near, half + half.saturating_sub(far.len()));
            chosen.extend(evenly(&far, count.saturating_sub(chosen.len())));
            chosen.extend(states.len().checked_sub(1));
            chosen.sort_unstable();
            chosen.dedup();
            chosen
        }
    }
}

/// So many of them, evenly.
pub(crate) fn evenly(from: &[usize], count: usize) -> Vec<usize> {
    if from.len() <= count {
        return from.to_vec();
    }
    (0..count).map(|n| from[n * from.len() / count]).collect()
}
