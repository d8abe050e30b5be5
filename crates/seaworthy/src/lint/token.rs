//! SQL text in, statements of tokens out: strings, dollar quotes, comments and quoted names as PostgreSQL reads them.
//!
//! Nothing here can fail: what is not closed goes on to the end of the text, and the statement says so.

use std::ops::Range;

/// A token and the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) line: usize,
}

/// What a token is; `text` of a word is folded to lower case, of a string and a quoted name it is what the quotes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Quoted,
    Text,
    Number,
    Symbol,
}

/// The tokens between two semicolons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) tokens: Vec<Token>,
    /// What is opened in it and never closed.
    pub(super) unclosed: Option<&'static str>,
    /// Its text, from the first token to the last.
    pub(super) source: String,
    /// The comments before it and inside of it that begin with `seaworthy:`, without that.
    pub(super) remarks: Vec<Remark>,
}

/// A comment that speaks to the linter, and the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) text: String,
    pub(super) line: usize,
}

impl Token {
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    pub(super) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }
}

/// Returns the statements of a text, without empty ones.
pub(super) fn sentences(sql: &str) -> Vec<Sentence> {
    read(sql).0
}

/// Returns the statements of a text, without empty ones, and the remarks behind the last one.
///
/// A remark belongs to the statement that it stands before or in, or at the end of whose line it stands.
pub(super) fn read(sql: &str) -> (Vec<Sentence>, Vec<Remark>) {
    let lexed = Lexer::new(sql).run();
    let unclosed = lexed.unclosed;
    let mut sentences: Vec<Sentence> = Vec::new();
    let mut current = Sentence::default();
    let mut remarks = lexed.remarks.into_iter().peekable();
    let (mut depth, mut atomic) = (0_usize, 0_usize);
    let (mut start, mut end, mut last_line) = (0, 0, 0);
    let text = |start: usize, end: usize| lexed.letters[start..end].iter().collect::<String>();
    for (index, (token, span)) in lexed.tokens.into_iter().zip(lexed.spans).enumerate() {
        while let Some((_, remark)) = remarks.next_if(|(before, _)| *before <= index) {
            owner(&mut sentences, &mut current, last_line, &remark).push(remark);
        }
        match token.text.as_str() {
            "(" if token.kind == Kind::Symbol => depth += 1,
            ")" if token.kind == Kind::Symbol => depth = depth.saturating_sub(1),
            "atomic" if follows(&current, "begin") => atomic += 1,
            // The body of a trigger on SQLite.
            "begin" if atomic == 0 && makes_a_trigger(&current) => atomic += 1,
            "case" if atomic > 0 && token.kind == Kind::Word => atomic += 1,
            "end" if atomic > 0 && token.kind == Kind::Word => atomic -= 1,
            _ => {}
        }
        if token.is_symbol(";") && depth == 0 && atomic == 0 {
            if !current.tokens.is_empty() {
                last_line = token.line;
                current.source = text(start, end);
                sentences.push(std::mem::take(&mut current));
            }
        } else {
            if current.tokens.is_empty() {
                start = span.start;
            }
            end = span.end;
            current.tokens.push(token);
        }
    }
    current.unclosed = match depth {
        0 => unclosed,
        _ => unclosed.or(Some("a parenthesis")),
    };
    for (_, remark) in remarks {
        owner(&mut sentences, &mut current, last_line, &remark).push(remark);
    }
    let mut behind = Vec::new();
    if !current.tokens.is_empty() {
        current.source = text(start, end);
        sentences.push(current);
    } else {
        behind = current.remarks;
        if let (Some(what), Some(last)) = (unclosed, sentences.last_mut()) {
            last.unclosed = Some(what);
        }
    }
    (sentences, behind)
}

/// Returns the remarks of the statement that a remark belongs to.
fn owner<'a>(
    sentences: &'a mut [Sentence],
    current: &'a mut Sentence,
    last_line: usize,
    remark: &Remark,
) -> &'a mut Vec<Remark> {
    match sentences.last_mut() {
        Some(last) if current.tokens.is_empty() && remark.line == last_line => &mut last.remarks,
        _ => &mut current.remarks,
    }
}

fn makes_a_trigger(sentence: &Sentence) -> bool {
    let mut words = sentence.tokens.iter().take(3);
    sentence
        .tokens
        .first()
        .is_some_and(|token| token.is_word("create"))
        && words.any(|token| token.is_word("trigger"))
}

fn follows(sentence: &Sentence, word: &str) -> bool {
    sentence.tokens.last().is_some_and(|token| token.is_word(word))
}

struct Lexer {
    letters: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
    /// Where each token stands.
    spans: Vec<Range<usize>>,
    /// Each remark with the number of tokens before it.
    remarks: Vec<(usize, Remark)>,
    unclosed: Option<&'static str>,
}

impl Lexer {
    fn new(sql: &str) -> Self {
        Self {
            letters: sql.trim_start_matches('\u{feff}').chars().collect(),
            at: 0,
            line: 1,
            tokens: Vec::new(),
            spans: Vec::new(),
            remarks: Vec::new(),
            unclosed: None,
        }
    }

