//! The chunks of an age file on all cores: every worker reads a group of chunks in its turn, seals or opens it, and hashes and
//! writes it in its turn. Memory is one group a worker, however long the file.

use std::io::{self, ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use zeroize::Zeroize;

use super::header::PayloadKey;
use super::{CHUNK, SEALED, TAG};
use crate::base::progress::Progress;
use crate::base::{Error, Result};

/// Chunks in a group: 1 MiB.
pub(super) const GROUP: usize = 16;

/// What is done with the chunks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Seal,
    Open,
}

/// How it is done.
pub(super) struct Plan<'a> {
    pub(super) act: Act,
    pub(super) key: &'a PayloadKey,
    /// Workers, the caller's thread among them.
    pub(super) threads: NonZeroUsize,
    /// Chunks in a group, 1 to [`GROUP`]: fewer for what is known to be small.
    pub(super) chunks: usize,
    /// Opening: how many bytes of plaintext are written at most.
    pub(super) limit: u64,
    /// Told of bytes of plaintext.
    pub(super) progress: &'a dyn Progress,
}

/// What came of it.
pub(super) struct Done<R> {
    pub(super) source: R,
    pub(super) hasher: Option<blake3::Hasher>,
    /// Bytes that went through, before the limit: sealed when sealing, plaintext when opening.
    pub(super) made: u64,
    /// Bytes written.
    pub(super) written: u64,
}

/// Reads `source` to its end, writes `sink`, and hashes what is written if there is a `hasher`. The first fault in the order of the file
/// ends it; everything before that has then been written, nothing after.
pub(super) fn run<R: Read + Send, W: Write + Send>(
    plan: &Plan<'_>,
    source: R,
    sink: W,
    hasher: Option<blake3::Hasher>,
) -> Result<Done<R>> {
    let line = Line {
        plan,
        hashed: hasher.is_some(),
        intake: Mutex::new(Intake { source, next: 0, carry: None, ended: false }),
        hash: Turnstile::new(hasher),
        outlet: Turnstile::new(Outlet { sink, left: plan.limit, made: 0, written: 0, fault: None }),
    };
    let mut first = Group::new(plan.chunks);
    line.fill(&mut first);
    if first.last || first.fault.is_some() {
        line.work(Some(first));
    } else {
        thread::scope(|scope| {
            for _ in 1..plan.threads.get() {
                // Where no further thread can be had, fewer do the work.
                let _ = thread::Builder::new().spawn_scoped(scope, || line.work(None));
            }
            line.work(Some(first));
        });
    }
    let Outlet { mut sink, made, written, fault, .. } = line.outlet.into_inner();
    if let Some(fault) = fault {
        return Err(fault);
    }
    sink.flush().map_err(|e| plan.write_failed(&e))?;
    let source = line.intake.into_inner().unwrap_or_else(PoisonError::into_inner).source;
    Ok(Done { source, hasher: line.hash.into_inner(), made, written })
}

impl Plan<'_> {
    fn read_failed(&self, error: &io::Error) -> Error {
        match (self.act, error.kind()) {
            (Act::Seal, _) => Error::io("read the file to be sealed", error),
            // What a de-armoring reader says of bad armor.
            (Act::Open, ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => damaged(),
            (Act::Open, _) => Error::io("read the sealed file", error),
        }
    }

    fn write_failed(&self, error: &io::Error) -> Error {
        match self.act {
            Act::Seal => Error::io("write the sealed file", error),
            Act::Open => Error::io("write the opened file", error),
        }
    }
}

/// Said of chunks that do not hold.
pub(super) fn damaged() -> Error {
    Error::damage("the sealed file is damaged or cut off", "Take another copy of it, or ask for it again.")
}

/// Some chunks that stand one after the other, in a buffer that is used again and again.
struct Group {
    buf: Vec<u8>,
    /// How far the buffer was ever filled; so far it is wiped when dropped.
    used: usize,
    /// Which group of the file it is.
    number: u64,
    chunks: usize,
    /// Bytes in the last chunk.
    tail: usize,
    /// Whether it is the last of the file.
    last: bool,
    /// Bytes to be written, from the front of the buffer.
    out: usize,
    fault: Option<Error>,
}

