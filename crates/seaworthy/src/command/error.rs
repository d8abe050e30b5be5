//! Why a command did not do what was asked, in kinds that a script can tell apart.

mod hint;
mod kind;
mod texts;

pub use kind::Category;

use std::path::PathBuf;

use thiserror::Error;

use texts::{hazardous, listed, older, parts, refused, still_in_use, unknown};

use super::{FeedError, RefusedHazard, Stakes, UnfinishedStep, UnknownRow};
use crate::autogenerate::{RenderError, SqlError};
use crate::backfill::BackfillError;
use crate::catalog::SnapshotError;
use crate::graph::GraphError;
use crate::heartbeat::InUse;
use crate::ledger::LedgerError;
use crate::revision::RevisionId;
use crate::runner::{RunError, StepReport};
use crate::session::{AddressError, DatabaseError, EndError, LockError, SessionError};
use crate::source::SourceError;
use crate::verify::{DriftError, ScratchError};

/// Why a command did not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The revisions or the target make no sense.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The database cannot be reached.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Another run has the lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A step failed.
    #[error(transparent)]
    Run(#[from] Box<RunError>),
    /// A revision file cannot be written.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A scratch database cannot be made or removed.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// A question to the database was not answered.
    #[error("could not {action}")]
    Query {
        /// What was tried.
        action: &'static str,
        /// What the database said.
        source: DatabaseError,
    },
    /// No database is named.
    #[error("no database is named")]
    NoDatabase,
    /// A script begins where the database stands, and none is named.
    #[error("no database is named, and the script begins where one stands")]
    NowhereToBegin,
    /// The applied set holds names that no revision has.
    #[error("the database is at {}, which this program does not know", unknown(rows))]
    UnknownRows {
        /// The rows.
        rows: Vec<UnknownRow>,
    },
    /// Revisions that are older than applied ones are not applied.
    #[error("{} not applied although newer revisions are", older(missing))]
    OutOfOrder {
        /// The revisions that were left out, oldest first.
        missing: Vec<RevisionId>,
    },
    /// Living processes still want what a step removes.
    #[error("{}", still_in_use(wants))]
    StillInUse {
        /// What they want.
        wants: Vec<InUse>,
    },
    /// Steps would stop or break what runs, and nobody has accepted that.
    #[error("{}", hazardous(hazards))]
    Hazardous {
        /// Why.
        hazards: Vec<RefusedHazard>,
    },
    /// Only PostgreSQL tells who waits for whom.
    #[error("SQLite does not tell who waits for whom: one writes, and the others wait for it")]
    NoLockTree,
    /// A session is not one to be ended.
    #[error(transparent)]
    End(#[from] EndError),
    /// Nobody agreed to end a session.
    #[error("process {pid} was left alone")]
    NotEnded {
        /// The process.
        pid: i32,
    },
    /// A hazard is accepted of a revision that is not going to be run.
    #[error("{category} is accepted of {revision}, which this run does not touch")]
    NothingToAccept {
        /// The revision.
        revision: RevisionId,
        /// The category.
        category: String,
    },
    /// What would be destroyed was not given up.
    #[error("{}", refused(stakes))]
    Refused {
        /// What would be destroyed.
        stakes: Box<Stakes>,
    },
    /// It was asked to stop while it waited for something.
    #[error("the command was stopped while it waited")]
    Stopped,
    /// Between the question and the lock somebody else changed the database.
    #[error("another run changed the database after the question was asked")]
    ChangedMeanwhile,
    /// A step without a transaction died, and its revision now begins differently.
    #[error("{} was changed after it died halfway: its first {} are not what was run", step.revision, parts(step.parts_done))]
    ChangedWhileUnfinished {
        /// The step.
        step: Box<UnfinishedStep>,
    },
    /// A revision has no way back.
    #[error("revision {revision} cannot be undone: {reason}")]
    CannotBeUndone {
        /// The revision.
        revision: RevisionId,
        /// Why not.
        reason: String,
    },
    /// The SQL of a revision cannot be known without running it.
    #[error("the SQL of revision {revision} is not known beforehand: {reason}")]
    NotRecordable {
        /// The revision.
        revision: RevisionId,
        /// What got in the way.
        reason: String,
    },
    /// A revision that runs in a transaction would end or begin one by itself.
    #[error("revision {revision} controls the transaction that it runs in: {statement}")]
    TransactionControl {
        /// The revision.
        revision: RevisionId,
        /// The statement.
        statement: String,
    },
    /// A statement cannot be put into a script.
    #[error("could not write {subject} as a script")]
    NotFeedable {
        /// A revision, or the differences.
        subject: String,
        /// What is wrong with the statement.
        source: Box<FeedError>,
    },
    /// Alembic has not been here.
    #[error("there is nothing to adopt: the database has no table {version_table} with a row in it")]
    NothingToAdopt {
        /// The table that Alembic was expected to have.
        version_table: String,
    },
    /// Alembic's table names revisions that are not ours.
    #[error("{version_table} names {}, which no revision here has as its id", unknown.join(", "))]
    UnknownAlembic {
        /// Alembic's table.
        version_table: String,
        /// The ids that nobody knows.
        unknown: Vec<String>,
        /// The ids that there are.
        known: Vec<RevisionId>,
    },
    /// Alembic manages the database, and nobody has taken it over.
    #[error("the database is managed by Alembic, at {}", alembic.join(", "))]
    ManagedByAlembic {
        /// What Alembic's table says.
        alembic: Vec<String>,
    },
    /// The database was adopted or migrated by this tool already, to a different place.
    #[error("the database is already under this tool's control, at {}", listed(heads))]
    AlreadyAdopted {
        /// Where it stands.
        heads: Vec<RevisionId>,
    },
    /// A revision that declares backfills does other things as well.
    #[error("{revision} cannot be worked off: {reason}")]
    BadBackfill {
        /// The revision.
        revision: RevisionId,
        /// Why not.
        reason: String,
    },
    /// A revision needs a backfill that is not finished and verified.
    #[error("{revision} cannot be applied yet")]
    NeedsBackfill {
        /// The revision.
        revision: RevisionId,
        /// What is not done.
        source: BackfillError,
    },
    /// A backfill could not be controlled.
    #[error("the backfill could not be changed")]
    Backfill {
        /// Why not.
        source: BackfillError,
    },
    /// Two options cannot be used together.
    #[error("{first} cannot be used with {second}")]
    BadFlags {
        /// One option.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// There is nothing to compare the database with.
    #[error("this program names no entities to compare the database with")]
    NoEntities,
    /// A revision can only be generated from a database that has all the others.
    #[error(
        "the database is at {}, and the newest revision is {}",
        listed(current),
        listed(heads)
    )]
    NotAtHead {
        /// Where the database stands.
        current: Vec<RevisionId>,
        /// The newest revisions.
        heads: Vec<RevisionId>,
    },
    /// Most of the database would be dropped.
    #[error("{dropped} of the {tables} tables would be dropped, because no entity declares them")]
    MostlyDropped {
        /// How many would go.
        dropped: usize,
        /// How many there are.
        tables: usize,
    },
    /// A column demands a value, and there are rows that have none.
    #[error("{table}.{column} demands a value, and {rows} of the rows of {table} have none")]
    NeedsValue {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The rows; counting stops above 100,000.
        rows: i64,
    },
    /// Something that nobody wants to lose stands in the way of a change, and could not come back after it.
    #[error("{object} is in the way: it needs {reason}")]
    InTheWay {
        /// What it is, and its name.
        object: String,
        /// What it needs, and what happens to that.
        reason: String,
    },
    /// Several schemas are to be compared with what describes one.
    #[error(
        "entities and snapshots describe one schema, and {schemas} are several: name one, or compare databases or SQL files"
    )]
    OneSchemaOnly {
        /// The schemas.
        schemas: String,
    },
    /// A table that is spoken of is not there.
    #[error("the database has no table {table}")]
    NoSuchTable {
        /// The table.
        table: String,
    },
    /// A column that is to change is not there.
    #[error("the database has no column {table}.{column}")]
    NoSuchColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The new name of a column is taken.
    #[error("the table {table} has a column {column} already")]
    ColumnTaken {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A schema cannot be read, or two cannot be compared.
    #[error(transparent)]
    Drift(Box<DriftError>),
    /// Operations cannot be written as SQL.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// Operations cannot be written as a revision.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// An address makes no sense.
    #[error("the database address cannot be read")]
    Address {
        /// Why not.
        source: AddressError,
    },
    /// A snapshot file cannot be opened.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A snapshot file holds something else.
    #[error("{} is no snapshot", path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: SnapshotError,
    },
    /// The database refuses a statement of a SQL file.
    #[error("{}, line {line}: the database refuses the statement", path.display())]
    FileRefused {
        /// The file.
        path: PathBuf,
        /// The line on which the statement begins, counted from one.
        line: usize,
        /// What the database said.
        source: DatabaseError,
    },
    /// A SQL file holds a command of psql.
    #[error("{}, line {line}: {command} is a command of psql, which no server takes", path.display())]
    FileForClient {
        /// The file.
        path: PathBuf,
        /// Where the command is, counted from one.
        line: usize,
        /// Its name.
        command: String,
    },
    /// A statement of a SQL file changes more than the scratch database that it is loaded into.
    #[error("{}, line {line}: {statement} changes more than the schema of one database", path.display())]
    FileReachesFurther {
        /// The file.
        path: PathBuf,
        /// Where the statement begins, counted from one.
        line: usize,
        /// Its first two words.
        statement: String,
    },
    /// A file that the command needs is not there.
    #[error("there is no {what} at {path}")]
    NoFile {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: PathBuf,
    },
}
impl From<RunError> for CommandError {
    fn from(error: RunError) -> Self {
        Self::Run(Box::new(error))
    }
}

impl CommandError {
    /// Returns the error with the steps that were done before what failed.
    pub(super) fn after(self, done: &[StepReport]) -> Self {
        match self {
            Self::Run(mut error) => {
                error.report.steps.splice(..0, done.iter().cloned());
                Self::Run(error)
            }
            other => other,
        }
    }
}
impl From<DriftError> for CommandError {
    fn from(error: DriftError) -> Self {
        Self::Drift(Box::new(error))
    }
}
