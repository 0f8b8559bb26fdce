//! The whole story of `subrosa demo`, through the built program; and that nothing planted in the sample is found anywhere after it.

#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn subrosa(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_subrosa"))
        .args(args)
        .current_dir(dir)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
}

/// Every spelling of a secret that a leak could have on a disk.
fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let utf16 = |big: bool| -> Vec<u8> {
        secret.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    let mut all = vec![secret.as_bytes().to_vec(), utf16(false), utf16(true)];
    all.push(serde_json::to_string(secret).unwrap().trim_matches('"').as_bytes().to_vec());
    all.sort();
    all.dedup();
    all
}

/// Which secrets are in some bytes, told by their place in the list: a test that fails must not print them either.
fn leaks(bytes: &[u8], secrets: &[String]) -> BTreeSet<usize> {
    let found = |(i, secret): (usize, &String)| {
        let hit = spellings(secret).iter().any(|s| memchr_find(bytes, s));
        hit.then_some(i)
    };
    secrets.iter().enumerate().filter_map(found).collect()
}

fn memchr_find(haystack: &[u8], needle: &[u8]) -> bool {
    regex::bytes::Regex::new(&regex::escape_bytes(needle)).unwrap().is_match(haystack)
}

/// A regular expression that matches these bytes and nothing else.
mod regex {
    pub(super) use ::regex::bytes;

    pub(super) fn escape_bytes(needle: &[u8]) -> String {
        let hex: String = needle.iter().map(|b| format!("\\x{b:02x}")).collect();
        format!("(?-u){hex}")
    }
}

#[test]
fn the_demo_tells_the_whole_story_and_leaks_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let done = subrosa(dir, &["demo", "--dir", "play"]);
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}\n{err}");

    let playbill: Value = serde_json::from_slice(&std::fs::read(dir.join("play/demo.json")).unwrap()).unwrap();
    let fields: BTreeSet<&str> = playbill.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["vault", "keys", "people", "extract", "analyst_identity", "checkpoint", "export", "secrets"].into();
    assert_eq!(fields, expected);
    let path = |name: &str| PathBuf::from(playbill[name].as_str().unwrap());
    let secrets = strings(&playbill["secrets"]);
    assert!(secrets.len() > 100);

    // Nothing planted is in any file of the folder but the playbill, nor on the screen.
    let mut all = Vec::new();
    files(&dir.join("play"), &mut all);
    for file in all.iter().filter(|f| f.file_name().unwrap() != "demo.json") {
        let found = leaks(&std::fs::read(file).unwrap(), &secrets);
        assert!(found.is_empty(), "{}: secrets number {found:?}", file.display());
    }
    let found = leaks(&[&done.stdout[..], &done.stderr[..]].concat(), &secrets);
    assert!(found.is_empty(), "on the screen: secrets number {found:?}");

    // The extract opens with a plain age identity, and is a tar with the words of people who agreed.
    let identity = std::fs::read_to_string(path("analyst_identity")).unwrap();
    let identity: age::x25519::Identity =
        identity.lines().find(|l| l.starts_with("AGE-SECRET-KEY-")).unwrap().parse().unwrap();
    let sealed = std::fs::File::open(path("extract")).unwrap();
    let decryptor = age::Decryptor::new(std::io::BufReader::new(sealed)).unwrap();
    let mut plain = Vec::new();
    decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).unwrap().read_to_end(&mut plain).unwrap();
    assert!(leaks(&plain, &secrets).is_empty());
    let codes = regex::bytes::Regex::new(r"\b(AM|GE|SR|PL)-0\d\b").unwrap();
    let mut archive = tar::Archive::new(&plain[..]);
    let mut names = Vec::new();
    let mut words = 0;
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        if name.starts_with("transcripts/") {
            words += text.split_whitespace().count();
        }
        // Whole words only: a pseudonym may have the same letters in it.
        assert!(!codes.is_match(text.as_bytes()) && !codes.is_match(name.as_bytes()), "an archive code in {name}");
        names.push(name);
    }
    for needed in
        ["manifest.json", "decision.json", "release.json", "release.tlog-proof", "participants.csv", "README.txt"]
    {
        assert!(names.iter().any(|n| n == needed), "{needed} is missing");
    }
    assert!(words > 1000, "only {words} words went out");

    // Everybody can go on from there: the auditor verifies, a steward checks.
    let vault = path("vault");
    let person = |name: &str| {
        let people = playbill["people"].as_array().unwrap();
        let who = people.iter().find(|p| p["name"] == name).unwrap();
        (who["identity"].as_str().unwrap().to_owned(), who["passphrase_file"].as_str().unwrap().to_owned())
    };
    let as_person = |name: &str, args: &[&str]| {
        let (identity, passphrase) = person(name);
        let mut full =
            vec!["--vault", vault.to_str().unwrap(), "--identity", &identity, "--passphrase-file", &passphrase];
        full.extend(args);
        subrosa(dir, &full)
    };
    for (name, args) in [
        ("Eve", &["audit", "verify", "--all"][..]),
        ("Ben", &["check"]),
        ("Ada", &["check"]),
        ("Ada", &["audit", "verify", "--all"]),
    ] {
        let done = as_person(name, args);
        assert!(done.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let export = path("export");
    let done = subrosa(
        dir,
        &[
            "audit",
            "verify",
            "--export",
            export.to_str().unwrap(),
            "--checkpoint",
            path("checkpoint").to_str().unwrap(),
        ],
    );
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));

    // Four doors stay shut, each with its own exit code: analyst at the vault, wrong passphrase, no vault, wrong usage.
    assert_eq!(as_person("Cid", &["interview", "list"]).status.code(), Some(3));
    let (ben, _) = person("Ben");
    let (_, wrong) = person("Ada");
    let args =
        ["--vault", vault.to_str().unwrap(), "--identity", &ben, "--passphrase-file", &wrong, "interview", "list"];
    assert_eq!(subrosa(dir, &args).status.code(), Some(5));
    let args = ["--vault", "nowhere", "--identity", &ben, "--passphrase-file", &wrong, "interview", "list"];
    assert_eq!(subrosa(dir, &args).status.code(), Some(1));
    assert_eq!(subrosa(dir, &["nonsense"]).status.code(), Some(2));
}
