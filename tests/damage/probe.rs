//! What a vault still does: looked at whole once, and then at every hurt copy. Nothing may differ but by an error that says damage.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use subrosa::base::progress::Silent;
use subrosa::base::{Error, Kind, Result};
use subrosa::crypto::stream;
use subrosa::domain::interview::Object;
use subrosa::formats::package::{Limits, PackageFile, read};
use subrosa::ops::check::{self, CheckReport};
use subrosa::ops::interview::{self, Filter};
use subrosa::ops::redact::{self, Selection, Which};
use subrosa::ops::{audit, build};
use subrosa::session::{Unlocked, Vault};
use subrosa::store::objects;

use super::scene::{CODES, Copy, REQUESTS, Scene};

/// What one look gives: bytes to compare, or an error.
type Look = Result<String>;

/// Looks with their names.
type Named = Vec<(String, Look)>;

/// Everything that is looked at, by a name that begins with the code that it is about.
type Looks = BTreeMap<String, Look>;

/// A way of hurting a vault, and what it may do.
pub struct Wound {
    pub name: String,
    /// Which folder of the scene is hurt.
    pub base: Base,
    /// Hurts the copy; `false` if this cannot be done to it.
    pub hurt: Box<dyn Fn(&Path) -> bool + Send + Sync>,
    pub expect: Expect,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Base {
    Whole,
    /// With write-ahead logs.
    Open,
}

/// What a wound may do.
#[derive(Clone, Default)]
pub struct Expect {
    /// The vault must not unlock.
    pub stops: bool,
    /// Whatever is about these interviews may fail; the rest may not.
    pub codes: BTreeSet<String>,
    /// Anything may fail.
    pub all: bool,
    /// What needs a lost row may be refused, as if it had never been there: less goes out, never more.
    pub refuses: bool,
    /// One of these words stands in what `check` finds; empty: any finding will do.
    pub names: Vec<String>,
    /// What ties rows to each other was changed, under the database's own key: until `check` has named it, these interviews may be shown with less
    /// or with something of the other, but nothing else goes out.
    pub ties: bool,
    /// There may be nothing to find.
    pub may_be_quiet: bool,
}

/// The whole scene looked at: what every hurt copy is compared with.
pub struct Healthy {
    whole: Looks,
    open: Looks,
}

impl Healthy {
    pub fn look(scene: &Scene) -> Self {
        let of = |folder: &Path| {
            let copy = Copy::of(folder);
            let mut vault = scene.unlock(&copy.path(), &scene.ben, scene.now).unwrap();
            let report = check::check(&mut vault, Default::default(), &Silent).unwrap();
            assert!(report.sound, "{report:#?}");
            drop(vault);
            let looks = look(scene, &copy.path());
            for (what, look) in &looks {
                assert!(look.is_ok() || what.starts_with("AM-02 build"), "{what}: {look:?}");
            }
            looks
        };
        Self { whole: of(&scene.whole), open: of(&scene.open) }
    }

