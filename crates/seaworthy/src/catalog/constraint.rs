//! Constraints of a table. A name of `None` is a declaration that leaves the name to the engine.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::written::{deferred, or_default, or_true};
use super::{KeyOptions, is_false, is_true, yes};

/// A primary key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrimaryKey {
    /// The constraint's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its columns, in their order.
    pub columns: Vec<String>,
    /// What else it says; SQLite.
    #[serde(default, skip_serializing_if = "KeyOptions::is_plain")]
    pub options: KeyOptions,
    /// Columns that are stored beside the key; PostgreSQL.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub include: Vec<String>,
    /// Whether it may be checked at the end of a transaction; PostgreSQL.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub deferrable: bool,
    /// Whether it is checked at the end of a transaction; PostgreSQL.
    #[serde(
        default,
        alias = "initially",
        deserialize_with = "deferred",
        skip_serializing_if = "is_false"
    )]
    pub initially_deferred: bool,
}

/// A unique constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unique {
    /// The constraint's name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its columns, in their order.
    pub columns: Vec<String>,
    /// Columns that are stored beside the key; PostgreSQL.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub include: Vec<String>,
    /// Whether two NULLs count as equal; PostgreSQL 15 and later.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub nulls_not_distinct: bool,
    /// Whether it may be checked at the end of a transaction; PostgreSQL.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub deferrable: bool,
    /// Whether it is checked at the end of a transaction; PostgreSQL.
    #[serde(
        default,
        alias = "initially",
        deserialize_with = "deferred",
        skip_serializing_if = "is_false"
    )]
    pub initially_deferred: bool,
    /// What else it says; SQLite.
    #[serde(default, skip_serializing_if = "KeyOptions::is_plain")]
    pub options: KeyOptions,
}

/// A check constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The constraint's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The condition as SQL, without parentheses around it.
    pub expr: String,
    /// Whether all rows are known to fulfil it; PostgreSQL's `NOT VALID` otherwise.
    #[serde(
        default = "yes",
        deserialize_with = "or_true",
        skip_serializing_if = "is_true"
    )]
    pub valid: bool,
    /// Whether the database looks after it at all; PostgreSQL 18's `NOT ENFORCED` otherwise.
    #[serde(
        default = "yes",
        deserialize_with = "or_true",
        skip_serializing_if = "is_true"
    )]
    pub enforced: bool,
    /// Whether tables that inherit from this one are exempt; PostgreSQL.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub no_inherit: bool,
    /// Whether a table that this one inherits from brings it; PostgreSQL.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub inherited: bool,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// The constraint's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table that is referred to; with its schema when that is another one.
    pub ref_table: String,
    /// The columns that are referred to; empty in a declaration means the primary key.
    #[serde(default, deserialize_with = "or_default")]
    pub ref_columns: Vec<String>,
    /// What happens to the row when the one it refers to is deleted.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Action::is_none"
    )]
    pub on_delete: Action,
    /// The columns that are set then, where these are not all; PostgreSQL 15 and later.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub on_delete_columns: Vec<String>,
    /// What happens to the row when the key it refers to changes.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Action::is_none"
    )]
    pub on_update: Action,
    /// Whether NULL is allowed in all columns or none only; `MATCH FULL`, PostgreSQL.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub match_full: bool,
    /// Whether it may be checked at the end of a transaction.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub deferrable: bool,
    /// Whether it is checked at the end of a transaction.
    #[serde(
        default,
        alias = "initially",
        deserialize_with = "deferred",
        skip_serializing_if = "is_false"
    )]
    pub initially_deferred: bool,
    /// Whether all rows are known to fulfil it; PostgreSQL's `NOT VALID` otherwise.
    #[serde(
        default = "yes",
        deserialize_with = "or_true",
        skip_serializing_if = "is_true"
    )]
    pub valid: bool,
    /// Whether the database looks after it at all; PostgreSQL 18's `NOT ENFORCED` otherwise.
    #[serde(
        default = "yes",
        deserialize_with = "or_true",
        skip_serializing_if = "is_true"
    )]
    pub enforced: bool,
    /// Whether the last column is a period, which has to lie within those of the rows that are referred to; PostgreSQL 18
    /// and later.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub period: bool,
}

/// What a foreign key does when the row it refers to goes or changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub enum Action {
    /// Refuses at the end of the statement or transaction.
    #[default]
    #[serde(rename = "NO ACTION")]
    NoAction,
    /// Refuses at once.
    #[serde(rename = "RESTRICT")]
    Restrict,
    /// Does the same to the row.
    #[serde(rename = "CASCADE")]
    Cascade,
    /// Sets the columns to NULL.
    #[serde(rename = "SET NULL")]
    SetNull,
    /// Sets the columns to their defaults.
    #[serde(rename = "SET DEFAULT")]
    SetDefault,
}

/// An exclusion constraint, or a key `WITHOUT OVERLAPS`, which is guarded in the same way; PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// The constraint's name.
    #[serde(default)]
    pub name: Option<String>,
    /// All that follows the name in SQL: `EXCLUDE USING gist (during WITH &&)`.
    pub definition: String,
}

impl PrimaryKey {
    /// Returns an unnamed primary key.
    #[must_use]
    pub fn new<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> Self {
        Self {
            name: None,
            columns: columns.into_iter().map(Into::into).collect(),
            options: KeyOptions::default(),
            include: Vec::new(),
            deferrable: false,
            initially_deferred: false,
        }
    }
}

impl Unique {
    /// Returns a unique constraint.
    #[must_use]
    pub fn new<C: Into<String>>(name: Option<&str>, columns: impl IntoIterator<Item = C>) -> Self {
        Self {
            name: name.map(str::to_owned),
            columns: columns.into_iter().map(Into::into).collect(),
            include: Vec::new(),
            nulls_not_distinct: false,
            deferrable: false,
            initially_deferred: false,
            options: KeyOptions::default(),
        }
    }
}

impl Check {
    /// Returns a check constraint.
    #[must_use]
    pub fn new(name: Option<&str>, expr: impl Into<String>) -> Self {
        Self {
            name: name.map(str::to_owned),
            expr: expr.into(),
            valid: true,
            enforced: true,
            no_inherit: false,
            inherited: false,
        }
    }
}

impl ForeignKey {
    /// Returns a foreign key from columns to columns of a table.
    #[must_use]
    pub fn new<C: Into<String>, R: Into<String>>(
        columns: impl IntoIterator<Item = C>,
        ref_table: impl Into<String>,
        ref_columns: impl IntoIterator<Item = R>,
    ) -> Self {
        Self {
            name: None,
            columns: columns.into_iter().map(Into::into).collect(),
            ref_table: ref_table.into(),
            ref_columns: ref_columns.into_iter().map(Into::into).collect(),
            on_delete: Action::NoAction,
            on_delete_columns: Vec::new(),
            on_update: Action::NoAction,
            match_full: false,
            deferrable: false,
            initially_deferred: false,
            valid: true,
            enforced: true,
            period: false,
        }
    }
}

impl Action {
    /// Returns whether it is what holds when nothing is said.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's `skip_serializing_if` passes a reference"
    )]
    fn is_none(&self) -> bool {
        *self == Self::NoAction
    }

    /// Returns the SQL.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.sql())
    }
}
