//! A unit of work: the transaction that it is one of, and the one place that ends it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sea_orm::{DatabaseTransaction, SqliteTransactionMode, TransactionOptions};
use tokio::sync::OnceCell;

use super::runner::Runner;
use super::{Store, StoreError};

/// The transaction of a unit of work, from the moment on that it begins to write with more than one statement.
#[derive(Clone, Default)]
pub(super) struct Unit(Arc<OnceCell<DatabaseTransaction>>);

impl Unit {
    /// Makes everything that follows one transaction; SQLite takes its write lock now, because it cannot wait for it later.
    /// One that has begun goes on.
    pub(super) async fn begin(&self, store: &Store) -> Result<(), StoreError> {
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        let begun = self.0.get_or_try_init(async || {
            store.0.statements.fetch_add(1, Ordering::Relaxed);
            store.0.pool.begin(options).await
        });
        Ok(begun.await.map(drop)?)
    }

    /// Sends statements within the transaction, or each for itself as long as there is none.
    pub(super) fn runner<'a>(&'a self, store: &'a Store) -> Runner<'a> {
        Runner::new(&store.0.pool, self.0.get(), &store.0.statements)
    }

    /// Commits what was done, or undoes at once what was done before it failed: left to the pool, its locks would still be
    /// there when the same comes again.
    pub(super) async fn end<T>(self, store: &Store, done: Result<T, StoreError>) -> Result<T, StoreError> {
        let cell = Arc::into_inner(self.0);
        let cell = cell.expect("the work has ended, and with it every other use of its transaction");
        let Some(transaction) = cell.into_inner() else {
            return done;
        };
        match done {
            Ok(done) => {
                store.0.statements.fetch_add(1, Ordering::Relaxed);
                transaction.commit().await?;
                Ok(done)
            }
            Err(failure) => {
                // A connection that cannot even do this is closed, and the server undoes the rest.
                drop(transaction.rollback().await);
                Err(failure)
            }
        }
    }
}
