//! The document: what operations share, and what the macros cannot say.

mod examples;
mod headers;
mod heads;
mod links;
mod shared;
mod since;
mod sparse;
mod walk;

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::routing::MethodRouter;
use serde_json::json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder};
use utoipa::openapi::response::ResponsesBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ContactBuilder, Content, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr,
    Response as Described, ResponseBuilder, ServerBuilder, Type, schema,
};
use utoipa::{IntoParams, IntoResponses, PartialSchema, ToSchema};

use super::codes::{Code, CodeList, CodeRow};
use super::conditional::IfNoneMatch;
use super::problem::{FieldProblem, ProblemBody};
use crate::domain::Version;
use crate::state::App;

/// What every operation may answer that asks for no token.
pub(super) struct Anybody;
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
                    problem_content(*status, codes.first().copied().unwrap_or_default()),
                )
                .build();
            (status.to_string(), RefOr::T(response))
        })
        .collect()
}

fn problem_content(status: u16, code: &str) -> Content {
    let title = Code::ALL
        .iter()
        .find(|known| known.code() == code)
        .map_or("", |known| known.title());
    let example = json!({
        "type": format!("/errors/{code}"), "title": title, "status": status, "detail": title, "code": code,
        "instance": "urn:request:4f1c0d27b64a3c1f0d27b64a3c1f0d27", "request_id": "4f1c0d27b64a3c1f0d27b64a3c1f0d27",
    });
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .example(Some(example))
        .build()
}

impl IntoResponses for Anybody {
    fn responses() -> Responses {
        problems(&[414, 431, 500, 504])
    }
}

impl IntoResponses for Everywhere {
    fn responses() -> Responses {
        problems(&[401, 406, 409, 414, 431, 500, 503, 504])
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
    #[param(pattern = "^[A-Za-z0-9_-]+$", min_length = 1)]
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
    #[param(
        pattern = r"^[^\s\x00-\x1f\x7f,][^\x00-\x1f\x7f,]{0,49}(,[^\s\x00-\x1f\x7f,][^\x00-\x1f\x7f,]{0,49}){0,19}$",
        example = "boat,urgent"
    )]
    tags: Option<String>,
    /// Whether a task needs `all` (the default) of the tags or `any`.
    #[param(pattern = "^(all|any)$")]
    tags_match: Option<String>,
    /// Due at this moment or later; a date is the beginning of its day.
    #[param(
        pattern = r"^((197[1-9]|19[89][0-9]|2[0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|20([02468][048]|[13579][26])-02-29)(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$",
        example = "2026-12-01"
    )]
    due_after: Option<String>,
    /// Due before this moment; a date is the end of its day.
    #[param(
        pattern = r"^((197[1-9]|19[89][0-9]|2[0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|20([02468][048]|[13579][26])-02-29)(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$",
        example = "2026-12-31"
    )]
    due_before: Option<String>,
    /// Not done and past its date, or the opposite.
    overdue: Option<bool>,
    /// Whether it has a date.
    has_due: Option<bool>,
    /// Whether it recurs.
    recurring: Option<bool>,
    /// Changed at this moment or later.
    #[param(
        pattern = r"^((197[1-9]|19[89][0-9]|2[0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|20([02468][048]|[13579][26])-02-29)(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$",
        example = "2026-12-01T00:00:00Z"
    )]
    updated_since: Option<String>,
    /// Words that must all be in the title or the description.
    #[param(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
        example = "hull"
    )]
    q: Option<String>,
    /// At most three of `due_date`, `priority`, `created_at`, `updated_at`, `title`, `completed` and `id`; `-` turns one round.
    #[param(
        pattern = r"^(?!.*\b(\w+)\b.*\b\1\b)-?(due_date|priority|created_at|updated_at|title|completed|id)(,-?(due_date|priority|created_at|updated_at|title|completed|id)){0,2}$",
        example = "-priority,due_date"
    )]
    sort: Option<String>,
    /// Only these members of each task.
    #[param(
        pattern = "^(id|user_id|title|description|completed|priority|due_date|remind_at|recurrence_pattern|is_recurring|tags|created_at|updated_at)(,(id|user_id|title|description|completed|priority|due_date|remind_at|recurrence_pattern|is_recurring|tags|created_at|updated_at))*$",
        example = "id,title"
    )]
    fields: Option<String>,
    /// `total` counts all matching tasks.
    #[param(pattern = "^total$")]
    include: Option<String>,
    /// How many tasks.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", min_length = 1)]
    cursor: Option<String>,
}

