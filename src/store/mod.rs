//! Floor 2: the only floor that names SQLite or the paths of a vault.
