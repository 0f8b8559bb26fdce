//! What the program gives up on Linux before it works (docs/adr/0005): measured on the running program from outside; and that nothing that
//! people do with it is hindered.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

#[path = "leaks/world.rs"]
mod world;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use world::{CODE, PASSPHRASE, World};

/// Somebody who is not the administrator, for whom the rights of processes count.
const NOBODY: u32 = 65_534;

fn founded() -> World {
    let world = World::new();
    let done = world.run(&[
        "--identity",
        "people/ada.id",
        "--passphrase-file",
        "given/pass",
        "init",
        "vault",
        "--study",
        "given/study.toml",
    ]);
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.err));
    done_as(&world, "ada", &["person", "add", "people/ben.card", "--role", "archivist"]);
    world
}

fn done_as(world: &World, who: &str, args: &[&str]) -> String {
    let done = world.run_as(who, args);
    assert_eq!(done.code, Some(0), "{args:?}: {}", String::from_utf8_lossy(&done.err));
    String::from_utf8(done.out).unwrap()
}

/// A field of `/proc/PID/status`.
fn status(pid: u32, field: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':').map(str::trim));
    line.unwrap_or_default().to_owned()
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            open_to_all(&path)
        } else {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap()
        }
    }
}

/// The kernel's own account of the program, while it waits for the passphrase.
#[test]
fn a_waiting_program_is_hardened() {
    let world = founded();
    let fifo = world.at("given/fifo");
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
    let id = ["--vault", "vault", "--identity", "people/ada.id", "--passphrase-file", "given/fifo", "person", "list"];
    let mut command = world.command(&id);
    // For the administrator every process is an open book; so not as one, if the program can be read by others.
    let reachable = Path::new(env!("CARGO_BIN_EXE_subrosa"))
        .ancestors()
        .skip(1)
        .all(|dir| dir.metadata().is_ok_and(|m| m.mode() & 1 == 1));
    let other = rustix::process::getuid().is_root() && reachable;
    if other {
        open_to_all(world.root());
        command.uid(NOBODY).gid(NOBODY);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    // It can be opened without waiting once the program reads.
    let nonblocking = OFlags::NONBLOCK.bits() as i32;
    let mut writer = loop {
        match OpenOptions::new().write(true).custom_flags(nonblocking).open(&fifo) {
            Ok(file) => break file,
            Err(_) if child.try_wait().unwrap().is_none() => std::thread::yield_now(),
            Err(_) => panic!("it ended: {}", String::from_utf8_lossy(&child.wait_with_output().unwrap().stderr)),
        }
    };

    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core: Vec<&str> =
        limits.lines().find(|line| line.starts_with("Max core file size")).unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "core dumps");
    assert_eq!(status(pid, "NoNewPrivs"), "1", "it could still gain rights");
    let locked: u64 = status(pid, "VmLck").split_whitespace().next().unwrap().parse().unwrap();
    assert!(locked >= 32, "{locked} kB of locked memory");
    if other || !rustix::process::getuid().is_root() {
        // Of a process that may not be dumped the kernel gives everything to the administrator (proc(5)).
        assert_eq!(fs::metadata(format!("/proc/{pid}/environ")).unwrap().uid(), 0, "it can be dumped");
        for file in ["mem", "environ", "maps"] {
            let mut cat = Command::new("cat");
            if other {
                cat.uid(NOBODY).gid(NOBODY);
            }
            let read =
                cat.arg(format!("/proc/{pid}/{file}")).stderr(Stdio::null()).stdout(Stdio::null()).status().unwrap();
            assert!(!read.success(), "another program of the same user reads its {file}");
        }
    }
    writer.write_all(format!("{PASSPHRASE}\n").as_bytes()).unwrap();
    drop(writer);
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A vault whose database is a link to another folder: the program follows the link, and the kernel stops it there.
#[test]
fn what_the_command_line_does_not_speak_of_is_out_of_reach() {
    let world = founded();
    let report = done_as(&world, "ada", &["check"]);
    if report.contains("cannot confine") {
        return; // This kernel has no Landlock; `subrosa check` says so.
    }
    let (database, inside, outside) =
        (world.at("vault/catalogue.db"), world.at("vault/there.db"), world.at("elsewhere/there.db"));
    fs::rename(&database, &inside).unwrap();
    symlink(&inside, &database).unwrap();
    assert_eq!(world.run_as("ada", &["person", "list"]).code, Some(0), "a link within the vault");
    fs::remove_file(&database).unwrap();
    fs::rename(&inside, &outside).unwrap();
    symlink(&outside, &database).unwrap();
    let done = world.run_as("ada", &["person", "list"]);
    assert_eq!(done.code, Some(1), "it reads a file outside of the vault");
    assert!(String::from_utf8_lossy(&done.err).contains("catalogue.db cannot be written here"));
}

/// What people do at their shells.
#[test]
fn nothing_that_people_do_is_hindered() {
    let world = founded();
    // Descriptors, pipes and devices for the passphrase and for what is written.
    let program = env!("CARGO_BIN_EXE_subrosa");
    let base = format!("'{program}' --vault vault --identity people/ada.id --yes");
    for (what, line) in [
        ("a descriptor", format!("{base} --passphrase-file /dev/fd/3 person list 3< given/pass")),
        ("a pipe", format!("cat given/pass | {base} --passphrase-file /dev/stdin person list")),
        (
            "a file that is gone",
            format!("cp given/pass tmp/p; exec 3< tmp/p; rm tmp/p; {base} --passphrase-file /dev/fd/3 person list"),
        ),
        (
            "to the screen",
            format!("{base} --passphrase-file given/pass audit checkpoint --out /dev/stdout | grep -q '^— '"),
        ),
        (
            "into a file by the shell",
            format!(
                "{base} --passphrase-file given/pass audit checkpoint --out /dev/stdout > out/c1 && grep -q '^— ' out/c1"
            ),
        ),
        (
            "behind what is there",
            format!(
                "echo x > out/c2; {base} --passphrase-file given/pass audit checkpoint --out /dev/fd/4 4>> out/c2 && head -1 out/c2 | grep -q '^x$' && grep -q '^— ' out/c2"
            ),
        ),
        ("away", format!("{base} --passphrase-file given/pass audit checkpoint --out /dev/null")),
        (
            "along a crooked path",
            format!(
                "cd out && '{program}' --vault ../people/.././vault --identity ../people/ada.id --passphrase-file ../given/pass audit checkpoint --out ../out/../out/c3 && test -s c3"
            ),
        ),
        (
            "from within the vault's folder",
            format!(
                "cd vault && '{program}' --vault . --identity ../people/ada.id --passphrase-file ../given/pass person list"
            ),
        ),
        ("with no home", format!("unset HOME; {base} --passphrase-file given/pass person list")),
    ] {
        let done =
            Command::new("sh").args(["-ec", &line]).current_dir(world.root()).stdin(Stdio::null()).output().unwrap();
        assert!(done.status.success(), "{what}: {}", String::from_utf8_lossy(&done.stderr));
    }
    assert!(world.at("out/c3").is_file() && !Path::new("/dev/.null.part").exists());

    // Somebody's own folder, found by name; their state is kept there.
    fs::create_dir(world.at("home/.subrosa")).unwrap();
    fs::copy(world.at("people/ada.id"), world.at("home/.subrosa/ada.id")).unwrap();
    let done = world.run(&["--vault", "vault", "--as", "ada", "--passphrase-file", "given/pass", "person", "list"]);
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.err));
    assert_eq!(fs::read_dir(world.at("home/.subrosa/ada.state")).unwrap().count(), 1);

    let period = ["--fieldwork", "2020-01-01..2024-12-31", "--use", "2020-01-01..2040-12-31"];
    done_as(
        &world,
        "ada",
        &[&["approval", "add", "--board", "university", "--reference", "1", "--title", "1"][..], &period].concat(),
    );

    // Links to the vault, to its folder of recordings, and to where something is written.
    fs::rename(world.at("vault/objects"), world.at("elsewhere/objects")).unwrap();
    symlink(world.at("elsewhere/objects"), world.at("vault/objects")).unwrap();
    symlink(world.at("vault"), world.at("linked")).unwrap();
    symlink(world.at("elsewhere"), world.at("out/linked")).unwrap();
    let options = ["--vault", "linked", "--identity", "people/ben.id", "--passphrase-file", "given/pass", "--yes"];
    let run = |args: &[&str]| {
        let all: Vec<&str> = options.iter().chain(args).copied().collect();
        world.run(&all)
    };
    for args in [
        &["ingest", "given/delivery"][..],
        &["check"],
        &["audit", "slip", CODE, "--out", "out/linked/slip"],
        &["audit", "export", "--out", "out/linked/new/deeper/export"],
        &["audit", "verify", "--export", "out/linked/new/deeper/export"],
    ] {
        let done = run(args);
        assert_eq!(done.code, Some(0), "{args:?}: {}", String::from_utf8_lossy(&[done.err, done.out].concat()));
    }
    assert!(world.at("elsewhere/slip").is_file());

    // A key folder elsewhere, told by its option; and one that the vault itself remembers.
    fs::create_dir(world.at("other")).unwrap();
    fs::rename(world.at("vault.keys"), world.at("other/keys")).unwrap();
    let done = run(&["--keys", "other/../other/keys", "check"]);
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.err));
    let new = [
        "--identity",
        "people/ada.id",
        "--passphrase-file",
        "given/pass",
        "--keys",
        "k/e/y",
        "init",
        "far/away/vault",
        "--study",
        "given/study.toml",
        "--sheet",
        "out/sheet",
    ];
    let done = world.run(&new);
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.err));
    let options =
        ["--vault", "far/away/vault", "--identity", "people/ada.id", "--passphrase-file", "given/pass", "check"];
    assert_eq!(world.run(&options).code, Some(0));

    // What is missing is told as missing, and not as forbidden.
    let done = run(&["--keys", "other/keys", "audit", "slip", CODE, "--out", "no/such/folder/slip"]);
    assert!(String::from_utf8_lossy(&done.err).contains("is not there"), "{}", String::from_utf8_lossy(&done.err));
    let done = run(&["--keys", "other/keys", "ingest", "no/such/folder"]);
    assert!(String::from_utf8_lossy(&done.err).contains("is not there"), "{}", String::from_utf8_lossy(&done.err));
    drop(File::open(world.at("out/sheet")).unwrap());
}
