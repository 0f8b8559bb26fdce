//! What transcripts are packed with before they are sealed: raw DEFLATE (RFC 1951). Words shrink to a half or less, and so do
//! the pages that SQLCipher seals, that are written, synced and read again.

use std::cell::RefCell;
use std::io::Read;

use flate2::read::DeflateDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};
use zeroize::Zeroizing;

use crate::base::{Error, Result};

/// The most bytes that a column may unpack to. A transcript has at most 20 MB of words in 200,000 turns; as JSON that stays below this.
const MOST: u64 = 96 << 20;

/// The quickest: to look harder for what was said before takes longer than the pages that it saves.
const LEVEL: Compression = Compression::fast();

thread_local! {
    /// The packer's tables are a third of a megabyte, and take longer to make than a transcript to pack. Begun afresh for each.
    static PACKER: RefCell<Compress> = RefCell::new(Compress::new(LEVEL, false));
}

/// Packs `plain`.
pub(super) fn pack(plain: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let bug = || Error::bug("a row cannot be packed");
    PACKER.with_borrow_mut(|packer| {
        packer.reset();
        let mut out = Zeroizing::new(Vec::with_capacity(plain.len() / 2 + 64));
        loop {
            let taken = usize::try_from(packer.total_in()).map_err(|_| bug())?;
            let rest = plain.get(taken..).ok_or_else(bug)?;
            match packer.compress_vec(rest, &mut out, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => return Ok(out),
                Ok(Status::Ok | Status::BufError) => {
                    let room = out.capacity();
                    out.reserve(room);
                }
                Err(_) => return Err(bug()),
            }
        }
    })
}

/// Unpacks what [`pack`] packed.
pub(super) fn unpack(packed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let damaged =
        || Error::damage("a row of the catalogue has an unknown form", "Use the version of Subrosa that wrote it.");
    let mut out = Zeroizing::new(Vec::with_capacity(packed.len().saturating_mul(4)));
    DeflateDecoder::new(packed).take(MOST + 1).read_to_end(&mut out).map_err(|_| damaged())?;
    if out.len() as u64 > MOST { Err(damaged()) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacks_what_was_packed_and_nothing_too_long() {
        for plain in [&b""[..], b"a", "Так и записали. ".repeat(5_000).as_bytes()] {
            assert_eq!(&unpack(&pack(plain).unwrap()).unwrap()[..], plain);
        }
        assert!(pack("Так и записали. ".repeat(5_000).as_bytes()).unwrap().len() < 5_000);
        assert!(unpack(&pack(&vec![0; MOST as usize]).unwrap()).is_ok());
        assert!(unpack(&pack(&vec![0; MOST as usize + 1]).unwrap()).is_err());
        assert!(unpack(b"\x07no deflate").is_err());
        let packed = pack(b"words that are cut off").unwrap();
        assert!(unpack(&packed[..packed.len() - 3]).is_err());
    }
}
