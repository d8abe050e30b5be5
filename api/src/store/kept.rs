//! Connections kept at hand between statements.
//!
//! The driver's pool asks a connection for a sign of life each time it gets it back, in a task of its own: one more round
//! trip for each statement. A connection whose statement went well needs none, and is kept here for the next one. What did
//! not end well, or was not waited for, goes back to the pool as ever.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{AssertSqlSafe, Database, Error as DriverError, Executor, IntoArguments, Pool};
use sea_orm::{ConnAcquireErr, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;

use super::pool::{IDLE, Retired};

/// A pool with what is kept of it.
pub(super) struct Kept<DB: Database> {
    pool: Pool<DB>,
    retired: Retired,
    /// Most connections that are kept.
    most: usize,
    shelf: Mutex<Shelf<DB>>,
}

struct Shelf<DB: Database> {
    /// The one used last is used next.
    lines: Vec<Line<DB>>,
    /// Those who wait for a connection of the pool itself.
    waiting: usize,
    is_closed: bool,
}

struct Line<DB: Database> {
    connection: PoolConnection<DB>,
    /// Before it was taken out of the pool.
    taken: Instant,
    used: Instant,
}

/// Lets the pool have its connections back until it is dropped.
pub(super) struct Turn<'a, DB: Database>(&'a Kept<DB>);

/// How long a connection is kept before the pool may look at its age.
const LONGEST: Duration = Duration::from_secs(60);

impl<DB: Database> Kept<DB> {
    /// One connection is always left to those who ask the pool itself.
    pub(super) fn new(pool: Pool<DB>, retired: Retired) -> Self {
        let connections = usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX);
        Self {
            pool,
            retired,
            most: connections.saturating_sub(1),
            shelf: Mutex::new(Shelf {
                lines: Vec::new(),
                waiting: 0,
                is_closed: false,
            }),
        }
    }

    /// Returns a turn at the pool itself, which gets a connection back if any is kept.
    pub(super) fn turn(&self) -> Turn<'_, DB> {
        let mut shelf = self.shelf();
        shelf.waiting += 1;
        let spare = shelf.lines.pop();
        drop(shelf);
        drop(spare);
        Turn(self)
    }

    /// Gives everything back to the pool, now and from now on.
    pub(super) fn close(&self) {
        let mut shelf = self.shelf();
        shelf.is_closed = true;
        let lines = std::mem::take(&mut shelf.lines);
        drop(shelf);
        drop(lines);
    }

    async fn line(&self) -> Result<Line<DB>, DbErr> {
        loop {
            let now = Instant::now();
            let line = match self.kept_or_turn() {
                Ok(line) => line,
                Err(_turn) => {
                    // Seldom, and ten times as large as the rest of a statement, which is moved from call to call.
                    let connection = Box::pin(self.pool.acquire());
                    let connection = connection.await.map_err(not_acquired)?;
                    return Ok(Line {
                        connection,
                        taken: now,
                        used: now,
                    });
                }
            };
            // Otherwise the pool looks at it.
            let is_fresh = now.duration_since(line.used) < IDLE && now.duration_since(line.taken) < LONGEST;
            if is_fresh && self.retired.allows_since(line.taken) {
                return Ok(line);
            }
        }
    }

    /// Returns what is kept, or a turn at the pool: as long as somebody waits there, nothing is kept from them.
    fn kept_or_turn(&self) -> Result<Line<DB>, Turn<'_, DB>> {
        let mut shelf = self.shelf();
        shelf.lines.pop().ok_or_else(|| {
            shelf.waiting += 1;
            Turn(self)
        })
    }

    fn keep(&self, line: Line<DB>) {
        let mut shelf = self.shelf();
        if shelf.lines.len() < self.most && shelf.waiting == 0 && !shelf.is_closed {
            shelf.lines.push(Line {
                used: Instant::now(),
                ..line
            });
            return;
        }
        drop(shelf);
        drop(line);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<DB>> {
        // Nothing panics while it is held, and each change is one step.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<DB> Kept<DB>
where
    DB: Database,
    SqlxValues: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    QueryResult: From<DB::Row>,
    ExecResult: From<DB::QueryResult>,
{
    pub(super) async fn all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut line = self.line().await?;
        let rows = query(statement).fetch_all(&mut *line.connection).await;
        let rows = rows.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))?;
        self.keep(line);
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }

    pub(super) async fn execute(&self, statement: Statement) -> Result<u64, DbErr> {
        let mut line = self.line().await?;
        let done = query(statement).execute(&mut *line.connection).await;
        let done = done.map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(error.into())))?;
        self.keep(line);
        Ok(ExecResult::from(done).rows_affected())
    }
}

impl<DB: Database> Drop for Turn<'_, DB> {
    fn drop(&mut self) {
        self.0.shelf().waiting -= 1;
    }
}

fn query<DB: Database>(statement: Statement) -> sea_orm::sqlx::query::Query<'static, DB, SqlxValues>
where
    SqlxValues: IntoArguments<DB>,
{
    let values = statement
        .values
        .unwrap_or_else(|| sea_orm::sea_query::Values(Vec::new()));
    sea_orm::sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values))
}

fn not_acquired(error: DriverError) -> DbErr {
    match error {
        DriverError::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        DriverError::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{DbBackend, TransactionOptions};

    use crate::store::Limits;
    use crate::store::pool::Pool;

    use super::*;

    async fn pool(folder: &tempfile::TempDir) -> Pool {
        let address = format!("sqlite://{}?mode=rwc", folder.path().join("kept.db").display());
        let limits = Limits {
            connections: 2,
            ..Limits::default()
        };
        Pool::open(&address.into(), &limits).await.unwrap()
    }

    fn statement() -> Statement {
        Statement::from_string(DbBackend::Sqlite, "SELECT 1")
    }

    #[tokio::test]
    async fn whoever_begins_a_transaction_gets_back_what_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let pool = pool(&folder).await;
        let first = pool.begin(TransactionOptions::default()).await.unwrap();
        pool.all(statement()).await.unwrap();
        let second = pool.begin(TransactionOptions::default()).await.unwrap();
        first.rollback().await.unwrap();
        second.rollback().await.unwrap();
        pool.close().await;
    }
}
