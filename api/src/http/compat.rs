//! The original's routes, over the same use cases: its paths with the owner's id, its lists and its errors.
//!
//! They are described in a document of their own with two servers, `/api/v1` and `/api`, because the paths are the same below
//! both. What is missing here is the same as everywhere.

mod body;
mod query;

pub(super) use body::ErrorBody;

use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{
    CompletionBody, ConversationBody, MessageBody, NewTaskBody, TagBody, TaskBody, TaskPatchBody, completion,
    new_task, task_patch,
};
use super::codes::Code;
use super::conditional::{IfMatch, IfNoneMatch, shown};
use super::extract::{CurrentUser, JsonObject, OptionalJsonObject, Segments, id};
use super::once::{Post, Reply, answer, created, under_key};
use super::openapi::{
    Cached, CompatListQuery, Everywhere, Foreign, Key, OnOne, Once, OwnerId, OwnersConversation, OwnersTask,
    PageQuery, Preconditioned, Prefer, WithBody, WithQuery,
};
use super::operations;
use super::parameters::Parameters;
use super::problem::Problem;
use super::zone::InZone;
use crate::domain::{Completion, Conversation, Task, UserId};
use crate::service::{Failure, Principal, Seen};
use crate::state::App;
use body::{ConversationsBody, MessagesBody, TagsBody, TasksBody};

/// Whoever the token and the path agree on.
pub(super) struct Owner(Principal);

impl FromRequestParts<App> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let CurrentUser(user) = CurrentUser::from_request_parts(parts, app).await?;
        let parameters = RawPathParams::from_request_parts(parts, app).await;
        let parameters = parameters.map_err(|_| Problem::new(Code::NotFound))?;
        let named = parameters.iter().find(|(name, _)| *name == "user_id");
        match named.map(|(_, value)| value) {
            Some("me") => Ok(Self(user)),
            Some(value) if value == user.id.as_str() => Ok(Self(user)),
            // What nobody can be called leads nowhere, such as a word of paths: `/api/v2/tasks`.
            Some(value) if UserId::parse(value).is_some() => Err(Problem::new(Code::Forbidden)),
            _ => Err(Problem::new(Code::NotFound)),
        }
    }
}

/// Every operation of the second document, below either prefix.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, replace, delete))
        .routes(routes!(complete))
        .routes(routes!(tags))
        .routes(routes!(conversations))
        .routes(routes!(conversation, delete_conversation))
        .routes(routes!(messages))
        // Asked for without a prefix by whoever watches, and with one by clients that are generated from the document.
        .routes(routes!(operations::health))
}

/// Whether a route is one of these.
pub(super) fn has(route: &str) -> bool {
    route.starts_with("/api/v1/{user_id}") || route.starts_with("/api/{user_id}")
}

fn of_task(failure: Failure) -> Problem {
    Problem::of(failure, Code::TaskNotFound)
}

fn of_conversation(failure: Failure) -> Problem {
    Problem::of(failure, Code::ConversationNotFound)
}

/// The original's moments have no fractions.
fn body_of(task: Task) -> TaskBody {
    TaskBody::from(task.in_whole_seconds())
}

fn conversation_of(conversation: Conversation) -> ConversationBody {
    ConversationBody::from(conversation.in_whole_seconds())
}

/// List tasks
///
/// All filters must hold; `total` counts what matches.
#[utoipa::path(get, path = "/{user_id}/tasks", operation_id = "listOwnTasks", tag = "tasks",
    params(OwnerId, CompatListQuery, Prefer),
    responses((status = 200, description = "A part of the list", body = TasksBody), Cached, WithQuery, Foreign, Everywhere))]
pub(super) async fn list(
    State(app): State<App>,
    Owner(user): Owner,
    zone: InZone,
    seen: IfNoneMatch,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let zone = zone.of(&app, &user).await?;
    let query = parameters.compat_task_query(&zone);
    parameters.finish_without_cursor()?;
    let found = app.services().tasks(&user, &query).await.map_err(of_task)?;
    let body = TasksBody {
        total: found.value.total.unwrap_or_default(),
        tasks: found.value.items.into_iter().map(body_of).collect(),
        limit: query.limit,
        offset: query.skip,
    };
    Ok(seen.answer_hashed(&found.revision, &body))
}

