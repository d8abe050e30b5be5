//! Where quotes, comments and code begin and end in SQL text, read as `psql` or `sqlite3` reads it.

use super::Client;

/// What a part of SQL text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Code,
    Quoted,
    Comment,
}

/// A part of SQL text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

/// SQL text in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spans<'a> {
    /// All of the text, in order.
    pub(super) all: Vec<Span<'a>>,
    /// What the last part opens and does not close.
    pub(super) unclosed: Option<&'static str>,
}

/// A word, a symbol, or what stands in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// In upper case, without quotes.
    pub(super) text: String,
    pub(super) is_quoted: bool,
}

/// One of the statements of a text, without comments and its semicolon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words(pub(super) Vec<Word>);

impl Words {
    /// Returns whether the statement begins with these keywords.
    pub(super) fn begin_with(&self, keywords: &[&str]) -> bool {
        self.0.len() >= keywords.len() && self.has_at(0, keywords)
    }

    /// Returns whether these keywords stand next to each other somewhere in the statement.
    pub(super) fn contain(&self, keywords: &[&str]) -> bool {
        (0..self.0.len()).any(|place| self.has_at(place, keywords))
    }

    fn has_at(&self, place: usize, keywords: &[&str]) -> bool {
        let words = self.0.iter().skip(place).map(Some).chain(std::iter::repeat(None));
        keywords
            .iter()
            .zip(words)
            .all(|(keyword, word)| word.is_some_and(|word| !word.is_quoted && word.text == *keyword))
    }

    fn makes_trigger(&self) -> bool {
        self.begin_with(&["CREATE"]) && self.0.iter().take(3).any(|word| word.text == "TRIGGER")
    }
}

impl<'a> Spans<'a> {
    pub(super) fn read(client: Client, sql: &'a str) -> Self {
        let mut spans = Self::default();
        let (mut start, mut at) = (0, 0);
        while at < sql.len() {
            let Some(found) = opened_at(client, sql, at) else {
                at += sql[at..].chars().next().map_or(1, char::len_utf8);
                continue;
            };
            spans.push(Kind::Code, &sql[start..at]);
            let end = match found.closed_at(&sql[at..]) {
                Some(length) => at + length,
                None => {
                    spans.unclosed = found.what_is_unclosed();
                    sql.len()
                }
            };
            spans.push(found.kind(), &sql[at..end]);
            (start, at) = (end, end);
        }
        spans.push(Kind::Code, &sql[start..]);
        spans
    }

    fn push(&mut self, kind: Kind, text: &'a str) {
        if !text.is_empty() {
            self.all.push(Span { kind, text });
        }
    }

    /// Returns the statements between semicolons; the last one is empty where a semicolon ends the text.
    pub(super) fn statements(&self) -> Vec<Words> {
        let mut statements = vec![Words::default()];
        let (mut depth, mut body) = (0_usize, 0_usize);
        for word in self.all.iter().flat_map(Span::words) {
            let current = statements.last_mut().expect("there always is one");
            let keyword = if word.is_quoted { "" } else { word.text.as_str() };
            match keyword {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                "ATOMIC" if current.0.last().is_some_and(|last| last.text == "BEGIN") => body = 1,
                "BEGIN" if body == 0 && current.makes_trigger() => body = 1,
                "CASE" if body > 0 => body += 1,
                "END" if body > 0 => body -= 1,
                _ => {}
            }
            if keyword == ";" && depth == 0 && body == 0 {
                statements.push(Words::default());
            } else {
                current.0.push(word);
            }
        }
        statements
    }
}

impl Span<'_> {
    fn words(&self) -> Vec<Word> {
        match self.kind {
            Kind::Comment => Vec::new(),
            Kind::Quoted => vec![Word {
                text: unquoted(self.text).to_uppercase(),
                is_quoted: true,
            }],
            Kind::Code => code_words(self.text),
        }
    }
}

fn code_words(code: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut goes_on = false;
    for letter in code.chars() {
        let is_letter = is_identifier(letter);
        match words.last_mut() {
            Some(word) if goes_on && is_letter => word.text.extend(letter.to_uppercase()),
            _ if letter.is_whitespace() => {}
            _ => words.push(Word {
                text: letter.to_uppercase().collect(),
                is_quoted: false,
            }),
        }
        goes_on = is_letter;
    }
    words
}

pub(super) fn is_identifier(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$' || !letter.is_ascii()
}

fn unquoted(text: &str) -> &str {
    let mut letters = text.chars();
    letters.next();
    letters.next_back();
    letters.as_str()
}

/// What begins at a place that is not code.
#[derive(Clone, Copy, Debug)]
enum Opened<'a> {
    LineComment {
        ends: &'static [char],
    },
    BlockComment {
        is_nested: bool,
    },
    /// Closed by this letter; doubled, it stands for itself.
    Quotes {
        closing: char,
        has_escapes: bool,
    },
    Brackets,
    Dollars {
        tag: &'a str,
    },
}

fn opened_at(client: Client, sql: &str, at: usize) -> Option<Opened<'_>> {
    let rest = &sql[at..];
    let before = &sql[..at];
    let is_psql = client == Client::Psql;
    let quotes = |closing| Opened::Quotes {
        closing,
        has_escapes: is_psql && closing == '\'' && has_escape_mark(before),
    };
    match rest.as_bytes() {
        [b'-', b'-', ..] if is_psql => Some(Opened::LineComment { ends: &['\n', '\r'] }),
        [b'-', b'-', ..] => Some(Opened::LineComment { ends: &['\n'] }),
        [b'/', b'*', ..] => Some(Opened::BlockComment { is_nested: is_psql }),
        [b'\'', ..] => Some(quotes('\'')),
        [b'"', ..] => Some(quotes('"')),
        [b'`', ..] if !is_psql => Some(quotes('`')),
        [b'[', ..] if !is_psql => Some(Opened::Brackets),
        [b'$', ..] if is_psql && !before.ends_with(is_identifier) => {
            dollar_tag(rest).map(|tag| Opened::Dollars { tag })
        }
        _ => None,
    }
}

