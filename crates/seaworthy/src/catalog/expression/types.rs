//! Types, and which families of them there are.

use crate::catalog::Dialect;

/// Returns a type in a form in which equal ones are equal text.
pub(super) fn canonical_type(dialect: Dialect, data_type: &str) -> String {
    let lower = data_type.to_lowercase();
    if dialect == Dialect::Postgresql {
        // Microseconds are as fine as it gets, said or not (manual, "Date/Time Types").
        return lower
            .replace("timestamp(6)", "timestamp")
            .replace("time(6)", "time");
    }
    let arguments: String = lower
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(inside, _)| format!("({})", inside.split_whitespace().collect::<String>()))
        .unwrap_or_default();
    let base = base_type(&lower);
    // SQLite has neither time zones nor types of time: all of these are one, however somebody spells them.
    let family = match base.as_str() {
        "int" => "integer",
        "character varying" => "varchar",
        "bool" => "boolean",
        "decimal" | "dec" => "numeric",
        "double precision" => "double",
        "timestamp"
        | "timestamp_text"
        | "datetime"
        | "datetime_text"
        | "timestamptz"
        | "timestamp with time zone"
        | "timestamp without time zone"
        | "timestamp_with_timezone_text" => return "timestamp".to_owned(),
        "date_text" => "date",
        "time_text" | "time without time zone" => "time",
        "uuid_text" => "uuid",
        "json_text" | "jsonb_text" | "jsonb" => "json",
        other => other,
    };
    format!("{family}{arguments}")
}

/// Returns the type without arguments, in PostgreSQL's own words.
pub(super) fn base_type(data_type: &str) -> String {
    let mut base = String::new();
    let mut depth = 0_usize;
    for letter in data_type.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => base.push(letter),
            _ => {}
        }
    }
    let base = base.split_whitespace().collect::<Vec<_>>().join(" ");
    if base == "bpchar" {
        "character".to_owned()
    } else {
        base
    }
}

/// Returns whether a type is one of PostgreSQL's for text, which have collations.
pub(crate) fn is_text(data_type: &str) -> bool {
    ["text", "character varying", "character", "bpchar"].contains(&base_type(data_type).as_str())
}

pub(super) fn is_number(data_type: &str) -> bool {
    [
        "smallint",
        "integer",
        "bigint",
        "numeric",
        "real",
        "double precision",
    ]
    .contains(&base_type(data_type).as_str())
}

/// SQLite's rule (manual, "Datatypes In SQLite", 3.1): CHAR, CLOB or TEXT in the name, and no INT.
pub(super) fn is_text_affinity(data_type: &str) -> bool {
    let upper = data_type.to_uppercase();
    !upper.contains("INT") && ["CHAR", "CLOB", "TEXT"].iter().any(|word| upper.contains(word))
}
