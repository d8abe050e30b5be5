//! What somebody wants to see of their tasks: filters, order, and where a page begins.

use super::due::days_after;
use super::{DueFrom, DueUntil, Instant, Priority, TagName, Task, TextSearch, When, Zone};

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
    pub(crate) due_after: Option<DueFrom>,
    pub(crate) due_before: Option<DueUntil>,
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
    /// Whose days are those of the view and of what is overdue.
    pub(crate) zone: Zone,
}

/// What people look at most, as the summary counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Not done, and due on this day.
    Today,
    /// Not done, and past its moment or its day.
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
    /// Returns where the due dates that belong to it begin and end, in a zone.
    pub(crate) fn due(self, now: Instant, zone: &Zone) -> (Option<DueFrom>, Option<DueUntil>) {
        let today = now.day_in(zone);
        let days = |first, last| {
            let [first, last] = [first, last].map(|days| When::Day(days_after(today, days)));
            (Some(DueFrom::new(first, zone)), Some(DueUntil::new(last, zone)))
        };
        match self {
            Self::Today => days(0, 0),
            Self::Overdue => (None, Some(DueUntil::new(When::Moment(now), zone))),
            Self::Upcoming => days(1, 7),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the first moment, the first moment after it, the first day and the last one.
    fn shown(view: View, now: &str, zone: &str) -> [String; 4] {
        let zone = Zone::named(zone).unwrap();
        let (from, until) = view.due(Instant::parse(now).unwrap(), &zone);
        let none = || "-".to_owned();
        [
            from.map_or_else(none, |from| from.moment.to_string()),
            until.map_or_else(none, |until| until.moment.to_string()),
            from.map_or_else(none, |from| from.day.to_string()),
            until.map_or_else(none, |until| until.last_day.to_string()),
        ]
    }

    #[test]
    fn a_view_has_the_days_of_its_zone() {
        let noon = "2026-03-01T12:00:00Z";
        for (view, now, zone, expected) in [
            (
                View::Today,
                noon,
                "UTC",
                [
                    "2026-03-01T00:00:00Z",
                    "2026-03-02T00:00:00Z",
                    "2026-03-01",
                    "2026-03-01",
                ],
            ),
            (
                View::Today,
                noon,
                "Pacific/Auckland",
                [
                    "2026-03-01T11:00:00Z",
                    "2026-03-02T11:00:00Z",
                    "2026-03-02",
                    "2026-03-02",
                ],
            ),
            (
                View::Overdue,
                noon,
                "Pacific/Auckland",
                ["-", noon, "-", "2026-03-01"],
            ),
            (
                View::Overdue,
                noon,
                "Pacific/Pago_Pago",
                ["-", noon, "-", "2026-02-28"],
            ),
            // A week with an hour less.
            (
                View::Upcoming,
                noon,
                "America/New_York",
                [
                    "2026-03-02T05:00:00Z",
                    "2026-03-09T04:00:00Z",
                    "2026-03-02",
                    "2026-03-08",
                ],
            ),
            // The day after the 29th had no moment.
            (
                View::Upcoming,
                "2011-12-29T12:00:00Z",
                "Pacific/Apia",
                [
                    "2011-12-30T10:00:00Z",
                    "2012-01-05T10:00:00Z",
                    "2011-12-30",
                    "2012-01-05",
                ],
            ),
            (
                View::Today,
                "9999-12-31T12:00:00Z",
                "UTC",
                [
                    "9999-12-31T00:00:00Z",
                    "9999-12-31T23:59:59.999999Z",
                    "9999-12-31",
                    "9999-12-31",
                ],
            ),
        ] {
            assert_eq!(shown(view, now, zone), expected, "{view:?} {now} {zone}");
        }
    }
}
