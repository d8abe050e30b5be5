//! The clauses of keys, checks and other constraints.

use super::{columns, table_name};
use crate::catalog::expression::quoted;
use crate::catalog::{Action, Check, Dialect, Exclusion, ForeignKey, KeyOptions, PrimaryKey, Table, Unique};

/// Returns whether PostgreSQL would take a unique constraint for the same as another key, were both made by one statement: it
/// makes one of those that are over the same columns (its `transformIndexConstraints`).
#[must_use]
pub fn is_repeated(dialect: Dialect, table: &Table, place: usize) -> bool {
    let columns = &table.uniques[place].columns;
    let key = table.primary_key.iter().map(|key| &key.columns);
    let mut earlier = key.chain(table.uniques[..place].iter().map(|unique| &unique.columns));
    dialect == Dialect::Postgresql && earlier.any(|other| other == columns)
}

/// Returns a primary key as a constraint of a table.
#[must_use]
pub fn primary_key_clause(key: &PrimaryKey) -> String {
    format!(
        "{}PRIMARY KEY ({}){}{}{}",
        constraint(key.name.as_deref()),
        key_parts(&key.columns, &key.options),
        key.options.on_conflict.clause(),
        including(&key.include),
        deferral(key.deferrable, key.initially_deferred)
    )
}

/// Returns a unique constraint of a table.
#[must_use]
pub fn unique_clause(unique: &Unique) -> String {
    let nulls = if unique.nulls_not_distinct {
        " NULLS NOT DISTINCT"
    } else {
        ""
    };
    format!(
        "{}UNIQUE{nulls} ({}){}{}{}",
        constraint(unique.name.as_deref()),
        key_parts(&unique.columns, &unique.options),
        unique.options.on_conflict.clause(),
        including(&unique.include),
        deferral(unique.deferrable, unique.initially_deferred)
    )
}

/// Returns a check constraint of a table.
#[must_use]
pub fn check_clause(dialect: Dialect, check: &Check) -> String {
    let inherit = if check.no_inherit && dialect == Dialect::Postgresql {
        " NO INHERIT"
    } else {
        ""
    };
    format!(
        "{}CHECK ({}){inherit}{}",
        constraint(check.name.as_deref()),
        check.expr,
        enforcement(dialect, check.enforced)
    )
}

/// Returns an exclusion constraint of a table.
#[must_use]
pub fn exclusion_clause(exclusion: &Exclusion) -> String {
    format!(
        "{}{}",
        constraint(exclusion.name.as_deref()),
        exclusion.definition
    )
}

/// Returns a foreign key as a constraint of a table, valid or not.
#[must_use]
pub fn foreign_key_clause(dialect: Dialect, key: &ForeignKey) -> String {
    let target = match dialect {
        Dialect::Postgresql => table_name(&key.ref_table),
        Dialect::Sqlite => quoted(&key.ref_table),
    };
    let mut sql = format!(
        "{}FOREIGN KEY ({}) REFERENCES {target}",
        constraint(key.name.as_deref()),
        key_columns(&key.columns, key.period)
    );
    if !key.ref_columns.is_empty() {
        sql.push_str(&format!(" ({})", key_columns(&key.ref_columns, key.period)));
    }
    if key.match_full && dialect == Dialect::Postgresql {
        sql.push_str(" MATCH FULL");
    }
    for (event, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
        if action != Action::NoAction {
            sql.push_str(&format!(" ON {event} {action}"));
        }
        if event == "DELETE" && !key.on_delete_columns.is_empty() {
            sql.push_str(&format!(" ({})", columns(&key.on_delete_columns)));
        }
    }
    sql.push_str(deferral(key.deferrable, key.initially_deferred));
    sql.push_str(enforcement(dialect, key.enforced));
    sql
}

/// Returns the columns of a foreign key, of which the last may be a period.
fn key_columns(names: &[String], period: bool) -> String {
    match names.split_last() {
        Some((last, [])) if period => format!("PERIOD {}", quoted(last)),
        Some((last, others)) if period => format!("{}, PERIOD {}", columns(others), quoted(last)),
        _ => columns(names),
    }
}

fn enforcement(dialect: Dialect, enforced: bool) -> &'static str {
    if enforced || dialect == Dialect::Sqlite {
        ""
    } else {
        " NOT ENFORCED"
    }
}

/// Returns the key of one column that is part of its clause: SQLite knows `AUTOINCREMENT` only there, and `INTEGER ... DESC`
/// is the row id in a clause of its own and not there.
pub(super) fn inline_key(dialect: Dialect, table: &Table) -> Option<&PrimaryKey> {
    let key = table.primary_key.as_ref()?;
    let [only] = key.columns.as_slice() else {
        return None;
    };
    let column = table.column(only)?;
    let is_inline = column.auto.is_some() || key.options.descends(only) && key.options.collations.is_empty();
    (dialect == Dialect::Sqlite && is_inline).then_some(key)
}

/// Returns the columns of a key with how they are compared and sorted.
fn key_parts(names: &[String], options: &KeyOptions) -> String {
    let parts = names.iter().map(|name| {
        let collation = options.collations.get(name);
        let collation = collation.map_or_else(String::new, |name| format!(" COLLATE {}", quoted(name)));
        let order = if options.descends(name) { " DESC" } else { "" };
        format!("{}{collation}{order}", quoted(name))
    });
    parts.collect::<Vec<_>>().join(", ")
}

pub(super) fn including(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!(" INCLUDE ({})", columns(names)),
    }
}

pub(super) fn with_options(options: &[String]) -> String {
    match options {
        [] => String::new(),
        options => format!(" WITH ({})", options.join(", ")),
    }
}

pub(super) fn constraint(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("CONSTRAINT {} ", quoted(name)))
}

fn deferral(deferrable: bool, initially_deferred: bool) -> &'static str {
    match (deferrable, initially_deferred) {
        (_, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, false) => "",
    }
}
