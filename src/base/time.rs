//! Time: moments in UTC to the second, and civil dates.

use std::fmt;
use std::str::FromStr;

use super::error::{Error, Result};
use super::text::as_text;

/// A moment: whole seconds since 1970-01-01T00:00:00Z, shown as `2026-11-23T09:30:00Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// A civil date, shown as `2026-11-23`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(jiff::civil::Date);

/// Where the time comes from. The library never reads a clock by itself.
pub trait Clock: Send + Sync {
    /// The moment now.
    fn now(&self) -> Moment;
}

/// The clock of the machine.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment(jiff::Timestamp::now().as_second())
    }
}

impl Clock for Moment {
    fn now(&self) -> Moment {
        *self
    }
}

impl Moment {
    /// The earliest and latest second that can be written with four digits for the year, up to the end of 9998.
    const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_370_764_799;

    /// From seconds since 1970, in the years 1 to 9998.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        Self::RANGE.contains(&seconds).then_some(Self(seconds))
    }

    /// Seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The date in UTC.
    pub fn date(self) -> Date {
        Date(self.zoned().date())
    }

    /// This moment and `days` more (fewer, if negative), kept within range.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        let seconds = self.0.saturating_add(days.saturating_mul(86_400));
        Self(seconds.clamp(*Self::RANGE.start(), *Self::RANGE.end()))
    }

    fn zoned(self) -> jiff::Zoned {
        let stamp = jiff::Timestamp::from_second(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        stamp.to_zoned(jiff::tz::TimeZone::UTC)
    }
}

impl Date {
    /// From year (1 to 9998), month and day.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        if !(1..=9998).contains(&year) {
            return None;
        }
        jiff::civil::Date::new(year, month, day).ok().map(Self)
    }

    /// The year, 1 to 9998.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month, 1 to 12.
    pub fn month(self) -> i8 {
        self.0.month()
    }

    /// The day, 1 to 31.
    pub fn day(self) -> i8 {
        self.0.day()
    }

    /// The first second of the day, in UTC.
    pub fn start(self) -> Moment {
        let days = (self.0 - jiff::civil::date(1970, 1, 1)).get_days();
        Moment(i64::from(days) * 86_400)
    }

    /// The last second of the day, in UTC.
    pub fn end(self) -> Moment {
        Moment(self.start().0 + 86_399)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.zoned().strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }
}

impl FromStr for Moment {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::user("a time is not of the form 2026-11-23T09:30:00Z", "Write it in UTC, to the second.");
        if text.len() != 20 || !text.ends_with('Z') {
            return Err(bad());
        }
        let stamp: jiff::Timestamp = text.parse().map_err(|_| bad())?;
        let moment = Self::from_seconds(stamp.as_second()).ok_or_else(bad)?;
        if moment.to_string() == text { Ok(moment) } else { Err(bad()) }
    }
}

impl FromStr for Date {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::user("a date is not of the form 2026-11-23", "Write year, month and day with dashes.");
        let mut parts = text.splitn(3, '-');
        let mut part = |len: usize| parts.next().filter(|p| p.len() == len && p.bytes().all(|b| b.is_ascii_digit()));
        let (Some(y), Some(m), Some(d)) = (part(4), part(2), part(2)) else { return Err(bad()) };
        let parsed = (y.parse(), m.parse(), d.parse());
        let (Ok(y), Ok(m), Ok(d)) = parsed else { return Err(bad()) };
        Self::new(y, m, d).ok_or_else(bad)
    }
}

macro_rules! shown_as_text {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        as_text!($name);
    };
}
shown_as_text!(Moment);
shown_as_text!(Date);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_back() {
        for text in ["1970-01-01T00:00:00Z", "2026-11-23T09:30:00Z", "9998-12-31T23:59:59Z"] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        for bad in ["2026-11-23", "2026-11-23T09:30:00+00", "2026-02-30T00:00:00Z", "2026-11-23 09:30:00Z"] {
            assert!(bad.parse::<Moment>().is_err(), "{bad}");
        }
    }

    #[test]
    fn dates_read_back_and_have_a_start_and_an_end() {
        let date: Date = "2024-02-29".parse().unwrap();
        assert_eq!(date.to_string(), "2024-02-29");
        assert_eq!(date.start().to_string(), "2024-02-29T00:00:00Z");
        assert_eq!(date.end().to_string(), "2024-02-29T23:59:59Z");
        assert_eq!(date.end().date(), date);
        for bad in ["2023-02-29", "29.02.2024", "2024-2-29", "0000-01-01", "+024-02-02"] {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
    }
}
