//! When a task is due, as three members of a body say it: `due_date`, `due_on` and `due_zone`.

use chrono::NaiveDate;
use serde_json::Value;

use crate::domain::{DayEdge, Due, DueChange, DueDay, Rule, Violation, When, Zone};
use crate::http::codes::Code;
use crate::http::fields::text;
use crate::http::problem::{FieldProblem, Problem};

/// Puts together what three members say of when a task is due; nothing when they say nothing.
pub(super) fn due(
    date: Option<Option<When>>,
    on: Option<Option<NaiveDate>>,
    zone: Option<Option<Zone>>,
    caller: &Zone,
) -> Result<Option<DueChange>, Problem> {
    let named = zone.flatten();
    let in_zone = |day, is_required| DueDay {
        day,
        zone: named.clone().unwrap_or_else(|| caller.clone()),
        is_required,
    };
    let is_no_day = on == Some(None);
    let day = match (on.flatten(), date) {
        (Some(day), date) => {
            let due = in_zone(day, true);
            let is_same = date.flatten().is_none_or(|when| match when {
                When::Day(other) => other == day,
                When::Moment(moment) => moment.whole_second() == due.end(),
            });
            if !is_same {
                return Err(refused(
                    "due_date",
                    "this is not the end of the day in due_on: send one of the two, or due_zone with both",
                ));
            }
            Some(due)
        }
        (None, Some(Some(When::Day(day)))) if !is_no_day => Some(in_zone(day, named.is_some())),
        (None, _) => None,
    };
    if let Some(day) = day {
        return Ok(Some(DueChange::Set(Due::On(day))));
    }
    if named.is_some() {
        return Err(refused(
            "due_zone",
            "a time zone goes with a day: send due_on with it",
        ));
    }
    let moment = |when: When| when.at(DayEdge::LastSecond, caller);
    Ok(match (date, is_no_day) {
        (Some(Some(when)), true) => Some(DueChange::Set(Due::At(moment(when)))),
        (Some(Some(when)), false) => Some(DueChange::Set(Due::Then(moment(when)))),
        (Some(None), _) => Some(DueChange::Clear),
        (None, true) => Some(DueChange::ClearDay),
        (None, false) => None,
    })
}

fn refused(member: &str, detail: &str) -> Problem {
    let violation = Violation::new(Rule::Date, detail);
    let field = FieldProblem::in_body(format!("/{member}"), violation);
    Problem::of_fields(Code::Validation, vec![field])
}

/// Reads a moment or a day.
pub(super) fn when(value: &Value) -> Result<When, Violation> {
    let wrong = || {
        Violation::new(
            Rule::Date,
            "RFC 3339 with an offset, or a date, is wanted here (1970 to 9999)",
        )
    };
    text(Rule::Date, |text| When::parse(text).ok_or_else(wrong))(value)
}

/// Reads a day.
pub(super) fn day(value: &Value) -> Result<NaiveDate, Violation> {
    let wrong = || {
        Violation::new(
            Rule::Date,
            "a date is wanted here, such as 2026-12-24 (1970 to 9999)",
        )
    };
    text(Rule::Date, |text| match When::parse(text) {
        Some(When::Day(day)) => Ok(day),
        Some(When::Moment(_)) | None => Err(wrong()),
    })(value)
}

/// Reads a time zone.
pub(super) fn zone(value: &Value) -> Result<Zone, Violation> {
    text(Rule::General, time_zone)(value)
}

/// Reads the name of a time zone.
pub(in crate::http) fn time_zone(text: &str) -> Result<Zone, Violation> {
    Zone::named(text).ok_or_else(|| {
        Violation::new(
            Rule::General,
            "the name of a time zone of the IANA database is wanted here, such as Europe/Berlin",
        )
    })
}
