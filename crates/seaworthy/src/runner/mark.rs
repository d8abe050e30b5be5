//! Whether a step is still in the transaction that was begun for it.
//!
//! For revisions whose statements are not all known beforehand: one of them may be a COMMIT.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};

use super::StepError;
use crate::session::Fault;
use crate::session::dialect_of;
use crate::sql::Dialect;

/// What only the transaction has in which it was set.
pub(super) enum TransactionMark {
    /// When the transaction began; the next one begins later, also within one string.
    Time(String),
    /// A savepoint.
    Savepoint,
}

const SAVEPOINT: &str = "seaworthy_step";

impl TransactionMark {
    /// Marks a transaction that has just begun.
    pub(super) async fn set(transaction: &DatabaseTransaction) -> Result<Self, StepError> {
        if dialect_of(transaction.get_database_backend()) == Dialect::Postgresql {
            let time = "SELECT extract(epoch FROM transaction_timestamp())::text AS began";
            return Ok(Self::Time(text(transaction, time).await?));
        }
        transaction
            .execute_unprepared(&format!("SAVEPOINT {SAVEPOINT}"))
            .await?;
        Ok(Self::Savepoint)
    }

    /// Fails where the transaction is not the one that was marked.
    pub(super) async fn check(self, transaction: &DatabaseTransaction) -> Result<(), StepError> {
        match self {
            Self::Time(began) => {
                let time = "SELECT extract(epoch FROM transaction_timestamp())::text AS began";
                match text(transaction, time).await? == began {
                    true => Ok(()),
                    false => Err(StepError::TransactionEnded),
                }
            }
            Self::Savepoint => {
                let release = format!("RELEASE {SAVEPOINT}");
                match transaction.execute_unprepared(&release).await {
                    Ok(_) => Ok(()),
                    Err(error) if Fault::of(&error) == Fault::AlreadyDone => Err(StepError::TransactionEnded),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }
}

async fn text(transaction: &DatabaseTransaction, sql: &str) -> Result<String, StepError> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = transaction.query_one_raw(statement).await?;
    Ok(row.map_or_else(|| Ok(String::new()), |row| row.try_get("", "began"))?)
}
