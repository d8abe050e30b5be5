//! `check`, `diff` and `snapshot`: how a database and what somebody wants differ; nothing is changed.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::offline::{Client, one_line};
use super::{CommandError, Project};
use crate::autogenerate::{
    Difference, Note, Operation, Policy, Rename, Risk, Undeclared, Wanted, With, diff as compare, sql,
    undeclared as undeclared_of,
};
use crate::catalog::{Catalog, Dialect, Scope, inspect};
use crate::environment::Environment;
use crate::session::{DatabaseUrl, Session, dialect_of};
use crate::verify::DriftError;
use side::{Engine, memory, read_snapshot};

pub use schemas::{SchemaChange, SchemaReport, SchemasReport, diff_schemas};
pub use side::Side;
pub use stakes::{Counted, Stake};

mod schemas;
mod side;
mod stakes;

/// What a comparison is asked for, beside its two sides.
#[derive(Clone, Debug, Default)]
pub struct CompareRequest {
    /// Renames that are agreed to.
    pub renames: Vec<Rename>,
    /// What is compared only when it is asked for.
    pub with: Vec<With>,
    /// Ends it when it is cancelled.
    pub stop: CancellationToken,
}

/// How a database differs from its entities.
#[derive(Clone, Debug, Serialize)]
pub struct DriftReport {
    /// What would turn the database into what is declared.
    #[serde(flatten)]
    pub difference: Difference,
    /// What the live database says about operations that lose rows, or fail because of rows.
    pub stakes: Vec<Stake>,
    /// The operations as SQL.
    pub sql: Vec<String>,
    /// The kind of database whose SQL that is.
    pub dialect: Option<Dialect>,
    /// The schema of the database.
    #[serde(skip)]
    pub(super) live: Catalog,
}

/// Compares the database with the entities of the environment.
///
/// # Errors
///
/// Fails when the environment has no entities, when the database cannot be read, or when an agreed rename does not fit.
pub async fn check(environment: &Environment, renames: &[Rename]) -> Result<DriftReport, CommandError> {
    let request = CompareRequest {
        renames: renames.to_vec(),
        ..CompareRequest::default()
    };
    check_to(environment, &Side::Entities, &request).await
}

/// Compares the database with what is wanted of it.
///
/// # Errors
///
/// Fails when what is wanted cannot be read or made on a scratch database, when the database cannot be read, when an agreed rename
/// does not fit, or when it is stopped.
pub async fn check_to(
    environment: &Environment,
    wanted: &Side,
    request: &CompareRequest,
) -> Result<DriftReport, CommandError> {
    let project = Project::of(environment)?;
    project.refuse_no_entities(wanted)?;
    let session = project.schema_session().await?;
    let report = async {
        let wanted = project.wanted(&session, wanted, request).await?;
        drift(&session, &environment.scope(), &wanted, request).await
    };
    let report = report.await;
    session.close().await;
    report
}

/// Returns what the tables of the database have and the entities do not mention, by table.
///
/// # Errors
///
/// Fails when there are no entities, they make no sense to the database, or it cannot be read.
pub async fn undeclared(
    environment: &Environment,
) -> Result<BTreeMap<String, Vec<Undeclared>>, CommandError> {
    let project = Project::of(environment)?;
    project.refuse_no_entities(&Side::Entities)?;
    let session = project.schema_session().await?;
    let found = async {
        let request = CompareRequest::default();
        let wanted = project.wanted(&session, &Side::Entities, &request).await?;
        let live = inspect(session.connection(), &environment.scope()).await;
        Ok(undeclared_of(&live.map_err(DriftError::from)?, &wanted))
    };
    let found = found.await;
    session.close().await;
    found
}

/// Returns the schema of the database.
///
/// # Errors
///
/// Fails when the database cannot be read.
pub async fn snapshot(environment: &Environment) -> Result<Catalog, CommandError> {
    let project = Project::of(environment)?;
    let session = project.schema_session().await?;
    let read = inspect(session.connection(), &environment.scope()).await;
    session.close().await;
    Ok(read.map_err(DriftError::from)?)
}

/// Returns what turns one side into the other.
///
/// A snapshot and the entities are understood by the engine of the other side, or of the environment's database; revisions
/// and SQL files are tried out beside it. Two snapshots need no database: where that of the environment is of another kind, or there
/// is none, they are compared as they are written.
///
/// # Errors
///
/// Fails when a side cannot be read, when the two are of different kinds of databases, when revisions cannot be tried out, or
/// when it is stopped.
pub async fn diff(
    environment: &Environment,
    from: &Side,
    to: &Side,
    request: &CompareRequest,
) -> Result<DriftReport, CommandError> {
    let project = Project::of(environment)?;
    let beside = beside(environment, from, to);
    if let Some((live, wanted)) = as_written(from, to, beside)? {
        return report(&live, &wanted, request);
    }
    let mut rehearsed = Vec::new();
    let compared = async {
        for side in [from, to] {
            rehearsed.push(project.rehearsed(side, beside, request).await?);
        }
        let engine = match (beside, rehearsed.iter().flatten().next()) {
            // It has what a declaration may need: types, extensions.
            (_, Some(rehearsed)) => Engine::Scratch(&rehearsed.session),
            (Some(url), None) => Engine::Own(Box::new(project.session_at(url).await?)),
            (None, None) => Engine::Own(Box::new(memory(environment).await?)),
        };
        let live = project
            .understood(&engine, from, rehearsed[0].as_ref(), &request.stop)
            .await;
        let wanted = project
            .understood(&engine, to, rehearsed[1].as_ref(), &request.stop)
            .await;
        if let Engine::Own(session) = engine {
            session.close().await;
        }
        report(&live?, &wanted?, request)
    };
    let report = compared.await;
    for scratch in rehearsed.into_iter().flatten() {
        scratch.remove().await?;
    }
    report
}

