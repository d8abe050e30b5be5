//! Expressions in a form in which equal ones are equal text.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, visit_expressions_mut};
use sqlparser::parser::Parser;

use super::name;
use super::synonym::plainly;
use super::text::closing;
use crate::catalog::Dialect;
use crate::catalog::token::{Kind, Token, tokens};

/// Returns an expression in a form in which equal ones are equal text.
pub(super) fn canonical(dialect: Dialect, sql: &str) -> String {
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
        } else if dialect == Dialect::Sqlite
            && let [.., function, open, now, close] = words.as_slice()
            && let Some(word) = moment(&[function, open, now, close])
        {
            words.truncate(words.len() - 4);
            words.push(word.to_owned());
        }
    }
    words.join(" ")
}

/// Returns the word for what a call of SQLite returns (manual, "Date And Time Functions", and "CREATE TABLE", 3.2).
fn moment(call: &[&str; 4]) -> Option<&'static str> {
    match call {
        ["datetime", "(", "'now'", ")"] => Some("current_timestamp"),
        ["date", "(", "'now'", ")"] => Some("current_date"),
        ["time", "(", "'now'", ")"] => Some("current_time"),
        _ => None,
    }
}

/// Returns an expression with parentheses around each operation and nowhere else; nothing when the parser does not
/// understand it.
pub(super) fn explicit(dialect: Dialect, sql: &str) -> Option<String> {
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
            Expr::Value(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Tuple(_) => plain,
            operation => match plainly(operation) {
                call @ Expr::Function(_) => call,
                operation => Expr::Nested(Box::new(operation)),
            },
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
