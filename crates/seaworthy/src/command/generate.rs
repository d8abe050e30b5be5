//! `revision --autogenerate`: the revision that turns the database into what the entities declare.

use std::path::Path;

use serde::Serialize;

use super::drift::{Counted, DriftReport, drift};
use super::revision::new_id;
use super::{CommandError, NewRevision, Project, RevisionRequest};
use crate::autogenerate::{Fill, Operation, Rename, Rendered, Suggestion, render};
use crate::environment::Environment;
use crate::graph::Placement;
use crate::source::Body;

/// What a generated revision shall be.
pub struct GenerateRequest<'a> {
    /// Where it belongs.
    pub revision: RevisionRequest,
    /// Renames that are agreed to.
    pub renames: Vec<Rename>,
    /// Values for rows that have none.
    pub fills: Vec<Fill>,
    /// Whether a revision is written even if there is nothing to do.
    pub when_empty: WhenEmpty,
    /// Whether most of the tables may go.
    pub when_mostly_dropped: WhenMostlyDropped,
    /// Asked about likely renames; returns those that are meant.
    pub choose: &'a (dyn Fn(&[Suggestion]) -> Vec<Rename> + Sync),
}

/// What to do when there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenEmpty {
    /// No revision.
    WriteNothing,
    /// An empty one.
    Write,
}

/// What to do when most of the tables would go, which is what a forgotten list of entities looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenMostlyDropped {
    /// Nothing.
    Refuse,
    /// It is meant.
    Write,
}

/// What was found, and the revision that was written for it.
#[derive(Clone, Debug, Serialize)]
pub struct Generated {
    /// What was found.
    #[serde(flatten)]
    pub found: DriftReport,
    /// The revision; absent when there was nothing to do.
    pub revision: Option<NewRevision>,
}

/// Compares the database with the entities and writes the revision that makes them equal.
///
/// # Errors
///
/// Fails, with nothing written, when the database is not at head, when there are no entities or most tables would be
/// dropped, when rows would need a value that nobody has given, or when the revision cannot be written.
pub async fn generate(
    environment: &Environment,
    request: &GenerateRequest<'_>,
    folder: &Path,
) -> Result<Generated, CommandError> {
    let project = Project::of(environment)?;
    let target = project.target()?;
    let id = request.revision.id.clone().unwrap_or_else(new_id);
    let placed = project.graph.place(&Placement {
        id: id.clone(),
        head: request.revision.head.clone(),
        splice: request.revision.splice,
        branch_label: request.revision.branch_label.clone(),
        depends_on: request.revision.depends_on.clone(),
    })?;
    let session = project.schema_session().await?;
    let looked = async {
        let state = project.state(Some(&session)).await?;
        state.refuse_unknown()?;
        if state.order.len() != project.graph.len() {
            return Err(CommandError::NotAtHead {
                current: state.applied.heads(&project.graph),
                heads: project.graph.heads(),
            });
        }
        let found = drift(environment, &session, target, &request.renames).await?;
        let chosen = (request.choose)(&found.difference.suggestions);
        if chosen.is_empty() {
            return Ok(found);
        }
        let renames: Vec<Rename> = request.renames.iter().cloned().chain(chosen).collect();
        drift(environment, &session, target, &renames).await
    };
    let found = looked.await;
    let backend = session.backend();
    session.close().await;
    let found = found?;

    let operations = &found.difference.operations;
    if operations.is_empty() && request.when_empty == WhenEmpty::WriteNothing {
        return Ok(Generated {
            found,
            revision: None,
        });
    }
    refuse_what_nobody_means(&found, request)?;
    let rendered = render(&found.live, operations, &request.fills)?;
    let Rendered {
        up,
        down,
        helpers,
        has_sql,
        is_split,
    } = rendered;
    let body = (!operations.is_empty()).then(|| Body {
        up,
        down,
        helpers: helpers.into_iter().collect(),
        sql_of: has_sql.then_some(backend),
        is_split,
    });
    let revision = project.write(id, placed, &request.revision.message, folder, body)?;
    Ok(Generated {
        found,
        revision: Some(revision),
    })
}

fn refuse_what_nobody_means(found: &DriftReport, request: &GenerateRequest<'_>) -> Result<(), CommandError> {
    let operations = &found.difference.operations;
    let dropped = operations
        .iter()
        .filter(|operation| matches!(operation, Operation::DropTable { .. }))
        .count();
    let tables = found.live.tables.len();
    if dropped > 1 && dropped * 2 > tables && request.when_mostly_dropped == WhenMostlyDropped::Refuse {
        return Err(CommandError::MostlyDropped { dropped, tables });
    }
    for stake in &found.stakes {
        let (table, column) = match (&operations[stake.operation], stake.counted) {
            (Operation::AddColumn { table, column }, Counted::RowsWithoutValue) => (table, &column.name),
            (Operation::AlterNullable { table, column, .. }, Counted::Nulls) => (table, column),
            _ => continue,
        };
        let is_filled = request
            .fills
            .iter()
            .any(|fill| fill.table == *table && fill.column == *column);
        if !is_filled {
            return Err(CommandError::NeedsValue {
                table: table.clone(),
                column: column.clone(),
                rows: stake.rows,
            });
        }
    }
    Ok(())
}
