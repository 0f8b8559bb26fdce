//! Rows and cells hurt inside the databases, which are opened with the keys that docs/format.md derives.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};
use subrosa::base::secret::Key;

use super::probe::{Base, Expect, Wound};
use super::scene::{CODES, Copy, Scene};

/// A table of the catalogue: its key, its columns in clear, its sealed columns.
struct Table(&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const TABLES: [Table; 9] = [
    Table("meta", &["name"], &["value"], &[]),
    Table("record", &["kind", "id"], &["parent", "seq"], &["body"]),
    Table("participant", &["id"], &["site", "meta_slot", "content_slot"], &["meta", "content"]),
    Table("interview", &["id"], &["site", "slot", "content_slot"], &["body", "content"]),
    Table("voice", &["interview", "participant"], &[], &[]),
    Table("object", &["id"], &["interview", "slot"], &["body"]),
    Table("transcript", &["id"], &["interview", "version", "slot"], &["outline", "turns", "marks"]),
    Table("consent", &["id"], &["participant", "number"], &["body"]),
    Table("tag", &["kind", "tag"], &["target"], &[]),
];

/// Opens a database of a vault in a folder, as any SQLCipher program would, and lets anything be stored in it.
pub fn open(at: &Path, file: &str, key: &Key) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let db = Connection::open_with_flags(at.join("vault").join(file), flags).unwrap();
    let hex = data_encoding::HEXLOWER.encode(key.expose());
    db.execute_batch(&format!(
        "PRAGMA key = \"x'{hex}'\"; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;"
    ))
    .unwrap();
    db
}

/// What is known of the rows: which interviews they are about.
struct Owners(BTreeMap<Vec<u8>, BTreeSet<String>>);

impl Owners {
    fn of(scene: &Scene) -> Self {
        let copy = Copy::of(&scene.whole);
        let vault = scene.unlock(&copy.path(), &scene.ben, scene.now).unwrap();
        let view = vault.view().unwrap();
        let mut owners = BTreeMap::new();
        let mut add = |id: &[u8], code: &str| {
            owners.entry(id.to_vec()).or_insert_with(BTreeSet::new).insert(code.to_owned());
        };
        for code in CODES {
            let interview = view.find_interview(code).unwrap();
            add(interview.row.id.as_bytes(), code);
            for row in view.objects(interview.row.id).unwrap() {
                add(row.id.as_bytes(), code);
            }
            for row in view.transcripts(interview.row.id).unwrap() {
                add(row.id.as_bytes(), code);
            }
            for id in view.voices(interview.row.id).unwrap() {
                add(id.as_bytes(), code);
                for row in view.consents(id).unwrap() {
                    add(row.id.as_bytes(), code);
                }
            }
        }
        Self(owners)
    }

    fn of_row(&self, row: &[Value]) -> BTreeSet<String> {
        let ids = row.iter().filter_map(|value| match value {
            Value::Blob(id) if id.len() == 16 => self.0.get(id),
            _ => None,
        });
        ids.flatten().cloned().collect()
    }
}

