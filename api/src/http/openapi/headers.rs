//! Headers that whole groups of operations share.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{OpenApi, RefOr, Response, Type, schema};

use super::problems;

/// Adds to each operation the headers that its answers have.
pub(super) fn describe(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let is_limited = path.starts_with("/api/") || path.starts_with("/{user_id}");
        for operation in operations(item) {
            if is_limited {
                describe_limits(operation);
            }
            describe_key(operation);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ]
    .into_iter()
    .flatten()
}

/// Every answer tells how the caller stands.
fn describe_limits(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    responses.extend(problems(&[429]));
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        add(
            response,
            "RateLimit",
            "How many more requests are taken (`r`), and in how many seconds the limit is whole again (`t`)",
        );
        add(
            response,
            "RateLimit-Policy",
            "Which limit counts, and how many requests (`q`) it takes in how many seconds (`w`)",
        );
        if status == "429" {
            add(response, "Retry-After", "Seconds until a request is taken again");
        }
    }
}

fn describe_key(operation: &mut Operation) {
    let is_keyed = operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "Idempotency-Key"));
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if is_keyed && status.starts_with('2') {
            add(
                response,
                "Idempotency-Replayed",
                "`true` when the request was carried out before and this is the answer from then",
            );
            add(
                response,
                "Idempotency-Scope",
                "`process` when the schema cannot keep answers yet, so that only the server that gave this one knows the key",
            );
        }
    }
}

fn add(response: &mut Response, name: &str, description: &str) {
    let header = HeaderBuilder::new()
        .schema(Some(schema::Object::with_type(Type::String)))
        .description(Some(description))
        .build();
    response.headers.insert(name.to_owned(), RefOr::T(header));
}
