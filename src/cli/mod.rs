//! Floor 6: arguments become operations, and what comes of them becomes words on the screen.

pub mod detect;

mod approval;
mod audit;
mod check;
mod clock;
mod consent;
mod demo;
mod extract;
mod global;
mod harden;
mod identity;
mod ingest;
mod init;
mod interview;
mod person;
mod policy;
mod progress;
mod project;
mod redact;
mod request;
mod screen;
mod study;
mod usage;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::base::{Error, Kind};
use global::Global;

/// A closed vault for research interviews: consent is enforced, everything is logged, withdrawal destroys.
#[derive(Parser)]
#[command(name = "subrosa", version, max_term_width = 110, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Try it out: `subrosa demo` tells the whole story on an invented study.\n\
    Exit codes: 0 done, 1 something given is wrong, 2 usage, 3 refused by the rules, 4 damage or tampering, 5 locked.")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A person's own keys and public card.
    #[command(subcommand)]
    Identity(identity::Command),
    /// Found a vault.
    Init(init::Args),
    /// Check or amend the study definition.
    #[command(subcommand)]
    Study(study::Command),
    /// Who may do what.
    #[command(subcommand)]
    Person(person::Command),
    /// The rules by which material leaves.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Ethics boards' approvals.
    #[command(subcommand)]
    Approval(approval::Command),
    /// Projects: the uses of the study.
    #[command(subcommand)]
    Project(project::Command),
    /// Take in a delivery.
    Ingest(ingest::Args),
    /// Interviews.
    #[command(subcommand)]
    Interview(interview::Command),
    /// What participants agreed to.
    #[command(subcommand)]
    Consent(consent::Command),
    /// Find, mark and review what identifies.
    #[command(subcommand)]
    Redact(redact::Command),
    /// Requests for extracts, and decisions.
    #[command(subcommand)]
    Request(request::Command),
    /// Build an extract, or open one.
    #[command(subcommand)]
    Extract(extract::Command),
    /// The ledger.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Check every object, row, key and ledger entry against each other.
    Check(check::Args),
    /// Go on with a clock that two people vouch for.
    #[command(subcommand)]
    Clock(clock::Command),
    /// The whole story on an invented study.
    Demo(demo::Args),
}

/// Runs the program on the arguments that it was started with.
pub fn main() -> ExitCode {
    harden::begin();
    let read = Cli::command().try_get_matches().and_then(|given| Ok((Cli::from_arg_matches(&given)?, given)));
    let (cli, given) = match read {
        Ok(read) => read,
        Err(error) => return usage::told(error),
    };
    harden::confine(&harden::Reach::of(&given, &cli.global));
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen::complain(&error);
            ExitCode::from(code(&error))
        }
    }
}

fn run(cli: Cli) -> crate::base::Result<()> {
    let global = &cli.global;
    match cli.command {
        Command::Identity(command) => identity::run(global, command),
        Command::Init(args) => init::run(global, args),
        Command::Study(command) => study::run(global, command),
        Command::Person(command) => person::run(global, command),
        Command::Policy(command) => policy::run(global, command),
        Command::Approval(command) => approval::run(global, command),
        Command::Project(command) => project::run(global, command),
        Command::Ingest(args) => ingest::run(global, args),
        Command::Interview(command) => interview::run(global, command),
        Command::Consent(command) => consent::run(global, command),
        Command::Redact(command) => redact::run(global, command),
        Command::Request(command) => request::run(global, command),
        Command::Extract(command) => extract::run(global, command),
        Command::Audit(command) => audit::run(global, command),
        Command::Check(args) => check::run(global, args),
        Command::Clock(command) => clock::run(global, command),
        Command::Demo(args) => demo::run(global, args),
    }
}

/// The exit code of an error (DESIGN, section 9).
fn code(error: &Error) -> u8 {
    match error.kind() {
        Kind::User => 1,
        Kind::Denied => 3,
        Kind::Damage => 4,
        Kind::Locked => 5,
        Kind::Interrupted => 130,
        Kind::Bug => 101,
    }
}
