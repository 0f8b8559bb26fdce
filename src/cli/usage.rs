//! What is told of a command line that cannot be read: which argument is wrong and how it should be, never what was typed. Names are typed
//! here too, and what goes to standard error ends in logs of schedulers, terminals that are shared, and messages to whoever helps.

use std::error::Error as _;
use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Cli;

/// Stands for what was typed.
const TYPED: &str = "…";

/// Shows help, version or what is wrong with the command line; the exit code.
pub(super) fn told(error: clap::Error) -> ExitCode {
    let error = without_words(error);
    let _ = error.print();
    // Help and version go to standard output and are no failure; clap knows which is which.
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// The same without what was typed.
fn without_words(mut error: clap::Error) -> clap::Error {
    let kind = error.kind();
    let typed: Vec<String> = match kind {
        ErrorKind::UnknownArgument => replace(&mut error, ContextKind::InvalidArg),
        ErrorKind::InvalidSubcommand => replace(&mut error, ContextKind::InvalidSubcommand),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::TooManyValues => {
            replace(&mut error, ContextKind::InvalidValue)
        }
        _ => Vec::new(),
    };
    if typed.is_empty() {
        return error;
    }
    // Tips repeat it, the reason may.
    error.remove(ContextKind::Suggested);
    let repeated = error.source().is_some_and(|source| {
        let reason = source.to_string();
        typed.iter().any(|typed| reason.contains(typed.as_str()))
    });
    if !repeated {
        return error;
    }
    let mut bare = clap::Error::new(kind).with_cmd(&Cli::command());
    for (kind, value) in error.context() {
        bare.insert(kind, value.clone());
    }
    bare
}

fn replace(error: &mut clap::Error, what: ContextKind) -> Vec<String> {
    match error.get(what) {
        // Empty where a value is missing altogether.
        Some(ContextValue::String(typed)) if !typed.is_empty() => {
            let typed = typed.clone();
            error.insert(what, ContextValue::String(TYPED.into()));
            vec![typed]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn nothing_typed_is_told_again() {
        let canary = "Vera-Petrosyan-4711";
        let lines: &[&[&str]] = &[
            &["interview", "show", "AM-05", canary],
            &["interview", "show", canary, "--bad"],
            &["interview", "show", "AM-05", &format!("--{canary}")],
            &["interview", "show", "AM-05", &format!("--{canary}={canary}")],
            &["interview", canary],
            &[canary],
            &["interview", "list", "--from", canary],
            &["interview", "list", "--state", canary],
            &["consent", "set", "AM-05", "--scope", canary],
            &["consent", "set", "AM-05", "--passage", canary],
            &["consent", "due", "--days", canary],
            &["request", "new", "--level", canary],
            &["request", "new", "--project", canary],
            &["approval", "add", "--fieldwork", canary],
            &["person", "add", canary, "--role", canary],
            &["redact", "accept", "AM-05", canary],
            &["redact", "mark", "AM-05", "--words", canary, "--class", canary],
            &["redact", "mark", "AM-05", "--words", canary, "--words", canary],
            &["audit", "proof", canary],
            &["audit", "who"],
            &["clock", "accept", canary, canary, canary],
            &["--json=Vera-Petrosyan-4711", "check"],
            &["--identity", canary, "--as", canary, "check"],
        ];
        for line in lines {
            let Err(error) = Cli::try_parse_from(["subrosa"].iter().chain(*line)) else { panic!("{line:?} is good") };
            let told = without_words(error).render().to_string();
            assert!(!told.contains("Vera") && !told.contains("4711"), "{line:?}: {told}");
            assert!(told.starts_with("error: ") && told.len() > 60, "{line:?}: {told}");
        }
    }

    #[test]
    fn what_to_do_is_still_told() {
        let told = |line: &[&str]| {
            without_words(Cli::try_parse_from(["subrosa"].iter().chain(line)).err().unwrap()).render().to_string()
        };
        assert!(told(&["interview", "list", "--state", "x"]).contains("possible values: "));
        assert!(told(&["interview", "list", "--form", "2023-01-01"]).contains("'--from'"));
        assert!(told(&["approval", "add", "--fieldwork", "then"]).contains("2022-03-01..2024-12-31"));
        assert!(told(&["request", "new", "--level", "300"]).contains("--level"), "a number out of range");
        assert!(!told(&["request", "new", "--level", "300"]).contains("300"));
    }
}
