//! Why a command did not do what was asked, in kinds that a script can tell apart.

use std::path::PathBuf;

use thiserror::Error;

use super::{FeedError, RefusedHazard, Stakes, UnfinishedStep, UnknownRow};
use crate::autogenerate::{RenderError, SqlError};
use crate::backfill::BackfillError;
use crate::catalog::SnapshotError;
use crate::graph::GraphError;
use crate::heartbeat::{GONE_AFTER, InUse};
use crate::ledger::LedgerError;
use crate::revision::{Direction, RevisionId};
use crate::runner::{RunError, StepError, StepReport};
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
    #[error("revision {revision} cannot be undone: it has no `down`")]
    CannotBeUndone {
        /// The revision.
        revision: RevisionId,
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
    #[error("there is nothing to adopt: the database has no table alembic_version with a row in it")]
    NothingToAdopt,
    /// Alembic's table names revisions that are not ours.
    #[error("alembic_version names {}, which no revision here has as its id", unknown.join(", "))]
    UnknownAlembic {
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

const KNOW_THE_REVISIONS: &str = "run the program that has these revisions, or declare where the database stands with `stamp --purge <rev>`";

const NEEDS_ALL_OF_IT: &str = "the file is loaded into an empty database: it has to make all that it needs, extensions and types as well";

const LEAVE_TRANSACTIONS_ALONE: &str = "leave the statement out, since the revision runs in one transaction; or return \
                                        Some(false) from use_transaction to run it without one";

/// What a caller makes of an error: the exit codes of the terminal are these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Category {
    /// It was tried and failed.
    Failed,
    /// The request itself is wrong.
    Usage,
    /// Another run has the lock.
    LockNotObtained,
    /// It needs a consent that was not given.
    Refused,
    /// It was stopped.
    Stopped,
}

impl CommandError {
    /// Returns the kind of error as one word in snake case, which stays the same when messages change.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Graph(error) => error.kind(),
            Self::Session(_) => "connection",
            Self::Lock(LockError::Held { .. }) => "lock_not_obtained",
            Self::Lock(LockError::Pooled { .. }) => "pooled",
            Self::Lock(_) => "lock",
            Self::Ledger(_) => "ledger",
            Self::Run(error) => match error.source {
                StepError::Stopped => "stopped",
                StepError::LockNotGranted { .. } => "lock_not_granted",
                StepError::Destroys { .. } => "refused",
                _ => "step_failed",
            },
            Self::Source(_) => "source",
            Self::Scratch(_) => "scratch",
            Self::Query { .. } => "query",
            Self::NoDatabase => "no_database",
            Self::UnknownRows { .. } | Self::UnknownAlembic { .. } => "unknown_revision",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::StillInUse { .. } => "still_in_use",
            Self::Hazardous { .. } => "hazardous",
            Self::NothingToAccept { .. } => "nothing_to_accept",
            Self::NoLockTree => "no_lock_tree",
            Self::End(_) => "session_not_endable",
            Self::NotEnded { .. } => "refused",
            Self::Refused { .. } => "refused",
            Self::Stopped => "stopped",
            Self::ChangedMeanwhile => "changed_meanwhile",
            Self::ChangedWhileUnfinished { .. } => "changed_while_unfinished",
            Self::NotRecordable { .. } => "not_recordable",
            Self::CannotBeUndone { .. } => "cannot_be_undone",
            Self::TransactionControl { .. } => "transaction_control",
            Self::NotFeedable { .. } => "not_feedable",
            Self::NothingToAdopt => "nothing_to_adopt",
            Self::ManagedByAlembic { .. } => "managed_by_alembic",
            Self::AlreadyAdopted { .. } => "already_adopted",
            Self::BadBackfill { .. } => "bad_backfill",
            Self::NeedsBackfill { .. } => "backfill_unfinished",
            Self::Backfill { .. } => "backfill",
            Self::BadFlags { .. } => "bad_flags",
            Self::NoEntities => "no_entities",
            Self::NotAtHead { .. } => "not_at_head",
            Self::MostlyDropped { .. } => "mostly_dropped",
            Self::NeedsValue { .. } => "needs_value",
            Self::InTheWay { .. } => "in_the_way",
            Self::OneSchemaOnly { .. } => "one_schema_only",
            Self::NoSuchTable { .. } => "no_such_table",
            Self::NoSuchColumn { .. } => "no_such_column",
            Self::ColumnTaken { .. } => "column_taken",
            Self::Drift(_) => "drift",
            Self::Sql(_) | Self::Render(_) => "not_writable",
            Self::Address { .. } => "database_address",
            Self::Unreadable { .. } => "file",
            Self::Snapshot { .. } => "snapshot",
            Self::NoFile { .. } => "no_file",
            Self::FileRefused { .. } => "file_refused",
            Self::FileForClient { .. } => "file_for_client",
            Self::FileReachesFurther { .. } => "file_reaches_further",
        }
    }

    /// Returns what a caller makes of the error.
    #[must_use]
    pub fn category(&self) -> Category {
        match self {
            Self::Lock(LockError::Held { .. }) => Category::LockNotObtained,
            Self::Lock(LockError::Pooled { .. })
            | Self::Refused { .. }
            | Self::Hazardous { .. }
            | Self::NotEnded { .. }
            | Self::End(_)
            | Self::OutOfOrder { .. }
            | Self::StillInUse { .. }
            | Self::NeedsBackfill { .. }
            | Self::ManagedByAlembic { .. }
            | Self::NotAtHead { .. }
            | Self::NoEntities
            | Self::MostlyDropped { .. }
            | Self::NeedsValue { .. }
            | Self::InTheWay { .. }
            | Self::OneSchemaOnly { .. }
            | Self::ChangedMeanwhile => Category::Refused,
            Self::Stopped => Category::Stopped,
            Self::Run(error) if matches!(error.source, StepError::Stopped) => Category::Stopped,
            Self::Run(error) if matches!(error.source, StepError::Destroys { .. }) => Category::Refused,
            Self::BadFlags { .. }
            | Self::NothingToAccept { .. }
            | Self::NoDatabase
            | Self::Address { .. }
            | Self::Graph(GraphError::MalformedTarget { .. } | GraphError::MalformedRange { .. }) => {
                Category::Usage
            }
            _ => Category::Failed,
        }
    }

    /// Returns the way out in one line, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let fault = |source: &DatabaseError| source.fault().hint().map(str::to_owned);
        match self {
            Self::Graph(error) => error.hint(),
            Self::Session(error) => error.hint(),
            Self::Ledger(LedgerError { source, .. }) | Self::Query { source, .. } => fault(source),
            Self::Source(error) => error.hint().map(str::to_owned),
            Self::Scratch(ScratchError::Server { .. }) => {
                Some("name a server on which the role may create databases".to_owned())
            }
            Self::Lock(LockError::Held { .. }) => {
                Some("wait longer with --wait, or end that process if it is stuck".to_owned())
            }
            Self::Lock(LockError::Pooled { .. }) => Some(
                "name the server itself in DATABASE_URL, or a pool in session mode (PgBouncer: pool_mode = session)".to_owned(),
            ),
            Self::Lock(LockError::Connection { source }) => source.hint(),
            Self::Lock(LockError::Database { source }) => fault(source),
            Self::Lock(_) => Some("run the same command again".to_owned()),
            Self::Run(error) => run_hint(error),
            Self::NoDatabase => Some("set DATABASE_URL, for example to sqlite://app.db or postgres://user@host/db".to_owned()),
            Self::UnknownRows { .. } => Some(KNOW_THE_REVISIONS.to_owned()),
            Self::OutOfOrder { .. } => Some("apply them too with --allow-out-of-order".to_owned()),
            Self::StillInUse { .. } => Some(format!(
                "stop or replace these processes and run again; one that died counts as gone after {} s. Stop before the \
                 removal with --stage, or remove it all the same with --through-contract",
                GONE_AFTER.as_secs()
            )),
            Self::Hazardous { hazards } => hazards.first().map(how_to_accept),
            Self::Refused { .. } => Some(PASS_YES.to_owned()),
            Self::Stopped => Some("run the same command again".to_owned()),
            Self::ChangedMeanwhile => Some("look at `status` and run the same command again".to_owned()),
            Self::ChangedWhileUnfinished { .. } => Some(
                "undo by hand what the first parts did and `stamp` the revision before, or restore the file".to_owned(),
            ),
            Self::CannotBeUndone { .. } => Some(WRITE_DOWN.to_owned()),
            Self::NotRecordable { .. } => {
                Some("run it with `upgrade`, or move what reads the database into a revision of its own".to_owned())
            }
            Self::TransactionControl { .. } => Some(LEAVE_TRANSACTIONS_ALONE.to_owned()),
            Self::NotFeedable { .. } => Some("run it with `upgrade` or `downgrade`".to_owned()),
            Self::NothingToAdopt => Some("for a database that nobody managed, say where it stands with `stamp <rev>`".to_owned()),
            Self::UnknownAlembic { known, .. } => Some(format!("known ids are {}", listed(known))),
            Self::ManagedByAlembic { .. } => Some("take it over with `adopt`".to_owned()),
            Self::AlreadyAdopted { .. } => Some("correct where it stands with `stamp <rev>`".to_owned()),
            Self::BadBackfill { .. } => {
                Some("move the statements into a revision of their own, before it or after it".to_owned())
            }
            Self::NeedsBackfill { source, .. } | Self::Backfill { source } => source.hint().map(str::to_owned),
            Self::NoLockTree => Some("give applications a busy_timeout".to_owned()),
            Self::NotEnded { .. } => Some("pass --yes".to_owned()),
            Self::End(EndError::NothingToCancel { .. }) => {
                Some("end the session with --terminate; its transaction is rolled back".to_owned())
            }
            Self::End(EndError::Database { source, .. }) => fault(source),
            Self::End(EndError::Migrator { .. }) => Some("stop that program where it runs, with Ctrl-C".to_owned()),
            Self::End(_) => Some("see `locks` for who holds up whom".to_owned()),
            Self::NothingToAccept { .. } => Some("leave it out, or name a revision of the plan".to_owned()),
            Self::BadFlags { .. } => Some("leave one of them out".to_owned()),
            Self::NoEntities => Some("list them in a Target and hand it over with Environment::target".to_owned()),
            Self::NotAtHead { .. } => Some("run `upgrade head` first".to_owned()),
            Self::MostlyDropped { .. } => Some(
                "add the missing entities to the target, or pass --yes if these tables are to go".to_owned(),
            ),
            Self::NeedsValue { table, column, .. } => Some(format!(
                "say what they get, as SQL: --fill \"{table}.{column}='...'\"; or give the column a default, or let it be NULL"
            )),
            Self::Address { source } => Some(source.hint().to_owned()),
            _ => self.schema_hint().map(str::to_owned),
        }
    }

    /// Returns the way out of what compares schemas and writes revisions.
    fn schema_hint(&self) -> Option<&'static str> {
        match self {
            Self::InTheWay { .. } => Some("drop it, or change it, in a revision of its own before this"),
            Self::NoSuchTable { .. } => Some("name a table as it is called now"),
            Self::NoSuchColumn { .. } => Some("name a column as it is now, and upgrade the database first"),
            Self::ColumnTaken { .. } => Some("choose another name for the new column"),
            Self::Sql(_) => Some("write this revision by hand"),
            Self::Render(_) => Some("leave the --fill out"),
            Self::FileRefused { .. } => Some(NEEDS_ALL_OF_IT),
            Self::FileForClient { .. } => Some("write what the command brings into the file itself"),
            Self::FileReachesFurther { .. } => {
                Some("leave it out: the file is loaded into a database of its own")
            }
            _ => None,
        }
    }
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

