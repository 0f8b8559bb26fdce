//! Every parser of bytes that come from outside: an answer or an error, never a panic, a hang or memory without end; and where there is an
//! answer, what must hold of it. The fuzzer drives these (`fuzz/run`), and `tests/fuzz_seeds.rs` replays what it has kept.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::sync::LazyLock;

use subrosa::base::canonical;
use subrosa::base::id::VaultId;
use subrosa::base::secret::Key;
use subrosa::base::time::{Date, Moment};
use subrosa::crypto::card::{Card, VaultCard};
use subrosa::crypto::identity::LockedIdentity;
use subrosa::crypto::keyring::KeyringFile;
use subrosa::crypto::stream::{self, AgeIdentity};
use subrosa::domain::code;
use subrosa::domain::policy::Policies;
use subrosa::domain::request::Request;
use subrosa::domain::study::Study;
use subrosa::formats::package::{self, Limits};
use subrosa::formats::transcript::{TranscriptFormat, read};
use subrosa::formats::{DeliveryPath, Manifest, Table, TranscriptText, encoding, media};
use subrosa::ledger::checkpoint::Checkpoint;
use subrosa::ledger::entry::Entry;
use subrosa::ledger::export::read_lines;
use subrosa::ledger::note::Note;
use subrosa::ledger::proof::Proof;
use subrosa::ledger::verify::{Options, verify_chain};
use subrosa::ledger::witness::HeadUpdate;
use subrosa::redact::{Class, KnownEntity, detect};
use subrosa::store::keyfile::KeyFile;

/// Tries one input.
pub(crate) type Target = fn(&[u8]);

/// All of them, by name.
pub(crate) const TARGETS: &[(&str, Target)] = &[
    ("age", age),
    ("canonical", canonical_json),
    ("card", card),
    ("code", archive_code),
    ("csv", csv),
    ("docx", docx),
    ("entry", entry),
    ("head", head),
    ("identity", identity),
    ("keyfile", key_file),
    ("keyring", keyring),
    ("media", recording),
    ("odt", odt),
    ("package", tar),
    ("policy", policy),
    ("redact", detector),
    ("request", request),
    ("study", study),
    ("subtitles", subtitles),
    ("text", text),
    ("xlsx", xlsx),
];

const VAULT: VaultId = VaultId::from_bytes([7; 16]);
const STUDY: &str = include_str!("../../src/sample/study.toml");
/// The secret of the C2SP test kit: the age files among the seeds are sealed to it.
const AGE_KEY: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

/// What was read is what is written: canonical JSON has one form only.
fn same(written: subrosa::base::Result<Vec<u8>>, data: &[u8]) {
    assert!(written.is_ok_and(|written| written == data), "read and written again it is something else");
}

fn age(data: &[u8]) {
    static IDENTITY: LazyLock<AgeIdentity> = LazyLock::new(|| AgeIdentity::parse(AGE_KEY).expect("a key"));
    let whole = stream::open_bytes(IDENTITY.as_age(), data, 1 << 20);
    let mut out = Vec::new();
    let streamed = stream::open(IDENTITY.as_age(), data, &mut out, None, &subrosa::base::progress::Silent);
    assert_eq!(whole.is_ok(), streamed.is_ok());
    if let Ok(whole) = whole {
        assert_eq!(*whole, out);
    }
}

fn canonical_json(data: &[u8]) {
    // A tree of values is no canonical type of ours, but it reaches every branch of the reader.
    if let Ok(value) = canonical::from_slice::<BTreeMap<String, Vec<(String, Option<i64>)>>>(data) {
        same(canonical::to_vec(&value), data);
    }
}

fn card(data: &[u8]) {
    if let Ok(card) = Card::parse(data) {
        same(card.to_bytes(), data);
    }
    if let Ok(card) = VaultCard::parse(data) {
        same(card.to_bytes(), data);
    }
}

fn archive_code(data: &[u8]) {
    static STUDIED: LazyLock<Study> = LazyLock::new(|| Study::read(STUDY).expect("the sample's study"));
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok((code, _)) = code::normalise(text, &STUDIED) {
        let (again, notice) = code::normalise(code.as_str(), &STUDIED).expect("a code in its own form");
        assert!(again == code && notice.is_none(), "the form of a code is not its form");
    }
    if let Ok(path) = DeliveryPath::parse(text) {
        let inside = std::path::Path::new(path.as_str()).components();
        assert!(inside.into_iter().all(|part| matches!(part, std::path::Component::Normal(_))), "out of the delivery");
    }
    if let Ok(date) = text.parse::<Date>() {
        assert_eq!(date.to_string().parse::<Date>().ok(), Some(date));
    }
    if let Ok(moment) = text.parse::<Moment>() {
        assert_eq!(moment.to_string().parse::<Moment>().ok(), Some(moment));
    }
}

fn manifest(table: &Table) {
    let (read, faults) = Manifest::read_with_faults(table, "manifest", &str::to_uppercase);
    assert_eq!(Manifest::read(table, "manifest", &str::to_uppercase).is_ok(), faults.is_empty());
    drop(read);
}

