//! Why an operation is refused: what is in the way, and the way out.

use sea_orm::DbErr;
use thiserror::Error;

/// An operation cannot be carried out. SeaORM's runner hears it in words.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OnlineError {
    /// A transaction is open around an operation that takes several.
    #[error(
        "{operation} takes several transactions and is called inside of one; let the revision say \
         `fn use_transaction(&self) -> Option<bool> {{ Some(false) }}`"
    )]
    InTransaction {
        /// The function.
        operation: &'static str,
    },
    /// A table would be built again while foreign keys that point at it are enforced.
    #[error(
        "the table {table} has to be built again, and inside of this transaction SQLite would act on the foreign keys that \
         point at it; let the revision say `fn use_transaction(&self) -> Option<bool> {{ Some(false) }}`"
    )]
    KeysEnforced {
        /// The table.
        table: String,
    },
    /// There is no such table.
    #[error("there is no table {table}")]
    NoTable {
        /// Its name.
        table: String,
    },
    /// The table has no such column.
    #[error("the table {table} has no column {column}")]
    NoColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A database has another way.
    #[error("{operation} is for PostgreSQL; on SQLite {instead}")]
    NotHere {
        /// The function.
        operation: &'static str,
        /// What to do there.
        instead: &'static str,
    },
    /// Two columns trade names and are of one type: nothing tells whether they have.
    #[error(
        "{from} and {to} of the table {table} are of the same type and cannot trade names; give the new column the name that \
         it is to keep, and use DualColumn::replace"
    )]
    SameType {
        /// The table.
        table: String,
        /// The old column.
        from: String,
        /// The new one.
        to: String,
    },
    /// What hangs on a column would go on with the old one.
    #[error(
        "these would stay with what the column {column} of the table {table} was: {dependents}. Make each anew for the new \
         column first; for an index, say so by DualColumn::index"
    )]
    Dependents {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What they are, in PostgreSQL's words.
        dependents: String,
    },
    /// Rows do not fulfil what is to hold for all.
    #[error(
        "{rule} cannot hold for the table {table}: these rows break it: {keys}. Change them, then run it again"
    )]
    Offenders {
        /// The table.
        table: String,
        /// What is to hold.
        rule: String,
        /// The keys of a few of them.
        keys: String,
    },
    /// Rows that a unique index would keep apart are there already.
    #[error(
        "the index {index} cannot be unique: in the table {table} these are there more than once: {duplicates}. Change all but one of \
         each, then run it again"
    )]
    Duplicates {
        /// The index.
        index: String,
        /// The table.
        table: String,
        /// A few of the values.
        duplicates: String,
    },
    /// Something else has the name.
    #[error("there is {found} of the name {name} already; give one of the two another name")]
    NameTaken {
        /// The name.
        name: String,
        /// What has it.
        found: String,
    },
    /// A constraint or an index was given without a name.
    #[error("{what} needs a name, so that it is known again and can be dropped")]
    Unnamed {
        /// What it is.
        what: &'static str,
    },
    /// A statement is not what the operation is for.
    #[error("this is no statement that creates an index: {statement}")]
    NoIndexStatement {
        /// The statement.
        statement: String,
    },
    /// A column cannot be added in one piece.
    #[error("the column {column} cannot be added to {table} as it is: {reason}")]
    NotAddable {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// The server said that an index is built, and it is not.
    #[error("the index {index} is not there, or not valid, although it was built; run it again")]
    NotBuilt {
        /// The index.
        index: String,
    },
    /// A table cannot be built again on SQLite.
    #[error("the table {table} cannot be built again")]
    Rebuild {
        /// The table.
        table: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<OnlineError> for DbErr {
    fn from(error: OnlineError) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self::Migration(text)
    }
}
