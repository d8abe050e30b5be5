//! Columns as SeaORM's schema helpers write them.

use super::layout::{Code, call, literal, word};
use crate::catalog::expression::quoted;
use crate::catalog::{Column, Dialect, Numbering};

/// Returns a column, or nothing when the DSL cannot say all of it.
pub(super) fn column(dialect: Dialect, column: &Column) -> Option<Code> {
    let is_said = column.collation.is_none()
        && column.comment.is_none()
        && column.on_null.is_abort()
        && column.sequence.is_none()
        && column.storage.is_usual()
        && column
            .auto
            .is_none_or(|auto| is_automatic(auto) || auto == Numbering::Rowid);
    if !is_said {
        return None;
    }
    let kind = Kind::of(dialect, column);
    let mut arguments = vec![literal(&column.name)];
    arguments.extend(kind.arguments);
    let mut code = call(helper(kind.helper, column.nullable), arguments);
    if let Some(generated) = &column.generated {
        let stored = word(generated.stored.to_string());
        code = code.then("generated", [custom(&generated.expr), stored]);
    }
    if let Some(sql) = &column.default {
        code = code.then("default", [default(&column.data_type, sql)]);
    }
    if column.auto.is_some_and(is_automatic) {
        code = code.then("auto_increment", []);
    }
    Some(code)
}

/// Returns a column that may be NULL for now: its type and its collation, and nothing else.
pub(super) fn nullable(dialect: Dialect, column: &Column) -> Code {
    let kind = Kind::of(dialect, &with_collation(column));
    let name = std::iter::once(literal(&column.name));
    call(helper(kind.helper, true), name.chain(kind.arguments))
}

/// Returns the helper that [`nullable`] calls.
pub(super) fn helper_of_nullable(dialect: Dialect, column: &Column) -> &'static str {
    helper(Kind::of(dialect, &with_collation(column)).helper, true)
}

/// The DSL knows no collation; it says a type as it is written.
fn with_collation(column: &Column) -> Column {
    let mut column = column.clone();
    if let Some(collation) = &column.collation {
        column.data_type = format!("{} COLLATE {}", column.data_type, quoted(collation));
    }
    column
}

/// Returns the definition of a column that says its type and nothing else.
pub(super) fn only_type(dialect: Dialect, column: &Column) -> Code {
    let kind = Kind::of(dialect, column);
    call("ColumnDef::new", [literal(&column.name)]).then(kind.helper, kind.arguments)
}

/// Returns SQL as an expression of the DSL.
pub(super) fn custom(sql: &str) -> Code {
    call("Expr::cust", [literal(sql)])
}

/// Returns a default as a person would write it.
pub(super) fn default(data_type: &str, sql: &str) -> Code {
    let upper = sql.to_uppercase();
    if data_type.eq_ignore_ascii_case("boolean") {
        match upper.as_str() {
            "TRUE" | "1" => return word("true"),
            "FALSE" | "0" => return word("false"),
            _ => {}
        }
    }
    if upper == "CURRENT_TIMESTAMP" {
        return call("Expr::current_timestamp", []);
    }
    if sql.parse::<i32>().is_ok_and(|number| number.to_string() == sql) {
        return word(sql);
    }
    match text(sql) {
        Some(text) => literal(&text),
        None => custom(sql),
    }
}

/// Returns the text of a literal, with or without the type that PostgreSQL writes behind it.
fn text(sql: &str) -> Option<String> {
    let inside = sql.strip_prefix('\'')?;
    let mut end = 0;
    loop {
        end += inside[end..].find('\'')?;
        if !inside[end + 1..].starts_with('\'') {
            break;
        }
        end += 2;
    }
    let rest = &inside[end + 1..];
    let is_cast =
        rest.is_empty() || (rest.starts_with("::") && !rest[2..].contains("::") && !rest.contains('('));
    // The builder writes backslashes in its own way.
    let text = inside[..end].replace("''", "'");
    (is_cast && !text.contains(['\\', '\0'])).then_some(text)
}

fn is_automatic(numbering: Numbering) -> bool {
    matches!(
        numbering,
        Numbering::Any | Numbering::IdentityByDefault | Numbering::Autoincrement
    )
}