/// `E'...'`, in which a backslash escapes (PostgreSQL's manual, "String Constants with C-Style Escapes").
fn has_escape_mark(before: &str) -> bool {
    before
        .strip_suffix(['e', 'E'])
        .is_some_and(|before| !before.ends_with(is_identifier))
}

/// Returns `$$` or `$tag$` where the text begins with one.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 1;
    let name = &text[1..end];
    let is_name = name.chars().all(is_identifier) && !name.starts_with(|first: char| first.is_ascii_digit());
    is_name.then(|| &text[..=end])
}

impl Opened<'_> {
    fn kind(self) -> Kind {
        match self {
            Self::LineComment { .. } | Self::BlockComment { .. } => Kind::Comment,
            Self::Quotes { .. } | Self::Brackets | Self::Dollars { .. } => Kind::Quoted,
        }
    }

    /// Returns what is missing where nothing closes it: a comment of a line ends with the text.
    fn what_is_unclosed(self) -> Option<&'static str> {
        match self {
            Self::LineComment { .. } => None,
            Self::BlockComment { .. } => Some("comment"),
            Self::Quotes { .. } | Self::Brackets => Some("quote"),
            Self::Dollars { .. } => Some("dollar quote"),
        }
    }

    /// Returns the length in bytes up to behind what closes it.
    fn closed_at(self, text: &str) -> Option<usize> {
        match self {
            Self::LineComment { ends } => text.find(ends),
            Self::BlockComment { is_nested } => end_of_block(text, is_nested),
            Self::Quotes { closing, has_escapes } => end_of_quotes(text, closing, has_escapes),
            Self::Brackets => text.find(']').map(|place| place + 1),
            Self::Dollars { tag } => text[tag.len()..].find(tag).map(|place| place + 2 * tag.len()),
        }
    }
}

fn end_of_block(text: &str, is_nested: bool) -> Option<usize> {
    let (mut depth, mut at) = (1_usize, 2);
    while depth > 0 {
        let rest = text.get(at..)?;
        let close = rest.find("*/")?;
        match rest.find("/*").filter(|open| is_nested && *open < close) {
            Some(open) => (depth, at) = (depth + 1, at + open + 2),
            None => (depth, at) = (depth - 1, at + close + 2),
        }
    }
    Some(at)
}

fn end_of_quotes(text: &str, closing: char, has_escapes: bool) -> Option<usize> {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((place, letter)) = letters.next() {
        if letter == '\\' && has_escapes {
            letters.next();
        } else if letter == closing && letters.next_if(|(_, next)| *next == closing).is_none() {
            return Some(place + closing.len_utf8());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(client: Client, sql: &str) -> Vec<&str> {
        let spans = Spans::read(client, sql);
        assert_eq!(spans.unclosed, None, "{sql}");
        spans.all.iter().map(|span| span.text).collect()
    }

    #[test]
    fn quotes_and_comments_end_where_each_client_ends_them() {
        for (sql, expected) in [
            ("a 'b''c' d", ["a ", "'b''c'", " d"]),
            ("a E'b\\'c' d", ["a E", "'b\\'c'", " d"]),
            ("a /* b /* c */ */ d", ["a ", "/* b /* c */ */", " d"]),
            ("a $x$ -- $$ $x$ d", ["a ", "$x$ -- $$ $x$", " d"]),
            ("a -- b'\n d", ["a ", "-- b'", "\n d"]),
        ] {
            assert_eq!(parts(Client::Psql, sql), expected);
        }
        for (sql, expected) in [
            ("a [b'c] d", ["a ", "[b'c]", " d"]),
            ("a `b``c` d", ["a ", "`b``c`", " d"]),
            ("a 'b\\' d", ["a ", "'b\\'", " d"]),
            ("a /* b /* c */ d", ["a ", "/* b /* c */", " d"]),
            ("a -- b\r'\n d", ["a ", "-- b\r'", "\n d"]),
        ] {
            assert_eq!(parts(Client::Sqlite3, sql), expected);
        }
    }

    #[test]
    fn what_is_not_closed_is_named() {
        for (sql, unclosed) in [
            ("SELECT 'a", Some("quote")),
            ("SELECT 1 /* a", Some("comment")),
            ("DO $$ BEGIN", Some("dollar quote")),
            ("SELECT a$b, $1 -- a", None),
        ] {
            assert_eq!(Spans::read(Client::Psql, sql).unclosed, unclosed, "{sql}");
        }
    }

    #[test]
    fn a_semicolon_in_a_body_ends_no_statement() {
        let count = |client, sql| Spans::read(client, sql).statements().len();
        let trigger = "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN c THEN 1 END; SELECT 1; END; SELECT 2";
        assert_eq!(count(Client::Sqlite3, trigger), 2);
        let function = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT ';'";
        assert_eq!(count(Client::Psql, function), 2);
        assert_eq!(
            count(
                Client::Psql,
                "CREATE RULE r AS ON INSERT TO a DO (SELECT 1; SELECT 2)"
            ),
            1
        );
    }
}
