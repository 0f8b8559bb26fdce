//! A fast canonical writer for typed records, for reading millions of them back.
//!
//! Writes what [`crate::base::canonical::to_vec`] writes, without a tree of values in between: the record is written as plain JSON and the
//! members of each object are put in order. All keys of ledger records are plain ASCII, so that byte order is the order of RFC 8785.

use serde::Serialize;

use crate::base::canonical::MAX_INTEGER;
use crate::base::{Error, Result};

/// The canonical bytes of `value`, whose object keys must all be ASCII without escapes.
pub(super) fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(value).map_err(|_| Error::bug("a record cannot be written as JSON"))?;
    let mut out = Vec::with_capacity(plain.len());
    match order(&plain, 0, &mut out) {
        Some(end) if end == plain.len() => Ok(out),
        _ => Err(Error::bug("a record cannot be written as canonical JSON")),
    }
}

/// Copies the value that begins at `at` with its members in order; gives where it ends, or `None` if it has no canonical form.
fn order(json: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    match json.get(at)? {
        b'{' => object(json, at, out),
        b'[' => {
            out.push(b'[');
            let mut at = at + 1;
            if json.get(at)? == &b']' {
                out.push(b']');
                return Some(at + 1);
            }
            loop {
                at = order(json, at, out)?;
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
                if !(-MAX_INTEGER..=MAX_INTEGER).contains(&number) {
                    return None;
                }
            }
            out.extend_from_slice(word);
            Some(at + length)
        }
    }
}

fn object(json: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    out.push(b'{');
    let mut at = at + 1;
    if json.get(at)? == &b'}' {
        out.push(b'}');
        return Some(at + 1);
    }
    let begin = out.len();
    let mut members: Vec<(&[u8], std::ops::Range<usize>)> = Vec::with_capacity(16);
    loop {
        let key_end = string_end(json, at)?;
        let key = json.get(at + 1..key_end - 1)?;
        if !key.is_ascii() || key.contains(&b'\\') || json.get(key_end)? != &b':' {
            return None;
        }
        let start = out.len();
        out.extend_from_slice(json.get(at..=key_end)?);
        at = order(json, key_end + 1, out)?;
        members.push((key, start..out.len()));
        match json.get(at)? {
            b',' => out.push(b','),
            b'}' => break,
            _ => return None,
        }
        at += 1;
    }
    if !members.is_sorted_by(|a, b| a.0 < b.0) {
        members.sort_by(|a, b| a.0.cmp(b.0));
        if !members.is_sorted_by(|a, b| a.0 < b.0) {
            return None;
        }
        let written = out.split_off(begin);
        for (i, (_, range)) in members.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(written.get(range.start - begin..range.end - begin)?);
        }
    }
    out.push(b'}');
    Some(at + 1)
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
    use serde_json::{Value, json};

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z_A-Z0-9]{0,8}", inner, 0..6)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn writes_what_the_ground_floor_writes(value in any_value()) {
            prop_assert_eq!(to_vec(&value).unwrap(), crate::base::canonical::to_vec(&value).unwrap());
        }
    }

    #[test]
    fn puts_fields_in_order() {
        #[derive(Serialize)]
        struct Record {
            zebra: u8,
            ant: Vec<Record>,
        }
        let record = Record { zebra: 1, ant: vec![Record { zebra: 2, ant: vec![] }] };
        assert_eq!(to_vec(&record).unwrap(), br#"{"ant":[{"ant":[],"zebra":2}],"zebra":1}"#);
    }

    #[test]
    fn refuses_what_has_no_canonical_form() {
        assert!(to_vec(&json!(1.5)).is_err());
        assert!(to_vec(&json!(1i64 << 53)).is_err());
        assert!(to_vec(&json!({"é": 1})).is_err());
    }
}
