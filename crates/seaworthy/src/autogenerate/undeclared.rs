//! What a database has of its tables and entities need not mention: indexes, constraints, defaults, lengths. It stays, and is counted,
//! unless a target claims to be complete; written as `extra`, it is declared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::expression::mentions;
use crate::catalog::{Catalog, Check, Column, Exclusion, Index, IndexKey, Table, Unique};

pub use extras::extras;

mod extras;

/// Something that a table has and its declaration does not mention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undeclared {
    /// An index.
    Index(Index),
    /// A unique constraint.
    Unique(Unique),
    /// A check.
    Check(Check),
    /// An exclusion constraint; PostgreSQL.
    Exclusion(Exclusion),
    /// A default, where the declaration has none.
    Default {
        /// The column.
        column: String,
        /// The default as SQL.
        sql: String,
    },
    /// A length or precision, where the declaration has none.
    Length {
        /// The column.
        column: String,
        /// The type with it.
        data_type: String,
    },
}

/// Returns what the tables that both sides have hold undeclared, by table.
#[must_use]
pub fn undeclared(live: &Catalog, declared: &Catalog) -> BTreeMap<String, Vec<Undeclared>> {
    let found = declared.tables.iter().filter_map(|table| {
        let found = of_table(live.table(&table.name)?, table);
        (!found.is_empty()).then(|| (table.name.clone(), found))
    });
    found.collect()
}

/// Adds to a declaration what it does not mention; returns how many things of each kind.
pub(super) fn adopt(live: &Catalog, declared: &mut Catalog) -> BTreeMap<String, u64> {
    let mut numbers = BTreeMap::new();
    for (name, found) in undeclared(live, declared) {
        let tables = &mut declared.tables;
        let Some(table) = tables.iter_mut().find(|table| table.name == name) else {
            continue;
        };
        for one in found {
            *numbers.entry(one.kind().to_owned()).or_default() += 1;
            one.declare(table, live.table(&name));
        }
    }
    numbers
}

fn of_table(live: &Table, declared: &Table) -> Vec<Undeclared> {
    let is_there = |column: &str| declared.column(column).is_some();
    let keeps = |sql: &str| {
        let mut gone = live.columns.iter().filter(|column| !is_there(&column.name));
        !gone.any(|column| mentions(sql, &column.name))
    };
    let indexes = live
        .indexes
        .iter()
        .filter(|index| !mentions_index(declared, index) && has_all(index, &is_there, &keeps) && index.valid);
    let uniques = live.uniques.iter().filter(|unique| {
        let columns: Vec<&str> = unique.columns.iter().map(String::as_str).collect();
        !mentions_key(declared, unique.name.as_ref(), &columns)
            && columns.iter().all(|column| is_there(column))
    });
    let checks = live.checks.iter().filter(|check| {
        let is_it =
            |other: &&Check| other.name == check.name && check.name.is_some() || other.expr == check.expr;
        !check.inherited && declared.checks.iter().all(|other| !is_it(&other)) && keeps(&check.expr)
    });
    let exclusions = live
        .exclusions
        .iter()
        .filter(|exclusion| !declared.exclusions.contains(exclusion) && keeps(&exclusion.definition));
    indexes
        .cloned()
        .map(Undeclared::Index)
        .chain(uniques.cloned().map(Undeclared::Unique))
        .chain(checks.cloned().map(Undeclared::Check))
        .chain(exclusions.cloned().map(Undeclared::Exclusion))
        .chain(declared.columns.iter().flat_map(|column| {
            let found = live.column(&column.name).into_iter();
            found.flat_map(|live| of_column(live, column))
        }))
        .collect()
}

fn of_column(live: &Column, declared: &Column) -> Vec<Undeclared> {
    let column = || declared.name.clone();
    let is_same_type = live.data_type == declared.data_type || is_open(&declared.data_type, &live.data_type);
    let is_computed = live.generated.is_some() || declared.generated.is_some() || declared.auto.is_some();
    let default = live
        .default
        .clone()
        .filter(|_| declared.default.is_none() && is_same_type && !is_computed);
    let length = is_open(&declared.data_type, &live.data_type).then(|| live.data_type.clone());
    let default = default.map(|sql| Undeclared::Default {
        column: column(),
        sql,
    });
    let length = length.map(|data_type| Undeclared::Length {
        column: column(),
        data_type,
    });
    default.into_iter().chain(length).collect()
}

