//! What a command that runs revisions has brought about.

use serde::Serialize;

use super::state::{State, text};
use super::{CommandError, Conduct, Project, Stakes};
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

    /// Runs a plan under the lock; what is at stake was agreed to.
    pub(super) async fn run(
        &self,
        locked: &Locked<'_>,
        kind: Kind,
        plan: &Plan,
        state: &State,
        (agreed, changed): (&Stakes, Vec<Changed>),
        conduct: &Conduct<'_>,
    ) -> Result<Outcome, CommandError> {
        let session = locked.session();
        self.install(locked, state, conduct).await?;
        let work = self
            .work(plan, state, agreed, dialect_of(session.backend()))
            .await?;
        let ledger = self.ledger.located(session).await?;
        let remembered = session.remember().await.map_err(|source| CommandError::Query {
            action: "read how the session is set",
            source: source.into(),
        })?;
        let run = Run {
            locked,
            ledger: &ledger,
            state: &remembered,
            kind,
            id: super::new_run(),
            actor: &self.environment.actor,
            retries: conduct.retries,
            stop: &conduct.stop,
            observer: conduct.observer,
            may_destroy: &|lost| {
                let uncounted = lost.to_vec();
                (conduct.consent)(&Stakes {
                    uncounted,
                    ..Stakes::default()
                })
            },
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
