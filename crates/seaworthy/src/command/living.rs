//! Who is alive, and what a plan would take away from them.

use sea_orm::DbErr;

use super::stakes::taken_along;
use super::state::State;
use super::{CommandError, Conduct, Project};
use crate::graph::Plan;
use crate::heartbeat::{self, Alive, InUse, Touched, in_use};
use crate::revision::{Direction, RevisionId};
use crate::script::removals;
use crate::session::{Fault, Session, dialect_of};

/// What to do about living processes that still want what a step removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Living {
    /// Refuse to run anything.
    Heed,
    /// Run it all the same.
    Ignore,
}

impl Project<'_> {
    /// Refuses a plan that takes something away from living processes; the table that tells of them is made where it is
    /// missing and something is going to be written anyway.
    pub(super) async fn heed_the_living(
        &self,
        session: &Session,
        plan: &Plan,
        state: &State,
        conduct: &Conduct<'_>,
    ) -> Result<(), CommandError> {
        let Some(living) = heartbeat::alive(session).await.map_err(unreadable)? else {
            if plan.direction == Direction::Up
                && let Err(error) = heartbeat::install(session.connection()).await
            {
                // Applications go unnoticed then; that must not keep anybody from migrating.
                tracing::warn!(%error, "the table {} could not be made", heartbeat::TABLE);
            }
            return Ok(());
        };
        if conduct.living == Living::Ignore {
            return Ok(());
        }
        match self.in_use(plan, state, &living, session).await? {
            wants if wants.is_empty() => Ok(()),
            wants => Err(CommandError::StillInUse { wants }),
        }
    }

    /// Returns what the steps of a plan remove or change although a living process still wants it.
    pub(super) async fn in_use(
        &self,
        plan: &Plan,
        state: &State,
        living: &[Alive],
        session: &Session,
    ) -> Result<Vec<InUse>, CommandError> {
        // Before the first revision there is nothing that anybody could be using.
        if living.is_empty() || state.order.is_empty() {
            return Ok(Vec::new());
        }
        let mut wants = Vec::new();
        for step in &plan.steps {
            let (header, _) = self.resolve(step);
            let script = self.script_of(step, dialect_of(session.backend())).await;
            let removals = removals(&script);
            let mut removed = taken_along(session, &script, &removals.rebuilt)
                .await
                .map_err(unreadable)?;
            removed.extend(removals.gone);
            let mut touched = Touched::default();
            if step.direction == Direction::Up {
                removed.extend(header.removes.iter().cloned());
                touched.changed.clone_from(&header.changes);
            }
            touched.removed = removed;
            let knows = |alive: &Alive| self.knows(alive, &step.revision);
            wants.extend(in_use(living, &step.revision, step.direction, &touched, knows));
        }
        Ok(wants)
    }

    /// Returns whether a build was built with a revision: it knows a head that is or needs it.
    fn knows(&self, alive: &Alive, revision: &RevisionId) -> bool {
        let heads = alive.build.knows.iter();
        let heads = heads.filter(|id| self.graph.header(&RevisionId::from(id.as_str())).is_some());
        self.graph
            .applied_from_heads(heads)
            .is_ok_and(|known| known.contains(&self.graph, revision))
    }
}

/// Returns who is alive, for showing it; nobody where that may not be read.
pub(super) async fn living(session: &Session) -> Result<Vec<Alive>, CommandError> {
    match heartbeat::alive(session).await {
        Err(error) if Fault::of(&error) == Fault::Permission => {
            tracing::debug!(%error, "who is alive may not be read");
            Ok(Vec::new())
        }
        living => Ok(living.map_err(unreadable)?.unwrap_or_default()),
    }
}

fn unreadable(source: DbErr) -> CommandError {
    CommandError::Query {
        action: "read which applications are running",
        source: source.into(),
    }
}
