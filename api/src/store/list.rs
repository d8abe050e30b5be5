//! Pages of tasks, read out of an index in their order however many tasks there are.
//!
//! A page is put together from parts that an index has in one piece: those completed and those not, and behind a cursor
//! what equals it in all keys but the last, in all but the last two, and so on. As one condition with OR no database finds
//! the place where a page begins, and the thousandth page costs a thousand times the first.

use entity::task::{Column, Entity};
use sea_orm::sea_query::{
    Alias, Asterisk, Expr, ExprTrait, Func, IntoIden, NullOrdering, Order, Query, SelectStatement, UnionType,
};
use sea_orm::{Condition, QueryResult, sea_query};
use seaworthy::sql::Dialect;

use super::filter::{Search, nothing};
use super::row::{TASK_COLUMNS, column, is_present};
use super::{Scope, Shape, StoreError};
use crate::domain::{
    Cursor, CursorValue, Direction, Feature, Instant, Page, SortKey, SortTerm, Task, TaskQuery,
};

mod ties;

#[cfg(test)]
mod plans;
#[cfg(test)]
mod walks;

/// A range of an index.
#[derive(Clone)]
struct Part {
    condition: Condition,
    /// So many sort terms have the same value everywhere.
    fixed: usize,
    /// Of so many sort terms it is known whether their value is missing.
    settled: usize,
    /// The value of a sort term is missing everywhere.
    is_missing: bool,
}

/// What a task is put together from, besides its rule: that may have another name.
const COLUMNS: [Column; 11] = [
    Column::Id,
    Column::Title,
    Column::Description,
    Column::Completed,
    Column::Priority,
    Column::DueDate,
    Column::DueOn,
    Column::DueZone,
    Column::RemindAt,
    Column::CreatedAt,
    Column::UpdatedAt,
];

impl Scope {
    /// Returns a page of the owner's tasks.
    pub(crate) async fn tasks(&self, query: &TaskQuery, now: Instant) -> Result<Page<Task>, StoreError> {
        let runner = self.runner();
        let (select, counting) = self.page(query, now);
        let rows = runner.all(&select).await?;
        let mut tasks = self.read_tasks(&rows)?;
        if let Some(from) = ties::settle(query, &mut tasks) {
            let block = self.block(query, &tasks[from], now);
            tasks.truncate(from);
            tasks.extend(self.read_tasks(&runner.all(&block).await?)?);
        }
        let mut page = Page::of(tasks, query.limit, |last| end(&query.sort, last));
        if query.with_total {
            page.total = Some(match rows.first() {
                Some(row) => row.try_get_by_index(TASK_COLUMNS)?,
                None if query.after.is_none() && query.skip == 0 => 0,
                // Past the end there is no row to carry the count.
                None => count(runner.one(&counting).await?)?,
            });
        }
        Ok(page)
    }

    /// Returns the statement for a page, and the one that counts all pages.
    fn page(&self, query: &TaskQuery, now: Instant) -> (SelectStatement, SelectStatement) {
        let search = self.search(query, now);
        let counting = Query::select()
            .expr(Func::count(Expr::col((Entity, Column::Id))))
            .from(Entity)
            .cond_where(search.any_condition())
            .to_owned();
        let mut select = Query::select();
        select.expr(self.task_columns());
        if query.with_total {
            // Inside, `tasks` is the inner one.
            select.expr(Expr::from(counting.clone()));
        }
        put_together(&mut select, &search, query, &parts(&search, query));
        (select, counting)
    }

    /// Returns the statement for the first of those tasks that tie with one.
    fn block(&self, query: &TaskQuery, one: &Task, now: Instant) -> SelectStatement {
        let search = self.search(query, now);
        let mut select = Query::select();
        select.expr(self.task_columns());
        put_together(&mut select, &search, query, &ties::block(&search, query, one));
        select
    }

