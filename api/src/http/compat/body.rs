//! What the original's answers look like where they differ.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::body::{ConversationBody, MessageBody, TagBody, TaskBody};
use crate::http::problem::{FieldProblem, ProblemBody};

/// A part of the list of tasks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tasks)]
pub(super) struct TasksBody {
    /// The tasks.
    pub(super) tasks: Vec<TaskBody>,
    /// How many tasks match in all.
    #[schema(minimum = 0)]
    pub(super) total: i64,
    /// How many were asked for.
    #[schema(minimum = 1, maximum = 1000)]
    pub(super) limit: u64,
    /// How many were left out at the beginning.
    #[schema(minimum = 0, maximum = 100_000)]
    pub(super) offset: u64,
}

/// A page of tags.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tags)]
pub(super) struct TagsBody {
    /// The tags.
    pub(super) tags: Vec<TagBody>,
    /// Where the next page begins: the parameter `cursor`.
    #[schema(required = true)]
    pub(super) next_cursor: Option<String>,
}

/// A page of conversations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversations)]
pub(super) struct ConversationsBody {
    /// The conversations.
    pub(super) conversations: Vec<ConversationBody>,
    /// Where the next page begins: the parameter `cursor`.
    #[schema(required = true)]
    pub(super) next_cursor: Option<String>,
}

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Messages)]
pub(super) struct MessagesBody {
    /// The messages.
    pub(super) messages: Vec<MessageBody>,
    /// Where the next page begins: the parameter `cursor`.
    #[schema(required = true)]
    pub(super) next_cursor: Option<String>,
}

/// What is wrong, as the original has it, and as RFC 9457 has it beside that.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub(in crate::http) struct ErrorBody {
    /// The original's words.
    error: ErrorWords,
    /// The standard's.
    #[serde(flatten)]
    problem: ProblemBody,
}

/// What is wrong, in the original's words.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ErrorWords {
    /// The code; `/errors` lists all of them.
    #[schema(example = "TASK_NOT_FOUND")]
    code: &'static str,
    /// What is wrong this time.
    message: String,
    /// More about it.
    details: ErrorDetails,
    /// When it happened.
    #[schema(format = DateTime, example = "2026-03-01T12:00:00Z")]
    timestamp: String,
}

/// More about what is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ErrorDetails {
    /// The request's id, as in X-Request-ID.
    request_id: String,
    /// The values that are not valid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldProblem>,
}

impl ErrorBody {
    pub(in crate::http) fn of(problem: ProblemBody, timestamp: String) -> Self {
        Self {
            error: ErrorWords {
                code: problem.code,
                message: problem.detail.clone(),
                details: ErrorDetails {
                    request_id: problem.request_id.clone(),
                    errors: problem.errors.clone(),
                },
                timestamp,
            },
            problem,
        }
    }
}
