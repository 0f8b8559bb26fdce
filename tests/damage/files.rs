//! Whole files hurt: a byte, a cut, a swap, gone.

use std::fs;
use std::path::{Path, PathBuf};

use subrosa::base::id::SlotId;
use subrosa::base::secret::Key;
use subrosa::store::keyfile::Class;

use super::probe::{Base, Expect, Wound};
use super::scene::{CODES, Copy, Scene};

/// What is done to one file.
enum Blow {
    Flip(usize),
    Cut(usize),
    Longer,
    Gone,
    /// The bytes of another file take its place.
    Is(PathBuf),
    /// It and another change places.
    Swap(&'static str),
}

impl Blow {
    fn strike(&self, file: &Path, at: &Path) {
        let bytes = fs::read(file).unwrap();
        match self {
            Self::Flip(place) => {
                let mut bad = bytes;
                bad[*place] ^= 1;
                fs::write(file, bad).unwrap();
            }
            Self::Cut(length) => fs::write(file, &bytes[..*length]).unwrap(),
            Self::Longer => fs::write(file, [&bytes[..], b"\n"].concat()).unwrap(),
            Self::Gone => fs::remove_file(file).unwrap(),
            Self::Is(other) => {
                fs::copy(other, file).unwrap();
            }
            Self::Swap(other) => {
                let other = at.join(other);
                let theirs = fs::read(&other).unwrap();
                fs::write(file, theirs).unwrap();
                fs::write(other, bytes).unwrap();
            }
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Flip(at) => format!("byte {at} flipped"),
            Self::Cut(length) => format!("cut to {length}"),
            Self::Longer => "longer".into(),
            Self::Gone => "gone".into(),
            Self::Is(other) => format!("is {}", other.display()),
            Self::Swap(other) => format!("changed places with {other}"),
        }
    }
}

fn wound(out: &mut Vec<Wound>, base: Base, file: &str, blow: Blow, expect: Expect) {
    let file = file.to_owned();
    out.push(Wound {
        name: format!("{file} {}", blow.name()),
        base,
        expect,
        hurt: Box::new(move |at| {
            blow.strike(&at.join(&file), at);
            true
        }),
    });
}

fn stops(names: &[&str]) -> Expect {
    Expect { stops: true, names: names.iter().map(|name| (*name).to_owned()).collect(), ..Expect::default() }
}

/// Where each value of a JSON text begins, has its middle and ends: every field is hit.
pub fn places(text: &[u8]) -> Vec<usize> {
    let mut out = vec![0, text.len() - 1];
    let mut begin = 0;
    for (at, byte) in text.iter().enumerate() {
        if matches!(byte, b',' | b'}' | b'{' | b':') {
            out.extend([begin + (at - begin) / 2, at]);
            begin = at + 1;
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// The small files at the top of the vault, and what a person last saw.
pub fn top(scene: &Scene, out: &mut Vec<Wound>) {
    for (file, names, stop) in [
        ("vault/vault.json", &["vault.json", "the keyring", "the key file", "the vault"][..], true),
        ("vault/keyring.json", &["keyring"], true),
        ("vault/vault.card", &["vault.card"], false),
    ] {
        let bytes = fs::read(scene.whole.join(file)).unwrap();
        let expect = || match stop {
            true => stops(names),
            // Building an extract needs the card; nothing else does.
            false => Expect { all: true, names: vec![names[0].into()], ..Expect::default() },
        };
        let wraps = bytes.windows(8).position(|w| w == b"\"wraps\":").unwrap_or(bytes.len());
        for at in places(&bytes) {
            // Somebody else's sealed keys: whoever reads the catalogue sees that they are hurt, and goes on.
            let theirs = Expect { stops: false, all: true, ..expect() };
            wound(out, Base::Whole, file, Blow::Flip(at), if at > wraps { theirs } else { expect() });
        }
        for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            wound(out, Base::Whole, file, Blow::Cut(length), expect());
        }
        wound(out, Base::Whole, file, Blow::Longer, expect());
        wound(out, Base::Whole, file, Blow::Gone, expect());
        wound(out, Base::Whole, file, Blow::Is(scene.other.join(file)), expect());
        wound(out, Base::Whole, file, Blow::Is(scene.whole.join("vault.keys/keyfile")), expect());
    }
    wound(out, Base::Whole, "vault/vault.card", Blow::Swap("vault/keyring.json"), stops(&["keyring"]));
    let seen = fs::read_dir(scene.whole.join("Ben.state")).unwrap().next().unwrap().unwrap().file_name();
    let seen = format!("Ben.state/{}", seen.to_str().unwrap());
    let bytes = fs::read(scene.whole.join(&seen)).unwrap();
    // What a person saw last is theirs: some of it only ever moves forward, so that less of it shows nowhere.
    let expect = || Expect { all: true, may_be_quiet: true, ..Expect::default() };
    for at in places(&bytes) {
        wound(out, Base::Whole, &seen, Blow::Flip(at), expect());
    }
    for length in [0, bytes.len() / 2] {
        wound(out, Base::Whole, &seen, Blow::Cut(length), Expect { all: true, ..Expect::default() });
    }
    wound(out, Base::Whole, &seen, Blow::Gone, Expect { may_be_quiet: true, ..Expect::default() });
    wound(out, Base::Whole, &seen, Blow::Is(scene.old.join(&seen)), Expect { may_be_quiet: true, ..Expect::default() });
    wound(out, Base::Whole, "vault/lock", Blow::Gone, Expect { may_be_quiet: true, ..Expect::default() });
    wound(out, Base::Whole, "vault/lock", Blow::Longer, Expect { may_be_quiet: true, ..Expect::default() });
    for (name, hurt) in [
        ("tmp gone", (|at: &Path| fs::remove_dir_all(at.join("vault/tmp")).unwrap()) as fn(&Path)),
        ("a file in tmp", |at: &Path| fs::write(at.join("vault/tmp/stranger"), b"?").unwrap()),
        ("a folder in tmp", |at: &Path| fs::create_dir_all(at.join("vault/tmp/a/b")).unwrap()),
        ("a file beside the objects", |at: &Path| fs::write(at.join("vault/objects/stranger"), b"?").unwrap()),
        ("a folder among the objects", |at: &Path| fs::create_dir_all(at.join("vault/objects/zz/y")).unwrap()),
    ] {
        let expect = Expect { may_be_quiet: true, ..Expect::default() };
        let hurt = move |at: &Path| {
            hurt(at);
            true
        };
        out.push(Wound { name: name.into(), base: Base::Whole, expect, hurt: Box::new(hurt) });
    }
}

/// The database files, page by page, and their write-ahead logs.
pub fn databases(scene: &Scene, out: &mut Vec<Wound>) {
    const PAGE: usize = 4096;
    for (file, other) in [("vault/catalogue.db", "vault/ledger.db"), ("vault/ledger.db", "vault/catalogue.db")] {
        let name = file.trim_start_matches("vault/");
        let size = fs::metadata(scene.whole.join(file)).unwrap().len() as usize;
        let any = || Expect { all: true, names: vec![name.into(), "the ledger".into()], ..Expect::default() };
        for page in 0..size / PAGE {
            for at in [0, PAGE / 2, PAGE - 1] {
                wound(out, Base::Whole, file, Blow::Flip(page * PAGE + at), any());
            }
            // A page of the same file in the wrong place.
            let file = file.to_owned();
            out.push(Wound {
                name: format!("{file} page {page} is the one after"),
                base: Base::Whole,
                expect: any(),
                hurt: Box::new(move |at| {
                    let mut bytes = fs::read(at.join(&file)).unwrap();
                    let from = (page + 1) % (bytes.len() / PAGE) * PAGE;
                    bytes.copy_within(from..from + PAGE, page * PAGE);
                    fs::write(at.join(&file), bytes).unwrap();
                    true
                }),
            });
        }
        for length in [0, 1, PAGE - 1, PAGE, size / 2 / PAGE * PAGE, size / 2 + 1, size - PAGE, size - 1] {
            wound(out, Base::Whole, file, Blow::Cut(length), any());
        }
        wound(out, Base::Whole, file, Blow::Gone, stops(&[name]));
        wound(out, Base::Whole, file, Blow::Is(scene.other.join(file)), stops(&[name]));
        wound(out, Base::Whole, file, Blow::Is(scene.old.join(file)), stops(&[name, "the ledger"]));
        wound(out, Base::Whole, file, Blow::Is(scene.whole.join(other)), stops(&[name]));

        let wal = format!("{file}-wal");
        let size = fs::metadata(scene.open.join(&wal)).unwrap().len() as usize;
        const FRAME: usize = PAGE + 24;
        assert!(size > 32 + FRAME, "{wal} holds {size} bytes");
        let frames = (size - 32) / FRAME;
        // A cut in the log undoes whatever came after it, as if it had never been. What was only tidied up may be undone, and is done again.
        let any = || Expect { may_be_quiet: true, ..any() };
        for at in [0, 8, 20, 32, 40, 32 + 24, 32 + 24 + PAGE / 2, 32 + (frames - 1) * FRAME + 30, size - 1] {
            wound(out, Base::Open, &wal, Blow::Flip(at), any());
        }
        for length in [0, 16, 32 + FRAME, 32 + FRAME * (frames / 2), size - FRAME, size - 1] {
            wound(out, Base::Open, &wal, Blow::Cut(length), any());
        }
        wound(out, Base::Open, &wal, Blow::Gone, any());
    }
    // Both databases older than what the person saw.
    let old = scene.old.clone();
    out.push(Wound {
        name: "both databases are older".into(),
        base: Base::Whole,
        expect: stops(&["the ledger"]),
        hurt: Box::new(move |at| {
            for file in ["vault/catalogue.db", "vault/ledger.db"] {
                fs::copy(old.join(file), at.join(file)).unwrap();
            }
            true
        }),
    });
}

/// Every object, and an extract's worth of places in each.
pub fn objects(scene: &Scene, out: &mut Vec<Wound>) {
    let copy = Copy::of(&scene.whole);
    let vault = scene.unlock(&copy.path(), &scene.ben, scene.now).unwrap();
    let view = vault.view().unwrap();
    let mut all = Vec::new();
    for code in CODES {
        let id = view.find_interview(code).unwrap().row.id;
        for row in view.objects(id).unwrap() {
            let path = vault.layout().object(row.id);
            all.push((
                code,
                path.strip_prefix(copy.path().canonicalize().unwrap()).unwrap().to_str().unwrap().to_owned(),
            ));
        }
    }
    assert!(all.len() >= 5, "too few objects: {}", all.len());
    let strangers: Vec<String> = super::object_files(&scene.other);
    for (n, (code, file)) in all.iter().enumerate() {
        let expect = || Expect { codes: [(*code).to_owned()].into(), names: vec![(*code).into()], ..Expect::default() };
        let size = fs::metadata(scene.whole.join(file)).unwrap().len() as usize;
        // Version line, stanza, body of the stanza, header mac, nonce, first and later chunks, the last tag.
        for at in [0, 25, 60, 110, 160, 190, 210, size / 2, size - 17, size - 1] {
            wound(out, Base::Whole, file, Blow::Flip(at), expect());
        }
        for length in [0, 1, 190, size / 2, size - 1] {
            wound(out, Base::Whole, file, Blow::Cut(length), expect());
        }
        wound(out, Base::Whole, file, Blow::Longer, expect());
        wound(out, Base::Whole, file, Blow::Gone, expect());
        let (theirs, other) = &all[(n + 1) % all.len()];
        let mut both = expect();
        both.codes.insert((*theirs).to_owned());
        let other: &'static str = Box::leak(other.clone().into_boxed_str());
        wound(out, Base::Whole, file, Blow::Swap(other), both);
        wound(out, Base::Whole, file, Blow::Is(scene.whole.join(other)), expect());
        wound(out, Base::Whole, file, Blow::Is(scene.other.join(&strangers[0])), expect());
        wound(out, Base::Whole, file, Blow::Is(scene.whole.join("vault/vault.card")), expect());
    }
}

/// The key file as a whole, and its records one by one under a right tag.
pub fn keys(scene: &Scene, out: &mut Vec<Wound>) {
    let file = "vault.keys/keyfile";
    let bytes = fs::read(scene.whole.join(file)).unwrap();
    let head = 12 + u32::from_be_bytes(bytes[8..12].try_into().unwrap()) as usize;
    let mut at: Vec<usize> = vec![
        0,
        7,
        8,
        11,
        head,
        head + 16,
        (head + bytes.len()) / 2,
        bytes.len() - 33,
        bytes.len() - 32,
        bytes.len() - 1,
    ];
    at.extend(places(&bytes[12..head]).into_iter().map(|place| 12 + place));
    for at in at {
        wound(out, Base::Whole, file, Blow::Flip(at), stops(&["key file"]));
    }
    for length in [0, 8, 12, head, head + 64, bytes.len() - 64, bytes.len() - 1] {
        wound(out, Base::Whole, file, Blow::Cut(length), stops(&["key file"]));
    }
    wound(out, Base::Whole, file, Blow::Longer, stops(&["key file"]));
    wound(out, Base::Whole, file, Blow::Gone, stops(&["key file"]));
    wound(out, Base::Whole, file, Blow::Is(scene.other.join(file)), stops(&["key file"]));
    wound(out, Base::Whole, file, Blow::Is(scene.whole.join("vault/keyring.json")), stops(&["key file"]));

    let copy = Copy::of(&scene.whole);
    let vault = scene.unlock(&copy.path(), &scene.ben, scene.now).unwrap();
    let view = vault.view().unwrap();
    let mut slots: Vec<(SlotId, Class, &str)> = Vec::new();
    for code in CODES {
        let row = view.find_interview(code).unwrap().row;
        let content = Class::Content(row.site);
        slots.push((row.slot, Class::Meta, code));
        slots.push((row.content_slot, content, code));
        slots.extend(view.objects(row.id).unwrap().iter().map(|row| (row.slot, content, code)));
        slots.extend(view.transcripts(row.id).unwrap().iter().map(|row| (row.slot, content, code)));
        for id in view.voices(row.id).unwrap() {
            let row = view.participant(id).unwrap().unwrap();
            slots.extend([(row.meta_slot, Class::Meta, code), (row.content_slot, content, code)]);
        }
    }
    for (n, (slot, class, code)) in slots.iter().enumerate() {
        let expect = Expect {
            codes: [(*code).to_owned()].into(),
            names: vec![(*code).to_owned(), "an interview of site".into(), "a participant".into()],
            ..Expect::default()
        };
        let (theirs, _, whose) = slots[(n + 1) % slots.len()];
        let mut both = expect.clone();
        both.codes.insert(whose.to_owned());
        let what = |what: &str| format!("key {n} of {code} ({class:?}) {what}");
        for (name, expect, change) in [
            (what("changed"), &expect, Change::Flip),
            (what("gone"), &expect, Change::Lose),
            (what("is that of the next"), &both, Change::Is(theirs)),
        ] {
            let (slot, mac) = (*slot, scene.key_of("mac"));
            out.push(Wound {
                name,
                base: Base::Whole,
                expect: expect.clone(),
                hurt: Box::new(move |at| {
                    rewrite(&at.join(file), slot, change, &mac);
                    true
                }),
            });
        }
    }
}

#[derive(Clone, Copy)]
enum Change {
    Flip,
    Lose,
    Is(SlotId),
}

/// Changes one record and makes the tag right again (docs/format.md, section 4).
fn rewrite(file: &Path, slot: SlotId, change: Change, mac: &Key) {
    let bytes = fs::read(file).unwrap();
    let head = 12 + u32::from_be_bytes(bytes[8..12].try_into().unwrap()) as usize;
    let mut records: Vec<Vec<u8>> = bytes[head..bytes.len() - 32].chunks(64).map(<[u8]>::to_vec).collect();
    let find = |records: &[Vec<u8>], slot: SlotId| records.iter().position(|r| r[..16] == slot.as_bytes()[..]).unwrap();
    let at = find(&records, slot);
    match change {
        Change::Flip => records[at][40] ^= 1,
        // Another random id takes its place: as many records as before.
        Change::Lose => records[at][3] ^= 0x55,
        Change::Is(other) => {
            let theirs = records[find(&records, other)][16..].to_vec();
            records[at][16..].copy_from_slice(&theirs);
        }
    }
    records.sort();
    let mut out = bytes[..head].to_vec();
    out.extend(records.concat());
    let tag = blake3::keyed_hash(mac.expose(), &out);
    out.extend(tag.as_bytes());
    fs::write(file, out).unwrap();
}
