//! `subrosa project`: the uses of the study.

use clap::Subcommand;

use super::approval::{Period, period};
use super::global::Global;
use super::screen::table;
use crate::base::Result;
use crate::domain::project::Status;
use crate::ops::project::{self, Recorded};

/// Commands of `subrosa project`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Record a project. For stewards.
    #[command(
        after_help = "Example: subrosa --vault ./vault --as ada project add --title \"Work and leaving\" --duo GRU \\\n\
        \x20   --purpose \"How occupation shaped the decision to leave\" --people cid --period 2025-01-01..2027-12-31\n\
        DUO codes: `subrosa project terms`."
    )]
    Add {
        /// Title.
        #[arg(long)]
        title: String,
        /// The purpose as a DUO code or shorthand (GA4GH Data Use Ontology).
        #[arg(long)]
        duo: String,
        /// The purpose in words.
        #[arg(long)]
        purpose: String,
        /// Who takes part, by name or id.
        #[arg(long, required = true, value_delimiter = ',')]
        people: Vec<String>,
        /// First and last day: FROM..TO.
        #[arg(long, value_parser = period, value_name = "FROM..TO")]
        period: Period,
        /// Researchers from elsewhere use the material: needs the consent to re-use.
        #[arg(long)]
        reuse: bool,
        /// The material is shown in teaching: needs the consent to that.
        #[arg(long)]
        teaching: bool,
    },
    /// List the projects.
    List,
    /// Close a project: nothing is released to it any more. For stewards.
    Close {
        /// Title or id.
        project: String,
    },
    /// List the DUO terms that a purpose can have.
    Terms,
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    let screen = global.screen();
    match command {
        Command::Add { title, duo, purpose, people, period, reuse, teaching } => {
            let said = Recorded { title, duo, words: purpose, people, period: (period.0, period.1), reuse, teaching };
            let id = global.with_vault("project add", |vault| project::add(vault, said))?;
            screen.answer(&serde_json::json!({ "id": id }), || {
                format!("Recorded the project {id}.\nGive this id to its people: they name it in their requests.")
            })
        }
        Command::List => {
            let all = global.with_vault("project list", project::list)?;
            screen.answer(&all, || {
                let rows: Vec<_> = all
                    .iter()
                    .map(|p| {
                        let uses = [(p.reuse, "re-use"), (p.teaching, "teaching")];
                        let uses: Vec<_> = uses.iter().filter(|u| u.0).map(|u| u.1).collect();
                        vec![
                            p.id.to_string(),
                            p.title.clone(),
                            p.duo.clone(),
                            p.people.join(", "),
                            format!("{}..{}", p.from, p.until),
                            uses.join(", "),
                            if p.status == Status::Open { "open".into() } else { "closed".into() },
                        ]
                    })
                    .collect();
                table(&["id", "title", "purpose", "people", "period", "uses", "status"], &rows)
            })
        }
        Command::Close { project } => {
            screen.confirm("Close the project?")?;
            global.with_vault("project close", |vault| project::close(vault, &project))?;
            screen.note("Closed.");
            Ok(())
        }
        Command::Terms => {
            let terms: Vec<_> = crate::domain::project::terms().filter(|t| !t.modifier).collect();
            let json: Vec<_> = terms
                .iter()
                .map(|t| serde_json::json!({ "id": t.id, "shorthand": t.shorthand, "label": t.label }))
                .collect();
            screen.answer(&json, || {
                let rows: Vec<_> =
                    terms.iter().map(|t| vec![t.id.into(), t.shorthand.into(), t.label.into()]).collect();
                table(&["id", "short", "meaning"], &rows)
            })
        }
    }
}
