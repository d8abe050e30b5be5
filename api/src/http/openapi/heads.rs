//! HEAD beside every GET: the same headers and no body.

use utoipa::openapi::OpenApi;
use utoipa::openapi::path::Operation;

use super::walk::responses;

/// Adds the operations.
pub(super) fn add(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        item.head = item.get.clone().map(head);
    }
}

fn head(mut operation: Operation) -> Operation {
    operation.operation_id = operation.operation_id.map(|name| format!("{name}Head"));
    operation.summary = operation
        .summary
        .map(|summary| format!("{summary}: headers only"));
    operation.description =
        Some("As GET, without a body: for the ETag, or to see that it is there.".to_owned());
    for (_, response) in responses(&mut operation) {
        response.content.clear();
        response.links.clear();
    }
    operation
}
