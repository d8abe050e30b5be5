//! Sends statements and counts them.

use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryResult,
    SqliteTransactionMode, Statement, StatementBuilder, TransactionOptions, TransactionTrait,
};

use super::StoreError;
use super::pool::Pool;
use super::shape::DENIED_POSTGRES;

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

/// Where a scope sends its statements: to the pool, or into what everything is part of.
pub(super) enum Way<'a> {
    Pool(&'a Pool),
    Transaction(&'a DatabaseTransaction),
}

impl<'a> Runner<'a, Way<'_>> {
    /// Begins to write; SQLite takes its write lock now, because it cannot wait for it later. Within a transaction this is a
    /// part of it.
    pub(super) async fn begin(self) -> Result<Runner<'a, DatabaseTransaction>, StoreError> {
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        let transaction = match self.counted() {
            Way::Pool(pool) => pool.begin(options).await?,
            Way::Transaction(transaction) => transaction.begin_with_options(options).await?,
        };
        Ok(Runner::new(transaction, self.count))
    }
}

impl Runner<'_, &DatabaseConnection> {
    /// Asks for a sign of life, and for the tables that the role may not work with.
    pub(super) async fn denied(&self) -> Result<Vec<String>, StoreError> {
        if self.backend() != DbBackend::Postgres {
            self.counted().execute_unprepared("SELECT 1").await?;
            return Ok(Vec::new());
        }
        let rows = self.rows(DENIED_POSTGRES).await?;
        let names: Result<_, DbErr> = rows.iter().map(|row| row.try_get("", "t")).collect();
        Ok(names?)
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
    fn kind(&self) -> DbBackend;

    fn rows(&self, statement: Statement) -> impl Future<Output = Result<Vec<QueryResult>, DbErr>> + Send;

    /// Returns how many rows were touched.
    fn change(&self, statement: Statement) -> impl Future<Output = Result<u64, DbErr>> + Send;
}

impl Target for Way<'_> {
    fn kind(&self) -> DbBackend {
        match self {
            Self::Pool(pool) => pool.connection().get_database_backend(),
            Self::Transaction(transaction) => transaction.get_database_backend(),
        }
    }

    async fn rows(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Pool(pool) => pool.all(statement).await,
            Self::Transaction(transaction) => transaction.query_all_raw(statement).await,
        }
    }

    async fn change(&self, statement: Statement) -> Result<u64, DbErr> {
        match self {
            Self::Pool(pool) => pool.execute(statement).await,
            Self::Transaction(transaction) => Ok(transaction.execute_raw(statement).await?.rows_affected()),
        }
    }
}

impl Target for DatabaseTransaction {
    fn kind(&self) -> DbBackend {
        self.get_database_backend()
    }

    async fn rows(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.query_all_raw(statement).await
    }

    async fn change(&self, statement: Statement) -> Result<u64, DbErr> {
        Ok(self.execute_raw(statement).await?.rows_affected())
    }
}

impl<C: Target> Runner<'_, C> {
    /// Returns the only row that there can be.
    pub(super) async fn one(&self, query: &impl StatementBuilder) -> Result<Option<QueryResult>, StoreError> {
        Ok(self.all(query).await?.into_iter().next())
    }

    pub(super) async fn all(&self, query: &impl StatementBuilder) -> Result<Vec<QueryResult>, StoreError> {
        let statement = self.connection.kind().build(query);
        Ok(self.counted().rows(statement).await?)
    }

    /// Returns how many rows were touched.
    pub(super) async fn execute(&self, query: &impl StatementBuilder) -> Result<u64, StoreError> {
        let statement = self.connection.kind().build(query);
        Ok(self.counted().change(statement).await?)
    }

    /// Whether this is PostgreSQL.
    pub(super) fn is_postgres(&self) -> bool {
        self.connection.kind() == DbBackend::Postgres
    }
}
