//! Floor 2: file formats, read and written. Pure.
