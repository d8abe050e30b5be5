//! Counts requests and tells clients how they stand: the header fields of the IETF draft
//! `ratelimit-headers`, revision 11.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use axum::extract::{ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method};

use super::codes::Code;
use super::problem::Problem;
use crate::domain::UserId;
use crate::limits::{Policy, Standing};
use crate::state::App;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Where accounts are asked for.
const ACCOUNTS: &str = "/api/v1/auth/";

/// Where the standing is left by whoever counts the request, for the answer.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<OnceLock<Standing>>);

/// Makes a slot for the standing, unless nothing is counted.
pub(super) fn slot(app: &App, request: &mut Request) -> Option<Slot> {
    app.limits().are_on().then(|| {
        let slot = Slot::default();
        request.extensions_mut().insert(slot.clone());
        slot
    })
}

/// Counts a request that is limited by address, whoever asks.
pub(super) fn count_address(app: &App, request: &Request) -> Result<(), Problem> {
    let path = request.uri().path();
    let policy = match path.starts_with(ACCOUNTS) {
        true => Policy::Auth,
        false if is_page(path) => Policy::Page,
        false => return Ok(()),
    };
    match *request.method() == Method::OPTIONS {
        true => Ok(()),
        false => count(request.extensions(), || {
            let origin = origin(app, request.extensions(), request.headers());
            app.limits().count_address(policy, origin)
        }),
    }
}

/// Whether a path leads to what anybody may ask for and may be large.
pub(super) fn is_page(path: &str) -> bool {
    path == "/"
        || [
            "/docs",
            "/assets/",
            "/errors",
            "/openapi",
            "/version",
            "/.well-known/",
        ]
        .iter()
        .any(|beginning| path.starts_with(beginning))
}

/// Counts the request of a user.
pub(super) fn count_user(app: &App, parts: &Parts, user: &UserId) -> Result<(), Problem> {
    let policy = match parts.method {
        Method::GET | Method::HEAD => Policy::Read,
        _ => Policy::Write,
    };
    count(&parts.extensions, || app.limits().count_user(policy, user))
}

/// Counts a request without a valid token.
pub(super) fn count_stranger(app: &App, parts: &Parts) -> Result<(), Problem> {
    count(&parts.extensions, || {
        let origin = origin(app, &parts.extensions, &parts.headers);
        app.limits().count_address(Policy::Anonymous, origin)
    })
}

fn count(extensions: &Extensions, count: impl FnOnce() -> Option<Standing>) -> Result<(), Problem> {
    let Some(slot) = extensions.get::<Slot>() else {
        return Ok(());
    };
    let Some(standing) = count() else {
        return Ok(());
    };
    // A request that is counted twice shows what it was counted as first.
    slot.0.get_or_init(|| standing);
    match standing.retry_after {
        Some(seconds) => Err(Problem::new(Code::RateLimited).retry_after(seconds)),
        None => Ok(()),
    }
}

/// Returns the address of whoever asks: that of the connection, or what a trusted proxy says of it.
pub(super) fn origin(app: &App, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |info| info.0.ip());
    let forwarded = headers.get_all(FORWARDED).iter().rev();
    let forwarded = forwarded
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.rsplit(','));
    app.limits().origin(peer, forwarded)
}

/// Shows how whoever asked stands.
pub(super) fn show(app: &App, slot: Option<&Slot>, headers: &mut HeaderMap) {
    let Some(standing) = slot.and_then(|slot| slot.0.get()) else {
        return;
    };
    let name = standing.policy.name();
    let count = app.limits().per_minute(standing.policy).unwrap_or_default();
    let policy = format!("\"{name}\";q={count};w=60");
    let limit = format!("\"{name}\";r={};t={}", standing.remaining, standing.full_in);
    for (header, text) in [(POLICY, policy), (LIMIT, limit)] {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(header, value);
        }
    }
}
