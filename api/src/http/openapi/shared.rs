//! Answers that are the same everywhere are written down once.

use utoipa::openapi::{OpenApi, Ref, RefOr};

use super::walk::operations;

/// Moves what is no success into the components: it depends on the status alone, and on whether a body goes with it.
pub(super) fn move_out(document: &mut OpenApi) {
    let mut components = document.components.take().unwrap_or_default();
    for (_, method, operation) in operations(document) {
        for (status, response) in &mut operation.responses.responses {
            let name = match method {
                "head" => format!("Head{status}"),
                _ => format!("Problem{status}"),
            };
            let RefOr::T(answer) = response else { continue };
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
