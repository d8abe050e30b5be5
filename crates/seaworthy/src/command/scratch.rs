//! The schema that revisions make, found out on a scratch database that is removed again.

use tokio_util::sync::CancellationToken;

use super::CommandError;
use super::verify::{Place, plan, rehearse};
use crate::catalog::{Catalog, Scope, inspect};
use crate::environment::Environment;
use crate::graph::Step;
use crate::revision::Direction;
use crate::session::{Access, DatabaseUrl, Session, Settings};
use crate::verify::DriftError;

/// Applies revisions to a scratch database beside a database and returns the schema that they make.
pub(super) async fn schema_after(
    environment: &Environment,
    steps: Vec<Step>,
    beside: Option<&DatabaseUrl>,
    stop: &CancellationToken,
) -> Result<Catalog, CommandError> {
    let scratch = Place::beside(beside).scratch().await?;
    let mut environment = environment.clone().database(scratch.url().clone());
    // A scratch database has no schema but its first.
    environment.settings.schema = None;
    let made = async {
        rehearse(&environment, &plan(steps, Direction::Up), stop).await?;
        let session = Session::open(scratch.url(), &Settings::default(), Access::Write).await?;
        let catalog = inspect(session.connection(), &Scope::default()).await;
        session.close().await;
        Ok(catalog.map_err(DriftError::from)?)
    };
    let made: Result<Catalog, CommandError> = made.await;
    // Also after a failure: a scratch database must not stay on somebody's server.
    let removed = scratch.remove().await;
    let catalog = made?;
    removed?;
    Ok(catalog)
}