/// What to do without a way back.
const WRITE_DOWN: &str = "write its `down`, or restore a backup and `stamp` the revision where that stands";

/// How to consent.
const PASS_YES: &str = "pass --yes, or set SEAWORTHY_YES=1 where another program runs this one";

fn run_hint(error: &RunError) -> Option<String> {
    match &error.source {
        StepError::Destroys { .. } => Some(PASS_YES.to_owned()),
        StepError::LockNotGranted { blockers, .. } if !blockers.is_empty() => {
            Some("end the sessions named above, or run again when they are done".to_owned())
        }
        StepError::Database { source } | StepError::LockNotGranted { source, .. } => {
            source.fault().hint().map(str::to_owned)
        }
        StepError::Offenders { .. } => {
            Some("repair or delete these rows, and those like them, then run the same command again".to_owned())
        }
        StepError::Backfill { source } => source.hint().map(str::to_owned),
        StepError::ForeignKeys { .. } => Some(
            "let the revision delete or change the rows that reference a table before it drops the table".to_owned(),
        ),
        StepError::TransactionEnded => Some(
            "leave COMMIT and ROLLBACK out, or return Some(false) from use_transaction; undo by hand what was committed"
                .to_owned(),
        ),
        StepError::NotResumable { .. } => Some(
            "undo by hand what the earlier run left and run the same command again, or declare it done with `stamp`"
                .to_owned(),
        ),
        StepError::Stopped => Some("run the same command again to go on".to_owned()),
        StepError::Panicked { .. } => {
            Some("the panic's place is printed above; a new revision still says todo!()?".to_owned())
        }
        StepError::Lock { .. } => Some("run the same command again".to_owned()),
    }
}

