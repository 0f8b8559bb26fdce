//! Deliveries: the folder, the manifest, and what it says against what the vault knows.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::harness::{Case, Effect, case, group};
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
fn with(from: &'static str, to: &'static str) -> impl Fn(&House) + Send + Sync + 'static {
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
fn values() {
    let date = |name: &'static str, to: &'static str| {
        ingest(name).make(with("2023-05-17", to)).says(&["line 2, column date"]).remedy(&["2023-05-17"])
    };
    let path = |name: &'static str, to: &'static str| {
        ingest(name).make(with("talk.txt", to)).says(&["line 2, column transcript"])
    };
    let mut cases = vec![
        date("a date in a local form", "17.05.2023").told(),
        date("a date the American way", "\"05/17/2023\""),
        date("a date as a number", "45063").told().remedy(&["Format the column as a date"]),
        date("a date with a time", "2023-05-17T10:00:00"),
        date("a day that there is not in the calendar", "2023-02-30"),
        date("a month in words", "17 мая 2023"),
        date("digits of another script", "٢٠٢٣-٠٥-١٧"),
        ingest("an interview in the future")
            .told()
            .make(with("2023-05-17", "2090-01-01"))
            .says(&["line 2, column date", "future"])
            .remedy(&["Correct"]),
        ingest("an interview outside any fieldwork period")
            .told()
            .make(with("2023-05-17", "2019-05-17"))
            .says(&["line 2, column date", "fieldwork"])
            .remedy(&["approval add"]),
        ingest("an interview without a date").make(with("2023-05-17", "")).says(&["no date"]).remedy(&["Give it"]),
        ingest("a code that is not one of the study's")
            .told()
            .make(|h| h.write("delivery/manifest.csv", format!("{HEAD}{}", ROWS.replace("AM-02", "XX-02"))))
            .says(&["line 2, column code"])
            .remedy(&["AM"]),
        ingest("a row without a code")
            .make(with("AM-02,,,,I", ",,,,I"))
            .says(&["line 3, column code", "no code"])
            .remedy(&["every row"]),
        ingest("one code for two interviews of the manifest")
            .told()
            .make(with(
                "AM-02,,,,I,interviewer,Olga Vetlitskaya,,,,\n",
                "AM-02,2023-06-18,Yerevan,ru,R,participant,Vera,v2,,other.txt,verbatim\n",
            ))
            .says(&["line 3, column date", "something else than line 2"])
            .remedy(&["Keep the one"]),
        ingest("a code that the vault has for another interview")
            .told()
            .make(|h| h.write("delivery/manifest.csv", format!("{HEAD}{}", ROWS.replace("AM-02", "AM-01"))))
            .says(&["line 2, column date", "the vault knows something else"])
            .remedy(&["right code"])
            .leaves(Effect::Logged("opened")),
        ingest("a consent to a form version that the study does not have")
            .told()
            .make(with(",v2,", ",v7,"))
            .says(&["line 2, column consent_form", "no form"])
            .remedy(&["v1"]),
        ingest("a consent of a speaker who is no participant")
            .told()
            .make(with("interviewer,Olga Vetlitskaya,", "interviewer,Olga Vetlitskaya,v2"))
            .says(&["line 3, column consent_form"])
            .remedy(&["participant"]),
        ingest("a consent without a speaker")
            .told()
            .make(with("AM-02,,,,I,interviewer,Olga Vetlitskaya,,", "AM-02,,,,,,,v2,"))
            .says(&["line 3", "no label"])
            .remedy(&["label"]),
        ingest("a transcript with a speaker whom nobody knows")
            .told()
            .make(|h| h.write("delivery/talk.txt", "I: How?\nZ: Varvara planted it.\n"))
            .says(&["line 2, column transcript, line 2 of the file", "speaker"])
            .remedy(&["Add a row"]),
        ingest("a transcript is missing")
            .told()
            .make(|h| h.remove("delivery/talk.txt"))
            .says(&["line 2, column transcript", "no such file"])
            .remedy(&["Put it there"]),
        ingest("a transcript is empty")
            .told()
            .make(|h| h.write("delivery/talk.txt", ""))
            .says(&["line 2, column transcript", "empty"])
            .remedy(&["Copy it again"]),
        ingest("a transcript without words")
            .make(|h| h.write("delivery/talk.txt", "\n \n\t\n"))
            .says(&["no words"])
            .remedy(&["right file"]),
        ingest("a transcript in an unknown encoding")
            .told()
            .make(|h| h.write("delivery/talk.txt", b"R: \xB4\xD8\x90\x81\xFE\xFF\x01\xC0 planted\n"))
            .says(&["line 2, column transcript", "not text in UTF-8"])
            .remedy(&["UTF-8"]),
        ingest("a transcript that is a recording")
            .told()
            .make(|h| {
                h.write(
                    "delivery/talk.txt",
                    (0..200_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect::<Vec<u8>>(),
                )
            })
            .says(&["line 2, column transcript"])
            .remedy(&["UTF-8"]),
        ingest("a transcript of thirty megabytes")
            .make(|h| h.write("delivery/talk.txt", "R: yes\n".repeat(4_300_000)))
            .says(&["larger than 20 MB"])
            .remedy(&["right file"]),
        ingest("a transcript of a kind that is not taken")
            .told()
            .make(|h| {
                h.replace("delivery/manifest.csv", "talk.txt", "talk.rtf");
                h.write("delivery/talk.rtf", "{\\rtf1}");
            })
            .says(&["line 2, column transcript", "docx, odt"])
            .remedy(&["Save it as"]),
        ingest("subtitles without times")
            .make(|h| {
                h.replace("delivery/manifest.csv", "talk.txt", "talk.vtt");
                h.write("delivery/talk.vtt", "WEBVTT\n\n1\n99:99 --> 00:01\nhello\n");
            })
            .says(&["times"])
            .remedy(&["-->"]),
        path("a path that leads out of the delivery", "../talk.txt").told().remedy(&["delivery's folder"]),
        path("a path that leads out from within", "a/../../talk.txt").remedy(&["delivery's folder"]),
        path("an absolute path", "/etc/passwd").told().remedy(&["delivery's folder"]),
        path("a path in the Windows form", "C:\\Users\\varya\\talk.txt").told().remedy(&["/"]),
        path("a path to another machine", "\\\\host\\share\\talk.txt").remedy(&["/"]),
        path("a path of dots that look like others", "\u{2025}/talk.txt")
            .says(&["no such file"])
            .remedy(&["Put it there"]),
        path("a path with wide dots", "\u{FF0E}\u{FF0E}/talk.txt").says(&["no such file"]).remedy(&["Put it there"]),
        path("a path of two thousand letters", Box::leak("x".repeat(2_000).into_boxed_str()))
            .remedy(&["delivery's folder"]),
        path("a name of five hundred letters", Box::leak("x".repeat(500).into_boxed_str())).remedy(&["shorter"]),
        path("the folder itself", ".").remedy(&["delivery's folder"]),
    ];
    let linked: [(&str, fn(&House)); 4] = [
        ("a link to a file outside", |h| {
            h.write("planted.txt", TALK);
            symlink(h.path("planted.txt"), h.path("delivery/talk.txt")).unwrap();
        }),
        ("a link to a file within", |h| {
            h.write("delivery/other.txt", TALK);
            symlink("other.txt", h.path("delivery/talk.txt")).unwrap();
        }),
        ("a link to itself", |h| symlink("talk.txt", h.path("delivery/talk.txt")).unwrap()),
        ("a link to nothing", |h| symlink("nowhere", h.path("delivery/talk.txt")).unwrap()),
    ];
    for (name, make) in linked {
        let case = path(name, "talk.txt")
            .make(|h| h.remove("delivery/talk.txt"))
            .make(make)
            .says(&["a link"])
            .remedy(&["Copy the file itself"]);
        cases.push(if name.ends_with("outside") { case.told() } else { case });
    }
    cases.push(
        path("a file behind a linked folder", "in/talk.txt")
            .make(|h| symlink(h.path("known"), h.path("delivery/in")).unwrap())
            .says(&["link"])
            .remedy(&["Copy the file itself"]),
    );
    cases.push(
        path("a link whose name is written in another Unicode form", "б\u{439}.txt")
            .make(|h| symlink(h.path("known/talk.txt"), h.path("delivery/б\u{438}\u{306}.txt")).unwrap())
            .says(&["link"])
            .remedy(&["Copy the file itself"]),
    );
    cases.push(
        ingest("the manifest is a link")
            .make(|h| {
                h.remove("delivery/manifest.csv");
                symlink(h.path("known/manifest.csv"), h.path("delivery/manifest.csv")).unwrap();
            })
            .says(&["manifest.csv", "link"])
            .remedy(&["Copy the file itself"]),
    );
    cases.push(
        path("a named pipe in the delivery", "talk.txt")
            .told()
            .make(|h| {
                h.remove("delivery/talk.txt");
                assert!(Command::new("mkfifo").arg(h.path("delivery/talk.txt")).status().unwrap().success());
            })
            .says(&["no file"])
            .remedy(&["Name the file"]),
    );
    cases.push(
        path("a socket in the delivery", "talk.txt")
            .make(|h| {
                h.remove("delivery/talk.txt");
                drop(std::os::unix::net::UnixListener::bind(h.path("delivery/talk.txt")).unwrap());
            })
            .says(&["no file"])
            .remedy(&["Name the file"]),
    );
    if crate::harness::is_root() {
        // Only root can make one; for anybody else the pipe stands for it.
        cases.push(
            path("a device in the delivery", "talk.txt")
                .make(|h| {
                    h.remove("delivery/talk.txt");
                    let made = Command::new("mknod").arg(h.path("delivery/talk.txt")).args(["c", "1", "5"]).status();
                    assert!(made.unwrap().success());
                })
                .says(&["no file"])
                .remedy(&["Name the file"]),
        );
    }
    cases.push(
        path("a folder in the place of a file", "talk.txt")
            .make(|h| {
                h.remove("delivery/talk.txt");
                h.write("delivery/talk.txt/x", "");
            })
            .says(&["folder"])
            .remedy(&["Name the file"]),
    );
    cases.push(
        ingest("the same file for two interviews")
            .told()
            .make(|h| h.write("delivery/manifest.csv", format!("{HEAD}{ROWS}{}", ROWS.replace("AM-02", "AM-03"))))
            .says(&["line 4, column transcript", "another interview"])
            .remedy(&["its own file"]),
    );
    cases.push(
        ingest("a file that the vault has at another interview")
            .told()
            .make(|h| h.put("known/talk.txt", "delivery/talk.txt"))
            .says(&["line 2, column transcript", "vault"])
            .remedy(&["which interview"]),
    );
    cases.push(
        ingest("a code to leave out that is not there")
            .told()
            .run(&["--yes", "ingest", "delivery", "--without", "AM-44"])
            .says(&["not in the delivery"])
            .remedy(&["--without"]),
    );
    cases.push(
        ingest("everything is left out")
            .run(&["--yes", "ingest", "delivery", "--without", "AM-02"])
            .says(&["left out"])
            .remedy(&["fewer"]),
    );
    cases.push(
        ingest("the delivery lies in the vault")
            .told()
            .make(|h| h.put("delivery", "vault/objects/delivery"))
            .run(&["--yes", "ingest", "vault/objects/delivery"])
            .says(&["one inside the other"])
            .remedy(&["of its own"]),
    );
    cases.push(ingest("nobody answers").run(&["ingest", "delivery"]).says(&["not confirmed"]).remedy(&["--yes"]));
    group("What a delivery holds", cases);
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
    let (before, size) = crate::harness::content(&house, "ada");
    let second = crate::harness::run(&house, Some("ben"), &args, &crate::harness::Under::Usual);
    assert_eq!(second.code, Some(0), "{}", second.err);
    let (after, later) = crate::harness::content(&house, "ada");
    assert_eq!(before, after);
    // What was known already was looked at: that is in the ledger.
    assert_eq!(later, size + 1);
}
