//! SQLite: what it cannot alter is built again.

use std::collections::HashSet;

use super::{SqlError, Step, names};
use crate::autogenerate::Operation;
use crate::catalog::ddl;
use crate::catalog::expression::{is_literal, mentions, quoted};
use crate::catalog::{Catalog, Column, Dialect, Table};

const DIALECT: Dialect = Dialect::Sqlite;

pub(super) fn steps(before: &Catalog, operations: &[Operation]) -> Result<Vec<Step>, SqlError> {
    let mut catalog = before.clone();
    let mut written = Vec::new();
    let mut done = HashSet::new();
    for (place, operation) in operations.iter().enumerate() {
        if done.contains(&place) {
            written.push(Step::Along);
            continue;
        }
        if let Some(statements) = alter(&catalog, operation) {
            written.push(Step::Alone(statements));
            operation.apply(&mut catalog);
            continue;
        }
        // Whatever else is to change about the table changes with it, up to where the table itself moves on.
        let table = operation.table().unwrap_or_default();
        let Some(old) = catalog.table(table).cloned() else {
            written.push(Step::Along);
            continue;
        };
        for (later, operation) in operations.iter().enumerate().skip(place) {
            if operation.table() == Some(table) {
                if moves_on(operation) {
                    break;
                }
                operation.apply(&mut catalog);
                done.insert(later);
            }
        }
        written.push(match catalog.table(table) {
            Some(new) => Step::Rebuild(rebuild(&old, new)?),
            None => Step::Along,
        });
    }
    Ok(written)
}

fn moves_on(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::RenameTable { .. }
            | Operation::RenameColumn { .. }
            | Operation::AddTable { .. }
            | Operation::DropTable { .. }
    )
}

/// Returns the statements of an operation that SQLite knows; nothing when the table has to be built again.
fn alter(catalog: &Catalog, operation: &Operation) -> Option<Vec<String>> {
    let statement = match operation {
        Operation::RenameTable { from, to } => {
            format!("ALTER TABLE {} RENAME TO {}", quoted(from), quoted(to))
        }
        Operation::RenameColumn { table, from, to } => {
            format!(
                "ALTER TABLE {} RENAME COLUMN {} TO {}",
                quoted(table),
                quoted(from),
                quoted(to)
            )
        }
        Operation::AddTable { table } => ddl::create_table(DIALECT, table),
        Operation::DropTable { table } => format!("DROP TABLE {}", quoted(&table.name)),
        Operation::AddIndex { table, index } => create_index(table, index),
        Operation::DropIndex { table, index } => {
            format!("DROP INDEX {}", quoted(&names::index(table, index)))
        }
        Operation::AddColumn { table, column } if is_easy_to_add(column) => {
            format!(
                "ALTER TABLE {} ADD COLUMN {}",
                quoted(table),
                ddl::column_clause(DIALECT, column)
            )
        }
        Operation::DropColumn { table, column } if is_easy_to_drop(catalog.table(table)?, &column.name) => {
            format!(
                "ALTER TABLE {} DROP COLUMN {}",
                quoted(table),
                quoted(&column.name)
            )
        }
        // Nothing that SQLite has.
        Operation::AddEnum { .. }
        | Operation::DropEnum { .. }
        | Operation::AddEnumValue { .. }
        | Operation::DropEnumValue { .. }
        | Operation::ReorderEnum { .. }
        | Operation::AddSequence { .. }
        | Operation::DropSequence { .. }
        | Operation::AlterSequence { .. }
        | Operation::AlterComment { .. }
        | Operation::AlterTableComment { .. }
        | Operation::RenameIndex { .. }
        | Operation::RebuildInvalidIndex { .. }
        | Operation::ValidateCheck { .. }
        | Operation::ValidateForeignKey { .. } => return Some(Vec::new()),
        _ => return None,
    };
    Some(vec![statement])
}

/// SQLite's rules (manual, "ALTER TABLE", 5): no key, no stored computation, NOT NULL only with a default, and that constant.
fn is_easy_to_add(column: &Column) -> bool {
    let is_stored = column
        .generated
        .as_ref()
        .is_some_and(|generated| generated.stored);
    let has_constant = column.default.as_deref().is_some_and(|default| {
        is_literal(default) && !default.starts_with('(') && !default.to_lowercase().starts_with("current_")
    });
    !is_stored && column.auto.is_none() && (has_constant || (column.default.is_none() && column.nullable))
}

/// Nothing may refer to a column that goes (manual, "ALTER TABLE", 4).
fn is_easy_to_drop(table: &Table, column: &str) -> bool {
    let mut expressions = table
        .checks
        .iter()
        .map(|check| check.expr.clone())
        .chain(
            table
                .columns
                .iter()
                .filter_map(|other| Some(other.generated.as_ref()?.expr.clone())),
        )
        .chain(table.indexes.iter().map(|index| create_index(&table.name, index)));
    let mut keys = table
        .uniques
        .iter()
        .map(|unique| &unique.columns)
        .chain(table.foreign_keys.iter().map(|key| &key.columns))
        .chain(table.primary_key.iter().map(|key| &key.columns));
    !keys.any(|columns| columns.iter().any(|name| name == column))
        && !expressions.any(|sql| mentions(&sql, column))
}

/// Makes a new table beside the old one, copies the rows, and puts it in its place (manual, "ALTER TABLE", 7).
fn rebuild(old: &Table, new: &Table) -> Result<Vec<String>, SqlError> {
    let mut triggers = Vec::new();
    for trigger in &old.triggers {
        let Some(sql) = &trigger.sql else {
            return Err(SqlError::Trigger {
                table: old.name.clone(),
                trigger: trigger.name.clone(),
            });
        };
        triggers.push(sql.clone());
    }
    let beside = Table {
        name: format!("seaworthy_new_{}", new.name),
        ..new.clone()
    };
    let copied: Vec<(&Column, &Column)> = new
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
        .filter_map(|column| Some((old.column(&column.name)?, column)))
        .collect();
    let mut statements = vec![ddl::create_table(DIALECT, &beside)];
    if !copied.is_empty() {
        let names: Vec<String> = copied.iter().map(|(_, column)| quoted(&column.name)).collect();
        let values: Vec<String> = copied.iter().map(|(old, new)| value(old, new)).collect();
        statements.push(format!(
            "INSERT INTO {} ({}) SELECT {} FROM {}",
            quoted(&beside.name),
            names.join(", "),
            values.join(", "),
            quoted(&old.name)
        ));
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
    statements.append(&mut triggers);
    Ok(statements)
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

fn create_index(table: &str, index: &crate::catalog::Index) -> String {
    let mut named = index.clone();
    named.name = Some(names::index(table, index));
    ddl::create_index(DIALECT, table, &named)
}
