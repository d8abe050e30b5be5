//! What bodies look like, and how they are read: member by member, so that an answer can name everything that is wrong.

mod change;
mod conversation;
mod due;
mod tag;
mod task;

use serde::Serialize;
use utoipa::ToSchema;

pub(super) use change::ChangesBody;
pub(super) use conversation::{
    ConversationBody, ConversationPatchBody, MessageBody, NewMessageBody, conversation_title, new_message,
};
pub(super) use due::time_zone;
pub(super) use tag::{NewTagBody, TagBody, TagNameBody, TagPatchBody, TaskNumber, new_tag, tag_name};
pub(super) use task::{
    CompletionBody, NewTaskBody, TASK_FIELDS, TaskBody, TaskPatchBody, completion, new_task, task_patch,
};

use crate::domain::{Instant, Page, User};

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
    /// The time zone that the caller's days are in, by its name in the IANA database; UTC when there is none.
    #[schema(required = true)]
    time_zone: Option<String>,
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

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email,
            name: user.name,
            time_zone: user.time_zone,
            created_at: shown(user.created_at),
        }
    }
}
