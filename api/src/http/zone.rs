//! Whose days are meant: those of the preference `timezone` of the header `Prefer` (RFC 7240), else those of the caller's settings.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::codes::Code;
use super::problem::Problem;
use crate::domain::Zone;
use crate::service::Principal;
use crate::state::App;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The zone that a client names for a request, if there is one of that name.
pub(super) struct InZone(Option<Zone>);

impl InZone {
    /// Returns the zone whose days are meant: that of the request, else that of whoever sends it.
    pub(super) async fn of(self, app: &App, user: &Principal) -> Result<Zone, Problem> {
        match self.0 {
            Some(zone) => Ok(zone),
            None => {
                let zone = app.services().zone(user).await;
                zone.map_err(|failure| Problem::of(failure, Code::UserNotFound))
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for InZone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let zone = preferred(&parts.headers);
        // A preference is no demand, unless a client says that it is (RFC 7240, 4.4).
        let is_unknown = zone.is_none() && preference(&parts.headers, "timezone").is_some();
        let handling = preference(&parts.headers, "handling");
        if is_unknown && handling.is_some_and(|how| how.eq_ignore_ascii_case("strict")) {
            return Err(Problem::new(Code::HeaderInvalid).detail(
                "Prefer: timezone names no time zone of the IANA database; without handling=strict the days are those of your \
                 settings then",
            ));
        }
        Ok(Self(zone))
    }
}

/// Returns the zone that a client prefers.
fn preferred(headers: &HeaderMap) -> Option<Zone> {
    Zone::named(preference(headers, "timezone")?)
}

/// Returns the value of a preference: of several of one name the first counts (RFC 7240, 2).
fn preference<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let values = headers.get_all(PREFER).iter();
    let mut preferences = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    preferences.find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let is_wanted = name.trim().eq_ignore_ascii_case(wanted);
        is_wanted.then(|| value.trim().trim_matches('"'))
    })
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
