//! PostgreSQL's two ways to write an array of literals: `'{a,b}'` and `ARRAY['a', 'b']`.

use super::text::{closing, without_parentheses};
use crate::catalog::token::{Kind, Token, tokens};

/// Returns the elements of an array, `None` for NULL; nothing when the text is not an array of literals.
pub(super) fn elements(sql: &str) -> Option<Vec<Option<String>>> {
    let all = tokens(sql);
    match all.as_slice() {
        [text] if text.kind == Kind::Text => of_text(&text.text),
        [open, ..] if open.is_symbol("(") => {
            let close = closing(&all, 0)?;
            is_cast(&all[close + 1..]).then_some(())?;
            elements(without_parentheses(&sql[..all[close].range.end]))
        }
        [word, open, ..] if word.is_word("array") && open.is_symbol("[") => {
            let close = all.iter().rposition(|token| token.is_symbol("]"))?;
            // `ARRAY[]::text[]` has brackets of its type behind its own.
            let cast = all.iter().position(|token| token.is_symbol("]"))? + 1;
            if all[cast..].first().is_some_and(|token| token.is_symbol("::")) {
                return of_list(&all[2..cast - 1]);
            }
            (close == all.len() - 1).then(|| of_list(&all[2..close]))?
        }
        _ => None,
    }
}

fn is_cast(all: &[Token]) -> bool {
    all.is_empty() || all[0].is_symbol("::") && !all.iter().any(|token| token.kind == Kind::Text)
}

fn of_list(all: &[Token]) -> Option<Vec<Option<String>>> {
    if all.is_empty() {
        return Some(Vec::new());
    }
    all.split(|token| token.is_symbol(",")).map(of_literal).collect()
}

/// One element, which may say its type.
fn of_literal(element: &[Token]) -> Option<Option<String>> {
    let length = element
        .iter()
        .position(|token| token.is_symbol("::"))
        .unwrap_or(element.len());
    match &element[..length] {
        [token] if matches!(token.kind, Kind::Text | Kind::Number) => Some(Some(token.text.clone())),
        [token] if token.is_word("null") => Some(None),
        [token] if token.is_word("true") || token.is_word("false") => {
            Some(Some(token.text[..1].to_lowercase()))
        }
        _ => None,
    }
}

/// The text between the braces (manual, "Array Input and Output Syntax"); one array in another is not looked into.
fn of_text(text: &str) -> Option<Vec<Option<String>>> {
    let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    if inside.trim().is_empty() {
        return Some(Vec::new());
    }
    let mut elements = Vec::new();
    let (mut element, mut is_quoted, mut was_quoted) = (String::new(), false, false);
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => element.push(letters.next()?),
            '"' => {
                is_quoted = !is_quoted;
                was_quoted = true;
            }
            ',' if !is_quoted => {
                elements.push(finished(&element, was_quoted));
                (element, was_quoted) = (String::new(), false);
            }
            '{' | '}' if !is_quoted => return None,
            _ => element.push(letter),
        }
    }
    elements.push(finished(&element, was_quoted));
    Some(elements)
}

fn finished(element: &str, was_quoted: bool) -> Option<String> {
    if was_quoted {
        return Some(element.to_owned());
    }
    let element = element.trim();
    (!element.eq_ignore_ascii_case("null")).then(|| element.to_owned())
}

#[cfg(test)]
mod tests {
    use super::elements;

    #[test]
    fn an_array_has_the_same_elements_either_way() {
        let same = [
            ("'{}'", "ARRAY[]::text[]"),
            ("'{a,\"b c\",NULL}'", "ARRAY['a'::text, 'b c'::text, NULL::text]"),
            ("'{1, 2}'", "(ARRAY[1, 2])::bigint[]"),
            ("'{\"a,b\",\"\\\"q\\\"\"}'", "ARRAY['a,b', '\"q\"']"),
        ];
        for (one, other) in same {
            assert!(elements(one).is_some(), "{one}");
            assert_eq!(elements(one), elements(other), "{one} | {other}");
        }
        assert_ne!(elements("'{NULL}'"), elements("'{\"NULL\"}'"));
        for none in ["'{{1},{2}}'", "ARRAY[now()]", "ARRAY[1] || 2", "'a'", "(a)"] {
            assert_eq!(elements(none), None, "{none}");
        }
    }
}
