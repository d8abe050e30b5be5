//! Tasks.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{
    CompletionBody, NewTaskBody, PageBody, TASK_FIELDS, TaskBody, TaskPatchBody, completion, new_task,
    task_patch,
};
use super::codes::Code;
use super::conditional::{IfMatch, IfNoneMatch, shown};
use super::extract::{CurrentUser, JsonObject, OptionalJsonObject, Segments, id};
use super::once::{Post, Reply, answer, created, under_key};
use super::openapi::{
    Cached, Everywhere, Key, ListQuery, OnOne, Once, Preconditioned, Prefer, TaskId, WithBody, WithQuery,
};
use super::parameters::Parameters;
use super::problem::Problem;
use super::zone::InZone;
use crate::domain::{Completion, Summary, Task};
use crate::service::{Failure, Seen};
use crate::state::App;

fn problem(failure: Failure) -> Problem {
    Problem::of(failure, Code::TaskNotFound)
}

/// List tasks
///
/// All filters must hold. A missing value sorts last in both directions, a priority sorts by rank, and the smaller id comes first among equals, unless `id` or `-id` is a key.
/// Follow `next_cursor` (or the Link header) with the same filter and order.
#[utoipa::path(get, path = "/api/v1/tasks", operation_id = "listTasks", tag = "tasks", params(ListQuery, Prefer),
    responses((status = 200, description = "A page of tasks", body = PageBody<TaskBody>), Cached, WithQuery, Everywhere))]
pub(super) async fn list(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    zone: InZone,
    seen: IfNoneMatch,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let zone = zone.of(&app, &user).await?;
    let (mut query, fields) = parameters.task_query(&zone);
    let mut asked = parameters.finish(&app, &user.id)?;
    query.after = asked.after.take();
    let found = app.services().tasks(&user, &query).await.map_err(problem)?;
    let page = |found, next| PageBody::of(found, next, TaskBody::from);
    Ok(match fields {
        None => asked.answer(&seen, found, page),
        Some(fields) => asked.answer(&seen, found, |found, next| sparse(&page(found, next), &fields)),
    })
}

/// Leaves out of each task what was not asked for.
fn sparse(page: &PageBody<TaskBody>, fields: &[String]) -> serde_json::Value {
    let mut page = serde_json::to_value(page).unwrap_or_default();
    let tasks = page["data"].as_array_mut().into_iter().flatten();
    for task in tasks.filter_map(serde_json::Value::as_object_mut) {
        for name in TASK_FIELDS
            .iter()
            .filter(|name| !fields.iter().any(|field| field == *name))
        {
            task.remove(*name);
        }
    }
    page
}

/// Create a task
///
/// A value that the schema has no column for yet is refused with 503, unless it is the default.
#[utoipa::path(post, path = "/api/v1/tasks", operation_id = "createTask", tag = "tasks", params(Key, Prefer), request_body = NewTaskBody,
    responses((status = 201, description = "The new task", body = TaskBody),
              Once, WithBody, Everywhere))]
pub(super) async fn create(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    zone: InZone,
    post: Post,
) -> Result<Response, Problem> {
    let zone = zone.of(&app, &user).await?;
    let new = new_task(post.fields, &zone)?;
    let under_key = under_key(post.keyed.as_ref(), made);
    let posted = app.services().create_task(&user, &new, under_key).await;
    Ok(answer(posted.map_err(problem)?, made))
}

fn made(seen: &Seen<Task>) -> Reply {
    let location = format!("/api/v1/tasks/{}", seen.value.id);
    created(seen, TaskBody::from, location)
}

/// Show a task
///
/// Somebody else's task is not found, like one that never was.
#[utoipa::path(get, path = "/api/v1/tasks/{id}", operation_id = "getTask", tag = "tasks", params(TaskId),
    responses((status = 200, description = "The task", body = TaskBody), Cached, OnOne, Everywhere))]
pub(super) async fn get(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
    seen: IfNoneMatch,
) -> Result<Response, Problem> {
    let id = id(&text, Code::TaskNotFound)?;
    let found = app.services().task(&user, id).await.map_err(problem)?;
    Ok(seen.show(found, TaskBody::from))
}

/// Replace a task
///
/// What the body leaves out gets its default.
#[utoipa::path(put, path = "/api/v1/tasks/{id}", operation_id = "replaceTask", tag = "tasks", params(TaskId, Prefer),
    request_body = NewTaskBody,
    responses((status = 200, description = "The task as it is now", body = TaskBody),
              Preconditioned, WithBody, OnOne, Everywhere))]
pub(super) async fn replace(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    zone: InZone,
    Segments(text): Segments<String>,
    IfMatch(precondition): IfMatch,
    JsonObject(fields): JsonObject,
) -> Result<Response, Problem> {
    let zone = zone.of(&app, &user).await?;
    let id = id(&text, Code::TaskNotFound)?;
    let patch = new_task(fields, &zone)?.into();
    let changed = app
        .services()
        .change_task(&user, id, &precondition, &patch)
        .await
        .map_err(problem)?;
    Ok(shown(changed, TaskBody::from))
}

/// Change parts of a task
///
/// A merge patch (RFC 7396): what is absent stays, null clears what may be empty.
#[utoipa::path(patch, path = "/api/v1/tasks/{id}", operation_id = "patchTask", tag = "tasks", params(TaskId, Prefer),
    request_body(content((TaskPatchBody = "application/merge-patch+json"), (TaskPatchBody = "application/json"))),
    responses((status = 200, description = "The task as it is now", body = TaskBody),
              Preconditioned, WithBody, OnOne, Everywhere))]
