//! Moments: RFC 3339 with any offset or a bare date in, always `Z` out.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, Timelike, Utc};

use super::Zone;

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

/// A moment, or a day, which is another moment in each zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Moment(Instant),
    Day(NaiveDate),
}

impl When {
    /// Reads RFC 3339 or a bare date; nothing when it is neither or lies outside the years 1970 to 9999.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let when = Self::read(text)?;
        let is_supported = match when {
            Self::Moment(moment) => is_supported(moment.0.year()),
            Self::Day(day) => is_supported(day.year()),
        };
        is_supported.then_some(when)
    }

    /// Reads a bound of a range: what its own offset puts into the years 1970 to 9999 and UTC does not is as good as their end.
    pub(crate) fn parse_bound(text: &str) -> Option<Self> {
        let when = Self::read(text)?;
        let is_supported = is_supported(text.get(..4)?.parse().ok()?);
        is_supported.then(|| match when {
            Self::Moment(moment) => Self::Moment(moment.clamped()),
            day @ Self::Day(_) => day,
        })
    }

    /// Returns the moment that is meant in a zone, within the years 1970 to 9999.
    pub(crate) fn at(self, edge: DayEdge, zone: &Zone) -> Instant {
        let day = match self {
            Self::Moment(moment) => return moment,
            Self::Day(day) => day,
        };
        let next = || {
            day.succ_opt()
                .map_or(DateTime::<Utc>::MAX_UTC, |next| zone.first_of(next))
        };
        Instant(match edge {
            DayEdge::Start => zone.first_of(day),
            DayEdge::LastSecond => next() - chrono::TimeDelta::seconds(1),
            DayEdge::End => next(),
        })
        .clamped()
    }

    fn read(text: &str) -> Option<Self> {
        if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            // chrono also takes `2026-1-5`, which RFC 3339 does not.
            return (text.len() == 10).then_some(Self::Day(day));
        }
        let moment = DateTime::parse_from_rfc3339(text).ok()?;
        // chrono takes a sixtieth second anywhere, and databases know none.
        let is_known = moment.nanosecond() < 1_000_000_000;
        is_known.then(|| Self::Moment(Instant::from(moment.with_timezone(&Utc))))
    }
}

fn is_supported(year: i32) -> bool {
    (1970..=9999).contains(&year)
}

