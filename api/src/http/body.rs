//! What bodies look like, and how they are read. The types that are read exist for the document alone: reading goes member by
//! member, so that an answer can name everything that is wrong.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::fields::{Fields, boolean, list, text, whole};
use crate::domain::{
    Conversation, DayEdge, Description, Instant, Message, NewMessage, NewTask, Page, Priority, Recurrence,
    Role, Rule, Tag, TagName, Task, TaskPatch, Title, User, Violation, no_controls,
};

/// The members of a task, as `fields=` may name them.
pub(super) const TASK_FIELDS: [&str; 13] = [
    "id",
    "user_id",
    "title",
    "description",
    "completed",
    "priority",
    "due_date",
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
pub(super) struct TaskBody {
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
    /// When it is due; since revision 003.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    due_date: Option<String>,
    /// When to remind; since revision 003.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    remind_at: Option<String>,
    /// How it recurs; since revision 003.
    #[schema(required = true, example = "FREQ=WEEKLY;BYDAY=MO")]
    recurrence_pattern: Option<String>,
    /// Whether it recurs.
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
pub(super) enum PriorityBody {
    /// Can wait.
    Low,
    /// The default.
    Medium,
    /// Comes first.
    High,
}

/// A task to be made, or everything that an existing one is to be.
#[derive(ToSchema)]
#[schema(as = TaskCreate, example = json!({"title": "Caulk the hull", "priority": "high", "due_date": "2026-12-01T17:00:00Z", "tags": ["boat"]}))]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct NewTaskBody {
    /// One line; white space around it is dropped.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    title: String,
    /// Several lines.
    #[schema(max_length = 1000, pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
    description: Option<String>,
    /// Whether it is done already; false unless said.
    #[schema(nullable = false)]
    completed: Option<bool>,
    /// How urgent it is; `medium` unless said.
    #[schema(nullable = false)]
    priority: Option<PriorityBody>,
    /// When it is due: RFC 3339, or a date that stands for the last second of its day in UTC.
    #[schema(value_type = Option<String>, format = DateTime, pattern = r"^((197[1-9]|19[89][0-9]|2[0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|20([02468][048]|[13579][26])-02-29)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$")]
    due_date: Option<String>,
    /// When to remind: as `due_date`.
    #[schema(value_type = Option<String>, format = DateTime, pattern = r"^((197[1-9]|19[89][0-9]|2[0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|20([02468][048]|[13579][26])-02-29)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$")]
    remind_at: Option<String>,
    /// `daily`, `weekdays`, `weekly`, `monthly`, `yearly`, or the body of an RFC 5545 rule.
    #[schema(
        max_length = 100,
        pattern = r"^(daily|weekdays|weekly|monthly|yearly|FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;INTERVAL=[1-9][0-9]{0,2})?(;COUNT=[1-9][0-9]{0,2}|;UNTIL=20[0-9]{2}((0[13578]|1[02])(0[1-9]|[12][0-9]|3[01])|(0[469]|11)(0[1-9]|[12][0-9]|30)|02(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]Z)?)?(;BYMONTH=(1[0-2]|[1-9])(,(1[0-2]|[1-9])){0,3})?(;BYMONTHDAY=-?([12][0-9]|3[01]|[1-9])(,-?([12][0-9]|3[01]|[1-9])){0,3})?(;BYDAY=([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)){0,6})?(;BYSETPOS=-?[1-9])?(;WKST=(MO|TU|WE|TH|FR|SA|SU))?)$"
    )]
    recurrence_pattern: Option<String>,
    /// At most 20 names, unique without regard to case.
    #[schema(max_items = 20, nullable = false)]
    tags: Option<BTreeSet<TagNameBody>>,
}

/// What to change of a task (RFC 7396): what is absent stays, null clears what may be empty.
#[derive(ToSchema)]
#[schema(as = TaskPatch, example = json!({"completed": true, "due_date": null}))]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct TaskPatchBody {
    /// One line; not null.
    #[schema(
        min_length = 1,
        max_length = 200,
        nullable = false,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    title: Option<String>,
    /// Several lines.
    #[schema(max_length = 1000, pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
    description: Option<String>,
    /// Whether it is done; not null.
    #[schema(nullable = false)]
    completed: Option<bool>,
    /// How urgent it is; not null.
    #[schema(nullable = false)]
    priority: Option<PriorityBody>,
    /// When it is due.
    #[schema(value_type = Option<String>, format = DateTime, pattern = r"^((197[1-9]|19[89][0-9]|2[0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|20([02468][048]|[13579][26])-02-29)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$")]
    due_date: Option<String>,
    /// When to remind.
    #[schema(value_type = Option<String>, format = DateTime, pattern = r"^((197[1-9]|19[89][0-9]|2[0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|20([02468][048]|[13579][26])-02-29)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$")]
    remind_at: Option<String>,
    /// How it recurs.
    #[schema(
        max_length = 100,
        pattern = r"^(daily|weekdays|weekly|monthly|yearly|FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;INTERVAL=[1-9][0-9]{0,2})?(;COUNT=[1-9][0-9]{0,2}|;UNTIL=20[0-9]{2}((0[13578]|1[02])(0[1-9]|[12][0-9]|3[01])|(0[469]|11)(0[1-9]|[12][0-9]|30)|02(0[1-9]|1[0-9]|2[0-8]))(T([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]Z)?)?(;BYMONTH=(1[0-2]|[1-9])(,(1[0-2]|[1-9])){0,3})?(;BYMONTHDAY=-?([12][0-9]|3[01]|[1-9])(,-?([12][0-9]|3[01]|[1-9])){0,3})?(;BYDAY=([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)){0,6})?(;BYSETPOS=-?[1-9])?(;WKST=(MO|TU|WE|TH|FR|SA|SU))?)$"
    )]
    recurrence_pattern: Option<String>,
    /// All of its tags; not null.
    #[schema(max_items = 20, nullable = false)]
    tags: Option<BTreeSet<TagNameBody>>,
}

