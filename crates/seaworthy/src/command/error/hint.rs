//! The way out of each error.

use super::CommandError;
use super::texts::listed;
use crate::command::RefusedHazard;
use crate::heartbeat::GONE_AFTER;
use crate::ledger::LedgerError;
use crate::runner::{PartlyDone, RunError, StepError};
use crate::session::{DatabaseError, EndError, LockError};
use crate::verify::ScratchError;

const KNOW_THE_REVISIONS: &str = "run the program that has these revisions, or declare where the database stands with `stamp --purge <rev>`";

const NEEDS_ALL_OF_IT: &str = "the file is loaded into an empty database: it has to make all that it needs, extensions and types as well";

const LEAVE_TRANSACTIONS_ALONE: &str = "leave the statement out, since the revision runs in one transaction; or return \
                                        Some(false) from use_transaction to run it without one";
/// What to do without a way back.
const WRITE_DOWN: &str = "write its `down`, or restore a backup and `stamp` the revision where that stands";

/// Where a script begins without a database to ask.
const WRITE_A_RANGE: &str = "set DATABASE_URL, or write a range, FROM:TO, for which no server is asked: any address of its kind will do";

/// What Alembic may be told otherwise.
const NAME_THE_TABLE: &str = "pass --version-table where Alembic's version_table has another name; for a database that nobody managed, \
                              say where it stands with `stamp <rev>`";

/// How to consent.
const PASS_YES: &str = "pass --yes, or set SEAWORTHY_YES=1 where another program runs this one";

impl CommandError {
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
            Self::Run(error) => run_hint(error).into_iter().chain(goes_on(error)).reduce(|one, other| format!("{one}; {other}")),
            Self::NoDatabase => Some("set DATABASE_URL, for example to sqlite://app.db or postgres://user@host/db".to_owned()),
            Self::NowhereToBegin => Some(WRITE_A_RANGE.to_owned()),
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
            Self::NothingToAdopt { .. } => Some(NAME_THE_TABLE.to_owned()),
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

/// Returns how a run goes on after a step that is done in part.
fn goes_on(error: &RunError) -> Option<String> {
    match error.partly_done? {
        PartlyDone::Statements { done, .. } => Some(format!(
            "the next run of the same command goes on with statement {}",
            done + 1
        )),
        PartlyDone::Unknown => None,
    }
}

fn run_hint(error: &RunError) -> Option<String> {
    match &error.source {
        StepError::Destroys { .. } => Some(PASS_YES.to_owned()),
        StepError::LockNotGranted { blockers, .. } if !blockers.is_empty() => {
            Some("end the sessions named above, or run again when they are done".to_owned())
        }
        StepError::Database { source } | StepError::LockNotGranted { source, .. } => {
            source.fault().hint().map(str::to_owned)
        }
        StepError::Revision { .. } => None,
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
