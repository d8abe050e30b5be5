//! Answers of the live database, read-only.
//!
//! The recorder is asked by code that cannot wait for a future, perhaps on a runtime of one thread. So the connection belongs to a
//! thread of its own, which begins with the first question and ends with the value.

use std::error::Error;
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, TransactionTrait};
use tokio::runtime;

use super::{Answer, Answers, Column, Question, Subject};
use crate::script::reading::{Kind, words};
use crate::session::dialect_of;
use crate::session::{Access, DatabaseUrl, Patience, Session, Settings};
use crate::sql::Dialect;

/// Asks the live database on a connection of its own, which changes nothing there.
///
/// A SQLite file that does not exist is an empty database; a file that appears later is not seen.
#[derive(Debug)]
pub struct LiveAnswers {
    asker: Asker,
}

/// A connection that other threads can wait for.
#[derive(Debug)]
pub(super) struct Asker {
    url: DatabaseUrl,
    settings: Settings,
    thread: Mutex<Option<Thread>>,
}

#[derive(Debug)]
struct Thread {
    questions: mpsc::Sender<Asked>,
    handle: JoinHandle<()>,
}

struct Asked {
    statement: Statement,
    answer: mpsc::Sender<Result<Vec<QueryResult>, String>>,
}

/// Functions that change something also where nothing may be written, or keep everybody waiting.
const CHANGING: [&str; 13] = [
    "dblink",
    "lo_",
    "nextval",
    "pg_advisory",
    "pg_cancel_backend",
    "pg_notify",
    "pg_reload_conf",
    "pg_sleep",
    "pg_terminate_backend",
    "pg_try_advisory",
    "set_config",
    "setval",
    "load_extension",
];

impl LiveAnswers {
    /// Returns answers of this database; it is not connected to before somebody asks.
    #[must_use]
    pub fn new(url: &DatabaseUrl, settings: &Settings) -> Self {
        let asker = Asker::new(url.clone(), settings.clone());
        Self { asker }
    }
}

impl Answers for LiveAnswers {
    fn answer(&self, question: &Question) -> Answer {
        if let Some(function) = changing_function(&question.statement.sql) {
            let reason = format!("it calls {function}, which is no mere question");
            return Answer::NotKnown { reason };
        }
        match self.asker.ask(question.statement.clone()) {
            Ok(rows) => told(&question.subject, rows),
            Err(reason) => Answer::NotKnown { reason },
        }
    }

    fn columns(&self, table: &str) -> Option<Vec<Column>> {
        let backend = self.asker.url.backend();
        let sql = match dialect_of(backend) {
            Dialect::Postgresql => {
                "SELECT c.column_name::text AS name, lower(c.data_type) AS data_type, c.is_nullable = 'YES' AS is_nullable, \
                 c.column_default::text AS default_sql, c.is_identity = 'YES' OR c.is_generated = 'ALWAYS' AS is_generated, \
                 EXISTS (SELECT 1 FROM information_schema.table_constraints t JOIN information_schema.key_column_usage k \
                 USING (constraint_schema, constraint_name, table_name) WHERE t.constraint_type = 'PRIMARY KEY' \
                 AND t.table_schema = c.table_schema AND t.table_name = c.table_name AND k.column_name = c.column_name) AS is_key \
                 FROM information_schema.columns c WHERE c.table_schema = current_schema() AND c.table_name = $1 \
                 ORDER BY c.ordinal_position"
            }
            Dialect::Sqlite => {
                "SELECT name, lower(type) AS data_type, \"notnull\" = 0 AND pk = 0 AS is_nullable, dflt_value AS default_sql, \
                 hidden > 1 OR (pk = 1 AND lower(type) = 'integer') AS is_generated, pk > 0 AS is_key FROM pragma_table_xinfo(?)"
            }
        };
        let statement = Statement::from_sql_and_values(backend, sql, [table.into()]);
        let rows = self.asker.ask(statement).ok()?;
        let columns: Result<Vec<Column>, DbErr> = rows.iter().map(column).collect();
        columns.ok().filter(|columns| !columns.is_empty())
    }
}

