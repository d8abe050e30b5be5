//! Names and values as SQL text.

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
