//! Values that a column is limited to: by its checks, and by the domain that is its type.

use std::sync::LazyLock;

use regex::Regex;

use crate::catalog::{Catalog, Object, ObjectKind, Table};
use crate::sql::{Dialect, Kind, Token, literal, tokens};

/// Returns the literals that the checks of a table allow in a column: what `status IN ('open', 'done')` says.
pub(super) fn choices(table: &Table, column: &str) -> Vec<String> {
    let checks = table.checks.iter().map(|check| check.expr.as_str());
    allowed_by(checks, column)
}

/// Returns the type below a domain and the literals that its checks allow; nothing where a type is no domain.
pub(super) fn in_domain(catalog: &Catalog, data_type: &str) -> Option<(String, Vec<String>)> {
    let is_meant = |object: &&Object| object.kind == ObjectKind::Domain && object.name == data_type;
    let domain = catalog.objects.iter().flatten().find(is_meant)?;
    let made = domain.sql.first()?;
    let base = BASE.captures(made)?.get(1)?.as_str().trim().to_owned();
    let checks = domain.sql.iter().flat_map(|sql| sql.split("CHECK").skip(1));
    Some((base, allowed_by(checks, "value")))
}

/// The type that a domain is made of: all before its first condition.
static BASE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern =
        r"(?is)^CREATE DOMAIN .+? AS (.+?)(?:\s+(?:COLLATE|DEFAULT|CONSTRAINT|CHECK|NOT NULL|NULL)\b.*)?$";
    Regex::new(pattern).expect("the pattern is a regular expression")
});

fn allowed_by<'a>(checks: impl Iterator<Item = &'a str>, column: &str) -> Vec<String> {
    checks.flat_map(|check| literals(check, column)).collect()
}

/// Returns the literals of a check that names a column and forbids none: all numbers and texts in a list, and texts elsewhere.
fn literals(check: &str, column: &str) -> Vec<String> {
    // PostgreSQL prints checks in its own way, and SQLite reads what it is given much like it.
    let words = tokens(check, Dialect::Postgresql);
    let is_word =
        |token: &Token, word: &str| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word);
    let names = |token: &Token| is_word(token, column) || token.kind == Kind::Quoted && token.text == column;
    let forbids =
        |token: &Token| is_word(token, "not") || ["<>", "!=", "<", ">"].contains(&token.text.as_str());
    if !words.iter().any(names) || words.iter().any(forbids) {
        return Vec::new();
    }
    let list = words
        .iter()
        .position(|token| is_word(token, "in") || is_word(token, "any"));
    let mut is_negative = false;
    let mut found = Vec::new();
    for (place, token) in words.iter().enumerate() {
        let is_listed = list.is_some_and(|list| place > list);
        match token.kind {
            Kind::Text => found.push(literal(&token.text)),
            Kind::Number if is_listed => {
                found.push(format!("{}{}", if is_negative { "-" } else { "" }, token.text));
            }
            Kind::Number | Kind::Word | Kind::Quoted | Kind::Symbol | Kind::Client => {}
        }
        is_negative = token.text == "-";
    }
    found
}
