//! Who holds what on the server, who waits for whom, and ending one of them.

use sea_orm::{DbErr, QueryResult};
use serde::Serialize;
use thiserror::Error;

use super::Session;
use super::redact::redacted;

/// A session that holds a lock that somebody waits for, or waits itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Involved {
    /// The server process.
    pub pid: i32,
    /// The processes that it waits for; none for a root.
    pub waits_for: Vec<i32>,
    /// What it waits for, in words: `AccessExclusiveLock on tasks`.
    pub wanted: Option<String>,
    /// The role it is logged in as.
    pub user: String,
    /// What it calls itself.
    pub application: String,
    /// What kind of process it is: `client backend` for one that serves a client.
    pub kind: String,
    /// PostgreSQL's word for what it does: `active`, `idle in transaction`, ...
    pub state: String,
    /// How long it has been doing that, in milliseconds.
    pub state_ms: i64,
    /// Age of its transaction in milliseconds.
    pub transaction_ms: i64,
    /// Its current or last statement, without the values in it.
    pub query: String,
}

/// How a session is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// What it runs now fails; the session stays.
    Cancel,
    /// The session ends, and its transaction is rolled back.
    Terminate,
}

/// A session is not one to be ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EndError {
    /// No such process.
    #[error("no process {pid} is connected to this server")]
    Unknown {
        /// The process.
        pid: i32,
    },
    /// It serves another database.
    #[error("process {pid} works on the database {database}, not on this one")]
    Elsewhere {
        /// The process.
        pid: i32,
        /// Its database.
        database: String,
    },
    /// It is this very connection.
    #[error("process {pid} is this connection itself")]
    Own {
        /// The process.
        pid: i32,
    },
    /// It migrates.
    #[error(
        "process {pid} is a migration ({doing}): ending it leaves a step without a transaction half done"
    )]
    Migrator {
        /// The process.
        pid: i32,
        /// What it says it does.
        doing: String,
    },
    /// It serves no client.
    #[error("process {pid} serves no client: it is a {kind}, and {why}")]
    NotAClient {
        /// The process.
        pid: i32,
        /// What it is.
        kind: String,
        /// Why it has to stay.
        why: &'static str,
    },
    /// It has nothing that could be cancelled.
    #[error("process {pid} runs nothing that could be cancelled: it is {state}")]
    NothingToCancel {
        /// The process.
        pid: i32,
        /// What it does.
        state: String,
    },
    /// The server did not answer.
    #[error("process {pid} could not be ended")]
    Database {
        /// The process.
        pid: i32,
        /// What the server said.
        source: super::DatabaseError,
    },
}

/// A session that may be ended, and proof that it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endable {
    /// The session.
    #[serde(flatten)]
    pub session: Involved,
    #[serde(skip)]
    backend_start: String,
}

/// The columns of a session; of another role's only process, role and name can be seen, unless ours has
/// `pg_read_all_stats`.
const SESSION: &str = "a.pid, pg_blocking_pids(a.pid) AS waits_for, coalesce(a.usename, '')::text AS usename, \
    coalesce(a.application_name, '') AS application, coalesce(a.backend_type, 'process') AS kind, \
    coalesce(a.state, 'in an unknown state') AS state, \
    (extract(epoch FROM clock_timestamp() - coalesce(a.state_change, a.backend_start, clock_timestamp())) * 1000)::bigint AS state_ms, \
    coalesce(extract(epoch FROM clock_timestamp() - a.xact_start) * 1000, 0)::bigint AS transaction_ms, \
    coalesce(a.query, '') AS query, coalesce(a.datname, '')::text AS database, a.backend_start::text AS backend_start, \
    (SELECT l.mode || CASE WHEN l.relation IS NOT NULL AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    THEN ' on ' || l.relation::regclass WHEN l.locktype = 'virtualxid' THEN ' on a transaction that is older' \
    WHEN l.locktype = 'transactionid' THEN ' on a row' ELSE ' on a ' || l.locktype END \
    FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted LIMIT 1) AS wanted";

impl Session {
    /// Returns every session of this database that waits for another one, and those that they wait for.
    ///
    /// # Errors
    ///
    /// Fails when the query does.
    pub async fn involved(&self) -> Result<Vec<Involved>, DbErr> {
        let sql = format!(
            "WITH RECURSIVE waiting AS (SELECT pid FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0 \
             AND datname = current_database()), tree (pid) AS (SELECT pid FROM waiting UNION \
             SELECT unnest(pg_blocking_pids(pid)) FROM tree) SELECT {SESSION} FROM pg_stat_activity a \
             WHERE a.pid IN (SELECT pid FROM tree) ORDER BY a.xact_start NULLS LAST, a.pid"
        );
        self.rows(&sql).await?.iter().map(involved).collect()
    }

