//! How the server keeps the rows of a table and the values of its columns.

use crate::autogenerate::Operation;
use crate::catalog::Table;

pub(super) fn compare(live: &Table, declared: &Table, operations: &mut Vec<Operation>) {
    if live.storage != declared.storage {
        operations.push(Operation::AlterTableStorage {
            table: declared.name.clone(),
            from: live.storage.clone(),
            to: declared.storage.clone(),
        });
    }
    for column in &declared.columns {
        let found = live.column(&column.name);
        if let Some(found) = found.filter(|found| found.storage != column.storage) {
            operations.push(Operation::AlterColumnStorage {
                table: declared.name.clone(),
                column: column.name.clone(),
                from: found.storage.clone(),
                to: column.storage.clone(),
            });
        }
    }
}
