//! What a client wants to read: the header `Accept` (RFC 9110, 12.5.1).

use axum::http::{HeaderMap, HeaderValue, header};

/// Whether a client takes JSON, which it does unless it says otherwise.
pub(super) fn accepts_json(headers: &HeaderMap) -> bool {
    // A header that names nothing says nothing.
    let says_nothing = |value: &HeaderValue| value.as_bytes().iter().all(|byte| b", \t".contains(byte));
    headers.get_all(header::ACCEPT).iter().all(says_nothing)
        || ["application/json", "application/problem+json"]
            .into_iter()
            .any(|kind| weight(headers, kind) > 0.0)
}

/// Whether a client would rather read the first kind than the second.
pub(super) fn prefers(headers: &HeaderMap, kind: &str, other: &str) -> bool {
    weight(headers, kind) > weight(headers, other)
}

/// Returns what a client gives for a kind: what is said of the kind itself counts for more than what is said of ranges.
fn weight(headers: &HeaderMap, kind: &str) -> f32 {
    let (family, _) = kind.split_once('/').unwrap_or((kind, ""));
    let values = headers.get_all(header::ACCEPT).iter();
    let ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let mut best = (0, 0.0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let precision = match name.as_str() {
            "*/*" => 1,
            name if name.strip_suffix("/*") == Some(family) => 2,
            name if name == kind => 3,
            _ => continue,
        };
        let weight = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("q")
                .then(|| value.trim().parse().unwrap_or(0.0))
        });
        let weight = weight.unwrap_or(1.0);
        if precision > best.0 || (precision == best.0 && weight > best.1) {
            best = (precision, weight);
        }
    }
    best.1
}