/// Every row of the catalogue, hurt in every way.
pub fn catalogue(scene: &Scene, out: &mut Vec<Wound>) {
    let owners = Owners::of(scene);
    let copy = Copy::of(&scene.whole);
    let db = open(&copy.path(), "catalogue.db", &scene.key_of("catalogue"));
    for Table(table, key, clear, sealed) in TABLES {
        let columns: Vec<&str> = [key, clear, sealed].concat();
        let rows = rows(&db, table, &columns);
        for (n, row) in rows.iter().enumerate() {
            let next = &rows[(n + 1) % rows.len()];
            let expect = expected(table, row, &owners);
            let mut also = expect.clone();
            also.codes.extend(owners.of_row(next));
            let name = |what: &str| format!("{table} row {n} {}: {what}", word(&row[0]));
            let find: Vec<String> = key.iter().map(|k| format!("{k} = ?")).collect();
            let find = find.join(" AND ");
            let mut push = |what: &str, sql: String, values: Vec<Value>, expect: &Expect| {
                let key = scene.key_of("catalogue");
                out.push(Wound {
                    name: name(what),
                    base: Base::Whole,
                    expect: expect.clone(),
                    hurt: Box::new(move |at| {
                        let db = open(at, "catalogue.db", &key);
                        // Two rows cannot have one number: such a wound the database itself refuses.
                        match db.execute(&sql, params_from_iter(values.iter())) {
                            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => false,
                            done => done.unwrap() == 1,
                        }
                    }),
                });
            };
            let keys = || row[..key.len()].to_vec();
            let gone = Expect { ties: true, ..expect.clone() };
            push("deleted", format!("DELETE FROM {table} WHERE {find}"), keys(), &gone);
            for (at, column) in columns.iter().enumerate() {
                let update = format!("UPDATE {table} SET {column} = ? WHERE {find}");
                let with = |value: Value| std::iter::once(value).chain(keys()).collect::<Vec<_>>();
                let is_sealed = at >= key.len() + clear.len();
                let ties = |expect: &Expect| Expect { ties: !is_sealed, ..expect.clone() };
                for (what, value) in changed(&row[at], is_sealed) {
                    push(&format!("{column} {what}"), update.clone(), with(value), &ties(&expect));
                }
                if at >= key.len() && next[at] != row[at] && rows.len() > 1 {
                    push(&format!("{column} of the next row"), update.clone(), with(next[at].clone()), &ties(&also));
                }
            }
            if table != "meta" && table != "voice" {
                // The same once more under another id.
                let mut copy = row.clone();
                if let Some(Value::Blob(id)) = copy[..key.len()].last_mut() {
                    id[0] ^= 0x40;
                }
                if let Some(at) = columns.iter().position(|name| ["version", "number"].contains(name)) {
                    copy[at] = Value::Integer(9);
                }
                let marks = vec!["?"; columns.len()].join(", ");
                push("twice", format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(", ")), copy, &expect);
            }
        }
    }
}

/// A value in wrong ways: a bit here and there, cut, one more.
fn changed(value: &Value, sealed: bool) -> Vec<(String, Value)> {
    let mut out = Vec::new();
    let flips = |length: usize| match (length, sealed) {
        (0, _) => vec![],
        // Version, nonce, first byte, one in the middle, the tag.
        (_, true) if length > 41 => vec![0, 1, 25, length / 2, length - 1],
        (_, _) => vec![length / 2],
    };
    match value {
        Value::Blob(bytes) => {
            for at in flips(bytes.len()) {
                let mut bad = bytes.clone();
                bad[at] ^= 1;
                out.push((format!("byte {at}"), Value::Blob(bad)));
            }
            if sealed {
                out.push(("cut".into(), Value::Blob(bytes[..bytes.len() - 1].to_vec())));
            }
        }
        Value::Integer(number) => {
            out.push(("one more".into(), Value::Integer(number + 1)));
            out.push(("huge".into(), Value::Integer(i64::MAX)));
            out.push(("negative".into(), Value::Integer(-1)));
        }
        Value::Text(text) => {
            if sealed {
                out.push(("cut".into(), Value::Text(text.chars().take(text.len() / 2).collect())));
                out.push(("with a space".into(), Value::Text(format!("{text} "))));
            } else {
                out.push(("another".into(), Value::Text(format!("{text}s"))));
            }
        }
        _ => {}
    }
    out
}

