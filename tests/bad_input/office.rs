//! Documents and workbooks that mean harm, or are only odd.

use std::io::{Cursor, Write};

use crate::delivery::{HEAD, ROWS, ingest};
use crate::harness::{Case, group};
use crate::house::House;

const PLACE: &str = "line 2, column transcript";

/// A ZIP file of these parts, packed.
fn zip(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn docx(body: &str) -> Vec<u8> {
    let text = format!(r#"<w:document xmlns:w="w"><w:body>{body}</w:body></w:document>"#);
    zip(&[("word/document.xml", text.as_bytes())])
}

fn odt(body: &str) -> Vec<u8> {
    let text = format!(
        r#"<office:document-content xmlns:office="o" xmlns:text="t"><office:body><office:text>{body}</office:text></office:body></office:document-content>"#
    );
    zip(&[("content.xml", text.as_bytes())])
}

/// A delivery whose transcript is this file.
fn transcript(name: &'static str, file: &'static str, bytes: Vec<u8>) -> Case {
    ingest(name).make(move |h: &House| {
        h.write("delivery/manifest.csv", format!("{HEAD}{}", ROWS.replace("talk.txt", file)));
        h.write(&format!("delivery/{file}"), &bytes);
    })
}

/// Says another unpacked size, in both headers of the first entry.
fn lie(mut bytes: Vec<u8>, size: u32) -> Vec<u8> {
    let central = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    bytes[central + 24..central + 28].copy_from_slice(&size.to_le_bytes());
    bytes[22..26].copy_from_slice(&size.to_le_bytes());
    bytes
}

/// Lets the second entry of the central directory point to the first one's data.
fn overlap(mut bytes: Vec<u8>) -> Vec<u8> {
    let all: Vec<usize> = bytes.windows(4).enumerate().filter(|(_, w)| *w == b"PK\x01\x02").map(|(at, _)| at).collect();
    bytes[all[1] + 42..all[1] + 46].copy_from_slice(&[0; 4]);
    bytes
}

/// Marks the first entry as encrypted.
fn encrypted(mut bytes: Vec<u8>) -> Vec<u8> {
    let central = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    bytes[central + 8] |= 1;
    bytes[6] |= 1;
    bytes
}

const OLE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
const LAUGHS: &str = r#"<!DOCTYPE a [<!ENTITY a "planted"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>"#;
const OUTSIDE: &str = r#"<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"#;

#[test]
fn documents() {
    let p = |text: &str| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>");
    let spaces = " ".repeat(200_000_000);
    let deep = format!("{}{}", "<w:p>".repeat(5_000), "</w:p>".repeat(5_000));
    let mut cases = vec![
        transcript("a .docx that unpacks to two hundred megabytes", "talk.docx", docx(&p(&spaces))).told().says(&[PLACE, "refused", "unpacks to too much"]).remedy(&["save it anew"]),
        transcript("an .odt that unpacks to two hundred megabytes", "talk.odt", odt(&format!("<text:p>{spaces}</text:p>"))).says(&[PLACE, "unpacks to too much"]).remedy(&["save it anew"]),
        transcript("a .docx of fifty megabytes of white space", "talk.docx", docx(&p(&" ".repeat(50_000_000)))).says(&[PLACE, "longer than any"]).remedy(&["save it anew"]),
        transcript("an .odt of spaces that stand for many", "talk.odt", odt(&format!("<text:p>{}</text:p>", "<text:s text:c=\"99999999\"/>".repeat(100_000)))).says(&[PLACE, "MB of text"]).remedy(&["right file"]),
        transcript("a .docx in a .docx in a .docx", "talk.docx", zip(&[("inner.docx", &zip(&[("inner.docx", &docx("")[..])])[..])])).says(&[PLACE, "not a .docx document"]).remedy(&["save it anew"]),
        transcript("parts of a document that overlap", "talk.docx", overlap(zip(&[("word/document.xml", &[b'x'; 3_000][..]), ("word/media.xml", &[b'y'; 3_000][..])]))).told().says(&[PLACE, "overlap"]).remedy(&["save it anew"]),
        transcript("a part that says it is smaller than it is", "talk.docx", lie(docx(&p("planted words").repeat(1_000)), 12)).told().says(&[PLACE]).remedy(&["save it anew"]),
        transcript("a part that says it is larger than it is", "talk.docx", lie(docx(&p("planted words")), 400_000_000)).says(&[PLACE]).remedy(&["save it anew"]),
        transcript("a bomb of entities", "talk.docx", zip(&[("word/document.xml", LAUGHS.as_bytes())])).told().says(&[PLACE, "document type"]).remedy(&["save it anew"]),
        transcript("an entity that names a file of the machine", "talk.odt", zip(&[("content.xml", OUTSIDE.as_bytes())])).says(&[PLACE, "document type"]).remedy(&["save it anew"]),
        transcript("elements nested five thousand deep", "talk.docx", docx(&deep)).told().says(&[PLACE, "nests too deeply"]).remedy(&["save it anew"]),
        transcript("parts named outside of the document", "talk.docx", zip(&[("word/document.xml", b"<a/>"), ("../../../planted", b"x")])).told().says(&[PLACE, "outside itself"]).remedy(&["save it anew"]),
        transcript("an absolute name of a part", "talk.odt", zip(&[("content.xml", b"<a/>"), ("/etc/planted", b"x")])).says(&[PLACE, "outside itself"]).remedy(&["save it anew"]),
        transcript("eleven thousand parts", "talk.docx", {
            let names: Vec<String> = (0..11_000).map(|n| format!("p{n}")).collect();
            zip(&names.iter().map(|n| (n.as_str(), &b""[..])).collect::<Vec<_>>())
        })
        .says(&[PLACE, "too many parts"])
        .remedy(&["save it anew"]),
        transcript("a document without its body", "talk.docx", zip(&[("[Content_Types].xml", b"<Types/>")])).told().says(&[PLACE, "missing"]).remedy(&["save it anew"]),
        transcript("an .odt without its content", "talk.odt", zip(&[("mimetype", b"application/vnd.oasis.opendocument.text")])).says(&[PLACE, "missing"]).remedy(&["save it anew"]),
        transcript("a document with a password", "talk.docx", [OLE, &[0; 2_000]].concat()).told().says(&[PLACE, "password"]).remedy(&["password off"]),
        transcript("parts with a password", "talk.docx", encrypted(docx(&p("x")))).says(&[PLACE, "password"]).remedy(&["password off"]),
        transcript("an .odt with a password", "talk.odt", zip(&[("META-INF/manifest.xml", b"<manifest><file-entry><encryption-data/></file-entry></manifest>"), ("content.xml", b"\x01\x02")])).says(&[PLACE, "password"]).remedy(&["password off"]),
        transcript("a text called .docx", "talk.docx", b"R: planted\n".to_vec()).told().says(&[PLACE, "not a .docx document"]).remedy(&["again"]),
        transcript("a document that is cut off", "talk.docx", { let mut whole = docx(&p("R: yes").repeat(500)); whole.truncate(whole.len() / 2); whole }).told().says(&[PLACE, "damaged"]).remedy(&["Copy it again"]),
        transcript("XML that ends too early", "talk.docx", zip(&[("word/document.xml", b"<w:document xmlns:w='w'><w:body><w:p>")])).says(&[PLACE, "damaged"]).remedy(&["save it anew"]),
        transcript("XML that is not UTF-8", "talk.docx", zip(&[("word/document.xml", b"<a>\xFF\xFE</a>")])).says(&[PLACE, "damaged"]).remedy(&["save it anew"]),
        transcript("a document whose body is elsewhere", "talk.docx", zip(&[("_rels/.rels", br#"<Relationships><Relationship Type="x/officeDocument" Target="../../../../etc/passwd"/></Relationships>"#)])).says(&[PLACE, "missing"]).remedy(&["save it anew"]),
    ];
    cases.push(
        transcript("a document without words", "talk.docx", docx(&p("")))
            .says(&[PLACE, "no words"])
            .remedy(&["right file"]),
    );
    group("Documents", cases);
}

const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="one" sheetId="1" r:id="rId1"/><sheet name="two" sheetId="2" r:id="rId2"/></sheets></workbook>"#;
const RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;
const ROOT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;

fn sheet(before: &str, rows: &str, after: &str) -> String {
    format!(
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{before}<sheetData>{rows}</sheetData>{after}</worksheet>"#
    )
}

/// A workbook with these sheets and shared strings.
fn book(one: &str, two: &str, strings: &str) -> Vec<u8> {
    let types = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
    let mut parts = vec![
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", ROOT.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELS.as_bytes()),
        ("xl/worksheets/sheet1.xml", one.as_bytes()),
        ("xl/worksheets/sheet2.xml", two.as_bytes()),
    ];
    if !strings.is_empty() {
        parts.push(("xl/sharedStrings.xml", strings.as_bytes()));
    }
    zip(&parts)
}

fn one(rows: &str) -> Vec<u8> {
    book(&sheet("", rows, ""), &sheet("", "", ""), "")
}

/// A row of words.
fn row(number: u32, cells: &[&str]) -> String {
    let cell = |(at, text): (usize, &&str)| match *text {
        "" => String::new(),
        text => format!(r#"<c r="{}{number}" t="inlineStr"><is><t>{text}</t></is></c>"#, char::from(b'A' + at as u8)),
    };
    format!(r#"<row r="{number}">{}</row>"#, cells.iter().enumerate().map(cell).collect::<String>())
}

fn head() -> String {
    row(1, &["code", "date", "language", "label", "role", "consent_form", "transcript"])
}

fn workbook(name: &'static str, bytes: Vec<u8>) -> Case {
    ingest(name).make(move |h: &House| {
        h.remove("delivery/manifest.csv");
        h.write("delivery/manifest.xlsx", &bytes);
    })
}

#[test]
fn workbooks() {
    let good = row(2, &["AM-02", "2023-05-17", "ru", "R", "participant", "v2", "talk.txt"]);
    // With a fault that only a manifest read to its end tells.
    let rows = format!("{}{}", head(), good.replace("v2", "v9"));
    let cases = vec![
        workbook("a sheet that says it is the largest there can be", book(&sheet("<dimension ref=\"A1:XFD1048576\"/>", &rows, ""), &sheet("", "", ""), "")).says(&["manifest.xlsx line 2, column consent_form"]).remedy(&["v1"]),
        workbook("a sheet that says it is larger than any", book(&sheet("<dimension ref=\"A1:ZZZZZZ99999999999\"/>", &rows, ""), &sheet("", "", ""), "")).says(&["manifest.xlsx", "damaged"]).remedy(&["save it anew"]),
        workbook("text in the last cell of a sheet", one(&format!("{rows}<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>"))).told().says(&["manifest.xlsx", "beyond row"]).remedy(&["right file"]),
        workbook("rows in the wrong order", one(&format!("{}{good}{}", head(), row(1, &["code"])))).says(&["manifest.xlsx"]).remedy(&["save it anew"]),
        workbook("a formula that has an error", one(&format!("{}{}", head(), good.replace("<c r=\"B2\" t=\"inlineStr\"><is><t>2023-05-17</t></is></c>", "<c r=\"B2\" t=\"e\"><f>A1+1</f><v>#REF!</v></c>")))).told().says(&["manifest.xlsx line 2, column 2", "error of the spreadsheet"]).remedy(&["formula"]),
        workbook("a formula that was never reckoned", one(&format!("{}{}", head(), good.replace("<c r=\"B2\" t=\"inlineStr\"><is><t>2023-05-17</t></is></c>", "<c r=\"B2\"><f>TODAY()</f></c>")))).told().says(&["manifest.xlsx line 2, column date"]).remedy(&["Give it"]),
        workbook("merged cells: the code stands in the first row only", book(&sheet("", &format!("{}{good}{}", head(), row(3, &["", "", "", "I", "interviewer", "", ""])), "<mergeCells count=\"1\"><mergeCell ref=\"A2:A3\"/></mergeCells>"), &sheet("", "", ""), "")).told().says(&["manifest.xlsx line 3, column code", "no code"]).remedy(&["every row"]),
        workbook("a merged area larger than any sheet", book(&sheet("", &rows, "<mergeCells count=\"1\"><mergeCell ref=\"A1:ZZZZ9999999999\"/></mergeCells>"), &sheet("", "", ""), "")).says(&["manifest.xlsx", "damaged"]).remedy(&["save it anew"]),
        workbook("a date as a number without its format", one(&format!("{}{}", head(), good.replace("<c r=\"B2\" t=\"inlineStr\"><is><t>2023-05-17</t></is></c>", "<c r=\"B2\"><v>45063</v></c>")))).says(&["manifest.xlsx line 2, column date", "number"]).remedy(&["Format the column"]),
        workbook("the manifest stands on the second sheet", book(&sheet("", &row(1, &["Notes", "of", "planted"]), ""), &sheet("", &rows, ""), "")).told().says(&["manifest.xlsx line 1", "code"]).remedy(&["first sheet"]),
        workbook("the first sheet is empty", book(&sheet("", "", ""), &sheet("", &rows, ""), "")).told().says(&["manifest.xlsx", "empty"]).remedy(&["first sheet"]),
        workbook("a workbook without sheets", zip(&[("xl/workbook.xml", b"<workbook/>"), ("xl/_rels/workbook.xml.rels", b"<Relationships/>")])).says(&["manifest.xlsx"]).remedy(&["save it anew"]),
        workbook("a workbook with a password", [OLE, &[0; 4_000]].concat()).told().says(&["manifest.xlsx", "password"]).remedy(&["password off"]),
        workbook("a workbook with macros", zip(&[("xl/workbook.xml", BOOK.as_bytes()), ("xl/vbaProject.bin", b"x")])).told().says(&["manifest.xlsx", "macros"]).remedy(&["without macros"]),
        workbook("a document called a workbook", docx("<w:p/>")).says(&["manifest.xlsx", "not an .xlsx workbook"]).remedy(&["save it anew"]),
        workbook("text called a workbook", b"code,date\n".to_vec()).says(&["manifest.xlsx", "not an .xlsx workbook"]).remedy(&["save it anew"]),
        workbook("a sheet that unpacks to a gigabyte", one(&" ".repeat(600_000_000))).says(&["manifest.xlsx", "unpacks to too much"]).remedy(&["save it anew"]),
        workbook("a sheet of fifty megabytes of white space", one(&format!("{rows}{}", " ".repeat(50_000_000)))).says(&["manifest.xlsx", "longer than any"]).remedy(&["save it anew"]),
        workbook("shared strings that say they are four billion", book(&sheet("", &rows, ""), &sheet("", "", ""), "<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" count=\"4294967295\" uniqueCount=\"4294967295\"/>")).says(&["manifest.xlsx", "damaged"]).remedy(&["save it anew"]),
        workbook("entities in a workbook", zip(&[("xl/workbook.xml", LAUGHS.as_bytes())])).told().says(&["manifest.xlsx", "document type"]).remedy(&["save it anew"]),
        workbook("a sheet with an entity from outside", book(OUTSIDE, &sheet("", "", ""), "")).says(&["manifest.xlsx", "document type"]).remedy(&["save it anew"]),
        workbook("a sheet that says it is smaller than it is", lie(book(&sheet("", &rows, ""), "", ""), 3)).says(&["manifest.xlsx"]).remedy(&["save it anew"]),
        workbook("a workbook that is cut off", { let mut whole = one(&rows); whole.truncate(whole.len() / 2); whole }).says(&["manifest.xlsx"]).remedy(&["again"]),
    ];
    group("Workbooks", cases);
}

#[test]
#[ignore = "slow where nothing is optimised: cargo test --release --test bad_input -- --ignored"]
fn large_documents() {
    let p = |text: &str| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>");
    let good = row(2, &["AM-02", "2023-05-17", "ru", "R", "participant", "v2", "talk.txt"]);
    let rows = format!("{}{}", head(), good.replace("v2", "v9"));
    let cases = vec![
        transcript("a .docx just within the bounds", "talk.docx", docx(&p(&"planted words ".repeat(200_000)).repeat(22))).says(&[PLACE, "MB of text"]).remedy(&["right file"]),
        transcript("a .docx of two million empty paragraphs", "talk.docx", docx(&"<w:p/>".repeat(2_000_000))).says(&[PLACE, "paragraphs"]).remedy(&["right file"]),
        transcript("a .docx of ten million empty elements", "talk.docx", docx(&"<a/>".repeat(10_000_000))).says(&[PLACE, "no words"]).remedy(&["right file"]),
        transcript("a .docx with a table of three million cells", "talk.docx", docx(&format!("<w:tbl><w:tr>{}</w:tr></w:tbl>", "<w:tc/>".repeat(3_000_000)))).says(&[PLACE]).remedy(&["right file"]),
        workbook("a workbook of a million and a half empty cells", one(&format!("{rows}<row r=\"3\">{}</row>", "<c r=\"A3\"/>".repeat(1_500_000))))
            .says(&["manifest.xlsx line 2, column consent_form"])
            .remedy(&["v1"]),
        workbook("a workbook of three million empty cells", one(&format!("{rows}<row r=\"3\">{}</row>", "<c r=\"A3\"/>".repeat(3_000_000))))
            .told()
            .says(&["manifest.xlsx", "cells"])
            .remedy(&["right file"]),
        workbook("half a million shared strings", book(&sheet("", &rows, ""), &sheet("", "", ""), &format!("<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" count=\"500000\" uniqueCount=\"500000\">{}</sst>", "<si><t>planted text</t></si>".repeat(500_000)))).says(&["manifest.xlsx line 2, column consent_form"]).remedy(&["v1"]),
    ];
    group("Large documents", cases);
}
