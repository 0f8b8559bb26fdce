//! Progress: a trait that the library calls and the command line draws.

/// Told how far a long act has come. Cheap to call often, from any thread.
pub trait Progress: Sync {
    /// A step begins: what it is, and how many units it has (bytes, files, entries).
    fn begin(&self, what: &str, total: u64);
    /// So many units more are done.
    fn advance(&self, units: u64);
    /// The step is over.
    fn end(&self);
}

/// Shows nothing.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _total: u64) {}
    fn advance(&self, _units: u64) {}
    fn end(&self) {}
}
