//! `subrosa redact detect`: what the engine finds in texts, without a vault.
