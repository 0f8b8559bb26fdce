//! (see docs/format.md)
