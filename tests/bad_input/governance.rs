//! Study definitions and policies.

use crate::harness::{Case, case, group};
use crate::house::STUDY;

#[test]
fn studies() {
    let check = |name: &'static str, text: Vec<u8>| -> Case {
        case(name).make(move |h| h.write("study.toml", &text)).run(&["study", "check", "study.toml"])
    };
    let amend = |name: &'static str, text: String| -> Case {
        case(name).make(move |h| h.write("study.toml", &text)).by("ada").run(&["--yes", "study", "amend", "study.toml"])
    };
    let text = |from: &str, to: &str| {
        assert!(STUDY.contains(from), "{from}");
        STUDY.replacen(from, to, 1)
    };
    let cases = vec![
        case("the study definition is not there")
            .told()
            .run(&["study", "check", "no.toml"])
            .says(&["study definition"])
            .remedy(&["Check"]),
        check("the study definition is empty", vec![])
            .told()
            .says(&["format is missing"])
            .remedy(&["Add a line `format"]),
        check("broken TOML", text("title = \"", "title = ").into_bytes())
            .told()
            .says(&["line 3", "not valid TOML"])
            .remedy(&["example study"]),
        check("keys that are not known", text("contact = ", "kontact = ").into_bytes())
            .told()
            .says(&["line 5", "kontact"])
            .remedy(&["contact"]),
        check("a newer study definition", text("subrosa-study/1", "subrosa-study/2").into_bytes())
            .told()
            .says(&["format"])
            .remedy(&["subrosa-study/1"]),
        check("a study definition of ten megabytes", vec![b'#'; 10_000_000])
            .told()
            .says(&["study definition", "too large"])
            .remedy(&["right file"]),
        check(
            "a study definition that nests a hundred thousand deep",
            [b"a = ".to_vec(), vec![b'['; 100_000]].concat(),
        )
        .says(&["line 1", "not valid TOML"])
        .remedy(&["example study"]),
        check("a study definition that is not UTF-8", b"title = \"\xFF\xFE\"".to_vec())
            .told()
            .says(&["UTF-8"])
            .remedy(&["UTF-8"]),
        check(
            "all faults of a study at once",
            text("k = 3 ", "k = -3 ").replace("country = \"GE\"", "country = \"Georgia\"").into_bytes(),
        )
        .says(&["thresholds", "country"])
        .remedy(&["ISO 3166"]),
        amend("an amendment with a fault", text("k = 3 ", "k = -3 ")).told().says(&["line"]).remedy(&["k"]),
        amend(
            "an amendment that changes what people agreed to",
            text("I have been told what this study is for.", "I have been told nothing."),
        )
        .told()
        .says(&["form"])
        .remedy(&["version"]),
        amend(
            "an amendment that takes a site away",
            text("[[site]]\nprefix = \"PL\"\nname = \"Poland\"\ncountry = \"PL\"\nboards = [\"university\"]\n", ""),
        )
        .told()
        .says(&["the site PL is gone"])
        .remedy(&["Put it back"]),
        case("a vault is founded with a broken study")
            .make(|h| h.write("study.toml", "title = 3"))
            .run(&["--identity", "ada.id", "--passphrase-file", "pass", "init", "new", "--study", "study.toml"])
            .says(&["line 1"])
            .remedy(&["study"]),
        case("a vault is founded where something is already")
            .told()
            .make(|h| h.write("study.toml", STUDY))
            .run(&["--identity", "ada.id", "--passphrase-file", "pass", "init", "known", "--study", "study.toml"])
            .says(&["something in that folder"])
            .remedy(&["new or empty folder"]),
        case("the key folder lies in the vault")
            .told()
            .make(|h| h.write("study.toml", STUDY))
            .run(&[
                "--identity",
                "ada.id",
                "--passphrase-file",
                "pass",
                "--keys",
                "new/keys",
                "init",
                "new",
                "--study",
                "study.toml",
            ])
            .says(&["inside"])
            .remedy(&["--keys"]),
        case("a threshold without trustees")
            .make(|h| h.write("study.toml", STUDY))
            .run(&[
                "--identity",
                "ada.id",
                "--passphrase-file",
                "pass",
                "init",
                "new",
                "--study",
                "study.toml",
                "--trustee",
                "ben.card",
                "--threshold",
                "7",
            ])
            .says(&["threshold"])
            .remedy(&["--threshold"]),
    ];
    group("The study definition", cases);
}

#[test]
fn policies() {
    let rule = |id: &str, when: &str| {
        format!("@id(\"{id}\") @reason(\"For a reason\")\nforbid (principal, action, resource)\nwhen {{ {when} }};\n")
    };
    let set = |name: &'static str, text: Vec<u8>| -> Case {
        case(name).make(move |h| h.write("rules.cedar", &text)).by("ada").run(&[
            "--yes",
            "policy",
            "set",
            "rules.cedar",
        ])
    };
    let cases = vec![
        case("the policies are not there")
            .by("ada")
            .run(&["--yes", "policy", "set", "no.cedar"])
            .says(&["the policies"])
            .remedy(&["Check"]),
        set("a policy that does not parse", b"@id(\"a\")\nforbid everything please;".to_vec())
            .told()
            .says(&["line 2"])
            .remedy(&["Cedar"]),
        set("a policy about attributes that there are not", rule("a", "resource.colour == 1").into_bytes())
            .told()
            .says(&["line 3"])
            .remedy(&["subrosa.cedarschema"]),
        set("a policy that compares words with numbers", rule("a", "resource.country < 2").into_bytes())
            .told()
            .says(&["line 3"])
            .remedy(&["subrosa.cedarschema"]),
        set("a policy that asks a word for what it does not have", rule("a", "resource.country.size > 1").into_bytes())
            .says(&["line"])
            .remedy(&["rule"]),
        set("a policy without an id", b"forbid (principal, action, resource);".to_vec())
            .told()
            .says(&["line 1", "@id"])
            .remedy(&["@id"]),
        set("a policy that calls itself the floor", rule("floor-consent", "true").into_bytes())
            .told()
            .says(&["floor-"])
            .remedy(&["another @id"]),
        set(
            "two policies of one name",
            [rule("a", "resource.country == \"AM\""), rule("a", "resource.country == \"GE\"")].concat().into_bytes(),
        )
        .says(&["@id", "taken"])
        .remedy(&["of its own"]),
        set("policies that are not UTF-8", b"@id(\"a\xFF\")".to_vec()).says(&["UTF-8"]).remedy(&["UTF-8"]),
        set("policies of two megabytes", vec![b' '; 2_000_000])
            .says(&["policies", "too large"])
            .remedy(&["right file"]),
        set(
            "a policy that nests very deep",
            rule("a", &format!("{}true{}", "(".repeat(20_000), ")".repeat(20_000))).into_bytes(),
        )
        .told()
        .says(&["line 3", "nests deeper"])
        .remedy(&["several rules"]),
        set("a policy of fifty thousand additions", rule("a", &format!("1{} > 1", "+1".repeat(50_000))).into_bytes())
            .says(&["line 3", "longer"])
            .remedy(&["several rules"]),
        case("an archivist sets policies")
            .make({
                let text = rule("a", "resource.country == \"AM\"");
                move |h| h.write("rules.cedar", &text)
            })
            .by("ben")
            .run(&["--yes", "policy", "set", "rules.cedar"])
            .exits(3)
            .says(&["steward"])
            .remedy(&["steward"])
            .leaves(crate::harness::Effect::Logged("denied")),
    ];
    group("Policies", cases);
}