fn rows(db: &Connection, table: &str, columns: &[&str]) -> Vec<Vec<Value>> {
    let mut query = db.prepare(&format!("SELECT {} FROM {table}", columns.join(", "))).unwrap();
    let rows = query.query_map([], |row| (0..columns.len()).map(|at| row.get(at)).collect()).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

fn expected(table: &str, row: &[Value], owners: &Owners) -> Expect {
    let codes = owners.of_row(row);
    let mut expect = Expect { codes: codes.clone(), ..Expect::default() };
    let names: &[&str] = match table {
        "meta" => &["catalogue", "key file", "keyring", "the vault", "an approval"],
        "record" => &[
            "person", "people", "study", "site", "approval", "project", "request", "decision", "release", "policies",
            "record",
        ],
        "participant" => &["a participant", "the participants"],
        "interview" | "voice" => &["an interview", "the interviews"],
        "tag" => &["the blind index"],
        _ => &["catalogue.db"],
    };
    expect.names = names.iter().map(|name| (*name).to_owned()).chain(codes).collect();
    expect.refuses = matches!(table, "record" | "tag");
    expect.all = matches!(table, "meta" | "record");
    expect
}

/// The entries, tiles, checkpoints and small values of the ledger, hurt in every way.
pub fn ledger(scene: &Scene, out: &mut Vec<Wound>) {
    let copy = Copy::of(&scene.whole);
    let db = open(&copy.path(), "ledger.db", &scene.key_of("ledger"));
    let size: i64 = db.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap();
    let mut push = |name: String, sql: String| {
        let key = scene.key_of("ledger");
        let expect = Expect {
            all: true,
            names: ["ledger", "keyring", "entry"].map(str::to_owned).to_vec(),
            ..Expect::default()
        };
        out.push(Wound {
            name: format!("ledger {name}"),
            base: Base::Whole,
            expect,
            hurt: Box::new(move |at| {
                let db = open(at, "ledger.db", &key);
                db.execute(&sql, []).unwrap() > 0
            }),
        });
    };
    for seq in 0..size {
        push(format!("entry {seq} deleted"), format!("DELETE FROM entry WHERE seq = {seq}"));
        push(
            format!("entry {seq} moved to the end"),
            format!("UPDATE entry SET seq = {} WHERE seq = {seq}", size + i64::from(seq + 1 < size)),
        );
        let leaf: Vec<u8> =
            db.query_row(&format!("SELECT leaf FROM entry WHERE seq = {seq}"), [], |row| row.get(0)).unwrap();
        for at in [0, leaf.len() / 4, leaf.len() / 2, leaf.len() - 20, leaf.len() - 1] {
            push(format!("entry {seq} byte {at}"), flip("entry", "leaf", &format!("seq = {seq}"), &leaf, at));
        }
        if seq > 0 {
            push(
                format!("entry {seq} is the one before"),
                format!("UPDATE entry SET leaf = (SELECT leaf FROM entry WHERE seq = {}) WHERE seq = {seq}", seq - 1),
            );
        }
    }
    for row in rows(&db, "tile", &["level", "idx", "data"]) {
        let [Value::Integer(level), Value::Integer(idx), Value::Blob(data)] = &row[..] else { panic!() };
        let place = format!("level = {level} AND idx = {idx}");
        push(format!("tile {level}/{idx} deleted"), format!("DELETE FROM tile WHERE {place}"));
        push(format!("tile {level}/{idx} cut"), format!("UPDATE tile SET data = substr(data, 1, 32) WHERE {place}"));
        push(format!("tile {level}/{idx} moved"), format!("UPDATE tile SET idx = idx + 1 WHERE {place}"));
        for at in [0, data.len() / 2, data.len() - 1] {
            push(format!("tile {level}/{idx} byte {at}"), flip("tile", "data", &place, data, at));
        }
    }
    for row in rows(&db, "checkpoint", &["size", "note"]).into_iter().rev().take(1) {
        let [Value::Integer(at), Value::Text(note)] = &row[..] else { panic!() };
        let place = format!("size = {at}");
        for line in 0..note.lines().count() {
            let mut lines: Vec<String> = note.lines().map(str::to_owned).collect();
            if lines[line].is_empty() {
                continue;
            }
            let last = lines[line].pop().unwrap();
            lines[line].push(if last == 'A' { 'B' } else { 'A' });
            let text = lines.join("\n") + "\n";
            push(format!("checkpoint line {line}"), format!("UPDATE checkpoint SET note = '{text}' WHERE {place}"));
        }
        push("checkpoint of another size".into(), format!("UPDATE checkpoint SET size = size + 3 WHERE {place}"));
        push("checkpoint cut".into(), format!("UPDATE checkpoint SET note = substr(note, 1, 40) WHERE {place}"));
    }
    push("keyring deleted".into(), "DELETE FROM meta WHERE name = 'keyring'".into());
    push("keyring another".into(), "UPDATE meta SET value = zeroblob(32) WHERE name = 'keyring'".into());
    push("keyring cut".into(), "UPDATE meta SET value = zeroblob(3) WHERE name = 'keyring'".into());
}

fn flip(table: &str, column: &str, place: &str, bytes: &[u8], at: usize) -> String {
    let mut bad = bytes.to_vec();
    bad[at] ^= 1;
    let mut sql = format!("UPDATE {table} SET {column} = x'");
    bad.iter().for_each(|byte| write!(sql, "{byte:02x}").unwrap());
    sql.push_str(&format!("' WHERE {place}"));
    sql
}

/// The first column of a row, as words.
fn word(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        _ => String::new(),
    }
}
