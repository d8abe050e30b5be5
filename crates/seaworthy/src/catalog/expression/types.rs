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
        "character" => "char",
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
pub(in crate::catalog) fn base_type(data_type: &str) -> String {
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

/// What happens to values when a column gets another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Each fits as it is, and the database knows how without being told.
    Wider,
    /// The type is one of the same kind that holds less: digits are rounded off, or what is too long is refused.
    Narrower,
    /// It is a type of another kind, which may be unable to hold a value.
    Other,
}

/// Returns what happens to values when a column of one type gets another one.
pub(crate) fn fit(from: &str, to: &str) -> Fit {
    let (from, to) = (Shape::of(from), Shape::of(to));
    let is_wider = match (from.kind, to.kind) {
        (Kind::Text, Kind::Text) => to
            .first
            .is_none_or(|to| from.first.is_some_and(|from| from <= to)),
        (Kind::Integer(from), Kind::Integer(to)) => from <= to,
        (Kind::Integer(_), Kind::Numeric) => to.first.is_none(),
        (Kind::Float(from), Kind::Float(to)) => from <= to,
        (Kind::Numeric, Kind::Numeric) => match (from.first, to.first) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(digits), Some(more)) => {
                let (scale, larger) = (from.second.unwrap_or(0), to.second.unwrap_or(0));
                scale <= larger && digits + larger <= more + scale
            }
        },
        (Kind::Time(from_kind), Kind::Time(to_kind)) if from_kind == to_kind => to
            .first
            .is_none_or(|to| from.first.is_some_and(|from| from <= to)),
        _ => false,
    };
    let is_number = |kind| matches!(kind, Kind::Integer(_) | Kind::Float(_) | Kind::Numeric);
    let is_one_kind = (is_number(from.kind) && is_number(to.kind))
        || matches!(
            (from.kind, to.kind),
            (Kind::Text, Kind::Text) | (Kind::Time(_), Kind::Time(_) | Kind::Date)
        );
    match (is_wider, is_one_kind) {
        (true, _) => Fit::Wider,
        (false, true) => Fit::Narrower,
        (false, false) => Fit::Other,
    }
}

/// A type as far as it matters for what fits into it.
struct Shape {
    kind: Kind,
    first: Option<u32>,
    second: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer(u8),
    Float(u8),
    Numeric,
    Time(Zone),
    Date,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    With,
    Without,
    OfDay,
}

impl Shape {
    fn of(data_type: &str) -> Self {
        let lower = data_type.to_lowercase();
        let inside = lower.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        let mut numbers = inside
            .map_or("", |(numbers, _)| numbers)
            .split(',')
            .map(|number| number.trim().parse().ok());
        let kind = match base_type(&lower).as_str() {
            "text" | "character varying" | "varchar" => Kind::Text,
            "smallint" => Kind::Integer(0),
            "integer" | "int" => Kind::Integer(1),
            "bigint" => Kind::Integer(2),
            "real" | "float" => Kind::Float(0),
            "double precision" | "double" => Kind::Float(1),
            "numeric" | "decimal" => Kind::Numeric,
            "timestamp with time zone" => Kind::Time(Zone::With),
            "timestamp without time zone" | "timestamp" => Kind::Time(Zone::Without),
            "time without time zone" | "time" => Kind::Time(Zone::OfDay),
            "date" => Kind::Date,
            _ => Kind::Other,
        };
        Self {
            kind,
            first: numbers.next().flatten(),
            second: numbers.next().flatten(),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::{Fit, fit};

    #[test]
    fn a_type_is_wider_narrower_or_another() {
        let wider = [
            ("character varying(20)", "character varying(40)"),
            ("character varying(20)", "text"),
            ("integer", "bigint"),
            ("smallint", "numeric"),
            ("numeric(10,2)", "numeric(12,3)"),
            ("timestamp(3) without time zone", "timestamp without time zone"),
        ];
        let narrower = [
            ("text", "character varying(40)"),
            ("bigint", "integer"),
            ("numeric(10,2)", "numeric(10,3)"),
            ("numeric", "integer"),
            ("double precision", "real"),
            ("timestamp without time zone", "date"),
        ];
        let other = [
            ("boolean", "integer"),
            ("text", "uuid"),
            ("character(3)", "text"),
            ("text[]", "jsonb"),
        ];
        for (from, to) in wider {
            assert_eq!(fit(from, to), Fit::Wider, "{from} to {to}");
        }
        for (from, to) in narrower {
            assert_eq!(fit(from, to), Fit::Narrower, "{from} to {to}");
        }
        for (from, to) in other {
            assert_eq!(fit(from, to), Fit::Other, "{from} to {to}");
        }
    }
}
