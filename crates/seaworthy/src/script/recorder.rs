//! A connection that notes what it is sent and sends nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::{
    DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr, ExecResult, MockDatabase,
    MockDatabaseConnection, MockDatabaseTrait, MockExecResult, QueryResult, Statement, Transaction,
};

use super::answers::{Affected, Answer, Known, Question, Reply, Subject, said};
use super::reading::{Kind, Word, words, words_of};
use crate::backfill::{OWN_QUESTION, taken_apart};
use crate::sql::Dialect;

/// The notes of one recording.
#[derive(Clone, Debug)]
pub struct Recorder {
    backend: DbBackend,
    known: Arc<Known>,
    counts: RowCounts,
    notes: Arc<Mutex<Notes>>,
}

/// What a statement is told of the rows that it changes, where nobody can know their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowCounts {
    /// As many as its `LIMIT` allows, or one; none from the third time on, so that a loop over batches ends.
    Some,
    /// None, as where there is nothing to change.
    None,
}

#[derive(Debug, Default)]
struct Notes {
    statements: Vec<String>,
    /// See `Script::portable`.
    portable: Vec<(usize, String)>,
    reads: Vec<String>,
    gaps: Vec<String>,
    depth: usize,
    /// How many times each statement came whose number of rows is not known.
    repeated: HashMap<String, usize>,
    was_told_rows: bool,
    events: usize,
    /// Whether the code is through, and transactions end unseen.
    is_closed: bool,
}

/// What was noted in one recording.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) statements: Vec<String>,
    pub(super) portable: Vec<(usize, String)>,
    pub(super) reads: Vec<String>,
    /// What the code was told without anybody knowing.
    pub(super) gaps: Vec<String>,
    /// Whether something below the statements was asked.
    pub(super) depends_on_database: bool,
    /// Whether a statement was told a number of rows that nobody knows.
    pub(super) was_told_rows: bool,
}

/// How often a statement is told that it changed rows.
const TOLD_ROWS: usize = 2;

/// How often one that differs in its values alone is told so, where it names no single row.
const TOLD_ROWS_ALIKE: usize = 1_000;

/// Most statements and questions of a revision: one that asks for more goes on until it is told something else.
const MOST_EVENTS: usize = 100_000;

const BY_ROWS: &str = "it goes on by how many rows a statement has changed";

