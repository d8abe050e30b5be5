//! What SQL text means the same: expressions, defaults and types as two catalogs may spell them.
//!
//! PostgreSQL prints expressions from its own trees, so little is left to do; SQLite keeps what somebody typed.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, visit_expressions_mut};
use sqlparser::parser::Parser;

use super::Dialect;
use super::token::{Kind, Token, tokens};

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
    one == other || canonical(one) == canonical(other)
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

/// Returns a name in double quotes.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns a default as a person would write it: PostgreSQL's casts of a literal to the type of its own column taken off.
pub(super) fn plain_default(data_type: &str, default: &str) -> String {
    let all = tokens(default);
    let [literal, cast, target @ ..] = all.as_slice() else {
        return default.to_owned();
    };
    let is_cast = literal.kind == Kind::Text && cast.is_symbol("::") && !target.is_empty();
    let has_operator = target.iter().any(|token| {
        matches!(token.kind, Kind::Text | Kind::Number) && !is_length(target, token)
            || (token.kind == Kind::Symbol && !["(", ")", "[", "]", ",", "."].contains(&token.text.as_str()))
    });
    if !is_cast || has_operator {
        return default.to_owned();
    }
    let target = &default[target[0].range.start..];
    if base_type(target) != base_type(data_type) && !(is_text(target) && is_text(data_type)) {
        return default.to_owned();
    }
    if is_number(data_type) && literal.text.parse::<f64>().is_ok_and(f64::is_finite) {
        return literal.text.clone();
    }
    default[literal.range.clone()].to_owned()
}

/// Splits `email DESC NULLS LAST` into the expression, whether it descends, and whether NULLs come first.
pub(super) fn split_order(sql: &str) -> (String, bool, Option<bool>) {
    let all = tokens(sql);
    let mut end = all.len();
    let mut nulls_first = None;
    if end > 2
        && all[end - 2].is_word("nulls")
        && (all[end - 1].is_word("first") || all[end - 1].is_word("last"))
    {
        nulls_first = Some(all[end - 1].is_word("first"));
        end -= 2;
    }
    let mut descending = false;
    if end > 1 && (all[end - 1].is_word("desc") || all[end - 1].is_word("asc")) {
        descending = all[end - 1].is_word("desc");
        end -= 1;
    }
    let length = end.checked_sub(1).map_or(0, |last| all[last].range.end);
    (sql[..length].trim().to_owned(), descending, nulls_first)
}

/// Returns whether a default is a literal, as SQLite reads one without parentheses around it, or stands in them already.
pub(crate) fn is_literal(default: &str) -> bool {
    const WORDS: [&str; 6] = [
        "null",
        "true",
        "false",
        "current_timestamp",
        "current_date",
        "current_time",
    ];
    let all = tokens(default);
    match all.as_slice() {
        [token] => match token.kind {
            Kind::Text | Kind::Number => true,
            Kind::Word => WORDS.iter().any(|word| token.is_word(word)),
            _ => false,
        },
        [sign, number] => (sign.is_symbol("-") || sign.is_symbol("+")) && number.kind == Kind::Number,
        _ => wraps(&all),
    }
}

/// Returns whether a text can stand where one expression, type or clause is expected: whatever it is, it ends nothing that
/// was begun before it, and begins nothing that goes on behind it.
pub(super) fn is_self_contained(sql: &str) -> bool {
    let all = tokens(sql);
    let (mut depth, mut copied) = (0_usize, 0);
    for token in &all {
        // What lies between tokens is white space or a comment.
        let is_comment = !sql[copied..token.range.start].trim().is_empty();
        let written = &sql[token.range.clone()];
        let is_quoted = matches!(token.kind, Kind::Text | Kind::QuotedName);
        let is_open = is_quoted
            && (written.len() < 2 || tokens(&format!("{written} ")).len() != 1 || !is_closed(written));
        // `E'\''` ends elsewhere for PostgreSQL than it does here, and so does `$$`.
        let is_escape = token.kind == Kind::Text
            && written.contains('\\')
            && sql[..token.range.start].ends_with(['e', 'E']);
        if is_comment || is_open || is_escape || token.is_symbol(";") || token.is_symbol("$") {
            return false;
        }
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            let Some(less) = depth.checked_sub(1) else {
                return false;
            };
            depth = less;
        }
        copied = token.range.end;
    }
    depth == 0 && sql[copied..].trim().is_empty() && !all.is_empty()
}

fn is_closed(written: &str) -> bool {
    let close = match written.chars().next() {
        Some('[') => ']',
        Some(quote) => quote,
        None => return false,
    };
    let end = written
        .chars()
        .rev()
        .take_while(|letter| *letter == close)
        .count();
    // Of the quotes at the end one closes and the others are pairs, unless the opening one is among them.
    let is_all = end == written.chars().count();
    if close == ']' {
        end > 0
    } else {
        (end % 2 == 1) != is_all
    }
}

