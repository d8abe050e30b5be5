//! What a revision asks while it is recorded, and who answers.

use std::fmt::Debug;
use std::sync::LazyLock;

use regex::Regex;
use sea_orm::sea_query::Value;
use sea_orm::{DbBackend, QueryResult, Statement};

use super::reading;
use crate::session::dialect_of;
use crate::sql::Dialect;
pub use known::Known;
pub use live::LiveAnswers;

pub(super) use row::said;
pub(super) use sent::{Affected, Reply};

mod known;
mod live;
mod made_up;
mod nothing;
mod row;
mod rows;
mod schema;
mod sent;

/// Answers the questions that a revision asks while it is recorded.
pub trait Answers: Send + Sync + Debug {
    /// Answers a question, or says why not.
    fn answer(&self, question: &Question) -> Answer;

    /// Returns the columns of a table, or nothing where they are not known.
    fn columns(&self, _table: &str) -> Option<Vec<Column>> {
        None
    }
}

/// A question to the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The query.
    pub statement: Statement,
    /// What it asks for.
    pub subject: Subject,
}

/// What a question asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `SchemaManager::has_table`.
    Table {
        /// Without a schema.
        table: String,
    },
    /// `SchemaManager::has_column`.
    Column {
        /// Without a schema.
        table: String,
        /// The column.
        column: String,
    },
    /// `SchemaManager::has_index`.
    Index {
        /// Without a schema.
        table: String,
        /// The index.
        index: String,
    },
    /// Anything else about the schema: a query of the catalog.
    Schema,
    /// The rows of these tables; none are named where the query asks for a setting or computes something.
    Rows {
        /// Without a schema.
        tables: Vec<String>,
    },
}

/// What a question is told.
#[derive(Debug)]
pub enum Answer {
    /// To the questions of `SchemaManager`.
    Is(bool),
    /// Rows, as a driver gives them.
    Rows(Vec<QueryResult>),
    /// Nobody can know.
    NotKnown {
        /// Why not: `no database is asked`.
        reason: String,
    },
}

/// A column of a table, as far as a value that is left out of an `INSERT` goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type as the database or the statement spells it, in lower case.
    pub data_type: String,
    /// Whether it may be NULL.
    pub is_nullable: bool,
    /// The default as SQL; `None` where there is none.
    pub default: Option<String>,
    /// Whether the database computes it or counts it up.
    pub is_generated: bool,
    /// Whether it is part of the primary key.
    pub is_key: bool,
}

/// Nobody is asked: nothing is known but what the recorded statements say.
#[derive(Clone, Copy, Debug)]
pub struct NoDatabase;

/// An empty database, which nobody is connected to: nothing is there, and rows cannot be asked for.
#[derive(Clone, Copy, Debug)]
pub struct EmptyDatabase;

impl Answers for NoDatabase {
    fn answer(&self, _question: &Question) -> Answer {
        no_database()
    }
}

impl Answers for EmptyDatabase {
    fn answer(&self, question: &Question) -> Answer {
        match question.subject {
            Subject::Table { .. } | Subject::Column { .. } | Subject::Index { .. } => Answer::Is(false),
            Subject::Schema | Subject::Rows { .. } => no_database(),
        }
    }
}

fn no_database() -> Answer {
    Answer::NotKnown {
        reason: "no database is asked".to_owned(),
    }
}

/// The catalogs of both databases, as queries name them.
static CATALOGS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)\b(information_schema|pg_[a-z_]+|to_reg[a-z]+|sqlite_master|sqlite_schema|sqlite_temp_master|pragma_[a-z_]+|reg(class|type|proc|namespace)|pragma\s+(\w+\.)?(table_|index_|foreign_key_list|database_list|collation_list)[a-z_]*)\b"#,
    )
    .expect("the expression is a constant")
});

impl Question {
    /// Returns what a query asks for.
    #[must_use]
    pub fn new(statement: Statement) -> Self {
        let subject = probe(&statement).unwrap_or_else(|| {
            if CATALOGS.is_match(&statement.sql) {
                return Subject::Schema;
            }
            let words = reading::words_of(&statement);
            Subject::Rows {
                tables: reading::tables_read(&words),
            }
        });
        Self { statement, subject }
    }

