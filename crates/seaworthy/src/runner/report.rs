//! What a run has done, as a value: for the terminal, for machines, and inside the error of a run that failed.

use std::error::Error as _;
use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use super::{BrokenKeys, Work};
use crate::backfill::BackfillError;
use crate::ledger::Kind;
use crate::revision::{Direction, RevisionId};
use crate::session::{Blocker, DatabaseError, Fault, LockError, Offenders};

/// What a run has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the history calls the run.
    pub run: String,
    /// What kind of run it was.
    pub kind: Kind,
    /// The steps that ended well, in order.
    pub steps: Vec<StepReport>,
}

/// A step that ended well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// The revision.
    pub revision: RevisionId,
    /// Its parents.
    pub revises: Vec<RevisionId>,
    /// SeaORM's name for it.
    pub name: String,
    /// What it does.
    pub message: String,
    /// Which way it was run.
    pub direction: Direction,
    /// How it ended.
    pub outcome: StepOutcome,
    /// How long it took, in milliseconds.
    #[serde(rename = "duration_ms", serialize_with = "whole_milliseconds")]
    pub duration: Duration,
    /// How many tries it took.
    pub attempts: u32,
}

/// How a step ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepOutcome {
    /// This run did it.
    Done,
    /// Another tool did it while this run was at it.
    Elsewhere,
}

/// A run that did not get to its end.
#[derive(Debug, Error)]
#[error(
    "{} of {revision} {}{}",
    verb(*direction),
    if *begun { "failed" } else { "was not begun" },
    partly_done.map(PartlyDone::described).unwrap_or_default()
)]
#[non_exhaustive]
pub struct RunError {
    /// What was done before.
    pub report: Report,
    /// The revision that failed.
    pub revision: RevisionId,
    /// Which way it was run.
    pub direction: Direction,
    /// Whether the step had begun.
    pub begun: bool,
    /// What a step without a transaction has left behind; absent where it left nothing.
    pub partly_done: Option<PartlyDone>,
    /// Why it failed.
    pub source: StepError,
}

/// What a step without a transaction that failed has left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartlyDone {
    /// This many of its statements ran, and the next run goes on behind them.
    Statements {
        /// The done ones.
        done: usize,
        /// All of the step.
        all: usize,
    },
    /// Its statements are not known beforehand: what it did before it failed stays, and the next run begins it anew.
    Unknown,
}

impl PartlyDone {
    fn described(self) -> String {
        match self {
            Self::Statements { done, all } => {
                format!("; it runs without a transaction, and {done} of its {all} statements ran")
            }
            Self::Unknown => "; it runs without a transaction, and what it did before stays".to_owned(),
        }
    }
}

/// Why a step did not end well.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StepError {
    /// The database refused a statement.
    #[error("the database refused it")]
    Database {
        /// What it said.
        source: DatabaseError,
    },
    /// The revision's own code returned an error.
    #[error("revision {revision} failed: {source}")]
    Revision {
        /// The revision.
        revision: RevisionId,
        /// What it returned.
        source: DatabaseError,
    },
    /// A validation found rows that break the constraint.
    #[error("rows of {} break {}: {}", offenders.table, offenders.constraint, offenders.keys.join("; "))]
    Offenders {
        /// The first of them.
        offenders: Offenders,
        /// What the database said.
        source: DatabaseError,
    },
    /// Another session held a lock for too long, at every try.
    #[error("a lock was not granted{}", in_tries(*attempts))]
    LockNotGranted {
        /// How often it was tried; nothing where the revision tries by itself.
        attempts: Option<u32>,
        /// Who held it, as seen while waiting.
        blockers: Vec<Blocker>,
        /// What the database said in the end.
        source: DatabaseError,
    },
    /// A backfill did not get to its end.
    #[error("its backfill did not get to its end")]
    Backfill {
        /// Why not.
        source: BackfillError,
    },
    /// The step would leave rows behind that reference nothing; on SQLite.
    #[error("it breaks foreign keys: {}", listed(broken))]
    ForeignKeys {
        /// The rows, by table and parent.
        broken: Vec<BrokenKeys>,
    },
    /// The revision has ended the transaction that its step runs in; what it did before that may be committed.
    #[error(
        "the revision ended the transaction of its step; it is not recorded, and some of it may be committed"
    )]
    TransactionEnded,
    /// The step destroyed what nobody knew beforehand, and was rolled back.
    #[error("it would destroy {}", lost.join(", "))]
    Destroys {
        /// Tables, columns and rows, in words.
        lost: Vec<String>,
    },
    /// A step without a transaction whose statements are not known beforehand died in an earlier run; this one began it
    /// anew and stumbled over what that left.
    #[error("an earlier run of it died halfway, and this one stumbled over what that left")]
    NotResumable {
        /// What the database said.
        source: DatabaseError,
    },
    /// The run was asked to stop.
    #[error("the run was stopped")]
    Stopped,
    /// The revision panicked.
    #[error("revision {revision} panicked: {message}")]
    Panicked {
        /// The revision.
        revision: RevisionId,
        /// What it said.
        message: String,
    },
    /// The migration lock is gone.
    #[error("the run lost its lock")]
    Lock {
        /// How.
        source: LockError,
    },
}

impl Report {
    pub(super) fn new(run: &str, kind: Kind) -> Self {
        Self {
            run: run.to_owned(),
            kind,
            steps: Vec::new(),
        }
    }
}

impl StepReport {
    pub(super) fn new(work: &Work<'_>, outcome: StepOutcome, duration: Duration, attempts: u32) -> Self {
        Self {
            revision: work.header.id.clone(),
            revises: work.header.revises.clone(),
            name: work.header.name.clone(),
            message: work.header.message.clone(),
            direction: work.direction,
            outcome,
            duration,
            attempts,
        }
    }
}

impl RunError {
    pub(super) fn before(report: Report, work: &Work<'_>, source: StepError) -> Self {
        Self {
            report,
            revision: work.header.id.clone(),
            direction: work.direction,
            begun: false,
            partly_done: None,
            source,
        }
    }

    pub(super) fn at(
        report: Report,
        work: &Work<'_>,
        partly_done: Option<PartlyDone>,
        source: StepError,
    ) -> Self {
        Self {
            begun: true,
            partly_done,
            ..Self::before(report, work, source)
        }
    }
}

impl StepError {
    pub(super) fn fault(&self) -> Fault {
        match self {
            Self::Database { source }
            | Self::NotResumable { source }
            | Self::Offenders { source, .. }
            | Self::LockNotGranted { source, .. } => source.fault(),
            Self::Backfill { source } => source.fault(),
            _ => Fault::Other,
        }
    }

    /// Returns the error and its causes in one line, for the history.
    pub(super) fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

fn listed(broken: &[BrokenKeys]) -> String {
    let keys: Vec<String> = broken.iter().map(ToString::to_string).collect();
    keys.join("; ")
}

fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "upgrade",
        Direction::Down => "downgrade",
    }
}

fn whole_milliseconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn in_tries(attempts: Option<u32>) -> String {
    match attempts {
        None => String::new(),
        Some(1) => " in 1 try".to_owned(),
        Some(attempts) => format!(" in {attempts} tries"),
    }
}
