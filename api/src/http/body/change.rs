//! What has become of tasks.

use serde::Serialize;
use utoipa::ToSchema;

use super::task::TaskBody;
use crate::domain::{Changes, Outcome, TaskChange};

/// What has become of a task.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaskChange)]
struct TaskChangeBody {
    /// The number of the task.
    #[schema(minimum = 1)]
    id: i32,
    /// `created` when the task is new since the cursor, `changed` when it was there before, `deleted` when it is gone.
    #[schema(example = "changed")]
    change: &'static str,
    /// When something happened to it last.
    #[schema(format = DateTime)]
    at: String,
    /// The task as it is now; null when it is gone.
    #[schema(required = true)]
    task: Option<TaskBody>,
}

/// What has happened since a cursor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Changes)]
pub(in crate::http) struct ChangesBody {
    /// One entry for each task, in the order of what happened last.
    data: Vec<TaskChangeBody>,
    /// What to ask with next: the parameter `cursor`.
    next_cursor: String,
    /// Whether there is more already.
    has_more: bool,
}

impl ChangesBody {
    pub(in crate::http) fn of(changes: Changes, next_cursor: String) -> Self {
        Self {
            data: changes.changes.into_iter().map(TaskChangeBody::from).collect(),
            next_cursor,
            has_more: changes.has_more,
        }
    }
}

impl From<TaskChange> for TaskChangeBody {
    fn from(change: TaskChange) -> Self {
        let (word, task) = match change.outcome {
            Outcome::Created(task) => ("created", Some(task)),
            Outcome::Changed(task) => ("changed", Some(task)),
            Outcome::Deleted => ("deleted", None),
        };
        Self {
            id: change.task_id,
            change: word,
            at: change.at.to_string(),
            task: task.map(TaskBody::from),
        }
    }
}
