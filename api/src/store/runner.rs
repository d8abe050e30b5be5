//! Sends statements and counts them.

use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseExecutor, DatabaseTransaction, DbBackend, DbErr,
    QueryResult, SqliteTransactionMode, Statement, StatementBuilder, TransactionOptions, TransactionTrait,
};

use super::StoreError;

/// A connection or a transaction whose statements are counted.
pub(super) struct Runner<'a, C> {
    connection: C,
    count: &'a AtomicU64,
}

impl<'a, C> Runner<'a, C> {
    pub(super) fn new(connection: C, count: &'a AtomicU64) -> Self {
        Self { connection, count }
    }

    fn counted(&self) -> &C {
        self.count.fetch_add(1, Ordering::Relaxed);
        &self.connection
    }
}

impl<'a> Runner<'a, DatabaseExecutor<'_>> {
    /// Begins to write; SQLite takes its write lock now, because it cannot wait for it later. Within a transaction this is a
    /// part of it.
    pub(super) async fn begin(self) -> Result<Runner<'a, DatabaseTransaction>, StoreError> {
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        let transaction = self.counted().begin_with_options(options).await?;
        Ok(Runner::new(transaction, self.count))
    }
}

impl Runner<'_, &DatabaseConnection> {
    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.counted().execute_unprepared("SELECT 1").await.map(drop)?)
    }

    pub(super) async fn rows(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        let statement = Statement::from_string(self.backend(), sql);
        self.counted().query_all_raw(statement).await
    }

    /// Returns the connection, for statements that somebody else sends; they count as one.
    pub(super) fn connection(&self) -> &DatabaseConnection {
        self.counted()
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }
}

impl Runner<'_, DatabaseTransaction> {
    /// Hands the transaction over to whoever will end it.
    pub(super) fn into_connection(self) -> DatabaseTransaction {
        self.connection
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(self.connection.commit().await?)
    }
}

/// What can send statements: a connection of the pool, or a transaction.
pub(super) trait Target {
    type Connection: ConnectionTrait;
    fn target(&self) -> &Self::Connection;
}

impl Target for &DatabaseConnection {
    type Connection = DatabaseConnection;

    fn target(&self) -> &DatabaseConnection {
        self
    }
}

impl Target for DatabaseExecutor<'_> {
    type Connection = Self;

    fn target(&self) -> &Self {
        self
    }
}

impl Target for DatabaseTransaction {
    type Connection = Self;

    fn target(&self) -> &Self {
        self
    }
}

impl<C: Target> Runner<'_, C> {
    pub(super) async fn one(&self, query: &impl StatementBuilder) -> Result<Option<QueryResult>, StoreError> {
        Ok(self.counted().target().query_one(query).await?)
    }

    pub(super) async fn all(&self, query: &impl StatementBuilder) -> Result<Vec<QueryResult>, StoreError> {
        Ok(self.counted().target().query_all(query).await?)
    }

    /// Returns how many rows were touched.
    pub(super) async fn execute(&self, query: &impl StatementBuilder) -> Result<u64, StoreError> {
        Ok(self.counted().target().execute(query).await?.rows_affected())
    }

    /// Whether this is PostgreSQL.
    pub(super) fn is_postgres(&self) -> bool {
        self.connection.target().get_database_backend() == DbBackend::Postgres
    }
}
