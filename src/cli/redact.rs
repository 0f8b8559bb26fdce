//! `subrosa redact`.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::global::Global;
use super::progress::Bar;
use super::screen::table;
use crate::base::{Error, Result};
use crate::ops::redact::{self as ops, Choice, Decided, Marked, Place, Request, Selection, Verdict, Which};
use crate::redact::Class;
use crate::store::files;

/// The largest file of words that is read.
const MOST_BYTES: u64 = 16 << 20;

/// Commands of `subrosa redact`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// What the engine finds in text files or lines of JSON; needs no vault.
    #[command(
        after_help = "Examples:\n  subrosa redact detect interview.txt --json\n  subrosa redact detect --jsonl < texts.jsonl"
    )]
    Detect {
        /// Plain text files in UTF-8.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Read lines {"doc_id","text"} from standard input, answer with lines {"doc_id","spans"}.
        #[arg(long, conflicts_with = "files")]
        jsonl: bool,
    },
    /// Let the engine look for what identifies; finds become suggestions.
    #[command(after_help = "Example: subrosa --vault ./vault redact suggest AM-05")]
    Suggest(WhichArgs),
    /// Show the turns with their marks: ⟦words→[person 1]⟧#12, ?→ while undecided, = where the words are kept.
    #[command(after_help = "Example: subrosa --vault ./vault redact show AM-05 --turns 1-40 --open-only")]
    Show {
        #[command(flatten)]
        which: WhichArgs,
        /// First and last turn, counted from 1.
        #[arg(long, value_name = "A-B")]
        turns: Option<String>,
        /// Only turns with undecided suggestions.
        #[arg(long)]
        open_only: bool,
    },
    /// Mark words by hand.
    #[command(after_help = "Examples:\n  \
        subrosa --vault ./vault redact mark AM-05 --words \"Uncle Arsen\" --all --class person\n  \
        subrosa --vault ./vault redact mark AM-05 --turn 12 --from 4 --to 11 --class place --replacement \"a village\"\n  \
        subrosa --vault ./vault redact mark AM-05 --from-file marks.jsonl      (a line: {\"words\": \"…\", \"class\": \"person\"})")]
    Mark(MarkArgs),
    /// Agree to suggestions: the words are replaced.
    #[command(
        after_help = "Examples:\n  subrosa --vault ./vault redact accept AM-05 3 4 7\n  subrosa --vault ./vault redact accept AM-05 --all --class contact"
    )]
    Accept {
        #[command(flatten)]
        which: WhichArgs,
        /// Numbers of marks.
        #[arg(value_name = "ID", required_unless_present = "all")]
        ids: Vec<u32>,
        /// All undecided suggestions.
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// Only of this class.
        #[arg(long, requires = "all", value_parser = classes())]
        class: Option<String>,
    },
    /// Decide that words may stay, and why.
    #[command(after_help = "Example: subrosa --vault ./vault redact keep AM-05 12 --reason \"a public figure\"")]
    Keep {
        #[command(flatten)]
        which: WhichArgs,
        /// Numbers of marks.
        #[arg(value_name = "ID", required = true)]
        ids: Vec<u32>,
        /// Why the words may stay.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Remove marks made by hand.
    #[command(after_help = "Example: subrosa --vault ./vault redact unmark AM-05 31")]
    Unmark {
        #[command(flatten)]
        which: WhichArgs,
        /// Numbers of marks.
        #[arg(value_name = "ID", required = true)]
        ids: Vec<u32>,
    },
    /// Record that you have read turns that stand next to left-out ones, and that they give nothing of them away.
    #[command(
        after_help = "Example: subrosa --vault ./vault redact check-turns AM-05 11 13 --reason \"Small talk about the weather.\""
    )]
    CheckTurns {
        #[command(flatten)]
        which: WhichArgs,
        /// Turns, counted from 1.
        #[arg(value_name = "TURN", required = true)]
        turns: Vec<u32>,
        /// Why they give nothing away, in your words.
        #[arg(long)]
        reason: String,
    },
    /// Record that you have read the whole version and its marks. Without it nothing of it leaves; any later change of a mark voids it.
    #[command(
        after_help = "Example: subrosa --vault ./vault redact review AM-05 --statement \"Read from start to end beside the recording.\""
    )]
    Review {
        #[command(flatten)]
        which: WhichArgs,
        /// What you did, in your words.
        #[arg(long, value_name = "TEXT")]
        statement: String,
        /// Accept all suggestions that are still undecided.
        #[arg(long)]
        accept_rest: bool,
    },
    /// Record what you did with many transcripts, from a list: what to look through, words to mark, versions that you have read.
    #[command(after_help = "Example: subrosa --vault ./vault redact list read-this-week.jsonl\n\n\
        Each line names one version and one thing; each becomes an entry of its own, as if done alone. At most 200 reviews in a list:\n  \
        {\"code\": \"AM-05\", \"suggest\": true}\n  \
        {\"code\": \"AM-05\", \"words\": \"Uncle Arsen\", \"class\": \"person\"}\n  \
        {\"code\": \"AM-05\", \"transcript\": 2, \"review\": \"Read from start to end beside the recording.\", \"accept_rest\": true}")]
    List {
        /// The list: JSON, a line each.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// How far the transcript versions are.
    #[command(after_help = "Example: subrosa --vault ./vault redact status")]
    Status {
        /// Archive code; all by default.
        #[arg(value_name = "CODE")]
        code: Option<String>,
    },
}

