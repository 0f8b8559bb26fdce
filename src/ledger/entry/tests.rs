use super::*;
use crate::base::secret::Key;
use proptest::prelude::*;

fn sample(events: Vec<Event>) -> Entry {
    let seed = SigningSeed::from_key(&Key::from_slice(&[7; 32]).unwrap());
    let draft = Draft {
        vault: VaultId::from_bytes([1; 16]),
        seq: 12,
        time: "2026-11-23T09:30:00Z".parse().unwrap(),
        root: Digest([9; 32]),
        command: "consent withdraw".into(),
        events,
    };
    Entry::sign(draft, PersonId::from_bytes([2; 16]), &seed).unwrap()
}

fn denied() -> Vec<Event> {
    vec![Event::Denied { what: "build".into(), reason: "not \"reviewed\"\n}],\"format\":".into() }]
}

#[test]
fn is_canonical_json_and_reads_back() {
    let entry = sample(denied());
    let bytes = entry.to_bytes().unwrap();
    let value: serde_json::Value = canonical::from_slice(&bytes).unwrap();
    assert_eq!(value["format"], "subrosa-entry/1");
    assert_eq!(value["seq"], 12);
    assert_eq!(value.as_object().unwrap().len(), 10);
    assert_eq!(Entry::parse(&bytes).unwrap(), entry);
    let seed = SigningSeed::from_key(&Key::from_slice(&[7; 32]).unwrap());
    assert_eq!(Entry::sign_to_bytes(entry.draft.clone(), entry.actor, &seed).unwrap(), bytes);
    entry.verify_signature().unwrap();
    assert!(signature_holds(&entry, &bytes));
    assert_eq!(entry.leaf_hash().unwrap(), tree::leaf_hash(&bytes));
}

#[test]
fn every_event_is_canonical_and_reads_back() {
    let entry = sample(super::super::event_tests::all());
    let bytes = entry.to_bytes().unwrap();
    canonical::from_slice::<serde_json::Value>(&bytes).unwrap();
    assert_eq!(Entry::parse(&bytes).unwrap(), entry);
}

#[test]
fn the_time_is_read_from_the_end() {
    let entry = sample(denied());
    let bytes = entry.to_bytes().unwrap();
    assert_eq!(Entry::time_of(&bytes), Some(entry.time));
    for cut in 0..bytes.len().min(120) {
        assert_eq!(Entry::time_of(&bytes[..bytes.len() - 1 - cut]), None);
    }
    assert_eq!(Entry::time_of(b""), None);
}

#[test]
fn signs_the_canonical_json_without_sig() {
    let entry = sample(denied());
    let mut value: serde_json::Value = serde_json::from_slice(&entry.to_bytes().unwrap()).unwrap();
    value.as_object_mut().unwrap().remove("sig");
    let message = canonical::to_vec(&value).unwrap();
    assert!(entry.key.verifies("subrosa/entry/1", &message, &entry.sig));
}

#[test]
fn every_changed_byte_is_noticed() {
    let bytes = sample(denied()).to_bytes().unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        if let Ok(entry) = Entry::parse(&changed) {
            assert!(entry.verify_signature().is_err(), "byte {at}");
            assert!(!signature_holds(&entry, &changed), "byte {at}");
        }
    }
}

#[test]
fn refuses_other_writings_of_the_same() {
    let text = String::from_utf8(sample(denied()).to_bytes().unwrap()).unwrap();
    let changes = [
        ("\"seq\":12", "\"seq\":012"),
        ("\"seq\":12", "\"seq\":+12"),
        ("\"seq\":12", "\"seq\":12.0"),
        ("\"seq\":12", "\"seq\":9007199254740993"),
        ("\"command\":", " \"command\":"),
        ("[{\"event\":\"denied\",", "[{\"extra\":1,\"event\":\"denied\","),
        ("{\"event\":\"denied\",\"reason\"", "{\"reason\""),
        ("consent withdraw", "Consent withdraw"),
        ("consent withdraw", "consent withdraw "),
        ("2026-11-23T09", "2026-13-23T09"),
        ("subrosa-entry/1", "subrosa-entry/2"),
    ];
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        assert!(Entry::parse(text.replace(from, to).as_bytes()).is_err(), "{to}");
    }
    let array = text
        .replace(&text[text.find("[{").unwrap()..text.find("],\"format\":\"s").unwrap()], "[[\"denied\",\"a\",\"b\"]");
    assert!(Entry::parse(array.as_bytes()).is_err());
}

#[test]
fn a_missing_or_misspelt_optional_field_is_refused() {
    let grant = super::super::event::RoleGrant { role: super::super::event::Role::Steward, sites: None };
    let key = SigningSeed::from_key(&Key::from_slice(&[3; 32]).unwrap()).public();
    let person = PersonId::from_bytes([4; 16]);
    let event = Event::Person { person, sign: key, country: "EE".into(), roles: vec![grant] };
    let text = String::from_utf8(sample(vec![event]).to_bytes().unwrap()).unwrap();
    assert!(Entry::parse(text.as_bytes()).is_ok());
    for (from, to) in [(",\"sites\":null", ""), ("\"steward\"", "{\"steward\":null}")] {
        assert!(text.contains(from));
        assert!(Entry::parse(text.replace(from, to).as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn refuses_to_sign_what_is_out_of_bounds() {
    let seed = SigningSeed::from_key(&Key::from_slice(&[7; 32]).unwrap());
    let draft = sample(denied()).draft;
    let actor = PersonId::from_bytes([2; 16]);
    let sign = |draft: Draft| Entry::sign(draft, actor, &seed);
    assert!(sign(Draft { command: String::new(), ..draft.clone() }).is_err());
    assert!(sign(Draft { command: "a".repeat(41), ..draft.clone() }).is_err());
    assert!(sign(Draft { command: "a\"b".into(), ..draft.clone() }).is_err());
    assert!(sign(Draft { events: vec![], ..draft.clone() }).is_err());
    let text = "x".repeat(MAX_ENTRY);
    assert!(sign(Draft { events: vec![Event::Policy { digest: Digest([0; 32]), text }], ..draft }).is_err());
}

proptest! {
    #[test]
    fn hostile_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..600), at in 0usize..600, cut in 0usize..600) {
        let _ = Entry::parse(&bytes);
        let mut good = sample(denied()).to_bytes().unwrap();
        let at = at.min(good.len());
        good.splice(at..(at + cut).min(good.len()), bytes);
        if let Ok(entry) = Entry::parse(&good) {
            prop_assert_eq!(entry.to_bytes().unwrap(), good);
        }
    }

    #[test]
    fn any_texts_read_back(what in any::<String>(), reason in any::<String>()) {
        let entry = sample(vec![Event::Denied { what, reason }]);
        prop_assert_eq!(Entry::parse(&entry.to_bytes().unwrap()).unwrap(), entry);
    }
}
