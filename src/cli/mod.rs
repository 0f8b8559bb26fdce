//! Floor 6: arguments, words on the screen.

pub mod detect;
