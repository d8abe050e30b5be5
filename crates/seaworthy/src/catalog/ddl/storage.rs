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
    let set = |word: &str, value: &str| {
        format!(
            "ALTER TABLE {} ALTER COLUMN {} SET {word} {value}",
            quoted(table),
            quoted(&column.name)
        )
    };
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
    let name_of = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let set: Vec<String> = to
        .options
        .iter()
        .filter(|option| !from.options.contains(option))
        .cloned()
        .collect();
    let names: Vec<String> = to.options.iter().map(|option| name_of(option)).collect();
    let reset: Vec<String> = from
        .options
        .iter()
        .map(|option| name_of(option))
        .filter(|name| !names.contains(name))
        .collect();
    let mut statements = Vec::new();
    if from.unlogged != to.unlogged {
        let word = if to.unlogged { "UNLOGGED" } else { "LOGGED" };
        statements.push(format!("{alter} SET {word}"));
    }
    if !set.is_empty() {
        statements.push(format!("{alter} SET ({})", set.join(", ")));
    }
    if !reset.is_empty() {
        statements.push(format!("{alter} RESET ({})", reset.join(", ")));
    }
    statements
}