impl Recorder {
    /// Returns a recorder, and the connection that it listens on.
    ///
    /// A transaction that is begun inside of another is a savepoint.
    #[must_use]
    pub fn connect(backend: DbBackend, known: Arc<Known>, counts: RowCounts) -> (Self, DatabaseConnection) {
        let recorder = Self {
            backend,
            known,
            counts,
            notes: Arc::default(),
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
        let recorded = self.finish();
        (recorded.statements, recorded.reads)
    }

    /// Forgets that a transaction was begun around what is recorded from now on.
    pub(super) fn forget_begin(&self) {
        self.with(|notes| notes.statements.clear());
    }

    /// Notes no end of a transaction any more.
    pub(super) fn close(&self) {
        self.with(|notes| notes.is_closed = true);
    }

    /// Returns all that was noted so far, and forgets it.
    pub(super) fn finish(&self) -> Recorded {
        self.with(|notes| Recorded {
            statements: std::mem::take(&mut notes.statements),
            portable: std::mem::take(&mut notes.portable),
            reads: std::mem::take(&mut notes.reads),
            gaps: std::mem::take(&mut notes.gaps),
            depends_on_database: self.known.take_asked(),
            was_told_rows: std::mem::take(&mut notes.was_told_rows),
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Notes) -> T) -> T {
        // A panic of the recorded code leaves complete notes behind.
        act(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts what the code sends and asks; one that never stops is stopped.
    fn count(&self) -> Result<(), DbErr> {
        let is_endless = self.with(|notes| {
            notes.events += 1;
            notes.events > MOST_EVENTS
        });
        if !is_endless {
            return Ok(());
        }
        let reason = format!("it sends more than {MOST_EVENTS} statements while it is recorded");
        self.gap(&reason, "");
        Err(DbErr::Custom(reason))
    }

    fn gap(&self, reason: &str, sql: &str) {
        self.with(|notes| notes.gaps.push(said_of(reason, sql)));
    }

    /// Notes a statement, and returns what it is told.
    fn note(&self, statement: &Statement) -> Reply {
        let text = statement.to_string();
        let sql = text.trim().trim_end_matches(';');
        let described = self.with(|notes| {
            let (noted, portable) = taken_apart(sql).map_or((sql, None), |(noted, rest)| (noted, Some(rest)));
            if let Some(portable) = portable {
                let place = notes.statements.len();
                notes.portable.push((place, portable.to_owned()));
            }
            notes.statements.push(noted.to_owned());
            portable.map(|_| noted.to_owned())
        });
        if let Some(described) = described {
            self.known.lose_rows(&format!(
                "rows are filled before: {}",
                described.trim_start_matches("-- ")
            ));
        }
        if let Some(used) = self.known.made_up_in(sql) {
            self.gap(&format!("it uses {used}"), sql);
        }
        let reply = self.known.sent(statement);
        if let Some(reason) = &reply.gap {
            self.gap(&format!("what it is told is not known ({reason})"), sql);
        }
        reply
    }

    /// Returns how many rows a statement is told to have changed.
    fn rows_affected(&self, statement: &Statement, affected: Affected) -> u64 {
        let at_most = match affected {
            Affected::Given(rows) => return rows,
            Affected::None => return 0,
            Affected::AtMost(rows) => rows,
        };
        self.with(|notes| notes.was_told_rows = true);
        if self.counts == RowCounts::None {
            return 0;
        }
        let same = self.repeated(statement.to_string());
        let alike = match at_most {
            Some(1) => 0,
            _ => self.repeated(shape(&statement.sql)),
        };
        if same <= TOLD_ROWS && alike <= TOLD_ROWS_ALIKE {
            return at_most.unwrap_or(1);
        }
        self.with(|notes| notes.gaps.push(BY_ROWS.to_owned()));
        0
    }

    fn repeated(&self, text: String) -> usize {
        self.with(|notes| {
            let times = notes.repeated.entry(text).or_default();
            *times += 1;
            *times
        })
    }

    fn ask(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let text = statement.to_string();
        if let Some(question) = text.strip_prefix(OWN_QUESTION) {
            self.with(|notes| notes.reads.push(question.to_owned()));
            return Ok(Vec::new());
        }
        self.with(|notes| notes.reads.push(text.clone()));
        let question = Question::new(statement);
        let answer = self.known.ask(&question);
        let probe = match question.subject {
            Subject::Table { .. } => Some("has_table"),
            Subject::Column { .. } => Some("has_column"),
            Subject::Index { .. } => Some("has_index"),
            Subject::Schema | Subject::Rows { .. } => None,
        };
        let made = match (answer, probe) {
            (Answer::Rows(rows), _) => Ok(rows),
            (Answer::Is(is_there), Some(probe)) => said(self.backend, probe, is_there),
            (Answer::Is(_), None) => Ok(Vec::new()),
            (Answer::NotKnown { reason }, probe) => {
                self.gap(&format!("what it asks is not known ({reason})"), &text);
                // Something has to be said for the code to go on.
                probe.map_or(Ok(Vec::new()), |probe| said(self.backend, probe, false))
            }
        };
        made.map_err(DbErr::Custom)
    }
}

impl MockDatabaseTrait for Recorder {
    fn execute(&mut self, _counter: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        self.count()?;
        let reply = self.note(&statement);
        let answer = MockExecResult {
            rows_affected: self.rows_affected(&statement, reply.affected),
            last_insert_id: reply.last_insert_id,
        };
        // SeaORM lets nobody else build the answer.
        MockDatabase::new(self.backend)
            .append_exec_results([answer])
            .execute(0, statement)
    }

    fn query(&mut self, _counter: usize, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.count()?;
        let words = words_of(&statement);
        if is_question(&words) {
            return self.ask(statement);
        }
        let reply = self.note(&statement);
        if words.first().is_some_and(|word| word.is("with")) {
            self.gap("what it is told is not known", &statement.to_string());
        }
        let is_told_of_rows = matches!(reply.affected, Affected::AtMost(_));
        match is_told_of_rows && self.rows_affected(&statement, reply.affected) == 0 {
            true => Ok(Vec::new()),
            false => Ok(reply.rows),
        }
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
        if self.with(|notes| notes.is_closed) {
            return;
        }
        self.known.lose("statements before were rolled back");
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

/// Returns whether a statement only asks.
fn is_question(words: &[Word]) -> bool {
    let has = |names: &[&str]| words.iter().any(|word| names.iter().any(|name| word.is(name)));
    let Some(first) = words.first() else { return false };
    match first.text.as_str() {
        "select" => !has(&["into"]),
        "values" | "table" | "show" | "explain" => true,
        "with" => !has(&["insert", "update", "delete", "merge"]),
        "pragma" => !words.iter().any(|word| word.is_symbol("=")) && !sets_pragma(words),
        _ => first.is_symbol("("),
    }
}

/// Returns whether a pragma is given a value in parentheses, rather than the name of a table.
fn sets_pragma(words: &[Word]) -> bool {
    let name = words.iter().rev().skip_while(|word| !word.is_symbol("(")).nth(1);
    name.is_some_and(|name| {
        ![
            "table_",
            "index_",
            "foreign_key_",
            "quick_check",
            "integrity_check",
        ]
        .iter()
        .any(|start| name.text.starts_with(start))
    })
}

/// Returns a statement with its values left out.
fn shape(sql: &str) -> String {
    let words = words(sql, Dialect::Postgresql);
    let shown = words.iter().map(|word| match word.kind {
        Kind::Value(_) | Kind::Text | Kind::Number => "?",
        _ => word.text.as_str(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Returns a reason with the statement that it is about, in a line of bearable length.
fn said_of(reason: &str, sql: &str) -> String {
    const LONGEST: usize = 300;
    let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match (sql.is_empty(), sql.chars().count() > LONGEST) {
        (true, _) => reason.to_owned(),
        (false, false) => format!("{reason}: {sql}"),
        (false, true) => format!("{reason}: {}...", sql.chars().take(LONGEST).collect::<String>()),
    }
}
