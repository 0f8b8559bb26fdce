//! Several programs at one vault: writers, readers, an auditor; and folders that move, are copied or go away meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

mod common;
#[path = "common/house.rs"]
mod house;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{again, enrol, moment, passphrase, person};
use house::{House, participant};
use subrosa::base::progress::Silent;
use subrosa::base::role::Role;
use subrosa::base::time::{Clock, SystemClock};
use subrosa::base::{Kind, Result};
use subrosa::crypto::identity::Identity;
use subrosa::crypto::kdf::KdfParams;
use subrosa::ops::audit::{self, Against};
use subrosa::ops::check::{self, Options};
use subrosa::ops::interview::{self, Filter};
use subrosa::session::{Unlocked, Vault};
use subrosa::store::state::StateFolder;

const DAY: &str = "2026-02-01T00:00:00Z";

/// The vault in `dir/vault`, with its key file in `keys` if that is given.
fn open(dir: &Path, keys: Option<&Path>, who: &Identity) -> Result<Vault<Unlocked>> {
    let state = StateFolder::beside(&dir.join(format!("{}.id", who.card().name())));
    Vault::open(&dir.join("vault"), keys)?.unlock(again(who), state, Box::new(moment(DAY)))
}

/// Nothing is wrong with the vault, its ledger included.
fn assert_sound(vault: &mut Vault<Unlocked>) {
    let report = check::check(vault, Options::default(), &Silent).unwrap();
    let left: Vec<_> = report.notices.iter().filter(|n| n.contains("left over") || n.contains("unfinished")).collect();
    assert!(report.sound && left.is_empty(), "{:?} {left:?}", report.faults);
    let report = audit::verify_vault(vault, &Against { all: true, ..Against::default() }, &Silent).unwrap();
    assert!(report.sound, "{:?}", report.faults);
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() { copy(&entry.path(), &to)? } else { fs::copy(entry.path(), to).map(drop)? }
    }
    Ok(())
}

#[test]
fn two_writers_take_turns_and_lose_nothing() {
    const EACH: usize = 12;
    let house = House::found();
    std::thread::scope(|scope| {
        for prefix in ["AM", "GE"] {
            let house = &house;
            scope.spawn(move || {
                let mut vault = house.unlock(&house.ben, DAY);
                for _ in 0..EACH {
                    // Each makes keys: a writer that did not see the other's would write a key file without them.
                    participant(&mut vault, prefix, &["Somebody"], &[]);
                }
            });
        }
    });
    let mut vault = house.unlock(&house.ben, DAY);
    assert_eq!(vault.view().unwrap().participants().unwrap().len(), 2 * EACH);
    assert_sound(&mut vault);
}

#[test]
fn a_writer_that_waits_too_long_is_told_so() {
    let house = House::found();
    let mut vault = house.unlock(&house.ben, DAY);
    let lock = vault.layout().lock().unwrap();
    let error = vault.commit("test", |_| Ok(())).unwrap_err();
    assert!(error.what().contains("somebody else is writing") && error.remedy().contains("ended"), "{error:?}");
    drop(lock);
    participant(&mut vault, "AM", &["Somebody"], &[]);
}

#[test]
fn readers_and_an_auditor_see_a_whole_vault_while_somebody_writes() {
    const WRITES: usize = 40;
    let house = House::found();
    let eve = person("Eve");
    enrol(&mut house.unlock(&house.ada, DAY), &eve, Role::Auditor);
    drop(house.unlock(&house.ben, DAY));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (house, eve, done) = (&house, &eve, &done);
        scope.spawn(move || {
            let mut vault = house.unlock(&house.ben, DAY);
            for _ in 0..WRITES {
                participant(&mut vault, "AM", &["Somebody"], &[]);
            }
            done.store(true, Ordering::Relaxed);
        });
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                assert_sound(&mut house.unlock(&house.ada, DAY));
            }
        });
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                let mut vault = house.unlock(&house.ben, DAY);
                interview::list(&mut vault, &Filter::default()).unwrap();
            }
        });
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                let mut vault = house.unlock(eve, DAY);
                let report = audit::verify_vault(&mut vault, &Against { all: true, ..Against::default() }, &Silent);
                let report = report.unwrap();
                assert!(report.sound, "{:?}", report.faults);
            }
        });
    });
    assert_sound(&mut house.unlock(&house.ben, DAY));
}

#[test]
fn a_lock_file_that_was_left_behind_locks_nobody_out() {
    let house = House::found();
    let mut vault = house.unlock(&house.ben, DAY);
    fs::write(vault.layout().path("lock"), "4711").unwrap();
    participant(&mut vault, "AM", &["Somebody"], &[]);
    fs::remove_file(vault.layout().path("lock")).unwrap();
    participant(&mut vault, "AM", &["Somebody else"], &[]);
    fs::remove_file(vault.layout().path("lock")).unwrap();
    drop(vault);
    assert_sound(&mut house.unlock(&house.ben, DAY));
}

#[test]
fn what_an_interrupted_command_left_is_cleared_away_by_the_next() {
    let house = House::found();
    let mut vault = house.unlock(&house.ben, DAY);
    let left = [
        vault.layout().path(".keyring.next.json.4711.part"),
        vault.layout().keys().join(".keyfile.4711.part"),
        vault.layout().tmp().join("half.part"),
    ];
    left.iter().for_each(|path| fs::write(path, "half").unwrap());
    participant(&mut vault, "AM", &["Somebody"], &[]);
    assert!(left.iter().all(|path| !path.exists()), "old copies of keys may not lie about");
}

