//! `check`, `diff` and `snapshot`: how a database and what somebody wants differ; nothing is changed.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use sea_orm::DbErr;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::offline::{Client, one_line};
use super::scratch::Rehearsed;
use super::sql_files::{SqlFiles, is_sql_file};
use super::upgrade::close;
use super::{CommandError, Project};
use crate::autogenerate::{Difference, Note, Operation, Policy, Rename, Risk, Wanted, diff as compare, sql};
use crate::catalog::expression::quoted;
use crate::catalog::{
    Catalog, DeclareError, Dialect, InspectError, Scope, Target as Declared, inspect, normalize,
};
use crate::environment::Environment;
use crate::graph::{Applied, Target};
use crate::session::{Access, DatabaseUrl, Session, dialect_of};
use crate::verify::DriftError;

/// Counting stops here.
const COUNTED: i64 = 100_000;

/// How a database differs from its entities.
#[derive(Clone, Debug, Serialize)]
pub struct DriftReport {
    /// What would turn the database into what is declared.
    #[serde(flatten)]
    pub difference: Difference,
    /// What the live database says about operations that lose rows, or fail because of rows.
    pub stakes: Vec<Stake>,
    /// The operations as SQL.
    pub sql: Vec<String>,
    /// The kind of database whose SQL that is.
    pub dialect: Option<Dialect>,
    /// The schema of the database.
    #[serde(skip)]
    pub(super) live: Catalog,
}

/// What the live database says about an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stake {
    /// The place of the operation in the list.
    pub operation: usize,
    /// What was counted.
    pub counted: Counted,
    /// How many; counting stops above 100,000.
    pub rows: i64,
}

/// What is counted before an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Rows of a table, all of which go.
    RowsLost,
    /// Rows in which a column that goes holds something.
    ValuesLost,
    /// Rows in which a column that may no longer be NULL is.
    Nulls,
    /// Groups of rows that agree where no two may.
    Duplicates,
    /// Rows of a table that gets a column which demands a value.
    RowsWithoutValue,
}

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

/// Compares the database with the entities of the environment.
///
/// # Errors
///
/// Fails when the environment has no entities, when the database cannot be read, or when an agreed rename does not fit.
pub async fn check(environment: &Environment, renames: &[Rename]) -> Result<DriftReport, CommandError> {
    check_to(environment, &Side::Entities, renames, &CancellationToken::new()).await
}

/// Compares the database with what is wanted of it.
///
/// # Errors
///
/// Fails when what is wanted cannot be read or made on a scratch database, when the database cannot be read, when an agreed rename
/// does not fit, or when it is stopped.
pub async fn check_to(
    environment: &Environment,
    wanted: &Side,
    renames: &[Rename],
    stop: &CancellationToken,
) -> Result<DriftReport, CommandError> {
    let project = Project::of(environment)?;
    project.refuse_no_entities(wanted)?;
    let session = project.schema_session().await?;
    let report = async {
        let wanted = project.wanted(&session, wanted, stop).await?;
        drift(&session, &wanted, renames).await
    };
    let report = report.await;
    session.close().await;
    report
}

/// Returns the schema of the database.
///
/// # Errors
///
/// Fails when the database cannot be read.
pub async fn snapshot(environment: &Environment) -> Result<Catalog, CommandError> {
    let project = Project::of(environment)?;
    let session = project.schema_session().await?;
    let read = inspect(session.connection(), &Scope::default()).await;
    session.close().await;
    read.map_err(|error| CommandError::Drift(Box::new(error.into())))
}

