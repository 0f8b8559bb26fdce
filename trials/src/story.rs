//! The story that is tried: every command that writes, one after the other, on one vault. The vault before a command is what the command before it left.

/// One command of the story.
pub(crate) struct Step {
    /// What it is called in reports.
    pub(crate) name: String,
    /// Whose identity it is run with.
    pub(crate) who: Option<&'static str>,
    /// Whether it is told where the vault lies.
    pub(crate) vault: bool,
    /// What follows the global options. `{NAME}` stands for something kept from an earlier answer.
    pub(crate) args: Vec<String>,
    /// What it makes: it may be there whole, and only once its entry is in the ledger.
    pub(crate) outputs: Vec<&'static str>,
    /// The exit code that it should end with.
    pub(crate) code: i32,
    /// What of its answer is kept: a name, and a pointer into the JSON.
    pub(crate) keeps: Option<(&'static str, &'static str)>,
    /// Whether it is only run, so that the story can go on.
    pub(crate) aside: bool,
    /// It is more than one act, each with its own entry, and each of them may be the last.
    pub(crate) acts: usize,
    /// Its first answer tells of what was given to it, and of nothing in the vault.
    pub(crate) repeats: bool,
}

impl Step {
    fn new(name: &str, who: Option<&'static str>, vault: bool, line: &[&str]) -> Self {
        let args = line.iter().map(|a| (*a).to_owned()).collect();
        let (name, outputs) = (name.to_owned(), Vec::new());
        Self { name, who, vault, args, outputs, code: 0, keeps: None, aside: false, acts: 1, repeats: false }
    }

