//! What a database has of its tables and entities need not mention: indexes, constraints, defaults, lengths. It stays, and is counted,
//! unless a target claims to be complete; written as `extra`, it is declared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Wanted, constraints, indexes, rename, unsaid};
use crate::autogenerate::Operation;
use crate::catalog::expression::mentions;
use crate::catalog::{
    Catalog, Check, Column, Dialect, Exclusion, ForeignKey, Ignore, Index, IndexKey, Table, Unique,
};

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
    /// A foreign key.
    ForeignKey(ForeignKey),
    /// A type that says more than the declared one: a length or precision, `text` for `character varying`, `jsonb` for `json`.
    Type {
        /// The column.
        column: String,
        /// The type.
        data_type: String,
    },
}

/// Returns what the tables that both sides have hold undeclared, by table.
#[must_use]
pub fn undeclared(live: &Catalog, declared: &Catalog) -> BTreeMap<String, Vec<Undeclared>> {
    let (mut live, mut declared) = (live.clone(), declared.clone());
    live.leave_out(&Ignore::default());
    declared.leave_out(&Ignore::default());
    if live.dialect == Some(Dialect::Sqlite) {
        rename::adopt_spelling(&live, &mut declared);
    }
    unsaid::adopt(&live, &mut declared);
    between(&live, &declared)
}

