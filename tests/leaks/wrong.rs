//! Whatever can be wrong with what the program is given, with a planted word in it.

use super::*;

impl Tour {
    /// Commands that fail.
    pub(crate) fn go_wrong(&mut self) {
        self.wrong_words();
        self.wrong_files();
        self.wrong_deliveries();
        self.wrong_people();
    }

    /// Planted words where codes, names, numbers and paths belong.
    fn wrong_words(&mut self) {
        let request = self.request.clone();
        let lines: &[(&str, i32, &[&str])] = &[
            ("ben", 1, &["interview", "show", TYPED]),
            ("ben", 1, &["interview", "list", "--site", TYPED]),
            ("ben", 1, &["consent", "show", TYPED]),
            ("ben", 1, &["consent", "show", CODE, "--participant", TYPED]),
            ("ben", 1, &["consent", "set", TYPED, "--module", "teaching=refused"]),
            ("ben", 1, &["consent", "set", CODE, "--module", TYPED]),
            ("ben", 1, &["consent", "set", CODE, "--module", &format!("{TYPED}=granted")]),
            ("ben", 1, &["consent", "set", CODE, "--module", &format!("teaching={TYPED}")]),
            ("ben", 1, &["consent", "set", CODE, "--tier", TYPED]),
            ("ben", 1, &["consent", "set", CODE, "--form", TYPED]),
            ("ben", 1, &["consent", "set", CODE, "--embargo", TYPED]),
            ("ben", 1, &["consent", "set", CODE, "--turns", TYPED, "--module", "teaching=refused"]),
            ("ben", 1, &["consent", "set", CODE, "--seconds", TYPED, "--module", "teaching=refused"]),
            ("ben", 1, &["consent", "withdraw", TYPED]),
            ("ben", 1, &["consent", "withdraw", CODE, "--module", TYPED]),
            ("ben", 1, &["redact", "show", TYPED, "--to-pipe"]),
            ("ben", 1, &["redact", "show", CODE]),
            ("ben", 1, &["redact", "show", CODE, "--turns", TYPED, "--to-pipe"]),
            ("ben", 1, &["redact", "mark", CODE, "--words", TYPED, "--all", "--class", "person"]),
            ("ben", 1, &["redact", "suggest", TYPED]),
            ("ben", 1, &["redact", "review", TYPED, "--statement", TYPED]),
            ("ben", 1, &["redact", "status", TYPED]),
            ("ben", 1, &["redact", "keep", CODE, "9999", "--reason", TYPED]),
            ("ben", 1, &["redact", "check-turns", CODE, "9999", "--reason", TYPED]),
            ("ben", 1, &["redact", "detect", TYPED]),
            ("ben", 1, &["interview", "show", CODE, "--names"]),
            ("ben", 1, &["ingest", TYPED]),
            ("ben", 1, &["ingest", "given/delivery", "--without", TYPED]),
            ("ada", 1, &["person", "role", TYPED, "--role", "analyst"]),
            ("ada", 1, &["person", "remove", TYPED]),
            ("ada", 1, &["person", "add", "people/eve.card", "--role", "auditor", "--fingerprint", TYPED]),
            ("ada", 1, &["person", "add", "people/new.card", "--role", "auditor", "--sites", TYPED]),
            ("ada", 1, &["person", "add", TYPED, "--role", "auditor"]),
            ("ada", 1, &["project", "close", TYPED]),
            (
                "ada",
                1,
                &[
                    "project",
                    "add",
                    "--title",
                    "x",
                    "--duo",
                    TYPED,
                    "--purpose",
                    TYPED,
                    "--people",
                    "cid",
                    "--period",
                    "2024-01-01..2025-01-01",
                ],
            ),
            (
                "ada",
                1,
                &[
                    "project",
                    "add",
                    "--title",
                    TYPED,
                    "--duo",
                    "GRU",
                    "--purpose",
                    "x",
                    "--people",
                    TYPED,
                    "--period",
                    "2024-01-01..2025-01-01",
                ],
            ),
            (
                "ada",
                1,
                &[
                    "approval",
                    "add",
                    "--board",
                    TYPED,
                    "--reference",
                    TYPED,
                    "--title",
                    TYPED,
                    "--fieldwork",
                    "2020-01-01..2021-01-01",
                    "--use",
                    "2020-01-01..2021-01-01",
                ],
            ),
            ("ada", 1, &["approval", "document", "00112233445566778899aabbccddeeff", "--out", PATH]),
            ("ada", 1, &["request", "show", TYPED]),
            ("ada", 1, &["request", "preview", &request, "--site", TYPED]),
            ("ada", 1, &["request", "preview", &request, "--code", TYPED]),
            ("ada", 1, &["request", "receive", PATH]),
            ("ben", 1, &["extract", "build", TYPED, "--out", PATH]),
            ("ada", 1, &["extract", "open", PATH, "--to", "elsewhere/zqpfadname"]),
            ("ada", 1, &["audit", "who", TYPED]),
            ("ada", 1, &["audit", "slip", TYPED, "--out", PATH]),
            ("ada", 1, &["audit", "log", "--person", TYPED]),
            ("ada", 1, &["audit", "verify", "--export", PATH]),
            ("ada", 1, &["policy", "check", PATH]),
            ("ada", 1, &["study", "check", PATH]),
            ("ada", 1, &["clock", "accept", PATH, PATH]),
            ("ada", 1, &["clock", "sign", "--out", "zqpfadname/zqpfadname"]),
            ("ada", 1, &["identity", "show", PATH]),
            ("ada", 1, &["identity", "new", "--name", "x", "--country", TYPED, "--out", "out/x.id"]),
            ("ada", 2, &["interview", "show", CODE, "--bad"]),
            ("ada", 2, &["interview", "show", CODE, TYPED]),
            ("ada", 2, &["audit", "proof", TYPED]),
            ("ada", 2, &["interview", "list", "--from", TYPED]),
            ("ada", 2, &[TYPED, TYPED]),
        ];
        for (who, code, args) in lines {
            self.fails(who, *code, args);
        }
        let existing = self.world.at("elsewhere/zqpfadname");
        std::fs::write(&existing, b"").unwrap();
        for args in [
            &["clock", "sign", "--out", "elsewhere/zqpfadname"][..],
            &["identity", "export-age", "--out", "elsewhere/zqpfadname"],
        ] {
            self.fails("ada", 1, args);
        }
        std::fs::remove_file(existing).unwrap();
        let done = self.world.run(&["--vault", PATH, "--identity", PATH, "check"]);
        self.heard("check (no vault)", &done, NOTHING);
        let done = self.world.run(&["--vault", "vault", "--identity", PATH, "check"]);
        self.heard("check (no identity)", &done, NOTHING);
        let done = self.world.run(&["--vault", "vault", "--as", TYPED, "check"]);
        self.heard("check (nobody of that name)", &done, NOTHING);
    }

