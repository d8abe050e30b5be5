//! Entity tags: strong, and different for each encoding of the same thing.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::accept::takes_an_encoding;
use super::codes::Code;
use super::problem::Problem;
use crate::domain::{Precondition, Version, Versioned};
use crate::service::Seen;

/// What `If-Match` asks for.
pub(super) struct IfMatch(pub(super) Precondition);

/// What `If-None-Match` names.
pub(super) struct IfNoneMatch(Vec<String>);

const SCHEMA_REVISION: HeaderName = HeaderName::from_static("schema-revision");
/// What compression adds to an entity tag.
const ENCODINGS: [&str; 2] = ["gzip", "br"];

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if parts.headers.contains_key(header::IF_NONE_MATCH) {
            // To ignore a condition would be to act although it may not hold.
            return Err(Problem::new(Code::HeaderInvalid)
                .detail("if-none-match is for reading; what a change rests on is said by if-match"));
        }
        let Some(tags) = tags(&parts.headers, &header::IF_MATCH)? else {
            return Ok(Self(Precondition::None));
        };
        if tags.iter().any(|tag| tag == "*") {
            return Ok(Self(Precondition::Exists));
        }
        // A weak tag never matches strongly (RFC 9110, 8.8.3.2).
        let strong = tags.iter().filter_map(|tag| opaque(tag)).map(Version::quoted);
        Ok(Self(Precondition::AnyOf(strong.collect())))
    }
}

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // What is no entity tag is that of no state: the answer is what the client asked for, whole.
        let seen = tags(&parts.headers, &header::IF_NONE_MATCH).ok().flatten();
        Ok(Self(seen.unwrap_or_default()))
    }
}

impl IfNoneMatch {
    /// Answers with something, or with 304 when the client has it.
    pub(super) fn show<T: Versioned, B: Serialize>(&self, seen: Seen<T>, body: impl Fn(T) -> B) -> Response {
        let version = seen.version();
        self.answer(&version, &seen.revision, || {
            axum::Json(body(seen.value)).into_response()
        })
    }

    /// The same for what has no version of its own: that of its bytes.
    pub(super) fn answer_hashed<T: Serialize>(&self, revision: &str, body: &T) -> Response {
        let bytes = match serde_json::to_vec(body) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(%error, "an answer could not be written down");
                return Problem::new(Code::Internal).into_response();
            }
        };
        let version = Version::of([revision.as_bytes(), bytes.as_slice()]);
        self.answer(&version, revision, || of_kind("application/json", bytes.into()))
    }

    /// The same for what is written down already and owes nothing to the schema.
    pub(super) fn answer_bytes(&self, version: &Version, kind: &'static str, bytes: Bytes) -> Response {
        let mut response = self.answer(version, "", || of_kind(kind, bytes));
        response.headers_mut().remove(SCHEMA_REVISION);
        response
    }

    /// Answers with what is written down, or with 304 when the client has it.
    fn answer(&self, version: &Version, revision: &str, write: impl FnOnce() -> Response) -> Response {
        let mut tags = self.0.iter().map(|tag| tag.strip_prefix("W/").unwrap_or(tag));
        let known = tags.find(|tag| *tag == "*" || opaque(tag) == Some(version.as_str()));
        let mut response = match known {
            Some(_) => StatusCode::NOT_MODIFIED.into_response(),
            None => write(),
        };
        tag(response.headers_mut(), version, revision);
        if let Some(Ok(seen)) = known.filter(|tag| *tag != "*").map(HeaderValue::from_str) {
            // That of the encoding that the client has.
            response.headers_mut().insert(header::ETAG, seen);
        }
        response
    }
}

fn of_kind(kind: &'static str, bytes: Bytes) -> Response {
    ([(header::CONTENT_TYPE, kind)], bytes).into_response()
}

/// Answers with something and its entity tag.
pub(super) fn shown<T: Versioned, B: Serialize>(seen: Seen<T>, body: impl Fn(T) -> B) -> Response {
    let version = seen.version();
    let mut response = axum::Json(body(seen.value)).into_response();
    tag(response.headers_mut(), &version, &seen.revision);
    response
}

/// Says which state of what is shown this is.
fn tag(headers: &mut HeaderMap, version: &Version, revision: &str) {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", version.as_str())) {
        headers.insert(header::ETAG, value);
    }
    if let Ok(value) = HeaderValue::from_str(revision) {
        headers.insert(SCHEMA_REVISION, value);
    }
}

