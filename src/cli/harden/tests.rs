//! That everything is declared, and that nothing else can be reached.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::reach::{ROLES, role};

/// Every argument that is a path, with its command.
fn paths(command: &clap::Command, name: &str, out: &mut BTreeSet<(String, String)>) {
    for argument in command.get_arguments() {
        if argument.get_value_parser().type_id() == TypeId::of::<PathBuf>() {
            out.insert((name.to_owned(), argument.get_id().to_string()));
        }
    }
    for inner in command.get_subcommands() {
        paths(inner, format!("{name} {}", inner.get_name()).trim_start(), out);
    }
}

#[test]
fn every_path_on_the_command_line_has_its_role() {
    let mut all = BTreeSet::new();
    paths(&super::super::Cli::command(), "", &mut all);
    assert!(all.len() > 45, "{}", all.len());
    for (command, argument) in &all {
        assert!(role(command, argument).is_some(), "ROLES has no line for `{command}`, {argument}");
    }
    for (command, argument, _) in ROLES {
        let global = all.contains(&(String::new(), (*argument).to_owned()));
        assert!(
            global || all.contains(&((*command).to_owned(), (*argument).to_owned())),
            "ROLES speaks of `{command}`, {argument}, which is not there"
        );
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File, OpenOptions};
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};

    use super::super::reach::{Reach, Role};
    use super::super::{Confined, landlock_reach};
    use super::*;
    use crate::cli::Cli;
    use clap::FromArgMatches;

    /// Runs `act` in a thread that is confined; the others are not. `None` on a system that cannot.
    fn confined<T: Send + 'static>(reach: Reach, act: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        std::thread::spawn(move || {
            let Confined { files, tcp } = landlock_reach(&reach).unwrap_or_default();
            (files && tcp).then(act)
        })
        .join()
        .unwrap()
    }

    fn reach(line: &[&str]) -> Reach {
        let given = Cli::command().try_get_matches_from(["subrosa"].iter().chain(line)).unwrap();
        Reach::of(&given, &Cli::from_arg_matches(&given).unwrap().global)
    }

    fn denied<T>(result: std::io::Result<T>) -> bool {
        result.err().is_some_and(|e| e.kind() == ErrorKind::PermissionDenied)
    }

    #[test]
    fn nothing_else_can_be_reached() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().to_owned();
        for folder in ["in", "out", "work", "other"] {
            fs::create_dir(dir.join(folder)).unwrap();
            fs::write(dir.join(folder).join("a"), b"a").unwrap();
        }
        let mut reach = Reach::default();
        let global =
            Cli::from_arg_matches(&Cli::command().try_get_matches_from(["subrosa", "check"]).unwrap()).unwrap();
        for (role, path) in [(Role::Read, "in"), (Role::Write, "out/new"), (Role::Work, "work")] {
            reach.add(role, &dir.join(path), &global.global);
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let faults = confined(reach, move || {
            let at = |name: &str| dir.join(name);
            let write = |path: PathBuf| OpenOptions::new().write(true).create(true).truncate(true).open(path);
            let cases = [
                ("read what is given", fs::read(at("in/a")).is_ok()),
                ("list what is given", fs::read_dir(at("in")).is_ok()),
                ("write what is written", write(at("out/.new.part")).is_ok()),
                ("give it its name", fs::rename(at("out/.new.part"), at("out/new")).is_ok()),
                ("sync its folder", File::open(at("out")).and_then(|f| f.sync_all()).is_ok()),
                ("take it away", fs::remove_file(at("out/new")).is_ok()),
                ("work in a folder", fs::create_dir(at("work/b")).is_ok() && fs::write(at("work/b/c"), b"c").is_ok()),
                ("rename across folders", fs::rename(at("work/b/c"), at("work/c")).is_ok()),
                ("read a system file", denied(File::open("/etc/passwd"))),
                ("read a file elsewhere", denied(fs::read(at("other/a")))),
                ("list a folder elsewhere", denied(fs::read_dir(at("other")))),
                ("list the folder above", denied(fs::read_dir(&dir))),
                ("write elsewhere", denied(write(at("other/b")))),
                ("write over a file elsewhere", denied(write(at("other/a")))),
                ("remove elsewhere", denied(fs::remove_file(at("other/a")))),
                ("write what is only read", denied(write(at("in/a"))) && denied(write(at("in/b")))),
                ("read what is only written", denied(fs::read(at("out/a")))),
                ("make a folder where files are written", denied(fs::create_dir(at("out/d")))),
                ("link elsewhere", fs::hard_link(at("other/a"), at("work/e")).is_err()),
                ("start a program", denied(std::process::Command::new("/bin/true").status())),
                ("connect", denied(TcpStream::connect(address))),
                ("listen", denied(TcpListener::bind("127.0.0.1:0"))),
            ];
            cases.into_iter().filter(|(_, holds)| !holds).map(|(what, _)| what).collect::<Vec<_>>()
        });
        assert_eq!(faults.unwrap_or_default(), Vec::<&str>::new());
    }

    #[test]
    fn a_command_reaches_what_it_speaks_of() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().canonicalize().unwrap();
        let text = |name: &str| dir.join(name).to_str().unwrap().to_owned();
        fs::write(dir.join("ada.id"), b"").unwrap();
        fs::create_dir(dir.join("sub")).unwrap();
        let had = |list: &[PathBuf], path: &Path| list.iter().any(|p| p == path);

        let r = reach(&["--identity", &text("ada.id"), "identity", "passphrase"]);
        assert!(had(&r.look, &dir.join("ada.id")) && had(&r.all, &dir.join("ada.state")) && had(&r.write, &dir));
        assert!(dir.join("ada.state").is_dir());
        let r = reach(&["--identity", &text("nobody.id"), "check"]);
        assert!(!dir.join("nobody.state").exists() && r.write.is_empty());
        let r = reach(&["redact", "detect", &text("a"), &text("b")]);
        assert_eq!(r.look, [dir.join("a"), dir.join("b")]);
        assert!(r.write.is_empty() && r.all.is_empty());
        // A folder that is not there yet: the nearest one above it.
        let r = reach(&["audit", "export", "--out", &text("sub/x/y/out")]);
        assert_eq!(r.all, [dir.join("sub")]);
        let r = reach(&["clock", "sign", "--out", "/dev/stdout"]);
        assert_eq!(r.write, [PathBuf::from("/dev/stdout")]);
        let r = reach(&["clock", "sign", "--out", "statement"]);
        assert_eq!(r.write, [PathBuf::from(".")]);
        assert!(reach(&["demo"]).starts_itself && !reach(&["check"]).starts_itself);
    }
}
