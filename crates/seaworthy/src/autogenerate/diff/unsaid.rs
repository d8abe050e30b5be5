//! What a declaration leaves unsaid: entities have no words for what only SQLite knows, so it stays as it is.

use crate::catalog::{Catalog, Column, Index, KeyOptions, Table};

/// Adds to a declaration what the live side says and it cannot.
pub(super) fn adopt(live: &Catalog, declared: &mut Catalog) {
    for table in &mut declared.tables {
        if let Some(found) = live.table(&table.name) {
            adopt_table(found, table);
        }
    }
}

fn adopt_table(live: &Table, declared: &mut Table) {
    declared.strict |= live.strict;
    declared.without_rowid |= live.without_rowid;
    if let (Some(found), Some(key)) = (&live.primary_key, &mut declared.primary_key) {
        adopt_options((&found.columns, &found.options), (&key.columns, &mut key.options));
    }
    for unique in &mut declared.uniques {
        let mut uniques = live.uniques.iter();
        if let Some(found) = uniques.find(|found| found.columns == unique.columns) {
            adopt_options(
                (&found.columns, &found.options),
                (&unique.columns, &mut unique.options),
            );
        }
    }
    adopt_uniques(live, declared);
    for column in &mut declared.columns {
        adopt_column(live.column(&column.name), column);
    }
}

/// A unique index is how entities declare what a constraint with options does.
fn adopt_uniques(live: &Table, declared: &mut Table) {
    let with_options = live.uniques.iter().filter(|unique| !unique.options.is_plain());
    for unique in with_options {
        let is_it = |index: &Index| {
            let columns = index.as_unique_columns();
            columns.is_some_and(|columns| columns.iter().eq(unique.columns.iter()))
        };
        if let Some(place) = declared.indexes.iter().position(is_it) {
            declared.indexes.remove(place);
            declared.uniques.push(unique.clone());
        }
    }
}

fn adopt_options(
    (columns, options): (&[String], &KeyOptions),
    (declared_columns, declared): (&[String], &mut KeyOptions),
) {
    if declared.is_plain() && columns == declared_columns {
        declared.clone_from(options);
    }
}

fn adopt_column(live: Option<&Column>, declared: &mut Column) {
    if let Some(live) = live
        && declared.on_null.is_abort()
        && !declared.nullable
    {
        declared.on_null = live.on_null;
    }
}
