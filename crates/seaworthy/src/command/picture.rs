//! `graph` and `erd`: the revisions and the schema as pictures.

use tokio_util::sync::CancellationToken;

use super::upgrade::close;
use super::verify::{Place, plan, rehearse};
use super::{CommandError, Project};
use crate::autogenerate::{Policy, diff};
use crate::catalog::{Catalog, Dialect, Scope, inspect};
use crate::environment::Environment;
use crate::graph::{Applied, Step, Target};
use crate::picture::{RevisionPicture, SchemaPicture};
use crate::revision::{Direction, RevisionId};
use crate::session::{Access, Session, Settings};
use crate::verify::DriftError;

/// Whether the database is asked where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indicate {
    /// It is not; none has to be named.
    Nothing,
    /// It is, and what is applied is marked.
    Current,
}

/// What the picture of a revision's schema shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Highlight {
    /// The schema.
    Nothing,
    /// The schema, and what the revision has changed about the one before.
    Changes,
}

/// Draws all revisions.
///
/// # Errors
///
/// Fails when the revisions make no sense, or the database is to be asked and cannot be read.
pub async fn graph(environment: &Environment, indicate: Indicate) -> Result<RevisionPicture, CommandError> {
    let project = Project::of(environment)?;
    let applied = match indicate {
        Indicate::Nothing => None,
        Indicate::Current => Some(project.applied_now().await?),
    };
    Ok(RevisionPicture::of(&project.graph, applied.as_ref()))
}

/// Draws the schema of the database as it is.
///
/// # Errors
///
/// Fails when the database cannot be read.
pub async fn erd(environment: &Environment) -> Result<SchemaPicture, CommandError> {
    let project = Project::of(environment)?;
    let reader = project.reader().await?;
    let catalog = match &reader {
        Some(session) => catalog(session, &environment.scope()).await,
        None => Ok(Catalog::new(Dialect::Sqlite)),
    };
    close(reader).await;
    Ok(SchemaPicture::of("Schema of the database", &catalog?))
}

/// Draws the schema that the revisions up to a target make, on a scratch database beside the one that is named, or on
/// SQLite.
///
/// # Errors
///
/// Fails when the target makes no sense, or the revisions cannot be applied to a scratch database.
pub async fn erd_of(
    environment: &Environment,
    target: &Target,
    highlight: Highlight,
    stop: &CancellationToken,
) -> Result<SchemaPicture, CommandError> {
    let project = Project::of(environment)?;
    let steps = project.graph.upgrade(&Applied::default(), target)?.steps;
    let title = project.title(steps.last().map(|step| &step.revision));
    let before = match highlight {
        Highlight::Nothing => 0,
        Highlight::Changes => steps.len().saturating_sub(1),
    };
    let scratch = Place::beside(environment.database.as_ref()).scratch().await?;
    let mut environment = environment.clone().database(scratch.url().clone());
    environment.settings.schema = None;
    let made = made(&environment, &steps, before, stop).await;
    let removed = scratch.remove().await;
    let (earlier, later) = made?;
    removed?;
    if highlight == Highlight::Nothing {
        return Ok(SchemaPicture::of(title, &later));
    }
    let difference = diff(&earlier, &later, &Policy::default()).map_err(DriftError::from)?;
    Ok(SchemaPicture::of_change(title, &earlier, &later, &difference))
}

/// Applies revisions to a scratch database; returns the schema after some of them and after all.
async fn made(
    environment: &Environment,
    steps: &[Step],
    first: usize,
    stop: &CancellationToken,
) -> Result<(Catalog, Catalog), CommandError> {
    let url = environment.database.as_ref().ok_or(CommandError::NoDatabase)?;
    let session = Session::open(url, &Settings::default(), Access::Write).await?;
    let rehearsed = async {
        let (some, rest) = steps.split_at(first);
        rehearse(environment, &plan(some.to_vec(), Direction::Up), stop).await?;
        let earlier = catalog(&session, &environment.scope()).await?;
        rehearse(environment, &plan(rest.to_vec(), Direction::Up), stop).await?;
        Ok((earlier, catalog(&session, &environment.scope()).await?))
    };
    let rehearsed = rehearsed.await;
    session.close().await;
    rehearsed
}

async fn catalog(session: &Session, scope: &Scope) -> Result<Catalog, CommandError> {
    let catalog = inspect(session.connection(), scope).await;
    Ok(catalog.map_err(DriftError::from)?)
}

impl Project<'_> {
    fn title(&self, revision: Option<&RevisionId>) -> String {
        let header = revision.and_then(|revision| self.graph.header(revision));
        match header {
            Some(header) if header.message.is_empty() => format!("Schema at {}", header.id),
            Some(header) => format!("Schema at {}: {}", header.id, header.message),
            None => "Schema at base".to_owned(),
        }
    }
}
