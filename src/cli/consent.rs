//! `subrosa consent`.

use clap::{Args, Subcommand};

use super::global::Global;
use super::screen::table;
use crate::base::id::Token;
use crate::base::time::Date;
use crate::base::{Error, Result};
use crate::domain::consent::TimeRange;
use crate::ledger::event::{Module, Tier};
use crate::ops::consent::{
    self as ops, Bound, Change, EvidenceAsked, Plan, ScopeAsked, Shown, StateShown, Withdrawal, WithdrawalPlan, word,
};

/// Commands of `subrosa consent`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// What the participants of an interview agreed to, and how it came about.
    #[command(after_help = "Example: subrosa --vault ./vault consent show AM-05 --at 2026-06-30")]
    Show(ShowArgs),
    /// Record that consent was given, changed or confirmed. Shows what it comes to, then asks.
    #[command(after_help = "Examples:\n  \
        subrosa --vault ./vault consent set AM-05 --module quote_text=refused\n  \
        subrosa --vault ./vault consent set AM-05 --participant R2 --form v2 --module teaching=granted --witnessed\n  \
        subrosa --vault ./vault consent set AM-05 --turns 12-18 --module archive=refused\n\n\
        A narrower word can only restrict a wider one: what was refused for everything is allowed again for everything (--scope all).")]
    Set(Box<SetArgs>),
    /// Record that consent is taken back: everything that it covers is refused at once. Shows what it reaches, then asks.
    #[command(after_help = "Examples:\n  \
        subrosa --vault ./vault consent withdraw AM-05 --participant R1\n  \
        subrosa --vault ./vault consent withdraw AM-05 --module reuse --module teaching\n\n\
        Without --module consent is taken back altogether. Extracts that have left are listed, to be recalled.")]
    Withdraw(WithdrawArgs),
    /// What ends or must be looked at soon, and who may be contacted again.
    #[command(after_help = "Example: subrosa --vault ./vault consent due --days 180")]
    Due {
        /// How far to look ahead.
        #[arg(long, default_value_t = 90, value_name = "DAYS")]
        days: u32,
    },
}

#[derive(Args)]
pub(super) struct ShowArgs {
    /// Archive code.
    #[arg(value_name = "CODE")]
    code: String,
    /// Only this participant: label in the interview, or token.
    #[arg(long, value_name = "LABEL")]
    participant: Option<String>,
    /// As it was, or will be, at the end of this day.
    #[arg(long, value_name = "DATE")]
    at: Option<Date>,
}

/// What a change covers.
#[derive(Args)]
struct ScopeArgs {
    /// `all` (everything of the participant) or `interview`.
    #[arg(long, value_name = "SCOPE", value_parser = ["all", "interview"], conflicts_with_all = ["turns", "seconds", "passage"])]
    scope: Option<String>,
    /// A passage: first and last turn, counted from 1, as in 12-18.
    #[arg(long, value_name = "A-B")]
    turns: Vec<String>,
    /// The transcript version that the turns are of; the newest by default.
    #[arg(long, value_name = "N", requires = "turns")]
    transcript: Option<u32>,
    /// A passage: from and to in seconds of the recording, as in 60-95.
    #[arg(long, value_name = "A-B")]
    seconds: Vec<String>,
    /// A passage spoken of before, by the token that `consent show` gives.
    #[arg(long, value_name = "TOKEN")]
    passage: Option<Token>,
}

