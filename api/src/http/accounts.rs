//! Signing up, in and out.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::account_body::{LoginBody, RegisteredBody, RegistrationBody, SignedInBody, login, registration};
use super::extract::{ClientAddress, CurrentUser, JsonObject};
use super::openapi::{Everywhere, Throttled, Unsigned, WithBody};
use super::problem::Problem;
use crate::state::App;

/// What holds a secret is kept by nobody on the way.
pub(super) fn secret(status: StatusCode, body: impl IntoResponse) -> Response {
    let mut response = (status, body).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sign up
///
/// Makes an account and signs its owner in. An address that anybody has, in any case and however they are known here, is
/// refused: accounts are never linked by address.
#[utoipa::path(post, path = "/api/v1/auth/register", operation_id = "register", tag = "auth", request_body = RegistrationBody,
    security(()),
    responses((status = 201, description = "The new account with a token", body = RegisteredBody), WithBody, Unsigned))]
pub(super) async fn register(
    State(app): State<App>,
    JsonObject(fields): JsonObject,
) -> Result<Response, Problem> {
    let registration = registration(fields)?;
    let made = app.services().sign_up(&registration).await?;
    let location = [(header::LOCATION, "/api/v1/me")];
    let body = axum::Json(RegisteredBody::from(made));
    Ok(secret(StatusCode::CREATED, (location, body)))
}

/// Sign in
///
/// The token is good for seven days unless the server says otherwise (`TOKEN_DAYS`). Wrong passwords slow an account and an
/// address down for up to a minute at a time.
#[utoipa::path(post, path = "/api/v1/auth/login", operation_id = "login", tag = "auth", request_body = LoginBody,
    security(()),
    responses((status = 200, description = "A token of a new sign-in", body = SignedInBody), WithBody, Throttled, Unsigned))]
pub(super) async fn sign_in(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    JsonObject(fields): JsonObject,
) -> Result<Response, Problem> {
    let (email, password) = login(fields)?;
    let made = app.services().sign_in(&email, &password, Some(address)).await?;
    Ok(secret(StatusCode::OK, axum::Json(SignedInBody::from(made))))
}

/// Sign out
///
/// Ends the sign-in that the token belongs to, with all its tokens. Other sign-ins stay.
#[utoipa::path(post, path = "/api/v1/auth/logout", operation_id = "logout", tag = "auth",
    responses((status = 204, description = "The sign-in has ended"), Everywhere))]
pub(super) async fn sign_out(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
) -> Result<StatusCode, Problem> {
    app.services().sign_out(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Renew the token
///
/// Another token of the same sign-in. It does not outlive the sign-in, which ends after thirty days unless the server says
/// otherwise (`SESSION_DAYS`); the token that was sent stays good until its own end.
#[utoipa::path(post, path = "/api/v1/auth/refresh", operation_id = "refreshToken", tag = "auth",
    responses((status = 200, description = "A new token of the same sign-in", body = SignedInBody), Everywhere))]
pub(super) async fn refresh(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
) -> Result<Response, Problem> {
    let made = app.services().refresh(&user).await?;
    Ok(secret(StatusCode::OK, axum::Json(SignedInBody::from(made))))
}
