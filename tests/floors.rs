//! The floors of the house (docs/architecture.md): a module imports from lower floors only, siblings never import each other, and what
//! only one floor may do no other does. Test modules may look anywhere.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// Every top module and its floor. A new one has to be named here.
const FLOORS: [(&str, u8); 14] = [
    ("base", 0),
    ("sample", 0),
    ("crypto", 1),
    ("ledger", 2),
    ("store", 2),
    ("formats", 2),
    ("redact", 3),
    ("disclosure", 3),
    ("domain", 3),
    ("session", 4),
    ("ops", 5),
    ("cli", 6),
    ("console", 6),
    ("main", 7),
];

/// Floors that do no input or output of their own.
const PURE: [&str; 8] = ["base", "sample", "crypto", "ledger", "formats", "redact", "disclosure", "domain"];

/// The one file that reads the clock.
const CLOCK: &str = "src/base/time.rs";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

#[test]
fn every_module_rests_on_lower_floors_only() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    assert!(files.len() > 50, "the sources are not where they should be");
    let mut faults = Vec::new();
    for path in &files {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        faults.extend(check(&name, &fs::read_to_string(path).unwrap()));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn unsafe_code_is_forbidden_and_the_lints_stand() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let lints = manifest["lints"].as_table().unwrap();
    assert_eq!(lints["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for lint in ["unwrap_used", "expect_used", "panic", "todo", "unimplemented", "print_stdout", "print_stderr"] {
        let level = lints["clippy"].get(lint).and_then(toml::Value::as_str);
        assert!(matches!(level, Some("warn" | "deny" | "forbid")), "the lint {lint} is off");
    }
}

#[test]
fn the_scanner_sees_what_it_should() {
    let sees = |file: &str, text: &str| check(file, text).len();
    // Higher floors and siblings, however they are spelled.
    assert_eq!(sees("src/ledger/entry.rs", "use crate::store::db;"), 1);
    assert_eq!(sees("src/ledger/entry.rs", "use crate::{base::Error, session::{View, Vault}};"), 2);
    assert_eq!(sees("src/ledger/entry.rs", "fn f() { crate::formats::table::read() }"), 1);
    assert_eq!(sees("src/ledger/verify/deep.rs", "use super::super::super::store::db;"), 1);
    assert_eq!(sees("src/ledger/mod.rs", "use super::{base::Error, super_::x, domain::code};"), 2);
    assert_eq!(sees("src/ledger/entry.rs", "macro_rules! m { () => { $crate::cli::run() } }"), 1);
    assert_eq!(sees("src/base/new.rs", "pub use crate::sample::STUDY;"), 1);
    assert_eq!(sees("src/main.rs", "fn main() { subrosa::cli::run() }"), 0);
    assert_eq!(sees("src/fresh/mod.rs", ""), 1);
    // What lies below, beside it on its own floor, or in no code at all.
    assert_eq!(sees("src/ledger/entry.rs", "use crate::{base::{Error, Result}, crypto};"), 0);
    assert_eq!(sees("src/ledger/entry.rs", "use super::super::ledger::note; use super::tree; use self::x::y;"), 0);
    assert_eq!(
        sees("src/ledger/entry.rs", "/// [`crate::cli`]\n// crate::cli::x\n/* /* crate::ops::x */ crate::ops::y */"),
        0
    );
    assert_eq!(
        sees(
            "src/ledger/entry.rs",
            r####"const A: &str = r#"crate::cli::x " "#; const B: char = '"'; const C: &str = "\"crate::ops::z";"####
        ),
        0
    );
    assert_eq!(sees("src/ledger/entry.rs", "pub(crate) fn f<'a>(x: &'a str) {} pub(in crate::ledger) fn g() {}"), 0);
    // Test modules, and what stands after them.
    let tests = "#[cfg(test)]\nmod tests { use crate::cli::x; fn f() { {} } }\n#[cfg(test)] use crate::ops::{a, b};\n";
    assert_eq!(sees("src/ledger/entry.rs", tests), 0);
    assert_eq!(sees("src/ledger/tests.rs", "use crate::cli::x;"), 0);
    assert_eq!(
        check("src/ledger/entry.rs", &format!("{tests}use crate::ops::c;"))[0].split(' ').next(),
        Some("src/ledger/entry.rs:4:")
    );
    // What only one floor may do.
    assert_eq!(sees("src/session/mod.rs", "use rusqlite::Connection;"), 1);
    assert_eq!(sees("src/session/mod.rs", "fn f(db: &rusqlite::Connection) {}"), 1);
    assert_eq!(sees("src/store/db.rs", "use rusqlite::Connection;"), 0);
    assert_eq!(sees("src/ops/build.rs", "fn f() { println!(\"\"); std::env::var(\"\"); io::stdout(); }"), 3);
    assert_eq!(sees("src/ops/build.rs", "use std::{env, fs};"), 1);
    assert_eq!(sees("src/cli/screen.rs", "fn f() { eprintln!(\"\"); std::env::var(\"\"); env!(\"X\"); }"), 0);
    assert_eq!(sees("src/domain/code.rs", "use std::fs::File; use std::{io, net::TcpStream};"), 2);
    assert_eq!(
        sees("src/ops/build.rs", "use jiff::Timestamp; fn f() { Timestamp::now(); std::time::SystemTime::now(); }"),
        2
    );
    assert_eq!(sees(CLOCK, "fn f() { jiff::Timestamp::now(); }"), 0);
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            out.push(path);
        }
    }
}