    /// Returns the sessions of any database with the oldest transactions, oldest first: what a concurrent build waits for,
    /// and what may hold a lock that a step needs.
    ///
    /// # Errors
    ///
    /// Fails when the query does.
    pub async fn oldest_transactions(&self, count: u32) -> Result<Vec<Involved>, DbErr> {
        let sql = format!(
            "SELECT {SESSION} FROM pg_stat_activity a WHERE a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid() \
             AND a.datname = current_database() AND a.xact_start < clock_timestamp() - interval '1 s' \
             ORDER BY a.xact_start LIMIT {count}"
        );
        self.rows(&sql).await?.iter().map(involved).collect()
    }

    /// Looks at a session that is to be ended.
    ///
    /// # Errors
    ///
    /// Fails when there is no such session here, or it is one that has to stay.
    pub async fn endable(&self, pid: i32, ending: Ending) -> Result<Endable, EndError> {
        let sql = format!(
            "SELECT {SESSION}, a.datname = current_database() AS is_here, a.pid = pg_backend_pid() AS is_own \
             FROM pg_stat_activity a WHERE a.pid = {pid}"
        );
        let database = |source: DbErr| EndError::Database {
            pid,
            source: source.into(),
        };
        let rows = self.rows(&sql).await.map_err(database)?;
        let Some(row) = rows.first() else {
            return Err(EndError::Unknown { pid });
        };
        let session = involved(row).map_err(database)?;
        if row.try_get("", "is_own").map_err(database)? {
            return Err(EndError::Own { pid });
        }
        if session.kind != "client backend" {
            let why = reason_to_stay(&session);
            return Err(EndError::NotAClient {
                pid,
                kind: session.kind,
                why,
            });
        }
        let is_here: Option<bool> = row.try_get("", "is_here").map_err(database)?;
        if is_here != Some(true) {
            let database = row.try_get("", "database").map_err(database)?;
            return Err(EndError::Elsewhere { pid, database });
        }
        if session.application.starts_with("seaworthy") {
            return Err(EndError::Migrator {
                pid,
                doing: session.application,
            });
        }
        if ending == Ending::Cancel && session.state.starts_with("idle") {
            return Err(EndError::NothingToCancel {
                pid,
                state: session.state,
            });
        }
        Ok(Endable {
            backend_start: row.try_get("", "backend_start").map_err(database)?,
            session,
        })
    }

    /// Ends a session that was looked at; returns whether it was still there.
    ///
    /// # Errors
    ///
    /// Fails when the role may not.
    pub async fn end(&self, endable: &Endable, ending: Ending) -> Result<bool, EndError> {
        let function = match ending {
            Ending::Cancel => "pg_cancel_backend",
            Ending::Terminate => "pg_terminate_backend",
        };
        let pid = endable.session.pid;
        // Meanwhile another session may have got the number.
        let sql = format!(
            "SELECT {function}(pid) AS done FROM pg_stat_activity WHERE pid = {pid} AND backend_start = '{}'",
            endable.backend_start
        );
        let database = |source: DbErr| EndError::Database {
            pid,
            source: source.into(),
        };
        let rows = self.rows(&sql).await.map_err(database)?;
        rows.first()
            .map_or(Ok(false), |row| row.try_get("", "done"))
            .map_err(database)
    }
}

fn reason_to_stay(session: &Involved) -> &'static str {
    if session.kind == "walsender" {
        return "a replica or a backup would lose its connection";
    }
    if session.query.contains("to prevent wraparound") {
        return "the server needs it before it runs out of transaction numbers";
    }
    if session.kind.starts_with("autovacuum") {
        return "it gives way by itself to whoever waits for its lock";
    }
    "the server needs it"
}

fn involved(row: &QueryResult) -> Result<Involved, DbErr> {
    let query: String = row.try_get("", "query")?;
    let kind: String = row.try_get("", "kind")?;
    Ok(Involved {
        pid: row.try_get("", "pid")?,
        waits_for: row.try_get("", "waits_for")?,
        wanted: row.try_get("", "wanted")?,
        user: row.try_get("", "usename")?,
        application: row.try_get("", "application")?,
        state: row.try_get("", "state")?,
        state_ms: row.try_get("", "state_ms")?,
        transaction_ms: row.try_get("", "transaction_ms")?,
        query: redacted(&query, 200),
        kind,
    })
}

impl Endable {
    /// Returns what will happen, in words.
    #[must_use]
    pub fn described(&self, ending: Ending) -> String {
        let one = &self.session;
        let what = match ending {
            Ending::Cancel => "cancels what it runs",
            Ending::Terminate => "ends it and rolls its transaction back",
        };
        format!(
            "process {} ({}, {}), {} for {:.1} s, last statement: {}: this {what}",
            one.pid,
            one.user,
            if one.application.is_empty() {
                "no application name"
            } else {
                &one.application
            },
            one.state,
            one.state_ms as f64 / 1000.0,
            one.query
        )
    }
}
