//! Reading the definition of a column, and what becomes of it.

use sea_orm::DbBackend;

use super::{Table, fold};
use crate::script::answers::Column;
use crate::script::reading::{Cursor, Word, span};

/// Changes a table by one action of `ALTER TABLE`; `None` where the action cannot be read.
pub(super) fn alter_column(backend: DbBackend, table: &mut Table, sql: &str, action: &[Word]) -> Option<()> {
    let mut cursor = Cursor::new(action);
    if cursor.take(&["add"]) {
        cursor.take(&["column"]);
        cursor.take(&["if", "not", "exists"]);
        if let Some(column) = column(sql, cursor.rest()) {
            table.columns.insert(fold(backend, &column.name), Some(column));
        } else if cursor.take(&["constraint"]) {
            table.constraints.insert(fold(backend, &cursor.name()?.name));
        }
    } else if cursor.take(&["drop"]) {
        if !cursor.take(&["constraint"]) {
            cursor.take(&["column"]);
            cursor.take(&["if", "exists"]);
            table.columns.insert(fold(backend, &cursor.name()?.name), None);
        }
    } else if cursor.take(&["rename"]) {
        if !cursor.take(&["constraint"]) {
            cursor.take(&["column"]);
            let old = fold(backend, &cursor.name()?.name);
            cursor.take(&["to"]);
            let name = cursor.name()?.name;
            let known = table.columns.insert(old, None).flatten();
            let column = known.map(|column| Column {
                name: name.clone(),
                ..column
            });
            let column = column.unwrap_or_else(|| of_unknown_type(&name));
            table.columns.insert(fold(backend, &name), Some(column));
        }
    } else if cursor.take(&["set", "schema"]) {
        table.is_there = false;
    }
    Some(())
}

/// Returns a column of which nothing but the name is known.
fn of_unknown_type(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        data_type: String::new(),
        is_nullable: false,
        default: None,
        is_generated: true,
        is_key: false,
    }
}

/// Where the type of a column or its default ends.
const CLAUSES: [&str; 14] = [
    "not",
    "null",
    "default",
    "primary",
    "unique",
    "references",
    "check",
    "generated",
    "collate",
    "constraint",
    "autoincrement",
    "on",
    "as",
    "deferrable",
];

/// Reads a column; `None` where something else is defined.
pub(super) fn column(sql: &str, words: &[Word]) -> Option<Column> {
    const OTHERS: [&str; 7] = [
        "constraint",
        "primary",
        "unique",
        "foreign",
        "check",
        "exclude",
        "like",
    ];
    let first = words.first().filter(|word| word.is_name())?;
    if OTHERS.iter().any(|other| first.is(other)) {
        return None;
    }
    let mut cursor = Cursor::new(words);
    let name = cursor.name()?.name;
    let data_type = cursor.until(&CLAUSES);
    let data_type = span(data_type).map_or(String::new(), |span| sql[span].to_lowercase());
    let mut column = Column {
        is_generated: data_type.contains("serial"),
        name,
        data_type,
        is_nullable: true,
        default: None,
        is_key: false,
    };
    while let Some(word) = cursor.next() {
        match word.text.as_str() {
            "not" if cursor.take(&["null"]) => column.is_nullable = false,
            "default" => {
                let default = cursor.until(&CLAUSES);
                column.default = span(default).map(|span| sql[span].to_owned());
                if default.is_empty() && cursor.take(&["null"]) {
                    column.default = Some("NULL".to_owned());
                }
            }
            "primary" => {
                column.is_key = true;
                column.is_nullable = false;
                column.is_generated |= column.data_type == "integer";
            }
            "generated" => column.is_generated = true,
            _ => {}
        }
    }
    Some(column)
}