/// Which version.
#[derive(Args)]
pub(super) struct WhichArgs {
    /// Archive code.
    #[arg(value_name = "CODE")]
    code: String,
    /// Transcript version; the newest by default.
    #[arg(long, value_name = "N")]
    transcript: Option<u32>,
}

#[derive(Args)]
pub(super) struct MarkArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// The turn, counted from 1.
    #[arg(long, value_name = "N")]
    turn: Option<u32>,
    /// First character within the turn, counted from 0.
    #[arg(long, value_name = "A", requires = "turn", requires = "to")]
    from: Option<u32>,
    /// One past the last character.
    #[arg(long, value_name = "B", requires = "from")]
    to: Option<u32>,
    /// Words as they stand in the transcript; capitals do not matter.
    #[arg(long, value_name = "TEXT", conflicts_with = "from")]
    words: Option<String>,
    /// Wherever the words stand.
    #[arg(long, requires = "words")]
    all: bool,
    /// What they tell about.
    #[arg(long, value_parser = classes(), required_unless_present = "from_file")]
    class: Option<String>,
    /// What to write instead; by default one is made up for the class.
    #[arg(long, value_name = "TEXT")]
    replacement: Option<String>,
    /// Mark the words of every line {"words","class","replacement"?}, wherever they stand.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["turn", "from", "to", "words", "all", "class", "replacement"])]
    from_file: Option<PathBuf>,
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    match command {
        Command::Detect { files, jsonl } => super::detect::run(
            &files,
            global.json,
            jsonl,
            &mut std::io::stdin().lock(),
            &mut std::io::BufWriter::new(std::io::stdout().lock()),
        ),
        Command::Suggest(which) => suggest(global, which),
        Command::Show { which, turns, open_only } => show(global, which, turns.as_deref(), open_only),
        Command::Mark(args) => mark(global, args),
        Command::Accept { which, ids, all, class } => {
            let choice = if all { Choice::Open(class.as_deref().and_then(Class::from_name)) } else { Choice::Ids(ids) };
            decide(global, which, &choice, &Verdict::Replace)
        }
        Command::Keep { which, ids, reason } => decide(global, which, &Choice::Ids(ids), &Verdict::Keep(reason)),
        Command::Unmark { which, ids } => {
            let done = global.with_vault("redact unmark", |vault| ops::unmark(vault, &which.into(), &ids))?;
            decided(global, &done)
        }
        Command::CheckTurns { which, turns, reason } => {
            let tried = "redact check-turns";
            let done = global.with_vault(tried, |vault| ops::check_turns(vault, &which.into(), &turns, &reason))?;
            global.screen().answer(&done, || {
                let now =
                    done.turns.iter().map(|t| format!("  turn {}: {} beside it", t.turn, t.beside)).collect::<Vec<_>>();
                let all = done.checked.iter().map(u32::to_string).collect::<Vec<_>>();
                let now = now.join("\n");
                format!(
                    "{}, transcript {}\n{now}\nturns checked so far: {}",
                    done.code,
                    done.transcript,
                    all.join(", ")
                )
            })
        }
        Command::Review { which, statement, accept_rest } => review(global, which, &statement, accept_rest),
        Command::List { file } => list(global, &file),
        Command::Status { code } => status(global, code.as_deref()),
    }
}

