//! Identities, passphrases and cards.

use crate::harness::{Effect, Under, case, group};
use crate::house::House;
use subrosa::base::role::{Role, RoleGrant};
use subrosa::crypto::identity::Identity;
use subrosa::session::{Change, change_membership};

const LIST: &[&str] = &["interview", "list"];

fn number(house: &House, field: &str, from: &str, to: &str) {
    house.replace("ben.id", &format!("\"{field}\":{from}"), &format!("\"{field}\":{to}"));
}

#[test]
fn identities() {
    let with = |file: &'static str| {
        vec!["--vault", "vault", "--identity", "ben.id", "--passphrase-file", file, "interview", "list"]
    };
    let cases = vec![
        case("the passphrase is wrong")
            .told()
            .make(|h| h.write("pass", "correct horse battery staple 8\n"))
            .by("ben")
            .run(LIST)
            .exits(5)
            .says(&["passphrase is wrong"])
            .remedy(&["Type it again"]),
        case("the passphrase file is missing")
            .told()
            .run(&with("nopass"))
            .says(&["passphrase file"])
            .remedy(&["Check"]),
        case("the passphrase file is empty")
            .told()
            .make(|h| h.write("pass", ""))
            .by("ben")
            .run(LIST)
            .says(&["passphrase file is empty"])
            .remedy(&["first line"]),
        case("the passphrase file has an empty first line")
            .make(|h| h.write("pass", "\ncorrect horse battery staple 9\n"))
            .by("ben")
            .run(LIST)
            .says(&["passphrase file is empty"])
            .remedy(&["first line"]),
        case("the passphrase file is far too long")
            .told()
            .make(|h| h.write("pass", "correct horse ".repeat(100_000)))
            .by("ben")
            .run(LIST)
            .says(&["passphrase file", "too long"])
            .remedy(&["first line"]),
        case("the passphrase file is not plain text")
            .told()
            .make(|h| h.write("pass", b"correct horse \xFF\xFE battery\n"))
            .by("ben")
            .run(LIST)
            .says(&["passphrase file", "not UTF-8"])
            .remedy(&["plain text"]),
        case("the passphrase file is a folder")
            .run(&with("known"))
            .says(&["passphrase file", "folder"])
            .remedy(&["Give a file"]),
        case("there is no terminal to ask for the passphrase")
            .told()
            .run(&["--vault", "vault", "--identity", "ben.id", "interview", "list"])
            .says(&["no terminal"])
            .remedy(&["--passphrase-file"]),
        case("it is not said who you are")
            .told()
            .run(&["--vault", "vault", "interview", "list"])
            .says(&["who you are"])
            .remedy(&["--identity", "--as"]),
        case("--as names nobody")
            .run(&["--vault", "vault", "--as", "../ben", "interview", "list"])
            .says(&["not the name of a person"])
            .remedy(&["--identity"]),
        case("the identity file is not there")
            .told()
            .run(&["--vault", "vault", "--as", "ben", "interview", "list"])
            .says(&["identity file"])
            .remedy(&["Check"]),
        case("the identity file is damaged")
            .told()
            .make(|h| h.change("ben.id", |b| b.truncate(b.len() / 2)))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["identity file"])
            .remedy(&["copy"]),
        case("the identity file is empty")
            .make(|h| h.write("ben.id", ""))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["identity file"])
            .remedy(&["copy"]),
        case("the identity file is huge")
            .make(|h| h.write("ben.id", vec![b'{'; 5_000_000]))
            .by("ben")
            .run(LIST)
            .says(&["identity file", "too large"])
            .remedy(&["right file"]),
        case("the identity file is a card")
            .told()
            .make(|h| h.put("ben.card", "ben.id"))
            .by("ben")
            .run(LIST)
            .says(&["card", "identity"])
            .remedy(&[".id"]),
        case("the identity file was made by a newer version")
            .make(|h| h.replace("ben.id", "subrosa-identity/1\"", "subrosa-identity/2\",\"pq\":1"))
            .by("ben")
            .run(LIST)
            .says(&["identity file", "newer version"])
            .remedy(&["Install the newer version"]),
        case("the card in the identity file was altered")
            .make(|h| h.replace("ben.id", "\"name\":\"ben\"", "\"name\":\"bob\""))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["identity file"])
            .remedy(&["copy"]),
        case("the identity file asks for an absurd amount of memory")
            .told()
            .make(|h| number(h, "m", "19456", "2147483647"))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["identity file"])
            .remedy(&["copy"]),
        case("the identity file asks for an absurd number of passes")
            .make(|h| number(h, "t", "1", "4294967295"))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["identity file"])
            .remedy(&["copy"]),
        case("the identity file asks for no work at all")
            .make(|h| number(h, "m", "19456", "1"))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["identity file"])
            .remedy(&["copy"]),
        case("somebody who is not enrolled opens the vault")
            .told()
            .by("zoe")
            .run(LIST)
            .exits(3)
            .says(&["no keys of this vault", "not enrolled"])
            .remedy(&["steward", "person add"]),
        case("the roles do not allow it")
            .told()
            .by("ben")
            .run(&["--yes", "person", "remove", "emil"])
            .exits(3)
            .says(&["steward"])
            .remedy(&["steward"])
            .leaves(Effect::Logged("denied")),
        case("an analyst asks for a list of interviews")
            .by("dora")
            .run(LIST)
            .told()
            .exits(3)
            .says(&["no keys of this vault"])
            .remedy(&["sealed files"]),
        case("an identity that cannot be read by this account")
            .make(|h| {
                use std::os::unix::fs::PermissionsExt;
                let set = |name: &str, mode| {
                    std::fs::set_permissions(h.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
                };
                let mut open = std::process::Command::new("chmod");
                assert!(open.args(["-R", "a+rX", "."]).current_dir(h.dir()).status().unwrap().success());
                set("ben.id", 0);
                if !crate::harness::is_root() {
                    assert!(std::fs::read(h.path("ben.id")).is_err(), "the case cannot be made");
                }
            })
            .under(Under::Reader)
            .by("ben")
            .run(LIST)
            .says(&["identity file", "permission"])
            .remedy(&["may read"]),
    ];
    group("Who you are", cases);
}

