//! The statements on the table of the signs of life, as text: one round trip each, and no prepared statement to go stale.

use sea_orm::DbBackend;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict, Query, SimpleExpr};

use super::{Build, GONE_AFTER, TABLE};
use crate::session::{dialect_of, inline};
use crate::sql::{Dialect, now};

/// Returns the statement that makes the table where it is missing.
#[must_use]
pub(crate) fn create_table(backend: DbBackend) -> String {
    let time = match dialect_of(backend) {
        Dialect::Postgresql => "timestamp with time zone",
        Dialect::Sqlite => "text",
    };
    format!(
        "CREATE TABLE IF NOT EXISTS \"{TABLE}\" (instance text PRIMARY KEY, name text NOT NULL, version text NOT NULL, \
         needs text NOT NULL, uses text NOT NULL, knows text NOT NULL, started_at {time} NOT NULL, seen_at {time} NOT NULL);\n"
    )
}

/// Returns the statement that gives a sign of life.
pub(super) fn beat(backend: DbBackend, build: &Build, instance: &str) -> String {
    let insert = Query::insert()
        .into_table(Alias::new(TABLE))
        .columns([
            "instance",
            "name",
            "version",
            "needs",
            "uses",
            "knows",
            "started_at",
            "seen_at",
        ])
        .values_panic([
            Expr::val(instance),
            Expr::val(build.name.as_str()),
            Expr::val(build.version.as_str()),
            list(&build.needs),
            list(&build.uses),
            list(&build.knows),
            Expr::cust(now(dialect_of(backend))),
            Expr::cust(now(dialect_of(backend))),
        ])
        .on_conflict(OnConflict::column("instance").update_column("seen_at").to_owned())
        .to_owned();
    inline(backend, &insert)
}

/// Returns the statement that takes a process's row away, and the rows of processes that died long ago.
pub(super) fn end(backend: DbBackend, instance: &str) -> String {
    let delete = Query::delete()
        .from_table(Alias::new(TABLE))
        .and_where(
            Expr::col("instance")
                .eq(instance)
                .or(Expr::cust(age(backend)).gt(24 * 60 * 60)),
        )
        .to_owned();
    inline(backend, &delete)
}

/// Returns the query for the processes that are alive, as one JSON array each.
pub(super) fn select_alive(backend: DbBackend) -> String {
    let array = match dialect_of(backend) {
        Dialect::Postgresql => "json_build_array",
        Dialect::Sqlite => "json_array",
    };
    let age = age(backend);
    format!(
        "SELECT CAST({array}(instance, name, version, needs, uses, knows, {age}) AS text) AS alive FROM \"{TABLE}\" \
         WHERE {age} < {} ORDER BY started_at, instance",
        GONE_AFTER.as_secs()
    )
}

/// Returns how many seconds ago a sign of life was given, by the database's clock.
fn age(backend: DbBackend) -> &'static str {
    match dialect_of(backend) {
        Dialect::Postgresql => "extract(epoch FROM clock_timestamp() - seen_at)::float8",
        Dialect::Sqlite => "((julianday('now') - julianday(seen_at)) * 86400.0)",
    }
}

fn list(texts: &[String]) -> SimpleExpr {
    Expr::val(serde_json::Value::from(texts).to_string())
}
