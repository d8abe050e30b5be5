//! Filters and orders as conditions, where a missing column behaves as its default.

use entity::task::{Column, Entity};
use sea_orm::sea_query::extension::postgres::PgExpr;
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr, NullOrdering, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, QueryResult, sea_query};

use super::row::{column, owned_by};
use super::tags::folded_name;
use super::{Scope, Shape, StoreError};
use crate::domain::{
    Cursor, CursorValue, Direction, Feature, Instant, Page, Priority, SortKey, SortTerm, TagName, TagsMatch,
    Task, TaskFilter, TaskQuery,
};

impl Scope {
    /// Returns a page of the owner's tasks.
    pub(crate) async fn tasks(&self, query: &TaskQuery, now: Instant) -> Result<Page<Task>, StoreError> {
        let runner = self.runner();
        let condition =
            || conditions(&self.shape, runner.is_postgres(), &query.filter, now).add(owned_by(&self.owner));
        let counting = || {
            Query::select()
                .expr(Func::count(Expr::col((Entity, Column::Id))))
                .from(Entity)
                .cond_where(condition())
                .to_owned()
        };
        let mut select = Query::select();
        for expression in self.task_columns(runner.is_postgres()) {
            select.expr(expression);
        }
        if query.with_total {
            // Inside, `tasks` is the inner one.
            select.expr(Expr::from(counting()));
        }
        select.from(Entity).cond_where(condition()).limit(query.limit + 1);
        if query.skip > 0 {
            select.offset(query.skip);
        }
        if let Some(cursor) = &query.after {
            select.cond_where(after(&self.shape, &query.sort, cursor));
        }
        order(&mut select, &self.shape, &query.sort);

        let rows = runner.all(&select).await?;
        let mut tasks = Vec::with_capacity(rows.len());
        for row in &rows {
            tasks.push(self.task(row)?);
        }
        let mut page = Page::of(tasks, query.limit, |last| end(&query.sort, last));
        if query.with_total {
            page.total = Some(match rows.first() {
                Some(row) => row.try_get_by_index(11)?,
                None if query.after.is_none() && query.skip == 0 => 0,
                // Past the end there is no row to carry the count.
                None => count(runner.one(&counting()).await?)?,
            });
        }
        Ok(page)
    }
}

fn count(row: Option<QueryResult>) -> Result<i64, StoreError> {
    Ok(row
        .map(|row| row.try_get_by_index(0))
        .transpose()?
        .unwrap_or_default())
}

fn conditions(shape: &Shape, is_postgres: bool, filter: &TaskFilter, now: Instant) -> Condition {
    let due = || column(shape, Column::DueDate);
    let mut all = Condition::all();
    if let Some(completed) = filter.completed {
        all = all.add(Column::Completed.eq(completed));
    }
    if !filter.priorities.is_empty() {
        all = all.add(priority(shape, &filter.priorities));
    }
    if !filter.tags.is_empty() {
        all = all.add(tags(shape, is_postgres, &filter.tags, filter.tags_match));
    }
    if let Some(moment) = filter.due_after {
        all = all.add(due().gte(moment.to_utc()));
    }
    if let Some(moment) = filter.due_before {
        all = all.add(due().lt(moment.to_utc()));
    }
    match filter.overdue {
        Some(true) => all = all.add(Column::Completed.eq(false)).add(due().lt(now.to_utc())),
        Some(false) => {
            all = all.add(
                Condition::any()
                    .add(Column::Completed.eq(true))
                    .add(due().is_null())
                    .add(due().gte(now.to_utc())),
            );
        }
        None => {}
    }
    for (wanted, column) in [
        (filter.has_due, due()),
        (filter.recurring, column(shape, Column::RecurrencePattern)),
    ] {
        match wanted {
            Some(true) => all = all.add(column.is_not_null()),
            Some(false) => all = all.add(column.is_null()),
            None => {}
        }
    }
    if let Some(moment) = filter.updated_since {
        all = all.add(Column::UpdatedAt.gte(moment.to_utc()));
    }
    for word in &filter.words {
        // SQLite's LIKE takes ASCII letters of either case for the same.
        let is_in = |column: Column| match is_postgres {
            // The backslash is PostgreSQL's own default, and sea-query 1.0.2 puts what it writes for ILIKE in brackets.
            true => Expr::col((Entity, column)).ilike(LikeExpr::new(pattern(word))),
            false => Expr::col((Entity, column)).like(LikeExpr::new(pattern(word)).escape('\\')),
        };
        all = all.add(
            Condition::any()
                .add(is_in(Column::Title))
                .add(is_in(Column::Description)),
        );
    }
    all
}

