//! Where an operation is carried out, and how its statements are sent: briefly, patiently, or outside of any transaction.

use std::time::{Duration, Instant};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseExecutor, DbBackend, DbErr, QueryResult, Statement,
    TransactionTrait,
};
use sea_orm_migration::SchemaManager;

use super::OnlineError;
use crate::backfill::{OWN_QUESTION, is_recorded};
use crate::session::dialect_of;
use crate::session::{Fault, Limits, lock_wait, pause_before};
use crate::sql::Dialect;

/// Tries that wait as briefly as the first: most transactions are over by then, and nobody has waited for longer.
const SHORT_TRIES: u32 = 10;

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
    Recording,
    /// Somebody else's transaction.
    Transaction,
    /// Nothing.
    Open(&'a DatabaseConnection),
}

/// How long a statement holds what others wait for.
#[derive(Clone, Copy)]
enum Hold {
    /// Not longer than anybody may be held up.
    Short,
    /// As long as it takes: nobody waits for what it holds.
    Long,
}

/// The tries of something that another session may be in the way of: two builds on a table can wait for each other.
pub(super) struct Turn {
    limits: Limits,
    since: Instant,
    attempt: u32,
}

/// The time limits of the session, as PostgreSQL writes them, and how patient an operation may be.
struct InForce {
    lock_timeout: String,
    statement_timeout: String,
    chosen: Limits,
}

impl<'a> Site<'a> {
    pub(super) fn of(manager: &'a SchemaManager<'_>) -> Self {
        let executor = manager.get_connection();
        let place = match executor {
            recorded if is_recorded(recorded) => Place::Recording,
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
        matches!(self.place, Place::Recording)
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
        let mark = if self.is_recording() { OWN_QUESTION } else { "" };
        let statement = Statement::from_string(self.backend, format!("{mark}{sql}"));
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
        self.in_tries(None, &[sql], Hold::Short).await
    }

    /// Sends statements like that in one transaction: nobody sees the one without the other.
    pub(super) async fn briefly_together(&self, statements: &[String]) -> Result<(), DbErr> {
        if statements.is_empty() {
            return Ok(());
        }
        let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
        self.in_tries(None, &statements, Hold::Short).await
    }

    /// Sends statements like that, where a question still has a row for an answer when the first of them holds its lock:
    /// somebody else may have done the same meanwhile.
    pub(super) async fn briefly_together_if(
        &self,
        question: &str,
        statements: &[String],
    ) -> Result<(), DbErr> {
        let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
        self.in_tries(Some(question), &statements, Hold::Short).await
    }

    /// Sends a statement that reads a whole table while others read and write it.
    pub(super) async fn patiently(&self, sql: &str) -> Result<(), DbErr> {
        self.in_tries(None, &[sql], Hold::Long).await
    }

    async fn in_tries(&self, question: Option<&str>, statements: &[&str], hold: Hold) -> Result<(), DbErr> {
        match dialect_of(self.backend) {
            Dialect::Postgresql => {}
            Dialect::Sqlite => return self.send_all(statements).await,
        }
        match self.place {
            Place::Transaction => {
                self.keep_waits_short().await?;
                return self.send_all(statements).await;
            }
            Place::Recording | Place::Open(_) => {}
        }
        let in_force = self.in_force().await?;
        let mut turn = Turn::of(in_force.chosen);
        loop {
            let wait = lock_wait(turn.attempt.saturating_sub(SHORT_TRIES), in_force.longest_wait());
            let settings = [
                Some(format!("SET LOCAL lock_timeout = '{}ms'", wait.as_millis())),
                in_force.limit_of(hold),
            ];
            let question = question.filter(|_| !self.is_recording());
            let tried = in_transaction(self.executor, &settings, question, statements).await;
            if !turn.comes_again(&tried).await {
                return tried;
            }
            tracing::debug!(
                attempt = turn.attempt,
                statement = statements.join("; "),
                "the lock was not free; it is tried again"
            );
        }
    }

    /// Bounds the waits of somebody else's transaction, unless they are.
    async fn keep_waits_short(&self) -> Result<(), DbErr> {
        let in_force = self.in_force().await?;
        if in_force.lock_timeout == "0" {
            let wait = in_force.chosen.lock_timeout.as_millis();
            self.send(&format!("SET LOCAL lock_timeout = '{wait}ms'")).await?;
        }
        Ok(())
    }

    /// Sends a statement that waits for old transactions beside running reads and writes, outside of any transaction.
    ///
    /// No time limit holds: nobody waits behind it, and ending it leaves an INVALID index behind.
    pub(super) async fn concurrently(&self, sql: &str) -> Result<(), DbErr> {
        let in_force = self.in_force().await?;
        if !in_force.are_set() {
            return self.send(sql).await;
        }
        self.send("SET lock_timeout = 0; SET statement_timeout = 0")
            .await?;
        let sent = self.send(sql).await;
        let restored = self
            .send(&format!(
                "SET lock_timeout = '{}'; SET statement_timeout = '{}'",
                in_force.lock_timeout, in_force.statement_timeout
            ))
            .await;
        sent.and(restored)
    }

    /// Returns the turn of an operation that takes its locks by itself.
    pub(super) async fn turn(&self) -> Result<Turn, DbErr> {
        Ok(Turn::of(self.in_force().await?.chosen))
    }

    async fn in_force(&self) -> Result<InForce, DbErr> {
        let mut in_force = InForce {
            lock_timeout: "0".to_owned(),
            statement_timeout: "0".to_owned(),
            chosen: Limits::default(),
        };
        if self.is_recording() {
            return Ok(in_force);
        }
        let sql = format!(
            "SELECT current_setting('lock_timeout') AS lock_timeout, \
             current_setting('statement_timeout') AS statement_timeout, {}",
            Limits::columns()
        );
        if let Some(row) = self.row(&sql).await? {
            in_force.lock_timeout = row.try_get("", "lock_timeout")?;
            in_force.statement_timeout = row.try_get("", "statement_timeout")?;
            in_force.chosen = Limits::read(&row)?;
        }
        Ok(in_force)
    }
}

impl Turn {
    fn of(limits: Limits) -> Self {
        Self {
            limits,
            since: Instant::now(),
            attempt: 1,
        }
    }

