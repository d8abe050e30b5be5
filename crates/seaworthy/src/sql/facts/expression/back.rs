//! The way back from a value to the one column that it was made of: what undoes the expression, from the outside inwards.

use super::{Cursor, column_positions};
use crate::sql::Dialect;
use crate::sql::token::{Kind, Token};

/// Returns what stands before and behind a value to have the column back that it is made of.
///
/// Where nothing is known that undoes a function, the value itself is compared: the same values are no loss.
pub(super) fn way_back(expression: Cursor<'_>, sql: &str) -> (String, String) {
    let mut way = (String::new(), String::new());
    let mut inside = expression;
    while let Some((next, (before, after))) = undone(inside, sql) {
        way = (format!("{before}{}", way.0), format!("{}{after}", way.1));
        inside = next;
    }
    way
}

type Step<'a> = (Cursor<'a>, (String, String));

/// Undoes the outermost operation; nothing where it has no way back, or at the column.
fn undone<'a>(expression: Cursor<'a>, sql: &str) -> Option<Step<'a>> {
    let nothing = || (String::new(), String::new());
    if let Some(inside) = in_parentheses(expression) {
        return Some((inside, nothing()));
    }
    if let Some((inside, _)) = cast(expression) {
        return Some((inside, nothing()));
    }
    arithmetic(expression, sql)
        .or_else(|| zone(expression, sql))
        .or_else(|| function(expression, sql))
}

/// Returns what stands in parentheses if nothing else is there.
pub(super) fn in_parentheses(expression: Cursor<'_>) -> Option<Cursor<'_>> {
    let mut rest = expression;
    let inside = rest.group()?;
    (rest.is_done() && !inside.sees("select") && inside.split(",").len() == 1).then_some(inside)
}

/// Returns what is cast last, and to which type.
pub(super) fn last_cast(expression: Cursor<'_>) -> Option<(Cursor<'_>, Cursor<'_>)> {
    let mut call = in_parentheses(expression).unwrap_or(expression);
    let tokens = call.tokens();
    if call.accept("cast") {
        let inside = call.group()?;
        let (value, mut data_type) = inside.before(&["as"]);
        data_type.step();
        return call.is_done().then_some((value, data_type));
    }
    let mark = last_outside(tokens, |token| token.is_symbol("::"))?;
    let (value, data_type) = (Cursor::new(&tokens[..mark]), Cursor::new(&tokens[mark + 1..]));
    // A cast binds to what stands right before it.
    let is_type = |token: &Token| {
        token.is_name()
            || token.kind == Kind::Number
            || ["(", ")", "[", "]", ",", "."].contains(&token.text.as_str())
    };
    let is_alone = !data_type.is_done() && data_type.tokens().iter().all(is_type);
    (is_alone && is_operand(value)).then_some((value, data_type))
}

/// Returns what is cast, and whether to a type that holds every text.
pub(super) fn cast(expression: Cursor<'_>) -> Option<(Cursor<'_>, bool)> {
    let (value, data_type) = last_cast(expression)?;
    let is_text = matches!(data_type.tokens(), [only] if only.is_word("text") || only.is_word("varchar"));
    Some((value, is_text))
}

/// Returns whether an expression is one operand: a column, a literal, a call, something in parentheses, with casts or not.
fn is_operand(expression: Cursor<'_>) -> bool {
    let mut rest = expression;
    // What stands in parentheses is an operand or the arguments of a call.
    let is_named = rest.qualified().is_some();
    if rest.group().is_none() && !is_named {
        rest.step();
    }
    rest.is_done() || rest.sees_symbol("::")
}

/// Undoes `x + 1`, `1 - x`, `x * 100` and the like.
fn arithmetic<'a>(expression: Cursor<'a>, sql: &str) -> Option<Step<'a>> {
    let tokens = expression.tokens();
    if has_other_operators(tokens) {
        return None;
    }
    if let Some((sign, _)) = tokens.split_first()
        && sign.is_symbol("-")
        && is_operand(Cursor::new(&tokens[1..]))
    {
        return Some((Cursor::new(&tokens[1..]), ("-(".to_owned(), ")".to_owned())));
    }
    let is_sum = |token: &Token| token.is_symbol("+") || token.is_symbol("-");
    let is_product = |token: &Token| token.is_symbol("*") || token.is_symbol("/") || token.is_symbol("%");
    let at = last_outside(tokens, is_sum)
        .filter(|&at| at > 0)
        .or_else(|| last_outside(tokens, is_product))?;
    let (left, right) = (Cursor::new(&tokens[..at]), Cursor::new(&tokens[at + 1..]));
    let is_right_constant = is_constant(right);
    if is_right_constant == is_constant(left) {
        return None;
    }
    let (value, constant) = match is_right_constant {
        true => (left, right),
        false => (right, left),
    };
    let constant = sql.get(constant.span())?;
    // A division of whole numbers would leave out what is behind the point.
    let exact = match tokens[at].dialect {
        Dialect::Postgresql => "::numeric",
        Dialect::Sqlite => " * 1.0",
    };
    let open = |start: &str| start.to_owned();
    let way = match (tokens[at].text.as_str(), is_right_constant) {
        ("+", _) => (open("(("), format!(") - ({constant}))")),
        ("-", true) => (open("(("), format!(") + ({constant}))")),
        ("-", false) => (format!("(({constant}) - ("), "))".to_owned()),
        ("*", _) => (open("(("), format!("){exact} / ({constant}))")),
        ("/", true) => (open("(("), format!(") * ({constant}))")),
        _ => return None,
    };
    Some((value, way))
}

