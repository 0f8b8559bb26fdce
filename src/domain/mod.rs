//! Floor 3: the rules of the study. Pure.
