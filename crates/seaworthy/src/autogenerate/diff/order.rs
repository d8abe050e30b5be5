//! An order in which operations can be done: what is in the way goes first, what others need comes next, what holds rows
//! goes last.

use crate::autogenerate::Operation;

/// When an operation is done; within a place operations stay in the order they came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    RenameTables,
    RenameColumns,
    Rename,
    DropReferences,
    DropGuards,
    DropIndexes,
    ShrinkTypes,
    Types,
    Tables,
    Columns,
    Keys,
    Guards,
    Indexes,
    References,
    Validate,
    DropColumns,
    DropTables,
    DropTypes,
}

pub(super) fn in_order(mut operations: Vec<Operation>) -> Vec<Operation> {
    operations.sort_by_key(place);
    operations
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
        Operation::AddEnum { .. }
        | Operation::AddEnumValue { .. }
        | Operation::AddSequence { .. }
        | Operation::AlterSequence { .. } => Place::Types,
        Operation::AddTable { .. } => Place::Tables,
        Operation::AddColumn { .. }
        | Operation::AlterType { .. }
        | Operation::AlterNullable { .. }
        | Operation::AlterDefault { .. }
        | Operation::AlterIdentity { .. }
        | Operation::AlterGenerated { .. }
        | Operation::AlterCollation { .. }
        | Operation::AlterComment { .. }
        | Operation::AlterTableComment { .. } => Place::Columns,
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
