//! The ciphers, the key derivation and the signatures that we use against the vectors of Project Wycheproof (tests/vectors/wycheproof).
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics fails")]

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use serde_json::Value;
use subrosa::base::secret::Key;
use subrosa::crypto::seal;
use subrosa::crypto::sign::{PublicKey, Signature};

fn hex(value: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

/// Calls `check` with each group, each of its tests and whether the test is valid; gives how many there were.
fn each(file: &str, mut check: impl FnMut(&Value, &Value, bool)) -> usize {
    let path = format!("{}/tests/vectors/wycheproof/{file}_test.json", env!("CARGO_MANIFEST_DIR"));
    let suite: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut count = 0;
    for group in suite["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let valid = match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                other => panic!("unknown result {other}"),
            };
            check(group, test, valid);
            count += 1;
        }
    }
    count
}

#[test]
fn chacha20_poly1305_of_the_chunks_of_age_files() {
    let count = each("chacha20_poly1305", |_, test, valid| {
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &hex(&test["key"])).unwrap());
        let nonce = || Nonce::try_assume_unique_for_key(&hex(&test["iv"]));
        let mut sealed = [hex(&test["ct"]), hex(&test["tag"])].concat();
        let expected = sealed.clone();
        let opened = nonce().and_then(|nonce| {
            key.open_in_place(nonce, Aad::from(hex(&test["aad"])), &mut sealed).map(|plain| plain.to_vec())
        });
        assert_eq!(opened.ok(), valid.then(|| hex(&test["msg"])), "{}", test["tcId"]);
        if valid {
            let mut out = hex(&test["msg"]);
            key.seal_in_place_append_tag(nonce().unwrap(), Aad::from(hex(&test["aad"])), &mut out).unwrap();
            assert_eq!(out, expected, "{}", test["tcId"]);
        }
    });
    assert_eq!(count, 325);
}

#[test]
fn xchacha20_poly1305_of_identities_and_rows() {
    let count = each("xchacha20_poly1305", |_, test, valid| {
        let cipher = XChaCha20Poly1305::new_from_slice(&hex(&test["key"])).unwrap();
        let (nonce, aad) = (hex(&test["iv"]), hex(&test["aad"]));
        let Ok(nonce) = <[u8; 24]>::try_from(nonce) else {
            assert!(!valid, "{}", test["tcId"]);
            return;
        };
        let key = Key::from_slice(&hex(&test["key"])).unwrap();
        let sealed = [hex(&test["ct"]), hex(&test["tag"])].concat();
        let opened = cipher.decrypt(&nonce.into(), Payload { msg: &sealed, aad: &aad });
        assert_eq!(opened.ok(), valid.then(|| hex(&test["msg"])), "{}", test["tcId"]);
        let opened = seal::decrypt(&key, &nonce, &aad, &sealed).ok();
        assert_eq!(opened.map(|plain| plain.to_vec()), valid.then(|| hex(&test["msg"])), "{}", test["tcId"]);
        if valid {
            let made = cipher.encrypt(&nonce.into(), Payload { msg: &hex(&test["msg"]), aad: &aad }).unwrap();
            assert_eq!(made, sealed, "{}", test["tcId"]);
            assert_eq!(seal::encrypt(&key, &nonce, &aad, &hex(&test["msg"])).unwrap(), sealed, "{}", test["tcId"]);
        }
    });
    assert_eq!(count, 315);
}

#[test]
fn hkdf_sha_256() {
    let count = each("hkdf_sha256", |_, test, valid| {
        let mut out = vec![0; usize::try_from(test["size"].as_u64().unwrap()).unwrap()];
        let done = hkdf::Hkdf::<sha2::Sha256>::new(Some(&hex(&test["salt"])), &hex(&test["ikm"]))
            .expand(&hex(&test["info"]), &mut out);
        assert_eq!(done.is_ok(), valid, "{}", test["tcId"]);
        assert!(!valid || out == hex(&test["okm"]), "{}", test["tcId"]);
    });
    assert_eq!(count, 86);
}

#[test]
fn ed25519_verifies_what_it_should_and_nothing_else() {
    let count = each("ed25519", |group, test, valid| {
        let key = PublicKey::from_slice(&hex(&group["publicKey"]["pk"]));
        let signature = Signature::from_slice(&hex(&test["sig"]));
        let holds = key.zip(signature).is_some_and(|(key, sig)| key.verifies_bare(&hex(&test["msg"]), &sig));
        assert_eq!(holds, valid, "{}", test["tcId"]);
    });
    assert_eq!(count, 151);
}