/// Create a task
///
/// `title` is needed; the members of later phases are optional.
#[utoipa::path(post, path = "/{user_id}/tasks", operation_id = "createOwnTask", tag = "tasks", params(OwnerId, Key, Prefer),
    request_body = NewTaskBody,
    responses((status = 201, description = "The new task", body = TaskBody),
              Once, WithBody, Foreign, Everywhere))]
pub(super) async fn create(
    State(app): State<App>,
    Owner(user): Owner,
    zone: InZone,
    post: Post,
) -> Result<Response, Problem> {
    let zone = zone.of(&app, &user).await?;
    let new = new_task(post.fields, &zone)?;
    let under_key = under_key(post.keyed.as_ref(), made);
    let posted = app.services().create_task(&user, &new, under_key).await;
    Ok(answer(posted.map_err(of_task)?, made))
}

fn made(seen: &Seen<Task>) -> Reply {
    let location = format!("/api/v1/me/tasks/{}", seen.value.id);
    created(seen, body_of, location)
}

/// Show a task
///
/// Somebody else's task is not found, like one that never was.
#[utoipa::path(get, path = "/{user_id}/tasks/{id}", operation_id = "getOwnTask", tag = "tasks", params(OwnersTask),
    responses((status = 200, description = "The task", body = TaskBody), Cached, OnOne, Foreign, Everywhere))]
pub(super) async fn get(
    State(app): State<App>,
    Owner(user): Owner,
    Segments((_owner, text)): Segments<(String, String)>,
    seen: IfNoneMatch,
) -> Result<Response, Problem> {
    let id = id(&text, Code::TaskNotFound)?;
    let found = app.services().task(&user, id).await.map_err(of_task)?;
    Ok(seen.show(found, body_of))
}

/// Change a task
///
/// At least one member; what is absent stays.
#[utoipa::path(put, path = "/{user_id}/tasks/{id}", operation_id = "updateOwnTask", tag = "tasks", params(OwnersTask, Prefer),
    request_body = TaskPatchBody,
    responses((status = 200, description = "The task as it is now", body = TaskBody),
              Preconditioned, WithBody, OnOne, Foreign, Everywhere))]
pub(super) async fn replace(
    State(app): State<App>,
    Owner(user): Owner,
    zone: InZone,
    Segments((_owner, text)): Segments<(String, String)>,
    IfMatch(precondition): IfMatch,
    JsonObject(fields): JsonObject,
) -> Result<Response, Problem> {
    let zone = zone.of(&app, &user).await?;
    let id = id(&text, Code::TaskNotFound)?;
    let patch = task_patch(fields, &zone)?;
    if patch == Default::default() {
        return Err(
            Problem::new(Code::Validation).detail("at least one member is wanted here, title for example")
        );
    }
    let changed = app.services().change_task(&user, id, &precondition, &patch).await;
    changed.map(|task| shown(task, body_of)).map_err(of_task)
}

/// Delete a task
///
/// For good; a second time it is not found.
#[utoipa::path(delete, path = "/{user_id}/tasks/{id}", operation_id = "deleteOwnTask", tag = "tasks", params(OwnersTask),
    responses((status = 204, description = "It is gone"), Preconditioned, OnOne, Foreign, Everywhere))]
pub(super) async fn delete(
    State(app): State<App>,
    Owner(user): Owner,
    Segments((_owner, text)): Segments<(String, String)>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    let id = id(&text, Code::TaskNotFound)?;
    let deleted = app.services().delete_task(&user, id, &precondition).await;
    deleted.map(|_| StatusCode::NO_CONTENT).map_err(of_task)
}

/// Complete a task
///
/// Without a body the task is toggled; with one it becomes what the body says.
#[utoipa::path(patch, path = "/{user_id}/tasks/{id}/complete", operation_id = "completeOwnTask", tag = "tasks",
    params(OwnersTask), request_body = Option<CompletionBody>,
    responses((status = 200, description = "The task as it is now", body = TaskBody),
              Preconditioned, WithBody, OnOne, Foreign, Everywhere))]
pub(super) async fn complete(
    State(app): State<App>,
    Owner(user): Owner,
    Segments((_owner, text)): Segments<(String, String)>,
    IfMatch(precondition): IfMatch,
    OptionalJsonObject(fields): OptionalJsonObject,
) -> Result<Response, Problem> {
    let id = id(&text, Code::TaskNotFound)?;
    let wanted = match fields {
        Some(fields) => Completion::Is(completion(fields)?),
        None => Completion::Toggle,
    };
    let changed = app
        .services()
        .complete_task(&user, id, &precondition, wanted)
        .await;
    changed.map(|task| shown(task, body_of)).map_err(of_task)
}

