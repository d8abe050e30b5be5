//! The two sides of a comparison, and what reads or makes the schema of each.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use tokio_util::sync::CancellationToken;

use super::CompareRequest;
use crate::catalog::{
    Catalog, DeclareError, Dialect, InspectError, Scope, Target as Declared, inspect, normalize,
};
use crate::command::scratch::Rehearsed;
use crate::command::sql_files::{Roles, SqlFiles, is_sql_file};
use crate::command::upgrade::close;
use crate::command::{CommandError, Project};
use crate::environment::Environment;
use crate::graph::{Applied, Target};
use crate::session::{Access, DatabaseUrl, Session, dialect_of};
use crate::verify::DriftError;

/// One side of a comparison.
#[derive(Clone, Debug)]
pub enum Side {
    /// The entities.
    Entities,
    /// A live database.
    Database(DatabaseUrl),
    /// A snapshot file.
    Snapshot(PathBuf),
    /// What the revisions up to here make, found out on a scratch database.
    Revision(Target),
    /// What SQL files make, found out on a scratch database: loaded one after another, those of a folder by their names.
    Sql(Vec<PathBuf>),
}

impl FromStr for Side {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "entities" {
            return Ok(Self::Entities);
        }
        // The second is libpq's way to write an address: refused as one, because what names a file is shown.
        if text.contains(':') || text.contains("password=") {
            let url = text.parse().map_err(|source| CommandError::Address { source })?;
            return Ok(Self::Database(url));
        }
        let path = PathBuf::from(text);
        let listed: Vec<PathBuf> = text.split(',').map(PathBuf::from).collect();
        if path.is_dir() || listed.iter().all(|path| is_sql_file(path)) {
            return Ok(Self::Sql(if path.is_dir() { vec![path] } else { listed }));
        }
        if path.is_file() {
            return Ok(Self::Snapshot(path));
        }
        let is_file_name = path.extension().is_some() || path.components().count() > 1;
        if is_file_name {
            return Err(CommandError::NoFile {
                what: "snapshot",
                path,
            });
        }
        Ok(Self::Revision(text.parse()?))
    }
}

/// What understands a declaration.
pub(super) enum Engine<'a> {
    /// A session that was opened for this.
    Own(Box<Session>),
    /// A scratch database that is there anyway.
    Scratch(&'a Session),
}

impl Engine<'_> {
    pub(super) fn session(&self) -> &Session {
        match self {
            Self::Own(session) => session,
            Self::Scratch(session) => session,
        }
    }
}

pub(super) fn read_snapshot(path: &Path) -> Result<Catalog, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|source| CommandError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Catalog::from_json(&text).map_err(|source| CommandError::Snapshot {
        path: path.to_owned(),
        source,
    })
}

