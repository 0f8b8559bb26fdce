//! The built program on hurt vaults: exit codes, what goes to which stream, and words.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::params;
use serde_json::Value;

use super::scene::{CODES, Copy, Scene};
use super::{object_files, rows};

/// What a run gave.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(at: &Path, args: &[&str]) -> Ran {
    let done = Command::new(env!("CARGO_BIN_EXE_subrosa"))
        .args(["--vault", "vault", "--identity", "Ben.id", "--passphrase-file", "pass"])
        .args(args)
        .current_dir(at)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: done.status.code(), out: text(done.stdout), err: text(done.stderr) };
    for code in CODES {
        assert!(!ran.err.contains(code), "{args:?}: a code among the errors: {}", ran.err);
    }
    ran
}

/// Runs `check`, in words and as JSON: both end with 4 and say all of `words`.
fn check(at: &Path, words: &[&str]) {
    let ran = run(at, &["check"]);
    assert_eq!(ran.code, Some(4), "{}\n{}", ran.out, ran.err);
    words.iter().for_each(|words| assert!(ran.out.contains(words), "{words:?} is not in:\n{}", ran.out));
    let ran = run(at, &["check", "--json"]);
    assert_eq!(ran.code, Some(4), "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["sound"], false);
    let faults = report["faults"].as_array().unwrap();
    assert!(
        faults.iter().all(|fault| ["hurt", "what", "rest"].iter().all(|field| fault[field].is_string())),
        "{faults:?}"
    );
}

#[test]
fn the_program_says_what_is_hurt_and_goes_on_with_the_rest() {
    let scene = Scene::get();
    let copy = || Copy::of(&scene.whole);

    let whole = copy();
    let ran = run(&whole.path(), &["check"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains("Everything looked at is sound"), "{}", ran.out);

    // A file: the rest is listed and shown as if nothing were.
    let hurt = copy();
    let object = hurt.path().join(&object_files(&hurt.path())[0]);
    let mut bytes = fs::read(&object).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&object, bytes).unwrap();
    check(&hurt.path(), &["was changed or is damaged", "Restore objects/", "from a backup"]);
    let ran = run(&hurt.path(), &["interview", "list"]);
    assert!(ran.code == Some(0) && CODES.iter().all(|code| ran.out.contains(code)), "{}", ran.out);

    // A row: its interview is missing from lists, which say so.
    let hurt = copy();
    let db = rows::open(&hurt.path(), "catalogue.db", &scene.key_of("catalogue"));
    let sql = "UPDATE interview SET body = ?1 WHERE id = (SELECT min(id) FROM interview)";
    assert_eq!(db.execute(sql, params![vec![1u8; 60]]).unwrap(), 1);
    drop(db);
    check(&hurt.path(), &["an interview of site", "its row cannot be opened"]);
    for (args, least) in
        [(&["interview", "list"][..], 2), (&["redact", "status"], 2), (&["consent", "due", "--days", "9000"], 1)]
    {
        let ran = run(&hurt.path(), args);
        assert_eq!(ran.code, Some(4), "{args:?}: {}", ran.err);
        let there = CODES.iter().filter(|code| ran.out.contains(*code)).count();
        assert!(there >= least && there < 3, "{args:?}: {}", ran.out);
        assert!(ran.err.contains("damaged and left out"), "{args:?}: {}", ran.err);
    }

    // The vault as a whole: nothing is listed, and the parts are looked at one by one.
    type Hurt = fn(&Scene, &Path);
    let parts: [(Hurt, &[&str], i32); 5] = [
        (|_, at| fs::remove_file(at.join("vault/vault.json")).unwrap(), &["vault.json", "Restore vault.json"], 4),
        (|_, at| fs::write(at.join("vault.keys/keyfile"), b"SBRKEYS1").unwrap(), &["the key file"], 4),
        (|_, at| fs::remove_file(at.join("vault/keyring.json")).unwrap(), &["keyring.json", "Not looked into"], 4),
        (
            |scene, at| {
                fs::copy(scene.old.join("vault/catalogue.db"), at.join("vault/catalogue.db")).unwrap();
            },
            &["catalogue.db is older than the ledger"],
            4,
        ),
        (
            |_, at| {
                let path = at.join("vault/ledger.db");
                let mut bytes = fs::read(&path).unwrap();
                bytes[100] ^= 1;
                fs::write(path, bytes).unwrap();
            },
            &["ledger.db is damaged", "Restore it from a backup"],
            4,
        ),
    ];
    for (hurt, words, code) in parts {
        let copy = copy();
        hurt(scene, &copy.path());
        check(&copy.path(), words);
        let ran = run(&copy.path(), &["interview", "list"]);
        assert!(ran.code == Some(code) && ran.out.is_empty(), "{words:?}: {:?} {}", ran.code, ran.out);
        assert!(ran.err.lines().count() >= 2, "{words:?}: {}", ran.err);
    }
}
