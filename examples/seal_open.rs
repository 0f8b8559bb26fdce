//! Seals and opens age files with the code that seals recordings, so that `tests/interop/age.sh` can set it against other programs:
//!
//! ```text
//! seal_open seal [--pad] RECIPIENT IN OUT     an age file of IN for age1…
//! seal_open open IDENTITY-FILE IN OUT         what is in the age file IN
//! seal_open key HEX                           the identity that a 32-byte key is (docs/format.md, section 4)
//! ```

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::process::ExitCode;

use subrosa::base::progress::Silent;
use subrosa::base::secret::Key;
use subrosa::crypto::padding::Padding;
use subrosa::crypto::stream::{AgeIdentity, AgeRecipient, open, seal};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "seal_open: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<()> {
    match args {
        ["seal", "--pad", to, from, into] => sealed(to, from, into, Padding::Padme),
        ["seal", to, from, into] => sealed(to, from, into, Padding::None),
        ["open", identity, from, into] => {
            let text = fs::read_to_string(identity)?;
            let line = text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap_or_default();
            let identity = AgeIdentity::parse(line.trim()).ok_or("this is no age identity")?;
            let mut out = BufWriter::new(File::create(into)?);
            open(identity.as_age(), BufReader::new(File::open(from)?), &mut out, None, &Silent).map_err(told)?;
            Ok(out.flush()?)
        }
        ["key", hex] => {
            let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes())?;
            let key = Key::from_slice(&bytes).ok_or("a key is 64 hex digits")?;
            let identity = AgeIdentity::from_key(&key).map_err(told)?;
            let mut out = std::io::stdout().lock();
            writeln!(out, "# public key: {}", identity.recipient())?;
            Ok(writeln!(out, "{}", identity.to_text().as_str())?)
        }
        _ => Err("usage: seal_open seal [--pad] RECIPIENT IN OUT | open IDENTITY-FILE IN OUT | key HEX".into()),
    }
}

fn sealed(to: &str, from: &str, into: &str, padding: Padding) -> Result<()> {
    let to: AgeRecipient = to.parse().map_err(told)?;
    let mut out = BufWriter::new(File::create(into)?);
    seal(&[to.as_age()], BufReader::new(File::open(from)?), &mut out, padding, &Silent).map_err(told)?;
    Ok(out.flush()?)
}

fn told(error: subrosa::base::Error) -> String {
    error.what().to_owned()
}
