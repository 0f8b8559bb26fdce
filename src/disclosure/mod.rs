//! Floor 3: class sizes and suppression in tables. Pure.
