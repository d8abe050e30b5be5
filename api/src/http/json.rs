//! Reads a body as JSON (RFC 8259), more strictly than the grammar: what two readers could understand differently is refused.

use std::fmt;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::codes::Code;
use super::problem::Problem;

/// Deepest nesting of a body.
const DEEPEST: usize = 32;

/// Reads JSON that is not nested too deep and names no member twice.
pub(super) fn json(parts: &Parts, bytes: &[u8]) -> Result<Value, Problem> {
    check_type(parts)?;
    let malformed = |detail: String| Problem::new(Code::MalformedJson).detail(detail);
    let Unambiguous(value) = serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
    match depth(&value) > DEEPEST {
        true => Err(malformed(format!(
            "the body is nested more than {DEEPEST} levels deep"
        ))),
        false => Ok(value),
    }
}

fn check_type(parts: &Parts) -> Result<(), Problem> {
    let kind = only(&parts.headers, header::CONTENT_TYPE)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mut parameters = kind.split(';').map(str::trim);
    let essence = parameters.next().unwrap_or_default();
    let is_json = essence == "application/json"
        || (essence == "application/merge-patch+json" && parts.method == Method::PATCH);
    // JSON is UTF-8; whoever says otherwise has written something else.
    let is_utf8 = parameters
        .filter_map(|parameter| parameter.strip_prefix("charset="))
        .all(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"));
    // A few bytes may unpack to gigabytes.
    let is_plain = !parts.headers.contains_key(header::CONTENT_ENCODING)
        || only(&parts.headers, header::CONTENT_ENCODING)
            .is_some_and(|encoding| encoding.eq_ignore_ascii_case("identity"));
    match is_json && is_utf8 && is_plain {
        true => Ok(()),
        false => Err(Problem::new(Code::UnsupportedMediaType)),
    }
}

/// Returns the text of a header that is there once.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    value.to_str().ok().filter(|_| values.next().is_none())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

/// JSON in which no object names a member twice: readers disagree on which of the two counts (RFC 8259, 4).
struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Unambiguous(value))) = members.next_entry::<String, _>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("the member {name:?} is there twice")));
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}
