//! Defaults: literals, and what the engines print around them.

use super::text::{without_parentheses, wraps};
use super::types::{base_type, is_number, is_text, is_text_affinity};
use crate::catalog::Dialect;
use crate::catalog::token::{Kind, Token, tokens};

/// Returns a default as a person would write it: PostgreSQL's casts of a literal to the type of its own column taken off.
pub(in crate::catalog) fn plain_default(data_type: &str, default: &str) -> String {
    let all = tokens(default);
    if is_number(data_type)
        && let Some(number) = cast_number(&all, default)
    {
        return number;
    }
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

/// Returns the number of `(0)::bigint` or `'1000'::numeric`: a column of numbers takes it in its own type. Nothing when the
/// cast rounds.
fn cast_number(all: &[Token], default: &str) -> Option<String> {
    let cast = all.iter().position(|token| token.is_symbol("::"))?;
    let target = &default[all.get(cast + 1)?.range.start..];
    let is_plain = is_number(target) && all[cast + 1..].iter().all(|token| token.kind == Kind::Word);
    let text = match &all[..cast] {
        [literal] if literal.kind == Kind::Text => literal.text.as_str(),
        number => {
            let (first, last) = (number.first()?, number.last()?);
            without_parentheses(&default[first.range.start..last.range.end])
        }
    };
    let is_exact = match base_type(target).as_str() {
        "real" => false,
        "smallint" | "integer" | "bigint" => !text.contains('.'),
        _ => true,
    };
    (is_plain && is_exact && number(text).is_some()).then(|| text.to_owned())
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

/// Brings a literal into one form: the boolean and number words of SQLite, numbers with the same value.
pub(super) fn literal(dialect: Dialect, data_type: &str, canonical: String) -> String {
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

fn is_length(target: &[Token], token: &Token) -> bool {
    let open = target.iter().position(|other| other.is_symbol("("));
    token.kind == Kind::Number && open.is_some_and(|open| target[open].range.start < token.range.start)
}