#[derive(Args)]
pub(super) struct SetArgs {
    /// Archive code.
    #[arg(value_name = "CODE")]
    code: String,
    /// Whose consent: label in the interview, or token. Needed if several participants speak.
    #[arg(long, value_name = "LABEL")]
    participant: Option<String>,
    /// The form version agreed to: a consent given. Without it, what stands is changed.
    #[arg(long, value_name = "VERSION")]
    form: Option<String>,
    /// MODULE=STATE; modules: archive, analyse, reuse, teaching, quote_text, quote_audio, recontact, abroad; states: granted, refused,
    /// not_asked. With --form, the exceptions from it.
    #[arg(long = "module", value_name = "MODULE=STATE")]
    modules: Vec<String>,
    /// How they may be named in print: full_name, first_name, role_place, role_country, code_only, paraphrase_only, never.
    #[arg(long, value_name = "TIER")]
    tier: Option<String>,
    /// Nothing leaves before this day; `none` ends what stood so far.
    #[arg(long, value_name = "DATE|none")]
    embargo: Option<String>,
    /// Nothing leaves after this day.
    #[arg(long, value_name = "DATE")]
    expiry: Option<Date>,
    /// The archive looks at it again by this day.
    #[arg(long, value_name = "DATE")]
    review_by: Option<Date>,
    #[command(flatten)]
    scope: ScopeArgs,
    /// The day from which it holds; by default now.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// A condition in free words: nothing leaves until a steward has mapped it.
    #[arg(long, value_name = "TEXT", conflicts_with = "map_condition")]
    condition: Option<String>,
    /// For stewards: this change says what the conditions made so far mean.
    #[arg(long)]
    map_condition: bool,
    /// The language in which consent was asked, as in ru.
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// You heard it yourself.
    #[arg(long, conflicts_with = "evidence")]
    witnessed: bool,
    /// The recording or scan that shows it, by its token.
    #[arg(long, value_name = "TOKEN")]
    evidence: Option<Token>,
    /// Where in the recording, in seconds.
    #[arg(long, value_name = "A-B", requires = "evidence")]
    evidence_at: Option<String>,
    /// A note, kept sealed with the interview.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Args)]
pub(super) struct WithdrawArgs {
    /// Archive code of an interview that they are heard in.
    #[arg(value_name = "CODE")]
    code: String,
    /// Whose consent: label in the interview, or token. Needed if several participants speak.
    #[arg(long, value_name = "LABEL")]
    participant: Option<String>,
    /// Only this module.
    #[arg(long = "module", value_name = "MODULE")]
    modules: Vec<String>,
    #[command(flatten)]
    scope: ScopeArgs,
    /// The day on which it was asked for; by default now.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    match command {
        Command::Show(args) => show(global, &args),
        Command::Set(args) => set(global, *args),
        Command::Withdraw(args) => withdraw(global, args),
        Command::Due { days } => due(global, days),
    }
}

fn show(global: &Global, args: &ShowArgs) -> Result<()> {
    let mut shown = global
        .with_vault("consent show", |vault| ops::show(vault, &args.code, args.participant.as_deref(), args.at))?;
    if global.content_view().is_err() {
        shown.withhold_words();
    }
    global.screen().answer(&shown, || shown_words(&shown))
}

fn set(global: &Global, args: SetArgs) -> Result<()> {
    let change = Change {
        form: args.form,
        modules: args.modules.iter().map(|m| ops::parse_module(m)).collect::<Result<_>>()?,
        tier: args.tier.as_deref().map(tier).transpose()?,
        embargo: args.embargo.as_deref().map(bound).transpose()?,
        expiry: args.expiry,
        review_by: args.review_by,
        scope: args.scope.asked()?,
        from: args.from,
        condition: args.condition,
        map_condition: args.map_condition,
        language: args.language,
        evidence: match (args.witnessed, args.evidence) {
            (true, _) => Some(EvidenceAsked::Witnessed),
            (_, Some(token)) => {
                Some(EvidenceAsked::Object(token, args.evidence_at.as_deref().map(seconds).transpose()?))
            }
            _ => None,
        },
        note: args.note,
        code: args.code,
        participant: args.participant,
    };
    let screen = global.screen();
    let done = global.with_vault("consent set", |vault| {
        let plan = ops::plan_change(vault, &change)?;
        screen.note(&plan_words(&plan));
        screen.confirm("Record this?")?;
        ops::change(vault, &change, &plan)
    })?;
    screen.answer(&done, || "Recorded.".to_owned())
}

