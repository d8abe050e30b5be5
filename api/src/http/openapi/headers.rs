//! The headers of answers: described once, named wherever they come.

use serde_json::{Value, json};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::response::Response;
use utoipa::openapi::{ObjectBuilder, OpenApi, Ref, RefOr, Type};

use super::requests::{heeds_if_match, takes};
use super::walk::{is_counted, operations, responses};

/// Name, meaning and an example.
const HEADERS: [(&str, &str, &str); 13] = [
    (
        "X-Request-ID",
        "The request's id: the one that was sent, or a new one",
        "4f1c0d27b64a3c1f0d27b64a3c1f0d27",
    ),
    (
        "traceparent",
        "The request's place in its trace (W3C Trace Context)",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    (
        "Schema-Revision",
        "The revision of the schema that was answered from",
        "e05c7b1d48a2",
    ),
    (
        "ETag",
        "The state that is shown; If-None-Match and If-Match take it",
        "\"9f86d081884c7d659a2feaa0c55ad015\"",
    ),
    ("Location", "The path of what was made", "/api/v1/tasks/1"),
    (
        "Link",
        "The next page (rel=\"next\"), when there is one",
        "</api/v1/tasks?cursor=abc>; rel=\"next\"",
    ),
    ("Retry-After", "Seconds to wait before trying again", "5"),
    ("WWW-Authenticate", "What kind of token is needed", "Bearer"),
    (
        "RateLimit",
        "How many more requests are taken (`r`), and in how many seconds the limit is whole again (`t`)",
        "\"write\";r=42;t=5",
    ),
    (
        "RateLimit-Policy",
        "Which limit counts, and how many requests (`q`) it takes in how many seconds (`w`)",
        "\"write\";q=100;w=60",
    ),
    (
        "Idempotency-Replayed",
        "`true` when the request was carried out before and this is the answer from then",
        "true",
    ),
    (
        "Preference-Applied",
        "The zone whose days were meant, when `Prefer` named one that there is",
        "timezone=Pacific/Auckland",
    ),
    (
        "Idempotency-Scope",
        "`process` when the schema cannot keep answers yet, so that only the server that gave this one knows the key",
        "process",
    ),
];

/// Names in every answer the headers that come with it.
pub(super) fn name(document: &mut OpenApi) {
    for (path, method, operation) in operations(document) {
        let is_limited = is_counted(path);
        let is_cached = operation.responses.responses.contains_key("304");
        let is_conditional = heeds_if_match(method, operation);
        let is_list = takes(operation, "cursor");
        let is_keyed = takes(operation, "Idempotency-Key");
        let is_zoned = takes(operation, "Prefer");
        for (status, response) in responses(operation) {
            for name in ["X-Request-ID", "traceparent", "Schema-Revision"] {
                add(response, name);
            }
            if is_limited {
                add(response, "RateLimit");
                add(response, "RateLimit-Policy");
            }
            if is_zoned && (status.starts_with('2') || status == "304") {
                add(response, "Preference-Applied");
            }
            if is_keyed && status.starts_with('2') {
                add(response, "Idempotency-Replayed");
                add(response, "Idempotency-Scope");
            }
            match status {
                "200" if is_cached || is_conditional => add(response, "ETag"),
                "201" if is_keyed => add(response, "ETag"),
                "304" => add(response, "ETag"),
                "401" => add(response, "WWW-Authenticate"),
                "429" | "503" => add(response, "Retry-After"),
                _ => {}
            }
            if status == "201" && method == "post" {
                add(response, "Location");
            }
            if status == "200" && is_list {
                add(response, "Link");
            }
        }
    }
    let components = document.components.get_or_insert_default();
    for (name, description, example) in HEADERS {
        components
            .headers
            .insert(name.to_owned(), RefOr::T(header(name, description, example)));
    }
}

fn add(response: &mut Response, name: &str) {
    let reference = RefOr::Ref(Ref::new(format!("#/components/headers/{name}")));
    response.headers.insert(name.to_owned(), reference);
}

fn header(name: &str, description: &str, example: &str) -> Header {
    let is_number = name == "Retry-After";
    let kind = if is_number { Type::Integer } else { Type::String };
    let example: Value = if is_number { json!(5) } else { json!(example) };
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(kind)))
        .description(Some(description))
        .example(Some(example))
        .build()
}
