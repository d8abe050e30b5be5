//! The SQL that a revision would send, recorded without a database.
//!
//! What a revision asks is answered by what the statements before it have done and by a database, if one may be asked. What
//! nobody can answer makes the recording incomplete.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, OnceLock};

pub use answers::{
    Answer, Answers, Column, EmptyDatabase, Known, LiveAnswers, NoDatabase, Question, Subject,
};
use futures_util::FutureExt;
pub use loss::{Form, Kept, Losses, PossibleLoss};
pub use recorder::{Recorder, RowCounts};
pub use removal::{Removals, removals};
use sea_orm::{DbBackend, DbErr, TransactionTrait};
use sea_orm_migration::SchemaManager;
use sha2::{Digest, Sha256};

use crate::backfill::{Backfill, is_inside_recording, mark_recording};
use crate::revision::{Direction, Revision, panic_message};
use crate::session::dialect_of;
use crate::sql::{Dialect, Kind, Statement, read, tokens};

mod answers;
mod loss;
mod reading;
mod recorder;
mod removal;
#[cfg(test)]
mod tests;

/// What a revision sends in one direction, and what that does.
#[derive(Clone, Debug)]
pub struct Script {
    /// What it sends, call by call, values inside, without a closing semicolon.
    pub sent: Vec<String>,
    /// The statements in that, one by one, those inside of blocks of code behind them.
    pub statements: Vec<Statement>,
    /// The questions that the revision asked the database.
    pub reads: Vec<String>,
    /// Whether a database was asked for the answers, so that another one may be sent something else.
    pub depends_on_database: bool,
    /// Whether a statement was told a number of rows that nobody knows.
    pub was_told_rows: bool,
    /// Whether the step runs in one transaction with its version row.
    pub transaction: bool,
    /// Why the recording is not complete, if it is not.
    pub incomplete: Option<String>,
    /// Whether it lacks nothing but the statements with which an operation of `online` builds tables again, which keeps their rows.
    pub lacks_only_rebuilds: bool,
    /// Why the revision has no way back, if it has none: it declares so, has no `down`, or its `down` fails before it sends
    /// anything.
    pub irreversible: Option<String>,
    /// The statements that fill columns in batches, read.
    pub fills: Vec<Statement>,
    /// What needs no runner in place of statements that only say what is filled in batches, each with its place among them.
    pub portable: Vec<(usize, String)>,
}

/// Records what a revision sends where no database is asked. Its code is called once.
pub async fn record(revision: &dyn Revision, direction: Direction, backend: DbBackend) -> Script {
    let known = Known::over(Arc::new(NoDatabase), backend);
    record_answered(revision, direction, backend, &Arc::new(known)).await
}

/// Records what a revision sends, in a run in which this is known. Afterwards it is known what the revision has done, too.
///
/// The code is called once. Statements are told that they changed rows; whether it sends something else where they change
/// none is a question of its own, that [`record_probed`] asks.
pub async fn record_answered(
    revision: &dyn Revision,
    direction: Direction,
    backend: DbBackend,
    known: &Arc<Known>,
) -> Script {
    let (script, _) = record_with(revision, direction, backend, known, RowCounts::Some).await;
    let backfills = match direction {
        Direction::Up => revision.backfills(),
        Direction::Down => Vec::new(),
    };
    let script = if backfills.is_empty() {
        script.without_descriptions()
    } else {
        script.of_backfills(&backfills, backend)
    };
    if let Some(reason) = &script.incomplete {
        known.lose(&format!("what {} sends is not known ({reason})", revision.name()));
    }
    script.understood(dialect_of(backend))
}

/// Records as [`record_answered`] does, and once more where the code was told a number of rows that nobody knows: what it sends is
/// not known beforehand if it sends something else where no rows are changed.
pub async fn record_probed(
    revision: &dyn Revision,
    direction: Direction,
    backend: DbBackend,
    known: &Arc<Known>,
) -> Script {
    let before = Known::clone(known);
    let mut script = record_answered(revision, direction, backend, known).await;
    if script.may_hide().is_none()
        && depends_on_row_counts(revision, direction, &before, backend, &script).await
    {
        let reason = "it sends something else where a statement changes no rows";
        known.lose(&format!("what {} sends is not known ({reason})", revision.name()));
        script.incomplete = Some(reason.to_owned());
        script.lacks_only_rebuilds = false;
    }
    script
}

