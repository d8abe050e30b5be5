//! What handlers take out of a request.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Path, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::access::Access;
use super::bodies::Received;
use super::codes::Code;
use super::fields::Fields;
use super::json::json;
use super::problem::Problem;
use super::throttle;
use crate::service::Principal;
use crate::state::App;

/// Who the request speaks for.
pub(super) struct CurrentUser(pub(super) Principal);

/// The token that the request comes with, for what outlasts the request.
pub(super) struct BearerToken(pub(super) String);

/// Where the request comes from, as far as that can be trusted.
pub(super) struct ClientAddress(pub(super) IpAddr);

/// The parameters of the path; one that cannot be read is a path that leads nowhere.
pub(super) struct Segments<T>(pub(super) T);

/// The members of a JSON object.
pub(super) struct JsonObject(pub(super) Fields);

/// The members of a JSON object, or nothing when there is no body.
pub(super) struct OptionalJsonObject(pub(super) Option<Fields>);

impl FromRequestParts<App> for CurrentUser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match identify(parts, app).await {
            Ok(principal) => {
                throttle::count_user(app, parts, &principal.id)?;
                Ok(Self(principal))
            }
            Err(problem) => {
                throttle::count_stranger(app, parts)?;
                Err(problem)
            }
        }
    }
}

impl FromRequestParts<App> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(throttle::origin(app, &parts.extensions, &parts.headers)))
    }
}

impl FromRequestParts<App> for BearerToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        bearer(parts).map(|token| Self(token.to_owned()))
    }
}

fn bearer(parts: &Parts) -> Result<&str, Problem> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| Problem::new(Code::TokenMissing))?;
    value
        .to_str()
        .ok()
        .filter(|_| values.next().is_none())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| Problem::new(Code::TokenInvalid))
}

async fn identify(parts: &Parts, app: &App) -> Result<Principal, Problem> {
    let principal = app.services().authenticate(bearer(parts)?).await?;
    // Outside of the table is for persons alone.
    let template = parts
        .extensions
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    Access::of(&parts.method, template).check(&principal)?;
    Ok(principal)
}

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Segments<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, app).await {
            Ok(Path(segments)) => Ok(Self(segments)),
            Err(_) => Err(Problem::new(Code::NotFound)),
        }
    }
}

/// Reads an id of a path: what is no number is not found, like a number that nothing has.
pub(super) fn id(text: &str, not_found: Code) -> Result<i32, Problem> {
    // A number has one spelling: `+1` and `01` are other paths.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse()
        .ok()
        .filter(|id| is_number && *id > 0)
        .ok_or_else(|| Problem::new(not_found))
}

impl FromRequest<App> for JsonObject {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let (parts, bytes) = body(request)?;
        json(&parts, &bytes).and_then(Fields::of).map(Self)
    }
}

impl FromRequest<App> for OptionalJsonObject {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let (parts, bytes) = body(request)?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        json(&parts, &bytes).and_then(Fields::of).map(Some).map(Self)
    }
}

/// Takes the body, as far as it was received.
pub(super) fn body(mut request: Request) -> Result<(Parts, axum::body::Bytes), Problem> {
    let received = request.extensions_mut().remove::<Received>();
    let bytes = match received.unwrap_or(Received::BrokenOff) {
        Received::Whole(bytes) => bytes,
        Received::TooLarge { .. } => return Err(Problem::new(Code::PayloadTooLarge)),
        Received::TooSlow => return Err(Problem::new(Code::BodyTooSlow)),
        Received::TooMany => return Err(Problem::new(Code::Overloaded)),
        Received::UnknownCoding => return Err(Problem::new(Code::TransferCodingUnknown)),
        Received::BrokenOff => {
            return Err(Problem::new(Code::MalformedJson).detail("the body did not come whole"));
        }
    };
    Ok((request.into_parts().0, bytes))
}
