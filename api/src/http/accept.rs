//! What a client wants to read: the headers `Accept` and `Accept-Encoding` (RFC 9110, 12.5.1 and 12.5.3).

use std::cmp::Ordering;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Whether a client takes JSON, which it does unless it says otherwise.
pub(super) fn accepts_json(headers: &HeaderMap) -> bool {
    // A header that names nothing says nothing.
    let says_nothing = |value: &HeaderValue| value.as_bytes().iter().all(|byte| b", \t".contains(byte));
    headers.get_all(header::ACCEPT).iter().all(says_nothing)
        || ["application/json", "application/problem+json"]
            .into_iter()
            .any(|kind| weight(headers, kind) > 0.0)
}

/// Whether a client names a kind as one that it takes; that it takes any kind says nothing.
pub(super) fn names(headers: &HeaderMap, kind: &str) -> bool {
    let precision = |name: &str| u8::from(name == kind);
    stated(headers, &header::ACCEPT, precision).is_some_and(|weight| weight > 0.0)
}

/// Whether a client would rather read the first kind than the second.
pub(super) fn prefers(headers: &HeaderMap, kind: &str, other: &str) -> bool {
    weight(headers, kind) > weight(headers, other)
}

/// Whether a client takes any encoding that there is here, which is plain unless it refuses just that.
pub(super) fn takes_an_encoding(headers: &HeaderMap) -> bool {
    [("identity", 1.0), ("gzip", 0.0), ("x-gzip", 0.0), ("br", 0.0)]
        .into_iter()
        .any(|(encoding, unsaid)| {
            let precision = |name: &str| match name {
                "*" => 1,
                name if name == encoding => 2,
                _ => 0,
            };
            stated(headers, &header::ACCEPT_ENCODING, precision).unwrap_or(unsaid) > 0.0
        })
}

fn weight(headers: &HeaderMap, kind: &str) -> f32 {
    let (family, _) = kind.split_once('/').unwrap_or((kind, ""));
    let precision = |name: &str| match name {
        "*/*" => 1,
        name if name.strip_suffix("/*") == Some(family) => 2,
        name if name == kind => 3,
        _ => 0,
    };
    stated(headers, &header::ACCEPT, precision).unwrap_or_default()
}

/// Returns the weight that a header gives to something, if it says anything of it. What it says most precisely counts; a
/// precision of 0 is something else.
fn stated(headers: &HeaderMap, name: &HeaderName, precision: impl Fn(&str) -> u8) -> Option<f32> {
    let values = headers.get_all(name).iter();
    let ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    ranges
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let precision = precision(&parts.next()?.to_ascii_lowercase());
            let weight = parts.find_map(|part| {
                let (name, value) = part.split_once('=')?;
                let is_weight = name.trim().eq_ignore_ascii_case("q");
                is_weight.then(|| value.trim().parse().unwrap_or(0.0))
            });
            (precision > 0).then_some((precision, weight.unwrap_or(1.0)))
        })
        .max_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal))
        .map(|(_, weight)| weight)
}
