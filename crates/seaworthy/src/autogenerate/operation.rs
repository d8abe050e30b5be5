//! One change of a schema, as data: complete enough to be undone.

use serde::{Deserialize, Serialize};

use crate::catalog::expression::{Fit, fit};
use crate::catalog::{
    Check, Column, ColumnStorage, Conflict, Exclusion, ForeignKey, Generated, Index, Numbering, Object,
    ObjectKind, PrimaryKey, Sequence, Table, TableOptions, TablePart, TableStorage, Unique,
};

pub(super) use apply::detached;
pub use summary::Summary;

mod apply;
mod summary;

/// One change of a schema.
///
/// What is dropped is carried along whole, so that [`Operation::inverse`] can bring it back. A table is added and dropped
/// without its indexes, which are operations of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "the fields say what their names say, in each operation the same"
)]
pub enum Operation {
    /// Gives a table another name.
    RenameTable { from: String, to: String },
    /// Gives a column another name; the table has its new one already.
    RenameColumn { table: String, from: String, to: String },
    /// Gives an index another name; PostgreSQL.
    RenameIndex { table: String, from: String, to: String },
    /// Gives a constraint another name; on SQLite, where none may have one, this takes a rebuild.
    RenameConstraint { table: String, from: String, to: String },
    /// Makes an enum type.
    AddEnum { r#enum: String, values: Vec<String> },
    /// Removes an enum type.
    DropEnum { r#enum: String, values: Vec<String> },
    /// Adds a label before another, or at the end.
    AddEnumValue {
        r#enum: String,
        value: String,
        before: Option<String>,
    },
    /// Removes a label, which stood before another or at the end; PostgreSQL makes a new type of it.
    DropEnumValue {
        r#enum: String,
        value: String,
        before: Option<String>,
    },
    /// Puts the labels into another order; PostgreSQL makes a new type of it.
    ReorderEnum {
        r#enum: String,
        from: Vec<String>,
        to: Vec<String>,
    },
    /// Makes a sequence that belongs to no column.
    AddSequence { sequence: Sequence },
    /// Removes a sequence.
    DropSequence { sequence: Sequence },
    /// Changes how a sequence counts; both have the same name.
    AlterSequence { from: Sequence, to: Sequence },
    /// Makes what no table holds: a view, a function, a trigger and the like.
    AddObject { object: Object },
    /// Removes such a thing, also one that is in the way of a change and is made again after it.
    DropObject { object: Object },
    /// Changes such a thing in its place; both have the same kind and name. PostgreSQL.
    AlterObject { from: Object, to: Object },
    /// Makes a table with its constraints, without its indexes.
    AddTable { table: Table },
    /// Removes a table, whose indexes were removed before.
    DropTable { table: Table },
    /// Says something else about a table.
    AlterTableComment {
        table: String,
        from: Option<String>,
        to: Option<String>,
    },
    /// Changes what is said of a table as a whole; SQLite.
    AlterTableOptions {
        table: String,
        from: TableOptions,
        to: TableOptions,
    },
    /// Adds a column.
    AddColumn { table: String, column: Column },
    /// Removes a column.
    DropColumn { table: String, column: Column },
    /// Gives a column another type.
    AlterType {
        table: String,
        column: String,
        from: String,
        to: String,
    },
    /// Allows or forbids NULL.
    AlterNullable {
        table: String,
        column: String,
        from: bool,
        to: bool,
    },
    /// Changes what happens to a row in which a column is NULL and may not be; SQLite.
    AlterOnNull {
        table: String,
        column: String,
        from: Conflict,
        to: Conflict,
    },
    /// Changes a default, given as SQL.
    AlterDefault {
        table: String,
        column: String,
        from: Option<String>,
        to: Option<String>,
    },
    /// Changes how the database numbers a column, or how the sequence counts that does; the sequences are those of
    /// [`Column::sequence`].
    AlterIdentity {
        table: String,
        column: String,
        from: Option<Numbering>,
        to: Option<Numbering>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_sequence: Option<Sequence>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_sequence: Option<Sequence>,
    },
    /// Changes what a column is computed from.
    AlterGenerated {
        table: String,
        column: String,
        from: Option<Generated>,
        to: Option<Generated>,
    },
    /// Changes the collation of a column; `None` is that of its type.
    AlterCollation {
        table: String,
        column: String,
        from: Option<String>,
        to: Option<String>,
    },
    /// Says something else about a column.
    AlterComment {
        table: String,
        column: String,
        from: Option<String>,
        to: Option<String>,
    },
    /// Makes a table inherit from others than before; PostgreSQL.
    AlterInherits {
        table: String,
        from: Vec<String>,
        to: Vec<String>,
    },
    /// Adds a part to a partitioned table; PostgreSQL.
    AddPartition { table: String, partition: TablePart },
    /// Removes a part of a partitioned table with its rows; PostgreSQL.
    DropPartition { table: String, partition: TablePart },
    /// Makes a table that is there a part of a partitioned table; PostgreSQL.
    AttachPartition { table: String, partition: TablePart },
    /// Makes a part a table of its own, with its rows; PostgreSQL.
    DetachPartition { table: String, partition: TablePart },
    /// Has a part hold other rows; both have the same name. PostgreSQL.
    AlterPartition {
        table: String,
        from: TablePart,
        to: TablePart,
    },
    /// Has the server keep the rows of a table in another way; PostgreSQL.
    AlterTableStorage {
        table: String,
        from: TableStorage,
        to: TableStorage,
    },
    /// Has the server keep the values of a column in another way, from the next write on; PostgreSQL.
    AlterColumnStorage {
        table: String,
        column: String,
        from: ColumnStorage,
        to: ColumnStorage,
    },
    /// Puts another primary key in place of the one that is there.
    AlterPrimaryKey {
        table: String,
        from: Option<PrimaryKey>,
        to: Option<PrimaryKey>,
    },
    /// Adds a unique constraint.
    AddUnique { table: String, unique: Unique },
    /// Removes a unique constraint.
    DropUnique { table: String, unique: Unique },
    /// Adds a check.
    AddCheck { table: String, check: Check },
    /// Removes a check.
    DropCheck { table: String, check: Check },
    /// Adds an exclusion constraint.
    AddExclude { table: String, exclusion: Exclusion },
    /// Removes an exclusion constraint.
    DropExclude { table: String, exclusion: Exclusion },
    /// Adds a foreign key.
    AddForeignKey { table: String, foreign_key: ForeignKey },
    /// Removes a foreign key.
    DropForeignKey { table: String, foreign_key: ForeignKey },
    /// Builds an index.
    AddIndex { table: String, index: Index },
    /// Removes an index.
    DropIndex { table: String, index: Index },
    /// Builds an index again that a build which failed has left INVALID.
    RebuildInvalidIndex { table: String, name: Option<String> },
    /// Checks the rows that a foreign key was never checked on.
    ValidateForeignKey { table: String, name: Option<String> },
    /// Checks the rows that a check was never checked on.
    ValidateCheck { table: String, name: Option<String> },
}

/// What an operation may do to rows that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing.
    None,
    /// It fails when rows do not fit: NULLs, duplicates, values that are too long.
    Fails,
    /// It loses what they hold.
    Loses,
}

impl Operation {
    /// Returns whether it makes or changes what may need an object: a function, a type, a collation.
    #[must_use]
    pub fn builds_on_objects(&self) -> bool {
        matches!(
            self,
            Self::AddTable { .. }
                | Self::AddPartition { .. }
                | Self::AddColumn { .. }
                | Self::AlterType { .. }
                | Self::AlterDefault { .. }
                | Self::AlterGenerated { .. }
                | Self::AlterCollation { .. }
                | Self::AddCheck { .. }
                | Self::AddExclude { .. }
                | Self::AddIndex { .. }
        )
    }