    fn search<'a>(&'a self, query: &'a TaskQuery, now: Instant) -> Search<'a> {
        Search {
            shape: &self.shape,
            dialect: self.dialect(),
            owner: &self.owner,
            filter: &query.filter,
            now,
            is_by_id: ties::is_by_id(query),
        }
    }
}

fn count(row: Option<QueryResult>) -> Result<i64, StoreError> {
    Ok(row
        .map(|row| row.try_get_by_index(0))
        .transpose()?
        .unwrap_or_default())
}

/// Returns the parts that the rows of a page come from.
fn parts(search: &Search<'_>, query: &TaskQuery) -> Vec<Part> {
    let mut parts = Vec::new();
    for completed in query.filter.statuses() {
        parts_of(search, query, completed, &mut parts);
    }
    if parts.is_empty() {
        // No status is left, or nothing is behind the cursor: there can be nothing behind missing values.
        parts.push(Part::fixed(nothing(), 0));
    }
    parts
}

/// Says where the rows of a page come from, in which order, and how many: one part as it is, several put together under the
/// name of the table.
fn put_together(select: &mut SelectStatement, search: &Search<'_>, query: &TaskQuery, parts: &[Part]) {
    if let [part] = parts {
        select.from(Entity);
        take(select, search, query, part, query.limit + 1);
        skip(select, query);
        return;
    }
    let mut ranges = parts.iter().map(|part| range(search, query, part));
    let mut all = ranges.next().expect("a part at least");
    all.unions(ranges.map(|range| (UnionType::All, range)));
    select.from_subquery(all, Entity);
    order(select, search, &query.sort, None);
    select.limit(query.limit + 1);
    skip(select, query);
}

/// Leaves rows out at the beginning, for those who count instead of going by a cursor.
fn skip(select: &mut SelectStatement, query: &TaskQuery) {
    if query.skip > 0 {
        select.offset(query.skip);
    }
}

/// Returns a part as a query of its own, wrapped because SQLite takes no order and no limit inside of a union.
fn range(search: &Search<'_>, query: &TaskQuery, part: &Part) -> SelectStatement {
    let present = COLUMNS
        .into_iter()
        .filter(|column| is_present(search.shape, *column))
        .map(IntoIden::into_iden);
    let rules = search.shape.rule_names.iter().map(|name| name.into_iden());
    let mut range = Query::select();
    range
        .columns(present.chain(rules).map(|name| (Entity, name)))
        .from(Entity);
    take(&mut range, search, query, part, query.skip + query.limit + 1);
    Query::select()
        .column(Asterisk)
        .from_subquery(range, Alias::new("part"))
        .to_owned()
}

fn take(select: &mut SelectStatement, search: &Search<'_>, query: &TaskQuery, part: &Part, rows: u64) {
    select.cond_where(part.condition.clone());
    order(select, search, &ties::sort_within(query, part), Some(part));
    select.limit(rows);
}

/// Finds the parts of those tasks that are completed, or of those that are not.
fn parts_of(search: &Search<'_>, query: &TaskQuery, completed: bool, parts: &mut Vec<Part>) {
    let mut equal = Part::fixed(search.condition(completed), 0);
    let Some(cursor) = &query.after else {
        return split(search, query, equal, parts);
    };
    for (index, (term, value)) in query.sort.iter().zip(&cursor.0).enumerate() {
        if term.key == SortKey::Completed {
            let own = CursorValue::Number(i64::from(completed));
            let is_behind = (term.direction == Direction::Ascending) == completed;
            equal = equal.and_fixed(index);
            match (own == *value, is_behind) {
                (true, _) => continue,
                (false, true) => return split(search, query, equal, parts),
                (false, false) => return,
            }
        }
        beyond(search, query, index, value, &equal, parts);
        equal = equal.with(search, term.key, value).and_fixed(index);
    }
}

