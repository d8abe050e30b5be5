//! What a command that runs revisions has brought about.

use serde::Serialize;

use super::state::{State, text};
use super::{CommandError, Conduct, Project};
use crate::graph::Plan;
use crate::ledger::{Entry, Kind};
use crate::revision::{Header, RevisionId};
use crate::runner::{Report, Run};
use crate::session::{Locked, dialect_of};

/// What a command that runs revisions has brought about.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// What was run; nothing when there was nothing to do.
    pub report: Option<Report>,
    /// Whether another run did the work while this one waited for the lock.
    pub done_elsewhere: bool,
    /// What is worth knowing, above all when there was nothing to do.
    pub notes: Vec<String>,
    /// Applied revisions whose SQL is not what it was when they were applied.
    pub changed: Vec<Changed>,
    /// Where the database stands now.
    pub heads: Vec<RevisionId>,
}

/// An applied revision whose SQL is not what it was when it was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The revision.
    pub revision: RevisionId,
    /// SeaORM's name for it.
    pub name: String,
    /// When it was applied, in UTC.
    pub applied_at: String,
    /// Who applied it.
    pub by: String,
    /// The version of the tool that applied it.
    pub tool_version: String,
}

impl Changed {
    pub(super) fn new(header: &Header, entry: &Entry) -> Self {
        Self {
            revision: header.id.clone(),
            name: header.name.clone(),
            applied_at: text(entry.finished_at.unwrap_or(entry.started_at)),
            by: entry.actor.name(),
            tool_version: entry.actor.tool_version.clone(),
        }
    }
}

impl Project<'_> {
    /// Says that there was nothing to do.
    pub(super) fn nothing(&self, plan: &Plan, state: &State, changed: Vec<Changed>, waited: bool) -> Outcome {
        Outcome {
            report: None,
            done_elsewhere: waited,
            notes: plan.notes.iter().map(ToString::to_string).collect(),
            changed,
            heads: state.applied.heads(&self.graph),
        }
    }

    /// Runs a plan under the lock.
    pub(super) async fn run(
        &self,
        locked: &Locked<'_>,
        kind: Kind,
        plan: &Plan,
        state: &State,
        changed: Vec<Changed>,
        conduct: &Conduct<'_>,
    ) -> Result<Outcome, CommandError> {
        let session = locked.session();
        self.install(locked, state, conduct).await?;
        let work = self.work(plan, state, dialect_of(session.backend())).await?;
        let run = Run {
            locked,
            ledger: &self.ledger,
            kind,
            id: super::new_run(),
            actor: &self.environment.actor,
            retries: conduct.retries,
            stop: &conduct.stop,
            observer: conduct.observer,
        };
        let report = run.work_off(&work).await?;
        let heads = self.state(Some(session)).await?.applied.heads(&self.graph);
        let notes = plan.notes.iter().map(ToString::to_string).collect();
        Ok(Outcome {
            report: Some(report),
            done_elsewhere: false,
            notes,
            changed,
            heads,
        })
    }
}
