//! OpenDocument text (ISO/IEC 26300): deleted text stands apart and is not taken.

use super::document::Body;
use super::turns::Turns;
use crate::base::{Error, Result};
use crate::formats::archive::Archive;
use crate::formats::xml::{self, Piece};

const WHAT: &str = "an .odt document";
/// The most spaces that one element may stand for.
const MOST_SPACES: usize = 1_000;

/// Reads a document into turns; gives notices.
pub(super) fn read(bytes: &[u8], turns: &mut Turns<'_>) -> Result<Vec<String>> {
    let mut archive = Archive::open(bytes, WHAT)?;
    if let Some(part) = archive.part("META-INF/manifest.xml")?
        && has_element(&part, "encryption-data")?
    {
        return Err(Error::user("the file is protected by a password", "Take the password off and save it again."));
    }
    let part = archive.needed("content.xml", WHAT)?;
    let mut body = Body::default();
    walk(&part, &mut body)?;
    drop(part);
    if let Some(part) = archive.part("styles.xml")? {
        body.left_out.margins = margins(&part)?;
    }
    body.finish(turns)
}

fn walk(part: &[u8], body: &mut Body) -> Result<()> {
    let mut paragraphs = 0usize;
    let mut seen = false;
    xml::walk(part, &mut |piece| {
        match piece {
            Piece::Open(element) => {
                if body.skipped_begin() {
                    body.left_out.deletions += usize::from(element.name() == "deletion");
                    return Ok(());
                }
                match element.name().as_str() {
                    "body" => seen = true,
                    "p" | "h" => {
                        body.begin_paragraph();
                        paragraphs += 1;
                    }
                    "annotation" => {
                        body.left_out.comments += 1;
                        body.skip();
                    }
                    "note" => {
                        body.left_out.notes += 1;
                        body.skip();
                    }
                    // The text that changes took away stands in the list of changes.
                    "tracked-changes" => body.skip(),
                    "title" | "desc" | "forms" | "scripts" | "sequence-decls" | "ruby-text" => body.skip(),
                    "s" => {
                        let count = element.attribute("c").and_then(|c| c.parse().ok()).unwrap_or(1usize);
                        body.text(&" ".repeat(count.min(MOST_SPACES)))?;
                    }
                    "tab" => body.text("\t")?,
                    "line-break" => body.text("\n")?,
                    "table-row" => body.begin_row(),
                    "table-cell" => body.begin_cell(),
                    _ => {}
                }
            }
            Piece::Close(name) => {
                if body.skipped_end() {
                    return Ok(());
                }
                match name.as_str() {
                    "p" | "h" => {
                        body.end_paragraph(false)?;
                        paragraphs = paragraphs.saturating_sub(1);
                    }
                    "table-row" => body.end_row(),
                    _ => {}
                }
            }
            Piece::Text(words) if paragraphs > 0 && !body.is_skipping() => collapse(&words, body)?,
            Piece::Text(_) => {}
        }
        Ok(())
    })?;
    if seen {
        Ok(())
    } else {
        Err(Error::user(format!("the file is not {WHAT}"), "Open it where it was made and save it anew."))
    }
}

/// White space in a row is one space (OpenDocument 1.3 part 3, section 6.1.2).
fn collapse(words: &str, body: &mut Body) -> Result<()> {
    let mut out = String::with_capacity(words.len());
    let mut last = body.last();
    for c in words.chars() {
        let c = if matches!(c, ' ' | '\t' | '\n' | '\r') { ' ' } else { c };
        if c == ' ' && matches!(last, None | Some(' ' | '\n' | '\t')) {
            continue;
        }
        out.push(c);
        last = Some(c);
    }
    body.text(&out)
}

fn has_element(part: &[u8], name: &str) -> Result<bool> {
    let mut found = false;
    xml::walk(part, &mut |piece| {
        found |= matches!(piece, Piece::Open(element) if element.name() == name);
        Ok(())
    })?;
    Ok(found)
}

/// True if a page style has words in its header or footer.
fn margins(part: &[u8]) -> Result<bool> {
    let mut inside = 0usize;
    let mut found = false;
    let margin = |name: &str| {
        matches!(name, "header" | "footer" | "header-left" | "footer-left" | "header-first" | "footer-first")
    };
    xml::walk(part, &mut |piece| {
        match piece {
            Piece::Open(element) if margin(&element.name()) => inside += 1,
            Piece::Close(name) if margin(&name) => inside = inside.saturating_sub(1),
            Piece::Text(words) => found |= inside > 0 && !words.trim().is_empty(),
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}
