//! Tags, and which task carries which.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::body::{NewTagBody, PageBody, TagBody, TagPatchBody, new_tag, tag_name};
use super::codes::Code;
use super::conditional::{IfMatch, IfNoneMatch, shown};
use super::extract::{CurrentUser, JsonObject, Segments, id};
use super::once::{Post, Reply, answer, created, under_key};
use super::openapi::{
    Cached, Conflicting, Everywhere, Key, OnOne, Once, PageQuery, Preconditioned, TagId, TaskTag, WithBody,
    WithQuery,
};
use super::parameters::Parameters;
use super::problem::{FieldProblem, Problem};
use crate::domain::{Tag, TagName};
use crate::service::{Failure, Seen};
use crate::state::App;

fn problem(failure: Failure) -> Problem {
    Problem::of(failure, Code::TagNotFound)
}

fn path(tag: &Tag) -> String {
    format!("/api/v1/tags/{}", tag.id)
}

fn placed(seen: Seen<Tag>) -> Response {
    let location = path(&seen.value);
    let mut response = shown(seen, TagBody::from);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// List tags
///
/// Those on the caller's tasks, in the order of their names. Before revision 003 there are none.
#[utoipa::path(get, path = "/api/v1/tags", operation_id = "listTags", tag = "tags", params(PageQuery),
    responses((status = 200, description = "A page of tags", body = PageBody<TagBody>), Cached, WithQuery, Everywhere))]
pub(super) async fn list(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    seen: IfNoneMatch,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let limit = parameters.limit();
    let asked = parameters.finish(&app, &user.id)?;
    let found = app
        .services()
        .tags(&user, limit, asked.after.as_ref())
        .await
        .map_err(problem)?;
    let page = |found, next| PageBody::of(found, next, TagBody::from);
    Ok(asked.answer(&seen, found, page))
}

/// Create a tag
///
/// A tag exists for its user while one of their tasks carries it, so the tasks to put it on come along.
#[utoipa::path(post, path = "/api/v1/tags", operation_id = "createTag", tag = "tags", params(Key), request_body = NewTagBody,
    responses((status = 201, description = "The new tag", body = TagBody),
              Once, Conflicting, WithBody, OnOne, Everywhere))]
pub(super) async fn create(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    post: Post,
) -> Result<Response, Problem> {
    let (name, tasks) = new_tag(post.fields)?;
    let under_key = under_key(post.keyed.as_ref(), made);
    let posted = app.services().create_tag(&user, &name, &tasks, under_key).await;
    Ok(answer(
        posted.map_err(|failure| Problem::of(failure, Code::TaskNotFound))?,
        made,
    ))
}

fn made(seen: &Seen<Tag>) -> Reply {
    created(seen, TagBody::from, path(&seen.value))
}

/// Show a tag
///
/// One that none of the caller's tasks carries is not found.
#[utoipa::path(get, path = "/api/v1/tags/{id}", operation_id = "getTag", tag = "tags", params(TagId),
    responses((status = 200, description = "The tag", body = TagBody), Cached, OnOne, Everywhere))]
pub(super) async fn get(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
    seen: IfNoneMatch,
) -> Result<Response, Problem> {
    let id = id(&text, Code::TagNotFound)?;
    let found = app.services().tag(&user, id).await.map_err(problem)?;
    Ok(seen.show(found, TagBody::from))
}

/// Rename a tag
///
/// On the caller's tasks only: others may use the same name. The answer shows the id of the new name, which is another one.
#[utoipa::path(patch, path = "/api/v1/tags/{id}", operation_id = "renameTag", tag = "tags", params(TagId),
    request_body(content((TagPatchBody = "application/merge-patch+json"), (TagPatchBody = "application/json"))),
    responses((status = 200, description = "The tag under its new name", body = TagBody,
               headers(("Location" = String, description = "The tag's new path"))),
              Conflicting, Preconditioned, WithBody, OnOne, Everywhere))]
pub(super) async fn rename(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
    IfMatch(precondition): IfMatch,
    JsonObject(fields): JsonObject,
) -> Result<Response, Problem> {
    let id = id(&text, Code::TagNotFound)?;
    let name = tag_name(fields)?;
    let renamed = app
        .services()
        .rename_tag(&user, id, &precondition, &name)
        .await
        .map_err(problem)?;
    Ok(placed(renamed))
}

/// Delete a tag
///
/// Takes it off all of the caller's tasks.
#[utoipa::path(delete, path = "/api/v1/tags/{id}", operation_id = "deleteTag", tag = "tags", params(TagId),
    responses((status = 204, description = "No task of the caller carries it any more"), Preconditioned, OnOne, Everywhere))]
pub(super) async fn delete(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    let id = id(&text, Code::TagNotFound)?;
    app.services()
        .delete_tag(&user, id, &precondition)
        .await
        .map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Put a tag on a task
///
/// A task that carries it already stays as it is.
#[utoipa::path(put, path = "/api/v1/tasks/{id}/tags/{name}", operation_id = "tagTask", tag = "tags", params(TaskTag),
    responses((status = 204, description = "The task carries it"), WithQuery, OnOne, Everywhere))]
pub(super) async fn put_on_task(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments((text, name)): Segments<(String, String)>,
) -> Result<StatusCode, Problem> {
    let id = id(&text, Code::TaskNotFound)?;
    let name = named(&name)?;
    app.services()
        .tag_task(&user, id, &name)
        .await
        .map_err(|failure| Problem::of(failure, Code::TaskNotFound))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a tag off a task
///
/// A task that does not carry it stays as it is.
#[utoipa::path(delete, path = "/api/v1/tasks/{id}/tags/{name}", operation_id = "untagTask", tag = "tags", params(TaskTag),
    responses((status = 204, description = "The task does not carry it"), WithQuery, OnOne, Everywhere))]
pub(super) async fn take_off_task(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments((text, name)): Segments<(String, String)>,
) -> Result<StatusCode, Problem> {
    let id = id(&text, Code::TaskNotFound)?;
    let name = named(&name)?;
    app.services()
        .untag_task(&user, id, &name)
        .await
        .map_err(|failure| Problem::of(failure, Code::TaskNotFound))?;
    Ok(StatusCode::NO_CONTENT)
}

fn named(text: &str) -> Result<TagName, Problem> {
    TagName::parse(text).map_err(|violation| {
        Problem::of_fields(
            Code::FilterInvalid,
            vec![FieldProblem::in_query("name", violation.detail)],
        )
    })
}