/// Adds what comes behind a value of a sort term and equals the cursor in those before it.
fn beyond(
    search: &Search<'_>,
    query: &TaskQuery,
    index: usize,
    value: &CursorValue,
    equal: &Part,
    parts: &mut Vec<Part>,
) {
    let term = query.sort[index];
    if *value == CursorValue::Missing {
        return;
    }
    if ties::are_split(query, term.key) {
        for rank in ties::ranks(term.direction, Some(value)) {
            parts.push(equal.clone().with(search, term.key, &rank).and_fixed(index));
        }
        return;
    }
    let by = sorted_by(search.shape, term.key);
    let is_beyond = match term.direction {
        Direction::Ascending => by.gt(bound(value)),
        Direction::Descending => by.lt(bound(value)),
    };
    let mut some = equal.clone().knowing(search, index, term.key, false);
    some.condition = some.condition.add(is_beyond);
    parts.push(some);
    if is_nullable(term.key) {
        parts.push(equal.clone().knowing(search, index, term.key, true));
    }
}

/// Adds a part as it is, or in pieces that an index has in order: missing values come last, and backwards the index has them
/// first.
fn split(search: &Search<'_>, query: &TaskQuery, part: Part, parts: &mut Vec<Part>) {
    let next = (part.fixed..query.sort.len()).find(|index| query.sort[*index].key != SortKey::Completed);
    let Some((index, term)) = next.map(|index| (index, query.sort[index])) else {
        return parts.push(part);
    };
    if ties::are_split(query, term.key) {
        for rank in ties::ranks(term.direction, None) {
            parts.push(part.clone().with(search, term.key, &rank).and_fixed(index));
        }
        return;
    }
    let is_in_order = term.direction == Direction::Ascending && !ties::are_against(query, term.key);
    if !is_nullable(term.key) || is_in_order {
        return parts.push(part);
    }
    for is_missing in [false, true] {
        parts.push(part.clone().knowing(search, index, term.key, is_missing));
    }
}

impl Part {
    /// A range in which so many sort terms have the same value everywhere.
    fn fixed(condition: Condition, fixed: usize) -> Self {
        Self {
            condition,
            fixed,
            settled: fixed,
            is_missing: false,
        }
    }

    /// Says that the terms up to this one have the same value everywhere.
    fn and_fixed(self, index: usize) -> Self {
        Self {
            fixed: index + 1,
            settled: index + 1,
            ..self
        }
    }

    /// Keeps what has a value.
    fn with(self, search: &Search<'_>, key: SortKey, value: &CursorValue) -> Self {
        let is_missing = *value == CursorValue::Missing;
        let condition = missing(search, key, is_missing, self.condition);
        let condition = match is_missing {
            true => condition,
            false => condition.add(sorted_by(search.shape, key).eq(bound(value))),
        };
        Self {
            condition,
            is_missing: self.is_missing || is_missing,
            ..self
        }
    }

    /// Keeps what has any value for a term, or what has none.
    fn knowing(self, search: &Search<'_>, index: usize, key: SortKey, is_missing: bool) -> Self {
        Self {
            condition: missing(search, key, is_missing, self.condition),
            settled: index + 1,
            is_missing: self.is_missing || is_missing,
            ..self
        }
    }
}

/// Adds that a key's value is missing, or that it is not, in the words of the index.
///
/// SQLite puts missing values first, so that its indexes have whether a value is missing before the value itself.
fn missing(search: &Search<'_>, key: SortKey, is_missing: bool, condition: Condition) -> Condition {
    if !is_nullable(key) {
        return condition;
    }
    let by = sorted_by(search.shape, key);
    condition.add(match (search.dialect, is_missing) {
        (Dialect::Postgresql, true) => by.is_null(),
        (Dialect::Postgresql, false) => by.is_not_null(),
        (Dialect::Sqlite, is_missing) => by.is_null().eq(is_missing),
    })
}

