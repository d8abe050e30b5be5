//! Conversations and what was said in them; before revision 002 there are none to be had.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::body::{
    ConversationBody, ConversationPatchBody, MessageBody, NewMessageBody, PageBody, conversation_title,
    new_message,
};
use super::codes::Code;
use super::conditional::{IfMatch, IfNoneMatch, shown};
use super::extract::{CurrentUser, JsonObject, Segments, id};
use super::once::{EmptyPost, Post, Reply, answer, created, under_key};
use super::openapi::{
    Cached, ConversationId, ConversationMessage, Everywhere, Key, OnOne, Once, PageQuery, Preconditioned,
    WithBody, WithQuery,
};
use super::parameters::Parameters;
use super::problem::Problem;
use crate::domain::{Conversation, Message};
use crate::service::{Failure, Seen};
use crate::state::App;

fn problem(failure: Failure) -> Problem {
    Problem::of(failure, Code::ConversationNotFound)
}

/// List conversations
///
/// Newest first.
#[utoipa::path(get, path = "/api/v1/conversations", operation_id = "listConversations", tag = "conversations",
    params(PageQuery),
    responses((status = 200, description = "A page of conversations", body = PageBody<ConversationBody>),
              Cached, WithQuery, Everywhere))]
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
        .conversations(&user, limit, asked.after.as_ref())
        .await
        .map_err(problem)?;
    let page = |found, next| PageBody::of(found, next, ConversationBody::from);
    Ok(asked.answer(&seen, found, page))
}

/// Begin a conversation
///
/// It has no messages yet.
#[utoipa::path(post, path = "/api/v1/conversations", operation_id = "createConversation", tag = "conversations", params(Key),
    responses((status = 201, description = "The new conversation", body = ConversationBody), Once, Everywhere))]
pub(super) async fn create(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    EmptyPost(keyed): EmptyPost,
) -> Result<Response, Problem> {
    let under_key = under_key(keyed.as_ref(), begun);
    let posted = app.services().create_conversation(&user, under_key).await;
    Ok(answer(posted.map_err(problem)?, begun))
}

fn begun(seen: &Seen<Conversation>) -> Reply {
    let location = format!("/api/v1/conversations/{}", seen.value.id);
    created(seen, ConversationBody::from, location)
}

/// Show a conversation
///
/// Without its messages.
#[utoipa::path(get, path = "/api/v1/conversations/{id}", operation_id = "getConversation", tag = "conversations",
    params(ConversationId),
    responses((status = 200, description = "The conversation", body = ConversationBody), Cached, OnOne, Everywhere))]
pub(super) async fn get(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
    seen: IfNoneMatch,
) -> Result<Response, Problem> {
    let id = id(&text, Code::ConversationNotFound)?;
    let found = app.services().conversation(&user, id).await.map_err(problem)?;
    Ok(seen.show(found, ConversationBody::from))
}

/// Rename a conversation
///
/// Without a title it is called after what a person says in it next.
#[utoipa::path(patch, path = "/api/v1/conversations/{id}", operation_id = "renameConversation", tag = "conversations",
    params(ConversationId),
    request_body(content((ConversationPatchBody = "application/merge-patch+json"),
                         (ConversationPatchBody = "application/json"))),
    responses((status = 200, description = "The conversation under its new name", body = ConversationBody),
              Preconditioned, WithBody, OnOne, Everywhere))]
pub(super) async fn rename(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
    IfMatch(precondition): IfMatch,
    JsonObject(fields): JsonObject,
) -> Result<Response, Problem> {
    let id = id(&text, Code::ConversationNotFound)?;
    let title = conversation_title(fields)?;
    let renamed = app
        .services()
        .rename_conversation(&user, id, &precondition, &title)
        .await
        .map_err(problem)?;
    Ok(shown(renamed, ConversationBody::from))
}

/// Delete a conversation
///
/// With its messages.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}", operation_id = "deleteConversation", tag = "conversations",
    params(ConversationId),
    responses((status = 204, description = "It is gone"), Preconditioned, OnOne, Everywhere))]
pub(super) async fn delete(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    let id = id(&text, Code::ConversationNotFound)?;
    app.services()
        .delete_conversation(&user, id, &precondition)
        .await
        .map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

/// List messages
///
/// Oldest first.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages", operation_id = "listMessages", tag = "conversations",
    params(ConversationId, PageQuery),
    responses((status = 200, description = "A page of messages", body = PageBody<MessageBody>),
              Cached, WithQuery, OnOne, Everywhere))]
pub(super) async fn messages(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
    seen: IfNoneMatch,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let id = id(&text, Code::ConversationNotFound)?;
    let limit = parameters.limit();
    let asked = parameters.finish(&app, &user.id)?;
    let found = app
        .services()
        .messages(&user, id, limit, asked.after.as_ref())
        .await
        .map_err(problem)?;
    let page = |found, next| PageBody::of(found, next, MessageBody::from);
    Ok(asked.answer(&seen, found, page))
}

/// Add a message
///
/// A conversation takes at most 100.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages", operation_id = "createMessage", tag = "conversations",
    params(ConversationId, Key), request_body = NewMessageBody,
    responses((status = 201, description = "The new message", body = MessageBody), Once, WithBody, OnOne, Everywhere))]
pub(super) async fn say(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
    post: Post,
) -> Result<Response, Problem> {
    let id = id(&text, Code::ConversationNotFound)?;
    let new = new_message(post.fields)?;
    let under_key = under_key(post.keyed.as_ref(), said);
    let posted = app.services().create_message(&user, id, &new, under_key).await;
    Ok(answer(posted.map_err(problem)?, said))
}

fn said(seen: &Seen<Message>) -> Reply {
    let Message {
        id, conversation_id, ..
    } = seen.value;
    let location = format!("/api/v1/conversations/{conversation_id}/messages/{id}");
    created(seen, MessageBody::from, location)
}

/// Show a message
///
/// Only in the conversation that it belongs to.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages/{message_id}", operation_id = "getMessage",
    tag = "conversations", params(ConversationMessage),
    responses((status = 200, description = "The message", body = MessageBody), Cached, OnOne, Everywhere))]
pub(super) async fn message(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments((conversation, message)): Segments<(String, String)>,
    seen: IfNoneMatch,
) -> Result<Response, Problem> {
    let conversation = id(&conversation, Code::MessageNotFound)?;
    let message = id(&message, Code::MessageNotFound)?;
    let found = app
        .services()
        .message(&user, conversation, message)
        .await
        .map_err(|failure| Problem::of(failure, Code::MessageNotFound))?;
    Ok(seen.show(found, MessageBody::from))
}

/// Delete a message
///
/// A second time it is not found.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}/messages/{message_id}", operation_id = "deleteMessage",
    tag = "conversations", params(ConversationMessage),
    responses((status = 204, description = "It is gone"), Preconditioned, OnOne, Everywhere))]
pub(super) async fn unsay(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments((conversation, message)): Segments<(String, String)>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    let conversation = id(&conversation, Code::MessageNotFound)?;
    let message = id(&message, Code::MessageNotFound)?;
    app.services()
        .delete_message(&user, conversation, message, &precondition)
        .await
        .map_err(|failure| Problem::of(failure, Code::MessageNotFound))?;
    Ok(StatusCode::NO_CONTENT)
}
