//! What a command may reach: every path that the command line can speak of, and what is done with it.
//!
//! A new command, or a new argument that is a path, is out of reach until it has a line in [`ROLES`]; a test names what is missing there.

use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::super::global::Global;
use crate::store::files::{self, Layout};
use crate::store::state::StateFolder;

/// What a command does with a path that it is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Role {
    /// Reads it: a file, or a folder with all that is in it.
    Read,
    /// Writes a file of that name, new or anew, under a temporary name beside it.
    Write,
    /// Reads a file and writes it anew.
    Rewrite,
    /// Makes a folder of that name, with others beside it.
    Make,
    /// Works in a folder, or makes it.
    Work,
    /// The vault's folder.
    Vault,
    /// Reads somebody's identity and works in the state folder beside it.
    Identity,
    /// The same, and writes the identity anew.
    Reseal,
}

use Role::{Identity, Make, Read, Reseal, Rewrite, Vault, Work, Write};

/// Every argument that is a path: the command (none for the options of all commands), the argument's name in the code, and what is done with it.
pub(in crate::cli) const ROLES: &[(&str, &str, Role)] = &[
    ("", "vault", Vault),
    ("", "keys", Work),
    ("", "identity", Identity),
    ("", "passphrase_file", Read),
    ("approval add", "document", Read),
    ("approval document", "out", Write),
    ("audit log", "cards", Read),
    ("audit log", "export", Read),
    ("audit verify", "export", Read),
    ("audit verify", "card", Read),
    ("audit verify", "checkpoint", Read),
    ("audit checkpoint", "out", Write),
    ("audit checkpoint", "add", Read),
    ("audit update", "out", Write),
    ("audit witness", "state", Rewrite),
    ("audit witness", "update", Read),
    ("audit witness", "card", Read),
    ("audit witness", "out", Write),
    ("audit proof", "out", Write),
    ("audit export", "out", Make),
    ("audit who", "slip", Read),
    ("audit who", "export", Read),
    ("audit who", "cards", Read),
    ("audit slip", "out", Write),
    ("clock sign", "out", Write),
    ("clock accept", "first", Read),
    ("clock accept", "second", Read),
    ("demo", "dir", Make),
    ("extract build", "out", Write),
    ("extract open", "file", Read),
    ("extract open", "to", Make),
    ("extract open", "vault_card", Read),
    ("identity new", "out", Write),
    ("identity show", "card", Read),
    ("identity passphrase", "identity", Reseal),
    ("identity passphrase", "new_passphrase_file", Read),
    ("identity export-age", "out", Write),
    ("ingest", "dir", Read),
    ("init", "dir", Make),
    ("init", "study", Read),
    ("init", "steward", Read),
    ("init", "board", Read),
    ("init", "trustee", Read),
    ("init", "sheet", Write),
    ("person add", "card", Read),
    ("person passphrase", "identity", Reseal),
    ("person passphrase", "new_passphrase_file", Read),
    ("policy check", "file", Read),
    ("policy set", "file", Read),
    ("redact detect", "files", Read),
    ("redact list", "file", Read),
    ("redact mark", "from_file", Read),
    ("request new", "to", Read),
    ("request new", "out", Write),
    ("request receive", "files", Read),
    ("study amend", "file", Read),
    ("study check", "file", Read),
];

/// The one command that runs this program once more, as each person of its story would; those runs are confined each by itself.
const STARTS_ITSELF: &str = "demo";

/// What the program and its libraries look at on any system: how many cores they may use, and random bytes.
pub(super) const LOOKED_AT: &[&str] = &[
    "/dev/random",
    "/dev/urandom",
    "/proc/self/cgroup",
    "/proc/self/mountinfo",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
];

/// Devices: the terminal that a passphrase is typed on, and nothing at all.
pub(super) const DEVICES: &[&str] = &["/dev/null", "/dev/tty"];

/// Files and folders, by what may be done with them. All of them are there.
#[derive(Default)]
pub(in crate::cli) struct Reach {
    /// Read, and all beneath.
    pub(super) look: Vec<PathBuf>,
    /// Written, and whatever is made and removed beneath; not read.
    pub(super) write: Vec<PathBuf>,
    /// Everything, beneath as well; nothing is ever started.
    pub(super) all: Vec<PathBuf>,
    /// No files are out of reach: the command only runs this program again.
    pub(super) starts_itself: bool,
}

impl Reach {
    /// What the command line speaks of. Makes the state folder beside an identity, if that is there.
    pub(in crate::cli) fn of(matches: &ArgMatches, global: &Global) -> Self {
        let (command, matches) = leaf(matches);
        let mut reach = Self { starts_itself: command == STARTS_ITSELF, ..Self::default() };
        for id in matches.ids() {
            let Some(role) = role(&command, id.as_str()) else { continue };
            let Ok(Some(paths)) = matches.try_get_many::<PathBuf>(id.as_str()) else { continue };
            paths.for_each(|path| reach.add(role, path, global));
        }
        // `--as NAME` is a path too.
        if global.identity.is_none()
            && let Ok(path) = global.identity_path()
        {
            reach.add(role(&command, "identity").unwrap_or(Identity), &path, global);
        }
        reach
    }

    /// Adds one path.
    pub(super) fn add(&mut self, role: Role, path: &Path, global: &Global) {
        match role {
            Read => self.look.push(path.to_owned()),
            Write => self.written(path),
            Rewrite => {
                self.look.push(path.to_owned());
                self.written(path);
            }
            Make => {
                self.all.push(existing(parent(path)));
                self.all.extend(path.is_dir().then(|| path.to_owned()));
            }
            Work => self.all.push(existing(path)),
            Vault => {
                self.all.push(path.to_owned());
                // These may be links to a larger disk.
                self.all.extend(["objects", "tmp"].map(|name| path.join(name)));
                let keys = Layout::open(path, global.keys.as_deref()).map(|layout| layout.keys().to_owned());
                self.all.extend(keys);
            }
            Identity => {
                self.look.push(path.to_owned());
                self.state(path);
            }
            Reseal => {
                self.look.push(path.to_owned());
                self.state(path);
                self.written(path);
            }
        }
    }

    /// A device or a pipe is written into; a file gets its name from a temporary one in the same folder.
    fn written(&mut self, path: &Path) {
        if files::written_into(path) {
            self.write.push(path.to_owned());
        } else {
            self.write.push(existing(parent(path)));
        }
    }

    fn state(&mut self, identity: &Path) {
        let folder = StateFolder::beside(identity);
        // Whether it can be made shows when something is to be kept there.
        if identity.is_file() {
            let _ = folder.make();
        }
        self.all.push(folder.path().to_owned());
    }
}

/// What is done with an argument of a command.
pub(super) fn role(command: &str, argument: &str) -> Option<Role> {
    let of = |of: &str| ROLES.iter().find(|(c, a, _)| *c == of && *a == argument).map(|(.., role)| *role);
    of(command).or_else(|| of(""))
}

/// The command in words, and what was given to it.
fn leaf(matches: &ArgMatches) -> (String, &ArgMatches) {
    let (mut name, mut at) = (String::new(), matches);
    while let Some((part, inner)) = at.subcommand() {
        name = format!("{name} {part}").trim_start().to_owned();
        at = inner;
    }
    (name, at)
}

/// The folder that a path lies in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// The path, or the nearest one above it that is there.
fn existing(mut path: &Path) -> PathBuf {
    while !path.exists() && path != Path::new(".") && path.parent().is_some() {
        path = parent(path);
    }
    path.to_owned()
}