/// Returns the database beside which revisions and SQL files are tried out.
fn beside<'a>(environment: &'a Environment, from: &'a Side, to: &'a Side) -> Option<&'a DatabaseUrl> {
    match (from, to) {
        (Side::Database(url), _) | (_, Side::Database(url)) => Some(url),
        _ => environment.database.as_ref(),
    }
}

/// Returns two snapshots that no engine at hand understands.
fn as_written(
    from: &Side,
    to: &Side,
    beside: Option<&DatabaseUrl>,
) -> Result<Option<(Catalog, Catalog)>, CommandError> {
    let (Side::Snapshot(from), Side::Snapshot(to)) = (from, to) else {
        return Ok(None);
    };
    let (mut live, mut wanted) = (read_snapshot(from)?, read_snapshot(to)?);
    let engine = beside.map_or(Dialect::Sqlite, |url| dialect_of(url.backend()));
    if live
        .dialect
        .or(wanted.dialect)
        .is_none_or(|dialect| dialect == engine)
    {
        return Ok(None);
    }
    live.sort();
    wanted.sort();
    Ok(Some((live, wanted)))
}

/// Compares the database of a session with what is wanted of it, and counts what the operations would cost.
pub(super) async fn drift(
    session: &Session,
    scope: &Scope,
    wanted: &Catalog,
    request: &CompareRequest,
) -> Result<DriftReport, CommandError> {
    let live = inspect(session.connection(), scope)
        .await
        .map_err(DriftError::from)?;
    let mut report = report(&live, wanted, request)?;
    report.stakes = stakes::stakes(session, &live, &report.difference.operations).await?;
    Ok(report)
}

impl DriftReport {
    /// Returns the operations as a script for `psql` or `sqlite3`; it is empty where there is nothing to do.
    ///
    /// # Errors
    ///
    /// Fails when a statement cannot be fed to the client, when something that is wanted is in the way and could not come back, or
    /// when revisions make no sense.
    pub fn script(&self, environment: &Environment) -> Result<String, CommandError> {
        self.refuse_what_is_in_the_way()?;
        let Some(dialect) = self.dialect.filter(|_| !self.sql.is_empty()) else {
            return Ok(String::new());
        };
        let project = Project::of(environment)?;
        let frame = project.frame(Client::of_dialect(dialect));
        let mut text = frame.opening(&environment.actor.tool_version, "differences");
        for operation in self.destructive() {
            text.push_str(&format!(
                "-- destroys rows or values: {}\n",
                one_line(&operation.to_string())
            ));
        }
        let statements = frame
            .statements(&self.sql)
            .map_err(|source| CommandError::NotFeedable {
                subject: "the differences".to_owned(),
                source: Box::new(source),
            })?;
        text.push_str(&statements);
        Ok(text)
    }

    /// Returns the operations that lose rows or values.
    fn destructive(&self) -> impl Iterator<Item = &Operation> {
        let operations = self.difference.operations.iter();
        operations.filter(|operation| operation.risk() == Risk::Loses)
    }

    /// Names what the database would refuse the changes for.
    pub(super) fn refuse_what_is_in_the_way(&self) -> Result<(), CommandError> {
        let in_the_way = self.difference.notes.iter().find_map(|note| match note {
            Note::InTheWay { object, reason } => Some((object, reason)),
            Note::MissingView { .. } | Note::MissingTrigger { .. } => None,
        });
        match in_the_way {
            Some((object, reason)) => Err(CommandError::InTheWay {
                object: object.clone(),
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }
}

fn report(live: &Catalog, declared: &Catalog, request: &CompareRequest) -> Result<DriftReport, CommandError> {
    let policy = Policy {
        renames: request.renames.clone(),
        with: request.with.clone(),
        wanted: match live.says_everything() && declared.says_everything() {
            true => Wanted::Whole,
            false => Wanted::Declared,
        },
        ..Policy::default()
    };
    let difference = compare(live, declared, &policy).map_err(DriftError::from)?;
    Ok(DriftReport {
        sql: sql(live, &difference.operations)?,
        difference,
        dialect: live.dialect,
        stakes: Vec::new(),
        live: live.clone(),
    })
}
