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
pub use recorder::{Answers, Recorder};
pub use removal::removals;

use crate::revision::{Direction, Revision};

mod loss;
mod recorder;
mod removal;

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
    /// What needs no runner in place of statements that only say what is filled in batches, each with its place among them.
    #[serde(skip)]
    pub portable: Vec<(usize, String)>,
}

/// Records what a revision sends.
///
/// A revision that changes rows is recorded a second time with other answers: if it sends something else then, as a loop
/// over batches does, the recording is not complete.
pub async fn record(revision: &dyn Revision, direction: Direction, backend: DbBackend) -> Script {
    let mut script = record_with(revision, direction, backend, Answers::NoRows).await;
    let backfills = match direction {
        Direction::Up => revision.backfills(),
        Direction::Down => Vec::new(),
    };
    if !backfills.is_empty() {
        // What a reader, a checksum and the linter go by: batches are no bulk statement.
        let described: Vec<String> = backfills
            .iter()
            .map(|backfill| backfill.described(backend))
            .collect();
        let is_described = |sql: &String| described.iter().any(|one| one.trim() == sql.trim());
        if !script.statements.iter().all(is_described) {
            script.incomplete =
                Some("it declares backfills and sends statements of its own besides".to_owned());
        }
        script.statements = described;
        let portable = backfills.iter().map(|backfill| backfill.portable(backend));
        script.portable = portable.enumerate().collect();
        script.transaction = false;
        return script;
    }
    if script.incomplete.is_none()
        && let Some(described) = script.only_described()
    {
        script.incomplete = Some(format!(
            "what it sends depends on what is there: {}",
            described.trim_start_matches("-- ")
        ));
        return script;
    }
    if script.incomplete.is_none() && script.statements.iter().any(|sql| changes_rows(sql)) {
        let again = record_with(revision, direction, backend, Answers::ManyRows).await;
        if again.statements.len() != script.statements.len() {
            script.incomplete = Some("it goes on by how many rows a statement has changed".to_owned());
        }
    }
    script
}

async fn record_with(
    revision: &dyn Revision,
    direction: Direction,
    backend: DbBackend,
    answers: Answers,
) -> Script {
    let transaction = runs_in_transaction(revision);
    let (recorder, connection) = Recorder::connect(backend, transaction, answers);
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
    let portable = recorder.take_portable();
    let (statements, reads) = recorder.take();
    Script {
        portable,
        statements,
        reads,
        transaction,
        incomplete,
    }
}

/// Returns whether a statement is the comment with which `online` says what would be done, since it cannot be known. What a
/// revision itself sends as a comment does nothing, and is known.
fn is_described(statement: &str) -> bool {
    statement.starts_with("-- the table ") && statement.contains(" is built again: ")
}

fn changes_rows(statement: &str) -> bool {
    let verb = statement.split_whitespace().next().unwrap_or_default();
    ["INSERT", "UPDATE", "DELETE", "MERGE", "WITH"]
        .iter()
        .any(|word| verb.eq_ignore_ascii_case(word))
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
    /// Returns a statement that says what it does and cannot be said otherwise.
    fn only_described(&self) -> Option<&String> {
        let is_portable = |index| self.portable.iter().any(|(place, _)| *place == index);
        let mut statements = self.statements.iter().enumerate();
        statements
            .find(|(index, sql)| is_described(sql) && !is_portable(*index))
            .map(|(_, sql)| sql)
    }

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

    /// Returns whether the revision wants SQLite not to enforce foreign keys, which it cannot say inside a transaction.
    #[must_use]
    pub fn switches_foreign_keys_off(&self) -> bool {
        self.statements.iter().any(|statement| {
            let words: String = statement.split_whitespace().collect();
            let words = words.to_ascii_lowercase();
            ["off", "0", "false", "no"]
                .iter()
                .any(|off| words == format!("pragmaforeign_keys={off}"))
        })
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
    // A digit at a time: formatting thirty-two bytes one by one costs more than hashing a usual revision.
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    digest
        .finalize()
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)])
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

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;
    use sea_orm_migration::{DbErr, MigrationName, MigrationTrait};

    use super::*;

    struct Batches;

    impl MigrationName for Batches {
        fn name(&self) -> &str {
            "m20260101_000000_batches"
        }
    }

    impl Revision for Batches {}

    #[async_trait::async_trait]
    impl MigrationTrait for Batches {
        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            let batch =
                "UPDATE notes SET size = 0 WHERE id IN (SELECT id FROM notes WHERE size IS NULL LIMIT 100)";
            while manager
                .get_connection()
                .execute_unprepared(batch)
                .await?
                .rows_affected()
                == 100
            {}
            Ok(())
        }

        async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            let all = "UPDATE notes SET size = NULL";
            manager.get_connection().execute_unprepared(all).await.map(drop)
        }
    }

    #[tokio::test]
    async fn a_loop_over_batches_is_not_known_beforehand() {
        let up = record(&Batches, Direction::Up, DbBackend::Postgres).await;
        assert_eq!(
            up.incomplete.as_deref(),
            Some("it goes on by how many rows a statement has changed")
        );
        assert_eq!(up.checksum(), None);
        let down = record(&Batches, Direction::Down, DbBackend::Postgres).await;
        assert_eq!(down.incomplete, None);
    }
}
