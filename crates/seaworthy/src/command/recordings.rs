//! What the revisions send, each recorded once for a command.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::{CommandError, Project};
use crate::graph::{Applied, Plan, Step};
use crate::revision::{Direction, Revision};
use crate::script::{Answers, EmptyDatabase, Known, LiveAnswers, NoDatabase, Script, record, record_probed};
use crate::session::backend_of;
use crate::sql::Dialect;

/// The scripts that a command has recorded so far.
#[derive(Default)]
pub(super) struct Recordings(Mutex<HashMap<Recorded, Arc<Script>>>);

/// What a script was recorded of, and for.
#[derive(PartialEq, Eq, Hash)]
struct Recorded {
    name: String,
    direction: Direction,
    dialect: Dialect,
}

impl Project<'_> {
    /// Returns what a revision sends where no database is asked; its code is called at the first time only.
    pub(super) async fn recorded(
        &self,
        revision: &dyn Revision,
        direction: Direction,
        dialect: Dialect,
    ) -> Arc<Script> {
        let recorded = record(revision, direction, backend_of(dialect));
        self.once(revision, direction, dialect, recorded).await
    }

    /// Returns what a revision sends where this is known, which knows of the revision afterwards; its code is called at the first
    /// time only, and called again then where it may go by how many rows its statements change.
    pub(super) async fn recorded_knowing(
        &self,
        revision: &dyn Revision,
        direction: Direction,
        dialect: Dialect,
        known: &Arc<Known>,
    ) -> Arc<Script> {
        let recorded = record_probed(revision, direction, backend_of(dialect), known);
        self.once(revision, direction, dialect, recorded).await
    }

    /// Returns what was recorded of a revision before, or records it.
    async fn once(
        &self,
        revision: &dyn Revision,
        direction: Direction,
        dialect: Dialect,
        recorded: impl Future<Output = Script>,
    ) -> Arc<Script> {
        let key = Recorded {
            name: revision.name().to_owned(),
            direction,
            dialect,
        };
        // Held while the code runs, so that nobody else records the same meanwhile.
        let mut scripts = self.recordings.0.lock().await;
        if let Some(script) = scripts.get(&key) {
            return Arc::clone(script);
        }
        let script = Arc::new(recorded.await);
        scripts.insert(key, Arc::clone(&script));
        script
    }

    /// Returns what is known at the beginning of a run: what the database answers, read-only and through a connection of its own.
    pub(super) fn known_live(&self, dialect: Dialect) -> Result<Arc<Known>, CommandError> {
        let url = self.url()?;
        let is_private = dialect == Dialect::Sqlite && url.file().is_none();
        // Another connection would see another database in memory.
        let below: Arc<dyn Answers> = match is_private {
            true => Arc::new(NoDatabase),
            false => Arc::new(LiveAnswers::new(url, &self.environment.settings)),
        };
        Ok(Arc::new(Known::over(below, backend_of(dialect))))
    }

    /// Returns what is known where revisions have been applied to an empty database, which people have worked with since.
    pub(super) async fn known_after(
        &self,
        applied: &Applied,
        dialect: Dialect,
    ) -> Result<Arc<Known>, CommandError> {
        let known = Arc::new(Known::over(Arc::new(EmptyDatabase), backend_of(dialect)));
        let mut oldest_first = self.graph.history(None, &Applied::default())?;
        oldest_first.reverse();
        for listed in oldest_first {
            let header = self.graph.header(&listed.revision);
            let Some(header) = header.filter(|header| applied.contains(&self.graph, &header.id)) else {
                continue;
            };
            if let Some(revision) = self.environment.revision(&header.name) {
                // Not kept: a plan may send the same in the other direction, or again.
                record_probed(revision, Direction::Up, backend_of(dialect), &known).await;
            }
        }
        known.forget_rows();
        Ok(known)
    }

    /// Records the steps of a plan in their order, with questions answered by what is known and by what the steps before make of it.
    pub(super) async fn record_plan(&self, plan: &Plan, dialect: Dialect, known: &Arc<Known>) {
        for step in &plan.steps {
            let (_, revision) = self.resolve(step);
            self.recorded_knowing(revision, step.direction, dialect, known)
                .await;
        }
    }

    /// Records the steps of a plan for a script.
    ///
    /// # Errors
    ///
    /// Fails where what a revision sends is not known.
    pub(super) async fn record_script(
        &self,
        plan: &Plan,
        dialect: Dialect,
        known: &Arc<Known>,
    ) -> Result<(), CommandError> {
        for step in &plan.steps {
            let (_, revision) = self.resolve(step);
            let script = self
                .recorded_knowing(revision, step.direction, dialect, known)
                .await;
            let Some(reason) = script.incomplete.clone() else {
                continue;
            };
            let revision = step.revision.clone();
            return Err(match script.irreversible.clone() {
                Some(reason) => CommandError::CannotBeUndone { revision, reason },
                None => CommandError::NotRecordable { revision, reason },
            });
        }
        Ok(())
    }

    /// Forgets what steps send, so that it is recorded again when the database has changed.
    pub(super) async fn forget_recordings(&self, steps: &[Step], dialect: Dialect) {
        let mut scripts = self.recordings.0.lock().await;
        for step in steps {
            let (_, revision) = self.resolve(step);
            let name = revision.name().to_owned();
            let direction = step.direction;
            scripts.remove(&Recorded {
                name,
                direction,
                dialect,
            });
        }
    }

    /// Returns what a step of a plan sends.
    pub(super) async fn script_of(&self, step: &Step, dialect: Dialect) -> Arc<Script> {
        let (_, revision) = self.resolve(step);
        self.recorded(revision, step.direction, dialect).await
    }
}