/// The faults of one file, each as `file:line: what`. `file` begins with `src/`.
fn check(file: &str, text: &str) -> Vec<String> {
    let module = module_of(file);
    let Some(own) = module.first().cloned() else { return Vec::new() };
    let Some(height) = floor(&own) else {
        return vec![format!("{file}:1: `{own}` has no floor: name it in tests/floors.rs")];
    };
    if file.ends_with("tests.rs") || file.split('/').any(|part| part == "tests") {
        return Vec::new();
    }
    let tokens = without_tests(tokens(text));
    let mut faults = Vec::new();
    for path in paths(&tokens, &module) {
        let mut fault = |what: String| faults.push(format!("{file}:{}: {what}", path.line));
        let parts: Vec<&str> = path.parts.iter().map(String::as_str).collect();
        let has = |wanted: &[&str]| parts.windows(wanted.len()).any(|window| window == wanted);
        if path.inside {
            if let Some(target) = parts.first().filter(|target| **target != own) {
                match floor(target) {
                    None => fault(format!("`{target}` has no floor: name it in tests/floors.rs")),
                    Some(other) if other > height => fault(format!("`{own}` imports from the higher floor `{target}`")),
                    Some(other) if other == height => fault(format!("`{own}` imports from its sibling `{target}`")),
                    Some(_) => {}
                }
            }
            continue;
        }
        if own != "store" && parts[0] == "rusqlite" {
            fault("only `store` may name rusqlite".to_owned());
        }
        if !matches!(own.as_str(), "cli" | "console" | "main") {
            if path.is_macro && matches!(parts[0], "print" | "println" | "eprint" | "eprintln" | "dbg") {
                fault("only the command line prints".to_owned());
            }
            if ["stdin", "stdout", "stderr"].iter().any(|stream| has(&["io", stream])) {
                fault("only the command line has a terminal".to_owned());
            }
            if has(&["std", "env"]) {
                fault("only the command line reads the environment".to_owned());
            }
        }
        if PURE.contains(&own.as_str()) && ["fs", "net", "process"].iter().any(|name| has(&["std", name])) {
            fault(format!("`{own}` is pure: no files, no network, no processes"));
        }
        let clocks = ["Timestamp", "SystemTime", "Zoned", "Utc", "Local"];
        if file != CLOCK && clocks.iter().any(|clock| has(&[clock, "now"])) {
            fault(format!("only {CLOCK} reads the clock"));
        }
    }
    faults
}

/// `src/a/b.rs` and `src/a/b/mod.rs` are the module `a::b`; `src/lib.rs` is the root.
fn module_of(file: &str) -> Vec<String> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Ident(String),
    /// `::`
    Sep,
    Mark(char),
}

/// The code of a source text with the line of each token; no comments, no literals.
fn tokens(text: &str) -> Vec<(usize, Token)> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut out, mut i, mut line) = (Vec::new(), 0, 1);
    while i < chars.len() {
        let from = i;
        let c = at(i);
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            let mut depth = 0;
            loop {
                match (at(i), at(i + 1)) {
                    ('/', '*') => (depth, i) = (depth + 1, i + 2),
                    ('*', '/') => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
                if depth == 0 || i >= chars.len() {
                    break;
                }
            }
        } else if let Some(end) = raw_string(&chars, i) {
            i = end;
        } else if c == '"' {
            i += 1;
            while i < chars.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            i += 1;
        } else if c == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            i += if at(i + 1) == '\\' { 3 } else { 2 };
            while i < chars.len() && at(i) != '\'' {
                i += 1;
            }
            i += 1;
        } else if c.is_alphanumeric() || c == '_' {
            while at(i).is_alphanumeric() || at(i) == '_' {
                i += 1;
            }
            out.push((line, Token::Ident(chars[from..i].iter().collect())));
        } else if c == ':' && at(i + 1) == ':' {
            i += 2;
            out.push((line, Token::Sep));
        } else {
            i += 1;
            if !c.is_whitespace() {
                out.push((line, Token::Mark(c)));
            }
        }
        line += chars[from..i.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    out
}

