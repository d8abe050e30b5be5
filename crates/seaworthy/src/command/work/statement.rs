//! Recorded SQL taken apart into single statements and their tokens, as far as running a step depends on it.

use sea_orm::DbBackend;

/// One statement of a text, without its semicolon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    /// From its first token to its last.
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// In lower case.
    Word(String),
    /// A quoted name or a text, without its quotes.
    Quoted(String),
    Number(String),
    Symbol(char),
}

impl Token {
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }

    pub(super) fn is_symbol(&self, symbol: char) -> bool {
        *self == Self::Symbol(symbol)
    }

    /// Returns what a name or a value says, however it is written.
    pub(super) fn value(&self) -> Option<&str> {
        match self {
            Self::Word(text) | Self::Quoted(text) | Self::Number(text) => Some(text),
            Self::Symbol(_) => None,
        }
    }
}

impl Statement<'_> {
    /// Returns whether the statement begins with these words.
    pub(super) fn begins_with(&self, words: &[&str]) -> bool {
        self.tokens.len() >= words.len()
            && words
                .iter()
                .zip(&self.tokens)
                .all(|(word, token)| token.is_word(word))
    }

    /// Returns whether a word stands anywhere in the statement, outside of quotes.
    pub(super) fn has_word(&self, word: &str) -> bool {
        self.tokens.iter().any(|token| token.is_word(word))
    }
}

/// Returns the statements of a text; what is only a comment is none.
pub(super) fn statements(sql: &str, backend: DbBackend) -> Vec<Statement<'_>> {
    let mut reader = Reader {
        sql,
        at: 0,
        is_postgres: backend == DbBackend::Postgres,
    };
    let mut statements = Vec::new();
    let mut current = Current::default();
    while let Some((token, start)) = reader.next() {
        if token.is_symbol(';') && current.may_end() {
            statements.extend(current.finish(sql));
            current = Current::default();
        } else {
            current.push(token, start, reader.at);
        }
    }
    statements.extend(current.finish(sql));
    statements
}

/// The statement that is being read.
#[derive(Default)]
struct Current {
    tokens: Vec<Token>,
    start: usize,
    end: usize,
    parentheses: usize,
    /// How many bodies are open: of a trigger on SQLite, of `BEGIN ATOMIC` on PostgreSQL, of a CASE in one.
    bodies: usize,
}

impl Current {
    fn may_end(&self) -> bool {
        self.parentheses == 0 && self.bodies == 0
    }

    fn push(&mut self, token: Token, start: usize, end: usize) {
        if self.tokens.is_empty() {
            self.start = start;
        }
        self.end = end;
        match &token {
            Token::Symbol('(') => self.parentheses += 1,
            Token::Symbol(')') => self.parentheses = self.parentheses.saturating_sub(1),
            Token::Word(word) => match word.as_str() {
                "begin" if self.bodies == 0 && self.makes_a_trigger() => self.bodies += 1,
                "atomic" if self.tokens.last().is_some_and(|last| last.is_word("begin")) => self.bodies += 1,
                "case" if self.bodies > 0 => self.bodies += 1,
                "end" if self.bodies > 0 => self.bodies -= 1,
                _ => {}
            },
            _ => {}
        }
        self.tokens.push(token);
    }

    fn makes_a_trigger(&self) -> bool {
        let mut words = self.tokens.iter().take(4);
        words.next().is_some_and(|first| first.is_word("create")) && words.any(|word| word.is_word("trigger"))
    }

    fn finish(self, sql: &str) -> Option<Statement<'_>> {
        (!self.tokens.is_empty()).then(|| Statement {
            text: &sql[self.start..self.end],
            tokens: self.tokens,
        })
    }
}

struct Reader<'a> {
    sql: &'a str,
    /// Where the next letter stands, in bytes.
    at: usize,
    is_postgres: bool,
}