    /// Returns whether it is worth another try, after a pause: neither tries nor time are used up.
    pub(super) async fn comes_again(&mut self, tried: &Result<(), DbErr>) -> bool {
        let is_in_the_way = matches!(tried, Err(error) if Fault::of(error) == Fault::LockNotGranted);
        let is_over =
            self.attempt > self.limits.lock_retries || self.since.elapsed() >= self.limits.lock_budget;
        if !is_in_the_way || is_over {
            return false;
        }
        tokio::time::sleep(pause_before(self.attempt)).await;
        self.attempt += 1;
        true
    }
}

impl InForce {
    /// Returns how long a try may wait: a session that waits for less than the first try has chosen so.
    fn longest_wait(&self) -> Duration {
        let set = self
            .lock_timeout
            .strip_suffix("ms")
            .and_then(|digits| digits.parse().ok());
        match set.map(Duration::from_millis) {
            Some(set) if set < lock_wait(1, Limits::default().lock_timeout) => set,
            _ => self.chosen.lock_timeout,
        }
    }

    /// Returns the statement that bounds what is sent, where the session's own limit is not the right one.
    fn limit_of(&self, hold: Hold) -> Option<String> {
        let longest = self.chosen.hold_timeout;
        match hold {
            Hold::Short if longest.is_zero() => None,
            Hold::Short if longest.subsec_millis() == 0 => {
                Some(format!("SET LOCAL statement_timeout = '{}s'", longest.as_secs()))
            }
            Hold::Short => Some(format!(
                "SET LOCAL statement_timeout = '{}ms'",
                longest.as_millis()
            )),
            Hold::Long => self
                .end_statements()
                .then(|| "SET LOCAL statement_timeout = 0".to_owned()),
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
    connection: &DatabaseExecutor<'_>,
    settings: &[Option<String>],
    question: Option<&str>,
    statements: &[&str],
) -> Result<(), DbErr> {
    let transaction = connection.begin().await?;
    let sent = async {
        for setting in settings.iter().flatten() {
            transaction.execute_unprepared(setting).await?;
        }
        for (index, statement) in statements.iter().enumerate() {
            transaction.execute_unprepared(statement).await?;
            let question = question.filter(|_| index == 0);
            if let Some(question) = question
                && transaction
                    .query_one_raw(Statement::from_string(DbBackend::Postgres, question))
                    .await?
                    .is_none()
            {
                return Ok(false);
            }
        }
        Ok(true)
    };
    match sent.await {
        Ok(true) => transaction.commit().await,
        Ok(false) => transaction.rollback().await,
        Err(error) => {
            // The server rolls back by itself when the connection is gone, which is the one way this fails.
            drop(transaction.rollback().await);
            Err(error)
        }
    }
}