#[test]
fn new_identities() {
    let new = |more: &[&'static str]| {
        let mut all = vec!["--passphrase-file", "pass", "identity", "new"];
        all.extend(more);
        all
    };
    let cases = vec![
        case("a weak passphrase for a new identity")
            .told()
            .make(|h| h.write("pass", "password12\n"))
            .run(&new(&["--name", "Max", "--country", "EE", "--out", "max.id"]))
            .says(&["passphrase"])
            .remedy(&["words"]),
        case("a passphrase that is too short")
            .make(|h| h.write("pass", "x9!\n"))
            .run(&new(&["--name", "Max", "--country", "EE", "--out", "max.id"]))
            .says(&["passphrase"])
            .remedy(&["words"]),
        case("a passphrase of more than a thousand characters")
            .make(|h| h.write("pass", "correct horse ".repeat(80)))
            .run(&new(&["--name", "Max", "--country", "EE", "--out", "max.id"]))
            .says(&["passphrase", "longer"])
            .remedy(&["shorter"]),
        case("a country that is none")
            .told()
            .run(&new(&["--name", "Max", "--country", "Estonia", "--out", "max.id"]))
            .says(&["country"])
            .remedy(&["EE"]),
        case("an empty name")
            .run(&new(&["--name", " ", "--country", "EE", "--out", "max.id"]))
            .says(&["name", "empty"])
            .remedy(&["Give"]),
        case("a name of ten thousand letters")
            .make(|_| {})
            .run(&new(&[
                "--name",
                Box::leak("x".repeat(10_000).into_boxed_str()),
                "--country",
                "EE",
                "--out",
                "max.id",
            ]))
            .says(&["name", "longer"])
            .remedy(&["Shorten"]),
        case("a file that is there already")
            .told()
            .run(&new(&["--name", "Max", "--country", "EE", "--out", "ben.id"]))
            .says(&["of that name already"])
            .remedy(&["overwritten"]),
        case("a folder that is not there")
            .run(&new(&["--name", "Max", "--country", "EE", "--out", "nowhere/max.id"]))
            .says(&["write the identity file"])
            .remedy(&["folder"]),
    ];
    group("A new identity", cases);
}

