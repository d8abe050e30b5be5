//! Every operation of the document, whatever its method.

use std::borrow::Cow;

use utoipa::openapi::path::Operation;
use utoipa::openapi::response::Response;
use utoipa::openapi::{OpenApi, RefOr};

use crate::http::throttle::is_page;

/// Returns every operation with its path and method.
pub(super) fn operations(
    document: &mut OpenApi,
) -> impl Iterator<Item = (&str, &'static str, &mut Operation)> {
    document.paths.paths.iter_mut().flat_map(|(path, item)| {
        [
            ("get", &mut item.get),
            ("head", &mut item.head),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ]
        .into_iter()
        .filter_map(|(method, operation)| Some((path.as_str(), method, operation.as_mut()?)))
    })
}

/// Returns the responses of an operation that are written out, with their status.
pub(super) fn responses(operation: &mut Operation) -> impl Iterator<Item = (&str, &mut Response)> {
    let responses = operation.responses.responses.iter_mut();
    responses.filter_map(|(status, response)| match response {
        RefOr::T(response) => Some((status.as_str(), response)),
        RefOr::Ref(_) => None,
    })
}

/// Returns the path that an operation is served at: those of the original's document begin where its servers end.
pub(super) fn served_at(path: &str) -> Cow<'_, str> {
    match path.starts_with("/{user_id}") {
        true => format!("/api/v1{path}").into(),
        false => path.into(),
    }
}

/// Whether requests for a path count under some limit.
pub(super) fn is_counted(path: &str) -> bool {
    let served = served_at(path);
    served.starts_with("/api/") || is_page(&served)
}
