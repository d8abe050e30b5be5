//! `adopt`: take over a database that Alembic manages.
//!
//! What Alembic's table says is applied is recorded in our ledger; Alembic's table stays as it is. Afterwards the schema is
//! compared with the one that the revisions make.

use sea_orm::DbErr;
use serde::Serialize;

use super::scratch::Rehearsed;
use super::upgrade::close;
use super::verify::causes;
use super::{Category, CommandError, Conduct, Project};
use crate::autogenerate::{Operation, Policy, diff};
use crate::catalog::inspect;
use crate::environment::Environment;
use crate::graph::{Applied, Step, Target};
use crate::ledger::Kind;
use crate::revision::{Direction, RevisionId};
use crate::session::{Fault, Locked, Session};
use crate::sql::quoted;
use crate::verify::DriftError;

/// The table that Alembic keeps its heads in unless its `version_table` says otherwise.
pub const ALEMBIC_TABLE: &str = "alembic_version";

/// What was taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Adopted {
    /// Alembic's table.
    pub version_table: String,
    /// What Alembic's table says.
    pub alembic: Vec<String>,
    /// Revisions that are recorded as applied now, oldest first.
    pub recorded: Vec<RevisionId>,
    /// Where the database stands now.
    pub heads: Vec<RevisionId>,
    /// What would turn the schema of the database into the one that the revisions make: Alembic's were written in another
    /// language, and may have made something else. Taking over changes no table of the application either way.
    pub differences: Vec<Operation>,
    /// Why the schemas could not be compared, if so.
    pub not_compared: Option<String>,
}

/// Takes over a database that Alembic manages; its table is [`ALEMBIC_TABLE`] where its `version_table` names no other.
///
/// # Errors
///
/// Fails, with nothing changed, when Alembic has not been there, when it names revisions that are not known here, or when this
/// tool's ledger already says something else.
pub async fn adopt(
    environment: &Environment,
    version_table: &str,
    conduct: &Conduct<'_>,
) -> Result<Adopted, CommandError> {
    let project = Project::of(environment)?;
    let session = conduct
        .unless_stopped(project.reader())
        .await?
        .ok_or_else(|| nothing_in(version_table))?;
    let mut adopted = project.take_over(&session, version_table, conduct).await;
    if let Ok(adopted) = &mut adopted {
        match project.differences(&session, adopted, conduct).await {
            Ok(differences) => adopted.differences = differences,
            Err(error) if error.category() == Category::Stopped => {
                adopted.not_compared = Some("it was stopped".to_owned());
            }
            Err(error) => adopted.not_compared = Some(causes(&error).join(": ")),
        }
    }
    close(Some(session)).await;
    adopted
}

impl Project<'_> {
    async fn take_over(
        &self,
        session: &Session,
        version_table: &str,
        conduct: &Conduct<'_>,
    ) -> Result<Adopted, CommandError> {
        let alembic = alembic_rows(session, version_table).await?;
        if alembic.is_empty() {
            return Err(nothing_in(version_table));
        }
        let is_known = |id: &str| self.graph.header(&id.into()).is_some();
        let unknown: Vec<String> = alembic.iter().filter(|id| !is_known(id)).cloned().collect();
        if !unknown.is_empty() {
            let known = self.graph.headers().map(|header| header.id.clone()).collect();
            return Err(CommandError::UnknownAlembic {
                version_table: version_table.to_owned(),
                unknown,
                known,
            });
        }
        let targets: Vec<Target> = alembic.iter().map(|id| id.parse()).collect::<Result<_, _>>()?;
        let locked = self.lock(session, "adopt", conduct).await?;
        let from = (version_table, alembic);
        let adopted = self.record_adoption(&locked, from, &targets, conduct).await;
        locked.release().await;
        adopted
    }

    /// Records what Alembic has applied.
    async fn record_adoption(
        &self,
        locked: &Locked<'_>,
        (version_table, alembic): (&str, Vec<String>),
        targets: &[Target],
        conduct: &Conduct<'_>,
    ) -> Result<Adopted, CommandError> {
        let state = self.state(Some(locked.session())).await?;
        state.refuse_unknown()?;
        let after = self.graph.applied_from_heads(&alembic)?;
        if !state.order.iter().all(|id| after.contains(&self.graph, id)) {
            return Err(CommandError::AlreadyAdopted {
                heads: state.applied.heads(&self.graph),
            });
        }
        let mut recorded = self.graph.stamp(&Applied::default(), targets)?.added;
        recorded.retain(|id| !state.applied.contains(&self.graph, id));
        if !recorded.is_empty() {
            self.install(locked, &state, conduct).await?;
            let run = super::new_run();
            let mut entries = Vec::with_capacity(recorded.len());
            for id in &recorded {
                // Alembic ran its own SQL, so there is none of ours to compare with later.
                entries.push(self.declared_revision(&run, Kind::Adopt, Direction::Up, id));
            }
            self.ledger.record_all(locked, &entries).await?;
        }
        Ok(Adopted {
            version_table: version_table.to_owned(),
            alembic,
            recorded,
            heads: after.heads(&self.graph),
            differences: Vec::new(),
            not_compared: None,
        })
    }

    /// Returns what would turn the schema of the database into the one that the revisions make.
    async fn differences(
        &self,
        session: &Session,
        adopted: &Adopted,
        conduct: &Conduct<'_>,
    ) -> Result<Vec<Operation>, CommandError> {
        let targets: Vec<Target> = adopted
            .heads
            .iter()
            .map(|id| id.as_str().parse())
            .collect::<Result<_, _>>()?;
        let steps = self.graph.stamp(&Applied::default(), &targets)?.added;
        let steps = steps.into_iter().map(|revision| Step {
            revision,
            direction: Direction::Up,
        });
        let beside = self.environment.database.as_ref();
        let rehearsed = Rehearsed::after(self.environment, steps.collect(), beside, &conduct.stop).await?;
        let mut scope = self.environment.scope();
        scope.ignore = scope.ignore.and(&adopted.version_table);
        let made = rehearsed.catalog(&scope).await;
        rehearsed.remove().await?;
        let made = made?;
        let live = inspect(session.connection(), &scope)
            .await
            .map_err(DriftError::from)?;
        let found = diff(&live, &made, &Policy::default()).map_err(DriftError::from)?;
        Ok(found.operations)
    }
}

/// Returns what Alembic's table says, nothing where there is none.
pub(super) async fn alembic_rows(
    session: &Session,
    version_table: &str,
) -> Result<Vec<String>, CommandError> {
    let failed = |source: DbErr| CommandError::Query {
        action: "read Alembic's table",
        source: source.into(),
    };
    let table = quoted(version_table);
    let query = format!("SELECT version_num FROM {table} ORDER BY version_num");
    match session.rows(&query).await {
        Ok(rows) => rows
            .iter()
            .map(|row| row.try_get("", "version_num").map_err(failed))
            .collect(),
        Err(error) if Fault::of(&error) == Fault::UndefinedTable => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}

fn nothing_in(version_table: &str) -> CommandError {
    CommandError::NothingToAdopt {
        version_table: version_table.to_owned(),
    }
}
