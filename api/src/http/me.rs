//! The caller.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::account_body::{PasswordChangeBody, UserPatchBody, password_change, user_patch};
use super::body::UserBody;
use super::codes::Code;
use super::conditional::{IfMatch, IfNoneMatch, shown};
use super::extract::{CurrentUser, JsonObject};
use super::openapi::{Cached, Conflicting, Everywhere, Preconditioned, Throttled, WithBody};
use super::problem::Problem;
use crate::service::Failure;
use crate::state::App;

fn problem(failure: Failure) -> Problem {
    Problem::of(failure, Code::UserNotFound)
}

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
    let found = app.services().user(&user).await.map_err(problem)?;
    Ok(seen.show(found, UserBody::from))
}

/// Change the caller
///
/// The name and the time zone; the e-mail address stays what it was at the registration.
#[utoipa::path(patch, path = "/api/v1/me", operation_id = "patchMe", tag = "me",
    request_body(content((UserPatchBody = "application/merge-patch+json"), (UserPatchBody = "application/json"))),
    responses((status = 200, description = "The caller", body = UserBody), Preconditioned, WithBody, Everywhere))]
pub(super) async fn patch(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    IfMatch(precondition): IfMatch,
    JsonObject(fields): JsonObject,
) -> Result<Response, Problem> {
    let patch = user_patch(fields)?;
    let changed = app
        .services()
        .change_user(&user, &precondition, &patch)
        .await
        .map_err(problem)?;
    Ok(shown(changed, UserBody::from))
}

/// Delete the caller
///
/// With everything that is theirs; nothing brings it back. The sign-in must be at most ten minutes old: sign in again first.
/// Whoever comes with a token of an external issuer afterwards is made known anew.
#[utoipa::path(delete, path = "/api/v1/me", operation_id = "deleteMe", tag = "me",
    responses((status = 204, description = "The caller is gone"), Preconditioned, Everywhere))]
pub(super) async fn delete(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    app.services().delete_user(&user, &precondition).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change the password
///
/// All other sign-ins end; API tokens stay. Wrong passwords slow the account down as they do at signing in.
#[utoipa::path(post, path = "/api/v1/me/password", operation_id = "changePassword", tag = "me",
    request_body = PasswordChangeBody,
    responses((status = 204, description = "The new password counts"), Conflicting, Throttled, WithBody, Everywhere))]
pub(super) async fn change_password(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    JsonObject(fields): JsonObject,
) -> Result<StatusCode, Problem> {
    let (current, new) = password_change(fields)?;
    app.services().change_password(&user, &current, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}
