//! What a delivery says, value by value, and the files that it names.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::delivery::{HEAD, ROWS, TALK, ingest, with};
use crate::harness::{Effect, group};
use crate::house::House;

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
    type Make = fn(&House);
    let linked: [(&str, Make); 4] = [
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
