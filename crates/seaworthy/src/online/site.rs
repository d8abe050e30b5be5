//! Where an operation is carried out, and how its statements are sent: briefly, patiently, or outside of any transaction.

use std::time::{Duration, Instant};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseExecutor, DbBackend, DbErr, QueryResult, Statement,
    TransactionTrait,
};
use sea_orm_migration::SchemaManager;

use super::OnlineError;
use crate::backfill::is_recorded;
use crate::session::{Fault, lock_wait, pause_before};

/// Longest wait for a lock: everybody else waits behind whoever waits for it.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Tries that wait as briefly as the first: most transactions are over by then, and nobody has waited for longer.
const SHORT_TRIES: u32 = 10;

/// How long it is tried to get a lock, with pauses in between; never without a limit at the end.
const BUDGET: Duration = Duration::from_secs(10 * 60);

/// Longest run of a statement that holds a lock which others wait for.
const LONGEST_HOLD: Duration = Duration::from_secs(15);

/// What an operation is carried out on.
pub(super) struct Site<'a> {
    executor: &'a DatabaseExecutor<'a>,
    backend: DbBackend,
    place: Place<'a>,
}

/// What surrounds an operation.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// Nothing is sent: somebody wants to know what would be.
    Recording(&'a DatabaseConnection),
    /// Somebody else's transaction.
    Transaction,
    /// Nothing.
    Open(&'a DatabaseConnection),
}

/// The tries of something that another session may be in the way of: two builds on a table can wait for each other.
pub(super) struct Turn {
    since: Instant,
    attempt: u32,
}

/// Time limits as PostgreSQL writes them.
struct Limits {
    lock_timeout: String,
    statement_timeout: String,
}

impl<'a> Site<'a> {
    pub(super) fn of(manager: &'a SchemaManager<'_>) -> Self {
        let executor = manager.get_connection();
        let place = match executor {
            DatabaseExecutor::Connection(connection) if is_recorded(connection) => {
                Place::Recording(connection)
            }
            DatabaseExecutor::Connection(connection) => Place::Open(connection),
            _ => Place::Transaction,
        };
        Self {
            executor,
            backend: manager.get_database_backend(),
            place,
        }
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.backend
    }

    pub(super) fn is_recording(&self) -> bool {
        matches!(self.place, Place::Recording(_))
    }

    /// Returns what statements are sent on.
    pub(super) fn executor(&self) -> &DatabaseExecutor<'a> {
        self.executor
    }

    /// Returns the connection, unless somebody else's transaction is open on it or nothing is to be sent.
    pub(super) fn open_connection(&self) -> Option<&'a DatabaseConnection> {
        match self.place {
            Place::Open(connection) => Some(connection),
            _ => None,
        }
    }

    /// Refuses to go on inside of a transaction.
    pub(super) fn outside_of_transactions(&self, operation: &'static str) -> Result<(), OnlineError> {
        match self.place {
            Place::Transaction => Err(OnlineError::InTransaction { operation }),
            _ => Ok(()),
        }
    }

    /// Asks the database something; nothing is answered while somebody records, and everything is to be done then.
    pub(super) async fn rows(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        let statement = Statement::from_string(self.backend, sql);
        self.executor.query_all_raw(statement).await
    }

    /// Asks the database something that has one row for an answer.
    pub(super) async fn row(&self, sql: &str) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.rows(sql).await?.into_iter().next())
    }

    /// Returns whether something is still to be done: whether a question has a row for an answer.
    pub(super) async fn is_pending(&self, sql: &str) -> Result<bool, DbErr> {
        let row = self.row(sql).await?;
        Ok(self.is_recording() || row.is_some())
    }

    /// Sends a statement as it is.
    pub(super) async fn send(&self, sql: &str) -> Result<(), DbErr> {
        self.executor.execute_unprepared(sql).await.map(drop)
    }

    /// Sends statements as they are, one after the other.
    pub(super) async fn send_all(&self, statements: &[impl AsRef<str>]) -> Result<(), DbErr> {
        for sql in statements {
            self.send(sql.as_ref()).await?;
        }
        Ok(())
    }

    /// Sends a statement that locks a table against others and is done at once; again where the lock is not free.
    ///
    /// Inside of somebody else's transaction it is sent once: who has begun the transaction may try it again.
    pub(super) async fn briefly(&self, sql: &str) -> Result<(), DbErr> {
        self.in_tries(&[sql], Some(LONGEST_HOLD)).await
    }

    /// Sends statements like that in one transaction: nobody sees the one without the other.
    pub(super) async fn briefly_together(&self, statements: &[String]) -> Result<(), DbErr> {
        if statements.is_empty() {
            return Ok(());
        }
        let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
        self.in_tries(&statements, Some(LONGEST_HOLD)).await
    }

    /// Sends a statement that reads a whole table while others read and write it.
    pub(super) async fn patiently(&self, sql: &str) -> Result<(), DbErr> {
        self.in_tries(&[sql], None).await
    }

    async fn in_tries(&self, statements: &[&str], longest: Option<Duration>) -> Result<(), DbErr> {
        let connection = match self.place {
            _ if self.backend != DbBackend::Postgres => return self.send_all(statements).await,
            Place::Transaction => {
                self.keep_waits_short().await?;
                return self.send_all(statements).await;
            }
            Place::Recording(connection) | Place::Open(connection) => connection,
        };
        let limits = self.limits().await?;
        let since = Instant::now();
        let mut attempt = 1_u32;
        loop {
            let mut settings = vec![format!(
                "SET LOCAL lock_timeout = '{}ms'",
                lock_wait(attempt.saturating_sub(SHORT_TRIES), limits.longest_wait()).as_millis()
            )];
            match longest {
                Some(hold) => settings.push(format!("SET LOCAL statement_timeout = '{}s'", hold.as_secs())),
                None if limits.end_statements() => {
                    settings.push("SET LOCAL statement_timeout = 0".to_owned());
                }
                None => {}
            }
            let tried = in_transaction(connection, &settings, statements).await;
            match tried {
                Err(error) if Fault::of(&error) == Fault::LockNotGranted && since.elapsed() < BUDGET => {
                    tracing::debug!(
                        attempt,
                        statement = statements.join("; "),
                        "the lock is not free; it is tried again"
                    );
                    tokio::time::sleep(pause_before(attempt)).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Bounds the waits of somebody else's transaction, unless they are.
    async fn keep_waits_short(&self) -> Result<(), DbErr> {
        if self.limits().await?.lock_timeout == "0" {
            let wait = LONGEST_WAIT.as_secs();
            self.send(&format!("SET LOCAL lock_timeout = '{wait}s'")).await?;
        }
        Ok(())
    }

    /// Sends a statement that waits for old transactions beside running reads and writes, outside of any transaction.
    ///
    /// No time limit holds: nobody waits behind it, and ending it leaves an INVALID index behind.
    pub(super) async fn concurrently(&self, sql: &str) -> Result<(), DbErr> {
        let limits = self.limits().await?;
        if !limits.are_set() {
            return self.send(sql).await;
        }
        self.send("SET lock_timeout = 0; SET statement_timeout = 0")
            .await?;
        let sent = self.send(sql).await;
        let restored = self
            .send(&format!(
                "SET lock_timeout = '{}'; SET statement_timeout = '{}'",
                limits.lock_timeout, limits.statement_timeout
            ))
            .await;
        sent.and(restored)
    }

    async fn limits(&self) -> Result<Limits, DbErr> {
        let mut limits = Limits {
            lock_timeout: "0".to_owned(),
            statement_timeout: "0".to_owned(),
        };
        if self.is_recording() {
            return Ok(limits);
        }
        let sql = "SELECT current_setting('lock_timeout') AS lock_timeout, \
                   current_setting('statement_timeout') AS statement_timeout";
        if let Some(row) = self.row(sql).await? {
            limits.lock_timeout = row.try_get("", "lock_timeout")?;
            limits.statement_timeout = row.try_get("", "statement_timeout")?;
        }
        Ok(limits)
    }
}

impl Turn {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            attempt: 0,
        }
    }

    /// Returns whether it is worth another try, after a pause.
    pub(super) async fn comes_again(&mut self, tried: &Result<(), DbErr>) -> bool {
        let is_in_the_way = matches!(tried, Err(error) if Fault::of(error) == Fault::LockNotGranted);
        if !is_in_the_way || self.since.elapsed() >= BUDGET {
            return false;
        }
        self.attempt += 1;
        tokio::time::sleep(pause_before(self.attempt)).await;
        true
    }
}

impl Limits {
    /// Returns how long a try may wait: a session that waits for less than the first try has chosen so.
    fn longest_wait(&self) -> Duration {
        let chosen = self
            .lock_timeout
            .strip_suffix("ms")
            .and_then(|digits| digits.parse().ok());
        match chosen.map(Duration::from_millis) {
            Some(chosen) if chosen < lock_wait(1, LONGEST_WAIT) => chosen,
            _ => LONGEST_WAIT,
        }
    }

    fn end_statements(&self) -> bool {
        self.statement_timeout != "0"
    }

    fn are_set(&self) -> bool {
        self.lock_timeout != "0" || self.end_statements()
    }
}

async fn in_transaction(
    connection: &DatabaseConnection,
    settings: &[String],
    statements: &[&str],
) -> Result<(), DbErr> {
    let transaction = connection.begin().await?;
    let statements = statements.iter().copied();
    for statement in settings.iter().map(String::as_str).chain(statements) {
        if let Err(error) = transaction.execute_unprepared(statement).await {
            // The server rolls back by itself when the connection is gone, which is the one way this fails.
            drop(transaction.rollback().await);
            return Err(error);
        }
    }
    transaction.commit().await
}
