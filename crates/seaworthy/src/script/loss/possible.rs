//! What may be lost, one thing after the other, for whoever counts it in the database.

use std::collections::BTreeSet;

use crate::sql::{Check, Removal, RowVerb, Which};

/// One thing that scripts may destroy, by the names that the database knows before they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PossibleLoss {
    /// Something goes, and what depends on it where `cascade` says so.
    Removed {
        /// What, and how.
        removal: Removal,
        /// The columns that live on in a table that takes its place; absent where none does.
        kept: Option<Kept>,
    },
    /// A table goes, and another holds some of its rows: nobody knows which.
    PartlyKept {
        /// The table, and how it goes.
        removal: Removal,
        /// The columns that live on.
        kept: Kept,
    },
    /// Rows are deleted, or values in them overwritten.
    Rows {
        /// What is done to them.
        verb: RowVerb,
        /// The table.
        table: String,
        /// The columns that an update overwrites.
        columns: Vec<String>,
        /// Which rows; absent where that cannot be told.
        which: Option<Which>,
        /// Whether rows of tables that refer to it go as well.
        cascade: bool,
    },
    /// A column gets a type that may not hold its values.
    Retyped {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The new type as the statement spells it.
        to: String,
        /// What is left of the values where they are made anew.
        using: Option<Form>,
        /// Whether rows are changed or deleted before, so that values which the type refuses may be gone by then.
        is_cleaned: bool,
    },
    /// A column goes whose values are held in another form only.
    Reshaped {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What is held of them.
        form: Form,
        /// The type of the column that holds it, as the script spells it.
        to: Option<String>,
    },
    /// Columns of a table are in another one only, and belong to the rest of their rows by the columns that both have.
    Apart {
        /// The table.
        table: String,
        /// The columns.
        columns: BTreeSet<String>,
        /// The columns that both have.
        by: BTreeSet<String>,
    },
    /// Rows go from one table into another, so that only what refers to them may be lost.
    Moved {
        /// The table that they go from.
        table: String,
        /// Which rows; absent where that cannot be told.
        which: Option<Which>,
    },
    /// A function or procedure is called that the scripts do not make.
    Called {
        /// Its name.
        name: String,
        /// The statement that calls it.
        sql: String,
    },
}

/// What is held of values that are not held as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The expression as it is written.
    pub text: String,
    /// What shows that values can be had back, over the columns that the database has.
    pub checks: Vec<Check>,
}

/// The columns of a table that takes the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All that it had, but for these.
    AllBut(BTreeSet<String>),
    /// These.
    Columns(BTreeSet<String>),
}

impl PossibleLoss {
    /// Returns that a column's values are kept in one of another type.
    pub(super) fn retyped(table: &str, column: &str, to: &str) -> Self {
        let to = match to.to_ascii_lowercase().as_str() {
            "smallserial" | "serial2" => "smallint",
            "serial" | "serial4" => "integer",
            "bigserial" | "serial8" => "bigint",
            _ => to,
        };
        Self::Retyped {
            table: table.to_owned(),
            column: column.to_owned(),
            to: to.to_owned(),
            using: None,
            is_cleaned: false,
        }
    }
}
