//! What a statement sets for the session or the transaction.

use super::Setting;
use crate::sql::cursor::Cursor;
use crate::sql::parsed::Parsed;
use crate::sql::token::Token;

/// Returns what a `SET`, a `RESET` or a pragma with a value sets.
pub(super) fn setting(parsed: &Parsed) -> Option<Setting> {
    match parsed {
        Parsed::Set {
            name,
            value,
            is_local,
        } => Some(Setting {
            name: name.clone(),
            value: (!value.is_empty()).then(|| text_of(value)),
            is_local: *is_local,
        }),
        Parsed::Pragma {
            name,
            value: Some(value),
        } => Some(Setting {
            name: name.clone(),
            value: Some(value.clone()),
            is_local: false,
        }),
        _ => None,
    }
}

/// Returns what calls of `set_config` set.
pub(super) fn set_config(tokens: &[Token]) -> Vec<Setting> {
    let calls = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.is_word("set_config"));
    let found = calls.filter_map(|(at, _)| {
        let mut inside = Cursor::new(&tokens[at + 1..]);
        let arguments = inside.group()?.split(",");
        let first = |index: usize| arguments.get(index).map(|argument| text_of(argument.tokens()));
        Some(Setting {
            name: first(0)?,
            value: first(1),
            is_local: first(2).is_some_and(|local| ["true", "t", "on", "yes", "1"].contains(&local.as_str())),
        })
    });
    found.collect()
}

fn text_of(tokens: &[Token]) -> String {
    let words: Vec<String> = tokens.iter().map(|token| token.text.to_lowercase()).collect();
    words.join("")
}
