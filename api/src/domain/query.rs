//! What somebody wants to see of their tasks: filters, order, and where a page begins.

use super::{Instant, Priority, TagName, Task, TextSearch, Zone};

/// A page of tasks to look for.
#[derive(Clone, Debug)]
pub(crate) struct TaskQuery {
    pub(crate) filter: TaskFilter,
    /// At most three keys; the id always comes last and settles ties.
    pub(crate) sort: Vec<SortTerm>,
    /// At least 1.
    pub(crate) limit: u64,
    /// Where the page before ended.
    pub(crate) after: Option<Cursor>,
    /// How many tasks are left out at the beginning.
    pub(crate) skip: u64,
    /// Whether all matching tasks are counted.
    pub(crate) with_total: bool,
}

/// All of these must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct TaskFilter {
    pub(crate) completed: Option<bool>,
    /// Any of these; all when empty.
    pub(crate) priorities: Vec<Priority>,
    pub(crate) tags: Vec<TagName>,
    pub(crate) tags_match: TagsMatch,
    /// Inclusive.
    pub(crate) due_after: Option<Instant>,
    /// Exclusive.
    pub(crate) due_before: Option<Instant>,
    pub(crate) overdue: Option<bool>,
    pub(crate) has_due: Option<bool>,
    pub(crate) recurring: Option<bool>,
    /// Inclusive.
    pub(crate) updated_since: Option<Instant>,
    /// What the title or the description must have.
    pub(crate) text: Option<TextSearch>,
    /// Any of these; all when there are none.
    pub(crate) ids: Vec<i32>,
    pub(crate) view: Option<View>,
    /// Whose days are those of the view.
    pub(crate) zone: Zone,
}

/// What people look at most, as the summary counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Not done, and due on this day.
    Today,
    /// Not done, and past its date.
    Overdue,
    /// Not done, and due on one of the seven days after this one.
    Upcoming,
    /// Done.
    Completed,
}

impl TaskFilter {
    /// Returns whether tasks that are looked for may be completed, and whether they may not be.
    pub(crate) fn statuses(&self) -> Vec<bool> {
        let of_view = self.view.map(|view| view == View::Completed);
        let of_overdue = self.overdue.filter(|overdue| *overdue).map(|_| false);
        let mut statuses = vec![false, true];
        for wanted in [self.completed, of_view, of_overdue].into_iter().flatten() {
            statuses.retain(|status| *status == wanted);
        }
        statuses
    }
}

impl View {
    /// Returns the first moment of the due dates that belong to it, and the first one after them.
    pub(crate) fn due(self, now: Instant, zone: &Zone) -> (Option<Instant>, Option<Instant>) {
        match self {
            Self::Today => (Some(now.midnight(0, zone)), Some(now.midnight(1, zone))),
            Self::Overdue => (None, Some(now)),
            Self::Upcoming => (Some(now.midnight(1, zone)), Some(now.midnight(8, zone))),
            Self::Completed => (None, None),
        }
    }
}

/// Whether a task needs all of some tags or one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TagsMatch {
    #[default]
    All,
    Any,
}

/// What to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SortKey {
    DueDate,
    Priority,
    CreatedAt,
    UpdatedAt,
    Title,
    Completed,
    Id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// A key with its direction; a missing value comes last in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SortTerm {
    pub(crate) key: SortKey,
    pub(crate) direction: Direction,
}

/// Where a page ended: the last row's value of every sort term.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cursor(pub(crate) Vec<CursorValue>);

/// A value that a list is sorted by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CursorValue {
    Missing,
    Number(i64),
    Text(String),
    Moment(Instant),
}

/// Part of a list.
#[derive(Clone, Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the next page begins; nothing on the last one.
    pub(crate) next: Option<Cursor>,
    pub(crate) total: Option<i64>,
}

impl SortKey {
    pub(crate) const ALL: [Self; 7] = [
        Self::DueDate,
        Self::Priority,
        Self::CreatedAt,
        Self::UpdatedAt,
        Self::Title,
        Self::Completed,
        Self::Id,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DueDate => "due_date",
            Self::Priority => "priority",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Title => "title",
            Self::Completed => "completed",
            Self::Id => "id",
        }
    }

    /// Returns the value of a task that it is sorted by.
    pub(crate) fn value(self, task: &Task) -> CursorValue {
        let moment = |moment: Option<Instant>| moment.map_or(CursorValue::Missing, CursorValue::Moment);
        match self {
            Self::DueDate => moment(task.due_date),
            Self::Priority => CursorValue::Number(task.priority.rank()),
            Self::CreatedAt => moment(task.created_at),
            Self::UpdatedAt => moment(task.updated_at),
            Self::Title => CursorValue::Text(task.title.clone()),
            Self::Completed => CursorValue::Number(i64::from(task.completed)),
            Self::Id => CursorValue::Number(i64::from(task.id)),
        }
    }
}

impl<T> Page<T> {
    /// Makes a page of what was found when one more than `limit` was looked for.
    pub(crate) fn of(mut items: Vec<T>, limit: u64, end: impl Fn(&T) -> Cursor) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let next = (items.len() > limit).then(|| end(&items[limit - 1]));
        items.truncate(limit);
        Self {
            items,
            next,
            total: None,
        }
    }
}
