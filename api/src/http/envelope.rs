//! What wraps every request: an id, limits, headers, the words of a problem, one line in the log.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::accept::accepts_json;
use super::bodies::{self, Received};
use super::codes::Code;
use super::compat::ErrorBody;
use super::conditional::Unheeding;
use super::problem::Problem;
use super::throttle;
use super::zone::Zoned;
use crate::domain::Instant as Moment;
use crate::metrics::UNMATCHED;
use crate::state::App;
use crate::trace::Answered;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const SCHEMA_REVISION: HeaderName = HeaderName::from_static("schema-revision");
/// Longest path with query.
const LONGEST_URI: usize = 8 * 1024;
/// Most bytes of all header names and values.
const MOST_HEADER_BYTES: usize = 16 * 1024;
/// How long a request may take.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// Wraps a request and its answer.
pub(super) async fn wrap(
    State((app, unheeding, zoned)): State<(App, Unheeding, Zoned)>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = request_id(request.headers());
    let span = app.traces().begin(traceparent(request.headers()));
    let trace_id = span.trace_id();
    let _in_flight = app.metrics().begin();
    let method = request.method().clone();
    // The template, not the path: a path may hold what somebody typed.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| UNMATCHED.to_owned(), |path| path.as_str().to_owned());

    let zone = zoned.of(&request);
    let slot = throttle::slot(&app, &mut request);
    let (received, _large_body) = bodies::receive(&app, &mut request).await;
    let is_at_end = received.is_at_end();
    request.extensions_mut().insert(received);
    let refused = refuse(&request)
        .and_then(|()| unheeding.check(&request))
        .and_then(|()| throttle::count_address(&app, &request));
    let response = match refused {
        Err(problem) => problem.into_response(),
        Ok(()) => {
            let context = tracing::info_span!("request", request_id = id, trace_id);
            answer(&app, request, next).instrument(context).await
        }
    };
    let original = super::compat::has(&route).then(|| app.services().now());
    let mut response = finish(response, &method, &id, original);
    let status = response.status();
    let headers = response.headers_mut();
    if let Some(zone) = zone {
        zone.show(status, headers);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    if let Ok(value) = HeaderValue::from_str(&span.traceparent()) {
        headers.insert(TRACEPARENT, value);
    }
    if !headers.contains_key(SCHEMA_REVISION)
        && let Ok(value) = HeaderValue::from_str(&app.services().revision())
    {
        headers.insert(SCHEMA_REVISION, value);
    }
    if !is_at_end {
        // Whoever sent the rest must not take it for the next request (RFC 9112, 9.6).
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    throttle::show(&app, slot.as_ref(), headers);
    protect(headers, &route);
    let answered = Answered {
        method: method.as_str(),
        route: &route,
        status: response.status().as_u16(),
        request_id: &id,
        duration: began.elapsed(),
    };
    app.metrics()
        .answered(answered.method, &route, answered.status, answered.duration);
    app.traces().end(span, &answered);
    tracing::info!(
        request_id = id,
        trace_id,
        %method,
        route,
        status = answered.status,
        duration_us = u64::try_from(answered.duration.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

async fn answer(app: &App, request: Request, next: Next) -> Response {
    let is_probe = matches!(
        request.uri().path(),
        "/livez" | "/readyz" | "/health" | "/api/v1/health" | "/api/health" | "/metrics"
    );
    let _permit = match app.permits().try_acquire() {
        Ok(permit) => Some(permit),
        // Whoever asks whether we are alive should not hear that we are busy.
        Err(_) if is_probe => None,
        Err(_) => {
            app.metrics().shed();
            return Problem::new(Code::Overloaded).into_response();
        }
    };
    match tokio::time::timeout(TIME_LIMIT, carry_out(request, next)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::Timeout).into_response(),
    }
}

/// A request under a key goes on when nobody waits for its answer any more: whoever asks again is to find it.
async fn carry_out(request: Request, next: Next) -> Response {
    if !request.headers().contains_key(super::once::KEY) {
        return next.run(request).await;
    }
    let work = next.run(request).in_current_span();
    match tokio::spawn(work).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::Internal).into_response(),
    }
}

fn refuse(request: &Request) -> Result<(), Problem> {
    let length = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
    if length > LONGEST_URI {
        return Err(Problem::new(Code::UriTooLong));
    }
    let fields = request.headers().iter();
    if fields
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum::<usize>()
        > MOST_HEADER_BYTES
    {
        return Err(Problem::new(Code::HeadersTooLarge));
    }
    if request.version() == Version::HTTP_11 && request.headers().get_all(header::HOST).iter().count() != 1 {
        return Err(Problem::new(Code::HeaderInvalid).detail("a request has one header Host (RFC 9112, 3.2)"));
    }
    if let Some(Received::UnknownCoding) = request.extensions().get() {
        return Err(Problem::new(Code::TransferCodingUnknown));
    }
    let is_api = request.uri().path().starts_with("/api/");
    let is_stream = request.uri().path() == super::events::PATH;
    match is_api && !is_stream && !accepts_json(request.headers()) {
        true => Err(Problem::new(Code::NotAcceptable)),
        false => Ok(()),
    }
}

/// Writes a problem down, and answers OPTIONS with what a path allows.
fn finish(mut response: Response, method: &Method, id: &str, original: Option<Moment>) -> Response {
    if *method == Method::OPTIONS && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allow = response.headers_mut().remove(header::ALLOW);
        let mut response = StatusCode::NO_CONTENT.into_response();
        response
            .headers_mut()
            .extend(allow.map(|allow| (header::ALLOW, allow)));
        return response;
    }
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let allow = response.headers_mut().remove(header::ALLOW);
    // What leads nowhere is none of the original's routes.
    let original = original.filter(|_| problem.code != Code::NotFound);
    let mut response = problem.render(id, |body| match original {
        Some(now) => axum::Json(ErrorBody::of(body, now.whole_second().to_string())).into_response(),
        None => body.into_response(),
    });
    response
        .headers_mut()
        .extend(allow.map(|allow| (header::ALLOW, allow)));
    response
}

fn protect(headers: &mut HeaderMap, route: &str) {
    // Once, instead of growing twice on the way.
    headers.reserve(16);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A page for people says itself what it may load.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ));
    let caching = match route.starts_with("/api/") {
        true => "private, no-cache",
        false => "no-cache",
    };
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static(caching));
}

/// A request with several of them has none that could be trusted.
fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Takes over an id that is made of harmless characters, or makes one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    match given {
        Some(id)
            if (1..=64).contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) =>
        {
            id.to_owned()
        }
        _ => format!("{:032x}", fastrand::u128(..)),
    }
}
