//! The route table: which handler answers which path.
//!
//! A handler translates and nothing else; what wraps all of them is in `envelope`, what goes wrong in `problem`.

// What a request waits for is moved several times on its way into a box. What is large and seldom waited for belongs into a
// box of its own: futures of 12 KB, most of it for opening connections, took a third of the processor time of a request.
#![warn(clippy::large_futures)]

pub(crate) use events::AtWork;
pub(crate) use paths::undo_needless_escapes;

mod accept;
mod access;
mod account_body;
mod accounts;
mod api_tokens;
mod bodies;
mod body;
mod bulk;
mod changes;
mod codes;
mod compat;
mod conditional;
mod conversations;
mod cursor;
mod envelope;
mod errors;
mod events;
mod extract;
mod fields;
mod json;
mod me;
mod once;
mod openapi;
mod operations;
mod paged;
mod pages;
mod parameters;
mod paths;
mod problem;
mod schema;
mod sessions;
mod tags;
mod tasks;
mod throttle;
mod zone;

use axum::extract::State;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};
use tower_http::cors::CorsLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use openapi::Document;

use crate::state::App;

/// Returns the service, which people reach at `base`, and the document that describes it.
pub(crate) fn router(app: &App, origins: &[HeaderValue], base: &str) -> (Router, OpenApi) {
    let (router, document) = routes().split_for_parts();
    let mut document = openapi::finished(document);
    let (original, _) = compat::routes().split_for_parts();
    let mut described_original = compat_document();
    let unheeding = conditional::Unheeding::new([
        openapi::unconditional(&mut document, &[""]),
        openapi::unconditional(&mut described_original, &["/api/v1", "/api"]),
    ]);
    let zoned = zone::Zoned::new([
        openapi::zoned(&mut document, &[""]),
        openapi::zoned(&mut described_original, &["/api/v1", "/api"]),
    ]);
    let router = router
        .nest("/api/v1", original.clone())
        .nest("/api", original)
        .route("/openapi.json", openapi::route(&document))
        .route("/openapi-compat.json", openapi::route(&described_original))
        .merge(pages::routes(&document, base))
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(middleware::from_fn_with_state(
            (app.clone(), unheeding, zoned),
            envelope::wrap,
        ))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(holds_no_secret)))
        .layer(middleware::from_fn(conditional::mark_encoding))
        .with_state(app.clone());
    let router = match origins {
        [] => router,
        origins => router.layer(cross_origin(origins)),
    };
    let router = match base.starts_with("https://") {
        // A year, as RFC 6797 (6.1.1) has it in its example.
        true => router.layer(SetResponseHeaderLayer::overriding(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        )),
        false => router,
    };
    (router, document)
}

/// Returns what shows the counters at an address of its own.
pub(crate) fn metrics_router(app: &App) -> Router {
    Router::new()
        .route(
            "/metrics",
            axum::routing::get(|State(app): State<App>, headers: HeaderMap| async move {
                operations::counted(&app, &headers)
            }),
        )
        .with_state(app.clone())
}

/// Returns the document that describes the service.
pub(crate) fn document() -> OpenApi {
    openapi::finished(routes().into_openapi())
}

/// Returns the document that describes the original's routes.
pub(crate) fn compat_document() -> OpenApi {
    openapi::compat(compat::routes().into_openapi())
}

/// Every operation that the document describes.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(accounts::register))
        .routes(routes!(accounts::sign_in))
        .routes(routes!(accounts::sign_out))
        .routes(routes!(accounts::refresh))
        .routes(routes!(me::get, me::patch, me::delete))
        .routes(routes!(me::change_password))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(api_tokens::list, api_tokens::create))
        .routes(routes!(api_tokens::delete))
        .routes(routes!(tasks::list, tasks::create))
        .routes(routes!(tasks::summary))
        .routes(routes!(bulk::carry_out))
        .routes(routes!(tasks::get, tasks::replace, tasks::patch, tasks::delete))
        .routes(routes!(tasks::complete, tasks::reopen, tasks::toggle))
        .routes(routes!(tags::put_on_task, tags::take_off_task))
        .routes(routes!(tags::list, tags::create))
        .routes(routes!(tags::get, tags::rename, tags::delete))
        .routes(routes!(changes::list))
        .routes(routes!(events::follow))
        .routes(routes!(conversations::list, conversations::create))
        .routes(routes!(
            conversations::get,
            conversations::rename,
            conversations::delete
        ))
        .routes(routes!(conversations::messages, conversations::say))
        .routes(routes!(conversations::message, conversations::unsay))
        .routes(routes!(schema::get))
        .routes(routes!(errors::list))
        .routes(routes!(errors::page))
        .routes(routes!(operations::live))
        .routes(routes!(operations::ready))
        .routes(routes!(operations::health))
        .routes(routes!(operations::version))
        .routes(routes!(operations::metrics))
}

/// A secret beside what a client sent, compressed, could be guessed from the length of the answer.
fn holds_no_secret(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    headers
        .get(header::CACHE_CONTROL)
        .is_none_or(|value| value != "no-store")
}

/// Exact origins only, and no credentials: the API takes bearer tokens, not cookies.
fn cross_origin(origins: &[HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("traceparent"),
            HeaderName::from_static("prefer"),
            once::KEY,
        ])
        .expose_headers([
            header::ETAG,
            header::LINK,
            header::LOCATION,
            header::RETRY_AFTER,
            HeaderName::from_static("x-request-id"),
            HeaderName::from_static("schema-revision"),
            HeaderName::from_static("idempotency-replayed"),
            HeaderName::from_static("ratelimit"),
            HeaderName::from_static("ratelimit-policy"),
            HeaderName::from_static("idempotency-scope"),
            HeaderName::from_static("preference-applied"),
        ])
        .max_age(std::time::Duration::from_secs(600))
}
