//! An order in which operations can be done: what is in the way goes first, what others need comes next, what holds rows
//! goes last.

use crate::autogenerate::Operation;
use crate::catalog::Dialect;
use crate::catalog::expression::mentions;

/// When an operation is done; within a place operations stay in the order they came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    DropObjects,
    RenameTables,
    RenameColumns,
    Rename,
    DetachParts,
    FreeSequences,
    DropReferences,
    DropGuards,
    DropIndexes,
    DropDefaults,
    LeaveTypes,
    ShrinkTypes,
    Types,
    Tables,
    Disinherit,
    AddColumns,
    Columns,
    Inherit,
    Partitions,
    OwnSequences,
    Keys,
    Relax,
    Guards,
    Indexes,
    References,
    Validate,
    DropColumns,
    AttachParts,
    DropPartitions,
    DropTables,
    DropTypes,
    Objects,
}

pub(super) fn in_order(dialect: Dialect, mut operations: Vec<Operation>) -> Vec<Operation> {
    match dialect {
        Dialect::Postgresql => {
            let rebuilt = Rebuilt::of(&operations);
            operations.sort_by_key(|operation| rebuilt.place(operation));
        }
        // A table is built again with all that changes about it.
        Dialect::Sqlite => operations.sort_by_key(place),
    }
    operations
}

/// Enum types that are made anew, and the columns that are part of a key which goes.
struct Rebuilt {
    types: Vec<String>,
    keys: Vec<(String, String)>,
}

impl Rebuilt {
    fn of(operations: &[Operation]) -> Self {
        let types = operations.iter().filter_map(|operation| match operation {
            Operation::DropEnumValue { r#enum, .. } | Operation::ReorderEnum { r#enum, .. } => {
                Some(r#enum.clone())
            }
            _ => None,
        });
        let keys = operations.iter().flat_map(|operation| match operation {
            Operation::AlterPrimaryKey {
                table,
                from: Some(key),
                ..
            } => key
                .columns
                .iter()
                .map(|column| (table.clone(), column.clone()))
                .collect(),
            _ => Vec::new(),
        });
        Self {
            types: types.collect(),
            keys: keys.collect(),
        }
    }

    /// Returns when an operation is done on PostgreSQL, which does each by itself.
    fn place(&self, operation: &Operation) -> Place {
        match operation {
            Operation::AddColumn { column, .. } if column.generated.is_none() => Place::AddColumns,
            Operation::AlterDefault { to: None, .. } => Place::DropDefaults,
            Operation::AlterNullable { to: true, .. } => Place::Relax,
            Operation::AlterType { from, to, .. } if self.is_of(from) && !self.is_of(to) => Place::LeaveTypes,
            Operation::DropColumn { table, column }
                if self.is_of(&column.data_type)
                    && !self.keys.contains(&(table.clone(), column.name.clone())) =>
            {
                Place::LeaveTypes
            }
            _ => place(operation),
        }
    }

    fn is_of(&self, data_type: &str) -> bool {
        self.types.iter().any(|name| mentions(data_type, name))
    }
}

fn place(operation: &Operation) -> Place {
    match operation {
        Operation::RenameTable { .. } => Place::RenameTables,
        Operation::RenameColumn { .. } => Place::RenameColumns,
        Operation::RenameIndex { .. } | Operation::RenameConstraint { .. } => Place::Rename,
        Operation::DropForeignKey { .. } => Place::DropReferences,
        Operation::DropUnique { .. } | Operation::DropCheck { .. } | Operation::DropExclude { .. } => {
            Place::DropGuards
        }
        Operation::DropIndex { .. } => Place::DropIndexes,
        Operation::DropEnumValue { .. } | Operation::ReorderEnum { .. } => Place::ShrinkTypes,
        Operation::AlterSequence { from, to } if from.owned_by != to.owned_by => match to.owned_by {
            None => Place::FreeSequences,
            Some(_) => Place::OwnSequences,
        },
        Operation::AddEnum { .. }
        | Operation::AddEnumValue { .. }
        | Operation::AddSequence { .. }
        | Operation::AlterSequence { .. } => Place::Types,
        // Those of SQLite are around all others; those of PostgreSQL get places by what needs what, in `objects`.
        Operation::DropObject { .. } => Place::DropObjects,
        Operation::AddObject { .. } | Operation::AlterObject { .. } => Place::Objects,
        Operation::AddTable { .. } => Place::Tables,
        Operation::AddColumn { .. }
        | Operation::AlterType { .. }
        | Operation::AlterNullable { .. }
        | Operation::AlterOnNull { .. }
        | Operation::AlterDefault { .. }
        | Operation::AlterIdentity { .. }
        | Operation::AlterGenerated { .. }
        | Operation::AlterCollation { .. }
        | Operation::AlterComment { .. }
        | Operation::AlterTableStorage { .. }
        | Operation::AlterColumnStorage { .. }
        | Operation::AlterTableComment { .. }
        | Operation::AlterTableOptions { .. } => Place::Columns,
        Operation::AlterInherits { to, .. } if to.is_empty() => Place::Disinherit,
        Operation::AlterInherits { .. } => Place::Inherit,
        Operation::AddPartition { .. } | Operation::AlterPartition { .. } => Place::Partitions,
        Operation::DropPartition { .. } => Place::DropPartitions,
        Operation::AttachPartition { .. } => Place::AttachParts,
        Operation::DetachPartition { .. } => Place::DetachParts,
        Operation::AlterPrimaryKey { .. } => Place::Keys,
        Operation::AddUnique { .. } | Operation::AddCheck { .. } | Operation::AddExclude { .. } => {
            Place::Guards
        }
        Operation::AddIndex { .. } => Place::Indexes,
        Operation::AddForeignKey { .. } => Place::References,
        Operation::ValidateForeignKey { .. }
        | Operation::ValidateCheck { .. }
        | Operation::RebuildInvalidIndex { .. } => Place::Validate,
        Operation::DropColumn { .. } => Place::DropColumns,
        Operation::DropTable { .. } => Place::DropTables,
        Operation::DropSequence { .. } | Operation::DropEnum { .. } => Place::DropTypes,
    }
}
