//! Answers that are the same everywhere are written down once.

use utoipa::openapi::{OpenApi, Ref, RefOr};

use super::walk::operations;

/// Moves what is no success into the components: it depends on the status alone, on how a body says
/// it, and on whether requests are counted.
pub(super) fn move_out(document: &mut OpenApi) {
    let mut components = document.components.take().unwrap_or_default();
    for (_, method, operation) in operations(document) {
        for (status, response) in &mut operation.responses.responses {
            let RefOr::T(answer) = response else { continue };
            let kind = match method {
                "head" => "Head",
                _ if answer.content.contains_key("application/problem+json") => "Problem",
                _ => "Error",
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
