//! Backfills under SeaORM's own runner, which knows nothing of them: called from `up` and `down`.

use std::cell::Cell;

use sea_orm::{ConnectionTrait, DatabaseConnectionType, DatabaseExecutor, DbErr};
use sea_orm_migration::SchemaManager;
use tokio_util::sync::CancellationToken;

use super::{Backfill, BackfillError, Progress, Sweep};

impl Backfill {
    /// Works the backfill off, from where an earlier run stopped; to be called by `up` of a revision that says
    /// `use_transaction() = Some(false)`.
    ///
    /// This tool's runner does it by itself, with progress and without calling `up`, where the revision declares it as one of
    /// its `backfills`. While a revision is recorded this only says what it would do.
    ///
    /// # Errors
    ///
    /// Fails with a [`BackfillError`] in words.
    pub async fn run(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let executor = manager.get_connection();
        if is_recorded(executor) {
            let backend = executor.get_database_backend();
            let said = format!("{}\n{}", self.described(backend), self.portable(backend));
            return executor.execute_unprepared(&said).await.map(drop);
        }
        let connection = match executor {
            DatabaseExecutor::Connection(connection) => *connection,
            _ => {
                let name = self.name.clone();
                return Err(BackfillError::InTransaction { name }.into());
            }
        };
        let logged = |progress: &Progress| {
            tracing::debug!(
                backfill = progress.name,
                seen = progress.seen,
                total = progress.total,
                "rows are filled"
            );
        };
        Sweep::new(self, connection, &CancellationToken::new(), &logged)
            .run()
            .await?;
        Ok(())
    }

    /// Forgets how far the backfill was; to be called by `down`, so that applying the revision again begins anew.
    ///
    /// This tool's runner does it by itself.
    ///
    /// # Errors
    ///
    /// Fails when the table cannot be written.
    pub async fn forget(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        match manager.get_connection() {
            connection if is_recorded(connection) => {
                let said = self.forgotten(connection.get_database_backend());
                connection.execute_unprepared(&said).await.map(drop)
            }
            connection => self.forget_on(connection).await,
        }
    }

    /// Forgets how far the backfill was, on a connection that may be a transaction.
    pub(crate) async fn forget_on(&self, connection: &impl ConnectionTrait) -> Result<(), DbErr> {
        let backend = connection.get_database_backend();
        // Inside of a transaction nobody may find out by trying that there is no such table.
        connection
            .execute_unprepared(&self.forgetting(backend))
            .await
            .map(drop)
    }
}

/// Begins a question of an operation of ours while it is recorded: it wants no answer, and everything is to be done then.
pub(crate) const OWN_QUESTION: &str = "/* seaworthy */ ";

thread_local! {
    static IS_RECORDING: Cell<bool> = const { Cell::new(false) };
}

/// Notes whether this thread is inside of a recording from now on.
pub(crate) fn mark_recording(is_recording: bool) {
    IS_RECORDING.set(is_recording);
}

/// Returns whether this thread is inside of a recording.
pub(crate) fn is_inside_recording() -> bool {
    IS_RECORDING.get()
}

/// Returns whether a connection notes what it is sent, and sends nothing. A transaction does not show what it was begun on; within a
/// recording it is one of the recording.
pub(crate) fn is_recorded(executor: &DatabaseExecutor<'_>) -> bool {
    match executor {
        DatabaseExecutor::Connection(connection) => matches!(
            connection.inner,
            DatabaseConnectionType::MockDatabaseConnection(_)
        ),
        _ => is_inside_recording(),
    }
}
