//! `backfill`: where backfills stand, and how fast they go; and the revisions that wait for them.

use super::{CommandError, Project};
use crate::backfill::{self, BackfillError, Standing, Throttle};
use crate::environment::Environment;
use crate::graph::Plan;
use crate::revision::Direction;
use crate::session::{Access, Session};

/// What is asked of a backfill.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BackfillChange {
    /// To rest from its next batch on.
    Pause,
    /// To go on.
    Resume,
    /// To go slower or faster.
    Throttle(Throttle),
}

/// Returns where each backfill stands, oldest first; creates nothing.
///
/// # Errors
///
/// Fails when the database cannot be read.
pub async fn backfills(environment: &Environment) -> Result<Vec<Standing>, CommandError> {
    let project = Project::of(environment)?;
    let Some(session) = project.reader().await? else {
        return Ok(Vec::new());
    };
    let standings = backfill::known(session.connection()).await;
    session.close().await;
    standings.map_err(|source| CommandError::Query {
        action: "read where backfills stand",
        source: source.into(),
    })
}

/// Changes how a backfill goes, whether it runs at the moment or not; takes no lock.
///
/// # Errors
///
/// Fails when there is no such backfill on the database.
pub async fn change_backfill(
    environment: &Environment,
    name: &str,
    change: BackfillChange,
) -> Result<Standing, CommandError> {
    let project = Project::of(environment)?;
    let Some(session) = environment.open(project.url()?, Access::Read).await? else {
        let (name, known) = (name.to_owned(), Vec::new());
        let source = BackfillError::Unknown { name, known };
        return Err(CommandError::Backfill { source });
    };
    let connection = session.connection();
    let changed = match change {
        BackfillChange::Pause => backfill::pause(connection, name).await,
        BackfillChange::Resume => backfill::resume(connection, name).await,
        BackfillChange::Throttle(throttle) => backfill::throttle(connection, name, throttle).await,
    };
    session.close().await;
    changed.map_err(|source| CommandError::Backfill { source })
}

impl Project<'_> {
    /// Refuses a plan with a revision that needs a backfill which is not done, and which the plan does not do before.
    pub(super) async fn heed_backfills(&self, session: &Session, plan: &Plan) -> Result<(), CommandError> {
        let mut done_before = Vec::new();
        for step in plan.steps.iter().filter(|step| step.direction == Direction::Up) {
            let (header, revision) = self.resolve(step);
            for name in &header.requires_backfills {
                if done_before.contains(name) {
                    continue;
                }
                backfill::require(session.connection(), name)
                    .await
                    .map_err(|source| CommandError::NeedsBackfill {
                        revision: step.revision.clone(),
                        source,
                    })?;
            }
            done_before.extend(
                revision
                    .backfills()
                    .iter()
                    .map(|backfill| backfill.name().to_owned()),
            );
        }
        Ok(())
    }
}
