//! An entry: one command, signed by who ran it (docs/format.md, section 5).

use crate::base::id::{PersonId, VaultId};
use crate::base::time::Moment;
use crate::base::{Error, Result, canonical};
use crate::crypto::sign::{PublicKey, Signature, SigningSeed, forged};
use canonical::MAX_INTEGER;

use super::checkpoint::decimal;
use super::event::{Digest, Event};
use super::tree;

/// The longest entry, in bytes: 32 MiB.
pub const MAX_ENTRY: usize = 32 << 20;

/// The longest command word, in bytes.
pub const MAX_COMMAND: usize = 40;

/// What is signed besides the entry itself says that it is an entry.
const CONTEXT: &str = "subrosa/entry/1";

/// What an entry is to say, before anybody has signed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// The vault.
    pub vault: VaultId,
    /// Its place in the ledger, from 0; also the number of entries before it.
    pub seq: u64,
    /// When; not before the entry before it.
    pub time: Moment,
    /// The root of the entries before it.
    pub root: Digest,
    /// Which command it was: lower-case words, at most [`MAX_COMMAND`] bytes.
    pub command: String,
    /// What happened; at least one event.
    pub events: Vec<Event>,
}

/// A signed entry. Holding one does not mean that its signature holds: ask [`Entry::verify_signature`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it says.
    pub draft: Draft,
    /// Who says so.
    pub actor: PersonId,
    /// The key it is signed with.
    pub key: PublicKey,
    /// The signature over everything else.
    pub sig: Signature,
}

impl std::ops::Deref for Entry {
    type Target = Draft;
    fn deref(&self) -> &Draft {
        &self.draft
    }
}

impl Entry {
    /// Signs `draft` as `actor` with their key. Fails if the command is no short word, there is no event, or the entry becomes too long.
    pub fn sign(draft: Draft, actor: PersonId, seed: &SigningSeed) -> Result<Self> {
        if !is_command(&draft.command) || draft.events.is_empty() || draft.seq > MAX_INTEGER.unsigned_abs() {
            return Err(Error::bug("a ledger entry has no proper command, event or number"));
        }
        let key = seed.public();
        let message = bytes_of(&draft, actor, &key, None)?;
        let sig = seed.sign(CONTEXT, &message);
        if message.len() + sig_member(&sig).len() > MAX_ENTRY {
            return Err(Error::user(
                "this command touches more than one entry of the ledger can hold",
                "Do it in several smaller steps, for example site by site.",
            ));
        }
        Ok(Self { draft, actor, key, sig })
    }

    /// The canonical bytes: the leaf of the tree, and a line of the export.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        bytes_of(&self.draft, self.actor, &self.key, Some(&self.sig))
    }

    /// Reads an entry. Anything but the exact bytes that [`Self::to_bytes`] gives is refused. Does not verify the signature.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        parse_with(bytes, &mut Keys::default())
    }

    /// The time of an entry, from the end of its canonical bytes, where `time` and `vault` stand last: without reading what may be megabytes
    /// of events. `None` if the bytes do not end as an entry's do.
    pub fn time_of(bytes: &[u8]) -> Option<Moment> {
        let rest = bytes.strip_suffix(b"\"}")?;
        let (rest, vault) = rest.split_at_checked(rest.len().checked_sub(32)?)?;
        let rest = rest.strip_suffix(b"\",\"vault\":\"")?;
        let (rest, time) = rest.split_at_checked(rest.len().checked_sub(20)?)?;
        std::str::from_utf8(vault).ok()?.parse::<VaultId>().ok()?;
        let time = std::str::from_utf8(time).ok()?.parse().ok()?;
        rest.ends_with(b",\"time\":\"").then_some(time)
    }

    /// Whether the signature is that of [`Entry::key`] over this entry. Says nothing about whose key it is.
    pub fn verify_signature(&self) -> Result<()> {
        let message = bytes_of(&self.draft, self.actor, &self.key, None)?;
        if self.key.verifies(CONTEXT, &message, &self.sig) { Ok(()) } else { Err(forged("a ledger entry")) }
    }

    /// The leaf hash of the entry: SHA-256 of a zero byte and the canonical bytes.
    pub fn leaf_hash(&self) -> Result<Digest> {
        Ok(tree::leaf_hash(&self.to_bytes()?))
    }
}

/// Public keys seen lately, so that the curve arithmetic of reading one is done once.
#[derive(Default)]
pub(super) struct Keys(Vec<([u8; 32], PublicKey)>);

impl Keys {
    fn read(&mut self, text: &str) -> Option<PublicKey> {
        let bytes = Digest::from_base64(text)?.0;
        if let Some((_, key)) = self.0.iter().find(|(known, _)| *known == bytes) {
            return Some(*key);
        }
        let key = PublicKey::from_slice(&bytes)?;
        if self.0.len() >= 64 {
            self.0.clear();
        }
        self.0.push((bytes, key));
        Some(key)
    }
}

/// [`Entry::parse`] with keys remembered between calls.
pub(super) fn parse_with(bytes: &[u8], keys: &mut Keys) -> Result<Entry> {
    let bad = |what: &str| Error::damage(what, "The ledger was altered or is damaged. Compare it with a backup.");
    if bytes.len() > MAX_ENTRY {
        return Err(bad("a ledger entry is longer than 32 MiB"));
    }
    let parts = std::str::from_utf8(bytes).ok().and_then(split);
    let (entry, events) =
        parts.and_then(|p| p.read(keys)).ok_or_else(|| bad("a ledger entry is not in its exact form"))?;
    let events_now: Vec<Event> =
        serde_json::from_str(events).map_err(|_| bad("a ledger entry holds an event that is not known"))?;
    if events_now.is_empty() || canonical::to_vec(&events_now).ok().as_deref() != Some(events.as_bytes()) {
        return Err(bad("the events of a ledger entry are not in their exact form"));
    }
    Ok(Entry { draft: Draft { events: events_now, ..entry.draft }, ..entry })
}

