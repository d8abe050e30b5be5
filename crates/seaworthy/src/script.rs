//! The SQL that a revision would send, recorded without a database.
//!
//! A revision that asks the database something is answered as an empty one would answer, and the recording says so.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;

use futures_util::FutureExt;
use sea_orm::DbBackend;
use sea_orm_migration::SchemaManager;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

pub use loss::{Loss, Losses};
pub use recorder::Recorder;

use crate::revision::{Direction, Revision};

mod loss;
mod recorder;

/// What a revision sends in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Script {
    /// The statements in order, values inside, without a closing semicolon.
    pub statements: Vec<String>,
    /// The questions that the revision asked the database; they were answered as by an empty one.
    pub reads: Vec<String>,
    /// Whether the step runs in one transaction with its version row.
    pub transaction: bool,
    /// Why the recording is not complete, if it is not.
    pub incomplete: Option<String>,
}

/// Records what a revision sends.
pub async fn record(revision: &dyn Revision, direction: Direction, backend: DbBackend) -> Script {
    let transaction = runs_in_transaction(revision);
    let (recorder, connection) = Recorder::connect(backend, transaction);
    let manager = SchemaManager::new(&connection);
    let sent = async {
        match direction {
            Direction::Up => revision.up(&manager).await,
            Direction::Down => revision.down(&manager).await,
        }
    };
    let incomplete = match AssertUnwindSafe(marked(sent)).catch_unwind().await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("it panicked".to_owned()),
    };
    let (statements, reads) = recorder.take();
    Script {
        statements,
        reads,
        transaction,
        incomplete,
    }
}

thread_local! {
    static IS_RECORDING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread is inside of a recording at this moment.
///
/// A revision that takes an answer for granted panics when it gets that of an empty database. A panic hook that asks here
/// keeps it to itself: nothing has failed.
#[must_use]
pub fn is_recording() -> bool {
    IS_RECORDING.get()
}

/// Drives a future with [`is_recording`] saying yes.
async fn marked<F: Future>(recorded: F) -> F::Output {
    let mut recorded = pin!(recorded);
    poll_fn(|context| {
        let _mark = Mark::set();
        recorded.as_mut().poll(context)
    })
    .await
}

/// Takes the mark away again when the revision panics.
struct Mark;

impl Mark {
    fn set() -> Self {
        IS_RECORDING.set(true);
        Self
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        IS_RECORDING.set(false);
    }
}

/// Returns whether a revision runs in one transaction with its version row: always, unless it opts out.
#[must_use]
pub fn runs_in_transaction(revision: &dyn Revision) -> bool {
    revision.use_transaction() != Some(false)
}

impl Script {
    /// Returns the SHA-256 of the statements in hex, or nothing when they are not all known.
    #[must_use]
    pub fn checksum(&self) -> Option<String> {
        self.incomplete.is_none().then(|| checksum(&self.statements))
    }

    /// Returns the parts that a step without a transaction is worked off in: one statement each, except that what the
    /// revision put into a transaction of its own stays together.
    #[must_use]
    pub fn parts(&self) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        let mut open = false;
        for statement in &self.statements {
            match parts.last_mut() {
                Some(part) if open => {
                    part.push_str(";\n");
                    part.push_str(statement);
                }
                _ => parts.push(statement.clone()),
            }
            open = (open || statement == "BEGIN") && statement != "COMMIT" && statement != "ROLLBACK";
        }
        parts
    }

    /// Returns whether a statement builds or drops an index without blocking writers.
    ///
    /// Such a statement waits for old transactions; a lock timeout would leave an INVALID index behind.
    #[must_use]
    pub fn is_concurrent(&self) -> bool {
        self.statements
            .iter()
            .any(|statement| statement.to_ascii_uppercase().contains(" CONCURRENTLY "))
    }
}

/// Returns the SHA-256 of statements in hex.
#[must_use]
pub fn checksum(statements: &[String]) -> String {
    let mut digest = Sha256::new();
    for statement in statements {
        digest.update(statement.as_bytes());
        digest.update(b";\n");
    }
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Returns the index that a statement builds without blocking writers, as the statement spells it.
#[must_use]
pub fn builds_concurrently(statement: &str) -> Option<String> {
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, statement).ok()?;
    match parsed.as_slice() {
        [Statement::CreateIndex(create)] if create.concurrently => {
            create.name.as_ref().map(ToString::to_string)
        }
        _ => None,
    }
}
