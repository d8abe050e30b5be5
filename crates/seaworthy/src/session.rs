//! One server connection, with the limits that a migration needs.
//!
//! Everything that knows the database driver lives in this room: addresses, time limits, the migration lock, who blocks
//! whom, and what a driver's error means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use sea_orm::sqlx::{AssertSqlSafe, Either, Error as DriverError, Executor, PgPool, SqlitePool, raw_sql};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, RuntimeErr};
use serde::Serialize;

use crate::sql::Dialect;

pub use address::{AddressError, DatabaseUrl};
pub use blockers::Blocker;
pub use connect::SessionError;
pub(crate) use connect::search_path;
pub use dialect::{backend_of, dialect_of, inline};
pub use fault::{DatabaseError, Fault};
pub(crate) use limits::Limits;
pub use lock::{Holder, LockError, Locked};
pub use locks::{EndError, Endable, Ending, Involved};
pub use offenders::Offenders;
pub use progress::ServerProgress;
pub(crate) use restore::SessionState;
pub(crate) use tries::{lock_wait, pause_before};
pub use weight::{SMALL_BYTES, SMALL_ROWS, TableWeight};

mod address;
mod blockers;
mod connect;
mod dialect;
mod fault;
mod limits;
mod lock;
mod locks;
mod offenders;
mod pooler;
mod progress;
mod redact;
mod restore;
mod tries;
mod weight;

/// A connection to one database: a pool of exactly one, so that session settings and locks mean something.
#[derive(Debug)]
pub struct Session {
    connection: DatabaseConnection,
    pool: Pool,
    url: DatabaseUrl,
    settings: Settings,
    interrupted: Arc<AtomicBool>,
}

/// Limits and names of a session.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Longest wait for a table lock before a step gives up and tries again; whole milliseconds, zero for no limit.
    ///
    /// Becomes PostgreSQL's `lock_timeout`, where the first tries wait for less, and SQLite's busy timeout.
    pub lock_timeout: Duration,
    /// How long a step that does not get its locks is tried again. The last try waits no longer than the others.
    pub lock_budget: Duration,
    /// Longest run of one statement; whole milliseconds, zero for no limit. Becomes PostgreSQL's `statement_timeout`.
    pub statement_timeout: Duration,
    /// Longest run of one statement while its transaction holds a lock that readers or writers wait for; whole milliseconds,
    /// zero for no limit besides the other.
    pub hold_timeout: Duration,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// What `pg_stat_activity` shows.
    pub application_name: String,
    /// The schema to work in, on PostgreSQL; the server's own search path when absent.
    pub schema: Option<String>,
}

/// Who runs a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// The operating system's name for the user.
    pub user: Option<String>,
    /// The machine.
    pub host: Option<String>,
    /// The tool's version.
    pub tool_version: String,
}

/// Whether a session may make a database that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads what is there; a SQLite file is never created.
    Read,
    /// Changes the database; a missing SQLite file is created.
    Write,
}

/// Whether statements are ended when they wait or run for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// The limits of the settings hold.
    Limited,
    /// Only waiting for a lock is limited: the statement takes as long as its table is large, and blocks nobody meanwhile.
    LimitedWait,
    /// Waiting for a lock is limited, and the statement may run only as long as somebody may be held up by its locks.
    LimitedHold,
    /// None does: the statement blocks nobody, and ending it would leave an INVALID index behind.
    Unlimited,
}

impl Settings {
    /// Returns the schemas to work in by their names, the first of which new things are made in; none where the server's own search
    /// path counts.
    #[must_use]
    pub fn schemas(&self) -> Vec<String> {
        self.schema
            .as_deref()
            .map_or_else(Vec::new, connect::schema_names)
    }
}

#[derive(Debug)]
enum Pool {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_secs(2),
            lock_budget: Duration::from_secs(10 * 60),
            statement_timeout: Duration::from_secs(15 * 60),
            hold_timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(10),
            application_name: "seaworthy".to_owned(),
            schema: None,
        }
    }
}