/// `12-18`, or `12` alone.
pub(super) fn range(text: &str) -> Result<(u32, u32)> {
    let bad = || Error::user("a range is not of the form 12-18", "Give the first and the last, the first one first.");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let parsed = (first.trim().parse(), last.trim().parse());
    let (Ok(first), Ok(last)) = parsed else { return Err(bad()) };
    if first <= last { Ok((first, last)) } else { Err(bad()) }
}

fn classes() -> PossibleValuesParser {
    PossibleValuesParser::new(Class::ALL.map(Class::name))
}

fn suggest(global: &Global, which: WhichArgs) -> Result<()> {
    let done = global.with_vault("redact suggest", |vault| ops::suggest(vault, &which.into(), &Bar::new()))?;
    global.screen().answer(&done, || {
        let rows: Vec<Vec<String>> = done
            .classes
            .iter()
            .map(|(class, n)| vec![class.name().to_owned(), n.marks.to_string(), n.open.to_string()])
            .collect();
        let mut out = format!(
            "{}, transcript {}: {} turns, names of {} people looked for; {} new\n",
            done.code, done.transcript, done.turns, done.known, done.change.added
        );
        out.push_str(&table(&["class", "marks", "undecided"], &rows));
        out.push_str("What is not found may still identify: a person must read the text.\n");
        out.push_str(voided(done.review_voided));
        out
    })
}

fn show(global: &Global, which: WhichArgs, turns: Option<&str>, open_only: bool) -> Result<()> {
    let selection = Selection { turns: turns.map(range).transpose()?, open_only };
    global.content_view()?;
    let shown = global.with_vault("redact show", |vault| ops::show(vault, &which.into(), selection))?;
    global.screen().answer(&shown, || {
        let mut out = format!("{}, transcript {}: {} undecided\n", shown.code, shown.transcript, shown.open);
        for turn in &shown.turns {
            let label = turn.label.as_deref().unwrap_or("?");
            // A transcript must not be able to steer the terminal.
            let text: String = ops::inline(turn).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let checked = if turn.checked { " (checked)" } else { "" };
            out.push_str(&format!("{:>5}{checked} {label}: {text}\n", turn.turn));
        }
        out
    })
}

fn mark(global: &Global, args: MarkArgs) -> Result<()> {
    if let Some(file) = &args.from_file {
        let batch = ops::parse_batch(&text(file)?)?;
        let done = global.with_vault("redact mark", |vault| ops::mark_all(vault, &args.which.into(), &batch))?;
        return marked(global, &done);
    }
    let place = match (args.turn, args.from, args.to, args.words) {
        (Some(turn), Some(from), Some(to), None) => Place::Range { turn, from, to },
        (turn, None, None, Some(words)) => Place::Words { words, turn, all: args.all },
        _ => return Err(Error::user("it is not said what to mark", "Give --words TEXT, or --turn N --from A --to B.")),
    };
    let class = args.class.as_deref().and_then(Class::from_name);
    let class = class.ok_or_else(|| Error::user("it is not said what the words tell about", "Give --class."))?;
    let request = Request { place, class, replacement: args.replacement };
    let done = global.with_vault("redact mark", |vault| ops::mark(vault, &args.which.into(), &request))?;
    marked(global, &done)
}

