//! Tables that are on one side only.

use std::collections::{HashMap, HashSet};

use crate::autogenerate::Operation;
use crate::catalog::{Catalog, Check, Dialect, ForeignKey, Table};

/// The tables of both sides.
pub(super) struct Pairs<'a> {
    pub(super) common: Vec<(&'a Table, &'a Table)>,
    pub(super) new: Vec<&'a Table>,
    pub(super) gone: Vec<&'a Table>,
}

pub(super) fn pair<'a>(live: &'a Catalog, declared: &'a Catalog) -> Pairs<'a> {
    let mut left: HashMap<&str, &Table> = live
        .tables
        .iter()
        .map(|table| (table.name.as_str(), table))
        .collect();
    let mut pairs = Pairs {
        common: Vec::new(),
        new: Vec::new(),
        gone: Vec::new(),
    };
    for table in &declared.tables {
        match left.remove(table.name.as_str()) {
            Some(found) => pairs.common.push((found, table)),
            None => pairs.new.push(table),
        }
    }
    pairs.gone = live
        .tables
        .iter()
        .filter(|table| left.contains_key(table.name.as_str()))
        .collect();
    pairs
}

/// Adds tables, those first that others refer to. A circle is closed by foreign keys that are added afterwards.
pub(super) fn add(dialect: Dialect, pairs: &Pairs<'_>, operations: &mut Vec<Operation>) {
    let mut later = Vec::new();
    let changing = changing(operations);
    let mut made: HashMap<&str, &Table> = HashMap::new();
    let new: HashSet<&str> = pairs.new.iter().map(|table| table.name.as_str()).collect();
    for table in by_reference(&pairs.new) {
        made.insert(&table.name, table);
        let is_possible = |key: &ForeignKey| {
            let target = key.ref_table.as_str();
            let is_there = match made.get(target) {
                Some(target) => guards(target, &key.ref_columns),
                None => !new.contains(target) && !changing.contains(target),
            };
            dialect == Dialect::Sqlite || is_there && key.valid
        };
        let (at_once, afterwards): (Vec<ForeignKey>, Vec<ForeignKey>) =
            table.foreign_keys.iter().cloned().partition(is_possible);
        later.extend(
            afterwards
                .into_iter()
                .map(|foreign_key| Operation::AddForeignKey {
                    table: table.name.clone(),
                    foreign_key,
                }),
        );
        // What a new table is made with is known to be valid.
        later.extend(unproven(table).map(|check| Operation::AddCheck {
            table: table.name.clone(),
            check: check.clone(),
        }));
        operations.push(Operation::AddTable {
            table: without_indexes(table, at_once),
        });
        later.extend(table.indexes.iter().map(|index| Operation::AddIndex {
            table: table.name.clone(),
            index: index.clone(),
        }));
    }
    operations.extend(later);
}

/// Drops tables, those first that refer to others. A circle is opened by foreign keys that are dropped beforehand.
pub(super) fn drop(dialect: Dialect, pairs: &Pairs<'_>, operations: &mut Vec<Operation>) {
    let mut drops = Vec::new();
    let changing = changing(operations);
    let mut made: HashMap<&str, &Table> = HashMap::new();
    let gone: HashSet<&str> = pairs.gone.iter().map(|table| table.name.as_str()).collect();
    for table in by_reference(&pairs.gone) {
        made.insert(&table.name, table);
        operations.extend(table.indexes.iter().map(|index| Operation::DropIndex {
            table: table.name.clone(),
            index: index.clone(),
        }));
        let is_possible = |key: &ForeignKey| {
            let target = key.ref_table.as_str();
            let is_there = match made.get(target) {
                Some(target) => guards(target, &key.ref_columns),
                None => !gone.contains(target) && !changing.contains(target),
            };
            dialect == Dialect::Sqlite || is_there && key.valid
        };
        let (with_it, beforehand): (Vec<ForeignKey>, Vec<ForeignKey>) =
            table.foreign_keys.iter().cloned().partition(is_possible);
        operations.extend(
            beforehand
                .into_iter()
                .map(|foreign_key| Operation::DropForeignKey {
                    table: table.name.clone(),
                    foreign_key,
                }),
        );
        operations.extend(unproven(table).map(|check| Operation::DropCheck {
            table: table.name.clone(),
            check: check.clone(),
        }));
        drops.push(Operation::DropTable {
            table: without_indexes(table, with_it),
        });
    }
    operations.extend(drops.into_iter().rev());
}

/// Returns the tables whose keys change: what refers to them waits until they are as they will be, and goes while they are
/// as they were.
fn changing(operations: &[Operation]) -> HashSet<String> {
    let changes_key = |operation: &&Operation| match operation {
        Operation::AlterPrimaryKey { .. }
        | Operation::AlterType { .. }
        | Operation::AddUnique { .. }
        | Operation::DropUnique { .. } => true,
        Operation::AddIndex { index, .. } | Operation::DropIndex { index, .. } => index.unique,
        _ => false,
    };
    let tables = operations.iter().filter(changes_key).filter_map(Operation::table);
    tables.map(str::to_owned).collect()
}

/// Whether some columns are a key by themselves, and not only by an index that is an operation of its own.
fn guards(table: &Table, columns: &[String]) -> bool {
    let is_it =
        |key: &Vec<String>| key.len() == columns.len() && key.iter().all(|name| columns.contains(name));
    let key = table.primary_key.as_ref().map(|key| &key.columns);
    key.into_iter()
        .chain(table.uniques.iter().map(|unique| &unique.columns))
        .any(is_it)
}

fn unproven(table: &Table) -> impl Iterator<Item = &Check> {
    table.checks.iter().filter(|check| !check.valid)
}

fn without_indexes(table: &Table, foreign_keys: Vec<ForeignKey>) -> Table {
    let mut bare = Table {
        indexes: Vec::new(),
        triggers: Vec::new(),
        renamed_from: None,
        foreign_keys,
        ..table.clone()
    };
    bare.checks.retain(|check| check.valid);
    bare.columns
        .iter_mut()
        .for_each(|column| column.renamed_from = None);
    bare
}

/// Returns tables in an order in which each comes after those that it refers to, as far as that is possible.
fn by_reference<'a>(tables: &[&'a Table]) -> Vec<&'a Table> {
    let by_name: HashMap<&str, &'a Table> =
        tables.iter().map(|table| (table.name.as_str(), *table)).collect();
    let mut seen = HashSet::new();
    let mut ordered = Vec::with_capacity(tables.len());
    for table in tables {
        // Depth first without recursion: a chain of references may be as long as there are tables.
        let mut path: Vec<(&'a Table, usize)> = Vec::new();
        if seen.insert(table.name.as_str()) {
            path.push((table, 0));
        }
        while let Some((table, next)) = path.pop() {
            let keys = table.foreign_keys.iter().map(|key| &key.ref_table);
            let Some(needed) = table.inherits.iter().chain(keys).nth(next) else {
                ordered.push(table);
                continue;
            };
            path.push((table, next + 1));
            if let Some(&target) = by_name.get(needed.as_str())
                && seen.insert(target.name.as_str())
            {
                path.push((target, 0));
            }
        }
    }
    ordered
}
