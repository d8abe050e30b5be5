//! Tables and their columns.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::expression::{base_type, plain_default};
use super::storage::{ColumnStorage, TableStorage};
use super::written::{WrittenColumn, WrittenTable, or_true};
use super::{
    Check, Conflict, Exclusion, ForeignKey, Index, Opaque, PrimaryKey, Sequence, TableOptions, Unique,
    is_false, is_true, yes,
};

/// A table with everything that hangs on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenTable")]
pub struct Table {
    /// Its name, without the schema.
    pub name: String,
    /// Columns, in their order.
    pub columns: Vec<Column>,
    /// The primary key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<PrimaryKey>,
    /// Unique constraints; a unique index is an index.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uniques: Vec<Unique>,
    /// Check constraints.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Foreign keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
    /// Indexes that belong to no constraint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// Exclusion constraints; PostgreSQL.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// Triggers, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Opaque>,
    /// What somebody says about it; PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The tables that it inherits from, in their order, with the schema when that is another one; PostgreSQL.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<String>,
    /// How it is divided; PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitioned_by: Option<Partition>,
    /// The parts that it is divided into, and theirs; PostgreSQL. What parts have of their own is not in the catalog.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<TablePart>,
    /// How the server keeps its rows; PostgreSQL.
    #[serde(skip_serializing_if = "TableStorage::is_usual")]
    pub storage: TableStorage,
    /// Whether it was made `STRICT`; SQLite.
    #[serde(skip_serializing_if = "is_false")]
    pub strict: bool,
    /// Whether it was made `WITHOUT ROWID`; SQLite.
    #[serde(skip_serializing_if = "is_false")]
    pub without_rowid: bool,
    /// The name that it had before, where a declaration says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
}

/// A partition key as PostgreSQL writes it: `RANGE (created_at)`.
pub type Partition = String;

/// A part of a partitioned table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePart {
    /// Its name.
    pub name: String,
    /// The part that it is a part of; absent where that is the table itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The rows that it holds, as PostgreSQL writes it: `FOR VALUES IN (1)` or `DEFAULT`.
    pub bound: String,
    /// How it is divided itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitioned_by: Option<Partition>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenColumn")]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type with arguments, as the database writes it: `character varying(255)`. In a catalog that is yet to be
    /// normalised, any spelling that the database understands.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether it may be NULL.
    #[serde(skip_serializing_if = "is_true")]
    pub nullable: bool,
    /// What happens to a row in which it is NULL and may not be; SQLite.
    #[serde(skip_serializing_if = "Conflict::is_abort")]
    pub on_null: Conflict,
    /// The default as SQL, unless it is what numbers the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The default as the server prints it.
    #[serde(skip)]
    pub printed_default: Printed,
    /// How the database numbers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto: Option<Numbering>,
    /// The sequence that numbers it, where its name or the way it counts is not the usual one; PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// Whether a table that this one inherits from brings it; PostgreSQL.
    #[serde(skip_serializing_if = "is_false")]
    pub inherited: bool,
    /// How the server keeps its values; PostgreSQL.
    #[serde(skip_serializing_if = "ColumnStorage::is_usual")]
    pub storage: ColumnStorage,
    /// The expression that it is computed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<Generated>,
    /// Its collation, unless that of its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// What somebody says about it; PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The name that it had before, where a declaration says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
}

/// Returns a default as a person would write it; that of NULL is none.
fn short_default(data_type: &str, printed: &str) -> Option<String> {
    let plain = plain_default(data_type, printed);
    (!plain.starts_with("NULL::")).then_some(plain)
}

/// A text as the server prints it, which says no more than a shorter one beside it: `'active'::text` for `'active'`. What is made
/// anew is made in these words; two that differ are equal.
#[derive(Clone, Debug, Default)]
pub struct Printed(pub Option<String>);

impl PartialEq for Printed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Printed {}

/// How the database numbers a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Numbering {
    /// Somehow: a declaration that does not care which of the ways it is.
    #[serde(rename = "auto")]
    Any,
    /// By a sequence that the column owns and a default that reads it; PostgreSQL's `serial`.
    #[serde(rename = "serial")]
    Serial,
    /// `GENERATED BY DEFAULT AS IDENTITY`; PostgreSQL.
    #[serde(rename = "identity by default")]
    IdentityByDefault,
    /// `GENERATED ALWAYS AS IDENTITY`; PostgreSQL.
    #[serde(rename = "identity always")]
    IdentityAlways,
    /// It is the row id; SQLite's `INTEGER PRIMARY KEY`.
    #[serde(rename = "rowid")]
    Rowid,
    /// It is the row id, and numbers are not used again; SQLite's `AUTOINCREMENT`.
    #[serde(rename = "autoincrement")]
    Autoincrement,
}

/// The expression that a column is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generated {
    /// SQL.
    pub expr: String,
    /// Whether the value is stored; otherwise it is computed when it is read.
    #[serde(default = "yes", deserialize_with = "or_true")]
    pub stored: bool,
}

