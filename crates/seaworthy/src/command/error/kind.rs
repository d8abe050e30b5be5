//! Errors in kinds that a script can tell apart.

use super::CommandError;
use crate::graph::GraphError;
use crate::runner::StepError;
use crate::session::LockError;

/// What a caller makes of an error: the exit codes of the terminal are these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Category {
    /// It was tried and failed.
    Failed,
    /// The request itself is wrong.
    Usage,
    /// Another run has the lock.
    LockNotObtained,
    /// It needs a consent that was not given.
    Refused,
    /// It was stopped.
    Stopped,
}

impl CommandError {
    /// Returns the kind of error as one word in snake case, which stays the same when messages change.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Graph(error) => error.kind(),
            Self::Session(_) => "connection",
            Self::Lock(LockError::Held { .. }) => "lock_not_obtained",
            Self::Lock(LockError::Pooled { .. }) => "pooled",
            Self::Lock(_) => "lock",
            Self::Ledger(_) => "ledger",
            Self::Run(error) => match error.source {
                StepError::Stopped => "stopped",
                StepError::LockNotGranted { .. } => "lock_not_granted",
                StepError::Destroys { .. } => "refused",
                _ => "step_failed",
            },
            Self::Source(_) => "source",
            Self::Scratch(_) => "scratch",
            Self::Query { .. } => "query",
            Self::NoDatabase | Self::NowhereToBegin => "no_database",
            Self::UnknownRows { .. } | Self::UnknownAlembic { .. } => "unknown_revision",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::StillInUse { .. } => "still_in_use",
            Self::Hazardous { .. } => "hazardous",
            Self::NothingToAccept { .. } => "nothing_to_accept",
            Self::NoLockTree => "no_lock_tree",
            Self::End(_) => "session_not_endable",
            Self::NotEnded { .. } => "refused",
            Self::Refused { .. } => "refused",
            Self::Stopped => "stopped",
            Self::ChangedMeanwhile => "changed_meanwhile",
            Self::ChangedWhileUnfinished { .. } => "changed_while_unfinished",
            Self::NotRecordable { .. } => "not_recordable",
            Self::CannotBeUndone { .. } => "cannot_be_undone",
            Self::TransactionControl { .. } => "transaction_control",
            Self::NotFeedable { .. } => "not_feedable",
            Self::NothingToAdopt { .. } => "nothing_to_adopt",
            Self::ManagedByAlembic { .. } => "managed_by_alembic",
            Self::AlreadyAdopted { .. } => "already_adopted",
            Self::BadBackfill { .. } => "bad_backfill",
            Self::NeedsBackfill { .. } => "backfill_unfinished",
            Self::Backfill { .. } => "backfill",
            Self::BadFlags { .. } => "bad_flags",
            Self::NoEntities => "no_entities",
            Self::NotAtHead { .. } => "not_at_head",
            Self::MostlyDropped { .. } => "mostly_dropped",
            Self::NeedsValue { .. } => "needs_value",
            Self::InTheWay { .. } => "in_the_way",
            Self::OneSchemaOnly { .. } => "one_schema_only",
            Self::NoSuchTable { .. } => "no_such_table",
            Self::NoSuchColumn { .. } => "no_such_column",
            Self::ColumnTaken { .. } => "column_taken",
            Self::Drift(_) => "drift",
            Self::Sql(_) | Self::Render(_) => "not_writable",
            Self::Address { .. } => "database_address",
            Self::Unreadable { .. } => "file",
            Self::Snapshot { .. } => "snapshot",
            Self::NoFile { .. } => "no_file",
            Self::FileRefused { .. } => "file_refused",
            Self::FileForClient { .. } => "file_for_client",
            Self::FileReachesFurther { .. } => "file_reaches_further",
        }
    }

    /// Returns what a caller makes of the error.
    #[must_use]
    pub fn category(&self) -> Category {
        match self {
            Self::Lock(LockError::Held { .. }) => Category::LockNotObtained,
            Self::Lock(LockError::Pooled { .. })
            | Self::Refused { .. }
            | Self::Hazardous { .. }
            | Self::NotEnded { .. }
            | Self::End(_)
            | Self::OutOfOrder { .. }
            | Self::StillInUse { .. }
            | Self::NeedsBackfill { .. }
            | Self::ManagedByAlembic { .. }
            | Self::NotAtHead { .. }
            | Self::NoEntities
            | Self::MostlyDropped { .. }
            | Self::NeedsValue { .. }
            | Self::InTheWay { .. }
            | Self::OneSchemaOnly { .. }
            | Self::ChangedMeanwhile => Category::Refused,
            Self::Stopped => Category::Stopped,
            Self::Run(error) if matches!(error.source, StepError::Stopped) => Category::Stopped,
            Self::Run(error) if matches!(error.source, StepError::Destroys { .. }) => Category::Refused,
            Self::BadFlags { .. }
            | Self::NothingToAccept { .. }
            | Self::NoDatabase
            | Self::NowhereToBegin
            | Self::Address { .. }
            | Self::Graph(GraphError::MalformedTarget { .. } | GraphError::MalformedRange { .. }) => {
                Category::Usage
            }
            _ => Category::Failed,
        }
    }
}
