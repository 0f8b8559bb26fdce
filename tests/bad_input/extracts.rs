//! Extracts at the analyst's: opened by the wrong person, altered, cut, put together anew.

use std::collections::BTreeMap;

use subrosa::base::progress::Silent;
use subrosa::crypto::padding::Padding;
use subrosa::crypto::stream;
use subrosa::formats::package::{Limits, PackageWriter, read};

use crate::harness::{Case, case, group};
use crate::house::House;

fn open(name: &'static str) -> Case {
    case(name).run(&[
        "--identity",
        "dora.id",
        "--passphrase-file",
        "pass",
        "extract",
        "open",
        "dora.age",
        "--to",
        "work",
        "--vault-card",
        "vault.card",
    ])
}

/// Opens the package, lets its files be changed, and seals it to Dora again: what somebody could do who has had it open.
fn repack(house: &House, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
    let dora = house.identity("dora");
    let mut tar = Vec::new();
    stream::open(dora.age().as_age(), &house.read("dora.age")[..], &mut tar, None, &Silent).unwrap();
    let mut files = BTreeMap::new();
    let limits = Limits { files: 100, file_bytes: 1 << 20, all_bytes: 1 << 24 };
    read(&tar[..], limits, &mut |file| {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(file.content, &mut bytes).unwrap();
        files.insert(file.name, bytes);
        Ok(())
    })
    .unwrap();
    change(&mut files);
    let mut package = PackageWriter::new(Vec::new());
    for (name, bytes) in &files {
        package.file(name, bytes).unwrap();
    }
    seal(house, &package.finish().unwrap());
}

fn seal(house: &House, tar: &[u8]) {
    let mut sealed = Vec::new();
    stream::seal(&[house.identity("dora").card().recipient().as_age()], tar, &mut sealed, Padding::Padme, &Silent)
        .unwrap();
    house.write("dora.age", sealed);
}

fn swap(text: &mut Vec<u8>, from: &str, to: &str) {
    let whole = String::from_utf8(text.clone()).unwrap();
    assert!(whole.contains(from), "{from}");
    *text = whole.replace(from, to).into_bytes();
}