    /// Hurts a copy and looks at it; gives everything that is not as it should be.
    pub fn suffer(&self, scene: &Scene, wound: &Wound) -> Vec<String> {
        let (folder, whole) = match wound.base {
            Base::Whole => (&scene.whole, &self.whole),
            Base::Open => (&scene.open, &self.open),
        };
        let copy = Copy::of(folder);
        let at = copy.path();
        if !(wound.hurt)(&at) {
            return Vec::new();
        }
        let mut wrong = Vec::new();
        let before = bytes_of(&at);
        let report = match scene.unlock(&at, &scene.ben, scene.now) {
            Ok(mut vault) => {
                if wound.expect.stops {
                    wrong.push("the vault unlocks".to_owned());
                }
                let report = check::check(&mut vault, Default::default(), &Silent);
                drop(vault);
                let looks = look(scene, &at);
                compare(&looks, whole, &wound.expect, &mut wrong);
                let fails = |(what, look): (&String, &Look)| look.is_err() && whole.get(what).is_none_or(Result::is_ok);
                if report.as_ref().is_ok_and(|report| report.sound) && looks.iter().any(fails) {
                    wrong.push("something fails, and check finds nothing".to_owned());
                }
                unchanged(&before, &bytes_of(&at), wound.base == Base::Open, &mut wrong);
                report
            }
            Err(error) => {
                if !wound.expect.stops && !wound.expect.all {
                    wrong.push(format!("the vault does not unlock: {error:?}"));
                }
                let shut_out = error.kind() == Kind::Denied && error.remedy().contains("keyring.json may be damaged");
                if (error.kind() != Kind::Damage && !shut_out) || error.remedy().is_empty() {
                    wrong.push(format!("it is not called damage: {error:?}"));
                }
                let report = check::check_apart(
                    &at.join("vault"),
                    None,
                    &scene.ben.again(),
                    &scene.state(&at, &scene.ben),
                    &error,
                );
                unchanged(&before, &bytes_of(&at), wound.base == Base::Open, &mut wrong);
                unchanged_databases(&before, &bytes_of(&at), &mut wrong);
                Ok(report)
            }
        };
        judge(report, &wound.expect, &mut wrong);
        wrong.into_iter().map(|what| format!("{}: {what}", wound.name)).collect()
    }
}

/// Looks at everything that an archivist can look at, each in a command of its own.
fn look(scene: &Scene, at: &Path) -> Looks {
    let mut vault: Option<Vault<Unlocked>> = None;
    let mut with = |look: &dyn Fn(&mut Vault<Unlocked>) -> Named| {
        let mut open = match vault.take().map_or_else(|| scene.unlock(at, &scene.ben, scene.now), Ok) {
            Ok(open) => open,
            Err(error) => return vec![("unlocked".to_owned(), Err(error))],
        };
        let looks = look(&mut open);
        // Whoever was refused starts the program again.
        vault = looks.iter().all(|(_, look)| look.is_ok()).then_some(open);
        looks
    };
    let mut looks = with(&|vault| listed(vault));
    for code in CODES {
        let one = |what: &str, look: Look| vec![(format!("{code} {what}"), look)];
        looks.extend(with(&|vault| one("shown", interview::show(vault, code, true).and_then(json))));
        let which = Which { code: code.into(), transcript: None };
        looks.extend(with(&|vault| one("words", redact::show(vault, &which, Selection::default()).and_then(json))));
        looks.extend(with(&|vault| one("files", files(vault, code))));
    }
    looks.extend(with(&|vault| {
        let against = audit::Against { all: true, ..Default::default() };
        let ledger = audit::verify_vault(vault, &against, &Silent).and_then(|report| report.require_sound());
        vec![("ledger verified".into(), ledger.map(|()| String::new()))]
    }));
    for (number, code) in REQUESTS {
        let out = at.join(format!("x{number}.age"));
        looks.extend(with(&|vault| {
            let built = build::build(vault, number, &out, &Silent).and_then(|_| words_of(scene, &out));
            vec![(format!("{code} build"), built)]
        }));
        let _ = fs::remove_file(out);
    }
    looks.into_iter().collect()
}

/// The rows of the list, one by one, so that one may be missing.
fn listed(vault: &mut Vault<Unlocked>) -> Vec<(String, Look)> {
    match interview::list(vault, &Filter::default()) {
        Ok(list) => {
            let lost = list.require_whole().err();
            CODES
                .iter()
                .map(|code| {
                    let row = list.rows.iter().find(|row| row.code == *code);
                    let gone = || lost.clone().unwrap_or_else(|| Error::bug("a row is missing and nobody says so"));
                    (format!("{code} listed"), row.map_or_else(|| Err(gone()), json))
                })
                .collect()
        }
        Err(error) => CODES.iter().map(|code| (format!("{code} listed"), Err(error.clone()))).collect(),
    }
}

/// Every object of an interview, opened and hashed.
fn files(vault: &Vault<Unlocked>, code: &str) -> Look {
    let view = vault.view()?;
    let interview = view.find_interview(code)?;
    let mut found = Vec::new();
    for row in view.objects(interview.row.id)? {
        let object: Object = row.body.open(&interview.key)?;
        let key = view.object_key(&row, interview.row.site)?;
        let mut bytes = Vec::new();
        objects::read(vault.layout(), row.id, &key, object.length, &mut bytes, &Silent)?;
        found.push(format!("{} {}", object.token, blake3::hash(&bytes)));
    }
    found.sort();
    Ok(found.join("\n"))
}

/// The transcripts and the table of an extract.
fn words_of(scene: &Scene, extract: &Path) -> Look {
    let sealed = fs::read(extract).unwrap();
    let mut tar = Vec::new();
    stream::open(scene.dora.identity.as_age(), &sealed[..], &mut tar, None, &Silent)?;
    let mut out = String::new();
    let limits = Limits { files: 100, file_bytes: 1 << 20, all_bytes: 1 << 22 };
    read(&tar[..], limits, &mut |file: PackageFile<'_>| {
        if file.name.starts_with("transcripts/") || file.name == "participants.csv" {
            out.push_str(&file.name);
            std::io::Read::read_to_string(file.content, &mut out).unwrap();
        }
        Ok(())
    })?;
    Ok(out)
}

