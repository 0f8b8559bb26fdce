//! Padmé padding (docs/format.md, section 4): a file's size says little about its length, at most 12 % is added.
//!
//! Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019(4), section 4.

/// The length that every shorter file is first brought to, in bytes.
pub const FLOOR: u64 = 65_536;

/// What is added after a file before it is sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Padding {
    /// Nothing: the size shows.
    None,
    /// Zero bytes up to [`padded_len`].
    Padme,
}

impl Padding {
    /// The length after padding of a file that is `len` bytes long.
    pub fn apply(self, len: u64) -> u64 {
        match self {
            Self::None => len,
            Self::Padme => padded_len(len),
        }
    }
}

/// The Padmé size of `len` bytes, [`FLOOR`] at least: with E = ⌊log₂ L⌋ and S = ⌊log₂ E⌋ + 1, L rounded up to a multiple of 2^(E−S).
/// `u64::MAX` where the multiple does not fit, 2 % below the end of the range.
pub fn padded_len(len: u64) -> u64 {
    let len = len.max(FLOOR);
    let e = len.ilog2();
    let s = e.ilog2() + 1;
    let mask = (1u64 << (e - s)) - 1;
    len.checked_add(mask).map_or(u64::MAX, |len| len & !mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_worked_out_by_hand() {
        // E = 16, S = 5: multiples of 2,048. E = 30, S = 5: of 33,554,432.
        for (len, padded) in [
            (0, 65_536),
            (1, 65_536),
            (65_536, 65_536),
            (65_537, 67_584),
            (100_000, 100_352),
            ((1 << 30) + 1, (1 << 30) + (1 << 25)),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(padded_len(len), padded, "{len}");
        }
        assert_eq!((Padding::None.apply(7), Padding::Padme.apply(7)), (7, 65_536));
    }

    proptest! {
        #[test]
        fn never_shorter_never_much_longer_and_settled(len in 0u64..(1 << 62)) {
            let padded = padded_len(len);
            prop_assert!(padded >= len.max(FLOOR));
            prop_assert!(padded - len.max(FLOOR) <= len.max(FLOOR) / 16);
            prop_assert_eq!(padded_len(padded), padded);
        }

        #[test]
        fn a_longer_file_never_gets_a_smaller_size(a in 0u64..(1 << 62), more in 0u64..(1 << 40)) {
            prop_assert!(padded_len(a) <= padded_len(a + more));
        }

        #[test]
        fn few_bits_of_the_length_remain(len in FLOOR..(1 << 62)) {
            let padded = padded_len(len);
            let e = padded.ilog2();
            prop_assert!(padded.trailing_zeros() + e.ilog2() + 1 >= e);
        }
    }
}
