//! The second document: the original's routes.

use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Server};
use utoipa::{IntoParams, PartialSchema};

use super::complete;
use crate::http::compat::ErrorBody;

/// Whose things.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct OwnerId {
    /// The subject of the token, or `me`.
    #[param(min_length = 1, max_length = 255, example = "me")]
    user_id: String,
}

/// Which task of whom.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct OwnersTask {
    /// The subject of the token, or `me`.
    #[param(min_length = 1, max_length = 255, example = "me")]
    user_id: String,
    /// The number of the task.
    #[param(minimum = 1, example = 1)]
    id: i32,
}

/// Which conversation of whom.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct OwnersConversation {
    /// The subject of the token, or `me`.
    #[param(min_length = 1, max_length = 255, example = "me")]
    user_id: String,
    /// The number of the conversation.
    #[param(minimum = 1, example = 1)]
    id: i32,
}

/// Which tasks, in which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct CompatListQuery {
    /// Words that must all be in the title or the description.
    #[param(max_length = 200, example = "hull")]
    search: Option<String>,
    /// `all` (the default), `pending` or `completed`.
    #[param(pattern = "^(all|pending|completed)$", example = "pending")]
    status: Option<String>,
    /// One or several with commas.
    #[param(pattern = "^(low|medium|high)(,(low|medium|high))*$", example = "high,medium")]
    priority: Option<String>,
    /// Names with commas; a task needs all of them.
    #[param(example = "boat,urgent")]
    tags: Option<String>,
    /// Due at this moment or later; a date is the beginning of its day.
    #[param(example = "2026-12-01")]
    due_after: Option<String>,
    /// Due before this moment; a date is the end of its day.
    #[param(example = "2026-12-31")]
    due_before: Option<String>,
    /// `due_date`, `priority`, `created_at`, `updated_at`, `title`, `completed` or `id`.
    #[param(example = "due_date")]
    sort: Option<String>,
    /// `asc` (the default) or `desc`.
    #[param(pattern = "^(asc|desc)$", example = "asc")]
    order: Option<String>,
    /// How many tasks.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// How many tasks to leave out at the beginning.
    #[param(minimum = 0, maximum = 100_000, default = 0)]
    offset: Option<u32>,
}

/// Adds what the macros cannot say; `health` has no prefix.
pub(in crate::http) fn compat(mut document: OpenApi, health: OpenApi) -> OpenApi {
    let root = Server::new("/");
    for (path, mut item) in health.paths.paths {
        item.servers = Some(vec![root.clone()]);
        document.paths.paths.insert(path, item);
    }
    for (name, schema) in health.components.map(|it| it.schemas).unwrap_or_default() {
        let components = document.components.get_or_insert_default();
        components.schemas.insert(name, schema);
    }
    complete(&mut document);
    document.info.title = "Todo API, the original's routes".to_owned();
    document.info.description = Some(
        "The routes of the original service over the same use cases: the owner's id in the path, `limit` and `offset`, moments \
         in whole seconds, and errors in its envelope with the members of RFC 9457 beside it. New clients take /openapi.json."
            .to_owned(),
    );
    document.servers = Some(vec![Server::new("/api/v1"), Server::new("/api")]);
    let components = document.components.get_or_insert_default();
    components.schemas.insert("Error".to_owned(), ErrorBody::schema());
    for item in document
        .paths
        .paths
        .values_mut()
        .filter(|item| item.servers.is_none())
    {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.patch,
        ];
        for operation in operations.into_iter().flatten() {
            for response in operation.responses.responses.values_mut() {
                let RefOr::T(response) = response else { continue };
                if response
                    .content
                    .shift_remove("application/problem+json")
                    .is_some()
                {
                    let content = Content::new(Some(Ref::from_schema_name("Error")));
                    response
                        .content
                        .insert("application/json".to_owned(), RefOr::T(content));
                }
            }
        }
    }
    document
}