/// Undoes `x AT TIME ZONE 'UTC'`.
fn zone<'a>(expression: Cursor<'a>, sql: &str) -> Option<Step<'a>> {
    let (value, mut zone) = expression.before(&["at time zone"]);
    if !zone.accept("at time zone") || !is_constant(zone) || zone.tokens().len() != 1 || !is_operand(value) {
        return None;
    }
    let zone = sql.get(zone.span())?;
    Some((value, ("((".to_owned(), format!(") AT TIME ZONE {zone})"))))
}

/// Goes into the argument of a function that has the column.
fn function<'a>(expression: Cursor<'a>, sql: &str) -> Option<Step<'a>> {
    let mut call = expression;
    let name = call.name()?;
    let arguments = call.group()?;
    if !call.is_done() {
        return None;
    }
    let all = arguments.split(",");
    let mut of = all.iter().filter(|one| !is_constant(**one));
    let (&argument, None) = (of.next()?, of.next()) else {
        return None;
    };
    let second = all
        .get(1)
        .and_then(|second| sql.get(second.span()))
        .unwrap_or_default();
    let way = match (name.as_str(), all.len()) {
        ("string_to_array", 2) => ("array_to_string(".to_owned(), format!(", {second})")),
        ("to_timestamp", 1) => ("extract(epoch from ".to_owned(), ")".to_owned()),
        ("round" | "coalesce" | "ifnull" | "trim" | "btrim" | "upper" | "lower", _) => {
            (String::new(), String::new())
        }
        _ => return None,
    };
    Some((argument, way))
}

/// Returns whether an expression is made of no column and calls nothing.
pub(super) fn is_constant(expression: Cursor<'_>) -> bool {
    let tokens = expression.tokens();
    let calls = tokens
        .windows(2)
        .any(|pair| pair[0].is_name() && pair[1].is_symbol("("));
    !expression.is_done() && !calls && !expression.has_within("select") && column_positions(tokens).is_empty()
}

/// Returns whether operators are there that bind less than those of numbers.
fn has_other_operators(tokens: &[Token]) -> bool {
    const WORDS: [&str; 12] = [
        "and", "or", "not", "is", "in", "like", "ilike", "between", "case", "collate", "at", "glob",
    ];
    const SYMBOLS: [&str; 20] = [
        "=", "<", ">", "<=", ">=", "<>", "!=", "||", "->", "@>", "&&", "&", "|", "~", "#", "^", "?", "@",
        "!", ":",
    ];
    let is_other = |token: &Token| {
        WORDS.iter().any(|word| token.is_word(word)) || SYMBOLS.iter().any(|symbol| token.is_symbol(symbol))
    };
    last_outside(tokens, is_other).is_some()
}

/// Returns where the last of some tokens stands outside of parentheses.
pub(super) fn last_outside(tokens: &[Token], is_it: impl Fn(&Token) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    let mut last = None;
    for (index, token) in tokens.iter().enumerate() {
        if token.is_symbol("(") || token.is_symbol("[") {
            depth += 1;
        } else if token.is_symbol(")") || token.is_symbol("]") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && is_it(token) {
            last = Some(index);
        }
    }
    last
}
