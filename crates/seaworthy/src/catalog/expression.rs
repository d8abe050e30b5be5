//! What SQL text means the same: expressions, defaults and types as two catalogs may spell them.
//!
//! PostgreSQL prints expressions from its own trees, so little is left to do; SQLite keeps what somebody typed.

use super::Dialect;
use super::token::{Kind, tokens};
pub use crate::sql::quoted;

pub(crate) use literal::is_literal;
pub(super) use literal::plain_default;
pub(super) use text::{
    closing, is_self_contained, only_name, split_operator_class, split_order, without_parentheses,
};
pub(super) use types::base_type;
pub(crate) use types::{Fit, fit, is_text};

use array::elements;
use canonical::{canonical, explicit};
use literal::literal;
use types::canonical_type;

mod array;
mod canonical;
mod literal;
mod synonym;
mod text;
mod types;

/// Returns whether two expressions mean the same.
#[must_use]
pub fn is_same_expression(dialect: Dialect, one: &str, other: &str) -> bool {
    let with_parentheses = |sql: &str| Some(canonical(dialect, &explicit(dialect, sql)?));
    one == other
        || canonical(dialect, one) == canonical(dialect, other)
        || with_parentheses(one).is_some_and(|one| Some(one) == with_parentheses(other))
}

/// Returns whether two types mean the same.
#[must_use]
pub fn is_same_type(dialect: Dialect, one: &str, other: &str) -> bool {
    one == other || canonical_type(dialect, one) == canonical_type(dialect, other)
}

/// Returns whether two defaults put the same value into a column of this type.
#[must_use]
pub fn is_same_default(dialect: Dialect, data_type: &str, one: Option<&str>, other: Option<&str>) -> bool {
    let canonical = |default: Option<&str>| {
        let text = canonical(dialect, default?);
        (text != "null").then(|| literal(dialect, data_type, text))
    };
    if one == other || canonical(one) == canonical(other) {
        return true;
    }
    let (Some(one), Some(other)) = (one, other) else {
        return false;
    };
    let is_array = dialect == Dialect::Postgresql && data_type.ends_with("[]");
    is_same_expression(dialect, one, other)
        || is_array && elements(one).is_some_and(|one| Some(one) == elements(other))
}

/// Returns an expression in which a column has another name.
#[must_use]
pub fn rename_column(sql: &str, from: &str, to: &str) -> String {
    let all = tokens(sql);
    let mut renamed = String::new();
    let mut copied = 0;
    for (index, token) in all.iter().enumerate() {
        let is_call = all.get(index + 1).is_some_and(|next| next.is_symbol("("));
        let is_type = index > 0 && all[index - 1].is_symbol("::");
        let is_it = match token.kind {
            Kind::Word => token.text.eq_ignore_ascii_case(from) && !is_call && !is_type,
            Kind::QuotedName => token.text == from,
            _ => false,
        };
        if is_it {
            renamed.push_str(&sql[copied..token.range.start]);
            renamed.push_str(&name(to));
            copied = token.range.end;
        }
    }
    renamed.push_str(&sql[copied..]);
    renamed
}

/// Returns whether an expression names a column, table, sequence or the like.
#[must_use]
pub fn mentions(sql: &str, wanted: &str) -> bool {
    tokens(sql).iter().any(|token| match token.kind {
        Kind::Word => token.text.eq_ignore_ascii_case(wanted),
        Kind::QuotedName => token.text == wanted,
        // `nextval('order_no'::regclass)` names a sequence in a string.
        Kind::Text => token.text.trim_matches('"') == wanted,
        _ => false,
    })
}

