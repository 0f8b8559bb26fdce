//! Requests that come in, and decisions that were changed.

use subrosa::base::id::VaultId;
use subrosa::base::time::{Clock, Moment, SystemClock};
use subrosa::crypto::keyring::Compartment;
use subrosa::crypto::stream::{self, AgeIdentity};
use subrosa::domain::conditions::Conditions;
use subrosa::domain::request::{Ask, Items, Request};

use crate::harness::{Effect, case, group};
use crate::house::House;
use crate::look::open_database;

const RECEIVE: &[&str] = &["request", "receive", "new.age"];

/// What a request asks for, to be changed.
struct Wanted {
    vault: VaultId,
    project: String,
    until: String,
    created: Moment,
    codes: Vec<String>,
    who: &'static str,
}

/// Writes `new.age`: a signed request of somebody, sealed to the vault's desk, its text changed at the end.
fn write(house: &House, change: impl FnOnce(&mut Wanted), alter: impl FnOnce(String) -> String) {
    let now = SystemClock.now();
    let mut wanted = Wanted {
        vault: house.card().facts().vault,
        project: house.text("project"),
        until: now.plus_days(200).date().to_string(),
        created: now,
        codes: vec![],
        who: "dora",
    };
    change(&mut wanted);
    let who = house.identity(wanted.who);
    let ask = Ask {
        vault: wanted.vault,
        project: wanted.project.parse().unwrap(),
        level: 2,
        until: wanted.until.parse().unwrap(),
        items: Items { sites: vec![], codes: wanted.codes },
        purpose: "To compare how people tell of planted things.".into(),
        conditions: Conditions::current().digest(),
    };
    let request = Request::new(ask, who.card().clone(), who.signer(), wanted.created).unwrap();
    let text = alter(String::from_utf8(request.to_bytes().unwrap()).unwrap());
    seal(house, text.as_bytes());
}

fn seal(house: &House, text: &[u8]) {
    let sealed = stream::seal_bytes(&[house.card().facts().desk.as_age()], text).unwrap();
    house.write("new.age", sealed);
}

fn same(text: String) -> String {
    text
}

#[test]
fn requests() {
    let receive = |name: &'static str| case(name).by("ben").run(RECEIVE);
    let cases = vec![
        receive("the request is not there").told().says(&["the request"]).remedy(&["Check"]),
        receive("the request is empty")
            .make(|h| h.write("new.age", ""))
            .exits(4)
            .says(&["request", "cut off"])
            .remedy(&["another copy"]),
        receive("the request is not sealed")
            .told()
            .make(|h| h.write("new.age", "Please give me everything. planted"))
            .says(&["request", "not a sealed file"])
            .remedy(&["right file"]),
        receive("the request is sealed to another vault")
            .told()
            .make(|h| {
                let other = subrosa::crypto::card::VaultCard::parse(&h.read("other/vault.card")).unwrap();
                h.write("new.age", stream::seal_bytes(&[other.facts().desk.as_age()], b"{}").unwrap());
            })
            .says(&["not sealed to this vault"])
            .remedy(&["vault.card"]),
        receive("the sealed request was altered")
            .told()
            .make(|h| {
                h.put("request-1.age", "new.age");
                h.change("new.age", |b| {
                    let last = b.len() - 3;
                    b[last] ^= 1;
                });
            })
            .exits(4)
            .says(&["request"])
            .remedy(&["again"]),
        receive("the sealed request is cut off")
            .make(|h| {
                h.put("request-1.age", "new.age");
                h.change("new.age", |b| b.truncate(b.len() - 40));
            })
            .exits(4)
            .says(&["request"])
            .remedy(&["again"]),
        receive("a huge request")
            .make(|h| h.write("new.age", vec![0; 4_000_000]))
            .says(&["request", "too large"])
            .remedy(&["right file"]),
        receive("what is sealed is no request")
            .make(|h| seal(h, b"hello"))
            .exits(4)
            .says(&["request"])
            .remedy(&["not written by Subrosa"]),
        receive("the request was written by a newer version")
            .told()
            .make(|h| write(h, |_| {}, |t| t.replace("subrosa-request/1\"", "subrosa-request/2\"")))
            .says(&["request", "newer version"])
            .remedy(&["Install"]),
        receive("the request names another vault inside")
            .told()
            .make(|h| write(h, |w| w.vault = VaultId::from_bytes([7; 16]), same))
            .says(&["for another vault"])
            .remedy(&["this vault's card"]),
        receive("somebody changed the level in the request")
            .told()
            .make(|h| write(h, |_| {}, |t| t.replace("\"level\":2", "\"level\":1")))
            .exits(4)
            .says(&["request", "signature"])
            .remedy(&["again"]),
        receive("the request was taken in before")
            .told()
            .make(|h| h.put("request-1.age", "new.age"))
            .says(&["taken in before"])
            .remedy(&["request list"]),
        receive("the request has run out")
            .told()
            .make(|h| {
                let then: Moment = "2025-01-01T00:00:00Z".parse().unwrap();
                write(
                    h,
                    |w| {
                        w.created = then;
                        w.until = "2025-06-30".into();
                    },
                    same,
                );
            })
            .says(&["end date"])
            .remedy(&["later", "new one"]),
        receive("the request was written in the future")
            .make(|h| {
                let now = SystemClock.now();
                write(
                    h,
                    |w| {
                        w.created = now.plus_days(30);
                        w.until = now.plus_days(60).date().to_string();
                    },
                    same,
                );
            })
            .says(&["future"])
            .remedy(&["clock"]),
        receive("the request comes from somebody who is not enrolled")
            .told()
            .make(|h| write(h, |w| w.who = "zoe", same))
            .exits(3)
            .says(&["not enrolled"])
            .remedy(&["person add"])
            .leaves(Effect::Logged("denied")),
        receive("the request comes from somebody who is not in the project")
            .told()
            .make(|h| write(h, |w| w.who = "emil", same))
            .exits(3)
            .says(&["not one of the project's people"])
            .remedy(&["steward"])
            .leaves(Effect::Logged("denied")),
        receive("the request is for a project that there is not")
            .told()
            .make(|h| write(h, |w| w.project = "51".repeat(16), same))
            .says(&["no such project"])
            .remedy(&["project list"]),
        receive("the request names a code that there is not")
            .told()
            .make(|h| write(h, |w| w.codes = vec!["AM-01".into(), "AM-88".into()], same))
            .says(&["code number 2"])
            .remedy(&["archive code"]),
        case("two requests, the second of which is bad")
            .by("ben")
            .make(|h| write(h, |w| w.who = "zoe", same))
            .run(&["request", "receive", "request-1.age", "new.age"])
            .says(&["file 1 of 2"])
            .remedy(&["request list"]),
        case("a request is written with a card that is no vault's")
            .told()
            .run(&[
                "--identity",
                "dora.id",
                "--passphrase-file",
                "pass",
                "request",
                "new",
                "--to",
                "ben.card",
                "--project",
                Box::leak("51".repeat(16).into_boxed_str()),
                "--level",
                "2",
                "--until",
                "2080-01-01",
                "--purpose",
                "p",
                "--accept-conditions",
                "--out",
                "x.age",
            ])
            .says(&["card"])
            .remedy(&["vault.card"]),
        case("a request without agreeing to the conditions")
            .told()
            .run(&[
                "--identity",
                "dora.id",
                "--passphrase-file",
                "pass",
                "request",
                "new",
                "--to",
                "vault.card",
                "--project",
                Box::leak("51".repeat(16).into_boxed_str()),
                "--level",
                "2",
                "--until",
                "2028-01-01",
                "--purpose",
                "p",
                "--out",
                "x.age",
            ])
            .says(&["not confirmed"])
            .remedy(&["--accept-conditions"]),
        case("a request for a time that is too long")
            .told()
            .run(&[
                "--identity",
                "dora.id",
                "--passphrase-file",
                "pass",
                "request",
                "new",
                "--to",
                "vault.card",
                "--project",
                Box::leak("51".repeat(16).into_boxed_str()),
                "--level",
                "2",
                "--until",
                "2900-01-01",
                "--purpose",
                "p",
                "--accept-conditions",
                "--out",
                "x.age",
            ])
            .says(&["years"])
            .remedy(&["earlier"]),
        case("a request with an empty purpose")
            .run(&[
                "--identity",
                "dora.id",
                "--passphrase-file",
                "pass",
                "request",
                "new",
                "--to",
                "vault.card",
                "--project",
                Box::leak("51".repeat(16).into_boxed_str()),
                "--level",
                "2",
                "--until",
                "2028-01-01",
                "--purpose",
                " ",
                "--accept-conditions",
                "--out",
                "x.age",
            ])
            .says(&["purpose is empty"])
            .remedy(&["sentence"]),
    ];
    group("Requests", cases);
}

