//! Random bytes from the operating system.

use super::error::{Error, Result};

/// Fills `out` with random bytes. Fails only where the operating system has no randomness to give.
pub fn fill(out: &mut [u8]) -> Result<()> {
    getrandom::fill(out).map_err(|_| Error::bug("the operating system gives no random bytes"))
}

/// `N` random bytes that are not secret (ids, salts, nonces).
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut out = [0u8; N];
    fill(&mut out)?;
    Ok(out)
}
