//! Foreign keys that stay, and lean on a key that does not: PostgreSQL lets go of a key only when nothing refers to it.

use super::tables::Pairs;
use crate::autogenerate::Operation;

/// Drops such foreign keys before the key changes and adds them again afterwards.
pub(super) fn step_aside(pairs: &Pairs<'_>, operations: &mut Vec<Operation>) {
    let changed: Vec<(String, Vec<String>)> = operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::AlterPrimaryKey {
                table,
                from: Some(key),
                ..
            } => Some((table.clone(), sorted(&key.columns))),
            Operation::DropUnique { table, unique } => Some((table.clone(), sorted(&unique.columns))),
            Operation::DropIndex { table, index } => {
                let columns = index.as_unique_columns()?;
                let columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
                Some((table.clone(), sorted(&columns)))
            }
            _ => None,
        })
        .collect();
    if changed.is_empty() {
        return;
    }
    let mut aside = Vec::new();
    for (live, declared) in &pairs.common {
        for key in &live.foreign_keys {
            let leans = changed
                .iter()
                .any(|(table, columns)| *table == key.ref_table && *columns == sorted(&key.ref_columns));
            let drop = Operation::DropForeignKey {
                table: declared.name.clone(),
                foreign_key: key.clone(),
            };
            // What is dropped anyway, or takes a new name, is not looked at twice.
            if !leans || operations.contains(&drop) {
                continue;
            }
            let renamed = operations.iter().find_map(|operation| match operation {
                Operation::RenameConstraint { table, from, to } if *table == declared.name => {
                    (key.name.as_ref() == Some(from)).then(|| to.clone())
                }
                _ => None,
            });
            let mut key = key.clone();
            key.name = renamed.or(key.name);
            aside.push(Operation::DropForeignKey {
                table: declared.name.clone(),
                foreign_key: key.clone(),
            });
            aside.push(Operation::AddForeignKey {
                table: declared.name.clone(),
                foreign_key: key,
            });
        }
    }
    operations.append(&mut aside);
}

fn sorted(columns: &[String]) -> Vec<String> {
    let mut columns = columns.to_vec();
    columns.sort();
    columns
}