/// The name of a tag: one line without commas.
#[derive(ToSchema)]
#[schema(as = TagName, min_length = 1, max_length = 50, example = "boat", pattern = r"^[^\x00-\x1f\x7f,]*[^\s\x00-\x1f\x7f,][^\x00-\x1f\x7f,]*$")]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct TagNameBody(String);

/// Whether a task is done; without it the task is toggled.
#[derive(ToSchema)]
#[schema(as = Completion, example = json!({"completed": true}))]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct CompletionBody {
    /// Whether it is done.
    completed: bool,
}

/// A tag on some of the caller's tasks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tag)]
pub(super) struct TagBody {
    /// The number of the name.
    #[schema(minimum = 1)]
    pub(super) id: i32,
    /// The name.
    #[schema(min_length = 1, max_length = 50, example = "boat")]
    name: String,
    /// How many of the caller's tasks carry it.
    #[schema(minimum = 0)]
    task_count: i64,
}

/// The number of a task.
#[derive(ToSchema)]
#[schema(as = TaskNumber, minimum = 1, maximum = 2147483647_i32, example = 1)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct TaskNumber(i32);

/// A tag to be put on tasks: it exists for its user while one of their tasks carries it.
#[derive(ToSchema)]
#[schema(as = TagCreate, example = json!({"name": "boat", "task_ids": [1]}))]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct NewTagBody {
    /// The name.
    name: TagNameBody,
    /// The caller's tasks to put it on.
    #[schema(min_items = 1, max_items = 100)]
    task_ids: Vec<TaskNumber>,
}

/// Another name for a tag.
#[derive(ToSchema)]
#[schema(as = TagPatch, example = json!({"name": "ship"}))]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct TagPatchBody {
    /// The name.
    name: TagNameBody,
}

/// A conversation with the assistant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversation)]
pub(super) struct ConversationBody {
    /// The number of the conversation.
    #[schema(minimum = 1)]
    id: i32,
    /// How many messages it has.
    #[schema(minimum = 0)]
    message_count: i64,
    /// When it began.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    created_at: Option<String>,
    /// When something was last said.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    updated_at: Option<String>,
}

/// Something that was said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(super) struct MessageBody {
    /// The number of the message.
    #[schema(minimum = 1)]
    id: i32,
    /// Where it was said.
    conversation_id: i32,
    /// `user` or `assistant`.
    #[schema(example = "user")]
    role: String,
    /// What was said.
    content: String,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    created_at: Option<String>,
}

/// Something to be said.
#[derive(ToSchema)]
#[schema(as = MessageCreate, example = json!({"content": "What is due today?"}))]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct NewMessageBody {
    /// `user` (the default) or `assistant`.
    #[schema(pattern = "^(user|assistant)$", nullable = false)]
    role: Option<String>,
    /// 1 to 4000 characters.
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
    )]
    content: String,
}

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserBody {
    /// The subject of the caller's tokens.
    id: String,
    /// As it was when the caller was first seen.
    #[schema(example = "ada@example.org")]
    email: String,
    /// What the caller is called.
    #[schema(required = true)]
    name: Option<String>,
    /// When the caller was first seen.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    created_at: Option<String>,
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PageBody<T: ToSchema> {
    /// The entries.
    pub(super) data: Vec<T>,
    /// Where the next page begins: the parameter `cursor`.
    #[schema(required = true)]
    pub(super) next_cursor: Option<String>,
    /// Whether there is a next page.
    pub(super) has_more: bool,
    /// How many entries match in all; with `include=total` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<i64>,
}

impl<T: ToSchema> PageBody<T> {
    pub(super) fn of<D>(page: Page<D>, next_cursor: Option<String>, body: impl Fn(D) -> T) -> Self {
        Self {
            data: page.items.into_iter().map(body).collect(),
            has_more: next_cursor.is_some(),
            next_cursor,
            total: page.total,
        }
    }
}

fn shown(instant: Option<Instant>) -> Option<String> {
    instant.map(|instant| instant.to_string())
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
            remind_at: shown(task.remind_at),
            recurrence_pattern: task.recurrence_pattern,
            tags: task.tags,
            created_at: shown(task.created_at),
            updated_at: shown(task.updated_at),
        }
    }
}

