//! The SQL that a revision would send, recorded without a database.
//!
//! What a revision asks is answered by what the statements before it have done and by a database, if one may be asked. What
//! nobody can answer makes the recording incomplete.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;
use sea_orm::DbBackend;
use sea_orm_migration::SchemaManager;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

pub use answers::{
    Answer, Answers, Column, EmptyDatabase, Known, LiveAnswers, NoDatabase, Question, Subject,
};
pub use loss::{Loss, Losses};
pub use recorder::{Recorder, RowCounts};
pub use removal::removals;

use crate::revision::{Direction, Revision};

mod answers;
mod loss;
mod reading;
mod recorder;
mod removal;

/// What a revision sends in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Script {
    /// The statements in order, values inside, without a closing semicolon.
    pub statements: Vec<String>,
    /// The questions that the revision asked the database.
    pub reads: Vec<String>,
    /// Whether a database was asked for the answers, so that another one may be sent something else.
    #[serde(skip)]
    pub depends_on_database: bool,
    /// Whether the step runs in one transaction with its version row.
    pub transaction: bool,
    /// Why the recording is not complete, if it is not.
    pub incomplete: Option<String>,
    /// What needs no runner in place of statements that only say what is filled in batches, each with its place among them.
    #[serde(skip)]
    pub portable: Vec<(usize, String)>,
}

/// Records what a revision sends where no database is asked.
pub async fn record(revision: &dyn Revision, direction: Direction, backend: DbBackend) -> Script {
    let known = Known::over(Arc::new(NoDatabase), backend);
    record_answered(revision, direction, backend, &Arc::new(known)).await
}

/// Records what a revision sends, in a run in which this is known. Afterwards it is known what the revision has done, too.
///
/// The code is called once. Statements are told that they changed rows; whether it sends something else where they change
/// none is a question of its own: [`depends_on_row_counts`].
pub async fn record_answered(
    revision: &dyn Revision,
    direction: Direction,
    backend: DbBackend,
    known: &Arc<Known>,
) -> Script {
    let (script, _) = record_with(revision, direction, backend, known, RowCounts::Some).await;
    let script = described(script, revision, direction, backend);
    if let Some(reason) = &script.incomplete {
        known.lose(&format!("what {} sends is not known ({reason})", revision.name()));
    }
    script
}

/// Returns whether a revision sends something else where its statements change no rows, by recording it once more.
///
/// `known` is what was known before `script` was recorded. A revision that only fails then sends nothing else.
pub async fn depends_on_row_counts(
    revision: &dyn Revision,
    direction: Direction,
    known: &Arc<Known>,
    backend: DbBackend,
    script: &Script,
) -> bool {
    if !script.statements.iter().any(|sql| changes_rows(sql)) || !script.portable.is_empty() {
        return false;
    }
    let (again, has_failed) = record_with(revision, direction, backend, known, RowCounts::None).await;
    match has_failed {
        true => !script.statements.starts_with(&again.statements),
        false => script.statements != again.statements,
    }
}

/// Puts what a revision says of its backfills in the place of what it sends for them.
fn described(
    mut script: Script,
    revision: &dyn Revision,
    direction: Direction,
    backend: DbBackend,
) -> Script {
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
    }
    script
}

/// Records, and returns besides whether the code has failed.
async fn record_with(
    revision: &dyn Revision,
    direction: Direction,
    backend: DbBackend,
    known: &Arc<Known>,
    counts: RowCounts,
) -> (Script, bool) {
    let transaction = runs_in_transaction(revision);
    let (recorder, connection) = Recorder::connect(backend, transaction, Arc::clone(known), counts);
    let manager = SchemaManager::new(&connection);
    let sent = async {
        match direction {
            Direction::Up => revision.up(&manager).await,
            Direction::Down => revision.down(&manager).await,
        }
    };
    let failure = match AssertUnwindSafe(marked(sent)).catch_unwind().await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("it panicked".to_owned()),
    };
    let has_failed = failure.is_some();
    let recorded = recorder.finish();
    let script = Script {
        portable: recorded.portable,
        statements: recorded.statements,
        reads: recorded.reads,
        depends_on_database: recorded.depends_on_database,
        transaction,
        // What nobody knew comes first: it may be why the code has failed.
        incomplete: recorded.gaps.into_iter().next().or(failure),
    };
    (script, has_failed)
}

/// Returns whether a statement is nothing but a comment: what would be done is said, since it cannot be known.
fn is_described(statement: &str) -> bool {
    statement.lines().all(|line| line.trim_start().starts_with("--"))
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
/// A revision that takes an answer for granted panics when there is none. A panic hook that asks here
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

    /// Returns the SHA-256 of the statements in hex, or nothing when they are not all known, or not the same everywhere.
    #[must_use]
    pub fn checksum(&self) -> Option<String> {
        let is_known = self.incomplete.is_none() && !self.depends_on_database;
        is_known.then(|| checksum(&self.statements))
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
