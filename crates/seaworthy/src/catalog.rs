//! One neutral picture of a schema, read from a live database or declared by entities.
//!
//! A [`Catalog`] is plain data, and its JSON is the snapshot format: what is at its default is left out, lists are in a
//! stable order, and types and expressions are SQL of the database. [`inspect`] reads one from a database; a [`Target`]
//! makes one of SeaORM entities; [`normalize`] brings one that somebody wrote into the words of the engine. What is the
//! same and what differs is the business of `autogenerate`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use crate::sql::Dialect;
pub use constraint::{Action, Check, Exclusion, ForeignKey, PrimaryKey, Unique};
pub use declare::{DeclareError, Extra, TableExtra, Target, normalize};
pub use ignore::Ignore;
pub use index::{Index, IndexKey, IndexPart, Nulls};
pub use inspect::{InspectError, Scope, inspect};
pub use object::{Dependent, Need, NeedKind, Object, ObjectKind};
pub use opaque::Opaque;
pub use roles::Roles;
pub use sequence::{Sequence, SequenceOwner};
pub use sqlite::{Conflict, KeyOptions, TableOptions};
pub use storage::{ColumnStorage, TableStorage};
pub use table::{Column, Generated, Numbering, Partition, Printed, Table, TablePart};

pub mod ddl;
pub mod expression;

mod changed;
mod constraint;
mod declare;
mod ignore;
mod index;
mod inspect;
mod object;
mod opaque;
mod reads;
mod rename;
mod roles;
mod sequence;
mod sqlite;
mod storage;
mod table;
mod token;
mod written;

/// The schema of a database, or one that somebody wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The format that the JSON is written in.
    #[serde(default)]
    pub version: FormatVersion,
    /// The kind of database whose SQL the types and expressions are; absent in a file means that of the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Tables, by name.
    #[serde(default, deserialize_with = "written::or_default")]
    pub tables: Vec<Table>,
    /// Enum types with their labels in order; PostgreSQL.
    #[serde(
        default,
        deserialize_with = "written::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub enums: BTreeMap<String, Vec<String>>,
    /// Sequences that number no column by themselves, by name; PostgreSQL.
    #[serde(
        default,
        deserialize_with = "written::sequences",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub sequences: Vec<Sequence>,
    /// Views, by name. Those of a live database are objects.
    #[serde(
        default,
        deserialize_with = "written::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub views: Vec<Opaque>,
    /// What there is beside tables, by kind and name; absent where nothing is said about it, as by entities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<Vec<Object>>,
    /// Who owns what and who may do what with it; absent where nothing is known of it. In no JSON, as roles belong to a server and not
    /// to a schema.
    #[serde(skip)]
    pub roles: Option<Roles>,
    /// What needs a table and is not in the schema. In no JSON, as it belongs to one database.
    #[serde(skip)]
    pub outside: Vec<Dependent>,
    /// How many things of kinds that no catalog speaks of the database holds: `publication`, `virtual table`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_compared: BTreeMap<String, u64>,
    /// Whether it was declared in words that do not say everything; see [`Self::says_everything`]. In no JSON.
    #[serde(skip)]
    pub is_partial: bool,
    /// Whether its tables may have indexes, constraints, defaults and lengths that it does not mention. In no JSON.
    #[serde(skip)]
    pub is_open: bool,
}

/// The version of the snapshot format: this build reads and writes version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct FormatVersion(u32);

/// A snapshot cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The text is no catalog.
    #[error("the snapshot is not a catalog (line {line}, column {column})")]
    Malformed {
        /// Where reading stopped; the first line is 1.
        line: usize,
        /// Where in the line reading stopped.
        column: usize,
        /// What was wrong there.
        source: serde_json::Error,
    },
}

impl Catalog {
    /// Returns an empty catalog for a kind of database.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect: Some(dialect),
            ..Self::default()
        }
    }

    /// Returns the table of this name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Returns whether an object is a view of this name.
    #[must_use]
    pub fn has_view(&self, name: &str) -> bool {
        let is_view = |kind| matches!(kind, ObjectKind::View | ObjectKind::MaterializedView);
        let mut objects = self.objects.iter().flatten();
        objects.any(|object| is_view(object.kind) && self.is_called(object, name))
    }

    /// Returns whether an object is a trigger of this name on a table.
    #[must_use]
    pub fn has_trigger(&self, table: &str, name: &str) -> bool {
        let is_on_table = |object: &Object| match self.dialect {
            Some(Dialect::Sqlite) => object.is_on(table),
            Some(Dialect::Postgresql) | None => object.relation.as_deref() == Some(table),
        };
        let mut objects = self.objects.iter().flatten();
        objects.any(|object| {
            object.kind == ObjectKind::Trigger && is_on_table(object) && self.is_called(object, name)
        })
    }

    /// Whether an object has a name, as the database tells names apart.
    fn is_called(&self, object: &Object, name: &str) -> bool {
        match self.dialect {
            Some(Dialect::Sqlite) => object.name.eq_ignore_ascii_case(name),
            Some(Dialect::Postgresql) | None => object.is_called(name),
        }
    }

    /// Returns whether what it does not say is not there: so it is when it was read from a database, or from the snapshot of
    /// one. Entities, and catalogs that name no kind of database, say nothing of what only some databases have.
    #[must_use]
    pub fn says_everything(&self) -> bool {
        self.dialect.is_some() && !self.is_partial
    }

    /// Reads a snapshot.
    ///
    /// # Errors
    ///
    /// Fails when the text is not JSON, is not a catalog, or is of a later format.
    pub fn from_json(text: &str) -> Result<Self, SnapshotError> {
        serde_json::from_str(text).map_err(|source| SnapshotError::Malformed {
            line: source.line(),
            column: source.column(),
            source,
        })
    }

    /// Writes a snapshot: indented, in a stable order, with a line feed at the end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a catalog has only text for keys");
        text.push('\n');
        text
    }

    /// Puts every list whose order means nothing into the order of names, so that equal schemas read equal.
    pub fn sort(&mut self) {
        self.tables.sort_by(|one, other| one.name.cmp(&other.name));
        self.sequences.sort_by(|one, other| one.name.cmp(&other.name));
        self.views.sort_by(|one, other| one.name.cmp(&other.name));
        if let Some(objects) = &mut self.objects {
            objects.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
        }
        if let Some(roles) = &mut self.roles {
            roles.sort();
        }
        for table in &mut self.tables {
            table.sort();
        }
    }
}

impl FormatVersion {
    const CURRENT: u32 = 1;
}

impl Default for FormatVersion {
    fn default() -> Self {
        Self(Self::CURRENT)
    }
}

impl TryFrom<u32> for FormatVersion {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, Self::Error> {
        if version == Self::CURRENT {
            return Ok(Self(version));
        }
        Err(format!(
            "the snapshot is of format {version}, and this build reads format {}",
            Self::CURRENT
        ))
    }
}

impl From<FormatVersion> for u32 {
    fn from(version: FormatVersion) -> Self {
        version.0
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `skip_serializing_if` passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `skip_serializing_if` passes a reference"
)]
fn is_true(value: &bool) -> bool {
    *value
}

fn yes() -> bool {
    true
}
