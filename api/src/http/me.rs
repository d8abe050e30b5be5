//! The caller.

use axum::extract::State;
use axum::response::Response;

use super::body::UserBody;
use super::codes::Code;
use super::conditional::IfNoneMatch;
use super::extract::CurrentUser;
use super::openapi::{Cached, Everywhere};
use super::problem::Problem;
use crate::state::App;

/// Show the caller
///
/// Whoever is seen for the first time is made known first.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "getMe", tag = "me",
    responses((status = 200, description = "The caller", body = UserBody), Cached, Everywhere))]
pub(super) async fn get(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    seen: IfNoneMatch,
) -> Result<Response, Problem> {
    let found = app
        .services()
        .user(&user)
        .await
        .map_err(|failure| Problem::of(failure, Code::UserNotFound))?;
    Ok(seen.answer_hashed(&found.revision, &UserBody::from(found.value)))
}