fn marked(global: &Global, done: &Marked) -> Result<()> {
    global.screen().answer(done, || {
        let mut out = format!(
            "{}, transcript {}: {} places; {} marks added, {} changed, {} removed\n",
            done.code, done.transcript, done.places, done.change.added, done.change.changed, done.change.removed
        );
        if done.not_found.len() > 12 {
            out.push_str(&format!("The words of {} lines of the file stand nowhere here.\n", done.not_found.len()));
        } else if !done.not_found.is_empty() {
            let lines: Vec<String> = done.not_found.iter().map(usize::to_string).collect();
            out.push_str(&format!("Words that stand nowhere: line {} of the file\n", lines.join(", ")));
        }
        out.push_str(voided(done.review_voided));
        out
    })
}

fn decide(global: &Global, which: WhichArgs, choice: &Choice, verdict: &Verdict) -> Result<()> {
    let done = global.with_vault("redact decide", |vault| ops::decide(vault, &which.into(), choice, verdict))?;
    decided(global, &done)
}

fn decided(global: &Global, done: &Decided) -> Result<()> {
    global.screen().answer(done, || {
        let count = done.change.changed + done.change.removed;
        let void = voided(done.review_voided);
        format!("{}, transcript {}: {count} decided, {} undecided\n{void}", done.code, done.transcript, done.open)
    })
}

fn review(global: &Global, which: WhichArgs, statement: &str, accept_rest: bool) -> Result<()> {
    let act = |vault: &mut _| ops::review(vault, &which.into(), statement, accept_rest);
    let done = global.with_vault("redact review", act)?;
    if done.engine_outdated {
        global.screen().warn("another version of the engine is in use now; `subrosa redact suggest` looks again.");
    }
    global.screen().answer(&done, || {
        format!(
            "Review recorded: {}, transcript {}, {} turns, {} marks replaced, {} kept ({} accepted just now).",
            done.code, done.transcript, done.turns, done.marks, done.kept, done.accepted
        )
    })
}

fn list(global: &Global, file: &Path) -> Result<()> {
    let list = ops::parse_list(&text(file)?)?;
    let done = global.with_vault("redact list", |vault| ops::follow(vault, &list, &Bar::new()))?;
    global.screen().answer(&done, || {
        format!(
            "{} versions looked through, {} suggestions; {} marks made by hand, words of {} lines stand nowhere; {} reviews recorded, {} marks in them ({} accepted just now).",
            done.suggested, done.found, done.marked, done.not_found, done.reviewed, done.marks, done.accepted
        )
    })
}

/// A file of lines, as text.
fn text(file: &Path) -> Result<String> {
    let bytes = files::read_bounded(file, MOST_BYTES, "the file of words")?;
    String::from_utf8(bytes)
        .map_err(|_| Error::user("the file of words is not UTF-8", "Save it as plain text in UTF-8."))
}

fn status(global: &Global, code: Option<&str>) -> Result<()> {
    let found = global.with_vault("redact status", |vault| ops::status(vault, code))?;
    global.screen().answer(&found, || {
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|v| {
                vec![
                    v.code.clone(),
                    v.transcript.to_string(),
                    v.language.clone(),
                    v.turns.to_string(),
                    v.marks.to_string(),
                    v.open.to_string(),
                    v.word().to_owned(),
                    v.reviewed_at.map(|at| at.to_string()).unwrap_or_default(),
                ]
            })
            .collect();
        table(&["code", "version", "language", "turns", "marks", "undecided", "state", "reviewed"], &rows)
    })?;
    found.require_whole()
}

fn voided(voided: bool) -> &'static str {
    if voided { "The recorded review is void now: read the version again, then `subrosa redact review`.\n" } else { "" }
}

impl From<WhichArgs> for Which {
    fn from(args: WhichArgs) -> Self {
        Self { code: args.code, transcript: args.transcript }
    }
}
