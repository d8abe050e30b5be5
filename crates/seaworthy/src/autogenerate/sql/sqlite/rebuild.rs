//! A table that is built again: a new one beside the old, with its rows and its numbers, in its place.
//!
//! What the old one had comes back: indexes, triggers, how far `AUTOINCREMENT` has counted, row ids that no column shows.

use super::{DIALECT, create_index};
use crate::catalog::expression::quoted;
use crate::catalog::{Column, Numbering, Table, ddl};

/// Names of the row id, of which a table has those that none of its columns has (manual, "Rowid Tables").
const ROWIDS: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// Returns the statements that make one table of another and keep its rows (manual, "ALTER TABLE", 7).
pub(super) fn rebuild(old: &Table, new: &Table, triggers: &[String]) -> Vec<String> {
    let beside = Table {
        name: format!("seaworthy_new_{}", new.name),
        ..new.clone()
    };
    let mut statements = vec![ddl::create_table(DIALECT, &beside)];
    statements.extend(copy_rows(old, &beside));
    if counts(old) && counts(&beside) {
        statements.extend(copy_count(&old.name, &beside.name));
    }
    statements.push(format!("DROP TABLE {}", quoted(&old.name)));
    // Otherwise SQLite refuses the new name while a view speaks of a table that is not there.
    statements.push("PRAGMA legacy_alter_table = ON".to_owned());
    statements.push(format!(
        "ALTER TABLE {} RENAME TO {}",
        quoted(&beside.name),
        quoted(&new.name)
    ));
    statements.push("PRAGMA legacy_alter_table = OFF".to_owned());
    statements.extend(new.indexes.iter().map(|index| create_index(&new.name, index)));
    // They went with the old table.
    statements.extend_from_slice(triggers);
    statements
}

fn copy_rows(old: &Table, beside: &Table) -> Option<String> {
    let copied: Vec<(&Column, &Column)> = beside
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
        .filter_map(|column| Some((old.column(&column.name)?, column)))
        .collect();
    if copied.is_empty() {
        return None;
    }
    let mut names: Vec<String> = copied.iter().map(|(_, column)| quoted(&column.name)).collect();
    let mut values: Vec<String> = copied.iter().map(|(old, new)| value(old, new)).collect();
    if let (Some(from), Some(to)) = (hidden_rowid(old), hidden_rowid(beside)) {
        names.insert(0, to.to_owned());
        values.insert(0, from.to_owned());
    }
    Some(format!(
        "INSERT{} INTO {} ({}) SELECT {} FROM {}",
        if skips_rows(beside) { " OR ABORT" } else { "" },
        quoted(&beside.name),
        names.join(", "),
        values.join(", "),
        quoted(&old.name)
    ))
}

/// Returns what a column holds in the new table: its default where a NULL can no longer be.
fn value(old: &Column, new: &Column) -> String {
    match &new.default {
        Some(default) if old.nullable && !new.nullable => {
            format!("coalesce({}, {default})", quoted(&old.name))
        }
        _ => quoted(&old.name),
    }
}

/// Returns a name of the row id where no column is one; others may keep it: a full-text index of these rows does.
fn hidden_rowid(table: &Table) -> Option<&'static str> {
    let is_shown = table.without_rowid || table.columns.iter().any(|column| column.auto.is_some());
    let is_taken = |name: &str| {
        let mut columns = table.columns.iter();
        columns.any(|column| column.name.eq_ignore_ascii_case(name))
    };
    let free = ROWIDS.into_iter().find(|name| !is_taken(name));
    free.filter(|_| !is_shown)
}

/// Whether a constraint would drop rows in silence where the copy has to fail.
fn skips_rows(table: &Table) -> bool {
    let keys = table.primary_key.iter().map(|key| &key.options);
    let uniques = table.uniques.iter().map(|unique| &unique.options);
    keys.chain(uniques).any(|options| !options.on_conflict.is_abort())
        || table.columns.iter().any(|column| !column.on_null.is_abort())
}

fn counts(table: &Table) -> bool {
    let is_it = |column: &Column| matches!(column.auto, Some(Numbering::Autoincrement | Numbering::Any));
    table.columns.iter().any(is_it)
}

/// A number that was used once is not used again, even when its row is gone.
fn copy_count(old: &str, beside: &str) -> [String; 2] {
    let (old, beside) = (ddl::text(old), ddl::text(beside));
    [
        format!("DELETE FROM sqlite_sequence WHERE name = {beside}"),
        format!(
            "INSERT INTO sqlite_sequence (name, seq) SELECT {beside}, seq FROM sqlite_sequence WHERE name = {old}"
        ),
    ]
}
