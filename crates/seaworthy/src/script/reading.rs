//! SQL text as words: just enough to see what a question asks for, and which rows a statement touches.
//!
//! The words are those of the one reader of SQL; what a question asks for is nobody else's business.

use std::ops::Range;

use crate::session::dialect_of;
use crate::sql::{Dialect, Kind as Token, tokens};

pub(super) use cursor::{Cursor, between_commas, span};
pub(super) use nothing::{Nothing, Value as ValueOfNothing, over_nothing, value_of_nothing};
pub(super) use rows::{Delete, Insert, Item, Select, Update, is_constant, key_of, tables_read};

mod cursor;
mod nothing;
mod rows;

/// A word of a statement, and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    /// In lower case for a bare word; what the quotes hold for a quoted name or a string.
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bare,
    Quoted,
    Text,
    Number,
    /// The place of a bound value, with its index.
    Value(usize),
    Symbol,
}

impl Word {
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Bare && self.text == word
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    pub(super) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Bare | Kind::Quoted)
    }
}

/// Returns the words of a text; comments are left out.
pub(super) fn words(sql: &str, dialect: Dialect) -> Vec<Word> {
    let mut values = 0;
    let mut words: Vec<Word> = Vec::new();
    for token in tokens(sql, dialect) {
        let kind = match token.kind {
            Token::Word => Kind::Bare,
            Token::Quoted => Kind::Quoted,
            Token::Text | Token::Client => Kind::Text,
            Token::Number => match token.text.strip_prefix('$').map(str::parse::<usize>) {
                Some(Ok(number)) => Kind::Value(number.saturating_sub(1)),
                _ => Kind::Number,
            },
            Token::Symbol if token.text == "?" => Kind::Value(values),
            Token::Symbol => Kind::Symbol,
        };
        // A name as it is written, for it is shown to the database again.
        let text = match kind {
            Kind::Quoted => unquoted(&sql[token.span.clone()]),
            _ => token.text,
        };
        if let Kind::Value(index) = kind {
            values = index + 1;
        }
        words.push(Word {
            kind,
            text,
            span: token.span,
        });
    }
    words
}

/// Returns the words of a statement of SeaORM's.
pub(super) fn words_of(statement: &sea_orm::Statement) -> Vec<Word> {
    words(&statement.sql, dialect_of(statement.db_backend))
}

/// Returns what stands between quotes, which are doubled inside.
fn unquoted(name: &str) -> String {
    let mut letters = name.chars();
    let (_, Some(quote)) = (letters.next(), letters.next_back()) else {
        return String::new();
    };
    let doubled: String = [quote, quote].iter().collect();
    letters.as_str().replace(&doubled, &quote.to_string())
}

/// Returns the statements of a text, without empty ones.
pub(super) fn statements(words: &[Word]) -> Vec<&[Word]> {
    let mut statements = Vec::new();
    let mut rest = words;
    while !rest.is_empty() {
        // The body of a trigger or routine holds semicolons of its own.
        let has_body = rest.first().is_some_and(|word| word.is("create"))
            && rest.iter().take(5).any(|word| {
                ["trigger", "function", "procedure"]
                    .iter()
                    .any(|kind| word.is(kind))
            });
        let end = match has_body {
            true => rest.len(),
            false => rest
                .iter()
                .position(|word| word.is_symbol(";"))
                .unwrap_or(rest.len()),
        };
        if end > 0 {
            statements.push(&rest[..end]);
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Vec<String> {
        words(sql, Dialect::Postgresql)
            .into_iter()
            .map(|word| word.text)
            .collect()
    }

    #[test]
    fn words_are_seen_through_quotes_and_comments() {
        assert_eq!(
            read("SELECT \"A\"\"b\".Id -- x\n, /* /* y */ */ 'it''s', E'a\\'b', $q$ ; $q$, $2, ?"),
            [
                "select", "A\"b", ".", "id", ",", "it's", ",", "a'b", ",", " ; ", ",", "$2", ",", "?"
            ]
        );
        assert_eq!(read("a::text 'open"), ["a", "::", "text", "open"]);
    }

    #[test]
    fn a_trigger_is_one_statement() {
        let sql = "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END; SELECT 1";
        assert_eq!(statements(&words(sql, Dialect::Sqlite)).len(), 1);
        assert_eq!(
            statements(&words(";; SELECT 1; ; SELECT ';'", Dialect::Sqlite)).len(),
            2
        );
    }
}
