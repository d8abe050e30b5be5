//! What operations take beside their bodies: in the path, the query and the headers.

use std::collections::BTreeSet;

use utoipa::IntoParams;

use super::words::{
    DayOrMoment, IncludeWord, MatchWord, PriorityWord, SortTermWord, StatusWord, TaskMember, ViewWord,
};
use crate::http::body::{TagNameBody, TaskNumber};

/// Which part of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct PageQuery {
    /// How many entries.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", min_length = 1)]
    cursor: Option<String>,
}

/// Where events begin.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct EventQuery {
    /// Where the events begin: a `next_cursor` of the list of changes. Without one they begin now.
    #[param(pattern = "^[A-Za-z0-9_-]+$", min_length = 1)]
    cursor: Option<String>,
}

/// Where events go on.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct LastEventId {
    /// The `id` of the last event that the client was told; counts more than `cursor`.
    #[param(rename = "Last-Event-ID", pattern = "^[A-Za-z0-9_-]+$", min_length = 1)]
    last_event_id: Option<String>,
}

/// Which tasks, in which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct ListQuery {
    /// `all` (the default), `pending` or `completed`.
    #[param(inline)]
    status: Option<StatusWord>,
    /// One or several with commas.
    #[param(inline, style = Form, explode = false, min_items = 1)]
    priority: Option<Vec<PriorityWord>>,
    /// Names with commas; upper and lower case are the same.
    #[param(inline, style = Form, explode = false, min_items = 1, max_items = 20)]
    tags: Option<Vec<TagNameBody>>,
    /// Whether a task needs `all` (the default) of the tags or `any`.
    #[param(inline)]
    tags_match: Option<MatchWord>,
    /// Due at this moment or later; a date is the beginning of its day.
    #[param(inline)]
    due_after: Option<DayOrMoment>,
    /// Due before this moment; a date is the end of its day.
    #[param(inline)]
    due_before: Option<DayOrMoment>,
    /// Not done and past its moment, or its day, or the opposite.
    overdue: Option<bool>,
    /// Whether it has a date.
    has_due: Option<bool>,
    /// Whether it recurs.
    recurring: Option<bool>,
    /// Changed at this moment or later.
    #[param(inline)]
    updated_since: Option<DayOrMoment>,
    /// What the title or the description must have, in any case: words, `"a phrase"`, `-not`, `begin*` for a word that begins so, and
    /// `OR` between choices. At most 10 terms.
    #[param(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x85\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    q: Option<String>,
    /// Another name of `q`.
    #[param(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x85\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    search: Option<String>,
    /// Only these tasks: their numbers with commas, at most 100.
    #[param(inline, style = Form, explode = false, min_items = 1, max_items = 100)]
    ids: Option<Vec<TaskNumber>>,
    /// `today` are those not done and due on this day, `overdue` those past their moment or day, `upcoming` those of the seven days to come, and
    /// `completed` those done. The days are those of the caller, as in the summary: of `Prefer`, else of their settings, else of UTC.
    #[param(inline)]
    view: Option<ViewWord>,
    /// At most three of `due_date`, `priority`, `created_at`, `updated_at`, `title`, `completed` and `id`, each once; `-` turns one
    /// round, as in `-priority,due_date`.
    #[param(inline, style = Form, explode = false, min_items = 1, max_items = 3)]
    sort: Option<BTreeSet<SortTermWord>>,
    /// Only these members of each task.
    #[param(inline, style = Form, explode = false, min_items = 1)]
    fields: Option<Vec<TaskMember>>,
    /// `total` counts all matching tasks; `tags` are part of a task anyway.
    #[param(inline, style = Form, explode = false, min_items = 1)]
    include: Option<BTreeSet<IncludeWord>>,
    /// How many tasks.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", min_length = 1)]
    cursor: Option<String>,
}

/// The zone of whoever asks.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct Prefer {
    /// `timezone=Area/City`: whose days a bare date, what is overdue, a view and the summary mean; without it, or when the IANA
    /// database has no such zone, those of the caller's settings, else those of UTC. `Preference-Applied` says that it was heeded.
    /// With `handling=strict` a zone that there is not is refused.
    #[param(
        rename = "Prefer",
        pattern = "^timezone=[A-Za-z0-9_+/-]{1,64}(, handling=(lenient|strict))?$"
    )]
    prefer: Option<String>,
}

/// Which code.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct ErrorCode {
    /// The code of a problem.
    #[param(pattern = "^[A-Z_]+$", example = "TASK_NOT_FOUND")]
    code: String,
}

/// Which task.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct TaskId {
    /// The number of the task.
    #[param(minimum = 1, example = 1)]
    id: i32,
}

/// Which tag.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct TagId {
    /// The number of the tag.
    #[param(minimum = 1, example = 1)]
    id: i32,
}

/// Which tag of which task.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct TaskTag {
    /// The number of the task.
    #[param(minimum = 1, example = 1)]
    id: i32,
    /// The name of the tag.
    #[param(inline, example = "boat")]
    name: TagNameBody,
}

/// Which sign-in.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct SessionPath {
    /// The name of the sign-in.
    #[param(pattern = "^ses_[0-9a-z]{26}$", example = "ses_5w1m0c3k8g2z7q4t9x6v0b2n1d")]
    id: String,
}

/// Which API token.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct TokenPath {
    /// The name of the token.
    #[param(pattern = "^tok_[0-9a-z]{26}$", example = "tok_5w1m0c3k8g2z7q4t9x6v0b2n1d")]
    id: String,
}

/// Which conversation.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct ConversationId {
    /// The number of the conversation.
    #[param(minimum = 1, example = 1)]
    id: i32,
}

/// Which message of which conversation.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct ConversationMessage {
    /// The number of the conversation.
    #[param(minimum = 1, example = 1)]
    id: i32,
    /// The number of the message.
    #[param(minimum = 1, example = 1)]
    message_id: i32,
}

/// What makes a request happen once.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct Key {
    /// What the caller calls this request: 1 to 255 printable ASCII characters, as a quoted string or bare. A request that comes
    /// again under its key within 24 hours is not carried out again; the answer is the first one.
    #[param(
        rename = "Idempotency-Key",
        pattern = r#"^("([ !#-\[\]-~]|\\["\\]){1,255}"|[0-9A-Za-z!#$%&'*+.^_`|~:/=-]{1,255})$"#
    )]
    key: Option<String>,
}

/// What makes a request happen once, where it cannot do without.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct RequiredKey {
    /// What the caller calls this request: 1 to 255 printable ASCII characters, as a quoted string or bare. A request that comes
    /// again under its key within 24 hours is not carried out again; the answer is the first one.
    #[param(
        rename = "Idempotency-Key",
        pattern = r#"^("([ !#-\[\]-~]|\\["\\]){1,255}"|[0-9A-Za-z!#$%&'*+.^_`|~:/=-]{1,255})$"#,
        example = "8e03978e-40d5-43dd-bc93-6894a57f9324"
    )]
    key: String,
}
