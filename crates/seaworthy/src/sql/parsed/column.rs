//! Column definitions and types.

use std::ops::Range;

use super::Constraint;
use super::constraint;
use crate::sql::cursor::Cursor;
use crate::sql::token::Token;

/// A column as it is written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) data_type: Type,
    pub(crate) not_null: bool,
    pub(crate) default: Option<Vec<Token>>,
    pub(crate) is_identity: bool,
    pub(crate) generated: Option<Generated>,
    /// Checks, keys and references that it declares.
    pub(crate) constraints: Vec<Constraint>,
}

/// How a generated column is kept, and from what.
#[derive(Clone, Debug)]
pub(crate) struct Generated {
    pub(crate) is_stored: bool,
    pub(crate) expression: Vec<Token>,
}

/// A type under the one name that all its spellings share; where it stands makes it no other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Type {
    pub(crate) name: String,
    pub(crate) arguments: Vec<i64>,
    pub(crate) is_array: bool,
    /// Where it stands, in bytes of its statement.
    pub(crate) span: Range<usize>,
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.arguments, self.is_array) == (&other.name, &other.arguments, other.is_array)
    }
}

impl Eq for Type {}

impl Type {
    pub(crate) fn is_serial(&self) -> bool {
        matches!(self.name.as_str(), "serial" | "bigserial" | "smallserial")
    }
}

impl Column {
    /// Returns whether an INSERT that does not name the column gets a value other than NULL.
    pub(crate) fn has_value(&self) -> bool {
        let has_default = self.default.as_ref().is_some_and(|tokens| !is_null(tokens));
        has_default || self.is_identity || self.generated.is_some() || self.data_type.is_serial()
    }
}

/// Returns whether an expression is NULL and nothing else, with or without a cast.
pub(crate) fn is_null(tokens: &[Token]) -> bool {
    match tokens {
        [first] => first.is_word("null"),
        [first, second, ..] => first.is_word("null") && second.is_symbol("::"),
        [] => true,
    }
}

/// What may follow a name at once.
const UNTYPED: [&str; 11] = [
    "not null",
    "null",
    "default",
    "primary key",
    "unique",
    "check",
    "constraint",
    "references",
    "generated",
    "collate",
    "with options",
];

/// Reads a column definition.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Column> {
    let mut column = Column {
        name: cursor.name()?,
        ..Column::default()
    };
    // A column of a partition, of a typed table or of SQLite may have no type.
    if !UNTYPED.iter().any(|words| cursor.sees(words)) {
        column.data_type = data_type(cursor);
    }
    while !cursor.is_done() {
        let mut name = None;
        if cursor.accept("constraint") {
            name = cursor.name();
        }
        if cursor.accept("not null") {
            column.not_null = true;
        } else if cursor.accept("default") {
            column.default = Some(expression(cursor));
        } else if cursor.accept("generated") {
            generated(cursor, &mut column);
        } else if let Some(mut constraint) = constraint::read_inline(cursor, &column.name) {
            constraint.name = name;
            column.constraints.push(constraint);
        } else {
            cursor.step();
        }
    }
    Some(column)
}

fn generated(cursor: &mut Cursor<'_>, column: &mut Column) {
    cursor.accept_any(&["always", "by default"]);
    cursor.accept("as");
    if cursor.accept("identity") {
        column.is_identity = true;
        column.not_null = true;
        cursor.group();
    } else if let Some(inside) = cursor.group() {
        column.generated = Some(Generated {
            is_stored: cursor.accept("stored"),
            expression: inside.tokens().to_vec(),
        });
        cursor.accept("virtual");
    }
}

/// Reads an expression up to the next part of the definition.
fn expression(cursor: &mut Cursor<'_>) -> Vec<Token> {
    const NEXT: [&str; 10] = [
        "not null",
        "constraint",
        "check",
        "unique",
        "primary key",
        "references",
        "generated",
        "deferrable",
        "null",
        "collate",
    ];
    let mut tokens: Vec<Token> = cursor.step().cloned().into_iter().collect();
    if tokens.first().is_some_and(|token| token.is_symbol("(")) {
        // The group is read whole, so that `NOT NULL` inside of it ends nothing.
        let all = cursor.tokens();
        let mut depth = 1_usize;
        while depth > 0 && !cursor.is_done() {
            if cursor.sees_symbol("(") {
                depth += 1;
            } else if cursor.sees_symbol(")") {
                depth -= 1;
            }
            cursor.step();
        }
        tokens.extend_from_slice(&all[..all.len() - cursor.tokens().len()]);
    }
    let (value, rest) = cursor.before(&NEXT);
    *cursor = rest;
    tokens.extend_from_slice(value.tokens());
    tokens
}

/// Reads a type.
pub(crate) fn data_type(cursor: &mut Cursor<'_>) -> Type {
    const LONG: [&str; 8] = [
        "double precision",
        "character varying",
        "national character varying",
        "national character",
        "bit varying",
        "char varying",
        "national char varying",
        "national char",
    ];
    cursor.accept("setof");
    let start = *cursor;
    let long = cursor.accept_any(&LONG).map(str::to_owned);
    let mut name = long.or_else(|| cursor.qualified()).unwrap_or_default();
    if let Some(short) = name.strip_prefix("pg_catalog.") {
        name = short.to_owned();
    }
    if name == "interval" {
        let fields = ["year", "month", "day", "hour", "minute", "second", "to"];
        while cursor.accept_any(&fields).is_some() {}
    }
    let arguments = cursor.group().map_or_else(Vec::new, |inside| {
        let texts = inside.tokens().iter();
        texts.filter_map(|token| token.text.parse().ok()).collect()
    });
    if cursor.accept("with time zone") {
        name.push_str("tz");
    }
    cursor.accept("without time zone");
    let mut is_array = cursor.accept("array");
    while cursor.accept_symbol("[") {
        is_array = true;
        while !cursor.is_done() && !cursor.accept_symbol("]") {
            cursor.step();
        }
    }
    let length = start.tokens().len() - cursor.tokens().len();
    Type {
        name: canonical(&name).to_owned(),
        arguments,
        is_array,
        span: Cursor::new(&start.tokens()[..length]).span(),
    }
}

fn canonical(name: &str) -> &str {
    match name {
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "character varying" | "char varying" | "national character varying" | "national char varying" => {
            "varchar"
        }
        "character" | "bpchar" | "national character" | "national char" | "nchar" => "char",
        "decimal" | "dec" => "numeric",
        "float8" | "float" => "double precision",
        "float4" => "real",
        "bool" => "boolean",
        "bit varying" => "varbit",
        "serial4" => "serial",
        "serial8" => "bigserial",
        "serial2" => "smallserial",
        other => other,
    }
}
