//! A connection that notes what it is sent and sends nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::sea_query::Value;
use sea_orm::{
    DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr, ExecResult, MockDatabase,
    MockDatabaseConnection, MockDatabaseTrait, MockExecResult, QueryResult, Statement, Transaction,
};

use crate::backfill::taken_apart;

/// The notes of one recording.
#[derive(Clone, Debug)]
pub struct Recorder {
    backend: DbBackend,
    answers: Answers,
    notes: Arc<Mutex<Notes>>,
}

/// What statements are told about the rows they changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// None, as in an empty database.
    NoRows,
    /// As many as the statement's `LIMIT` allows for the first few statements, then none: a loop over batches goes on for a
    /// while, and ends.
    ManyRows,
}

#[derive(Debug, Default)]
struct Notes {
    statements: Vec<String>,
    /// See `Script::portable`.
    portable: Vec<(usize, String)>,
    reads: Vec<String>,
    depth: usize,
    executed: usize,
}

/// How many statements are told that they changed rows.
const TOLD_MANY: usize = 8;

/// The questions of SeaORM's `SchemaManager`, by the name of the column they answer in.
const PROBES: [&str; 3] = ["has_table", "has_column", "has_index"];

impl Recorder {
    /// Returns a recorder, and the connection that it listens on.
    ///
    /// `in_transaction` says whether the recorded code runs inside a transaction already, so that one it begins itself is a
    /// savepoint.
    #[must_use]
    pub fn connect(backend: DbBackend, in_transaction: bool, answers: Answers) -> (Self, DatabaseConnection) {
        let notes = Notes {
            depth: usize::from(in_transaction),
            ..Notes::default()
        };
        let recorder = Self {
            backend,
            answers,
            notes: Arc::new(Mutex::new(notes)),
        };
        let connection = MockDatabaseConnection::new(recorder.clone());
        (
            recorder,
            DatabaseConnectionType::MockDatabaseConnection(Arc::new(connection)).into(),
        )
    }

    /// Returns the statements and the questions noted so far, and forgets them.
    #[must_use]
    pub fn take(&self) -> (Vec<String>, Vec<String>) {
        self.with(|notes| {
            (
                std::mem::take(&mut notes.statements),
                std::mem::take(&mut notes.reads),
            )
        })
    }

    /// Returns what was noted of backfills in a form that needs no runner, each with its place among the statements.
    pub(super) fn take_portable(&self) -> Vec<(usize, String)> {
        self.with(|notes| std::mem::take(&mut notes.portable))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Notes) -> T) -> T {
        // A panic of the recorded code leaves complete notes behind.
        act(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, statement: &Statement) {
        let sql = statement.to_string();
        self.with(|notes| {
            let sql = sql.trim().trim_end_matches(';');
            let statement = match taken_apart(sql) {
                Some((described, portable)) => {
                    let place = notes.statements.len();
                    notes.portable.push((place, portable.to_owned()));
                    described
                }
                None => sql,
            };
            notes.statements.push(statement.to_owned());
        });
    }
}

impl MockDatabaseTrait for Recorder {
    fn execute(&mut self, _counter: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        self.note(&statement);
        let executed = self.with(|notes| {
            notes.executed += 1;
            notes.executed
        });
        let rows_affected = match self.answers {
            Answers::ManyRows if executed <= TOLD_MANY => limit(&statement.to_string()),
            Answers::ManyRows | Answers::NoRows => 0,
        };
        let answer = MockExecResult {
            rows_affected,
            ..MockExecResult::default()
        };
        // SeaORM lets nobody else build the answer.
        MockDatabase::new(self.backend)
            .append_exec_results([answer])
            .execute(0, statement)
    }

    fn query(&mut self, _counter: usize, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let verb = statement
            .sql
            .trim_start()
            .get(..6)
            .unwrap_or_default()
            .to_ascii_uppercase();
        if matches!(verb.as_str(), "INSERT" | "UPDATE" | "DELETE") {
            self.note(&statement);
            return Ok(Vec::new());
        }
        let sql = statement.to_string();
        self.with(|notes| notes.reads.push(sql));
        let Some(probe) = PROBES
            .into_iter()
            .find(|probe| statement.sql.contains(&format!("\"{probe}\"")))
        else {
            return Ok(Vec::new());
        };
        let answer = BTreeMap::from([(probe, Value::from(false))]);
        MockDatabase::new(self.backend)
            .append_query_results([[answer]])
            .query(0, statement)
    }

    fn begin(&mut self) {
        self.with(|notes| {
            notes.statements.push(match notes.depth {
                0 => "BEGIN".to_owned(),
                depth => format!("SAVEPOINT step_{depth}"),
            });
            notes.depth += 1;
        });
    }

    fn commit(&mut self) {
        self.with(|notes| {
            notes.depth = notes.depth.saturating_sub(1);
            notes.statements.push(match notes.depth {
                0 => "COMMIT".to_owned(),
                depth => format!("RELEASE SAVEPOINT step_{depth}"),
            });
        });
    }

    fn rollback(&mut self) {
        self.with(|notes| {
            notes.depth = notes.depth.saturating_sub(1);
            notes.statements.push(match notes.depth {
                0 => "ROLLBACK".to_owned(),
                depth => format!("ROLLBACK TO SAVEPOINT step_{depth}"),
            });
        });
    }

    fn drain_transaction_log(&mut self) -> Vec<Transaction> {
        Vec::new()
    }

    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    fn ping(&self) -> Result<(), DbErr> {
        Ok(())
    }
}

/// Returns the number after the first `LIMIT` of a statement, or very many.
fn limit(statement: &str) -> u64 {
    let mut words = statement
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words
        .find(|word| word.eq_ignore_ascii_case("limit"))
        .and_then(|_| words.next()?.parse().ok())
        .unwrap_or_else(|| u32::MAX.into())
}
