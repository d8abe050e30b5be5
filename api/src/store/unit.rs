//! A unit of work: the transaction that it is one of, and the one place that ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::{DatabaseTransaction, SqliteTransactionMode, TransactionOptions};
use tokio::sync::OnceCell;

use super::runner::Runner;
use super::{Store, StoreError};

/// What a unit of work holds until it ends.
#[derive(Clone, Default)]
pub(super) struct Unit(Arc<Held>);

#[derive(Default)]
struct Held {
    /// Begun when the work asks for it: before its first lock, or its second statement that writes.
    transaction: OnceCell<DatabaseTransaction>,
    /// Whether nobody else can name tags of the owner's.
    are_tag_names_locked: AtomicBool,
}

impl Unit {
    /// Makes everything that follows one transaction; SQLite takes its write lock now, because it cannot wait for it later.
    /// One that has begun goes on.
    pub(super) async fn begin(&self, store: &Store) -> Result<(), StoreError> {
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        let begun = self.0.transaction.get_or_try_init(async || {
            store.0.statements.fetch_add(1, Ordering::Relaxed);
            store.0.pool.begin(options).await
        });
        Ok(begun.await.map(drop)?)
    }

    /// Sends statements within the transaction, or each for itself as long as there is none.
    pub(super) fn runner<'a>(&'a self, store: &'a Store) -> Runner<'a> {
        Runner::new(&store.0.pool, self.0.transaction.get(), &store.0.statements)
    }

    /// Notes that nobody else can name tags of the owner's any more; returns whether that was so already.
    pub(super) fn mark_tag_names_locked(&self) -> bool {
        self.0.are_tag_names_locked.swap(true, Ordering::Relaxed)
    }

    /// Commits what was done, or undoes at once what was done before it failed: left to the pool, its locks would still be
    /// there when the same comes again.
    pub(super) async fn end<T>(self, store: &Store, done: Result<T, StoreError>) -> Result<T, StoreError> {
        let held = Arc::into_inner(self.0);
        let held = held.expect("the work has ended, and with it every other use of its transaction");
        let Some(transaction) = held.transaction.into_inner() else {
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
