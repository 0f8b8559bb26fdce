//! Floor 3: find what identifies. Text in, spans out.
