//! Rows that no database gave: made of values that a statement gives, or of values that are made up.

use std::collections::BTreeMap;

use sea_orm::sea_query::Value;
use sea_orm::{DbBackend, MockDatabase, MockDatabaseTrait, QueryResult, Statement};

use super::live::Asker;
use crate::script::reading::{Kind, Word};

/// What a statement gives for a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// A bound value, of the type that the code has for it.
    Bound(Value),
    /// A value whose type in the code is not known: a literal, or one that is made up.
    Untyped(Value),
    /// The column's default.
    Default,
    /// Something that only the database can compute.
    Computed,
}

impl Cell {
    /// Returns what an expression gives.
    pub(super) fn of(expression: &[Word], values: &[Value]) -> Self {
        match expression {
            [cast, open, inner @ .., close]
                if cast.is("cast") && open.is_symbol("(") && close.is_symbol(")") =>
            {
                let end = inner.iter().position(|word| word.is("as")).unwrap_or(inner.len());
                return Self::of(&inner[..end], values);
            }
            [value, cast, ..] if cast.is_symbol("::") => {
                return Self::of(std::slice::from_ref(value), values);
            }
            [sign, number] if sign.is_symbol("-") && number.kind == Kind::Number => {
                return literal(&format!("-{}", number.text)).map_or(Self::Computed, Self::Untyped);
            }
            [_] => {}
            _ => return Self::Computed,
        }
        let word = &expression[0];
        match word.kind {
            Kind::Value(index) => values.get(index).cloned().map_or(Self::Computed, Self::Bound),
            Kind::Text => Self::Untyped(word.text.clone().into()),
            Kind::Number => literal(&word.text).map_or(Self::Computed, Self::Untyped),
            _ if word.is("default") => Self::Default,
            _ if word.is("null") => Self::Untyped(Value::String(None)),
            _ if word.is("true") => Self::Untyped(true.into()),
            _ if word.is("false") => Self::Untyped(false.into()),
            _ => Self::Computed,
        }
    }

    /// Returns the value, if it is known.
    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Self::Bound(value) | Self::Untyped(value) => Some(value),
            Self::Default | Self::Computed => None,
        }
    }
}

fn literal(number: &str) -> Option<Value> {
    let whole = number.parse::<i64>().map(Value::from);
    whole.or_else(|_| number.parse::<f64>().map(Value::from)).ok()
}

/// Builds a row from cells whose values are known.
///
/// SeaORM reads a mock row only as the types that its values have, and by position in the order of the alphabet. A row of
/// SQLite is read as whatever it can be read as: it serves where the code's types are not known.
pub(super) fn build(
    backend: DbBackend,
    scratch: &Asker,
    cells: &[(String, Cell)],
) -> Result<Vec<QueryResult>, String> {
    let is_typed = cells.iter().all(|(_, cell)| matches!(cell, Cell::Bound(_)));
    let is_in_order = cells.is_sorted_by(|one, other| one.0 < other.0);
    let is_plain = cells.iter().all(|(_, cell)| cell.value().is_some_and(is_plain));
    if is_typed && (is_in_order || !is_plain) {
        return mock(backend, cells);
    }
    if let Some((name, _)) = cells
        .iter()
        .find(|(_, cell)| matches!(cell.value(), None | Some(Value::Array(..))))
    {
        return Err(format!("the value of {name} cannot be given back"));
    }
    let columns: Vec<String> = cells
        .iter()
        .map(|(name, _)| format!("? AS \"{}\"", name.replace('"', "\"\"")))
        .collect();
    let values: Vec<Value> = cells
        .iter()
        .filter_map(|(_, cell)| cell.value().cloned())
        .collect();
    let sql = format!("SELECT {}", columns.join(", "));
    scratch.ask(Statement::from_sql_and_values(DbBackend::Sqlite, sql, values))
}

fn mock(backend: DbBackend, cells: &[(String, Cell)]) -> Result<Vec<QueryResult>, String> {
    let row: BTreeMap<String, Value> = cells
        .iter()
        .filter_map(|(name, cell)| Some((name.clone(), cell.value()?.clone())))
        .collect();
    // SeaORM lets nobody else build a row.
    MockDatabase::new(backend)
        .append_query_results([[row]])
        .query(0, Statement::from_string(backend, ""))
        .map_err(|error| error.to_string())
}

/// Returns whether SQLite gives a value back as what it was.
fn is_plain(value: &Value) -> bool {
    matches!(
        value,
        Value::Bool(_)
            | Value::TinyInt(_)
            | Value::SmallInt(_)
            | Value::Int(_)
            | Value::BigInt(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::Bytes(_)
    )
}

/// Returns the answer to one of the three questions of `SchemaManager`.
pub(in crate::script) fn said(
    backend: DbBackend,
    name: &str,
    is_there: bool,
) -> Result<Vec<QueryResult>, String> {
    mock(backend, &[(name.to_owned(), Cell::Bound(is_there.into()))])
}
