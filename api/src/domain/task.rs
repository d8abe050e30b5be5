//! A task, what is needed to make one, and what may be changed.

use chrono::NaiveDate;

use super::version::moments;
use super::{
    Description, Due, DueChange, Feature, Instant, Priority, Recurrence, TagName, Title, UserId, Version,
    Versioned,
};

/// A task; what the schema does not have yet shows its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) id: i32,
    pub(crate) user_id: UserId,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) completed: bool,
    pub(crate) priority: Priority,
    /// Where it is due on a day, the end of that.
    pub(crate) due_date: Option<Instant>,
    /// The day that it is due on, where it is a day.
    pub(crate) due_on: Option<NaiveDate>,
    /// The name of the zone that the day was chosen in.
    pub(crate) due_zone: Option<String>,
    pub(crate) remind_at: Option<Instant>,
    pub(crate) recurrence_pattern: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) created_at: Option<Instant>,
    pub(crate) updated_at: Option<Instant>,
}

/// A task to be made, or everything of a task to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewTask {
    pub(crate) title: Title,
    pub(crate) description: Option<Description>,
    pub(crate) completed: bool,
    pub(crate) priority: Priority,
    pub(crate) due: Option<Due>,
    pub(crate) remind_at: Option<Instant>,
    pub(crate) recurrence: Option<Recurrence>,
    pub(crate) tags: Vec<TagName>,
}

/// What to change: nothing where it is `None`; `Some(None)` clears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskPatch {
    pub(crate) title: Option<Title>,
    pub(crate) description: Option<Option<Description>>,
    pub(crate) completed: Option<bool>,
    pub(crate) priority: Option<Priority>,
    pub(crate) due: Option<DueChange>,
    pub(crate) remind_at: Option<Option<Instant>>,
    pub(crate) recurrence: Option<Option<Recurrence>>,
    pub(crate) tags: Option<Vec<TagName>>,
}

/// Whether a task is to be done, not done, or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completion {
    Is(bool),
    Toggle,
}

/// How many tasks somebody has of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) total: i64,
    pub(crate) pending: i64,
    pub(crate) completed: i64,
    pub(crate) overdue: i64,
    pub(crate) due_today: i64,
    pub(crate) upcoming: i64,
    /// Pending tasks by rank: low, medium, high.
    pub(crate) by_priority: [i64; 3],
    /// Pending tasks by the name of a tag, in the order of the names.
    pub(crate) by_tag: Vec<(String, i64)>,
}

impl Task {
    /// How many tags a task may carry.
    pub(crate) const MOST_TAGS: usize = 20;

    /// Whether the task carries a tag of this name, in whatever case.
    pub(crate) fn carries(&self, name: &TagName) -> bool {
        self.tags.iter().any(|tag| name.is(tag))
    }

    /// Returns the same task with moments that are whole seconds.
    pub(crate) fn in_whole_seconds(mut self) -> Self {
        for moment in [
            &mut self.due_date,
            &mut self.remind_at,
            &mut self.created_at,
            &mut self.updated_at,
        ] {
            *moment = moment.map(Instant::whole_second);
        }
        self
    }

    /// Whether the task comes back after it is done.
    pub(crate) fn is_recurring(&self) -> bool {
        self.recurrence_pattern.is_some()
    }
}

impl Versioned for Task {
    fn version(&self, revision: &str) -> Version {
        let moments = moments([self.due_date, self.remind_at, self.created_at, self.updated_at]);
        let due_on = self.due_on.map(|day| day.to_string());
        let texts = [
            &self.description,
            &self.recurrence_pattern,
            &due_on,
            &self.due_zone,
        ];
        let parts = [
            revision.as_bytes(),
            &self.id.to_le_bytes(),
            self.title.as_bytes(),
            &[u8::from(self.completed)],
            self.priority.word().as_bytes(),
            moments.as_flattened(),
            &texts.map(|text| u8::from(text.is_some())),
        ];
        let texts = texts.map(|text| text.as_deref().unwrap_or_default().as_bytes());
        let tags = self.tags.iter().map(String::as_bytes);
        Version::of(parts.into_iter().chain(texts).chain(tags))
    }
}

impl TaskPatch {
    /// Returns what the patch needs beyond the first revision: writing a default needs nothing.
    pub(crate) fn features(&self) -> Vec<Feature> {
        let due = self.due.as_ref().and_then(DueChange::wanted);
        let is_day_required = matches!(due, Some(Due::On(day)) if day.is_required);
        let needed = [
            (
                Feature::Priority,
                self.priority.is_some_and(|it| it != Priority::default()),
            ),
            // Where there are days, there are moments.
            (Feature::DueDate, due.is_some() && !is_day_required),
            (Feature::DueDays, is_day_required),
            (Feature::RemindAt, matches!(self.remind_at, Some(Some(_)))),
            (Feature::Recurrence, matches!(self.recurrence, Some(Some(_)))),
            (
                Feature::Tags,
                self.tags.as_ref().is_some_and(|tags| !tags.is_empty()),
            ),
        ];
        needed
            .into_iter()
            .filter(|(_, is_needed)| *is_needed)
            .map(|(feature, _)| feature)
            .collect()
    }
}

impl From<NewTask> for TaskPatch {
    /// Replaces everything.
    fn from(task: NewTask) -> Self {
        Self {
            title: Some(task.title),
            description: Some(task.description),
            completed: Some(task.completed),
            priority: Some(task.priority),
            due: Some(task.due.into()),
            remind_at: Some(task.remind_at),
            recurrence: Some(task.recurrence),
            tags: Some(task.tags),
        }
    }
}