/// Returns whether a revision sends something else where its statements change no rows, by recording it once more.
///
/// `known` is what was known before `script` was recorded. A revision that only fails then sends nothing else.
async fn depends_on_row_counts(
    revision: &dyn Revision,
    direction: Direction,
    known: &Known,
    backend: DbBackend,
    script: &Script,
) -> bool {
    if !script.was_told_rows || !script.portable.is_empty() {
        return false;
    }
    let known = || Arc::new(Known::clone(known));
    let (none, has_failed) = record_with(revision, direction, backend, &known(), RowCounts::None).await;
    let is_other = |one: &[String], other: &[String]| match has_failed {
        true => !one.starts_with(other),
        false => one != other,
    };
    if !is_other(&script.sent, &none.sent) {
        return false;
    }
    // A revision that makes up values as it runs, ids or times, never sends the same twice.
    let (again, _) = record_with(revision, direction, backend, &known(), RowCounts::Some).await;
    let shapes = |script: &Script| -> Vec<String> {
        let shapes = script.sent.iter().map(|sql| shape(sql, dialect_of(backend)));
        shapes.collect()
    };
    script.sent == again.sent || is_other(&shapes(script), &shapes(&none))
}

/// Returns a statement without the values that it has.
fn shape(sql: &str, dialect: Dialect) -> String {
    let words = tokens(sql, dialect).into_iter().map(|token| match token.kind {
        Kind::Text | Kind::Number => "?".to_owned(),
        Kind::Word | Kind::Quoted | Kind::Symbol | Kind::Client => token.text,
    });
    words.collect::<Vec<_>>().join(" ")
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
    let (recorder, connection) = Recorder::connect(backend, Arc::clone(known), counts);
    let code = async {
        // The code may ask whether it runs in a transaction, and has to be told what it will be told when it runs.
        let surrounding = match transaction {
            true => Some(connection.begin().await?),
            false => None,
        };
        recorder.forget_begin();
        let manager = match &surrounding {
            Some(transaction) => SchemaManager::new(transaction),
            None => SchemaManager::new(&connection),
        };
        let done = AssertUnwindSafe(async {
            match direction {
                Direction::Up => revision.up(&manager).await,
                Direction::Down => revision.down(&manager).await,
            }
        })
        .catch_unwind()
        .await;
        // The transaction is not over when the code is: its end is no statement of the revision.
        recorder.close();
        match done {
            Ok(done) => done,
            Err(panic) => resume_unwind(panic),
        }
    };
    let declared = revision.header().and_then(|header| header.irreversible);
    let failure = match (direction, declared) {
        (Direction::Down, Some(reason)) => Some(Failure::Declared(reason)),
        _ => run(code).await,
    };
    let has_failed = failure.is_some();
    let recorded = recorder.finish();
    let has_asked = !recorded.reads.is_empty() || !recorded.gaps.is_empty();
    let is_done = direction == Direction::Up || has_asked || !recorded.statements.is_empty();
    let irreversible = match &failure {
        Some(failure) if !is_done => failure.why_irreversible(),
        _ => None,
    };
    let script = Script {
        portable: recorded.portable,
        sent: recorded.statements,
        statements: Vec::new(),
        fills: Vec::new(),
        reads: recorded.reads,
        depends_on_database: recorded.depends_on_database,
        was_told_rows: recorded.was_told_rows,
        transaction,
        // What nobody knew comes first: it may be why the code has failed.
        incomplete: recorded
            .gaps
            .into_iter()
            .next()
            .or(failure.map(Failure::into_text)),
        lacks_only_rebuilds: false,
        irreversible,
    };
    (script, has_failed)
}

/// Why the code of a revision did not come to its end.
enum Failure {
    /// It was not called: the revision declares that it cannot be undone.
    Declared(String),
    /// It returned an error.
    Error(DbErr),
    /// It panicked.
    Panic(String),
}

impl Failure {
    /// Returns why a revision cannot be undone whose `down` ends like this before it sends anything; nothing where it is not written
    /// yet.
    fn why_irreversible(&self) -> Option<String> {
        match self {
            Self::Declared(reason) => Some(reason.clone()),
            // What sea-orm-migration's `down` answers unless a revision has one of its own.
            Self::Error(DbErr::Migration(text)) if text == "We Don't Do That Here" => {
                Some("it has no `down`".to_owned())
            }
            Self::Error(error) => Some(format!("its `down` says \"{error}\"")),
            // `todo!()` and `unimplemented!()`.
            Self::Panic(message)
                if message.starts_with("not yet implemented") || message.starts_with("not implemented") =>
            {
                None
            }
            Self::Panic(message) => Some(format!("its `down` panics with \"{message}\"")),
        }
    }

    fn into_text(self) -> String {
        match self {
            Self::Declared(reason) => reason,
            Self::Error(DbErr::Migration(text)) if text == "We Don't Do That Here" => {
                "it has no `down`".to_owned()
            }
            Self::Error(error) => error.to_string(),
            Self::Panic(message) => format!("it panicked with \"{message}\""),
        }
    }
}

/// Runs the code of a revision; returns why it failed.
async fn run(code: impl Future<Output = Result<(), DbErr>>) -> Option<Failure> {
    match AssertUnwindSafe(marked(code)).catch_unwind().await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(Failure::Error(error)),
        Err(panic) => Some(Failure::Panic(panic_message(panic.as_ref()))),
    }
}

/// Returns whether a statement is the comment with which `online` says what would be done, since it cannot be known. What a
/// revision itself sends as a comment does nothing, and is known.
fn is_described(statement: &str) -> bool {
    statement.starts_with("-- the table ") && statement.contains(" is built again: ")
}

