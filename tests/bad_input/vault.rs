//! The vault, its databases, keyring and key file.

use crate::harness::{Effect, case, group};
use crate::house::House;
use crate::look::open_database;

const LIST: &[&str] = &["interview", "list"];

/// Turns one bit of a file.
fn flip(house: &House, name: &str) {
    house.change(name, |bytes| {
        // In a keyring within the roster: what is sealed to others, only they can tell from what it was.
        let roster = bytes.windows(10).position(|w| w == b"\"roster\":\"");
        let at = roster.map_or(bytes.len() / 2, |at| at + 200);
        bytes[at] ^= 1;
    });
}

fn cut(house: &House, name: &str) {
    house.change(name, |bytes| bytes.truncate(bytes.len() / 2));
}

#[test]
fn vaults() {
    let at = |dir: &'static str| {
        vec!["--vault", dir, "--identity", "ben.id", "--passphrase-file", "pass", "interview", "list"]
    };
    let cases = vec![
        case("the folder given is no vault")
            .told()
            .run(&at("known"))
            .says(&["not a Subrosa vault"])
            .remedy(&["--vault"]),
        case("the folder given does not exist").run(&at("nowhere")).says(&["not a Subrosa vault"]).remedy(&["--vault"]),
        case("no vault is given")
            .told()
            .run(&["--identity", "ben.id", "interview", "list"])
            .says(&["no vault is given"])
            .remedy(&["--vault DIR"]),
        case("vault.json is damaged")
            .told()
            .make(|h| cut(h, "vault/vault.json"))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["vault.json is damaged"])
            .remedy(&["backup"]),
        case("the vault was made by a newer version of the program")
            .told()
            .make(|h| h.replace("vault/vault.json", "subrosa-vault/1", "subrosa-vault/2"))
            .by("ben")
            .run(LIST)
            .says(&["vault", "newer version"])
            .remedy(&["Install the newer version"]),
        case("the keyring was written by a newer version")
            .make(|h| h.replace("vault/keyring.json", "subrosa-keyring/1\"", "subrosa-keyring/2\",\"more\":1"))
            .by("ben")
            .run(LIST)
            .says(&["keyring", "newer version"])
            .remedy(&["Install the newer version"]),
        case("the key file was written by a newer version")
            .make(|h| h.change("vault.keys/keyfile", |b| b[7] = b'2'))
            .by("ben")
            .run(LIST)
            .says(&["key file", "newer version"])
            .remedy(&["Install the newer version"]),
        case("the catalogue was written by a newer version")
            .make(|h| open_database(h, "catalogue").pragma_update(None, "user_version", 99).unwrap())
            .by("ben")
            .run(LIST)
            .says(&["catalogue.db", "newer version"])
            .remedy(&["Install the newer version"]),
        case("the ledger was written by a newer version")
            .make(|h| open_database(h, "ledger").pragma_update(None, "user_version", 99).unwrap())
            .by("eve")
            .run(&["audit", "verify"])
            .says(&["ledger.db", "newer version"])
            .remedy(&["Install the newer version"]),
        case("the state folder was written by a newer version")
            .make(|h| {
                let id = h.card().facts().vault;
                h.replace(&format!("ben.state/{id}.json"), "subrosa-state/1\"", "subrosa-state/2\",\"good\":1");
            })
            .by("ben")
            .run(LIST)
            .says(&["state file", "newer version"])
            .remedy(&["Install the newer version"]),
        case("the state file is damaged")
            .told()
            .make(|h| {
                let id = h.card().facts().vault;
                cut(h, &format!("ben.state/{id}.json"));
            })
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["your state file"])
            .remedy(&["copy"]),
        case("the vault was replaced by an older copy of itself")
            .told()
            .make(|h| {
                h.put("old/vault", "vault");
                h.put("old/vault.keys", "vault.keys");
            })
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["rolled back"])
            .remedy(&["Do not go on", "ethics board"]),
        case("the ledger was replaced by an older one")
            .told()
            .make(|h| h.put("old/vault/ledger.db", "vault/ledger.db"))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["ledger.db", "older"])
            .remedy(&["Put back the newest"]),
        case("the catalogue was replaced by an older one")
            .told()
            .make(|h| h.put("old/vault/catalogue.db", "vault/catalogue.db"))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["catalogue.db", "older"])
            .remedy(&["Put back the newest"]),
    ];
    group("The vault", cases);
}

#[test]
fn databases_and_keys() {
    let mut cases = Vec::new();
    for (name, file, words) in [
        ("catalogue.db", "vault/catalogue.db", "catalogue.db"),
        ("ledger.db", "vault/ledger.db", "ledger.db"),
        ("the keyring", "vault/keyring.json", "keyring"),
        ("the key file", "vault.keys/keyfile", "key file"),
    ] {
        let other = file.replace("vault.keys/", "other.keys/").replace("vault/", "other/");
        type Way = (&'static str, Box<dyn Fn(&House) + Send + Sync>);
        let ways: Vec<Way> = vec![
            ("is missing", Box::new(move |h| h.remove(file))),
            ("is cut off", Box::new(move |h| cut(h, file))),
            ("is empty", Box::new(move |h| h.write(file, ""))),
            ("has one bit turned", Box::new(move |h| flip(h, file))),
            ("is that of another vault", Box::new(move |h| h.put(&other, file))),
        ];
        for (way, make) in ways {
            // A flipped bit in the middle of a database may stand on a page that a list never reads: `check` does.
            let run: &[&str] = if way.contains("bit") && file.ends_with(".db") { &["check"] } else { LIST };
            let situation: &'static str = Box::leak(format!("{name} {way}").into_boxed_str());
            let mut case = case(situation).make(make).by("ben").run(run).exits(4).says(&[words]);
            let remedy: &[&str] = match (file.ends_with("keyfile"), way) {
                (true, "is missing") => &["Mount the disk", "--keys"],
                (true, _) => &["key file"],
                (false, _) => &["backup"],
            };
            if run.len() > 1 {
                case = case.remedy(remedy);
            } else {
                case = case.remedy(&["backup"]).leaves(Effect::Begun);
            }
            cases.push(if way == "is missing" || way.contains("other") { case.told() } else { case });
        }
    }
    cases.push(
        case("the key file is older than the vault")
            .told()
            .make(|h| h.put("old/vault.keys/keyfile", "vault.keys/keyfile"))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["key file", "older"])
            .remedy(&["newest key file"]),
    );
    cases.push(
        case("the keyring is older than the vault")
            .told()
            .make(|h| h.put("old/vault/keyring.json", "vault/keyring.json"))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["keyring", "rolled back"])
            .remedy(&["newest keyring.json"]),
    );
    cases.push(
        case("the disk with the key file is not there")
            .told()
            .make(|h| h.remove("vault.keys"))
            .by("ben")
            .run(LIST)
            .exits(4)
            .says(&["key file is not where"])
            .remedy(&["Mount the disk", "--keys"]),
    );
    cases.push(
        case("--keys names a folder without a key file")
            .by("ben")
            .run(&["--keys", "known", "interview", "list"])
            .exits(4)
            .says(&["key file is not where"])
            .remedy(&["--keys"]),
    );
    group("Databases, keyring and key file", cases);
}
