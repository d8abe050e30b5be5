//! How tables and columns are stored.

use crate::catalog::expression::quoted;
use crate::catalog::{Column, ColumnStorage, TableStorage};

/// Returns the statements that have the server keep the values of a column that was just made as it is wanted.
pub(super) fn store_column(table: &str, column: &Column) -> Vec<String> {
    let mut made = column.clone();
    made.storage = ColumnStorage::default();
    alter_column_storage(table, &made, &column.storage)
}

/// Returns the statements that have the server keep the values of a column in another way, from the next write on.
#[must_use]
pub fn alter_column_storage(table: &str, column: &Column, to: &ColumnStorage) -> Vec<String> {
    let from = &column.storage;
    let alter = format!(
        "ALTER TABLE {} ALTER COLUMN {}",
        quoted(table),
        quoted(&column.name)
    );
    let set = |word: &str, value: &str| format!("{alter} SET {word} {value}");
    let usual = usual_strategy(&column.data_type);
    let strategy =
        (from.strategy != to.strategy).then(|| set("STORAGE", to.strategy.as_deref().unwrap_or(usual)));
    let compression = (from.compression != to.compression)
        .then(|| set("COMPRESSION", to.compression.as_deref().unwrap_or("DEFAULT")));
    let statistics = (from.statistics != to.statistics).then(|| {
        set(
            "STATISTICS",
            &to.statistics.unwrap_or(USUAL_STATISTICS).to_string(),
        )
    });
    strategy
        .into_iter()
        .chain(compression)
        .chain(statistics)
        .chain(alter_options(&alter, &from.options, &to.options))
        .collect()
}

/// What stands for the server's own setting.
const USUAL_STATISTICS: i32 = -1;

/// Returns where the values of a type go that are large, for which there is no word before PostgreSQL 16. Types of a fixed length,
/// which go nowhere, know no other way.
fn usual_strategy(data_type: &str) -> &'static str {
    let base = data_type.split('(').next().unwrap_or_default();
    match base {
        "numeric" | "inet" | "cidr" => "MAIN",
        _ => "EXTENDED",
    }
}

/// Returns the statements that have the server keep the rows of a table in another way.
#[must_use]
pub fn alter_table_storage(table: &str, from: &TableStorage, to: &TableStorage) -> Vec<String> {
    let alter = format!("ALTER TABLE {}", quoted(table));
    let mut statements = Vec::new();
    if from.unlogged != to.unlogged {
        let word = if to.unlogged { "UNLOGGED" } else { "LOGGED" };
        statements.push(format!("{alter} SET {word}"));
    }
    statements.extend(alter_options(&alter, &from.options, &to.options));
    statements
}

/// Returns the statements that set options that are new or have another value, and reset those that are not wanted.
fn alter_options(alter: &str, from: &[String], to: &[String]) -> Vec<String> {
    let name_of = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let set: Vec<String> = to
        .iter()
        .filter(|option| !from.contains(option))
        .cloned()
        .collect();
    let names: Vec<String> = to.iter().map(|option| name_of(option)).collect();
    let reset: Vec<String> = from
        .iter()
        .map(|option| name_of(option))
        .filter(|name| !names.contains(name))
        .collect();
    [("SET", set), ("RESET", reset)]
        .into_iter()
        .filter(|(_, options)| !options.is_empty())
        .map(|(word, options)| format!("{alter} {word} ({})", options.join(", ")))
        .collect()
}
