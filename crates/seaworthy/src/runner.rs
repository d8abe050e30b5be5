//! Works a plan off, step by step, and says what happened.
//!
//! A step and its ledger row commit together. A step that opted out of the transaction is worked off part by part, each
//! part journaled, so that a run that died goes on where it stopped. What to run was decided before.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

pub use foreign_keys::BrokenKeys;
pub use holdings::Foreseen;
pub use report::{PartlyDone, Report, RunError, StepError, StepOutcome, StepReport};

use crate::backfill::{Backfill, Progress};
use crate::ledger::{Entry, Kind, Ledger, Moment, Outcome, now};
use crate::revision::{Accepted, Direction, Header, Revision};
use crate::session::{Actor, Blocker, Fault, Locked, Patience, ServerProgress, SessionState, pause_before};

mod attempt;
mod backfills;
mod foreign_keys;
mod holdings;
mod journal;
mod mark;
mod report;

/// A run: who does it, under which lock, within which limits.
pub struct Run<'a> {
    /// The lock that the run holds, and the session it protects.
    pub locked: &'a Locked<'a>,
    /// Where steps are recorded: a ledger that knows the schemas of its tables.
    pub ledger: &'a Ledger,
    /// What the session is put back to after each step.
    pub(crate) state: &'a SessionState,
    /// What kind of run it is.
    pub kind: Kind,
    /// What the history calls it: eight hex digits.
    pub id: String,
    /// Who runs it.
    pub actor: &'a Actor,
    /// How often a step that did not get its lock is tried again, within the time that the session's settings give.
    pub retries: u32,
    /// Ends the run between two steps, and cancels the one that runs.
    pub stop: &'a CancellationToken,
    /// Hears what happens while it happens.
    pub observer: &'a dyn Observer,
    /// Decides whether what a step would destroy that was not foreseen may go; the step is rolled back before, and sent again after a
    /// yes.
    pub may_destroy: &'a (dyn Fn(&[String]) -> bool + Sync),
}

/// One step, with everything that was decided about it.
pub struct Work<'a> {
    /// What to run.
    pub revision: &'a dyn Revision,
    /// What it says about itself.
    pub header: &'a Header,
    /// Which way to run it.
    pub direction: Direction,
    /// What the history keeps to notice later changes.
    pub checksum: Option<String>,
    /// Whether it holds a lock that readers or writers wait for.
    pub holds_up: bool,
    /// The hazards that are taken knowingly; the history keeps them, too.
    pub accepted: Vec<Accepted>,
    /// Whether all of its statements are known beforehand.
    pub is_known: bool,
    /// What may go without asking again; absent where nobody looks, for what goes was given up as a whole, or nothing can go.
    pub foreseen: Option<Foreseen>,
    /// Whether it may change the connection for what follows, on SQLite: pragmas, temporary tables, attached databases.
    pub changes_connection: bool,
    /// How the step is run.
    pub manner: Manner,
}

/// How a step is run.
#[derive(Clone, Debug, PartialEq)]
pub enum Manner {
    /// In one transaction with its ledger row.
    Transaction(ForeignKeys),
    /// Part by part; a run that died can go on.
    Parts(Parts),
    /// As backfills, each batch a transaction that saves how far it got.
    Backfills {
        /// The backfills in order.
        all: Vec<Backfill>,
        /// Whether how far an earlier run got is not true any more.
        is_stale: bool,
    },
    /// Without a transaction and without knowing what it will send: after a crash it is run again from its beginning.
    Opaque {
        /// Whether an earlier run began with the step.
        is_begun: bool,
        /// What becomes of foreign keys on SQLite.
        keys: ForeignKeys,
    },
}

