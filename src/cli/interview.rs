//! `subrosa interview`: the list, and all about one.

use clap::Subcommand;

use super::global::Global;
use super::ingest::{clock, size};
use super::screen::table;
use crate::base::Result;
use crate::base::time::Date;
use crate::ops::interview::{self, Filter, Listed, Names, STATES, Shown};

/// Commands of `subrosa interview`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// List interviews. Archivists see those of their sites, stewards all.
    #[command(
        after_help = "Example: subrosa --vault ./vault --as ben interview list --site AM --from 2023-01-01 --state transcribed"
    )]
    List {
        /// Of these sites only, by prefix.
        #[arg(long, value_delimiter = ',', value_name = "PREFIX")]
        site: Vec<String>,
        /// Made on this day or later.
        #[arg(long, value_name = "DATE")]
        from: Option<Date>,
        /// Made on this day or earlier.
        #[arg(long, value_name = "DATE")]
        to: Option<Date>,
        /// In this state only.
        #[arg(long, value_parser = STATES)]
        state: Option<String>,
    },
    /// Show all about one interview.
    #[command(after_help = "Example: subrosa --vault ./vault --as ben interview show AM-05 --names")]
    Show {
        /// Its archive code.
        code: String,
        /// Also who the speakers are, notes and file names. For archivists of its site, on a terminal.
        #[arg(long)]
        names: bool,
    },
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    let screen = global.screen();
    match command {
        Command::List { site, from, to, state } => {
            let filter = Filter { sites: site, from, to, state };
            let listed = global.with_vault("interview list", |vault| interview::list(vault, &filter))?;
            screen.answer(&listed, || list_words(&listed))?;
            listed.require_whole()
        }
        Command::Show { code, names } => {
            if names {
                global.content_view()?;
            }
            let shown = global.with_vault("interview show", |vault| interview::show(vault, &code, names))?;
            screen.answer(&shown, || show_words(&shown))
        }
    }
}

fn list_words(listed: &[Listed]) -> String {
    if listed.is_empty() {
        return "No interview fits.".into();
    }
    let row = |l: &Listed| {
        vec![
            l.code.clone(),
            l.date.to_string(),
            l.site.clone(),
            l.language.clone(),
            l.participants.to_string(),
            l.recordings.to_string(),
            l.transcripts.to_string(),
            l.state.clone(),
        ]
    };
    let rows: Vec<_> = listed.iter().map(row).collect();
    table(&["code", "date", "site", "language", "participants", "recordings", "transcripts", "state"], &rows)
}

fn show_words(shown: &Shown) -> String {
    let mut out = format!(
        "{}   {}, {}, {}\nsite {}, taken in {}, {}\ntoken {}\n",
        shown.code, shown.date, shown.place, shown.language, shown.site, shown.ingested, shown.state, shown.token
    );
    let mut section = |head: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            out.push('\n');
            out.push_str(&table(head, &rows));
        }
    };
    let none = || "–".to_owned();
    section(
        &["speaker", "role", "heard in", "token"],
        shown
            .speakers
            .iter()
            .map(|s| {
                let heard = s.heard_in.map_or_else(none, |n| n.to_string());
                vec![s.label.clone(), word(&s.role), heard, s.token.map_or_else(none, |t| t.to_string())]
            })
            .collect(),
    );
    section(
        &["object", "form", "length", "plays", "token"],
        shown
            .objects
            .iter()
            .map(|o| {
                vec![
                    word(&o.kind),
                    o.form.clone(),
                    size(o.length),
                    o.duration_ms.map_or_else(none, clock),
                    o.token.to_string(),
                ]
            })
            .collect(),
    );
    section(
        &["version", "transcript", "language", "made from", "turns", "marks", "reviewed", "token"],
        shown
            .transcripts
            .iter()
            .map(|t| {
                vec![
                    t.version.to_string(),
                    word(&t.kind),
                    t.language.clone(),
                    t.made_from.map_or_else(none, |v| v.to_string()),
                    t.turns.to_string(),
                    t.marks.map_or_else(none, |m| m.to_string()),
                    t.reviewed.map_or_else(|| "no".into(), |at| at.to_string()),
                    t.token.to_string(),
                ]
            })
            .collect(),
    );
    for consent in &shown.consent {
        let states: Vec<String> = consent.modules.iter().map(|(m, s)| format!("{} {}", word(m), word(s))).collect();
        out.push_str(&format!(
            "\nConsent of {}: {}\n    tier {}",
            consent.label,
            states.join(", "),
            word(&consent.tier)
        ));
        if let Some(day) = consent.embargo {
            out.push_str(&format!(", embargo until {day}"));
        }
        if let Some(day) = consent.expiry {
            out.push_str(&format!(", expires after {day}"));
        }
        for (on, words) in [
            (consent.withdrawn, "withdrawn"),
            (consent.unmapped_condition, "a condition waits for a steward"),
            (consent.passages, "passages are spoken of separately"),
        ] {
            if on {
                out.push_str(&format!(", {words}"));
            }
        }
        out.push('\n');
    }
    if let Some(names) = &shown.names {
        out.push_str(&name_words(names));
    }
    out
}

fn name_words(names: &Names) -> String {
    let mut out = String::new();
    for (label, who) in &names.speakers {
        let born = who.birth_year.map(|y| y.to_string());
        let mut parts: Vec<String> =
            [&who.names, &who.also_known_as, &who.contacts].into_iter().flatten().cloned().collect();
        parts.extend([&who.gender, &born, &who.education, &who.occupation].into_iter().flatten().cloned());
        out.push_str(&format!("\n{label}: {}", parts.join("; ")));
    }
    out.push('\n');
    for (label, day) in &names.agreed {
        out.push_str(&format!("\n{label} agreed on {day}"));
    }
    for (label, condition) in &names.conditions {
        out.push_str(&format!("\nCondition of {label}: {condition}"));
    }
    for note in &names.notes {
        out.push_str(&format!("\nNote: {note}"));
    }
    for (name, value) in &names.metadata {
        out.push_str(&format!("\n{name}: {value}"));
    }
    for (token, file) in &names.files {
        out.push_str(&format!("\n{token}  {file}"));
    }
    out
}

/// The word that JSON has for a value.
fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word.replace('_', " "),
        _ => String::new(),
    }
}
