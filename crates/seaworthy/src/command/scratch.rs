//! What revisions or SQL files make, found out on a scratch database that is removed again.

use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use super::CommandError;
use super::sql_files::SqlFiles;
use super::verify::{Place, plan, rehearse};
use crate::catalog::{Catalog, Scope, inspect};
use crate::environment::Environment;
use crate::graph::Step;
use crate::revision::Direction;
use crate::session::{Access, DatabaseUrl, Session, Settings};
use crate::sql::quoted;
use crate::verify::{DriftError, ScratchDatabase};

/// A scratch database beside another, to which revisions have been applied, or into which SQL files were loaded.
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
        Self::filled(beside, async |scratch| {
            let mut environment = environment.clone().database(scratch.url().clone());
            // A scratch database has no schema but its first.
            environment.settings.schema = None;
            rehearse(&environment, &plan(steps, Direction::Up), stop).await?;
            Ok(Settings::default())
        })
        .await
    }

    /// Makes a scratch database and loads SQL files into it; what they make without a schema is made in `schema`.
    pub(super) async fn loaded(
        files: &SqlFiles,
        beside: Option<&DatabaseUrl>,
        schema: Option<&str>,
    ) -> Result<Self, CommandError> {
        Self::filled(beside, async |scratch| {
            let first = Session::open(scratch.url(), &Settings::default(), Access::Write).await?;
            let loaded = load(files, &first, schema).await;
            // What a file sets, an empty search path for example, is gone with the session.
            first.close().await;
            loaded?;
            Ok(Settings {
                schema: schema.map(str::to_owned),
                ..Settings::default()
            })
        })
        .await
    }

    /// Makes a scratch database, has it filled, and opens a session on it with the settings that come out.
    async fn filled(
        beside: Option<&DatabaseUrl>,
        fill: impl AsyncFnOnce(&ScratchDatabase) -> Result<Settings, CommandError>,
    ) -> Result<Self, CommandError> {
        let scratch = Place::beside(beside).scratch().await?;
        let made = async {
            let settings = fill(&scratch).await?;
            Ok(Session::open(scratch.url(), &settings, Access::Write).await?)
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

    /// Returns the schema that the revisions or files have made.
    pub(super) async fn catalog(&self, scope: &Scope) -> Result<Catalog, CommandError> {
        let catalog = inspect(self.session.connection(), scope).await;
        Ok(catalog.map_err(DriftError::from)?)
    }

    pub(super) async fn remove(self) -> Result<(), CommandError> {
        self.session.close().await;
        Ok(self.scratch.remove().await?)
    }
}

async fn load(files: &SqlFiles, session: &Session, schema: Option<&str>) -> Result<(), CommandError> {
    if let Some(schema) = schema {
        let failed = |source: DbErr| CommandError::Query {
            action: "make a schema in a scratch database",
            source: source.into(),
        };
        let name = quoted(schema);
        if !files.make_schema(schema) {
            let make = format!("CREATE SCHEMA IF NOT EXISTS {name}");
            session.send(&make).await.map_err(failed)?;
        }
        let find = format!("SET search_path TO {name}");
        session.send(&find).await.map_err(failed)?;
    }
    files.load(session).await
}
