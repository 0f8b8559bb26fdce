//! Deliveries: the folder and the manifest as a table.

use crate::harness::{Case, case, group};
use crate::house::House;

/// Columns of a small manifest.
pub(crate) const HEAD: &str =
    "code,date,place,language,label,role,name,consent_form,recording,transcript,transcript_kind\n";
/// A sound interview that the vault does not have.
pub(crate) const ROWS: &str = "AM-02,2023-05-17,Gyumri,ru,R,participant,Varvara Shcheglova,v2,,talk.txt,verbatim\nAM-02,,,,I,interviewer,Olga Vetlitskaya,,,,\n";
pub(crate) const TALK: &str = "I: Tell me about varya.\nR: She left at night, planted by the bus.\n";
pub(crate) const INGEST: &[&str] = &["--yes", "ingest", "delivery"];

/// A sound delivery; each case breaks it in its own way.
pub(crate) fn sound(house: &House) {
    house.write("delivery/manifest.csv", format!("{HEAD}{ROWS}"));
    house.write("delivery/talk.txt", TALK);
}

/// A case of an archivist who takes a delivery in.
pub(crate) fn ingest(name: &'static str) -> Case {
    case(name).make(sound).by("ben").run(INGEST)
}

/// A manifest of these rows under the usual columns.
fn rows(text: &'static str) -> impl Fn(&House) + Send + Sync + 'static {
    move |house| house.write("delivery/manifest.csv", format!("{HEAD}{text}"))
}

/// The manifest with one text for another.
pub(crate) fn with(from: &'static str, to: &'static str) -> impl Fn(&House) + Send + Sync + 'static {
    move |house| house.replace("delivery/manifest.csv", from, to)
}

fn bytes(bytes: impl Into<Vec<u8>>) -> impl Fn(&House) + Send + Sync + 'static {
    let bytes = bytes.into();
    move |house| house.write("delivery/manifest.csv", &bytes)
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn manifests() {
    let cases = vec![
        case("the delivery is not there").told().by("ben").run(INGEST).says(&["delivery's folder"]).remedy(&["Check"]),
        ingest("the delivery is a file, not a folder")
            .told()
            .make(|h| {
                h.remove("delivery");
                h.write("delivery", "PK");
            })
            .says(&["not a folder"])
            .remedy(&["unpack"]),
        ingest("there is no manifest").told().make(|h| h.remove("delivery/manifest.csv")).says(&["no manifest"]).remedy(&["manifest.csv"]),
        ingest("there are two manifests")
            .told()
            .make(|h| h.put("delivery/manifest.csv", "delivery/manifest.xlsx"))
            .says(&["manifest.csv and a manifest.xlsx"])
            .remedy(&["Keep the one"]),
        ingest("the manifest is empty").told().make(bytes("")).says(&["manifest.csv", "empty"]).remedy(&["columns"]),
        ingest("the manifest has columns and no rows").make(rows("")).says(&["no row"]).remedy(&["Add a row"]),
        ingest("a column that is needed is missing")
            .told()
            .make(bytes("date,place\n2023-05-17,Gyumri\n"))
            .says(&["line 1", "code"])
            .remedy(&["code"]),
        ingest("columns that are not known")
            .told()
            .make(|h| {
                h.replace("delivery/manifest.csv", "place", "village of Varvara");
                h.replace("delivery/manifest.csv", "consent_form", "consent");
            })
            .says(&["line 1, column 3", "column 8", "not known"])
            .remedy(&["consent_form", "meta:"]),
        ingest("a column twice").make(with("place", "date")).says(&["column 3", "twice"]).remedy(&["one"]),
        ingest("a million columns")
            .make(bytes("code,".repeat(1_000_000)))
            .says(&["manifest.csv", "columns"])
            .remedy(&["right file"]),
        ingest("a manifest of forty megabytes")
            .make(bytes("code\n".repeat(8_000_000)))
            .says(&["manifest.csv", "larger"])
            .remedy(&["right file"]),
        ingest("three thousand rows of one code")
            .make(bytes(format!("{HEAD}{}", "AM-02,,,,,,,,,,\n".repeat(3_000))))
            .says(&["line 2002, column code", "more than 2000 rows"])
            .remedy(&["Check the codes"]),
        ingest("six hundred faults")
            .make(bytes(format!("{HEAD}{}", "AM-02,yesterday,,,,,,,,,\n".repeat(600))))
            .says(&["line 2, column date", "line 601: there are more faults than are listed"])
            .remedy(&["ones above first"]),
        ingest("a cell of a megabyte")
            .make(bytes(format!("code,notes\nAM-02,{}\n", "x".repeat(1_000_000))))
            .says(&["line 2", "characters"])
            .remedy(&["right file"]),
        ingest("rows of different length")
            .told()
            .make(rows("AM-02,2023-05-17,Gyumri,ru,R,participant,Varvara, Shcheglova,v2,,talk.txt,verbatim\nAM-02\n"))
            .says(&["line 2", "more cells"])
            .remedy(&["quotation marks"]),
        ingest("a quotation mark that is never closed")
            .told()
            .make(with("Gyumri", "\"Gyumri"))
            .says(&["line 2", "never closed"])
            .remedy(&["Close it"]),
        ingest("zero bytes in the manifest").told().make(bytes(&b"code,date\0\nAM-02\0,2023-05-17\n"[..])).says(&["manifest.csv"]).remedy(&["UTF-8"]),
        ingest("a manifest in an unknown encoding")
            .told()
            .make(bytes(b"code,place\nAM-02,\x81\x8f\x9d\xff\xfe\x00\n".to_vec()))
            .says(&["manifest.csv", "not text in UTF-8"])
            .remedy(&["UTF-8"]),
        ingest("a manifest in UTF-16 that is cut within a letter")
            .make(bytes([&b"\xFF\xFE"[..], &utf16("code,date\nAM-02,2023-05-17\n")[..51]].concat()))
            .says(&["manifest.csv", "UTF-16"])
            .remedy(&["again"]),
        ingest("a manifest that is really a workbook")
            .make(bytes(b"PK\x03\x04\x14\0\0\0\x08\0\0\0!\0".to_vec()))
            .says(&["manifest.csv"])
            .remedy(&["UTF-8"]),
        ingest("no separator: everything stands in one column")
            .make(bytes("code|date|place\nAM-02|2023-05-17|Gyumri\n"))
            .says(&["code"])
            .remedy(&["code"]),
        ingest("all faults are told at once")
            .told()
            .make(rows(
                "AM-02,17.05.2023,Gyumri,russian,R,boss,Varvara,v2,,talk.txt,verbatim\nXX-99,2023-05-18,,ru,R,participant,Varvara,v2,,,\n,2023-05-19,,,,,,,,,\nAM-03,2023-05-20,,ru,,,,,tape.wav,,\n",
            ))
            .says(&["line 2, column date", "line 2, column language", "line 2, column role", "line 3, column code", "line 4, column code", "line 5, column recording"])
            .remedy(&["2023-05-17", "BCP 47", "participant, interviewer", "AM", "every row", "Put it there"]),
    ];
    group("A manifest", cases);
}

