//! Whether a declared catalog makes sense, as far as that can be told without a database.

use std::collections::{BTreeSet, HashSet};

use super::DeclareError;
use crate::catalog::expression::is_self_contained;
use crate::catalog::{Catalog, Dialect, IndexKey, Table};
use crate::sql::LONGEST_NAME;

/// Refuses a catalog that contradicts itself.
pub(super) fn check(dialect: Dialect, catalog: &Catalog) -> Result<(), DeclareError> {
    let mut names = HashSet::new();
    for table in &catalog.tables {
        if !names.insert(folded(dialect, &table.name)) {
            return Err(twice(format!("the table {}", table.name)));
        }
        check_table(dialect, table)?;
    }
    for sequence in &catalog.sequences {
        if !names.insert(folded(dialect, &sequence.name)) {
            return Err(twice(format!("the sequence {}", sequence.name)));
        }
        if let Some(data_type) = &sequence.data_type {
            text(dialect, &format!("the sequence {}", sequence.name), data_type)?;
        }
    }
    for (name, labels) in &catalog.enums {
        let distinct: BTreeSet<&String> = labels.iter().collect();
        if distinct.len() < labels.len() {
            return Err(twice(format!("a label of the enum {name}")));
        }
    }
    Ok(())
}

fn check_table(dialect: Dialect, table: &Table) -> Result<(), DeclareError> {
    let mut columns = HashSet::new();
    for column in &table.columns {
        let subject = format!("the column {}.{}", table.name, column.name);
        if !columns.insert(folded(dialect, &column.name)) {
            return Err(twice(subject));
        }
        // SQLite knows columns without a type.
        if !(column.data_type.is_empty() && dialect == Dialect::Sqlite) {
            text(dialect, &subject, &column.data_type)?;
        }
        let expressions = column
            .default
            .iter()
            .chain(column.generated.iter().map(|generated| &generated.expr));
        for sql in expressions {
            text(dialect, &subject, sql)?;
        }
    }
    let known = |subject: &str, name: &String| {
        if columns.contains(&folded(dialect, name)) {
            return Ok(());
        }
        Err(DeclareError::Unknown {
            subject: format!("{subject} of {}", table.name),
            name: name.clone(),
        })
    };
    for name in table.primary_key.iter().flat_map(|key| &key.columns) {
        known("the primary key", name)?;
    }
    for name in table.uniques.iter().flat_map(|unique| &unique.columns) {
        known("a unique constraint", name)?;
    }
    for name in table.foreign_keys.iter().flat_map(|key| &key.columns) {
        known("a foreign key", name)?;
    }
    for index in &table.indexes {
        let subject = format!("an index of {}", table.name);
        if let Some(sql) = &index.predicate {
            text(dialect, &subject, sql)?;
        }
        for part in &index.columns {
            match &part.key {
                IndexKey::Column(name) => known("an index", name)?,
                IndexKey::Expression(sql) => text(dialect, &subject, sql)?,
            }
        }
    }
    for check in &table.checks {
        text(dialect, &format!("a check of {}", table.name), &check.expr)?;
    }
    for exclusion in &table.exclusions {
        text(
            dialect,
            &format!("an exclusion of {}", table.name),
            &exclusion.definition,
        )?;
    }
    if let Some(partition) = &table.partitioned_by {
        text(
            dialect,
            &format!("the partition key of {}", table.name),
            partition,
        )?;
    }
    Ok(())
}

/// Cuts names off where PostgreSQL does; SQLite takes names of any length.
pub(super) fn cut_names(dialect: Dialect, catalog: &mut Catalog) {
    if dialect == Dialect::Sqlite {
        return;
    }
    for table in &mut catalog.tables {
        names_of(table).for_each(cut);
        let references = table.foreign_keys.iter_mut();
        references.for_each(|key| cut_table(&mut key.ref_table));
    }
    catalog
        .sequences
        .iter_mut()
        .for_each(|sequence| cut(&mut sequence.name));
    let enums = std::mem::take(&mut catalog.enums);
    catalog.enums = enums
        .into_iter()
        .map(|(mut name, labels)| {
            cut(&mut name);
            (name, labels)
        })
        .collect();
}

/// Cuts a name off where PostgreSQL does: between two letters.
pub(super) fn cut(name: &mut String) {
    name.truncate(name.floor_char_boundary(LONGEST_NAME));
}

/// Cuts the name of a table off, which may have a schema before it.
pub(super) fn cut_table(table: &mut String) {
    let mut parts: Vec<String> = table.split('.').map(str::to_owned).collect();
    parts.iter_mut().for_each(cut);
    *table = parts.join(".");
}

fn names_of(table: &mut Table) -> impl Iterator<Item = &mut String> {
    let keys = table.primary_key.iter_mut();
    let keys = keys.flat_map(|key| key.name.iter_mut().chain(&mut key.columns));
    let uniques = table.uniques.iter_mut();
    let uniques = uniques.flat_map(|unique| unique.name.iter_mut().chain(&mut unique.columns));
    let checks = table.checks.iter_mut().filter_map(|check| check.name.as_mut());
    let references = table.foreign_keys.iter_mut().flat_map(|key| {
        let columns = key.columns.iter_mut().chain(&mut key.ref_columns);
        key.name.iter_mut().chain(columns)
    });
    let indexes = table.indexes.iter_mut().flat_map(|index| {
        let columns = index.columns.iter_mut().filter_map(|part| match &mut part.key {
            IndexKey::Column(name) => Some(name),
            IndexKey::Expression(_) => None,
        });
        index.name.iter_mut().chain(columns)
    });
    let columns = table.columns.iter_mut().map(|column| &mut column.name);
    [&mut table.name]
        .into_iter()
        .chain(columns)
        .chain(keys)
        .chain(uniques)
        .chain(checks)
        .chain(references)
        .chain(indexes)
}

/// SQLite's names are the same in upper and lower case.
fn folded(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Postgresql => name.to_owned(),
        Dialect::Sqlite => name.to_lowercase(),
    }
}

fn text(dialect: Dialect, subject: &str, sql: &str) -> Result<(), DeclareError> {
    if is_self_contained(dialect, sql) {
        return Ok(());
    }
    Err(DeclareError::NotAnExpression {
        subject: subject.to_owned(),
        sql: sql.to_owned(),
    })
}

fn twice(subject: String) -> DeclareError {
    DeclareError::Twice { subject }
}
