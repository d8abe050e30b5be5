//! What the revisions send, each recorded once for a command.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::Project;
use crate::graph::Step;
use crate::revision::{Direction, Revision};
use crate::script::{Script, record};
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
    /// Returns what a revision sends; its code is called at the first time only.
    pub(super) async fn recorded(
        &self,
        revision: &dyn Revision,
        direction: Direction,
        dialect: Dialect,
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
        let script = Arc::new(record(revision, direction, backend_of(dialect)).await);
        scripts.insert(key, Arc::clone(&script));
        script
    }

    /// Returns what a step of a plan sends.
    pub(super) async fn script_of(&self, step: &Step, dialect: Dialect) -> Arc<Script> {
        let (_, revision) = self.resolve(step);
        self.recorded(revision, step.direction, dialect).await
    }
}
