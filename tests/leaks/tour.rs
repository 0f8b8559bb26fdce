//! Every command of the program, once at least, and a look at what it says.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use subrosa::base::secret::Passphrase;
use subrosa::crypto::identity::LockedIdentity;
use subrosa::crypto::keyring::KeyringFile;

use super::search::Searcher;
use super::world::{CODE, Done, MALFORMED, PASSPHRASE, PATH, PEOPLE, Sort, TWO, TYPED, WORDS, World};
use super::{CONTENT, FACTS};

use Sort::*;

/// Nothing at all.
const NOTHING: &[Sort] = &[];

/// A world, and what was found in it.
pub(crate) struct Tour {
    world: World,
    searcher: Searcher,
    run: BTreeSet<String>,
    faults: Vec<String>,
    project: String,
    request: String,
}

impl Tour {
    pub(crate) fn begin() -> Self {
        let world = World::new();
        let texts: Vec<String> = WORDS.iter().map(|(_, word)| (*word).to_owned()).collect();
        Self {
            world,
            searcher: Searcher::new(&texts, &[]),
            run: BTreeSet::new(),
            faults: Vec::new(),
            project: String::new(),
            request: String::new(),
        }
    }

    /// What was found, each once.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect()
    }

    /// Sorts of what is in some bytes that is not allowed there.
    fn look(&mut self, place: &str, bytes: &[u8], allowed: &[Sort]) {
        let found = self.searcher.find(bytes);
        self.judge(place, &found, allowed);
    }

    fn judge(&mut self, place: &str, found: &BTreeSet<usize>, allowed: &[Sort]) {
        for number in found {
            let sort = WORDS.get(*number).map_or(Key, |(sort, _)| *sort);
            if !allowed.contains(&sort) {
                self.faults.push(format!("{place}: {sort:?} (word {number})"));
            }
        }
    }

    /// The leaf command of a line: its words up to the first that is none.
    fn name(args: &[&str]) -> String {
        let single = ["init", "ingest", "check", "demo"];
        let count = if single.contains(&args[0]) { 1 } else { 2 };
        args[..count.min(args.len())].join(" ")
    }

    fn heard(&mut self, name: &str, done: &Done, allowed: &[Sort]) {
        self.look(&format!("{name}: standard output"), &done.out, allowed);
        self.look(&format!("{name}: standard error"), &done.err, NOTHING);
    }

    /// A command that must be done, and what its answer may hold. Its remarks on standard error may hold no more.
    fn done(&mut self, who: &str, args: &[&str], allowed: &[Sort]) -> String {
        let done = self.world.run_as(who, args);
        let name = Self::name(args);
        assert_eq!(done.code, Some(0), "{who} {name}: {}", String::from_utf8_lossy(&done.err));
        self.look(&format!("{name}: standard output"), &done.out, allowed);
        self.look(&format!("{name}: standard error"), &done.err, allowed);
        self.run.insert(name);
        String::from_utf8(done.out).unwrap()
    }

    /// In words and in JSON.
    fn both(&mut self, who: &str, args: &[&str], allowed: &[Sort]) -> String {
        self.done(who, args, allowed);
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        self.done(who, &args, allowed)
    }

    /// A command that must fail, and say nothing that was planted.
    fn fails(&mut self, who: &str, code: i32, args: &[&str]) {
        let done = self.world.run_as(who, args);
        let name = format!("{} (failing)", Self::name(args));
        if done.code != Some(code) {
            self.faults.push(format!("{name}: exit code {:?} instead of {code}", done.code));
        }
        self.heard(&name, &done, NOTHING);
    }

    pub(crate) fn found_and_enrol(&mut self) {
        self.both("ada", &["study", "check", "given/study.toml"], &[StudyTitle]);
        let out = self.world.run(&[
            "--identity",
            "people/ada.id",
            "--passphrase-file",
            "given/pass",
            "--yes",
            "init",
            "vault",
            "--study",
            "given/study.toml",
            "--steward",
            "people/ada.card",
            "--sheet",
            "out/sheet.txt",
        ]);
        assert_eq!(out.code, Some(0), "{}", String::from_utf8_lossy(&out.err));
        self.heard("init", &out, NOTHING);
        self.run.insert("init".into());
        for (name, role) in PEOPLE.iter().skip(1) {
            let card = format!("people/{name}.card");
            self.both("ada", &["identity", "show", &card], NOTHING);
            self.done("ada", &["person", "add", &card, "--role", role], NOTHING);
        }
        self.both("ada", &["person", "list", "--all"], NOTHING);
        self.done("ada", &["study", "show"], &[StudyTitle]);
    }

    pub(crate) fn record_and_take_in(&mut self) {
        let period = ["--fieldwork", "2020-01-01..2024-12-31", "--use", "2020-01-01..2040-12-31"];
        let add = [
            "approval",
            "add",
            "--board",
            "university",
            "--reference",
            "Zqaktenzeichen",
            "--title",
            "Zqgenehmigt",
            "--document",
            "given/letter.pdf",
        ];
        self.done("ada", &[&add[..], &period].concat(), NOTHING);
        let listed = self.both("ada", &["approval", "list"], &[Approval]);
        let id = text(&listed, "/0/id");
        self.done("ada", &["approval", "document", &id, "--out", "out/letter.pdf"], NOTHING);
        let letter = std::fs::read(self.world.at("out/letter.pdf")).unwrap();
        assert_eq!(letter, b"zqbriefinhalt");
        std::fs::remove_file(self.world.at("out/letter.pdf")).unwrap();
        let add = [
            "project",
            "add",
            "--title",
            "Zqprojektname",
            "--duo",
            "GRU",
            "--purpose",
            "Zqzweckwort",
            "--people",
            "cid",
            "--period",
            "2024-01-01..2039-12-31",
            "--json",
        ];
        let made = self.done("ada", &add, NOTHING);
        self.project = text(&made, "/id");
        self.both("ada", &["project", "list"], &[Project, Purpose]);
        self.both("ada", &["project", "terms"], NOTHING);

        self.both("ben", &["ingest", "given/delivery", "--dry-run"], FACTS);
        self.done("ben", &["ingest", "given/delivery"], FACTS);
        self.both("ben", &["ingest", "given/delivery"], FACTS);
    }

    pub(crate) fn look_and_review(&mut self) {
        self.both("ben", &["interview", "list"], FACTS);
        self.both("ben", &["interview", "show", CODE], FACTS);
        let everything = &[Code, Label, Place, Name, Contact, Social, Note, Meta, File, Condition];
        let shown = self.both("ben", &["interview", "show", CODE, "--names", "--to-pipe"], everything);
        self.must_show(&shown, &[Name, Contact, Social, Note, Meta, File]);
        self.both("ben", &["consent", "show", CODE], FACTS);
        self.both("ben", &["consent", "due"], FACTS);
        self.both("ben", &["redact", "status"], FACTS);
        self.both("ben", &["redact", "suggest", CODE], FACTS);
        let show = ["redact", "show", CODE, "--to-pipe"];
        let shown = self.both("ben", &show, &[FACTS, CONTENT].concat());
        self.must_show(&shown, &[Word, Silenced, Name]);
        self.done("ben", &["redact", "mark", CODE, "--words", "Zqonkelchen", "--all", "--class", "person"], FACTS);
        let shown = self.done("ben", &["redact", "show", CODE, "--to-pipe", "--json"], &[FACTS, CONTENT].concat());
        let marks: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let open = numbers(&marks);
        self.done("ben", &["redact", "mark", CODE, "--words", "Спасибо", "--class", "other"], FACTS);
        let shown = self.done("ben", &["redact", "show", CODE, "--to-pipe", "--json"], &[FACTS, CONTENT].concat());
        let fresh = numbers(&serde_json::from_str(&shown).unwrap()).into_iter().find(|n| !open.contains(n)).unwrap();
        self.done("ben", &["redact", "keep", CODE, &fresh.to_string(), "--reason", "Zqbehalten"], FACTS);
        self.done("ben", &["redact", "unmark", CODE, &fresh.to_string()], FACTS);
        self.done("ben", &["redact", "accept", CODE, "--all"], FACTS);
        self.done("ben", &["redact", "review", CODE, "--statement", "Zqgelesen", "--accept-rest"], FACTS);
        self.done("ben", &["redact", "check-turns", CODE, "6", "8", "--reason", "Zqnachgesehen"], FACTS);
        let line = format!("{{\"code\":\"{CODE}\",\"review\":\"Zqgelesen\",\"accept_rest\":true}}\n");
        let list = self.world.give("list.jsonl", line.as_bytes());
        self.done("ben", &["redact", "list", &list], FACTS);
        let given = self.world.give("plain.txt", "Пишите qzxlarv@pochta.example".as_bytes());
        self.done("ben", &["redact", "detect", &given], &[Contact]);
        self.done("ben", &["redact", "detect", &given, "--json"], NOTHING);
    }

    pub(crate) fn ask_and_decide(&mut self) {
        self.both("ada", &["request", "show-conditions"], NOTHING);
        let project = self.project.clone();
        for (file, purpose) in [("out/one.sealed", "Zqanliegen"), ("out/two.sealed", "Zqanliegen noch einmal")] {
            let new = [
                "request",
                "new",
                "--to",
                "vault/vault.card",
                "--project",
                &project,
                "--level",
                "1",
                "--until",
                "2030-12-31",
                "--purpose",
                purpose,
                "--accept-conditions",
                "--code",
                CODE,
                "--out",
                file,
            ];
            self.done("cid", &new, NOTHING);
        }
        let one = self.done("ada", &["request", "receive", "out/one.sealed", "--json"], &[Project]);
        let two = self.done("ada", &["request", "receive", "out/two.sealed", "--json"], &[Project]);
        self.request = text(&one, "/0/request");
        let (request, other) = (self.request.clone(), text(&two, "/0/request"));
        self.both("ada", &["request", "list"], &[Project]);
        let shown = self.both("ada", &["request", "show", &request], &[Project, Request, Code]);
        self.must_show(&shown, &[Request]);
        self.both("ada", &["request", "preview", &request], &[Project, Code, Label]);
        self.both("ada", &["request", "deny", &other, "--reason", "Zqablehnung"], NOTHING);
        self.done("ada", &["request", "show", &other], &[Project, Request, Code, Remark]);
        self.done("ada", &["request", "approve", &request], &[Project]);
    }

    pub(crate) fn build_and_open(&mut self) {
        let request = self.request.clone();
        self.done("ben", &["extract", "build", &request, "--out", "out/extract.age"], NOTHING);
        let words = self.done(
            "cid",
            &["extract", "open", "out/extract.age", "--to", "opened", "--vault-card", "vault/vault.card"],
            &[Project],
        );
        assert!(words.contains("Opened and verified"));
        self.done("cid", &["identity", "export-age", "--out", "people/cid.age-identity", "--unprotected"], NOTHING);
        // What an extract of level 1 may hold: words of those who agreed, and the title of the project that it is for. No name, no code, no place of an interview, nothing marked.
        let (found, files) = self.searcher.find_in(&self.world.at("opened"));
        assert!(files >= 8, "the extract is opened");
        self.judge("the extract", &found, &[Word, Project]);
        let went = WORDS.iter().enumerate().filter(|(_, (sort, _))| *sort == Word).all(|(n, _)| found.contains(&n));
        assert!(went, "the words of those who agreed did not go out");
    }

    pub(crate) fn audit(&mut self) {
        self.both("eve", &["audit", "log", "--all"], &[StudyTitle]);
        self.both("ada", &["audit", "log", "--all"], &[StudyTitle]);
        self.both("eve", &["audit", "verify", "--all"], NOTHING);
        self.both("eve", &["audit", "checkpoint", "--out", "out/checkpoint"], NOTHING);
        self.done("eve", &["audit", "update", "--since", "0", "--out", "out/update"], NOTHING);
        self.done(
            "eve",
            &[
                "audit",
                "witness",
                "--state",
                "out/witness",
                "--card",
                "vault/vault.card",
                "--update",
                "out/update",
                "--out",
                "out/cosignature",
            ],
            NOTHING,
        );
        self.done("eve", &["audit", "proof", "3", "--out", "out/proof"], NOTHING);
        self.done("eve", &["audit", "export", "--out", "out/export"], NOTHING);
        self.both("ada", &["audit", "who", CODE], &[Code, Label]);
        self.done("ada", &["audit", "slip", CODE, "--out", "out/slip"], NOTHING);
        self.both("eve", &["audit", "who", "--slip", "out/slip"], NOTHING);
        self.both("ben", &["check"], NOTHING);
        // The ledger as an auditor gets it: the study stands in it whole, and nothing else that was planted (docs/adr/0003).
        let (found, _) = self.searcher.find_in(&self.world.at("out/export"));
        self.judge("the ledger", &found, &[StudyTitle]);
        assert!(found.iter().any(|n| WORDS[*n].0 == StudyTitle), "the export is read");
    }

    pub(crate) fn change(&mut self) {
        let set = [
            "consent",
            "set",
            CODE,
            "--module",
            "teaching=refused",
            "--note",
            "Zqbemerkung",
            "--condition",
            "Zqnachtragwunsch",
        ];
        self.done("ben", &set, FACTS);
        self.both("ben", &["consent", "show", CODE], FACTS);
        let shown = self.both("ben", &["consent", "show", CODE, "--to-pipe"], &[Code, Label, Condition, Remark]);
        self.must_show(&shown, &[Remark]);
        self.done("ben", &["consent", "withdraw", TWO], FACTS);
        let amended = super::world::study().replace("k = 3", "k = 4");
        let study = self.world.give("amended.toml", amended.as_bytes());
        self.both("ada", &["study", "amend", &study], NOTHING);
        let rules = "@id(\"rule\")\n@reason(\"why\")\nforbid (principal, action == Action::\"release\", resource) when { context.level == 1 };";
        let rules = self.world.give("rules.cedar", rules.as_bytes());
        self.both("ada", &["policy", "check", &rules], NOTHING);
        self.done("ada", &["policy", "set", &rules], NOTHING);
        self.both("ada", &["policy", "show"], NOTHING);
        self.done("ada", &["policy", "clear"], NOTHING);
        self.done("ada", &["person", "role", "fay", "--role", "steward,auditor"], NOTHING);
        self.done("ada", &["person", "remove", "fay"], NOTHING);
        self.done("ada", &["project", "close", "Zqprojektname"], NOTHING);
        self.done("ada", &["clock", "sign", "--out", "out/ada.clock"], NOTHING);
        self.done("ben", &["clock", "sign", "--out", "out/ben.clock"], NOTHING);
        self.done("ben", &["clock", "accept", "out/ada.clock", "out/ben.clock"], NOTHING);
        let fresh = self.world.give("fresh", format!("{PASSPHRASE} neu").as_bytes());
        self.done("eve", &["identity", "passphrase", "--new-passphrase-file", &fresh], NOTHING);
        self.done("cid", &["person", "passphrase", "--new-passphrase-file", &fresh], NOTHING);
        self.done("ada", &["identity", "new", "--name", "New", "--country", "EE", "--out", "people/new.id"], NOTHING);
        self.run.insert("demo".into()); // tests/story.rs looks at every byte of it.
    }

    /// The nouns and verbs that `--help` names and nobody has run.
    pub(crate) fn commands_not_run(&self) -> Vec<String> {
        let listed = |args: &[&str]| -> Vec<String> {
            let done = self.world.run(args);
            let help = String::from_utf8(done.out).unwrap();
            let lines =
                help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
            let words = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
            words
                .filter_map(|line| line.split_whitespace().next())
                .filter(|word| *word != "help")
                .map(str::to_owned)
                .collect()
        };
        let mut missing = Vec::new();
        let nouns = listed(&["--help"]);
        assert!(nouns.len() > 15, "{nouns:?}");
        for noun in nouns {
            let verbs = listed(&[&noun, "--help"]);
            let all: Vec<String> = if verbs.is_empty() {
                vec![noun.clone()]
            } else {
                verbs.iter().map(|verb| format!("{noun} {verb}")).collect()
            };
            missing.extend(all.into_iter().filter(|name| !self.run.contains(name)));
        }
        missing
    }

    /// The vault, the key folder, state and temporary folders, and every file that was written.
    pub(crate) fn look_at_every_file(&mut self) {
        let world = &self.world;
        let passphrase = Passphrase::new(PASSPHRASE.into());
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for name in ["ada", "ben"] {
            let file = std::fs::read(world.at(&format!("people/{name}.id"))).unwrap();
            let identity = LockedIdentity::parse(&file).unwrap().unlock(&passphrase).unwrap();
            let text = identity.export_age(None).unwrap();
            let secret = text.split(|b| *b == b'\n').find(|line| line.starts_with(b"AGE-SECRET-KEY-1")).unwrap();
            keys.push(secret.to_vec());
            keys.push(bech32::decode(std::str::from_utf8(secret).unwrap()).unwrap().1);
            let keyring = KeyringFile::parse(&std::fs::read(world.at("vault/keyring.json")).unwrap()).unwrap();
            let bundle = keyring.unwrap(&identity).unwrap();
            for (compartment, generation) in bundle.held() {
                keys.push(bundle.get(compartment, generation).unwrap().expose().to_vec());
            }
        }
        assert!(keys.len() > 12, "{}", keys.len());
        let texts: Vec<String> = WORDS.iter().map(|(_, word)| (*word).to_owned()).collect();
        self.searcher = Searcher::new(&texts, &keys);
        for (folder, allowed, least) in [
            ("vault", NOTHING, 8),
            ("vault.keys", NOTHING, 1),
            ("people", NOTHING, 15),
            ("home", NOTHING, 0),
            ("tmp", NOTHING, 0),
            ("elsewhere", NOTHING, 0),
            ("out", &[StudyTitle], 10),
            ("opened", &[Word, Project], 8),
        ] {
            let (found, files) = self.searcher.find_in(&self.world.at(folder));
            assert!(files >= least, "{folder} has {files} files");
            self.judge(&format!("the folder {folder}"), &found, allowed);
        }
        for file in std::fs::read_dir(self.world.root()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let known = ["home", "tmp", "people", "given", "out", "elsewhere", "vault", "vault.keys", "opened"];
            assert!(known.contains(&name.as_str()), "something was written beside: {name}");
        }
        assert!(self.searcher.find(&std::fs::read(self.world.at("people/cid.age-identity")).unwrap()).is_empty());
    }

    fn must_show(&self, answer: &str, sorts: &[Sort]) {
        let found = self.searcher.find(answer.as_bytes());
        for sort in sorts {
            assert!(
                found.iter().any(|n| WORDS[*n].0 == *sort),
                "a view does not show {sort:?}: the search would find nothing either"
            );
        }
    }
}

/// A string of an answer in JSON.
fn text(answer: &str, pointer: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(answer).unwrap();
    value.pointer(pointer).and_then(|v| v.as_str()).unwrap().to_owned()
}

/// The numbers of marks in the answer of `redact show`.
fn numbers(answer: &serde_json::Value) -> BTreeSet<u64> {
    match answer {
        serde_json::Value::Object(fields) => {
            let own = fields.get("class").and(fields.get("id")).and_then(serde_json::Value::as_u64);
            own.into_iter().chain(fields.values().flat_map(numbers)).collect()
        }
        serde_json::Value::Array(items) => items.iter().flat_map(numbers).collect(),
        _ => BTreeSet::new(),
    }
}

#[path = "wrong.rs"]
mod wrong;