/// Whether SQLite enforces foreign keys during a step; the setting cannot be changed inside a transaction.
///
/// Where it does not, what the step leaves behind is checked before it is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignKeys {
    /// It does, as always on PostgreSQL.
    Enforced,
    /// It does not.
    SwitchedOff,
    /// It does not if another table references one of these, which are dropped, or renamed by a step that drops a table.
    DroppedWith(Vec<String>),
    /// Not all of the step is known, and it may drop a table: it does not at first, and in a second try it does if the first
    /// dropped nothing and left rows behind that reference nothing.
    Unknown,
}

/// A step that is worked off part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The parts in order.
    pub all: Vec<Part>,
    /// How many are through already, from a run that died.
    pub done: usize,
    /// How many an earlier run that died had got through, if one began with the step; more than `done` where something that
    /// the step builds on was undone since.
    pub begun: Option<usize>,
}

/// A part of a step without a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What to send.
    pub sql: String,
    /// The checksum of the step's parts up to and including this one.
    pub checksum: String,
    /// How long it may take.
    pub patience: Patience,
    /// The index that the part builds without blocking writers; a try that failed leaves it behind INVALID.
    pub builds_index: Option<String>,
    /// Whether it sets something that the parts after it rely on, so that a run that goes on behind it sends it again.
    pub sets_session: bool,
    /// What becomes of foreign keys on SQLite.
    pub keys: ForeignKeys,
    /// Whether it may run in a transaction, together with others on SQLite.
    pub fits_transaction: bool,
    /// What may go without asking again; absent where nobody looks.
    pub foreseen: Option<Foreseen>,
}

