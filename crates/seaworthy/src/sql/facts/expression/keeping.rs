//! Which columns an expression keeps, and what proves it.
//!
//! A composition keeps the text of all its parts. A choice between constants keeps the column that it is made by, as far as no two
//! values end in the same one. Of everything else only what can be taken back is kept.

use std::collections::BTreeSet;

use super::back::{cast, in_parentheses, is_constant, last_outside, way_back};
use super::{Check, Cursor, KeptColumn, Template, column_names, type_positions};
use crate::sql::token::{Kind, Token};

/// Returns the columns of an expression, each with what shows that it is kept.
pub(super) fn columns(expression: Cursor<'_>, sql: &str) -> Vec<KeptColumn> {
    let mut kept: Vec<KeptColumn> = Vec::new();
    for one in read(expression, sql) {
        match kept.iter_mut().find(|known| known.name == one.name) {
            // It is kept if any part of a composition keeps it.
            Some(known) if one.checks.len() < known.checks.len() => *known = one,
            Some(_) => {}
            None => kept.push(one),
        }
    }
    kept
}

fn read(expression: Cursor<'_>, sql: &str) -> Vec<KeptColumn> {
    if let Some(inside) = in_parentheses(expression) {
        return read(inside, sql);
    }
    if is_column(expression) {
        let names = column_names(expression.tokens());
        return names.into_iter().map(|name| plain(&name)).collect();
    }
    if !is_evaluable(expression) {
        return all(expression, &Check::Never);
    }
    if let Some(value) = value_or_constant(expression) {
        return read(value, sql);
    }
    composition(expression, sql)
        .or_else(|| choice(expression, sql))
        .unwrap_or_else(|| compared(expression, sql))
}

fn is_column(expression: Cursor<'_>) -> bool {
    let mut rest = in_parentheses(expression).unwrap_or(expression);
    rest.qualified().is_some() && rest.is_done()
}

fn plain(name: &str) -> KeptColumn {
    KeptColumn {
        name: name.to_owned(),
        checks: Vec::new(),
    }
}

/// Returns all columns with the same check.
fn all(expression: Cursor<'_>, check: &Check) -> Vec<KeptColumn> {
    let names = column_names(expression.tokens()).into_iter();
    let kept = names.map(|name| KeptColumn {
        name,
        checks: vec![check.clone()],
    });
    kept.collect()
}

/// Returns the columns as kept where they are the same when they are taken back.
fn compared(expression: Cursor<'_>, sql: &str) -> Vec<KeptColumn> {
    let value = Template::of(expression, sql);
    let names: BTreeSet<String> = column_names(expression.tokens()).into_iter().collect();
    let back = match names.len() {
        1 => way_back(expression, sql),
        _ => (String::new(), String::new()),
    };
    all(expression, &Check::Same { value, back })
}