fn withdraw(global: &Global, args: WithdrawArgs) -> Result<()> {
    let module = |text: &String| {
        ops::from_word::<Module>(text).ok_or_else(|| {
            Error::user(
                "there is no such module",
                "Modules: archive, analyse, reuse, teaching, quote_text, quote_audio, recontact, abroad.",
            )
        })
    };
    let asked = Withdrawal {
        modules: args.modules.iter().map(module).collect::<Result<_>>()?,
        scope: args.scope.asked()?,
        from: args.from,
        code: args.code,
        participant: args.participant,
    };
    let screen = global.screen();
    let (_, done) = global.with_vault("consent withdraw", |vault| {
        let plan = ops::plan_withdrawal(vault, &asked)?;
        screen.note(&withdrawal_words(&plan));
        screen.confirm("Record the withdrawal?")?;
        ops::withdraw(vault, &asked, &plan)
    })?;
    screen.answer(&done, || {
        let recall = done.out_there.iter().filter(|c| c.in_use).count();
        match recall {
            0 => "Withdrawn. Nothing that it covers can leave any more.".to_owned(),
            n => {
                format!("Withdrawn. Nothing that it covers can leave any more. Extracts to recall: {n}, listed above.")
            }
        }
    })
}

fn due(global: &Global, days: u32) -> Result<()> {
    let found = global.with_vault("consent due", |vault| ops::due(vault, days))?;
    global.screen().answer(&found, || {
        if found.is_empty() {
            return format!("Nothing is due within {days} days.");
        }
        let day = |d: Option<Date>| d.map(|d| d.to_string()).unwrap_or_default();
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|d| {
                let late = if d.overdue { "yes" } else { "" };
                let again = if d.recontact { "yes" } else { "no" };
                vec![d.code.clone(), d.label.clone(), day(d.expiry), day(d.review_by), late.into(), again.into()]
            })
            .collect();
        table(&["code", "who", "ends after", "look at by", "overdue", "may be contacted"], &rows)
    })?;
    found.require_whole()
}

impl ScopeArgs {
    fn asked(&self) -> Result<Option<ScopeAsked>> {
        if self.turns.is_empty() && self.seconds.is_empty() && self.passage.is_none() {
            return Ok(match self.scope.as_deref() {
                Some("all") => Some(ScopeAsked::All),
                Some(_) => Some(ScopeAsked::Interview),
                None => None,
            });
        }
        Ok(Some(ScopeAsked::Passage {
            token: self.passage,
            turns: self.turns.iter().map(|t| super::redact::range(t)).collect::<Result<_>>()?,
            transcript: self.transcript,
            times: self.seconds.iter().map(|s| seconds(s)).collect::<Result<_>>()?,
        }))
    }
}

/// `60-95` in seconds; the last second belongs to it.
fn seconds(text: &str) -> Result<TimeRange> {
    let (from, to) = super::redact::range(text)?;
    Ok(TimeRange { from: u64::from(from) * 1_000, to: (u64::from(to) + 1) * 1_000 })
}

fn tier(text: &str) -> Result<Tier> {
    ops::from_word(text).ok_or_else(|| {
        Error::user(
            "there is no such tier",
            "Tiers: full_name, first_name, role_place, role_country, code_only, paraphrase_only, never.",
        )
    })
}

fn bound(text: &str) -> Result<Bound> {
    if text.trim().eq_ignore_ascii_case("none") { Ok(Bound::Lifted) } else { text.trim().parse().map(Bound::Day) }
}

