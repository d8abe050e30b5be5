//! Foreign keys that stay while what they hold together does not: PostgreSQL lets go of a key only when nothing refers to it,
//! and gives a column no type that the other side cannot be compared with.

use std::collections::HashSet;

use super::tables::Pairs;
use crate::autogenerate::Operation;
use crate::catalog::{ForeignKey, Table};

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
    let retyped = Retyped::of(operations);
    let mut aside = Vec::new();
    for (live, declared) in &pairs.common {
        for key in &live.foreign_keys {
            let leans = changed
                .iter()
                .any(|(table, columns)| *table == key.ref_table && *columns == sorted(&key.ref_columns));
            let is_broken = retyped.breaks(&declared.name, key);
            let drop = Operation::DropForeignKey {
                table: declared.name.clone(),
                foreign_key: key.clone(),
            };
            // What is dropped anyway, or takes a new name, is not looked at twice.
            if !(leans || is_broken) || operations.contains(&drop) {
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
            aside.extend(come_back(declared, key, is_broken));
        }
    }
    operations.append(&mut aside);
}

/// Adds a foreign key again. Where the types have changed all rows are looked at, which is done without the lock that adding
/// takes; a partitioned table knows no key that is not valid (manual, "ALTER TABLE").
fn come_back(table: &Table, mut key: ForeignKey, is_retyped: bool) -> Vec<Operation> {
    let is_checked_later = is_retyped && key.valid && key.enforced && table.partitioned_by.is_none();
    let validate = Operation::ValidateForeignKey {
        table: table.name.clone(),
        name: key.name.clone(),
    };
    key.valid &= !is_checked_later;
    let add = Operation::AddForeignKey {
        table: table.name.clone(),
        foreign_key: key,
    };
    match is_checked_later {
        true => vec![add, validate],
        false => vec![add],
    }
}

/// Columns that become values which those before cannot be compared with.
struct Retyped {
    columns: HashSet<(String, String)>,
}

impl Retyped {
    fn of(operations: &[Operation]) -> Self {
        let altered = operations.iter().filter_map(|operation| match operation {
            Operation::AlterType {
                table,
                column,
                from,
                to,
            } if !is_comparable(from, to) => Some((table.clone(), column.clone())),
            _ => None,
        });
        Self {
            columns: altered.collect(),
        }
    }

    fn breaks(&self, table: &str, key: &ForeignKey) -> bool {
        let is_retyped =
            |table: &str, column: &String| self.columns.contains(&(table.to_owned(), column.clone()));
        key.columns.iter().any(|column| is_retyped(table, column))
            || key
                .ref_columns
                .iter()
                .any(|column| is_retyped(&key.ref_table, column))
    }
}

/// Returns whether PostgreSQL compares values of both types in one index: then a foreign key stays while one side changes
/// before the other.
fn is_comparable(one: &str, other: &str) -> bool {
    let base = |data_type: &str| data_type.split('(').next().unwrap_or_default().trim().to_owned();
    let families: [&[&str]; 3] = [
        &["smallint", "integer", "bigint"],
        &["text", "character varying"],
        &["real", "double precision"],
    ];
    let (one, other) = (base(one), base(other));
    let is_of_family = |family: &&[&str]| family.contains(&one.as_str()) && family.contains(&other.as_str());
    one == other || families.iter().any(is_of_family)
}

fn sorted(columns: &[String]) -> Vec<String> {
    let mut columns = columns.to_vec();
    columns.sort();
    columns
}
