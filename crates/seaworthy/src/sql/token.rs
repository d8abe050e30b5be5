//! SQL text in, tokens out: strings, dollar quotes, comments and quoted names as the server of a dialect reads them.
//!
//! Nothing here can fail: what is not closed goes on to the end of the text, and the last statement says so. Sources:
//! PostgreSQL manual, "Lexical Structure"; SQLite manual, "SQL Language Expressions" and "SQL Comment Syntax".

use std::ops::Range;

use super::Dialect;

/// A token and the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// What it says: a word folded as the server folds it, a string or a quoted name without its quotes.
    pub(crate) text: String,
    pub(crate) line: usize,
    /// Where it stands, in bytes of the text that was read.
    pub(crate) span: Range<usize>,
    /// Whose SQL it is.
    pub(crate) dialect: Dialect,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Quoted,
    Text,
    Number,
    Symbol,
    /// A line for psql or the shell of SQLite, up to its end; `text` is the line.
    Client,
}

/// A comment that speaks to the linter, and the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// What follows `seaworthy:`.
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    pub(crate) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }

    /// Returns the name that the server makes of it, if it may stand where one is wanted.
    pub(crate) fn name(&self) -> Option<String> {
        match (self.dialect, self.kind) {
            // The server says nothing when it cuts a name in an object that is there.
            (Dialect::Postgresql, Kind::Word | Kind::Quoted) => {
                Some(self.text[..self.text.floor_char_boundary(LONGEST_NAME)].to_owned())
            }
            (Dialect::Sqlite, Kind::Word | Kind::Quoted) => Some(self.text.clone()),
            // On SQLite a string may be a name.
            (Dialect::Sqlite, Kind::Text) => Some(self.text.to_ascii_lowercase()),
            (_, Kind::Text | Kind::Number | Kind::Symbol | Kind::Client) => None,
        }
    }
}

/// Longest name that PostgreSQL keeps, in bytes: `NAMEDATALEN` less the closing one (manual, "Lexical Structure").
pub(crate) const LONGEST_NAME: usize = 63;

/// The tokens of a text.
pub(super) struct Tokens {
    pub(super) tokens: Vec<Token>,
    /// Each remark with the number of tokens before it.
    pub(super) remarks: Vec<(usize, Remark)>,
    /// What is opened and never closed.
    pub(super) unclosed: Option<&'static str>,
}

/// Returns the tokens of a text.
pub(crate) fn tokens(sql: &str, dialect: Dialect) -> Vec<Token> {
    tokens_and_remarks(sql, dialect).tokens
}

/// Returns the tokens of a text, and what stands beside them.
pub(super) fn tokens_and_remarks(sql: &str, dialect: Dialect) -> Tokens {
    Lexer::new(sql, dialect).run()
}

struct Lexer<'a> {
    sql: &'a str,
    dialect: Dialect,
    at: usize,
    line: usize,
    /// Whether only blanks stand before this place on its line, so that the shell of SQLite would take a dot for a command.
    is_line_start: bool,
    /// Where the tokens of the current statement begin.
    statement: usize,
    found: Tokens,
}

impl<'a> Lexer<'a> {
    fn new(sql: &'a str, dialect: Dialect) -> Self {
        Self {
            sql,
            dialect,
            at: if sql.starts_with('\u{feff}') { 3 } else { 0 },
            line: 1,
            is_line_start: true,
            statement: 0,
            found: Tokens {
                tokens: Vec::new(),
                remarks: Vec::new(),
                unclosed: None,
            },
        }
    }

    fn run(mut self) -> Tokens {
        while let Some(letter) = self.peek(0) {
            if letter.is_ascii_whitespace() || letter == '\u{b}' {
                self.skip(1);
                continue;
            }
            let is_line_start = std::mem::take(&mut self.is_line_start);
            match letter {
                '-' if self.peek(1) == Some('-') => self.line_comment(),
                '/' if self.peek(1) == Some('*') => self.block_comment(),
                '\'' => self.quoted('\'', Quote::plain(Kind::Text), 0),
                '"' => self.quoted('"', Quote::plain(Kind::Quoted), 0),
                '`' if self.is_sqlite() => self.quoted('`', Quote::plain(Kind::Quoted), 0),
                '[' if self.is_sqlite() => self.quoted(']', Quote::plain(Kind::Quoted), 0),
                '$' if !self.is_sqlite() => self.dollar(),
                '\\' if !self.is_sqlite() => self.client_line(),
                '.' if self.is_sqlite() && is_line_start && self.is_between_statements() => {
                    self.client_line();
                }
                _ if letter.is_ascii_digit() => self.while_letters(Kind::Number, |letter| {
                    letter.is_ascii_alphanumeric() || letter == '.' || letter == '_'
                }),
                _ if is_word_start(letter) => self.word(letter),
                _ => self.symbol(),
            }
        }
        self.found
    }

