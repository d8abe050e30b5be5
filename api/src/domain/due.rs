//! When a task is due: at a moment, or on a day, which ends at another moment in each zone; and ranges of both.

use chrono::{Days, NaiveDate};

use super::{DayEdge, Instant, When, Zone};

/// When something is to be due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// At a moment. What is due on a day that ends just then stays due on that day: a client that knows nothing of days sends
    /// back the moment that it was shown.
    Then(Instant),
    /// At a moment, and on no day.
    At(Instant),
    /// On a day.
    On(DueDay),
}

/// A day in a zone, on which something is to be due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DueDay {
    pub(crate) day: NaiveDate,
    pub(crate) zone: Zone,
    /// Whether a schema that knows no days is not to keep the end of the day instead.
    pub(crate) is_required: bool,
}

/// What to change of when a task is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DueChange {
    /// It is to be due then.
    Set(Due),
    /// It is not due any more.
    Clear,
    /// It is not due any more if that was a day; a moment stays.
    ClearDay,
}

/// Where a range of due dates begins: what is due then or later.
///
/// A day counts as one of whoever asks: their "today" is not over while theirs lasts, wherever the day was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DueFrom {
    pub(crate) moment: Instant,
    /// The day that the moment is in.
    pub(crate) day: NaiveDate,
}

/// Where a range of due dates ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DueUntil {
    /// The first moment that is not in it.
    pub(crate) moment: Instant,
    /// The last day that is in it: the last one that is over by the moment.
    pub(crate) last_day: NaiveDate,
}

impl Due {
    /// Returns the moment that is written for whoever knows of moments alone: a day is due until its last second.
    pub(crate) fn moment(&self) -> Instant {
        match self {
            Self::Then(moment) | Self::At(moment) => *moment,
            Self::On(day) => day.end(),
        }
    }
}

impl DueDay {
    /// Returns the last second of the day.
    pub(crate) fn end(&self) -> Instant {
        When::Day(self.day).at(DayEdge::LastSecond, &self.zone)
    }
}

impl DueChange {
    /// Returns what it is to be due at or on, if it is.
    pub(crate) fn wanted(&self) -> Option<&Due> {
        match self {
            Self::Set(due) => Some(due),
            Self::Clear | Self::ClearDay => None,
        }
    }
}

impl From<Option<Due>> for DueChange {
    fn from(due: Option<Due>) -> Self {
        due.map_or(Self::Clear, Self::Set)
    }
}

impl DueFrom {
    /// Begins at a moment, or with a day.
    pub(crate) fn new(when: When, zone: &Zone) -> Self {
        Self {
            moment: when.at(DayEdge::Start, zone),
            day: match when {
                When::Moment(moment) => moment.day_in(zone),
                When::Day(day) => day,
            },
        }
    }
}

impl DueUntil {
    /// Ends before a moment, or with a day.
    pub(crate) fn new(when: When, zone: &Zone) -> Self {
        Self {
            moment: when.at(DayEdge::End, zone),
            last_day: match when {
                When::Moment(moment) => moment.day_in(zone).pred_opt().unwrap_or(NaiveDate::MIN),
                When::Day(day) => day,
            },
        }
    }
}

/// Returns the day that is so many days after another one; the last one when there is none.
pub(super) fn days_after(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    fn end(day: &str, name: &str) -> String {
        let due = DueDay {
            day: day.parse().unwrap(),
            zone: zone(name),
            is_required: false,
        };
        due.end().to_string()
    }

    #[test]
    fn a_day_ends_with_its_last_second_in_its_zone() {
        for (day, zone, expected) in [
            ("2026-12-24", "UTC", "2026-12-24T23:59:59Z"),
            // The first and the last place on earth where a day ends.
            ("2026-12-24", "Pacific/Kiritimati", "2026-12-24T09:59:59Z"),
            ("2026-12-24", "Pacific/Pago_Pago", "2026-12-25T10:59:59Z"),
            // Clocks go forward, and back.
            ("2026-03-29", "Europe/Berlin", "2026-03-29T21:59:59Z"),
            ("2026-10-25", "Europe/Berlin", "2026-10-25T22:59:59Z"),
            // The midnight at the end is left out: the next day begins at one.
            ("2018-11-03", "America/Sao_Paulo", "2018-11-04T02:59:59Z"),
            ("2026-04-23", "Africa/Cairo", "2026-04-23T21:59:59Z"),
            // The hour before midnight comes twice; the day ends with the second one.
            ("2018-02-17", "America/Sao_Paulo", "2018-02-18T02:59:59Z"),
            ("2026-10-29", "Africa/Cairo", "2026-10-29T21:59:59Z"),
            // Half an hour of difference, and offsets in quarters.
            ("2026-10-03", "Australia/Lord_Howe", "2026-10-03T13:29:59Z"),
            ("2026-12-24", "Asia/Kathmandu", "2026-12-24T18:14:59Z"),
            // There was no 30th, so it was over when the 29th was.
            ("2011-12-29", "Pacific/Apia", "2011-12-30T09:59:59Z"),
            ("2011-12-30", "Pacific/Apia", "2011-12-30T09:59:59Z"),
            ("2011-12-31", "Pacific/Apia", "2011-12-31T09:59:59Z"),
            // The ends of the years that are taken.
            ("1970-01-01", "Pacific/Kiritimati", "1970-01-02T10:39:59Z"),
            ("9999-12-31", "Pacific/Kiritimati", "9999-12-31T23:59:59Z"),
            ("9999-12-31", "Pacific/Pago_Pago", "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(end(day, zone), expected, "{day} in {zone}");
        }
    }

    #[test]
    fn a_range_of_days_is_that_of_whoever_asks() {
        for (when, name, from, until) in [
            ("2026-03-02", "UTC", "2026-03-02", "2026-03-02"),
            ("2026-03-02", "Pacific/Kiritimati", "2026-03-02", "2026-03-02"),
            // It is noon there on the 2nd, and the 1st is over.
            (
                "2026-03-01T22:00:00Z",
                "Pacific/Kiritimati",
                "2026-03-02",
                "2026-03-01",
            ),
            (
                "2026-03-01T22:00:00Z",
                "Pacific/Pago_Pago",
                "2026-03-01",
                "2026-02-28",
            ),
            // Midnight begins a day, so that the one before is over.
            (
                "2026-03-01T10:00:00Z",
                "Pacific/Kiritimati",
                "2026-03-02",
                "2026-03-01",
            ),
            (
                "2026-03-01T09:59:59Z",
                "Pacific/Kiritimati",
                "2026-03-01",
                "2026-02-28",
            ),
            // There was no 30th; asked for by its name it is the 30th all the same.
            ("2011-12-30", "Pacific/Apia", "2011-12-30", "2011-12-30"),
            ("2011-12-30T10:00:00Z", "Pacific/Apia", "2011-12-31", "2011-12-30"),
            ("1970-01-01", "Pacific/Pago_Pago", "1970-01-01", "1970-01-01"),
            ("1970-01-01T00:00:00Z", "UTC", "1970-01-01", "1969-12-31"),
            ("9999-12-31", "Pacific/Kiritimati", "9999-12-31", "9999-12-31"),
        ] {
            let (zone, read) = (zone(name), When::parse(when).unwrap());
            let (first, last) = (DueFrom::new(read, &zone), DueUntil::new(read, &zone));
            assert_eq!(
                (first.day.to_string(), last.last_day.to_string()),
                (from.to_owned(), until.to_owned()),
                "{when} in {name}"
            );
        }
    }
}
