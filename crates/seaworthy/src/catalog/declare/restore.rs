//! What an engine does not keep: that a name was left open, which numbering was meant, and foreign keys that were never
//! made. Set aside before the declared schema is made, and put back after it was read.

use crate::catalog::{Catalog, Dialect, Numbering, Table};

/// Begins the names of what is declared without one; nothing that somebody declares is called so.
const MARK: &str = "seaworthy unnamed ";

/// Returns the catalog with a name for everything, so that what comes back can be told apart.
pub(super) fn marked(declared: &Catalog) -> Catalog {
    let mut marked = declared.clone();
    let mut count = 0_usize;
    let mut mark = |name: &mut Option<String>| {
        if name.is_none() {
            count += 1;
            *name = Some(format!("{MARK}{count}"));
        }
    };
    for table in &mut marked.tables {
        table.primary_key.iter_mut().for_each(|key| mark(&mut key.name));
        table.uniques.iter_mut().for_each(|unique| mark(&mut unique.name));
        table.checks.iter_mut().for_each(|check| mark(&mut check.name));
        table
            .exclusions
            .iter_mut()
            .for_each(|exclusion| mark(&mut exclusion.name));
        table.indexes.iter_mut().for_each(|index| mark(&mut index.name));
    }
    marked
}

/// Returns what was read, with what was set aside.
pub(super) fn restore(dialect: Dialect, declared: &Catalog, marked: &Catalog, mut read: Catalog) -> Catalog {
    for table in &mut read.tables {
        if let (Some(declared), Some(marked)) = (declared.table(&table.name), marked.table(&table.name)) {
            restore_table(dialect, declared, marked, table);
        }
    }
    let keys: Vec<(String, Vec<String>)> = read
        .tables
        .iter()
        .filter_map(|table| Some((table.name.clone(), table.primary_key.as_ref()?.columns.clone())))
        .collect();
    for key in read.tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
        if key.ref_columns.is_empty()
            && let Some((_, columns)) = keys.iter().find(|(name, _)| *name == key.ref_table)
        {
            key.ref_columns.clone_from(columns);
        }
    }
    if dialect == Dialect::Postgresql {
        read.enums.clone_from(&declared.enums);
        for sequence in &mut read.sequences {
            let original = declared
                .sequences
                .iter()
                .find(|other| other.name == sequence.name);
            sequence.owned_by = original.and_then(|original| original.owned_by.clone());
        }
    }
    read.views.clone_from(&declared.views);
    read.objects.clone_from(&declared.objects);
    read.not_compared.clone_from(&declared.not_compared);
    read.is_partial = !declared.says_everything();
    read.sort();
    read
}

fn restore_table(dialect: Dialect, declared: &Table, marked: &Table, table: &mut Table) {
    for check in &mut table.checks {
        if let Some(original) = marked.checks.iter().find(|other| other.name == check.name) {
            check.valid = original.valid;
            check.inherited = original.inherited;
        }
    }
    for index in &mut table.indexes {
        if let Some(original) = marked.indexes.iter().find(|other| other.name == index.name) {
            index.valid = original.valid;
            index.options.clone_from(&original.options);
        }
    }
    table.primary_key.iter_mut().for_each(|key| unmark(&mut key.name));
    table
        .uniques
        .iter_mut()
        .for_each(|unique| unmark(&mut unique.name));
    table.checks.iter_mut().for_each(|check| unmark(&mut check.name));
    table
        .exclusions
        .iter_mut()
        .for_each(|exclusion| unmark(&mut exclusion.name));
    table.indexes.iter_mut().for_each(|index| unmark(&mut index.name));
    table.foreign_keys.clone_from(&declared.foreign_keys);
    table.triggers.clone_from(&declared.triggers);
    table.renamed_from.clone_from(&declared.renamed_from);
    table.storage.clone_from(&declared.storage);
    table.inherits.clone_from(&declared.inherits);
    table.partitions.clone_from(&declared.partitions);
    for column in &mut table.columns {
        let Some(original) = declared.column(&column.name) else {
            continue;
        };
        column.renamed_from.clone_from(&original.renamed_from);
        column.storage.clone_from(&original.storage);
        column.inherited = original.inherited;
        if original.sequence.is_none() && column.auto.is_some_and(Numbering::has_sequence) {
            // The usual name may be taken in the throw-away place.
            column.sequence = None;
        }
        // On SQLite an integer key is numbered, whether somebody says so or not.
        let is_open = match dialect {
            Dialect::Postgresql => original.auto == Some(Numbering::Any),
            Dialect::Sqlite => column.auto.is_some() && matches!(original.auto, None | Some(Numbering::Any)),
        };
        if is_open {
            column.auto = Some(Numbering::Any);
        }
    }
}

fn unmark(name: &mut Option<String>) {
    if name.as_deref().is_some_and(|name| name.starts_with(MARK)) {
        *name = None;
    }
}