#[test]
#[ignore = "slow where nothing is optimised: cargo test --release --test bad_input -- --ignored"]
fn large_deliveries() {
    let cases = vec![
        ingest("a million rows")
            .make(bytes("code\n".repeat(1_000_000)))
            .says(&["manifest.csv", "rows"])
            .remedy(&["right file"]),
        ingest("as many cells as there may be")
            .make(bytes(format!("code,a,b,c,d,e,f,g,h,i\n{}", "AM-02,,,,,,,,,x\n".repeat(199_000))))
            .says(&["line 1, column 2", "not known"])
            .remedy(&["meta:"]),
        ingest("a transcript of three hundred thousand turns")
            .make(|h| h.write("delivery/talk.txt", "R: yes\nI: no\n".repeat(150_000)))
            .says(&["turns"])
            .remedy(&["right file"]),
        ingest("a transcript of one line of twenty megabytes")
            .make(|h| h.write("delivery/talk.txt", format!("Z: {}", "planted ".repeat(2_400_000))))
            .says(&["line 1 of the file", "speaker"])
            .remedy(&["Add a row"]),
    ];
    group("Large deliveries", cases);
}

#[test]
fn a_sound_delivery_is_taken_in_and_only_once() {
    let house = House::new();
    sound(&house);
    let args: Vec<String> = INGEST.iter().map(|a| (*a).to_owned()).collect();
    let first = crate::harness::run(&house, Some("ben"), &args, &crate::harness::Under::Usual);
    assert_eq!(first.code, Some(0), "{}{}", first.out, first.err);
    let (before, size) = crate::look::content(&house, "ada");
    let second = crate::harness::run(&house, Some("ben"), &args, &crate::harness::Under::Usual);
    assert_eq!(second.code, Some(0), "{}", second.err);
    let (after, later) = crate::look::content(&house, "ada");
    assert_eq!(before, after);
    // What was known already was looked at: that is in the ledger.
    assert_eq!(later, size + 1);
}
