//! Enum types and sequences.

use crate::autogenerate::Operation;
use crate::catalog::expression::mentions;
use crate::catalog::{Catalog, Column};

pub(super) fn compare(live: &Catalog, declared: &Catalog, operations: &mut Vec<Operation>) {
    for (name, labels) in &declared.enums {
        match live.enums.get(name) {
            Some(found) => compare_labels(name, found, labels, operations),
            None => operations.push(Operation::AddEnum {
                r#enum: name.clone(),
                values: labels.clone(),
            }),
        }
    }
    for (name, labels) in &live.enums {
        // A declaration may use a type of the database without declaring it.
        let is_used = || columns(declared).any(|column| mentions(&column.data_type, name));
        if !declared.enums.contains_key(name) && !is_used() {
            operations.push(Operation::DropEnum {
                r#enum: name.clone(),
                values: labels.clone(),
            });
        }
    }
    compare_sequences(live, declared, operations);
}

fn compare_labels(name: &str, live: &[String], declared: &[String], operations: &mut Vec<Operation>) {
    let mut labels = live.to_vec();
    for value in live.iter().filter(|label| !declared.contains(label)) {
        let place = labels.iter().position(|label| label == value);
        let Some(place) = place else { continue };
        labels.remove(place);
        operations.push(Operation::DropEnumValue {
            r#enum: name.to_owned(),
            value: value.clone(),
            before: labels.get(place).cloned(),
        });
    }
    let kept: Vec<String> = declared
        .iter()
        .filter(|label| live.contains(label))
        .cloned()
        .collect();
    if labels != kept {
        operations.push(Operation::ReorderEnum {
            r#enum: name.to_owned(),
            from: labels,
            to: kept.clone(),
        });
    }
    for (place, value) in declared
        .iter()
        .enumerate()
        .filter(|(_, label)| !live.contains(label))
    {
        let before = declared[place..].iter().find(|label| live.contains(label));
        operations.push(Operation::AddEnumValue {
            r#enum: name.to_owned(),
            value: value.clone(),
            before: before.cloned(),
        });
    }
}

fn compare_sequences(live: &Catalog, declared: &Catalog, operations: &mut Vec<Operation>) {
    for sequence in &declared.sequences {
        match live.sequences.iter().find(|other| other.name == sequence.name) {
            Some(found) if found == sequence => {}
            Some(found) => operations.push(Operation::AlterSequence {
                from: found.clone(),
                to: sequence.clone(),
            }),
            None => operations.push(Operation::AddSequence {
                sequence: sequence.clone(),
            }),
        }
    }
    for sequence in &live.sequences {
        let is_declared = declared.sequences.iter().any(|other| other.name == sequence.name);
        let reads = |column: &Column| {
            column
                .default
                .as_deref()
                .is_some_and(|sql| mentions(sql, &sequence.name))
        };
        let stays = |table: &str, column: &str| {
            declared
                .table(table)
                .is_some_and(|table| table.column(column).is_some())
        };
        let is_read = || {
            columns(declared).any(reads)
                || live.tables.iter().any(|table| {
                    table
                        .columns
                        .iter()
                        .any(|column| reads(column) && stays(&table.name, &column.name))
                })
        };
        if !is_declared && !is_read() {
            operations.push(Operation::DropSequence {
                sequence: sequence.clone(),
            });
        }
    }
}

fn columns(catalog: &Catalog) -> impl Iterator<Item = &Column> {
    catalog.tables.iter().flat_map(|table| &table.columns)
}
