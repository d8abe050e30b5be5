//! How the server keeps the rows of a table and the values of its columns.

use crate::autogenerate::Operation;
use crate::catalog::expression::is_same_type;
use crate::catalog::{Column, ColumnStorage, Dialect, Table};

pub(super) fn compare(live: &Table, declared: &Table, operations: &mut Vec<Operation>) {
    if live.storage != declared.storage {
        operations.push(Operation::AlterTableStorage {
            table: declared.name.clone(),
            from: live.storage.clone(),
            to: declared.storage.clone(),
        });
    }
    for (found, column) in pairs(live, declared) {
        let to = match is_retyped(found, column) {
            true => of_its_type(&found.storage),
            false => column.storage.clone(),
        };
        alter(declared, column, (&found.storage, &to), operations);
    }
}

/// Stores columns that get another type as they are wanted: they had that of their type until then, which the server gives them anyway.
pub(super) fn restore(live: &Table, declared: &Table, operations: &mut Vec<Operation>) {
    for (found, column) in pairs(live, declared).filter(|(found, column)| is_retyped(found, column)) {
        alter(
            declared,
            column,
            (&of_its_type(&found.storage), &column.storage),
            operations,
        );
    }
}

fn pairs<'a>(live: &'a Table, declared: &'a Table) -> impl Iterator<Item = (&'a Column, &'a Column)> {
    let columns = declared.columns.iter();
    columns.filter_map(|column| Some((live.column(&column.name)?, column)))
}

/// Whether `ALTER COLUMN ... TYPE` is sent.
fn is_retyped(live: &Column, declared: &Column) -> bool {
    !is_same_type(Dialect::Postgresql, &live.data_type, &declared.data_type)
        || live.collation != declared.collation
}

/// Returns what a new type leaves of it.
fn of_its_type(storage: &ColumnStorage) -> ColumnStorage {
    ColumnStorage {
        strategy: None,
        compression: None,
        ..storage.clone()
    }
}

fn alter(
    table: &Table,
    column: &Column,
    (from, to): (&ColumnStorage, &ColumnStorage),
    operations: &mut Vec<Operation>,
) {
    if from != to {
        operations.push(Operation::AlterColumnStorage {
            table: table.name.clone(),
            column: column.name.clone(),
            from: from.clone(),
            to: to.clone(),
        });
    }
}
