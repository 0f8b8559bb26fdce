//! Floor 2: file formats, read and written. Pure: bytes or open streams come in, values go out; nothing here opens a path.
//!
//! Everything read here comes from outside and is taken as hostile: sizes, counts and nesting are bounded, and no error,
//! notice or `Debug` repeats a value out of a file. A place (file, line, column) says enough.

pub mod csv_out;
pub mod encoding;
pub mod fault;
pub mod manifest;
pub mod media;
pub mod package;
pub mod path;
pub mod table;
pub mod transcript;
pub mod turn;

mod archive;
mod clock;
mod xml;

pub use encoding::{Encoding, Taken};
pub use fault::Fault;
pub use manifest::Manifest;
pub use media::MediaInfo;
pub use path::DeliveryPath;
pub use table::Table;
pub use transcript::TranscriptFormat;
pub use turn::{TranscriptText, Turn, UnknownLabel};

pub(crate) use crate::base::text::hidden;
