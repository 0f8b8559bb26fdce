//! Runs one thing once and prints how long it took and how much memory the process had at most.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use subrosa::base::progress::Silent;
use subrosa::domain::interview::Object;
use subrosa::ledger::verify::{Options, Signatures, verify_chain};
use subrosa::ops::ingest;
use subrosa::ops::interview::{self, Filter};
use subrosa::store::objects;
use subrosa_benches::chain::Chain;
use subrosa_benches::house::{House, Who};
use subrosa_benches::{material, timed};

const HELP: &str =
    "weigh found DIR INTERVIEWS CHARACTERS   a vault in DIR, and a delivery in DIR/delivery, not taken in
weigh record DIR MIB                    the same with one recording of that size
weigh ingest DIR                        takes the delivery in
weigh list DIR | show DIR CODE          reads (and leaves an entry, as it must)
weigh read DIR CODE FILE                opens the recordings of an interview into a file
weigh review DIR INTERVIEWS             searches and reviews the transcripts, asks for everything, agrees
weigh build DIR REQUEST                 builds the extract
weigh chain FILE ENTRIES                writes a ledger, an entry a line
weigh verify FILE none|all              verifies its structure, or its signatures too";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["found", dir, interviews, characters] => {
            House::found(&folder(dir));
            material::deliver(&Path::new(dir).join("delivery"), number(interviews), number(characters));
        }
        ["record", dir, mib] => {
            House::found(&folder(dir));
            material::deliver_recording(&Path::new(dir).join("delivery"), number(mib) as u64 * (1 << 20));
        }
        ["ingest", dir] => ingest(&House::at(Path::new(dir))),
        ["list", dir] => {
            let house = House::at(Path::new(dir));
            let identity = house.identity(Who::Ben);
            let (unlocking, mut vault) = timed(|| house.unlock_with(Who::Ben, identity));
            let (listing, rows) = timed(|| interview::list(&mut vault, &Filter::default()).expect("a list"));
            say("unlock", unlocking);
            say(&format!("list of {}", rows.len()), listing);
        }
        ["show", dir, code] => {
            let house = House::at(Path::new(dir));
            let identity = house.identity(Who::Ben);
            let (unlocking, mut vault) = timed(|| house.unlock_with(Who::Ben, identity));
            let (showing, _) = timed(|| interview::show(&mut vault, code, false).expect("an interview"));
            say("unlock", unlocking);
            say("show", showing);
        }
        ["read", dir, code, out] => read(&House::at(Path::new(dir)), code, Path::new(out)),
        ["review", dir, interviews] => {
            let house = House::at(Path::new(dir));
            say("suggest and review", timed(|| house.review(number(interviews))).0);
            let (asking, request) = timed(|| house.agree());
            say(&format!("request and decision {request}"), asking);
        }
        ["build", dir, request] => {
            let house = House::at(Path::new(dir));
            let mut vault = house.unlock(Who::Ben);
            let request = u32::try_from(number(request)).expect("a number of a request");
            let (building, built) = timed(|| house.build(&mut vault, request, "extract.age"));
            let what = format!("extract of {}, {} bytes, again: {}", built.interviews, built.bytes, built.again);
            say(&what, building);
        }
        ["chain", file, entries] => {
            let mut out = BufWriter::new(File::create(file).expect("a file"));
            for leaf in Chain::new().take(number(entries)) {
                out.write_all(&leaf).and_then(|()| out.write_all(b"\n")).expect("room on the disk");
            }
            out.flush().expect("room on the disk");
        }
        ["verify", file, which] => {
            let lines = BufReader::with_capacity(1 << 20, File::open(file).expect("a ledger")).split(b'\n');
            let leaves = lines.map(|line| Ok(line.expect("a line")));
            let signatures = if which == "all" { Signatures::All } else { Signatures::None };
            let options = Options { signatures, ..Options::default() };
            let (took, report) = timed(|| verify_chain(leaves, &options).expect("a ledger"));
            report.require_sound().expect("a sound ledger");
            say(&format!("{} entries, {} signatures", report.entries, report.signatures), took);
        }
        _ => {
            println!("{HELP}");
            return;
        }
    }
    println!("peak memory: {} MiB", peak() / 1024);
}

fn ingest(house: &House) {
    let mut vault = house.unlock(Who::Ben);
    let delivery = house.path("delivery");
    let (checking, checked) = timed(|| ingest::check(&mut vault, &delivery, &[], &Silent).expect("a delivery"));
    let (taking, taken) = timed(|| ingest::take(&mut vault, &checked, &Silent).expect("taken in"));
    say("check", checking);
    say(&format!("take, {} interviews and {} bytes", taken.interviews, taken.bytes), taking);
}

fn read(house: &House, code: &str, out: &Path) {
    let vault = house.unlock(Who::Ben);
    let view = vault.view().expect("a view");
    let found = view.find_interview(code).expect("an interview");
    for row in view.objects(found.row.id).expect("objects") {
        let object: Object = row.body.open(&found.key).expect("an object");
        let key = view.object_key(&row, found.row.site).expect("a key");
        let (took, ()) = timed(|| {
            let file = File::create(out).expect("a file");
            objects::read(vault.layout(), row.id, &key, object.length, &file, &Silent).expect("a recording");
            file.sync_all().expect("a sync");
        });
        say(&format!("{} bytes", object.length), took);
    }
}

fn folder(dir: &str) -> std::path::PathBuf {
    fs::create_dir_all(dir).expect("a folder");
    dir.into()
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn say(what: &str, seconds: f64) {
    println!("{what}: {:.1} ms", seconds * 1000.0);
}

/// KiB that this process had in memory at most.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or_else(|| {
        let _ = io::stderr().write_all(b"no /proc here: the peak is not known\n");
        0
    })
}
