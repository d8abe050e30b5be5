//! Sends statements and counts them.

use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, Statement, StatementBuilder,
};
use seaworthy::session::backend_of;
use seaworthy::sql::Dialect;

use super::StoreError;
use super::pool::Pool;
use super::shape::DENIED_POSTGRES;

/// The pool or a transaction of it; the statements are counted.
pub(super) struct Runner<'a> {
    pool: &'a Pool,
    transaction: Option<&'a DatabaseTransaction>,
    count: &'a AtomicU64,
}

impl<'a> Runner<'a> {
    /// Sends to the pool, each statement for itself, unless there is a transaction to be part of.
    pub(super) fn new(
        pool: &'a Pool,
        transaction: Option<&'a DatabaseTransaction>,
        count: &'a AtomicU64,
    ) -> Self {
        Self {
            pool,
            transaction,
            count,
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.pool.dialect()
    }

    /// Returns the only row that there can be.
    pub(super) async fn one(&self, query: &impl StatementBuilder) -> Result<Option<QueryResult>, StoreError> {
        Ok(self.all(query).await?.into_iter().next())
    }

    pub(super) async fn all(&self, query: &impl StatementBuilder) -> Result<Vec<QueryResult>, StoreError> {
        let statement = backend_of(self.dialect()).build(query);
        self.count();
        Ok(match self.transaction {
            Some(transaction) => transaction.query_all_raw(statement).await?,
            None => self.pool.all(statement).await?,
        })
    }

    /// Returns how many rows were touched.
    pub(super) async fn execute(&self, query: &impl StatementBuilder) -> Result<u64, StoreError> {
        let statement = backend_of(self.dialect()).build(query);
        self.count();
        Ok(match self.transaction {
            Some(transaction) => transaction.execute_raw(statement).await?.rows_affected(),
            None => self.pool.execute(statement).await?,
        })
    }

    /// Returns the rows of a statement that is asked seldom, on a connection that the pool has looked at.
    pub(super) async fn rows(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        let statement = Statement::from_string(backend_of(self.dialect()), sql);
        self.connection().query_all_raw(statement).await
    }

    /// Asks for a sign of life, and for what the service may not work with.
    pub(super) async fn denied(&self) -> Result<Vec<String>, StoreError> {
        match self.dialect() {
            Dialect::Postgresql => {
                let rows = self.rows(DENIED_POSTGRES).await?;
                let names: Result<_, DbErr> = rows.iter().map(|row| row.try_get("", "t")).collect();
                Ok(names?)
            }
            Dialect::Sqlite => {
                self.connection().execute_unprepared("SELECT 1").await?;
                let file = self.pool.unwritable_file();
                Ok(file.map(|file| file.display().to_string()).into_iter().collect())
            }
        }
    }

    /// Returns the connection, for statements that somebody else sends; they count as one.
    pub(super) fn connection(&self) -> &'a DatabaseConnection {
        self.count();
        self.pool.connection()
    }

    fn count(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}