/// Hears what happens during a run. Every method does nothing unless it is overridden.
pub trait Observer: Sync {
    /// A step begins; `index` counts from zero.
    fn step_started(&self, _work: &Work<'_>, _index: usize, _total: usize) {}

    /// The running step waits for a lock that these sessions hold.
    fn step_blocked(&self, _work: &Work<'_>, _blockers: &[Blocker]) {}

    /// The step did not get its lock and is tried again after a pause.
    fn step_retried(&self, _work: &Work<'_>, _attempt: u32, _pause: Duration, _blockers: &[Blocker]) {}

    /// A batch of a backfill was committed, or the backfill is held up.
    fn backfill_progressed(&self, _work: &Work<'_>, _progress: &Progress) {}

    /// The server says how far it has got with the running statement.
    fn statement_progressed(&self, _work: &Work<'_>, _progress: &ServerProgress) {}

    /// A step ended well.
    fn step_finished(&self, _report: &StepReport) {}
}

/// A step that was begun: when, on the wall and on the stopwatch; how far it got; and what somebody has agreed since to lose by it.
struct Begun {
    at: DateTime<Utc>,
    watch: Instant,
    given_up: Mutex<BTreeSet<String>>,
    /// How many parts of a step without a transaction are through.
    parts_done: AtomicUsize,
}

impl Begun {
    fn now() -> Self {
        Self {
            at: now(),
            watch: Instant::now(),
            given_up: Mutex::default(),
            parts_done: AtomicUsize::default(),
        }
    }

    fn is_given_up(&self, what: &str) -> bool {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.contains(what)
    }

    fn give_up(&self, lost: &[String]) {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.extend(lost.iter().cloned());
    }

    /// Returns what a step that failed has left behind.
    fn partly_done(&self, work: &Work<'_>) -> Option<PartlyDone> {
        match &work.manner {
            Manner::Transaction(_) | Manner::Backfills { .. } => None,
            Manner::Opaque { .. } => Some(PartlyDone::Unknown),
            Manner::Parts(parts) => {
                let (done, all) = (self.parts_done.load(Ordering::Relaxed), parts.all.len());
                (done > 0).then_some(PartlyDone::Statements { done, all })
            }
        }
    }
}

/// How often and after which pause it is looked whether another tool has ended the step that it is in the middle of.
const ELSEWHERE_LOOKS: u32 = 10;
const ELSEWHERE_PAUSE: Duration = Duration::from_millis(200);

/// How long a run may go on without checking that it still has the lock.
const LOCK_CHECK: Duration = Duration::from_secs(1);

impl Run<'_> {
    /// Works the steps off in order.
    ///
    /// # Errors
    ///
    /// Fails at the first step that fails; the report in the error says what was done before.
    pub async fn work_off(&self, steps: &[Work<'_>]) -> Result<Report, RunError> {
        let report = Report::new(&self.id, self.kind);
        let Some(first) = steps.first() else {
            return Ok(report);
        };
        let session = self.locked.session();
        if let Err(source) = session.keep_journal().await {
            return Err(RunError::before(report, first, StepError::from(source)));
        }
        let result = self.steps(steps, report).await;
        if let Err(error) = session.drop_journal().await {
            // It holds nothing any more, and the next transaction on the database removes it.
            tracing::debug!(%error, "the rollback journal could not be removed");
        }
        result
    }

    async fn steps(&self, steps: &[Work<'_>], mut report: Report) -> Result<Report, RunError> {
        let mut checked = Instant::now();
        for (index, work) in steps.iter().enumerate() {
            if self.stop.is_cancelled() {
                return Err(RunError::before(report, work, StepError::Stopped));
            }
            if checked.elapsed() > LOCK_CHECK {
                if let Err(source) = self.locked.check().await {
                    return Err(RunError::before(report, work, StepError::Lock { source }));
                }
                checked = Instant::now();
            }
            self.observer.step_started(work, index, steps.len());
            let begun = Begun::now();
            match self.step(work, &begun).await {
                Ok(step) => {
                    self.observer.step_finished(&step);
                    report.steps.push(step);
                }
                Err(source) => return Err(RunError::at(report, work, begun.partly_done(work), source)),
            }
        }
        Ok(report)
    }

    /// Runs one step, again where another session held the lock, and records how it ended.
    async fn step(&self, work: &Work<'_>, begun: &Begun) -> Result<StepReport, StepError> {
        let session = self.locked.session();
        let mut attempt = 1;
        // Who was seen at an earlier try is still worth naming when the last one was too short to look.
        let mut blockers = Vec::new();
        loop {
            let tried = match &work.manner {
                Manner::Transaction(keys) => self.in_transaction(work, keys, begun, &mut blockers).await,
                Manner::Parts(parts) => self.in_parts(work, parts, begun, &mut blockers).await,
                Manner::Backfills { all, is_stale } => {
                    self.backfills(work, all, *is_stale, begun, &mut blockers).await
                }
                Manner::Opaque { is_begun, keys } => {
                    self.opaque(work, *is_begun, keys, begun, &mut blockers).await
                }
            };
            if tried.is_err() || work.changes_connection {
                self.put_back().await;
            }
            if attempt > 1
                && let Err(error) = session.limit_try(1).await
            {
                tracing::debug!(%error, "the limits of a first try could not be put in force again");
            }
            let Err(error) = tried else {
                return Ok(StepReport::new(
                    work,
                    StepOutcome::Done,
                    begun.watch.elapsed(),
                    attempt,
                ));
            };
            if matches!(work.manner, Manner::Transaction(_)) && self.is_given_up(&error, begun) {
                continue;
            }
            if self.is_settled(work).await || self.is_being_settled(work, &error).await {
                return Ok(StepReport::new(
                    work,
                    StepOutcome::Elsewhere,
                    begun.watch.elapsed(),
                    attempt,
                ));
            }
            let locked_out = error.fault() == Fault::LockNotGranted;
            let again = locked_out
                && matches!(work.manner, Manner::Transaction(_))
                && self.may_try_again(attempt, begun.watch);
            if !again || self.stop.is_cancelled() {
                let error = match error {
                    _ if self.stop.is_cancelled() => StepError::Stopped,
                    StepError::Database { source } if locked_out => StepError::LockNotGranted {
                        attempts: (!matches!(work.manner, Manner::Opaque { .. })).then_some(attempt),
                        blockers,
                        source,
                    },
                    StepError::Database { source } => match session.offenders(&source).await {
                        Some(offenders) => StepError::Offenders { offenders, source },
                        None => StepError::Database { source },
                    },
                    other => other,
                };
                self.record_failure(work, begun, &error).await;
                return Err(error);
            }
            self.pause(work, attempt, &blockers).await;
            attempt += 1;
            if let Err(error) = session.limit_try(attempt).await {
                let error = StepError::from(error);
                self.record_failure(work, begun, &error).await;
                return Err(error);
            }
        }
    }

    /// Puts the session back to how it was when the run began.
    async fn put_back(&self) {
        let session = self.locked.session();
        let put_back = async {
            session.put_back(self.state).await?;
            session.keep_journal().await
        };
        if let Err(error) = put_back.await {
            // Whatever is sent next says so, too.
            tracing::debug!(%error, "the session could not be put back");
        }
    }

    /// Returns whether what did not get its lock may be tried once more: neither tries nor time are used up.
    fn may_try_again(&self, attempt: u32, since: Instant) -> bool {
        attempt <= self.retries && since.elapsed() < self.locked.session().settings().lock_budget
    }

    /// Waits before the next try, unless the run is to stop.
    async fn pause(&self, work: &Work<'_>, attempt: u32, blockers: &[Blocker]) {
        let pause = pause_before(attempt);
        self.observer.step_retried(work, attempt, pause, blockers);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Returns whether the applied set already says what the step was to bring about: another tool did it meanwhile.
    async fn is_settled(&self, work: &Work<'_>) -> bool {
        let Ok(records) = self.ledger.read(self.locked.session()).await else {
            return false;
        };
        let applied = records.applied.iter().any(|row| row.name == work.header.name);
        applied == (work.direction == Direction::Up)
    }

    /// Waits a little for the applied set where a part of a step without a transaction was there already: another tool may be
    /// in the middle of the same step.
    async fn is_being_settled(&self, work: &Work<'_>, error: &StepError) -> bool {
        if error.fault() != Fault::AlreadyDone || matches!(work.manner, Manner::Transaction(_)) {
            return false;
        }
        for _ in 0..ELSEWHERE_LOOKS {
            if self.stop.is_cancelled() {
                return false;
            }
            tokio::time::sleep(ELSEWHERE_PAUSE).await;
            if self.is_settled(work).await {
                return true;
            }
        }
        false
    }

    /// Writes a failure into the history. The step's own error is what counts, so one of the history is only logged.
    async fn record_failure(&self, work: &Work<'_>, begun: &Begun, error: &StepError) {
        let outcome = match error {
            StepError::Stopped => Outcome::Cancelled,
            _ => Outcome::Failed,
        };
        let mut entry = self.entry(work, outcome, begun);
        entry.error = Some(error.in_full());
        let connection = self.locked.session().connection();
        if let Err(error) = self
            .ledger
            .record(self.locked, connection, &entry, str::to_owned)
            .await
        {
            tracing::warn!(%error, revision = %work.header.id, "the failure could not be written into the history");
        }
    }

    fn entry(&self, work: &Work<'_>, outcome: Outcome, begun: &Begun) -> Entry {
        Entry {
            id: 0,
            run: self.id.clone(),
            kind: self.kind,
            direction: work.direction,
            revision: work.header.id.to_string(),
            name: work.header.name.clone(),
            stage: Some(work.header.stage),
            outcome,
            started_at: Moment::At(begun.at),
            finished_at: (outcome != Outcome::Started).then(|| Moment::At(now())),
            duration_ms: (outcome != Outcome::Started)
                .then(|| i64::try_from(begun.watch.elapsed().as_millis()).unwrap_or(i64::MAX)),
            error: None,
            checksum: work.checksum.clone(),
            parts_done: None,
            accepted: work.accepted.clone(),
            actor: self.actor.clone(),
        }
    }
}

impl From<DbErr> for StepError {
    fn from(source: DbErr) -> Self {
        Self::Database {
            source: source.into(),
        }
    }
}
