//! The pages for people: where to begin, and the reference with requests to try.
//!
//! Everything is embedded, and the content policies let no page ask anybody but this server.

use std::sync::OnceLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get};
use flate2::Compression;
use flate2::write::GzEncoder;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

use super::codes::Code;
use super::conditional::IfNoneMatch;
use super::problem::Problem;
use crate::domain::Version;
use crate::state::App;

const START: &str = include_str!("../../web/start.html");
const START_STYLE: &str = include_str!("../../web/start.css");
const EXPLANATION: &str = include_str!("../../web/errors.html");
const REFERENCE: &str = include_str!("../../web/docs.html");
const REFERENCE_SETUP: &str = include_str!("../../web/docs.js");
/// The reference's own code as it is stored; `vendor/scalar.json` says where it comes from.
const SCALAR: &[u8] = include_bytes!("../../web/vendor/scalar.js.br");
const SCALAR_ORIGIN: &str = include_str!("../../web/vendor/scalar.json");

/// Nothing but a style sheet.
const START_POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; \
                            form-action 'none'";
/// Scalar writes its styles and small fonts into the page; its requests go to this server alone.
const REFERENCE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                                font-src data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// For a path that holds the hash of what it leads to.
const FOREVER: &str = "public, max-age=31536000, immutable";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const LINKS: &str = "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";

/// What programs find the rest by (RFC 9727, RFC 9264).
const CATALOG: &str = r#"{"linkset":[{"anchor":"/","service-desc":[{"href":"/openapi.json","type":"application/json"},{"href":"/openapi-compat.json","type":"application/json"}],"service-doc":[{"href":"/docs","type":"text/html"}],"status":[{"href":"/readyz","type":"application/json"}]}]}"#;

/// Returns the routes of the pages and of what they load, for a service that people reach at `base`.
pub(super) fn routes(document: &OpenApi, base: &str) -> Router<App> {
    let style = start_style();
    let setup = asset("docs", REFERENCE_SETUP, "js");
    let scalar = format!("/assets/scalar.{}.js", scalar_hash());
    let start = START
        .replace("{start.css}", &style)
        .replace("{base}", &escaped(base));
    let reference = REFERENCE
        .replace("{start.css}", &style)
        .replace("{docs.js}", &setup)
        .replace("{scalar.js}", &scalar)
        .replace("{operations}", &operations(document));
    Router::new()
        .route("/", page(start, START_POLICY))
        .route("/docs", page(reference, REFERENCE_POLICY))
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route("/.well-known/api-catalog", get(catalog))
        .route(&style, fixed(START_STYLE, CSS))
        .route(&setup, fixed(REFERENCE_SETUP, SCRIPT))
        .route(&scalar, get(serve_scalar))
}

/// Shows a page that explains something; `content` is HTML.
pub(super) fn explaining(title: &str, content: &str) -> Response {
    let text = EXPLANATION
        .replace("{start.css}", &start_style())
        .replace("{title}", &escaped(title))
        .replace("{content}", content);
    let headers = [
        (header::CONTENT_TYPE, HTML),
        (header::CONTENT_SECURITY_POLICY, START_POLICY),
    ];
    (headers, text).into_response()
}

fn page(text: String, policy: &'static str) -> MethodRouter<App> {
    let bytes = Bytes::from(text);
    let version = Version::of([bytes.as_ref()]);
    get(move |seen: IfNoneMatch| {
        let mut response = seen.answer_bytes(&version, HTML, bytes.clone());
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        async move { response }
    })
}

/// Serves a file of ours under a path that changes with it.
fn fixed(text: &'static str, kind: &'static str) -> MethodRouter<App> {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOREVER)];
    get(move || async move { (headers, text).into_response() })
}

fn start_style() -> String {
    asset("start", START_STYLE, "css")
}

fn asset(name: &str, text: &str, end: &str) -> String {
    let version = Version::of([text.as_bytes()]);
    format!("/assets/{name}.{}.{end}", &version.as_str()[..12])
}

/// Returns the beginning of the recorded checksum, which a test holds against the file.
fn scalar_hash() -> &'static str {
    let (_, rest) = SCALAR_ORIGIN
        .split_once("\"sha256\": \"")
        .expect("the origin of the file has its checksum");
    &rest[..12]
}

async fn catalog(seen: IfNoneMatch) -> Response {
    let version = Version::of([CATALOG.as_bytes()]);
    let mut response = seen.answer_bytes(&version, LINKS, Bytes::from_static(CATALOG.as_bytes()));
    let link = HeaderValue::from_static("</.well-known/api-catalog>; rel=\"api-catalog\"");
    response.headers_mut().insert(header::LINK, link);
    response
}

/// Serves the reference's code as it is stored to whoever takes Brotli, which every browser does over TLS and on loopback, and
/// packed by gzip to everybody else: plain it would be 4 MB for whoever asks.
async fn serve_scalar(headers: HeaderMap) -> Response {
    let (encoding, packed) = if takes(&headers, "br") {
        ("br", Some(Bytes::from_static(SCALAR)))
    } else if takes(&headers, "gzip") || !headers.contains_key(header::ACCEPT_ENCODING) {
        // Who names no encoding takes any (RFC 9110, 12.5.3).
        let packed = tokio::task::spawn_blocking(gzipped_scalar).await;
        ("gzip", packed.ok().flatten())
    } else {
        return Problem::new(Code::NotAcceptable)
            .detail("this comes packed by br or gzip only")
            .into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, SCRIPT),
        (header::CACHE_CONTROL, FOREVER),
        (header::CONTENT_ENCODING, encoding),
        (header::VARY, "accept-encoding"),
    ];
    match packed {
        Some(packed) => (headers, packed).into_response(),
        None => Problem::new(Code::Internal).into_response(),
    }
}

/// Packs the code anew when it is first asked for; it stays, so that asking for it again costs nothing.
fn gzipped_scalar() -> Option<Bytes> {
    static GZIPPED: OnceLock<Option<Bytes>> = OnceLock::new();
    let pack = || {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        brotli_decompressor::BrotliDecompress(&mut &SCALAR[..], &mut packed).ok()?;
        packed.finish().ok().map(Bytes::from)
    };
    GZIPPED.get_or_init(pack).clone()
}

/// Whether a client takes an encoding that it names.
fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let is_named = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
            let is_refused = parts
                .filter_map(|part| part.strip_prefix("q="))
                .any(|quality| quality.parse() == Ok(0.0_f32));
            is_named && !is_refused
        })
}

/// Lists the operations for readers without script.
fn operations(document: &OpenApi) -> String {
    let mut lines = String::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in methods(item) {
            let summary = operation.summary.as_deref().unwrap_or_default();
            lines.push_str(&format!(
                "          <li><code>{method} {path}</code> {}</li>\n",
                escaped(summary)
            ));
        }
    }
    lines.trim_end().to_owned()
}

fn methods(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
