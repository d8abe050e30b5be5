//! The second document: the original's routes.

use serde_json::json;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Content, ContentBuilder, OpenApi, Ref, RefOr, Server};
use utoipa::{IntoParams, ToSchema};

use super::walk::{operations, responses};
use super::words::{DayOrMoment, OrderWord, PriorityWord, SortWord, StatusWord};
use super::{complete, introduce};
use crate::http::body::TagNameBody;
use crate::http::compat::ErrorBody;

/// The subject of a token, or `me`: without slashes, and nothing that clients take out of a path.
#[derive(ToSchema)]
#[schema(
    min_length = 1,
    max_length = 255,
    pattern = r"^(\.*[^\s./\x00-\x1f\x7f-\x9f]([^/\x00-\x1f\x7f-\x9f]*[^\s/\x00-\x1f\x7f-\x9f])?|\.{3,})$"
)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct OwnerWord(String);

/// Whose things.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct OwnerId {
    /// The subject of the token, or `me`.
    #[param(inline, example = "me")]
    user_id: OwnerWord,
}

/// Which task of whom.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(in crate::http) struct OwnersTask {
    /// The subject of the token, or `me`.
    #[param(inline, example = "me")]
    user_id: OwnerWord,
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
    #[param(inline, example = "me")]
    user_id: OwnerWord,
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
    #[param(
        max_length = 200,
        pattern = r"^([^\x00-\x1f\x7f]*[^\s\x85\x00-\x1f\x7f][^\x00-\x1f\x7f]*)?$"
    )]
    search: Option<String>,
    /// `all` (the default), `pending` or `completed`.
    #[param(inline)]
    status: Option<StatusWord>,
    /// One or several with commas.
    #[param(inline, style = Form, explode = false)]
    priority: Option<Vec<PriorityWord>>,
    /// Names with commas; a task needs all of them.
    #[param(inline, style = Form, explode = false, max_items = 20)]
    tags: Option<Vec<TagNameBody>>,
    /// Due at this moment or later; a date is the beginning of its day.
    #[param(inline)]
    due_after: Option<DayOrMoment>,
    /// Due before this moment; a date is the end of its day.
    #[param(inline)]
    due_before: Option<DayOrMoment>,
    /// `due_date`, `priority`, `created_at`, `updated_at`, `title`, `completed` or `id`.
    #[param(inline)]
    sort: Option<SortWord>,
    /// `asc` (the default) or `desc`.
    #[param(inline)]
    order: Option<OrderWord>,
    /// How many tasks.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// How many tasks to leave out at the beginning.
    #[param(minimum = 0, maximum = 100_000, default = 0)]
    offset: Option<u32>,
}

/// Adds what the macros cannot say.
pub(in crate::http) fn compat(mut document: OpenApi) -> OpenApi {
    introduce(&mut document);
    document.info.title = "Todo API, the original's routes".to_owned();
    document.info.description = Some(
        "The routes of the original service over the same use cases: the owner's id in the path, `limit` and `offset`, moments \
         in whole seconds, and errors in its envelope with the members of RFC 9457 beside it. New clients take /openapi.json."
            .to_owned(),
    );
    document.servers = Some(vec![Server::new("/api/v1"), Server::new("/api")]);
    let components = document.components.get_or_insert_default();
    components
        .schemas
        .insert("Error".to_owned(), <ErrorBody as utoipa::PartialSchema>::schema());
    let mut parts = Vec::new();
    <ErrorBody as ToSchema>::schemas(&mut parts);
    components.schemas.extend(parts);
    if let Some(RefOr::T(Schema::Object(patch))) = components.schemas.get_mut("TaskPatch") {
        // The original refused a change of nothing.
        patch.min_properties = Some(1);
    }
    speak_like_the_original(&mut document);
    complete(&mut document);
    document
}

/// Below its servers problems come in the original's envelope.
fn speak_like_the_original(document: &mut OpenApi) {
    for (_, _, operation) in operations(document).filter(|(path, ..)| path.starts_with("/{user_id}")) {
        for (_, response) in responses(operation) {
            if let Some(problem) = response.content.shift_remove("application/problem+json") {
                response
                    .content
                    .insert("application/json".to_owned(), enveloped(problem));
            }
        }
    }
}

/// Returns the same problem as the original writes it.
fn enveloped(problem: RefOr<Content>) -> RefOr<Content> {
    let example = match problem {
        RefOr::T(content) => content.example,
        RefOr::Ref(_) => None,
    };
    let example = example.map(|mut example| {
        let words = json!({
            "code": example["code"], "message": example["detail"],
            "details": {"request_id": example["request_id"]}, "timestamp": "2026-03-01T12:00:00Z",
        });
        example["error"] = words;
        example
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Error")))
        .example(example)
        .build();
    RefOr::T(content)
}
