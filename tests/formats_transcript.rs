//! Transcripts of every format, kind ones and hostile ones.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use std::io::{Cursor, Write};

use subrosa::formats::transcript::{TranscriptFormat as F, read};
use subrosa::formats::{Encoding, TranscriptText};

fn labels() -> Vec<String> {
    ["R", "I", "О", "И", "Респондент"].map(str::to_owned).to_vec()
}

fn parse(format: F, bytes: &[u8]) -> TranscriptText {
    read(format, bytes, &labels()).unwrap()
}

/// Turns as `label|start|end|text`.
fn shown(text: &TranscriptText) -> Vec<String> {
    let time = |t: Option<u64>| t.map_or(String::new(), |t| t.to_string());
    text.turns
        .iter()
        .map(|t| format!("{}|{}|{}|{}", t.label.as_deref().unwrap_or("?"), time(t.start_ms), time(t.end_ms), t.text))
        .collect()
}

fn zip_of(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const WORD: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006""#;

fn docx(body: &str) -> Vec<u8> {
    zip_of(&[
        ("[Content_Types].xml", "<Types/>"),
        (
            "word/document.xml",
            &format!("<?xml version=\"1.0\"?><w:document {WORD}><w:body>{body}</w:body></w:document>"),
        ),
    ])
}

fn odt(body: &str) -> Vec<u8> {
    let content = format!(
        r#"<office:document-content xmlns:office="o" xmlns:text="t" xmlns:table="b"><office:body><office:text>{body}</office:text></office:body></office:document-content>"#
    );
    zip_of(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", &content)])
}

fn p(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

#[test]
fn plain_text() {
    let text = "\u{feff}Беседа в мае\r\n\r\n[00:00:05] И: Когда вы уехали?\r\nО: Весной.\r\n  Через Ларс.\r\n(1:05)\r\nи: И потом?\r\n[1:10] о: Потом: ничего.\r\n[1:20] Дальше.\r\nОна сказала: нет.\r\n";
    let read = parse(F::Txt, text.as_bytes());
    assert_eq!(
        shown(&read),
        [
            "?|||Беседа в мае",
            "И|5000||Когда вы уехали?",
            "О|||Весной.\nЧерез Ларс.",
            "И|65000||И потом?",
            "О|70000||Потом: ничего.",
            "О|80000||Дальше.\nОна сказала: нет.",
        ]
    );
    assert!(read.unknown_labels.is_empty());
    assert_eq!(read.notices.len(), 1);
    assert_eq!(
        format!("{read:?} {:?}", read.turns),
        "TranscriptText(…) [Turn(…), Turn(…), Turn(…), Turn(…), Turn(…), Turn(…)]"
    );
}

#[test]
fn numbers_and_bare_times_before_a_label() {
    let read = parse(
        F::Txt,
        "R: yes\n00:12:05 I: why?\n12. R: so\n3) I: then\n[4] R: end\n12:05 we met. I: no\n5 words: no\n".as_bytes(),
    );
    assert_eq!(
        shown(&read),
        ["R|||yes", "I|725000||why?", "R|||so", "I|||then", "R|||end\n12:05 we met. I: no\n5 words: no"]
    );
    assert!(read.unknown_labels.is_empty());
    assert!(read.notices.iter().any(|n| n.starts_with("1 lines") && n.contains("paragraph 6")), "{:?}", read.notices);
}

#[test]
fn encodings_are_told() {
    let text = "И: Когда вы уехали из города?\r\nО: Весной, вместе с сестрой.\r\n";
    let bytes = encoding_rs::WINDOWS_1251.encode(text).0.into_owned();
    let read = parse(F::Txt, &bytes);
    assert_eq!(read.encoding.unwrap().encoding, Encoding::Windows1251);
    assert!(read.encoding.unwrap().guessed && read.notices[0].contains("Windows-1251"));
    assert_eq!(shown(&read)[1], "О|||Весной, вместе с сестрой.");
    let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(shown(&parse(F::Txt, &wide)), shown(&read));
}

#[test]
fn unknown_labels_are_nobodys_and_told_by_line() {
    let read = parse(F::Txt, "R: yes\nMaria Rossi: no\nand more\nI: well\nX: hm\n".as_bytes());
    assert_eq!(shown(&read), ["R|||yes", "?|||Maria Rossi: no\nand more", "I|||well", "?|||X: hm"]);
    let told: Vec<_> = read.unknown_labels.iter().map(|u| (u.line, u.label.as_str())).collect();
    assert_eq!(told, [(2, "Maria Rossi"), (5, "X")]);
    assert!(!format!("{:?} {:?}", read.unknown_labels, read.notices).contains("Maria"));
}

#[test]
fn what_has_no_words_or_is_no_text() {
    for bytes in [&b""[..], b"\n\n", b"R:\nI:\n", b"[00:01]\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"R: a\x07b"] {
        assert!(read(F::Txt, bytes, &labels()).is_err(), "{bytes:?}");
    }
    let many = "R: a\n".repeat(200_001);
    assert!(read(F::Txt, many.as_bytes(), &labels()).unwrap_err().what().contains("turns"));
    assert!(read(F::Txt, &vec![b'a'; 20_000_001], &labels()).is_err());
}

#[test]
fn webvtt() {
    let text = "WEBVTT - x\n\nSTYLE\n::cue { color: red }\n\nNOTE a comment\nmore\n\n1\n00:01.000 --> 00:02.500 align:start\n<v R>Hi <i>there</i> &amp; so\non\n\n00:00:03.000 --> 00:00:04.000\nI: why?\nR: because\n\n00:05.000 --> 00:06.000\n<v R>a</v><v Maria>b\n\n00:07.000 --> 00:08.000\nmusic\n";
    let read = parse(F::Vtt, text.as_bytes());
    assert_eq!(
        shown(&read),
        [
            "R|1000|2500|Hi there & so\non",
            "I|3000|4000|why?",
            "R|3000|4000|because",
            "R|5000|6000|a",
            "?|5000|6000|b",
            "?|7000|8000|music"
        ]
    );
    assert_eq!(read.unknown_labels.iter().map(|u| u.line).collect::<Vec<_>>(), [18]);
    assert!(read.notices.iter().any(|n| n.contains("1 comment.")));
    for bad in
        ["", "00:01.000 --> 00:02.000\na\n", "WEBVTT\n\na\nb\n", "WEBVTT\n\n00:02.000 --> 00:01.000\na\n", "WEBVTT\n"]
    {
        assert!(parse_err(F::Vtt, bad), "{bad}");
    }
}

fn parse_err(format: F, text: &str) -> bool {
    read(format, text.as_bytes(), &labels()).is_err()
}

#[test]
fn subrip() {
    let text = "1\r\n00:00:01,000 --> 00:00:02,500\r\n{\\an8}R: <b>Hi</b>\r\nthere\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\n- I: why?\r\n- R: well\r\n\r\nstill well\r\n";
    assert_eq!(
        shown(&parse(F::Srt, text.as_bytes())),
        ["R|1000|2500|Hi\nthere", "I|3000|4000|why?", "R|3000|4000|well\nstill well"]
    );
    for bad in ["", "1\nR: hi\n", "1\n00:00:02,000 --> 00:00:01,000\nhi\n", "1\n00:00:01,000 -->\nhi\n"] {
        assert!(parse_err(F::Srt, bad), "{bad}");
    }
}

#[test]
fn word_documents_with_changes_and_comments() {
    let body = [
        "<w:p><w:pPr><w:tabs><w:tab w:val=\"left\"/></w:tabs></w:pPr><w:r><w:t xml:space=\"preserve\">I: hello </w:t></w:r><w:del w:author=\"Bianchi\"><w:r><w:delText>Maria Rossi</w:delText></w:r></w:del><w:ins w:author=\"Bianchi\"><w:r><w:t>P01</w:t></w:r></w:ins><w:r><w:commentReference w:id=\"0\"/><w:footnoteReference w:id=\"1\"/></w:r></w:p>",
        "<w:p><w:r><w:t>R: one</w:t><w:br/><w:t>I: two</w:t></w:r></w:p>",
        "<w:p><w:moveFrom><w:r><w:t>gone</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>R: here</w:t></w:r></w:moveTo></w:p>",
        "<w:p><w:pPr><w:rPr><w:del w:id=\"3\"/></w:rPr></w:pPr><w:r><w:t xml:space=\"preserve\">I: half </w:t></w:r></w:p>",
        &p("a line"),
        "<w:p><mc:AlternateContent><mc:Choice><w:r><w:t>R: new</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t>old</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>",
        "<w:p><w:r><w:instrText>PAGE</w:instrText><w:tab/><w:t>a&amp;b</w:t></w:r></w:p>",
    ]
    .concat();
    let bytes = zip_of(&[
        (
            "_rels/.rels",
            r#"<Relationships><Relationship Type="http://x/officeDocument" Target="/word/document2.xml"/></Relationships>"#,
        ),
        ("word/document2.xml", &format!("<w:document {WORD}><w:body>{body}</w:body></w:document>")),
        (
            "word/comments.xml",
            &format!(
                "<w:comments {WORD}><w:comment><w:p><w:r><w:t>who is it</w:t></w:r></w:p></w:comment></w:comments>"
            ),
        ),
        ("word/header1.xml", &format!("<w:hdr {WORD}>{}</w:hdr>", p("Interview with Maria"))),
        ("word/footnotes.xml", &format!("<w:footnotes {WORD}>{}</w:footnotes>", p("Maria again"))),
    ]);
    let read = parse(F::Docx, &bytes);
    assert_eq!(shown(&read), ["I|||hello P01", "R|||one", "I|||two", "R|||here", "I|||half a line", "R|||new\na&b"]);
    assert_eq!(read.encoding, None);
    let notice = &read.notices[0];
    for part in ["2 deletions", "1 comment", "1 footnote", "headers"] {
        assert!(notice.contains(part), "{notice}");
    }
}

#[test]
fn tables_of_turns() {
    let row = |cells: &[&str]| {
        format!("<w:tr>{}</w:tr>", cells.iter().map(|c| format!("<w:tc>{}</w:tc>", p(c))).collect::<String>())
    };
    let body = format!(
        "<w:tbl>{}{}{}</w:tbl>",
        row(&["00:01:00", "R", "words"]),
        row(&["I:", "more", ""]),
        row(&["Maria", "hm"])
    );
    let read = parse(F::Docx, &docx(&body));
    assert_eq!(shown(&read), ["R|60000||words", "I|||more", "?|||Maria: hm"]);
    assert_eq!(read.unknown_labels[0].line, 7);
    let nested = format!("<w:tbl><w:tr><w:tc>{}<w:tbl>{}</w:tbl></w:tc></w:tr></w:tbl>", p("R: a"), row(&["b", "c"]));
    assert_eq!(shown(&parse(F::Docx, &docx(&nested))), ["R|||a\nb\nc"]);
}

#[test]
fn opendocument() {
    let body = "<text:tracked-changes><text:changed-region><text:deletion><text:p>Maria</text:p></text:deletion></text:changed-region></text:tracked-changes>\
        <text:h>\n  И: раз<text:s text:c=\"2\"/>два\n</text:h><text:p>R: a <text:span>b</text:span><office:annotation><text:p>who?</text:p></office:annotation><text:note><text:note-body><text:p>x</text:p></text:note-body></text:note><text:line-break/>I: c<text:tab/>d</text:p>\
        <table:table><table:table-row><table:table-cell><text:p>R</text:p></table:table-cell><table:table-cell><text:p>e</text:p></table:table-cell></table:table-row></table:table>";
    let read = parse(F::Odt, &odt(body));
    assert_eq!(shown(&read), ["И|||раз  два", "R|||a b", "I|||c\td", "R|||e"]);
    for part in ["1 deletion", "1 comment", "1 footnote"] {
        assert!(read.notices[0].contains(part), "{:?}", read.notices);
    }
    let spaces = odt("<text:p>R: a<text:s text:c=\"99999999999\"/>b<text:s text:c=\"4000000000\"/>c</text:p>");
    assert!(parse(F::Odt, &spaces).turns[0].text.len() < 2_100);
    let locked = zip_of(&[("META-INF/manifest.xml", "<m><e><encryption-data/></e></m>"), ("content.xml", "zzz")]);
    assert!(read_error(F::Odt, &locked).contains("password"));
}

fn read_error(format: F, bytes: &[u8]) -> String {
    read(format, bytes, &labels()).unwrap_err().what().to_owned()
}

#[test]
fn hostile_documents_are_refused() {
    let bomb = format!(
        "<!DOCTYPE a [<!ENTITY x \"{}\"><!ENTITY y \"&x;&x;&x;\">]><w:document {WORD}><w:body>{}</w:body></w:document>",
        "ha".repeat(100),
        p("R: &y;")
    );
    assert!(read_error(F::Docx, &zip_of(&[("word/document.xml", &bomb)])).contains("document type"));
    assert!(read_error(F::Docx, &docx(&p("R: &y;"))).contains("entity"));
    assert!(read_error(F::Docx, &docx(&("<w:tbl>".repeat(300) + &"</w:tbl>".repeat(300)))).contains("nests"));
    assert!(read_error(F::Docx, &zip_of(&[("a", "b")])).contains("missing"));
    assert!(read_error(F::Docx, &zip_of(&[("../word/document.xml", "<a/>")])).contains("outside"));
    assert!(read_error(F::Docx, b"R: plain text").contains("not a .docx"));
    assert!(read_error(F::Odt, &docx(&p("R: a"))).contains("missing"));
    assert!(read_error(F::Docx, &docx(&p(&"x".repeat(3_000_000)).repeat(7))).contains("20 MB"));
    assert!(read_error(F::Docx, &docx(&p(&"x".repeat(4_000_001)))).contains("longer than any"));
    let huge = zip_of(&[("word/document.xml", &" ".repeat(130_000_000))]);
    assert!(huge.len() < 1_000_000 && read_error(F::Docx, &huge).contains("unpacks"));
    let whole = docx(&p("R: a"));
    for cut in [4, whole.len() / 2, whole.len() - 1] {
        assert!(read(F::Docx, &whole[..cut], &labels()).is_err());
    }
    for at in 0..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 0x55;
        let _ = read(F::Docx, &bent, &labels());
    }
    assert!(read_error(F::Docx, &docx("")).contains("no words"));
}

#[test]
fn a_long_transcript_is_read_in_good_time() {
    let text = "[00:01:05] R: слова и слова, why: because of И and R and so on\nдальше\n".repeat(100_000);
    let started = std::time::Instant::now();
    let read = parse(F::Txt, text.as_bytes());
    assert_eq!(read.turns.len(), 100_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