fn unknown(rows: &[UnknownRow]) -> String {
    rows.iter()
        .map(UnknownRow::described)
        .collect::<Vec<_>>()
        .join(", ")
}

fn older(missing: &[RevisionId]) -> String {
    let verb = if missing.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", listed(missing))
}

fn still_in_use(wants: &[InUse]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (index, want) in wants.iter().enumerate() {
        if index == 0 || wants[index - 1].revision != want.revision {
            let verb = match want.direction {
                Direction::Up => "applying",
                Direction::Down => "undoing",
            };
            let effect = if want.is_changed { "changes" } else { "removes" };
            lines.push(format!("{verb} {} {effect} what is in use", want.revision));
        }
        lines.push(want.to_string());
    }
    lines.join("\n  ")
}

fn hazardous(hazards: &[RefusedHazard]) -> String {
    let mut text = "this would stop or break what runs now".to_owned();
    let mut last = String::new();
    for refused in hazards {
        let place = refused.place();
        if place != last {
            text.push_str(&format!("\n  {place}"));
        }
        text.push_str(&format!("\n    {refused}"));
        last = place;
    }
    text
}

fn how_to_accept(refused: &RefusedHazard) -> String {
    let category = refused.hazard.category;
    if category == "override-unmatched" {
        return refused.hazard.help.to_owned();
    }
    format!(
        "change the revision, or accept each with a reason: \
         --accept \"{}:{category}:PIECE OF THE STATEMENT=REASON\", or in the revision with Header::accepts; \
         `lint --explain {category}` tells more",
        refused.revision
    )
}

fn refused(stakes: &Stakes) -> String {
    format!("this would destroy {stakes}")
}

fn parts(done: usize) -> String {
    if done == 1 {
        "part".to_owned()
    } else {
        format!("{done} parts")
    }
}

fn listed(revisions: &[RevisionId]) -> String {
    if revisions.is_empty() {
        return "base".to_owned();
    }
    revisions
        .iter()
        .map(RevisionId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

impl From<DriftError> for CommandError {
    fn from(error: DriftError) -> Self {
        Self::Drift(Box::new(error))
    }
}