impl Session {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Fails when the address is wrong, the server does not answer in time or refuses, a schema of the settings does not exist, or
    /// the file cannot be opened.
    pub async fn open(url: &DatabaseUrl, settings: &Settings, access: Access) -> Result<Self, SessionError> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let pool = match dialect_of(url.backend()) {
            Dialect::Postgresql => Pool::Postgres(connect::open_postgres(url, settings).await?),
            Dialect::Sqlite => Pool::Sqlite(connect::open_sqlite(url, settings, access, &interrupted).await?),
        };
        let connection = match &pool {
            Pool::Postgres(pool) => DatabaseConnection::from(pool.clone()),
            Pool::Sqlite(pool) => DatabaseConnection::from(pool.clone()),
        };
        Ok(Self {
            connection,
            pool,
            url: url.clone(),
            settings: settings.clone(),
            interrupted,
        })
    }

    /// Returns the connection as SeaORM sees it.
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Returns the kind of database.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.url.backend()
    }

    /// Returns the address that the session was opened with.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Returns the limits that the session was opened with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sends a query as text and returns its rows: one round trip, where a prepared statement takes two.
    ///
    /// # Errors
    ///
    /// Fails with what the server said.
    pub async fn rows(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        let mut answers = self.answers(sql);
        let mut rows = Vec::new();
        while let Some(answer) = answers.try_next().await? {
            rows.extend(answer.right());
        }
        Ok(rows)
    }

    /// Sends queries as text in one round trip and returns the rows of each; one that fails is the last with an answer.
    pub(crate) async fn row_sets(&self, queries: &[String]) -> Vec<Result<Vec<QueryResult>, DbErr>> {
        let mut answers = self.answers(&queries.join(";\n"));
        let (mut sets, mut rows) = (Vec::new(), Vec::new());
        loop {
            match answers.try_next().await {
                Ok(Some(Either::Right(row))) => rows.push(row),
                Ok(Some(Either::Left(()))) => sets.push(Ok(std::mem::take(&mut rows))),
                Ok(None) => return sets,
                Err(error) => {
                    sets.push(Err(error));
                    return sets;
                }
            }
        }
    }

    /// Sends statements as text; answers with the rows of each, followed by its end.
    fn answers(&self, sql: &str) -> BoxStream<'_, Result<Either<(), QueryResult>, DbErr>> {
        let query = raw_sql(AssertSqlSafe(sql.to_owned()));
        match &self.pool {
            Pool::Postgres(pool) => pool
                .fetch_many(query)
                .map_ok(|answer| answer.map_left(drop).map_right(QueryResult::from))
                .map_err(query_error)
                .boxed(),
            Pool::Sqlite(pool) => pool
                .fetch_many(query)
                .map_ok(|answer| answer.map_left(drop).map_right(QueryResult::from))
                .map_err(query_error)
                .boxed(),
        }
    }

    /// Sends statements as text, separated by semicolons; one round trip.
    ///
    /// # Errors
    ///
    /// Fails with what the server said of the first statement that failed.
    pub async fn send(&self, sql: &str) -> Result<(), DbErr> {
        self.connection.execute_unprepared(sql).await.map(drop)
    }

    /// Puts time limits in force for the statements that follow; nothing to do on SQLite, whose limits are part of the
    /// connection.
    ///
    /// # Errors
    ///
    /// Fails when the connection is gone.
    pub async fn limit(&self, patience: Patience) -> Result<(), DbErr> {
        if self.backend() != DbBackend::Postgres {
            return Ok(());
        }
        self.send(&self.set_limits(patience)).await
    }

    /// Lets the statements of the transaction that has begun run only as long as somebody may be held up by their locks;
    /// nothing to say where that limit is not the shorter one.
    pub(crate) fn limit_hold_sql(&self) -> Option<String> {
        let limit = self.hold_limit();
        let applies = self.backend() == DbBackend::Postgres && limit != self.settings.statement_timeout;
        applies.then(|| format!("SET LOCAL statement_timeout = '{}ms'", limit.as_millis()))
    }

    /// Returns how long a statement may run while its locks hold somebody up; zero for no limit.
    fn hold_limit(&self) -> Duration {
        let limits = [self.settings.hold_timeout, self.settings.statement_timeout];
        limits
            .into_iter()
            .filter(|limit| !limit.is_zero())
            .min()
            .unwrap_or_default()
    }

    /// Lets the statements that follow wait for a lock as long as a try may, counted from one; on PostgreSQL.
    pub(crate) async fn limit_try(&self, attempt: u32) -> Result<(), DbErr> {
        if self.backend() != DbBackend::Postgres {
            return Ok(());
        }
        let wait = lock_wait(attempt, self.settings.lock_timeout).as_millis();
        self.send(&format!("SET lock_timeout = '{wait}ms'")).await
    }

    /// Tells the code of a revision how patient it may be with what it tries by itself; on PostgreSQL.
    pub(crate) async fn tell_limits(&self, lock_retries: u32) -> Result<(), DbErr> {
        if self.backend() != DbBackend::Postgres {
            return Ok(());
        }
        self.send(&Limits::of(&self.settings, lock_retries).to_sql())
            .await
    }

    /// Returns the statements that put time limits in force, on PostgreSQL.
    fn set_limits(&self, patience: Patience) -> String {
        let first_wait = lock_wait(1, self.settings.lock_timeout);
        let (lock_timeout, statement_timeout) = match patience {
            Patience::Limited => (first_wait, self.settings.statement_timeout),
            Patience::LimitedWait => (first_wait, Duration::ZERO),
            Patience::LimitedHold => (first_wait, self.hold_limit()),
            Patience::Unlimited => (Duration::ZERO, Duration::ZERO),
        };
        let (lock, statement) = (lock_timeout.as_millis(), statement_timeout.as_millis());
        format!("SET lock_timeout = '{lock}ms'; SET statement_timeout = '{statement}ms'")
    }

    /// Returns the statements that prepare the connection of a run, on PostgreSQL.
    ///
    /// Without `client_connection_check_interval` the server goes on with a long statement of a process that was killed, and
    /// with the locks it holds, which the next run would wait for in vain. It came with PostgreSQL 14, and servers on some
    /// systems refuse it (manual, "Connections and Authentication"); they are migrated without it.
    fn prepare_run(&self) -> String {
        format!(
            "{}; DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '1s', false); \
             EXCEPTION WHEN OTHERS THEN NULL; END $$",
            self.set_limits(Patience::Limited)
        )
    }

    /// Lets the commits that follow write over one rollback journal, where each would make and delete a file of its own.
    ///
    /// As safe, and a third faster: SQLite's manual, "Pragma statements". Concerns this connection only. A database that
    /// keeps no such journal, one with a write-ahead log above all, stays as it is. [`Session::drop_journal`] ends it.
    pub(crate) async fn keep_journal(&self) -> Result<(), DbErr> {
        self.change_journal("delete", "persist").await
    }

    /// Removes the journal that [`Session::keep_journal`] has left.
    pub(crate) async fn drop_journal(&self) -> Result<(), DbErr> {
        self.change_journal("persist", "delete").await
    }

    async fn change_journal(&self, from: &str, to: &str) -> Result<(), DbErr> {
        if self.backend() != DbBackend::Sqlite {
            return Ok(());
        }
        let rows = self.rows("PRAGMA journal_mode").await?;
        let mode: Option<String> = rows.first().map(|row| row.try_get_by_index(0)).transpose()?;
        if mode.as_deref() == Some(from) {
            self.rows(&format!("PRAGMA journal_mode = {to}")).await?;
        }
        Ok(())
    }

    /// Makes the statement that runs now fail, or takes that wish back; for SQLite, PostgreSQL is asked through
    /// [`Locked::cancel`].
    pub(crate) fn interrupt(&self, wish: bool) {
        self.interrupted.store(wish, Ordering::Relaxed);
    }

    /// Closes the connection and waits until the server knows.
    pub async fn close(self) {
        self.hang_up().await;
    }

    async fn hang_up(&self) {
        match &self.pool {
            Pool::Postgres(pool) => pool.close().await,
            Pool::Sqlite(pool) => pool.close().await,
        }
    }
}

fn connection_error(error: DriverError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

fn query_error(error: DriverError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

impl Actor {
    /// Returns the user and the machine as one word: `alice@laptop`.
    #[must_use]
    pub fn name(&self) -> String {
        let user = self.user.as_deref().unwrap_or("somebody");
        self.host
            .as_deref()
            .map_or_else(|| user.to_owned(), |host| format!("{user}@{host}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_what_is_written_and_quotes_are_for_commas() {
        let paths = [
            ("app", r#""app""#),
            ("App, app", r#""App", "app""#),
            ("My App", r#""My App""#),
            (r#"we"ird"#, r#""we""ird""#),
            (r#" "we""ird" ,select"#, r#""we""ird", "select""#),
            (r#""a,b","c""#, r#""a,b", "c""#),
            (r#""half"#, r#""""half""#),
            (r#""two" parts"#, r#""""two"" parts""#),
            ("\u{1f6a2},$user", "\"\u{1f6a2}\", \"$user\""),
        ];
        for (written, path) in paths {
            assert_eq!(search_path(written), format!("SET search_path = {path}"));
        }
    }
}
