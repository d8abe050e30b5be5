//! What can go wrong with the database, and what helps against it.

use sea_orm::sqlx::Error as DriverError;
use sea_orm::{DbErr, RuntimeErr};
use thiserror::Error;

use crate::domain::{Missing, Version};

/// A unit of work was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum StoreError {
    /// The schema does not have it yet.
    #[error("the schema at {} has no {} yet", .0.current_revision, .0.feature.name())]
    Missing(Missing),
    /// The schema has gained what the snapshot lacks, or there is no such thing.
    #[error("the snapshot of the schema may be out of date")]
    Outdated,
    /// The person is gone, and their credential with them.
    #[error("the person is gone")]
    Gone,
    /// Somebody has the most API tokens that they can have.
    #[error("there are too many API tokens")]
    TooManyTokens,
    /// The e-mail address belongs to somebody else.
    #[error("the e-mail address belongs to another user")]
    EmailTaken,
    /// There is no such thing, or it is not theirs.
    #[error("not found")]
    NotFound,
    /// The thing is in another state than the client has seen.
    #[error("the state has changed")]
    Changed { current: Version },
    /// A tag of this name is there already.
    #[error("there is a tag of this name")]
    TagExists,
    /// A task cannot carry another tag.
    #[error("the task carries the most tags it can")]
    TooManyTags,
    /// A conversation cannot take another message.
    #[error("the conversation is full")]
    ConversationFull,
    /// A user has the most event streams that they can have.
    #[error("the user has the most event streams that they can have")]
    TooManyFollowers,
    /// What happened since that position is not known any more.
    #[error("the changes are not kept that far back")]
    ChangesExpired,
    /// The key stands for another request.
    #[error("the key belongs to another request")]
    KeyReused,
    /// The request of this key is being carried out.
    #[error("the request of this key is under way")]
    KeyInProgress,
    /// One of several operations failed, and with it all of them.
    #[error("operation {index} failed")]
    Operation {
        index: usize,
        #[source]
        failure: Box<Self>,
    },
    /// Nobody answers, or no connection was free in time.
    #[error("the database cannot be reached")]
    Unreachable { source: DbErr },
    /// A lock was not granted in time, also not the second time.
    #[error("the database is busy")]
    Busy { source: DbErr },
    /// Anything else that the database said.
    #[error("the database refused")]
    Database { source: DbErr },
}

/// What may help against a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cure {
    None,
    /// Look at the schema again: it may have what was missing.
    Look,
    /// Look at the schema again and prepare statements anew.
    Refresh,
    /// Another transaction was in the way.
    Wait,
    /// The person's row is gone.
    Recognise,
}

impl StoreError {
    /// Returns what to tell after nothing has helped.
    pub(super) fn after_all(self) -> Self {
        match self {
            Self::Database { source } if cure(&source) == Cure::Wait => Self::Busy { source },
            Self::Outdated => Self::NotFound,
            other => other,
        }
    }

    /// Whether what was asked for is at fault, and neither the database nor a snapshot of its schema.
    pub(crate) fn is_of_request(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::NotFound | Self::Changed { .. })
    }

    pub(super) fn cure(&self) -> Cure {
        match self {
            Self::Missing(_) | Self::Outdated => Cure::Look,
            Self::Database { source } => cure(source),
            // The server ended the connection before the statement was done: nothing of it has stayed.
            Self::Unreachable { source } if is_ended_by_server(source) => Cure::Refresh,
            _ => Cure::None,
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(source: DbErr) -> Self {
        match (&source, driver_error(&source)) {
            (DbErr::ConnectionAcquire(_) | DbErr::Conn(_), _)
            | (
                _,
                Some(
                    DriverError::Io(_)
                    | DriverError::PoolTimedOut
                    | DriverError::PoolClosed
                    | DriverError::Tls(_)
                    | DriverError::WorkerCrashed,
                ),
            ) => Self::Unreachable { source },
            (_, Some(DriverError::Database(error)))
                if error
                    .code()
                    .is_some_and(|code| code.starts_with("57P") || code.starts_with("08")) =>
            {
                Self::Unreachable { source }
            }
            _ => Self::Database { source },
        }
    }
}

/// Codes are those of the manuals: PostgreSQL, appendix A; SQLite, "Result and Error Codes".
fn cure(error: &DbErr) -> Cure {
    let Some(error) = driver_error(error) else {
        return Cure::None;
    };
    let DriverError::Database(error) = error else {
        // A column of another type than the statement was prepared for.
        return match error {
            DriverError::ColumnDecode { .. } | DriverError::ColumnNotFound(_) => Cure::Refresh,
            _ => Cure::None,
        };
    };
    match error.code().as_deref() {
        // Undefined column or table, no such conflict target, changed result type, a statement that is gone, a column that
        // wants a value, or has a rule that says so.
        Some("42703" | "42P01" | "42P10" | "0A000" | "26000" | "23502" | "23514") => Cure::Refresh,
        // Serialization failure, deadlock, lock not available, statement timeout.
        Some("40001" | "40P01" | "55P03" | "57014") => Cure::Wait,
        Some("23503") => Cure::Recognise,
        // SQLite: a plain error, as for a missing column or table; schema changed.
        Some("1" | "17")
            if ["no such column", "no such table", "has no column", "schema"]
                .iter()
                .any(|words| error.message().contains(words)) =>
        {
            Cure::Refresh
        }
        // SQLite: a column that wants a value, or has a rule that says so.
        Some("1299" | "275") => Cure::Refresh,
        // SQLite: busy, locked, busy with an old snapshot.
        Some("5" | "6" | "517" | "262") => Cure::Wait,
        Some("787") => Cure::Recognise,
        _ => Cure::None,
    }
}

fn driver_error(error: &DbErr) -> Option<&DriverError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error.as_ref()),
        _ => None,
    }
}

fn is_ended_by_server(error: &DbErr) -> bool {
    matches!(driver_error(error), Some(DriverError::Database(error)) if error.code().as_deref() == Some("57P01"))
}

/// Whether a unique constraint was in the way.
pub(super) fn is_duplicate(error: &StoreError) -> bool {
    let StoreError::Database { source } = error else {
        return false;
    };
    matches!(driver_error(source), Some(DriverError::Database(error)) if error.is_unique_violation())
}