/// Returns what turns one side into the other.
///
/// A snapshot and the entities are understood by the engine of the other side, or of the environment's database; revisions
/// and SQL files are tried out beside it. Two snapshots need no database: where that of the environment is of another kind, or there
/// is none, they are compared as they are written.
///
/// # Errors
///
/// Fails when a side cannot be read, when the two are of different kinds of databases, when revisions cannot be tried out, or
/// when it is stopped.
pub async fn diff(
    environment: &Environment,
    from: &Side,
    to: &Side,
    renames: &[Rename],
    stop: &CancellationToken,
) -> Result<DriftReport, CommandError> {
    let project = Project::of(environment)?;
    let beside = match (from, to) {
        (Side::Database(url), _) | (_, Side::Database(url)) => Some(url),
        _ => environment.database.as_ref(),
    };
    if let Some((live, wanted)) = as_written(from, to, beside)? {
        return report(&live, &wanted, renames);
    }
    let mut rehearsed = Vec::new();
    let compared = async {
        for side in [from, to] {
            rehearsed.push(project.rehearsed(side, beside, stop).await?);
        }
        let engine = match (beside, rehearsed.iter().flatten().next()) {
            // It has what a declaration may need: types, extensions.
            (_, Some(rehearsed)) => Engine::Scratch(&rehearsed.session),
            (Some(url), None) => Engine::Own(Box::new(project.session_at(url).await?)),
            (None, None) => Engine::Own(Box::new(memory(environment).await?)),
        };
        let live = project
            .understood(&engine, from, rehearsed[0].as_ref(), stop)
            .await;
        let wanted = project.understood(&engine, to, rehearsed[1].as_ref(), stop).await;
        if let Engine::Own(session) = engine {
            session.close().await;
        }
        report(&live?, &wanted?, renames)
    };
    let report = compared.await;
    for scratch in rehearsed.into_iter().flatten() {
        scratch.remove().await?;
    }
    report
}

/// Returns two snapshots that no engine at hand understands.
fn as_written(
    from: &Side,
    to: &Side,
    beside: Option<&DatabaseUrl>,
) -> Result<Option<(Catalog, Catalog)>, CommandError> {
    let (Side::Snapshot(from), Side::Snapshot(to)) = (from, to) else {
        return Ok(None);
    };
    let (mut live, mut wanted) = (read_snapshot(from)?, read_snapshot(to)?);
    let engine = beside.map_or(Dialect::Sqlite, |url| dialect_of(url.backend()));
    if live
        .dialect
        .or(wanted.dialect)
        .is_none_or(|dialect| dialect == engine)
    {
        return Ok(None);
    }
    live.sort();
    wanted.sort();
    Ok(Some((live, wanted)))
}

fn read_snapshot(path: &Path) -> Result<Catalog, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|source| CommandError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Catalog::from_json(&text).map_err(|source| CommandError::Snapshot {
        path: path.to_owned(),
        source,
    })
}

/// What understands a declaration.
enum Engine<'a> {
    /// A session that was opened for this.
    Own(Box<Session>),
    /// A scratch database that is there anyway.
    Scratch(&'a Session),
}

impl Engine<'_> {
    fn session(&self) -> &Session {
        match self {
            Self::Own(session) => session,
            Self::Scratch(session) => session,
        }
    }
}

/// Compares the database of a session with what is wanted of it, and counts what the operations would cost.
pub(super) async fn drift(
    session: &Session,
    wanted: &Catalog,
    renames: &[Rename],
) -> Result<DriftReport, CommandError> {
    let live = inspect(session.connection(), &Scope::default())
        .await
        .map_err(DriftError::from)?;
    let mut report = report(&live, wanted, renames)?;
    for (place, operation) in report.difference.operations.iter().enumerate() {
        let Some((counted, sql)) = question(&live, operation, &report.difference.operations) else {
            continue;
        };
        let rows = count(session, &sql).await.map_err(|source| CommandError::Query {
            action: "count the rows at stake",
            source: source.into(),
        })?;
        if rows > 0 {
            report.stakes.push(Stake {
                operation: place,
                counted,
                rows,
            });
        }
    }
    Ok(report)
}

impl DriftReport {
    /// Returns the operations as a script for `psql` or `sqlite3`; it is empty where there is nothing to do.
    ///
    /// # Errors
    ///
    /// Fails when a statement cannot be fed to the client, when something that is wanted is in the way and could not come back, or
    /// when revisions make no sense.
    pub fn script(&self, environment: &Environment) -> Result<String, CommandError> {
        self.refuse_what_is_in_the_way()?;
        let Some(dialect) = self.dialect.filter(|_| !self.sql.is_empty()) else {
            return Ok(String::new());
        };
        let project = Project::of(environment)?;
        let frame = project.frame(Client::of_dialect(dialect));
        let mut text = frame.opening(&environment.actor.tool_version, "differences");
        for operation in &self.difference.operations {
            if operation.risk() == Risk::Loses {
                text.push_str(&format!(
                    "-- destroys rows or values: {}\n",
                    one_line(&operation.to_string())
                ));
            }
        }
        let statements = frame
            .statements(&self.sql)
            .map_err(|source| CommandError::NotFeedable {
                subject: "the differences".to_owned(),
                source: Box::new(source),
            })?;
        text.push_str(&statements);
        Ok(text)
    }
}

