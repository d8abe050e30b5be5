//! When tasks are due, in SQL: what is written of a day, and which tasks are in a range.

use entity::task::Column;
use sea_orm::sea_query::{CaseStatement, DynIden, Expr, ExprTrait, IntoIden};
use sea_orm::{ColumnTrait, Condition};

use super::Shape;
use super::row::column;
use crate::domain::{Due, DueChange, DueDay, DueFrom, DueUntil, Feature};

/// How far the end of a day may be away from where somebody else has it: 26 hours between the zones of today, 31 with those of
/// before there were zones, and some for rules that change after a day was written.
const SLACK_SECONDS: i64 = 48 * 60 * 60;

/// Returns the columns that a change of an existing task writes, as far as the schema has them.
pub(super) fn changed(shape: &Shape, change: &DueChange) -> Vec<(DynIden, Expr)> {
    if !shape.has(Feature::DueDate) {
        return Vec::new();
    }
    if !shape.has(Feature::DueDays) {
        return match change {
            // There are no days.
            DueChange::ClearDay => Vec::new(),
            change => vec![due_date(moment(change.wanted()))],
        };
    }
    let none = || Expr::val(None::<String>);
    match change {
        DueChange::Clear => row(moment(None), no_day(), none()),
        DueChange::ClearDay => {
            let kept = Expr::case(Column::DueOn.is_null(), Expr::col(Column::DueDate));
            row(kept.into(), no_day(), none())
        }
        DueChange::Set(due @ Due::At(_)) => row(moment(Some(due)), no_day(), none()),
        DueChange::Set(due @ Due::Then(then)) => {
            let same = |column: Column| -> CaseStatement {
                Expr::case(Column::DueDate.eq(then.to_utc()), Expr::col(column))
            };
            row(
                moment(Some(due)),
                same(Column::DueOn).into(),
                same(Column::DueZone).into(),
            )
        }
        DueChange::Set(due @ Due::On(day)) => {
            // The rules of the zone may have changed since it was written. Another moment of the same day would look to the
            // database as if somebody had changed the moment alone.
            let is_same = Column::DueOn.eq(day.day).and(Column::DueZone.eq(day.zone.name()));
            let end = Expr::case(is_same, Expr::col(Column::DueDate)).finally(moment(Some(due)));
            row(end.into(), day.day.into(), day.zone.name().into())
        }
    }
}

/// Returns the columns that a new task has, as far as the schema has them.
pub(super) fn inserted(shape: &Shape, due: Option<&Due>) -> Vec<(DynIden, Expr)> {
    if !shape.has(Feature::DueDate) {
        return Vec::new();
    }
    if !shape.has(Feature::DueDays) {
        return vec![due_date(moment(due))];
    }
    let day: Option<&DueDay> = match due {
        Some(Due::On(day)) => Some(day),
        Some(Due::Then(_) | Due::At(_)) | None => None,
    };
    let zone = day.map(|day| day.zone.name().to_owned());
    row(moment(due), Expr::val(day.map(|day| day.day)), Expr::val(zone))
}

fn row(date: Expr, day: Expr, zone: Expr) -> Vec<(DynIden, Expr)> {
    vec![
        due_date(date),
        (Column::DueOn.into_iden(), day),
        (Column::DueZone.into_iden(), zone),
    ]
}

fn due_date(value: Expr) -> (DynIden, Expr) {
    (Column::DueDate.into_iden(), value)
}

fn moment(due: Option<&Due>) -> Expr {
    Expr::val(due.map(|due| due.moment().to_utc()))
}

fn no_day() -> Expr {
    Expr::val(None::<chrono::NaiveDate>)
}

/// Returns the condition that a task is due in a range or after it.
pub(super) fn is_from(shape: &Shape, from: &DueFrom) -> Condition {
    let due = || column(shape, Column::DueDate);
    let is_later = || due().gte(from.moment.to_utc());
    if !shape.has(Feature::DueDays) {
        return Condition::all().add(is_later());
    }
    // The first is what the index has in order.
    Condition::all()
        .add(due().gte(from.moment.shifted(-SLACK_SECONDS).to_utc()))
        .add(by_day(is_later(), day().gte(from.day)))
}

/// Returns the condition that a task is due in a range or before it.
pub(super) fn is_until(shape: &Shape, until: &DueUntil) -> Condition {
    let due = || column(shape, Column::DueDate);
    let is_earlier = || due().lt(until.moment.to_utc());
    if !shape.has(Feature::DueDays) {
        return Condition::all().add(is_earlier());
    }
    Condition::all()
        .add(due().lt(until.moment.shifted(SLACK_SECONDS).to_utc()))
        .add(by_day(is_earlier(), day().lte(until.last_day)))
}

/// Returns the condition that a task is not due in a range or before it.
pub(super) fn is_not_until(shape: &Shape, until: &DueUntil) -> Condition {
    let due = || column(shape, Column::DueDate);
    let is_later = due().gte(until.moment.to_utc());
    let is_due_later = match shape.has(Feature::DueDays) {
        false => Condition::all().add(is_later),
        true => by_day(is_later, day().gt(until.last_day)),
    };
    Condition::any().add(due().is_null()).add(is_due_later)
}

/// Returns a condition on the day of those tasks that have one, and on the moment of the others.
fn by_day(of_moment: Expr, of_day: Expr) -> Condition {
    Condition::any().add(day().is_null().and(of_moment)).add(of_day)
}

fn day() -> Expr {
    Expr::col((entity::task::Entity, Column::DueOn))
}
