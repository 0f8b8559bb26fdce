//! age files (C2SP age.md, version 1).
use std::io::{Read, Write};

use zeroize::Zeroizing;

use crate::base::{Error, Result};

mod keys;

pub use keys::{AgeIdentity, AgeRecipient};

/// The age file over `plain`, sealed to all `recipients`.
pub fn seal_bytes(recipients: &[&(dyn age::Recipient + Send)], plain: &[u8]) -> Result<Vec<u8>> {
    let failed = |_| Error::bug("an age file cannot be written");
    let encryptor = age::Encryptor::with_recipients(recipients.iter().map(|r| *r as _))
        .map_err(|_| Error::bug("an age file cannot be sealed to these recipients"))?;
    let mut out = Vec::new();
    let mut writer = encryptor.wrap_output(&mut out).map_err(failed)?;
    writer.write_all(plain).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}

/// The plaintext of an age file held in memory, of at most `most` bytes.
pub fn open_bytes(identity: &dyn age::Identity, sealed: &[u8], most: usize) -> Result<Zeroizing<Vec<u8>>> {
    let failed = || Error::damage("an age file is damaged", "Ask for it again.");
    let decryptor = age::Decryptor::new_buffered(sealed).map_err(|_| failed())?;
    let mut reader = decryptor
        .decrypt(std::iter::once(identity))
        .map_err(|_| Error::locked("not sealed to this identity", "Check who it was sealed to."))?
        .take(most as u64 + 1);
    let mut out = Zeroizing::new(Vec::new());
    reader.read_to_end(&mut out).map_err(|_| failed())?;
    if out.len() > most { Err(failed()) } else { Ok(out) }
}
