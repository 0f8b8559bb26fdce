//! `subrosa person`: who may do what.

use std::path::PathBuf;

use clap::Subcommand;

use super::global::Global;
use super::screen::table;
use crate::base::role::Role;
use crate::base::{Error, Result};
use crate::ops::person;

/// Commands of `subrosa person`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Enrol the holder of a card, after comparing its fingerprint with them. For stewards.
    #[command(
        after_help = "Example: subrosa --vault ./vault --as ada person add ben.card --role archivist --sites AM,GE"
    )]
    Add {
        /// Their card.
        #[arg(value_name = "CARD")]
        card: PathBuf,
        /// What they may do: depositor, archivist, steward, analyst, auditor, helper.
        #[arg(long, required = true, value_delimiter = ',')]
        role: Vec<Role>,
        /// For these sites only; all sites if left out.
        #[arg(long, value_delimiter = ',')]
        sites: Vec<String>,
        /// The fingerprint as they read it to you; saves the question.
        #[arg(long)]
        fingerprint: Option<String>,
    },
    /// List everybody enrolled.
    List {
        /// Also those who were removed.
        #[arg(long)]
        all: bool,
    },
    /// Give somebody other roles. For stewards.
    #[command(after_help = "Example: subrosa --vault ./vault --as ada person role ben --role archivist --sites AM")]
    Role {
        /// Name or id.
        person: String,
        /// All that they may do from now on.
        #[arg(long, required = true, value_delimiter = ',')]
        role: Vec<Role>,
        /// For these sites only.
        #[arg(long, value_delimiter = ',')]
        sites: Vec<String>,
    },
    /// Remove somebody. Their keys are changed at once. For stewards.
    #[command(after_help = "Example: subrosa --vault ./vault --as ada person remove ben")]
    Remove {
        /// Name or id.
        person: String,
    },
    /// Change the passphrase of your own identity.
    Passphrase {
        /// Read the new passphrase from the first line of a file.
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    let screen = global.screen();
    match command {
        Command::Add { card, role, sites, fingerprint } => {
            let card = super::init::read_card(&card)?;
            let shown = card.fingerprint()?;
            match fingerprint {
                Some(typed) if crate::crypto::card::same_fingerprint(&shown, &typed) => {}
                Some(_) => {
                    return Err(Error::user(
                        "that is not the fingerprint of this card",
                        "Do not enrol it. Ask the person to read the fingerprint again, and to send the card again.",
                    ));
                }
                None => {
                    screen.note(&format!("Card of {} ({})\nFingerprint: {shown}", card.name(), card.country()));
                    screen.note("Call them on a number that you know, and let them read their fingerprint to you.");
                    screen.confirm("Is it the same, sign for sign?")?;
                }
            }
            global.with_vault("person add", |vault| {
                let grants = person::grants(&vault.view()?, &role, &sites)?;
                person::add(vault, card, grants)
            })?;
            screen.note("Enrolled. They can open the vault with their own identity from now on.");
            if role.contains(&Role::Archivist) {
                screen.note("Where another archivist holds a site already, that one must unlock the vault once before the new one can read its content.");
            }
            Ok(())
        }
        Command::List { all } => {
            let people = global.with_vault("person list", |vault| person::list(vault, all))?;
            screen.answer(&people, || {
                let rows: Vec<_> = people
                    .iter()
                    .map(|p| {
                        let roles = if p.removed.is_some() { "removed".into() } else { p.roles.join(", ") };
                        vec![
                            p.name.clone(),
                            roles,
                            p.country.clone(),
                            p.id.to_string()[..12].to_owned(),
                            p.fingerprint.clone(),
                        ]
                    })
                    .collect();
                table(&["name", "roles", "country", "id", "fingerprint"], &rows)
            })
        }
        Command::Role { person: name, role, sites } => global.with_vault("person role", |vault| {
            let grants = person::grants(&vault.view()?, &role, &sites)?;
            screen.confirm("Change their roles, and the keys that go with them?")?;
            person::set_roles(vault, &name, grants)?;
            screen.note("Changed.");
            Ok(())
        }),
        Command::Remove { person: name } => global.with_vault("person remove", |vault| {
            screen.note("They lose every key at once. What they have copied before, they keep: ask for it back.");
            screen.confirm("Remove them?")?;
            person::remove(vault, &name)?;
            screen.note("Removed, and the keys are changed.");
            Ok(())
        }),
        Command::Passphrase { new_passphrase_file } => {
            super::identity::run(global, super::identity::Command::Passphrase { new_passphrase_file })
        }
    }
}
