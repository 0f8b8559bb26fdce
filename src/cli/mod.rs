//! Floor 6: arguments, words on the screen.
