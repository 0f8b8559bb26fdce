//! XML parts out of documents, read as events: no document types, no entities but the five of XML, bounded nesting.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::base::{Error, Result};

/// The deepest nesting of elements.
const DEEPEST: usize = 256;
/// The longest text between two tags, in bytes; nobody speaks so long without a break.
const LONGEST: usize = 4_000_000;

/// What a document is made of; names are without their prefix.
pub(super) enum Piece<'a> {
    /// An element begins.
    Open(Element<'a>),
    /// An element ends.
    Close(String),
    /// Characters.
    Text(Cow<'a, str>),
}

/// An element's name and attributes.
pub(super) struct Element<'a>(BytesStart<'a>);

impl Element<'_> {
    /// The name without its prefix.
    pub(super) fn name(&self) -> String {
        self.0.local_name().as_ref().to_owned()
    }

    /// True if each attribute of this name, whatever its prefix, passes a test.
    pub(super) fn every(&self, name: &str, test: impl Fn(&str) -> bool) -> bool {
        let named = |key: quick_xml::name::QName<'_>| {
            key.local_name().as_ref() == name && key.prefix().is_none_or(|p| p.as_ref() != "xmlns")
        };
        self.0.attributes().flatten().filter(|a| named(a.key)).all(|a| test(&a.value))
    }

    /// The value of an attribute, by its name without prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        self.0.attributes().flatten().find_map(|a| {
            (a.key.local_name().as_ref() == name)
                .then(|| a.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(|v| v.into_owned()))?
        })
    }
}

/// Walks through a part. `see` gets each piece in turn; an empty element gives both its beginning and its end.
pub(super) fn walk(bytes: &[u8], see: &mut dyn FnMut(Piece<'_>) -> Result<()>) -> Result<()> {
    let text = decode(bytes)?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut depth = 0usize;
    let mut seen = false;
    loop {
        match reader.read_event().map_err(|_| broken())? {
            Event::Start(element) => {
                depth += 1;
                seen = true;
                if depth > DEEPEST {
                    return Err(hostile("it nests too deeply"));
                }
                see(Piece::Open(Element(element)))?;
            }
            Event::Empty(element) => {
                seen = true;
                let name = element.local_name().as_ref().to_owned();
                see(Piece::Open(Element(element)))?;
                see(Piece::Close(name))?;
            }
            Event::End(element) => {
                depth = depth.checked_sub(1).ok_or_else(broken)?;
                see(Piece::Close(element.local_name().as_ref().to_owned()))?;
            }
            Event::Text(text) if text.len() > LONGEST => return Err(too_long()),
            Event::CData(text) if text.len() > LONGEST => return Err(too_long()),
            Event::Text(text) => see(Piece::Text(text.xml10_content()))?,
            Event::CData(text) => see(Piece::Text(text.xml10_content()))?,
            Event::GeneralRef(reference) => see(Piece::Text(resolve(&reference)?.to_string().into()))?,
            Event::DocType(_) => return Err(hostile("it brings its own document type")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if depth == 0 && seen => return Ok(()),
            Event::Eof => return Err(broken()),
        }
    }
}

fn decode(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)).map_err(|_| broken())
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Result<char> {
    if let Some(c) = reference.resolve_char_ref().map_err(|_| broken())? {
        return Ok(c);
    }
    match reference.xml10_content().as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err(hostile("it uses an entity of its own")),
    }
}

fn too_long() -> Error {
    hostile("a piece of its text is longer than any can be")
}

fn hostile(why: &str) -> Error {
    Error::user(format!("the file is refused: {why}"), "Open it where it was made and save it anew.")
}

fn broken() -> Error {
    Error::user("a part of the file is damaged", "Copy it again, or open and save it anew.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8]) -> Result<()> {
        walk(bytes, &mut |_| Ok(()))
    }

    #[test]
    fn text_is_put_together() {
        let mut text = String::new();
        let mut value = None;
        walk(
            b"\xEF\xBB\xBF<?xml version=\"1.0\"?><w:a w:v='x &amp; y'><!-- c -->a&lt;&#x442;<b/><![CDATA[<c>]]></w:a>",
            &mut |piece| {
                match piece {
                    Piece::Text(t) => text.push_str(&t),
                    Piece::Open(e) if e.name() == "a" => value = e.attribute("v"),
                    _ => {}
                }
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(text, "a<т<c>");
        assert_eq!(value.as_deref(), Some("x & y"));
    }

    #[test]
    fn hostile_parts_are_refused() {
        let deep = "<a>".repeat(300) + &"</a>".repeat(300);
        for bad in [
            "<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>",
            "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
            "<a>&x;</a>",
            "<a>",
            "<a></b>",
            "</a>",
            "",
            "text",
            &deep,
        ] {
            assert!(check(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(check(b"<\0a\0/\0>\0").is_err());
        assert!(check(b"<a>\xFF</a>").is_err());
    }
}
