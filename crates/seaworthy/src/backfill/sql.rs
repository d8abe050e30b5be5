//! The statements on the table of backfills, as text.

use sea_orm::DbBackend;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict, Query};

use super::{State, TABLE};
use crate::session::{dialect_of, inline};
use crate::sql::{Dialect, literal, now};

/// What a batch changes in its row.
pub(super) struct Advance<'a> {
    pub(super) name: &'a str,
    pub(super) from: Option<&'a str>,
    pub(super) to: &'a str,
    pub(super) seen: u64,
    pub(super) changed: u64,
    pub(super) next_rows: u64,
    pub(super) state: State,
}

/// What the row of a backfill begins with.
pub(super) struct Beginning<'a> {
    pub(super) name: &'a str,
    pub(super) table: &'a str,
    pub(super) checksum: &'a str,
    pub(super) bound: Option<&'a str>,
    pub(super) total: u64,
    pub(super) batch_rows: u64,
    pub(super) rest: f64,
    pub(super) max_lag_ms: u64,
}

/// Returns the statement that makes the table where it is missing.
pub(crate) fn create_table(backend: DbBackend) -> String {
    let (integer, real, time) = match dialect_of(backend) {
        Dialect::Postgresql => ("bigint", "double precision", "timestamp with time zone"),
        Dialect::Sqlite => ("integer", "real", "text"),
    };
    format!(
        "CREATE TABLE IF NOT EXISTS \"{TABLE}\" (name text PRIMARY KEY, table_name text NOT NULL, checksum text NOT NULL, \
         state text NOT NULL, is_paused {integer} NOT NULL, place text, bound text, rows_seen {integer} NOT NULL, \
         rows_changed {integer} NOT NULL, rows_total {integer} NOT NULL, batch_rows {integer} NOT NULL, rest {real} NOT NULL, \
         max_lag_ms {integer} NOT NULL, started_at {time} NOT NULL, updated_at {time} NOT NULL, error text);\n"
    )
}

/// Returns the query for one row, or for all.
pub(super) fn select(backend: DbBackend, name: Option<&str>) -> String {
    let time = |column: &str| match dialect_of(backend) {
        Dialect::Postgresql => {
            format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS {column}")
        }
        Dialect::Sqlite => column.to_owned(),
    };
    let mut select = Query::select();
    select.from(Alias::new(TABLE)).expr(Expr::cust(format!(
        "name, table_name, checksum, state, is_paused, place, bound, rows_seen, rows_changed, rows_total, batch_rows, rest, \
         max_lag_ms, {}, {}, error",
        time("started_at"),
        time("updated_at")
    )));
    if let Some(name) = name {
        select.and_where(Expr::col("name").eq(name));
    }
    select.order_by_expr(
        Expr::cust(TABLE.to_owned() + ".started_at"),
        sea_orm::sea_query::Order::Asc,
    );
    inline(backend, &select)
}

/// Returns the statement that makes a row where there is none.
pub(super) fn begin(backend: DbBackend, beginning: &Beginning<'_>) -> String {
    let insert = Query::insert()
        .into_table(Alias::new(TABLE))
        .columns([
            "name",
            "table_name",
            "checksum",
            "state",
            "is_paused",
            "bound",
            "rows_seen",
            "rows_changed",
            "rows_total",
            "batch_rows",
            "rest",
            "max_lag_ms",
            "started_at",
            "updated_at",
        ])
        .values_panic([
            Expr::val(beginning.name),
            Expr::val(beginning.table),
            Expr::val(beginning.checksum),
            Expr::val(state_of(beginning.bound).word()),
            Expr::val(0),
            Expr::val(beginning.bound),
            Expr::val(0),
            Expr::val(0),
            Expr::val(beginning.total),
            Expr::val(beginning.batch_rows),
            Expr::val(beginning.rest),
            Expr::val(beginning.max_lag_ms),
            Expr::cust(now(dialect_of(backend))),
            Expr::cust(now(dialect_of(backend))),
        ])
        .on_conflict(OnConflict::column("name").do_nothing().to_owned())
        .to_owned();
    inline(backend, &insert)
}

