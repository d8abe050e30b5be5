//! Operations as plain SQL of one kind of database.
//!
//! The short way: what `check --sql` shows, and what makes one schema of another on an empty or quiet database. Whether it
//! is safe on a busy one is the linter's business.

use thiserror::Error;

use super::Operation;
use crate::catalog::{Catalog, Dialect, ObjectKind};

pub(super) mod names;
mod postgres;
mod sqlite;

/// Operations cannot be written as SQL.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SqlError {
    /// The catalog does not say what kind of database it is of.
    #[error("the schema does not say which kind of database it is of")]
    NoDialect,
    /// A view or trigger names a column or table that goes, and stays as it is: nothing could be read from it any more.
    #[error("cannot drop {dropped}: {object} reads it; drop or change the {kind} first")]
    InTheWay {
        /// The table, or the column as `table.column`.
        dropped: String,
        /// The view or trigger.
        object: String,
        /// Which of the two.
        kind: ObjectKind,
    },
    /// SQLite would lose a trigger with the table that is built again, and what makes it is not known: a snapshot names it
    /// only, or something that it speaks of gets another name at the same time.
    #[error(
        "the table {table} has to be built again, and that would lose its trigger {trigger}, whose statement is not known; \
         renames belong into a revision of their own"
    )]
    Trigger {
        /// The table.
        table: String,
        /// The trigger.
        trigger: String,
    },
}

/// Returns the statements that carry operations out on a database whose schema is `before`; none ends with a semicolon.
///
/// On SQLite a table whose constraints change is built again. The statements want one transaction around them, and with it
/// `PRAGMA foreign_keys = OFF` before and `PRAGMA foreign_key_check` at its end.
///
/// # Errors
///
/// Fails when the catalog does not say what kind of database it is of, or when a table would have to be built again with a
/// trigger whose statement is not known, or when a view or trigger reads what is dropped, on SQLite.
pub fn sql(before: &Catalog, operations: &[Operation]) -> Result<Vec<String>, SqlError> {
    let steps = steps(before, operations)?;
    Ok(steps.into_iter().flat_map(Step::into_statements).collect())
}

/// What one operation sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Its own statements.
    Alone(Vec<String>),
    /// Those that build a table again, together with all that is to change about it; SQLite.
    Rebuild(Vec<String>),
    /// Nothing: it is part of an earlier rebuild.
    Along,
}

impl Step {
    pub(super) fn statements(&self) -> &[String] {
        match self {
            Self::Alone(statements) | Self::Rebuild(statements) => statements,
            Self::Along => &[],
        }
    }

    pub(super) fn into_statements(self) -> Vec<String> {
        match self {
            Self::Alone(statements) | Self::Rebuild(statements) => statements,
            Self::Along => Vec::new(),
        }
    }
}

/// Returns what each of the operations sends, one step for each.
pub(super) fn steps(before: &Catalog, operations: &[Operation]) -> Result<Vec<Step>, SqlError> {
    match before.dialect {
        Some(Dialect::Postgresql) => Ok(postgres::steps(before, operations)),
        Some(Dialect::Sqlite) => sqlite::steps(before, operations),
        None => Err(SqlError::NoDialect),
    }
}
