//! The document: what operations share, and what the macros cannot say.

mod compat;
mod headers;

pub(super) use compat::{CompatListQuery, OwnerId, OwnersConversation, OwnersTask, compat};

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContactBuilder, Content, InfoBuilder, LicenseBuilder, OpenApi, Paths, Ref, RefOr, Response as Described,
    ResponseBuilder, ServerBuilder, Type, schema,
};
use utoipa::{IntoParams, IntoResponses, PartialSchema, ToSchema};

use super::access::Access;
use super::codes::Code;
use super::conditional::IfNoneMatch;
use super::problem::{FieldProblem, ProblemBody};
use crate::domain::Version;
use crate::state::App;

/// What every operation with a token may answer.
pub(super) struct Everywhere;
/// What an operation without a token may answer.
pub(super) struct Unsigned;
/// What wrong passwords may lead to.
pub(super) struct Throttled;
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
/// What a key may lead to.
pub(super) struct Once;
/// What naming an owner may lead to.
pub(super) struct Foreign;
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
        problems(&[401, 403, 406, 409, 414, 500, 503, 504])
    }
}

impl IntoResponses for Unsigned {
    fn responses() -> Responses {
        problems(&[406, 409, 414, 500, 503, 504])
    }
}

impl IntoResponses for Throttled {
    fn responses() -> Responses {
        problems(&[401, 429])
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

impl IntoResponses for Once {
    fn responses() -> Responses {
        problems(&[400, 409, 422])
    }
}

impl IntoResponses for Foreign {
    fn responses() -> Responses {
        problems(&[403])
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

/// Which sign-in.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct SessionPath {
    /// The name of the sign-in.
    #[param(pattern = "^ses_[0-9a-z]{26}$", example = "ses_5w1m0c3k8g2z7q4t9x6v0b2n1d")]
    id: String,
}

/// Which API token.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct TokenPath {
    /// The name of the token.
    #[param(pattern = "^tok_[0-9a-z]{26}$", example = "tok_5w1m0c3k8g2z7q4t9x6v0b2n1d")]
    id: String,
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

/// What makes a request happen once.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct Key {
    /// What the caller calls this request: 1 to 255 printable ASCII characters, as a quoted string or bare. A request that comes
    /// again under its key within 24 hours is not carried out again; the answer is the first one.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 257,
        pattern = r"^[\x20-\x7e]+$",
        example = "8e03978e-40d5-43dd-bc93-6894a57f9324"
    )]
    key: Option<String>,
}

/// What makes a request happen once, where it cannot do without.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct RequiredKey {
    /// What the caller calls this request: 1 to 255 printable ASCII characters, as a quoted string or bare. A request that comes
    /// again under its key within 24 hours is not carried out again; the answer is the first one.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 257,
        pattern = r"^[\x20-\x7e]+$",
        example = "8e03978e-40d5-43dd-bc93-6894a57f9324"
    )]
    key: String,
}

/// Adds what the macros cannot say.
pub(super) fn finished(mut document: OpenApi) -> OpenApi {
    complete(&mut document);
    document
}

fn complete(document: &mut OpenApi) {
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
        .description(Some(
            "A token of a sign-in, a token of the external issuer (both JWTs with the claims sub, email and exp), or an API \
             token (`todo_` with 72 hexadecimal digits), which may call what its scopes cover: `x-required-scope`",
        ))
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
        let is_read = [
            "Create",
            "Patch",
            "Completion",
            "Registration",
            "Login",
            "PasswordChange",
        ]
        .iter()
        .any(|end| name.ends_with(end));
        if let RefOr::T(schema::Schema::Object(object)) = schema
            && is_read
        {
            object.additional_properties = Some(Box::new(schema::AdditionalProperties::FreeForm(false)));
        }
    }
    name_scopes(&mut document.paths);
    headers::describe(document);
    document.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
}

/// Says of each operation with a token which scope an API token needs for it; `none` is for those that no API token may call.
fn name_scopes(paths: &mut Paths) {
    for (template, item) in &mut paths.paths {
        // The paths of the original's document begin where its servers end.
        let prefix = if template.starts_with("/{user_id}") {
            "/api/v1"
        } else {
            ""
        };
        let operations = [
            (Method::GET, &mut item.get),
            (Method::PUT, &mut item.put),
            (Method::POST, &mut item.post),
            (Method::DELETE, &mut item.delete),
            (Method::PATCH, &mut item.patch),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation
                .as_mut()
                .filter(|operation| operation.security.is_none())
            else {
                continue;
            };
            let access = Access::of(&method, &format!("{prefix}{template}"));
            operation
                .extensions
                .get_or_insert_default()
                .insert("x-required-scope".to_owned(), access.word().into());
        }
    }
}

/// Returns the route that serves the document.
pub(super) fn route(document: &OpenApi) -> MethodRouter<App> {
    let bytes = Bytes::from(document.to_json().unwrap_or_default());
    let version = Version::of([bytes.as_ref()]);
    axum::routing::get(move |seen: IfNoneMatch| {
        let (bytes, version) = (bytes.clone(), version.clone());
        async move { seen.answer_bytes(&version, bytes) }
    })
}

impl IfNoneMatch {
    /// Answers with JSON that is written down already.
    fn answer_bytes(&self, version: &Version, bytes: Bytes) -> Response {
        let mut response = self.answer(version, "", &());
        response.headers_mut().remove("schema-revision");
        if response.status().is_success() {
            *response.body_mut() = bytes.into();
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        response.into_response()
    }
}
