//! `revision --autogenerate`: the revision that turns the database into what entities or SQL files declare.

use std::collections::BTreeSet;
use std::path::Path;

use sea_orm::DbBackend;
use sea_orm::sea_query::Expr;
use serde::Serialize;

use super::drift::{CompareRequest, Counted, DriftReport, Side, drift};
use super::gate::server_of;
use super::revision::new_id;
use super::{CommandError, NewRevision, Project, RevisionRequest};
use crate::autogenerate::{
    Fill, Operation, Part, Policy, Rename, Rendered, RenderedPart, Suggestion, diff, render_in_parts, sql,
};
use crate::catalog::Catalog;
use crate::environment::Environment;
use crate::graph::Placement;
use crate::lint::{Context, Hazard, Server, Surrounding, lint};
use crate::online::FilledColumn;
use crate::revision::{Header, Stage};
use crate::session::{Session, dialect_of};
use crate::source::{Body, write};
use crate::verify::DriftError;

/// What a generated revision shall be.
pub struct GenerateRequest<'a> {
    /// Where it belongs.
    pub revision: RevisionRequest,
    /// What the database is to become.
    pub wanted: Side,
    /// What the comparison is asked for.
    pub comparison: CompareRequest,
    /// Values for rows that have none.
    pub fills: Vec<Fill>,
    /// Tables that have many rows elsewhere, beside those that have many in this database.
    pub large: Vec<String>,
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
    /// The revision, the first of several; absent when there was nothing to do.
    pub revision: Option<NewRevision>,
    /// The revisions that follow it: a table with many rows is filled in steps.
    pub followed_by: Vec<NewRevision>,
    /// What the linter says of the statements, with the schema that was found and on its server; operations of `online` avoid what it
    /// knows.
    pub hazards: Vec<Hazard>,
}

/// Compares the database with what is wanted of it and writes the revision that makes them equal.
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
    let id = request.revision.id.clone().unwrap_or_else(new_id);
    let placed = project.graph.place(&Placement {
        id: id.clone(),
        head: request.revision.head.clone(),
        splice: request.revision.splice,
        branch_label: request.revision.branch_label.clone(),
        depends_on: request.revision.depends_on.clone(),
    })?;
    let session = project.schema_session().await?;
    let scope = environment.scope();
    let looked = async {
        let state = project.state(Some(&session)).await?;
        state.refuse_unknown()?;
        if state.order.len() != project.graph.len() {
            return Err(CommandError::NotAtHead {
                current: state.applied.heads(&project.graph),
                heads: project.graph.heads(),
            });
        }
        let large = large_tables(&session, &request.large).await?;
        let mut comparison = request.comparison.clone();
        let wanted = project.wanted(&session, &request.wanted, &comparison).await?;
        let found = drift(&session, &scope, &wanted, &comparison).await?;
        let chosen = (request.choose)(&found.difference.suggestions);
        if chosen.is_empty() {
            return Ok((found, large));
        }
        comparison.renames.extend(chosen);
        Ok((drift(&session, &scope, &wanted, &comparison).await?, large))
    };
    let looked = looked.await;
    let backend = session.backend();
    let server = server_of(&session).await;
    session.close().await;
    let ((found, large), server) = (looked?, server?);

    let operations = &found.difference.operations;
    if operations.is_empty() && request.when_empty == WhenEmpty::WriteNothing {
        return Ok(Generated {
            found,
            revision: None,
            followed_by: Vec::new(),
            hazards: Vec::new(),
        });
    }
    if let Some(table) = request
        .large
        .iter()
        .find(|table| found.live.table(table).is_none())
    {
        return Err(CommandError::NoSuchTable { table: table.clone() });
    }
    refuse_what_nobody_means(&found, request)?;
    found.refuse_what_is_in_the_way()?;
    let parts = render_in_parts(&found.live, operations, &request.fills, &large)?;
    let headers = parts
        .iter()
        .map(|part| header(part, &request.revision.message, parts.len()));
    let bodies: Vec<Option<Body>> = parts
        .iter()
        .map(|part| (!operations.is_empty()).then(|| body(&part.rendered, backend)))
        .collect();
    let mut written = project.write_all((id, placed), headers.collect(), |place, draft, known| {
        let mut draft = draft.clone();
        draft.body.clone_from(&bodies[place]);
        write(folder, &draft, known)
    })?;
    let context = Context::default().on(server).settings(&environment.lint);
    let hazards = hazards(&found.live, &parts, (server, context))?;
    let followed_by = written.split_off(1);
    Ok(Generated {
        found,
        revision: written.pop(),
        followed_by,
        hazards,
    })
}

/// Returns what the linter says of what the parts of a change send, on a database of this schema.
fn hazards(
    live: &Catalog,
    parts: &[RenderedPart],
    (server, context): (Server, Context),
) -> Result<Vec<Hazard>, CommandError> {
    let empty = Catalog::new(server.dialect());
    let made = diff(&empty, live, &Policy::default()).map_err(DriftError::from)?;
    let made = sql(&empty, &made.operations)?;
    let mut context = context.schema(&made.join(";\n"));
    let mut hazards = Vec::new();
    for part in parts {
        let text = part.at_once.join(";\n");
        let surrounding = match part.rendered.is_split {
            true => Surrounding::Nothing,
            false => Surrounding::Transaction,
        };
        hazards.extend(lint(&text, &context.clone().surrounded_by(surrounding)));
        context = context.and_then(&text);
    }
    Ok(hazards)
}

/// Returns the tables that no statement may hold up for as long as they are large.
async fn large_tables(session: &Session, named: &[String]) -> Result<BTreeSet<String>, CommandError> {
    let weights = session.weights().await.map_err(|source| CommandError::Query {
        action: "read how large the tables are",
        source: source.into(),
    })?;
    let large = weights.into_iter().filter(|weight| !weight.is_small());
    Ok(large
        .map(|weight| weight.table)
        .chain(named.iter().cloned())
        .collect())
}

fn header(part: &RenderedPart, message: &str, parts: usize) -> Header {
    let (stage, what) = match part.part {
        Part::Change => (Stage::Expand, ""),
        Part::Begin => (Stage::Expand, "begin"),
        Part::Fill => (Stage::Migrate, "fill"),
        Part::Follow => (Stage::Expand, "build on it"),
        Part::Demand => (Stage::Contract, "demand"),
        Part::Remove => (Stage::Contract, "clear away"),
    };
    let columns: Vec<String> = part
        .columns
        .iter()
        .map(|(table, column)| format!("{table}.{column}"))
        .collect();
    let message = match (parts, what, message) {
        (1, _, message) | (_, "", message) => message.to_owned(),
        (_, what, "") => format!("{what}: {}", columns.join(", ")),
        (_, what, message) => format!("{message}: {what}"),
    };
    let header = Header::new("").stage(stage).message(message);
    if part.part != Part::Demand {
        return header;
    }
    part.filled.iter().fold(header, |header, (table, column)| {
        let filled = FilledColumn::new(table.clone(), column.clone(), Expr::cust(""));
        header.requires_backfill(filled.backfill().name())
    })
}

fn body(rendered: &Rendered, backend: DbBackend) -> Body {
    let Rendered {
        up,
        down,
        helpers,
        has_sql,
        is_split,
        advice,
        uses,
        functions,
        backfills,
    } = rendered.clone();
    Body {
        up,
        down,
        helpers: helpers.into_iter().collect(),
        sql_of: has_sql.then_some(dialect_of(backend)),
        is_split,
        advice,
        uses,
        functions,
        backfills,
    }
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