fn csv(data: &[u8]) {
    if let Ok(table) = Table::from_csv(data) {
        manifest(&table);
    }
}

fn labels() -> [String; 4] {
    ["R".into(), "И".into(), "О".into(), "e\u{301}".into()]
}

fn turns(format: TranscriptFormat, data: &[u8]) {
    let known = labels();
    let check = |found: TranscriptText| {
        assert!(found.turns.iter().all(|turn| turn.label.as_ref().is_none_or(|label| known.contains(label))));
    };
    let _ = read(format, data, &known).map(check);
}

/// A ZIP file with one part of the fuzzer's and the rest as it should be: the fuzzer by itself does not get past the checksums.
fn zipped(name: &str, part: &[u8], others: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let others = others.iter().map(|(name, text)| (*name, text.as_bytes()));
    for (name, bytes) in others.chain(std::iter::once((name, part))) {
        zip.start_file(name, options).and_then(|()| Ok(zip.write_all(bytes)?)).expect("memory can be written");
    }
    zip.finish().expect("memory can be written").into_inner()
}

fn docx(data: &[u8]) {
    turns(TranscriptFormat::Docx, data);
    turns(TranscriptFormat::Docx, &zipped("word/document.xml", data, &[]));
}

fn odt(data: &[u8]) {
    turns(TranscriptFormat::Odt, data);
    let kind = [("mimetype", "application/vnd.oasis.opendocument.text")];
    turns(TranscriptFormat::Odt, &zipped("content.xml", data, &kind));
}

fn xlsx(data: &[u8]) {
    const WORKBOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="s" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    const LINKS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    const STRINGS: &str = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>code</t></si><si><t>date</t></si></sst>"#;
    let others =
        [("xl/workbook.xml", WORKBOOK), ("xl/_rels/workbook.xml.rels", LINKS), ("xl/sharedStrings.xml", STRINGS)];
    for bytes in [data.to_vec(), zipped("xl/worksheets/sheet1.xml", data, &others)] {
        if let Ok(table) = Table::from_xlsx(&bytes) {
            manifest(&table);
        }
    }
}

fn entry(data: &[u8]) {
    if let Ok(entry) = Entry::parse(data) {
        same(entry.to_bytes(), data);
    }
    let _ = verify_chain(read_lines(data), &Options::default());
}

fn head(data: &[u8]) {
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.to_string().as_bytes(), data, "a note is written otherwise than it was read");
    }
    if let Ok(checkpoint) =
        std::str::from_utf8(data).map_err(drop).and_then(|t| Checkpoint::parse_body(t).map_err(drop))
    {
        // Lines of extensions may follow.
        assert!(data.starts_with(checkpoint.body().as_bytes()), "a checkpoint is written otherwise than it was read");
    }
    let _ = Proof::parse(data);
    let _ = HeadUpdate::parse(data);
}

fn identity(data: &[u8]) {
    let _ = LockedIdentity::parse(data);
}

fn key_file(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keyfile");
    std::fs::write(&path, data).expect("a temporary file");
    let key = Key::zero();
    let _ = KeyFile::read(&path, VAULT, &[&key], |_, _| None);
}

fn keyring(data: &[u8]) {
    if let Ok(keyring) = KeyringFile::parse(data) {
        same(keyring.to_bytes(), data);
    }
}

fn recording(data: &[u8]) {
    for hint in [None, Some("mp3")] {
        let _ = media::probe(Cursor::new(data.to_vec()), hint, data.len() as u64);
    }
}

fn tar(data: &[u8]) {
    let limits = Limits { files: 100, file_bytes: 1 << 20, all_bytes: 1 << 22 };
    let _ = package::read(data, limits, &mut |file| {
        assert!(!file.name.starts_with('/') && !file.name.split('/').any(|part| part == ".." || part.is_empty()));
        let mut all = Vec::new();
        let _ = file.content.read_to_end(&mut all);
        Ok(())
    });
}

fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = Policies::load(&[text]);
}

fn known() -> Vec<KnownEntity> {
    let entity = |key: &str, class, form: &str| KnownEntity {
        key: key.into(),
        class,
        forms: vec![form.into()],
        pseudonym: None,
    };
    vec![entity("1", Class::Person, "Вера Николаевна Щеглова"), entity("2", Class::Place, "Гюмри")]
}

fn detector(data: &[u8]) {
    static KNOWN: LazyLock<Vec<KnownEntity>> = LazyLock::new(known);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let length = text.chars().count();
    for span in detect(text, &KNOWN) {
        assert!(span.start < span.end && span.end <= length, "a span is no part of the text");
    }
}

fn request(data: &[u8]) {
    if let Ok(request) = Request::parse(data, VAULT) {
        same(request.to_bytes(), data);
    }
}

fn study(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = Study::parse(text);
}

fn subtitles(data: &[u8]) {
    turns(TranscriptFormat::Vtt, data);
    turns(TranscriptFormat::Srt, data);
}

fn text(data: &[u8]) {
    let _ = encoding::decode(data, 1 << 20);
    turns(TranscriptFormat::Txt, data);
}
