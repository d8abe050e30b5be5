//! `stamp`: declare where a database stands, without running anything.

use serde::Serialize;

use super::state::State;
use super::{CommandError, Conduct, Project, Stakes};
use crate::environment::Environment;
use crate::graph::{Applied, StampPlan, Target};
use crate::ledger::{Entry, Kind, Moment, Outcome, now};
use crate::revision::{Direction, RevisionId};
use crate::session::{Session, dialect_of};

/// Whether everything that is recorded goes before the new place is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// Other branches keep their rows.
    Keep,
    /// Every row goes that the targets do not need, those that no revision knows included.
    All,
}

/// What a stamp has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stamped {
    /// Rows that went.
    pub removed: Vec<String>,
    /// Revisions that count as applied now.
    pub added: Vec<RevisionId>,
    /// Where the database stands now.
    pub heads: Vec<RevisionId>,
}

/// Declares that a database stands at these targets.
///
/// # Errors
///
/// Fails when a target makes no sense, when the database is at revisions that are not known and they are not to be purged,
/// when a purge is not agreed to, or when the lock is not obtained.
pub async fn stamp(
    environment: &Environment,
    targets: &[Target],
    purge: Purge,
    conduct: &Conduct<'_>,
) -> Result<Stamped, CommandError> {
    let project = Project::of(environment)?;
    let reader = conduct.unless_stopped(project.reader()).await?;
    let state = project.state(reader.as_ref()).await?;
    let plan = project.stamp_plan(&state, targets, purge)?;
    if purge == Purge::All {
        let forgotten = plan.removed.len() + state.unknown.len();
        let stakes = Stakes {
            version_rows: forgotten,
            ..Stakes::default()
        };
        if !stakes.is_nothing() && !(conduct.consent)(&stakes) {
            return Err(CommandError::Refused {
                stakes: Box::new(stakes),
            });
        }
    }
    let session = match reader {
        Some(session) => session,
        None => project.writer().await?,
    };
    let stamped = project.write_stamp(&session, targets, purge, conduct).await;
    session.close().await;
    stamped
}

impl Project<'_> {
    fn stamp_plan(&self, state: &State, targets: &[Target], purge: Purge) -> Result<StampPlan, CommandError> {
        match purge {
            Purge::Keep => {
                state.refuse_unknown()?;
                Ok(self.graph.stamp(&state.applied, targets)?)
            }
            Purge::All => {
                let after = self.graph.stamp(&Applied::default(), targets)?.after;
                let mut removed = state.order.clone();
                removed.retain(|id| !after.contains(&self.graph, id));
                removed.reverse();
                let mut added = self.graph.stamp(&Applied::default(), targets)?.added;
                added.retain(|id| !state.applied.contains(&self.graph, id));
                Ok(StampPlan {
                    removed,
                    added,
                    after,
                })
            }
        }
    }

    async fn write_stamp(
        &self,
        session: &Session,
        targets: &[Target],
        purge: Purge,
        conduct: &Conduct<'_>,
    ) -> Result<Stamped, CommandError> {
        let locked = self.lock(session, "stamp", conduct).await?;
        let state = self.state(Some(session)).await?;
        let plan = self.stamp_plan(&state, targets, purge)?;
        self.install(&locked, &state, conduct).await?;
        let run = super::new_run();
        let mut entries = Vec::new();
        let mut removed = Vec::new();
        for row in state.unknown.iter().filter(|_| purge == Purge::All) {
            entries.push(self.declared(
                &run,
                Kind::Stamp,
                Direction::Down,
                &row.name,
                &row.name,
                Moment::At(now()),
            ));
            removed.push(row.name.clone());
        }
        for id in &plan.removed {
            entries.push(self.declared_revision(&run, Kind::Stamp, Direction::Down, id));
            removed.push(id.to_string());
        }
        for id in &plan.added {
            let mut entry = self.declared_revision(&run, Kind::Stamp, Direction::Up, id);
            entry.checksum = self.checksum_of(id, session).await;
            entries.push(entry);
        }
        if !entries.is_empty() {
            self.ledger.record_all(&locked, &entries).await?;
        }
        locked.release().await;
        Ok(Stamped {
            removed,
            added: plan.added,
            heads: plan.after.heads(&self.graph),
        })
    }

    /// Returns the checksum of what a revision would send if it were applied.
    pub(super) async fn checksum_of(&self, id: &RevisionId, session: &Session) -> Option<String> {
        let revision = self.environment.revision(&self.graph.header(id)?.name)?;
        let script = self.recorded(revision, Direction::Up, dialect_of(session.backend()));
        script.await.checksum()
    }

    /// Returns an entry for a revision that is declared applied, or not applied any more.
    pub(super) fn declared_revision(
        &self,
        run: &str,
        kind: Kind,
        direction: Direction,
        id: &RevisionId,
    ) -> Entry {
        let name = self
            .graph
            .header(id)
            .map_or_else(|| id.as_str(), |header| header.name.as_str());
        self.declared(run, kind, direction, id.as_str(), name, Moment::At(now()))
    }

    pub(super) fn declared(
        &self,
        run: &str,
        kind: Kind,
        direction: Direction,
        revision: &str,
        name: &str,
        at: Moment,
    ) -> Entry {
        Entry {
            id: 0,
            run: run.to_owned(),
            kind,
            direction,
            revision: revision.to_owned(),
            name: name.to_owned(),
            stage: self.graph.stored(name).map(|header| header.stage),
            outcome: Outcome::Done,
            started_at: at,
            finished_at: Some(at),
            duration_ms: None,
            error: None,
            checksum: None,
            parts_done: None,
            accepted: Vec::new(),
            actor: self.environment.actor.clone(),
        }
    }
}
