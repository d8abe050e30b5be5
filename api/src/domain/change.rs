//! What happened to somebody's tasks since they last looked.

use std::collections::HashMap;
use std::time::Duration;

use super::{Cursor, CursorValue, Instant, Task};

/// Something that happened to a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaskEvent {
    /// Where it stands in the list of its owner.
    pub(crate) position: i64,
    pub(crate) kind: EventKind,
    pub(crate) task_id: i32,
    pub(crate) at: Instant,
}

/// What happens to tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    Created,
    Changed,
    Completed,
    Reopened,
    Deleted,
}

/// What has become of a task in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaskChange {
    pub(crate) task_id: i32,
    /// When it happened last.
    pub(crate) at: Instant,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is new, and this is its state now.
    Created(Task),
    /// It was there before, and this is its state now.
    Changed(Task),
    /// It is gone.
    Deleted,
}

/// A part of the changes.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    /// One for each task, in the order of what happened last.
    pub(crate) changes: Vec<TaskChange>,
    /// Where the next part begins.
    pub(crate) next: Since,
    /// Whether there is a next part already.
    pub(crate) has_more: bool,
}

/// Where somebody has looked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) position: i64,
    /// When they were told this position.
    pub(crate) told: Instant,
}

impl EventKind {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "created" => Some(Self::Created),
            "changed" => Some(Self::Changed),
            "completed" => Some(Self::Completed),
            "reopened" => Some(Self::Reopened),
            "deleted" => Some(Self::Deleted),
            _ => None,
        }
    }
}

impl TaskEvent {
    /// How long events are kept, and a position is good for.
    pub(crate) const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
}

impl Since {
    /// How long somebody is told the same position while nothing happens.
    const RENEWED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

    pub(crate) fn from_cursor(cursor: &Cursor) -> Option<Self> {
        match cursor.0.as_slice() {
            [CursorValue::Number(position), CursorValue::Moment(told)] => Some(Self {
                position: *position,
                told: *told,
            }),
            _ => None,
        }
    }

    pub(crate) fn to_cursor(self) -> Cursor {
        Cursor(vec![
            CursorValue::Number(self.position),
            CursorValue::Moment(self.told),
        ])
    }

    /// Whether something that happened after it may be forgotten already.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.is_older_than(TaskEvent::KEPT, now)
    }

    /// Returns a position that is told now; the same one as before where nothing has changed, so that the answer is the same.
    pub(crate) fn at(self, position: i64, now: Instant) -> Self {
        match position == self.position && !self.is_older_than(Self::RENEWED_AFTER, now) {
            true => self,
            false => Self { position, told: now },
        }
    }

    fn is_older_than(&self, age: Duration, now: Instant) -> bool {
        now.to_zoned() - self.told.to_zoned() > chrono::TimeDelta::from_std(age).unwrap_or_default()
    }
}

/// Returns what has become of each task, given those that are still there.
pub(crate) fn outcomes(events: &[TaskEvent], mut tasks: HashMap<i32, Task>) -> Vec<TaskChange> {
    let mut changes: Vec<TaskChange> = Vec::new();
    for event in events.iter().rev() {
        if changes.iter().any(|change| change.task_id == event.task_id) {
            continue;
        }
        let is_new = events
            .iter()
            .any(|other| other.task_id == event.task_id && other.kind == EventKind::Created);
        let outcome = match tasks.remove(&event.task_id) {
            Some(task) if is_new => Outcome::Created(task),
            Some(task) => Outcome::Changed(task),
            None => Outcome::Deleted,
        };
        changes.push(TaskChange {
            task_id: event.task_id,
            at: event.at,
            outcome,
        });
    }
    changes.reverse();
    changes
}