/// Puts rows into the form that a subject is answered in.
fn told(subject: &Subject, rows: Vec<QueryResult>) -> Answer {
    let name = match subject {
        Subject::Table { .. } => "has_table",
        Subject::Column { .. } => "has_column",
        Subject::Index { .. } => "has_index",
        Subject::Schema | Subject::Rows { .. } => return Answer::Rows(rows),
    };
    match rows.first().map(|row| row.try_get("", name)) {
        Some(Ok(is_there)) => Answer::Is(is_there),
        _ => Answer::NotKnown {
            reason: "the database did not say".to_owned(),
        },
    }
}

fn column(row: &QueryResult) -> Result<Column, DbErr> {
    Ok(Column {
        name: row.try_get("", "name")?,
        data_type: row.try_get("", "data_type")?,
        is_nullable: row.try_get("", "is_nullable")?,
        default: row.try_get("", "default_sql")?,
        is_generated: row.try_get("", "is_generated")?,
        is_key: row.try_get("", "is_key")?,
    })
}

fn changing_function(sql: &str) -> Option<String> {
    let words = words(sql, Dialect::Postgresql);
    let called = words.windows(2).find(|pair| {
        let is_called = matches!(pair[0].kind, Kind::Bare | Kind::Quoted) && pair[1].is_symbol("(");
        is_called && CHANGING.iter().any(|name| pair[0].text.starts_with(name))
    });
    called.map(|pair| pair[0].text.clone())
}

impl Asker {
    pub(super) fn new(url: DatabaseUrl, settings: Settings) -> Self {
        Self {
            url,
            settings,
            thread: Mutex::new(None),
        }
    }

    /// Sends a query and waits for its rows; says why there are none.
    pub(super) fn ask(&self, statement: Statement) -> Result<Vec<QueryResult>, String> {
        let gone = "the thread that asks the database has ended";
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = match &mut *thread {
            Some(thread) => thread,
            none => none.insert(self.begin().map_err(|error| error.to_string())?),
        };
        let (answer, answers) = mpsc::channel();
        let asked = Asked { statement, answer };
        thread.questions.send(asked).map_err(|_| gone.to_owned())?;
        answers.recv().map_err(|_| gone.to_owned())?
    }

    fn begin(&self) -> Result<Thread, std::io::Error> {
        let (questions, asked) = mpsc::channel();
        let (url, settings) = (self.url.clone(), self.settings.clone());
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = thread::Builder::new()
            .name("seaworthy-answers".to_owned())
            .spawn(move || work(&runtime, &url, &settings, &asked))?;
        Ok(Thread { questions, handle })
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Thread { questions, handle }) = thread.take() {
            // The thread ends when nobody can ask any more; waiting for it is waiting for the connection to be closed.
            drop(questions);
            drop(handle.join());
        }
    }
}

/// Answers until nobody can ask any more.
fn work(runtime: &runtime::Runtime, url: &DatabaseUrl, settings: &Settings, asked: &mpsc::Receiver<Asked>) {
    let session = runtime.block_on(open(url, settings));
    while let Ok(Asked { statement, answer }) = asked.recv() {
        let rows = match &session {
            Ok(session) => runtime
                .block_on(read(session, statement))
                .map_err(|error| error.to_string()),
            Err(reason) => Err(reason.clone()),
        };
        // Whoever asked may have stopped waiting.
        drop(answer.send(rows));
    }
    if let Ok(session) = session {
        runtime.block_on(session.close());
    }
}

async fn open(url: &DatabaseUrl, settings: &Settings) -> Result<Session, String> {
    let is_missing = url.file().is_some_and(|file| !file.exists());
    let empty = "sqlite::memory:".parse().map_err(|error| format!("{error}"));
    let url: DatabaseUrl = if is_missing { empty? } else { url.clone() };
    let session = Session::open(&url, settings, Access::Read)
        .await
        .map_err(|error| in_full(&error))?;
    let read_only = match dialect_of(url.backend()) {
        Dialect::Postgresql => "SET default_transaction_read_only = on",
        Dialect::Sqlite => "PRAGMA query_only = ON",
    };
    let prepared = async {
        session.limit(Patience::Limited).await?;
        session.send(read_only).await
    };
    prepared.await.map_err(|error| error.to_string())?;
    Ok(session)
}

/// Returns an error and its causes in one line.
fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Sends a query in a transaction that is rolled back: what a function sets lasts no longer.
async fn read(session: &Session, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
    let transaction = session.connection().begin().await?;
    let rows = transaction.query_all_raw(statement).await;
    transaction.rollback().await?;
    rows
}
