//! The caller's sign-ins.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::account_body::{AllBody, SessionBody};
use super::codes::Code;
use super::conditional::IfNoneMatch;
use super::extract::{CurrentUser, Segments};
use super::openapi::{Cached, Everywhere, OnOne, SessionPath};
use super::problem::Problem;
use crate::domain::SessionId;
use crate::service::Failure;
use crate::state::App;

fn problem(failure: Failure) -> Problem {
    Problem::of(failure, Code::SessionNotFound)
}

/// List sign-ins
///
/// Those that are not over, newest first; at most a hundred are kept.
#[utoipa::path(get, path = "/api/v1/me/sessions", operation_id = "listSessions", tag = "me",
    responses((status = 200, description = "All sign-ins", body = AllBody<SessionBody>), Cached, Everywhere))]
pub(super) async fn list(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    seen: IfNoneMatch,
) -> Result<Response, Problem> {
    let found = app.services().sessions(&user).await.map_err(problem)?;
    let current = user.credential.session().map(|session| &session.id);
    let data = found
        .value
        .iter()
        .map(|session| SessionBody::of(session, current))
        .collect();
    Ok(seen.answer_hashed(&found.revision, &AllBody { data }))
}

/// End a sign-in
///
/// Its tokens are refused from now on: on this server at once, on others of the same service within five seconds.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", operation_id = "endSession", tag = "me", params(SessionPath),
    responses((status = 204, description = "The sign-in has ended"), OnOne, Everywhere))]
pub(super) async fn end(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
) -> Result<StatusCode, Problem> {
    let id = SessionId::parse(&text).ok_or_else(|| Problem::new(Code::SessionNotFound))?;
    app.services().end_session(&user, &id).await.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}