    /// Files that are not what they should be.
    fn wrong_files(&mut self) {
        let study = super::super::world::study();
        let bad = [
            format!("{study}\nkey = {MALFORMED}\n"),
            study.replace("k = 3", &format!("k = \"{MALFORMED}\"")),
            study.replace("country = \"GE\"", &format!("country = \"{MALFORMED}\"")),
            study.replace("archive = \"granted\"", &format!("archive = \"{MALFORMED}\"")),
            study.replace("code_pattern = \"{site}", &format!("code_pattern = \"{MALFORMED}{{site}}")),
            study.replace("bands = [18", &format!("bands = [\"{MALFORMED}\"")),
            format!("{{\"{MALFORMED}\": 1}}"),
        ];
        // Names of keys that are none are told again: whoever writes a study needs them, and a study speaks of nobody.
        for text in &bad {
            let file = self.world.give("bad.toml", text.as_bytes());
            self.fails("ada", 1, &["study", "check", &file]);
            self.fails("ada", 1, &["study", "amend", &file]);
        }
        for text in [
            format!("forbid (principal, action, resource) when {{ context.{MALFORMED} }};"),
            MALFORMED.to_owned(),
            format!("@id(\"{MALFORMED}\")\nforbid (principal, action == Action::\"{MALFORMED}\", resource);"),
            format!("forbid (principal == User::\"{MALFORMED}\", action, resource) when {{ \"{MALFORMED}\" > 1 }};"),
        ] {
            let file = self.world.give("bad.cedar", text.as_bytes());
            self.fails("ada", 1, &["policy", "check", &file]);
            self.fails("ada", 1, &["policy", "set", &file]);
        }
        let json = [
            MALFORMED.to_owned(),
            format!("{{\"{MALFORMED}\":\"{MALFORMED}\"}}"),
            format!("{{\"format\":\"{MALFORMED}\"}}"),
            format!("{{\"words\":\"{MALFORMED}\",\"class\":\"{MALFORMED}\"}}"),
            format!("{{\"words\":[\"{MALFORMED}\"],\"class\":\"person\"}}"),
            format!("{{\"words\":\"{MALFORMED}"),
        ];
        for text in &json {
            let file = self.world.give("bad", text.as_bytes());
            for (who, args) in [
                ("ada", &["person", "add", &file, "--role", "auditor"][..]),
                ("ada", &["identity", "show", &file]),
                ("ada", &["request", "receive", &file]),
                ("ada", &["clock", "accept", &file, &file]),
                ("eve", &["audit", "who", "--slip", &file]),
                ("eve", &["audit", "verify", "--checkpoint", &file]),
                ("eve", &["audit", "checkpoint", "--add", &file]),
                ("eve", &["audit", "witness", "--state", "out/w", "--card", &file, "--update", &file]),
                ("eve", &["audit", "verify", "--export", "out/export", "--card", &file]),
                ("cid", &["extract", "open", &file, "--to", "elsewhere/x"]),
                (
                    "cid",
                    &[
                        "request",
                        "new",
                        "--to",
                        &file,
                        "--project",
                        "00112233445566778899aabbccddeeff",
                        "--level",
                        "1",
                        "--until",
                        "2030-01-01",
                        "--purpose",
                        TYPED,
                        "--accept-conditions",
                        "--out",
                        "elsewhere/x",
                    ],
                ),
                ("ben", &["redact", "mark", CODE, "--from-file", &file]),
            ] {
                let done = self.world.run_as(who, args);
                let name = format!("{} (a bad file)", Self::name(args));
                assert!(done.code.is_some_and(|code| [1, 3, 4, 5].contains(&code)), "{name}: {:?}", done.code);
                self.heard(&name, &done, NOTHING);
            }
            // As the identity itself, and as the vault's own files.
            let done =
                self.world.run(&["--vault", "vault", "--identity", &file, "--passphrase-file", "given/pass", "check"]);
            self.heard("check (a bad identity)", &done, NOTHING);
            let mut lines = self.world.command(&["redact", "detect", "--jsonl"]);
            let output = lines.stdin(std::fs::File::open(self.world.at("given/bad")).unwrap()).output().unwrap();
            self.look("redact detect --jsonl (bad lines)", &[output.stdout, output.stderr].concat(), NOTHING);
        }
        self.hurt_vault(json[1].as_bytes());
    }

