//! What whoever runs the service asks it.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::accept::prefers;
use super::codes::Code;
use super::openapi::{Anybody, OnOne};
use super::problem::Problem;
use crate::metrics::{Connections, Format, Live};
use crate::service::{SchemaStatus, UnknownRevision};
use crate::state::App;

/// Whether the process is alive.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Live)]
pub(super) struct LiveBody {
    /// Always `alive`.
    #[schema(example = "alive")]
    status: &'static str,
}

/// Whether requests should be sent here.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Readiness)]
pub(super) struct ReadyBody {
    /// `ready`, `draining`, `database` or `schema`: what is in the way.
    #[schema(example = "ready")]
    status: &'static str,
    /// Where the schema stands.
    #[schema(example = "e05c7b1d48a2")]
    revision: String,
    /// What is worth knowing of the schema: what is missing, or which applied revisions this build does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "the database has revisions that this build does not know: m20270101_090000_add_notes (expand)"
    )]
    note: Option<String>,
}

/// How the original said that it was well.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct HealthBody {
    /// `healthy` or `unhealthy`.
    #[schema(example = "healthy")]
    status: &'static str,
    /// `development` or `production`.
    #[schema(example = "development")]
    environment: &'static str,
    /// The version of the service.
    #[schema(example = "1.4.0")]
    version: &'static str,
}

/// Which build this is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Version)]
pub(super) struct VersionBody {
    /// The name of the service.
    #[schema(example = "todo-api")]
    name: &'static str,
    /// Its version.
    #[schema(example = "1.4.0")]
    version: &'static str,
}

/// Is the process alive?
///
/// Asks nobody else.
#[utoipa::path(get, path = "/livez", operation_id = "getLiveness", tag = "operations", security(()),
    responses((status = 200, description = "It is", body = LiveBody),
              Anybody))]
pub(super) async fn live() -> Response {
    axum::Json(LiveBody { status: "alive" }).into_response()
}

/// Should requests be sent here?
///
/// Not while the service stops, the database does not answer or does not let the service work with a table, or the schema lacks
/// what no request can do without: it is older than revision 001, or a contract revision of a newer build has removed it. A newer
/// schema that still has all of it is no reason against it; the note names the revisions that this build does not know. Those who ask
/// at the same time share one question to the database.
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "operations", security(()),
    responses((status = 200, description = "Yes", body = ReadyBody), (status = 503, description = "No", body = ReadyBody),
              Anybody))]
pub(super) async fn ready(State(app): State<App>) -> Response {
    let schema = app.services().schema();
    let mut note = note(&schema);
    let status = if app.is_draining() {
        "draining"
    } else {
        match app.denied().await {
            None => "database",
            Some(tables) if !tables.is_empty() => {
                note = Some(format!(
                    "the service may not read and write {}",
                    tables.join(", ")
                ));
                "database"
            }
            Some(_) if !schema.missing.is_empty() => "schema",
            Some(_) => "ready",
        }
    };
    let code = match status {
        "ready" => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let revision = app.services().revision();
    (
        code,
        axum::Json(ReadyBody {
            status,
            revision,
            note,
        }),
    )
        .into_response()
}

/// Is the service well?
///
/// The original's question and answer.
#[utoipa::path(get, path = "/health", operation_id = "getHealth", tag = "operations", security(()),
    responses((status = 200, description = "It is", body = HealthBody), (status = 503, description = "It is not", body = HealthBody),
              Anybody))]
pub(super) async fn health(State(app): State<App>) -> Response {
    let (code, status) = match app.denied().await.is_some() {
        true => (StatusCode::OK, "healthy"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
    };
    let body = HealthBody {
        status,
        environment: app.environment().word(),
        version: env!("CARGO_PKG_VERSION"),
    };
    (code, axum::Json(body)).into_response()
}

/// Which build is this?
///
/// For whoever looks into a report.
#[utoipa::path(get, path = "/version", operation_id = "getVersion", tag = "operations", security(()),
    responses((status = 200, description = "This one", body = VersionBody),
              Anybody))]
pub(super) async fn version() -> Response {
    axum::Json(VersionBody {
        name: "todo-api",
        version: env!("CARGO_PKG_VERSION"),
    })
    .into_response()
}

/// Show what is counted
///
/// As Prometheus reads it: its own text, or `OpenMetrics` where `Accept` prefers that. With `METRICS_ADDRESS` it is served there
/// and not here, and in production nowhere else.
#[utoipa::path(get, path = "/metrics", operation_id = "getMetrics", tag = "operations", security(()),
    responses((status = 200, description = "What is counted",
               content((String = "text/plain"), (String = "application/openmetrics-text"))),
              OnOne,
              Anybody))]
pub(super) async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    match app.serves_metrics() {
        true => counted(&app, &headers),
        false => Problem::new(Code::NotFound).into_response(),
    }
}

/// Writes down what is counted, in the way that the reader prefers.
pub(super) fn counted(app: &App, headers: &HeaderMap) -> Response {
    let format = match prefers(headers, "application/openmetrics-text", "text/plain") {
        true => Format::OpenMetrics,
        false => Format::Plain,
    };
    let services = app.services();
    let (statements, retries) = services.effort();
    let (used, idle, most) = services.connections();
    let schema = services.schema();
    let live = Live {
        connections: Connections { used, idle, most },
        statements,
        retries,
        current: schema.current.join(","),
        head: schema.head.join(","),
        in_sync: schema.in_sync,
    };
    let text = app.metrics().text(&live, format);
    let kind = (header::CONTENT_TYPE, format.content_type());
    ([kind, (header::VARY, "accept")], text).into_response()
}

/// Returns what is worth knowing of a schema, where it is not just older.
fn note(schema: &SchemaStatus) -> Option<String> {
    let described = |revision: &UnknownRevision| match revision.stage {
        Some(stage) => format!("{} ({stage})", revision.name),
        None => format!("{} (stage unknown)", revision.name),
    };
    let unknown: Vec<String> = schema.unknown.iter().map(described).collect();
    let unknown = unknown.join(", ");
    match (schema.missing.as_slice(), unknown.as_str()) {
        ([], "") => None,
        ([], _) => Some(format!(
            "the database has revisions that this build does not know: {unknown}"
        )),
        (missing, "") => Some(format!("the schema has no {}", missing.join(", "))),
        (missing, _) => Some(format!(
            "the schema has no {} any more; the database has revisions that this build does not know: {unknown}",
            missing.join(", ")
        )),
    }
}