#[test]
fn extracts() {
    let altered = |name: &'static str, change: fn(&mut BTreeMap<String, Vec<u8>>)| {
        open(name).make(move |h| repack(h, change)).exits(4)
    };
    let cases = vec![
        case("the extract is not there")
            .told()
            .run(&["--identity", "dora.id", "--passphrase-file", "pass", "extract", "open", "no.age", "--to", "work"])
            .says(&["extract"])
            .remedy(&["Check"]),
        case("the wrong person opens an extract")
            .told()
            .run(&["--identity", "emil.id", "--passphrase-file", "pass", "extract", "open", "dora.age", "--to", "work"])
            .exits(5)
            .says(&["sealed to somebody else"])
            .remedy(&["--identity"]),
        open("an extract was altered on its way")
            .told()
            .make(|h| {
                h.change("dora.age", |b| {
                    let middle = b.len() / 2;
                    b[middle] ^= 1;
                })
            })
            .exits(4)
            .says(&["altered or is not whole"])
            .remedy(&["Copy it again"]),
        open("an extract is cut off")
            .told()
            .make(|h| h.change("dora.age", |b| b.truncate(b.len() * 2 / 3)))
            .exits(4)
            .says(&["not whole"])
            .remedy(&["Copy it again"]),
        open("an extract is cut off within its header")
            .make(|h| h.change("dora.age", |b| b.truncate(30)))
            .exits(4)
            .says(&["not whole"])
            .remedy(&["Copy it again"]),
        open("an extract that is none")
            .told()
            .make(|h| h.write("dora.age", "planted"))
            .says(&["extract", "not a sealed file"])
            .remedy(&["right file"]),
        open("an extract of nothing").make(|h| seal(h, b"")).exits(4).says(&["extract"]).remedy(&["again"]),
        open("something else was sealed").make(|h| seal(h, &[7; 5_000])).exits(4).says(&["extract"]).remedy(&["again"]),
        altered("the proof was taken out", |f| {
            f.remove("release.tlog-proof").unwrap();
        })
        .told()
        .says(&["proof"])
        .remedy(&["Do not use it"]),
        altered("the proof is of another entry", |f| {
            swap(f.get_mut("release.tlog-proof").unwrap(), "index ", "index 1")
        })
        .told()
        .says(&["proof"])
        .remedy(&["Do not use it"]),
        altered("the entry of the release was taken out", |f| {
            f.remove("release.json").unwrap();
        })
        .says(&["lacks the proof"])
        .remedy(&["again"]),
        altered("the entry of the release was changed", |f| {
            swap(f.get_mut("release.json").unwrap(), "\"seq\":", "\"seq\":1")
        })
        .says(&["signature", "ledger entry"])
        .remedy(&["again"]),
        altered("a word was changed in a transcript", |f| {
            let n = f.keys().find(|n| n.starts_with("transcripts/")).unwrap().clone();
            swap(f.get_mut(&n).unwrap(), "bus", "car");
        })
        .told()
        .says(&["not as it was released"])
        .remedy(&["Do not use it"]),
        altered("a transcript was taken out", |f| {
            let n = f.keys().find(|n| n.starts_with("transcripts/")).unwrap().clone();
            f.remove(&n).unwrap();
        })
        .told()
        .says(&["is missing"])
        .remedy(&["again"]),
        altered("a file was put in", |f| {
            f.insert("transcripts/C-AAAA-BBBB.txt".into(), b"planted".to_vec());
        })
        .told()
        .says(&["file"])
        .remedy(&["Do not use it"]),
        altered("a file of another kind was put in", |f| {
            f.insert("run-me.exe".into(), b"planted".to_vec());
        })
        .says(&["no vault would put there"])
        .remedy(&["Do not use it"]),
        altered("two files were swapped", |f| {
            let (a, b) = (f["README.txt"].clone(), f["participants.csv"].clone());
            f.insert("README.txt".into(), b);
            f.insert("participants.csv".into(), a);
        })
        .told()
        .says(&["not as it was released"])
        .remedy(&["Do not use it"]),
        altered("the end date was moved in the manifest", |f| {
            swap(f.get_mut("manifest.json").unwrap(), "\"until\":\"20", "\"until\":\"21")
        })
        .told()
        .says(&["not as it was released"])
        .remedy(&["Do not use it"]),
        altered("the steward's decision was changed", |f| {
            swap(f.get_mut("decision.json").unwrap(), "\"level\":2", "\"level\":1")
        })
        .told()
        .says(&["decision"])
        .remedy(&["Do not use it"]),
        altered("the decision was taken out", |f| {
            f.remove("decision.json").unwrap();
        })
        .says(&["is missing"])
        .remedy(&["again"]),
        altered("the signature of the manifest was taken out", |f| {
            f.remove("manifest.sig").unwrap();
        })
        .says(&["is missing"])
        .remedy(&["again"]),
        altered("the vault's card was taken out", |f| {
            f.remove("vault.card").unwrap();
        })
        .says(&["is missing"])
        .remedy(&["again"]),
        open("the manifest was written by a newer version")
            .told()
            .make(|h| {
                repack(h, |f| swap(f.get_mut("manifest.json").unwrap(), "subrosa-extract/1\"", "subrosa-extract/2\""))
            })
            .says(&["extract", "newer version"])
            .remedy(&["Install"]),
        open("the extract comes from another vault than the card says")
            .told()
            .make(|h| h.put("other/vault.card", "vault.card"))
            .exits(4)
            .says(&["another vault"])
            .remedy(&["fingerprint"]),
        open("the vault's card is damaged")
            .make(|h| h.change("vault.card", |b| b.truncate(100)))
            .exits(4)
            .says(&["vault card"])
            .remedy(&["fingerprint"]),
        open("somebody's card is given for the vault's")
            .make(|h| h.put("ben.card", "vault.card"))
            .says(&["vault card", "person's card"])
            .remedy(&["vault.card"]),
        open("the vault's card was made by a newer version")
            .make(|h| h.replace("vault.card", "subrosa-vault-card/1\"", "subrosa-vault-card/2\""))
            .says(&["vault card", "newer version"])
            .remedy(&["Install"]),
        open("the folder to open into is there already")
            .told()
            .make(|h| h.write("work/mine.txt", "x"))
            .says(&["there already"])
            .remedy(&["--to"]),
        case("the folder above is not there")
            .run(&[
                "--identity",
                "dora.id",
                "--passphrase-file",
                "pass",
                "extract",
                "open",
                "dora.age",
                "--to",
                "no/where/work",
            ])
            .says(&["folder"])
            .remedy(&["Check"]),
        case("an extract after its end date")
            .told()
            .make(crate::house::past)
            .run(&[
                "--identity",
                "dora.id",
                "--passphrase-file",
                "pass",
                "extract",
                "open",
                "dora.age",
                "--to",
                "work",
                "--vault-card",
                "vault.card",
            ])
            .exits(3)
            .says(&["time for this extract is over"])
            .remedy(&["Destroy it"]),
    ];
    group("Extracts", cases);
}