    fn is_sqlite(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }

    fn is_between_statements(&self) -> bool {
        self.found.tokens.len() == self.statement
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.sql[self.at..].chars().nth(ahead)
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            let Some(letter) = self.peek(0) else { return };
            if letter == '\n' {
                self.line += 1;
                self.is_line_start = true;
            }
            self.at += letter.len_utf8();
        }
    }

    fn push(&mut self, kind: Kind, text: String, line: usize, start: usize) {
        self.found.tokens.push(Token {
            kind,
            text,
            line,
            span: start..self.at,
            dialect: self.dialect,
        });
    }

    fn line_comment(&mut self) {
        // PostgreSQL's comments also end at a carriage return, SQLite's do not.
        let is_end = |letter: char| letter == '\n' || letter == '\r' && self.dialect == Dialect::Postgresql;
        let rest = &self.sql[self.at..];
        let comment = rest.split(is_end).next().unwrap_or_default();
        self.at += comment.len();
        if let Some(text) = comment[2..].trim().strip_prefix("seaworthy:") {
            let (text, line) = (text.trim().to_owned(), self.line);
            self.found
                .remarks
                .push((self.found.tokens.len(), Remark { text, line }));
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                // SQLite's comments hold no others.
                (Some('/'), Some('*')) if depth == 0 || !self.is_sqlite() => {
                    depth += 1;
                    self.skip(2);
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.skip(2);
                    if depth == 0 {
                        return;
                    }
                }
                (Some(_), _) => self.skip(1),
                (None, _) => {
                    // SQLite takes the end of the text for the end of a comment.
                    if !self.is_sqlite() {
                        self.found.unclosed = Some("a comment");
                    }
                    return;
                }
            }
        }
    }

    /// Reads what stands in quotes, after a prefix such as `E` or `U&`; `quote` is the closing one.
    fn quoted(&mut self, quote: char, how: Quote, prefix: usize) {
        let (line, start) = (self.line, self.at);
        self.skip(prefix + 1);
        let mut text = String::new();
        loop {
            match self.peek(0) {
                None => {
                    self.found.unclosed = Some("a quote");
                    break;
                }
                Some('\\') if how.escape == Escape::Backslash => {
                    text.extend(self.peek(1));
                    self.skip(2);
                }
                Some('\\') if how.escape == Escape::Unicode => self.unicode(&mut text),
                Some(letter) if letter == quote && quote != ']' && self.peek(1) == Some(quote) => {
                    text.push(quote);
                    self.skip(2);
                }
                Some(letter) if letter == quote => {
                    self.skip(1);
                    break;
                }
                Some(letter) => {
                    text.push(letter);
                    self.skip(1);
                }
            }
        }
        if self.is_sqlite() && how.kind == Kind::Quoted {
            text.make_ascii_lowercase();
        }
        self.push(how.kind, text, line, start);
    }

    /// Reads `\0061` or `\+000061` of a `U&` string.
    fn unicode(&mut self, text: &mut String) {
        self.skip(1);
        let digits = match self.peek(0) {
            Some('+') => {
                self.skip(1);
                6
            }
            Some('\\') => {
                text.push('\\');
                self.skip(1);
                return;
            }
            _ => 4,
        };
        let code: String = self.sql[self.at..].chars().take(digits).collect();
        let Some(letter) = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32) else {
            return;
        };
        text.push(letter);
        self.skip(digits);
    }

    /// Reads a dollar-quoted string or a parameter.
    fn dollar(&mut self) {
        let (line, start) = (self.line, self.at);
        let rest = &self.sql[self.at + 1..];
        let tag_end = rest
            .find(|letter: char| !(is_word_start(letter) || letter.is_ascii_digit()))
            .unwrap_or(rest.len());
        let is_parameter = rest.starts_with(|letter: char| letter.is_ascii_digit());
        if is_parameter || !rest[tag_end..].starts_with('$') {
            self.at += 1 + tag_end;
            let text = self.sql[start..self.at].to_owned();
            self.push(Kind::Number, text, line, start);
            return;
        }
        let tag = &self.sql[self.at..self.at + tag_end + 2];
        let body = &self.sql[self.at + tag.len()..];
        let length = body.find(tag);
        if length.is_none() {
            self.found.unclosed = Some("a dollar quote");
        }
        let text = body[..length.unwrap_or(body.len())].to_owned();
        self.line += text.matches('\n').count();
        self.at += tag.len() + length.map_or(body.len(), |length| length + tag.len());
        self.push(Kind::Text, text, line, start);
    }

    /// Reads a command for psql or the shell of SQLite: it goes on to the end of its line.
    fn client_line(&mut self) {
        let (line, start) = (self.line, self.at);
        let rest = &self.sql[self.at..];
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        self.at += end;
        self.push(Kind::Client, rest[..end].trim_end().to_owned(), line, start);
    }

    fn word(&mut self, letter: char) {
        let is_postgres = self.dialect == Dialect::Postgresql;
        match (letter.to_ascii_lowercase(), self.peek(1), self.peek(2)) {
            ('e', Some('\''), _) if is_postgres => {
                self.quoted('\'', Quote::escaped(Kind::Text, Escape::Backslash), 1);
            }
            ('b' | 'n', Some('\''), _) if is_postgres => self.quoted('\'', Quote::plain(Kind::Text), 1),
            ('x', Some('\''), _) => self.quoted('\'', Quote::plain(Kind::Text), 1),
            ('u', Some('&'), Some('\'')) if is_postgres => {
                self.quoted('\'', Quote::escaped(Kind::Text, Escape::Unicode), 2);
            }
            ('u', Some('&'), Some('"')) if is_postgres => {
                self.quoted('"', Quote::escaped(Kind::Quoted, Escape::Unicode), 2);
            }
            _ => self.while_letters(Kind::Word, |letter| {
                is_word_start(letter) || letter.is_ascii_digit() || letter == '$'
            }),
        }
    }

    fn while_letters(&mut self, kind: Kind, belongs: fn(char) -> bool) {
        let (line, start) = (self.line, self.at);
        let rest = &self.sql[self.at..];
        self.at += rest.find(|letter| !belongs(letter)).unwrap_or(rest.len());
        // The server folds the letters of ASCII and no others.
        let text = self.sql[start..self.at].to_ascii_lowercase();
        self.push(kind, text, line, start);
    }

    fn symbol(&mut self) {
        const PAIRS: [&str; 11] = ["::", "<=", ">=", "<>", "!=", "||", ":=", "=>", "->", "@>", "&&"];
        let (line, start) = (self.line, self.at);
        let pair: String = self.sql[self.at..].chars().take(2).collect();
        let text = if PAIRS.contains(&pair.as_str()) {
            pair
        } else {
            pair.chars().take(1).collect()
        };
        self.skip(text.chars().count());
        let ends_statement = text == ";";
        self.push(Kind::Symbol, text, line, start);
        if ends_statement {
            self.skip_copied_rows();
            self.statement = self.found.tokens.len();
        }
    }

    /// Goes past the rows that psql sends for a `COPY ... FROM STDIN`, up to the line `\.` that ends them.
    fn skip_copied_rows(&mut self) {
        let statement = &self.found.tokens[self.statement..];
        let copies = statement.first().is_some_and(|token| token.is_word("copy"))
            && statement
                .windows(2)
                .any(|pair| pair[0].is_word("from") && pair[1].is_word("stdin"));
        if !copies {
            return;
        }
        let rest = &self.sql[self.at..];
        let mut length = 0;
        for line in rest.split_inclusive('\n') {
            length += line.len();
            if line.trim_end_matches(['\n', '\r']) == "\\." {
                self.line += rest[..length].matches('\n').count();
                self.at += length;
                self.is_line_start = true;
                return;
            }
        }
    }
}

/// What the quotes of a token mean.
#[derive(Clone, Copy)]
struct Quote {
    kind: Kind,
    escape: Escape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    None,
    Backslash,
    Unicode,
}

impl Quote {
    fn plain(kind: Kind) -> Self {
        Self::escaped(kind, Escape::None)
    }

    fn escaped(kind: Kind, escape: Escape) -> Self {
        Self { kind, escape }
    }
}

/// Every letter beyond ASCII may stand in a name, whatever it is.
fn is_word_start(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_' || !letter.is_ascii()
}
