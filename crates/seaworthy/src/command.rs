//! One function per verb: the public door of the toolkit.
//!
//! A command decides first (state, plan, script) and acts second; what it returns says what happened. Showing that, and
//! asking a person, is the caller's business: see [`Conduct`].

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

pub use adopt::{ALEMBIC_TABLE, Adopted, adopt};
pub use backfill::{BackfillChange, backfills, change_backfill};
pub use downgrade::{down, downgrade};
pub use drift::{
    CompareRequest, Counted, DriftReport, SchemaChange, SchemaReport, SchemasReport, Side, Stake, check,
    check_to, diff, diff_schemas, snapshot, undeclared,
};
pub use dual_column::{ColumnChange, online_change};
pub use error::{Category, CommandError};
pub use fresh::{fresh, refresh, reset};
pub use gate::{JudgedHazard, RefusedHazard, Verdict};
pub use generate::{GenerateRequest, Generated, WhenEmpty, WhenMostlyDropped, generate};
pub use inspect::{
    Current, HistoryFilter, RevisionDetails, RevisionLine, Shown, branches, current, heads, history, show,
};
pub use journal::applied_history;
pub use lint::{LintSelection, LintedStep, lint};
pub use living::Living;
pub use locks::{Ended, LockTree, LockedSession, end_session, locks};
pub use offline::{FeedError, OfflineScript, downgrade_sql, stamp_sql, upgrade_sql};
pub use outcome::{Changed, Outcome};
pub use picture::{Highlight, Indicate, erd, erd_of, graph};
pub use plan::{PlanReport, PlannedStep, plan};
pub use revision::{MergeRequest, NewRevision, RevisionRequest, merge, new_revision};
pub use stakes::{CountedLoss, Loss, Stakes};
pub use stamp::{Purge, Stamped, stamp};
pub use state::{UnfinishedStep, UnknownRow};
pub use status::{LastRun, StatusReport, status};
pub use survey::{EffectSurvey, StepSurvey, Survey};
pub use upgrade::{OutOfOrder, up, upgrade};
pub use verify::{
    BranchPair, BrokenPromise, BrokenPromises, Chosen, Irreversible, Place, Promise, Rows, Unfilled,
    VainAcceptance, Verification, Verified, VerifiedDatabase, collisions, verify,
};

use recordings::Recordings;

use crate::environment::Environment;
use crate::graph::{GraphError, RevisionGraph};
use crate::ledger::Ledger;
use crate::revision::Stage;
use crate::runner::Observer;
use crate::session::{Access, DatabaseUrl, Fault, Holder, Session, pause_before};

mod adopt;
mod backfill;
mod downgrade;
mod drift;
mod dual_column;
mod error;
mod fresh;
mod gate;
mod generate;
mod inspect;
mod journal;
mod lint;
mod living;
mod locks;
mod offline;
mod outcome;
mod picture;
mod plan;
mod recordings;
mod revision;
mod scratch;
mod sql_files;
mod stakes;
mod stamp;
mod state;
mod status;
mod survey;
mod upgrade;
mod verify;
mod work;

/// How a command that changes the database behaves, and whom it tells.
pub struct Conduct<'a> {
    /// Longest wait for the migration lock.
    pub wait: Duration,
    /// How often a step that did not get its table locks is tried again.
    pub retries: u32,
    /// Stops the run when it is cancelled.
    pub stop: CancellationToken,
    /// Hears about each step.
    pub observer: &'a dyn Observer,
    /// Hears who holds the migration lock while the command waits for it.
    pub waiting: &'a (dyn Fn(Option<&Holder>, Duration) + Sync),
    /// The last stage that an upgrade runs: it stops before the first revision of a later one.
    pub through: Stage,
    /// What to do about living processes that still want what a step removes.
    pub living: Living,
    /// Decides whether what a command would destroy may go.
    pub consent: &'a (dyn Fn(&Stakes) -> bool + Sync),
}

/// The parts of an environment that every command begins with.
struct Project<'a> {
    environment: &'a Environment,
    graph: RevisionGraph,
    ledger: Ledger,
    recordings: Recordings,
}

impl<'a> Project<'a> {
    fn of(environment: &'a Environment) -> Result<Self, GraphError> {
        let graph = RevisionGraph::build(environment.headers().iter().cloned())?;
        Ok(Self {
            environment,
            graph,
            ledger: Ledger::new(environment.version_table()),
            recordings: Recordings::default(),
        })
    }

    fn url(&self) -> Result<&'a DatabaseUrl, CommandError> {
        self.environment.database.as_ref().ok_or(CommandError::NoDatabase)
    }

    /// Connects for reading; nothing when the database does not exist yet.
    async fn reader(&self) -> Result<Option<Session>, CommandError> {
        Ok(self.environment.open(self.url()?, Access::Read).await?)
    }

    /// Connects for writing.
    async fn writer(&self) -> Result<Session, CommandError> {
        let session = self.environment.open(self.url()?, Access::Write).await?;
        Ok(session.expect("a session for writing makes the database it needs"))
    }

    /// Takes the migration lock of a session.
    async fn lock<'s>(
        &self,
        session: &'s Session,
        doing: &str,
        conduct: &Conduct<'_>,
    ) -> Result<crate::session::Locked<'s>, CommandError> {
        let who = self.environment.actor.name();
        let locking = session.lock(
            self.environment.version_table(),
            doing,
            &who,
            conduct.wait,
            conduct.waiting,
        );
        conduct.unless_stopped(async { Ok(locking.await?) }).await
    }

    /// Creates the tables of the ledger where they are missing; again while another session is in the way, or creates the
    /// same tables at the same moment, as SeaORM's own runner does without a lock.
    async fn install(
        &self,
        locked: &crate::session::Locked<'_>,
        state: &state::State,
        conduct: &Conduct<'_>,
    ) -> Result<(), CommandError> {
        if state.records.installed {
            return Ok(());
        }
        let since = Instant::now();
        let mut attempt = 0;
        loop {
            let Err(error) = self.ledger.install(locked).await else {
                return Ok(());
            };
            attempt += 1;
            let passes = matches!(error.source.fault(), Fault::LockNotGranted | Fault::AlreadyDone);
            let is_over =
                attempt > conduct.retries || since.elapsed() >= self.environment.settings.lock_budget;
            if !passes || is_over {
                return Err(error.into());
            }
            let pause = tokio::time::sleep(pause_before(attempt));
            conduct
                .unless_stopped(async {
                    pause.await;
                    Ok(())
                })
                .await?;
        }
    }
}

impl Conduct<'_> {
    /// Does something that may be left at any moment, until it is done or the command is to stop.
    async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        tokio::select! {
            biased;
            result = work => result,
            () = self.stop.cancelled() => Err(CommandError::Stopped),
        }
    }
}

/// Returns a name for a run: eight hex digits.
fn new_run() -> String {
    format!("{:08x}", fastrand::u32(..))
}
