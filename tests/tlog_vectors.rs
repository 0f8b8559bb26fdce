//! The ledger against what other implementations and real logs give (tests/vectors/tlog).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use subrosa::crypto::sign::PublicKey;
use subrosa::ledger::checkpoint::SignedCheckpoint;
use subrosa::ledger::event::Digest;
use subrosa::ledger::tiles::{self, MemoryTiles};
use subrosa::ledger::tree::{Frontier, empty_root, leaf_hash, verify_consistency, verify_inclusion};

const ENTRIES: &str = include_str!("vectors/tlog/get-entries-10000");
const INCLUSION: &str = include_str!("vectors/tlog/get-proof-by-hash-10000");
const HEAD: &str = include_str!("vectors/tlog/get-sth");
const CONSISTENCY: &str = include_str!("vectors/tlog/get-sth-consistency-3654490");
const CHECKPOINT: &str = include_str!("vectors/tlog/checkpoint-cosigned");

/// The leaves and roots that the Certificate Transparency projects test RFC 6962 trees with, for sizes 1 to 8.
const TREE: [(&str, &str); 8] = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    ("606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
];

fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

fn hash(value: &serde_json::Value) -> Digest {
    Digest::from_base64(value.as_str().unwrap()).unwrap()
}

fn hashes(value: &serde_json::Value) -> Vec<Digest> {
    value.as_array().unwrap().iter().map(hash).collect()
}

#[test]
fn roots_of_rfc_6962_trees() {
    assert_eq!(empty_root().0.to_vec(), hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    let (mut frontier, mut store) = (Frontier::new(), MemoryTiles::default());
    for (size, (leaf, root)) in (1..).zip(TREE) {
        let leaf = leaf_hash(&hex(leaf));
        frontier.push(leaf);
        tiles::append(&[leaf], size - 1, &mut store).unwrap();
        assert_eq!(frontier.root().0.to_vec(), hex(root));
        assert_eq!(tiles::root(size, &store).unwrap(), frontier.root());
    }
}

#[test]
fn proofs_of_rfc_6962_trees() {
    // The proofs that the Certificate Transparency projects give for the tree above: (leaf, size) and (old, new).
    let mut store = MemoryTiles::default();
    let leaves: Vec<_> = TREE.iter().map(|(leaf, _)| leaf_hash(&hex(leaf))).collect();
    tiles::append(&leaves, 0, &mut store).unwrap();
    let written = |proof: Vec<Digest>| proof.iter().map(|h| data_encoding::HEXLOWER.encode(&h.0)).collect::<Vec<_>>();
    assert_eq!(
        written(tiles::inclusion(0, 8, &store).unwrap()),
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]
    );
    assert_eq!(
        written(tiles::consistency(6, 8, &store).unwrap()),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
}

#[test]
fn a_real_entry_of_a_real_log() {
    let head = json(HEAD);
    let (size, root) = (head["tree_size"].as_u64().unwrap(), hash(&head["sha256_root_hash"]));
    let leaf = json(ENTRIES)["entries"][0]["leaf_input"].as_str().unwrap().to_owned();
    let leaf = leaf_hash(&data_encoding::BASE64.decode(leaf.as_bytes()).unwrap());
    let proof = hashes(&json(INCLUSION)["audit_path"]);
    verify_inclusion(&leaf, 10_000, size, &proof, &root).unwrap();
    assert!(verify_inclusion(&leaf, 10_001, size, &proof, &root).is_err());
    assert!(verify_inclusion(&leaf, 10_000, 10_000, &proof, &root).is_err());
    assert!(verify_inclusion(&root, 10_000, size, &proof, &root).is_err());
}

#[test]
fn two_real_heads_of_a_real_log() {
    let head = json(HEAD);
    let (size, root) = (head["tree_size"].as_u64().unwrap(), hash(&head["sha256_root_hash"]));
    let proof = hashes(&json(CONSISTENCY)["consistency"]);
    let old = Digest::from_base64("AuIZ5V6sDUj1vn3Y1K85oOaQ7y+FJJKtyRTl1edIKBQ=").unwrap();
    verify_consistency(3_654_490, &old, size, &root, &proof).unwrap();
    assert!(verify_consistency(3_654_491, &old, size, &root, &proof).is_err());
    assert!(verify_consistency(3_654_490, &root, size, &root, &proof).is_err());
}

/// The key in a line as other tools write it: `name+id+base64(algorithm || key)`.
fn key(line: &str) -> PublicKey {
    let bytes = line.splitn(3, '+').nth(2).unwrap();
    PublicKey::from_slice(&data_encoding::BASE64.decode(bytes.as_bytes()).unwrap()[1..]).unwrap()
}

#[test]
fn a_real_checkpoint_with_cosignatures() {
    let origin = "arche2025h1.staging.ct.transparency.dev";
    let log = key("arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f");
    let witnesses = [
        key("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"),
        key("witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv"),
        key("witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO"),
        key("transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM"),
        key("rgdd.se/poc-witness+db03732e+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG"),
    ];
    let head = SignedCheckpoint::parse(CHECKPOINT.as_bytes(), origin, &log).unwrap();
    assert_eq!(head.checkpoint().size, 1_432_088_532);
    assert_eq!(head.to_string(), CHECKPOINT);
    let found = head.cosignatures(&witnesses).unwrap();
    let names: Vec<_> = found.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "transparency.dev/DEV:witness-little-garden",
            "witness1.smartit.nu/witness1",
            "remora.n621.de",
            "witness.stagemole.eu"
        ]
    );
    assert!(found.iter().all(|c| c.time == 0x6a12_2120));
    let changed = CHECKPOINT.replace("1432088532", "1432088533");
    assert!(SignedCheckpoint::parse(changed.as_bytes(), origin, &log).is_err());
}
