//! Who holds the lock that a session waits for.

use sea_orm::{DbErr, QueryResult};
use serde::Serialize;

use super::Session;
use super::redact::redacted;

/// A session that another one waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// The server process.
    pub pid: i32,
    /// The role it is logged in as.
    pub user: String,
    /// What it calls itself.
    pub application: String,
    /// PostgreSQL's word for what it does: `active`, `idle in transaction`, ...
    pub state: String,
    /// Age of its transaction in milliseconds.
    pub transaction_ms: i64,
    /// Its current or last statement, shortened and without the values in it.
    pub query: String,
}

impl Session {
    /// Returns the sessions that the server process `waiting` waits for in the end, and that wait for nobody themselves; none
    /// when it does not wait.
    ///
    /// # Errors
    ///
    /// Fails when the query does.
    pub(super) async fn blockers_of(&self, waiting: i32) -> Result<Vec<Blocker>, DbErr> {
        // Of another role's session only process, role and name can be seen, unless ours has `pg_read_all_stats`.
        let sql = format!(
            "WITH RECURSIVE tree (pid) AS (SELECT unnest(pg_blocking_pids({waiting})) \
             UNION SELECT unnest(pg_blocking_pids(pid)) FROM tree) SELECT pid, coalesce(usename, '') AS usename, coalesce(application_name, '') AS application_name, \
             coalesce(state, 'in an unknown state') AS state, \
             coalesce(extract(epoch FROM clock_timestamp() - coalesce(xact_start, backend_start)) * 1000, 0)::bigint AS age_ms, \
             coalesce(query, '') AS query \
             FROM pg_stat_activity WHERE pid IN (SELECT pid FROM tree) AND cardinality(pg_blocking_pids(pid)) = 0 \
             ORDER BY xact_start"
        );
        self.rows(&sql).await?.iter().map(blocker).collect()
    }
}

fn blocker(row: &QueryResult) -> Result<Blocker, DbErr> {
    Ok(Blocker {
        pid: row.try_get("", "pid")?,
        user: row.try_get("", "usename")?,
        application: row.try_get("", "application_name")?,
        state: row.try_get("", "state")?,
        transaction_ms: row.try_get("", "age_ms")?,
        query: redacted(&row.try_get::<String>("", "query")?, 200),
    })
}
