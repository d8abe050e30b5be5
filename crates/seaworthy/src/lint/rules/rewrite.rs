//! When PostgreSQL copies a table: what `table-rewrite` and `type-changed` know about columns and types.

use crate::lint::step::Step;
use crate::sql::Token;
use crate::sql::Volatility;
use crate::sql::{Column, Type};

/// Why a table is copied.
pub(super) struct Cause {
    pub(super) text: String,
    /// Whether it is copied only if what nobody knows here is so: the old type, the time zone of the session.
    pub(super) is_possible: bool,
}

impl Cause {
    pub(super) fn new(text: String) -> Self {
        Self {
            text,
            is_possible: false,
        }
    }

    /// Says why a change to a text of some length copies.
    fn of_length(column: &str) -> Self {
        Self {
            text: format!("{column} is computed anew for each row unless it was a shorter varchar"),
            is_possible: true,
        }
    }

    /// Says why a change between times with and without a zone copies.
    fn of_zone(column: &str) -> Self {
        Self {
            text: format!(
                "{column} is computed anew for each row unless the time zone of the session is UTC"
            ),
            is_possible: true,
        }
    }
}

/// Returns why adding a column copies the table, if it does.
pub(super) fn by_column(step: &Step<'_>, column: &Column) -> Option<Cause> {
    let name = &column.name;
    if column.data_type.is_serial() {
        return Some(Cause::new(format!("{name} takes a number for each row")));
    }
    if column.is_identity {
        return Some(Cause::new(format!(
            "the identity {name} is a number for each row"
        )));
    }
    if let Some(generated) = &column.generated {
        let is_kept = generated.is_stored;
        return is_kept.then(|| Cause::new(format!("{name} is computed and stored for each row")));
    }
    if step.before.is_constrained_domain(&column.data_type) {
        return Some(Cause::new(format!(
            "the domain of {name} is checked for each row"
        )));
    }
    match step.before.volatility(column.default.as_deref()?) {
        Volatility::Once => None,
        Volatility::EachRow(function) => Some(Cause::new(format!("{function}() differs for each row"))),
        Volatility::Unknown(function) => Some(Cause::new(format!(
            "{function}() is not known, so it may differ for each row"
        ))),
    }
}

/// Returns why changing a type copies the table, if it does.
pub(super) fn by_type(
    step: &Step<'_>,
    table: &str,
    column: &str,
    to: &Type,
    using: &[Token],
) -> Option<Cause> {
    let computed = || Some(Cause::new(format!("{column} is computed anew for each row")));
    if !is_plain(using, column) {
        return computed();
    }
    let by_zone = || (!step.state.is_utc).then(|| Cause::of_zone(column));
    let Some(known) = step.column(table, column) else {
        let is_text = matches!(to.name.as_str(), "text" | "varchar") && to.arguments.is_empty();
        // What becomes a time without any expression was one before, with a zone or without.
        let is_time = matches!(to.name.as_str(), "timestamp" | "timestamptz") && to.arguments.is_empty();
        let is_longer = to.name == "varchar" && !to.is_array && using.is_empty();
        return match (is_text, is_time) {
            (true, _) => None,
            (_, true) => by_zone(),
            _ if is_longer => Some(Cause::of_length(column)),
            _ => computed(),
        };
    };
    let (from, is_checked) = (
        base(step, &known.data_type),
        step.before.is_constrained_domain(to),
    );
    if is_same(&known.data_type, to) {
        return None;
    }
    let to = base(step, to);
    match (
        !is_checked && is_compatible(&from, &to, false),
        !is_checked && is_compatible(&from, &to, true),
    ) {
        (true, _) => None,
        (_, true) => by_zone(),
        _ => computed(),
    }
}

/// Returns whether an index of a column has to be built again for another type although the stored values stay the same: the operators
/// that it is ordered by are others (`CheckIndexCompatible`).
pub(super) fn has_other_operators(step: &Step<'_>, table: &str, column: &str, to: &Type) -> bool {
    let operators = |of: &Type| {
        let base = base(step, of);
        let name = match base.name.as_str() {
            "varchar" => "text",
            "cidr" => "inet",
            name => name,
        };
        name.to_owned()
    };
    let known = step.column(table, column);
    known.is_some_and(|known| operators(&known.data_type) != operators(to))
}

/// Returns whether two types are the same in all their parts.
pub(super) fn is_same(from: &Type, to: &Type) -> bool {
    let digits = |of: &Type| match (of.name.as_str(), of.arguments.as_slice()) {
        ("char", []) => vec![1],
        ("timestamp" | "timestamptz" | "time" | "timetz" | "interval", []) => vec![6],
        ("numeric", [precision]) => vec![*precision, 0],
        (_, arguments) => arguments.to_vec(),
    };
    from.name == to.name && from.is_array == to.is_array && digits(from) == digits(to)
}

/// Returns whether an expression is the column itself, with or without a cast.
fn is_plain(using: &[Token], column: &str) -> bool {
    match using {
        [] => true,
        [first] => first.text == column,
        [first, second, ..] => first.text == column && second.is_symbol("::"),
    }
}

/// Returns the type under a domain.
fn base(step: &Step<'_>, data_type: &Type) -> Type {
    let definition = step.before.type_definition(&data_type.name);
    let base = definition
        .and_then(|definition| definition.base())
        .unwrap_or(data_type);
    let name = match base.name.as_str() {
        "serial" => "integer",
        "bigserial" => "bigint",
        "smallserial" => "smallint",
        name => name,
    };
    Type {
        name: name.to_owned(),
        ..base.clone()
    }
}

/// Returns whether the stored form of every value stays the same (`pg_cast`, and the support functions of length casts).
fn is_compatible(from: &Type, to: &Type, is_utc: bool) -> bool {
    // An array of another type is written anew, whatever its elements are.
    if from.is_array != to.is_array || from.is_array && from.name != to.name {
        return false;
    }
    let grows = |unlimited: i64| {
        let length = |of: &Type| of.arguments.first().copied().unwrap_or(unlimited);
        length(to) >= length(from)
    };
    match (from.name.as_str(), to.name.as_str()) {
        ("varchar" | "text" | "citext", "text" | "citext") | ("xml", "text" | "varchar") => true,
        ("text" | "citext", "varchar") => to.arguments.is_empty(),
        ("varchar", "varchar") if from.is_array => to.arguments.is_empty(),
        ("varchar", "varchar") | ("varbit", "varbit") => grows(i64::MAX),
        ("numeric", "numeric") => match (from.arguments.as_slice(), to.arguments.as_slice()) {
            (_, []) => true,
            ([], _) => false,
            (from, to) => to[0] >= from[0] && from.get(1).unwrap_or(&0) == to.get(1).unwrap_or(&0),
        },
        ("timestamp", "timestamp") | ("timestamptz", "timestamptz") => grows(6),
        ("time", "time") | ("timetz", "timetz") | ("interval", "interval") => grows(6),
        ("timestamp", "timestamptz") | ("timestamptz", "timestamp") => is_utc && grows(6),
        ("cidr", "inet") | ("integer", "oid") | ("oid", "integer") => true,
        (from_name, to_name) => from_name == to_name && from_name != "char" && from.arguments == to.arguments,
    }
}