    /// Returns the question of `SchemaManager` that has this subject; `None` for others.
    #[must_use]
    pub fn about(subject: Subject, backend: DbBackend) -> Option<Self> {
        let is_sqlite = dialect_of(backend) == Dialect::Sqlite;
        let (sql, values) = match &subject {
            Subject::Table { table } if is_sqlite => {
                (SQLITE_PROBES[0], vec!["table", "sqlite_sequence", table.as_str()])
            }
            Subject::Table { table } => (POSTGRES_PROBES[0], vec!["BASE TABLE", table.as_str()]),
            Subject::Column { table, column } => {
                let probes = if is_sqlite { SQLITE_PROBES } else { POSTGRES_PROBES };
                (probes[1], vec![table.as_str(), column.as_str()])
            }
            Subject::Index { table, index } if is_sqlite => {
                (SQLITE_PROBES[2], vec!["index", table.as_str(), index.as_str()])
            }
            Subject::Index { table, index } => (POSTGRES_PROBES[2], vec![table.as_str(), index.as_str()]),
            Subject::Schema | Subject::Rows { .. } => return None,
        };
        let values: Vec<Value> = values.into_iter().map(Value::from).collect();
        let statement = Statement::from_sql_and_values(backend, sql, values);
        Some(Self { statement, subject })
    }
}

/// The questions of `SchemaManager` on PostgreSQL, as sea-schema 0.18 writes them (`probe.rs`).
const POSTGRES_PROBES: [&str; 3] = [
    r#"SELECT COUNT(*) > 0 AS "has_table" FROM (SELECT "table_name" AS "table_name" FROM "information_schema"."tables" WHERE (CURRENT_SCHEMA()) = "tables"."table_schema" AND "table_type" = $1 AND "table_name" = $2) AS "subquery""#,
    r#"SELECT COUNT(*) > 0 AS "has_column" FROM "information_schema"."columns" WHERE (CURRENT_SCHEMA()) = "columns"."table_schema" AND "table_name" = $1 AND "column_name" = $2"#,
    r#"SELECT COUNT(*) > 0 AS "has_index" FROM "pg_indexes" WHERE "schemaname" = (CURRENT_SCHEMA()) AND "tablename" = $1 AND "indexname" = $2"#,
];

/// The same on SQLite.
const SQLITE_PROBES: [&str; 3] = [
    r#"SELECT COUNT(*) > 0 AS "has_table" FROM (SELECT "name" AS "table_name" FROM "sqlite_master" WHERE "type" = ? AND "name" <> ? AND "table_name" = ?) AS "subquery""#,
    r#"SELECT COUNT(*) > 0 AS "has_column" FROM pragma_table_info(?) WHERE "name" = ?"#,
    r#"SELECT COUNT(*) > 0 AS "has_index" FROM "sqlite_master" WHERE "type" = ? AND "tbl_name" = ? AND "name" = ?"#,
];

/// Returns what a question of `SchemaManager` asks for: what it names stands last among its values.
///
/// Other versions of sea-schema may write them otherwise; the name of the column that they answer in is part of their door.
fn probe(statement: &Statement) -> Option<Subject> {
    let values = statement.values.as_ref()?;
    let mut names = values.0.iter().rev().map_while(|value| match value {
        Value::String(Some(name)) => Some(name.clone()),
        _ => None,
    });
    let asks = |what: &str| {
        let start = format!("SELECT COUNT(*) > 0 AS \"{what}\" FROM ");
        statement.sql.starts_with(&start)
    };
    if asks("has_table") {
        return Some(Subject::Table { table: names.next()? });
    }
    if asks("has_column") {
        let (column, table) = (names.next()?, names.next()?);
        return Some(Subject::Column { table, column });
    }
    if asks("has_index") {
        let (index, table) = (names.next()?, names.next()?);
        return Some(Subject::Index { table, index });
    }
    None
}