/// Returns the value of `coalesce(value, 'constant')`.
fn value_or_constant(expression: Cursor<'_>) -> Option<Cursor<'_>> {
    let mut call = expression;
    call.accept_any(&["coalesce", "ifnull"])?;
    let arguments = call.group()?.split(",");
    let (value, constants) = arguments.split_first()?;
    (call.is_done() && constants.iter().all(|one| is_constant(*one))).then_some(*value)
}

/// Reads what puts values side by side: `a || ' ' || b`, `concat(a, b)`, `json_object('a', a)`, `ARRAY[a, b]`.
fn composition(expression: Cursor<'_>, sql: &str) -> Option<Vec<KeptColumn>> {
    let whole = Template::of(expression, sql);
    let (parts, is_text) = parts(expression)?;
    let mut kept = Vec::new();
    for part in parts {
        let is_whole_text = value_or_constant(part).unwrap_or(part);
        let is_cast_to_text = cast(is_whole_text).is_some_and(|(value, is_text)| is_text && is_column(value));
        for mut column in read(part, sql) {
            if is_cast_to_text {
                column.checks.clear();
            }
            column.checks.push(match is_text && column.checks.is_empty() {
                true => Check::Contained(whole.clone()),
                false => Check::Present(whole.clone()),
            });
            kept.push(column);
        }
    }
    Some(kept)
}

/// Returns what is put side by side, and whether that makes a text.
fn parts(expression: Cursor<'_>) -> Option<(Vec<Cursor<'_>>, bool)> {
    let tokens = expression.tokens();
    let mut call = expression;
    if call.accept("array") && tokens.get(1).is_some_and(|token| token.is_symbol("[")) {
        let is_closed = tokens.last().is_some_and(|token| token.is_symbol("]"));
        return is_closed.then(|| (Cursor::new(&tokens[2..tokens.len() - 1]).split(","), false));
    }
    let mut call = expression;
    if let Some(name) = call.name()
        && let Some(arguments) = call.group()
        && call.is_done()
    {
        let parts = arguments.split(",");
        return match name.as_str() {
            "concat" | "concat_ws" => Some((parts, true)),
            "format" | "printf" => takes_each_whole(&parts).then_some((parts, true)),
            "json_object" | "json_build_object" | "jsonb_build_object" => {
                has_own_keys(&parts).then_some((parts, false))
            }
            "json_array" | "json_build_array" | "jsonb_build_array" | "to_json" | "to_jsonb" | "row"
            | "json_quote" => Some((parts, false)),
            _ => None,
        };
    }
    // Whatever else binds less would be the operation.
    const OTHERS: [&str; 9] = [
        "and", "or", "not", "is", "in", "like", "between", "case", "collate",
    ];
    const SYMBOLS: [&str; 14] = [
        "=", "<", ">", "<=", ">=", "<>", "!=", "->", "@>", "&&", "+", "-", "*", "/",
    ];
    let is_other = |token: &Token| {
        OTHERS.iter().any(|word| token.is_word(word)) || SYMBOLS.iter().any(|symbol| token.is_symbol(symbol))
    };
    let parts = expression.split("||");
    (parts.len() > 1 && last_outside(tokens, is_other).is_none()).then_some((parts, true))
}

/// Returns whether a template has `%s` for each of its arguments, and nothing else.
fn takes_each_whole(parts: &[Cursor<'_>]) -> bool {
    let Some(([template], arguments)) = parts.split_first().map(|(first, rest)| (first.tokens(), rest))
    else {
        return false;
    };
    let is_whole = template.kind == Kind::Text && template.text.matches('%').count() == arguments.len();
    is_whole && template.text.matches("%s").count() == arguments.len()
}

/// Returns whether every second part is a constant of its own, so that no value takes the place of another.
fn has_own_keys(parts: &[Cursor<'_>]) -> bool {
    let keys: Vec<&str> = parts
        .iter()
        .step_by(2)
        .filter_map(|key| match key.tokens() {
            [only] if only.kind == Kind::Text => Some(only.text.as_str()),
            _ => None,
        })
        .collect();
    let own: BTreeSet<&&str> = keys.iter().collect();
    parts.len().is_multiple_of(2) && keys.len() == parts.len() / 2 && own.len() == keys.len()
}

/// Reads a choice between constants by the values of one column: `CASE x WHEN 1 THEN 'a' WHEN 2 THEN 'b' END`.
fn choice(expression: Cursor<'_>, sql: &str) -> Option<Vec<KeptColumn>> {
    let tokens = expression.tokens();
    let names: BTreeSet<String> = column_names(tokens).into_iter().collect();
    let (Some(name), 1) = (names.first(), names.len()) else {
        return None;
    };
    let mut rest = expression;
    let (last, inside) = tokens.split_last()?;
    if !rest.accept("case")
        || !last.is_word("end")
        || inside.iter().skip(1).any(|token| token.is_word("case"))
    {
        return None;
    }
    let is_column = |value: Cursor<'_>| matches!(value.tokens(), [only] if only.text == *name);
    let (subject, mut rest) = Cursor::new(&inside[1..]).before(&["when"]);
    let is_of_subject = !subject.is_done();
    if is_of_subject && !is_column(subject) {
        return None;
    }
    let mut is_truth = !is_of_subject;
    while rest.accept("when") {
        let (condition, mut then) = rest.before(&["then"]);
        then.step();
        let (value, next) = then.before(&["when", "else"]);
        let is_known = match is_of_subject {
            true => is_constant(condition),
            false => is_equality(condition, name),
        };
        if !is_known || !is_constant(value) {
            return None;
        }
        is_truth &= is_of_truth(condition, name);
        rest = next;
    }
    let is_known = match rest.accept("else") {
        // Of what is left over nobody knows what it was, unless there is one other value only.
        true => is_column(rest) || rest.sees("null") || is_truth && is_constant(rest),
        false => rest.is_done(),
    };
    let check = Check::Distinct(Template::of(expression, sql));
    is_known.then(|| {
        vec![KeptColumn {
            name: name.clone(),
            checks: vec![check],
        }]
    })
}

/// Returns whether a condition is met by one value only.
fn is_equality(condition: Cursor<'_>, name: &str) -> bool {
    let mut rest = condition;
    if is_of_truth(condition, name) {
        return true;
    }
    let is_named = rest
        .qualified()
        .is_some_and(|column| crate::sql::bare(&column) == name);
    is_named && rest.accept_symbol("=") && is_constant(rest)
}

/// Returns whether a condition is met by true or by false.
fn is_of_truth(condition: Cursor<'_>, name: &str) -> bool {
    let mut rest = condition;
    rest.accept("not");
    let is_named = rest
        .qualified()
        .is_some_and(|column| crate::sql::bare(&column) == name);
    is_named
        && (rest.is_done()
            || ["is true", "is false"]
                .iter()
                .any(|words| rest.accept(words) && rest.is_done()))
}

/// Functions whose values depend on their arguments alone, so that the database may be asked for them beforehand.
const FUNCTIONS: &[&str] = &[
    "abs",
    "array_length",
    "array_to_string",
    "ascii",
    "between",
    "bit_length",
    "btrim",
    "cardinality",
    "cast",
    "cbrt",
    "ceil",
    "ceiling",
    "char",
    "char_length",
    "character_length",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "date",
    "date_part",
    "date_trunc",
    "datetime",
    "decode",
    "degrees",
    "div",
    "encode",
    "exp",
    "extract",
    "floor",
    "format",
    "gcd",
    "greatest",
    "hex",
    "ifnull",
    "iif",
    "initcap",
    "instr",
    "json",
    "json_array",
    "json_build_array",
    "json_build_object",
    "json_extract",
    "json_object",
    "json_quote",
    "jsonb",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_set",
    "julianday",
    "lcm",
    "least",
    "left",
    "length",
    "ln",
    "log",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "make_interval",
    "make_timestamp",
    "md5",
    "mod",
    "nullif",
    "octet_length",
    "overlay",
    "position",
    "power",
    "printf",
    "quote",
    "quote_ident",
    "quote_literal",
    "radians",
    "regexp_match",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row",
    "rpad",
    "rtrim",
    "sha224",
    "sha256",
    "sha512",
    "sign",
    "split_part",
    "sqrt",
    "starts_with",
    "strftime",
    "string_to_array",
    "strpos",
    "substr",
    "substring",
    "time",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
    "to_hex",
    "translate",
    "trim",
    "trunc",
    "typeof",
    "unhex",
    "unicode",
    "unixepoch",
    "upper",
    "width_bucket",
];

/// Words before a parenthesis that call nothing.
const NO_FUNCTIONS: [&str; 16] = [
    "and", "or", "not", "in", "is", "like", "ilike", "case", "when", "then", "else", "from", "for", "as",
    "array", "any",
];

/// Returns whether the database can be asked for a value beforehand, and nothing happens by it.
pub(super) fn is_evaluable(expression: Cursor<'_>) -> bool {
    let tokens = expression.tokens();
    let types = type_positions(tokens);
    let is_known = |(index, pair): (usize, &[Token])| {
        if !pair[0].is_name() || !pair[1].is_symbol("(") {
            return true;
        }
        let name = pair[0].text.as_str();
        types.contains(&index) || FUNCTIONS.contains(&name) || NO_FUNCTIONS.contains(&name)
    };
    !expression.has_within("select")
        && !expression.has_within("over")
        && tokens.windows(2).enumerate().all(is_known)
}
