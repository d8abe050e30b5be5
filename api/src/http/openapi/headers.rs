//! Headers that whole groups of operations share.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{OpenApi, RefOr, Response, Type, schema};

/// Adds to each operation the headers that its answers have.
pub(super) fn describe(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        operations(item).for_each(describe_operation);
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

fn describe_operation(operation: &mut Operation) {
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