/// Orders all that was put together, or a part of it, in the words of its index.
fn order(select: &mut SelectStatement, search: &Search<'_>, sort: &[SortTerm], part: Option<&Part>) {
    if let (Some(id), true, true) = (sort.last(), part.is_some(), search.has_owners_in_an_array()) {
        // All the same, and the beginning of the index that is meant.
        select.order_by((Entity, Column::UserId), direction_of(*id));
    }
    for (index, term) in sort.iter().enumerate() {
        let by = || sorted_by(search.shape, term.key);
        if part.is_some_and(|part| is_constant(search, index, term.key, part)) {
            continue;
        }
        // Where a database puts missing values by itself: PostgreSQL takes them for the greatest, SQLite for the least.
        let missing_last = match term.direction {
            Direction::Ascending => search.dialect == Dialect::Postgresql,
            Direction::Descending => search.dialect == Dialect::Sqlite,
        };
        let direction = direction_of(*term);
        let is_settled = part.is_some_and(|part| index < part.settled);
        if !is_nullable(term.key) || is_settled || missing_last {
            select.order_by_expr(by(), direction);
            continue;
        }
        match search.dialect {
            Dialect::Postgresql => {
                select.order_by_expr_with_nulls(by(), direction, NullOrdering::Last);
            }
            Dialect::Sqlite => {
                select.order_by_expr(by().is_null(), Order::Asc);
                select.order_by_expr(by(), direction);
            }
        }
    }
}

fn direction_of(term: SortTerm) -> Order {
    match term.direction {
        Direction::Ascending => Order::Asc,
        Direction::Descending => Order::Desc,
    }
}

/// Whether a database has to be told that a sort term has the same value everywhere in a part: neither knows it of
/// whether a task is completed, as a number, and SQLite of no expression.
fn is_constant(search: &Search<'_>, index: usize, key: SortKey, part: &Part) -> bool {
    let is_known = key == SortKey::Completed || (search.dialect == Dialect::Sqlite && index < part.fixed);
    // The index has the value behind whether there is one, and SQLite does not take one for the other.
    is_known && !(part.is_missing && is_nullable(key))
}

/// Returns what a list is sorted by for a key.
fn sorted_by(shape: &Shape, key: SortKey) -> Expr {
    match key {
        SortKey::DueDate => column(shape, Column::DueDate),
        SortKey::CreatedAt => column(shape, Column::CreatedAt),
        SortKey::UpdatedAt => column(shape, Column::UpdatedAt),
        SortKey::Title => column(shape, Column::Title),
        SortKey::Id => column(shape, Column::Id),
        // A boolean is no number on PostgreSQL.
        SortKey::Completed => Expr::cust("CASE WHEN tasks.completed THEN 1 ELSE 0 END"),
        SortKey::Priority => rank(shape),
    }
}

/// Returns a priority's rank, spelled as in the index of phase VII; as text `high` comes before `low`.
///
/// Any word that is neither `low` nor `high` counts as `medium`, as it does when it is read.
pub(super) fn rank(shape: &Shape) -> Expr {
    Expr::cust(match shape.has(Feature::Priority) {
        true => "(CASE tasks.priority WHEN 'high' THEN 3 WHEN 'low' THEN 1 ELSE 2 END)",
        false => "CAST(2 AS integer)",
    })
}

fn is_nullable(key: SortKey) -> bool {
    matches!(key, SortKey::DueDate | SortKey::CreatedAt | SortKey::UpdatedAt)
}

/// Returns where a page ends whose last task this is.
fn end(sort: &[SortTerm], last: &Task) -> Cursor {
    Cursor(sort.iter().map(|term| term.key.value(last)).collect())
}

fn bound(value: &CursorValue) -> sea_query::Value {
    match value {
        CursorValue::Missing => sea_query::Value::String(None),
        CursorValue::Number(number) => (*number).into(),
        CursorValue::Text(text) => text.clone().into(),
        CursorValue::Moment(moment) => moment.to_utc().into(),
    }
}
