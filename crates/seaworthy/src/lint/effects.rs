//! What each statement of a script takes and does: its locks, and the work that grows with a table.

use serde::Serialize;

use super::locks::locks;
use super::timeline::{Moment, Timeline};
use super::{Context, Hazard};
use crate::sql::{Action, Parsed, Statement};

/// What a statement does to the tables in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// The statement, counted from zero.
    pub statement: usize,
    /// Its text.
    pub sql: String,
    /// The locks that it takes on tables that are there before the script.
    pub locks: Vec<HeldLock>,
    /// The work that it does, beyond the catalog.
    pub work: Option<Work>,
    /// Whether the locks last until the end of a transaction that other statements share.
    pub in_transaction: bool,
}

/// A lock on a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldLock {
    /// The table.
    pub table: String,
    /// PostgreSQL's name for the lock: `ACCESS EXCLUSIVE`.
    pub mode: &'static str,
    /// Whether readers or writers wait for it.
    pub blocks: bool,
}

/// Work that takes the longer, the larger a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Every row is read.
    Scan,
    /// An index is built.
    Build,
    /// The table is copied, and its indexes are built anew.
    Rewrite,
    /// Rows are changed.
    Rows,
}

/// Returns what statements do, given the hazards that were found in them.
#[must_use]
pub fn effects(statements: &[Statement], context: &Context, hazards: &[Hazard]) -> Vec<Effect> {
    let timeline = Timeline::new(statements, context);
    let moments = timeline.moments.iter().zip(statements).enumerate();
    let effect = |(index, (moment, statement)): (usize, (&Moment<'_>, &Statement))| Effect {
        statement: index,
        sql: statement.text().to_owned(),
        locks: locks(moment.statement, &moment.before)
            .into_iter()
            .map(|lock| HeldLock {
                table: lock.table,
                mode: lock.mode.words(),
                blocks: lock.mode.is_strong(),
            })
            .collect(),
        work: work(
            moment.statement,
            hazards.iter().filter(|hazard| hazard.statement == index),
        ),
        in_transaction: moment.in_transaction,
    };
    moments.map(effect).collect()
}

/// Returns whether statements hold a lock, on a table that they do not create, that readers or writers wait for.
#[must_use]
pub fn holds_blocking_lock(statements: &[Statement]) -> bool {
    let context = Context::default();
    effects(statements, &context, &[])
        .iter()
        .any(|effect| effect.locks.iter().any(|lock| lock.blocks))
}

/// Returns whether a statement checks rows under a lock that stops nobody, so that only its wait needs a limit.
#[must_use]
pub fn validates(statement: &Statement) -> bool {
    match &statement.parsed {
        Parsed::AlterTable { actions, .. } => {
            actions.iter().any(|action| matches!(action, Action::Validate(_)))
        }
        _ => false,
    }
}

fn work<'a>(statement: &Parsed, hazards: impl Iterator<Item = &'a Hazard>) -> Option<Work> {
    let found: Vec<&str> = hazards.map(|hazard| hazard.category).collect();
    let has = |categories: &[&str]| categories.iter().any(|category| found.contains(category));
    if has(&["table-rewrite", "heavy-maintenance"]) {
        return Some(Work::Rewrite);
    }
    let builds_concurrently = matches!(statement, Parsed::CreateIndex(create) if create.concurrently);
    if builds_concurrently || has(&["index-blocking", "unique-build"]) {
        return Some(Work::Build);
    }
    if has(&["bulk-dml"]) {
        return Some(Work::Rows);
    }
    let validates = match statement {
        Parsed::AlterTable { actions, .. } => {
            actions.iter().any(|action| matches!(action, Action::Validate(_)))
        }
        _ => false,
    };
    let scans = [
        "constraint-scan",
        "fk-scan",
        "not-null-scan",
        "validate-with-lock",
        "partition-blocking",
    ];
    (validates || has(&scans)).then_some(Work::Scan)
}