/// List tags
///
/// Those on the owner's tasks, in the order of their names.
#[utoipa::path(get, path = "/{user_id}/tags", operation_id = "listOwnTags", tag = "tags", params(OwnerId, PageQuery),
    responses((status = 200, description = "A page of tags", body = TagsBody), Cached, WithQuery, Foreign, Everywhere))]
pub(super) async fn tags(
    State(app): State<App>,
    Owner(user): Owner,
    seen: IfNoneMatch,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let limit = parameters.limit();
    let asked = parameters.finish(&app, &user.id)?;
    let found = app.services().tags(&user, limit, asked.after.as_ref()).await;
    let found = found.map_err(|failure| Problem::of(failure, Code::TagNotFound))?;
    Ok(asked.answer(&seen, found, |found, next_cursor| TagsBody {
        next_cursor,
        tags: found.items.into_iter().map(TagBody::from).collect(),
    }))
}

/// List conversations
///
/// Newest first.
#[utoipa::path(get, path = "/{user_id}/conversations", operation_id = "listOwnConversations", tag = "conversations",
    params(OwnerId, PageQuery),
    responses((status = 200, description = "A page of conversations", body = ConversationsBody),
              Cached, WithQuery, Foreign, Everywhere))]
pub(super) async fn conversations(
    State(app): State<App>,
    Owner(user): Owner,
    seen: IfNoneMatch,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let limit = parameters.limit();
    let asked = parameters.finish(&app, &user.id)?;
    let found = app
        .services()
        .conversations(&user, limit, asked.after.as_ref())
        .await;
    let found = found.map_err(of_conversation)?;
    Ok(
        asked.answer(&seen, found, |found, next_cursor| ConversationsBody {
            next_cursor,
            conversations: found.items.into_iter().map(conversation_of).collect(),
        }),
    )
}

/// Show a conversation
///
/// Without its messages.
#[utoipa::path(get, path = "/{user_id}/conversations/{id}", operation_id = "getOwnConversation", tag = "conversations",
    params(OwnersConversation),
    responses((status = 200, description = "The conversation", body = ConversationBody),
              Cached, OnOne, Foreign, Everywhere))]
pub(super) async fn conversation(
    State(app): State<App>,
    Owner(user): Owner,
    Segments((_owner, text)): Segments<(String, String)>,
    seen: IfNoneMatch,
) -> Result<Response, Problem> {
    let id = id(&text, Code::ConversationNotFound)?;
    let found = app
        .services()
        .conversation(&user, id)
        .await
        .map_err(of_conversation)?;
    Ok(seen.show(found, conversation_of))
}

/// Delete a conversation
///
/// With its messages.
#[utoipa::path(delete, path = "/{user_id}/conversations/{id}", operation_id = "deleteOwnConversation",
    tag = "conversations", params(OwnersConversation),
    responses((status = 204, description = "It is gone"), Preconditioned, OnOne, Foreign, Everywhere))]
pub(super) async fn delete_conversation(
    State(app): State<App>,
    Owner(user): Owner,
    Segments((_owner, text)): Segments<(String, String)>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    let id = id(&text, Code::ConversationNotFound)?;
    let deleted = app.services().delete_conversation(&user, id, &precondition).await;
    deleted.map(|_| StatusCode::NO_CONTENT).map_err(of_conversation)
}

/// List messages
///
/// Oldest first.
#[utoipa::path(get, path = "/{user_id}/conversations/{id}/messages", operation_id = "listOwnMessages",
    tag = "conversations", params(OwnersConversation, PageQuery),
    responses((status = 200, description = "A page of messages", body = MessagesBody),
              Cached, WithQuery, OnOne, Foreign, Everywhere))]
pub(super) async fn messages(
    State(app): State<App>,
    Owner(user): Owner,
    Segments((_owner, text)): Segments<(String, String)>,
    seen: IfNoneMatch,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let id = id(&text, Code::ConversationNotFound)?;
    let limit = parameters.limit();
    let asked = parameters.finish(&app, &user.id)?;
    let found = app
        .services()
        .messages(&user, id, limit, asked.after.as_ref())
        .await;
    let found = found.map_err(of_conversation)?;
    Ok(asked.answer(&seen, found, |found, next_cursor| MessagesBody {
        next_cursor,
        messages: found
            .items
            .into_iter()
            .map(|it| MessageBody::from(it.in_whole_seconds()))
            .collect(),
    }))
}
