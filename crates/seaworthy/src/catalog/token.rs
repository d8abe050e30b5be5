//! SQL text in, tokens out: as much as it takes to compare expressions and to read SQLite's own schema.
//!
//! Understands the quotes of both databases. Nothing here can fail: what is not closed goes on to the end of the text.

use std::ops::Range;

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Of a quoted name and a string what the quotes hold, of everything else the text as it stands.
    pub(super) text: String,
    pub(super) range: Range<usize>,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    QuotedName,
    Text,
    Number,
    Symbol,
}

impl Token {
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    pub(super) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::QuotedName)
    }
}

/// Returns the tokens of a text, without white space and comments.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let (kind, length) = match letter {
            _ if letter.is_whitespace() => {
                at += letter.len_utf8();
                continue;
            }
            '-' if rest.starts_with("--") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '/' if rest.starts_with("/*") => {
                at += rest.find("*/").map_or(rest.len(), |end| end + 2);
                continue;
            }
            '\'' => (Kind::Text, quoted_length(rest, '\'')),
            // PostgreSQL's, with escapes.
            'e' | 'E' if rest[1..].starts_with('\'') => (Kind::Text, 1 + escaped_length(&rest[1..])),
            '"' | '`' => (Kind::QuotedName, quoted_length(rest, letter)),
            // Only SQLite quotes names like this; PostgreSQL's brackets follow a word or another bracket.
            '[' if opens_name(tokens.last(), at) => {
                (Kind::QuotedName, rest.find(']').map_or(rest.len(), |end| end + 1))
            }
            _ if letter.is_ascii_digit() || is_fraction(rest) => (Kind::Number, number_length(rest)),
            _ if is_word_start(letter) => (Kind::Word, length_while(rest, is_word_part)),
            _ => (Kind::Symbol, symbol_length(rest)),
        };
        let range = at..at + length;
        let text = match kind {
            Kind::Text if letter != '\'' => unescaped(&sql[range.clone()][1..]),
            Kind::Text | Kind::QuotedName => unquoted(&sql[range.clone()]),
            _ => sql[range.clone()].to_owned(),
        };
        at = range.end;
        tokens.push(Token { kind, text, range });
    }
    tokens
}

/// PostgreSQL's subscripts and array literals touch what they belong to; SQLite's quoted names stand apart.
fn opens_name(before: Option<&Token>, at: usize) -> bool {
    before.is_none_or(|token| {
        let touches = token.range.end == at;
        !(touches && (token.is_name() || token.is_symbol("]") || token.is_symbol(")")))
            && !token.is_symbol("[")
    })
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((index, letter)) = letters.next() {
        if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return index + quote.len_utf8();
        }
    }
    rest.len()
}

/// Returns how long a text is in which a backslash takes the letter after it along.
fn escaped_length(rest: &str) -> usize {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((index, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '\'' if letters.next_if(|(_, next)| *next == '\'').is_none() => return index + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Returns what a text with escapes holds; those by number stay as they are written.
fn unescaped(text: &str) -> String {
    let inside = text.strip_prefix('\'').unwrap_or(text);
    let mut letters = inside.strip_suffix('\'').unwrap_or(inside).chars().peekable();
    let mut held = String::new();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\'', Some('\'')) => drop(letters.next()),
            ('\\', Some('x' | 'u' | 'U' | '0'..='7') | None) => {}
            ('\\', Some(_)) => {
                held.extend(letters.next().map(|next| match next {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    _ => next,
                }));
                continue;
            }
            _ => {}
        }
        held.push(letter);
    }
    held
}

fn unquoted(text: &str) -> String {
    let mut letters = text.chars();
    let Some(open) = letters.next() else {
        return String::new();
    };
    let close = if open == '[' { ']' } else { open };
    let inside = text[open.len_utf8()..].strip_suffix(close);
    inside
        .unwrap_or(&text[open.len_utf8()..])
        .replace(&format!("{close}{close}"), &close.to_string())
}

fn is_fraction(rest: &str) -> bool {
    let mut letters = rest.chars();
    letters.next() == Some('.') && letters.next().is_some_and(|next| next.is_ascii_digit())
}

fn number_length(rest: &str) -> usize {
    let mut length = length_while(rest, |letter| letter.is_ascii_alphanumeric() || letter == '.');
    let has_exponent = rest[..length].ends_with(['e', 'E']) && !rest.starts_with("0x");
    if has_exponent && rest[length..].starts_with(['+', '-']) {
        length += 1 + length_while(&rest[length + 1..], |letter| letter.is_ascii_digit());
    }
    length
}

fn length_while(rest: &str, belongs: fn(char) -> bool) -> usize {
    rest.find(|letter| !belongs(letter)).unwrap_or(rest.len())
}

fn symbol_length(rest: &str) -> usize {
    const LONG: [&str; 17] = [
        "->>", "#>>", "!~*", "::", "<=", ">=", "<>", "!=", "==", "||", "->", "#>", "@>", "<@", "&&", "~*",
        "!~",
    ];
    let long = LONG.iter().find(|symbol| rest.starts_with(**symbol));
    long.map_or_else(
        || rest.chars().next().map_or(0, char::len_utf8),
        |symbol| symbol.len(),
    )
}

fn is_word_start(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

fn is_word_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};

    fn read(sql: &str) -> Vec<(Kind, String)> {
        tokens(sql)
            .into_iter()
            .map(|token| (token.kind, token.text))
            .collect()
    }

    #[test]
    fn every_kind_of_quote_is_taken_off() {
        let texts: Vec<String> = read(r#"'it''s' "a ""b""" `c` [d e]"#)
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(texts, ["it's", r#"a "b""#, "c", "d e"]);
    }

    #[test]
    fn a_text_with_escapes_ends_where_postgresql_ends_it() {
        let read = read(r"E'it\'s' || e'a\\' || E'b''\n\x41' || 'c\'");
        let texts: Vec<&str> = read
            .iter()
            .filter(|(kind, _)| *kind == Kind::Text)
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(texts, ["it's", r"a\", "b'\n\\x41", r"c\"]);
    }

    #[test]
    fn an_array_is_not_a_quoted_name() {
        let kinds: Vec<Kind> = read("ARRAY['a'::text]::text[]")
            .into_iter()
            .map(|(kind, _)| kind)
            .collect();
        assert!(!kinds.contains(&Kind::QuotedName));
    }

    #[test]
    fn comments_are_left_out_and_what_is_not_closed_ends_with_the_text() {
        assert_eq!(
            read("a -- b\n/* c */ 'd"),
            [(Kind::Word, "a".to_owned()), (Kind::Text, "d".to_owned())]
        );
        assert_eq!(
            read("1e-5 .5"),
            [(Kind::Number, "1e-5".to_owned()), (Kind::Number, ".5".to_owned())]
        );
    }
}
