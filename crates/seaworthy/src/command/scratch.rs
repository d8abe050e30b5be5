//! What revisions make, found out on a scratch database that is removed again.

use tokio_util::sync::CancellationToken;

use super::CommandError;
use super::verify::{Place, plan, rehearse};
use crate::catalog::{Catalog, Scope, inspect};
use crate::environment::Environment;
use crate::graph::Step;
use crate::revision::Direction;
use crate::session::{Access, DatabaseUrl, Session, Settings};
use crate::verify::{DriftError, ScratchDatabase};

/// A scratch database beside another, to which revisions have been applied.
pub(super) struct Rehearsed {
    scratch: ScratchDatabase,
    pub(super) session: Session,
}

impl Rehearsed {
    /// Makes a scratch database and applies revisions to it.
    pub(super) async fn after(
        environment: &Environment,
        steps: Vec<Step>,
        beside: Option<&DatabaseUrl>,
        stop: &CancellationToken,
    ) -> Result<Self, CommandError> {
        let scratch = Place::beside(beside).scratch().await?;
        let mut environment = environment.clone().database(scratch.url().clone());
        // A scratch database has no schema but its first.
        environment.settings.schema = None;
        let made = async {
            rehearse(&environment, &plan(steps, Direction::Up), stop).await?;
            Ok(Session::open(scratch.url(), &Settings::default(), Access::Write).await?)
        };
        let made: Result<Session, CommandError> = made.await;
        match made {
            Ok(session) => Ok(Self { scratch, session }),
            Err(error) => {
                // Also after a failure: a scratch database must not stay on somebody's server.
                scratch.remove().await?;
                Err(error)
            }
        }
    }

    /// Returns the schema that the revisions have made.
    pub(super) async fn catalog(&self) -> Result<Catalog, CommandError> {
        let catalog = inspect(self.session.connection(), &Scope::default()).await;
        Ok(catalog.map_err(DriftError::from)?)
    }

    pub(super) async fn remove(self) -> Result<(), CommandError> {
        self.session.close().await;
        Ok(self.scratch.remove().await?)
    }
}