/// Which code.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct ErrorCode {
    /// The code of a problem.
    #[param(pattern = "^[A-Z_]+$", example = "TASK_NOT_FOUND")]
    code: String,
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
    #[param(
        min_length = 1,
        max_length = 50,
        pattern = r"^[^\x00-\x1f\x7f,]*[^\s\x00-\x1f\x7f,][^\x00-\x1f\x7f,]*$",
        example = "boat"
    )]
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
        if let RefOr::T(Schema::Object(object)) = schema
            && is_read
        {
            object.additional_properties = Some(Box::new(schema::AdditionalProperties::FreeForm(false)));
        }
    }
    components
        .schemas
        .insert(CodeList::name().into_owned(), CodeList::schema());
    components
        .schemas
        .insert(CodeRow::name().into_owned(), CodeRow::schema());
    document.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    document.tags = Some(
        TAGS.iter()
            .map(|(name, words)| TagBuilder::new().name(*name).description(Some(*words)).build())
            .collect(),
    );
    document
        .paths
        .add_path_operation("/openapi.json", vec![HttpMethod::Get], served());
    written_bodies_are_not_null(&mut document);
    headers::name(&mut document);
    links::add(&mut document);
    sparse::describe(&mut document);
    examples::add(&mut document);
    since::mark(&mut document);
    heads::add(&mut document);
    shared::move_out(&mut document);
    document
}

/// What the groups of operations are about, in the order of the page.
const TAGS: [(&str, &str); 6] = [
    ("tasks", "What is to be done."),
    (
        "tags",
        "Names on tasks. A tag exists for its user while one of their tasks carries it.",
    ),
    (
        "conversations",
        "Conversations with the assistant, and their messages.",
    ),
    ("me", "The caller."),
    (
        "schema",
        "Where the schema stands, and what that means for the caller.",
    ),
    (
        "operations",
        "What whoever runs the service asks it, and what describes the service.",
    ),
];

/// The document describes itself here, because its route is made of the finished document.
fn served() -> Operation {
    let ok = ResponseBuilder::new()
        .description("The document")
        .content(
            "application/json",
            ContentBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::Object)))
                .example(Some(json!({"openapi": "3.1.0"})))
                .build(),
        )
        .build();
    let mut responses = Anybody::responses();
    responses.extend(Cached::responses());
    responses.insert("200".to_owned(), RefOr::T(ok));
    OperationBuilder::new()
        .operation_id(Some("getDocument"))
        .summary(Some("Show this document"))
        .description(Some("OpenAPI 3.1, in JSON; `/docs` shows it to people."))
        .tag("operations")
        .security(SecurityRequirement::default())
        .responses(ResponsesBuilder::new().responses_from_iter(responses).build())
        .build()
}

/// A body may be left out where it is optional; the word null is no body.
fn written_bodies_are_not_null(document: &mut OpenApi) {
    for (_, _, operation) in walk::operations(document) {
        let Some(RefOr::T(body)) = operation.request_body.as_mut() else {
            continue;
        };
        for content in body.content.values_mut() {
            if let RefOr::T(content) = content
                && let Some(RefOr::T(Schema::OneOf(several))) = &content.schema
            {
                let one = several.items.iter().find(|item| matches!(item, RefOr::Ref(_)));
                content.schema = one.cloned();
            }
        }
    }
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