    /// A copy of the vault with each of its files in turn replaced.
    fn hurt_vault(&mut self, bytes: &[u8]) {
        for file in ["vault.json", "keyring.json", "catalogue.db", "ledger.db", "vault.card", "keys/keyfile"] {
            let copy = self.world.at("hurt");
            copy_folder(&self.world.at("vault"), &copy);
            copy_folder(&self.world.at("vault.keys"), &copy.join("keys"));
            std::fs::write(copy.join(file), bytes).unwrap();
            for args in [&["interview", "list"][..], &["check"]] {
                let mut all = vec![
                    "--vault",
                    "hurt",
                    "--keys",
                    "hurt/keys",
                    "--identity",
                    "people/ben.id",
                    "--passphrase-file",
                    "given/pass",
                ];
                all.extend(args);
                let done = self.world.run(&all);
                self.heard(&format!("{} (a hurt {file})", args.join(" ")), &done, FACTS);
            }
            std::fs::remove_dir_all(copy).unwrap();
        }
    }

    /// Deliveries with a planted word in every cell, and in the files.
    fn wrong_deliveries(&mut self) {
        let head = "code,date,place,language,label,role,participant,name,contacts,gender,birth_year,education,occupation,consent_form,consent_date,consent_except,\
            consent_condition,evidence,evidence_from,evidence_to,recording,transcript,transcript_kind,transcript_language,transcript_maker,transcript_of,\
            document,document_kind,notes,meta:x";
        let good = "QZVXA-99,2023-04-12,x,ru,R,participant,,x,x,woman,1980,x,x,v2,2023-04-12,,,t.txt,0:01,0:02,,t.txt,verbatim,ru,x,,,,,";
        let names: Vec<&str> = head.split(',').map(str::trim).collect();
        let cells: Vec<&str> = good.split(',').collect();
        for at in 0..names.len() {
            let mut row: Vec<&str> = cells.clone();
            row.resize(names.len(), "");
            row[at] = MALFORMED;
            self.refused(
                &format!("{}\n{}\n", names.join(","), row.join(",")),
                "R: x",
                &format!("the column {}", names[at]),
            );
        }
        let head = names.join(",");
        let extra = format!("{head},{MALFORMED}\n{good},,{MALFORMED}\n");
        self.refused(&extra, "R: x", "an unknown column");
        self.refused(&format!("{head}\n{good}\n\"{MALFORMED}"), "R: x", "an open quotation");
        for (what, text) in [
            ("an unknown label", format!("{MALFORMED}: x\nR: y")),
            ("two labels", format!("R: x\nVera P {MALFORMED}: y")),
            ("a time", format!("[99:99:99] R: {MALFORMED}")),
        ] {
            self.refused(&format!("{head}\n{good}\n"), &text, what);
        }
        for (name, bytes) in [
            ("t.docx", &b"PK\x03\x04"[..]),
            ("t.odt", b"PK\x03\x04"),
            ("t.vtt", b"WEBVTT\n\n"),
            ("t.srt", b"1\n00:00 --> \n"),
        ] {
            let folder = self.fresh_delivery();
            std::fs::write(folder.join(name), [bytes, MALFORMED.as_bytes()].concat()).unwrap();
            std::fs::write(folder.join("manifest.csv"), format!("{head}\n{}\n", good.replace("t.txt", name))).unwrap();
            self.ingest(name);
        }
        let folder = self.fresh_delivery();
        std::fs::write(folder.join("manifest.xlsx"), [b"PK\x03\x04".as_slice(), MALFORMED.as_bytes()].concat())
            .unwrap();
        self.ingest("a broken workbook");
    }

