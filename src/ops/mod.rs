//! Floor 5: one file a use case.
