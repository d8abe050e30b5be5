//! Moments: RFC 3339 with any offset or a bare date in, always `Z` out.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, Timelike, Utc};

/// A moment in UTC, to the microsecond, which is what PostgreSQL keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(DateTime<Utc>);

/// Which moment of its day a bare date stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DayEdge {
    /// Midnight, when the day begins.
    Start,
    /// Its last whole second: what is due on a day is not overdue during that day.
    LastSecond,
    /// The midnight that ends it.
    End,
}

impl Instant {
    /// Reads RFC 3339 or a bare date; nothing when it is neither or lies outside the years 1970 to 9999.
    pub(crate) fn parse(text: &str, edge: DayEdge) -> Option<Self> {
        Self::read(text, edge).filter(Self::is_supported)
    }

    /// Reads a bound of a range: what its own offset puts into the years 1970 to 9999 and UTC does not is as good as their end.
    pub(crate) fn parse_bound(text: &str, edge: DayEdge) -> Option<Self> {
        let first = DateTime::UNIX_EPOCH;
        let last = NaiveDate::from_ymd_opt(9999, 12, 31)?.and_hms_micro_opt(23, 59, 59, 999_999)?;
        let moment = Self::read(text, edge)?;
        matches!(text.get(..4)?.parse(), Ok(1970..=9999)).then(|| Self(moment.0.clamp(first, last.and_utc())))
    }

    fn read(text: &str, edge: DayEdge) -> Option<Self> {
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            // chrono also takes `2026-1-5`, which RFC 3339 does not.
            return (text.len() == 10).then(|| Self::of_day(date, edge))?;
        }
        let moment = DateTime::parse_from_rfc3339(text).ok()?;
        // chrono takes a sixtieth second anywhere, and databases know none.
        (moment.nanosecond() < 1_000_000_000).then(|| Self::from(moment.with_timezone(&Utc)))
    }

    /// Reads what the database keeps: a moment in UTC without saying so.
    pub(crate) fn from_utc(stored: NaiveDateTime) -> Self {
        Self::from(stored.and_utc())
    }

    /// Returns what the database keeps.
    pub(crate) fn to_utc(self) -> NaiveDateTime {
        self.0.naive_utc()
    }

    /// Returns the midnight in UTC that begins the day, `days` later.
    pub(crate) fn midnight(self, days: u64) -> Self {
        let day = self.0.date_naive();
        let day = day.checked_add_days(Days::new(days)).unwrap_or(day);
        Self(day.and_time(NaiveTime::MIN).and_utc())
    }

    /// Returns five in the afternoon of the day that is so many days away.
    pub(crate) fn plus_days(self, days: i64) -> Self {
        let day = self.0.date_naive() + chrono::TimeDelta::days(days);
        Self(day.and_time(NaiveTime::MIN).and_utc() + chrono::TimeDelta::hours(17))
    }

    /// Reads seconds since 1970; nothing when that is no year of ours.
    pub(crate) fn at_second(seconds: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the cast saturates, and then it is no year of ours"
        )]
        let moment = DateTime::from_timestamp(seconds as i64, 0)?;
        Some(Self(moment)).filter(Self::is_supported)
    }

    /// Returns the moment so many seconds later.
    pub(crate) fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + chrono::TimeDelta::seconds(seconds))
    }

    /// Returns the moment for a column that knows its zone.
    pub(crate) fn to_zoned(self) -> DateTime<Utc> {
        self.0
    }

    /// Returns the hour that the moment is in.
    pub(crate) fn hour(self) -> Self {
        self.plus_seconds(-self.seconds().rem_euclid(3600)).whole_second()
    }

    /// Returns the second that the moment is in.
    pub(crate) fn whole_second(self) -> Self {
        Self(self.0.trunc_subsecs(0))
    }

    /// Returns the seconds since 1970.
    pub(crate) fn seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// Returns the microseconds since 1970.
    pub(crate) fn microseconds(self) -> i64 {
        self.0.timestamp_micros()
    }

    fn of_day(date: NaiveDate, edge: DayEdge) -> Option<Self> {
        let moment = match edge {
            DayEdge::Start => date.and_time(NaiveTime::MIN),
            DayEdge::LastSecond => date.and_hms_opt(23, 59, 59)?,
            DayEdge::End => date.succ_opt()?.and_time(NaiveTime::MIN),
        };
        Some(Self(moment.and_utc()))
    }

    fn is_supported(&self) -> bool {
        use chrono::Datelike;
        (1970..=9999).contains(&self.0.year())
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.trunc_subsecs(6))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}",
            self.0.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Instant::parse(text, DayEdge::LastSecond).map(|instant| instant.to_string())
    }

    #[test]
    fn any_offset_comes_out_as_z() {
        assert_eq!(
            shown("2026-03-01T09:00:00+02:00").unwrap(),
            "2026-03-01T07:00:00Z"
        );
        assert_eq!(
            shown("2026-03-01T09:00:00.1234567Z").unwrap(),
            "2026-03-01T09:00:00.123456Z"
        );
    }

    #[test]
    fn a_bare_date_is_its_last_second() {
        assert_eq!(shown("2026-03-01").unwrap(), "2026-03-01T23:59:59Z");
    }

    #[test]
    fn a_bound_at_the_end_of_the_years_is_their_end() {
        let bound = |text, edge| Instant::parse_bound(text, edge).map(|instant| instant.to_string());
        for (text, edge, expected) in [
            ("9999-12-31", DayEdge::End, "9999-12-31T23:59:59.999999Z"),
            ("1970-01-01", DayEdge::Start, "1970-01-01T00:00:00Z"),
            (
                "1970-01-01T00:00:00+05:00",
                DayEdge::Start,
                "1970-01-01T00:00:00Z",
            ),
            (
                "9999-12-31T23:00:00-05:00",
                DayEdge::Start,
                "9999-12-31T23:59:59.999999Z",
            ),
        ] {
            assert_eq!(bound(text, edge).as_deref(), Some(expected), "{text}");
        }
        for text in ["1969-12-31", "0001-01-01", "+12026-01-01T00:00:00Z", ""] {
            assert_eq!(bound(text, DayEdge::Start), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2026-02-30",
            "2026-3-1",
            "2026-03-01T09:00:00",
            "0001-01-01",
            "+12026-01-01T00:00:00Z",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
