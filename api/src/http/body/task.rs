//! Tasks: what they look like, and how new ones and changes are read.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::due::{day, due, when, zone};
use super::shown;
use super::tag::TagNameBody;
use crate::domain::{
    DayEdge, Description, DueChange, NewTask, Priority, Recurrence, Rule, TagName, Task, TaskPatch, Title,
    Violation, When, Zone,
};
use crate::http::fields::{Fields, boolean, list, read_body, text};
use crate::http::problem::Problem;

/// The members of a task, as `fields=` may name them.
pub(in crate::http) const TASK_FIELDS: [&str; 15] = [
    "id",
    "user_id",
    "title",
    "description",
    "completed",
    "priority",
    "due_date",
    "due_on",
    "due_zone",
    "remind_at",
    "recurrence_pattern",
    "is_recurring",
    "tags",
    "created_at",
    "updated_at",
];

/// A task; what the schema does not have yet shows its default.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Task)]
pub(in crate::http) struct TaskBody {
    /// The number of the task.
    #[schema(minimum = 1, example = 1)]
    id: i32,
    /// The owner.
    #[schema(example = "usr_ada")]
    user_id: String,
    /// One line.
    #[schema(min_length = 1, max_length = 200, example = "Caulk the hull")]
    title: String,
    /// Several lines.
    #[schema(max_length = 1000, required = true)]
    description: Option<String>,
    /// Whether it is done.
    completed: bool,
    /// How urgent it is; since revision 003, `medium` before.
    #[schema(value_type = PriorityBody)]
    priority: &'static str,
    /// When it is due; since revision 003. Where that is a day, its last second.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    due_date: Option<String>,
    /// The day that it is due on, where it is a day and no moment.
    #[schema(value_type = Option<String>, format = Date, required = true)]
    due_on: Option<String>,
    /// The time zone that the day was chosen in, by its name in the IANA database.
    #[schema(required = true)]
    due_zone: Option<String>,
    /// When to remind; since revision 003.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    remind_at: Option<String>,
    /// How it recurs; since revision 003. It is kept for clients: completing the task makes no next one yet.
    #[schema(required = true, example = "FREQ=WEEKLY;BYDAY=MO")]
    recurrence_pattern: Option<String>,
    /// Whether it has a `recurrence_pattern`.
    is_recurring: bool,
    /// The names of its tags; since revision 003.
    #[schema(max_items = 20)]
    tags: Vec<String>,
    /// When it was made.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    created_at: Option<String>,
    /// When it was last changed.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    updated_at: Option<String>,
}

/// How urgent a task is.
#[derive(ToSchema)]
#[schema(as = Priority, rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) enum PriorityBody {
    /// Can wait.
    Low,
    /// The default.
    Medium,
    /// Comes first.
    High,
}