impl DriftReport {
    /// Names what the database would refuse the changes for.
    pub(super) fn refuse_what_is_in_the_way(&self) -> Result<(), CommandError> {
        let in_the_way = self.difference.notes.iter().find_map(|note| match note {
            Note::InTheWay { object, reason } => Some((object, reason)),
            Note::MissingView { .. } | Note::MissingTrigger { .. } => None,
        });
        match in_the_way {
            Some((object, reason)) => Err(CommandError::InTheWay {
                object: object.clone(),
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }
}

fn report(live: &Catalog, declared: &Catalog, renames: &[Rename]) -> Result<DriftReport, CommandError> {
    let policy = Policy {
        renames: renames.to_vec(),
        wanted: match live.says_everything() && declared.says_everything() {
            true => Wanted::Whole,
            false => Wanted::Declared,
        },
        ..Policy::default()
    };
    let difference = compare(live, declared, &policy)
        .map_err(|error| CommandError::Drift(Box::new(DriftError::from(error))))?;
    Ok(DriftReport {
        sql: sql(live, &difference.operations)?,
        difference,
        dialect: live.dialect,
        stakes: Vec::new(),
        live: live.clone(),
    })
}

impl Project<'_> {
    pub(super) fn target(&self) -> Result<&Declared, CommandError> {
        self.environment
            .target
            .as_ref()
            .filter(|target| !target.is_empty())
            .ok_or(CommandError::NoEntities)
    }

    /// Connects to the database for reading; to an empty one in memory when it does not exist yet.
    pub(super) async fn schema_session(&self) -> Result<Session, CommandError> {
        self.session_at(self.url()?).await
    }

    async fn session_at(&self, url: &DatabaseUrl) -> Result<Session, CommandError> {
        if let Some(session) = self.environment.open(url, Access::Read).await? {
            return Ok(session);
        }
        memory(self.environment).await
    }

    async fn rehearsed(
        &self,
        side: &Side,
        beside: Option<&DatabaseUrl>,
        stop: &CancellationToken,
    ) -> Result<Option<Rehearsed>, CommandError> {
        Ok(Some(match side {
            Side::Revision(target) => {
                let steps = self.graph.upgrade(&Applied::default(), target)?.steps;
                Rehearsed::after(self.environment, steps, beside, stop).await?
            }
            Side::Sql(paths) => {
                let files = SqlFiles::read(paths)?;
                Rehearsed::loaded(&files, beside, self.first_schema(beside)).await?
            }
            Side::Entities | Side::Database(_) | Side::Snapshot(_) => return Ok(None),
        }))
    }

    /// Returns the schema that was named for a database; it is the first where several were.
    fn first_schema(&self, beside: Option<&DatabaseUrl>) -> Option<&str> {
        let is_postgresql = beside.is_some_and(|url| dialect_of(url.backend()) == Dialect::Postgresql);
        let named = self.environment.settings.schema.as_deref();
        named
            .and_then(|path| path.split(',').next())
            .map(str::trim)
            .filter(|_| is_postgresql)
    }

    /// Refuses to compare with entities where there are none, before anything is asked.
    fn refuse_no_entities(&self, wanted: &Side) -> Result<(), CommandError> {
        match wanted {
            Side::Entities => self.target().map(drop),
            Side::Database(_) | Side::Snapshot(_) | Side::Revision(_) | Side::Sql(_) => Ok(()),
        }
    }

    /// Returns the schema that is wanted of the database of a session.
    pub(super) async fn wanted(
        &self,
        session: &Session,
        side: &Side,
        stop: &CancellationToken,
    ) -> Result<Catalog, CommandError> {
        self.refuse_no_entities(side)?;
        let rehearsed = self.rehearsed(side, Some(self.url()?), stop).await?;
        let wanted = self.side(session, side, rehearsed.as_ref()).await;
        if let Some(scratch) = rehearsed {
            scratch.remove().await?;
        }
        wanted
    }

    /// Returns the schema of a side. What a scratch database of few revisions does not know, an extension or a function that
    /// a declaration needs, is there when all revisions are applied.
    async fn understood(
        &self,
        engine: &Engine<'_>,
        side: &Side,
        rehearsed: Option<&Rehearsed>,
        stop: &CancellationToken,
    ) -> Result<Catalog, CommandError> {
        let read = self.side(engine.session(), side, rehearsed).await;
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
        let read = self.side(&ahead.session, side, rehearsed).await;
        ahead.remove().await?;
        read
    }

    async fn side(
        &self,
        engine: &Session,
        side: &Side,
        rehearsed: Option<&Rehearsed>,
    ) -> Result<Catalog, CommandError> {
        let failed = |error: DriftError| CommandError::Drift(Box::new(error));
        // Each session stands in the schema that was named for it: the settings may name several.
        let scope = Scope::default();
        match side {
            Side::Revision(_) | Side::Sql(_) => {
                let rehearsed = rehearsed.expect("a side that takes a scratch database has one");
                rehearsed.catalog().await
            }
            Side::Entities => {
                let catalog = self.target()?.catalog(engine.connection(), &scope).await;
                catalog.map_err(|error| failed(error.into()))
            }
            Side::Database(url) => {
                let session = self.session_at(url).await?;
                let read: Result<Catalog, InspectError> = inspect(session.connection(), &scope).await;
                close(Some(session)).await;
                read.map_err(|error| failed(error.into()))
            }
            Side::Snapshot(path) => {
                let written = read_snapshot(path)?;
                let catalog = normalize(engine.connection(), &scope, &written).await;
                catalog.map_err(|error| failed(error.into()))
            }
        }
    }
}

/// Connects to an empty database that is nowhere.
async fn memory(environment: &Environment) -> Result<Session, CommandError> {
    let memory: DatabaseUrl = "sqlite::memory:".parse().expect("it is an address");
    Ok(Session::open(&memory, &environment.settings, Access::Write).await?)
}

/// Returns what to count before an operation, by the names that tables and columns have before all of them.
fn question(live: &Catalog, operation: &Operation, all: &[Operation]) -> Option<(Counted, String)> {
    if operation.risk() == Risk::None {
        return None;
    }
    let old_table = |table: &str| {
        all.iter()
            .find_map(|other| match other {
                Operation::RenameTable { from, to } if to == table => Some(from.clone()),
                _ => None,
            })
            .unwrap_or_else(|| table.to_owned())
    };
    let table = old_table(operation.table()?);
    let known = live.table(&table)?;
    let old_column = |column: &str| {
        let before = all.iter().find_map(|other| match other {
            Operation::RenameColumn { table: of, from, to } if to == column && old_table(of) == table => {
                Some(from.as_str())
            }
            _ => None,
        });
        let name = before.unwrap_or(column);
        known.column(name).map(|_| quoted(name))
    };
    let rows = |condition: String| {
        format!(
            "SELECT 1 FROM {}{condition} LIMIT {}",
            quoted(&table),
            COUNTED + 1
        )
    };
    let groups = |columns: Option<Vec<String>>| {
        let columns = columns?;
        let present: Vec<String> = columns
            .iter()
            .map(|column| format!("{column} IS NOT NULL"))
            .collect();
        let condition = present.join(" AND ");
        let columns = columns.join(", ");
        Some(rows(format!(
            " WHERE {condition} GROUP BY {columns} HAVING count(*) > 1"
        )))
    };
    Some(match operation {
        Operation::DropTable { .. } => (Counted::RowsLost, rows(String::new())),
        Operation::DropColumn { column, .. } => (
            Counted::ValuesLost,
            rows(format!(" WHERE {} IS NOT NULL", old_column(&column.name)?)),
        ),
        Operation::AlterNullable { column, .. } => (
            Counted::Nulls,
            rows(format!(" WHERE {} IS NULL", old_column(column)?)),
        ),
        Operation::AddColumn { .. } => (Counted::RowsWithoutValue, rows(String::new())),
        Operation::AddUnique { unique, .. } => (
            Counted::Duplicates,
            groups(unique.columns.iter().map(|column| old_column(column)).collect())?,
        ),
        Operation::AddIndex { index, .. } => (
            Counted::Duplicates,
            groups(index.as_unique_columns()?.into_iter().map(old_column).collect())?,
        ),
        _ => return None,
    })
}

async fn count(session: &Session, sql: &str) -> Result<i64, DbErr> {
    let rows = session
        .rows(&format!("SELECT count(*) AS counted FROM ({sql}) AS found"))
        .await?;
    rows.first().map_or(Ok(0), |row| row.try_get("", "counted"))
}