impl From<Tag> for TagBody {
    fn from(tag: Tag) -> Self {
        Self {
            id: tag.id,
            name: tag.name,
            task_count: tag.task_count,
        }
    }
}

impl From<Conversation> for ConversationBody {
    fn from(conversation: Conversation) -> Self {
        Self {
            id: conversation.id,
            message_count: conversation.message_count,
            created_at: shown(conversation.created_at),
            updated_at: shown(conversation.updated_at),
        }
    }
}

impl From<Message> for MessageBody {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            conversation_id: message.conversation_id,
            role: message.role,
            content: message.content,
            created_at: shown(message.created_at),
        }
    }
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email,
            name: user.name,
            created_at: shown(user.created_at),
        }
    }
}

fn moment(value: &Value) -> Result<Instant, Violation> {
    let wrong = || {
        Violation::new(
            Rule::Date,
            "RFC 3339 with an offset, or a date, is wanted here (1970 to 9999)",
        )
    };
    text(Rule::Date, |text| {
        Instant::parse(text, DayEdge::LastSecond).ok_or_else(wrong)
    })(value)
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

/// Reads a whole task.
pub(super) fn new_task(mut fields: Fields) -> Result<NewTask, super::problem::Problem> {
    let title = fields.required("title", Rule::Title, text(Rule::Title, Title::parse));
    let description = fields.nullable("description", text(Rule::Description, Description::parse));
    let completed = fields.optional("completed", boolean);
    let priority = fields.optional("priority", priority);
    let due_date = fields.nullable("due_date", moment);
    let remind_at = fields.nullable("remind_at", moment);
    let recurrence = fields.nullable("recurrence_pattern", text(Rule::Recurrence, Recurrence::parse));
    let tags = fields.optional("tags", tags);
    fields.finish()?;
    Ok(NewTask {
        title: title.expect("a missing title was refused"),
        description: description.flatten(),
        completed: completed.unwrap_or_default(),
        priority: priority.unwrap_or_default(),
        due_date: due_date.flatten(),
        remind_at: remind_at.flatten(),
        recurrence: recurrence.flatten(),
        tags: tags.unwrap_or_default(),
    })
}

/// Reads a merge patch of a task.
pub(super) fn task_patch(mut fields: Fields) -> Result<TaskPatch, super::problem::Problem> {
    let patch = TaskPatch {
        title: fields.optional("title", text(Rule::Title, Title::parse)),
        description: fields.nullable("description", text(Rule::Description, Description::parse)),
        completed: fields.optional("completed", boolean),
        priority: fields.optional("priority", priority),
        due_date: fields.nullable("due_date", moment),
        remind_at: fields.nullable("remind_at", moment),
        recurrence: fields.nullable("recurrence_pattern", text(Rule::Recurrence, Recurrence::parse)),
        tags: fields.optional("tags", tags),
    };
    fields.finish()?;
    Ok(patch)
}

/// Reads whether a task is done.
pub(super) fn completion(mut fields: Fields) -> Result<bool, super::problem::Problem> {
    let completed = fields.required("completed", Rule::General, boolean);
    fields.finish()?;
    Ok(completed.expect("a missing member was refused"))
}

/// Reads a new tag.
pub(super) fn new_tag(mut fields: Fields) -> Result<(TagName, Vec<i32>), super::problem::Problem> {
    let name = fields.required("name", Rule::General, text(Rule::General, TagName::parse));
    let tasks = fields.required("task_ids", Rule::General, |value| {
        let ids = list(100, |id| {
            whole(id)
                .and_then(|id| i32::try_from(id).ok())
                .ok_or_else(|| Violation::new(Rule::General, "the number of a task is wanted here"))
        })(value)?;
        match ids.is_empty() {
            true => Err(Violation::new(Rule::General, "at least one task is wanted here")),
            false => Ok(ids),
        }
    });
    fields.finish()?;
    Ok((
        name.expect("a missing name was refused"),
        tasks.expect("a missing list was refused"),
    ))
}

/// Reads another name for a tag.
pub(super) fn tag_name(mut fields: Fields) -> Result<TagName, super::problem::Problem> {
    let name = fields.required("name", Rule::General, text(Rule::General, TagName::parse));
    fields.finish()?;
    Ok(name.expect("a missing name was refused"))
}

/// Reads a message.
pub(super) fn new_message(mut fields: Fields) -> Result<NewMessage, super::problem::Problem> {
    let violation = |detail: &str| Violation::new(Rule::General, detail);
    let role = fields.optional(
        "role",
        text(Rule::General, |word| {
            Role::parse(word).ok_or_else(|| violation("a role is user or assistant"))
        }),
    );
    let content = fields.required(
        "content",
        Rule::General,
        text(Rule::General, |content| {
            let length = content.chars().count();
            if content.trim().is_empty() || length > 4000 {
                return Err(violation("a message has 1 to 4000 characters"));
            }
            no_controls(content).map_err(violation)?;
            Ok(content.to_owned())
        }),
    );
    fields.finish()?;
    Ok(NewMessage {
        role: role.unwrap_or(Role::User),
        content: content.expect("a missing content was refused"),
    })
}
