//! Several operations on tasks at once.

use super::{NewTask, Precondition, TaskPatch};

/// Operations that are carried out one after the other, in one transaction.
#[derive(Clone, Debug)]
pub(crate) struct Bulk {
    /// Whether all of them are undone when one fails.
    pub(crate) is_atomic: bool,
    /// Each with its place in the request.
    pub(crate) operations: Vec<(usize, Operation)>,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Create {
        new: NewTask,
        /// What later operations call the new task.
        temp_id: Option<String>,
    },
    Change {
        target: Target,
        precondition: Precondition,
        change: Change,
    },
}

/// What becomes of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Update(TaskPatch),
    Complete(bool),
    Delete,
}

/// Which task is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Id(i32),
    /// The one that an operation before this one makes.
    Temp(String),
}

impl Bulk {
    /// Most operations at a time.
    pub(crate) const MOST: usize = 100;
    /// Most characters of a temporary id.
    pub(crate) const LONGEST_TEMP_ID: usize = 64;
}
