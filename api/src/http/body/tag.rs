//! Tags: what they look like, and how new ones and other names are read.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Rule, Tag, TagName, Violation};
use crate::http::fields::{Fields, list, text, whole};
use crate::http::problem::Problem;

/// The name of a tag: one line without commas.
#[derive(ToSchema)]
#[schema(as = TagName, min_length = 1, max_length = 50, example = "boat", pattern = r"^[^\x00-\x1f\x7f-\x9f,]*[^\s\x00-\x1f\x7f-\x9f,.][^\x00-\x1f\x7f-\x9f,]*$")]
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

/// A tag to be put on tasks: it exists for its user while one of their tasks carries it.
#[derive(ToSchema)]
#[schema(as = TagCreate, example = json!({"name": "boat", "task_ids": [1]}))]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct NewTagBody {
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
pub(in crate::http) struct TagPatchBody {
    /// The name.
    name: TagNameBody,
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

/// Reads a new tag.
pub(in crate::http) fn new_tag(mut fields: Fields) -> Result<(TagName, Vec<i32>), Problem> {
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
pub(in crate::http) fn tag_name(mut fields: Fields) -> Result<TagName, Problem> {
    let name = fields.required("name", Rule::General, text(Rule::General, TagName::parse));
    fields.finish()?;
    Ok(name.expect("a missing name was refused"))
}
