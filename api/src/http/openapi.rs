//! The document: what operations share, and what the macros cannot say.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::routing::MethodRouter;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContactBuilder, Content, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, Response as Described,
    ResponseBuilder, ServerBuilder, Type, schema,
};
use utoipa::{IntoParams, IntoResponses, PartialSchema, ToSchema};

use super::codes::Code;
use super::conditional::IfNoneMatch;
use super::problem::{FieldProblem, ProblemBody};
use crate::domain::Version;
use crate::state::App;

/// What every operation with a token may answer.
pub(super) struct Everywhere;
/// What reading may answer instead of a body.
pub(super) struct Cached;
/// What sending a body may lead to.
pub(super) struct WithBody;
/// What query and path parameters may lead to.
pub(super) struct WithQuery;
/// What asking for one thing may lead to.
pub(super) struct OnOne;
/// What `If-Match` may lead to.
pub(super) struct Preconditioned;
/// What taking a name may lead to.
pub(super) struct Conflicting;

type Responses = BTreeMap<String, RefOr<Described>>;

/// Describes a status by all codes that come with it.
fn problems(statuses: &[u16]) -> Responses {
    statuses
        .iter()
        .map(|status| {
            let codes: Vec<&str> = Code::ALL
                .iter()
                .filter(|code| code.status().as_u16() == *status)
                .map(|code| code.code())
                .collect();
            let response = ResponseBuilder::new()
                .description(format!("A problem: {}", codes.join(", ")))
                .content(
                    "application/problem+json",
                    Content::new(Some(Ref::from_schema_name("Problem"))),
                )
                .build();
            (status.to_string(), RefOr::T(response))
        })
        .collect()
}

impl IntoResponses for Everywhere {
    fn responses() -> Responses {
        problems(&[401, 406, 409, 414, 500, 503, 504])
    }
}

impl IntoResponses for Cached {
    fn responses() -> Responses {
        let tag = HeaderBuilder::new()
            .schema(Some(schema::Object::with_type(Type::String)))
            .description(Some("The state that the client has"))
            .build();
        let response = ResponseBuilder::new()
            .description("The client has it already (If-None-Match)")
            .header("ETag", tag)
            .build();
        let mut responses = problems(&[400]);
        responses.insert("304".to_owned(), RefOr::T(response));
        responses
    }
}

impl IntoResponses for WithBody {
    fn responses() -> Responses {
        problems(&[400, 413, 415, 422])
    }
}

impl IntoResponses for WithQuery {
    fn responses() -> Responses {
        problems(&[400, 422])
    }
}

impl IntoResponses for OnOne {
    fn responses() -> Responses {
        problems(&[404])
    }
}

impl IntoResponses for Preconditioned {
    fn responses() -> Responses {
        problems(&[400, 412])
    }
}

impl IntoResponses for Conflicting {
    fn responses() -> Responses {
        problems(&[409])
    }
}

/// Which part of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct PageQuery {
    /// How many entries.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which tasks, in which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct ListQuery {
    /// `all` (the default), `pending` or `completed`.
    #[param(pattern = "^(all|pending|completed)$", example = "pending")]
    status: Option<String>,
    /// One or several with commas.
    #[param(pattern = "^(low|medium|high)(,(low|medium|high))*$", example = "high,medium")]
    priority: Option<String>,
    /// Names with commas; upper and lower case are the same.
    #[param(example = "boat,urgent")]
    tags: Option<String>,
    /// Whether a task needs `all` (the default) of the tags or `any`.
    #[param(pattern = "^(all|any)$")]
    tags_match: Option<String>,
    /// Due at this moment or later; a date is the beginning of its day.
    #[param(example = "2026-12-01")]
    due_after: Option<String>,
    /// Due before this moment; a date is the end of its day.
    #[param(example = "2026-12-31")]
    due_before: Option<String>,
    /// Not done and past its date, or the opposite.
    overdue: Option<bool>,
    /// Whether it has a date.
    has_due: Option<bool>,
    /// Whether it recurs.
    recurring: Option<bool>,
    /// Changed at this moment or later.
    #[param(example = "2026-12-01T00:00:00Z")]
    updated_since: Option<String>,
    /// Words that must all be in the title or the description.
    #[param(min_length = 1, max_length = 200, example = "hull")]
    q: Option<String>,
    /// At most three of `due_date`, `priority`, `created_at`, `updated_at`, `title`, `completed` and `id`; `-` turns one round.
    #[param(example = "-priority,due_date")]
    sort: Option<String>,
    /// Only these members of each task.
    #[param(example = "id,title")]
    fields: Option<String>,
    /// `total` counts all matching tasks.
    #[param(pattern = "^total$")]
    include: Option<String>,
    /// How many tasks.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which task.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct TaskId {
    /// The number of the task.
    #[param(minimum = 1, example = 1)]
    id: i32,
}

/// Which tag.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct TagId {
    /// The number of the tag.
    #[param(minimum = 1, example = 1)]
    id: i32,
}

/// Which tag of which task.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct TaskTag {
    /// The number of the task.
    #[param(minimum = 1, example = 1)]
    id: i32,
    /// The name of the tag.
    #[param(min_length = 1, max_length = 50, example = "boat")]
    name: String,
}

/// Which conversation.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct ConversationId {
    /// The number of the conversation.
    #[param(minimum = 1, example = 1)]
    id: i32,
}

/// Which message of which conversation.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct ConversationMessage {
    /// The number of the conversation.
    #[param(minimum = 1, example = 1)]
    id: i32,
    /// The number of the message.
    #[param(minimum = 1, example = 1)]
    message_id: i32,
}

/// Adds what the macros cannot say.
pub(super) fn finished(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("Todo API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Tasks, tags and conversations, answered correctly on every revision of the schema: what a revision has not \
             brought yet shows its default, and using it answers 503 SCHEMA_FEATURE_UNAVAILABLE.",
        ))
        .license(Some(
            LicenseBuilder::new()
                .name("MIT OR Apache-2.0")
                .identifier(Some("MIT OR Apache-2.0"))
                .build(),
        ))
        .contact(Some(ContactBuilder::new().name(Some("Evolution of Todo")).build()))
        .build();
    document.servers = Some(vec![
        ServerBuilder::new()
            .url("/")
            .description(Some("This server"))
            .build(),
    ]);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("HS256, with the claims sub, email and exp"))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components
        .schemas
        .insert("Problem".to_owned(), ProblemBody::schema());
    components
        .schemas
        .insert(FieldProblem::name().into_owned(), FieldProblem::schema());
    for (name, schema) in &mut components.schemas {
        // What is read knows its members; what is shown may gain some.
        let is_read = ["Create", "Patch", "Completion"]
            .iter()
            .any(|end| name.ends_with(end));
        if let RefOr::T(schema::Schema::Object(object)) = schema
            && is_read
        {
            object.additional_properties = Some(Box::new(schema::AdditionalProperties::FreeForm(false)));
        }
    }
    document.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    document
}

/// Returns the route that serves the document.
pub(super) fn route(document: &OpenApi) -> MethodRouter<App> {
    let bytes = Bytes::from(document.to_json().unwrap_or_default());
    let version = Version::of([bytes.as_ref()]);
    axum::routing::get(move |seen: IfNoneMatch| {
        let (bytes, version) = (bytes.clone(), version.clone());
        async move { seen.answer_bytes(&version, "application/json", bytes) }
    })
}