impl Group {
    fn new(chunks: usize) -> Self {
        let buf = vec![0; chunks.clamp(1, GROUP) * SEALED];
        Self { buf, used: 0, number: 0, chunks: 0, tail: 0, last: false, out: 0, fault: None }
    }

    fn most(&self) -> usize {
        self.buf.len() / SEALED
    }

    fn turn(&mut self, act: Act, key: &PayloadKey) {
        self.out = 0;
        for i in 0..self.chunks {
            let number = self.number * self.most() as u64 + i as u64;
            let in_group_last = i + 1 == self.chunks;
            let last = self.last && in_group_last;
            let done = match act {
                Act::Seal => self.seal(key, i, number, last, if in_group_last { self.tail } else { CHUNK }),
                Act::Open => self.open(key, i, number, last, if in_group_last { self.tail } else { SEALED }),
            };
            if let Err(fault) = done {
                self.fault = Some(fault);
                return;
            }
        }
    }

    fn seal(&mut self, key: &PayloadKey, i: usize, number: u64, last: bool, len: usize) -> Result<()> {
        let start = i * SEALED;
        let (chunk, rest) = self.buf[start..].split_at_mut(len);
        let tag = key.seal(number, last, chunk).ok_or_else(|| Error::bug("a chunk cannot be sealed"))?;
        rest[..TAG].copy_from_slice(&tag);
        self.out = start + len + TAG;
        Ok(())
    }

    /// Each plaintext is moved up to the one before it, so that the group is written in one go.
    fn open(&mut self, key: &PayloadKey, i: usize, number: u64, last: bool, len: usize) -> Result<()> {
        let (to, from) = (i * CHUNK, i * SEALED);
        if len < TAG || (len == TAG && number > 0) {
            return Err(damaged());
        }
        let space = &mut self.buf[to..from + len];
        // A full chunk at the end of a file that was cut between two chunks holds, but not as the last one.
        let spare = (last && len == SEALED).then(|| space[from - to..].to_vec());
        if let Some(plain) = key.open(number, last, space, from - to) {
            self.out = to + plain;
            return Ok(());
        }
        if let Some(spare) = spare {
            space[..SEALED].copy_from_slice(&spare);
            if let Some(plain) = key.open(number, false, &mut space[..SEALED], 0) {
                self.out = to + plain;
            }
        }
        Err(damaged())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.buf[..self.used].zeroize();
    }
}

struct Intake<R> {
    source: R,
    next: u64,
    /// The byte read ahead to know whether the file goes on.
    carry: Option<u8>,
    ended: bool,
}

impl<R: Read> Intake<R> {
    fn fill(&mut self, group: &mut Group, unit: usize) -> io::Result<()> {
        (group.chunks, group.tail, group.last) = (0, unit, false);
        for i in 0..group.most() {
            let slot = &mut group.buf[i * SEALED..i * SEALED + unit];
            let mut filled = 0;
            if let Some(byte) = self.carry.take() {
                slot[0] = byte;
                filled = 1;
            }
            filled += read_full(&mut self.source, &mut slot[filled..])?;
            group.used = group.used.max(i * SEALED + filled);
            if filled == 0 && (i > 0 || group.number > 0) {
                self.ended = true;
                break;
            }
            (group.chunks, group.tail) = (i + 1, filled);
            if filled < unit {
                self.ended = true;
                break;
            }
        }
        if !self.ended {
            let mut byte = [0];
            match read_full(&mut self.source, &mut byte)? {
                0 => self.ended = true,
                _ => self.carry = Some(byte[0]),
            }
        }
        group.last = self.ended;
        Ok(())
    }
}