/// Returns the helper by its whole name, as it is imported.
pub(super) fn helper(helper: &'static str, nullable: bool) -> &'static str {
    HELPERS
        .iter()
        .find(|(plain, _)| *plain == helper)
        .map_or(helper, |(plain, null)| if nullable { null } else { plain })
}

/// The helpers of the migration crate's `schema` that are called: for NOT NULL, and for what may be NULL.
const HELPERS: [(&str, &str); 22] = [
    ("big_integer", "big_integer_null"),
    ("blob", "blob_null"),
    ("boolean", "boolean_null"),
    ("char_len", "char_len_null"),
    ("custom", "custom_null"),
    ("date", "date_null"),
    ("date_time", "date_time_null"),
    ("decimal", "decimal_null"),
    ("decimal_len", "decimal_len_null"),
    ("double", "double_null"),
    ("float", "float_null"),
    ("integer", "integer_null"),
    ("json", "json_null"),
    ("json_binary", "json_binary_null"),
    ("small_integer", "small_integer_null"),
    ("string", "string_null"),
    ("string_len", "string_len_null"),
    ("text", "text_null"),
    ("time", "time_null"),
    ("timestamp", "timestamp_null"),
    ("timestamp_with_time_zone", "timestamp_with_time_zone_null"),
    ("uuid", "uuid_null"),
];

/// The helper for a type, with what it is told beside the name.
pub(super) struct Kind {
    pub(super) helper: &'static str,
    arguments: Vec<Code>,
}

impl Kind {
    pub(super) fn of(dialect: Dialect, column: &Column) -> Self {
        let written = column.data_type.as_str();
        let lower = written.to_lowercase();
        let (base, arguments) = match lower.split_once('(') {
            Some((base, rest)) => (base.trim_end(), rest.strip_suffix(')')),
            None => (lower.as_str(), None),
        };
        let numbers: Option<Vec<u32>> = arguments
            .unwrap_or_default()
            .split(',')
            .filter(|number| !number.is_empty())
            .map(|number| number.trim().parse().ok())
            .collect();
        let helper = match (dialect, numbers.as_ref().map(Vec::len)) {
            (Dialect::Postgresql, Some(count)) => postgres(base, count),
            (Dialect::Sqlite, Some(count)) => sqlite(base, count),
            (_, None) => None,
        };
        match helper {
            Some(helper) => Self {
                helper,
                arguments: numbers
                    .unwrap_or_default()
                    .iter()
                    .map(|number| word(number.to_string()))
                    .collect(),
            },
            None => Self {
                helper: "custom",
                arguments: vec![literal(written)],
            },
        }
    }
}

fn postgres(base: &str, numbers: usize) -> Option<&'static str> {
    Some(match (base, numbers) {
        ("character varying", 0) => "string",
        ("character varying", 1) => "string_len",
        ("character", 1) => "char_len",
        ("text", 0) => "text",
        ("smallint", 0) => "small_integer",
        ("integer", 0) => "integer",
        ("bigint", 0) => "big_integer",
        ("real", 0) => "float",
        ("double precision", 0) => "double",
        ("numeric", 0) => "decimal",
        ("numeric", 2) => "decimal_len",
        ("boolean", 0) => "boolean",
        ("timestamp without time zone", 0) => "timestamp",
        ("timestamp with time zone", 0) => "timestamp_with_time_zone",
        ("date", 0) => "date",
        ("time without time zone", 0) => "time",
        ("bytea", 0) => "blob",
        ("json", 0) => "json",
        ("jsonb", 0) => "json_binary",
        ("uuid", 0) => "uuid",
        _ => return None,
    })
}

// `bigint` is not among them: the builder writes `integer` for it.
fn sqlite(base: &str, numbers: usize) -> Option<&'static str> {
    Some(match (base, numbers) {
        ("varchar", 0) => "string",
        ("varchar", 1) => "string_len",
        ("char", 1) => "char_len",
        ("text", 0) => "text",
        ("smallint", 0) => "small_integer",
        ("integer" | "int", 0) => "integer",
        ("float", 0) => "float",
        ("double", 0) => "double",
        ("boolean", 0) => "boolean",
        ("datetime_text", 0) => "date_time",
        ("timestamp_text", 0) => "timestamp",
        ("timestamp_with_timezone_text", 0) => "timestamp_with_time_zone",
        ("date_text", 0) => "date",
        ("time_text", 0) => "time",
        ("blob", 0) => "blob",
        ("json_text", 0) => "json",
        ("jsonb_text", 0) => "json_binary",
        ("uuid_text", 0) => "uuid",
        _ => return None,
    })
}