impl Reader<'_> {
    /// Returns the next token and where it begins.
    fn next(&mut self) -> Option<(Token, usize)> {
        self.skip_blank();
        let start = self.at;
        let letter = self.peek()?;
        let token = match letter {
            '\'' => self.quoted('\'', false),
            '"' => self.quoted('"', false),
            '`' if !self.is_postgres => self.quoted('`', false),
            '[' if !self.is_postgres => self.quoted(']', false),
            '$' if self.is_postgres && self.dollar_tag().is_some() => self.dollar_quoted(),
            _ if letter.is_ascii_digit() => {
                Token::Number(self.take_while(|letter| letter.is_alphanumeric() || letter == '.'))
            }
            _ if letter.is_alphabetic() || letter == '_' => {
                let word =
                    self.take_while(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$');
                if self.is_postgres && word.eq_ignore_ascii_case("e") && self.peek() == Some('\'') {
                    self.quoted('\'', true)
                } else {
                    Token::Word(word.to_lowercase())
                }
            }
            _ => {
                self.at += letter.len_utf8();
                Token::Symbol(letter)
            }
        };
        Some((token, start))
    }

    fn rest(&self) -> &str {
        &self.sql[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> String {
        let rest = self.rest();
        let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        let taken = rest[..length].to_owned();
        self.at += length;
        taken
    }

    /// Goes on to the end of what a text ends with, or to the end of everything.
    fn skip_past(&mut self, end: &str) {
        self.at += self
            .rest()
            .find(end)
            .map_or(self.rest().len(), |at| at + end.len());
    }

    fn skip_blank(&mut self) {
        loop {
            self.take_while(|letter| letter.is_whitespace() || letter == '\u{feff}');
            if self.rest().starts_with("--") {
                self.skip_past("\n");
            } else if self.rest().starts_with("/*") {
                self.skip_comment();
            } else {
                return;
            }
        }
    }

    /// Comments nest on PostgreSQL, and do not on SQLite.
    fn skip_comment(&mut self) {
        self.at += 2;
        let mut depth = 1;
        while depth > 0 && !self.rest().is_empty() {
            if self.rest().starts_with("*/") {
                depth -= 1;
                self.at += 2;
            } else if self.is_postgres && self.rest().starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else {
                self.at += self.peek().map_or(0, char::len_utf8);
            }
        }
    }

    /// Reads what stands in quotes; the first quote is the next letter.
    fn quoted(&mut self, end: char, has_escapes: bool) -> Token {
        let mut text = String::new();
        self.at += 1;
        while let Some(letter) = self.peek() {
            self.at += letter.len_utf8();
            if letter == '\\' && has_escapes {
                let escaped = self.peek();
                self.at += escaped.map_or(0, char::len_utf8);
                text.extend(escaped);
            } else if letter != end {
                text.push(letter);
            } else if self.peek() == Some(end) && end != ']' {
                self.at += 1;
                text.push(end);
            } else {
                break;
            }
        }
        Token::Quoted(text)
    }

    /// Returns the tag of a dollar quote that begins here, dollars included.
    fn dollar_tag(&self) -> Option<&str> {
        let inside = &self.rest()[1..];
        let length = inside.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
        let is_tag =
            inside[length..].starts_with('$') && !inside.starts_with(|letter: char| letter.is_ascii_digit());
        is_tag.then(|| &self.rest()[..length + 2])
    }

    fn dollar_quoted(&mut self) -> Token {
        let tag = self.dollar_tag().unwrap_or("$$").to_owned();
        self.at += tag.len();
        let start = self.at;
        self.skip_past(&tag);
        Token::Quoted(self.sql[start..self.at].trim_end_matches(tag.as_str()).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str, backend: DbBackend) -> Vec<&str> {
        statements(sql, backend)
            .into_iter()
            .map(|statement| statement.text)
            .collect()
    }

    #[test]
    fn a_semicolon_inside_of_something_ends_no_statement() {
        for (sql, backend, expected) in [
            (
                "SELECT 1; -- a; b\n SELECT 2 /* ; */ ;",
                DbBackend::Postgres,
                vec!["SELECT 1", "SELECT 2"],
            ),
            (
                "SELECT ';'; SELECT E'\\';'",
                DbBackend::Postgres,
                vec!["SELECT ';'", "SELECT E'\\';'"],
            ),
            (
                "DO $x$ BEGIN; COMMIT; END $x$; SELECT $1",
                DbBackend::Postgres,
                vec!["DO $x$ BEGIN; COMMIT; END $x$", "SELECT $1"],
            ),
            ("/* /* ; */ ; */ SELECT 1", DbBackend::Postgres, vec!["SELECT 1"]),
            (
                "/* /* */ SELECT 1; SELECT 2",
                DbBackend::Sqlite,
                vec!["SELECT 1", "SELECT 2"],
            ),
            (
                "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; SELECT 3; END; SELECT 4",
                DbBackend::Sqlite,
                vec![
                    "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; SELECT 3; END",
                    "SELECT 4",
                ],
            ),
            (
                "SELECT [a;b], `c;d`, \"e;\"\"f\"; SELECT 2",
                DbBackend::Sqlite,
                vec!["SELECT [a;b], `c;d`, \"e;\"\"f\"", "SELECT 2"],
            ),
            (
                "CREATE RULE r AS ON INSERT TO a DO (SELECT 1; SELECT 2); SELECT 3",
                DbBackend::Postgres,
                vec![
                    "CREATE RULE r AS ON INSERT TO a DO (SELECT 1; SELECT 2)",
                    "SELECT 3",
                ],
            ),
            ("-- nothing", DbBackend::Sqlite, vec![]),
            (
                "SELECT 'never closed; SELECT 2",
                DbBackend::Sqlite,
                vec!["SELECT 'never closed; SELECT 2"],
            ),
        ] {
            assert_eq!(texts(sql, backend), expected, "{sql}");
        }
    }
}
