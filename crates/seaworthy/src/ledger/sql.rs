//! The statements that create and fill the two tables: the same text for a live run and for a script.

pub(super) use crate::sql::quoted;
use sea_orm::sea_query::{
    Alias, Expr, ExprTrait, PostgresQueryBuilder, Query, SimpleExpr, SqliteQueryBuilder, Value,
};
use sea_orm::{DbBackend, Schema};
use sea_orm_migration::seaql_migrations;

use super::announcement::announcement;
use super::{Entry, Ledger, Moment, Outcome};
use crate::revision::{Direction, Stage};
use crate::session::{dialect_of, inline};
use crate::sql::{Dialect, now};

impl Ledger {
    /// Returns the statements that create the two tables where they are missing.
    #[must_use]
    pub fn create_tables(&self, backend: DbBackend) -> String {
        let version_table = Schema::new(backend)
            .create_table_from_entity(seaql_migrations::Entity)
            .table(Alias::new(&self.version_table))
            .if_not_exists()
            .to_owned();
        let version_table = match dialect_of(backend) {
            Dialect::Postgresql => version_table.to_string(PostgresQueryBuilder),
            Dialect::Sqlite => version_table.to_string(SqliteQueryBuilder),
        };
        let (id, integer, time) = match dialect_of(backend) {
            Dialect::Postgresql => (
                "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                "bigint",
                "timestamp with time zone",
            ),
            Dialect::Sqlite => ("integer PRIMARY KEY AUTOINCREMENT", "integer", "text"),
        };
        format!(
            "{version_table};\nCREATE TABLE IF NOT EXISTS {history} (id {id}, run text NOT NULL, kind text NOT NULL, \
             direction text NOT NULL, revision text NOT NULL, name text NOT NULL, stage text, outcome text NOT NULL, \
             started_at {time} NOT NULL, finished_at {time}, duration_ms {integer}, error text, checksum text, \
             parts_done {integer}, by_user text, by_host text, tool_version text NOT NULL, accepted text);\n",
            history = quoted(&self.history_table),
        )
    }

    /// Returns the statements that write an entry and, when it ended well, change the applied set.
    #[must_use]
    pub fn record_sql(&self, backend: DbBackend, entry: &Entry) -> String {
        let mut sql = String::new();
        if entry.outcome == Outcome::Done {
            sql.push_str(&self.version_change(backend, entry));
            sql.push_str(";\n");
        }
        let mut insert = Query::insert();
        insert.into_table(self.history_ref()).columns([
            "run",
            "kind",
            "direction",
            "revision",
            "name",
            "stage",
            "outcome",
            "started_at",
            "finished_at",
            "duration_ms",
            "error",
            "checksum",
            "parts_done",
            "by_user",
            "by_host",
            "tool_version",
            "accepted",
        ]);
        let mut values = Query::select();
        values.exprs([
            Expr::val(entry.run.as_str()),
            Expr::val(entry.kind.word()),
            Expr::val(entry.direction.word()),
            Expr::val(entry.revision.as_str()),
            Expr::val(entry.name.as_str()),
            Expr::val(entry.stage.map(Stage::word)),
            Expr::val(entry.outcome.word()),
            time(backend, Some(entry.started_at)),
            time(backend, entry.finished_at),
            Expr::val(entry.duration_ms),
            Expr::val(entry.error.as_deref().map(without_nul)),
            Expr::val(entry.checksum.as_deref()),
            Expr::val(entry.parts_done),
            Expr::val(entry.actor.user.as_deref()),
            Expr::val(entry.actor.host.as_deref()),
            Expr::val(entry.actor.tool_version.as_str()),
            Expr::val(accepted(entry)),
        ]);
        if entry.outcome == Outcome::Done && dialect_of(backend) == Dialect::Postgresql {
            // A function among the tables is called once, and costs no statement of its own.
            values.from_function(announcement(&entry.revision, entry.direction), "announced");
        }
        insert
            .select_from(values)
            .expect("there are as many values as columns");
        sql.push_str(&inline(backend, &insert));
        sql.push_str(";\n");
        sql
    }

    fn version_change(&self, backend: DbBackend, entry: &Entry) -> String {
        let table = self.version_ref();
        match entry.direction {
            Direction::Up => {
                let applied_at = match entry.finished_at {
                    Some(Moment::At(time)) => Expr::val(time.timestamp()),
                    _ => Expr::cust(match dialect_of(backend) {
                        Dialect::Postgresql => "extract(epoch FROM clock_timestamp())::bigint",
                        Dialect::Sqlite => "CAST(strftime('%s', 'now') AS integer)",
                    }),
                };
                let insert = Query::insert()
                    .into_table(table)
                    .columns(["version", "applied_at"])
                    .values_panic([Expr::val(entry.name.as_str()), applied_at])
                    .to_owned();
                inline(backend, &insert)
            }
            Direction::Down => {
                let delete = Query::delete()
                    .from_table(table)
                    .and_where(Expr::col("version").eq(entry.name.as_str()))
                    .to_owned();
                inline(backend, &delete)
            }
        }
    }
}

fn time(backend: DbBackend, moment: Option<Moment>) -> SimpleExpr {
    match moment {
        None => Expr::val(Value::String(None)),
        Some(Moment::Execution) => Expr::cust(now(dialect_of(backend))),
        Some(moment) => Expr::val(moment.text()),
    }
}

/// Returns the accepted hazards as JSON, or nothing where there are none.
fn accepted(entry: &Entry) -> Option<String> {
    let accepted = Some(&entry.accepted).filter(|accepted| !accepted.is_empty())?;
    serde_json::to_string(accepted).ok().as_deref().map(without_nul)
}

/// PostgreSQL's text cannot hold a NUL character, and an error must not fail to be recorded because of one.
fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}