/// Returns whether a type that is declared without a length or precision leaves that of another open: `character varying` those
/// of `character varying(40)` and of `text`, `numeric` that of `numeric(10,2)`.
fn is_open(declared: &str, live: &str) -> bool {
    let bare = |data_type: &str| match (data_type.find('('), data_type.find(')')) {
        (Some(from), Some(to)) if from < to => {
            format!("{}{}", data_type[..from].trim_end(), &data_type[to + 1..])
        }
        _ => data_type.to_owned(),
    };
    let is_varying = |data_type: &str| ["character varying", "varchar"].contains(&data_type);
    let has_more = live.contains('(') && !declared.contains('(') && bare(live).eq_ignore_ascii_case(declared);
    has_more || is_varying(&declared.to_lowercase()) && live.eq_ignore_ascii_case("text")
}

/// Returns whether a declaration has an index of this name, or an index or constraint over the same columns, however it is made.
fn mentions_index(declared: &Table, index: &Index) -> bool {
    let columns: Option<Vec<&str>> = index.columns.iter().map(column_of).collect();
    match columns {
        Some(columns) => mentions_key(declared, index.name.as_ref(), &columns),
        None => declared.indexes.iter().any(|other| {
            is_named(other.name.as_ref(), index.name.as_ref()) || other.columns == index.columns
        }),
    }
}

fn mentions_key(declared: &Table, name: Option<&String>, columns: &[&str]) -> bool {
    let is_index = |other: &Index| {
        let others: Option<Vec<&str>> = other.columns.iter().map(column_of).collect();
        is_named(other.name.as_ref(), name) || others.is_some_and(|others| others == columns)
    };
    let is_unique = |other: &Unique| {
        is_named(other.name.as_ref(), name)
            || other
                .columns
                .iter()
                .map(String::as_str)
                .eq(columns.iter().copied())
    };
    declared.indexes.iter().any(is_index) || declared.uniques.iter().any(is_unique)
}

fn is_named(one: Option<&String>, other: Option<&String>) -> bool {
    one.is_some() && one == other
}

fn column_of(part: &crate::catalog::IndexPart) -> Option<&str> {
    match &part.key {
        IndexKey::Column(name) => Some(name),
        IndexKey::Expression(_) => None,
    }
}

/// Returns whether all that an index is made of is declared.
fn has_all(index: &Index, is_there: &impl Fn(&str) -> bool, keeps: &impl Fn(&str) -> bool) -> bool {
    let parts = index.columns.iter().all(|part| match &part.key {
        IndexKey::Column(column) => is_there(column),
        IndexKey::Expression(sql) => keeps(sql),
    });
    parts
        && index.include.iter().all(|column| is_there(column))
        && index.predicate.as_deref().is_none_or(keeps)
}

impl Undeclared {
    /// Returns the word for its kind by which it is counted.
    fn kind(&self) -> &'static str {
        match self {
            Self::Index(_) => "undeclared index",
            Self::Unique(_) => "undeclared unique constraint",
            Self::Check(_) => "undeclared check",
            Self::Exclusion(_) => "undeclared exclusion constraint",
            Self::Default { .. } => "undeclared default",
            Self::Length { .. } => "undeclared length",
        }
    }

    /// Adds it to its table, as the live one has it.
    fn declare(self, table: &mut Table, live: Option<&Table>) {
        match self {
            Self::Index(index) => table.indexes.push(index),
            Self::Unique(unique) => table.uniques.push(unique),
            Self::Check(check) => table.checks.push(check),
            Self::Exclusion(exclusion) => table.exclusions.push(exclusion),
            Self::Default { column, sql } => {
                let found = live.and_then(|live| live.column(&column));
                if let Some(declared) = table.columns.iter_mut().find(|other| other.name == column) {
                    declared.default = Some(sql);
                    if let Some(found) = found {
                        declared.printed_default.clone_from(&found.printed_default);
                    }
                }
            }
            Self::Length { column, data_type } => {
                if let Some(declared) = table.columns.iter_mut().find(|other| other.name == column) {
                    declared.data_type = data_type;
                }
            }
        }
    }
}