fn shown_words(shown: &Shown) -> String {
    let mut out = format!("{}, as of {}\n", shown.code, shown.at);
    if shown.voices.is_empty() {
        out.push_str("Nobody in this interview is a participant.\n");
    }
    for voice in &shown.voices {
        out.push_str(&format!("\n{}  (ledger: {})\n{}", voice.label, voice.participant, state_words(&voice.state)));
        for (number, event) in (1..).zip(&voice.events) {
            out.push_str(&format!("  {number}. {} {}, {}", event.recorded, word(event.act), event.scope));
            if event.from != event.recorded {
                out.push_str(&format!(", from {}", event.from.date()));
            }
            let mut says: Vec<String> = Vec::new();
            says.extend(event.form.iter().map(|f| format!("form {f}")));
            says.extend(event.modules.iter().map(|(m, s)| format!("{}={}", word(m), word(s))));
            says.extend(event.tier.map(|t| format!("tier {}", word(t))));
            says.extend(event.embargo.map(|d| format!("embargo {d}")));
            says.extend(event.expiry.map(|d| format!("expiry {d}")));
            says.extend(event.review_by.map(|d| format!("to be looked at by {d}")));
            says.extend(event.language.iter().map(|l| format!("asked in {l}")));
            says.extend(event.evidence.clone());
            says.extend(event.condition.iter().map(|c| format!("condition: {c}")));
            says.extend(event.condition_mapped.then(|| "conditions mapped".to_owned()));
            says.extend(event.note.iter().map(|n| format!("note: {n}")));
            out.push_str(&format!(
                "\n     {}\n",
                if says.is_empty() { "altogether".to_owned() } else { says.join("; ") }
            ));
        }
        if voice.elsewhere > 0 {
            out.push_str(&format!("  {} more about other interviews\n", voice.elsewhere));
        }
    }
    out
}

fn state_words(state: &StateShown) -> String {
    let mut out = String::new();
    if state.withdrawn {
        out.push_str("  WITHDRAWN altogether\n");
    }
    for (module, comes) in &state.modules {
        let form = state.forms.get(module).map(|f| format!("  (form {f})")).unwrap_or_default();
        out.push_str(&format!("  {:<12} {}{form}\n", word(module), word(comes)));
    }
    out.push_str(&format!("  {:<12} {}\n", "tier", word(state.tier)));
    for (name, day) in [("embargo", state.embargo), ("expiry", state.expiry), ("look at by", state.review_by)] {
        if let Some(day) = day {
            out.push_str(&format!("  {name:<12} {day}\n"));
        }
    }
    if state.unmapped {
        out.push_str("  a condition waits for a steward: nothing leaves until it is mapped\n");
    }
    out
}

fn plan_words(plan: &Plan) -> String {
    let mut out =
        format!("{}, {}: consent {} for {}, from {}\n", plan.code, plan.label, word(plan.act), plan.scope, plan.from);
    let (before, after) = (state_words(&plan.before), state_words(&plan.after));
    let known: Vec<&str> = before.lines().collect();
    let fresh: Vec<&str> = after.lines().filter(|line| !known.contains(line)).collect();
    out.push_str(if fresh.is_empty() { "What it comes to stays the same.\n" } else { "It comes to:\n" });
    fresh.iter().for_each(|line| out.push_str(&format!("{line}\n")));
    plan.remarks.iter().for_each(|remark| out.push_str(&format!("Note: {remark}.\n")));
    out
}

fn withdrawal_words(plan: &WithdrawalPlan) -> String {
    let mut out = plan_words(&plan.plan);
    let rows: Vec<Vec<String>> = plan
        .interviews
        .iter()
        .map(|i| {
            let left = if i.withdrawn { "nothing".to_owned() } else { format!("{} other voices", i.others) };
            vec![i.code.clone(), i.recordings.to_string(), i.transcripts.to_string(), i.documents.to_string(), left]
        })
        .collect();
    out.push_str(&table(&["heard in", "recordings", "transcripts", "documents", "consent left"], &rows));
    if plan.out_there.is_empty() {
        out.push_str("No extract with this voice has left.\n");
        return out;
    }
    let rows: Vec<Vec<String>> = plan
        .out_there
        .iter()
        .map(|c| {
            let who = c.name.clone().or_else(|| c.recipient.map(|r| r.to_string())).unwrap_or_default();
            let until = c.until.map(|d| d.to_string()).unwrap_or_default();
            vec![c.release.clone(), who, until, if c.in_use { "recall" } else { "ended" }.to_owned()]
        })
        .collect();
    out.push_str(&table(&["extract", "receiver", "until", ""], &rows));
    out
}