#[test]
fn a_vault_that_is_renamed_in_the_middle_of_a_command_is_as_before_or_as_after() {
    let house = House::found();
    let (old, new) = (house.dir.path().join("vault"), house.dir.path().join("moved"));
    for makes_keys in [false, true] {
        let mut vault = house.unlock(&house.ben, DAY);
        let size = vault.log().head().unwrap().size;
        let done = vault.commit("test", |act| {
            if makes_keys {
                act.new_key(subrosa::store::keyfile::Class::Meta)?;
            }
            act.event(subrosa::ledger::event::Event::Checked { faults: 0 });
            fs::rename(&old, &new).unwrap();
            Ok(())
        });
        drop(vault);
        if let Err(error) = done {
            assert!(error.kind() == Kind::User && !error.remedy().is_empty(), "{error:?}");
        }
        fs::rename(&new, &old).unwrap();
        let mut vault = house.unlock(&house.ben, DAY);
        assert!(vault.log().head().unwrap().size <= size + 1);
        let report = check::check(&mut vault, Options::default(), &Silent).unwrap();
        assert!(report.sound, "{:?}", report.faults);
    }
}

#[test]
fn a_copy_made_in_the_middle_of_writing_opens_or_is_refused_in_words() {
    let house = House::found();
    let copies = tempfile::tempdir().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (house, done) = (&house, &done);
        scope.spawn(move || {
            let mut vault = house.unlock(&house.ben, DAY);
            while !done.load(Ordering::Relaxed) {
                participant(&mut vault, "AM", &["Somebody"], &[]);
            }
        });
        for n in 0..6 {
            let to = copies.path().join(n.to_string());
            // A file may go away while it is copied: whoever copies is told so, and copies again.
            while copy(house.dir.path(), &to).is_err() {
                fs::remove_dir_all(&to).unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    for n in 0..6 {
        let dir = copies.path().join(n.to_string());
        match open(&dir, None, &house.ben) {
            Ok(mut vault) => drop(check::check(&mut vault, Options::default(), &Silent).unwrap()),
            Err(error) => {
                assert_eq!(error.kind(), Kind::Damage, "{error:?}");
                assert!(!error.remedy().is_empty(), "{error:?}");
            }
        }
    }
    assert_sound(&mut house.unlock(&house.ben, DAY));
}

#[test]
fn a_key_folder_that_went_away_is_asked_for_and_one_that_moved_is_found() {
    let house = House::found();
    let dir = house.dir.path();
    let (keys, moved) = (dir.join("vault.keys"), dir.join("stick"));
    participant(&mut house.unlock(&house.ben, DAY), "AM", &["Somebody"], &[]);
    fs::rename(&keys, &moved).unwrap();
    let error = open(dir, None, &house.ben).err().unwrap();
    assert!(error.what().contains("key file") && error.remedy().contains("--keys"), "{error:?}");
    let mut vault = open(dir, Some(&moved), &house.ben).unwrap();
    participant(&mut vault, "AM", &["Somebody else"], &[]);
    // It goes away while the vault is open: what needs it is refused, and nothing happened.
    let size = vault.log().head().unwrap().size;
    fs::rename(&moved, &keys).unwrap();
    let error = vault.commit("test", |act| {
        act.new_key(subrosa::store::keyfile::Class::Meta)?;
        act.event(subrosa::ledger::event::Event::Checked { faults: 0 });
        Ok(())
    });
    assert!(error.unwrap_err().what().contains("key file"));
    assert_eq!(vault.log().head().unwrap().size, size);
    drop(vault);
    assert_sound(&mut open(dir, None, &house.ben).unwrap());
}

#[test]
fn without_a_state_folder_a_vault_is_met_for_the_first_time() {
    let house = House::found();
    drop(house.unlock(&house.ben, DAY));
    let state = house.dir.path().join("Ben.state");
    fs::remove_dir_all(&state).unwrap();
    let mut vault = house.unlock(&house.ben, DAY);
    assert!(state.is_dir());
    fs::remove_dir_all(&state).unwrap();
    participant(&mut vault, "AM", &["Somebody"], &[]);
    assert!(state.is_dir());
    assert_sound(&mut vault);
}

/// Writes what the program needs to be Ben.
fn prepare(house: &House) {
    let sealed = house.ben.seal(&passphrase(), KdfParams::LEAST).unwrap();
    fs::write(house.dir.path().join("Ben.id"), sealed).unwrap();
    fs::write(house.dir.path().join("pass"), passphrase().expose()).unwrap();
}

fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_subrosa"));
    command.args(["--vault", "vault", "--identity", "Ben.id", "--passphrase-file", "pass"]).args(args).current_dir(dir);
    command
}

#[test]
fn programs_that_run_at_once_all_do_their_work_and_one_that_is_killed_holds_nobody_up() {
    let house = House::found();
    prepare(&house);
    let dir = house.dir.path();
    let now = SystemClock.now().to_string();
    let before = house.unlock(&house.ben, &now).log().head().unwrap().size;
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let start = |_| scope.spawn(|| program(dir, &["interview", "list"]).output().unwrap());
        let running: Vec<_> = (0..6).map(start).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for output in &outputs {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let size = || house.unlock(&house.ben, &SystemClock.now().to_string()).log().head().unwrap().size;
    assert_eq!(size(), before + 6);

    // Killed as soon as it has begun to write: the lock goes with it.
    let mut child = program(dir, &["check"]).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() && !dir.join("vault/ledger.db-wal").exists() && Instant::now() < until {}
    child.kill().unwrap();
    child.wait().unwrap();
    let output = program(dir, &["interview", "list"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_sound(&mut house.unlock(&house.ben, &SystemClock.now().to_string()));
}
