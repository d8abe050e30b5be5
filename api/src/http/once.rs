//! Requests that make something: read together with their key, and answered once per key.

use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use super::codes::Code;
use super::extract::body;
use super::fields::Fields;
use super::json::json;
use super::problem::Problem;
use crate::domain::{Keyed, Record, RepeatKey, Versioned, fingerprint};
use crate::service::{Posted, Seen, UnderKey};
use crate::state::App;

/// The header with the key.
pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const SCOPE: HeaderName = HeaderName::from_static("idempotency-scope");
const SCHEMA_REVISION: &str = "schema-revision";

/// A request with a JSON object that makes something.
pub(super) struct Post {
    pub(super) fields: Fields,
    pub(super) keyed: Option<Keyed>,
}

/// A request without a body that makes something.
pub(super) struct EmptyPost(pub(super) Option<Keyed>);

/// What a key is given for, before the body is read.
struct Call {
    key: RepeatKey,
    route: String,
    path: String,
}

impl FromRequest<App> for Post {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        let (parts, bytes) = body(request)?;
        let call = Call::of(&parts)?;
        let value = json(&parts, &bytes)?;
        let keyed = call.map(|call| call.with(Some(&value)));
        let fields = Fields::of(value)?;
        Ok(Self { fields, keyed })
    }
}

impl<S: Sync> FromRequestParts<S> for EmptyPost {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(Call::of(parts)?.map(|call| call.with(None))))
    }
}

impl Call {
    fn of(parts: &Parts) -> Result<Option<Self>, Problem> {
        let mut values = parts.headers.get_all(KEY).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let key = value
            .to_str()
            .ok()
            .filter(|_| values.next().is_none())
            .and_then(RepeatKey::parse);
        let key = key.ok_or_else(|| {
            Problem::new(Code::KeyInvalid).detail(
                "Idempotency-Key is one string of 1 to 255 printable ASCII characters, in double quotes unless it is made of letters, \
                 digits, `-`, `_`, `.`, `:`, `/`, `=` and `+`",
            )
        })?;
        let route = parts
            .extensions
            .get::<MatchedPath>()
            .map_or("-", MatchedPath::as_str);
        Ok(Some(Self {
            key,
            route: format!("{} {route}", parts.method),
            path: parts.uri.path().to_owned(),
        }))
    }

    fn with(self, body: Option<&Value>) -> Keyed {
        Keyed {
            fingerprint: fingerprint(&self.path, body),
            route: self.route,
            key: self.key,
        }
    }
}

/// An answer, and what is kept of it under a key.
pub(super) struct Reply {
    status: StatusCode,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// JSON.
    pub(super) body: String,
}

/// Says how a request is called, and what to answer when it comes again.
pub(super) fn under_key<'a, T>(
    keyed: Option<&'a Keyed>,
    reply: impl Fn(&Seen<T>) -> Reply + Send + Sync + 'a,
) -> Option<UnderKey<'a, T>> {
    keyed.map(|keyed| UnderKey {
        keyed,
        record: Box::new(move |seen| reply(seen).into()),
    })
}

/// Answers with what was made, or with what was said when it was.
pub(super) fn answer<T>(posted: Posted<T>, reply: impl Fn(&Seen<T>) -> Reply) -> Response {
    match posted {
        Posted::Done(seen) => reply(&seen).into_response(),
        Posted::Recorded(recorded) => {
            let mut response = Reply::from(recorded.record).into_response();
            let headers = response.headers_mut();
            if recorded.is_repeated {
                headers.insert(REPLAYED, HeaderValue::from_static("true"));
            }
            if recorded.is_of_process {
                headers.insert(SCOPE, HeaderValue::from_static("process"));
            }
            response
        }
    }
}

/// Writes the answer to what was made.
pub(super) fn created<T, B>(seen: &Seen<T>, body: impl Fn(T) -> B, location: String) -> Reply
where
    T: Versioned + Clone,
    B: Serialize,
{
    let tag = format!("\"{}\"", seen.version().as_str());
    Reply {
        status: StatusCode::CREATED,
        headers: vec![
            (header::LOCATION.as_str().to_owned(), location),
            (SCHEMA_REVISION.to_owned(), seen.revision.clone()),
            (header::ETAG.as_str().to_owned(), tag),
        ],
        body: serde_json::to_string(&body(seen.value.clone())).unwrap_or_default(),
    }
}

/// Writes the answer to what was done.
pub(super) fn stated(body: &impl Serialize, revision: &str) -> Reply {
    Reply {
        status: StatusCode::OK,
        headers: vec![(SCHEMA_REVISION.to_owned(), revision.to_owned())],
        body: serde_json::to_string(body).unwrap_or_default(),
    }
}

impl From<Reply> for Record {
    fn from(reply: Reply) -> Self {
        Self {
            kind: reply.status.as_u16(),
            head: serde_json::to_string(&reply.headers).unwrap_or_default(),
            body: reply.body,
        }
    }
}

impl From<Record> for Reply {
    fn from(record: Record) -> Self {
        Self {
            status: StatusCode::from_u16(record.kind).unwrap_or_default(),
            headers: serde_json::from_str(&record.head).unwrap_or_default(),
            body: record.body,
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        response
    }
}
