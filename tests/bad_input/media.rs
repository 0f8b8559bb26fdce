//! Recordings: missing, empty, cut off, or nothing of the kind.

use crate::delivery::{HEAD, ROWS, ingest};
use crate::harness::{Case, group};
use crate::house::House;

macro_rules! samples {
    ($($name:literal => $path:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../", $path)).as_slice())),*]
    };
}

/// Sound recordings of every kind that tells where it ends.
const WHOLE: &[(&str, &[u8])] = samples! {
    "wav" => "tests/fixtures/formats/a.wav",
    "mp3" => "tests/fixtures/formats/a.mp3",
    "m4a" => "tests/fixtures/formats/a.m4a",
    "mp4" => "tests/fixtures/formats/a.mp4",
    "mov" => "tests/fixtures/formats/b.mov",
    "ogg" => "tests/fixtures/formats/a.ogg",
    "oga" => "tests/fixtures/formats/b_flac.ogg",
    "opus" => "tests/fixtures/formats/b.opus",
    "mkv" => "tests/fixtures/formats/b.mkv",
    "webm" => "tests/fixtures/formats/b.webm",
    "flac" => "src/sample/delivery/recordings/GE-03.flac",
};

fn recording(name: &str, file: &str, bytes: Vec<u8>) -> Case {
    let (name, file) = (&*Box::leak(name.to_owned().into_boxed_str()), file.to_owned());
    ingest(name).make(move |h: &House| {
        h.write("delivery/manifest.csv", format!("{HEAD}{}", ROWS.replacen(",v2,,", &format!(",v2,{file},"), 1)));
        h.write(&format!("delivery/{file}"), &bytes);
    })
}

#[test]
fn recordings() {
    let place = "line 2, column recording";
    let mut cases = vec![
        recording("a recording is missing", "tape.wav", vec![1])
            .told()
            .make(|h| h.remove("delivery/tape.wav"))
            .says(&[place, "no such file"])
            .remedy(&["Put it there"]),
        recording("a recording is empty", "tape.wav", vec![]).told().says(&[place, "empty"]).remedy(&["Copy it again"]),
        recording("a recording that is none", "tape.mp3", b"This is a letter and no recording.".to_vec())
            .told()
            .says(&[place, "not a recording"])
            .remedy(&["right file"]),
        recording("a recording of zero bytes only", "tape.wav", vec![0; 500_000])
            .says(&[place, "not a recording"])
            .remedy(&["right file"]),
        recording("a picture called a recording", "tape.mp4", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10".repeat(40))
            .says(&[place, "not a recording"])
            .remedy(&["right file"]),
        recording(
            "a film whose index was never written",
            "tape.mp4",
            [&b"\0\0\0\x14ftypisom\0\0\0\0isom\0\x01\0\0mdat"[..], &[7; 65_528]].concat(),
        )
        .told()
        .says(&[place, "never finished"])
        .remedy(&["recorder"]),
        recording(
            "a tag that announces a gigabyte",
            "tape.mp3",
            [&b"ID3\x04\0\0\x7f\x7f\x7f\x7f"[..], &[0; 4_000]].concat(),
        )
        .says(&[place, "cut off"])
        .remedy(&["Copy it again"]),
        recording(
            "an Ogg page that announces more than there is",
            "tape.ogg",
            [&b"OggS\0\x02"[..], &[0xFF; 400]].concat(),
        )
        .says(&[place])
        .remedy(&["Copy it again"]),
        recording(
            "a film of a million empty boxes",
            "tape.mp4",
            [&b"\0\0\0\x10ftypisom\0\0\0\0"[..], &b"\0\0\0\x08free".repeat(1_000_000)].concat(),
        )
        .says(&[place, "cut off"])
        .remedy(&["Copy it again"]),
    ];
    for (kind, bytes) in WHOLE {
        let length = bytes.len();
        // Within the header, early, in the middle, late, and one byte before the end.
        // An MP3 that lacks less than a frame is not told from a whole one.
        let last = if *kind == "mp3" { length - 500 } else { length - 1 };
        for at in [20, length / 10, length / 2, length * 9 / 10, last] {
            let case = recording(
                &format!("a {kind} recording cut off after {at} of {length} bytes"),
                &format!("tape.{kind}"),
                bytes[..at].to_vec(),
            );
            cases.push(case.says(&[place]).remedy(&["Copy it again"]));
        }
    }
    group("Recordings", cases);
}
