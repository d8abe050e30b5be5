//! Where the schema stands.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::codes::Code;
use super::conditional::IfNoneMatch;
use super::extract::CurrentUser;
use super::openapi::{Cached, Everywhere};
use super::problem::Problem;
use crate::domain::Feature;
use crate::service::{KnownRevision, SchemaStatus, UnknownRevision};
use crate::state::App;

/// How the live schema stands to what the service knows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SchemaStatus)]
pub(super) struct SchemaBody {
    /// The newest applied revisions; none on an empty database.
    #[schema(example = json!(["003"]))]
    current: Vec<String>,
    /// The newest revisions that the service knows.
    #[schema(example = json!(["e05c7b1d48a2"]))]
    head: Vec<String>,
    /// Whether nothing is pending and nothing is unknown.
    in_sync: bool,
    /// What may be there or not.
    features: Vec<FeatureBody>,
    /// What is not applied yet, oldest first.
    pending: Vec<RevisionBody>,
    /// Applied revisions that this build does not know.
    unknown: Vec<UnknownBody>,
    /// Tables, and columns as `table.column`, that the service cannot do without and that are not there.
    #[schema(example = json!([]))]
    missing: Vec<String>,
}

/// A part of the product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Feature)]
pub(super) struct FeatureBody {
    /// Its name.
    #[schema(example = "priority")]
    name: &'static str,
    /// Whether it can be used now.
    available: bool,
    /// The revision that brings it.
    #[schema(example = "003")]
    since_revision: &'static str,
}

/// A revision of the schema.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revision)]
pub(super) struct RevisionBody {
    /// Its id.
    #[schema(example = "e05c7b1d48a2")]
    revision: String,
    /// What it does.
    message: String,
    /// The phase of the product that it stands for.
    #[schema(required = true)]
    phase: Option<String>,
    /// `expand`, `migrate` or `contract`.
    #[schema(example = "expand")]
    stage: String,
}

/// A revision that is applied and that this build does not know.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnknownRevision)]
pub(super) struct UnknownBody {
    /// The name of the migration.
    #[schema(example = "m20270101_090000_drop_is_recurring")]
    name: String,
    /// `expand`, `migrate` or `contract`, if whoever applied it has said so.
    #[schema(required = true, example = "contract")]
    stage: Option<&'static str>,
}

/// Show the schema
///
/// Which features can be used now, and what is pending.
#[utoipa::path(get, path = "/api/v1/schema", operation_id = "getSchema", tag = "schema",
    responses((status = 200, description = "Where the schema stands", body = SchemaBody), Cached, Everywhere))]
pub(super) async fn get(
    State(app): State<App>,
    _user: CurrentUser,
    seen: IfNoneMatch,
) -> Result<Response, Problem> {
    // Whoever asks wants to know how it is now, not how it was at the last look.
    let looked = app.services().look().await;
    looked.map_err(|failure| Problem::of(failure, Code::NotFound))?;
    let revision = app.services().revision();
    Ok(seen.answer_hashed(&revision, &SchemaBody::from(app.services().schema())))
}

impl From<SchemaStatus> for SchemaBody {
    fn from(status: SchemaStatus) -> Self {
        Self {
            current: status.current,
            head: status.head,
            in_sync: status.in_sync,
            features: status.features.into_iter().map(FeatureBody::from).collect(),
            pending: status.pending.into_iter().map(RevisionBody::from).collect(),
            unknown: status.unknown.into_iter().map(UnknownBody::from).collect(),
            missing: status.missing,
        }
    }
}

impl From<UnknownRevision> for UnknownBody {
    fn from(revision: UnknownRevision) -> Self {
        Self {
            name: revision.name,
            stage: revision.stage,
        }
    }
}

impl From<(Feature, bool)> for FeatureBody {
    fn from((feature, available): (Feature, bool)) -> Self {
        Self {
            name: feature.name(),
            available,
            since_revision: feature.revision(),
        }
    }
}

impl From<KnownRevision> for RevisionBody {
    fn from(revision: KnownRevision) -> Self {
        Self {
            revision: revision.id,
            message: revision.message,
            phase: revision.phase,
            stage: revision.stage,
        }
    }
}
