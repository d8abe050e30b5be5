//! Parts of a catalog as SQL: the clauses that tables are made of, and the statements that make them.
//!
//! Names that are absent are left to the engine. Nothing ends with a semicolon.

mod column;
mod constraint;
mod index;
mod sequence;
mod storage;

pub use crate::sql::literal as text;
pub use column::{column_clause, default_clause, make_column};
pub use constraint::{
    check_clause, exclusion_clause, foreign_key_clause, is_repeated, primary_key_clause, unique_clause,
};
pub use index::create_index;
pub use sequence::{
    all_counting, alter_sequence, counting, create_sequence, identity_options, next_of, own_sequence,
};
pub use storage::{alter_column_storage, alter_table_storage};

use super::expression::quoted;
use super::{Column, Dialect, Sequence, Table, TablePart};
use column::{column_of_table, inline_key_clause, sequence_beside};
use constraint::{inline_key, with_options};
use storage::store_column;

/// Returns the statements that make a table with its constraints and the sequences that number it, without its indexes and
/// comments.
#[must_use]
pub fn make_table(dialect: Dialect, table: &Table) -> Vec<String> {
    let numbered: Vec<(&Column, Sequence)> = table
        .columns
        .iter()
        .filter_map(|column| Some((column, sequence_beside(dialect, &table.name, column)?)))
        .collect();
    let mut statements: Vec<String> = numbered
        .iter()
        .map(|(_, sequence)| create_sequence(sequence))
        .collect();
    statements.push(create_table(dialect, table));
    statements.extend(
        numbered
            .iter()
            .map(|(column, sequence)| own_sequence(&sequence.name, &table.name, &column.name)),
    );
    let repeated = table
        .uniques
        .iter()
        .enumerate()
        .filter(|(place, _)| is_repeated(dialect, table, *place));
    statements.extend(repeated.map(|(_, unique)| {
        format!(
            "ALTER TABLE {} ADD {}",
            quoted(&table.name),
            unique_clause(unique)
        )
    }));
    statements.extend(
        in_depth(&table.partitions)
            .into_iter()
            .map(|part| create_part(&table.name, part)),
    );
    statements.extend(
        table
            .columns
            .iter()
            .flat_map(|column| store_column(&table.name, column)),
    );
    statements
}

/// Returns the statement that makes a table, without its indexes and comments; sequences that are not what `serial` makes are
/// expected to be there.
#[must_use]
pub fn create_table(dialect: Dialect, table: &Table) -> String {
    let inline_key = inline_key(dialect, table);
    let own_columns = table.columns.iter().filter(|column| !column.inherited);
    let mut clauses: Vec<String> = own_columns
        .map(|column| {
            let clause = column_of_table(dialect, &table.name, column);
            match inline_key.filter(|key| key.columns[0] == column.name) {
                Some(key) => format!("{clause} {}", inline_key_clause(key, column)),
                None => clause,
            }
        })
        .collect();
    if inline_key.is_none() {
        clauses.extend(table.primary_key.iter().map(primary_key_clause));
    }
    let uniques = table.uniques.iter().enumerate();
    clauses.extend(
        uniques
            .filter(|(place, _)| !is_repeated(dialect, table, *place))
            .map(|(_, unique)| unique_clause(unique)),
    );
    let own_checks = table.checks.iter().filter(|check| !check.inherited);
    clauses.extend(own_checks.map(|check| check_clause(dialect, check)));
    clauses.extend(table.exclusions.iter().map(exclusion_clause));
    clauses.extend(
        table
            .foreign_keys
            .iter()
            .map(|key| foreign_key_clause(dialect, key)),
    );
    let unlogged = if table.storage.unlogged { "UNLOGGED " } else { "" };
    let mut sql = format!(
        "CREATE {unlogged}TABLE {} ({})",
        quoted(&table.name),
        clauses.join(", ")
    );
    match dialect {
        Dialect::Postgresql => {
            if !table.inherits.is_empty() {
                let parents: Vec<String> = table.inherits.iter().map(|name| table_name(name)).collect();
                sql.push_str(&format!(" INHERITS ({})", parents.join(", ")));
            }
            if let Some(partition) = &table.partitioned_by {
                sql.push_str(&format!(" PARTITION BY {partition}"));
            }
            sql.push_str(&with_options(&table.storage.options));
        }
        Dialect::Sqlite => {
            let options = table.options().words();
            if !options.is_empty() {
                sql.push_str(&format!(" {}", options.join(", ")));
            }
        }
    }
    sql
}

/// Returns the statement that makes an enum type.
#[must_use]
pub fn create_enum(enum_name: &str, labels: &[String]) -> String {
    let labels: Vec<String> = labels.iter().map(|label| text(label)).collect();
    format!(
        "CREATE TYPE {} AS ENUM ({})",
        quoted(enum_name),
        labels.join(", ")
    )
}

/// Returns names in double quotes with commas between them.
#[must_use]
pub fn columns(names: &[String]) -> String {
    names
        .iter()
        .map(|name| quoted(name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Returns the name of a table as SQL, which may have a schema before it; PostgreSQL.
#[must_use]
pub fn table_name(name: &str) -> String {
    match name.split_once('.') {
        Some((schema, table)) => format!("{}.{}", quoted(schema), quoted(table)),
        None => quoted(name),
    }
}

/// Returns the statement that makes a part of a partitioned table.
#[must_use]
pub fn create_part(table: &str, part: &TablePart) -> String {
    let divided = part
        .partitioned_by
        .as_ref()
        .map_or_else(String::new, |partition| format!(" PARTITION BY {partition}"));
    format!(
        "CREATE TABLE {} PARTITION OF {} {}{divided}",
        quoted(&part.name),
        quoted(part.of.as_deref().unwrap_or(table)),
        part.bound
    )
}

/// Returns parts in an order in which each comes after the one that it is a part of.
pub(crate) fn in_depth(parts: &[TablePart]) -> Vec<&TablePart> {
    let mut ordered: Vec<&TablePart> = parts.iter().filter(|part| part.of.is_none()).collect();
    let mut known = 0;
    while known < ordered.len() {
        let name = &ordered[known].name;
        ordered.extend(parts.iter().filter(|part| part.of.as_ref() == Some(name)));
        known += 1;
    }
    ordered
}

/// Returns the statements that set the comments of a table and its columns; SQLite knows none.
#[must_use]
pub fn comments(dialect: Dialect, table: &Table) -> Vec<String> {
    if dialect == Dialect::Sqlite {
        return Vec::new();
    }
    let own = table
        .comment
        .iter()
        .map(|comment| table_comment(&table.name, Some(comment)));
    let columns = table.columns.iter().filter_map(|column| {
        let comment = column.comment.as_deref()?;
        Some(column_comment(&table.name, &column.name, Some(comment)))
    });
    own.chain(columns).collect()
}

/// Returns the statement that sets or removes the comment of a table.
#[must_use]
pub fn table_comment(table: &str, comment: Option<&str>) -> String {
    let comment = comment.map_or_else(|| "NULL".to_owned(), text);
    format!("COMMENT ON TABLE {} IS {comment}", quoted(table))
}

/// Returns the statement that sets or removes the comment of a column.
#[must_use]
pub fn column_comment(table: &str, column: &str, comment: Option<&str>) -> String {
    let comment = comment.map_or_else(|| "NULL".to_owned(), text);
    format!(
        "COMMENT ON COLUMN {}.{} IS {comment}",
        quoted(table),
        quoted(column)
    )
}
