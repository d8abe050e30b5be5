//! Tags: what they look like, and how new ones and other names are read.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::{Rule, Tag, TagName, Violation};
use crate::http::fields::{Fields, list, read_body, text, whole};
use crate::http::problem::Problem;

/// The name of a tag: one line without commas. No part of it between slashes or backslashes is `.` or `..`.
#[derive(ToSchema)]
#[schema(
    as = TagName,
    min_length = 1,
    max_length = 50,
    example = "boat",
    pattern = r"^([^/\\\x00-\x1f\x7f-\x9f,]*[^\s./\\\x00-\x1f\x7f-\x9f,][^/\\\x00-\x1f\x7f-\x9f,]*|(\.{0,2}[^./\\\x00-\x1f\x7f-\x9f,][^/\\\x00-\x1f\x7f-\x9f,]*|\.{3}[^/\\\x00-\x1f\x7f-\x9f,]*)?([/\\](\.{0,2}[^./\\\x00-\x1f\x7f-\x9f,][^/\\\x00-\x1f\x7f-\x9f,]*|\.{3}[^/\\\x00-\x1f\x7f-\x9f,]*)?)+)$"
)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct TagNameBody(String);

/// A tag on some of the caller's tasks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tag)]
pub(in crate::http) struct TagBody {
    /// The number of the name.
    #[schema(minimum = 1)]
    pub(in crate::http) id: i32,
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
pub(in crate::http) struct TaskNumber(i32);

read_body! {
    /// A tag to be put on tasks: it exists for its user while one of their tasks carries it.
    #[schema(as = TagCreate, example = json!({"name": "paint", "task_ids": [1]}))]
    NewTagBody {
        /// The name.
        #[schema(value_type = TagNameBody)]
        name: TagName = required(Rule::General, text(Rule::General, TagName::parse));
        /// The caller's tasks to put it on.
        #[schema(value_type = Vec<TaskNumber>, min_items = 1, max_items = 100)]
        task_ids: Vec<i32> = required(Rule::General, task_numbers);
    }
}

read_body! {
    /// Another name for a tag.
    #[schema(as = TagPatch, example = json!({"name": "ship"}))]
    TagPatchBody {
        /// The name.
        #[schema(value_type = TagNameBody)]
        name: TagName = required(Rule::General, text(Rule::General, TagName::parse));
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

fn task_numbers(value: &Value) -> Result<Vec<i32>, Violation> {
    let ids = list(100, |id| {
        whole(id)
            .and_then(|id| i32::try_from(id).ok())
            .ok_or_else(|| Violation::new(Rule::General, "the number of a task is wanted here"))
    })(value)?;
    match ids.is_empty() {
        true => Err(Violation::new(Rule::General, "at least one task is wanted here")),
        false => Ok(ids),
    }
}

/// Reads a new tag, and the tasks to put it on.
pub(in crate::http) fn new_tag(fields: Fields) -> Result<(TagName, Vec<i32>), Problem> {
    let read = NewTagBody::read(fields)?;
    Ok((read.name, read.task_ids))
}

/// Reads another name for a tag.
pub(in crate::http) fn tag_name(fields: Fields) -> Result<TagName, Problem> {
    Ok(TagPatchBody::read(fields)?.name)
}
