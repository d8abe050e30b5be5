//! Columns of one table.

use super::{Wanted, numbering};
use crate::autogenerate::Operation;
use crate::catalog::expression::{is_same_default, is_same_expression, is_same_type};
use crate::catalog::{Column, Dialect, Generated, Table};

pub(super) fn compare(
    dialect: Dialect,
    wanted: Wanted,
    live: &Table,
    declared: &Table,
    operations: &mut Vec<Operation>,
) {
    let table = &declared.name;
    let mut new = Vec::new();
    for column in &declared.columns {
        match live.column(&column.name) {
            Some(found) => {
                let is_key = live.is_key(&column.name) && declared.is_key(&column.name);
                let numbering = numbering::compare(wanted, table, found, column);
                compare_column(dialect, table, (found, column), numbering, is_key, operations);
            }
            None => new.push(Column {
                renamed_from: None,
                ..column.clone()
            }),
        }
    }
    // What is computed comes after what it is computed from, and goes before it.
    new.sort_by_key(|column| column.generated.is_some());
    operations.extend(new.into_iter().map(|column| Operation::AddColumn {
        table: table.clone(),
        column,
    }));
    let is_gone = |column: &&Column| declared.column(&column.name).is_none();
    let mut gone: Vec<Column> = live.columns.iter().filter(is_gone).cloned().collect();
    gone.sort_by_key(|column| column.generated.is_none());
    operations.extend(gone.into_iter().map(|column| Operation::DropColumn {
        table: table.clone(),
        column,
    }));
}

fn compare_column(
    dialect: Dialect,
    table: &str,
    (live, declared): (&Column, &Column),
    numbering: Option<Operation>,
    is_key: bool,
    operations: &mut Vec<Operation>,
) {
    if live == declared {
        return;
    }
    let (table, column) = (table.to_owned(), declared.name.clone());
    let (in_table, of_column) = (|| table.clone(), || column.clone());
    // An identity wants a type of numbers, and a column that is never NULL: it is the first to go and the last to come.
    let (goes, comes) = match numbering {
        Some(change) if declared.auto.is_none() => (Some(change), None),
        change => (None, change),
    };
    operations.extend(goes);
    if !is_same_type(dialect, &live.data_type, &declared.data_type) {
        operations.push(Operation::AlterType {
            table: in_table(),
            column: of_column(),
            from: live.data_type.clone(),
            to: declared.data_type.clone(),
        });
    }
    // SQLite allows NULL in a key unless told otherwise, which nobody means; whoever says what happens to NULL does tell.
    let is_lenient_key = dialect == Dialect::Sqlite && is_key && live.on_null == declared.on_null;
    if live.nullable != declared.nullable && !is_lenient_key {
        operations.push(Operation::AlterNullable {
            table: in_table(),
            column: of_column(),
            from: live.nullable,
            to: declared.nullable,
        });
    }
    if live.on_null != declared.on_null {
        operations.push(Operation::AlterOnNull {
            table: in_table(),
            column: of_column(),
            from: live.on_null,
            to: declared.on_null,
        });
    }
    let is_read_from_sequence =
        numbering::is_same(live, declared) && (live.auto.is_some() || declared.auto.is_some());
    let (from, to) = (live.default.as_deref(), declared.default.as_deref());
    if !is_read_from_sequence && !is_same_default(dialect, &declared.data_type, from, to) {
        operations.push(Operation::AlterDefault {
            table: in_table(),
            column: of_column(),
            from: live.default.clone(),
            to: declared.default.clone(),
        });
    }
    operations.extend(comes);
    if !is_same_generated(dialect, live.generated.as_ref(), declared.generated.as_ref()) {
        operations.push(Operation::AlterGenerated {
            table: in_table(),
            column: of_column(),
            from: live.generated.clone(),
            to: declared.generated.clone(),
        });
    }
    if !is_same_collation(dialect, live.collation.as_deref(), declared.collation.as_deref()) {
        operations.push(Operation::AlterCollation {
            table: in_table(),
            column: of_column(),
            from: live.collation.clone(),
            to: declared.collation.clone(),
        });
    }
    if dialect == Dialect::Postgresql && live.comment != declared.comment {
        operations.push(Operation::AlterComment {
            table,
            column,
            from: live.comment.clone(),
            to: declared.comment.clone(),
        });
    }
}

fn is_same_generated(dialect: Dialect, live: Option<&Generated>, declared: Option<&Generated>) -> bool {
    match (live, declared) {
        (Some(live), Some(declared)) => {
            live.stored == declared.stored && is_same_expression(dialect, &live.expr, &declared.expr)
        }
        (None, None) => true,
        _ => false,
    }
}

fn is_same_collation(dialect: Dialect, live: Option<&str>, declared: Option<&str>) -> bool {
    match (live, declared, dialect) {
        (Some(live), Some(declared), Dialect::Sqlite) => live.eq_ignore_ascii_case(declared),
        (_, _, Dialect::Postgresql) | (None, _, Dialect::Sqlite) | (_, None, Dialect::Sqlite) => {
            live == declared
        }
    }
}
