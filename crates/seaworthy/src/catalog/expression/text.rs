//! What can be told of SQL text by its parentheses and its last words.

use crate::catalog::Dialect;
use crate::catalog::token::{Kind, Token, tokens};

/// Splits `email DESC NULLS LAST` into the expression, whether it descends, and whether NULLs come first.
pub(in crate::catalog) fn split_order(sql: &str) -> (String, bool, Option<bool>) {
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

/// Splits `lower(email) text_pattern_ops` into the expression and the operator class, which all end the same way.
pub(in crate::catalog) fn split_operator_class(sql: &str) -> (&str, Option<&str>) {
    let all = tokens(sql);
    if let [.., before, class] = all.as_slice()
        && class.kind == Kind::Word
        && class.text.ends_with("_ops")
        && (before.kind != Kind::Symbol || before.is_symbol(")"))
    {
        return (&sql[..before.range.end], Some(&sql[class.range.clone()]));
    }
    (sql, None)
}

/// Returns whether a text can stand where one expression, type or clause is expected: whatever it is, it ends nothing that
/// was begun before it, and begins nothing that goes on behind it.
pub(in crate::catalog) fn is_self_contained(dialect: Dialect, sql: &str) -> bool {
    let all = tokens(sql);
    let (mut depth, mut copied) = (0_usize, 0);
    for token in &all {
        // What lies between tokens is white space or a comment.
        let is_comment = !sql[copied..token.range.start].trim().is_empty();
        let written = &sql[token.range.clone()];
        let is_quoted = matches!(token.kind, Kind::Text | Kind::QuotedName);
        let is_open = is_quoted && !is_closed(written);
        // `E'\''` ends elsewhere for SQLite, and `$$` for both.
        let is_escape = dialect == Dialect::Sqlite && token.kind == Kind::Text && !written.starts_with('\'');
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

/// What is open would take along what follows it.
fn is_closed(written: &str) -> bool {
    let followed = tokens(&format!("{written} "));
    followed
        .first()
        .is_some_and(|token| token.range.end == written.len())
}

/// Returns the name, when an expression is nothing but a name.
pub(in crate::catalog) fn only_name(sql: &str) -> Option<String> {
    match tokens(sql).as_slice() {
        [token] if token.kind == Kind::QuotedName => Some(token.text.clone()),
        [token] if token.kind == Kind::Word => Some(token.text.to_lowercase()),
        _ => None,
    }
}

/// Returns an expression without the parentheses around all of it.
pub(in crate::catalog) fn without_parentheses(sql: &str) -> &str {
    let mut text = sql.trim();
    loop {
        let all = tokens(text);
        if !wraps(&all) {
            return text;
        }
        text = text[all[0].range.end..all[all.len() - 1].range.start].trim();
    }
}

pub(super) fn wraps(all: &[Token]) -> bool {
    let (Some(first), Some(last)) = (all.first(), all.last()) else {
        return false;
    };
    first.is_symbol("(") && last.is_symbol(")") && closing(all, 0) == Some(all.len() - 1)
}

/// Returns where the parenthesis that opens at `at` is closed.
pub(in crate::catalog) fn closing(all: &[Token], at: usize) -> Option<usize> {
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
