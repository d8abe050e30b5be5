//! Which expressions make a task, in which order, and how a row of them is read.

use entity::task::{Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait, IntoColumnRef};
use sea_orm::{ColumnTrait, DbErr, IdenStatic, QueryResult};
use seaworthy::sql::Dialect;

use super::{Scope, Shape, StoreError};
use crate::domain::{Feature, Instant, Priority, Task, UserId};

const TAGS_POSTGRES: &str = "(SELECT coalesce(json_agg(g.name), '[]')::text FROM task_tags l \
    JOIN tags g ON g.id = l.tag_id WHERE l.task_id = tasks.id)";
const TAGS_SQLITE: &str = "(SELECT json_group_array(g.name) FROM task_tags l \
    JOIN tags g ON g.id = l.tag_id WHERE l.task_id = tasks.id)";

/// How many expressions [`Scope::task_columns`] has.
pub(super) const TASK_COLUMNS: usize = 13;

/// Returns a column of `tasks`, or what it defaults to where the schema has no such column yet.
pub(super) fn column(shape: &Shape, column: Column) -> Expr {
    match (column, since(column)) {
        (_, Some((feature, default))) if !shape.has(feature) => Expr::cust(default),
        (Column::RecurrenceRule, _) => Expr::cust(rule(shape)),
        _ => Expr::col((Entity, column)),
    }
}

/// Returns the rule of a recurring task under whatever name it is there; see [`RULES`](super::shape::RULES).
fn rule(shape: &Shape) -> String {
    let names = shape.rule_names.iter();
    let names: Vec<String> = names.map(|name| format!("\"tasks\".\"{name}\"")).collect();
    match names.as_slice() {
        [one] => one.clone(),
        both => format!("coalesce({})", both.join(", ")),
    }
}

/// Whether the schema has a column of `tasks`.
pub(super) fn is_present(shape: &Shape, column: Column) -> bool {
    since(column).is_none_or(|(feature, _)| shape.has(feature))
}

/// Returns what brings a column, and what it defaults to before; nothing for those that were there from the first.
fn since(column: Column) -> Option<(Feature, &'static str)> {
    match column {
        Column::Priority => Some((Feature::Priority, "CAST('medium' AS varchar(20))")),
        Column::DueDate => Some((Feature::DueDate, "CAST(NULL AS timestamp)")),
        Column::DueOn => Some((Feature::DueDays, "CAST(NULL AS date)")),
        Column::DueZone => Some((Feature::DueDays, "CAST(NULL AS varchar(64))")),
        Column::RemindAt => Some((Feature::RemindAt, "CAST(NULL AS timestamp)")),
        Column::RecurrenceRule => Some((Feature::Recurrence, "CAST(NULL AS varchar(100))")),
        _ => None,
    }
}

impl Scope {
    /// Returns the expressions of a task, in the order that [`Scope::task`] reads them in, as one.
    pub(super) fn task_columns(&self) -> Expr {
        Expr::cust(self.written_columns().to_owned())
    }

    /// Returns [`Scope::task_columns`] as SQL.
    pub(super) fn written_columns(&self) -> &str {
        // Taking thirteen expressions apart costs more than the rest of most statements.
        let written = &self.shape.written.task_columns;
        written.get_or_init(|| task_columns(&self.shape, self.dialect()))
    }

    /// Reads rows of [`Scope::task_columns`].
    pub(super) fn read_tasks(&self, rows: &[QueryResult]) -> Result<Vec<Task>, StoreError> {
        let mut tasks = Vec::with_capacity(rows.len());
        for row in rows {
            tasks.push(self.task(row)?);
        }
        Ok(tasks)
    }

    /// Reads a row of [`Scope::task_columns`].
    pub(super) fn task(&self, row: &QueryResult) -> Result<Task, DbErr> {
        let names: String = row.try_get_by_index(8)?;
        let mut tags: Vec<String> =
            serde_json::from_str(&names).map_err(|error| DbErr::Json(error.to_string()))?;
        tags.sort();
        let priority: String = row.try_get_by_index(4)?;
        Ok(Task {
            id: row.try_get_by_index(0)?,
            user_id: self.owner.clone(),
            title: row.try_get_by_index(1)?,
            description: row.try_get_by_index(2)?,
            completed: row.try_get_by_index(3)?,
            // The table takes any word; an unknown one is as good as none.
            priority: Priority::parse(&priority).unwrap_or_default(),
            due_date: moment(row, 5)?,
            due_on: row.try_get_by_index(11)?,
            due_zone: row.try_get_by_index(12)?,
            remind_at: moment(row, 6)?,
            recurrence_pattern: row.try_get_by_index(7)?,
            tags,
            created_at: moment(row, 9)?,
            updated_at: moment(row, 10)?,
        })
    }
}

fn task_columns(shape: &Shape, dialect: Dialect) -> String {
    let column = |column: Column| match (column, since(column)) {
        (_, Some((feature, default))) if !shape.has(feature) => default.to_owned(),
        (Column::RecurrenceRule, _) => rule(shape),
        _ => format!("\"tasks\".\"{}\"", column.as_str()),
    };
    // See `time`.
    let time = |one: Column| match dialect {
        Dialect::Postgresql => format!("CAST({} AS timestamp)", column(one)),
        Dialect::Sqlite => column(one),
    };
    let tags = match (shape.has(Feature::Tags), dialect) {
        (false, _) => "CAST('[]' AS text)",
        (true, Dialect::Postgresql) => TAGS_POSTGRES,
        (true, Dialect::Sqlite) => TAGS_SQLITE,
    };
    let columns: [String; TASK_COLUMNS] = [
        column(Column::Id),
        column(Column::Title),
        column(Column::Description),
        column(Column::Completed),
        column(Column::Priority),
        time(Column::DueDate),
        time(Column::RemindAt),
        column(Column::RecurrenceRule),
        tags.to_owned(),
        time(Column::CreatedAt),
        time(Column::UpdatedAt),
        column(Column::DueOn),
        column(Column::DueZone),
    ];
    columns.join(", ")
}

/// Returns a column that holds a time, as [`moment`] reads it.
///
/// PostgreSQL's columns know no zone before phase XIII, and know one from then on. The session's is UTC, so that what is
/// read and written means the same in both; and a statement that asks for one type has the same answer after the columns
/// have got the other, when it is prepared already.
pub(super) fn time(column: impl IntoColumnRef, dialect: Dialect) -> Expr {
    let column = Expr::col(column);
    match dialect {
        Dialect::Postgresql => column.cast_as("timestamp"),
        Dialect::Sqlite => column,
    }
}

/// Reads a moment: UTC, without saying so.
pub(super) fn moment(row: &QueryResult, index: usize) -> Result<Option<Instant>, DbErr> {
    let stored: Option<chrono::NaiveDateTime> = row.try_get_by_index(index)?;
    Ok(stored.map(Instant::from_utc))
}

/// Returns what makes a task somebody's: part of every query.
pub(super) fn owned_by(owner: &UserId) -> Expr {
    Column::UserId.eq(owner.as_str())
}

/// Reads a moment of a column that knows its zone.
pub(super) fn zoned(row: &QueryResult, index: usize) -> Result<Instant, DbErr> {
    let stored: chrono::DateTime<chrono::Utc> = row.try_get_by_index(index)?;
    Ok(Instant::from(stored))
}
