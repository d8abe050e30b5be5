//! Whose days are meant: the preference `timezone` of the header `Prefer` (RFC 7240).

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::domain::Zone;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The zone that a client names; UTC when it names none that there is, as a preference is no demand.
pub(super) struct InZone(pub(super) Zone);

impl<S: Sync> FromRequestParts<S> for InZone {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(preferred(&parts.headers).unwrap_or_default()))
    }
}

/// Returns the zone that a client prefers: of several preferences of one name the first counts (RFC 7240, 2).
fn preferred(headers: &HeaderMap) -> Option<Zone> {
    let values = headers.get_all(PREFER).iter();
    let mut preferences = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let name = preferences.find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let is_zone = name.trim().eq_ignore_ascii_case("timezone");
        is_zone.then(|| value.trim().trim_matches('"'))
    })?;
    Zone::named(name)
}

/// The operations whose answers depend on the zone, as method and route: those whose description says so.
#[derive(Clone)]
pub(super) struct Zoned(Arc<HashSet<(Method, String)>>);

/// What is to be said of the zone with an answer.
pub(super) struct Applied {
    zone: Option<Zone>,
    is_reading: bool,
}

impl Zoned {
    pub(super) fn new(operations: [Vec<(Method, String)>; 2]) -> Self {
        Self(Arc::new(operations.into_iter().flatten().collect()))
    }

    /// Returns what is to be said with the answer to a request, if that depends on the zone.
    pub(super) fn of(&self, request: &Request) -> Option<Applied> {
        let route = request.extensions().get::<MatchedPath>()?;
        // HEAD answers like GET.
        let method = match *request.method() {
            Method::HEAD => Method::GET,
            ref other => other.clone(),
        };
        let is_reading = method == Method::GET;
        let operation = (method, route.as_str().to_owned());
        self.0.contains(&operation).then(|| Applied {
            zone: preferred(request.headers()),
            is_reading,
        })
    }
}

impl Applied {
    /// Says which zone was meant, and that another one would have been answered otherwise.
    pub(super) fn show(self, status: StatusCode, headers: &mut HeaderMap) {
        if self.is_reading {
            headers.append(header::VARY, HeaderValue::from_static("prefer"));
        }
        let is_applied = status.is_success() || status == StatusCode::NOT_MODIFIED;
        let zone = self.zone.filter(|_| is_applied);
        let value = zone.map(|zone| HeaderValue::try_from(format!("timezone={}", zone.name())));
        if let Some(Ok(value)) = value {
            headers.insert(APPLIED, value);
        }
    }
}
