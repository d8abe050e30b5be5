//! Enum types and sequences.

use crate::autogenerate::Operation;
use crate::catalog::expression::mentions;
use crate::catalog::{Catalog, Column, Sequence};

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

/// Takes defaults away that are labels which go, before these do; those that are wanted come after the labels that are new.
pub(super) fn set_defaults_aside(operations: &mut Vec<Operation>) {
    let gone: Vec<String> = operations
        .iter()
        .filter_map(|operation| match operation {
            // As it stands in SQL.
            Operation::DropEnumValue { value, .. } => Some(value.replace('\'', "''")),
            _ => None,
        })
        .collect();
    let is_gone = |sql: &str| gone.iter().any(|label| sql.contains(label.as_str()));
    let mut aside = Vec::new();
    for operation in operations.iter_mut() {
        if let Operation::AlterDefault {
            table,
            column,
            from,
            to: Some(_),
        } = operation
            && from.as_deref().is_some_and(is_gone)
        {
            aside.push(Operation::AlterDefault {
                table: table.clone(),
                column: column.clone(),
                from: from.take(),
                to: None,
            });
        }
    }
    operations.append(&mut aside);
}

fn compare_sequences(live: &Catalog, declared: &Catalog, operations: &mut Vec<Operation>) {
    for sequence in &declared.sequences {
        match live.sequences.iter().find(|other| other.name == sequence.name) {
            Some(found) => compare_sequence(found, sequence, operations),
            None => {
                let free = without_owner(sequence);
                operations.push(Operation::AddSequence {
                    sequence: free.clone(),
                });
                alter_sequence(free, sequence.clone(), operations);
            }
        }
    }
    for sequence in &live.sequences {
        let is_declared = declared.sequences.iter().any(|other| other.name == sequence.name);
        if !is_declared && !is_read(live, declared, &sequence.name) {
            let free = without_owner(sequence);
            alter_sequence(sequence.clone(), free.clone(), operations);
            operations.push(Operation::DropSequence { sequence: free });
        }
    }
}

/// Changes the owner by itself: it goes before the column does, and comes after it.
fn compare_sequence(live: &Sequence, declared: &Sequence, operations: &mut Vec<Operation>) {
    let mut now = live.clone();
    let mut become_next = |next: Sequence| {
        alter_sequence(std::mem::replace(&mut now, next.clone()), next, operations);
    };
    let keeps_owner = live.owned_by == declared.owned_by;
    if !keeps_owner {
        become_next(without_owner(live));
    }
    if !live.counts_as(declared) {
        let owned_by = live.owned_by.clone().filter(|_| keeps_owner);
        become_next(Sequence {
            owned_by,
            ..declared.clone()
        });
    }
    if !keeps_owner && declared.owned_by.is_some() {
        let owned_by = declared.owned_by.clone();
        let counting = if live.counts_as(declared) { live } else { declared };
        become_next(Sequence {
            owned_by,
            ..counting.clone()
        });
    }
}

fn alter_sequence(from: Sequence, to: Sequence, operations: &mut Vec<Operation>) {
    if from != to {
        operations.push(Operation::AlterSequence { from, to });
    }
}

fn without_owner(sequence: &Sequence) -> Sequence {
    Sequence {
        owned_by: None,
        ..sequence.clone()
    }
}

/// Returns whether a declared column reads a sequence, or one that is numbered somehow and reads it now.
fn is_read(live: &Catalog, declared: &Catalog, sequence: &str) -> bool {
    let reads = |column: &Column| {
        let default = column.default.as_deref();
        default.is_some_and(|sql| mentions(sql, sequence))
    };
    let is_numbered = |table: &str, column: &str| {
        let column = declared.table(table).and_then(|table| table.column(column));
        column.is_some_and(|column| column.auto.is_some())
    };
    columns(declared).any(reads)
        || live.tables.iter().any(|table| {
            let mut columns = table.columns.iter();
            columns.any(|column| reads(column) && is_numbered(&table.name, &column.name))
        })
}

fn columns(catalog: &Catalog) -> impl Iterator<Item = &Column> {
    catalog.tables.iter().flat_map(|table| &table.columns)
}
