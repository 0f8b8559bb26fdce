//! Memory for secrets that the system keeps out of its swap space, as far as it allows.
//!
//! Locks do not nest: unlocking one address unlocks its whole page. So what is locked here has pages of its own, which it shares with nothing
//! else, and small secrets share pages that stay locked until the program ends.

use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroize;

/// The length of a small secret, in bytes.
pub(super) const SMALL: usize = 32;

/// How many pages are locked for small secrets at once, to begin with: together 1,024 of them on most machines. Half of what the strictest
/// of the usual limits allows (64 KiB), and taken before a database library asks for its share.
const FIRST_PAGES: usize = 8;

static POOL: Mutex<Pool> = Mutex::new(Pool { free: Vec::new(), locked: 0, refused: false });

/// Slots for small secrets. Only free ones are in here; all are zero.
struct Pool {
    free: Vec<&'static mut [u8; SMALL]>,
    locked: usize,
    refused: bool,
}

/// A place for a small secret, zero to begin with.
pub(super) enum Small {
    /// In memory that is locked.
    Locked(&'static mut [u8; SMALL]),
    /// In ordinary memory, where the system allows no more.
    Plain(Box<[u8; SMALL]>),
}

impl Small {
    /// A free place.
    pub(super) fn take() -> Self {
        let mut pool = pool();
        if pool.free.is_empty() {
            pool.grow();
        }
        pool.free.pop().map_or_else(|| Self::Plain(Box::default()), Self::Locked)
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8; SMALL] {
        match self {
            Self::Locked(bytes) => bytes,
            Self::Plain(bytes) => bytes,
        }
    }

    /// Its bytes, to be written.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8; SMALL] {
        match self {
            Self::Locked(bytes) => bytes,
            Self::Plain(bytes) => bytes,
        }
    }

    /// Wipes it and gives the place back.
    pub(super) fn give_back(&mut self) {
        self.bytes_mut().zeroize();
        if let Self::Locked(slot) = std::mem::replace(self, Self::Plain(Box::default())) {
            pool().free.push(slot);
        }
    }
}

impl Pool {
    /// Locks more pages. Where the system refuses, it is not asked again.
    fn grow(&mut self) {
        if self.refused {
            return;
        }
        let pages = if self.locked == 0 { FIRST_PAGES } else { 1 };
        let mut fresh = Pages::new(pages * region::page::size());
        let Some(guard) = fresh.lock.take() else {
            self.refused = true;
            return;
        };
        // Locked until the program ends: another secret may take the place of one that is gone.
        std::mem::forget(guard);
        self.locked += fresh.room;
        let bytes = Box::leak(std::mem::take(&mut fresh.bytes));
        let (slots, _) = bytes[fresh.start..fresh.start + fresh.room].as_chunks_mut::<SMALL>();
        self.free.extend(slots);
    }
}

/// Whole pages that hold one secret, zero to begin with.
pub(super) struct Pages {
    // Before the memory itself: it is dropped first.
    lock: Option<region::LockGuard>,
    bytes: Box<[u8]>,
    start: usize,
    room: usize,
}

impl Pages {
    /// Room for `bytes` bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let page = region::page::size();
        let room = bytes.max(1).next_multiple_of(page);
        let bytes = vec![0u8; room + page].into_boxed_slice();
        let start = bytes.as_ptr().align_offset(page).min(page);
        let lock = region::lock(bytes[start..].as_ptr(), room).ok();
        Self { lock, bytes, start, room }
    }

    /// The room.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.room]
    }

    /// The room, to be written.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.room]
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // Before the lock goes.
        self.bytes.zeroize();
    }
}

/// Locks the first pages for keys, so that it is known whether the system allows it. False if it does not, or has refused more since.
pub fn keeps_secrets() -> bool {
    let mut pool = pool();
    if pool.locked == 0 {
        pool.grow();
    }
    !pool.refused
}

fn pool() -> MutexGuard<'static, Pool> {
    // Nothing that holds the lock can leave the pool half changed.
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_zero_when_it_is_taken_and_when_it_is_given_back() {
        let mut one = Small::take();
        assert_eq!(one.bytes(), &[0; SMALL]);
        one.bytes_mut().fill(7);
        let mut two = Small::take();
        assert_eq!(two.bytes(), &[0; SMALL]);
        one.give_back();
        assert_eq!(one.bytes(), &[0; SMALL]);
        two.give_back();
        assert!(pool().free.iter().all(|slot| **slot == [0; SMALL]));
    }

    #[test]
    fn places_do_not_overlap_and_there_are_enough() {
        let mut all: Vec<Small> = (0..5_000).map(|_| Small::take()).collect();
        for (n, one) in (0u32..).zip(&mut all) {
            one.bytes_mut()[..4].copy_from_slice(&n.to_le_bytes());
        }
        for (n, one) in (0u32..).zip(&all) {
            assert_eq!(one.bytes()[..4], n.to_le_bytes());
        }
        all.iter_mut().for_each(Small::give_back);
    }

    #[test]
    fn pages_of_their_own() {
        let page = region::page::size();
        for bytes in [0, 1, page - 1, page, page + 1, 3 * page] {
            let mut pages = Pages::new(bytes);
            assert!(pages.bytes().len() >= bytes && pages.bytes().len().is_multiple_of(page));
            assert!((pages.bytes().as_ptr() as usize).is_multiple_of(page));
            pages.bytes_mut().fill(1);
        }
    }

    /// What the kernel says: the pages that secrets lie in are locked.
    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_has_the_pages_locked() {
        if !keeps_secrets() {
            return; // This machine allows no locked memory at all; `subrosa check` says so.
        }
        let (key, pages) = (Small::take(), Pages::new(100));
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        for address in [key.bytes().as_ptr() as usize, pages.bytes().as_ptr() as usize] {
            assert!(is_locked(&smaps, address), "not locked");
        }
        assert!(!is_locked(&smaps, smaps.as_ptr() as usize), "everything is locked");
    }

    /// Whether the mapping that holds an address has the flag `lo` (proc(5)).
    #[cfg(target_os = "linux")]
    fn is_locked(smaps: &str, address: usize) -> bool {
        let mut inside = false;
        for line in smaps.lines() {
            let first = line.split_whitespace().next().unwrap_or_default();
            if let Some((from, to)) = first.split_once('-')
                && let (Ok(from), Ok(to)) = (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16))
            {
                inside = (from..to).contains(&address);
            } else if inside && let Some(flags) = line.strip_prefix("VmFlags:") {
                return flags.split_whitespace().any(|flag| flag == "lo");
            }
        }
        false
    }
}
