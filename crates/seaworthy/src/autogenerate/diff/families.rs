//! Tables that inherit from others, and those that are divided into parts.

use std::collections::HashSet;

use super::{DiffError, Wanted};
use crate::autogenerate::Operation;
use crate::autogenerate::operation::detached;
use crate::catalog::expression::is_same_expression;
use crate::catalog::{Catalog, Dialect, Table, TablePart, ddl};

/// Has declared tables inherit as the live ones do, where the declaration says nothing about it, as that of entities never does.
pub(super) fn adopt_parents(live: &Catalog, declared: &mut Catalog) {
    let all = declared.clone();
    for table in declared
        .tables
        .iter_mut()
        .filter(|table| table.inherits.is_empty())
    {
        let Some(found) = live.table(&table.name) else {
            continue;
        };
        table.inherits.clone_from(&found.inherits);
        let parents = || found.inherits.iter().filter_map(|name| all.table(name));
        for column in &mut table.columns {
            column.inherited = parents().any(|parent| parent.column(&column.name).is_some());
        }
        for check in &mut table.checks {
            check.inherited =
                parents().any(|parent| parent.checks.iter().any(|other| other.expr == check.expr));
        }
    }
}

/// Returns the two tables as far as their own things go, where both inherit the rest from the same tables.
pub(super) fn without_inherited(live: &Table, declared: &Table) -> Option<(Table, Table)> {
    let is_heir = !live.inherits.is_empty() && live.inherits == declared.inherits;
    is_heir.then(|| {
        let is_brought = |name: &str| {
            let brought = |table: &Table| table.column(name).is_none_or(|column| column.inherited);
            brought(live) && brought(declared)
        };
        let own = |table: &Table| {
            let mut own = table.clone();
            own.columns.retain(|column| !is_brought(&column.name));
            own.checks.retain(|check| !check.inherited);
            own
        };
        (own(live), own(declared))
    })
}

/// Compares what a table inherits from and how it is divided. Who declares a table by hand may leave both to the database.
///
/// # Errors
///
/// Fails when a table is to be divided otherwise: its rows would have to move.
pub(super) fn compare(
    wanted: Wanted,
    live: &Table,
    declared: &Table,
    operations: &mut Vec<Operation>,
) -> Result<(), DiffError> {
    let is_whole = wanted == Wanted::Whole;
    if live.inherits != declared.inherits && (is_whole || !declared.inherits.is_empty()) {
        operations.push(Operation::AlterInherits {
            table: declared.name.clone(),
            from: live.inherits.clone(),
            to: declared.inherits.clone(),
        });
    }
    let is_open = !is_whole && declared.partitioned_by.is_none();
    if !is_open && !is_same_key(live.partitioned_by.as_ref(), declared.partitioned_by.as_ref()) {
        return Err(DiffError::PartitionKey {
            table: declared.name.clone(),
        });
    }
    if is_whole || !declared.partitions.is_empty() {
        compare_parts(live, declared, operations)?;
    }
    Ok(())
}

/// Makes tables parts and parts tables where both sides have one of the name, so that its rows stay.
///
/// Who declares a table by hand may name a part of a table that is divided: it is there already.
pub(super) fn move_parts(
    wanted: Wanted,
    live: &mut Catalog,
    declared: &mut Catalog,
    operations: &mut Vec<Operation>,
) {
    if wanted == Wanted::Declared {
        let is_left_open = |name: &str| {
            declared
                .table(name)
                .is_some_and(|table| table.partitioned_by.is_none())
        };
        let open = live.tables.iter().filter(|table| is_left_open(&table.name));
        let parts: HashSet<&str> = open
            .flat_map(|table| &table.partitions)
            .map(|part| part.name.as_str())
            .collect();
        declared
            .tables
            .retain(|table| !parts.contains(table.name.as_str()));
    }
    let has_part = |table: &Table, name: &str| table.partitions.iter().any(|part| part.name == name);
    let mut detached = Vec::new();
    let mut attached = Vec::new();
    for (wanted, found) in declared
        .tables
        .iter()
        .filter_map(|wanted| Some((wanted, live.table(&wanted.name)?)))
    {
        let parts = ddl::in_depth(&wanted.partitions).into_iter();
        for part in parts.filter(|part| !has_part(found, &part.name) && declared.table(&part.name).is_none())
        {
            if let Some(alone) = live
                .table(&part.name)
                .filter(|alone| has_same_columns(alone, wanted))
            {
                attached.push((wanted.name.clone(), part.clone(), like(alone, wanted, part)));
            }
        }
        let parts = found.partitions.iter();
        let parts =
            parts.filter(|part| !has_part(wanted, &part.name) && declared.table(&part.name).is_some());
        detached.extend(parts.map(|part| Operation::DetachPartition {
            table: wanted.name.clone(),
            partition: part.clone(),
        }));
    }
    detached.iter().for_each(|operation| operation.apply(live));
    operations.extend(detached);
    for (table, partition, alone) in attached {
        // What the table has and the part has not is made before, so that it can be taken away again.
        declared.tables.push(alone);
        if let Some(found) = live.tables.iter_mut().find(|found| found.name == table) {
            found.partitions.push(partition.clone());
        }
        operations.push(Operation::AttachPartition { table, partition });
    }
}

/// Returns what a table has to be to become a part: as it is, with the keys, constraints and indexes of the whole.
fn like(alone: &Table, whole: &Table, part: &TablePart) -> Table {
    let mut like = detached(whole, part);
    like.comment.clone_from(&alone.comment);
    like.storage.clone_from(&alone.storage);
    for column in &mut like.columns {
        if let Some(own) = alone.column(&column.name) {
            column.comment.clone_from(&own.comment);
            column.storage.clone_from(&own.storage);
        }
    }
    like
}

/// Whether a table can be a part of another (manual, "ALTER TABLE", `ATTACH PARTITION`).
fn has_same_columns(one: &Table, other: &Table) -> bool {
    let of = |table: &Table| {
        let columns = table.columns.iter();
        let mut columns: Vec<(String, String)> = columns
            .map(|column| (column.name.clone(), column.data_type.clone()))
            .collect();
        columns.sort();
        columns
    };
    one.partitioned_by.is_none() && of(one) == of(other)
}

fn is_same_key(one: Option<&String>, other: Option<&String>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => is_same_expression(Dialect::Postgresql, one, other),
        (None, None) => true,
        _ => false,
    }
}

fn compare_parts(live: &Table, declared: &Table, operations: &mut Vec<Operation>) -> Result<(), DiffError> {
    let table = || declared.name.clone();
    let find = |parts: &[TablePart], name: &str| parts.iter().find(|part| part.name == name).cloned();
    for part in ddl::in_depth(&declared.partitions) {
        match find(&live.partitions, &part.name) {
            Some(found) if found == *part => {}
            Some(found) if found.partitioned_by == part.partitioned_by => {
                operations.push(Operation::AlterPartition {
                    table: table(),
                    from: found,
                    to: part.clone(),
                });
            }
            Some(found) => return Err(DiffError::PartitionKey { table: found.name }),
            None => operations.push(Operation::AddPartition {
                table: table(),
                partition: part.clone(),
            }),
        }
    }
    let gone = ddl::in_depth(&live.partitions).into_iter().rev();
    let gone = gone.filter(|part| find(&declared.partitions, &part.name).is_none());
    operations.extend(gone.map(|part| Operation::DropPartition {
        table: table(),
        partition: part.clone(),
    }));
    Ok(())
}
