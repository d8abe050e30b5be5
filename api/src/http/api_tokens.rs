//! The tokens of the caller's programs.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;

use super::account_body::{AllBody, ApiTokenBody, ApiTokenSecretBody, NewApiTokenBody, new_api_token};
use super::accounts::secret;
use super::codes::Code;
use super::conditional::IfNoneMatch;
use super::extract::{CurrentUser, JsonObject, Segments};
use super::openapi::{Cached, Conflicting, Everywhere, OnOne, TokenPath, WithBody};
use super::problem::Problem;
use crate::domain::TokenId;
use crate::service::Failure;
use crate::state::App;

fn problem(failure: Failure) -> Problem {
    Problem::of(failure, Code::TokenNotFound)
}

/// List API tokens
///
/// Newest first, without their secrets; those that are over stay until they are deleted.
#[utoipa::path(get, path = "/api/v1/me/tokens", operation_id = "listApiTokens", tag = "me",
    responses((status = 200, description = "All tokens", body = AllBody<ApiTokenBody>), Cached, Everywhere))]
pub(super) async fn list(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    seen: IfNoneMatch,
) -> Result<Response, Problem> {
    let found = app.services().api_tokens(&user).await.map_err(problem)?;
    let data = found.value.into_iter().map(ApiTokenBody::from).collect();
    Ok(seen.answer_hashed(&found.revision, &AllBody { data }))
}

/// Create an API token
///
/// For a program that acts in the caller's name, as far as its scopes go. The secret is in this answer and nowhere else. At most
/// twenty at a time; no API token can make another.
#[utoipa::path(post, path = "/api/v1/me/tokens", operation_id = "createApiToken", tag = "me", request_body = NewApiTokenBody,
    responses((status = 201, description = "The token with its secret", body = ApiTokenSecretBody),
              Conflicting, WithBody, Everywhere))]
pub(super) async fn create(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    JsonObject(fields): JsonObject,
) -> Result<Response, Problem> {
    let new = new_api_token(fields)?;
    let (token, key) = app.services().create_api_token(&user, &new).await?;
    let location = [(
        header::LOCATION,
        format!("/api/v1/me/tokens/{}", token.id.as_str()),
    )];
    let body = axum::Json(ApiTokenSecretBody::of(token, key.reveal()));
    Ok(secret(StatusCode::CREATED, (location, body)))
}

/// Delete an API token
///
/// It is refused from now on: on this server at once, on others of the same service within five seconds.
#[utoipa::path(delete, path = "/api/v1/me/tokens/{id}", operation_id = "deleteApiToken", tag = "me", params(TokenPath),
    responses((status = 204, description = "The token is not taken any more"), OnOne, Everywhere))]
pub(super) async fn delete(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    Segments(text): Segments<String>,
) -> Result<StatusCode, Problem> {
    let id = TokenId::parse(&text).ok_or_else(|| Problem::new(Code::TokenNotFound))?;
    app.services()
        .delete_api_token(&user, &id)
        .await
        .map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}
