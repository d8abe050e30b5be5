//! SQLite: what it cannot alter is built again.

use std::collections::HashSet;

use rebuild::rebuild;

use super::{SqlError, Step, names};
use crate::autogenerate::Operation;
use crate::catalog::ddl;
use crate::catalog::expression::{is_literal, mentions, quoted};
use crate::catalog::{Catalog, Column, Dialect, ObjectKind, Table};

mod rebuild;

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
        refuse_what_reads(&catalog, operation)?;
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
                refuse_what_reads(&catalog, operation)?;
                operation.apply(&mut catalog);
                done.insert(later);
            }
        }
        written.push(match catalog.table(table) {
            Some(new) => Step::Rebuild(rebuild(&old, new, &triggers(&catalog, &old)?)),
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
        Operation::AddObject { object } => return Some(object.sql.clone()),
        Operation::DropObject { object } => format!("DROP {} {}", object.kind.sql(), quoted(&object.name)),
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

/// Returns the statements that make the triggers of a table again.
fn triggers(catalog: &Catalog, table: &Table) -> Result<Vec<String>, SqlError> {
    let unknown = |trigger: &str| SqlError::Trigger {
        table: table.name.clone(),
        trigger: trigger.to_owned(),
    };
    let mut statements = Vec::new();
    let objects = catalog.objects.iter().flatten();
    for trigger in objects.filter(|object| object.kind == ObjectKind::Trigger && object.is_on(&table.name)) {
        if trigger.sql.is_empty() {
            return Err(unknown(&trigger.name));
        }
        statements.extend_from_slice(&trigger.sql);
    }
    // A snapshot may name them with the table.
    for trigger in &table.triggers {
        if !catalog.has_trigger(&table.name, &trigger.name) {
            statements.push(trigger.sql.clone().ok_or_else(|| unknown(&trigger.name))?);
        }
    }
    Ok(statements)
}

/// What reads a column or table goes before it: SQLite would refuse, or leave behind what nobody can use.
fn refuse_what_reads(catalog: &Catalog, operation: &Operation) -> Result<(), SqlError> {
    let mut objects = catalog.objects.iter().flatten();
    let (reader, dropped) = match operation {
        Operation::DropColumn { table, column } => (
            objects.find(|object| object.reads_column(catalog, table, &column.name)),
            format!("{table}.{}", column.name),
        ),
        Operation::DropTable { table } => (
            objects.find(|object| !object.is_on(&table.name) && object.reads_table(&table.name)),
            table.name.clone(),
        ),
        _ => return Ok(()),
    };
    match reader {
        Some(object) => Err(SqlError::InTheWay {
            dropped,
            object: object.to_string(),
            kind: object.kind,
        }),
        None => Ok(()),
    }
}

fn create_index(table: &str, index: &crate::catalog::Index) -> String {
    let mut named = index.clone();
    named.name = Some(names::index(table, index));
    ddl::create_index(DIALECT, table, &named)
}
