//! Answers that are the same everywhere are written down once.

use utoipa::openapi::schema::{ArrayItems, Schema};
use utoipa::openapi::{OpenApi, Ref, RefOr};

use super::walk::operations;

/// Moves what is no success into the components: it depends on the status alone, on how a body says
/// it, and on whether requests are counted.
pub(super) fn move_out(document: &mut OpenApi) {
    let mut components = document.components.take().unwrap_or_default();
    for (path, method, operation) in operations(document) {
        let is_original = path.starts_with("/{user_id}");
        for (status, response) in &mut operation.responses.responses {
            let RefOr::T(answer) = response else { continue };
            let kind = match method {
                "head" => "Head",
                _ if answer.content.contains_key("application/problem+json") => "Problem",
                _ if is_original => "Error",
                _ => continue,
            };
            let limits = if answer.headers.contains_key("RateLimit") {
                ""
            } else {
                "Unlimited"
            };
            let name = format!("{kind}{status}{limits}");
            if !status.starts_with(['4', '5']) {
                continue;
            }
            let shared = components
                .responses
                .entry(name.clone())
                .or_insert_with(|| RefOr::T(answer.clone()));
            if *shared == RefOr::T(answer.clone()) {
                *response = RefOr::Ref(Ref::from_response_name(name));
            }
        }
    }
    document.components = Some(components);
}

/// Names the entries of lists, which the macros write out.
pub(super) fn name_entries(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let known = components.schemas.clone();
    for schema in components.schemas.values_mut() {
        let RefOr::T(Schema::Object(list)) = schema else {
            continue;
        };
        for property in list.properties.values_mut() {
            if let RefOr::T(Schema::Array(array)) = property
                && let ArrayItems::RefOrSchema(items) = &mut array.items
                && let Some((name, _)) = known.iter().find(|(_, entry)| **entry == **items)
                && matches!(**items, RefOr::T(_))
            {
                **items = RefOr::Ref(Ref::from_schema_name(name));
            }
        }
    }
}