#[test]
fn cards() {
    let add = |card: &'static str| vec!["--yes", "person", "add", card, "--role", "analyst"];
    let cases = vec![
        case("a card was altered")
            .told()
            .make(|h| h.replace("zoe.card", "\"name\":\"zoe\"", "\"name\":\"zoa\""))
            .by("ada")
            .run(&add("zoe.card"))
            .exits(4)
            .says(&["card", "signature"])
            .remedy(&["again"]),
        case("a card is cut off")
            .make(|h| h.change("zoe.card", |b| b.truncate(40)))
            .by("ada")
            .run(&add("zoe.card"))
            .exits(4)
            .says(&["card"])
            .remedy(&["again"]),
        case("a card is not there").by("ada").run(&add("nobody.card")).says(&["the card"]).remedy(&["Check"]),
        case("a card was made by a newer version")
            .told()
            .make(|h| h.replace("zoe.card", "subrosa-card/1", "subrosa-card/2"))
            .by("ada")
            .run(&add("zoe.card"))
            .says(&["card", "newer version"])
            .remedy(&["Install the newer version"]),
        case("an identity file is given for a card")
            .told()
            .by("ada")
            .run(&add("zoe.id"))
            .says(&["identity", "card"])
            .remedy(&[".card"]),
        case("a huge file is given for a card")
            .make(|h| h.write("zoe.card", vec![b' '; 3_000_000]))
            .by("ada")
            .run(&add("zoe.card"))
            .says(&["card", "too large"])
            .remedy(&["right file"]),
        case("the card is another person's: the fingerprint differs")
            .told()
            .by("ada")
            .run(&["--yes", "person", "add", "zoe.card", "--role", "analyst", "--fingerprint", "0000-0000"])
            .says(&["not the fingerprint"])
            .remedy(&["Do not enrol"]),
        case("somebody is enrolled already")
            .told()
            .by("ada")
            .run(&add("dora.card"))
            .says(&["enrolled already"])
            .remedy(&["person role"]),
        case("a name that two people have")
            .told()
            .make(|h| {
                let now = subrosa::base::time::Clock::now(&subrosa::base::time::SystemClock);
                let second = Identity::generate("dora", "EE".parse().unwrap(), now).unwrap();
                let roles = vec![RoleGrant { role: Role::Analyst, sites: None }];
                change_membership(&mut h.unlock("ada"), Change::Enrol(second.card().clone(), roles)).unwrap();
            })
            .by("ada")
            .run(&["--yes", "person", "remove", "dora"])
            .says(&["several people"])
            .remedy(&["id"]),
        case("a site that the study does not have")
            .told()
            .by("ada")
            .run(&["--yes", "person", "add", "zoe.card", "--role", "archivist", "--sites", "XX"])
            .says(&["site"])
            .remedy(&["study"]),
        case("somebody who is not there is removed")
            .told()
            .by("ada")
            .run(&["--yes", "person", "remove", "nobody"])
            .says(&["nobody"])
            .remedy(&["person list"]),
        case("a steward gives up their own role")
            .told()
            .by("ada")
            .run(&["--yes", "person", "role", "ada", "--role", "analyst"])
            .says(&["their own role"])
            .remedy(&["another steward"]),
        case("a change without an answer")
            .told()
            .by("ada")
            .run(&["person", "remove", "emil"])
            .says(&["not confirmed", "nothing was changed"])
            .remedy(&["--yes"]),
    ];
    group("People and their cards", cases);
}
