//! What the program gives up before it does anything (docs/adr/0005-process-hardening.md): core dumps, being looked into, keys on the swap space,
//! files that the command line does not speak of, and the network.

mod reach;

use std::sync::OnceLock;

use crate::base::secret;

pub(super) use reach::Reach;

/// What of [`confine`] is in force; empty before it is called.
static CONFINED: OnceLock<Confined> = OnceLock::new();

/// What the system has agreed to.
#[derive(Clone, Copy, Default)]
struct Confined {
    /// No files but those in reach.
    files: bool,
    /// No TCP, neither in nor out.
    tcp: bool,
}

/// No core dumps, no other program of the same user in this one's memory, and the first pages for keys locked. Before anything else.
pub(super) fn begin() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
        // A system that refuses is no reason not to work: `shortcomings` tells of it.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    secret::keeps_secrets();
}

/// From here on nothing but what is in reach can be opened, made or removed, no program can be started and no TCP connection made; for as long as
/// the program runs. Only while there is one thread.
pub(super) fn confine(reach: &Reach) {
    #[cfg(target_os = "linux")]
    let confined = landlock_reach(reach).unwrap_or_default();
    #[cfg(not(target_os = "linux"))]
    let confined = {
        let _ = reach;
        Confined::default()
    };
    let _ = CONFINED.set(confined);
}

/// What of the hardening is not in force on this system, in words; nothing if all of it is.
pub(super) fn shortcomings() -> Vec<String> {
    let confined = CONFINED.get().copied().unwrap_or_default();
    let all = [
        (
            !dumps_are_off(),
            "core dumps of the program cannot be switched off here, and other programs may look into its memory",
        ),
        (
            !secret::keeps_secrets(),
            "this system keeps no more of the program's memory out of the swap space: use an encrypted swap or none, or allow more locked memory (ulimit -l)",
        ),
        (
            !confined.files,
            "this system cannot confine the program to the files that a command needs (Linux can from 5.19 on, with Landlock)",
        ),
        (!confined.tcp, "this system cannot keep the program from the network (Linux can from 6.7 on, with Landlock)"),
    ];
    all.into_iter().filter(|(lacks, _)| *lacks).map(|(_, words)| words.to_owned()).collect()
}

#[cfg(target_os = "linux")]
fn dumps_are_off() -> bool {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
    getrlimit(Resource::Core).current == Some(0) && matches!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable))
}

#[cfg(not(target_os = "linux"))]
fn dumps_are_off() -> bool {
    false
}

#[cfg(target_os = "linux")]
fn landlock_reach(reach: &Reach) -> Result<Confined, landlock::RulesetError> {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd, Ruleset,
        RulesetAttr, RulesetCreatedAttr, Scope, make_bitflags,
    };

    // What kernels have learnt up to here is switched off where a kernel knows it.
    const NEWEST: ABI = ABI::V10;
    let look = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let write = make_bitflags!(AccessFs::{ReadDir | WriteFile | Truncate | MakeReg | RemoveFile});
    let all = look | write | make_bitflags!(AccessFs::{MakeDir | RemoveDir | Refer});
    let device = make_bitflags!(AccessFs::{ReadFile | WriteFile | IoctlDev});

    // It could only be looser for those that it starts, and they are confined each by itself.
    if reach.starts_itself {
        return Ok(Confined::default());
    }
    // A kernel that does not know this right refuses every renaming from folder to folder once a program is confined: then rather not at all.
    let strict = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if strict.handle_access(AccessFs::Refer).is_err() {
        return Ok(Confined::default());
    }

    let rules = Ruleset::default().handle_access(AccessFs::from_all(NEWEST))?;
    let mut rules = rules.handle_access(AccessNet::from_all(NEWEST))?.scope(Scope::from_all(NEWEST))?.create()?;
    let system = [(reach::LOOKED_AT, look), (reach::DEVICES, device)];
    let system = system.into_iter().flat_map(|(paths, rights)| paths.iter().map(move |path| (path.as_ref(), rights)));
    let given = [(&reach.look, look), (&reach.write, write), (&reach.all, all)];
    let given = given.into_iter().flat_map(|(paths, rights)| paths.iter().map(move |path| (path.as_path(), rights)));
    for (path, rights) in system.chain(given) {
        let Ok(fd) = PathFd::new(path) else { continue };
        let rights = if path.is_dir() { rights } else { rights & AccessFs::from_file(NEWEST) };
        // Pipes and sockets take no rule, and need none. Whatever else takes none stays out of reach.
        let _ = (&mut rules).add_rule(PathBeneath::new(fd, rights));
    }
    let status = rules.restrict_self()?;
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => Confined { files: true, tcp: effective_abi >= ABI::V4 },
        _ => Confined::default(),
    })
}

#[cfg(test)]
mod tests;
