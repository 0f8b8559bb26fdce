//! Floor 4: the vault, locked and unlocked; load, and commit: the one write path.