read_body! {
    /// A task to be made, or everything that an existing one is to be.
    #[schema(as = TaskCreate, example = json!({"title": "Caulk the hull", "priority": "high", "due_date": "2026-12-01T17:00:00Z", "tags": ["boat"]}))]
    NewTaskBody {
        /// One line; white space around it is dropped.
        #[schema(
            value_type = String,
            min_length = 1,
            max_length = 200,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
        )]
        title: Title = required(Rule::Title, text(Rule::Title, Title::parse));
        /// Several lines.
        #[schema(value_type = Option<String>, max_length = 1000, pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
        description: Option<Option<Description>> = nullable(text(Rule::Description, Description::parse));
        /// Whether it is done already; false unless said.
        #[schema(nullable = false)]
        completed: Option<bool> = optional(boolean);
        /// How urgent it is; `medium` unless said.
        #[schema(value_type = Option<PriorityBody>, nullable = false)]
        priority: Option<Priority> = optional(priority);
        /// When it is due: RFC 3339, or a date, which is the same as `due_on`; before that is there, it is the last second of that day.
        #[schema(value_type = Option<String>, pattern = r"^((19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(7[26]|8[048]|9[26])|[2-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)-02-29)(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$")]
        due_date: Option<Option<When>> = nullable(when);
        /// The day that it is due on, instead of `due_date`, which becomes the last second of it. With a moment beside it, that must be the
        /// same second; null says that the moment is no day's.
        #[schema(value_type = Option<String>, pattern = r"^((19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(7[26]|8[048]|9[26])|[2-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)-02-29)$")]
        due_on: Option<Option<NaiveDate>> = nullable(day);
        /// Whose day, by a name of the IANA database; that of the caller unless said: of `Prefer`, else of their settings, else UTC.
        #[schema(value_type = Option<String>, max_length = 64, pattern = r"^[A-Za-z0-9_+/-]{1,64}$")]
        due_zone: Option<Option<Zone>> = nullable(zone);
        /// When to remind: as `due_date`.
        #[schema(value_type = Option<String>, pattern = r"^((19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(7[26]|8[048]|9[26])|[2-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)-02-29)(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$")]
        remind_at: Option<Option<When>> = nullable(when);
        /// `daily`, `weekdays`, `weekly`, `monthly`, `yearly`, or the body of an RFC 5545 rule. It is kept for clients: completing the task
        /// makes no next one yet.
        #[schema(
            value_type = Option<String>,
            max_length = 100,
            pattern = r"^(daily|weekdays|weekly|monthly|yearly|FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;INTERVAL=[1-9][0-9]{0,2})?(;COUNT=[1-9][0-9]{0,2}|;UNTIL=20[0-9]{2}((0[13578]|1[02])(0[1-9]|[12][0-9]|3[01])|(0[469]|11)(0[1-9]|[12][0-9]|30)|02(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]Z)?)?(;BYMONTH=(1[0-2]|[1-9])(,(1[0-2]|[1-9])){0,3})?(;BYMONTHDAY=-?([12][0-9]|3[01]|[1-9])(,-?([12][0-9]|3[01]|[1-9])){0,3})?(;BYDAY=([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)){0,6})?(;BYSETPOS=-?[1-9])?(;WKST=(MO|TU|WE|TH|FR|SA|SU))?)$"
        )]
        recurrence_pattern: Option<Option<Recurrence>> = nullable(text(Rule::Recurrence, Recurrence::parse));
        /// At most 20 names, unique without regard to case.
        #[schema(value_type = Option<BTreeSet<TagNameBody>>, max_items = 20, nullable = false)]
        tags: Option<Vec<TagName>> = optional(tags);
    }
}

read_body! {
    /// What to change of a task (RFC 7396): what is absent stays, null clears what may be empty.
    #[schema(as = TaskPatch, example = json!({"completed": true, "due_date": null}))]
    TaskPatchBody {
        /// One line; not null.
        #[schema(
            value_type = Option<String>,
            min_length = 1,
            max_length = 200,
            nullable = false,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
        )]
        title: Option<Title> = optional(text(Rule::Title, Title::parse));
        /// Several lines.
        #[schema(value_type = Option<String>, max_length = 1000, pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
        description: Option<Option<Description>> = nullable(text(Rule::Description, Description::parse));
        /// Whether it is done; not null.
        #[schema(nullable = false)]
        completed: Option<bool> = optional(boolean);
        /// How urgent it is; not null.
        #[schema(value_type = Option<PriorityBody>, nullable = false)]
        priority: Option<Priority> = optional(priority);
        /// When it is due, as in a new task. The last second of the day that it is due on, sent back, leaves the day.
        #[schema(value_type = Option<String>, pattern = r"^((19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(7[26]|8[048]|9[26])|[2-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)-02-29)(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$")]
        due_date: Option<Option<When>> = nullable(when);
        /// The day that it is due on, as in a new task. Null, alone, takes a day away and leaves a moment.
        #[schema(value_type = Option<String>, pattern = r"^((19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(7[26]|8[048]|9[26])|[2-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)-02-29)$")]
        due_on: Option<Option<NaiveDate>> = nullable(day);
        /// Whose day, as in a new task; only with a day.
        #[schema(value_type = Option<String>, max_length = 64, pattern = r"^[A-Za-z0-9_+/-]{1,64}$")]
        due_zone: Option<Option<Zone>> = nullable(zone);
        /// When to remind.
        #[schema(value_type = Option<String>, pattern = r"^((19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(7[26]|8[048]|9[26])|[2-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)-02-29)(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$")]
        remind_at: Option<Option<When>> = nullable(when);
        /// How it recurs.
        #[schema(
            value_type = Option<String>,
            max_length = 100,
            pattern = r"^(daily|weekdays|weekly|monthly|yearly|FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;INTERVAL=[1-9][0-9]{0,2})?(;COUNT=[1-9][0-9]{0,2}|;UNTIL=20[0-9]{2}((0[13578]|1[02])(0[1-9]|[12][0-9]|3[01])|(0[469]|11)(0[1-9]|[12][0-9]|30)|02(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]Z)?)?(;BYMONTH=(1[0-2]|[1-9])(,(1[0-2]|[1-9])){0,3})?(;BYMONTHDAY=-?([12][0-9]|3[01]|[1-9])(,-?([12][0-9]|3[01]|[1-9])){0,3})?(;BYDAY=([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)){0,6})?(;BYSETPOS=-?[1-9])?(;WKST=(MO|TU|WE|TH|FR|SA|SU))?)$"
        )]
        recurrence_pattern: Option<Option<Recurrence>> = nullable(text(Rule::Recurrence, Recurrence::parse));
        /// All of its tags; not null.
        #[schema(value_type = Option<BTreeSet<TagNameBody>>, max_items = 20, nullable = false)]
        tags: Option<Vec<TagName>> = optional(tags);
    }
}