/// Returns the statement that sends a backfill along its table once more, for rows that it has not seen.
pub(super) fn begin_again(backend: DbBackend, name: &str, bound: Option<&str>) -> String {
    let update = Query::update()
        .table(Alias::new(TABLE))
        .value("state", state_of(bound).word())
        .value("place", Option::<String>::None)
        .value("bound", bound)
        .value("rows_seen", 0)
        .value("updated_at", Expr::cust(now(dialect_of(backend))))
        .and_where(Expr::col("name").eq(name))
        .and_where(Expr::col("state").eq(State::Finished.word()))
        .to_owned();
    inline(backend, &update)
}

/// Returns the statement that saves a batch; it changes no row where another run has saved one meanwhile.
pub(super) fn advance(backend: DbBackend, advance: &Advance<'_>) -> String {
    let place = match advance.from {
        Some(from) => Expr::col("place").eq(from),
        None => Expr::col("place").is_null(),
    };
    let update = Query::update()
        .table(Alias::new(TABLE))
        .value("place", advance.to)
        .value("rows_seen", Expr::col("rows_seen").add(advance.seen))
        .value("rows_changed", Expr::col("rows_changed").add(advance.changed))
        .value("batch_rows", advance.next_rows)
        .value("state", advance.state.word())
        .value("updated_at", Expr::cust(now(dialect_of(backend))))
        .value("error", Option::<String>::None)
        .and_where(Expr::col("name").eq(advance.name))
        .and_where(Expr::col("state").eq(State::Running.word()))
        .and_where(place)
        .to_owned();
    inline(backend, &update)
}

/// Returns the statement that says how a backfill ended.
pub(super) fn end(backend: DbBackend, name: &str, state: State, error: Option<&str>) -> String {
    let update = Query::update()
        .table(Alias::new(TABLE))
        .value("state", state.word())
        .value("error", error.map(|error| error.replace('\0', "")))
        .value("updated_at", Expr::cust(now(dialect_of(backend))))
        .and_where(Expr::col("name").eq(name))
        .to_owned();
    inline(backend, &update)
}

/// Returns the statement that changes what a person may change.
pub(super) fn control(backend: DbBackend, name: &str, values: &[(&'static str, Expr)]) -> String {
    let update = Query::update()
        .table(Alias::new(TABLE))
        .values(values.iter().cloned())
        .and_where(Expr::col("name").eq(name))
        .to_owned();
    inline(backend, &update)
}

/// Returns the statement that forgets a backfill.
pub(super) fn forget(backend: DbBackend, name: &str) -> String {
    let delete = Query::delete()
        .from_table(Alias::new(TABLE))
        .and_where(Expr::col("name").eq(name))
        .to_owned();
    inline(backend, &delete)
}

/// Returns the statement with which a script says that it has been everywhere.
pub(super) fn scripted(
    backend: DbBackend,
    name: &str,
    table: &str,
    checksum: &str,
    wrong: Option<&str>,
) -> String {
    let now = now(dialect_of(backend));
    let (finished, verified) = (State::Finished.word(), State::Verified.word());
    let state = match wrong {
        Some(wrong) => format!("CASE WHEN EXISTS ({wrong}) THEN '{finished}' ELSE '{verified}' END"),
        None => format!("'{verified}'"),
    };
    format!(
        "INSERT INTO \"{TABLE}\" (name, table_name, checksum, state, is_paused, rows_seen, rows_changed, rows_total, batch_rows, \
         rest, max_lag_ms, started_at, updated_at) VALUES ({}, {}, '{checksum}', {state}, 0, 0, 0, 0, 0, 0, 0, {now}, {now}) ON CONFLICT (name) DO UPDATE SET \
         state = excluded.state, checksum = excluded.checksum",
        literal(name),
        literal(table)
    )
}

/// A table without rows needs no batch.
fn state_of(bound: Option<&str>) -> State {
    match bound {
        Some(_) => State::Running,
        None => State::Finished,
    }
}
