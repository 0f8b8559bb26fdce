//! `subrosa ingest`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde::Serialize;

use super::global::Global;
use super::progress::Bar;
use super::screen::{Screen, table};
use crate::base::Result;
use crate::base::text::count;
use crate::ops::ingest::{self, Left, Plan, Planned, Taken};

/// The most notices and interviews that are told one by one on the screen.
const MOST_TOLD: usize = 60;

/// Arguments of `subrosa ingest`.
#[derive(ClapArgs)]
#[command(after_help = "Example: subrosa --vault ./vault --as ben ingest ./delivery\n\
    The folder holds manifest.csv or manifest.xlsx and the files that it names. Everything is checked first, and every fault is listed;\n\
    then all of it is taken in, or nothing. Running it again is safe: what the vault has already is passed over.")]
pub(super) struct Args {
    /// The delivery's folder.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Leave out the interview with this code; may be given several times.
    #[arg(long, value_name = "CODE")]
    without: Vec<String>,
    /// Check everything and show the plan; take nothing in.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    #[serde(skip_serializing_if = "Option::is_none")]
    taken: Option<Taken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<Left>,
}

pub(super) fn run(global: &Global, args: Args) -> Result<()> {
    let screen = global.screen();
    let bar = Bar::new();
    global.with_vault("ingest", |vault| {
        let checked = ingest::check(vault, &args.dir, &args.without, &bar)?;
        let plan = &checked.plan;
        if !plan.faults.is_empty() {
            screen.answer(&Answer { plan, taken: None, left: None }, || faults(plan))?;
            return Err(ingest::faulty(plan));
        }
        if args.dry_run {
            return screen.answer(&Answer { plan, taken: None, left: None }, || words(plan));
        }
        if !screen.json() {
            screen.say(&words(plan))?;
        }
        let taken = if plan.is_empty() {
            Taken { known_files: plan.known_files, ..Taken::default() }
        } else {
            screen.confirm("Take all of this into the vault?")?;
            ingest::take(vault, &checked, &bar)?
        };
        let left = ingest::left(&checked);
        if screen.json() {
            screen.answer(&Answer { plan, taken: Some(taken), left: Some(left) }, String::new)
        } else {
            screen.say(&done(&taken))?;
            remains(global, &screen, &left)
        }
    })
}

/// Names the plaintext that still lies in the delivery's folder, and what to do with it. File names are for a terminal only.
fn remains(global: &Global, screen: &Screen, left: &Left) -> Result<()> {
    screen.say(&format!(
        "\nIn clear in the delivery's folder: {} in {}. The vault has its own copy, sealed; as long as these lie there, they are protected by nothing.",
        size(left.bytes),
        count(left.files, "file", "files")
    ))?;
    if global.content_view().is_ok() {
        let lines: Vec<String> = left.paths.iter().map(|p| format!("  {}", p.display())).collect();
        screen.say(&lines.join("\n"))?;
    }
    screen.note(
        "When `subrosa check` has passed and a backup is made, delete the folder, empty the bin, and do not forget other copies: \
         recorder, card, e-mail, cloud. On flash storage only a disk that is encrypted as a whole makes deleting final.",
    );
    Ok(())
}

fn faults(plan: &Plan) -> String {
    let mut out = String::new();
    for fault in &plan.faults {
        out.push_str(&format!("{}: {}\n    {}\n", fault.place, fault.what, fault.remedy));
    }
    out
}

fn words(plan: &Plan) -> String {
    let mut out = String::new();
    for notice in plan.notices.iter().take(MOST_TOLD) {
        out.push_str(&format!("Note: {notice}\n"));
    }
    if plan.notices.len() > MOST_TOLD {
        out.push_str(&format!("Note: {} more; --dry-run --json lists all.\n", plan.notices.len() - MOST_TOLD));
    }
    if plan.is_empty() {
        out.push_str("There is nothing in the delivery that the vault does not have.\n");
        return out;
    }
    let rows: Vec<Vec<String>> = plan.interviews.iter().take(MOST_TOLD).map(row).collect();
    out.push_str(&table(&["code", "", "people", "recordings", "transcripts", "documents", "consents"], &rows));
    if plan.interviews.len() > MOST_TOLD {
        out.push_str(&format!("and {} more; --dry-run --json lists all.\n", plan.interviews.len() - MOST_TOLD));
    }
    let new = plan.new_interviews();
    out.push_str(&format!(
        "{} new, {} added to, {} unchanged.\n",
        count(new as u64, "interview", "interviews"),
        plan.interviews.len() - new,
        plan.unchanged
    ));
    if plan.described > 0 {
        out.push_str(&format!("More is known of {}.\n", count(plan.described, "participant", "participants")));
    }
    out
}

fn row(planned: &Planned) -> Vec<String> {
    let recordings = planned.recordings.iter().map(|r| match r.duration_ms {
        Some(ms) => format!("{} {}", r.form, clock(ms)),
        None => format!("{} {}", r.form, size(r.bytes)),
    });
    let transcripts = planned.transcripts.iter().map(|t| {
        let encoding = t.encoding.as_deref().filter(|e| *e != "UTF-8").map(|e| format!(", {e}")).unwrap_or_default();
        format!("{}: {} {}, {}{encoding}", t.version, t.kind, t.language, count(t.turns, "turn", "turns"))
    });
    vec![
        planned.code.clone(),
        if planned.new { "new" } else { "known" }.into(),
        planned.participants.to_string(),
        recordings.collect::<Vec<_>>().join("; "),
        transcripts.collect::<Vec<_>>().join("; "),
        (planned.documents + planned.evidence).to_string(),
        planned.consents.to_string(),
    ]
}

fn done(taken: &Taken) -> String {
    let parts = [
        (taken.interviews, "new interview", "new interviews"),
        (taken.added_to, "interview added to", "interviews added to"),
        (taken.participants, "participant", "participants"),
        (taken.recordings, "recording", "recordings"),
        (taken.transcripts, "transcript", "transcripts"),
        (taken.documents, "document", "documents"),
        (taken.evidence, "scan or other evidence", "scans and other evidence"),
        (taken.consents, "consent", "consents"),
    ];
    let parts: Vec<String> = parts.iter().filter(|(n, ..)| *n > 0).map(|(n, one, more)| count(*n, one, more)).collect();
    let mut out =
        if parts.is_empty() { "Nothing was taken in.".into() } else { format!("Taken in: {}.", parts.join(", ")) };
    if taken.marks_carried + taken.marks_to_look_at > 0 {
        out.push_str(&format!(
            "\n{} went along to corrected transcripts; {} stayed behind, because the words under them have changed: review the new versions.",
            count(taken.marks_carried, "mark", "marks"),
            taken.marks_to_look_at
        ));
    }
    out
}

/// `h:mm:ss`.
pub(super) fn clock(ms: u64) -> String {
    let seconds = ms / 1_000;
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Bytes for people, in powers of ten.
pub(super) fn size(bytes: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let (mut value, mut unit) = (bytes, 0);
    while value >= 10_000 && unit + 1 < units.len() {
        value /= 1_000;
        unit += 1;
    }
    format!("{value} {}", units.get(unit).copied().unwrap_or("PB"))
}