pub(super) async fn patch(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    zone: InZone,
    Segments(text): Segments<String>,
    IfMatch(precondition): IfMatch,
    JsonObject(fields): JsonObject,
) -> Result<Response, Problem> {
    let zone = zone.of(&app, &user).await?;
    let id = id(&text, Code::TaskNotFound)?;
    let patch = task_patch(fields, &zone)?;
    let changed = app
        .services()
        .change_task(&user, id, &precondition, &patch)
        .await
        .map_err(problem)?;
    Ok(shown(changed, TaskBody::from))
}

/// Delete a task
///
/// A second time it is not found.
#[utoipa::path(delete, path = "/api/v1/tasks/{id}", operation_id = "deleteTask", tag = "tasks", params(TaskId),
    responses((status = 204, description = "It is gone"), Preconditioned, OnOne, Everywhere))]
pub(super) async fn delete(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    let id = id(&text, Code::TaskNotFound)?;
    app.services()
        .delete_task(&user, id, &precondition)
        .await
        .map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Complete a task
///
/// A task that is done already stays as it is.
#[utoipa::path(put, path = "/api/v1/tasks/{id}/complete", operation_id = "completeTask", tag = "tasks", params(TaskId),
    responses((status = 200, description = "The task, done", body = TaskBody), Preconditioned, OnOne, Everywhere))]
pub(super) async fn complete(
    State(app): State<App>,
    user: CurrentUser,
    segments: Segments<String>,
    precondition: IfMatch,
) -> Result<Response, Problem> {
    set(&app, user, segments, precondition, Completion::Is(true)).await
}

/// Reopen a task
///
/// A task that is not done stays as it is.
#[utoipa::path(delete, path = "/api/v1/tasks/{id}/complete", operation_id = "reopenTask", tag = "tasks", params(TaskId),
    responses((status = 200, description = "The task, not done", body = TaskBody), Preconditioned, OnOne, Everywhere))]
pub(super) async fn reopen(
    State(app): State<App>,
    user: CurrentUser,
    segments: Segments<String>,
    precondition: IfMatch,
) -> Result<Response, Problem> {
    set(&app, user, segments, precondition, Completion::Is(false)).await
}

/// Toggle a task
///
/// Without a body the task is toggled; with one it becomes what the body says.
#[utoipa::path(patch, path = "/api/v1/tasks/{id}/complete", operation_id = "toggleTask", tag = "tasks", params(TaskId),
    request_body = Option<CompletionBody>,
    responses((status = 200, description = "The task as it is now", body = TaskBody),
              Preconditioned, WithBody, OnOne, Everywhere))]
pub(super) async fn toggle(
    State(app): State<App>,
    user: CurrentUser,
    segments: Segments<String>,
    precondition: IfMatch,
    OptionalJsonObject(fields): OptionalJsonObject,
) -> Result<Response, Problem> {
    let wanted = match fields {
        Some(fields) => Completion::Is(completion(fields)?),
        None => Completion::Toggle,
    };
    set(&app, user, segments, precondition, wanted).await
}

async fn set(
    app: &App,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
    IfMatch(precondition): IfMatch,
    completion: Completion,
) -> Result<Response, Problem> {
    let id = id(&text, Code::TaskNotFound)?;
    let changed = app
        .services()
        .complete_task(&user, id, &precondition, completion)
        .await
        .map_err(problem)?;
    Ok(shown(changed, TaskBody::from))
}

/// How many tasks the caller has of each kind; days are those of `Prefer`, else of the caller's settings, else of UTC.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Summary)]
pub(super) struct SummaryBody {
    /// All tasks.
    total: i64,
    /// Not done.
    pending: i64,
    /// Done.
    completed: i64,
    /// Not done and past their moment or their day.
    overdue: i64,
    /// Not done and due today.
    due_today: i64,
    /// Not done and due in the seven days after today.
    upcoming: i64,
    /// Not done, by priority.
    by_priority: BTreeMap<&'static str, i64>,
    /// Not done, by tag.
    by_tag: BTreeMap<String, i64>,
}

impl From<Summary> for SummaryBody {
    fn from(summary: Summary) -> Self {
        let [low, medium, high] = summary.by_priority;
        Self {
            total: summary.total,
            pending: summary.pending,
            completed: summary.completed,
            overdue: summary.overdue,
            due_today: summary.due_today,
            upcoming: summary.upcoming,
            by_priority: [("low", low), ("medium", medium), ("high", high)].into(),
            by_tag: summary.by_tag.into_iter().collect(),
        }
    }
}

/// Count tasks
///
/// Everything in one statement.
#[utoipa::path(get, path = "/api/v1/tasks/summary", operation_id = "getTaskSummary", tag = "tasks", params(Prefer),
    responses((status = 200, description = "The counts", body = SummaryBody), Cached, Everywhere))]
pub(super) async fn summary(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    zone: InZone,
    seen: IfNoneMatch,
) -> Result<Response, Problem> {
    let zone = zone.of(&app, &user).await?;
    let found = app.services().summary(&user, &zone).await.map_err(problem)?;
    Ok(seen.answer_hashed(&found.revision, &SummaryBody::from(found.value)))
}
