//! WordprocessingML (ECMA-376): inserted text is taken, deleted and moved-away text is not.

use super::document::Body;
use super::turns::Turns;
use crate::base::Result;
use crate::formats::archive::Archive;
use crate::formats::xml::{self, Piece};

const WHAT: &str = "a .docx document";

/// Reads a document into turns; gives notices.
pub(super) fn read(bytes: &[u8], turns: &mut Turns<'_>) -> Result<Vec<String>> {
    let mut archive = Archive::open(bytes, WHAT)?;
    let main = main_part(&mut archive)?;
    let part = archive.needed(&main, WHAT)?;
    let mut body = Body::default();
    walk(&part, &mut body)?;
    drop(part);
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
    for name in archive.names() {
        let Some(short) = name.strip_prefix(folder).map(|n| n.trim_start_matches('/')) else { continue };
        let margin = (short.starts_with("header") || short.starts_with("footer")) && short.ends_with(".xml");
        if margin && let Some(part) = archive.part(&name)? {
            body.left_out.margins |= has_text(&part)?;
        }
    }
    body.finish(turns)
}

/// The part that holds the body, by the package's relationships (ECMA-376 part 2, section 9.3).
fn main_part(archive: &mut Archive<'_>) -> Result<String> {
    let mut target = None;
    if let Some(part) = archive.part("_rels/.rels")? {
        xml::walk(&part, &mut |piece| {
            if let Piece::Open(element) = piece
                && element.name() == "Relationship"
                && element.attribute("Type").is_some_and(|t| t.ends_with("/officeDocument"))
            {
                target = element.attribute("Target");
            }
            Ok(())
        })?;
    }
    let target = target.unwrap_or_else(|| "word/document.xml".into());
    Ok(target.trim_start_matches("./").trim_start_matches('/').to_owned())
}

fn walk(part: &[u8], body: &mut Body) -> Result<()> {
    let mut in_text = false;
    let mut in_properties = false;
    let mut mark_deleted: Vec<bool> = Vec::new();
    xml::walk(part, &mut |piece| {
        match piece {
            Piece::Open(element) => {
                if body.skipped_begin() {
                    return Ok(());
                }
                match element.name().as_str() {
                    "p" => {
                        body.begin_paragraph();
                        mark_deleted.push(false);
                    }
                    "pPr" => in_properties = true,
                    "del" | "moveFrom" if in_properties => {
                        if let Some(mark) = mark_deleted.last_mut() {
                            *mark = true;
                        }
                    }
                    "del" | "moveFrom" => {
                        body.left_out.deletions += 1;
                        body.skip();
                    }
                    // Of two forms of the same thing the newer one is read.
                    "Fallback" => body.skip(),
                    "commentReference" => body.left_out.comments += 1,
                    "footnoteReference" | "endnoteReference" => body.left_out.notes += 1,
                    "t" => in_text = true,
                    // A tab stop in the paragraph's properties is no tab.
                    "tab" if !in_properties => body.text("\t")?,
                    "br" | "cr" => body.text("\n")?,
                    "noBreakHyphen" => body.text("\u{2011}")?,
                    "tr" => body.begin_row(),
                    "tc" => body.begin_cell(),
                    _ => {}
                }
            }
            Piece::Close(name) => {
                if body.skipped_end() {
                    return Ok(());
                }
                match name.as_str() {
                    "p" => body.end_paragraph(mark_deleted.pop().unwrap_or(false))?,
                    "pPr" => in_properties = false,
                    "t" => in_text = false,
                    "tr" => body.end_row(),
                    _ => {}
                }
            }
            // Line ends of the XML are no line ends of the text.
            Piece::Text(words) if in_text && !body.is_skipping() => body.text(&words.replace(['\n', '\r'], " "))?,
            Piece::Text(_) => {}
        }
        Ok(())
    })
}

fn has_text(part: &[u8]) -> Result<bool> {
    let mut in_text = false;
    let mut found = false;
    xml::walk(part, &mut |piece| {
        match piece {
            Piece::Open(element) => in_text = element.name() == "t",
            Piece::Close(_) => in_text = false,
            Piece::Text(words) => found |= in_text && !words.trim().is_empty(),
        }
        Ok(())
    })?;
    Ok(found)
}
