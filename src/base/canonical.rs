//! Canonical JSON (RFC 8785), restricted: integers below 2⁵³ only, no duplicate keys.
//!
//! Whatever is hashed or signed is first written in this form, so that two writers cannot disagree.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{Error, Result};

/// The largest integer that every JSON reader holds exactly: 2⁵³ − 1.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

/// How deep arrays and objects may nest when read.
const MAX_DEPTH: usize = 32;

/// The canonical bytes of `value`. Fails on fractions and on integers of 2⁵³ or more.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let value = serde_json::to_value(value).map_err(|_| Error::bug("a record cannot be written as JSON"))?;
    let mut out = Vec::with_capacity(256);
    write(&value, &mut out, 0)?;
    Ok(out)
}

/// Reads canonical bytes: anything that this module would not have written so is refused.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let bad = |what: &str| Error::damage(what, "The file was altered or was not written by Subrosa.");
    let value: Value = serde_json::from_slice(bytes).map_err(|_| bad("a record is not valid JSON"))?;
    let mut again = Vec::with_capacity(bytes.len());
    write(&value, &mut again, 0).map_err(|_| bad("a record is not canonical JSON"))?;
    if again != bytes {
        return Err(bad("a record is not canonical JSON"));
    }
    serde_json::from_value(value).map_err(|_| bad("a record lacks a field or has one too many"))
}

fn write(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::user("a record is nested too deeply", "Check where the file comes from."));
    }
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => match number.as_i64() {
            Some(n) if n.abs() <= MAX_INTEGER => out.extend_from_slice(n.to_string().as_bytes()),
            _ => return Err(Error::bug("a number in a record is not an integer below 2^53")),
        },
        Value::String(text) => write_string(text, out)?,
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            // RFC 8785, section 3.2.3: by UTF-16 code units.
            keys.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (i, key) in keys.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_string(key, out)?;
                out.push(b':');
                write(map.get(key).unwrap_or(&Value::Null), out, depth + 1)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_string(text: &str, out: &mut Vec<u8>) -> Result<()> {
    // serde_json escapes exactly what RFC 8785, section 3.2.2.2, asks for.
    serde_json::to_writer(out, text).map_err(|_| Error::bug("a text cannot be written as JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
        assert!(to_vec(&json!(1i64 << 53)).is_err());
        assert_eq!(to_vec(&json!((1i64 << 53) - 1)).unwrap(), b"9007199254740991");
    }

    #[test]
    fn reads_back_only_what_is_canonical() {
        assert_eq!(from_slice::<Value>(b"{\"a\":1,\"b\":[]}").unwrap(), json!({"a": 1, "b": []}));
        for bad in ["{\"b\":1,\"a\":2}", "{\"a\":1,\"a\":1}", "{ \"a\":1}", "{\"a\":1.0}", "{\"a\":\"\\u0041\"}", "1e3"]
        {
            assert!(from_slice::<Value>(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn refuses_deep_nesting() {
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        assert!(from_slice::<Value>(deep.as_bytes()).is_err());
    }
}