/// Returns the name, when an expression is nothing but a name.
pub(super) fn only_name(sql: &str) -> Option<String> {
    match tokens(sql).as_slice() {
        [token] if token.kind == Kind::QuotedName => Some(token.text.clone()),
        [token] if token.kind == Kind::Word => Some(token.text.to_lowercase()),
        _ => None,
    }
}

/// Returns an expression without the parentheses around all of it.
pub(super) fn without_parentheses(sql: &str) -> &str {
    let mut text = sql.trim();
    loop {
        let all = tokens(text);
        if !wraps(&all) {
            return text;
        }
        text = text[all[0].range.end..all[all.len() - 1].range.start].trim();
    }
}

fn wraps(all: &[Token]) -> bool {
    let (Some(first), Some(last)) = (all.first(), all.last()) else {
        return false;
    };
    first.is_symbol("(") && last.is_symbol(")") && closing(all, 0) == Some(all.len() - 1)
}

/// Returns where the parenthesis that opens at `at` is closed.
pub(super) fn closing(all: &[Token], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in all.iter().enumerate().skip(at) {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(index);
            }
        }
    }
    None
}

/// Returns an expression in a form in which equal ones are equal text.
fn canonical(dialect: Dialect, sql: &str) -> String {
    let mut all = tokens(sql);
    if dialect == Dialect::Postgresql {
        all = without_text_casts(&all);
    }
    let all = without_idle_parentheses(all);
    let mut words: Vec<String> = Vec::with_capacity(all.len());
    for token in &all {
        words.push(match token.kind {
            Kind::Text => format!("'{}'", token.text),
            Kind::QuotedName if dialect == Dialect::Sqlite => token.text.to_lowercase(),
            Kind::QuotedName => name(&token.text),
            Kind::Word | Kind::Number => token.text.to_lowercase(),
            Kind::Symbol => match token.text.as_str() {
                "==" => "=".to_owned(),
                "!=" => "<>".to_owned(),
                other => other.to_owned(),
            },
        });
        if let [.., function, open, close] = words.as_slice()
            && open == "("
            && close == ")"
            && (function == "now" || function == "transaction_timestamp")
        {
            words.truncate(words.len() - 3);
            words.push("current_timestamp".to_owned());
        }
    }
    words.join(" ")
}

/// Returns an expression with parentheses around each operation and nowhere else; nothing when the parser does not
/// understand it.
fn explicit(dialect: Dialect, sql: &str) -> Option<String> {
    let sql = match dialect {
        Dialect::Postgresql => without_text_casts(&tokens(sql))
            .iter()
            .map(|token| &sql[token.range.clone()])
            .collect::<Vec<_>>()
            .join(" "),
        Dialect::Sqlite => sql.to_owned(),
    };
    let postgres = sqlparser::dialect::PostgreSqlDialect {};
    let sqlite = sqlparser::dialect::SQLiteDialect {};
    let grammar: &dyn sqlparser::dialect::Dialect = match dialect {
        Dialect::Postgresql => &postgres,
        Dialect::Sqlite => &sqlite,
    };
    let mut parser = Parser::new(grammar).try_with_sql(&sql).ok()?;
    let mut expression = parser.parse_expr().ok()?;
    if parser.peek_token().token != sqlparser::tokenizer::Token::EOF {
        return None;
    }
    // From the inside to the outside: what the visitor hands over, it has been inside of already.
    let _: ControlFlow<()> = visit_expressions_mut(&mut expression, |part| {
        let plain = std::mem::replace(
            part,
            Expr::Wildcard(sqlparser::ast::helpers::attached_token::AttachedToken::empty()),
        );
        *part = match plain {
            Expr::Nested(inside) => *inside,
            Expr::Value(_)
            | Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::Function(_)
            | Expr::Tuple(_) => plain,
            operation => Expr::Nested(Box::new(operation)),
        };
        ControlFlow::Continue(())
    });
    Some(expression.to_string())
}

/// Takes casts to text types off: which of them PostgreSQL prints depends on the type that a column had when the
/// expression was made, and comparing texts means the same under each.
fn without_text_casts(all: &[Token]) -> Vec<Token> {
    let mut kept = Vec::with_capacity(all.len());
    let mut index = 0;
    while index < all.len() {
        if all[index].is_symbol("::")
            && let Some(length) = text_type_length(&all[index + 1..])
        {
            index += 1 + length;
            continue;
        }
        kept.push(all[index].clone());
        index += 1;
    }
    kept
}