fn json<T: serde::Serialize>(value: T) -> Look {
    Ok(serde_json::to_string(&value).unwrap())
}

/// Everything is as in the whole vault, or fails as damage where it may.
fn compare(here: &Looks, whole: &Looks, expect: &Expect, wrong: &mut Vec<String>) {
    for (what, look) in here {
        let may =
            expect.all || expect.codes.iter().any(|code| what.starts_with(code.as_str())) || what == "ledger verified";
        let before = whole.get(what).cloned().unwrap_or_else(|| Ok(String::new()));
        match (look, &before) {
            (Ok(here), Ok(whole)) if here == whole => {}
            (Err(here), Err(whole)) if here.kind() == whole.kind() => {}
            (Err(error), _) if error.kind() == Kind::Damage && may => {}
            (Err(error), _) if matches!(error.kind(), Kind::Denied | Kind::User) && may && expect.refuses => {}
            (Ok(_), _) if may && expect.ties && (what.ends_with(" shown") || what.ends_with(" files")) => {}
            (Ok(_), _) => wrong.push(format!("{what}: shown otherwise, and nothing says so")),
            (Err(error), _) => wrong.push(format!("{what}: {error:?}")),
        }
    }
}

fn judge(report: Result<CheckReport>, expect: &Expect, wrong: &mut Vec<String>) {
    let report = match report {
        Ok(report) => report,
        Err(error) => return wrong.push(format!("check fails: {error:?}")),
    };
    if report.sound && !expect.may_be_quiet {
        return wrong.push(format!("check finds nothing; notices: {:?}", report.notices));
    }
    let named = |fault: &check::Fault| {
        expect.names.is_empty()
            || expect.names.iter().any(|name| format!("{}: {}", fault.hurt, fault.what).contains(name.as_str()))
    };
    if !report.sound && !report.faults.iter().any(named) {
        wrong.push(format!("check does not name {:?}: {:?}", expect.names, report.faults));
    }
    for fault in &report.faults {
        if fault.rest.is_empty() {
            wrong.push(format!("check does not say what to do about: {}: {}", fault.hurt, fault.what));
        }
        if fault.what.contains("bug") || fault.what.contains("refused a query") {
            wrong.push(format!("check takes damage for a bug: {}", fault.what));
        }
    }
}

type Files = BTreeMap<String, Vec<u8>>;

fn bytes_of(at: &Path) -> Files {
    fn walk(at: &Path, name: &str, out: &mut Files) {
        for entry in fs::read_dir(at).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            match entry.file_type().unwrap().is_dir() {
                true => walk(&entry.path(), &name, out),
                false => drop(out.insert(name, fs::read(entry.path()).unwrap())),
            }
        }
    }
    let mut out = Files::new();
    walk(at, "", &mut out);
    out
}

/// Every file is still there as it was, but for the databases, what people saw last, and what only a running program needs.
fn unchanged(before: &Files, after: &Files, _open: bool, wrong: &mut Vec<String>) {
    let moves = |name: &str| {
        name.contains(".db") || name.contains(".state/") || name.ends_with("/lock") || name.contains("/tmp/")
    };
    for (name, bytes) in before.iter().filter(|(name, _)| !moves(name)) {
        match after.get(name) {
            None => wrong.push(format!("{name} was deleted")),
            Some(now) if now != bytes => wrong.push(format!("{name} was rewritten")),
            Some(_) => {}
        }
    }
    for name in after.keys().filter(|name| !moves(name) && !before.contains_key(*name)) {
        wrong.push(format!("{name} was made"));
    }
}

/// A vault that does not unlock is not written to.
fn unchanged_databases(before: &Files, after: &Files, wrong: &mut Vec<String>) {
    for (name, bytes) in
        before.iter().filter(|(name, _)| name.ends_with(".db") || name.ends_with(".db-wal") || name.contains(".state/"))
    {
        if after.get(name) != Some(bytes) {
            wrong.push(format!("{name} was written to"));
        }
    }
}
