//! Verifying a whole ledger.