#[test]
fn decisions() {
    let change = |from: &'static str, to: &'static str| {
        move |h: &House| {
            let db = open_database(h, "catalogue");
            let sql = format!("UPDATE record SET body = replace(body, '{from}', '{to}') WHERE kind = 'decision'");
            assert_eq!(db.execute(&sql, []).unwrap(), 1);
        }
    };
    let build = |name: &'static str| case(name).by("ben").run(&["extract", "build", "REQ-1", "--out", "new.age"]);
    let cases = vec![
        build("a decision was changed in the catalogue: a lower level")
            .told()
            .make(change("\"level\":2", "\"level\":1"))
            .exits(4)
            .says(&["decision", "not in the ledger"])
            .remedy(&["check", "decide again"]),
        build("a decision was moved to another request")
            .told()
            .make(|h| {
                let db = open_database(h, "catalogue");
                let other: Vec<u8> =
                    db.query_row("SELECT id FROM record WHERE kind = 'request' AND body LIKE '%\"number\":2%'", [], |r| r.get(0)).unwrap();
                assert_eq!(db.execute("UPDATE record SET parent = ?1 WHERE kind = 'decision'", [&other]).unwrap(), 1);
            })
            .run(&["extract", "build", "REQ-2", "--out", "new.age"])
            .exits(4)
            .says(&["decision"])
            .remedy(&["check"]),
        build("a request was given to somebody else after the decision")
            .told()
            .make(|h| {
                let id = |name: &str| h.identity(name).person_id().to_string();
                let db = open_database(h, "catalogue");
                let sql = "UPDATE record SET body = replace(body, ?1, ?2) WHERE kind = 'request' AND body LIKE '%\"number\":1,%'";
                assert_eq!(db.execute(sql, [id("dora"), id("emil")]).unwrap(), 1);
            })
            .exits(3)
            .says(&["other people than the request"])
            .remedy(&["decide again"])
            .leaves(Effect::Logged("denied")),
        build("a no was made of a yes in the catalogue")
            .make(change("\"granted\":true", "\"granted\":false"))
            .exits(4)
            .says(&["decision", "not in the ledger"])
            .remedy(&["decide again"]),
    ];
    group("Decisions", cases);
    // The desk's key opens what is sealed to the desk.
    let house = House::new();
    let vault = house.unlock("ben");
    let desk = vault.held(Compartment::Desk);
    let key = AgeIdentity::from_key(desk.first().unwrap()).unwrap();
    assert!(stream::open_bytes(key.as_age(), &house.read("request-1.age"), 1 << 20).is_ok());
}
