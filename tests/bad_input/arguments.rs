//! What people type.

use crate::harness::{Effect, case, group};

fn long() -> &'static str {
    Box::leak("A".repeat(100_000).into_boxed_str())
}

#[test]
fn arguments() {
    let cases = vec![
        case("an unknown command").told().run(&["injest"]).exits(2).says(&["unrecognized"]).remedy(&["--help"]),
        case("nothing at all").run(&[]).exits(2).says(&["closed vault"]).remedy(&["Usage", "--help"]),
        case("a date that is none")
            .told()
            .by("ben")
            .run(&["interview", "list", "--from", "17.05.2023"])
            .exits(2)
            .says(&["--from", "2026-11-23"])
            .remedy(&["--help"]),
        case("a day that there is not")
            .by("ben")
            .run(&["interview", "list", "--from", "2023-02-30"])
            .exits(2)
            .says(&["--from", "2026-11-23"])
            .remedy(&["--help"]),
        case("a year of five digits")
            .by("ben")
            .run(&["interview", "list", "--from", "12023-02-03"])
            .exits(2)
            .says(&["--from", "2026-11-23"])
            .remedy(&["--help"]),
        case("a period that ends before it begins")
            .told()
            .by("ada")
            .run(&[
                "approval",
                "add",
                "--board",
                "host",
                "--reference",
                "1",
                "--title",
                "t",
                "--fieldwork",
                "2024-01-01..2023-01-01",
                "--use",
                "2024-01-01..2025-01-01",
            ])
            .says(&["period"])
            .remedy(&["first"]),
        case("a period that is none")
            .by("ada")
            .run(&[
                "approval",
                "add",
                "--board",
                "host",
                "--reference",
                "1",
                "--title",
                "t",
                "--fieldwork",
                "in spring",
                "--use",
                "2024-01-01..2025-01-01",
            ])
            .exits(2)
            .says(&["--fieldwork", "2022-03-01..2024-12-31"])
            .remedy(&["--help"]),
        case("a board that the study does not know")
            .told()
            .by("ada")
            .run(&[
                "approval",
                "add",
                "--board",
                "none",
                "--reference",
                "1",
                "--title",
                "t",
                "--fieldwork",
                "2024-01-01..2025-01-01",
                "--use",
                "2024-01-01..2025-01-01",
            ])
            .says(&["board"])
            .remedy(&["host"]),
        case("an empty title")
            .by("ada")
            .run(&[
                "approval",
                "add",
                "--board",
                "host",
                "--reference",
                "1",
                "--title",
                "",
                "--fieldwork",
                "2024-01-01..2025-01-01",
                "--use",
                "2024-01-01..2025-01-01",
            ])
            .says(&["title", "empty"])
            .remedy(&["Give"]),
        case("a purpose that is no DUO term")
            .told()
            .by("ada")
            .run(&[
                "project",
                "add",
                "--title",
                "t",
                "--duo",
                "XYZ",
                "--purpose",
                "p",
                "--people",
                "dora",
                "--period",
                "2025-01-01..2026-01-01",
            ])
            .says(&["DUO"])
            .remedy(&["GRU"]),
        case("a title of a hundred thousand letters")
            .by("ada")
            .run(&[
                "project",
                "add",
                "--title",
                long(),
                "--duo",
                "GRU",
                "--purpose",
                "p",
                "--people",
                "dora",
                "--period",
                "2025-01-01..2026-01-01",
            ])
            .says(&["title", "longer"])
            .remedy(&["Shorten"]),
        case("a code that nobody could mean")
            .told()
            .by("ben")
            .run(&["interview", "show", "nonsense"])
            .says(&["code"])
            .remedy(&["AM-05"]),
        case("an empty code").by("ben").run(&["interview", "show", ""]).says(&["code"]).remedy(&["AM-05"]),
        case("a code of a hundred thousand letters")
            .by("ben")
            .run(&["interview", "show", long()])
            .says(&["code"])
            .remedy(&["AM-05"]),
        case("a code of a site that the study does not have")
            .by("ben")
            .run(&["interview", "show", "XX-01"])
            .says(&["code"])
            .remedy(&["AM"]),
        case("a code that the vault does not know")
            .told()
            .by("ben")
            .run(&["interview", "show", "AM-77"])
            .says(&["no interview"])
            .remedy(&["interview list"]),
        case("a site that the study does not have, in a list")
            .by("ben")
            .run(&["interview", "list", "--site", "XX"])
            .says(&["site"])
            .remedy(&["study"]),
        case("consent of a code that the vault does not know")
            .by("ben")
            .run(&["consent", "show", "AM-77"])
            .says(&["no interview"])
            .remedy(&["interview list"]),
        case("a participant who is not in the interview")
            .told()
            .by("ben")
            .run(&[
                "--yes",
                "consent",
                "set",
                "AM-01",
                "--participant",
                "R9",
                "--module",
                "reuse=refused",
                "--witnessed",
            ])
            .says(&["participant"])
            .remedy(&["consent show"]),
        case("a module of consent that there is not")
            .told()
            .by("ben")
            .run(&["--yes", "consent", "set", "AM-01", "--module", "selling=granted", "--witnessed"])
            .says(&["module"])
            .remedy(&["archive", "analyse"]),
        case("a form version that the study does not have, for a consent")
            .told()
            .by("ben")
            .run(&["--yes", "consent", "set", "AM-01", "--form", "v9", "--witnessed"])
            .says(&["no consent form of that version"])
            .remedy(&["study.toml"]),
        case("turns that the transcript does not have")
            .by("ben")
            .run(&["--yes", "consent", "set", "AM-01", "--turns", "90-99", "--module", "reuse=refused", "--witnessed"])
            .says(&["passage", "transcript"])
            .remedy(&["1 to 4"]),
        case("turns the wrong way round")
            .by("ben")
            .run(&["--yes", "consent", "set", "AM-01", "--turns", "3-1", "--module", "reuse=refused", "--witnessed"])
            .says(&["12-18"])
            .remedy(&["first one first"]),
        case("a negative number of days")
            .by("ben")
            .run(&["consent", "due", "--days=-5"])
            .exits(2)
            .says(&["--days"])
            .remedy(&["--help"]),
        case("a number of days that is too large")
            .by("ben")
            .run(&["consent", "due", "--days", "99999999999"])
            .exits(2)
            .says(&["--days"])
            .remedy(&["--help"]),
        case("a turn that the transcript does not have")
            .told()
            .by("ben")
            .run(&["redact", "mark", "AM-01", "--turn", "99", "--from", "0", "--to", "3", "--class", "other"])
            .says(&["no turn 99"])
            .remedy(&["1 to 4"]),
        case("a mark that ends before it begins")
            .by("ben")
            .run(&["redact", "mark", "AM-01", "--turn", "1", "--from", "5", "--to", "3", "--class", "other"])
            .says(&["turn 1"])
            .remedy(&["--to"]),
        case("a class of marks that there is not")
            .by("ben")
            .run(&["redact", "mark", "AM-01", "--turn", "1", "--from", "0", "--to", "3", "--class", "colour"])
            .exits(2)
            .says(&["--class"])
            .remedy(&["organisation"]),
        case("a transcript version that there is not")
            .told()
            .by("ben")
            .run(&["redact", "review", "AM-01", "--transcript", "9", "--statement", "Read."])
            .says(&["no such transcript version"])
            .remedy(&["redact status"]),
        case("names on a pipe")
            .told()
            .by("ben")
            .run(&["interview", "show", "AM-01", "--names"])
            .says(&["terminal only"])
            .remedy(&["--to-pipe"]),
        case("a request that is no number")
            .told()
            .by("ada")
            .run(&["--yes", "request", "approve", "seven"])
            .says(&["not the number of a request"])
            .remedy(&["REQ-7"]),
        case("request number 0")
            .by("ada")
            .run(&["--yes", "request", "approve", "REQ-0"])
            .says(&["number"])
            .remedy(&["REQ-7"]),
        case("a request number of forty digits")
            .by("ada")
            .run(&["--yes", "request", "approve", "REQ-1111111111111111111111111111111111111111"])
            .says(&["number"])
            .remedy(&["REQ-7"]),
        case("a request that there is not")
            .told()
            .by("ada")
            .run(&["--yes", "request", "approve", "REQ-99"])
            .says(&["no request of that number"])
            .remedy(&["request list"]),
        case("an extract of a request that nobody approved")
            .told()
            .by("ben")
            .run(&["extract", "build", "REQ-2", "--out", "new.age"])
            .exits(3)
            .says(&["no steward has decided"])
            .remedy(&["request approve"])
            .leaves(Effect::Logged("denied")),
        case("an extract into a file that is there already")
            .told()
            .by("ben")
            .run(&["extract", "build", "REQ-1", "--out", "dora.age"])
            .says(&["file of that name already"])
            .remedy(&["--out"]),
        case("an extract into a folder that is not there")
            .by("ben")
            .run(&["extract", "build", "REQ-1", "--out", "nowhere/x.age"])
            .says(&["extract"])
            .remedy(&["folder"]),
        case("an archivist approves a request")
            .told()
            .by("ben")
            .run(&["--yes", "request", "approve", "REQ-2"])
            .exits(3)
            .says(&["steward"])
            .remedy(&["steward"])
            .leaves(Effect::Logged("denied")),
        case("more is approved than was asked for")
            .told()
            .by("ada")
            .run(&["--yes", "request", "approve", "REQ-2", "--level", "1"])
            .exits(3)
            .says(&["level", "not asked for"])
            .remedy(&["less than was asked"])
            .leaves(Effect::Logged("denied")),
        case("a level that there is not")
            .by("ada")
            .run(&["--yes", "request", "approve", "REQ-2", "--level", "9"])
            .says(&["level"])
            .remedy(&["1"]),
        case("a negative level")
            .by("ada")
            .run(&["--yes", "request", "approve", "REQ-2", "--level=-1"])
            .exits(2)
            .says(&["--level"])
            .remedy(&["--help"]),
    ];
    group("What is typed", cases);
}