/// Returns a name as SQL: quoted unless it can stand as it is.
#[must_use]
pub fn name(name: &str) -> String {
    let is_plain = name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if is_plain { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::{
        is_same_default, is_same_expression, is_same_type, is_self_contained, mentions, plain_default,
        rename_column, split_order, without_parentheses,
    };
    use crate::catalog::Dialect::{Postgresql, Sqlite};

    #[test]
    fn expressions_that_mean_the_same_are_the_same() {
        let same = [
            (Sqlite, "LENGTH(\"name\") > 1", "length(name)>1"),
            (Sqlite, "((a == 1) AND (b))", "a = 1 and b"),
            (Sqlite, "[a b] != `c`", "\"a b\" <> c"),
            (Sqlite, "a BETWEEN 1 AND 5", "a >= 1 AND a <= 5"),
            (Sqlite, "a NOT BETWEEN 1 AND 5", "NOT (a >= 1 AND a <= 5)"),
            (
                Sqlite,
                "a NOT IN (1, 2) AND b IN (3)",
                "NOT a IN (1, 2) AND b = 3",
            ),
            (Sqlite, "a NOT LIKE 'x%'", "NOT (a LIKE 'x%')"),
            (
                Postgresql,
                "a <> ALL (ARRAY[1, 2])",
                "NOT (a = ANY (ARRAY[1, 2]))",
            ),
            (
                Sqlite,
                "a > 0 AND b < 5 OR NOT c IN (1, (2))",
                "((a > 0) AND (b < 5)) OR (NOT (c IN (1, 2)))",
            ),
            (Postgresql, "a + b * 2 > 1", "((a + (b * 2)) > 1)"),
            (
                Postgresql,
                "(status)::text = 'a'::text",
                "status = 'a'::character varying(20)",
            ),
            (
                Postgresql,
                "((role)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
                "role = ANY (ARRAY['a'::text, 'b'::text])",
            ),
        ];
        for (dialect, one, other) in same {
            assert!(is_same_expression(dialect, one, other), "{one} | {other}");
        }
        let different = [
            (Sqlite, "a > 1", "a >= 1"),
            (Sqlite, "a BETWEEN 1 AND 5", "a > 1 AND a < 5"),
            (Sqlite, "a NOT IN (1, 2)", "a IN (1, 2)"),
            (
                Postgresql,
                "a <> ALL (ARRAY[1, 2])",
                "NOT (a = ALL (ARRAY[1, 2]))",
            ),
            (Sqlite, "a = 'X'", "a = 'x'"),
            (Sqlite, "a OR b AND c", "(a OR b) AND c"),
            (Postgresql, "\"Name\" = 1", "name = 1"),
            (Postgresql, "(a + b) * c", "a + b * c"),
            (Postgresql, "a::integer = 1", "a::numeric = 1"),
        ];
        for (dialect, one, other) in different {
            assert!(!is_same_expression(dialect, one, other), "{one} | {other}");
        }
    }

    #[test]
    fn defaults_are_compared_by_the_value_that_they_store() {
        let same = [
            (
                Postgresql,
                "timestamp without time zone",
                "now()",
                "CURRENT_TIMESTAMP",
            ),
            (Postgresql, "numeric(10,2)", "1.50", "1.5"),
            (Sqlite, "boolean", "FALSE", "0"),
            (Sqlite, "boolean", "(true)", "1"),
            (Sqlite, "integer", "'5'", "5"),
            (Sqlite, "varchar(20)", "'medium'", "('medium')"),
            (Sqlite, "text", "5", "'5'"),
            (Sqlite, "timestamp", "current_timestamp", "CURRENT_TIMESTAMP"),
            (Sqlite, "timestamp", "datetime('now')", "CURRENT_TIMESTAMP"),
            (Postgresql, "text[]", "'{a,b}'", "ARRAY['a'::text, 'b'::text]"),
            (
                Postgresql,
                "timestamp without time zone",
                "timezone('utc'::text, now())",
                "(CURRENT_TIMESTAMP AT TIME ZONE 'utc'::text)",
            ),
        ];
        for (dialect, data_type, one, other) in same {
            assert!(
                is_same_default(dialect, data_type, Some(one), Some(other)),
                "{one} | {other}"
            );
        }
        let different = [
            (Sqlite, "boolean", "'false'", "false"),
            (Sqlite, "boolean", "'f'", "false"),
            (Postgresql, "text", "CURRENT_USER", "SESSION_USER"),
            (Postgresql, "text", "'A'", "'a'"),
            (Postgresql, "text", "'1.50'", "'1.5'"),
        ];
        for (dialect, data_type, one, other) in different {
            assert!(
                !is_same_default(dialect, data_type, Some(one), Some(other)),
                "{one} | {other}"
            );
        }
        assert!(is_same_default(Postgresql, "text", None, Some("NULL")));
    }

    #[test]
    fn types_are_compared_with_their_arguments() {
        assert!(is_same_type(Sqlite, "NUMERIC(10, 2)", "decimal(10,2)"));
        assert!(is_same_type(Sqlite, "TIMESTAMP", "timestamp_with_timezone_text"));
        assert!(!is_same_type(Sqlite, "NUMERIC(10,2)", "NUMERIC"));
        assert!(!is_same_type(Sqlite, "BOOLEAN", "INTEGER"));
        assert!(is_same_type(
            Postgresql,
            "timestamp(6) with time zone",
            "timestamp with time zone"
        ));
        assert!(!is_same_type(
            Postgresql,
            "timestamp(3) with time zone",
            "timestamp with time zone"
        ));
        assert!(!is_same_type(Postgresql, "integer", "bigint"));
    }

    #[test]
    fn a_default_loses_the_cast_to_the_type_of_its_column() {
        let plain = [
            ("character varying(20)", "'low'::character varying", "'low'"),
            ("text", "'a::b'::text", "'a::b'"),
            ("integer", "'-1'::integer", "-1"),
            ("text[]", "'{}'::text[]", "'{}'"),
            ("character(3)", "'abc'::bpchar", "'abc'"),
            ("bigint", "(0)::bigint", "0"),
            ("bigint", "('-1'::integer)::bigint", "('-1'::integer)::bigint"),
            ("double precision", "'1000'::numeric", "1000"),
            ("numeric(10,2)", "(1.7)::integer", "(1.7)::integer"),
            (
                "timestamp(0) without time zone",
                "'2020-01-01 00:00:00'::timestamp without time zone",
                "'2020-01-01 00:00:00'",
            ),
        ];
        for (data_type, default, expected) in plain {
            assert_eq!(plain_default(data_type, default), expected);
        }
        for default in [
            "'a'::text || 'b'::text",
            "('now'::text)::date",
            "'1 day'::interval",
            "gen_random_uuid()",
        ] {
            assert_eq!(plain_default("text[]", default), default);
        }
    }

    #[test]
    fn a_column_is_renamed_where_it_is_meant() {
        let renamed = rename_column(
            "lower(name) = 'name' AND \"name\" <> name::text AND name(1)",
            "name",
            "Full Name",
        );
        assert_eq!(
            renamed,
            "lower(\"Full Name\") = 'name' AND \"Full Name\" <> \"Full Name\"::text AND name(1)"
        );
        assert!(mentions("nextval('order_no'::regclass)", "order_no"));
    }

    #[test]
    fn what_would_end_the_statement_around_it_is_no_expression() {
        for sql in [
            "integer",
            "numeric(10, 2)",
            "'a;b'",
            "''",
            "'it''s' || \"x\"",
            "(a) + (b)",
            "text[]",
        ] {
            assert!(is_self_contained(Sqlite, sql), "{sql}");
        }
        for sql in [
            "",
            "integer); DROP TABLE users",
            "a) OR (b",
            "a > 1 --",
            "a /* b",
            "'a",
            "'a''",
            "\"a",
            "E'\\'' || 'b'",
            "$$a$$",
        ] {
            assert!(!is_self_contained(Sqlite, sql), "{sql}");
        }
    }

    #[test]
    fn a_text_with_escapes_is_an_expression_of_postgresql() {
        for (sql, is_one) in [
            (r"E'it\'s'", true),
            (r"E'a\\'::text", true),
            (r"E'a\'; DROP TABLE users", false),
            (r"E'a\'', 'b", false),
            (r"'a\', 'b", false),
        ] {
            assert_eq!(is_self_contained(Postgresql, sql), is_one, "{sql}");
        }
    }

    #[test]
    fn order_and_parentheses_come_off() {
        assert_eq!(
            split_order("email DESC NULLS LAST"),
            ("email".to_owned(), true, Some(false))
        );
        assert_eq!(
            split_order("lower(email)"),
            ("lower(email)".to_owned(), false, None)
        );
        assert_eq!(without_parentheses(" ((a) + (b)) "), "(a) + (b)");
        assert_eq!(without_parentheses("(a) + (b)"), "(a) + (b)");
    }
}