read_body! {
    /// Whether a task is done; without it the task is toggled.
    #[schema(as = Completion, example = json!({"completed": true}))]
    CompletionBody {
        /// Whether it is done.
        completed: bool = required(Rule::General, boolean);
    }
}

impl From<Task> for TaskBody {
    fn from(task: Task) -> Self {
        Self {
            id: task.id,
            is_recurring: task.is_recurring(),
            user_id: task.user_id.to_string(),
            title: task.title,
            description: task.description,
            completed: task.completed,
            priority: task.priority.word(),
            due_date: shown(task.due_date),
            due_on: task.due_on.map(|day| day.to_string()),
            due_zone: task.due_zone,
            remind_at: shown(task.remind_at),
            recurrence_pattern: task.recurrence_pattern,
            tags: task.tags,
            created_at: shown(task.created_at),
            updated_at: shown(task.updated_at),
        }
    }
}

fn priority(value: &Value) -> Result<Priority, Violation> {
    text(Rule::Priority, |text| {
        Priority::parse(text)
            .ok_or_else(|| Violation::new(Rule::Priority, "a priority is low, medium or high"))
    })(value)
}

fn tags(value: &Value) -> Result<Vec<TagName>, Violation> {
    let names = list(Task::MOST_TAGS, |name| text(Rule::General, TagName::parse)(name))(value)?;
    let mut folded: Vec<String> = names.iter().map(TagName::folded).collect();
    folded.sort();
    folded.dedup();
    match folded.len() == names.len() {
        true => Ok(names),
        false => Err(Violation::new(
            Rule::General,
            "each tag is named once; upper and lower case are the same",
        )),
    }
}

/// Reads a whole task; days are those of a zone.
pub(in crate::http) fn new_task(fields: Fields, zone: &Zone) -> Result<NewTask, Problem> {
    let read = NewTaskBody::read(fields)?;
    let change = due(read.due_date, read.due_on, read.due_zone, zone)?;
    let due = match change {
        Some(DueChange::Set(due)) => Some(due),
        Some(DueChange::Clear | DueChange::ClearDay) | None => None,
    };
    Ok(NewTask {
        title: read.title,
        description: read.description.flatten(),
        completed: read.completed.unwrap_or_default(),
        priority: read.priority.unwrap_or_default(),
        due,
        remind_at: read
            .remind_at
            .flatten()
            .map(|when| when.at(DayEdge::LastSecond, zone)),
        recurrence: read.recurrence_pattern.flatten(),
        tags: read.tags.unwrap_or_default(),
    })
}

/// Reads a merge patch of a task; days are those of a zone.
pub(in crate::http) fn task_patch(fields: Fields, zone: &Zone) -> Result<TaskPatch, Problem> {
    let read = TaskPatchBody::read(fields)?;
    let moment = |when: When| when.at(DayEdge::LastSecond, zone);
    Ok(TaskPatch {
        title: read.title,
        description: read.description,
        completed: read.completed,
        priority: read.priority,
        due: due(read.due_date, read.due_on, read.due_zone, zone)?,
        remind_at: read.remind_at.map(|remind| remind.map(moment)),
        recurrence: read.recurrence_pattern,
        tags: read.tags,
    })
}

/// Reads whether a task is done.
pub(in crate::http) fn completion(fields: Fields) -> Result<bool, Problem> {
    Ok(CompletionBody::read(fields)?.completed)
}
