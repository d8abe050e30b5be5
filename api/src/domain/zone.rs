//! The time zone whose days somebody means.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A zone of the IANA database; UTC unless somebody names another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Zone(Option<TimeZone>);

impl Zone {
    /// The zone of days that nobody says anything of.
    pub(crate) const UTC: Self = Self(None);

    /// Takes a name of the database in any case, as in `Pacific/Auckland`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        zone.iana_name().is_some().then_some(Self(Some(zone)))
    }

    /// Returns the name as the database spells it.
    pub(crate) fn name(&self) -> &str {
        self.0.as_ref().and_then(TimeZone::iana_name).unwrap_or("UTC")
    }

    /// Returns the first moment of a day: the first after midnight that there is, where clocks go forward over it.
    pub(super) fn first_of(&self, day: NaiveDate) -> DateTime<Utc> {
        let in_utc = day.and_time(NaiveTime::MIN).and_utc();
        let Some(zone) = &self.0 else {
            return in_utc;
        };
        // jiff knows no moments of the very last day of the year 9999, and none after it.
        civil(day)
            .and_then(|day| day.to_zoned_datetime(zone.clone()).ok())
            .and_then(|first| DateTime::from_timestamp(first.timestamp().as_second(), 0))
            .unwrap_or(in_utc)
    }

    /// Returns the day that a moment is in.
    pub(super) fn day_of(&self, moment: DateTime<Utc>) -> NaiveDate {
        let in_utc = moment.date_naive();
        let Some(zone) = &self.0 else {
            return in_utc;
        };
        let Ok(moment) = jiff::Timestamp::from_second(moment.timestamp()) else {
            return in_utc;
        };
        let day = moment.to_zoned_datetime(zone.clone()).date();
        let (month, of_month) = (day.month().unsigned_abs(), day.day().unsigned_abs());
        NaiveDate::from_ymd_opt(day.year().into(), month.into(), of_month.into()).unwrap_or(in_utc)
    }
}

fn civil(day: NaiveDate) -> Option<Date> {
    let year = i16::try_from(day.year()).ok()?;
    let (month, of_month) = (i8::try_from(day.month()).ok()?, i8::try_from(day.day()).ok()?);
    Date::new(year, month, of_month).ok()
}