/// As [`Entry::verify_signature`], from the bytes that `entry` was parsed from.
pub(super) fn signature_holds(entry: &Entry, bytes: &[u8]) -> bool {
    // The member "sig" and all that follows it have a fixed length.
    let tail = ",\"time\":\"\",\"vault\":\"\"}".len() + 20 + 32;
    let member = ",\"sig\":\"\"".len() + 88;
    let (Some(end), Some(start)) = (bytes.len().checked_sub(tail), bytes.len().checked_sub(tail + member)) else {
        return false;
    };
    let (Some(before), Some(after)) = (bytes.get(..start), bytes.get(end..)) else { return false };
    entry.key.verifies(CONTEXT, &[before, after].concat(), &entry.sig)
}

/// The members of an entry in their canonical order; the order and the names are fixed, so they are cut out rather than searched for.
struct Parts<'a> {
    actor: &'a str,
    command: &'a str,
    events: &'a str,
    key: &'a str,
    root: &'a str,
    seq: &'a str,
    sig: &'a str,
    time: &'a str,
    vault: &'a str,
}

fn split(text: &str) -> Option<Parts<'_>> {
    let rest = text.strip_prefix("{\"actor\":\"")?;
    let (actor, rest) = rest.split_at_checked(32)?;
    let rest = rest.strip_prefix("\",\"command\":\"")?;
    let (command, rest) = rest.split_at_checked(rest.find('"')?)?;
    let rest = rest.strip_prefix("\",\"events\":")?;
    // The rest from behind, since the events are of any length.
    let rest = rest.strip_suffix("\"}")?;
    let (rest, vault) = cut(rest, 32)?;
    let (rest, time) = cut(rest.strip_suffix("\",\"vault\":\"")?, 20)?;
    let (rest, sig) = cut(rest.strip_suffix("\",\"time\":\"")?, 88)?;
    let rest = rest.strip_suffix(",\"sig\":\"")?;
    let (rest, seq) = rest.split_at_checked(rest.rfind(':')? + 1)?;
    let (rest, root) = cut(rest.strip_suffix("\",\"seq\":")?, 44)?;
    let (rest, key) = cut(rest.strip_suffix("\",\"root\":\"")?, 44)?;
    let events = rest.strip_suffix(",\"format\":\"subrosa-entry/1\",\"key\":\"")?;
    Some(Parts { actor, command, events, key, root, seq, sig, time, vault })
}

/// Cuts the last `length` bytes off.
fn cut(text: &str, length: usize) -> Option<(&str, &str)> {
    text.split_at_checked(text.len().checked_sub(length)?)
}

impl<'a> Parts<'a> {
    /// The entry without its events, and the text of those.
    fn read(self, keys: &mut Keys) -> Option<(Entry, &'a str)> {
        let seq = decimal(self.seq)?;
        if !is_command(self.command) {
            return None;
        }
        let sig = data_encoding::BASE64.decode(self.sig.as_bytes()).ok()?;
        let draft = Draft {
            vault: self.vault.parse().ok()?,
            seq,
            time: self.time.parse().ok()?,
            root: Digest::from_base64(self.root)?,
            command: self.command.to_owned(),
            events: Vec::new(),
        };
        let sig = Signature::from_slice(&sig)?;
        Some((Entry { draft, actor: self.actor.parse().ok()?, key: keys.read(self.key)?, sig }, self.events))
    }
}

/// The canonical JSON of an entry, with its signature or, to be signed, without.
fn bytes_of(draft: &Draft, actor: PersonId, key: &PublicKey, sig: Option<&Signature>) -> Result<Vec<u8>> {
    let events = canonical::to_vec(&draft.events)?;
    let mut out = Vec::with_capacity(events.len() + 480);
    out.extend_from_slice(format!("{{\"actor\":\"{actor}\",\"command\":\"{}\",\"events\":", draft.command).as_bytes());
    out.extend_from_slice(&events);
    let (key, root) = (key.to_base64(), draft.root.to_base64());
    let middle = format!(",\"format\":\"subrosa-entry/1\",\"key\":\"{key}\",\"root\":\"{root}\",\"seq\":{}", draft.seq);
    out.extend_from_slice(middle.as_bytes());
    out.extend_from_slice(sig.map(sig_member).unwrap_or_default().as_bytes());
    out.extend_from_slice(format!(",\"time\":\"{}\",\"vault\":\"{}\"}}", draft.time, draft.vault).as_bytes());
    Ok(out)
}

fn sig_member(sig: &Signature) -> String {
    format!(",\"sig\":\"{}\"", data_encoding::BASE64.encode(&sig.to_bytes()))
}

/// Lower-case letters, digits, `-`, `_` and single spaces, beginning with a letter.
fn is_command(word: &str) -> bool {
    (1..=MAX_COMMAND).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && !word.ends_with(' ')
        && !word.contains("  ")
        && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b' '))
}

#[cfg(test)]
mod tests {
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
        let array = text.replace(
            &text[text.find("[{").unwrap()..text.find("],\"format\":\"s").unwrap()],
            "[[\"denied\",\"a\",\"b\"]",
        );
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
}