impl Table {
    /// Returns a table without columns.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Returns the column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns whether a column is part of the primary key.
    #[must_use]
    pub fn is_key(&self, column: &str) -> bool {
        let mut columns = self.primary_key.iter().flat_map(|key| &key.columns);
        columns.any(|name| name == column)
    }

    /// Returns what is said of it as a whole; SQLite.
    #[must_use]
    pub fn options(&self) -> TableOptions {
        TableOptions {
            strict: self.strict,
            without_rowid: self.without_rowid,
        }
    }

    pub(super) fn sort(&mut self) {
        self.uniques
            .sort_by(|one, other| (&one.columns, &one.name).cmp(&(&other.columns, &other.name)));
        self.checks
            .sort_by(|one, other| (&one.name, &one.expr).cmp(&(&other.name, &other.expr)));
        self.foreign_keys
            .sort_by(|one, other| (&one.columns, &one.name).cmp(&(&other.columns, &other.name)));
        self.indexes.sort_by(|one, other| one.name.cmp(&other.name));
        self.exclusions.sort_by(|one, other| one.name.cmp(&other.name));
        self.partitions
            .sort_by(|one, other| (&one.of, &one.name).cmp(&(&other.of, &other.name)));
        self.triggers.sort_by(|one, other| one.name.cmp(&other.name));
    }
}

impl Column {
    /// Takes the default from the server's words, or from nothing.
    pub(super) fn set_printed_default(&mut self, printed: Option<String>) {
        self.default = printed
            .as_deref()
            .and_then(|printed| short_default(&self.data_type, printed));
        let says_more = |printed: &String| match printed.rsplit_once("::") {
            Some((literal, cast)) => literal == "NULL" || base_type(cast) != base_type(&self.data_type),
            None => false,
        };
        self.printed_default = Printed(printed.filter(says_more));
    }

    /// Returns the default in the server's words where these say more than `default`, and the same.
    #[must_use]
    pub fn default_in_full(&self) -> Option<&str> {
        let printed = self.printed_default.0.as_deref();
        let says_the_same =
            |printed: &&str| self.auto.is_none() && short_default(&self.data_type, printed) == self.default;
        printed.filter(says_the_same).or(self.default.as_deref())
    }

    /// Returns a column that may be NULL and has nothing else to say.
    #[must_use]
    pub fn new(name: impl Into<String>, data_type: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            data_type: data_type.into(),
            nullable: true,
            on_null: Conflict::Abort,
            default: None,
            printed_default: Printed::default(),
            auto: None,
            sequence: None,
            inherited: false,
            storage: ColumnStorage::default(),
            generated: None,
            collation: None,
            comment: None,
            renamed_from: None,
        }
    }

    /// Returns the same column, never NULL.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// Returns the same column with a default, given as SQL.
    #[must_use]
    pub fn default(mut self, sql: impl Into<String>) -> Self {
        self.default = Some(sql.into());
        self
    }

    /// Returns the same column, numbered by the database.
    #[must_use]
    pub fn auto(mut self, numbering: Numbering) -> Self {
        self.auto = Some(numbering);
        self
    }

    /// Returns the sequence that numbers the column of a table of this name; nothing where none does. PostgreSQL.
    #[must_use]
    pub fn own_sequence(&self, table: &str) -> Option<Sequence> {
        self.auto?;
        let usual = || Sequence::usual(table, &self.name, &self.data_type);
        Some(self.sequence.clone().unwrap_or_else(usual))
    }

    /// Has the column of a table of this name numbered by a sequence.
    pub(crate) fn set_sequence(&mut self, table: &str, sequence: Sequence) {
        let usual = Sequence::usual(table, &self.name, &self.data_type);
        self.sequence = (sequence != usual).then_some(sequence);
    }

    /// Gives the column another type, and with it the sequence that numbers it, as PostgreSQL does for an identity.
    pub(crate) fn set_type(&mut self, data_type: &str) {
        if self.data_type == data_type {
            return;
        }
        data_type.clone_into(&mut self.data_type);
        if let Some(sequence) = &mut self.sequence {
            sequence.set_type(data_type);
        }
    }
}

impl Numbering {
    /// Returns whether a column numbered in one way does for a declaration of the other.
    #[must_use]
    pub fn satisfies(self, declared: Self) -> bool {
        self == declared || self == Self::Any || declared == Self::Any
    }

    /// Returns whether a column that is numbered in this way has a sequence of its own; PostgreSQL.
    #[must_use]
    pub fn has_sequence(self) -> bool {
        match self {
            Self::Serial | Self::IdentityByDefault | Self::IdentityAlways => true,
            Self::Any | Self::Rowid | Self::Autoincrement => false,
        }
    }
}

impl fmt::Display for Numbering {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Any => "auto",
            Self::Serial => "serial",
            Self::IdentityByDefault => "identity by default",
            Self::IdentityAlways => "identity always",
            Self::Rowid => "rowid",
            Self::Autoincrement => "autoincrement",
        })
    }
}
