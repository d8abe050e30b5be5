//! Names and values as SQL text.

use super::Dialect;

/// Returns a name in double quotes, which both dialects read as a name, whatever it holds.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns a text as a string literal.
///
/// PostgreSQL reads it like this while `standard_conforming_strings` is on, as it is by default; SQLite always does.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns what says what time it is, in a form that a column of times takes.
#[must_use]
pub fn now(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgresql => "clock_timestamp()",
        Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
    }
}
