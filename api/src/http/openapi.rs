//! The documents: what operations share, and what the macros cannot say.

mod answers;
mod bulk;
mod compat;
mod examples;
mod fixed;
mod headers;
mod heads;
mod links;
mod parameters;
mod requests;
mod scopes;
mod shared;
mod since;
mod sparse;
mod walk;
mod words;

pub(super) use answers::{
    Anybody, Cached, Conflicting, Everywhere, Expiring, Foreign, OnOne, Once, Preconditioned, Throttled,
    Unsigned, WithBody, WithQuery,
};
pub(super) use bulk::DescribedOperation;
pub(super) use compat::{CompatListQuery, OwnerId, OwnersConversation, OwnersTask, compat};
pub use fixed::Document;
pub(super) use parameters::{
    ConversationId, ConversationMessage, ErrorCode, EventQuery, Key, LastEventId, ListQuery, PageQuery,
    Prefer, RequiredKey, SessionPath, TagId, TaskId, TaskTag, TokenPath,
};
pub(super) use requests::{unconditional, zoned};

use axum::body::Bytes;
use axum::routing::MethodRouter;
use serde_json::json;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder};
use utoipa::openapi::response::ResponsesBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ContactBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, RefOr, ResponseBuilder,
    ServerBuilder, Type, schema,
};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use answers::Counted;

use super::conditional::IfNoneMatch;
use super::problem::{FieldProblem, ProblemBody};
use crate::domain::Version;
use crate::state::App;

/// What the groups of operations are about, in the order of the page.
const TAGS: [(&str, &str); 7] = [
    ("auth", "Signing up, in and out."),
    (
        "me",
        "The caller, their sign-ins and the tokens of their programs.",
    ),
    ("tasks", "What is to be done."),
    (
        "tags",
        "Names on tasks. A tag exists for its user while one of their tasks carries it.",
    ),
    (
        "conversations",
        "Conversations with the assistant, and their messages.",
    ),
    (
        "schema",
        "Where the schema stands, and what that means for the caller.",
    ),
    (
        "operations",
        "What whoever runs the service asks it, and what describes the service.",
    ),
];

/// The ends of the names of schemas that are read and not shown.
const READ: [&str; 7] = [
    "Create",
    "Operation",
    "Patch",
    "Completion",
    "Registration",
    "Login",
    "PasswordChange",
];

/// Adds what the macros cannot say.
pub(super) fn finished(mut document: OpenApi) -> OpenApi {
    introduce(&mut document);
    for (path, name, words) in [
        ("/openapi.json", "getDocument", "Show this document"),
        (
            "/openapi-compat.json",
            "getCompatDocument",
            "Show the document of the original's routes",
        ),
    ] {
        document
            .paths
            .add_path_operation(path, vec![HttpMethod::Get], served(name, words));
    }
    complete(&mut document);
    document
}

/// Says what the document is about, and what its operations refer to.
fn introduce(document: &mut OpenApi) {
    document.info = InfoBuilder::new()
        .title("Todo API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Tasks, tags and conversations, answered correctly on every revision of the schema: members that a \
             revision has not brought yet show their default; to use one, or a resource that it has not brought, answers 503 \
             SCHEMA_FEATURE_UNAVAILABLE.",
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
        if let RefOr::T(Schema::Object(object)) = schema
            && READ.iter().any(|end| name.ends_with(end))
        {
            object.additional_properties = Some(Box::new(schema::AdditionalProperties::FreeForm(false)));
        }
    }
    document.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    for (path, _, operation) in walk::operations(document) {
        if walk::is_counted(path) {
            operation.responses.responses.extend(Counted::responses());
        }
    }
}

/// Adds to each operation what follows from its path, its parameters and its answers.
fn complete(document: &mut OpenApi) {
    let used: Vec<String> = walk::operations(document)
        .filter_map(|(_, _, operation)| operation.tags.clone())
        .flatten()
        .collect();
    document.tags = Some(
        TAGS.iter()
            .filter(|(name, _)| used.iter().any(|tag| tag == name))
            .map(|(name, words)| TagBuilder::new().name(*name).description(Some(*words)).build())
            .collect(),
    );
    written_bodies_are_not_null(document);
    scopes::name(document);
    headers::name(document);
    requests::name(document);
    links::add(document);
    sparse::describe(document);
    examples::add(document);
    // What is written out is told by being the same, so before anything is marked.
    shared::name_entries(document);
    since::mark(document);
    heads::add(document);
    shared::move_out(document);
}

/// The documents describe themselves here, because their routes are made of the finished ones.
fn served(name: &str, summary: &str) -> Operation {
    let ok = ResponseBuilder::new()
        .description("The document")
        .content(
            "application/json",
            ContentBuilder::new()
                .schema(Some(
                    ObjectBuilder::new()
                        .schema_type(Type::Object)
                        .additional_properties(Some(schema::AdditionalProperties::<Schema>::FreeForm(true))),
                ))
                .example(Some(json!({"openapi": "3.1.0"})))
                .build(),
        )
        .build();
    let mut responses = Anybody::responses();
    responses.extend(Cached::responses());
    responses.insert("200".to_owned(), RefOr::T(ok));
    OperationBuilder::new()
        .operation_id(Some(name))
        .summary(Some(summary))
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
    let bytes = Bytes::from(Document::from(document).to_json());
    let version = Version::of([bytes.as_ref()]);
    axum::routing::get(move |seen: IfNoneMatch| {
        let (bytes, version) = (bytes.clone(), version.clone());
        async move { seen.answer_bytes(&version, "application/json", bytes) }
    })
}