/// Reads until `out` is full or the source ends.
pub(super) fn read_full(source: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match source.read(&mut out[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

struct Outlet<W> {
    sink: W,
    left: u64,
    made: u64,
    written: u64,
    fault: Option<Error>,
}

struct Line<'a, R, W> {
    plan: &'a Plan<'a>,
    hashed: bool,
    intake: Mutex<Intake<R>>,
    hash: Turnstile<Option<blake3::Hasher>>,
    outlet: Turnstile<Outlet<W>>,
}

impl<R: Read, W: Write> Line<'_, R, W> {
    /// Reads the next group; `false` when there is none.
    fn fill(&self, group: &mut Group) -> bool {
        let mut intake = lock(&self.intake);
        if intake.ended {
            return false;
        }
        group.number = intake.next;
        intake.next += 1;
        let unit = if self.plan.act == Act::Seal { CHUNK } else { SEALED };
        if let Err(e) = intake.fill(group, unit) {
            // The chunks read in full before it go on; none of them is taken for the last.
            intake.ended = true;
            group.fault = Some(self.plan.read_failed(&e));
            group.used = group.buf.len();
        }
        true
    }

    /// Takes the group that was read, if any, and all that can be had after it, to the end.
    fn work(&self, first: Option<Group>) {
        let _guard = StopOnPanic(self);
        let mut filled = first.is_some();
        let mut group = first.unwrap_or_else(|| Group::new(self.plan.chunks));
        while filled || self.fill(&mut group) {
            filled = false;
            group.turn(self.plan.act, self.plan.key);
            let out = &group.buf[..group.out];
            if self.hashed {
                let hashed = self.hash.in_turn(group.number, |hasher| {
                    if let Some(hasher) = hasher {
                        hasher.update(out);
                    }
                });
                if hashed.is_none() {
                    return;
                }
            }
            let fault = group.fault.take();
            let went_well = self.outlet.in_turn(group.number, |outlet| {
                let count = outlet.left.min(out.len() as u64);
                let written = outlet.sink.write_all(&out[..count as usize]);
                outlet.left -= count;
                outlet.made += out.len() as u64;
                outlet.written += count;
                outlet.fault = written.err().map(|e| self.plan.write_failed(&e)).or(fault);
                outlet.fault.is_none()
            });
            if went_well != Some(true) {
                return self.stop();
            }
            let tags = if self.plan.act == Act::Seal { group.chunks * TAG } else { 0 };
            self.plan.progress.advance((group.out - tags) as u64);
        }
    }

    fn stop(&self) {
        lock(&self.intake).ended = true;
        self.hash.close();
        self.outlet.close();
    }
}

/// Lets the others go when a worker panics, in a caller's source or sink: they would wait for its turn for ever.
struct StopOnPanic<'a, 'b, R: Read, W: Write>(&'a Line<'b, R, W>);

impl<R: Read, W: Write> Drop for StopOnPanic<'_, '_, R, W> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

/// A thing that is used by one after the other, in the order of their numbers.
struct Turnstile<T> {
    state: Mutex<Turn<T>>,
    moved: Condvar,
}

struct Turn<T> {
    next: u64,
    closed: bool,
    inner: T,
}

impl<T> Turnstile<T> {
    fn new(inner: T) -> Self {
        Self { state: Mutex::new(Turn { next: 0, closed: false, inner }), moved: Condvar::new() }
    }

    /// Waits for the turn of `number`, then does `act`; `None` once it is closed.
    fn in_turn<O>(&self, number: u64, act: impl FnOnce(&mut T) -> O) -> Option<O> {
        let waiting = lock(&self.state);
        let mut turn = self
            .moved
            .wait_while(waiting, |turn| !turn.closed && turn.next != number)
            .unwrap_or_else(PoisonError::into_inner);
        if turn.closed {
            return None;
        }
        let out = act(&mut turn.inner);
        turn.next += 1;
        drop(turn);
        self.moved.notify_all();
        Some(out)
    }

    fn close(&self) {
        lock(&self.state).closed = true;
        self.moved.notify_all();
    }

    fn into_inner(self) -> T {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).inner
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
