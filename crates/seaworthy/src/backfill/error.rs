//! Why a backfill did not get to its end.

use sea_orm::DbErr;
use thiserror::Error;

use crate::session::{DatabaseError, Fault};

/// A backfill did not get to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackfillError {
    /// The database refused a statement.
    #[error("the database refused what the backfill {name} sent")]
    Database {
        /// The backfill.
        name: String,
        /// What it said.
        source: DatabaseError,
    },
    /// Rows stayed locked at every try.
    #[error("rows that the backfill {name} wants to change stayed locked in {attempts} tries")]
    LockNotGranted {
        /// The backfill.
        name: String,
        /// How often it was tried.
        attempts: u32,
        /// What the database said in the end.
        source: DatabaseError,
    },
    /// There is no such table.
    #[error("the backfill {name} is about the table {table}, which does not exist")]
    NoTable {
        /// The backfill.
        name: String,
        /// The table.
        table: String,
    },
    /// The table has no primary key to go along.
    #[error("the backfill {name} goes along the primary key of {table}, which has none")]
    NoKey {
        /// The backfill.
        name: String,
        /// The table.
        table: String,
    },
    /// It sets no column.
    #[error("the backfill {name} sets no column")]
    SetsNothing {
        /// The backfill.
        name: String,
    },
    /// It stopped halfway, and means something else now.
    #[error("the backfill {name} stopped halfway, and was declared differently then")]
    Changed {
        /// The backfill.
        name: String,
    },
    /// Another backfill of this name has been begun on the database.
    #[error("the name of the backfill {name} is taken: this database knows one of it for the table {table}")]
    NameTaken {
        /// The backfill.
        name: String,
        /// The table of the other one.
        table: String,
    },
    /// Another run saved another place meanwhile.
    #[error("another run works at the backfill {name}")]
    Elsewhere {
        /// The backfill.
        name: String,
    },
    /// The place where it stopped cannot be read.
    #[error("{TABLE} holds no place to go on from for the backfill {name}: {found}", TABLE = super::TABLE)]
    BadPlace {
        /// The backfill.
        name: String,
        /// What is there.
        found: String,
    },
    /// Rows are left that it should have changed.
    #[error("rows of {table} are left that the backfill {name} should have changed, with the keys {}", keys.join("; "))]
    Unverified {
        /// The backfill.
        name: String,
        /// The table.
        table: String,
        /// The keys of the first few.
        keys: Vec<String>,
    },
    /// It was called inside of a transaction, which would keep every row locked to the end.
    #[error("the backfill {name} was called inside of a transaction")]
    InTransaction {
        /// The backfill.
        name: String,
    },
    /// What needs it came before it was done.
    #[error("the backfill {name} is not done: {state}")]
    Unfinished {
        /// The backfill.
        name: String,
        /// Where it stands, in words.
        state: String,
    },
    /// There is no such backfill in the database.
    #[error("there is no backfill {name}; {}", super::control::listed(known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// It was asked to stop.
    #[error("the backfill {name} was stopped")]
    Stopped {
        /// The backfill.
        name: String,
    },
}

impl BackfillError {
    /// Returns what the database's part in it was.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Database { source, .. } | Self::LockNotGranted { source, .. } => source.fault(),
            _ => Fault::Other,
        }
    }

    /// Returns the way out in one line, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Database { source, .. } => return source.fault().hint(),
            Self::LockNotGranted { .. } => {
                "end the transaction that holds them, and run the same command again to go on"
            }
            Self::NoTable { .. } => "create the table in an earlier revision",
            Self::NoKey { .. } => "give the table a primary key first",
            Self::SetsNothing { .. } => "say what to set with Backfill::set",
            Self::Changed { .. } => {
                "restore the file until it is done, or undo the revision, which forgets how far it was"
            }
            Self::NameTaken { .. } => {
                "give it a name that no other backfill of this database has, those of other migrators included"
            }
            Self::Elsewhere { .. } => "let the other run end; `backfill status` shows whether it goes on",
            Self::BadPlace { .. } => "undo the revision, which forgets how far it was, and apply it again",
            Self::Unverified { .. } => {
                "are new rows covered by a default or a trigger, and does the expression give a value for these? then run \
                 the same command again"
            }
            Self::InTransaction { .. } => "let the revision say use_transaction() = Some(false)",
            Self::Unfinished { .. } => {
                "look at `backfill status`, and finish the revision that declares it first"
            }
            Self::Unknown { .. } => "look at `backfill status`",
            Self::Stopped { .. } => "run the same command again to go on",
        })
    }

    pub(super) fn of(name: &str) -> impl Fn(DbErr) -> Self + Copy + '_ {
        move |source| Self::Database {
            name: name.to_owned(),
            source: source.into(),
        }
    }
}

/// What SeaORM's own runner is told.
impl From<BackfillError> for DbErr {
    fn from(error: BackfillError) -> Self {
        let mut text = error.to_string();
        if let BackfillError::Database { source, .. } | BackfillError::LockNotGranted { source, .. } = &error
        {
            text.push_str(&format!(": {source}"));
        }
        if let Some(hint) = error.hint() {
            text.push_str(&format!(" ({hint})"));
        }
        Self::Migration(text)
    }
}
