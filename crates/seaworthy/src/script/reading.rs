//! SQL text as words: just enough to see what a question asks for, and which rows a statement touches.
//!
//! Nothing here can fail: what is not closed goes on to the end of the text.

use std::ops::Range;

pub(super) use cursor::{Cursor, between_commas, span};
pub(super) use rows::{Delete, Insert, Item, Select, Update, is_constant, key_of, tables_read};

mod cursor;
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
pub(super) fn words(sql: &str) -> Vec<Word> {
    let mut lexer = Lexer {
        sql,
        at: 0,
        values: 0,
        words: Vec::new(),
    };
    while lexer.step() {}
    lexer.words
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

struct Lexer<'a> {
    sql: &'a str,
    at: usize,
    values: usize,
    words: Vec<Word>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.sql[self.at..]
    }

    /// Reads a word, or skips what is none; returns whether there was anything.
    fn step(&mut self) -> bool {
        let rest = self.rest();
        let Some(letter) = rest.chars().next() else {
            return false;
        };
        match letter {
            _ if letter.is_whitespace() => self.at += letter.len_utf8(),
            '-' if rest.starts_with("--") => self.at += rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => self.at += comment(rest),
            '\'' => self.text(),
            '"' | '`' => self.enclosed(letter, Kind::Quoted),
            '$' => self.dollar(),
            '?' => {
                let digits = digits(&rest[1..]);
                let index = rest[1..=digits]
                    .parse::<usize>()
                    .map_or(self.values, |n| n.saturating_sub(1));
                self.values = index + 1;
                self.push(Kind::Value(index), 1 + digits);
            }
            '0'..='9' => {
                let length = length(rest, |letter| letter.is_ascii_alphanumeric() || letter == '.');
                self.push(Kind::Number, length);
            }
            _ if letter.is_alphabetic() || letter == '_' => {
                let length = length(rest, |letter| {
                    letter.is_alphanumeric() || letter == '_' || letter == '$'
                });
                self.push(Kind::Bare, length);
            }
            ':' if rest.starts_with("::") => self.push(Kind::Symbol, 2),
            _ => self.push(Kind::Symbol, letter.len_utf8()),
        }
        true
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let span = self.at..self.at + length;
        let text = &self.sql[span.clone()];
        let text = match kind {
            Kind::Bare => text.to_lowercase(),
            _ => text.to_owned(),
        };
        self.at = span.end;
        self.words.push(Word { kind, text, span });
    }

    fn push_quoted(&mut self, kind: Kind, text: String, length: usize) {
        let span = self.at..self.at + length;
        self.at = span.end;
        self.words.push(Word { kind, text, span });
    }

    fn text(&mut self) {
        let start = self.at;
        let escapes = self
            .words
            .last()
            .is_some_and(|word| word.is("e") && word.span.end == start);
        if !escapes {
            return self.enclosed('\'', Kind::Text);
        }
        let mut is_escaped = false;
        let end = self.rest()[1..].find(|letter: char| {
            let ends = letter == '\'' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            ends
        });
        let length = end.map_or(self.rest().len(), |end| end + 2);
        let text = self.rest()[..length].trim_matches('\'').to_owned();
        self.push_quoted(Kind::Text, text, length);
    }

    /// Reads what stands between two quotes, which are doubled inside.
    fn enclosed(&mut self, quote: char, kind: Kind) {
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1).peekable();
        let mut length = self.rest().len();
        while let Some((place, letter)) = letters.next() {
            if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
                length = place + 1;
                break;
            }
            text.push(letter);
        }
        self.push_quoted(kind, text, length);
    }

    /// Reads `$1` or `$tag$ ... $tag$`.
    fn dollar(&mut self) {
        let rest = self.rest();
        let digits = digits(&rest[1..]);
        if let Ok(number) = rest[1..=digits].parse::<usize>() {
            return self.push(Kind::Value(number.saturating_sub(1)), 1 + digits);
        }
        let tag = length(&rest[1..], |letter| letter.is_alphanumeric() || letter == '_');
        if !rest[1 + tag..].starts_with('$') {
            return self.push(Kind::Symbol, 1);
        }
        let (tag, body) = rest.split_at(tag + 2);
        let (text, length) = match body.find(tag) {
            Some(end) => (body[..end].to_owned(), end + 2 * tag.len()),
            None => (body.to_owned(), rest.len()),
        };
        self.push_quoted(Kind::Text, text, length);
    }
}

/// Returns the length of a comment, which may hold others.
fn comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn digits(text: &str) -> usize {
    length(text, |letter| letter.is_ascii_digit())
}

fn length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !belongs(letter)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Vec<String> {
        words(sql).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_are_seen_through_quotes_and_comments() {
        assert_eq!(
            read("SELECT \"A\"\"b\".Id -- x\n, /* /* y */ */ 'it''s', E'a\\'b', $q$ ; $q$, $2, ?"),
            [
                "select", "A\"b", ".", "id", ",", "it's", ",", "e", "a\\'b", ",", " ; ", ",", "$2", ",", "?"
            ]
        );
        assert_eq!(read("a::text 'open"), ["a", "::", "text", "open"]);
    }

    #[test]
    fn a_trigger_is_one_statement() {
        let sql = "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END; SELECT 1";
        assert_eq!(statements(&words(sql)).len(), 1);
        assert_eq!(statements(&words(";; SELECT 1; ; SELECT ';'")).len(), 2);
    }
}
