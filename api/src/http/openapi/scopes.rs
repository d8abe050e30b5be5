//! Which scope an API token needs.

use axum::http::Method;
use utoipa::openapi::OpenApi;

use super::walk::{operations, served_at};
use crate::http::access::Access;

/// Says it of each operation with a token; `none` is for those that no API token may call.
pub(super) fn name(document: &mut OpenApi) {
    for (path, method, operation) in operations(document) {
        let method = Method::from_bytes(method.to_uppercase().as_bytes());
        let Some(method) = method.ok().filter(|_| operation.security.is_none()) else {
            continue;
        };
        let access = Access::of(&method, &served_at(path));
        operation
            .extensions
            .get_or_insert_default()
            .insert("x-required-scope".to_owned(), access.word().into());
    }
}
