//! Backfills: what fills a column of every row of a live table, as a value that a revision declares.
//!
//! A backfill goes along the primary key in batches, one short transaction each, and saves how far it is in the same
//! transaction: a process that dies loses nothing and repeats nothing. The runner works it off; [`Backfill::run`] does the
//! same for SeaORM's own runner.
//!
//! ```
//! use sea_orm_migration::prelude::*;
//! use seaworthy::backfill::Backfill;
//!
//! # fn declared() -> Backfill {
//! Backfill::new("rank_tasks", "tasks")
//!     .set("rank", Expr::cust("CASE priority WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END"))
//! # }
//! ```

use std::time::Duration;

use sea_orm::DbBackend;
use sea_orm::sea_query::Expr;

pub use control::{Throttle, known, pause, require, resume, throttle};
pub use error::BackfillError;
pub(crate) use manager::{OWN_QUESTION, is_inside_recording, is_recorded, mark_recording};
pub use standing::{Standing, State};
pub(crate) use statement::taken_apart;
pub(crate) use sweep::Sweep;

mod control;
mod error;
mod key;
mod manager;
mod sql;
mod standing;
mod statement;
mod sweep;

/// The table of what backfills have done; one for a schema.
pub const TABLE: &str = "seaworthy_backfills";

/// What fills columns of the rows that a table has already.
///
/// New rows are not its business: a default or a trigger that covers them has to be committed before, in an earlier
/// revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Backfill {
    name: String,
    table: String,
    assignments: Vec<(String, Expr)>,
    needs: Needs,
    wrong: Option<Expr>,
    size: BatchSize,
    rest: f64,
    max_lag: Duration,
    /// The kind of database that has something to fill, where not all have.
    place: Option<DbBackend>,
}

/// Which rows a backfill changes.
#[derive(Clone, Debug, PartialEq)]
enum Needs {
    /// Those with NULL in a column that it sets.
    Unset,
    /// Those for which a condition holds.
    Rows(Expr),
    /// All.
    Every,
}

/// How many rows a batch looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BatchSize {
    /// As many as take about this long.
    Lasting(Duration),
    /// So many.
    Rows(u64),
}

/// How far a backfill has got.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The backfill.
    pub name: String,
    /// Its table.
    pub table: String,
    /// Rows passed so far, by earlier runs as well.
    pub seen: u64,
    /// Rows changed so far.
    pub changed: u64,
    /// Rows that there were when it began, about.
    pub total: u64,
    /// Rows that the next batch looks at.
    pub batch_rows: u64,
    /// Rows passed in a second, since this run began.
    pub rate: f64,
    /// How long it is going to take, about; unknown at first, and while it is held up.
    pub left: Option<Duration>,
    /// What it waits for.
    pub held_up: Option<HeldUp>,
}

/// Why a backfill does not go on at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldUp {
    /// Somebody has paused it.
    Paused,
    /// A replica is so far behind.
    ReplicaLag(Duration),
}

impl Backfill {
    /// Returns a backfill of a table, which still has to be told what to set.
    ///
    /// The name is what it is known by in the database; it stays the same for ever.
    pub fn new(name: impl Into<String>, table: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            table: table.into(),
            assignments: Vec::new(),
            needs: Needs::Unset,
            wrong: None,
            size: BatchSize::Lasting(Duration::from_millis(100)),
            rest: 0.2,
            max_lag: Duration::from_millis(1_500),
            place: None,
        }
    }

    /// Sets a column to the value of an expression: one of sea-query's, or SQL as text in [`Expr::cust`].
    #[must_use]
    pub fn set(mut self, column: impl Into<String>, value: impl Into<Expr>) -> Self {
        self.assignments.push((column.into(), value.into()));
        self
    }

    /// Changes only rows for which a condition holds, and none of which it still holds afterwards.
    ///
    /// Without one, the rows that have NULL in a column that is set.
    #[must_use]
    pub fn only(mut self, condition: impl Into<Expr>) -> Self {
        self.needs = Needs::Rows(condition.into());
        self
    }

    /// Changes every row, once.
    #[must_use]
    pub fn every_row(mut self) -> Self {
        self.needs = Needs::Every;
        self
    }

    /// Names the rows that are wrong when all is done: the backfill fails unless there are none.
    ///
    /// Without it, they are the rows that it was to change; after [`Backfill::every_row`] nothing is looked at.
    #[must_use]
    pub fn unless(mut self, condition: impl Into<Expr>) -> Self {
        self.wrong = Some(condition.into());
        self
    }

    /// Sets how long a batch should take, and with it how long a writer waits at most for a row: 100 ms unless set.
    #[must_use]
    pub fn batch_time(mut self, time: Duration) -> Self {
        self.size = BatchSize::Lasting(time);
        self
    }

    /// Looks at so many rows in each batch, however long that takes.
    #[must_use]
    pub fn batch_rows(mut self, rows: u64) -> Self {
        self.size = BatchSize::Rows(rows.max(1));
        self
    }

    /// Sets how long it rests after a batch, as a part of the time that the batch took: 0.2 unless set.
    #[must_use]
    pub fn rest(mut self, ratio: f64) -> Self {
        self.rest = ratio.clamp(0.0, 100.0);
        self
    }

    /// Sets how far a replica may be behind before the backfill waits for it, on PostgreSQL: 1.5 s unless set.
    #[must_use]
    pub fn max_lag(mut self, lag: Duration) -> Self {
        self.max_lag = lag;
        self
    }

    /// Fills rows on one kind of database, and counts as finished and verified on the others: a type that only one of them
    /// has is changed only there.
    #[must_use]
    pub fn on(mut self, backend: DbBackend) -> Self {
        self.place = Some(backend);
        self
    }

    /// Returns what it is known by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the table whose rows it changes.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    fn has_work_on(&self, backend: DbBackend) -> bool {
        self.place.is_none_or(|place| place == backend)
    }
}