    /// Returns what undoes it; nothing when there is nothing to undo.
    ///
    /// What an operation has lost does not come back: the inverse brings the schema back and no rows.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        let mut inverse = self.clone();
        match &mut inverse {
            Self::RenameTable { from, to }
            | Self::RenameColumn { from, to, .. }
            | Self::RenameIndex { from, to, .. }
            | Self::RenameConstraint { from, to, .. }
            | Self::AlterType { from, to, .. } => std::mem::swap(from, to),
            Self::AlterTableComment { from, to, .. }
            | Self::AlterDefault { from, to, .. }
            | Self::AlterCollation { from, to, .. }
            | Self::AlterComment { from, to, .. } => std::mem::swap(from, to),
            Self::ReorderEnum { from, to, .. } => std::mem::swap(from, to),
            Self::AlterNullable { from, to, .. } => std::mem::swap(from, to),
            Self::AlterOnNull { from, to, .. } => std::mem::swap(from, to),
            Self::AlterTableOptions { from, to, .. } => std::mem::swap(from, to),
            Self::AlterObject { from, to } => std::mem::swap(from, to),
            Self::AlterIdentity {
                from,
                to,
                from_sequence,
                to_sequence,
                ..
            } => {
                std::mem::swap(from, to);
                std::mem::swap(from_sequence, to_sequence);
            }
            Self::AlterGenerated { from, to, .. } => std::mem::swap(from, to),
            Self::AlterPrimaryKey { from, to, .. } => std::mem::swap(from, to),
            Self::AlterSequence { from, to } => std::mem::swap(from, to),
            Self::AlterInherits { from, to, .. } => std::mem::swap(from, to),
            Self::AlterPartition { from, to, .. } => std::mem::swap(from, to),
            Self::AlterTableStorage { from, to, .. } => std::mem::swap(from, to),
            Self::AlterColumnStorage { from, to, .. } => std::mem::swap(from, to),
            Self::RebuildInvalidIndex { .. }
            | Self::ValidateForeignKey { .. }
            | Self::ValidateCheck { .. } => {
                return None;
            }
            _ => return Some(inverse.added_or_dropped()),
        }
        Some(inverse)
    }