impl Project<'_> {
    pub(in crate::command) fn target(&self) -> Result<&Declared, CommandError> {
        self.environment
            .target
            .as_ref()
            .filter(|target| !target.is_empty())
            .ok_or(CommandError::NoEntities)
    }

    /// Connects to the database for reading; to an empty one in memory when it does not exist yet.
    pub(in crate::command) async fn schema_session(&self) -> Result<Session, CommandError> {
        self.session_at(self.url()?).await
    }

    pub(super) async fn session_at(&self, url: &DatabaseUrl) -> Result<Session, CommandError> {
        if let Some(session) = self.environment.open(url, Access::Read).await? {
            return Ok(session);
        }
        memory(self.environment).await
    }

    pub(super) async fn rehearsed(
        &self,
        side: &Side,
        beside: Option<&DatabaseUrl>,
        request: &CompareRequest,
    ) -> Result<Option<Rehearsed>, CommandError> {
        Ok(Some(match side {
            Side::Revision(target) => {
                let steps = self.graph.upgrade(&Applied::default(), target)?.steps;
                Rehearsed::after(self.environment, steps, beside, &request.stop).await?
            }
            Side::Sql(paths) => {
                let roles = match request.with.is_empty() {
                    true => Roles::PassOver,
                    false => Roles::Load,
                };
                let files = SqlFiles::read(paths, roles)?;
                Rehearsed::loaded(&files, beside, self.first_schema(beside).as_deref()).await?
            }
            Side::Entities | Side::Database(_) | Side::Snapshot(_) => return Ok(None),
        }))
    }

    /// Returns the schema that was named for a database; it is the first where several were.
    fn first_schema(&self, beside: Option<&DatabaseUrl>) -> Option<String> {
        let is_postgresql = beside.is_some_and(|url| dialect_of(url.backend()) == Dialect::Postgresql);
        let mut named = self.environment.settings.schemas().into_iter();
        named.next().filter(|_| is_postgresql)
    }

    /// Refuses to compare with entities where there are none, before anything is asked.
    pub(super) fn refuse_no_entities(&self, wanted: &Side) -> Result<(), CommandError> {
        match wanted {
            Side::Entities => self.target().map(drop),
            Side::Database(_) | Side::Snapshot(_) | Side::Revision(_) | Side::Sql(_) => Ok(()),
        }
    }

    /// Returns the schema that is wanted of the database of a session.
    pub(in crate::command) async fn wanted(
        &self,
        session: &Session,
        side: &Side,
        request: &CompareRequest,
    ) -> Result<Catalog, CommandError> {
        self.refuse_no_entities(side)?;
        let rehearsed = self.rehearsed(side, Some(self.url()?), request).await?;
        // Each session stands in the schema that was named for it: the settings may name several.
        let wanted = self
            .side(session, side, rehearsed.as_ref(), &self.environment.scope())
            .await;
        if let Some(scratch) = rehearsed {
            scratch.remove().await?;
        }
        wanted
    }

    /// Returns the schema of a side. What a scratch database of few revisions does not know, an extension or a function that
    /// a declaration needs, is there when all revisions are applied.
    pub(super) async fn understood(
        &self,
        engine: &Engine<'_>,
        side: &Side,
        rehearsed: Option<&Rehearsed>,
        stop: &CancellationToken,
    ) -> Result<Catalog, CommandError> {
        let scope = self.environment.scope();
        let read = self.side(engine.session(), side, rehearsed, &scope).await;
        let (Engine::Scratch(_), Err(error)) = (engine, &read) else {
            return read;
        };
        let lacks_something = matches!(
            error,
            CommandError::Drift(error) if matches!(**error, DriftError::Declare(DeclareError::Rejected { .. }))
        );
        if !lacks_something {
            return read;
        }
        let all = Target::from_str("heads").expect("it is a target");
        let steps = self.graph.upgrade(&Applied::default(), &all)?.steps;
        let beside = self.environment.database.as_ref();
        let ahead = Rehearsed::after(self.environment, steps, beside, stop).await?;
        let read = self.side(&ahead.session, side, rehearsed, &scope).await;
        ahead.remove().await?;
        read
    }

    pub(super) async fn side(
        &self,
        engine: &Session,
        side: &Side,
        rehearsed: Option<&Rehearsed>,
        scope: &Scope,
    ) -> Result<Catalog, CommandError> {
        match side {
            Side::Revision(_) | Side::Sql(_) => {
                let rehearsed = rehearsed.expect("a side that takes a scratch database has one");
                rehearsed.catalog(scope).await
            }
            Side::Entities => {
                let catalog = self.target()?.catalog(engine.connection(), scope).await;
                Ok(catalog.map_err(DriftError::from)?)
            }
            Side::Database(url) => {
                let session = self.session_at(url).await?;
                let read: Result<Catalog, InspectError> = inspect(session.connection(), scope).await;
                close(Some(session)).await;
                Ok(read.map_err(DriftError::from)?)
            }
            Side::Snapshot(path) => {
                let written = read_snapshot(path)?;
                let catalog = normalize(engine.connection(), scope, &written).await;
                Ok(catalog.map_err(DriftError::from)?)
            }
        }
    }
}

/// Connects to an empty database that is nowhere.
pub(super) async fn memory(environment: &Environment) -> Result<Session, CommandError> {
    let memory: DatabaseUrl = "sqlite::memory:".parse().expect("it is an address");
    Ok(Session::open(&memory, &environment.settings, Access::Write).await?)
}
