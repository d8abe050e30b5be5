//! What a statement does, for everybody who has to rely on it: what it makes, removes, renames and changes.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

mod collect;
mod copy;
mod expression;
mod made;
mod settings;

pub use copy::{ColumnCopy, CopiedValue, Filled, Moved, WholeCopy};
pub use expression::{Check, Expression, Template};

/// What a statement does, as far as its text tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// What is there after it, and whether it may have been there before.
    pub makes: Vec<Naming>,
    /// What is not there any more after it.
    pub removes: Vec<Removal>,
    /// What has another name after it.
    pub renames: Vec<Rename>,
    /// Columns that get another type.
    pub retypes: Vec<Retype>,
    /// Tables whose rows are reached by the name of another table after it: parts of it, and that table.
    pub joined: Vec<(String, String)>,
    /// Rows that it adds, changes and deletes.
    pub rows: Vec<Rows>,
    /// Whether it begins or ends a transaction.
    pub transaction: Option<TransactionControl>,
    /// Whether it takes back what was done since a savepoint.
    pub undoes: bool,
    /// Whether the server refuses it inside of a transaction.
    pub needs_no_transaction: bool,
    /// The index that it builds without blocking writers.
    pub builds_concurrently: Option<String>,
    /// What it sets for the session or the transaction.
    pub settings: Vec<Setting>,
    /// Whether what it makes goes with the session.
    pub is_temporary: bool,
    /// Whether it leaves something to the session: a setting, a temporary table, an attached database.
    pub changes_session: bool,
    /// The functions and procedures that it calls.
    pub calls: Vec<String>,
    /// What it does to the schema or to rows that the reader did not understand.
    pub not_understood: Vec<String>,
}

/// Something in a schema, by its name; see [`super::name_parts`] for its parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are names and nothing else")]
pub enum Object {
    /// A table, foreign and virtual ones included.
    Table { name: String },
    /// A column of a table, a view or a composite type.
    Column { table: String, column: String },
    /// A view, materialised or not.
    View { name: String },
    /// An index.
    Index { name: String },
    /// A type or a domain.
    Type { name: String },
    /// A schema with everything in it.
    Schema { name: String },
    /// A sequence.
    Sequence { name: String },
    /// A function, procedure or aggregate, by its name alone.
    Function { name: String },
    /// An extension.
    Extension { name: String },
    /// A database.
    Database { name: String },
    /// A collation.
    Collation { name: String },
}

/// Something that a statement makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Naming {
    /// What.
    pub object: Object,
    /// Whether the statement leaves one alone that is there already.
    pub if_not_exists: bool,
}

/// Something that a statement removes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// What.
    pub object: Object,
    /// Whether the statement does nothing when it is not there.
    pub if_exists: bool,
    /// Whether what depends on it goes with it.
    pub cascade: bool,
}

/// Something that gets another name or schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rename {
    /// What, by its old name.
    pub object: Object,
    /// The new name: of a table or view with its schema, of a column alone.
    pub to: String,
    /// Whether the statement does nothing when it is not there.
    pub if_exists: bool,
}

/// A column that gets another type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retype {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The new type as the statement spells it.
    pub to: String,
    /// The expression after `USING`.
    pub using: Option<Expression>,
}

/// Rows of a table that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// What it does to them.
    pub verb: RowVerb,
    /// The table.
    pub table: String,
    /// The columns that it names, of an `INSERT` and an `UPDATE`.
    pub columns: Vec<String>,
    /// Which rows they are; absent where that cannot be told.
    pub which: Option<Which>,
    /// The table whose rows it takes over, all of them.
    pub copy_of: Option<WholeCopy>,
    /// The table of whose rows it takes over some, and nobody knows which.
    #[serde(skip)]
    pub part_of: Option<WholeCopy>,
    /// The columns that an update fills with what others held.
    pub column_copies: Vec<ColumnCopy>,
    /// Where a delete puts the rows, all that it takes.
    pub moved: Option<Moved>,
    /// Whether rows of tables that refer to it go as well, whatever their keys say (`TRUNCATE ... CASCADE`).
    pub cascade: bool,
}

/// What happens to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowVerb {
    /// They are added, and none is changed.
    Insert,
    /// They are added, and those that collide are changed.
    Upsert,
    /// They are added, and those that collide are deleted.
    Replace,
    /// Values of them are overwritten.
    Update,
    /// They are deleted.
    Delete,
    /// All of them are deleted.
    Truncate,
    /// They are added, changed or deleted as conditions say.
    Merge,
}

/// The pieces of a query that finds the rows a statement is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Which {
    /// `WITH ...` before it, or nothing.
    pub with: String,
    /// The table with its alias.
    pub target: String,
    /// Further tables that the condition names.
    pub others: Option<String>,
    /// The condition; absent when it is every row.
    pub condition: Option<String>,
    /// The names in it that may be those of other tables, in lower case and without schema.
    pub reads: BTreeSet<String>,
    /// All names in it, in lower case and without schema.
    pub names: BTreeSet<String>,
}

/// What a statement sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The name of the setting or pragma, in lower case.
    pub name: String,
    /// The value in lower case; absent when it is put back.
    pub value: Option<String>,
    /// Whether it ends with the transaction.
    pub is_local: bool,
}

/// What a statement does to the transaction that it runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionControl {
    /// It begins one.
    Begin,
    /// It ends one, and may begin the next.
    End,
    /// It sets, releases or goes back to a savepoint.
    Savepoint,
}

impl Object {
    pub(crate) fn table(name: &str) -> Self {
        Self::Table {
            name: name.to_owned(),
        }
    }

    pub(crate) fn column(table: &str, column: &str) -> Self {
        Self::Column {
            table: table.to_owned(),
            column: column.to_owned(),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column { table, column } => write!(formatter, "column {table}.{column}"),
            Self::Table { name } => write!(formatter, "table {name}"),
            Self::View { name } => write!(formatter, "view {name}"),
            Self::Index { name } => write!(formatter, "index {name}"),
            Self::Type { name } => write!(formatter, "type {name}"),
            Self::Schema { name } => write!(formatter, "schema {name}"),
            Self::Sequence { name } => write!(formatter, "sequence {name}"),
            Self::Function { name } => write!(formatter, "function {name}"),
            Self::Extension { name } => write!(formatter, "extension {name}"),
            Self::Database { name } => write!(formatter, "database {name}"),
            Self::Collation { name } => write!(formatter, "collation {name}"),
        }
    }
}