    /// Turns an addition into the removal of the same thing, and the other way round.
    fn added_or_dropped(self) -> Self {
        match self {
            Self::AddEnum { r#enum, values } => Self::DropEnum { r#enum, values },
            Self::DropEnum { r#enum, values } => Self::AddEnum { r#enum, values },
            Self::AddEnumValue {
                r#enum,
                value,
                before,
            } => Self::DropEnumValue {
                r#enum,
                value,
                before,
            },
            Self::DropEnumValue {
                r#enum,
                value,
                before,
            } => Self::AddEnumValue {
                r#enum,
                value,
                before,
            },
            Self::AddObject { object } => Self::DropObject { object },
            Self::DropObject { object } => Self::AddObject { object },
            Self::AddSequence { sequence } => Self::DropSequence { sequence },
            Self::DropSequence { sequence } => Self::AddSequence { sequence },
            Self::AddTable { table } => Self::DropTable { table },
            Self::DropTable { table } => Self::AddTable { table },
            Self::AddColumn { table, column } => Self::DropColumn { table, column },
            Self::DropColumn { table, column } => Self::AddColumn { table, column },
            Self::AddUnique { table, unique } => Self::DropUnique { table, unique },
            Self::DropUnique { table, unique } => Self::AddUnique { table, unique },
            Self::AddCheck { table, check } => Self::DropCheck { table, check },
            Self::DropCheck { table, check } => Self::AddCheck { table, check },
            Self::AddExclude { table, exclusion } => Self::DropExclude { table, exclusion },
            Self::DropExclude { table, exclusion } => Self::AddExclude { table, exclusion },
            Self::AddForeignKey { table, foreign_key } => Self::DropForeignKey { table, foreign_key },
            Self::DropForeignKey { table, foreign_key } => Self::AddForeignKey { table, foreign_key },
            Self::AddPartition { table, partition } => Self::DropPartition { table, partition },
            Self::DropPartition { table, partition } => Self::AddPartition { table, partition },
            Self::AttachPartition { table, partition } => Self::DetachPartition { table, partition },
            Self::DetachPartition { table, partition } => Self::AttachPartition { table, partition },
            Self::AddIndex { table, index } => Self::DropIndex { table, index },
            Self::DropIndex { table, index } => Self::AddIndex { table, index },
            other => other,
        }
    }

    /// Returns the table that it changes, by the name that the table has by then.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        match self {
            Self::AddEnum { .. }
            | Self::DropEnum { .. }
            | Self::AddEnumValue { .. }
            | Self::DropEnumValue { .. }
            | Self::ReorderEnum { .. }
            | Self::AddSequence { .. }
            | Self::DropSequence { .. }
            | Self::AlterSequence { .. }
            | Self::AddObject { .. }
            | Self::DropObject { .. }
            | Self::AlterObject { .. } => None,
            Self::RenameTable { from, .. } => Some(from),
            Self::AddTable { table } | Self::DropTable { table } => Some(&table.name),
            Self::RenameColumn { table, .. }
            | Self::RenameIndex { table, .. }
            | Self::RenameConstraint { table, .. }
            | Self::AlterTableComment { table, .. }
            | Self::AlterTableOptions { table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::AlterType { table, .. }
            | Self::AlterNullable { table, .. }
            | Self::AlterOnNull { table, .. }
            | Self::AlterDefault { table, .. }
            | Self::AlterIdentity { table, .. }
            | Self::AlterGenerated { table, .. }
            | Self::AlterCollation { table, .. }
            | Self::AlterComment { table, .. }
            | Self::AlterInherits { table, .. }
            | Self::AddPartition { table, .. }
            | Self::DropPartition { table, .. }
            | Self::AttachPartition { table, .. }
            | Self::DetachPartition { table, .. }
            | Self::AlterPartition { table, .. }
            | Self::AlterTableStorage { table, .. }
            | Self::AlterColumnStorage { table, .. }
            | Self::AlterPrimaryKey { table, .. }
            | Self::AddUnique { table, .. }
            | Self::DropUnique { table, .. }
            | Self::AddCheck { table, .. }
            | Self::DropCheck { table, .. }
            | Self::AddExclude { table, .. }
            | Self::DropExclude { table, .. }
            | Self::AddForeignKey { table, .. }
            | Self::DropForeignKey { table, .. }
            | Self::AddIndex { table, .. }
            | Self::DropIndex { table, .. }
            | Self::RebuildInvalidIndex { table, .. }
            | Self::ValidateForeignKey { table, .. }
            | Self::ValidateCheck { table, .. } => Some(table),
        }
    }

    /// Returns what it may do to rows that are there; what it does to them, only the database can say.
    #[must_use]
    pub fn risk(&self) -> Risk {
        match self {
            Self::DropTable { .. }
            | Self::DropPartition { .. }
            | Self::DropColumn { .. }
            | Self::DropEnumValue { .. }
            | Self::DropSequence { .. }
            | Self::AlterGenerated { .. } => Risk::Loses,
            Self::AlterType { from, to, .. } => match fit(from, to) {
                Fit::Wider => Risk::None,
                Fit::Narrower => Risk::Loses,
                Fit::Other => Risk::Fails,
            },
            Self::AlterNullable { to: false, .. }
            | Self::AlterTableOptions {
                to: TableOptions { strict: true, .. },
                ..
            }
            | Self::AlterPrimaryKey { to: Some(_), .. }
            | Self::AddPartition { .. }
            | Self::AttachPartition { .. }
            | Self::AlterPartition { .. }
            | Self::AddUnique { .. }
            | Self::AddCheck { .. }
            | Self::AddExclude { .. }
            | Self::AddForeignKey { .. }
            | Self::ValidateForeignKey { .. }
            | Self::ValidateCheck { .. } => Risk::Fails,
            Self::AddIndex { index, .. } if index.unique => Risk::Fails,
            Self::AddObject { object } if object.kind == ObjectKind::PartitionNotNull => Risk::Fails,
            Self::AddColumn { column, .. }
                if !column.nullable
                    && column.default.is_none()
                    && column.auto.is_none()
                    && column.generated.is_none() =>
            {
                Risk::Fails
            }
            _ => Risk::None,
        }
    }
}
