//! Months and billing periods, in UTC, and the names that their counters have.

use serde::Serialize;
use time::{Date, Month, OffsetDateTime};

/// The last second of the year 9999.
pub(crate) const LAST: i64 = 253_402_300_799;

/// A billing period in Unix seconds; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Period {
    /// Its first second.
    #[serde(rename = "periodStartUnix")]
    pub start: i64,
    /// Its last second.
    #[serde(rename = "periodEndUnix")]
    pub end: i64,
}

impl Period {
    /// Whether it ends after it begins, at a time that has a date.
    pub(crate) const fn is_valid(&self) -> bool {
        0 <= self.start && self.start < self.end && self.end <= LAST
    }
}

/// The year, and the month from 1 to 12.
pub(crate) fn month_of(now: i64) -> (i32, u8) {
    let time = OffsetDateTime::from_unix_timestamp(now.clamp(0, LAST)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (time.year(), time.month().into())
}

/// The calendar month that `now` is in.
pub(crate) fn month_around(now: i64) -> Period {
    let (year, month) = month_of(now);
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    Period { start: start_of(year, month), end: start_of(next.0, next.1) - 1 }
}

/// How many seconds the month has that `now` is in.
pub(crate) fn length_of_month(now: i64) -> i64 {
    let Period { start, end } = month_around(now);
    end - start + 1
}

fn start_of(year: i32, month: u8) -> i64 {
    let month = Month::try_from(month).unwrap_or(Month::January);
    // The year 10000 has no date here; its first second follows the last of 9999.
    Date::from_calendar_date(year, month, 1).map_or(LAST + 1, |date| date.midnight().assume_utc().unix_timestamp())
}

/// The part of a counter's name that says which month it counts.
pub(crate) fn month_key((year, month): (i32, u8)) -> String {
    format!("{year}:{month}")
}

/// The same of a billing period.
pub(crate) fn cycle_key(start: i64) -> String {
    format!("cycle:{start}")
}

/// The start of the billing period that a counter counts.
pub(crate) fn cycle_start(key: &str) -> Option<i64> {
    key.strip_prefix("cycle:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_and_end_where_the_calendar_has_them() {
        // 2024-02-29T23:59:59Z, 2025-12-31T23:59:59Z and a second later, by `date -u -d … +%s`.
        assert_eq!((month_of(1_709_251_199), month_of(1_709_251_200)), ((2024, 2), (2024, 3)));
        assert_eq!(month_around(1_709_251_199), Period { start: 1_706_745_600, end: 1_709_251_199 });
        assert_eq!(month_around(1_767_225_599), Period { start: 1_764_547_200, end: 1_767_225_599 });
        assert_eq!(month_of(1_767_225_600), (2026, 1));
        assert_eq!(month_around(LAST).end, LAST);
    }
}