/// Where the raw string (`r"…"`, `br#"…"#`) that begins at `i` ends.
fn raw_string(chars: &[char], i: usize) -> Option<usize> {
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    if i > 0 && (at(i - 1).is_alphanumeric() || at(i - 1) == '_') {
        return None;
    }
    let mut j = if matches!(at(i), 'b' | 'c') { i + 1 } else { i };
    if at(j) != 'r' {
        return None;
    }
    j += 1;
    let hashes = chars[j..].iter().take_while(|c| **c == '#').count();
    j += hashes;
    if at(j) != '"' {
        return None;
    }
    j += 1;
    while j < chars.len() {
        if at(j) == '"' && (1..=hashes).all(|k| at(j + k) == '#') {
            return Some(j + 1 + hashes);
        }
        j += 1;
    }
    Some(j)
}

/// Leaves out every item under a `#[cfg(test)]`.
fn without_tests(tokens: Vec<(usize, Token)>) -> Vec<(usize, Token)> {
    use Token::{Ident, Mark};
    let start = [Mark('#'), Mark('['), Ident("cfg".into()), Mark('('), Ident("test".into()), Mark(')'), Mark(']')];
    let (mut out, mut i) = (Vec::new(), 0);
    while i < tokens.len() {
        let here = &tokens[i..];
        if here.len() < start.len() || !here.iter().zip(&start).all(|((_, token), wanted)| token == wanted) {
            out.push(tokens[i].clone());
            i += 1;
            continue;
        }
        i += start.len();
        let mut depth = 0;
        while let Some((_, token)) = tokens.get(i) {
            i += 1;
            match token {
                Mark('{') => depth += 1,
                Mark('}') => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(token, Mark(';' | '}')) {
                break;
            }
        }
    }
    out
}

/// A path in the code. Of this crate (`inside`) it is told from the crate's root on.
struct Found {
    line: usize,
    inside: bool,
    is_macro: bool,
    parts: Vec<String>,
}

fn paths(tokens: &[(usize, Token)], module: &[String]) -> Vec<Found> {
    let (mut out, mut i) = (Vec::new(), 0);
    while i < tokens.len() {
        let begins = matches!(tokens[i].1, Token::Ident(_)) && (i == 0 || tokens[i - 1].1 != Token::Sep);
        i = if begins { one_path(tokens, i, None, module, &mut out) } else { i + 1 };
    }
    out
}

/// Reads the path, or the tree of a `use`, at `i`, which goes on from `base`; returns where it ends.
fn one_path(
    tokens: &[(usize, Token)],
    mut i: usize,
    base: Option<(bool, Vec<String>)>,
    module: &[String],
    out: &mut Vec<Found>,
) -> usize {
    let line = tokens[i].0;
    let mut path = base;
    while let Some((_, Token::Ident(name))) = tokens.get(i) {
        path = Some(match (path, name.as_str()) {
            (None, "crate") => (true, Vec::new()),
            (None, "subrosa") if module == ["main"] => (true, Vec::new()),
            (None, "self") => (true, module.to_vec()),
            (None, "super") => (true, module[..module.len().saturating_sub(1)].to_vec()),
            (Some((true, mut parts)), "super") => {
                parts.pop();
                (true, parts)
            }
            (None, _) => (false, vec![name.clone()]),
            (Some((inside, mut parts)), _) => {
                parts.push(name.clone());
                (inside, parts)
            }
        });
        i += 1;
        if tokens.get(i).map(|(_, token)| token) != Some(&Token::Sep) {
            break;
        }
        i += 1;
    }
    let after = tokens.get(i).map(|(_, token)| token);
    if after == Some(&Token::Mark('{')) && i > 0 && tokens[i - 1].1 == Token::Sep {
        i += 1;
        while let Some((_, token)) = tokens.get(i) {
            match token {
                Token::Mark('}') => return i + 1,
                Token::Ident(_) => i = one_path(tokens, i, path.clone(), module, out),
                _ => i += 1,
            }
        }
        return i;
    }
    if let Some((inside, parts)) = path.filter(|(_, parts)| !parts.is_empty()) {
        out.push(Found { line, inside, is_macro: after == Some(&Token::Mark('!')), parts });
    }
    i
}