    fn fresh_delivery(&self) -> std::path::PathBuf {
        let folder = self.world.at("given/bad-delivery");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        folder
    }

    fn refused(&mut self, manifest: &str, transcript: &str, what: &str) {
        let folder = self.fresh_delivery();
        std::fs::write(folder.join("manifest.csv"), manifest).unwrap();
        std::fs::write(folder.join("t.txt"), transcript).unwrap();
        self.ingest(what);
    }

    fn ingest(&mut self, what: &str) {
        let done = self.world.run_as("ben", &["ingest", "given/bad-delivery", "--dry-run", "--json"]);
        self.heard(&format!("ingest ({what})"), &done, NOTHING);
    }

    /// Wrong passphrases and roles.
    fn wrong_people(&mut self) {
        for args in [&["interview", "list"][..], &["check"], &["audit", "log"]] {
            let mut all = vec!["--vault", "vault", "--identity", "people/ben.id", "--passphrase-file", "given/wrong"];
            all.extend(args);
            let done = self.world.run(&all);
            assert_eq!(done.code, Some(5));
            self.heard(&format!("{} (wrong passphrase)", args.join(" ")), &done, NOTHING);
        }
        for args in
            [&["interview", "show", CODE][..], &["redact", "show", CODE, "--to-pipe"], &["consent", "show", CODE]]
        {
            let done = self.world.run(
                &[&["--vault", "vault", "--identity", "people/new.id", "--passphrase-file", "given/pass"][..], args]
                    .concat(),
            );
            assert_eq!(done.code, Some(3));
            self.heard(&format!("{} (nobody's)", args.join(" ")), &done, NOTHING);
            let done = self.world.run_as("ada", &["redact", "show", CODE, "--to-pipe"]);
            assert_eq!(done.code, Some(3));
            self.heard("redact show (a steward)", &done, NOTHING);
        }
        let weak = self.world.give("weak", b"zqzqzq");
        let done = self.world.run(&[
            "--passphrase-file",
            &weak,
            "identity",
            "new",
            "--name",
            "x",
            "--country",
            "EE",
            "--out",
            "out/weak.id",
        ]);
        assert_eq!(done.code, Some(1));
        self.heard("identity new (a weak passphrase)", &done, NOTHING);
    }

    /// A program that is killed while it takes a delivery in; what it leaves is looked at like everything else.
    pub(crate) fn kill(&mut self) {
        let folder = self.fresh_delivery();
        let head = "code,date,place,language,label,role,name,consent_form,transcript,transcript_kind";
        let mut rows = String::new();
        for n in 1..=40 {
            rows.push_str(&format!(
                "QZVXA-{n},2023-04-12,Zqplatzburg,ru,Zqetikett,participant,Вўйцэжа Ёлкинжо {n},v2,{n}.txt,verbatim\n"
            ));
            std::fs::write(
                folder.join(format!("{n}.txt")),
                format!("Zqetikett: {n} {}\n", "zqverweigert ".repeat(500)),
            )
            .unwrap();
        }
        std::fs::write(folder.join("manifest.csv"), format!("{head}\n{rows}")).unwrap();
        let options = World::options("ben");
        let args: Vec<&str> = options.iter().map(String::as_str).chain(["ingest", "given/bad-delivery"]).collect();
        for turn in 0..4 {
            let mut child = self
                .world
                .command(&args)
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            // Each time a little later: in the plan, in the files, in the databases. Whatever it was doing, nothing may be readable.
            let begun = || std::fs::read_dir(self.world.at("vault/tmp")).unwrap().count() > turn * 3;
            while !begun() && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let _ = child.kill();
            child.wait().unwrap();
            for place in ["vault", "vault.keys", "people", "tmp", "home"] {
                let (found, _) = self.searcher.find_in(&self.world.at(place));
                self.judge(&format!("after a kill: {place}"), &found, NOTHING);
            }
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy_folder(&path, &target) } else { std::fs::copy(&path, target).map(drop).unwrap() }
    }
}
