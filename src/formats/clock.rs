//! Times within a recording, as people and subtitle files write them.

/// Milliseconds of `h:mm:ss`, `mm:ss` (each with `.mmm` or `,mmm`) or, if `bare`, of plain seconds; none if it is something else.
///
/// Minutes and seconds after the first part have two digits and are below 60; nothing above 1,000 hours.
pub(super) fn parse(text: &str, bare: bool) -> Option<u64> {
    let text = text.trim();
    let (whole, milliseconds) = match text.find(['.', ',']) {
        Some(at) => (&text[..at], fraction(&text[at + 1..])?),
        None => (text, 0),
    };
    let parts: Vec<&str> = whole.split(':').collect();
    if parts.len() > 3 || (parts.len() == 1 && !bare) || parts.iter().any(|p| !digits(p)) {
        return None;
    }
    if parts[1..].iter().any(|p| p.len() != 2) || parts[0].len() > 8 {
        return None;
    }
    let mut seconds = 0u64;
    for (i, part) in parts.iter().enumerate() {
        let value: u64 = part.parse().ok()?;
        if i > 0 && value > 59 {
            return None;
        }
        seconds = seconds * 60 + value;
    }
    (seconds <= 3_600_000).then_some(seconds * 1_000 + milliseconds)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn fraction(text: &str) -> Option<u64> {
    if !digits(text) || text.len() > 9 {
        return None;
    }
    format!("{text:0<3}")[..3].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, wanted) in [
            ("00:12:05", 725_000),
            ("12:05", 725_000),
            ("1:02:03.5", 3_723_500),
            ("00:00:01,250", 1_250),
            ("0:00", 0),
            ("100:00:00", 360_000_000),
            ("75:10", 4_510_000),
        ] {
            assert_eq!(parse(text, false), Some(wanted), "{text}");
        }
        assert_eq!(parse("83", true), Some(83_000));
        assert_eq!(parse("83.25", true), Some(83_250));
        for bad in [
            "",
            "83",
            "1:2",
            "1:60",
            "1:00:60",
            "a:00",
            "1:00:00:00",
            "-1:00",
            "1:00.",
            "1:00.x",
            "99999999:00:00",
            "1: 00",
            "١:٠٠",
        ] {
            assert_eq!(parse(bad, false), None, "{bad}");
        }
    }
}
