//! Canonical JSON (RFC 8785), restricted: integers below 2⁵³ only, no duplicate keys.
//!
//! Whatever is hashed or signed is first written in this form, so that two writers cannot disagree. A record is written as plain JSON and the
//! members of each object are then put in order, without a tree of values in between: ledgers have millions of records.

use std::cmp::Ordering;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::error::{Error, Result};

/// The largest integer that every JSON reader holds exactly: 2⁵³ − 1.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// How deep arrays and objects may nest.
const MAX_DEPTH: usize = 32;

/// The canonical bytes of `value`. Fails on fractions, on integers of 2⁵³ or more, on keys that stand twice and on nesting deeper than 32.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    write(value, &mut Vec::new(), &mut out)?;
    Ok(out)
}

/// As [`to_vec`], behind what stands in `out`; `scratch` is for the use of this only, so that many records share one.
pub fn append<T: Serialize + ?Sized>(value: &T, scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<()> {
    scratch.clear();
    write(value, scratch, out)
}

/// Reads a record in exactly the bytes that [`to_vec`] writes of it; anything else is refused: another order, a field too many, a field left out that
/// would be written as `null`. What is read may be secret: nothing of it stays behind in memory but the record.
pub fn from_slice<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T> {
    let bad = |what: &str| Error::damage(what, "The file was altered or was not written by Subrosa.");
    let value: T = serde_json::from_slice(bytes).map_err(|e| match e.is_data() {
        true => bad("a record lacks a field or has one too many"),
        false => bad("a record is not valid JSON"),
    })?;
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut again = Zeroizing::new(Vec::with_capacity(bytes.len()));
    match write(&value, &mut plain, &mut again) {
        Ok(()) if *again == bytes => Ok(value),
        _ => Err(bad("a record is not canonical JSON")),
    }
}

fn write<T: Serialize + ?Sized>(value: &T, plain: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<()> {
    // serde_json escapes exactly what RFC 8785, section 3.2.2.2, asks for.
    serde_json::to_writer(&mut *plain, value).map_err(|_| Error::bug("a record cannot be written as JSON"))?;
    out.reserve(plain.len());
    match order(plain, 0, out, &mut Vec::with_capacity(32), 0) {
        Some(end) if end == plain.len() => Ok(()),
        _ => Err(Error::bug("a record cannot be written as canonical JSON")),
    }
}

/// A member of an object: where its key and its value begin, quotes included, and where it ends.
type Member = (usize, usize, usize);

/// Copies the value that begins at `at` with its members in order; gives where it ends, or `None` if it has no canonical form. `members`
/// is shared by all objects on the way, each with a stretch of its own at the end.
fn order(json: &[u8], at: usize, out: &mut Vec<u8>, members: &mut Vec<Member>, depth: usize) -> Option<usize> {
    if depth > MAX_DEPTH {
        return None;
    }
    match json.get(at)? {
        b'{' => object(json, at, out, members, depth),
        b'[' => {
            out.push(b'[');
            let mut at = at + 1;
            if json.get(at)? == &b']' {
                out.push(b']');
                return Some(at + 1);
            }
            loop {
                at = order(json, at, out, members, depth + 1)?;
                let mark = *json.get(at)?;
                out.push(mark);
                at += 1;
                match mark {
                    b',' => {}
                    b']' => return Some(at),
                    _ => return None,
                }
            }
        }
        b'"' => {
            let end = string_end(json, at)?;
            out.extend_from_slice(json.get(at..end)?);
            Some(end)
        }
        _ => {
            let rest = json.get(at..)?;
            let length = rest.iter().position(|b| matches!(b, b',' | b']' | b'}')).unwrap_or(rest.len());
            let word = rest.get(..length)?;
            if !matches!(word, b"null" | b"true" | b"false") {
                let number: i64 = std::str::from_utf8(word).ok()?.parse().ok()?;
                if !(-MAX_INTEGER..=MAX_INTEGER).contains(&number) || word == b"-0" {
                    return None;
                }
            }
            out.extend_from_slice(word);
            Some(at + length)
        }
    }
}

fn object(json: &[u8], at: usize, out: &mut Vec<u8>, members: &mut Vec<Member>, depth: usize) -> Option<usize> {
    let mut at = at + 1;
    if json.get(at)? == &b'}' {
        out.extend_from_slice(b"{}");
        return Some(at + 1);
    }
    // First where the members stand, then each in its turn: so nothing is written twice, and no copy of what may be secret is left over.
    let (first, mut simple) = (members.len(), true);
    let end = loop {
        let colon = string_end(json, at)?;
        let key = json.get(at + 1..colon - 1)?;
        simple &= key.is_ascii() && !key.contains(&b'\\');
        if json.get(colon)? != &b':' {
            return None;
        }
        let end = value_end(json, colon + 1)?;
        members.push((at, colon + 1, end));
        match json.get(end)? {
            b',' => at = end + 1,
            b'}' => break end + 1,
            _ => return None,
        }
    };
    let key = |member: &Member| json.get(member.0 + 1..member.1.checked_sub(2)?);
    let before = |a: &Member, b: &Member| match (key(a), key(b)) {
        (Some(a), Some(b)) if simple => a.cmp(b),
        (Some(a), Some(b)) => by_utf16(a, b),
        _ => Ordering::Equal,
    };
    let mine = members.get_mut(first..)?;
    if !mine.is_sorted_by(|a, b| before(a, b).is_lt()) {
        mine.sort_by(before);
        // Two alike.
        if !mine.is_sorted_by(|a, b| before(a, b).is_lt()) {
            return None;
        }
    }
    let last = members.len();
    for i in first..last {
        let (key, value, end) = *members.get(i)?;
        out.push(if i == first { b'{' } else { b',' });
        out.extend_from_slice(json.get(key..value)?);
        if order(json, value, out, members, depth + 1)? != end {
            return None;
        }
    }
    out.push(b'}');
    members.truncate(first);
    Some(end)
}

/// Where the value that begins at `at` ends, by its brackets and strings alone; what stands in it [`order`] looks at.
fn value_end(json: &[u8], at: usize) -> Option<usize> {
    let (mut at, mut open) = (at, 0usize);
    loop {
        match json.get(at)? {
            b'"' => {
                at = string_end(json, at)?;
                if open == 0 {
                    return Some(at);
                }
                continue;
            }
            b'{' | b'[' => open += 1,
            b'}' | b']' if open > 1 => open -= 1,
            b'}' | b']' if open == 1 => return Some(at + 1),
            b'}' | b']' | b',' if open == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// RFC 8785, section 3.2.3: keys go by UTF-16 code units. Takes them as JSON writes them, without the quotes.
fn by_utf16(a: &[u8], b: &[u8]) -> Ordering {
    let plain = |key: &[u8]| -> Vec<u16> {
        let quoted = [b"\"", key, b"\""].concat();
        serde_json::from_slice::<String>(&quoted).unwrap_or_default().encode_utf16().collect()
    };
    plain(a).cmp(&plain(b))
}

/// Where the string that begins at `at` ends, behind its closing quote.
fn string_end(json: &[u8], at: usize) -> Option<usize> {
    if json.get(at)? != &b'"' {
        return None;
    }
    let mut at = at + 1;
    loop {
        let rest = json.get(at..)?;
        let next = rest.iter().position(|b| matches!(b, b'"' | b'\\'))?;
        at += next;
        if json.get(at)? == &b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    /// The same rules over a tree of values, written to be read rather than to be fast.
    fn slow(value: &Value) -> String {
        match value {
            Value::Array(items) => format!("[{}]", items.iter().map(slow).collect::<Vec<_>>().join(",")),
            Value::Object(map) => {
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
                let member = |key: &&String| format!("{}:{}", json!(key), slow(&map[*key]));
                format!("{{{}}}", keys.iter().map(member).collect::<Vec<_>>().join(","))
            }
            other => other.to_string(),
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 60, 6, |inner| {
            let key = prop_oneof!["[a-z_A-Z0-9]{0,8}", any::<String>()];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(key, inner, 0..6).prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn writes_any_value_by_the_rules_and_reads_it_back(value in any_value()) {
            let bytes = to_vec(&value).unwrap();
            prop_assert_eq!(std::str::from_utf8(&bytes).unwrap(), slow(&value));
            prop_assert_eq!(from_slice::<Value>(&bytes).unwrap(), value);
        }
    }

    #[test]
    fn puts_the_fields_of_records_in_order() {
        #[derive(Serialize)]
        struct Record {
            zebra: u8,
            ant: Vec<Record>,
        }
        let record = Record { zebra: 1, ant: vec![Record { zebra: 2, ant: vec![] }] };
        assert_eq!(to_vec(&record).unwrap(), br#"{"ant":[{"ant":[],"zebra":2}],"zebra":1}"#);
    }

    #[test]
    fn sorts_keys_by_utf16_and_escapes_as_rfc_8785() {
        let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "ö": 7});
        let text = String::from_utf8(to_vec(&value).unwrap()).unwrap();
        assert_eq!(text, "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}");
        let value = json!({"a": "\u{8}\u{c}\n\t\"\\/\u{1}é"});
        assert_eq!(to_vec(&value).unwrap(), "{\"a\":\"\\b\\f\\n\\t\\\"\\\\/\\u0001é\"}".as_bytes());
    }

    #[test]
    fn refuses_fractions_and_large_integers() {
        assert!(to_vec(&json!(1.5)).is_err());
        assert!(to_vec(&json!(-0.0)).is_err());
        assert!(to_vec(&json!(1i64 << 53)).is_err());
        assert!(to_vec(&u64::MAX).is_err());
        assert_eq!(to_vec(&json!((1i64 << 53) - 1)).unwrap(), b"9007199254740991");
    }

    #[test]
    fn reads_back_only_what_is_canonical() {
        assert_eq!(from_slice::<Value>(b"{\"a\":1,\"b\":[]}").unwrap(), json!({"a": 1, "b": []}));
        for bad in [
            "{\"b\":1,\"a\":2}",
            "{\"a\":1,\"a\":1}",
            "{ \"a\":1}",
            "{\"a\":1.0}",
            "{\"a\":\"\\u0041\"}",
            "1e3",
            "-0",
            "1 ",
            "",
        ] {
            assert!(from_slice::<Value>(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_record_has_one_writing_only() {
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        struct Record {
            a: Option<u8>,
            b: Word,
        }
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            Yes,
        }
        let record = Record { a: None, b: Word::Yes };
        assert_eq!(from_slice::<Record>(br#"{"a":null,"b":"yes"}"#).unwrap(), record);
        for bad in [
            r#"{"b":"yes"}"#,
            r#"[null,"yes"]"#,
            r#"{"a":null,"b":{"yes":null}}"#,
            r#"{"a":null,"b":"yes","c":1}"#,
            r#"{"a":null,"a":null,"b":"yes"}"#,
        ] {
            assert!(serde_json::from_str::<Record>(bad).is_ok() || bad.contains("\"a\":null,\"a\""), "{bad}");
            assert!(from_slice::<Record>(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn refuses_keys_that_stand_twice_and_deep_nesting() {
        #[derive(Serialize)]
        struct Twice {
            #[serde(rename = "a")]
            one: u8,
            #[serde(flatten)]
            more: std::collections::BTreeMap<String, u8>,
        }
        assert!(to_vec(&Twice { one: 1, more: [("a".to_owned(), 2)].into() }).is_err());
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(from_slice::<Value>(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(from_slice::<Value>(nested(MAX_DEPTH + 1).as_bytes()).is_err());
        assert!(from_slice::<Value>(nested(100).as_bytes()).is_err());
    }
}