/// Adds to a declaration what it does not mention; returns how many things of each kind.
pub(super) fn adopt(live: &Catalog, declared: &mut Catalog) -> BTreeMap<String, u64> {
    let mut numbers = BTreeMap::new();
    for (name, found) in between(live, declared) {
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

fn between(live: &Catalog, declared: &Catalog) -> BTreeMap<String, Vec<Undeclared>> {
    let Some(dialect) = live.dialect.or(declared.dialect) else {
        return BTreeMap::new();
    };
    let found = declared.tables.iter().filter_map(|table| {
        let found = of_table(dialect, live.table(&table.name)?, table, |other| {
            other.contains('.') || declared.table(other).is_some()
        });
        (!found.is_empty()).then(|| (table.name.clone(), found))
    });
    found.collect()
}

/// Returns what a comparison would drop and put nothing in its place.
fn of_table(
    dialect: Dialect,
    live: &Table,
    declared: &Table,
    refers: impl Fn(&str) -> bool,
) -> Vec<Undeclared> {
    let is_there = |column: &str| declared.column(column).is_some();
    let keeps = |sql: &str| {
        let mut gone = live.columns.iter().filter(|column| !is_there(&column.name));
        !gone.any(|column| mentions(sql, &column.name))
    };
    let mut operations = Vec::new();
    indexes::compare(dialect, Wanted::Declared, live, declared, &mut operations);
    constraints::compare(dialect, Wanted::Declared, live, declared, &mut operations);
    let has_other = |name: Option<&String>, columns: Option<&[&str]>| {
        operations.iter().any(|operation| match operation {
            Operation::AddIndex { index, .. } => {
                is_named(index.name.as_ref(), name) || columns.is_some() && plain(index).as_deref() == columns
            }
            Operation::AddUnique { unique, .. } => {
                let of_unique: Vec<&str> = unique.columns.iter().map(String::as_str).collect();
                is_named(unique.name.as_ref(), name) || columns == Some(&of_unique)
            }
            Operation::AddCheck { check, .. } => is_named(check.name.as_ref(), name),
            Operation::AddForeignKey { foreign_key: key, .. } => {
                let own: Vec<&str> = key.columns.iter().map(String::as_str).collect();
                is_named(key.name.as_ref(), name) || columns == Some(&own)
            }
            _ => false,
        })
    };
    let dropped = operations.iter().filter_map(|operation| match operation {
        Operation::DropIndex { index, .. } => {
            let stays = !has_other(index.name.as_ref(), plain(index).as_deref());
            (stays && index.valid && has_all(index, &is_there, &keeps))
                .then(|| Undeclared::Index(index.clone()))
        }
        Operation::DropUnique { unique, .. } => {
            let columns: Vec<&str> = unique.columns.iter().map(String::as_str).collect();
            let stays = !has_other(unique.name.as_ref(), Some(&columns));
            (stays && columns.iter().all(|column| is_there(column)))
                .then(|| Undeclared::Unique(unique.clone()))
        }
        Operation::DropCheck { check, .. } => {
            let stays = !has_other(check.name.as_ref(), None) && !check.inherited;
            (stays && keeps(&check.expr)).then(|| Undeclared::Check(check.clone()))
        }
        Operation::DropForeignKey { foreign_key: key, .. } => {
            let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
            let stays = !has_other(key.name.as_ref(), Some(&columns));
            let is_kept = stays && columns.iter().all(|column| is_there(column)) && refers(&key.ref_table);
            is_kept.then(|| Undeclared::ForeignKey(key.clone()))
        }
        _ => None,
    });
    let exclusions = live
        .exclusions
        .iter()
        .filter(|exclusion| !declared.exclusions.contains(exclusion) && keeps(&exclusion.definition));
    dropped
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
    let length = length.map(|data_type| Undeclared::Type {
        column: column(),
        data_type,
    });
    default.into_iter().chain(length).collect()
}

/// Returns whether a type that is declared without a length or precision leaves that of another open: `character varying` those
/// of `character varying(40)` and of `text`, `numeric` that of `numeric(10,2)`, `json` that of `jsonb`.
fn is_open(declared: &str, live: &str) -> bool {
    let bare = |data_type: &str| match (data_type.find('('), data_type.find(')')) {
        (Some(from), Some(to)) if from < to => {
            format!("{}{}", data_type[..from].trim_end(), &data_type[to + 1..])
        }
        _ => data_type.to_owned(),
    };
    let is_varying = |data_type: &str| ["character varying", "varchar"].contains(&data_type);
    let has_more = live.contains('(') && !declared.contains('(') && bare(live).eq_ignore_ascii_case(declared);
    has_more
        || is_varying(&declared.to_lowercase()) && live.eq_ignore_ascii_case("text")
        || declared.eq_ignore_ascii_case("json") && live.eq_ignore_ascii_case("jsonb")
}

fn is_named(one: Option<&String>, other: Option<&String>) -> bool {
    one.is_some() && one == other
}

/// Returns the columns of an index that has nothing else, in any order of sorting.
fn plain(index: &Index) -> Option<Vec<&str>> {
    let columns = index.columns.iter().map(|part| match &part.key {
        IndexKey::Column(name) => Some(name.as_str()),
        IndexKey::Expression(_) => None,
    });
    columns.collect()
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
            Self::ForeignKey(_) => "undeclared foreign key",
            Self::Type { data_type, .. } if data_type.contains('(') => "undeclared length",
            Self::Type { .. } => "undeclared type",
        }
    }

    /// Adds it to its table, as the live one has it.
    fn declare(self, table: &mut Table, live: Option<&Table>) {
        match self {
            Self::Index(index) => table.indexes.push(index),
            Self::Unique(unique) => table.uniques.push(unique),
            Self::Check(check) => table.checks.push(check),
            Self::Exclusion(exclusion) => table.exclusions.push(exclusion),
            Self::ForeignKey(key) => table.foreign_keys.push(key),
            Self::Default { column, sql } => {
                let found = live.and_then(|live| live.column(&column));
                if let Some(declared) = table.columns.iter_mut().find(|other| other.name == column) {
                    declared.default = Some(sql);
                    if let Some(found) = found {
                        declared.printed_default.clone_from(&found.printed_default);
                    }
                }
            }
            Self::Type { column, data_type } => {
                if let Some(declared) = table.columns.iter_mut().find(|other| other.name == column) {
                    declared.data_type = data_type;
                }
            }
        }
    }
}