/// Returns what a text must be like to contain a word.
fn pattern(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// Any word that is neither `low` nor `high` counts as `medium`, as it does when it is read.
fn priority(shape: &Shape, wanted: &[Priority]) -> Condition {
    let stored = || column(shape, Column::Priority);
    let mut any = Condition::any();
    for priority in wanted {
        any = any.add(match priority {
            Priority::Medium => stored().is_not_in([Priority::Low.word(), Priority::High.word()]),
            other => stored().eq(other.word()),
        });
    }
    any
}

fn tags(shape: &Shape, is_postgres: bool, names: &[TagName], matching: TagsMatch) -> Condition {
    if !shape.has(Feature::Tags) {
        return Condition::all().add(Expr::cust("1 = 0"));
    }
    let carries = |names: Vec<String>| {
        Expr::exists(
            Query::select()
                .expr(Expr::val(1))
                .from(entity::task_tag::Entity)
                .inner_join(
                    entity::tag::Entity,
                    Expr::col((entity::tag::Entity, entity::tag::Column::Id))
                        .equals((entity::task_tag::Entity, entity::task_tag::Column::TagId)),
                )
                .and_where(
                    Expr::col((entity::task_tag::Entity, entity::task_tag::Column::TaskId))
                        .equals((Entity, Column::Id)),
                )
                .and_where(folded_name(is_postgres).is_in(names))
                .to_owned(),
        )
    };
    let folded: Vec<String> = names.iter().map(TagName::folded).collect();
    match matching {
        TagsMatch::Any => Condition::all().add(carries(folded)),
        TagsMatch::All => folded
            .into_iter()
            .fold(Condition::all(), |all, name| all.add(carries(vec![name]))),
    }
}

/// Returns what a list is sorted by for a key.
fn sorted_by(shape: &Shape, key: SortKey) -> Expr {
    match key {
        SortKey::DueDate => column(shape, Column::DueDate),
        SortKey::CreatedAt => column(shape, Column::CreatedAt),
        SortKey::UpdatedAt => column(shape, Column::UpdatedAt),
        SortKey::Title => column(shape, Column::Title),
        SortKey::Id => column(shape, Column::Id),
        // A boolean is no number on PostgreSQL, and as text `high` comes before `low`.
        SortKey::Completed => Expr::cust("CASE WHEN tasks.completed THEN 1 ELSE 0 END"),
        SortKey::Priority if shape.has(Feature::Priority) => {
            Expr::cust("CASE tasks.priority WHEN 'high' THEN 3 WHEN 'low' THEN 1 ELSE 2 END")
        }
        SortKey::Priority => Expr::cust("CAST(2 AS integer)"),
    }
}

fn is_nullable(key: SortKey) -> bool {
    matches!(key, SortKey::DueDate | SortKey::CreatedAt | SortKey::UpdatedAt)
}

fn order(select: &mut SelectStatement, shape: &Shape, sort: &[SortTerm]) {
    for term in sort {
        let direction = match term.direction {
            Direction::Ascending => Order::Asc,
            Direction::Descending => Order::Desc,
        };
        match is_nullable(term.key) {
            true => {
                select.order_by_expr_with_nulls(sorted_by(shape, term.key), direction, NullOrdering::Last)
            }
            false => select.order_by_expr(sorted_by(shape, term.key), direction),
        };
    }
}

/// Returns where a page ends whose last task this is.
fn end(sort: &[SortTerm], last: &Task) -> Cursor {
    Cursor(sort.iter().map(|term| term.key.value(last)).collect())
}

/// Returns the condition for everything behind the cursor: behind it by the first key, or equal there and behind it by the
/// second, and so on.
fn after(shape: &Shape, sort: &[SortTerm], cursor: &Cursor) -> Condition {
    let mut any = Condition::any().add(Expr::cust("1 = 0"));
    let mut equal_so_far = Condition::all();
    for (term, value) in sort.iter().zip(&cursor.0) {
        let by = || sorted_by(shape, term.key);
        if let Some(behind) = behind(&by, *term, value) {
            any = any.add(equal_so_far.clone().add(behind));
        }
        equal_so_far = equal_so_far.add(match value {
            CursorValue::Missing => by().is_null(),
            value => by().eq(bound(value)),
        });
    }
    any
}

fn behind(by: &dyn Fn() -> Expr, term: SortTerm, value: &CursorValue) -> Option<Condition> {
    if *value == CursorValue::Missing {
        // Missing values come last: behind one there are only other missing ones.
        return None;
    }
    let beyond = match term.direction {
        Direction::Ascending => by().gt(bound(value)),
        Direction::Descending => by().lt(bound(value)),
    };
    let condition = Condition::any().add(beyond);
    Some(match is_nullable(term.key) {
        true => condition.add(by().is_null()),
        false => condition,
    })
}

fn bound(value: &CursorValue) -> sea_query::Value {
    match value {
        CursorValue::Missing => sea_query::Value::String(None),
        CursorValue::Number(number) => (*number).into(),
        CursorValue::Text(text) => text.clone().into(),
        CursorValue::Moment(moment) => moment.to_utc().into(),
    }
}