fn text_type_length(all: &[Token]) -> Option<usize> {
    let first = all.first()?;
    let mut length = match first.text.as_str() {
        "text" | "bpchar" | "varchar" => 1,
        "character" if all.get(1).is_some_and(|next| next.is_word("varying")) => 2,
        "character" => 1,
        _ => return None,
    };
    if all.get(length).is_some_and(|token| token.is_symbol("(")) {
        length = closing(all, length)? + 1;
    }
    while all.get(length).is_some_and(|token| token.is_symbol("["))
        && all.get(length + 1).is_some_and(|token| token.is_symbol("]"))
    {
        length += 2;
    }
    Some(length)
}

/// Takes parentheses off that change nothing: around everything, around other parentheses, around a single token.
fn without_idle_parentheses(mut all: Vec<Token>) -> Vec<Token> {
    const NOT_FUNCTIONS: [&str; 12] = [
        "and", "or", "not", "when", "then", "else", "case", "like", "is", "between", "where", "collate",
    ];
    let mut at = 0;
    while at < all.len() {
        let close = if all[at].is_symbol("(") {
            closing(&all, at)
        } else {
            None
        };
        let Some(close) = close else {
            at += 1;
            continue;
        };
        let is_all = at == 0 && close == all.len() - 1;
        let is_call =
            at > 0 && all[at - 1].is_name() && !NOT_FUNCTIONS.iter().any(|word| all[at - 1].is_word(word));
        let is_doubled = all[at + 1].is_symbol("(") && closing(&all, at + 1) == Some(close - 1);
        let is_single = close == at + 2 && !is_call;
        if is_all || is_doubled || is_single {
            all.remove(close);
            all.remove(at);
        } else {
            at += 1;
        }
    }
    all
}

/// Brings a literal into one form: the boolean and number words of SQLite, numbers with the same value.
fn literal(dialect: Dialect, data_type: &str, canonical: String) -> String {
    let inside = canonical
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''))
        .map(str::to_owned);
    if dialect == Dialect::Postgresql {
        return match (
            is_number(data_type),
            number(inside.as_deref().unwrap_or(&canonical)),
        ) {
            (true, Some(number)) => number,
            _ => canonical,
        };
    }
    let value = match canonical.as_str() {
        "false" => "0",
        "true" => "1",
        other => other,
    };
    // What is stored depends on the affinity of the column: '5' becomes a number in one, 5 a text in the other.
    let is_text = is_text_affinity(data_type);
    match (inside, number(value)) {
        (Some(text), _) if !is_text => number(&text).unwrap_or(canonical),
        (None, Some(number)) if is_text => format!("'{number}'"),
        (None, Some(number)) => number,
        _ => canonical,
    }
}

/// Returns a number without what changes nothing: `1.50` as `1.5`, `+1` as `1`.
fn number(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|letter| *letter != ' ').collect();
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |digits| ("-", digits));
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let is_number = digits.chars().any(|letter| letter.is_ascii_digit())
        && digits
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == '.')
        && digits.matches('.').count() <= 1;
    if !is_number {
        return None;
    }
    let whole = digits.trim_start_matches('0');
    let short = match whole.split_once('.') {
        Some((before, after)) if after.trim_end_matches('0').is_empty() => before.to_owned(),
        Some(_) => whole.trim_end_matches('0').to_owned(),
        None => whole.to_owned(),
    };
    let short = if short.is_empty() { "0".to_owned() } else { short };
    let short = if short.starts_with('.') {
        format!("0{short}")
    } else {
        short
    };
    Some(if short == "0" {
        short
    } else {
        format!("{sign}{short}")
    })
}

/// SQLite's rule (manual, "Datatypes In SQLite", 3.1): CHAR, CLOB or TEXT in the name, and no INT.
fn is_text_affinity(data_type: &str) -> bool {
    let upper = data_type.to_uppercase();
    !upper.contains("INT") && ["CHAR", "CLOB", "TEXT"].iter().any(|word| upper.contains(word))
}

/// Returns the type without arguments, in PostgreSQL's own words.
fn base_type(data_type: &str) -> String {
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

fn is_number(data_type: &str) -> bool {
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

fn is_length(target: &[Token], token: &Token) -> bool {
    let open = target.iter().position(|other| other.is_symbol("("));
    token.kind == Kind::Number && open.is_some_and(|open| target[open].range.start < token.range.start)
}

/// Returns a type in a form in which equal ones are equal text.
fn canonical_type(dialect: Dialect, data_type: &str) -> String {
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
            assert!(is_self_contained(sql), "{sql}");
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
            assert!(!is_self_contained(sql), "{sql}");
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
