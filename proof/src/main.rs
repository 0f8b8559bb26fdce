//! Proves the floor: `cargo run --manifest-path proof/Cargo.toml [-- --json]`. Needs cvc5.
//!
//! Exit codes: 0 all proved, 1 not all, 2 wrong call or no solver.

use std::io::Write;
use std::process::ExitCode;

use subrosa_proof::{Fault, Prover, Report, Texts, prove};

fn main() -> ExitCode {
    let json = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--json" => true,
        _ => return end(&Fault("usage: subrosa-proof [--json]".to_owned())),
    };
    match run() {
        Ok(report) => {
            let text = if json { report.to_json().to_string() } else { report.to_string() };
            if writeln!(std::io::stdout(), "{text}").is_err() {
                return ExitCode::from(2);
            }
            ExitCode::from(u8::from(!report.sound()))
        }
        Err(fault) => end(&fault),
    }
}

fn run() -> Result<Report, Fault> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Fault(e.to_string()))?;
    runtime.block_on(async { Ok(prove(&Texts::embedded(), &mut Prover::start()?).await) })
}

fn end(fault: &Fault) -> ExitCode {
    // Nothing else can be told if that does not work.
    let _ = writeln!(std::io::stderr(), "{fault}");
    ExitCode::from(2)
}