impl Instant {
    /// Reads RFC 3339; nothing when it is something else or lies outside the years 1970 to 9999. A bare date begins in UTC.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        When::parse(text).map(|when| when.at(DayEdge::Start, &Zone::UTC))
    }

    /// Returns the nearest moment within the years 1970 to 9999.
    fn clamped(self) -> Self {
        let last =
            NaiveDate::from_ymd_opt(9999, 12, 31).and_then(|day| day.and_hms_micro_opt(23, 59, 59, 999_999));
        let last = last.map_or(DateTime::<Utc>::MAX_UTC, |last| last.and_utc());
        Self(self.0.clamp(DateTime::UNIX_EPOCH, last))
    }

    /// Reads what the database keeps: a moment in UTC without saying so.
    pub(crate) fn from_utc(stored: NaiveDateTime) -> Self {
        Self::from(stored.and_utc())
    }

    /// Returns what the database keeps.
    pub(crate) fn to_utc(self) -> NaiveDateTime {
        self.0.naive_utc()
    }

    /// Returns the day in a zone that the moment is in.
    pub(crate) fn day_in(self, zone: &Zone) -> NaiveDate {
        zone.day_of(self.0)
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
        is_supported(moment.year()).then_some(Self(moment))
    }

    /// Returns the moment so many seconds later.
    pub(crate) fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + chrono::TimeDelta::seconds(seconds))
    }

    /// Returns the moment so many seconds later or earlier, within the years 1970 to 9999.
    pub(crate) fn shifted(self, seconds: i64) -> Self {
        let shifted = self.0.checked_add_signed(chrono::TimeDelta::seconds(seconds));
        Self(shifted.unwrap_or(self.0)).clamped()
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
        let when = When::parse(text)?;
        Some(when.at(DayEdge::LastSecond, &Zone::UTC).to_string())
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
    fn a_day_is_that_of_its_zone() {
        let edges = |day: &str, zone: &str| {
            let (day, zone) = (When::parse(day).unwrap(), Zone::named(zone).unwrap());
            [DayEdge::Start, DayEdge::LastSecond, DayEdge::End].map(|edge| day.at(edge, &zone).to_string())
        };
        for (day, zone, expected) in [
            // Thirteen hours ahead in summer, which is in December there.
            (
                "2026-12-24",
                "Pacific/Auckland",
                [
                    "2026-12-23T11:00:00Z",
                    "2026-12-24T10:59:59Z",
                    "2026-12-24T11:00:00Z",
                ],
            ),
            // Clocks go forward: a day of 23 hours; and back: one of 25.
            (
                "2026-03-08",
                "america/new_york",
                [
                    "2026-03-08T05:00:00Z",
                    "2026-03-09T03:59:59Z",
                    "2026-03-09T04:00:00Z",
                ],
            ),
            (
                "2026-11-01",
                "America/New_York",
                [
                    "2026-11-01T04:00:00Z",
                    "2026-11-02T04:59:59Z",
                    "2026-11-02T05:00:00Z",
                ],
            ),
            // There was no midnight: the day began at one.
            (
                "2018-11-04",
                "America/Sao_Paulo",
                [
                    "2018-11-04T03:00:00Z",
                    "2018-11-05T01:59:59Z",
                    "2018-11-05T02:00:00Z",
                ],
            ),
            // There was no such day west of the date line, which moved.
            (
                "2011-12-30",
                "Pacific/Apia",
                [
                    "2011-12-30T10:00:00Z",
                    "2011-12-30T09:59:59Z",
                    "2011-12-30T10:00:00Z",
                ],
            ),
            // The ends of the years, and the very last day, are those of UTC.
            (
                "9999-12-31",
                "Pacific/Honolulu",
                [
                    "9999-12-31T00:00:00Z",
                    "9999-12-31T23:59:59Z",
                    "9999-12-31T23:59:59.999999Z",
                ],
            ),
            (
                "1970-01-01",
                "Asia/Tokyo",
                [
                    "1970-01-01T00:00:00Z",
                    "1970-01-01T14:59:59Z",
                    "1970-01-01T15:00:00Z",
                ],
            ),
        ] {
            assert_eq!(edges(day, zone), expected, "{day} {zone}");
        }
    }

    #[test]
    fn today_is_that_of_its_zone() {
        for (now, zone, expected) in [
            ("2026-03-01T12:00:00Z", "UTC", "2026-03-01"),
            ("2026-03-01T12:00:00Z", "Pacific/Auckland", "2026-03-02"),
            ("2026-03-01T09:59:59Z", "Pacific/Honolulu", "2026-02-28"),
            ("2026-03-01T10:00:00Z", "Pacific/Honolulu", "2026-03-01"),
            ("2011-12-30T10:00:00Z", "Pacific/Apia", "2011-12-31"),
            ("9999-12-31T23:59:59Z", "Pacific/Kiritimati", "9999-12-31"),
        ] {
            let zone = Zone::named(zone).unwrap();
            let now = Instant::parse(now).unwrap();
            assert_eq!(now.day_in(&zone).to_string(), expected, "{zone:?}");
        }
    }

    #[test]
    fn a_zone_is_one_of_the_database() {
        assert_eq!(
            Zone::named("pacific/auckland").unwrap().name(),
            "Pacific/Auckland"
        );
        assert_eq!(Zone::UTC.name(), "UTC");
        for name in ["", "Middle/Earth", "+02:00", "UTC+2", "../etc/passwd"] {
            assert_eq!(Zone::named(name), None, "{name}");
        }
    }

    #[test]
    fn a_bound_at_the_end_of_the_years_is_their_end() {
        let bound = |text, edge| When::parse_bound(text).map(|when| when.at(edge, &Zone::UTC).to_string());
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