    fn makes(mut self, outputs: &[&'static str]) -> Self {
        self.outputs.extend(outputs);
        self
    }

    fn ends(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    fn keeps(mut self, name: &'static str, pointer: &'static str) -> Self {
        self.keeps = Some((name, pointer));
        self.args.push("--json".to_owned());
        self
    }

    fn aside(mut self) -> Self {
        self.aside = true;
        self
    }

    fn repeats(mut self) -> Self {
        self.repeats = true;
        self
    }

    fn acts(mut self, acts: usize) -> Self {
        self.acts = acts;
        self
    }
}

/// The transcripts of the sample, after both deliveries: archive code and version.
const TRANSCRIPTS: [(&str, &str); 14] = [
    ("AM-01", "1"),
    ("AM-02", "1"),
    ("AM-03", "1"),
    ("AM-03", "2"),
    ("AM-04", "1"),
    ("GE-01", "1"),
    ("GE-02", "1"),
    ("GE-03", "1"),
    ("SR-01", "1"),
    ("SR-01", "2"),
    ("SR-02", "1"),
    ("SR-03", "1"),
    ("PL-01", "1"),
    ("PL-02", "1"),
];

/// The whole story.
pub(crate) fn steps() -> Vec<Step> {
    let (ada, ben, cid, eve, fay, board) =
        (Some("ada"), Some("ben"), Some("cid"), Some("eve"), Some("fay"), Some("board"));
    let on = |name: &str, who, line: &[&str]| Step::new(name, who, true, line);
    let off = |name: &str, who, line: &[&str]| Step::new(name, who, false, line);
    let fieldwork = ["--fieldwork", "2022-03-01..2024-12-31", "--use", "2022-03-01..2040-12-31"];
    let approval = |line: &[&str]| -> Vec<String> { line.iter().chain(&fieldwork).map(|a| (*a).to_owned()).collect() };
    let mut steps = vec![
        off("identity new", None, &["identity", "new", "--name", "Zoe", "--country", "EE", "--out", "people/zoe.id"])
            .makes(&["people/zoe.id", "people/zoe.card"]),
        off(
            "identity passphrase",
            Some("zoe"),
            &["identity", "passphrase", "--new-passphrase-file", "../inputs/pass.new"],
        )
        .makes(&["people/zoe.id"]),
        off("identity export-age", cid, &["identity", "export-age", "--out", "out/cid.age-identity"])
            .makes(&["out/cid.age-identity"]),
        off("init", ada, &["init", "vault", "--study", "../inputs/study.toml", "--board", "../inputs/board.card"])
            .makes(&["vault.sheet.txt"]),
        on("person add archivist", ada, &["person", "add", "../inputs/ben.card", "--role", "archivist"]).acts(2),
        on("person add auditor", ada, &["person", "add", "../inputs/eve.card", "--role", "auditor"]).acts(2),
        on("person add analyst", ada, &["person", "add", "../inputs/cid.card", "--role", "analyst"]),
        on("person add second", ada, &["person", "add", "../inputs/fay.card", "--role", "steward"]).acts(2),
        on(
            "person add third",
            ada,
            &["person", "add", "../inputs/hal.card", "--role", "archivist", "--sites", "AM,GE"],
        )
        .acts(2),
        on("person add fourth", ada, &["person", "add", "../inputs/gus.card", "--role", "analyst"]).aside(),
        on("person list", ada, &["person", "list"]),
        on("study amend", ada, &["study", "amend", "../inputs/more.toml"]).acts(3),
        on("study show", ada, &["study", "show"]),
        on("policy set", ada, &["policy", "set", "../inputs/rules.cedar"]),
        on("policy show", ada, &["policy", "show"]),
        on("policy clear", ada, &["policy", "clear"]),
    ];
    let mut step = on("approval add", ada, &[]).keeps("approval", "/id");
    step.args.splice(
        0..0,
        approval(&[
            "approval",
            "add",
            "--board",
            "university",
            "--reference",
            "2022/117",
            "--title",
            "Departure",
            "--document",
            "../inputs/letter.pdf",
        ]),
    );
    steps.push(step);
    let mut step = on("approval add second", ada, &[]).aside();
    step.args =
        approval(&["approval", "add", "--board", "host", "--reference", "YSU-22-9", "--title", "Departure: host"]);
    steps.push(step);
    steps.extend([
        on("approval list", ada, &["approval", "list"]),
        on("approval document", ada, &["approval", "document", "{approval}", "--out", "out/letter.pdf"])
            .makes(&["out/letter.pdf"]),
        on(
            "project add",
            ada,
            &[
                "project",
                "add",
                "--title",
                "Work and leaving",
                "--duo",
                "GRU",
                "--purpose",
                "How work shaped leaving",
                "--people",
                "Cid",
                "--period",
                "2024-01-01..2035-12-31",
                "--reuse",
            ],
        )
        .keeps("project", "/id"),
        on("project list", ada, &["project", "list"]),
        on("ingest --dry-run", ben, &["ingest", "../inputs/delivery", "--dry-run"]),
        on("ingest", ben, &["ingest", "../inputs/delivery"]).acts(2).repeats(),
        on("ingest later", ben, &["ingest", "../inputs/later"]).acts(2),
        on("interview list", ben, &["interview", "list"]),
        on("interview show", ben, &["interview", "show", "AM-01"]),
        on("interview show --names", ben, &["interview", "show", "AM-01", "--names", "--to-pipe"]),
        on("redact suggest", ben, &["redact", "suggest", "AM-01", "--transcript", "1"]),
        on(
            "redact mark",
            ben,
            &["redact", "mark", "AM-01", "--transcript", "1", "--from-file", "../inputs/marks.jsonl"],
        ),
        on("redact show", ben, &["redact", "show", "AM-01", "--transcript", "1", "--to-pipe"]),
        on("redact accept", ben, &["redact", "accept", "AM-01", "--transcript", "1", "--all"]),
        on(
            "redact review",
            ben,
            &[
                "redact",
                "review",
                "AM-01",
                "--transcript",
                "1",
                "--statement",
                "Read from start to end.",
                "--accept-rest",
            ],
        ),
        on("redact status", ben, &["redact", "status"]),
    ]);
    for (code, version) in TRANSCRIPTS.into_iter().skip(1) {
        let which = |verb| vec!["redact", verb, code, "--transcript", version];
        let aside = |verb, more: &[&str]| {
            on(&format!("redact {verb} {code} {version}"), ben, &[&which(verb), more].concat()).aside()
        };
        steps.push(aside("suggest", &[]));
        steps.push(aside("mark", &["--from-file", "../inputs/marks.jsonl"]));
        steps.push(aside("review", &["--statement", "Read from start to end.", "--accept-rest"]));
    }
    steps.extend([
        on(
            "redact mark by hand",
            ben,
            &[
                "redact",
                "mark",
                "PL-01",
                "--transcript",
                "1",
                "--turn",
                "2",
                "--from",
                "0",
                "--to",
                "3",
                "--class",
                "person",
            ],
        ),
        on("redact show one", ben, &["redact", "show", "PL-01", "--transcript", "1", "--turns", "2-2", "--to-pipe"])
            .keeps("hand", "/turns/0/marks/0/id")
            .aside(),
        on(
            "redact keep",
            ben,
            &["redact", "keep", "PL-01", "--transcript", "1", "{hand}", "--reason", "a public figure"],
        ),
        on("redact unmark", ben, &["redact", "unmark", "PL-01", "--transcript", "1", "{hand}"]),
        on("consent show", ben, &["consent", "show", "PL-02"]).keeps("label", "/voices/0/label"),
        on("consent set", ben, &["consent", "set", "AM-01", "--module", "teaching=refused"]).acts(2),
        on("consent set embargo", ben, &["consent", "set", "GE-01", "--embargo", "2030-01-01"]).acts(2),
        on(
            "consent set passage",
            ben,
            &["consent", "set", "GE-03", "--turns", "2-3", "--transcript", "1", "--module", "reuse=refused"],
        )
        .acts(2),
        on("consent withdraw", ben, &["consent", "withdraw", "PL-02", "--participant", "{label}"]).acts(2),
        on("consent due", ben, &["consent", "due", "--days", "180"]),
        off(
            "request new",
            cid,
            &[
                "request",
                "new",
                "--to",
                "vault/vault.card",
                "--project",
                "{project}",
                "--level",
                "1",
                "--until",
                "2030-12-31",
                "--purpose",
                "Chapter three",
                "--accept-conditions",
                "--out",
                "out/cid.sealed",
            ],
        )
        .makes(&["out/cid.sealed"]),
        off(
            "request new second",
            cid,
            &[
                "request",
                "new",
                "--to",
                "vault/vault.card",
                "--project",
                "{project}",
                "--level",
                "2",
                "--until",
                "2029-12-31",
                "--purpose",
                "Chapter four",
                "--accept-conditions",
                "--out",
                "out/more.sealed",
            ],
        )
        .aside(),
        off(
            "request new stranger",
            Some("gus"),
            &[
                "request",
                "new",
                "--to",
                "vault/vault.card",
                "--project",
                "{project}",
                "--level",
                "1",
                "--until",
                "2030-12-31",
                "--purpose",
                "Not mine",
                "--accept-conditions",
                "--out",
                "out/gus.sealed",
            ],
        )
        .aside(),
        on("request receive", ben, &["request", "receive", "out/cid.sealed"]).keeps("request", "/0/request"),
        on("request receive second", ben, &["request", "receive", "out/more.sealed"])
            .keeps("second", "/0/request")
            .aside(),
        on("request receive refused", ada, &["request", "receive", "out/gus.sealed"]).ends(3),
        on("request list", ada, &["request", "list"]),
        on("request show", ada, &["request", "show", "{request}"]),
        on("request preview", ada, &["request", "preview", "{request}"]),
        on("request approve", ada, &["request", "approve", "{request}"]).acts(2),
        on("request deny", ada, &["request", "deny", "{second}", "--reason", "Not the purpose of the project."]),
        on("extract build", ben, &["extract", "build", "{request}", "--out", "out/extract.age"])
            .makes(&["out/extract.age"])
            .acts(2),
        on("extract build again", ben, &["extract", "build", "{request}", "--out", "out/again.age"])
            .makes(&["out/again.age"]),
        off(
            "extract open",
            cid,
            &["extract", "open", "out/extract.age", "--to", "out/work", "--vault-card", "vault/vault.card"],
        )
        .makes(&["out/work"]),
        on("audit log", ada, &["audit", "log", "--last", "8"]),
        on("audit log by an auditor", eve, &["audit", "log", "--last", "8"]),
        on("audit verify", eve, &["audit", "verify", "--all"]),
        on("audit checkpoint", ada, &["audit", "checkpoint", "--out", "out/checkpoint"]).makes(&["out/checkpoint"]),
        on("audit update", eve, &["audit", "update", "--since", "0", "--out", "out/head.update"])
            .makes(&["out/head.update"]),
        off(
            "audit witness",
            board,
            &[
                "audit",
                "witness",
                "--state",
                "people/board.witness",
                "--card",
                "vault/vault.card",
                "--name",
                "board.example/ethics",
                "--update",
                "out/head.update",
                "--out",
                "out/cosignature",
            ],
        )
        .makes(&["people/board.witness", "out/cosignature"]),
        on("audit checkpoint --add", ada, &["audit", "checkpoint", "--add", "out/cosignature"]),
        on("audit proof", ada, &["audit", "proof", "3", "--out", "out/entry-3"])
            .makes(&["out/entry-3.tlog-proof", "out/entry-3.json"]),
        on("audit export", ada, &["audit", "export", "--out", "out/ledger"]).makes(&["out/ledger"]),
        on("audit who", ada, &["audit", "who", "AM-01"]),
        on("audit slip", ada, &["audit", "slip", "AM-01", "--out", "out/am.slip"]).makes(&["out/am.slip"]),
        on("check", ben, &["check"]),
        on("check by an auditor", eve, &["check", "--fast"]),
        on("clock sign", ada, &["clock", "sign", "--out", "out/ada.clock"]).makes(&["out/ada.clock"]),
        on("clock sign second", fay, &["clock", "sign", "--out", "out/fay.clock"]).aside(),
        on("clock accept", ada, &["clock", "accept", "out/ada.clock", "out/fay.clock"]),
        on("project close", ada, &["project", "close", "Work and leaving"]),
        on("person role", ada, &["person", "role", "Hal", "--role", "archivist", "--sites", "AM"]).acts(3),
        on("person remove", ada, &["person", "remove", "Hal"]).acts(3),
        on("person remove auditor", ada, &["person", "remove", "Eve"]).acts(2),
    ]);
    steps
}