/// Reads one entity tag of a body, as `If-Match` has it.
pub(super) fn precondition(text: &str) -> Option<Precondition> {
    match text {
        "*" => Some(Precondition::Exists),
        tag => Some(Precondition::AnyOf(vec![Version::quoted(opaque(tag)?)])),
    }
}

/// The operations that change something and heed no conditions, as method and route: those whose description does not say so.
#[derive(Clone)]
pub(super) struct Unheeding(Arc<HashSet<(Method, String)>>);

impl Unheeding {
    pub(super) fn new(operations: [Vec<(Method, String)>; 2]) -> Self {
        Self(Arc::new(operations.into_iter().flatten().collect()))
    }

    /// Refuses what is to be done on a condition by an operation that knows none: to ignore the condition would be to act
    /// although it may not hold (RFC 9110, 13.1.1).
    pub(super) fn check(&self, request: &Request) -> Result<(), Problem> {
        let headers = request.headers();
        let mut named = [header::IF_MATCH, header::IF_NONE_MATCH].into_iter();
        let Some(condition) = named.find(|name| headers.contains_key(name)) else {
            return Ok(());
        };
        let route = request.extensions().get::<MatchedPath>();
        let operation = route.map(|route| (request.method().clone(), route.as_str().to_owned()));
        match operation.is_some_and(|operation| self.0.contains(&operation)) {
            true => Err(Problem::new(Code::HeaderInvalid)
                .detail(format!("nothing is compared here: leave {condition} out"))),
            false => Ok(()),
        }
    }
}

/// Tells the tags of compressed answers from those of plain ones, and that the two differ by what the client takes.
pub(super) async fn mark_encoding(mut request: Request, next: Next) -> Response<Body> {
    if !takes_an_encoding(request.headers()) {
        // What cannot be satisfied is not asked for: the answer would be a refusal although everything is done.
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let mut response = next.run(request).await;
    let is_unmodified = response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    if is_unmodified {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    let encoding = headers
        .get(header::CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    if let (Some(encoding), Some(tag)) = (encoding, headers.get(header::ETAG)) {
        let marked = tag
            .to_str()
            .ok()
            .and_then(|tag| tag.strip_suffix('"'))
            .and_then(|tag| HeaderValue::from_str(&format!("{tag}-{encoding}\"")).ok());
        if let Some(marked) = marked {
            headers.insert(header::ETAG, marked);
        }
    }
    response
}

/// Returns the text between the quotes without the mark of an encoding; nothing when it is no strong tag.
fn opaque(tag: &str) -> Option<&str> {
    let (inner, "") = quoted(tag)? else {
        return None;
    };
    Some(
        ENCODINGS
            .iter()
            .find_map(|encoding| inner.strip_suffix(encoding)?.strip_suffix('-'))
            .unwrap_or(inner),
    )
}

/// Returns what stands between the quotes that a text begins with, and what follows them (RFC 9110, 8.8.3).
fn quoted(text: &str) -> Option<(&str, &str)> {
    let (inner, rest) = text.strip_prefix('"')?.split_once('"')?;
    let is_opaque = inner.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'~'));
    is_opaque.then_some((inner, rest))
}

/// Reads `*` or a list of entity tags; nothing when there is no such header.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Vec<String>>, Problem> {
    let malformed = || {
        Problem::new(Code::HeaderInvalid).detail(format!(
            "{name} is * or a list of entity tags in quotes, as in \"abc\", \"def\""
        ))
    };
    let mut values = Vec::new();
    for value in headers.get_all(name) {
        values.push(value.to_str().map_err(|_| malformed())?.trim());
    }
    match values.as_slice() {
        [] => return Ok(None),
        ["*"] => return Ok(Some(vec!["*".to_owned()])),
        _ => {}
    }
    let mut tags = Vec::new();
    for value in values {
        tags.extend(listed(value).ok_or_else(malformed)?);
    }
    // A condition that names no state could hold for none; somebody has forgotten to fill it in.
    match tags.is_empty() {
        true => Err(malformed()),
        false => Ok(Some(tags)),
    }
}

/// Reads a list of entity tags; empty elements count for nothing (RFC 9110, 5.6.1.2).
fn listed(list: &str) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(tags);
        }
        let (_, after) = quoted(rest.strip_prefix("W/").unwrap_or(rest))?;
        tags.push(rest[..rest.len() - after.len()].to_owned());
        rest = after.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}