/// Returns whether this thread is inside of a recording at this moment.
///
/// A revision that takes an answer for granted panics when there is none. A panic hook that asks here
/// keeps it to itself: nothing has failed.
#[must_use]
pub fn is_recording() -> bool {
    is_inside_recording()
}

static RECORDING_HOOK: OnceLock<fn(bool)> = OnceLock::new();

/// Calls a function whenever a thread enters a recording, with `true`, and leaves it, with `false`.
///
/// For a terminal that does not show what the code of a revision prints while nothing happens. The first hook stays; the
/// answer says whether this is it.
pub fn set_recording_hook(hook: fn(bool)) -> bool {
    RECORDING_HOOK.set(hook).is_ok()
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
        mark_recording(true);
        if let Some(hook) = RECORDING_HOOK.get() {
            hook(true);
        }
        Self
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        mark_recording(false);
        if let Some(hook) = RECORDING_HOOK.get() {
            hook(false);
        }
    }
}

/// Returns whether a revision runs in one transaction with its version row: always, unless it opts out.
#[must_use]
pub fn runs_in_transaction(revision: &dyn Revision) -> bool {
    revision.use_transaction() != Some(false)
}

impl Script {
    #[cfg(test)]
    pub(crate) fn of(sent: &[&str], dialect: Dialect) -> Self {
        let script = Self {
            sent: sent.iter().map(|&sql| sql.to_owned()).collect(),
            statements: Vec::new(),
            fills: Vec::new(),
            reads: Vec::new(),
            depends_on_database: false,
            was_told_rows: false,
            transaction: true,
            incomplete: None,
            lacks_only_rebuilds: false,
            irreversible: None,
            portable: Vec::new(),
        };
        script.understood(dialect)
    }

    /// Takes what describes the backfills in place of their batches, which are no bulk statement: that is what a reader, a
    /// checksum and the linter go by.
    fn of_backfills(mut self, backfills: &[Backfill], backend: DbBackend) -> Self {
        let described: Vec<String> = backfills
            .iter()
            .map(|backfill| backfill.described(backend))
            .collect();
        let is_described = |sql: &String| described.iter().any(|one| one.trim() == sql.trim());
        if !self.sent.iter().all(is_described) {
            self.incomplete =
                Some("it declares backfills and sends statements of its own besides".to_owned());
        }
        self.sent = described;
        let portable = backfills.iter().map(|backfill| backfill.portable(backend));
        self.portable = portable.enumerate().collect();
        self.transaction = false;
        self
    }

    /// Marks a script as not complete that says what it does where it cannot say how.
    fn without_descriptions(mut self) -> Self {
        if self.incomplete.is_none()
            && let Some(described) = self.only_described()
        {
            self.incomplete = Some(format!(
                "what it sends depends on what is there: {}",
                described.trim_start_matches("-- ")
            ));
            self.lacks_only_rebuilds = true;
        }
        self
    }

    /// Reads what is sent.
    fn understood(mut self, dialect: Dialect) -> Self {
        let mut line = 0;
        for sent in &self.sent {
            for statement in read(sent, dialect) {
                self.statements.extend(statement.flattened(line));
            }
            line += sent.lines().count();
        }
        let fills = self
            .portable
            .iter()
            .flat_map(|(_, portable)| read(portable, dialect));
        self.fills = fills.flat_map(|fill| fill.flattened(0)).collect();
        self
    }

    /// Returns a statement that says what it does and cannot be said otherwise.
    fn only_described(&self) -> Option<&String> {
        let is_portable = |index| self.portable.iter().any(|(place, _)| *place == index);
        let mut statements = self.sent.iter().enumerate();
        statements
            .find(|(index, sql)| is_described(sql) && !is_portable(*index))
            .map(|(_, sql)| sql)
    }

    /// Returns why statements of it may be hidden that destroy something.
    #[must_use]
    pub fn may_hide(&self) -> Option<&str> {
        self.incomplete.as_deref().filter(|_| !self.lacks_only_rebuilds)
    }

    /// Returns the SHA-256 of what is sent in hex, or nothing when that is not all known, or not the same everywhere.
    #[must_use]
    pub fn checksum(&self) -> Option<String> {
        let is_known = self.incomplete.is_none() && !self.depends_on_database;
        is_known.then(|| checksum(&self.sent))
    }

    /// Returns the parts that a step without a transaction is worked off in: one call each, except that what the revision put
    /// into a transaction of its own stays together.
    #[must_use]
    pub fn parts(&self) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        let mut open = false;
        for sent in &self.sent {
            match parts.last_mut() {
                Some(part) if open => {
                    part.push_str(";\n");
                    part.push_str(sent);
                }
                _ => parts.push(sent.clone()),
            }
            open = (open || sent == "BEGIN") && sent != "COMMIT" && sent != "ROLLBACK";
        }
        parts
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