    fn run(mut self) -> Self {
        while let Some(letter) = self.peek(0) {
            let start = self.at;
            match letter {
                _ if letter.is_whitespace() => self.skip(1),
                '-' if self.peek(1) == Some('-') => self.line_comment(),
                '/' if self.peek(1) == Some('*') => self.block_comment(),
                '\'' => self.quoted('\'', Kind::Text, false, 0),
                '"' => self.quoted('"', Kind::Quoted, false, 0),
                '$' => self.dollar(),
                _ if letter.is_ascii_digit() => self.while_letters(Kind::Number, |letter| {
                    letter.is_ascii_alphanumeric() || letter == '.' || letter == '_'
                }),
                _ if is_word_start(letter) => self.word(letter),
                _ => self.symbol(),
            }
            if self.spans.len() < self.tokens.len() {
                self.spans.push(start..self.at.min(self.letters.len()));
            }
        }
        self
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            if self.peek(0) == Some('\n') {
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn push(&mut self, kind: Kind, text: String, line: usize) {
        self.tokens.push(Token { kind, text, line });
    }

    fn line_comment(&mut self) {
        let start = self.at + 2;
        while self.peek(0).is_some_and(|letter| letter != '\n') {
            self.skip(1);
        }
        let comment: String = self.letters[start..self.at].iter().collect();
        if let Some(text) = comment.trim().strip_prefix("seaworthy:") {
            let (text, line) = (text.trim().to_owned(), self.line);
            self.remarks.push((self.tokens.len(), Remark { text, line }));
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
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
                    self.unclosed = Some("a comment");
                    return;
                }
            }
        }
    }

    /// Reads what stands in quotes, after a prefix such as `E` or `U&`.
    fn quoted(&mut self, quote: char, kind: Kind, has_escapes: bool, prefix: usize) {
        let line = self.line;
        self.skip(prefix + 1);
        let mut text = String::new();
        loop {
            match self.peek(0) {
                None => {
                    self.unclosed = Some("a quote");
                    break;
                }
                Some('\\') if has_escapes => {
                    text.extend(self.peek(1));
                    self.skip(2);
                }
                Some(letter) if letter == quote && self.peek(1) == Some(quote) => {
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
        self.push(kind, text, line);
    }

    /// Reads a dollar-quoted string or a parameter.
    fn dollar(&mut self) {
        let tag_length = self.letters[self.at + 1..]
            .iter()
            .take_while(|letter| letter.is_alphanumeric() || **letter == '_')
            .count();
        let is_parameter = self.peek(1).is_some_and(|letter| letter.is_ascii_digit());
        if is_parameter || self.peek(tag_length + 1) != Some('$') {
            let line = self.line;
            let text = self.letters[self.at..=self.at + tag_length].iter().collect();
            self.skip(tag_length + 1);
            self.push(Kind::Number, text, line);
            return;
        }
        let line = self.line;
        let tag: Vec<char> = self.letters[self.at..self.at + tag_length + 2].to_vec();
        self.skip(tag.len());
        let start = self.at;
        while self.at < self.letters.len() && !self.letters[self.at..].starts_with(&tag) {
            self.skip(1);
        }
        let text = self.letters[start..self.at].iter().collect();
        if self.at >= self.letters.len() {
            self.unclosed = Some("a dollar quote");
        }
        self.skip(tag.len());
        self.at = self.at.min(self.letters.len());
        self.push(Kind::Text, text, line);
    }

    fn word(&mut self, letter: char) {
        match (letter.to_ascii_lowercase(), self.peek(1), self.peek(2)) {
            ('e', Some('\''), _) => self.quoted('\'', Kind::Text, true, 1),
            ('b' | 'x' | 'n', Some('\''), _) => self.quoted('\'', Kind::Text, false, 1),
            ('u', Some('&'), Some('\'')) => self.quoted('\'', Kind::Text, false, 2),
            ('u', Some('&'), Some('"')) => self.quoted('"', Kind::Quoted, false, 2),
            _ => self.while_letters(Kind::Word, |letter| {
                is_word_start(letter) || letter.is_ascii_digit() || letter == '$'
            }),
        }
    }

    fn while_letters(&mut self, kind: Kind, belongs: fn(char) -> bool) {
        let (line, start) = (self.line, self.at);
        while self.peek(0).is_some_and(belongs) {
            self.skip(1);
        }
        let text: String = self.letters[start..self.at].iter().collect();
        self.push(kind, text.to_lowercase(), line);
    }

    fn symbol(&mut self) {
        const PAIRS: [&str; 11] = ["::", "<=", ">=", "<>", "!=", "||", ":=", "=>", "->", "@>", "&&"];
        let pair: String = self.letters[self.at..].iter().take(2).collect();
        let text = if PAIRS.contains(&pair.as_str()) {
            pair
        } else {
            pair.chars().take(1).collect()
        };
        let line = self.line;
        self.skip(text.chars().count());
        self.push(Kind::Symbol, text, line);
    }
}

fn is_word_start(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}
